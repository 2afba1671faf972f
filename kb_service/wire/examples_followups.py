"""Example responses of the follow-ups."""

from __future__ import annotations

from typing import Any

FOLLOW_UP: dict[str, Any] = {
    "id": "flw_20c7",
    "state": "open",
    "problem": {"id": "p_5d2f", "name": "华东包裹延误", "state": "resolved"},
    "channel": "wechat",
    "owner": {"id": "agent-09", "name": "agent-09"},
    "resolved_at": "2026-11-12T10:00:00+08:00",
    "sent_at": "2026-11-15T10:00:12+08:00",
    "closed_at": None,
    "question": {
        "en": "Hello! You wrote to us some days ago about: East China parcels late. We have dealt with it since. "
        "Is it solved for you?",
        "zh": "您好！您前几天向我们反映的“华东包裹延误”，我们已经处理。请问现在解决了吗？",
    },
    "cases": [
        {
            "case_id": "case_8a1c",
            "conversation_id": "c-123",
            "customer_id": "u-9",
            "asked": True,
            "answered_at": "2026-11-15T11:20:00+08:00",
            "solved": True,
        }
    ],
}
FOLLOWUPS_RESPONSES: dict[str, Any] = {
    "GET /v1/followups": {"items": [FOLLOW_UP], "next_cursor": None},
}
