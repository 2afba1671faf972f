"""Carries what the outbox holds to its endpoints, with retries, until it arrives or the schedule ends."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable, Sequence, Set
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from urllib.parse import urlsplit

import anyio.to_thread
import httpx
from structlog.stdlib import get_logger

from kb_service.delivery import disabling
from kb_service.delivery.addresses import ForbiddenAddress, Network, Resolve, reachable, resolve
from kb_service.delivery.answers import MOST_READ, Answer, answer_of, failure
from kb_service.delivery.formats import FORMATS, Format, Outgoing, Told
from kb_service.observability import Metrics
from kb_service.store import Claim, Store
from kb_service.timezones import zone

log = get_logger(__name__)

SCHEDULE = tuple(
    timedelta(seconds=seconds) for seconds in (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""The wait before each attempt, the first included (Standard Webhooks 1.0.0)."""
JITTER = 0.2
"""A retry waits up to this share longer, so that many deliveries do not return at the same moment."""
TIMEOUT_SECONDS = 15.0
IDLE_SECONDS = 0.5
TOGETHER = 64
"""Attempts of one worker under way at once."""


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
        self._store = store
        self._outbox = store.outbox_worker()
        self._metrics = metrics
        self._allow = allow
        self._clock = clock
        self._chance = chance
        self._resolve = resolve

    async def run(self) -> None:
        """Deliver until cancelled. A fault of the store is logged and tried again; it never ends the worker.

        Nothing waits for an attempt but its own webhook, however long that takes to answer.
        """
        under_way: set[asyncio.Task[None]] = set()
        async with _client() as client:
            try:
                while True:
                    begun = await self._begin(client, TOGETHER - len(under_way))
                    under_way |= begun
                    if not begun:
                        under_way -= await _first_ended(under_way)
            finally:
                for attempt in under_way:
                    attempt.cancel()
                await asyncio.gather(*under_way, return_exceptions=True)

    async def _begin(self, client: httpx.AsyncClient, room: int) -> set[asyncio.Task[None]]:
        """Begin to attempt what is due, as much as there is room for."""
        try:
            claims = await self._claimed(room) if room > 0 else []
        except Exception as error:
            log.error("courier_failed", exc_info=error)
            return set()
        return {asyncio.create_task(self._attempt(client, claim)) for claim in claims}

    async def _claimed(self, room: int) -> list[Claim]:
        return await anyio.to_thread.run_sync(self._outbox.due, self._clock(), room)

    async def deliver_due(self, client: httpx.AsyncClient | None = None) -> int:
        """Attempt everything that is due now, endpoints beside each other; returns how many attempts were made.

        Where the outcome of one cannot be noted, the others go on all the same; then the first fault is raised, and
        what was not noted is attempted again when its lease ends.
        """
        if client is None:
            async with _client() as own:
                return await self.deliver_due(own)
        claims = await self._claimed(TOGETHER)
        ended = await asyncio.gather(
            *(self._attempt(client, claim) for claim in claims), return_exceptions=True
        )
        for fault in ended:
            if isinstance(fault, BaseException):
                raise fault
        return len(claims)

    async def _attempt(self, client: httpx.AsyncClient, claim: Claim) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                answer = await self._send(client, claim)
        except ForbiddenAddress as refused:
            answer = Answer(None, str(refused))
        except Exception as failed:
            if not isinstance(failed, httpx.HTTPError | httpx.InvalidURL | OSError):
                log.error("delivery_unsendable", webhook=claim.webhook.id, type=claim.type, exc_info=failed)
            answer = failure(failed, claim.webhook)
        await anyio.to_thread.run_sync(self._settle, claim, answer)

    async def _send(self, client: httpx.AsyncClient, claim: Claim) -> Answer:
        """One POST to the very address that was checked; the name stays in Host and in TLS."""
        format = FORMATS[claim.webhook.format]
        sending = await anyio.to_thread.run_sync(self._written, format, claim)
        parts = urlsplit(sending.url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = await anyio.to_thread.run_sync(
            lambda: reachable(host, port, self._allow, resolve=self._resolve)
        )
        request = client.build_request(
            "POST",
            httpx.URL(sending.url).copy_with(host=str(address)),
            content=sending.body,
            # A compressed answer could unfold to more than may be read.
            headers={
                **sending.headers,
                "accept-encoding": "identity",
                "host": parts.netloc.rpartition("@")[2],
            },
            extensions={"sni_hostname": host},
        )
        response = await client.send(request, stream=True, follow_redirects=False)
        try:
            body = await _beginning(response)
        finally:
            await response.aclose()
        return answer_of(format, claim.webhook, response.status_code, body)

    def _written(self, format: Format, claim: Claim) -> Outgoing:
        told = Told(claim.message_id, claim.type, claim.at, claim.data, self._zone(claim))
        return format.write(told, claim.webhook, self._clock())

    def _zone(self, claim: Claim) -> tzinfo:
        """The shop's own, which only what people read needs."""
        if claim.webhook.format == "standard":
            return UTC
        with self._store.reading(claim.workspace) as unit:
            return zone(unit.rules.get().timezone)

    def _settle(self, claim: Claim, answer: Answer) -> None:
        outcome = self._noted(claim, answer)
        self._metrics.deliveries.labels(outcome).inc()
        log.info(
            "delivery",
            outcome=outcome,
            webhook=claim.webhook.id,
            message=claim.message_id,
            attempt=claim.attempt,
            status=answer.status,
            error=answer.error,
        )

    def _noted(self, claim: Claim, answer: Answer) -> str:
        """Note what became of an attempt; how that is called, `lease_lost` when it was another worker's by now."""
        now, status, error, said = self._clock(), answer.status, answer.error, answer.response
        if error is None and status is not None:
            return _kept("delivered", self._outbox.succeeded(claim, now, status, said))
        if status == 410:
            return disabling.disable(self._store, claim, answer, disabling.GONE)
        if disabling.long_failing(claim.webhook, now):
            ended = disabling.disable(self._store, claim, answer, disabling.FAILED)
            if ended != "spared":
                return ended
        if claim.attempt >= len(SCHEDULE):
            return _kept("exhausted", self._outbox.exhausted(claim, now, status, error, said))
        wait = SCHEDULE[claim.attempt] * (1 + JITTER * self._chance.random())
        return _kept("failed", self._outbox.failed(claim, now, now + wait, status, error, said))


async def _first_ended(under_way: Set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """The attempts that have ended, once one has or it is time to look again; what went wrong with them is logged."""
    if not under_way:
        await asyncio.sleep(IDLE_SECONDS)
        return set()
    ended, _ = await asyncio.wait(under_way, timeout=IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    for attempt in ended:
        if (fault := attempt.exception()) is not None:
            log.error("courier_failed", exc_info=fault)
    return ended


def _kept(outcome: str, held: bool) -> str:
    return outcome if held else "lease_lost"


async def _beginning(response: httpx.Response) -> bytes:
    """The first bytes of an answer, however much more there may be."""
    body = b""
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) >= MOST_READ:
            break
    return body[:MOST_READ]


def _client() -> httpx.AsyncClient:
    """Without proxies, and without connections that are used again: one to an address that two names share was
    checked against the certificate of the first name only."""
    return httpx.AsyncClient(
        timeout=TIMEOUT_SECONDS,
        trust_env=False,
        verify=_trusted(),
        limits=httpx.Limits(max_connections=TOGETHER, max_keepalive_connections=0),
    )


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed: read once, since reading takes longer than a delivery."""
    return httpx.create_ssl_context(trust_env=False)
