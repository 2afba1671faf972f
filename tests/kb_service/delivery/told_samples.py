"""One message of every type, as it lies in the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from kb_service.delivery.formats import Told
from kb_service.store import Webhook, WebhookSecret
from kb_service.timezones import zone

AT = datetime(2026, 11, 9, 2, 40, tzinfo=UTC)
NOW = datetime(2026, 11, 9, 2, 41, tzinfo=UTC)
PROBLEM = {"id": "p_1", "name": {"zh": "快递不动", "en": "Parcels do not move"}, "state": "open"}
EVIDENCE = {
    "zh": "60 分钟内有 8 位顾客，通常为 1.2 位。",
    "en": "8 customers in 60 minutes, where 1.2 are usual.",
}
ALERT: dict[str, Any] = {
    "id": "alt_1",
    "kind": "burst",
    "state": "open",
    "opened_at": AT.isoformat(),
    "problem": PROBLEM,
    "observed": 8,
    "expected": 1.2,
    "window_minutes": 60,
    "customers": 8,
    "p_value": 0.0001,
    "evidence": EVIDENCE,
    "examples": ["我的快递三天没动了", "where is my parcel?"],
    "expertise": "parcels",
    "products": ["SKU-1"],
    "owner": {"id": "agent-1", "name": "小李"},
    "joined": {"zh": "归并依据：概率为 .97。", "en": "Joined: probability .97."},
    "proposal_id": "prop_1",
}
CHANGED = {
    "problem": PROBLEM,
    "at": AT.isoformat(),
    "customers": 12,
    "episode_customers": 5,
    "events": 30,
    "expertise": None,
    "products": [],
    "owner": None,
}
DATA: Mapping[str, dict[str, Any]] = {
    "alert.opened": {
        **ALERT,
        "problem": {**PROBLEM, "emerging": True},
        "proposal": {
            "id": "prop_1",
            "kind": "document",
            "title": {"zh": "为“快递不动”补充一篇文档", "en": "Write a document for “Parcels do not move”"},
        },
        "also": [
            {
                **ALERT,
                "problem": {**PROBLEM, "id": "p_2", "name": {"en": "Parcel lost"}},
                "customers": 3,
                "window_minutes": 10080,
            }
        ],
        "group": {"by": "expertise", "value": "parcels", "alerts": 2},
    },
    "alert.escalated": {
        **ALERT,
        "escalation": {
            "reason": "larger",
            "customers": 20,
            "told_customers": 8,
            "words": {"zh": "现在已有 20 位顾客。", "en": "20 customers by now."},
        },
    },
    "problem.resolved": CHANGED,
    "problem.regressed": CHANGED,
    "proposal.created": {
        "id": "prop_1",
        "kind": "document",
        "state": "open",
        "opened_at": AT.isoformat(),
        "title": {"zh": "为“快递不动”补充一篇文档", "en": "Write a document for “Parcels do not move”"},
        "evidence": EVIDENCE,
        "problem_id": "p_1",
        "alert_id": "alt_1",
    },
    "gap.found": {
        "id": "gap_1",
        "name": {"zh": "发票抬头", "en": "Name on the invoice"},
        "reason": "nothing_found",
        "customers": 4,
        "questions": 6,
        "first_at": AT.isoformat(),
        "last_at": AT.isoformat(),
        "languages": ["zh"],
        "products": ["SKU-1", "SKU-2"],
        "examples": ["发票抬头写错了怎么改"],
        "problem_id": None,
        "proposal_id": None,
    },
    "traffic.surge": {
        "id": "srg_1",
        "state": "open",
        "expertise": {"id": "parcels", "name": {"zh": "物流", "en": "Parcels"}},
        "opened_at": AT.isoformat(),
        "closed_at": None,
        "observed": 40,
        "expected": 12.5,
        "window_minutes": 60,
        "p_value": 0.001,
        "lift": 3.2,
        "evidence": EVIDENCE,
        "help": [{"id": "agent-2", "name": "Ann", "reason": "skill", "cases_per_hour": 6.0, "text": {}}],
    },
    "followup.due": {
        "followup_id": "fol_1",
        "channel": "wechat",
        "owner": {"id": "agent-1", "name": "小李"},
        "problem": {**PROBLEM, "state": "resolved"},
        "resolved_at": AT.isoformat(),
        "cases": [{"case_id": "c1", "conversation_id": "v1", "customer_id": "u1"}],
        "question": {"zh": "您的问题解决了吗？", "en": "Is your problem solved?"},
        "expertise": None,
        "products": [],
    },
    "webhook.test": {"webhook_id": "team"},
    "webhook.disabled": {
        "webhook_id": "team",
        "host": "hooks.example.com",
        "evidence": {"zh": "连续五天投递失败。", "en": "Every attempt failed for five days."},
        "failing_since": AT.isoformat(),
        "cancelled": 3,
    },
}


def told(type: str, data: Mapping[str, Any] | None = None) -> Told:
    return Told("msg_1", type, AT, DATA[type] if data is None else data, zone("Asia/Shanghai"))


def endpoint(
    format: str, language: Literal["zh", "en"] | None = None, signing_secret: str | None = None
) -> Webhook:
    secrets = (WebhookSecret("whsec_" + "c2VjcmV0" * 4, None),)
    url = "https://chat.example.com/hook?access_token=0123456789abcdef"
    return Webhook("team", url, (), secrets, AT, {}, format, language=language, signing_secret=signing_secret)
