"""How soon a case should be looked at: a sum of named points, each with what was seen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta

from graph.errors import InvalidValue
from graph.models import Band, Contribution, Customer, Priority, ProblemState, Rules, Understanding

DEFAULT_WEIGHTS: Mapping[str, float] = {
    "urgency": 36.0,
    "emotion": 30.0,
    "sensitive": 30.0,
    "service_level": 25.0,
    "repeat_contact": 12.0,
    "problem_state": 12.0,
    "customer_value": 15.0,
    "waiting": 60.0,
}
"""The points that each factor gives in full measure; `waiting` after a day, and more afterwards."""

VALUE_CAP = 15.0
"""Customer value never gives more, whatever a shop's rules say, so that it cannot starve others."""

_TIERS = {"platinum": 1.0, "vip": 1.0, "diamond": 1.0, "gold": 0.8, "silver": 0.55, "bronze": 0.2}
_TIERS |= {"铂金": 1.0, "钻石": 1.0, "金卡": 0.8, "黄金": 0.8, "银卡": 0.55, "白银": 0.55}
_STATES = {
    "regressed": 1.0,
    "open": 0.6,
    "acknowledged": 0.4,
    "candidate": 0.2,
    "silenced": 0.1,
    "resolved": 0.1,
}
_MOODS = {"angry": 1.0, "upset": 0.55, "neutral": 0.0, "pleased": 0.0}


def prioritise(
    understanding: Understanding,
    customer: Customer | None,
    *,
    problem_state: ProblemState | None = None,
    repeat_contacts: int = 0,
    waited: timedelta = timedelta(0),
    rules: Rules | None = None,
    consumed: float | None = None,
    sensitive_flow: str | None = None,
    language: str = "en",
) -> Priority:
    """Score a case 0 to 100; contributions add up to the score before rounding and clipping, largest first.

    `repeat_contacts` counts earlier contacts about the same matter in the last week, `waited` is the time
    since the customer's first unanswered message, `consumed` the used-up share of the service level's time
    (1: due now), `sensitive_flow` the flow that the message fell into (see `graph.handover`). Evidence is
    told in `language` ("zh" or "en"). Raises InvalidValue for an unknown or negative weight in
    `rules.priority_weights`.
    """
    weights = _weights(rules or Rules())
    chinese = language == "zh"
    shares = (
        ("urgency", understanding.urgency, _urgency_words(understanding.urgency, chinese)),
        ("emotion", *_emotion(understanding, chinese)),
        ("sensitive", *_sensitive(sensitive_flow, chinese)),
        ("service_level", *_service_level(customer, consumed, chinese)),
        ("repeat_contact", *_repeat(repeat_contacts, chinese)),
        ("problem_state", *_state(problem_state, chinese)),
        ("customer_value", *_value(customer, chinese)),
        ("waiting", *_waiting(waited, chinese)),
    )
    contributions = [
        Contribution(factor, round(weights[factor] * share, 1), words)
        for factor, share, words in shares
        if round(weights[factor] * share, 1) > 0
    ]
    contributions.sort(key=lambda contribution: -contribution.points)
    score = max(0, min(100, round(sum(contribution.points for contribution in contributions))))
    return Priority(score, band(score), tuple(contributions))


def band(score: float) -> Band:
    """The band of a score: low below 35, normal below 60, high below 80, else urgent."""
    if score < 35:
        return "low"
    if score < 60:
        return "normal"
    return "high" if score < 80 else "urgent"


def check_weights(rules: Rules) -> None:
    """Raises InvalidValue when `rules.priority_weights` names an unknown factor or an impossible weight."""
    _weights(rules)


def _weights(rules: Rules) -> dict[str, float]:
    weights = dict(DEFAULT_WEIGHTS)
    for factor, weight in rules.priority_weights.items():
        if factor not in weights:
            known = ", ".join(weights)
            raise InvalidValue(f"priority_weights.{factor}", f"no such factor; the factors are {known}")
        if not (math.isfinite(weight) and weight >= 0):
            raise InvalidValue(f"priority_weights.{factor}", f"must be 0 or more points, not {weight}")
        weights[factor] = float(weight)
    weights["customer_value"] = min(weights["customer_value"], VALUE_CAP)
    return weights


