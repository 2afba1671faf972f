"""The values that travel between the routes and the four orchestrators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from graph.briefing import Attempt, Known
from graph.confirmation import FollowUpState
from graph.drafting import Draft
from graph.errors import GraphError
from graph.gaps import Gap, GapReason
from graph.models import (
    Agent,
    AgentChoice,
    Alert,
    Case,
    Customer,
    Event,
    Expertise,
    Intent,
    IntentScore,
    Priority,
    Problem,
    Speaker,
    Understanding,
)
from graph.notices import Notice
from graph.peers import Comparison
from ingest.errors import IngestError
from ingest.models import Audience, Kind
from kb_service.errors import ServiceError
from kb_service.messages import Language
from kb_service.store.clusters import ExpertisePin
from kb_service.store.decisions import Decision

Action: TypeAlias = Literal["answer", "suggest", "clarify", "handoff"]
Trigger: TypeAlias = Literal[
    "explicit",
    "emotion",
    "sensitive",
    "complexity",
    "repeated_failure",
    "out_of_scope",
    "no_answer",
    "conflict",
]
KeyRole: TypeAlias = Literal["bot", "agent", "product", "editor", "admin"]
Progress: TypeAlias = Callable[[int, int, str], None]
"""Called with how much is done, of how much, and what is being worked on."""
KEY_ROLES: tuple[KeyRole, ...] = ("bot", "agent", "product", "editor", "admin")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: one key of one workspace, with its roles."""

    workspace: str
    key_id: str
    roles: frozenset[KeyRole]


@dataclass(frozen=True, slots=True)
class Turn:
    role: Speaker
    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One request for answers, suggestions or a route. `text` is the customer's last message.

    `as_of` is the governing date, an order date say; None means now. `context` holds what the caller
    knows about the order, parcel or account and fills placeholders.
    """

    text: str
    turns: tuple[Turn, ...] = ()
    conversation_id: str | None = None
    customer: Customer | None = None
    channel: str | None = None
    locale: str | None = None
    products: tuple[str, ...] = ()
    region: str | None = None
    as_of: datetime | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    intent: str | None = None
    event_id: str | None = None
    limit: int = 3
    order_value: float | None = None
    """What the order is worth that the customer writes about, where the shop told."""
    reader: Language | None = None
    """The language of reasons and evidence, where the caller asked for one; else the customer's."""


@dataclass(frozen=True, slots=True)
class Citation:
    """Where an answer stands: `quote` is the document's text from `start` to `end`."""

    document_id: str
    title: str
    url: str | None
    section: tuple[str, ...]
    quote: str
    start: int
    end: int
    valid_from: datetime | None
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class Why:
    """One reason for an answer: a machine code, words, and its share of the score."""

    code: str
    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class CandidateAnswer:
    """One reply that could be sent. `missing` lists placeholders that the context did not fill."""

    id: str
    exposure_id: str
    text: str
    kind: Kind
    language: str
    confidence: float
    missing: tuple[str, ...]
    citations: tuple[Citation, ...]
    why: tuple[Why, ...]


@dataclass(frozen=True, slots=True)
class Option:
    label: str
    intent: str


@dataclass(frozen=True, slots=True)
class Clarification:
    question: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    tier: int
    first_response_due: datetime
    resolve_due: datetime


@dataclass(frozen=True, slots=True)
class ExpertiseChoice:
    expertise: Expertise
    confidence: float


@dataclass(frozen=True, slots=True)
class Route:
    """Where a case belongs and who should take it, with reasons."""

    expertise: ExpertiseChoice | None
    alternatives: tuple[ExpertiseChoice, ...]
    triage: bool
    triage_reason: str | None
    intents: tuple[IntentScore, ...]
    priority: Priority
    agents: tuple[AgentChoice, ...]
    sla: ServiceLevel


@dataclass(frozen=True, slots=True)
class Handoff:
    """A person takes over. `wants` is what the customer wants in their own words, `tried` what was answered and shown
    before, `known` what is known besides, all of them masked; `summary` says it in the reader's language."""

    trigger: Trigger
    summary: str
    route: Route
    wants: str = ""
    since: datetime | None = None
    tried: tuple[Attempt, ...] = ()
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds of wall time."""

    total: float
    embed: float
    search: float


@dataclass(frozen=True, slots=True)
class Reply:
    """The service's decision on one question, with the evidence for it."""

    action: Action
    reason: str
    confidence: float
    answers: tuple[CandidateAnswer, ...]
    clarify: Clarification | None
    handoff: Handoff | None
    understanding: Understanding
    priority: Priority
    problem: Problem | None
    timing_ms: Timing


