"""The values that travel between the routes and the four orchestrators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from graph.briefing import Attempt, Known
from graph.confirmation import FollowUpState
from graph.errors import GraphError
from graph.models import (
    Agent,
    AgentChoice,
    Alert,
    Case,
    Customer,
    Event,
    Expertise,
    IntentScore,
    Priority,
    Problem,
    Speaker,
    Understanding,
)
from graph.notices import Notice
from ingest.errors import IngestError
from ingest.models import Audience, Kind
from kb_service.errors import ServiceError
from kb_service.messages import Language
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
    language: str


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


Outcome: TypeAlias = DocumentStatus | Refused
