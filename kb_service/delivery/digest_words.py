"""The words of a digest, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kb_service.delivery.formats import Language

Words = Mapping[Language, str]

SECTIONS: Final[Mapping[str, Words]] = {
    "burst": {"zh": "突增", "en": "Sudden rises"},
    "regression": {"zh": "解决后复发", "en": "Back after they were resolved"},
    "growth": {"zh": "缓慢上升", "en": "Slowly growing"},
    "recurrence": {"zh": "反复出现", "en": "Recurring"},
    "new": {"zh": "新问题", "en": "New problems"},
    "resolved": {"zh": "已解决", "en": "Resolved"},
    "proposals": {"zh": "新建议", "en": "New proposals"},
    "gaps": {"zh": "知识缺口", "en": "Knowledge gaps"},
    "disabled": {"zh": "停用的 Webhook", "en": "Disabled webhooks"},
}
"""In the order in which they are read: what is pressing comes first."""
IN_SUBJECT: Final[Mapping[str, Words]] = {
    "burst": {"zh": "突增 {count}", "en": "{count} rising"},
    "regression": {"zh": "复发 {count}", "en": "{count} back"},
    "growth": {"zh": "上升 {count}", "en": "{count} growing"},
    "recurrence": {"zh": "反复出现 {count}", "en": "{count} recurring"},
    "new": {"zh": "新问题 {count}", "en": "{count} new"},
    "resolved": {"zh": "已解决 {count}", "en": "{count} resolved"},
    "proposals": {"zh": "新建议 {count}", "en": "{count} proposed"},
    "gaps": {"zh": "知识缺口 {count}", "en": "{count} gaps"},
    "disabled": {"zh": "停用的 Webhook {count}", "en": "{count} webhooks disabled"},
}
STANDING: Final[Mapping[str, Words]] = {
    "open_alerts": {"zh": "未处理的预警", "en": "Alerts still open"},
    "open_proposals": {"zh": "待定的建议", "en": "Proposals still open"},
    "conflicts": {"zh": "相互矛盾的文档", "en": "Documents that contradict one another"},
    "stale": {"zh": "需要复查的文档", "en": "Documents that need a look"},
    "disabled": {"zh": "停用中的 Webhook", "en": "Webhooks disabled"},
}
SUBJECT: Final[Words] = {"zh": "[{shop}] {day} 日报：{counts}", "en": "[{shop}] Digest of {day}: {counts}"}
SPAN: Final[Words] = {"zh": "{since} 至 {until}", "en": "{since} to {until}"}
NOW: Final[Words] = {"zh": "目前", "en": "As things stand"}
MORE: Final[Words] = {"zh": "另有 {count} 项", "en": "and {count} more"}
COMMA: Final[Words] = {"zh": "，", "en": ", "}
COLON: Final[Words] = {"zh": "：", "en": ": "}
EMERGING: Final[Words] = {"zh": "（新）", "en": " (new)"}
CUSTOMERS: Final[Words] = {"zh": "{count} 位顾客", "en": "{count} customers"}
UNNAMED: Final[Words] = {"zh": "（名称已删除）", "en": "(name erased)"}
FOOT: Final[Words] = {
    "zh": "收件人在店铺规则的 digest_to 中设置。",
    "en": "Who gets this is set in the shop's rules, digest_to.",
}
