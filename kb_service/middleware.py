"""What every request passes through: an id, a limit on its size, a place in the queue, a log line, a count."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import TypeAlias

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.stdlib import get_logger
from ulid import ULID

from kb_service.errors import Overloaded, PayloadTooLarge
from kb_service.observability import Metrics
from kb_service.settings import Settings

log = get_logger(__name__)

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
STREAMED = re.compile(r"/v1/(events|documents):batch")
UPLOADS = re.compile(r"/v1/documents:upload|/console/knowledge/upload")
UNQUEUED = re.compile(r"/health/|/metrics")
Refusal: TypeAlias = Callable[[Request, Exception], Response]
"""What is answered where no route is reached."""
WAIT_SECONDS = 5.0
"""How long a request may wait for its turn before it is refused with 503."""


class RequestContext:
    """Gives each request an id, echoes it, logs the outcome and counts it by route template."""

    def __init__(self, app: ASGIApp, metrics: Metrics, refusal: Refusal) -> None:
        self._app = app
        self._metrics = metrics
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        offered = Headers(scope=scope).get("x-request-id", "")
        request_id = offered if REQUEST_ID.fullmatch(offered) else str(ULID())
        started = time.perf_counter()
        status = 0

        async def with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        self._metrics.in_flight.inc()
        try:
            await self._app(scope, receive, with_id)
        except Exception as error:
            # Every known error became a response further in; what comes here is a fault of ours.
            log.error("request_failed", path=scope["path"], exc_info=error)
            if status == 0:
                await self._refusal(Request(scope), error)(scope, receive, with_id)
        finally:
            self._metrics.in_flight.dec()
            seconds = time.perf_counter() - started
            template = getattr(scope.get("route"), "path", "unmatched")
            method = str(scope["method"])
            self._metrics.requests.labels(method, template, str(status)).inc()
            self._metrics.latency.labels(method, template).observe(seconds)
            log.info("request", method=method, route=template, status=status, ms=round(seconds * 1000, 1))
            structlog.contextvars.unbind_contextvars("request_id")


class BodyLimit:
    """Refuses bodies beyond the configured size, by their announced and by their counted length.

    Streamed batches have no limit as a whole; their lines have one.
    """

    def __init__(self, app: ASGIApp, settings: Settings, refusal: Refusal) -> None:
        self._app = app
        self._settings = settings
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or STREAMED.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        upload = UPLOADS.fullmatch(scope["path"])
        limit = self._settings.max_upload_bytes if upload else self._settings.max_body_bytes
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdigit() and int(announced) > limit:
            await self._refusal(Request(scope), _too_large(limit))(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise _too_large(limit)
            return message

        await self._app(scope, counted, send)


class Admission:
    """Works on at most `max_concurrency` requests at once; others wait a little, then get 503."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics, refusal: Refusal) -> None:
        self._app = app
        self._refusal = refusal
        self._places = asyncio.Semaphore(settings.max_concurrency)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or UNQUEUED.match(scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._places.acquire()
        except TimeoutError:
            self._metrics.refused.labels("busy").inc()
            busy = Overloaded("Too many requests are being worked on; try again shortly.", retry_after=2)
            await self._refusal(Request(scope), busy)(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            self._places.release()


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(
        "The body is larger than {limit} bytes; send less, or a batch line by line.", limit=limit
    )
