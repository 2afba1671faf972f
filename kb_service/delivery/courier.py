"""Carries what the outbox holds to its endpoints, with retries, until it arrives or the schedule ends."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import anyio.to_thread
import httpx
from structlog.stdlib import get_logger

from kb_service.delivery import messages
from kb_service.delivery.addresses import ForbiddenAddress, Network, Resolve, reachable, resolve
from kb_service.observability import Metrics
from kb_service.store import Claim, Store

log = get_logger(__name__)

SCHEDULE = tuple(
    timedelta(seconds=seconds) for seconds in (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""The wait before each attempt, the first included (Standard Webhooks 1.0.0)."""
JITTER = 0.2
"""A retry waits up to this share longer, so that many deliveries do not return at the same moment."""
TIMEOUT_SECONDS = 15.0
IDLE_SECONDS = 0.5
TOGETHER = 32


class Courier:
    """One worker; several may run beside each other, since each claims its deliveries with a lease."""

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        *,
        allow: Sequence[Network],
        clock: Callable[[], datetime],
        chance: random.Random,
        resolve: Resolve = resolve,
    ) -> None:
        self._outbox = store.outbox_worker()
        self._metrics = metrics
        self._allow = allow
        self._clock = clock
        self._chance = chance
        self._resolve = resolve

    async def run(self) -> None:
        """Deliver until cancelled. A fault of the store is logged and tried again; it never ends the worker."""
        async with _client() as client:
            while True:
                try:
                    carried = await self.deliver_due(client)
                except asyncio.CancelledError:
                    raise
                except Exception as error:
                    log.error("courier_failed", exc_info=error)
                    carried = 0
                if not carried:
                    await asyncio.sleep(IDLE_SECONDS)

    async def deliver_due(self, client: httpx.AsyncClient | None = None) -> int:
        """Attempt everything that is due now, endpoints beside each other; returns how many attempts were made."""
        if client is None:
            async with _client() as own:
                return await self.deliver_due(own)
        claims = await anyio.to_thread.run_sync(self._outbox.due, self._clock(), TOGETHER)
        await asyncio.gather(*(self._attempt(client, claim) for claim in claims))
        return len(claims)

    async def _attempt(self, client: httpx.AsyncClient, claim: Claim) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                status = await self._send(client, claim)
            error = None if 200 <= status < 300 else f"answered {status}"
        except ForbiddenAddress as refused:
            status, error = None, str(refused)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as failed:
            status, error = None, f"{type(failed).__name__}: {failed}"
        await anyio.to_thread.run_sync(self._settle, claim, status, error)

    async def _send(self, client: httpx.AsyncClient, claim: Claim) -> int:
        """One POST to the very address that was checked; the name stays in Host and in TLS."""
        parts = urlsplit(claim.webhook.url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = await anyio.to_thread.run_sync(
            lambda: reachable(host, port, self._allow, resolve=self._resolve)
        )
        payload = messages.body(claim.type, claim.at, claim.data)
        headers = messages.headers(claim.message_id, self._clock(), payload, claim.webhook.secrets)
        request = client.build_request(
            "POST",
            httpx.URL(claim.webhook.url).copy_with(host=str(address)),
            content=payload,
            headers={**headers, "host": parts.netloc.rpartition("@")[2]},
            extensions={"sni_hostname": host},
        )
        response = await client.send(request, stream=True, follow_redirects=False)
        await response.aclose()
        return response.status_code

    def _settle(self, claim: Claim, status: int | None, error: str | None) -> None:
        now = self._clock()
        if error is None and status is not None:
            outcome, kept = "delivered", self._outbox.succeeded(claim, now, status)
        elif status == 410:
            outcome, kept = "disabled", self._outbox.disabled(claim, now, "the endpoint answered 410 Gone")
        elif claim.attempt >= len(SCHEDULE):
            outcome, kept = "exhausted", self._outbox.exhausted(claim, now, status, error)
        else:
            wait = SCHEDULE[claim.attempt] * (1 + JITTER * self._chance.random())
            outcome, kept = "failed", self._outbox.failed(claim, now, now + wait, status, error)
        self._metrics.deliveries.labels(outcome).inc()
        log.info(
            "delivery",
            outcome=outcome if kept else "lease_lost",
            webhook=claim.webhook.id,
            message=claim.message_id,
            attempt=claim.attempt,
            status=status,
            error=error,
        )


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(
        timeout=TIMEOUT_SECONDS, trust_env=False, limits=httpx.Limits(max_connections=64)
    )
