"""What the store gives out beside the values of `ingest.models` and `graph.models`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from graph.experiments import Arm
from graph.learned_ranks import Contribution, Scope
from graph.models import Event, Match, Speaker
from ingest.models import Document, Passage

T = TypeVar("T")

ChangeKind: TypeAlias = Literal[
    "document",
    "document_removed",
    "intent",
    "intent_removed",
    "agent",
    "agent_removed",
    "problem",
    "problem_removed",
    "event",
    "event_placed",
    "event_removed",
    "case",
    "case_removed",
    "alert",
    "alert_removed",
    "rules",
    "calibration",
    "experiment",
    "review",
    "ranks",
    "expertise",
    "workspace",
]
DeliveryState: TypeAlias = Literal["pending", "delivered", "exhausted", "cancelled"]
Verdict: TypeAlias = Literal["right", "wrong", "harmful"]
ReviewKind: TypeAlias = Literal["answer", "edit"]
EDIT = "edit_"
"""How the ids of reviews of edits begin."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A stretch of a list; `next_cursor` is None at its end."""

    items: tuple[T, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Workspace:
    """One shop. `position` is the end of its change log, `watermark` the latest accepted event time."""

    id: str
    name: str
    languages: tuple[str, ...]
    created_at: datetime
    position: int = 0
    watermark: datetime | None = None


@dataclass(frozen=True, slots=True)
class WorkspaceFigures:
    """How much a shop holds. `members` may sign in, `keys` are valid, `problems` are all but candidates."""

    documents: int
    passages: int
    cases: int
    events: int
    problems: int
    members: int
    keys: int
    oldest_event: datetime | None
    newest_event: datetime | None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as the store knows it: never the secret. `prefix` is the secret's public beginning.

    `used_at` is when a process last noted a use, to the half minute; `made_by` the member who made it, None for the
    command line.
    """

    id: str
    workspace: str
    roles: frozenset[str]
    label: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None = None
    used_at: datetime | None = None
    made_by: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the change log; never holds content."""

    position: int
    kind: ChangeKind
    id: str
    version: int


@dataclass(frozen=True, slots=True)
class Head:
    external_id: str
    version: int
    content_hash: str
    updated_at: datetime
    source: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A document to be stored, with its passages, their vectors (one row each; None where they are to be embedded
    later) and the file that it comes from."""

    document: Document
    passages: Sequence[Passage]
    vectors: NDArray[Any] | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A version of a document. `created_at` is that of the first version, `updated_at` of this one."""

    document: Document
    version: int
    created_at: datetime
    updated_at: datetime
    source: str | None = None


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """`vector` is float32 of one model, read-only, or None when that model has not embedded it."""

    passage: Passage
    vector: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was ingested: the digest of its bytes and the documents that came from it."""

    path: str
    digest: str
    external_ids: tuple[str, ...]
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to be stored; `named` are ids of orders, parcels and products that it names in other words than ids."""

    event: Event
    case_id: str | None = None
    vector: NDArray[Any] | None = None
    model_id: str | None = None
    named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LastWords:
    """What was said last in a case and by whom; `theirs` what its customer said last, the latest first, each with its
    language."""

    said: str
    by: Speaker
    theirs: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """`sequence` is the order of arrival within the workspace; it grows but may have gaps."""

    event: Event
    case_id: str | None
    sequence: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which problem an event belongs to.

    `problem_id` is the current one: it follows merges and splits. `first_problem_id` is the first that was
    decided and never changes, so that a merge or split can be undone. `match` is the latest decision.
    """

    event_id: str
    problem_id: str | None
    first_problem_id: str | None
    match: Match
    at: datetime


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A customer's message with what a matcher needs to be rebuilt; the vector is float32 again."""

    event: Event
    case_id: str | None
    sequence: int
    vector: NDArray[np.float32] | None
    model_id: str | None
    assignment: Assignment | None


@dataclass(frozen=True, slots=True)
class HourCount:
    """`hour` is the begin of the hour, UTC; `customers` counts distinct ones within it."""

    hour: datetime
    events: int
    customers: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one resolution by an agent ended; `seconds` is the handling time, `reply` what the customer was sent."""

    event_id: str
    case_id: str | None
    agent_id: str
    problem_id: str | None
    intent_id: str | None
    resolved: bool | None
    reopened: bool
    seconds: float | None
    rating: float | None
    at: datetime
    reply: str | None = None
    products: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WebhookSecret:
    """A signing secret; it signs until `expires_at`, or without end when that is None."""

    secret: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where messages go. `filter` maps a field of the data to the values let through; empty lets all.

    `language` is that of cards for people, None for the format's own; `signing_secret` is a chat platform's.
    `failing_since` and `failed_at` are the first and the latest failure since something last arrived there: what the
    courier notes, and `put` leaves alone.
    """

    id: str
    url: str
    types: tuple[str, ...]
    secrets: tuple[WebhookSecret, ...]
    created_at: datetime
    filter: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    format: str = "standard"
    state: Literal["active", "disabled"] = "active"
    disabled_reason: str | None = None
    language: Literal["zh", "en"] | None = None
    signing_secret: str | None = field(default=None, repr=False)
    failing_since: datetime | None = None
    failed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that happened, told to any number of webhooks under one id."""

    id: str
    type: str
    data: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way to one webhook; `attempt` counts the attempts made, `response` begins as the last
    answer did."""

    id: str
    message_id: str
    webhook_id: str
    type: str
    data: Mapping[str, Any]
    state: DeliveryState
    attempt: int
    created_at: datetime
    next_at: datetime | None
    last_status: int | None
    last_error: str | None
    finished_at: datetime | None
    response: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that one worker may attempt until its lease ends; `attempt` counts from 1."""

    workspace: str
    delivery_id: str
    message_id: str
    type: str
    data: Mapping[str, Any]
    at: datetime
    webhook: Webhook
    attempt: int
    lease: str
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """One answer of an exposure. `rank` counts from 1; `propensity` is the chance of that place. `evidence` is what
    it was ranked by, in log-odds; None where it has its place for another reason."""

    answer_id: str
    external_id: str
    rank: int
    confidence: float
    propensity: float = 1.0
    evidence: float | None = None


@dataclass(frozen=True, slots=True)
class Exposure:
    """What was asked and what was shown for it. `query` is the text as it may be kept: masked.

    `features` are those of the best hit, by name, and `threshold` is the confidence from which an answer was
    sent, before a recalibration's shift; both belong to the model and the calibration named here. `arms` holds the arm
    of each trial that it counts for, by the trial's id.
    """

    id: str
    at: datetime
    route: str
    query: str | None
    language: str | None
    action: str
    reason: str
    confidence: float
    answers: tuple[ShownAnswer, ...] = ()
    conversation_id: str | None = None
    customer_id: str | None = None
    case_id: str | None = None
    event_id: str | None = None
    problem_id: str | None = None
    intent_id: str | None = None
    agent_id: str | None = None
    model_id: str | None = None
    calibration_id: str | None = None
    features: Mapping[str, float] | None = None
    threshold: float | None = None
    arms: Mapping[str, Arm] | None = None

    @property
    def best(self) -> ShownAnswer | None:
        """The answer that the confidence and the features are about, wherever it was shown."""
        return max(self.answers, key=lambda answer: answer.confidence, default=None)


@dataclass(frozen=True, slots=True)
class Review:
    """One automatic answer of the sample, or one suggestion that an agent edited, that people look at; the question is
    its exposure's. Which of the two it is its id tells.

    `text` is what was sent, or suggested; what an agent made of it is in the feedback `feedback_id`. `withheld` are
    the documents that it keeps out of automatic answers, each with the version that it speaks of: a later one is free
    again. `text` and `note` are None once the customer was erased.
    """

    id: str
    exposure_id: str
    at: datetime
    text: str | None
    citations: tuple[Mapping[str, Any], ...] = ()
    state: Literal["pending", "done"] = "pending"
    verdict: Verdict | None = None
    note: str | None = None
    reviewer: str | None = None
    decided_at: datetime | None = None
    proposal_id: str | None = None
    withheld: Mapping[str, int] = field(default_factory=dict)

    @property
    def kind(self) -> ReviewKind:
        return "edit" if self.id.startswith(EDIT) else "answer"

    @property
    def feedback_id(self) -> str | None:
        """The feedback that tells of the edit; None of an automatic answer."""
        return self.id.replace(EDIT, "fb_", 1) if self.kind == "edit" else None


@dataclass(frozen=True, slots=True)
class StoredCalibration:
    """One entry in the history of a workspace's calibration; the newest of a model is in force.

    `kind` tells what it was fitted on: judged questions, people's verdicts, or an earlier entry that was
    brought back. `constants` are None where the shipped ones were brought back.
    """

    id: str
    model_id: str
    kind: Literal["questions", "verdicts", "rollback"]
    source: str
    fitted_at: datetime
    counts: Mapping[str, int]
    constants: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, eq=False)
class Precedent:
    """One judged question of a calibration, with its vector (unit length, of the calibration's model).

    `answers` are the documents that were found for it, by external id: the version that was judged, and whether it
    answers the question. Of a later version nothing is said.
    """

    id: str
    question: str
    vector: NDArray[np.float32]
    answers: Mapping[str, tuple[int, bool]]


@dataclass(frozen=True, slots=True)
class RankMove:
    """One entry in the history of what feedback moved; none is ever changed but for an erasure.

    A `learned` one changes the boost of a document for a problem or an intent by `step` (log-odds); `boost` is what
    came of it. `reverted` and `erased` ones take the move `withdraws` back. `contributions` are the words that it
    rests on, without those of customers who were erased since.
    """

    id: str
    at: datetime
    kind: Literal["learned", "reverted", "erased"]
    scope: Scope
    subject_id: str
    external_id: str
    step: float
    boost: float
    actor: str
    withdraws: str | None = None
    agents: int = 0
    customers: int = 0
    contributions: tuple[Contribution, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """An exposure that somebody has judged, with all that they said, oldest first. `edits` are the verdicts on what
    agents made of its suggestions, by their feedback."""

    exposure: Exposure
    feedback: tuple[Feedback, ...] = ()
    review: Review | None = None
    edits: Mapping[str, Verdict] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Feedback:
    id: str
    exposure_id: str
    answer_id: str
    outcome: str
    at: datetime
    final_text: str | None = None
    agent_id: str | None = None
    rating: float | None = None


@dataclass(frozen=True, slots=True)
class ToldGap:
    """A gap that was told. `exposure_ids` are its questions then; `quotes` those and the events whose texts its
    messages and proposal quote, so that an erasure finds them. `names` are empty once a quoted customer was erased.
    `proposal_id` is a proposal that it raised itself.
    """

    id: str
    problem_id: str | None
    names: Mapping[str, str]
    exposure_ids: tuple[str, ...]
    quotes: tuple[str, ...]
    told_at: datetime
    message_ids: tuple[str, ...] = ()
    proposal_id: str | None = None


@dataclass(frozen=True, slots=True)
class GivenReply:
    """What an agent answered in a case, by the event of the resolution."""

    event_id: str
    case_id: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Replay:
    """The first response under an idempotency key; `body_hash` is that of the request."""

    body_hash: str
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hanging:
    """How many alerts, proposals, follow-ups and problems under it a problem has."""

    alerts: int
    proposals: int
    follow_ups: int
    children: int


@dataclass(frozen=True, slots=True)
class ProblemCounts:
    """How many problems there are: `standing` ones are known and not resolved; of those some are new (`emerging`) and
    some have been asked for long by many (`evergreen`). `candidates` are too few customers' to be told."""

    all: int
    standing: int
    emerging: int
    evergreen: int
    resolved: int
    candidates: int


@dataclass(frozen=True, slots=True)
class AuditEntry:
    id: int
    at: datetime
    actor: str
    action: str
    object: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure touched, so that derived parts can follow.

    `counts` holds rows removed or blanked by table. `problem_ids` lost events but still stand;
    `removed_problem_ids` lost all. The names of `unnamed_problem_ids` quoted the customer and are empty now:
    name them again before the unit ends. `alert_ids` lost examples.
    """

    counts: Mapping[str, int]
    event_ids: tuple[str, ...] = ()
    case_ids: tuple[str, ...] = ()
    problem_ids: tuple[str, ...] = ()
    removed_problem_ids: tuple[str, ...] = ()
    unnamed_problem_ids: tuple[str, ...] = ()
    alert_ids: tuple[str, ...] = ()
