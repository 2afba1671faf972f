"""Where everything is wired, once: settings in, an ASGI application out."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import anyio
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
from kb_service.reading import Reader
from kb_service.replays import Replays
from kb_service.replicas import Replicas
from kb_service.routes import events, health, knowledge, people, problems, questions, webhooks
from kb_service.routes.context import Services
from kb_service.routing import Routing
from kb_service.security import Gatekeeper
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


def utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(
    settings: Settings,
    *,
    embedder: Embedder | None = None,
    clock: Callable[[], datetime] = utc_now,
    chance: random.Random | None = None,
) -> FastAPI:
    """The whole service over one store. Tests pass a deterministic embedder, clock and chance."""
    settings.data.mkdir(parents=True, exist_ok=True)
    store = Store(settings.store_url, clock=clock)
    store.migrate()
    metrics = Metrics()
    encoder = BatchingEmbedder(
        embedder or load_embedder(settings.embedding_model, threads=settings.encoder_threads), cache=1024
    )
    parsers = ParserPool(seconds=settings.parse_seconds, memory_mb=settings.parse_memory_mb)
    reader = Reader(encoder)
    replicas = Replicas(store, encoder, settings.data / "derived", clock=clock, metrics=metrics)
    exposures = ExposureLog(store)
    networks = parse_networks(settings.webhook_allow)
    routing = Routing(store, replicas, reader, clock=clock)
    casework = Casework(store, replicas, reader, routing, clock=clock, metrics=metrics)
    services = Services(
        settings=settings,
        metrics=metrics,
        gatekeeper=Gatekeeper(store),
        replicas=replicas,
        replays=Replays(store),
        knowledge=Knowledge(store, encoder, parsers, replicas),
        answering=Answering(
            store, replicas, reader, routing, casework, exposures, clock=clock, metrics=metrics
        ),
        routing=routing,
        casework=casework,
        endpoints=Endpoints(store, networks),
        limiter=anyio.CapacityLimiter(settings.worker_threads),
    )
    courier = Courier(
        store, metrics, allow=networks, clock=clock, chance=chance or random.Random()  # noqa: S311
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        replicas.start()
        exposures.start()
        carrying = asyncio.create_task(courier.run())
        log.info("started", store=store.dialect, model=encoder.model_id)
        try:
            yield
        finally:
            carrying.cancel()
            with suppress(asyncio.CancelledError):
                await carrying
            await anyio.to_thread.run_sync(_stop, exposures, replicas, parsers, encoder, store)
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
    app.state.services = services
    app.state.idempotency_locks = defaultdict(asyncio.Lock)
    for router in ROUTERS:
        app.include_router(router)
    openapi.install(app)
    problem_details.install(app)
    app.add_middleware(Admission, settings=settings, metrics=metrics)
    app.add_middleware(BodyLimit, settings=settings)
    app.add_middleware(RequestContext, metrics=metrics)
    return app


def _stop(
    exposures: ExposureLog,
    replicas: Replicas,
    parsers: ParserPool,
    encoder: BatchingEmbedder,
    store: Store,
) -> None:
    """In the order in which one part may still need the next."""
    exposures.stop()
    replicas.stop()
    parsers.close()
    encoder.close()
    store.close()
