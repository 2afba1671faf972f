"""Examples of support metrics and of the people board."""

from __future__ import annotations

from typing import Any


def _figure(
    value: float,
    low: float | None,
    high: float | None,
    n: int,
    before: tuple[float, float | None, float | None, int],
    change: tuple[float, float, float],
    *,
    left_out: int = 0,
    provisional: int = 0,
) -> dict[str, Any]:
    names = ("value", "low", "high", "n")
    return {
        **dict(zip(names, (value, low, high, n), strict=True)),
        "left_out": left_out,
        "provisional": provisional,
        "previous": dict(zip(names, before, strict=True)),
        "change": {
            "value": change[0],
            "low": change[1],
            "high": change[2],
            "certain": not change[1] <= 0 <= change[2],
        },
    }


METRICS: dict[str, Any] = {
    "cases": 443,
    "cases_before": 565,
    "first_response": {
        "median": _figure(316, 285, 345, 291, (304, 283, 323, 369), (12, -24.4, 47.9), left_out=152),
        "p90": _figure(
            1502, 1141, 3527, 291, (2135, 1504, 3306, 369), (-633, -1858.3, 2123.3), left_out=152
        ),
        "within_level": _figure(
            0.58, 0.5336, 0.6251, 443, (0.562, 0.5209, 0.6023, 565), (0.018, -0.0435, 0.0791), provisional=443
        ),
        "unanswered": _figure(
            0.3431, 0.3004, 0.3885, 443, (0.3469, 0.3088, 0.3871, 565), (-0.0038, -0.0624, 0.0553)
        ),
    },
    "human_response": {
        "median": _figure(140, 96, 203, 41, (188, 131, 240, 38), (-48, -116.2, 37.3)),
        "p90": _figure(611, 402, 980, 41, (725, 498, 1204, 38), (-114, -639.1, 297.2)),
    },
    "first_contact_resolution": _figure(
        0.8177, 0.755, 0.8671, 181, (0.8605, 0.8147, 0.8965, 301), (-0.0428, -0.1153, 0.0248),
        left_out=96, provisional=148,
    ),
    "resolved": _figure(
        0.6, 0.5436, 0.6538, 300, (0.6093, 0.5651, 0.6519, 430), (-0.0093, -0.0799, 0.0611), left_out=143
    ),
    "resolved_within_level": _figure(
        0.5512, 0.5035, 0.5979, 420, (0.5667, 0.5249, 0.6075, 545), (-0.0155, -0.0782, 0.0473),
        left_out=23, provisional=420,
    ),
    "reopened": _figure(
        0.1322, 0.0897, 0.1905, 174, (0.1094, 0.0789, 0.1497, 256), (0.0228, -0.0358, 0.0886), left_out=95
    ),
    "deflection": _figure(
        0.31, 0.2604, 0.3645, 300, (0.272, 0.2322, 0.3158, 430), (0.038, -0.0281, 0.1053), left_out=143
    ),
    "containment": _figure(
        0.62, 0.5424, 0.692, 150, (0.58, 0.5121, 0.645, 210), (0.04, -0.0623, 0.139), left_out=70
    ),
    "satisfaction": {
        "mean": _figure(4.07, 3.84, 4.29, 76, (3.66, 3.41, 3.91, 89), (0.41, 0.0701, 0.7433)),
        "satisfied": _figure(
            0.7763, 0.6707, 0.8553, 76, (0.6292, 0.5254, 0.7224, 89), (0.1471, 0.0062, 0.2775)
        ),
        "response_rate": _figure(
            0.2576, 0.2111, 0.3104, 295, (0.238, 0.1974, 0.2839, 374), (0.0196, -0.0456, 0.0866)
        ),
    },
    "acceptance": {
        "rate": _figure(0.64, 0.5722, 0.7027, 204, (0.61, 0.5423, 0.6737, 210), (0.03, -0.0627, 0.1216)),
        "unchanged": _figure(
            0.71, 0.6257, 0.7825, 131, (0.69, 0.6034, 0.7651, 128), (0.02, -0.0928, 0.1313)
        ),
        "told": _figure(
            0.78, 0.7184, 0.8313, 204, (0.75, 0.6874, 0.8038, 210), (0.03, -0.0518, 0.1109)
        ),
    },
    "transfers": _figure(
        0.0339, 0.0131, 0.0547, 295, (0.0401, 0.0202, 0.0601, 374), (-0.0062, -0.0351, 0.0226)
    ),
    "handling_seconds": {
        "median": _figure(179, 161, 203, 277, (183, 166, 199, 348), (-4, -28.1, 25.4)),
        "p90": _figure(415.8, 373, 455, 277, (401, 365, 431, 348), (14.8, -37.4, 68.2)),
        "mean": _figure(220.2, 202, 238.4, 277, (226.1, 209.4, 242.7, 348), (-5.9, -30.5, 18.8)),
    },
    "actions": {
        "answer": _figure(0.41, 0.3667, 0.4547, 480, (0.38, 0.3394, 0.4223, 520), (0.03, -0.0306, 0.0904)),
        "suggest": _figure(0.3, 0.2607, 0.3425, 480, (0.33, 0.291, 0.3715, 520), (-0.03, -0.0871, 0.0278)),
        "clarify": _figure(0.12, 0.0939, 0.1522, 480, (0.11, 0.0858, 0.14, 520), (0.01, -0.0298, 0.0502)),
        "handoff": _figure(0.17, 0.139, 0.2062, 480, (0.18, 0.1494, 0.2154, 520), (-0.01, -0.0571, 0.0374)),
    },
    "handovers": {
        "share": _figure(
            0.0926, 0.0689, 0.1232, 443, (0.0673, 0.0494, 0.091, 565), (0.0253, -0.0083, 0.0607)
        ),
        "by_trigger": [
            {"trigger": "explicit", "count": 21, "previous": 18},
            {"trigger": "sensitive", "count": 12, "previous": 9},
            {"trigger": "no_answer", "count": 8, "previous": 11},
        ],
    },
}  # fmt: skip
PART: dict[str, Any] = {
    "name": "resolution",
    "value": 0.8723,
    "low": 0.8104,
    "high": 0.9191,
    "n": 121,
    "shop": 0.8345,
    "points": 6.62,
    "reason": None,
    "text": ("对难度相当于全店平均的问题，彻底解决的比例为 87%（95% 区间 81% 至 92%，121 例）；全店为 83%。"),
}

