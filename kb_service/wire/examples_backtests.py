"""Examples of rules tried on the past."""

from __future__ import annotations

from typing import Any

_ALERT: dict[str, Any] = {
    "kind": "recurrence",
    "opened_at": "2026-11-09T10:40:00+08:00",
    "first_at": "2026-11-09T08:05:00+08:00",
    "problem": {"id": "p_5d2f", "name": "华东包裹延误", "state": "open"},
    "observed": 3,
    "expected": None,
    "customers": 3,
    "window_minutes": 10080,
    "p_value": None,
    "evidence": {
        "zh": "7 天内 3 位顾客反映（共 3 条消息）；问题出现不久，尚无可比的历史。",
        "en": "3 customers in 7 days (3 messages); the problem is too new to say what is usual.",
    },
}
_LATER: dict[str, Any] = {**_ALERT, "opened_at": "2026-11-09T13:10:00+08:00", "observed": 5, "customers": 5}
_SUMMARY: dict[str, Any] = {
    "alerts": 1,
    "by_kind": {"recurrence": 1},
    "per_day": 0.03,
    "problems": 1,
    "median_minutes": 155.0,
}
_SUGGESTION: dict[str, Any] = {
    "reason": "better",
    "rules": {"recurrence_customers": 5},
    "useful": 24,
    "noise": 91,
    "kept": 23,
    "others": 40,
    "others_now": 88,
    "trials": [
        {
            "kind": "recurrence",
            "rules": {"recurrence_customers": 3, "recurrence_window_hours": 168.0},
            "useful": 24,
            "kept": 24,
            "others": 88,
        },
        {
            "kind": "recurrence",
            "rules": {"recurrence_customers": 5, "recurrence_window_hours": 168.0},
            "useful": 24,
            "kept": 23,
            "others": 40,
        },
    ],
    "words": {
        "en": "23 of 24 useful alerts would have come, and 40 others instead of 88. This rests on 24 useful alerts: of "
        "others like them 80% to 99% would be kept.",
        "zh": "24 条有用预警会保留 23 条，其他预警由 88 条变为 40 条。"
        "依据是 24 条有用预警：同类预警预计可保留 80% 至 99%。",
    },
}

BACKTESTS_RESPONSES: dict[str, Any] = {
    "POST /v1/rules:backtest": {
        "from": "2026-10-20T00:00:00+08:00",
        "to": "2026-11-20T00:00:00+08:00",
        "events": 6364,
        "as_it_was": {"alerts": [_ALERT], "summary": _SUMMARY},
        "present": {"alerts": [_ALERT], "summary": _SUMMARY},
        "proposed": {"alerts": [_LATER], "summary": {**_SUMMARY, "median_minutes": 305.0}},
        "changes": {
            "items": [{"outcome": "later", "minutes": 150.0, "present": _ALERT, "proposed": _LATER}],
            "totals": {"appears": 0, "vanishes": 0, "earlier": 0, "later": 1},
        },
        "suggestion": _SUGGESTION,
    }
}
