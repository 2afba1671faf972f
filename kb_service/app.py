"""Where everything is wired, once: settings in, an ASGI application out."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import anyio
import anyio.to_thread
from fastapi import APIRouter, FastAPI
from structlog.stdlib import get_logger

from ingest.embedding import BatchingEmbedder, Embedder
from ingest.reranking import load_reranker
from ingest.sandbox import ParserPool
from kb_service import openapi, problem_details
from kb_service.accounts import Accounts
from kb_service.answering import Answering
from kb_service.audit_trail import AuditTrail
from kb_service.backups.shelf import Backups
from kb_service.care.articles import Articles
from kb_service.care.conflicts import Conflicts
from kb_service.care.gap_watch import GapWatch
from kb_service.care.gaps import Gaps
from kb_service.care.library import Library
from kb_service.care.stale import Stale
from kb_service.casework import Casework
from kb_service.console import pages as console
from kb_service.delivery.addresses import parse_networks
from kb_service.delivery.courier import Courier
from kb_service.delivery.digests import Digests, Standing
from kb_service.delivery.endpoints import Endpoints
from kb_service.delivery.smtp import SmtpMail
from kb_service.editing import Editing
from kb_service.encoders import open_encoder
from kb_service.exposures import ExposureLog
from kb_service.feedback import Feedbacks
from kb_service.handover.casefile import CaseFiles
from kb_service.handover.handing_over import HandingOver
from kb_service.installation import Installation
from kb_service.keyring import Keyring, KeyUses
from kb_service.knowledge import Knowledge
from kb_service.learning.calibrating import NIGHTLY, Calibrating
from kb_service.learning.learning import Learning
from kb_service.learning.reviewing import Reviewing
from kb_service.long_runs import LongRuns
from kb_service.metrics.measuring import Measuring
from kb_service.middleware import Admission, BodyLimit, RequestContext
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
from kb_service.recurring.backtesting import Backtesting
from kb_service.recurring.closed_loop import ClosedLoop
from kb_service.recurring.following_up import FollowingUp
from kb_service.recurring.measured_effects import MeasuredEffects
from kb_service.recurring.nightly_regrouping import NightlyRegrouping
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
from kb_service.replying.composer import Composer
from kb_service.replying.meaning import Meaning
from kb_service.replying.rephrasing import ChatRephraser, Rewording
from kb_service.routes import (
    care,
    events,
    experiments,
    followups,
    gaps,
    health,
    knowledge,
    metrics,
    people,
    problems,
    proposals,
    questions,
    reviews,
    rules,
    traffic,
    webhooks,
    weights,
)
from kb_service.routes.context import GuardedRoute
from kb_service.routing import Routing
from kb_service.search.reranking import Reranking
from kb_service.security import Gatekeeper
from kb_service.services import Services
from kb_service.settings import Settings
from kb_service.store import Store
from kb_service.traffic.desk import TrafficDesk
from kb_service.traffic.surging import SurgeEnd
from kb_service.trials.experiments import Experiments
from kb_service.trials.watch import ExperimentWatch
from kb_service.understanding.mood_reading import MoodReading
from kb_service.understanding.reading import Reader
from kb_service.upkeep import Upkeep

log = get_logger(__name__)

ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    questions.router,
    questions.once,
    knowledge.router,
    care.router,
    gaps.router,
    people.router,
    metrics.router,
    events.router,
    events.once,
    problems.router,
    problems.once,
    followups.router,
    proposals.router,
    proposals.once,
    rules.router,
    reviews.router,
    reviews.once,
    traffic.router,
    weights.router,
    weights.once,
    webhooks.router,
    webhooks.once,
    experiments.router,
    experiments.once,
)
RECENT_QUERIES = 1024
"""Vectors of recent questions that are kept."""

MOST_COUNTED = 1000
"""Documents that a digest counts."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What every other part stands on."""

    settings: Settings
    serving: bool
    clock: Callable[[], datetime]
    store: Store
    metrics: Metrics
    encoder: BatchingEmbedder
    reader: Reader
    replicas: Replicas
    exposures: ExposureLog