@dataclass(frozen=True, slots=True)
class Scope:
    """What a search may see: the audiences of the route or role, and the caller's narrowing."""

    audiences: tuple[Audience, ...] = ("public",)
    kinds: tuple[Kind, ...] = ()
    languages: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    document_ids: tuple[str, ...] = ()
    region: str | None = None
    tier: str | None = None
    channel: str | None = None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """A case with its events and consultations, oldest first. `experts` are those who could be consulted, where that
    was asked for."""

    case: Case
    problem: Problem | None
    events: tuple[Event, ...]
    consultations: tuple[Decision, ...] = ()
    experts: tuple[AgentChoice, ...] = ()


@dataclass(frozen=True, slots=True)
class QueuedCase:
    """A waiting case at its place in the queue. `waiting_since` is when its customer began to wait for a person,
    `asked` what they last said that tells something; empty where they wrote nothing."""

    case: Case
    problem: Problem | None
    priority: Priority
    waiting_since: datetime | None
    sla: ServiceLevel
    asked: str = ""


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert with its problem and who owns that. `notice` tells how far it was told, None where it was raised before
    that was kept."""

    alert: Alert
    problem: Problem
    owner: Agent | None
    notice: Notice | None


@dataclass(frozen=True, slots=True)
class ProblemFollowUp:
    """What is known of a problem's latest resolution from its customers. `due_at` is when they are to be asked, None
    once they were; `ids` are the follow-ups, one a channel."""

    state: FollowUpState | Literal["waiting"]
    resolved_at: datetime
    due_at: datetime | None
    ids: tuple[str, ...] = ()
    asked: int = 0
    yes: int = 0
    no: int = 0


@dataclass(frozen=True, slots=True)
class ProblemView:
    """A problem as it stands now, and which of the two separate axes it lies on. `step` is the audit's entry of what
    was just done to it, by which that can be taken back, and `before` how it stood until then; None where
    nothing was."""

    problem: Problem
    emerging: bool
    evergreen: bool
    step: int | None = None
    before: Problem | None = None


@dataclass(frozen=True, slots=True)
class LinkedDocument:
    """A document that the graph links to a problem, and how strongly."""

    external_id: str
    kind: str
    title: str
    weight: float


@dataclass(frozen=True, slots=True)
class HourOfProblem:
    hour: datetime
    events: int
    customers: int


@dataclass(frozen=True, slots=True)
class ProblemDetail:
    view: ProblemView
    evidence: Mapping[str, str]
    counts: tuple[HourOfProblem, ...]
    examples: tuple[str, ...]
    answers: tuple[LinkedDocument, ...]
    policies: tuple[LinkedDocument, ...]
    resolutions: tuple[LinkedDocument, ...]
    alerts: tuple[str, ...]
    follow_up: ProblemFollowUp | None = None


@dataclass(frozen=True, slots=True)
class ReviewedAnswer:
    """One automatic answer of the sample, or one suggestion that an agent edited (`kind`), with the question it was
    given to and what a person said of it. Of an edit `final_text` is what the agent sent instead of `answer`."""

    id: str
    exposure_id: str
    state: Literal["pending", "done"]
    at: datetime
    question: str | None
    language: str | None
    answer: str | None
    citations: tuple[Mapping[str, object], ...]
    confidence: float
    verdict: Literal["right", "wrong", "harmful"] | None
    note: str | None
    reviewer: str | None
    decided_at: datetime | None
    withheld: tuple[str, ...]
    proposal_id: str | None
    kind: Literal["answer", "edit"] = "answer"
    final_text: str | None = None
    agent_id: str | None = None
    case_id: str | None = None


@dataclass(frozen=True, slots=True)
class ReviewProgress:
    """How far the reviews of one kind are: how many wait, and of those judged how many got which verdict, with the
    95% interval of the share that was not right; None while nothing was judged.

    `bound` is the share of wrong automatic answers that the shop accepts, `threshold` the confidence from which
    evidence allows sending, None where it does not; `lacking` is how many more answers must be judged right until it
    does, 0 where it does.
    """

    waiting: int
    right: int
    wrong: int
    harmful: int
    interval: tuple[float, float] | None
    bound: float
    threshold: float | None
    lacking: int

    @property
    def judged(self) -> int:
        return self.right + self.wrong + self.harmful


@dataclass(frozen=True, slots=True)
class EventProblem:
    id: str
    new: bool
    reason: str
    score: float
    runner_up: float


@dataclass(frozen=True, slots=True)
class EventResult:
    """What became of one event, committed before anyone is told."""

    id: str
    status: Literal["accepted", "duplicate"]
    problem: EventProblem | None = None
    pending: bool = False
    alerts: tuple[str, ...] = ()
    case_id: str | None = None


@dataclass(frozen=True, slots=True)
class Skill:
    """How well an agent does on an expertise, or overall; figures are None below twenty cases."""

    expertise_id: str | None
    expertise: str | None
    cases: int
    rate: float | None
    low: float | None
    high: float | None
    handling_seconds: float | None
    rating: float | None


@dataclass(frozen=True, slots=True)
class ProblemSkill:
    """How well an agent does on one problem."""

    problem: Problem
    skill: Skill


@dataclass(frozen=True, slots=True)
class AgentProfile:
    """`by_problem` holds those of which the agent has most cases. `compared` is None where there are too few cases of
    problems that others had too."""

    agent: Agent
    overall: Skill
    by_expertise: tuple[Skill, ...]
    by_problem: tuple[ProblemSkill, ...] = ()
    compared: Comparison | None = None


Via: TypeAlias = Literal["declared", "pinned", "learned", "intent"]
"""How an intent, a problem or an agent came into a cluster: a shop's own word, a person's pin, what outcomes taught,
or through the problem's intent."""


