"""The store's disk fails, at each write in turn and for good: a clean refusal, and what was there serves."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import Engine, event

from graph.problem_graph import ProblemGraph
from kb_service.delivery.courier import Courier
from kb_service.exposures import ExposureLog
from kb_service.search.retrieval import SearchIndex
from tests.conftest import FixedClock
from tests.kb_service.conftest import LATE, RETURNS, Api, problem, running
from tests.reliability.harness import SOAK, derived, judge_store, word
from tests.reliability.victims import replica_of

FAULTS = {
    sqlite3.SQLITE_FULL: "database or disk is full",
    sqlite3.SQLITE_IOERR: "disk I/O error",
}


class FailingDisk:
    """Lets the n-th write of requests fail, a commit counts as one; counts writes when n is 0."""

    def __init__(self, api: Api) -> None:
        self.engine: Engine = api.store._backend._writers  # type: ignore[attr-defined]
        self.fatal = self.count = 0
        self.code = sqlite3.SQLITE_FULL
        self._commit = self.engine.dialect.do_commit

    def _step(self) -> None:
        if not threading.current_thread().name.startswith("AnyIO"):
            return  # not a request: a thread whose writes come when they come
        self.count += 1
        if self.count == self.fatal:
            error = sqlite3.OperationalError(FAULTS[self.code])
            error.sqlite_errorcode = self.code
            raise error

    def executing(self, cursor: Any, statement: str, parameters: Any, context: Any) -> None:
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            self._step()

    def committing(self, connection: Any) -> None:
        self._step()
        self._commit(connection)

    @contextmanager
    def failing(self, at: int, code: int = sqlite3.SQLITE_FULL) -> Iterator[FailingDisk]:
        self.fatal, self.count, self.code = at, 0, code
        event.listen(self.engine, "do_execute", self.executing)
        event.listen(self.engine, "do_executemany", self.executing)
        self.engine.dialect.do_commit = self.committing  # type: ignore[assignment,method-assign]
        try:
            yield self
        finally:
            self.engine.dialect.do_commit = self._commit  # type: ignore[method-assign]
            event.remove(self.engine, "do_execute", self.executing)
            event.remove(self.engine, "do_executemany", self.executing)


async def waiting_for_nothing(courier: Courier) -> None:
    """The courier's writes run in the threads that serve requests."""
    await anyio.sleep_forever()


