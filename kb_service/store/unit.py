"""A unit of work: the repositories of one workspace over one transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from kb_service.store.agents import Agents
from kb_service.store.alerts import Alerts
from kb_service.store.assignments import Assignments
from kb_service.store.audit import AuditLog
from kb_service.store.calibrations import Calibrations
from kb_service.store.cases import Cases
from kb_service.store.changes import Changes
from kb_service.store.clusters import Clusters
from kb_service.store.decisions import Decisions
from kb_service.store.digests import Digests
from kb_service.store.documents import Documents
from kb_service.store.erasure import erase_customer
from kb_service.store.escalations import Escalations
from kb_service.store.events import Events
from kb_service.store.experiments import Experiments
from kb_service.store.exposures import Exposures
from kb_service.store.feedback import FeedbackLog
from kb_service.store.follow_ups import FollowUps
from kb_service.store.gaps import ToldGaps
from kb_service.store.held import Held
from kb_service.store.histories import Histories
from kb_service.store.idempotency import Idempotency
from kb_service.store.intents import Intents
from kb_service.store.jobs import Jobs
from kb_service.store.judgements import Judgements
from kb_service.store.keys import Keys
from kb_service.store.looks import Looks
from kb_service.store.members import Members
from kb_service.store.notices import Notices
from kb_service.store.outbox import Outbox
from kb_service.store.priority_weights import PriorityWeights
from kb_service.store.problems import Problems
from kb_service.store.proposals import Proposals
from kb_service.store.rank_moves import RankMoves
from kb_service.store.regroupings import Regroupings
from kb_service.store.repository import Scope
from kb_service.store.reviews import Reviews
from kb_service.store.rules import RuleBook
from kb_service.store.shelf import Shelf
from kb_service.store.sources import Sources
from kb_service.store.surges import Surges
from kb_service.store.ties import ProblemTies
from kb_service.store.traffic import Traffic
from kb_service.store.uses import Uses
from kb_service.store.values import Erasure
from kb_service.store.webhooks import Webhooks
from kb_service.store.workload import Workload
from kb_service.store.workspaces import Workspaces


class Unit:
    """One workspace in one transaction. `now` is the store's clock at the begin.

    Valid inside the `with` block that gave it, in the thread that entered the block.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.workspace = scope.workspace
        self.now = scope.now
        self.documents = Documents(scope)
        self.shelf = Shelf(scope)
        self.held = Held(scope)
        self.looks = Looks(scope)
        self.changes = Changes(scope)
        self.sources = Sources(scope)
        self.intents = Intents(scope)
        self.agents = Agents(scope)
        self.events = Events(scope)
        self.assignments = Assignments(scope)
        self.cases = Cases(scope)
        self.decisions = Decisions(scope)
        self.expertise = Clusters(scope)
        self.problems = Problems(scope)
        self.ties = ProblemTies(scope)
        self.regroupings = Regroupings(scope)
        self.alerts = Alerts(scope)
        self.notices = Notices(scope)
        self.follow_ups = FollowUps(scope)
        self.proposals = Proposals(scope)
        self.rules = RuleBook(scope)
        self.surges = Surges(scope)
        self.traffic = Traffic(scope)
        self.webhooks = Webhooks(scope)
        self.outbox = Outbox(scope)
        self.digests = Digests(scope)
        self.experiments = Experiments(scope)
        self.exposures = Exposures(scope)
        self.feedback = FeedbackLog(scope)
        self.uses = Uses(scope)
        self.gaps = ToldGaps(scope)
        self.histories = Histories(scope)
        self.workload = Workload(scope)
        self.reviews = Reviews(scope)
        self.judgements = Judgements(scope)
        self.calibrations = Calibrations(scope)
        self.rank_moves = RankMoves(scope)
        self.priority_weights = PriorityWeights(scope)
        self.escalations = Escalations(scope)
        self.jobs = Jobs(scope)
        self.idempotency = Idempotency(scope)
        self.audit = AuditLog(scope)
        self.erased = False

    def erase_customer(self, customer_id: str) -> Erasure:
        """Removes everything of a customer from the store and the outbox; see `erasure.erase_customer`."""
        _ = self._scope.ledger
        self.erased = True
        return erase_customer(self._scope, customer_id)


class AdminUnit:
    """Workspaces, keys and members in one transaction, across workspaces."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self.now = now
        self.workspaces = Workspaces(connection, now)
        self.keys = Keys(connection, now)
        self.members = Members(connection, now)
