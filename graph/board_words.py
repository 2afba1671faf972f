"""What a figure of the people board means, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol


class Shown(Protocol):
    """The part of a person's line that is put into words; see `graph.board.Part`."""

    @property
    def name(self) -> str: ...
    @property
    def value(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def n(self) -> int: ...
    @property
    def shop(self) -> float | None: ...
    @property
    def reason(self) -> str | None: ...


_EN = {
    "resolution": (
        "Of cases of the shop's average difficulty, {value:.0%} resolved for good "
        "(95% interval {low:.0%} to {high:.0%}, {n} cases); the shop: {shop:.0%}."
    ),
    "complexity": (
        "{value:.2f} points a case for what others rarely resolve (95% interval {low:.2f} to {high:.2f}, {n} cases); "
        "the shop: {shop:.2f}."
    ),
    "rating": (
        "Customers give {value:.1f} of 5 for cases of the average kind (95% interval {low:.1f} to {high:.1f}, "
        "{n} ratings); the shop: {shop:.1f}."
    ),
    "handling": (
        "Takes {value:.0%} of the time that the same problems take on average "
        "(95% interval {low:.0%} to {high:.0%}, {n} cases)."
    ),
    "fields_mastered": "Fields in which they came to resolve more of the same cases than others do: {value:.0f}.",
    "consultations": "Cases of others on which they were asked for advice: {value:.0f}.",
}
_ZH = {
    "resolution": (
        "对难度相当于全店平均的问题，彻底解决的比例为 {value:.0%}（95% 区间 {low:.0%} 至 {high:.0%}，{n} 例）；"
        "全店为 {shop:.0%}。"
    ),
    "complexity": (
        "每例得 {value:.2f} 分：别人越少解决的问题，解决后得分越高（95% 区间 {low:.2f} 至 {high:.2f}，{n} 例）；"
        "全店为 {shop:.2f}。"
    ),
    "rating": (
        "按同类问题比较，顾客评分为 {value:.1f}（满分 5，95% 区间 {low:.1f} 至 {high:.1f}，{n} 次评分）；"
        "全店为 {shop:.1f}。"
    ),
    "handling": ("处理用时是同样问题平均用时的 {value:.0%}（95% 区间 {low:.0%} 至 {high:.0%}，{n} 例）。"),
    "fields_mastered": "新掌握的专长（同样的问题，解决的比例高于别人）：{value:.0f} 个。",
    "consultations": "为同事的会话提供咨询：{value:.0f} 例。",
}
_WITHHELD_EN = {
    "fewer_than_twenty_cases": "Not shown: fewer than 20 cases in this span.",
    "fewer_than_twenty_ratings": "Not shown: fewer than 20 ratings in this span.",
    "not_told": "Not known: nothing was told that this could be taken from.",
}
_WITHHELD_ZH = {
    "fewer_than_twenty_cases": "不显示：这段时间内不足 20 例。",
    "fewer_than_twenty_ratings": "不显示：这段时间内不足 20 次评分。",
    "not_told": "未知：没有可用于计算的记录。",
}


def _english(part: Shown) -> str:
    return _filled(part, _EN, _WITHHELD_EN)


def _chinese(part: Shown) -> str:
    return _filled(part, _ZH, _WITHHELD_ZH)


def _filled(part: Shown, templates: Mapping[str, str], withheld: Mapping[str, str]) -> str:
    if part.reason is not None:
        return withheld[part.reason]
    return templates[part.name].format(
        value=part.value, low=part.low, high=part.high, n=part.n, shop=part.shop
    )


UNUSED: Mapping[str, Mapping[str, str]] = {
    "presence_not_told": {
        "zh": "未知：这段时间没有此人上下线的事件（agent_state）。",
        "en": "Not known: no event of this span told when this person was there (agent_state).",
    },
    "not_present": {
        "zh": "这段时间内此人没有在线。",
        "en": "This person was not online in this span.",
    },
}
"""Why nobody can say how much of somebody's time their cases took."""
WORDS: Mapping[str, Callable[[Shown], str]] = {"zh": _chinese, "en": _english}
"""How a part reads, by language."""
