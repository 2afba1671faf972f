"""Example responses of decisions, expertise and the queue."""

from __future__ import annotations

from typing import Any

SKILL: dict[str, Any] = {
    "expertise_id": "after-sales-electronics",
    "expertise": "after-sales-electronics",
    "cases": 140,
    "rate": 0.92,
    "low": 0.87,
    "high": 0.96,
    "handling_seconds": 128.0,
    "rating": 4.7,
}
EXPERTISE_DETAIL: dict[str, Any] = {
    "id": "after-sales-electronics",
    "name": "Screens and batteries",
    "intent_ids": ["return-damaged"],
    "problem_ids": ["p_5d2f"],
    "agent_ids": ["agent-07"],
    "intents": [{"id": "return-damaged", "label": "破损退货 / Return of damaged goods", "via": "declared"}],
    "problems": [{"id": "p_5d2f", "name": "手机屏幕碎裂", "state": "open", "via": "pinned"}],
    "agents": [{"id": "agent-07", "name": "agent-07", "online": True, "via": "learned", "skill": SKILL}],
    "pinned": {
        "name": "Screens and batteries",
        "intent_ids": [],
        "problem_ids": ["p_5d2f"],
        "agent_ids": [],
        "actor": "key_01KA…",
        "pinned_at": "2026-11-11T09:30:00+08:00",
    },
}
DECISION: dict[str, Any] = {
    "id": "dec_01KA…",
    "at": "2026-11-11T09:03:00+08:00",
    "kind": "assignment",
    "reason": "assigned",
    "actor": "key_01KA…",
    "agent_id": "agent-07",
    "previous_agent_id": None,
    "expertise_id": "after-sales-electronics",
    "note": None,
    "explanation": [
        "分配给 agent-07。",
        "agent-07：擅长“after-sales-electronics”；同类问题解决率 92%（95% 区间 87–96%，共 140 例）。",
        "优先级 82（紧急）：紧急程度 +31，情绪 +24，客户价值 +9。",
        "未选 agent-02：同类问题解决率较低（81%，对方 92%），手上会话较多（4 件，对方 2 件）。",
    ],
    "candidates": [
        {
            "id": "agent-07",
            "name": "agent-07",
            "score": 0.9,
            "available": True,
            "online": True,
            "load": 2,
            "capacity": 5,
            "overflow": False,
            "terms": {"skill": 0.92, "sticky": 0.08, "load": -0.1},
            "estimate": {"rate": 0.92, "low": 0.87, "high": 0.96, "cases": 140, "of": None},
        },
        {
            "id": "agent-02",
            "name": "agent-02",
            "score": 0.61,
            "available": True,
            "online": True,
            "load": 4,
            "capacity": 6,
            "overflow": False,
            "terms": {"skill": 0.81, "load": -0.2},
            "estimate": {"rate": 0.81, "low": 0.72, "high": 0.88, "cases": 66, "of": None},
        },
    ],
    "priority": {
        "score": 82,
        "band": "urgent",
        "total": 82.0,
        "contributions": [{"factor": "urgency", "points": 31, "evidence": "“再不处理”"}],
    },
    "sla": {
        "tier": 1,
        "first_response_due": "2026-11-11T09:05:00+08:00",
        "resolve_due": "2026-11-11T13:00:00+08:00",
    },
    "sla_consumed": 0.4,
    "intents": [{"id": "return-damaged", "label": "破损退货 / Return of damaged goods", "probability": 0.88}],
    "problem_id": "p_5d2f",
    "language": "zh",
    "permissions": ["refund:300"],
    "line": {"asked": "first_answers", "cause": "first"},
    "waiting": 4,
    "experiment_id": None,
    "arm": None,
    "propensity": None,
}
CONSULTATION: dict[str, Any] = {
    "id": "dec_01KB…",
    "at": "2026-11-11T09:20:00+08:00",
    "agent_id": "agent-03",
    "note": "Is this a known fault?",
    "actor": "key_01KA…",
}
ASSIGNING_RESPONSES: dict[str, Any] = {
    "GET /v1/expertise/{id}": EXPERTISE_DETAIL,
    "PUT /v1/expertise/{id}": EXPERTISE_DETAIL,
    "GET /v1/cases/{id}/decisions": {"items": [DECISION]},
}
