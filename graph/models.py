"""The values of this room: customers' cases, the problems behind them, and the people who resolve them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graph.effects import Effect, Expected

Vector: TypeAlias = NDArray[np.float32]

EventType: TypeAlias = Literal["message", "resolution", "transfer", "rating", "followup", "agent_state"]
Speaker: TypeAlias = Literal["customer", "agent", "bot"]
CaseState: TypeAlias = Literal["bot", "waiting", "assigned", "pending", "resolved", "closed"]
ProblemState: TypeAlias = Literal["candidate", "open", "acknowledged", "resolved", "regressed", "silenced"]
AlertKind: TypeAlias = Literal["burst", "recurrence", "growth", "regression"]
AlertState: TypeAlias = Literal["open", "acknowledged", "resolved", "silenced"]
EmotionLabel: TypeAlias = Literal["angry", "upset", "neutral", "pleased"]
Band: TypeAlias = Literal["low", "normal", "high", "urgent"]
Pool: TypeAlias = Literal["core", "flex"]
ProposalKind: TypeAlias = Literal["document", "policy", "product", "routing", "training"]

RELEASED = "released:"
"""How the reason of a transfer begins by which a case was taken from an agent."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One clause or message, prepared for comparison: its words (folded, segmented) and its vector.

    `vector` is unit length and comes from the encoder `model_id`. Words carry the comparison where the
    encoder does not read the language.
    """

    text: str
    language: str
    tokens: tuple[str, ...]
    vector: Vector
    model_id: str


@dataclass(frozen=True, slots=True)
class Customer:
    """What the shop tells of a customer. `spend` is in the shop's currency, over the last year."""

    id: str
    tier: str | None = None
    orders: int | None = None
    spend: float | None = None
    recency_days: float | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One immutable, dated fact about a Case. `at` is timezone-aware event time."""

    id: str
    type: EventType
    at: datetime
    role: Speaker = "customer"
    conversation_id: str | None = None
    customer_id: str | None = None
    channel: str | None = None
    text: str | None = None
    language: str | None = None
    products: tuple[str, ...] = ()
    order_value: float | None = None
    customer: Customer | None = None
    agent_id: str | None = None
    state: Literal["online", "offline", "busy"] | None = None
    reply: str | None = None
    handling_seconds: float | None = None
    resolved: bool | None = None
    rating: float | None = None
    from_agent: str | None = None
    to_agent: str | None = None
    reason: str | None = None

    @property
    def passed_on(self) -> bool:
        """Whether the case was given to somebody. One taken from an agent who did not answer goes to nobody."""
        return self.type == "transfer" and self.to_agent is not None

    @property
    def released(self) -> bool:
        """Whether the case was taken from an agent who did not answer."""
        return self.type == "transfer" and self.to_agent is None and (self.reason or "").startswith(RELEASED)


@dataclass(frozen=True, slots=True)
class Case:
    """One customer's conversation or ticket, across channels.

    `assigned_at` is when `agent_id` was given it: by the wall clock where the service did that, by the time of
    the event where the shop told of it.
    """

    id: str
    customer_id: str | None
    conversation_ids: tuple[str, ...]
    channels: tuple[str, ...]
    state: CaseState
    opened_at: datetime
    active_at: datetime
    problem_id: str | None = None
    agent_id: str | None = None
    language: str | None = None
    resolved_at: datetime | None = None
    assigned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """What several Cases are instances of. `names` maps a language to a name that people read.

    `customers` counts distinct customers since `episode_at`, the begin of the current open episode.
    `silenced_until`/`silenced_count` end a silence by time or by further customers, `silenced_rate` by an escalation:
    it is how many customers a day wrote of the problem when it was silenced, None where an escalation ends nothing.
    `parent_id` is the problem that this one comes with: while that one is told, this one is not. `confirmed_at` is
    when customers confirmed that it is resolved (wall clock). `all_customers` counts the distinct customers of all its
    messages, where an earlier episode was resolved and they were read; None otherwise, and never stored.
    """

    id: str
    names: Mapping[str, str]
    state: ProblemState
    opened_at: datetime
    active_at: datetime
    episode_at: datetime
    intent_id: str | None = None
    aliases: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    events: int = 0
    customers: int = 0
    owner_id: str | None = None
    expertise_id: str | None = None
    resolved_at: datetime | None = None
    silenced_until: datetime | None = None
    silenced_count: int | None = None
    named_by_person: bool = False
    silenced_rate: float | None = None
    parent_id: str | None = None
    confirmed_at: datetime | None = None
    all_customers: int | None = None

    @property
    def customers_ever(self) -> int:
        """The customers of the very messages that `events` counts: of this episode and of those before."""
        return self.customers if self.all_customers is None else self.all_customers


@dataclass(frozen=True, slots=True)
class Intent:
    """A label of the shop's own taxonomy, learned from its examples."""

    id: str
    label: str
    examples: tuple[str, ...]
    expertise: str | None = None
    description: str | None = None
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Agent:
    """A person who answers. `load` is the number of cases now assigned to them."""

    id: str
    name: str
    languages: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    capacity: int = 5
    online: bool = False
    pool: Pool = "core"
    permissions: tuple[str, ...] = ()
    load: int = 0


