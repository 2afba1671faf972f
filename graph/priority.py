"""How soon a case should be looked at: a sum of named points, each with what was seen.

The score is the plain sum of weight times share over the factors. A sigmoid of the same sum would order cases no
differently, and its points would no longer add up: 12 points for a second contact would be worth 12 in one case and 2
in the next. What the sigmoid is for, a scale that ends at 100, is done by one more contribution, `limit`, which takes
away what is beyond it, so that the points shown always come to the score. The order of cases knows no limit: it goes
by `Priority.total`. The same way a matter of safety is urgent whatever its words: `safety` gives what the matter itself
lacks of that band, and who the customer is and how long they wait come on top of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypedDict, Unpack

from graph.customer_value import ValueScales, named_in, tier_words
from graph.errors import InvalidValue
from graph.models import Band, Contribution, Customer, Priority, ProblemState, Understanding
from graph.rules import Rules
from graph.service_level import used_words

DEFAULT_WEIGHTS: Mapping[str, float] = {
    "urgency": 36.0,
    "emotion": 30.0,
    "sensitive": 30.0,
    "service_level": 30.0,
    "repeat_contact": 12.0,
    "problem_state": 12.0,
    "customer_value": 15.0,
    "waiting": 60.0,
}
"""The points that each factor gives in full measure: `service_level` to a customer of the highest tier whose first
reply is due now, `waiting` after a day, and more afterwards."""

VALUE_CAP = 15.0
"""Customer value never gives more, whatever rules say or escalations teach, so that it cannot starve others."""
LIMIT = 100.0
URGENT = 80.0
"""Points from which a case is urgent."""
SAFETY = "safety"
"""The flow whose cases are urgent, and the contribution that makes them so."""
LANGUAGES = ("zh", "en")
MOST_OVERDUE = 1.5
"""A service level that is more than so many times used up presses no harder; waiting does, without end."""

_STATES = {
    "regressed": 1.0,
    "open": 0.6,
    "acknowledged": 0.4,
    "candidate": 0.2,
    "silenced": 0.1,
    "resolved": 0.1,
}
_EVERGREEN = 0.1
"""What is asked all the time is no incident, however many ask it."""
_THE_MATTER = frozenset({"urgency", "emotion", "sensitive", "repeat_contact", "problem_state"})
"""The factors that tell of the matter itself, not of who asks and for how long."""
_MOODS = {"angry": 1.0, "upset": 0.55, "neutral": 0.0, "pleased": 0.0}
_HAN = re.compile("[\u3400-\u9fff]")


class Circumstances(TypedDict, total=False):
    """What is known of a case beside its words.

    `repeat_contacts` counts earlier contacts about the same matter in the last week (see `graph.contacts`), `waited`
    is the time since the customer's first unanswered message, `consumed` the used-up share of the service level's
    time (1: due now), `sensitive_flow` the flow that the message fell into, `sensitive_intent` the name of a likely
    intent that the shop marked so, perhaps in several languages ("注销 / Deletion"). `bursting` says that a burst of
    the case's problem is going on, `evergreen` that it has been asked for long by many. `scales` are the shop's own for
    a customer's value.
    """

    problem_state: ProblemState | None
    bursting: bool
    evergreen: bool
    repeat_contacts: int
    waited: timedelta
    consumed: float | None
    sensitive_flow: str | None
    sensitive_intent: str | None
    scales: ValueScales


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a factor a case has, 0 to 1 (waiting: days), and what was seen of it."""

    factor: str
    share: float
    evidence: str


def prioritise(
    understanding: Understanding,
    customer: Customer | None,
    *,
    rules: Rules | None = None,
    language: str = "en",
    **known: Unpack[Circumstances],
) -> Priority:
    """Score a case 0 to 100; contributions add up to the score before rounding, largest first.

    Evidence is told in `language` ("zh" or "en"), and kept in both. Raises InvalidValue for an unknown or negative
    weight in `rules.priority_weights`.
    """
    chosen = rules or Rules()
    weights = weights_of(chosen)
    seen = {
        name: shares(understanding, customer, tiers=chosen.tier_values, language=name, **known)
        for name in LANGUAGES
    }
    contributions = [
        _contribution(zh.factor, points, {"zh": zh.evidence, "en": en.evidence}, language)
        for zh, en in zip(*seen.values(), strict=True)
        if (points := round(weights[zh.factor] * zh.share, 1)) > 0
    ]
    if known.get("sensitive_flow") == SAFETY:
        contributions += _safety(contributions, language)
    contributions.sort(key=lambda contribution: -contribution.points)
    total = round(sum(contribution.points for contribution in contributions), 1)
    if total > LIMIT:
        contributions.append(_limit(total, language))
    score = round(sum(contribution.points for contribution in contributions))
    return Priority(score, band(score), tuple(contributions), total)


