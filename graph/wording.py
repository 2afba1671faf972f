"""The reasons for an agent, in the reader's language."""

from __future__ import annotations

from typing import Protocol

from graph.models import Agent
from graph.profiles import SHOWN_FROM, SkillEstimate


class Words(Protocol):
    """One language of reasons; each method gives one short clause. `field` is an expertise's name."""

    def skill(self, field: str | None, skilled: bool, estimate: SkillEstimate | None) -> str: ...
    def sticky(self, days: int) -> str: ...
    def load(self, agent: Agent) -> str: ...
    def language(self, code: str) -> str: ...
    def fairness(self, ratio: float) -> str: ...
    def sla(self, consumed: float) -> str: ...
    def overflow(self, circle: int) -> str: ...
    def exploration(self) -> str: ...
    def advice(self, rate: float, owners: float) -> str: ...


def words(language: str) -> Words:
    """Chinese for any "zh", English for all else."""
    return _Chinese() if language.casefold().startswith("zh") else _English()


class _English:
    def skill(self, field: str | None, skilled: bool, estimate: SkillEstimate | None) -> str:
        known = "" if field is None else f"skilled in {field}; " if skilled else f"not skilled in {field}; "
        if estimate is None or not estimate.shown():
            return f"{known}fewer than {SHOWN_FROM:.0f} such cases so far"
        figures = f"95% interval {_interval(estimate)}, {estimate.n:.0f} cases"
        return f"{known}resolves {estimate.rate:.0%} of such cases ({figures})"

    def sticky(self, days: int) -> str:
        ago = {0: "within the last day", 1: "a day ago"}.get(days, f"{days} days ago")
        return f"answered this customer {ago}"

    def load(self, agent: Agent) -> str:
        state = f"{agent.load} of {agent.capacity} cases"
        if not agent.online:
            return f"offline; {state}"
        return state if agent.load < agent.capacity else f"full; {state}"

    def language(self, code: str) -> str:
        return f"speaks {_LANGUAGES.get(_base(code), (code, code))[0]}"

    def fairness(self, ratio: float) -> str:
        return f"was given {ratio:.1f}× the average number of cases lately"

    def sla(self, consumed: float) -> str:
        return f"{consumed:.0%} of the time for a first reply is used"

    def overflow(self, circle: int) -> str:
        return {
            1: "does not cover every part of this case",
            2: "comes from a neighbouring field",
            3: "comes from the flex pool",
            4: "is a supervisor",
        }.get(circle, "is outside the field; nobody nearer can take it")

    def exploration(self) -> str:
        return "a trial, to learn what each can do"

    def advice(self, rate: float, owners: float) -> str:
        return f"worth asking: resolves {rate:.0%} of such cases, the owner {owners:.0%}"


class _Chinese:
    def skill(self, field: str | None, skilled: bool, estimate: SkillEstimate | None) -> str:
        known = "" if field is None else f"擅长“{field}”;" if skilled else f"不专于“{field}”;"
        if estimate is None or not estimate.shown():
            return f"{known}同类问题处理不足 {SHOWN_FROM:.0f} 例"
        figures = f"95% 区间 {_interval(estimate)},共 {estimate.n:.0f} 例"
        return f"{known}同类问题解决率 {estimate.rate:.0%}({figures})"

    def sticky(self, days: int) -> str:
        return f"{f'{days} 天前' if days else '一天之内'}接待过这位顾客"

    def load(self, agent: Agent) -> str:
        state = f"手上 {agent.load} 件,上限 {agent.capacity} 件"
        if not agent.online:
            return f"不在线;{state}"
        return state if agent.load < agent.capacity else f"已满;{state}"

    def language(self, code: str) -> str:
        return f"会{_LANGUAGES.get(_base(code), (code, ' ' + code))[1]}"

    def fairness(self, ratio: float) -> str:
        return f"近期接案量为平均的 {ratio:.1f} 倍"

    def sla(self, consumed: float) -> str:
        return f"首次响应时限已用 {consumed:.0%}"

    def overflow(self, circle: int) -> str:
        return {1: "不能兼顾本案的全部问题", 2: "来自相近领域", 3: "来自机动组", 4: "主管"}.get(
            circle, "非本领域;更合适的人都不在"
        )

    def exploration(self) -> str:
        return "少量试派,用于了解各人所长"

    def advice(self, rate: float, owners: float) -> str:
        return f"值得请教:同类问题解决率 {rate:.0%},负责人为 {owners:.0%}"


_LANGUAGES = {
    "zh": ("Chinese", "中文"),
    "en": ("English", "英语"),
    "de": ("German", "德语"),
    "fr": ("French", "法语"),
    "es": ("Spanish", "西班牙语"),
    "ja": ("Japanese", "日语"),
    "ko": ("Korean", "韩语"),
}


def _base(code: str) -> str:
    return code.replace("_", "-").partition("-")[0].casefold()


def _interval(estimate: SkillEstimate) -> str:
    return f"{100 * estimate.low:.0f}–{100 * estimate.high:.0f}%"
