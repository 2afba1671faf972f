"""Everything that one application is made of; `app.wire` fills it, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

import anyio

from ingest.embedding import BatchingEmbedder
from ingest.sandbox import ParserPool
from kb_service.accounts import Accounts
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
from kb_service.previews import Previews
from kb_service.priority.prioritising import Prioritising
from kb_service.recurring.backtesting import Backtest, Backtesting
from kb_service.recurring.closed_loop import ClosedLoop
from kb_service.recurring.following_up import FollowingUp
from kb_service.recurring.notifying import NoticeRounds
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
from kb_service.understanding.reading import Reader
from kb_service.upkeep import Upkeep


@dataclass(frozen=True, slots=True)
class Services:
    """Routes and commands reach the orchestrators through here."""

    settings: Settings
    store: Store
    metrics: Metrics
    encoder: BatchingEmbedder
    parsers: ParserPool
    reader: Reader
    replicas: Replicas
    replays: Replays
    exposures: ExposureLog
    gatekeeper: Gatekeeper
    accounts: Accounts
    audit_trail: AuditTrail
    keyring: Keyring
    key_uses: KeyUses
    installation: Installation
    clock: Callable[[], datetime]
    knowledge: Knowledge
    editing: Editing
    articles: Articles
    previews: Previews
    library: Library
    conflicts: Conflicts
    stale: Stale
    answering: Answering
    feedback: Feedbacks
    rewording: Rewording | None
    routing: Routing
    agent_desk: AgentDesk
    assigning: Assigning
    assignment_watch: AssignmentWatch
    consulting: Consulting
    clustering: Clustering
    taxonomy: Taxonomy
    team: Team
    casework: Casework
    problems: Problems
    pictures: Pictures
    problem_board: ProblemBoard
    notice_rounds: NoticeRounds
    following_up: FollowingUp
    regrouping: Regrouping
    regrouping_previews: RegroupingPreviews
    rulebook: Rulebook
    backtesting: Backtesting
    backtest_runs: LongRuns[Backtest]
    proposals: Proposals
    closed_loop: ClosedLoop
    reviewing: Reviewing
    calibrating: Calibrating
    learning: Learning
    prioritising: Prioritising
    nightly: Nightly
    upkeep: Upkeep
    backups: Backups
    gaps: Gaps
    gap_watch: GapWatch
    traffic: TrafficDesk
    surge_end: SurgeEnd
    window_end: WindowEnd
    measuring: Measuring
    experiments: Experiments
    experiment_watch: ExperimentWatch
    endpoints: Endpoints
    courier: Courier
    digests: Digests
    limiter: anyio.CapacityLimiter

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