def shares(
    understanding: Understanding,
    customer: Customer | None,
    *,
    tiers: Mapping[str, float],
    language: str = "en",
    **known: Unpack[Circumstances],
) -> tuple[Share, ...]:
    """Every factor's share, before any weight: what weights are learned on. `tiers` are the rules' `tier_values`."""
    chinese = language == "zh"
    scales = known.get("scales") or ValueScales()
    return (
        Share("urgency", understanding.urgency, _urgency_words(understanding.urgency, chinese)),
        Share("emotion", *_emotion(understanding, chinese)),
        Share("sensitive", *_sensitive(known.get("sensitive_flow"), known.get("sensitive_intent"), chinese)),
        Share("service_level", *_service_level(customer, tiers, known.get("consumed"), chinese)),
        Share("repeat_contact", *_repeat(known.get("repeat_contacts", 0), chinese)),
        Share("problem_state", *_state(known, chinese)),
        Share("customer_value", *_value(customer, scales, chinese)),
        Share("waiting", *_waiting(known.get("waited", timedelta(0)), chinese)),
    )


def weighed(seen: Sequence[Share], weights: Mapping[str, float]) -> float:
    """The points of a case under some weights, unrounded and without the limit."""
    return math.fsum(weights[item.factor] * item.share for item in seen)


def band(score: float) -> Band:
    """The band of a score: low below 35, normal below 60, high below 80, else urgent."""
    if score < 35:
        return "low"
    if score < 60:
        return "normal"
    return "high" if score < URGENT else "urgent"


def check_weights(rules: Rules) -> None:
    """Raises InvalidValue when `rules.priority_weights` names an unknown factor or an impossible weight, the value of
    a customer above VALUE_CAP among them: for rules that somebody sets. Those that stand are capped."""
    weights_of(rules)
    if rules.priority_weights.get("customer_value", 0.0) > VALUE_CAP:
        raise InvalidValue("priority_weights.customer_value", f"must be at most {VALUE_CAP:g}")


def weights_of(rules: Rules) -> dict[str, float]:
    """The points in force of every factor: the shop's where it set some, the value of a customer capped."""
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


def whole_points(priority: Priority) -> tuple[int, ...]:
    """The points of each contribution as people read them: whole, and together the score. What is lost by rounding
    down goes to those that lost most."""
    given = [item.points for item in priority.contributions if item.points >= 0]
    whole = [math.floor(points) for points in given]
    limited = len(given) < len(priority.contributions)
    come_to = round(priority.total) if limited else priority.score
    lost = sorted(range(len(given)), key=lambda place: whole[place] - given[place])
    for place in lost[: come_to - sum(whole)]:
        whole[place] += 1
    return (*whole, priority.score - come_to) if limited else tuple(whole)


def _contribution(factor: str, points: float, evidences: Mapping[str, str], language: str) -> Contribution:
    return Contribution(factor, points, evidences["zh" if language == "zh" else "en"], evidences)


def _safety(given: Sequence[Contribution], language: str) -> tuple[Contribution, ...]:
    """What the matter itself lacks of being urgent, if anything."""
    lacking = round(URGENT - sum(item.points for item in given if item.factor in _THE_MATTER), 1)
    if lacking <= 0:
        return ()
    words = {"zh": "安全事项一律按紧急处理", "en": "a matter of safety is always urgent"}
    return (_contribution(SAFETY, lacking, words, language),)


def _limit(total: float, language: str) -> Contribution:
    words = {
        "zh": f"以上合计 {round(total):,} 分，满分为 100 分",
        "en": f"the points above come to {round(total):,}; 100 is the most a case can have",
    }
    return _contribution("limit", round(LIMIT - total, 1), words, language)


def _urgency_words(urgency: float, chinese: bool) -> str:
    level = 2 if urgency >= 0.6 else 1 if urgency >= 0.3 else 0
    if chinese:
        return ("措辞不急", "措辞较急", "措辞紧急")[level]
    return ("no hurry in the words", "pressing words", "urgent words")[level]


def _emotion(understanding: Understanding, chinese: bool) -> tuple[float, str]:
    felt = understanding.emotion
    share = _MOODS[felt.label] * felt.score
    names = {"angry": "愤怒", "upset": "不满", "neutral": "平静", "pleased": "满意"}
    return share, f"顾客{names[felt.label]}" if chinese else f"the customer is {felt.label}"