@dataclass(frozen=True, slots=True)
class Expertise:
    """A cluster of problems and intents together with the agents who resolve them."""

    id: str
    name: str
    intent_ids: tuple[str, ...] = ()
    problem_ids: tuple[str, ...] = ()
    agent_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entity:
    """`type` is sku, product, order, amount, date, ... (see `graph.entities`); offsets are characters."""

    type: str
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Emotion:
    label: EmotionLabel
    score: float


@dataclass(frozen=True, slots=True)
class IntentScore:
    """`probability` includes the chance that none of the shop's intents fits."""

    id: str
    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Understanding:
    language: str
    intents: tuple[IntentScore, ...]
    out_of_scope: bool
    entities: tuple[Entity, ...]
    emotion: Emotion
    urgency: float
    corrected_query: str | None = None


@dataclass(frozen=True, slots=True)
class Contribution:
    """One term of the priority: what it was, how many points it gave, and what was seen; `evidences` say the same by
    language, for readers yet to come."""

    factor: str
    points: float
    evidence: str
    evidences: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Priority:
    """0 to 100: the sum of its contributions, rounded.

    Where the factors come to more than 100, a last contribution `limit` takes away what is too much. `total` is what
    they come to without it: cases beyond 100 are ordered by that.
    """

    score: int
    band: Band
    contributions: tuple[Contribution, ...]
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Match:
    """Which problem an utterance belongs to. `problem_id` is None when a new one should open.

    `score` is P(same problem) for the best candidate and `runner_up` for the second. `pending` says that the
    assignment is provisional and will be tried again.
    """

    problem_id: str | None
    reason: Literal["joined", "new", "pending", "not_a_problem", "same_case"]
    score: float
    runner_up: float
    pending: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """Numbers behind a verdict, with the same in words per language.

    `expected` is None where there is no history yet to expect anything by. `joined` says in words how surely the newest
    message was joined to the problem; None where it opened it. `title` names what the messages of the window say where
    the problem's name, settled before, says something else.
    """

    observed: int
    expected: float | None
    customers: int
    window_minutes: int
    p_value: float | None
    words: Mapping[str, str]
    joined: Mapping[str, str] | None = None
    title: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the counts of one problem say at one moment; `kind` is None when there is nothing to tell.

    `at` is the event time at which the claim became true: when an alert for it opens. `begin` is the first message that
    a regression rests on: with it a new episode begins.
    """

    kind: AlertKind | None
    reason: str
    evidence: Evidence | None = None
    at: datetime | None = None
    begin: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """A dated claim that a Problem recurs or grows beyond what is expected. `opened_at` is event time."""

    id: str
    kind: AlertKind
    state: AlertState
    opened_at: datetime
    problem_id: str
    evidence: Evidence
    examples: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    expertise_id: str | None = None
    proposal_id: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What should change because of an Alert, a gap or what was found in cases.

    `finding` is the same for what is found again. `change` tells machines what is to be done: its `action`, the
    `problem_ids` whose cases it is measured by, and what else the action needs. `expected` is what it should save a
    week, `effect` what was measured since it was accepted, by a trial where `experiment_id` names one.
    """

    id: str
    kind: ProposalKind
    state: Literal["open", "accepted", "dismissed"]
    opened_at: datetime
    title: Mapping[str, str]
    evidence: Mapping[str, str]
    draft: str
    problem_id: str | None = None
    alert_id: str | None = None
    finding: str | None = None
    change: Mapping[str, Any] | None = None
    expected: Expected | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    experiment_id: str | None = None
    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was chosen: a machine code, words for a person, and its weight where it has one."""

    code: str
    text: str
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class AgentChoice:
    agent: Agent
    score: float
    available: bool
    reasons: tuple[Reason, ...]
