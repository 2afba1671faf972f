"""The same `Idempotency-Key` and body replay the first response; another body is refused."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from structlog.stdlib import get_logger

from kb_service.errors import InvalidRequest, ServiceError
from kb_service.routes.context import GuardedRoute, in_thread, principal, services

log = get_logger(__name__)

LONGEST_KEY = 255


class IdempotentRoute(GuardedRoute):
    """A route of single-object writes. Requests without the header pass straight through."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        template = f"{'/'.join(sorted(self.methods or ()))} {self.path}"

        async def once(request: Request) -> Response:
            key = request.headers.get("idempotency-key")
            if key is None or request.method != "POST":
                return await handle(request)
            if not (1 <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
                raise InvalidRequest.of(
                    "Idempotency-Key", "must have between 1 and 255 printable ASCII characters"
                )
            wired = services(request)
            caller = await principal(request)
            digest = hashlib.sha256(request.url.path.encode() + b"\x00" + await request.body()).hexdigest()
            locks: defaultdict[tuple[str, str], asyncio.Lock] = request.app.state.idempotency_locks
            place = (caller.workspace, key)
            async with locks[place]:
                try:
                    replay = await in_thread(
                        wired, wired.replays.find, caller.workspace, key, template, digest
                    )
                    if replay is not None:
                        return Response(
                            replay.body, replay.status, {"Idempotency-Replayed": "true"}, "application/json"
                        )
                    response = await handle(request)
                    if response.status_code < 500:
                        kept = (key, template, digest, response.status_code, bytes(response.body))
                        try:
                            await in_thread(wired, wired.replays.keep, caller.workspace, *kept)
                        except ServiceError as error:
                            # What was asked for is committed; a refusal now would tell the contrary.
                            log.error("replay_not_kept", route=template, exc_info=error)
                    return response
                finally:
                    if not getattr(locks[place], "_waiters", None):
                        locks.pop(place, None)

        return once
