"""What a test and the requests that it makes ask the store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event


@contextmanager
def store_statements() -> Iterator[list[str]]:
    """The statements sent while inside, by the calling thread or for a request, begins of transactions apart; the
    service's own threads ask the store as well, and are not heard, nor is the courier, who has a request's threads."""
    here = threading.get_ident()
    sent: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("BEGIN") or "min(coalesce(deliveries.lease_until" in statement:
            return
        if threading.get_ident() == here or threading.current_thread().name.startswith("AnyIO"):
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
