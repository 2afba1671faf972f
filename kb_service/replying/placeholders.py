"""Placeholders of a reply, filled from what the caller knows of the order, the parcel or the customer. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAME = r"[A-Za-z\u3400-\u9fff][\w\u3400-\u9fff]*(?:[.-][\w\u3400-\u9fff]+)*"
PLACEHOLDER = re.compile(
    rf"[$%]?\{{\{{\s*(?P<double>{_NAME})\s*(?:\|[^{{}}\n]*)?\}}\}}"
    rf"|[$%]?\{{(?P<single>{_NAME})\}}"
    rf"|\[\[\s*(?P<square>{_NAME})\s*\]\]"
    r"|【(?P<lens>[^【】\n]{1,40})】"
)
"""{order.status}, ${order.status}, {{ order.status }} with or without a filter, [[order.status]], 【订单号】."""
_FILLED_IN = re.compile(
    r"[A-Za-z]\w*(?:\.\w+)+|[\u3400-\u9fff]{0,6}"
    r"(?:号|号码|姓名|名字|称呼|昵称|金额|日期|时间|地址|电话|状态|链接|编号|数量|天数|公司)"
)
"""What stands between 【 and 】 where something is to be filled in; elsewhere they only set off words."""


def fill(text: str, context: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The text with its placeholders filled from `context`, and the names of those that it does not hold.

    Values are put in as they are: a placeholder inside a value stays text. Case does not tell names apart
    where the context holds no name of the very spelling.
    """
    missing: dict[str, None] = {}
    folded = {name.casefold(): value for name, value in context.items()}

    def value(match: re.Match[str]) -> str:
        name = next(group for group in match.groups() if group is not None).strip()
        known = context.get(name, folded.get(name.casefold()))
        if known is not None:
            return known
        if match.lastgroup != "lens" or _is_blank(match, name):
            missing[name] = None
        return match.group(0)

    return PLACEHOLDER.sub(value, text), tuple(missing)


def blanks(text: str) -> dict[str, tuple[str, ...]]:
    """The placeholders that stand in a text, by name, each in the ways in which it is written there."""
    found: dict[str, dict[str, None]] = {}
    for match in PLACEHOLDER.finditer(text):
        name = next(group for group in match.groups() if group is not None).strip()
        if match.lastgroup != "lens" or _is_blank(match, name):
            found.setdefault(name, {})[match.group(0)] = None
    return {name: tuple(written) for name, written in found.items()}


def _is_blank(match: re.Match[str], name: str) -> bool:
    """Whether 【…】 inside a sentence names what is to be filled in; at the begin of a line it is a heading."""
    line = match.string[: match.start()].rpartition("\n")[2]
    return bool(line.strip()) and _FILLED_IN.fullmatch(name) is not None
