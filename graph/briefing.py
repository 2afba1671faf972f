"""What somebody who takes a case over should know: what the customer wants, what was tried, what is known. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from graph.customer_value import tier_words
from graph.handover import says_it_failed
from graph.labels import label_in
from graph.models import Case, Customer, Emotion, Entity, Problem, Speaker
from graph.person_requests import asks_for_person
from graph.small_talk import small_talk

Source: TypeAlias = Literal["bot", "agent", "document"]

WANTED, SHOWN_TEXT, LONGEST = 160, 120, 600
"""Most characters of what is wanted, of one thing that was tried, and of the whole summary."""
MOST_TRIED = 8
TELLING = ("product", "sku", "order", "parcel", "amount", "date", "size")
"""Entities that a person who takes over needs; telephones, addresses and the like are not repeated."""


_CALM = Emotion("neutral", 0.0)


@dataclass(frozen=True, slots=True)
class Told:
    """One turn of the conversation, personal data masked; `tells` whether it names what the matter is about."""

    by: Speaker
    text: str
    at: datetime | None = None
    tells: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was tried: a reply of the bot or of a person, or a document that was shown."""

    by: Source
    text: str
    at: datetime | None = None
    document_id: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known besides the words. `context` is the caller's, masked; `names` are what products are called, by
    SKU; `contacts` counts the customer's other cases within a week."""

    language: str
    intent: str | None = None
    entities: tuple[Entity, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    emotion: Emotion = _CALM
    customer: Customer | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    problem: Problem | None = None
    case: Case | None = None
    contacts: int = 0


@dataclass(frozen=True, slots=True)
class Taker:
    """Who should take the case: a field of expertise and the first of its agents."""

    expertise: str | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Briefing:
    """`wants` is in the customer's words; `summary` in the reader's language around them."""

    wants: str
    since: datetime | None
    tried: tuple[Attempt, ...]
    known: Known
    summary: str


def brief(
    told: Sequence[Told],
    shown: Sequence[Attempt],
    known: Known,
    *,
    cause: str,
    taker: Taker,
    language: str,
    matter: str = "",
) -> Briefing:
    """The briefing of a case. `told` are its turns, oldest first, the present message last; `shown` the documents
    that were offered before; `cause` names the trigger and `matter` what more is known of it, such as the sensitive
    flow; `language` (zh or en) is the reader's."""
    asked = [turn for turn in told if turn.by == "customer"]
    wants = wanted([turn.text for turn in asked], frozenset(turn.text for turn in asked if turn.tells))
    since = next(
        (turn.at for turn in asked if turn.at is not None), known.case.opened_at if known.case else None
    )
    replies = [
        Attempt(turn.by, shortened(turn.text, SHOWN_TEXT), turn.at) for turn in told if turn.by != "customer"
    ]
    tried = (*replies[-MOST_TRIED:], *shown[-MOST_TRIED:])
    spoken = _ZH if language == "zh" else _EN
    parts = [
        spoken.wants(wants, known.intent),
        spoken.about([_named(entity, known.names) for entity in _distinct(known.entities)]),
        spoken.since(since),
        spoken.mood(known.emotion),
        spoken.tried(
            len(replies),
            [attempt.text for attempt in shown[-3:]],
            failed=any(says_it_failed(turn.text) for turn in asked),
        ),
        spoken.customer(known.customer, known.contacts),
        spoken.problem(known.problem),
        spoken.cause(cause, matter),
        spoken.taker(taker),
    ]
    return Briefing(wants, since, tried, known, spoken.joined([part for part in parts if part]))


def wanted(said: Sequence[str], telling: frozenset[str] = frozenset()) -> str:
    """What a customer wants, in their own words: what they came with, what named the matter, what they asked last.

    Greetings, a mere request for a person and a mere "that didn't help" say nothing of the matter. `telling` are the
    messages that name it, by a product or an order: they are the last to be left out where there is too much.
    """
    tells: dict[str, bool] = {}
    for text in said:
        if part := substance(text):
            tells[part] = tells.get(part, False) or text in telling
    if not tells:
        return ""
    every = list(tells)
    named = [part for part in every if tells[part]]
    chosen = {every[0], *named[:_NAMED], *every[-2:]}
    parts = [part for part in every if part in chosen]
    while len(parts) > 1 and len(" / ".join(parts)) > WANTED:
        # The middle first, then the oldest; what names the matter after what does not.
        least = min(range(len(parts) - 1), key=lambda place: (tells[parts[place]], place == 0, -place))
        parts.pop(least)
    return shortened(" / ".join(parts), WANTED)


_NAMED = 2
"""Messages that name the matter and are quoted for that."""
_LITTLE = 36
"""Characters of a clause that may be nothing but a failure told; a longer one says more."""
_CLAUSE = re.compile(r"[^,，。.!！?？;；\n~～]+[,，。.!！?？;；\n~～]*")
_INSIDE_NUMBER = re.compile(r"(?<=\d)[.,](?=\d)")


def substance(text: str) -> str:
    """A message without its clauses that only greet, ask for a person or say that nothing helped."""
    kept = [
        clause.group()
        for clause in _CLAUSE.finditer(
            _INSIDE_NUMBER.sub(lambda match: chr(ord(match.group()) + _SHIFT), text)
        )
        if not (
            small_talk(clause.group(), "")
            or asks_for_person(clause.group(), "")
            or _only_failed(clause.group())
        )
    ]
    joined = "".join(kept).translate(_BACK)
    return " ".join(joined.strip().strip(",，;；").split())


_SHIFT = 0xE000
"""Points and commas inside numbers are set aside, so that they end no clause."""
_BACK = {ord(mark) + _SHIFT: mark for mark in ".,"}


def _only_failed(clause: str) -> bool:
    return len(clause) <= _LITTLE and says_it_failed(clause)


def shortened(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _distinct(entities: Sequence[Entity]) -> list[Entity]:
    found: dict[tuple[str, str], Entity] = {}
    for entity in entities:
        if entity.type in TELLING:
            found.setdefault((entity.type, entity.value), entity)
    return list(found.values())


def _named(entity: Entity, names: Mapping[str, str]) -> tuple[str, str]:
    name = names.get(entity.value)
    return entity.type, f"{name} ({entity.value})" if name else entity.value.replace("/", " – ")


@dataclass(frozen=True, slots=True)
class _Words:
    """The sentences of a summary in one language; `labels` are its own words, the others what the service's mean."""

    language: str
    stop: str
    colon: str
    joint: str
    types: Mapping[str, str]
    moods: Mapping[str, str]
    causes: Mapping[str, str]
    states: Mapping[str, str]
    matters: Mapping[str, str]
    """Sensitive flows, and what makes a case complex."""
    labels: Mapping[str, str]

    def joined(self, parts: Sequence[str]) -> str:
        return shortened(self.stop.join(parts), LONGEST)

    def wants(self, wants: str, intent: str | None) -> str:
        said = f"“{wants}”" if wants else self.labels["nothing"]
        meant = label_in(intent, self.language) if intent else ""
        return self._line("wants", f"{meant}{self.labels['of']}{said}" if meant else said)

    def about(self, named: Sequence[tuple[str, str]]) -> str:
        items = self.joint.join(f"{self.types.get(kind, kind)} {value}" for kind, value in named)
        return self._line("about", items) if items else ""

    def since(self, since: datetime | None) -> str:
        return self._line("since", f"{since:%Y-%m-%d %H:%M}") if since else ""

    def mood(self, felt: Emotion) -> str:
        return self._line("mood", self.moods[felt.label]) if felt.label in self.moods else ""

    def tried(self, replies: int, shown: Sequence[str], *, failed: bool) -> str:
        parts = [self.labels["replies"].format(count=replies)] if replies else []
        parts += (
            [self.labels["shown"].format(titles=self.joint.join(f"“{title}”" for title in shown))]
            if shown
            else []
        )
        parts += [self.labels["failed"]] if failed else []
        return self._line("tried", self.joint.join(parts)) if parts else ""

    def customer(self, customer: Customer | None, contacts: int) -> str:
        parts = []
        if customer is not None:
            parts += [tier_words(customer.tier, self.language)] if customer.tier else []
            parts += (
                [self.labels["orders"].format(count=customer.orders)] if customer.orders is not None else []
            )
        parts += [self.labels["contacts"].format(count=contacts)] if contacts else []
        return self._line("customer", self.joint.join(parts)) if parts else ""

    def problem(self, problem: Problem | None) -> str:
        if problem is None:
            return ""
        name = problem.names.get(self.language) or next(iter(problem.names.values()), problem.id)
        return self._line("problem", f"{name} ({self.states.get(problem.state, problem.state)})")

    def cause(self, cause: str, matter: str) -> str:
        said = self.causes.get(cause, cause)
        known = label_in(self.matters.get(matter, matter), self.language)
        return self._line("cause", self.labels["more"].format(cause=said, matter=known) if known else said)

    def taker(self, taker: Taker) -> str:
        named = [label_in(name, self.language) for name in (taker.expertise, taker.agent) if name]
        return self._line("taker", self.joint.join(named)) if named else ""

    def _line(self, label: str, said: str) -> str:
        return f"{self.labels[label]}{self.colon}{said}{self.labels['end']}"


_ZH = _Words(
    language="zh",
    stop="",
    colon="：",
    joint="、",
    types={
        "product": "商品", "sku": "商品", "order": "订单", "parcel": "包裹", "amount": "金额", "date": "日期",
        "size": "尺码",
    },
    moods={"angry": "生气", "upset": "不满", "pleased": "满意"},
    causes={
        "explicit": "顾客要求人工", "emotion": "顾客情绪激动", "sensitive": "敏感事项", "complexity": "情况复杂",
        "repeated_failure": "机器人两次没有解决", "out_of_scope": "超出知识范围", "no_answer": "没有合适的答案",
        "conflict": "有效文档互相矛盾",
    },
    states={
        "candidate": "待确认", "open": "处理中", "acknowledged": "已受理", "resolved": "已解决", "regressed": "复发",
        "silenced": "已静默",
    },
    matters={
        "safety": "人身或产品安全", "legal": "法律纠纷", "regulator": "监管投诉或媒体曝光", "payment": "支付争议或盗刷",
        "privacy": "个人信息", "refund": "大额退款", "several_matters": "一次涉及多个事项",
        "many_at_stake": "涉及多个订单或商品", "came_back": "同一问题多次来访", "transferred": "多次转手",
        "long_history": "与机器人沟通过久",
    },
    labels={
        "end": "。", "wants": "顾客诉求", "of": "，", "nothing": "未说明", "about": "涉及", "since": "始于",
        "mood": "情绪", "tried": "已尝试", "replies": "已答复 {count} 次", "shown": "已展示{titles}",
        "failed": "顾客表示没有解决", "more": "{cause}（{matter}）",
        "customer": "顾客",
        "orders": "{count} 单", "contacts": "一周内另有 {count} 次来访", "problem": "已知问题", "cause": "转接原因",
        "taker": "建议",
    },
)  # fmt: skip
_EN = _Words(
    language="en",
    stop=" ",
    colon=": ",
    joint=", ",
    types={"sku": "product"},
    moods={"angry": "angry", "upset": "upset", "pleased": "pleased"},
    causes={
        "explicit": "asked for a person", "emotion": "the customer is angry", "sensitive": "a sensitive matter",
        "complexity": "a complex matter", "repeated_failure": "the bot failed twice", "out_of_scope": "out of scope",
        "no_answer": "no good answer", "conflict": "valid documents contradict one another",
    },
    states={},
    matters={
        "safety": "safety", "legal": "a legal dispute", "regulator": "a regulator or the press",
        "payment": "a payment dispute or fraud", "privacy": "personal data", "refund": "a large refund",
        "several_matters": "several matters at once", "many_at_stake": "several orders or products",
        "came_back": "the customer came back about the same", "transferred": "passed on several times",
        "long_history": "a long talk with the bot",
    },
    labels={
        "end": ".", "wants": "Wants", "of": ", ", "nothing": "not said", "about": "About", "since": "Since",
        "mood": "Mood", "tried": "Tried", "replies": "replies given: {count}", "shown": "shown: {titles}",
        "failed": "the customer says it did not help", "more": "{cause} ({matter})",
        "customer": "Customer", "orders": "{count} orders", "contacts": "{count} other contacts this week",
        "problem": "Known problem", "cause": "Handed over", "taker": "For",
    },
)  # fmt: skip