def _service_level(
    customer: Customer | None, tiers: Mapping[str, float], consumed: float | None, chinese: bool
) -> tuple[float, str]:
    """The tier that was promised more, and the promised time that is used up: half each, the second squared."""
    tier = (customer.tier or "").strip() if customer else ""
    value = named_in(tier, tiers)
    used = max(consumed or 0.0, 0.0)
    words = [tier_words(tier, "zh" if chinese else "en")] if value else []
    if used:
        words.append(used_words(used, chinese=chinese))
    return 0.5 * value + 0.5 * min(used, MOST_OVERDUE) ** 2, ("，" if chinese else ", ").join(words)


_FLOWS: Mapping[str, tuple[str, str]] = {
    "safety": ("安全", "safety"),
    "legal": ("法律", "legal steps"),
    "regulator": ("监管或媒体", "a regulator or the press"),
    "payment": ("支付争议", "a payment dispute"),
    "privacy": ("个人信息", "personal data"),
    "refund": ("大额退款", "a large refund"),
}


def _sensitive(flow: str | None, intent: str | None, chinese: bool) -> tuple[float, str]:
    """A flow is told in the reader's words; one that is the shop's own, and an intent, as the shop calls it."""
    if flow is not None:
        zh, en = _FLOWS.get(flow, (f"“{flow}”", f"“{flow}”"))
        return 1.0, f"涉及{zh}" if chinese else f"touches {en}"
    if intent is not None:
        name = _named(intent, chinese)
        return 1.0, f"敏感事项：{name}" if chinese else f"a sensitive matter: {name}"
    return 0.0, ""


def _named(label: str, chinese: bool) -> str:
    """The part of a name in several languages that the reader reads, or all of it."""
    parts = [part.strip() for part in re.split(r"\s[/|]\s", label)]
    return next((part for part in parts if bool(_HAN.search(part)) == chinese), label)


def _repeat(contacts: int, chinese: bool) -> tuple[float, str]:
    if contacts <= 0:
        return 0.0, ""
    share = 1 - 0.5**contacts
    if chinese:
        return share, f"7 天内已就此事联系过 {contacts} 次"
    return share, f"{contacts} earlier contact{'s' if contacts > 1 else ''} about this within 7 days"


_PROBLEMS: Mapping[ProblemState, tuple[str, str]] = {
    "candidate": ("疑似共性问题", "may belong to a problem that others have too"),
    "open": ("正在发生的共性问题", "belongs to a problem that is open"),
    "acknowledged": ("已确认的共性问题", "belongs to a problem that is being worked on"),
    "resolved": ("已解决的问题", "belongs to a problem that was resolved"),
    "regressed": ("问题复发", "belongs to a problem that came back"),
    "silenced": ("已静默的问题", "belongs to a problem that was silenced"),
}


def _state(known: Circumstances, chinese: bool) -> tuple[float, str]:
    state = known.get("problem_state")
    if state is None:
        return 0.0, ""
    if known.get("bursting", False):
        return 1.0, "所属问题正在激增" if chinese else "belongs to a problem that is surging"
    if known.get("evergreen", False) and state in ("candidate", "open"):
        return _EVERGREEN, "一直有人问的常见问题" if chinese else "belongs to what customers ask all the time"
    return _STATES[state], _PROBLEMS[state][0 if chinese else 1]


def _value(customer: Customer | None, scales: ValueScales, chinese: bool) -> tuple[float, str]:
    """Recency, frequency and money by the shop's own scales (see `graph.customer_value`)."""
    if customer is None:
        return 0.0, ""
    orders, spend = customer.orders or 0, customer.spend or 0.0
    words = []
    if orders > 0:
        words.append(f"{orders} 单" if chinese else f"{orders} order{'s' if orders > 1 else ''}")
    if spend > 0:
        words.append(f"消费 {spend:,.0f}" if chinese else f"spent {spend:,.0f}")
    if customer.recency_days is not None:
        words.append(_last_order(customer.recency_days, chinese))
    return scales.share(customer), ("，" if chinese else ", ").join(words)


def _last_order(days: float, chinese: bool) -> str:
    whole = int(max(days, 0.0))
    if whole == 0:
        return "今天下过单" if chinese else "last order today"
    if chinese:
        return f"{whole} 天前下单"
    return f"last order {whole} day{'s' if whole > 1 else ''} ago"


def _waiting(waited: timedelta, chinese: bool) -> tuple[float, str]:
    """Told to the minute below 100 minutes, to the hour below two days, else to the day: as queues tell it."""
    seconds = max(waited.total_seconds(), 0.0)
    minutes = int(seconds // 60)
    if minutes < 100:
        count, zh, en = minutes, "分钟", "minute"
    elif minutes < 48 * 60:
        count, zh, en = minutes // 60, "小时", "hour"
    else:
        count, zh, en = minutes // (24 * 60), "天", "day"
    words = f"已等待 {count:,} {zh}" if chinese else f"waiting {count:,} {en}{'' if count == 1 else 's'}"
    return seconds / 86_400, words
