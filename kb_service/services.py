"""Everything that one application is made of, part by part; `app.wire` makes them, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

import anyio

from ingest.embedding import BatchingEmbedder
from ingest.sandbox import ParserPool
from kb_service.accounts import Accounts
from kb_service.answer_explanation import Explaining
from kb_service.answering import Answering
from kb_service.audit_trail import AuditTrail
from kb_service.background import BackgroundWork
from kb_service.backups.shelf import Backups
from kb_service.care.articles import Articles
from kb_service.care.conflicts import Conflicts
from kb_service.care.gap_watch import GapWatch
from kb_service.care.gaps import Gaps
from kb_service.care.library import Library
from kb_service.care.stale import Stale
from kb_service.casework import Casework
from kb_service.delivery.courier import Courier
from kb_service.delivery.digests import Digests
from kb_service.delivery.endpoints import Endpoints
from kb_service.editing import Editing
from kb_service.exposures import ExposureLog
from kb_service.feedback import Feedbacks
from kb_service.handover.casefile import CaseFiles
from kb_service.installation import Installation
from kb_service.keyring import Keyring, KeyUses
from kb_service.knowledge import Knowledge
from kb_service.learning.calibrating import Calibrating
from kb_service.learning.learning import Learning
from kb_service.learning.reviewing import Reviewing
from kb_service.long_runs import LongRuns
from kb_service.metrics.measuring import Measuring
from kb_service.nightly import Nightly
from kb_service.observability import Metrics
from kb_service.people.agent_desk import AgentDesk
from kb_service.people.assigning import Assigning
from kb_service.people.assignment_watch import AssignmentWatch
from kb_service.people.consulting import Consulting
from kb_service.people.expertise import Clustering
from kb_service.people.taxonomy import Taxonomy
from kb_service.people.team import Team
from kb_service.people.waiting_queue import WaitingQueue
from kb_service.priority.prioritising import Prioritising
from kb_service.recurring.backtesting import Backtest, Backtesting
from kb_service.recurring.closed_loop import ClosedLoop
from kb_service.recurring.following_up import FollowingUp
from kb_service.recurring.notice_rounds import NoticeRounds
from kb_service.recurring.picturing import Pictures
from kb_service.recurring.problem_board import ProblemBoard
from kb_service.recurring.problems import Problems
from kb_service.recurring.proposals import Proposals
from kb_service.recurring.regrouping import Regrouping
from kb_service.recurring.regrouping_previews import RegroupingPreviews
from kb_service.recurring.rulebook import Rulebook
from kb_service.recurring.windows import WindowEnd
from kb_service.replays import Replays
from kb_service.replicas.replicas import Replicas
from kb_service.replying.rephrasing import Rewording
from kb_service.routing import Routing
from kb_service.security import Gatekeeper
from kb_service.settings import Settings
from kb_service.store import Store
from kb_service.traffic.desk import TrafficDesk
from kb_service.traffic.surging import SurgeEnd
from kb_service.trials.experiments import Experiments
from kb_service.trials.watch import ExperimentWatch
from kb_service.trying_out import TryingOut
from kb_service.understanding.reading import Reader
from kb_service.upkeep import Upkeep
from kb_service.upload_previews import UploadPreviews


@dataclass(frozen=True)
class Ground:
    """What every other part stands on. `serving` is False for the command line, beside which a server may run."""

    settings: Settings
    serving: bool
    clock: Callable[[], datetime]
    store: Store
    metrics: Metrics
    encoder: BatchingEmbedder
    parsers: ParserPool
    reader: Reader
    replicas: Replicas
    exposures: ExposureLog
    limiter: anyio.CapacityLimiter


@dataclass(frozen=True)
class Entry:
    """Who comes in and what they did: workspaces, keys, members, the audit, repeated requests."""

    gatekeeper: Gatekeeper
    accounts: Accounts
    audit_trail: AuditTrail
    keyring: Keyring
    key_uses: KeyUses
    installation: Installation
    replays: Replays


@dataclass(frozen=True)
class Documents:
    """How documents come in, are edited and cared for, and what they lack."""

    knowledge: Knowledge
    editing: Editing
    articles: Articles
    upload_previews: UploadPreviews
    library: Library
    conflicts: Conflicts
    stale: Stale
    gaps: Gaps
    gap_watch: GapWatch
    reviewing: Reviewing


@dataclass(frozen=True)
class Cases:
    """What cases come to, and who takes them."""

    case_files: CaseFiles
    routing: Routing
    casework: Casework
    agent_desk: AgentDesk
    waiting_queue: WaitingQueue
    assigning: Assigning
    assignment_watch: AssignmentWatch
    consulting: Consulting
    clustering: Clustering
    taxonomy: Taxonomy
    team: Team


@dataclass(frozen=True)
class Answers:
    """What a question comes to, and what it would."""

    answering: Answering
    explaining: Explaining
    trying_out: TryingOut
    feedback: Feedbacks
    rewording: Rewording | None


@dataclass(frozen=True)
class Recurrence:
    """What keeps going wrong: problems, their alerts, proposals, and the rules behind them."""

    problems: Problems
    problem_board: ProblemBoard
    pictures: Pictures
    notice_rounds: NoticeRounds
    following_up: FollowingUp
    window_end: WindowEnd
    regrouping: Regrouping
    regrouping_previews: RegroupingPreviews
    rulebook: Rulebook
    backtesting: Backtesting
    backtest_runs: LongRuns[Backtest]
    proposals: Proposals
    closed_loop: ClosedLoop


@dataclass(frozen=True)
class Figures:
    """What is counted: traffic, support metrics, trials."""

    traffic: TrafficDesk
    surge_end: SurgeEnd
    measuring: Measuring
    experiments: Experiments
    experiment_watch: ExperimentWatch


@dataclass(frozen=True)
class Teaching:
    """What people's verdicts, feedback and escalations teach."""

    calibrating: Calibrating
    learning: Learning
    prioritising: Prioritising


