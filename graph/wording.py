"""The reasons for an agent, in the reader's language."""

from __future__ import annotations

from typing import Protocol

from graph.labels import label_in
from graph.models import Agent
from graph.profiles import SHOWN_FROM, SkillEstimate
from graph.service_level import used_words


class Words(Protocol):
    """One language of reasons; each method gives one short clause. `field` is an expertise's name."""

    def skill(self, field: str | None, skilled: bool, estimate: SkillEstimate | None) -> str: ...
    def sticky(self, days: int) -> str: ...
    def load(self, agent: Agent) -> str: ...
    def language(self, code: str) -> str: ...
    def foreign(self, code: str, now: bool) -> str: ...
    def fairness(self, ratio: float) -> str: ...
    def sla(self, consumed: float) -> str: ...
    def line(self, own: int, asked: int) -> str: ...
    def any_line(self) -> str: ...
    def before_line(self) -> str: ...
    def overflow(self, circle: int) -> str: ...
    def exploration(self) -> str: ...
    def limit(self) -> str: ...
    def advice(self, expert: SkillEstimate, owner: SkillEstimate) -> str: ...


def words(language: str) -> Words:
    """Chinese for any "zh", English for all else."""
    return _Chinese() if language.casefold().startswith("zh") else _English()


class _English:
    def skill(self, field: str | None, skilled: bool, estimate: SkillEstimate | None) -> str:
        known = ""
        if field is not None:
            known = f"{'skilled' if skilled else 'not skilled'} in {label_in(field, 'en')}; "
        if estimate is None or not estimate.shown():
            return f"{known}fewer than {SHOWN_FROM:.0f} such cases so far"
        figures = f"95% interval {_interval(estimate)}, {estimate.cases} cases"
        if estimate.seconds is not None:
            amount, long = _duration(estimate.seconds)
            figures += f", usually {amount} {'min' if long else 's'}"
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

    def foreign(self, code: str, now: bool) -> str:
        name = _LANGUAGES.get(_base(code), (code, code))[0]
        until = "the time for a first reply is used up" if now else "takes it once the first reply is due"
        return f"nobody speaks {name}; {until}"

    def fairness(self, ratio: float) -> str:
        if ratio >= _EVEN[1]:
            return f"was given {ratio:.1f}× the average number of cases in the last week"
        if ratio < _EVEN[0]:
            return "was given fewer cases than others in the last week"
        return "was given about as many cases as others in the last week"

    def sla(self, consumed: float) -> str:
        return used_words(consumed, chinese=False)

    def line(self, own: int, asked: int) -> str:
        stands, wanted = _LINES[own][0], _LINES[asked][0]
        if own == asked:
            return f"{stands}, as the case asks"
        return f"{stands}; the case asks for {wanted}"

    def any_line(self) -> str:
        return "is a supervisor, who stands in for every line"

    def before_line(self) -> str:
        return "stands in for a line that cannot take it in time"

    def overflow(self, circle: int) -> str:
        return {
            1: "does not cover every part of this case",
            2: "comes from a neighbouring field",
            3: "comes from the flex pool",
            4: "is a supervisor",
        }.get(circle, "is outside the field; nobody nearer can take it")

    def exploration(self) -> str:
        return "a trial, to learn what each can do"

    def limit(self) -> str:
        return "held between 0 and 1"

    def advice(self, expert: SkillEstimate, owner: SkillEstimate) -> str:
        if not (expert.shown() and owner.shown()):
            return "worth asking: very likely resolves more of such cases than the owner"
        return f"worth asking: resolves {expert.rate:.0%} of such cases, the owner {owner.rate:.0%}"


class _Chinese:
    def skill(self, field: str | None, skilled: bool, estimate: SkillEstimate | None) -> str:
        known = ""
        if field is not None:
            known = f"{'擅长' if skilled else '不专于'}“{label_in(field, 'zh')}”；"
        if estimate is None or not estimate.shown():
            return f"{known}同类问题处理不足 {SHOWN_FROM:.0f} 例"
        figures = f"95% 区间 {_interval(estimate)}，共 {estimate.cases} 例"
        if estimate.seconds is not None:
            amount, long = _duration(estimate.seconds)
            figures += f"，通常 {amount} {'分钟' if long else '秒'}"
        return f"{known}同类问题解决率 {estimate.rate:.0%}（{figures}）"

    def sticky(self, days: int) -> str:
        return f"{f'{days} 天前' if days else '一天之内'}接待过这位顾客"

    def load(self, agent: Agent) -> str:
        state = f"手上 {agent.load} 件，上限 {agent.capacity} 件"
        if not agent.online:
            return f"不在线；{state}"
        return state if agent.load < agent.capacity else f"已满；{state}"

    def language(self, code: str) -> str:
        return f"会{_LANGUAGES.get(_base(code), (code, ' ' + code))[1]}"

    def foreign(self, code: str, now: bool) -> str:
        name = _LANGUAGES.get(_base(code), (code, f" {code}"))[1]
        return f"没有人会{name}；{'首次响应时限已用完' if now else '首次响应时限用完后可由此人接手'}"

    def fairness(self, ratio: float) -> str:
        if ratio >= _EVEN[1]:
            return f"近一周接案量为平均的 {ratio:.1f} 倍"
        return "近一周接案较少" if ratio < _EVEN[0] else "近一周接案量与平均相当"

    def sla(self, consumed: float) -> str:
        return used_words(consumed, chinese=True)

    def line(self, own: int, asked: int) -> str:
        stands, wanted = _LINES[own][1], _LINES[asked][1]
        if own == asked:
            return f"{stands}，正合本案所需"
        return f"{stands}；本案需要{wanted}"

    def any_line(self) -> str:
        return "主管，可代任何一级接手"

    def before_line(self) -> str:
        return "后一级的人不能及时接手，由此人代接"

    def overflow(self, circle: int) -> str:
        return {1: "不能兼顾本案的全部问题", 2: "来自相近专长", 3: "来自机动组", 4: "主管"}.get(
            circle, "非本专长；更合适的人都不在"
        )

    def exploration(self) -> str:
        return "少量试派，用于了解各人所长"

    def limit(self) -> str:
        return "得分限于 0 到 1"

    def advice(self, expert: SkillEstimate, owner: SkillEstimate) -> str:
        if not (expert.shown() and owner.shown()):
            return "值得请教：解决同类问题很可能比负责人更好"
        return f"值得请教：同类问题解决率 {expert.rate:.0%}，负责人为 {owner.rate:.0%}"


_LINES = {1: ("first answers", "一线接待"), 2: ("experts", "专家"), 3: ("product team", "产品团队")}
"""The lines of support as they are called."""
_EVEN = (0.95, 1.05)
"""Shares of the average between which somebody was given about as many cases as the others."""
_LONG = 600
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
    low, high = estimate.told()
    return f"{100 * low:.0f}–{100 * high:.0f}%"


def _duration(seconds: float) -> tuple[int, bool]:
    """Whole seconds, or from ten minutes on whole minutes; whether they are minutes."""
    return (round(seconds / 60), True) if seconds >= _LONG else (round(seconds), False)
