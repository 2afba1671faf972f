"""What is said of a decision about a case, in both languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from graph.labels import label_in
from graph.profiles import SHOWN_FROM
from kb_service.messages import Language
from kb_service.store import Decision

Named: TypeAlias = Callable[[str | None], str]
"""An agent's name by their id."""


class DecisionWords(Protocol):
    """One language of explanations; each method gives a sentence, or a clause of one. `item` and `chosen` are
    candidates as they lie in a decision's features."""

    def outcome(self, decision: Decision, name: Named) -> str: ...
    def because(self, name: str, texts: Sequence[str]) -> str: ...
    def in_field(self, name: str, figures: Mapping[str, Any]) -> str: ...
    def priority(self, priority: Mapping[str, Any]) -> str: ...
    def not_chosen(self, name: str, why: Sequence[str]) -> str: ...
    def offline(self) -> str: ...
    def full(self, load: int, capacity: int) -> str: ...
    def worse(self, code: str, item: Mapping[str, Any], chosen: Mapping[str, Any]) -> str: ...
    def taken(self) -> str: ...
    def together(self) -> str: ...
    def equal(self) -> str: ...
    def avoided(self, name: str) -> str: ...
    def permissions(self, words: Sequence[str]) -> str: ...
    def line(self, asked: str, cause: str) -> str: ...
    def out_of_turn(self, ahead: int) -> str: ...


def words_in(language: Language) -> DecisionWords:
    return _Chinese() if language == "zh" else _English()


def _shown(item: Mapping[str, Any]) -> float | None:
    """The rate of a candidate, where there are enough cases to show it."""
    estimate = item.get("estimate")
    return float(estimate["rate"]) if estimate is not None and round(estimate["n"]) >= SHOWN_FROM else None


def _fewer(item: Mapping[str, Any], chosen: Mapping[str, Any]) -> tuple[float, float] | None:
    """The rates of both, where they can be told and, as they are told, differ the right way."""
    theirs, mine = _shown(item), _shown(chosen)
    return (theirs, mine) if theirs is not None and mine is not None and mine - theirs >= 0.01 else None


def _overworked(item: Mapping[str, Any]) -> bool:
    """Whether somebody was given more than their share themselves, rather than the one chosen less."""
    return float(item["terms"].get("fairness", 0.0)) < 0