def _urgency_words(urgency: float, chinese: bool) -> str:
    level = 2 if urgency >= 0.6 else 1 if urgency >= 0.3 else 0
    words = (
        ("措辞不急", "措辞较急", "措辞紧急")
        if chinese
        else ("no hurry in the words", "pressing words", "urgent words")
    )
    return f"{words[level]}（{urgency:.2f}）" if chinese else f"{words[level]} ({urgency:.2f})"


def _emotion(understanding: Understanding, chinese: bool) -> tuple[float, str]:
    felt = understanding.emotion
    share = _MOODS[felt.label] * felt.score
    if not chinese:
        return share, f"{felt.label} ({felt.score:.2f})"
    names = {"angry": "愤怒", "upset": "不满", "neutral": "平静", "pleased": "满意"}
    return share, f"{names[felt.label]}（{felt.score:.2f}）"


def _service_level(customer: Customer | None, consumed: float | None, chinese: bool) -> tuple[float, str]:
    """The tier that was promised more, and how much of the promised time is used; together at most 1.95."""
    tier = (customer.tier or "").strip() if customer else ""
    known = next((value for name, value in _TIERS.items() if name in tier.casefold()), 0.0)
    used = min(max(consumed or 0.0, 0.0), 1.5)
    words = [f"{tier} 会员" if chinese else f"{tier} tier"] if known else []
    if used:
        words.append(f"已用去服务时限的 {used:.0%}" if chinese else f"{used:.0%} of the promised time used")
    return 0.6 * known + 0.6 * used**2, ("，" if chinese else ", ").join(words)


def _sensitive(flow: str | None, chinese: bool) -> tuple[float, str]:
    if flow is None:
        return 0.0, ""
    names = {
        "safety": "安全",
        "legal": "法律",
        "regulator": "监管或媒体",
        "payment": "支付争议",
        "privacy": "个人信息",
    }
    return 1.0, f"涉及{names.get(flow, flow)}" if chinese else f"touches {flow}"


def _repeat(contacts: int, chinese: bool) -> tuple[float, str]:
    if contacts <= 0:
        return 0.0, ""
    share = 1 - 0.5**contacts
    if chinese:
        return share, f"近期已就此联系过 {contacts} 次"
    return share, f"{contacts} earlier contact{'s' if contacts > 1 else ''} about this"


def _state(state: ProblemState | None, chinese: bool) -> tuple[float, str]:
    if state is None:
        return 0.0, ""
    names = {
        "candidate": "疑似共性问题",
        "open": "正在发生的共性问题",
        "acknowledged": "已确认的共性问题",
        "resolved": "已解决的问题",
        "regressed": "问题复发",
        "silenced": "已静默的问题",
    }
    return _STATES[state], names[state] if chinese else f"belongs to a problem that is {state}"


def _value(customer: Customer | None, chinese: bool) -> tuple[float, str]:
    """Recency, frequency and money, a third each, saturating."""
    if customer is None:
        return 0.0, ""
    recency, orders, spend = customer.recency_days, customer.orders or 0, customer.spend or 0.0
    lately = math.exp(-max(recency, 0.0) / 90) if recency is not None else 0.0
    often = 1 - math.exp(-max(orders, 0) / 4)
    much = 1 - math.exp(-max(spend, 0.0) / 3000)
    words = []
    if orders > 0:
        words.append(f"{orders} 单" if chinese else f"{orders} order{'s' if orders > 1 else ''}")
    if spend > 0:
        words.append(f"消费 {spend:,.0f}" if chinese else f"spent {spend:,.0f}")
    if recency is not None:
        words.append(f"{recency:.0f} 天前下单" if chinese else f"last order {recency:.0f} days ago")
    return (lately + often + much) / 3, ("，" if chinese else ", ").join(words)


def _waiting(waited: timedelta, chinese: bool) -> tuple[float, str]:
    hours = max(waited.total_seconds(), 0.0) / 3600
    span = f"{hours:.1f} 小时" if chinese else f"{hours:.1f} h"
    return hours / 24, f"已等待 {span}" if chinese else f"waiting for {span}"