@dataclass(frozen=True, slots=True)
class _Cases:
    """What cases come to, and who takes them."""

    files: CaseFiles
    routing: Routing
    casework: Casework
    assigning: Assigning
    clustering: Clustering


@dataclass(frozen=True, slots=True)
class _Teaching:
    """What people's verdicts, feedback and escalations teach."""

    calibrating: Calibrating
    learning: Learning
    prioritising: Prioritising


def wire(
    settings: Settings,
    *,
    embedder: Embedder | None = None,
    clock: Callable[[], datetime] = utc_now,
    chance: random.Random | None = None,
    serving: bool = True,
) -> Services:
    """Every part over one migrated store. Without `serving` (the command line) no index is kept on disk:
    commands write to the store alone, and a server that runs beside them follows."""
    return _services(_ground(settings, embedder, clock, serving), chance or random.Random())


def _ground(
    settings: Settings, embedder: Embedder | None, clock: Callable[[], datetime], serving: bool
) -> _Ground:
    settings.data.mkdir(parents=True, exist_ok=True)
    store = Store(settings.store_url, clock=clock)
    store.migrate()
    metrics = Metrics()
    encoder = BatchingEmbedder(
        embedder or open_encoder(settings),
        cache=RECENT_QUERIES if serving else 0,
    )
    derived = settings.data / "derived"
    return _Ground(
        settings=settings,
        serving=serving,
        clock=clock,
        store=store,
        metrics=metrics,
        encoder=encoder,
        reader=Reader(encoder, MoodReading(encoder, derived / ".moods.npz" if serving else None)),
        replicas=Replicas(
            store,
            encoder,
            derived,
            publishes=serving,
            clock=clock,
            metrics=metrics,
            walks=settings.graph_walk,
            reranking=_reranking(settings, metrics),
        ),
        exposures=ExposureLog(store),
    )


def _cases(on: _Ground) -> _Cases:
    files = CaseFiles(on.store, clock=on.clock)
    routing = Routing(files, on.replicas, on.reader, clock=on.clock)
    return _Cases(
        files=files,
        routing=routing,
        casework=Casework(on.store, on.replicas, on.reader, routing, clock=on.clock, metrics=on.metrics),
        assigning=Assigning(on.store, on.replicas, routing, clock=on.clock),
        clustering=Clustering(on.store, on.replicas, clock=on.clock),
    )


def _teaching(on: _Ground) -> _Teaching:
    return _Teaching(
        calibrating=Calibrating(on.store, on.replicas, on.reader, clock=on.clock),
        learning=Learning(on.store, on.replicas, clock=on.clock),
        prioritising=Prioritising(on.store, on.replicas, on.reader, clock=on.clock),
    )


def _answering(on: _Ground, cases: _Cases, conflicts: Conflicts, rewording: Rewording | None) -> Answering:
    return Answering(
        on.replicas,
        on.reader,
        cases.routing,
        cases.casework,
        on.exposures,
        Composer(Meaning(on.encoder)),
        conflicts,
        HandingOver(on.reader, cases.files, on.exposures, clock=on.clock),
        clock=on.clock,
        metrics=on.metrics,
        rewording=rewording,
    )


def _nightly(
    on: _Ground, cases: _Cases, teaching: _Teaching, loop: ClosedLoop, backups: Backups, library: Library
) -> Nightly:
    # The backup comes first: what the rest of the night does can then be taken back.
    kept = {"backup": backups.night} if backups.nightly else {}
    return Nightly(
        on.store,
        {
            **kept,
            "recalibrate": partial(teaching.calibrating.by_verdicts, actor=NIGHTLY),
            "rank": teaching.learning.night,
            "weigh": teaching.prioritising.night,
            "expertise": cases.clustering.night,
            "decisions": cases.assigning.night,
            "regroup": NightlyRegrouping(on.store, on.replicas, cases.routing, clock=on.clock).night,
            "closed_loop": loop.night,
            "tidy": library.night,
        },
        hour=on.settings.night_hour,
        clock=on.clock,
    )