class _English:
    _triggers: Mapping[str, str] = {
        "explicit": ", as the customer asked for a person",
        "emotion": ", since the customer is angry",
        "sensitive": ", since the matter is sensitive",
        "complexity": ", since the matter is complex",
        "repeated_failure": ", since the second answer failed",
        "out_of_scope": ", since the matter is none of the shop's",
        "no_answer": ", since nothing answers it",
        "conflict": ", since what is known contradicts itself",
    }
    _lines: Mapping[str, str] = {
        "sensitive": ", since the matter is sensitive",
        "complexity": ", since the matter is complex",
        "conflict": ", since what is known contradicts itself",
        "passed_on": ", since who had it passed it on",
        "not_held": ", since earlier answers did not last",
    }

    def outcome(self, decision: Decision, name: Named) -> str:
        given = name(decision.agent_id)
        before = name(decision.previous_agent_id)
        if decision.kind == "reassignment" and decision.agent_id is None:
            left = "left" if decision.reason == "offline" else "did not answer in time"
            return f"Taken from {before}, who {left}; the case waits again."
        if decision.kind == "handover":
            return f"Handed over to people{self._triggers.get(decision.reason, '')}: it waits for an agent."
        if decision.kind == "consultation":
            return f"{given} was asked for advice; the case stays with its owner."
        if decision.kind == "manual":
            return f"Given to {given} by hand."
        if decision.agent_id is None:
            return {
                "nobody_free": "It waits: nobody who may take it is free.",
                "better_soon": "It waits a little: those who resolve such cases much better are busy for the moment.",
                "no_eligible_agent": "It waits: nobody speaks its language and has the permissions.",
            }.get(decision.reason, f"It waits: {decision.reason}.")
        after = f" after {before}" if decision.previous_agent_id not in (None, decision.agent_id) else ""
        return f"Given to {given}{after}."

    def because(self, name: str, texts: Sequence[str]) -> str:
        return f"{name}: {'; '.join(texts)}."

    def in_field(self, name: str, figures: Mapping[str, Any]) -> str:
        interval = f"95% interval {100 * figures['low']:.0f}–{100 * figures['high']:.0f}%"
        return (
            f"{name} resolves {figures['rate']:.0%} of all cases of {label_in(figures['of'], 'en')} "
            f"({interval}, {figures['n']:.0f} cases)."
        )

    def priority(self, priority: Mapping[str, Any]) -> str:
        parts = ", ".join(
            f"{item['factor'].replace('_', ' ')} {item['points']:+g} ({item['evidence']})"
            for item in priority["contributions"][:4]
        )
        return f"Priority {priority['score']} ({priority['band']}){': ' + parts if parts else ''}."

    def not_chosen(self, name: str, why: Sequence[str]) -> str:
        return f"Not {name}: {', '.join(why)}."

    def offline(self) -> str:
        return "offline"

    def full(self, load: int, capacity: int) -> str:
        return f"full ({load} of {capacity} cases)"

    def worse(self, code: str, item: Mapping[str, Any], chosen: Mapping[str, Any]) -> str:
        if code == "skill":
            if (rates := _fewer(item, chosen)) is not None:
                return f"resolves fewer such cases ({rates[0]:.0%} against {rates[1]:.0%})"
            return "less sure to resolve it"
        if code == "load":
            return f"has more cases at hand ({item['load']} against {chosen['load']})"
        if code == "fairness":
            return (
                "was given more cases lately"
                if _overworked(item)
                else "the one chosen was given fewer cases lately"
            )
        return {
            "sticky": "did not answer this customer last",
            "exploration": "the one chosen was tried out on this case",
        }.get(code, f"less by {code}")

    def taken(self) -> str:
        return "would have been better here, but was needed more for another case at the same moment"

    def together(self) -> str:
        return "would have been better here, but this way all cases of the moment are served better together"

    def equal(self) -> str:
        return "no better in any respect"

    def avoided(self, name: str) -> str:
        return f"{name} had it before, and gets it again only if nobody else can."

    def permissions(self, words: Sequence[str]) -> str:
        return f"It takes the permission {', '.join(words)}."

    def line(self, asked: str, cause: str) -> str:
        wanted = {"experts": "experts", "product_team": "the product team"}[asked]
        return f"It asks for {wanted}{self._lines.get(cause, '')}."

    def out_of_turn(self, ahead: int) -> str:
        return f"Out of turn: {ahead} waiting cases came first."


