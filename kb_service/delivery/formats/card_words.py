"""The words of cards, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kb_service.delivery.formats.told import Language

Words = Mapping[Language, str]

TITLES: Final[Mapping[str, Words]] = {
    "alert.opened": {"zh": "预警", "en": "Alert"},
    "alert.opened.burst": {"zh": "突增预警", "en": "Sudden rise"},
    "alert.opened.recurrence": {"zh": "反复出现的问题", "en": "Recurring problem"},
    "alert.opened.growth": {"zh": "缓慢上升", "en": "Slow growth"},
    "alert.opened.regression": {"zh": "已解决的问题复发", "en": "Back after it was resolved"},
    "alert.escalated": {"zh": "预警升级：仍无人处理", "en": "Escalated: nobody has taken it"},
    "alert.escalated.larger": {"zh": "预警升级：仍在扩大", "en": "Escalated: it has grown"},
    "alert.escalated.silence_over": {"zh": "预警升级：静默结束", "en": "Escalated: worse than when silenced"},
    "problem.resolved": {"zh": "问题已解决", "en": "Problem resolved"},
    "problem.regressed": {"zh": "问题复发", "en": "Problem is back"},
    "proposal.created": {"zh": "新建议", "en": "New proposal"},
    "gap.found": {"zh": "知识缺口", "en": "Knowledge gap"},
    "traffic.surge": {"zh": "咨询量激增", "en": "More messages than usual"},
    "traffic.surge.closed": {"zh": "咨询量恢复正常", "en": "Messages are back to usual"},
    "followup.due": {"zh": "需要回访", "en": "Follow-up due"},
    "webhook.test": {"zh": "测试消息", "en": "Test message"},
    "webhook.disabled": {"zh": "Webhook 已停用", "en": "Webhook disabled"},
}
LABELS: Final[Mapping[str, Words]] = {
    "customers": {"zh": "顾客数", "en": "Customers"},
    "events": {"zh": "消息数", "en": "Messages"},
    "questions": {"zh": "提问数", "en": "Questions"},
    "counted": {"zh": "实际/预期", "en": "Seen / expected"},
    "products": {"zh": "商品", "en": "Products"},
    "expertise": {"zh": "专长组", "en": "Expertise"},
    "at": {"zh": "时间", "en": "Time"},
    "due_at": {"zh": "截止", "en": "Due"},
    "kind": {"zh": "类型", "en": "Kind"},
    "owner": {"zh": "负责人", "en": "Owner"},
    "joined": {"zh": "归并", "en": "Grouping"},
    "proposal": {"zh": "建议", "en": "Proposal"},
    "also": {"zh": "同组问题", "en": "Together with"},
    "help": {"zh": "可支援", "en": "Could help"},
    "channel": {"zh": "渠道", "en": "Channel"},
    "cases": {"zh": "待回访", "en": "Cases to ask"},
    "host": {"zh": "地址", "en": "Host"},
    "cancelled": {"zh": "未送达", "en": "Not delivered"},
    "failing_since": {"zh": "失败始于", "en": "Failing since"},
}
COUNTED: Final[Words] = {
    "zh": "{observed}/{expected}（{span}内）",
    "en": "{observed} / {expected} in {span}",
}
FIGURES: Final[Words] = {
    "zh": "{name}（{span}内 {customers} 位顾客）",
    "en": "{name} ({customers} in {span})",
}
"""A problem that is told beside another, with its figures; in English `customers` has its noun with it."""
TESTED: Final[Words] = {
    "zh": "收到这条消息，说明该 Webhook 可以使用。",
    "en": "This webhook works: you are reading what it sent.",
}
KINDS: Final[Mapping[str, Words]] = {
    "document": {"zh": "文档", "en": "document"},
    "policy": {"zh": "政策", "en": "policy"},
    "product": {"zh": "商品", "en": "product"},
    "routing": {"zh": "分流规则", "en": "routing"},
    "training": {"zh": "培训", "en": "training"},
}
QUOTED: Final[Words] = {"zh": "顾客原话", "en": "In customers' words"}
SEPARATOR: Final[Words] = {"zh": "：", "en": ": "}
COMMA: Final[Words] = {"zh": "、", "en": ", "}