@pytest.fixture
def api(tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    # What is written beside requests would take a request's turn.
    monkeypatch.setattr(ExposureLog, "_run", lambda self: None)
    monkeypatch.setattr(Courier, "run", waiting_for_nothing)
    with running(tmp_path / "data", clock, webhook_allow="127.0.0.0/8") as started:
        started.put("/v1/agents/agent-1", {"name": "agent-1", "online": True})
        started.put("/v1/intents/late", {"label": "Late", "examples": ["where is my parcel"]})
        started.put("/v1/webhooks/team", {"url": "https://127.0.0.1:1/hook", "types": ["problem.resolved"]})
        yield started


def fresh(api: Api) -> dict[str, Any]:
    """What a process that starts now would derive."""
    replica = replica_of(api.store, api.services.settings.data / "aside", api.clock)
    try:
        return derived(replica)
    finally:
        replica.index.close()


Act = Callable[[Api, int], Any]


def put_document(api: Api, number: int) -> Any:
    return api.put(f"/v1/documents/d{number}", {**RETURNS, "markdown": f"# Box\n\nThe {word(number)} box."})


def change_document(api: Api, number: int) -> Any:
    return api.put("/v1/documents/kept", {**RETURNS, "markdown": f"# Box\n\nThe {word(number)} lid."})


def remove_document(api: Api, number: int) -> Any:
    return api.delete(f"/v1/documents/gone{number}")


def third_message(api: Api, number: int) -> Any:
    """The one that raises an alert."""
    return api.post("/v1/events", api.event(f"e{number}"))


def resolve_problem(api: Api, number: int) -> Any:
    return api.post(f"/v1/problems/{api.get('/v1/problems').json()['items'][0]['id']}/resolve")


def reopen_problem(api: Api, number: int) -> Any:
    return api.post(f"/v1/problems/{api.get('/v1/problems').json()['items'][0]['id']}/reopen")


def put_intent(api: Api, number: int) -> Any:
    return api.put("/v1/intents/late", {"label": "Late", "examples": [f"where is it {word(number)}"]})


def erase(api: Api, number: int) -> Any:
    return api.delete("/v1/customers/u-e1")


WAYS: dict[str, Act] = {
    act.__name__: act
    for act in (put_document, change_document, remove_document, third_message, put_intent, resolve_problem)
} | {"reopen_problem": reopen_problem, "erase": erase}


def test_the_nth_write_fails_and_nothing_has_happened(api: Api) -> None:
    """Each way to write, each of its writes: a refusal, the state before, and the next try works."""
    disk = FailingDisk(api)
    put_document(api, 0)
    change_document(api, 0)
    tried = 0
    for number in range(1, 3):
        assert third_message(api, number).status_code == 200
    for name, act in WAYS.items():
        if name == "remove_document":
            for number in range(100, 103):
                api.put(f"/v1/documents/gone{number}", {**RETURNS, "title": f"Gone {number}"})
        for code in FAULTS if SOAK else list(FAULTS)[:1]:
            before = derived(api.services.replicas.settled("shop"))
            at, number = 0, 100
            while True:
                at += 1
                with disk.failing(at, code):
                    response = act(api, number)
                if disk.count < at:
                    break  # it has fewer writes than that, and none failed
                tried += 1
                body = problem(response, 503)
                assert response.headers["Retry-After"], name
                assert "store" in body["detail"], name
                assert derived(api.services.replicas.settled("shop")) == before, f"{name}, write {at}"
                assert api.post("/v1/search", {"query": word(0)}).json()["hits"], "the previous index serves"
            assert response.status_code < 300, f"{name}: {response.text}"
            assert at > 2, f"{name} wrote nothing"
            assert derived(api.services.replicas.settled("shop")) == fresh(api), name
            if name in ("remove_document", "erase", "resolve_problem", "reopen_problem"):
                break
    judge_store(api.services.settings.data)
    assert tried > 40


def test_what_is_done_is_told_though_its_replay_cannot_be_kept(api: Api) -> None:
    disk = FailingDisk(api)
    keyed = {"Idempotency-Key": "k1"}
    with disk.failing(0):
        assert api.post(
            "/v1/events", api.event("e0", text="thank you"), headers={"Idempotency-Key": "k0"}
        ).is_success
        writes = disk.count
    with disk.failing(writes):  # the commit of the replay is the last of them
        assert (
            api.post("/v1/events", api.event("e1", text="thank you"), headers=keyed).json()["status"]
            == "accepted"
        )
    assert disk.count == writes
    again = api.post("/v1/events", api.event("e1", text="thank you"), headers=keyed)
    assert (again.status_code, again.json()["status"]) == (200, "duplicate")


def test_a_batch_goes_on_past_lines_that_could_not_be_written(api: Api) -> None:
    disk = FailingDisk(api)
    documents = [{**RETURNS, "external_id": f"d{number}"} for number in range(5)]
    with disk.failing(3):
        lines = api.batch("/v1/documents:batch", documents)
    refused = [line for line in lines if line["status"] == "refused"]
    assert len(lines) == 5
    assert {line["error"]["status"] for line in refused} == {503}
    again = api.batch("/v1/documents:batch", documents)
    assert [line["status"] for line in again].count("created") == len(refused)
    events = [api.event(f"m{number}") for number in range(5)]
    with disk.failing(3):
        lines = api.batch("/v1/events:batch", events)
    refused = [line for line in lines if line["status"] == "refused"]
    assert len(lines) == 5
    assert {line["error"]["status"] for line in refused} == {503}
    again = api.batch("/v1/events:batch", events)
    assert [line["status"] for line in again].count("accepted") == len(refused)
    assert len({line["problem"]["id"] for line in again}) == 1
    judge_store(api.services.settings.data)
    assert derived(api.services.replicas.settled("shop")) == fresh(api)


def test_a_full_disk_for_good_still_answers(api: Api) -> None:
    """The database itself refuses to grow. Questions go on; with room again everything does."""
    put_document(api, 1)
    connection = api.store._backend._writers.raw_connection()  # type: ignore[attr-defined]
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}")
    connection.close()
    refused = 0
    for number in range(10, 40):
        response = api.put(
            f"/v1/documents/d{number}", {**RETURNS, "text": f"{word(number)} " * 300, "markdown": None}
        )
        if response.status_code != 201:
            problem(response, 503)
            refused += 1
            assert api.get(f"/v1/documents/d{number}").status_code == 404
            hits = api.post("/v1/search", {"query": word(number)}).json()["hits"]
            assert f"d{number}" not in {hit["external_id"] for hit in hits}
    assert refused > 5
    assert problem(api.post("/v1/events", api.event("long", text=f"{LATE} " * 200)), 503)
    answer = api.post("/v1/answers", {"query": f"which {word(1)} box"})
    assert answer.status_code == 200
    assert answer.json()["answers"]
    assert api.get("/health/ready").status_code == 200
    connection = api.store._backend._writers.raw_connection()  # type: ignore[attr-defined]
    connection.execute("PRAGMA max_page_count=1073741823")
    connection.close()
    assert put_document(api, 50).status_code == 201
    api.services.exposures.flush()
    shown = answer.json()["answers"][0]
    told = {"exposure_id": shown["exposure_id"], "answer_id": shown["id"], "outcome": "accepted"}
    assert api.post("/v1/feedback", told).is_success, "what was shown while the disk was full is known"
    judge_store(api.services.settings.data)
    assert derived(api.services.replicas.settled("shop")) == fresh(api)


def test_an_index_that_cannot_be_written_to_hides_nothing_and_shows_nothing_wrong(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store has committed and the index fails: the write shows as soon as the index works again."""
    put_document(api, 1)
    put_document(api, 2)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(SearchIndex, "apply", full)
        assert put_document(api, 3).status_code == 500
        assert api.delete("/v1/documents/d1").status_code == 500
        assert api.post("/v1/search", {"query": word(2)}).json()["hits"][0]["external_id"] == "d2"
    put_document(api, 4)
    found = {
        n: [hit["external_id"] for hit in api.post("/v1/search", {"query": word(n)}).json()["hits"]]
        for n in (1, 3)
    }
    assert found[3][0] == "d3"
    assert "d1" not in found[1]
    assert derived(api.services.replicas.settled("shop")) == fresh(api)


def test_a_derivation_that_breaks_off_is_begun_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    put_document(api, 1)
    api.recurring()
    replica = api.services.replicas.settled("shop")
    before = derived(replica)

    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(ProblemGraph, "put_problem", broken)
        with pytest.raises(OSError, match="Input/output"):
            replica.reset()
    assert derived(api.services.replicas.settled("shop")) == before
