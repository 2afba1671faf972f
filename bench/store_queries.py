"""How often each request asks the store, told in a header of its response."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from sqlalchemy import Engine, event
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "x-store-queries"


@dataclass(slots=True)
class Asked:
    """The statements that one request sent to the store, in order."""

    statements: list[str] = field(default_factory=list)


_asked: ContextVar[Asked | None] = ContextVar("asked", default=None)


class CountedQueries:
    """An application whose responses tell how many statements were sent to the store before they began. `latest` are
    those of the latest request. What other threads ask meanwhile, such as nightly work, is not counted."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.latest = Asked()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # A thread that works for a request has the request's context, so it finds the same list.
        asked = self.latest = Asked()
        _asked.set(asked)

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = str(len(asked.statements))
            await send(message)

        await self._app(scope, receive, told)


@contextmanager
def heard() -> Iterator[None]:
    """Count the statements of every engine while inside."""
    event.listen(Engine, "before_cursor_execute", _hear)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", _hear)


def _hear(connection: object, cursor: object, statement: str, *rest: object) -> None:
    asked = _asked.get()
    if asked is not None and not statement.startswith(("BEGIN", "PRAGMA", "SET ")):
        asked.statements.append(statement)
