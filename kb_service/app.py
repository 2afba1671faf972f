"""Where everything is wired, once: settings in, an ASGI application out."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import anyio
import anyio.to_thread
from fastapi import APIRouter, FastAPI
from structlog.stdlib import get_logger

from ingest.embedding import BatchingEmbedder, Embedder, load_embedder
from ingest.sandbox import ParserPool
from kb_service import openapi, problem_details
from kb_service.answering import Answering
from kb_service.casework import Casework
from kb_service.delivery.addresses import parse_networks
from kb_service.delivery.courier import Courier
from kb_service.delivery.endpoints import Endpoints
from kb_service.exposures import ExposureLog
from kb_service.knowledge import Knowledge
from kb_service.middleware import Admission, BodyLimit, RequestContext
from kb_service.observability import Metrics
from kb_service.problems import Problems
from kb_service.reading import Reader
from kb_service.replays import Replays
from kb_service.replicas import Replicas
from kb_service.routes import events, health, knowledge, people, problems, questions, webhooks
from kb_service.routes.context import GuardedRoute
from kb_service.routing import Routing
from kb_service.security import Gatekeeper
from kb_service.services import Services
from kb_service.settings import Settings
from kb_service.store import Store

log = get_logger(__name__)

ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    questions.router,
    questions.once,
    knowledge.router,
    people.router,
    events.router,
    events.once,
    problems.router,
    problems.once,
    webhooks.router,
    webhooks.once,
)
RECENT_QUERIES = 1024
"""Vectors of recent questions that are kept."""


def utc_now() -> datetime:
    return datetime.now(UTC)


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
    settings.data.mkdir(parents=True, exist_ok=True)
    store = Store(settings.store_url, clock=clock)
    store.migrate()
    metrics = Metrics()
    encoder = BatchingEmbedder(
        embedder or load_embedder(settings.embedding_model, threads=settings.encoder_threads),
        cache=RECENT_QUERIES if serving else 0,
    )
    parsers = ParserPool(seconds=settings.parse_seconds, memory_mb=settings.parse_memory_mb)
    reader = Reader(encoder)
    derived = settings.data / "derived"
    replicas = Replicas(store, encoder, derived, publishes=serving, clock=clock, metrics=metrics)
    exposures = ExposureLog(store)
    networks = parse_networks(settings.webhook_allow)
    routing = Routing(store, replicas, reader, clock=clock)
    casework = Casework(store, replicas, reader, routing, clock=clock, metrics=metrics)
    return Services(
        settings=settings,
        store=store,
        metrics=metrics,
        encoder=encoder,
        parsers=parsers,
        reader=reader,
        replicas=replicas,
        replays=Replays(store),
        exposures=exposures,
        gatekeeper=Gatekeeper(store),
        knowledge=Knowledge(store, encoder, parsers, replicas if serving else None),
        answering=Answering(
            store, replicas, reader, routing, casework, exposures, clock=clock, metrics=metrics
        ),
        routing=routing,
        casework=casework,
        problems=Problems(store, replicas, routing, clock=clock),
        endpoints=Endpoints(store, networks),
        courier=Courier(store, metrics, allow=networks, clock=clock, chance=chance or random.Random()),
        limiter=anyio.CapacityLimiter(settings.worker_threads),
    )


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
    for router in ROUTERS:
        app.include_router(router)
    openapi.install(app)
    problem_details.install(app)
    app.add_middleware(Admission, settings=settings, metrics=services.metrics)
    app.add_middleware(BodyLimit, settings=settings)
    app.add_middleware(RequestContext, metrics=services.metrics)
    return app
