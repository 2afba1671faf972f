"""Examples of proposals: what should change, and what it did."""

from __future__ import annotations

from typing import Any

_EFFECT: dict[str, Any] = {
    "metric": "transfers",
    "source": "before_and_after",
    "verdict": "better",
    "days_before": 56,
    "days": 28,
    "before": 48,
    "after": 6,
    "expected": 25.3,
    "change": -4.7,
    "low": -5.9,
    "high": -1.6,
    "ratio": 0.25,
    "measured_at": "2026-12-18T23:40:00+08:00",
    "words": {
        "zh": "有效：决定后 28 天有 6 件转交的咨询，按其他问题同期的变化本应有 25.3 件，少 75%；"
        "每周 -4.7 件（-5.9 至 -1.6）。",
        "en": "It helped: 6 cases passed on in 28 days since, 25.3 expected by the course of all other problems, "
        "75% fewer; -4.7 a week (-5.9 to -1.6).",
    },
}
_PROPOSAL: dict[str, Any] = {
    "id": "prop_1b9e",
    "kind": "routing",
    "state": "open",
    "opened_at": "2026-11-19T23:40:00+08:00",
    "title": "把“灯环橙色没声音”直接交给 after-sales-electronics",
    "evidence": "28 天内 40 位顾客中有 21 位的咨询先到了别处，由 after-sales-electronics 的客服解决；"
    "其他问题通常为 4%。",
    "draft": "PUT /v1/intents/device_pairing\n…",
    "problem_id": "p_5d2f",
    "alert_id": None,
    "expected": {
        "metric": "transfers",
        "per_week": 4.6,
        "low": 2.2,
        "high": 7.4,
        "hours": 0.8,
        "words": {
            "zh": "预计每周减少约 4.6 件转交的咨询（2.2–7.4），约合 0.8 小时处理时间。",
            "en": "Expected to save about 4.6 cases passed on a week (2.2 to 7.4), about 0.8 hours of handling.",
        },
    },
    "change": {
        "action": "set_expertise",
        "intent_id": "device_pairing",
        "expertise": "after-sales-electronics",
        "problem_ids": ["p_5d2f"],
    },
    "decided_at": None,
    "decided_by": None,
    "experiment_id": None,
    "effect": None,
}
_ACCEPTED: dict[str, Any] = {
    **_PROPOSAL,
    "state": "accepted",
    "decided_at": "2026-11-20T09:12:00+08:00",
    "decided_by": "key_01KA…",
}

PROPOSALS_RESPONSES: dict[str, Any] = {
    "GET /v1/proposals": {"items": [_PROPOSAL], "next_cursor": None},
    "GET /v1/proposals/{id}": {
        **_ACCEPTED,
        "effect": _EFFECT,
        "problem": {"id": "p_5d2f", "name": "灯环橙色没声音", "state": "open"},
        "trial": {"id": "trial-of-prop_1b9e", "state": "running", "words": "尚不足以判断。"},
    },
    "POST /v1/proposals/{id}/accept": _ACCEPTED,
    "POST /v1/proposals/{id}/dismiss": {**_PROPOSAL, "state": "dismissed"},
}
