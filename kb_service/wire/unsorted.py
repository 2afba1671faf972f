"""What the part of a table is called that belongs to none of the things it is divided by."""

from __future__ import annotations

from collections.abc import Mapping

from kb_service.messages import Language

UNSORTED: Mapping[str, Mapping[Language, str]] = {
    "expertise": {"zh": "未归类", "en": "unsorted"},
    "product": {"zh": "未提及商品", "en": "no product named"},
    "channel": {"zh": "渠道未知", "en": "channel not known"},
    "language": {"zh": "语言未知", "en": "language not known"},
    "tier": {"zh": "等级未知", "en": "tier not known"},
    "handler": {"zh": "无人处理", "en": "nobody"},
}
"""By what a table is divided by, and by language."""
