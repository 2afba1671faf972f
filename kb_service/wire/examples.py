"""An example response for every operation: what a reader of the reference sees, and a test holds true to the shapes."""

from __future__ import annotations

from typing import Any

from kb_service.wire.examples_assigning import ASSIGNING_RESPONSES, CONSULTATION, SKILL
from kb_service.wire.examples_backtests import BACKTESTS_RESPONSES
from kb_service.wire.examples_experiments import EXPERIMENT_RESPONSES
from kb_service.wire.examples_followups import FOLLOWUPS_RESPONSES
from kb_service.wire.examples_metrics import METRICS_RESPONSES
from kb_service.wire.examples_proposals import PROPOSALS_RESPONSES
from kb_service.wire.examples_traffic import TRAFFIC_RESPONSES
from kb_service.wire.examples_weights import WEIGHTS_RESPONSES

PRIORITY: dict[str, Any] = {
    "score": 82,
    "band": "urgent",
    "contributions": [
        {"factor": "urgency", "points": 32.4, "evidence": "措辞紧急（0.90）"},
        {"factor": "emotion", "points": 30.0, "evidence": "愤怒（1.00）"},
        {"factor": "customer_value", "points": 11.1, "evidence": "4 单，消费 5,230，7 天前下单"},
        {"factor": "service_level", "points": 8.2, "evidence": "银卡会员"},
    ],
    "total": 81.7,
}
INTENT: dict[str, Any] = {
    "id": "return-damaged",
    "label": "破损退货 / Return of damaged goods",
    "examples": ["手机屏幕碎了我要退货", "it arrived broken, I want to send it back"],
    "expertise": "after-sales-electronics",
    "description": "The goods are damaged and the customer wants to return them.",
    "sensitive": False,
}
AGENT: dict[str, Any] = {
    "id": "agent-07",
    "name": "agent-07",
    "languages": ["zh", "en"],
    "skills": ["after-sales-electronics"],
    "capacity": 5,
    "online": True,
    "pool": "core",
    "permissions": ["refund:500"],
    "load": 2,
}
CHOICE: dict[str, Any] = {
    "id": "agent-07",
    "name": "agent-07",
    "score": 0.87,
    "available": True,
    "reasons": [
        {"code": "skill", "text": "解决此类问题的比例为 92%(140 例)"},
        {"code": "sticky", "text": "周二服务过这位顾客"},
    ],
}
ROUTE: dict[str, Any] = {
    "expertise": {"id": "after-sales-electronics", "name": "after-sales-electronics", "confidence": 0.9},
    "alternatives": [{"id": "logistics", "name": "logistics", "confidence": 0.06}],
    "triage": False,
    "triage_reason": None,
    "intents": [{"id": "return-damaged", "label": "破损退货 / Return of damaged goods", "probability": 0.88}],
    "priority": PRIORITY,
    "agents": [CHOICE],
    "sla": {
        "tier": 1,
        "first_response_due": "2026-11-11T09:05:00+08:00",
        "resolve_due": "2026-11-11T13:00:00+08:00",
    },
}
CONFLICT: dict[str, Any] = {
    "id": "cf_2b1c…",
    "aspect": "quantity",
    "score": 1.0,
    "matters": ["free_delivery"],
    "difference": {
        "zh": "包邮：一处写“¥99”，另一处写“¥129”",
        "en": "Free delivery: one says “¥99”, the other “¥129”",
    },
    "documents": [
        {
            "document_id": "delivery-zh",
            "title": "国内配送说明",
            "kind": "policy",
            "language": "zh",
            "url": None,
            "section": ["运费"],
            "quote": "单笔实付满 ¥99 包邮。",
            "start": 120,
            "end": 133,
            "valid_from": "2026-01-01T00:00:00+08:00",
            "valid_to": None,
        },
        {
            "document_id": "delivery-en",
            "title": "Delivery in mainland China",
            "kind": "policy",
            "language": "en",
            "url": None,
            "section": ["Cost"],
            "quote": "Delivery is free from ¥129.",
            "start": 210,
            "end": 237,
            "valid_from": "2026-03-01T00:00:00+08:00",
            "valid_to": None,
        },
    ],
    "since": "2026-03-01T00:00:00+08:00",
    "until": None,
}
STALE: dict[str, Any] = {
    "document_id": "winter-sale",
    "title": "冬季促销规则",
    "kind": "policy",
    "language": "zh",
    "url": None,
    "valid_from": "2025-11-20T00:00:00+08:00",
    "valid_to": "2025-12-01T00:00:00+08:00",
    "updated_at": "2025-11-19T09:00:00+08:00",
    "reasons": [
        {
            "code": "ends_soon",
            "text": {
                "zh": "最后有效日为 2025-11-30（还有 9 天），没有后继文档",
                "en": "its last day is 2025-11-30; it ends in 9 days, without a successor",
            },
            "weight": 0.5,
            "evidence": {"valid_to": "2025-11-30T16:00:00+00:00", "days": 9},
        }
    ],
}
REPLY: dict[str, Any] = {
    "action": "answer",
    "reason": "confident",
    "confidence": 0.93,
    "answers": [
        {
            "id": "0f3c…",
            "exposure_id": "exp_01KA…",
            "text": "自签收之日起 7 天内可无理由退货。",
            "kind": "policy",
            "language": "zh",
            "confidence": 0.93,
            "missing": [],
            "citations": [
                {
                    "document_id": "policy-returns-zh",
                    "title": "退货政策(2026 版)",
                    "url": None,
                    "section": ["退货时限"],
                    "quote": "自签收之日起 7 天内可无理由退货。",
                    "start": 120,
                    "end": 137,
                    "valid_from": "2026-03-01T00:00:00+08:00",
                    "valid_to": None,
                }
            ],
            "why": [
                {"code": "policy_match", "text": "现行政策的相关条款:退货政策 › 退货时限", "weight": 0.81}
            ],
        }
    ],
    "clarify": None,
    "handoff": None,
    "understanding": {
        "language": "zh",
        "corrected_query": None,
        "intents": [{"id": "return", "label": "退货 / Return", "probability": 0.88}],
        "out_of_scope": False,
        "entities": [{"type": "date", "value": "2026-11-04", "start": 0, "end": 2}],
        "emotion": {"label": "neutral", "score": 0.6},
        "urgency": 0.2,
    },
    "priority": PRIORITY,
    "problem": {"id": "p_5d2f", "name": "退货期限", "state": "open"},
    "timing_ms": {"total": 9.1, "embed": 5.2, "search": 2.4},
}
CASE: dict[str, Any] = {
    "id": "case_8a1c",
    "customer_id": "u-9",
    "conversation_ids": ["c-123"],
    "channels": ["app"],
    "state": "waiting",
    "opened_at": "2026-11-11T09:00:00+08:00",
    "active_at": "2026-11-11T09:02:00+08:00",
    "resolved_at": None,
    "problem": {"id": "p_5d2f", "name": "华东包裹延误", "state": "open"},
    "agent_id": None,
    "assigned_at": None,
    "language": "zh",
}
QUEUED: dict[str, Any] = {
    **CASE,
    "priority": PRIORITY,
    "waiting_since": "2026-11-11T09:02:00+08:00",
    "sla": ROUTE["sla"],
}
CASE_DETAIL: dict[str, Any] = {
    **CASE,
    "consultations": [],
    "experts": [],
    "events": [
        {
            "id": "m-20261111-17",
            "type": "message",
            "role": "customer",
            "at": "2026-11-11T09:00:00+08:00",
            "channel": "app",
            "text": "包裹三天没有更新了",
            "reply": None,
            "agent_id": None,
            "reason": None,
        }
    ],
}
PROBLEM: dict[str, Any] = {
    "id": "p_5d2f",
    "name": "华东包裹延误",
    "state": "open",
    "emerging": True,
    "evergreen": False,
    "opened_at": "2026-11-09T08:12:00+08:00",
    "active_at": "2026-11-11T09:00:00+08:00",
    "episode_at": "2026-11-09T08:12:00+08:00",
    "resolved_at": None,
    "silenced_until": None,
    "silenced_count": None,
    "silenced_customers_left": None,
    "silenced_escalation": False,
    "confirmed_at": None,
    "events": 41,
    "customers": 33,
    "episode_customers": 33,
    "products": [],
    "intent_id": "parcel-late",
    "expertise_id": "logistics",
    "owner_id": None,
    "parent_id": None,
    "aliases": [],
}
EVIDENCE = {
    "zh": "7 天内 12 位顾客反映（共 13 条消息），按以往预计 1.4 条（9.3 倍）；极不可能是偶然：百万分之一以下。",
    "en": "12 customers in 7 days (13 messages), expected 1.4 messages (9.3×); "
    "hardly by chance: less than once in a million.",
}
PROBLEM_DETAIL: dict[str, Any] = {
    **PROBLEM,
    "evidence": EVIDENCE["zh"],
    "counts": [{"hour": "2026-11-11T09:00:00+08:00", "events": 5, "customers": 4}],
    "examples": ["包裹三天没有更新了"],
    "answers": [{"external_id": "faq-zh-012", "kind": "faq", "title": "物流不更新怎么办", "weight": 1.0}],
    "policies": [],
    "resolutions": [],
    "alerts": ["alt_77f0"],
    "followup": None,
}
ALERT: dict[str, Any] = {
    "id": "alt_77f0",
    "kind": "recurrence",
    "state": "open",
    "opened_at": "2026-11-09T10:40:00+08:00",
    "problem": {"id": "p_5d2f", "name": "华东包裹延误", "state": "open"},
    "observed": 13,
    "expected": 1.4,
    "window_minutes": 10080,
    "customers": 12,
    "p_value": 1e-7,
    "evidence": EVIDENCE,
    "title": None,
    "joined": {
        "zh": "归并依据：属于同一问题的可能性为 97%，次选问题为 12%。",
        "en": "Joined: the same problem with a probability of 97%, the next likely one 12%.",
    },
    "examples": ["包裹三天没有更新了"],
    "expertise": "logistics",
    "products": [],
    "owner": {"id": "agent-07", "name": "agent-07"},
    "inhibited_by": None,
    "told_at": "2026-11-09T10:40:03+08:00",
    "proposal_id": "prop_1b9e",
}
RULES: dict[str, Any] = {
    "recurrence_customers": 3,
    "recurrence_window_hours": 168.0,
    "burst_customers": 3,
    "burst_likelihood": 1.5e-6,
    "growth_alerts": True,
    "regression_customers": 3,
    "regression_grace_hours": 24.0,
    "promote_customers": 3,
    "promote_window_hours": 168.0,
    "followup_hours": 72.0,
    "regroup_nightly": True,
    "problem_grain": "fine",
    "refund_limit": 500.0,
    "wrong_answer_bound": 0.01,
    "review_share": 0.05,
    "swap_share": 0.05,
    "timezone": "Asia/Shanghai",
    "promotion_days": [],
    "surge_customers": 5,
    "inactive_minutes": 30.0,
    "auto_assign": False,
    "priority_weights": {},
    "tier_values": {"platinum": 1.0, "gold": 0.8, "silver": 0.55, "bronze": 0.2},
    "service_levels": {
        "urgent": {"first_response_minutes": 5.0, "resolve_minutes": 240.0},
        "high": {"first_response_minutes": 15.0, "resolve_minutes": 480.0},
        "normal": {"first_response_minutes": 60.0, "resolve_minutes": 1440.0},
        "low": {"first_response_minutes": 240.0, "resolve_minutes": 4320.0},
    },
    "tier_lifts": {"platinum": 1, "gold": 1},
    "default_region": "CN",
    "sensitive_flows": {"legal": ["律师", "lawyer", "lawsuit", "-lawyer costume"], "privacy": []},
    "carriers": {"SwiftWing": ["疾羽", "疾羽速运"]},
    "campaigns": {"spring-sale": ["春季大促", "Spring Sale"]},
    "digest_hour": 9,
    "digest_to": [],
    "digest_language": "zh",
    "group_wait_seconds": 30.0,
    "group_interval_seconds": 300.0,
    "repeat_hours": 12.0,
    "owners": {"product": {"SKU-1": "agent-07"}, "expertise": {"logistics": "agent-03"}, "channel": {}},
}
GAP: dict[str, Any] = {
    "id": "gap_3e91",
    "name": "发票可以开公司抬头吗（抬头、税号）",
    "state": "open",
    "reason": "nothing_found",
    "reasons": {"rewritten": 1, "nothing_found": 4},
    "problem": {"id": "p_71c0", "name": "发票抬头", "state": "open"},
    "customers": 5,
    "customer_ids": ["u-9", "u-31"],
    "questions": 7,
    "votes": 5,
    "cases": ["case_8a1c"],
    "first_at": "2026-11-09T08:12:00+08:00",
    "last_at": "2026-11-11T09:00:00+08:00",
    "languages": ["zh", "en"],
    "products": [],
    "examples": ["发票可以开公司抬头吗", "can the invoice name my company"],
    "best": {"document_id": "faq-zh-044", "title": "如何申请发票", "kind": "faq", "confidence": 0.31},
    "answered_by": None,
    "draft": {
        "title": "发票可以开公司抬头吗",
        "question": "发票可以开公司抬头吗",
        "body": "可以。申请开票时选择“企业”，填写公司名称和税号，电子发票会在 24 小时内发到您的邮箱。",
        "kind": "faq",
        "language": "zh",
        "status": "draft",
        "external_id": "gap_3e91",
        "document": {
            "kind": "faq",
            "title": "发票可以开公司抬头吗",
            "language": "zh",
            "status": "draft",
            "products": [],
            "fields": {
                "question": "发票可以开公司抬头吗",
                "reply": "可以。申请开票时选择“企业”，填写公司名称和税号，电子发票会在 24 小时内发到您的邮箱。",
            },
        },
        "sources": [
            {
                "kind": "resolution",
                "id": "m-20261110-40",
                "at": "2026-11-10T10:20:00+08:00",
                "text": "可以。申请开票时选择“企业”，填写公司名称和税号，电子发票会在 24 小时内发到您的邮箱。",
            }
        ],
    },
    "draft_reason": None,
    "told_at": "2026-11-10T11:00:00+08:00",
    "dismissed_at": None,
    "dismissed_by": None,
}
GRAPH: dict[str, Any] = {
    "directed": True,
    "multigraph": True,
    "graph": {},
    "nodes": [
        {"id": "problem:p_5d2f", "kind": "problem", "label": "华东包裹延误", "state": "open"},
        {"id": "document:faq-zh-012", "kind": "document", "label": "物流不更新怎么办"},
    ],
    "edges": [
        {"source": "problem:p_5d2f", "target": "document:faq-zh-012", "key": "answered_by", "weight": 1.0}
    ],
}
DOCUMENT_HEAD: dict[str, Any] = {
    "external_id": "policy-returns-zh",
    "kind": "policy",
    "title": "退货政策(2026 版)",
    "language": "zh",
    "audience": "public",
    "status": "approved",
    "url": None,
    "products": [],
    "regions": ["CN"],
    "tiers": [],
    "channels": [],
    "valid_from": "2026-03-01T00:00:00+08:00",
    "valid_to": None,
    "supersedes": ["policy-returns-zh-2025"],
    "version": 2,
    "created_at": "2026-02-20T10:00:00+08:00",
    "updated_at": "2026-02-27T16:30:00+08:00",
}
DOCUMENT: dict[str, Any] = {
    **DOCUMENT_HEAD,
    "text": "退货政策\n\n自签收之日起 7 天内……",
    "withheld_by": None,
    "fields": {},
    "metadata": {},
}
WEBHOOK: dict[str, Any] = {
    "id": "product-team",
    "url": "https://example.com/hooks/support",
    "types": ["alert.opened", "problem.regressed"],
    "filter": {"product": [], "expertise": []},
    "format": "standard",
    "language": "en",
    "signed": False,
    "state": "active",
    "disabled_reason": None,
    "failing_since": None,
    "created_at": "2026-11-01T10:00:00+08:00",
    "secret": None,
}
NEW_WEBHOOK: dict[str, Any] = {**WEBHOOK, "secret": "whsec_…"}
DELIVERY: dict[str, Any] = {
    "id": "dlv_01KA…",
    "message_id": "msg_01KA…",
    "type": "alert.opened",
    "state": "delivered",
    "attempts": 1,
    "next_at": None,
    "status": 204,
    "error": None,
    "response": None,
    "created_at": "2026-11-09T10:40:00+08:00",
    "delivered_at": "2026-11-09T10:40:01+08:00",
}
EXPERTISE: dict[str, Any] = {
    "id": "after-sales-electronics",
    "name": "after-sales-electronics",
    "intent_ids": ["return-damaged"],
    "problem_ids": [],
    "agent_ids": ["agent-07"],
}
DOCUMENT_STATUS: dict[str, Any] = {
    "external_id": "returns-us",
    "status": "created",
    "version": 1,
    "passages": 3,
    "error": None,
}
EVENT_RESULT: dict[str, Any] = {
    "id": "m-20261111-17",
    "status": "accepted",
    "problem": {"id": "p_5d2f", "new": False, "reason": "joined", "score": 0.91, "runner_up": 0.34},
    "pending": False,
    "alerts": ["alt_77f0"],
    "case_id": "case_8a1c",
    "error": None,
}