@dataclass(frozen=True)
class Telling:
    """How others hear of it: webhooks and mail."""

    endpoints: Endpoints
    courier: Courier
    digests: Digests


@dataclass(frozen=True)
class Keeping:
    """What keeps it going: nights, backups, the state of what is derived."""

    nightly: Nightly
    backups: Backups
    upkeep: Upkeep


@dataclass(frozen=True)
class Services(Ground, Entry, Documents, Cases, Answers, Recurrence, Figures, Teaching, Telling, Keeping):
    """Routes and commands reach the orchestrators through here."""

    @property
    def background(self) -> tuple[BackgroundWork, ...]:
        """The work that goes on beside requests, in the order in which it begins."""
        return (
            self.replicas,
            self.exposures,
            self.nightly,
            self.conflicts,
            self.gap_watch,
            self.surge_end,
            self.window_end,
            self.notice_rounds,
            self.following_up,
            self.assignment_watch,
            self.experiment_watch,
            self.digests,
            self.key_uses,
        )

    def start(self) -> None:
        """Begin the work that goes on beside requests."""
        for work in self.background:
            work.start()

    def stop(self) -> None:
        """End everything, in the order in which one part may still need the next."""
        with ExitStack() as ending:
            # Called in reverse; a part that fails to end does not keep the others from it.
            ending.callback(self.store.close)
            ending.callback(self.encoder.close)
            ending.callback(self.parsers.close)
            if self.rewording is not None:
                ending.callback(self.rewording.close)
            ending.callback(self.replicas.stop)
            ending.callback(self.backtest_runs.stop)
            ending.callback(self.upkeep.stop)
            ending.callback(self.exposures.stop)
            ending.callback(self.backups.stop)
            ending.callback(self.nightly.stop)
            ending.callback(self.conflicts.stop)
            ending.callback(self.gap_watch.stop)
            ending.callback(self.surge_end.stop)
            ending.callback(self.window_end.stop)
            ending.callback(self.notice_rounds.stop)
            ending.callback(self.following_up.stop)
            ending.callback(self.assignment_watch.stop)
            ending.callback(self.experiment_watch.stop)
            ending.callback(self.digests.stop)
            ending.callback(self.key_uses.stop)
