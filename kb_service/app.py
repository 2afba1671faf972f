"""Where everything is wired, once: settings in, an ASGI application out."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial

import anyio
import anyio.to_thread
from fastapi import FastAPI, Request, Response
from structlog.stdlib import get_logger

from ingest.embedding import BatchingEmbedder, Embedder
from ingest.reranking import load_reranker
from ingest.sandbox import ParserPool
from kb_service import openapi, problem_details
from kb_service.accounts import Accounts
from kb_service.answer_explanation import Explaining
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
from kb_service.console.first_views import FirstViews
from kb_service.console.guard import refused_page
from kb_service.delivery.addresses import parse_networks
from kb_service.delivery.courier import Courier
from kb_service.delivery.digests import Digests, LibraryCounts
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
from kb_service.nightly import Job, Nightly
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
from kb_service.recurring.backtesting import Backtesting
from kb_service.recurring.closed_loop import ClosedLoop
from kb_service.recurring.following_up import FollowingUp
from kb_service.recurring.measured_effects import MeasuredEffects
from kb_service.recurring.nightly_regrouping import NightlyRegrouping
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
from kb_service.replying.composer import Composer
from kb_service.replying.considering import Considering
from kb_service.replying.meaning import Meaning
from kb_service.replying.rehearsing import Rehearsing
from kb_service.replying.rephrasing import ChatRephraser, Rewording
from kb_service.replying.responding import Responding
from kb_service.routes.context import GuardedRoute
from kb_service.routes.routers import ROUTERS
from kb_service.routing import Routing
from kb_service.search.reranking import Reranking
from kb_service.security import Gatekeeper
from kb_service.services import (
    Answers,
    Cases,
    Documents,
    Entry,
    Figures,
    Ground,
    Keeping,
    Recurrence,
    Services,
    Teaching,
    Telling,
)
from kb_service.settings import Settings
from kb_service.store import Store
from kb_service.traffic.desk import TrafficDesk
from kb_service.traffic.surging import SurgeEnd
from kb_service.trials.experiments import Experiments
from kb_service.trials.watch import ExperimentWatch
from kb_service.trying_out import TryingOut
from kb_service.understanding.mood_reading import MoodReading
from kb_service.understanding.reading import Reader
from kb_service.upkeep import Upkeep
from kb_service.upload_previews import UploadPreviews

log = get_logger(__name__)

RECENT_QUERIES = 1024
"""Vectors of recent questions that are kept."""

MOST_COUNTED = 1000
"""Documents that a digest counts."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def wire(
    settings: Settings,
    *,
    embedder: Embedder | None = None,
    clock: Callable[[], datetime] = utc_now,
    chance: random.Random | None = None,
    serving: bool = True,
    parsing: bool = False,
) -> Services:
    """Every part over one migrated store. Without `serving` (the command line) no index is kept on disk:
    commands write to the store alone, and a server that runs beside them follows. With `parsing` a parser's process
    starts at once, beside all else, as files are about to be read."""
    on = _ground(settings, embedder, clock, serving, parsing)
    entry = _entry(on)
    documents = _documents(on)
    cases = _cases(on)
    answers = _answers(on, cases, documents)
    figures = _figures(on)
    recurrence = _recurrence(on, documents, cases, figures)
    teaching = _teaching(on)
    telling = _telling(on, documents, chance or random.Random())
    keeping = _keeping(on, documents, cases, recurrence, teaching)
    return Services(
        **vars(on),
        **vars(entry),
        **vars(documents),
        **vars(cases),
        **vars(answers),
        **vars(figures),
        **vars(recurrence),
        **vars(teaching),
        **vars(telling),
        **vars(keeping),
    )


def _ground(
    settings: Settings,
    embedder: Embedder | None,
    clock: Callable[[], datetime],
    serving: bool,
    parsing: bool,
) -> Ground:
    parsers = ParserPool(seconds=settings.parse_seconds, memory_mb=settings.parse_memory_mb)
    if parsing:
        parsers.start()
    settings.data.mkdir(parents=True, exist_ok=True)
    store = Store(settings.store_url, clock=clock)
    store.migrate()
    metrics = Metrics()
    encoder = BatchingEmbedder(
        embedder or open_encoder(settings),
        cache=RECENT_QUERIES if serving else 0,
    )
    derived = settings.data / "derived"
    return Ground(
        settings=settings,
        serving=serving,
        clock=clock,
        store=store,
        metrics=metrics,
        encoder=encoder,
        parsers=parsers,
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
        limiter=anyio.CapacityLimiter(settings.worker_threads),
    )