def _services(on: _Ground, chance: random.Random) -> Services:
    settings, store, replicas, clock = on.settings, on.store, on.replicas, on.clock
    networks = parse_networks(settings.webhook_allow)
    gatekeeper = Gatekeeper(store)
    parsers = ParserPool(seconds=settings.parse_seconds, memory_mb=settings.parse_memory_mb)
    cases, teaching = _cases(on), _teaching(on)
    gap_board = Gaps(store, replicas, on.reader, on.exposures, clock=clock)
    conflicts = Conflicts(replicas, clock=clock)
    stale = Stale(store, replicas, on.reader, on.exposures, clock=clock)
    knowing = Knowledge(store, on.encoder, parsers, replicas if on.serving else None)
    editing = Editing(store, knowing, clock=clock)
    reviewing = Reviewing(store, replicas, on.exposures)
    rewording = _rewording(settings, on.metrics)
    trials = Experiments(store, replicas, on.exposures, clock=clock, walks=settings.graph_walk)
    taxonomy = Taxonomy(store, replicas, on.reader, clock=clock)
    standing_problems = Problems(store, replicas, clock=clock)
    effects = MeasuredEffects(store, replicas, trials)
    backups = Backups(store, settings, clock=clock)
    loop = ClosedLoop(store, replicas, on.exposures, effects, clock=clock)
    library = Library(store, replicas, conflicts, stale, clock=clock)
    return Services(
        settings=settings,
        store=store,
        metrics=on.metrics,
        encoder=on.encoder,
        parsers=parsers,
        reader=on.reader,
        replicas=replicas,
        replays=Replays(store),
        exposures=on.exposures,
        gatekeeper=gatekeeper,
        accounts=Accounts(store),
        audit_trail=AuditTrail(store),
        keyring=Keyring(store, gatekeeper),
        key_uses=KeyUses(store, gatekeeper, clock=clock),
        installation=Installation(store, settings.data / "derived"),
        clock=clock,
        knowledge=knowing,
        editing=editing,
        articles=Articles(gap_board, reviewing, editing),
        previews=Previews(store, knowing, clock=clock),
        library=library,
        conflicts=conflicts,
        stale=stale,
        answering=_answering(on, cases, conflicts, rewording),
        feedback=Feedbacks(store, on.exposures),
        rewording=rewording,
        routing=cases.routing,
        agent_desk=AgentDesk(store, replicas, on.reader, cases.routing, cases.assigning, clock=clock),
        assigning=cases.assigning,
        assignment_watch=AssignmentWatch(store, cases.assigning),
        consulting=Consulting(store, replicas, cases.routing, clock=clock),
        clustering=cases.clustering,
        taxonomy=taxonomy,
        team=Team(store, replicas),
        casework=cases.casework,
        problems=standing_problems,
        problem_board=ProblemBoard(store, replicas, standing_problems, clock=clock),
        pictures=Pictures(replicas, clock=clock),
        notice_rounds=NoticeRounds(store, clock=clock),
        following_up=FollowingUp(store, replicas, clock=clock),
        regrouping=Regrouping(store, replicas, cases.routing, clock=clock),
        regrouping_previews=RegroupingPreviews(store, replicas, cases.routing, clock=clock),
        rulebook=Rulebook(store, replicas),
        backtesting=Backtesting(store, clock=clock),
        backtest_runs=LongRuns("backtests", clock=clock),
        proposals=Proposals(store, replicas, taxonomy, cases.clustering, trials, clock=clock),
        closed_loop=loop,
        reviewing=reviewing,
        calibrating=teaching.calibrating,
        learning=teaching.learning,
        prioritising=teaching.prioritising,
        nightly=_nightly(on, cases, teaching, loop, backups, library),
        backups=backups,
        upkeep=Upkeep(store, replicas, on.encoder, parsers, settings, clock=clock),
        gaps=gap_board,
        gap_watch=GapWatch(store, replicas, gap_board, clock=clock),
        traffic=TrafficDesk(store, replicas, clock=clock),
        surge_end=SurgeEnd(store, replicas, clock=clock),
        window_end=WindowEnd(store, replicas, metrics=on.metrics, clock=clock),
        experiments=trials,
        experiment_watch=ExperimentWatch(store, replicas, trials, clock=clock),
        measuring=Measuring(store, replicas, clock=clock),
        endpoints=Endpoints(store, networks),
        courier=Courier(store, on.metrics, allow=networks, clock=clock, chance=chance),
        digests=Digests(store, _mail(settings), _standing(conflicts, stale), clock=clock, chance=chance),
        limiter=anyio.CapacityLimiter(settings.worker_threads),
    )


