"""How messages are written for each kind of receiver: one module each, all of one shape."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kb_service.delivery.formats import dingtalk, feishu, slack, standard, wecom
from kb_service.delivery.formats.told import Format, Language, Outgoing, Told

FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "standard": standard.FORMAT,
        "slack": slack.FORMAT,
        "feishu": feishu.FORMAT,
        "dingtalk": dingtalk.FORMAT,
        "wecom": wecom.FORMAT,
    }
)

__all__ = ["FORMATS", "Format", "Language", "Outgoing", "Told"]