def _entry(on: Ground) -> Entry:
    gatekeeper = Gatekeeper(on.store)
    return Entry(
        gatekeeper=gatekeeper,
        accounts=Accounts(on.store),
        audit_trail=AuditTrail(on.store),
        keyring=Keyring(on.store, gatekeeper),
        key_uses=KeyUses(on.store, gatekeeper, clock=on.clock),
        installation=Installation(on.store, on.settings.data / "derived"),
        replays=Replays(on.store),
    )


def _documents(on: Ground) -> Documents:
    store, replicas, clock = on.store, on.replicas, on.clock
    knowledge = Knowledge(store, on.encoder, on.parsers, replicas if on.serving else None)
    editing = Editing(store, knowledge, clock=clock)
    conflicts = Conflicts(replicas, clock=clock)
    stale = Stale(store, replicas, on.reader, on.exposures, clock=clock)
    gaps = Gaps(store, replicas, on.reader, on.exposures, clock=clock)
    reviewing = Reviewing(store, replicas, on.exposures)
    return Documents(
        knowledge=knowledge,
        editing=editing,
        articles=Articles(gaps, reviewing, editing),
        upload_previews=UploadPreviews(store, knowledge, clock=clock),
        library=Library(store, replicas, conflicts, stale, clock=clock),
        conflicts=conflicts,
        stale=stale,
        gaps=gaps,
        gap_watch=GapWatch(store, replicas, gaps, clock=clock),
        reviewing=reviewing,
    )


def _cases(on: Ground) -> Cases:
    store, replicas, clock = on.store, on.replicas, on.clock
    case_files = CaseFiles(store, clock=clock)
    routing = Routing(case_files, replicas, on.reader, clock=clock)
    waiting_queue = WaitingQueue(store, replicas, routing, clock=clock)
    assigning = Assigning(store, replicas, waiting_queue, clock=clock)
    return Cases(
        case_files=case_files,
        routing=routing,
        casework=Casework(store, replicas, on.reader, routing, clock=clock, metrics=on.metrics),
        agent_desk=AgentDesk(store, replicas, on.reader, routing, waiting_queue, clock=clock),
        waiting_queue=waiting_queue,
        assigning=assigning,
        assignment_watch=AssignmentWatch(store, assigning),
        consulting=Consulting(store, replicas, routing, clock=clock),
        clustering=Clustering(store, replicas, clock=clock),
        taxonomy=Taxonomy(store, replicas, on.reader, clock=clock),
        team=Team(store, replicas),
    )


def _answers(on: Ground, cases: Cases, documents: Documents) -> Answers:
    rewording = _rewording(on.settings, on.metrics)
    handing_over = HandingOver(on.reader, cases.case_files, on.exposures, clock=on.clock)
    composer = Composer(Meaning(on.encoder))
    considering = Considering(on.reader, composer, documents.conflicts, handing_over, clock=on.clock)
    responding = Responding(cases.routing, handing_over, rewording)
    rehearsing = Rehearsing(considering, responding)
    return Answers(
        answering=Answering(
            on.replicas,
            on.reader,
            cases.casework,
            considering,
            responding,
            on.exposures,
            clock=on.clock,
            metrics=on.metrics,
        ),
        explaining=Explaining(on.replicas, rehearsing),
        trying_out=TryingOut(on.replicas, rehearsing),
        feedback=Feedbacks(on.store, on.exposures),
        rewording=rewording,
    )


def _figures(on: Ground) -> Figures:
    store, replicas, clock = on.store, on.replicas, on.clock
    experiments = Experiments(store, replicas, on.exposures, clock=clock, walks=on.settings.graph_walk)
    return Figures(
        traffic=TrafficDesk(store, replicas, clock=clock),
        surge_end=SurgeEnd(store, replicas, clock=clock),
        measuring=Measuring(store, replicas, clock=clock),
        experiments=experiments,
        experiment_watch=ExperimentWatch(store, replicas, experiments, clock=clock),
    )