def _reranking(settings: Settings, metrics: Metrics) -> Reranking | None:
    """The stage that reads the first documents again, None unless a reranker is set."""
    if not settings.reranker.strip():
        return None
    return Reranking(
        load_reranker(settings.reranker.strip(), threads=settings.encoder_threads),
        metrics,
        documents=settings.reranker_documents,
        weight=settings.reranker_weight,
    )


def _mail(settings: Settings) -> SmtpMail | None:
    """The server that digests go by, None unless both it and the sender are set."""
    if settings.smtp_url is None or settings.mail_from is None:
        return None
    return SmtpMail(settings.smtp_url, settings.mail_from)


def _standing(conflicts: Conflicts, stale: Stale) -> Standing:
    """How many documents need somebody, as far as one page of them tells."""
    return lambda workspace: {
        "conflicts": len(conflicts.page(workspace, None, MOST_COUNTED).items),
        "stale": len(stale.page(workspace, None, MOST_COUNTED).items),
    }


def _rewording(settings: Settings, metrics: Metrics) -> Rewording | None:
    """The model that rewords answers, None unless both its server and its name are set."""
    if settings.rephrase_url is None or settings.rephrase_model is None:
        return None
    key = settings.rephrase_key.get_secret_value() if settings.rephrase_key else None
    rephraser = ChatRephraser(
        settings.rephrase_url, settings.rephrase_model, key, seconds=settings.rephrase_seconds
    )
    return Rewording(rephraser, metrics, suggestions=settings.rephrase_suggestions)


def create_app(
    settings: Settings,
    *,
    embedder: Embedder | None = None,
    clock: Callable[[], datetime] = utc_now,
    chance: random.Random | None = None,
) -> FastAPI:
    """The whole service over one store. Tests pass a deterministic embedder, clock and chance."""
    services = wire(settings, embedder=embedder, clock=clock, chance=chance)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services.start()
        carrying = asyncio.create_task(services.courier.run())
        log.info("started", model=services.encoder.model_id)
        try:
            yield
        finally:
            carrying.cancel()
            with suppress(asyncio.CancelledError):
                await carrying
            await anyio.to_thread.run_sync(services.stop)
            log.info("stopped")

    app = FastAPI(
        title="kb-service",
        version=openapi.VERSION,
        summary="The knowledge service behind every support reply of an online shop.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.router.route_class = GuardedRoute
    app.state.services = services
    app.state.idempotency_locks = defaultdict(asyncio.Lock)
    for router in (*ROUTERS, *console.ROUTERS):
        app.include_router(router)
    openapi.install(app)
    problem_details.install(app)
    app.add_middleware(Admission, settings=settings, metrics=services.metrics)
    app.add_middleware(BodyLimit, settings=settings)
    app.add_middleware(RequestContext, metrics=services.metrics)
    return app
