"""Example responses of the traffic routes."""

from __future__ import annotations

from typing import Any

NIGHT, MORNING = [0] * 8, [3, 9, 14, 12, 8, 6, 7, 9, 8, 7, 6, 8, 13, 17, 12, 5]
CELLS = [[*NIGHT, *MORNING] for _ in range(7)]
ROW: dict[str, Any] = {
    "key": "logistics",
    "name": "logistics",
    "messages": 1764,
    "cases": 962,
    "customers": 931,
    "handling_seconds": 142.5,
    "handled": 640,
    "cells": CELLS,
    "message_cells": [[2 * count for count in day] for day in CELLS],
    "customer_cells": CELLS,
    "normalised": [[round(count / 17, 4) for count in day] for day in CELLS],
}
SURGE: dict[str, Any] = {
    "id": "srg_5d1e…",
    "state": "open",
    "expertise": {"id": "logistics", "name": "logistics"},
    "opened_at": "2026-11-11T02:14:08+00:00",
    "closed_at": None,
    "observed": 31,
    "expected": 9.4,
    "window_minutes": 60,
    "p_value": 2.1e-6,
    "lift": 1.2,
    "evidence": "logistics：60 分钟内 31 位顾客，预期 9.4 位（3.3 倍，p = 2e-06；已扣除全店流量×1.2的影响）。",
    "told": True,
}
HOUR: dict[str, Any] = {
    "at": "2026-11-11T10:00:00+08:00",
    "expected": 14.2,
    "low_80": 9,
    "high_80": 19,
    "low_95": 6,
    "high_95": 23,
    "naive": 12.0,
    "needed_agents": 2,
    "shortfall": 1,
}
OUTLOOK: dict[str, Any] = {
    "expertise": {"id": "logistics", "name": "logistics"},
    "handling_seconds": 142.5,
    "online_agents": 1,
    "hours": [HOUR],
}
TRAFFIC_RESPONSES: dict[str, Any] = {
    "GET /v1/traffic/heatmap": {
        "by": "expertise",
        "from": "2026-09-16T00:00:00+08:00",
        "to": "2026-11-11T00:00:00+08:00",
        "timezone": "Asia/Shanghai",
        "days": ["1", "2", "3", "4", "5", "6", "7"],
        "hours_counted": [[8] * 24 for _ in range(7)],
        "total": {**ROW, "key": None, "name": "全店"},
        "rows": [ROW],
    },
    "GET /v1/traffic/forecast": {
        "basis": "seasonal",
        "timezone": "Asia/Shanghai",
        "promotion_days": ["2026-11-11"],
        "promotion_effect": 2.1,
        "unusual_days": ["2026-10-01"],
        "staffing": {"method": "erlang_c", "target_share": 0.8, "target_seconds": 60.0},
        "total": {**OUTLOOK, "expertise": None},
        "expertise": [OUTLOOK],
        "surges": [SURGE],
    },
    "GET /v1/traffic/surges": {"items": [SURGE], "next_cursor": None},
    "GET /v1/traffic/help": {
        "items": [
            {
                "expertise": {"id": "logistics", "name": "logistics"},
                "why": "surge",
                "surge": SURGE,
                "expected": 31.0,
                "needed_agents": 3,
                "online_agents": 1,
                "shortfall": 2,
                "agents": [
                    {
                        "id": "agent-12",
                        "name": "agent-12",
                        "reason": "experience",
                        "text": "在此类会话上有经验，每小时可接约 15.2 单，解决率 88%（61 例）",
                        "cases_per_hour": 15.2,
                        "cases": 61,
                        "rate": 0.8812,
                        "low": 0.7804,
                        "languages": ["zh"],
                        "lent_by": ["after-sales-clothing"],
                    }
                ],
            }
        ],
        "next_cursor": None,
    },
    "GET /v1/traffic/training": {
        "items": [
            {
                "expertise": {"id": "logistics", "name": "logistics"},
                "agent": {"id": "agent-03", "name": "agent-03"},
                "reason": "below_the_best",
                "text": "agent-03 在“logistics”的解决率为 71%（88 例），较好的一半同事为 86%；"
                "按每周约 420 单计，培训后每周可多解决约 9.4 单。",
                "gain": 9.4,
                "cases_per_week": 420.0,
                "cases": 88,
                "rate": 0.7121,
                "reachable": 0.8604,
            }
        ],
        "next_cursor": None,
    },
}
