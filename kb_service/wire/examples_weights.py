"""Examples of weights that escalations taught."""

from __future__ import annotations

from typing import Any

_PRESENT: dict[str, float] = {
    "urgency": 36.0,
    "emotion": 30.0,
    "sensitive": 30.0,
    "service_level": 30.0,
    "repeat_contact": 12.0,
    "problem_state": 12.0,
    "customer_value": 15.0,
    "waiting": 60.0,
}
_LEARNED = {**_PRESENT, "urgency": 29.4, "emotion": 35.1, "repeat_contact": 21.8}
_PROPOSAL: dict[str, Any] = {
    "id": "pw_01KA…",
    "at": "2026-11-20T03:00:12+00:00",
    "kind": "proposed",
    "weights": _LEARNED,
    "before": {},
    "evidence": {
        "reason": "better",
        "cases": 9120,
        "escalations": 611,
        "kinds": {"rated_low": 190, "reopened": 301, "transferred": 164},
        "later": 2736,
        "later_escalations": 183,
        "split_at": "2026-10-24T08:12:00+00:00",
        "before": {"auroc": 0.634, "log_loss": 0.236},
        "after": {"auroc": 0.671, "log_loss": 0.229},
        "gain": [0.012, 0.061],
        "with_factor": {"urgency": 3120, "emotion": 1540, "repeat_contact": 702},
        "present": _PRESENT,
    },
    "actor": "nightly",
    "of_id": None,
}
_APPLIED: dict[str, Any] = {
    "id": "pw_01KB…",
    "at": "2026-11-20T09:31:40+00:00",
    "kind": "applied",
    "weights": _LEARNED,
    "before": {},
    "evidence": None,
    "actor": "key_01KA…",
    "of_id": "pw_01KA…",
}

WEIGHTS_RESPONSES: dict[str, Any] = {
    "GET /v1/rules/weights": {"in_force": _LEARNED, "items": [_APPLIED, _PROPOSAL]},
    "POST /v1/rules/weights/{id}/apply": _APPLIED,
    "POST /v1/rules/weights/rollback": {
        **_APPLIED,
        "id": "pw_01KC…",
        "kind": "rolled_back",
        "weights": {},
        "before": _LEARNED,
        "of_id": "pw_01KB…",
    },
}