def _recurrence(on: Ground, documents: Documents, cases: Cases, figures: Figures) -> Recurrence:
    store, replicas, clock = on.store, on.replicas, on.clock
    problems = Problems(store, replicas, clock=clock)
    effects = MeasuredEffects(store, replicas, figures.experiments, documents.gaps)
    return Recurrence(
        problems=problems,
        problem_board=ProblemBoard(store, replicas, problems, clock=clock),
        pictures=Pictures(replicas, clock=clock),
        notice_rounds=NoticeRounds(store, clock=clock),
        following_up=FollowingUp(store, replicas, clock=clock),
        window_end=WindowEnd(store, replicas, metrics=on.metrics, clock=clock),
        regrouping=Regrouping(store, replicas, cases.routing, clock=clock),
        regrouping_previews=RegroupingPreviews(store, replicas, cases.routing, clock=clock),
        rulebook=Rulebook(store, replicas),
        backtesting=Backtesting(store, clock=clock),
        backtest_runs=LongRuns("backtests", clock=clock),
        proposals=Proposals(
            store, replicas, cases.taxonomy, cases.clustering, figures.experiments, clock=clock
        ),
        closed_loop=ClosedLoop(store, replicas, on.exposures, effects, clock=clock),
    )


def _teaching(on: Ground) -> Teaching:
    return Teaching(
        calibrating=Calibrating(on.store, on.replicas, on.reader, clock=on.clock),
        learning=Learning(on.store, on.replicas, clock=on.clock),
        prioritising=Prioritising(on.store, on.replicas, on.reader, clock=on.clock),
    )


def _telling(on: Ground, documents: Documents, chance: random.Random) -> Telling:
    networks = parse_networks(on.settings.webhook_allow)
    counts = _library_counts(documents)
    return Telling(
        endpoints=Endpoints(on.store, networks),
        courier=Courier(on.store, on.metrics, allow=networks, clock=on.clock, chance=chance),
        digests=Digests(on.store, _mail(on.settings), counts, clock=on.clock, chance=chance),
    )


def _keeping(
    on: Ground, documents: Documents, cases: Cases, recurrence: Recurrence, teaching: Teaching
) -> Keeping:
    backups = Backups(on.store, on.settings, clock=on.clock)
    regrouping = NightlyRegrouping(on.store, on.replicas, cases.routing, clock=on.clock)
    work: dict[str, Job] = {
        "recalibrate": partial(teaching.calibrating.by_verdicts, actor=NIGHTLY),
        "rank": teaching.learning.night,
        "weigh": teaching.prioritising.night,
        "expertise": cases.clustering.night,
        "decisions": cases.assigning.night,
        "regroup": regrouping.night,
        "closed_loop": recurrence.closed_loop.night,
        "tidy": documents.library.night,
    }
    if backups.nightly:
        # The backup comes first: what the rest of the night does can then be taken back.
        work = {"backup": backups.night, **work}
    return Keeping(
        nightly=Nightly(on.store, work, hour=on.settings.night_hour, clock=on.clock),
        backups=backups,
        upkeep=Upkeep(on.store, on.replicas, on.encoder, on.parsers, on.settings, clock=on.clock),
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


def _library_counts(documents: Documents) -> LibraryCounts:
    """How many documents need somebody, as far as one page of them tells."""
    return lambda workspace: {
        "conflicts": len(documents.conflicts.page(workspace, None, MOST_COUNTED).items),
        "stale": len(documents.stale.page(workspace, None, MOST_COUNTED).items),
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
    first_views = FirstViews(services, console.FIRST_VIEWS)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services.start()
        first_views.start()
        carrying = asyncio.create_task(services.courier.run())
        log.info("started", model=services.encoder.model_id)
        try:
            yield
        finally:
            carrying.cancel()
            with suppress(asyncio.CancelledError):
                await carrying
            await anyio.to_thread.run_sync(first_views.stop)
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
        app.router.routes.extend(
            router.routes
        )  # as they are: including them would build each anew for every app
    openapi.install(app)
    problem_details.install(app)
    app.add_middleware(Admission, settings=settings, metrics=services.metrics, refusal=_refusal)
    app.add_middleware(BodyLimit, settings=settings, refusal=_refusal)
    app.add_middleware(RequestContext, metrics=services.metrics, refusal=_refusal)
    return app


def _refusal(request: Request, error: Exception) -> Response:
    """What is answered where no route is reached: people get a page, programs problem details."""
    path = f"{request.scope['path']}/"
    return (refused_page if path.startswith("/console/") else problem_details.refusal)(request, error)