class _Chinese:
    _triggers: Mapping[str, str] = {
        "explicit": "（顾客要求人工）",
        "emotion": "（顾客情绪激动）",
        "sensitive": "（事项敏感）",
        "complexity": "（问题复杂）",
        "repeated_failure": "（两次答复未解决）",
        "out_of_scope": "（超出业务范围）",
        "no_answer": "（没有可用的答案）",
        "conflict": "（现有规定相互矛盾）",
    }
    _lines: Mapping[str, str] = {
        "sensitive": "（事项敏感）",
        "complexity": "（问题复杂）",
        "conflict": "（现有规定相互矛盾）",
        "passed_on": "（原负责人转出）",
        "not_held": "（此前的处理未能解决）",
    }
    _factors: Mapping[str, str] = {
        "urgency": "紧急程度",
        "emotion": "情绪",
        "sensitive": "敏感事项",
        "service_level": "服务级别",
        "repeat_contact": "重复来访",
        "problem_state": "问题状态",
        "customer_value": "客户价值",
        "waiting": "等待时间",
        "limit": "封顶",
        "safety": "安全保障",
    }
    _bands: Mapping[str, str] = {"low": "低", "normal": "普通", "high": "高", "urgent": "紧急"}

    def outcome(self, decision: Decision, name: Named) -> str:
        given = name(decision.agent_id)
        before = name(decision.previous_agent_id)
        if decision.kind == "reassignment" and decision.agent_id is None:
            left = "已离线" if decision.reason == "offline" else "未及时答复"
            return f"{before}{left}，会话重新排队。"
        if decision.kind == "handover":
            return f"已转人工{self._triggers.get(decision.reason, '')}，等待客服接手。"
        if decision.kind == "consultation":
            return f"已向 {given} 征求意见，会话仍由原负责人处理。"
        if decision.kind == "manual":
            return f"由人工指定给 {given}。"
        if decision.agent_id is None:
            return {
                "nobody_free": "继续等待：有资格接手的人都没有空。",
                "better_soon": "稍候分配：明显更擅长这类问题的人暂时没有空。",
                "no_eligible_agent": "继续等待：没有人同时具备所需的语言和权限。",
            }.get(decision.reason, f"继续等待：{decision.reason}。")
        after = (
            f"（此前由 {before} 负责）" if decision.previous_agent_id not in (None, decision.agent_id) else ""
        )
        return f"分配给 {given}{after}。"

    def because(self, name: str, texts: Sequence[str]) -> str:
        return f"{name}：{'；'.join(text.replace(';', '；') for text in texts)}。"

    def in_field(self, name: str, figures: Mapping[str, Any]) -> str:
        interval = f"95% 区间 {100 * figures['low']:.0f}–{100 * figures['high']:.0f}%"
        return (
            f"{name} 在“{label_in(figures['of'], 'zh')}”的解决率为 {figures['rate']:.0%}"
            f"（{interval}，共 {figures['n']:.0f} 例）。"
        )

    def priority(self, priority: Mapping[str, Any]) -> str:
        parts = "，".join(
            f"{self._factors.get(item['factor'], item['factor'])} {item['points']:+g}（{item['evidence']}）"
            for item in priority["contributions"][:4]
        )
        band = self._bands.get(priority["band"], priority["band"])
        return f"优先级 {priority['score']}（{band}）{'：' + parts if parts else ''}。"

    def not_chosen(self, name: str, why: Sequence[str]) -> str:
        return f"未选 {name}：{'，'.join(why)}。"

    def offline(self) -> str:
        return "不在线"

    def full(self, load: int, capacity: int) -> str:
        return f"已满（{load}/{capacity}）"

    def worse(self, code: str, item: Mapping[str, Any], chosen: Mapping[str, Any]) -> str:
        if code == "skill":
            if (rates := _fewer(item, chosen)) is not None:
                return f"同类问题解决率较低（{rates[0]:.0%}，对方 {rates[1]:.0%}）"
            return "解决的把握较小"
        if code == "load":
            return f"手上会话较多（{item['load']} 件，对方 {chosen['load']} 件）"
        if code == "fairness":
            return "近一周接案较多" if _overworked(item) else "所选的人近一周接案较少"
        return {
            "sticky": "上次接待这位顾客的不是此人",
            "exploration": "本案试派给了所选的人",
        }.get(code, f"{code} 较低")

    def taken(self) -> str:
        return "就本案而言更合适，但同一时刻另一会话更需要此人"

    def together(self) -> str:
        return "就本案而言更合适，但这样分配使同一时刻的各会话总体更好"

    def equal(self) -> str:
        return "各方面都不占优"

    def avoided(self, name: str) -> str:
        return f"{name} 此前负责，除非无人可接，不再分配给此人。"

    def permissions(self, words: Sequence[str]) -> str:
        return f"需要权限：{'、'.join(words)}。"

    def line(self, asked: str, cause: str) -> str:
        wanted = {"experts": "专家", "product_team": "产品团队"}[asked]
        return f"需要{wanted}接手{self._lines.get(cause, '')}。"

    def out_of_turn(self, ahead: int) -> str:
        return f"未按顺序：前面还有 {ahead} 个等待中的会话。"
