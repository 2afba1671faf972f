"""Newline-delimited JSON both ways: lines are worked on in groups as they arrive, answered in order."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from kb_service.lines import Line, parsed, too_long

GROUP = 256
"""Most lines per transaction: enough to encode in full batches, few enough to answer steadily."""
READ_AHEAD = 2 * GROUP
LINES_OUT: dict[str, Any] = {
    "description": "One result line for each line, in the same order.",
    "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
}
"""The response of a batch, for the reference."""


Work = Callable[[Sequence[Line]], Awaitable[Sequence[dict[str, Any]]]]


class BatchResponse(Response):
    """Reads the request's body to its end while the results go out.

    Lines are answered as they come: those that arrive while a group is worked on make up the next one.
    Reading waits for the work, never for the client to read its results, so a client that sends everything
    first cannot deadlock; results that it has not yet read are kept in memory.
    """

    media_type = "application/x-ndjson"

    def __init__(self, work: Work, *, max_line_bytes: int) -> None:
        super().__init__(status_code=200)
        self._work = work
        self._max_line_bytes = max_line_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/x-ndjson")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        line_sender, lines = anyio.create_memory_object_stream[Line](READ_AHEAD)
        result_sender, results = anyio.create_memory_object_stream[bytes](float("inf"))
        async with anyio.create_task_group() as group:
            group.start_soon(self._read, receive, line_sender)
            group.start_soon(self._answer, lines, result_sender)
            async with results:
                async for answered in results:
                    await send({"type": "http.response.body", "body": answered, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _read(self, receive: Receive, sender: MemoryObjectSendStream[Line]) -> None:
        async with sender:
            async for line in _lines(receive, self._max_line_bytes):
                await sender.send(line)

    async def _answer(
        self, lines: MemoryObjectReceiveStream[Line], sender: MemoryObjectSendStream[bytes]
    ) -> None:
        async with lines, sender:
            async for line in lines:
                group = [line]
                with suppress(anyio.WouldBlock, anyio.EndOfStream):
                    while len(group) < GROUP:
                        group.append(lines.receive_nowait())
                await sender.send(b"".join(map(_encoded, await self._work(group))))


def _encoded(result: dict[str, Any]) -> bytes:
    text = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    # What a refused line quotes may hold a lone surrogate, which becomes its JSON escape.
    return text.encode("utf-8", "backslashreplace") + b"\n"


async def _lines(receive: Receive, longest: int) -> AsyncIterator[Line]:
    """The body's non-blank lines; one beyond `longest` bytes is skipped to its end and reported."""
    buffer = bytearray()
    skipping = False
    number = 0
    async for chunk in _chunks(receive):
        searched = len(buffer)
        buffer += chunk
        while (end := buffer.find(b"\n", searched)) >= 0:
            number += 1
            raw = bytes(buffer[:end])
            del buffer[: end + 1]
            searched = 0
            if skipping or len(raw) > longest:
                skipping = False
                yield too_long(number, longest)
            elif raw.strip():
                yield parsed(number, raw)
        if len(buffer) > longest:
            buffer.clear()
            skipping = True
    if skipping or len(buffer) > longest:
        yield too_long(number + 1, longest)
    elif buffer.strip():
        yield parsed(number + 1, bytes(buffer))


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            return
        if body := message.get("body", b""):
            yield body
        if not message.get("more_body", False):
            return
