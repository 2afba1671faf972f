"""Newline-delimited JSON both ways: lines are worked on in groups as they arrive, answered in order."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectSendStream
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from kb_service.errors import InvalidRequest

GROUP = 256
"""Lines per transaction: enough to encode in full batches, few enough to answer steadily."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a batch: its parsed object, or the error that reading it gave."""

    number: int
    value: dict[str, Any] | None
    error: InvalidRequest | None


Work = Callable[[Sequence[Line]], Awaitable[Sequence[dict[str, Any]]]]


class BatchResponse(Response):
    """Reads the request's body to its end while the results go out.

    Reading never waits for the client to read its results, so a client that sends everything first
    cannot deadlock; results that it has not yet read are kept in memory.
    """

    media_type = "application/x-ndjson"

    def __init__(self, work: Work, *, max_line_bytes: int) -> None:
        super().__init__(status_code=200)
        self._work = work
        self._max_line_bytes = max_line_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/x-ndjson")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        sender, receiver = anyio.create_memory_object_stream[bytes](float("inf"))
        async with anyio.create_task_group() as group:
            group.start_soon(self._read, receive, sender)
            async with receiver:
                async for results in receiver:
                    await send({"type": "http.response.body", "body": results, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _read(self, receive: Receive, sender: MemoryObjectSendStream[bytes]) -> None:
        async with sender:
            waiting: list[Line] = []
            async for line in _lines(receive, self._max_line_bytes):
                waiting.append(line)
                if len(waiting) == GROUP:
                    await sender.send(await self._answer(waiting))
                    waiting = []
            if waiting:
                await sender.send(await self._answer(waiting))

    async def _answer(self, lines: Sequence[Line]) -> bytes:
        results = await self._work(lines)
        return b"".join(
            json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for result in results
        )


async def _lines(receive: Receive, longest: int) -> AsyncIterator[Line]:
    """The body's non-blank lines; one beyond `longest` bytes is skipped to its end and reported."""
    buffer = bytearray()
    skipping = False
    number = 0
    async for chunk in _chunks(receive):
        buffer += chunk
        while (end := buffer.find(b"\n")) >= 0:
            number += 1
            raw = bytes(buffer[:end])
            del buffer[: end + 1]
            if skipping or len(raw) > longest:
                skipping = False
                yield _too_long(number, longest)
            elif raw.strip():
                yield _parsed(number, raw)
        if len(buffer) > longest:
            buffer.clear()
            skipping = True
    if skipping or len(buffer) > longest:
        yield _too_long(number + 1, longest)
    elif buffer.strip():
        yield _parsed(number + 1, bytes(buffer))


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            return
        if body := message.get("body", b""):
            yield body
        if not message.get("more_body", False):
            return


def _parsed(number: int, raw: bytes) -> Line:
    try:
        value = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return Line(number, None, InvalidRequest.of(f"line {number}", "is not valid UTF-8; encode it as UTF-8"))
    except (ValueError, RecursionError):
        return Line(
            number, None, InvalidRequest.of(f"line {number}", "is not valid JSON; send one object per line")
        )
    if not isinstance(value, dict):
        return Line(number, None, InvalidRequest.of(f"line {number}", "must be a JSON object"))
    return Line(number, value, None)


def _too_long(number: int, longest: int) -> Line:
    error = InvalidRequest.of(f"line {number}", "is longer than {limit} bytes; split or shorten it", limit=longest)
    return Line(number, None, error)