REVIEW: dict[str, Any] = {
    "id": "rev_01KA…",
    "kind": "answer",
    "exposure_id": "exp_01KA…",
    "state": "pending",
    "at": "2026-11-09T10:40:00+08:00",
    "question": "买了十天还能退吗",
    "language": "zh",
    "answer": "自签收之日起 7 天内可无理由退货。",
    "citations": REPLY["answers"][0]["citations"],
    "confidence": 0.96,
    "verdict": None,
    "note": None,
    "reviewer": None,
    "decided_at": None,
    "withheld": [],
    "proposal_id": None,
    "final_text": None,
    "agent_id": None,
}


def _page(item: dict[str, Any]) -> dict[str, Any]:
    return {"items": [item], "next_cursor": None}


RESPONSES: dict[str, Any] = {
    **ASSIGNING_RESPONSES,
    **EXPERIMENT_RESPONSES,
    **METRICS_RESPONSES,
    **TRAFFIC_RESPONSES,
    **PROPOSALS_RESPONSES,
    **FOLLOWUPS_RESPONSES,
    **BACKTESTS_RESPONSES,
    **WEIGHTS_RESPONSES,
    "GET /health/live": {"status": "live"},
    "GET /health/ready": {
        "status": "ready",
        "store": "ready",
        "encoder": "ready",
        "workspaces": {"ready": 1, "loading": 0, "settling": 0},
    },
    "GET /metrics": 'kb_answers_total{action="answer",reason="confident"} 41.0\n',
    "POST /v1/answers": REPLY,
    "POST /v1/suggestions": {**REPLY, "action": "suggest", "reason": "for_an_agent"},
    "POST /v1/search": {
        "hits": [
            {
                "document_id": "policy-returns-zh",
                "external_id": "policy-returns-zh",
                "title": "退货政策(2026 版)",
                "passage": "自签收之日起 7 天内可无理由退货。",
                "section": ["退货时限"],
                "start": 120,
                "end": 137,
                "score": 0.81,
                "dense": 0.42,
                "lexical": 11.3,
                "graph": 0.0,
            }
        ]
    },
    "POST /v1/feedback": {
        "exposure_id": "exp_01KA…",
        "answer_id": "0f3c…",
        "outcome": "accepted",
        "status": "recorded",
    },
    "POST /v1/route": ROUTE,
    "GET /v1/intents": _page(INTENT),
    "POST /v1/intents:batch": {"items": [{"id": "return-damaged", "status": "created"}]},
    "GET /v1/intents/{id}": INTENT,
    "PUT /v1/intents/{id}": INTENT,
    "GET /v1/agents": _page(AGENT),
    "GET /v1/agents/{id}": AGENT,
    "PUT /v1/agents/{id}": AGENT,
    "GET /v1/agents/{id}/profile": {
        "agent": AGENT,
        "overall": {**SKILL, "expertise_id": None, "expertise": None, "cases": 212},
        "by_expertise": [SKILL],
        "by_problem": [
            {
                "problem": {"id": "p_5d2f", "name": "手机屏幕碎裂", "state": "open"},
                "skill": {**SKILL, "expertise_id": None, "expertise": None, "cases": 61},
            }
        ],
        "compared": {"cases": 118.4, "difference": 0.06, "low": 0.01, "high": 0.11},
    },
    "GET /v1/expertise": _page(EXPERTISE),
    "POST /v1/assignments": {
        "items": [{"case_id": "case_8a1c", "agent": CHOICE, "reason": "assigned", "priority": PRIORITY}]
    },
    "POST /v1/events": EVENT_RESULT,
    "POST /v1/events:batch": EVENT_RESULT,
    "GET /v1/events/{id}": {
        **EVENT_RESULT,
        "type": "message",
        "role": "customer",
        "at": "2026-11-11T09:00:00+08:00",
        "conversation_id": "c-123",
        "customer_id": "u-9",
        "channel": "app",
        "text": "包裹三天没有更新了",
        "language": "zh",
        "products": [],
        "resolved": None,
        "rating": None,
    },
    "GET /v1/cases": _page(QUEUED),
    "GET /v1/cases/{id}": CASE_DETAIL,
    "POST /v1/cases/{id}/assign": {**CASE_DETAIL, "state": "assigned", "agent_id": "agent-07"},
    "POST /v1/cases/{id}/consult": {
        **CASE_DETAIL,
        "state": "assigned",
        "agent_id": "agent-07",
        "consultations": [CONSULTATION],
    },
    "POST /v1/cases/{id}/handover": CASE_DETAIL,
    "POST /v1/cases/{id}/resolve": {**CASE_DETAIL, "state": "resolved", "agent_id": "agent-07"},
    "GET /v1/problems": _page(PROBLEM),
    "GET /v1/problems/{id}": PROBLEM_DETAIL,
    "GET /v1/problems/{id}/cases": _page(CASE),
    "GET /v1/problems/{id}/graph": GRAPH,
    "GET /v1/graph": GRAPH,
    "POST /v1/problems/{id}/acknowledge": {**PROBLEM, "state": "acknowledged"},
    "POST /v1/problems/{id}/resolve": {
        **PROBLEM,
        "state": "resolved",
        "resolved_at": "2026-11-12T10:00:00+08:00",
    },
    "POST /v1/problems/{id}/reopen": PROBLEM,
    "POST /v1/problems/{id}/rename": PROBLEM,
    "POST /v1/problems/{id}/silence": {
        **PROBLEM,
        "state": "silenced",
        "silenced_until": "2026-12-01T00:00:00+08:00",
    },
    "POST /v1/problems/{id}/assign": {**PROBLEM, "owner_id": "agent-07"},
    "POST /v1/problems/{id}/parent": {**PROBLEM, "parent_id": "p_1a2b"},
    "POST /v1/problems/{id}/merge": {**PROBLEM, "aliases": ["p_91aa"]},
    "POST /v1/problems/{id}/split": {**PROBLEM, "id": "p_c0de", "events": 4, "customers": 4},
    "POST /v1/problems/{id}/unmerge": {**PROBLEM, "id": "p_91aa", "events": 6, "customers": 5},
    "GET /v1/alerts": _page(ALERT),
    "GET /v1/alerts/{id}": ALERT,
    "GET /v1/rules": RULES,
    "PUT /v1/rules": RULES,
    "GET /v1/webhooks": _page(WEBHOOK),
    "GET /v1/webhooks/{id}": WEBHOOK,
    "PUT /v1/webhooks/{id}": NEW_WEBHOOK,
    "POST /v1/webhooks/{id}/rotate": NEW_WEBHOOK,
    "POST /v1/webhooks/{id}/test": {
        **DELIVERY,
        "type": "webhook.test",
        "state": "pending",
        "attempts": 0,
        "status": None,
        "delivered_at": None,
        "next_at": "2026-11-09T10:40:00+08:00",
    },
    "GET /v1/webhooks/{id}/deliveries": _page(DELIVERY),
    "POST /v1/webhooks/{id}/deliveries/{delivery}/replay": {
        **DELIVERY,
        "state": "pending",
        "delivered_at": None,
    },
    "POST /v1/webhooks/{id}/replay": {"queued": 12, "pending": 1, "delivered": 0},
    "GET /v1/documents": _page(DOCUMENT_HEAD),
    "POST /v1/documents:batch": DOCUMENT_STATUS,
    "POST /v1/documents:upload": {"items": [DOCUMENT_STATUS]},
    "GET /v1/documents/{external_id}": DOCUMENT,
    "PUT /v1/documents/{external_id}": DOCUMENT_STATUS,
    "GET /v1/documents/{external_id}/versions": _page(
        {
            "version": 1,
            "title": "退货政策",
            "text": "自签收之日起 15 天内……",
            "valid_from": "2025-03-01T00:00:00+08:00",
            "valid_to": None,
            "created_at": "2025-02-20T10:00:00+08:00",
        }
    ),
    "GET /v1/gaps": _page(GAP),
    "GET /v1/conflicts": _page(CONFLICT),
    "GET /v1/stale": _page(STALE),
    "GET /v1/reviews": _page(REVIEW),
    "POST /v1/reviews/{id}": {
        **REVIEW,
        "state": "done",
        "verdict": "harmful",
        "note": "七天是旧规定",
        "reviewer": "key_01KA…",
        "decided_at": "2026-11-09T16:05:00+08:00",
        "withheld": ["policy-returns-zh"],
        "proposal_id": "prop_7c20…",
    },
    "DELETE /v1/customers/{id}": {"customer_id": "u-9", "erased": {"events": 12, "cases": 2}},
    "GET /v1/audit": _page(
        {
            "id": "aud_01KA…",
            "at": "2026-11-09T10:45:00+08:00",
            "actor": "key_01KA…",
            "action": "problem.acknowledge",
            "object": "p_5d2f",
            "detail": {"before": "open"},
        }
    ),
}