METRICS_RESPONSES: dict[str, Any] = {
    "GET /v1/metrics/support": {
        "from": "2026-11-12T23:43:00+08:00",
        "to": "2026-11-19T23:43:00+08:00",
        "observed_until": "2026-11-19T23:42:59+08:00",
        "previous": {"from": "2026-11-05T23:43:00+08:00", "to": "2026-11-12T23:43:00+08:00"},
        "backlog": {"waiting": 3, "median_seconds": 240.0, "oldest_seconds": 1260.0},
        "groups": {"channel": [{"key": "app", "label": "app", "waiting": 2, **METRICS}]},
        **METRICS,
    },
    "GET /v1/agents:board": {
        "from": "2026-10-22T23:43:00+08:00",
        "to": "2026-11-19T23:43:00+08:00",
        "weights": {
            "resolution": 0.35,
            "complexity": 0.25,
            "rating": 0.15,
            "handling": 0.1,
            "fields_mastered": 0.1,
            "consultations": 0.05,
        },
        "steps": {
            "resolution": 0.05,
            "complexity": 0.5,
            "rating": 0.25,
            "handling": 0.1823,
            "fields_mastered": 1.0,
            "consultations": 10.0,
        },
        "points": 25.0,
        "items": [
            {
                "id": "agent-07",
                "name": "agent-07",
                "cases": 121,
                "value": 61.3,
                "low": 52.1,
                "high": 70.5,
                "standing": "above",
                "reason": None,
                "parts": [PART],
                "fields_mastered": [
                    {
                        "expertise_id": "after-sales-electronics",
                        "name": "after-sales-electronics",
                        "at": "2026-11-09T16:05:00+08:00",
                        "n": 34,
                        "rate": 0.9312,
                        "low": 0.8341,
                        "shop": 0.8203,
                    }
                ],
                "complexity_total": 31.42,
                "consultations": 4,
                "passed_on": 2,
                "load_share": 0.0893,
                "even_share": 0.0625,
                "utilisation": 0.41,
                "utilisation_reason": None,
                "utilisation_text": None,
            }
        ],
        "next_cursor": None,
    },
}
