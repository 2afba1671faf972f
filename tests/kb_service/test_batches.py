"""Streams of lines both ways, as servers see them: in pieces, slowly, one at a time, and cut off."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from tests.kb_service.conftest import Api

BREAK = b"\n"


class Conversation:
    """One streamed request driven by hand: what the client sends when, and what it was answered so far."""

    def __init__(self, api: Api, path: str, feed: Callable[[Conversation], Awaitable[bytes | None]]) -> None:
        self._api = api
        self._path = path
        self._feed = feed
        self.answered: list[dict[str, Any]] = []
        self.status = 0
        self.reading = anyio.Event()
        """Set when the client begins to read; from the start unless the feed is told otherwise."""
        self.reading.set()
        self._buffer = b""
        self._progress = anyio.Event()

    def run(self) -> list[dict[str, Any]]:
        portal = self._api.client.portal
        assert portal is not None
        portal.call(self._run)
        return self.answered

    async def until_answered(self, lines: int) -> None:
        with anyio.fail_after(30):
            while len(self.answered) < lines:
                await self._progress.wait()

    async def _run(self) -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": self._path,
            "raw_path": self._path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"authorization", f"Bearer {self._api.keys['shop', 'admin']}".encode())],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        with anyio.fail_after(60):
            await self._api.app(scope, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        piece = await self._feed(self)
        if piece is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": piece != b""}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        await self.reading.wait()
        self._buffer += message.get("body", b"")
        *lines, self._buffer = self._buffer.split(BREAK)
        self.answered += [json.loads(line) for line in lines]
        self._progress.set()
        self._progress = anyio.Event()


def document(number: int) -> dict[str, Any]:
    return {
        "external_id": f"d{number}",
        "kind": "faq",
        "title": f"Question {number}",
        "text": f"Answer marker{number}.",
    }


@pytest.mark.parametrize("size", [1000, 7])
def test_thousands_of_lines_in_small_pieces(api: Api, size: int) -> None:
    count = 2000 if size == 1000 else 60
    lines = [api.event(f"m{number}", customer_id=f"u{number}") for number in range(count)]
    content = BREAK.join(json.dumps(line).encode() for line in lines)
    places = iter(range(0, len(content), size))

    async def feed(_: Conversation) -> bytes:
        place = next(places, None)
        return b"" if place is None else content[place : place + size]

    results = Conversation(api, "/v1/events:batch", feed).run()
    assert [item["id"] for item in results] == [f"m{number}" for number in range(count)]
    assert {item["status"] for item in results} == {"accepted"}
    assert len([alert for item in results for alert in item["alerts"]]) == 1
    # Everything is visible when the response ends.
    (found,) = api.get("/v1/problems").json()["items"]
    assert (found["events"], found["customers"]) == (count, count)
    assert len(api.get("/v1/alerts").json()["items"]) == 1


def test_documents_are_searchable_when_the_response_ends(api: Api) -> None:
    lines: list[Any] = [document(number) for number in range(600)]
    lines[100] = b"nonsense"
    lines[200] = {**document(200), "valid_from": "2026-02-01", "valid_to": "2026-01-01"}
    lines[300] = document(7)
    lines[301] = {**document(7), "text": "Another answer sevenfold."}
    lines[400] = {**document(400), "supersedes": ["d400"]}
    results = api.batch("/v1/documents:batch", lines)
    assert len(results) == 600
    statuses = [item["status"] for item in results]
    assert [statuses[place] for place in (100, 200, 300, 301, 400)] == [
        "refused",
        "refused",
        "unchanged",
        "updated",
        "refused",
    ]
    assert statuses.count("created") == 595
    assert results[200]["external_id"] == "d200"
    assert results[200]["error"]["errors"][0]["field"] == "valid_to"
    assert results[400]["error"]["errors"][0]["field"] == "supersedes"
    assert results[301]["version"] == 2
    for word, name in (("marker599", "d599"), ("sevenfold", "d7")):
        hits = api.post("/v1/search", {"query": word, "limit": 3}).json()["hits"]
        assert hits[0]["external_id"] == name


def test_a_client_that_waits_for_each_answer(api: Api) -> None:
    sent = 0

    async def feed(conversation: Conversation) -> bytes:
        nonlocal sent
        await conversation.until_answered(sent)
        if sent == 5:
            return b""
        sent += 1
        return json.dumps(api.event(f"m{sent}")).encode() + BREAK

    results = Conversation(api, "/v1/events:batch", feed).run()
    assert [item["id"] for item in results] == ["m1", "m2", "m3", "m4", "m5"]


def test_a_client_that_sends_everything_before_it_reads(api: Api) -> None:
    pieces = [json.dumps(api.event(f"m{number}")).encode() + BREAK for number in range(1500)]
    conversation: Conversation

    async def feed(conversation: Conversation) -> bytes:
        if pieces:
            return pieces.pop(0)
        conversation.reading.set()
        return b""

    conversation = Conversation(api, "/v1/events:batch", feed)
    conversation.reading = anyio.Event()
    assert len(conversation.run()) == 1500


def test_what_was_answered_before_the_client_left_is_kept(api: Api) -> None:
    lines = 0

    async def feed(conversation: Conversation) -> bytes | None:
        nonlocal lines
        if lines == 400:
            await conversation.until_answered(300)
            return None
        lines += 1
        return json.dumps(api.event(f"m{lines}")).encode() + BREAK

    results = Conversation(api, "/v1/events:batch", feed).run()
    assert len(results) >= 300
    for item in (results[0], results[299], results[-1]):
        assert api.get(f"/v1/events/{item['id']}").status_code == 200
    assert api.post("/v1/events", api.event("after")).json()["status"] == "accepted"


def test_half_a_line_of_a_client_that_left_counts_for_nothing(api: Api) -> None:
    whole = json.dumps(api.event("m1")).encode()
    pieces = [whole + BREAK + json.dumps(api.event("m2")).encode()[:40]]

    async def feed(_: Conversation) -> bytes | None:
        return pieces.pop(0) if pieces else None

    Conversation(api, "/v1/events:batch", feed).run()
    assert api.get("/v1/events/m1").status_code == 200
    assert api.get("/v1/events/m2").status_code == 404


def test_lines_end_in_many_ways(api: Api) -> None:
    one, two, three = (json.dumps(api.event(name)).encode() for name in ("a", "b", "c"))
    content = b"\xef\xbb\xbf" + one + b"\r\n\r\n" + two + b"\n\n \n" + three
    response = api.post("/v1/events:batch", content=content)
    assert response.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["status"] for line in response.text.splitlines()] == ["accepted"] * 3
    assert api.post("/v1/events:batch", content=b"").text == ""


def test_a_line_without_an_end_is_refused_without_keeping_it(api: Api) -> None:
    pieces = [b"x" * 100_000] * 30 + [BREAK + json.dumps(api.event("m1")).encode()]

    async def feed(_: Conversation) -> bytes:
        return pieces.pop(0) if pieces else b""

    first, second = Conversation(api, "/v1/events:batch", feed).run()
    assert first["status"] == "refused"
    assert second["status"] == "accepted"
