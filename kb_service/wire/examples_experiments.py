"""Example responses of the operations on trials."""

from __future__ import annotations

from typing import Any

EXPERIMENT: dict[str, Any] = {
    "id": "turns-or-learned",
    "name": "按轮次分配与按专长分配 / Turns against learned assignment",
    "state": "running",
    "treatment": {"assignment": "round_robin"},
    "share": 0.5,
    "unit": "customer",
    "salt": "salt_01KA…",
    "metric": "resolution",
    "guards": [{"metric": "rating", "margin": 0.2, "worse": "lower"}],
    "minimum": 200,
    "maximum": 20000,
    "alpha": 0.05,
    "created_at": "2026-10-26T10:00:00+08:00",
    "starts_at": None,
    "ends_at": "2026-12-31T00:00:00+08:00",
    "started_at": "2026-10-26T10:00:00+08:00",
    "stopped_at": None,
}
REPORT: dict[str, Any] = {
    **EXPERIMENT,
    "verdict": {
        "reason": "not_yet",
        "text": "暂无结论：目前72 小时内解决且未重开的比例的改善为 -2.9 个百分点（-6.4至0.6）；"
        "预计还需约 1230 个单位。",
        "more_units": 1230,
    },
    "result": {
        "metric": "resolution",
        "better": "higher",
        "control": {"units": 1802, "mean": 0.816},
        "treatment": {"units": 1774, "mean": 0.787},
        "difference": -0.029,
        "low": -0.064,
        "high": 0.006,
        "p_value": 0.21,
    },
    "guard_results": [
        {
            "metric": "rating",
            "better": "higher",
            "control": {"units": 611, "mean": 4.31},
            "treatment": {"units": 590, "mean": 4.27},
            "difference": -0.04,
            "low": -0.21,
            "high": 0.13,
            "p_value": 1.0,
            "margin": 0.2,
            "worse": "lower",
            "broken": False,
            "text": "评分变差 0.04 分（-0.13至0.21），未证实超过允许的 0.20 分",
        }
    ],
    "ratio": {"control": 2120, "treatment": 2097, "share": 0.5, "p_value": 1.0, "ok": True},
    "settles_hours": 144.0,
    "measured_at": "2026-11-09T10:45:00+08:00",
}
EXPERIMENT_RESPONSES: dict[str, Any] = {
    "GET /v1/experiments": {"items": [EXPERIMENT], "next_cursor": None},
    "GET /v1/experiments/{id}": REPORT,
    "PUT /v1/experiments/{id}": REPORT,
    "POST /v1/experiments/{id}/stop": {
        **REPORT,
        "state": "stopped",
        "stopped_at": "2026-11-09T10:45:00+08:00",
    },
}