@dataclass(frozen=True, slots=True)
class ClusterMember:
    """An agent of a cluster, with how they do on its cases."""

    agent: Agent
    via: Via
    skill: Skill


@dataclass(frozen=True, slots=True)
class ClusterDetail:
    """A cluster with everything that leads to it. `pin` is what people decided of it, None where nothing."""

    expertise: Expertise
    intents: tuple[tuple[Intent, Via], ...]
    problems: tuple[tuple[Problem, Via], ...]
    members: tuple[ClusterMember, ...]
    pin: ExpertisePin | None


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who was given one waiting case, or why nobody was."""

    case_id: str
    agent: AgentChoice | None
    reason: str
    priority: Priority


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document as a request or a file describes it, not yet checked."""

    external_id: str
    attributes: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class DocumentStatus:
    """What became of one document that was put."""

    external_id: str
    status: Literal["created", "updated", "unchanged"]
    version: int
    passages: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A document that was not taken, and why; nothing of it was stored."""

    external_id: str | None
    error: ServiceError | IngestError | GraphError


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A file, or one record of it, that could not be read; the others were."""

    path: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one `kb ingest` did: documents by outcome, files skipped as unchanged, and what failed."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    files: int = 0
    files_unchanged: int = 0
    passages: int = 0
    problems: tuple[FileProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class GapDocument:
    """The best document for a gap's questions, with the probability that it answers them."""

    document_id: str
    title: str
    kind: Kind
    confidence: float


GapState: TypeAlias = Literal["open", "answered", "dismissed"]


@dataclass(frozen=True, slots=True)
class GapView:
    """A gap as people look at it. `cases` are the latest first; `draft` is None where nobody accepted a reply."""

    id: str
    gap: Gap
    names: Mapping[str, str]
    reason: GapReason
    problem: Problem | None
    cases: tuple[str, ...]
    best: GapDocument | None
    answered_by: GapDocument | None
    draft: Draft | None
    told_at: datetime | None
    dismissed_at: datetime | None = None
    dismissed_by: str | None = None

    @property
    def state(self) -> GapState:
        if self.dismissed_at is not None:
            return "dismissed"
        return "open" if self.answered_by is None else "answered"


@dataclass(frozen=True, slots=True)
class GapQuestion:
    """One question of a gap, masked, why it got no good answer, and the case that it came up in."""

    text: str
    at: datetime
    reason: GapReason
    customer_id: str | None
    case_id: str | None


@dataclass(frozen=True, slots=True)
class GapDetail:
    """A gap with all its questions, the latest first. `note` is why it was dismissed."""

    view: GapView
    questions: tuple[GapQuestion, ...]
    note: str | None


Outcome: TypeAlias = DocumentStatus | Refused
