"""What a serving process derives: it follows other writers, starts from what it published, and heals."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from graph.models import Event
from ingest.embedding import WordHashEmbedder
from kb_service.app import wire
from kb_service.commands.workbench import open_workbench
from kb_service.knowledge import NewDocument
from kb_service.models import KEY_ROLES, Principal, Scope
from kb_service.recording import Recording
from kb_service.search.retrieval import SearchIndex
from kb_service.services import Services
from kb_service.settings import Settings
from tests.conftest import FixedClock

SHOP = "shop"
CALLER = Principal(SHOP, "key", frozenset(KEY_ROLES))
WITHIN_SECONDS = 5.0
LATE = "my parcel has not moved for three days, where is it"


@contextmanager
def serving(settings: Settings, clock: FixedClock) -> Iterator[Services]:
    """A serving process' parts, following the change logs as under `kb serve`."""
    services = wire(settings, embedder=WordHashEmbedder(), clock=clock, chance=random.Random(1))
    with services.store.administration() as unit:
        if unit.workspaces.get(SHOP) is None:
            unit.workspaces.create(SHOP)
    services.start()
    try:
        until(lambda: services.replicas.readiness()["status"] == "ready")
        yield services
    finally:
        services.stop()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data")


def until(done: Callable[[], object], seconds: float = WITHIN_SECONDS) -> None:
    """Waits for something to become true, and fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.02)


def document(external_id: str, text: str, **attributes: Any) -> NewDocument:
    return NewDocument(
        external_id, {"kind": "faq", "title": external_id, "text": text, "language": "en", **attributes}
    )


def put(services: Services, *documents: NewDocument) -> None:
    services.knowledge.put_many(CALLER, documents)


def found(services: Services, text: str) -> list[str]:
    return [hit.external_id for hit in services.answering.search(SHOP, text, Scope(), 5) if hit.lexical > 0]


def message(number: int, clock: FixedClock, text: str = LATE) -> Event:
    return Event(
        id=f"m-{number}",
        type="message",
        at=clock.now + timedelta(minutes=number),
        conversation_id=f"c-{number}",
        customer_id=f"u-{number}",
        text=text,
    )


def record(services: Services, *events: Event) -> list[Any]:
    return list(services.casework.record(SHOP, events))


def counted(services: Services) -> dict[str, Any]:
    """What the derived parts say, to be compared with the same derived anew."""
    replica = services.replicas.settled(SHOP)
    graph = replica.graph.node_link(at=None)
    return {
        "passages": replica.passages,
        "problems": {name: (problem.state, problem.customers) for name, problem in replica.problems.items()},
        "nodes": sorted(str(node["id"]) for node in graph["nodes"]),
        "edges": sorted((str(e["source"]), str(e["target"]), str(e["key"])) for e in graph["edges"]),
        "intents": sorted(replica.shop.intents),
    }


# --- following


def test_another_process_writes_are_followed(settings: Settings, clock: FixedClock) -> None:
    with serving(settings, clock) as served, open_workbench(settings, embedder=WordHashEmbedder()) as bench:
        beside = bench.services
        put(beside, document("kettle", "The kettle boils water."))
        until(lambda: found(served, "kettle boils") == ["kettle"])
        put(beside, document("kettle", "The toaster browns bread."))
        until(lambda: found(served, "toaster browns") == ["kettle"])
        assert found(served, "boils") == [], "the version before is gone"
        beside.knowledge.remove(CALLER, "kettle")
        until(lambda: not found(served, "toaster browns"))
        until(lambda: "document:kettle" not in counted(served)["nodes"])


def test_events_of_another_process_join_the_same_problems(settings: Settings, clock: FixedClock) -> None:
    with serving(settings, clock) as served, open_workbench(settings, embedder=WordHashEmbedder()) as bench:
        (first,) = record(served, message(1, clock))
        (second,) = record(bench.services, message(2, clock))
        assert second.problem.id == first.problem.id
        until(lambda: served.replicas.settled(SHOP).problems[first.problem.id].customers == 2)
        (third,) = record(served, message(3, clock))
        assert third.problem.id == first.problem.id
        assert third.alerts, "three customers, two of them through here"


def test_a_new_workspace_is_served_without_a_restart(settings: Settings, clock: FixedClock) -> None:
    with serving(settings, clock) as served, open_workbench(settings, embedder=WordHashEmbedder()) as bench:
        bench.create_workspace("second")
        until(lambda: served.replicas.readiness()["workspaces"]["ready"] == 2)
        caller = Principal("second", "key", frozenset(KEY_ROLES))
        served.knowledge.put_many(caller, [document("only-there", "A lamp for the desk.")])
        assert found(served, "lamp desk") == []


def test_own_writes_show_at_once(settings: Settings, clock: FixedClock) -> None:
    with serving(settings, clock) as served:
        put(served, document("lamp", "The lamp is bright."))
        assert found(served, "lamp bright") == ["lamp"]
        served.knowledge.remove(CALLER, "lamp")
        assert found(served, "lamp bright") == []
        assert "document:lamp" not in counted(served)["nodes"]


# --- starting again


def _fill(services: Services, clock: FixedClock) -> None:
    put(
        services,
        *(document(f"faq-{number}", f"Answer number{number} about kettles.") for number in range(80)),
    )
    record(services, *(message(number, clock) for number in range(1, 5)))


def test_a_restart_takes_over_the_published_generation(
    settings: Settings, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(settings, clock) as served:
        _fill(served, clock)
        before = counted(served)
    assert (settings.data / "derived" / SHOP / "index" / "CURRENT").exists()
    monkeypatch.setattr(SearchIndex, "rebuild", lambda *_: pytest.fail("the index was made anew"))
    with serving(settings, clock) as again:
        assert counted(again) == before
        assert found(again, "number17")[0] == "faq-17"


def test_what_was_written_meanwhile_is_caught_up(settings: Settings, clock: FixedClock) -> None:
    with serving(settings, clock) as served:
        _fill(served, clock)
    with open_workbench(settings, embedder=WordHashEmbedder()) as bench:
        put(bench.services, document("late", "Written while nobody served."))
        bench.services.knowledge.remove(CALLER, "faq-17")
    with serving(settings, clock) as again:
        assert found(again, "written nobody served") == ["late"]
        assert "faq-17" not in found(again, "number17")


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))


def test_a_damaged_generation_is_refused_and_made_anew(settings: Settings, clock: FixedClock) -> None:
    with serving(settings, clock) as served:
        _fill(served, clock)
        before = counted(served)
    index = settings.data / "derived" / SHOP / "index"
    names = [
        path.relative_to(index)
        for path in sorted(index.rglob("*"))
        if path.is_file() and path.name != ".lock"
    ]
    assert len(names) > 3
    kept = settings.data / "kept"
    shutil.copytree(index, kept)
    for name in random.Random(7).sample(names, 4):
        shutil.rmtree(index)
        shutil.copytree(kept, index)
        _flip(index / name)
        with serving(settings, clock) as again:
            assert counted(again) == before, name
            assert found(again, "number17")[0] == "faq-17"


def test_all_derived_data_may_be_deleted(settings: Settings, clock: FixedClock) -> None:
    with serving(settings, clock) as served:
        _fill(served, clock)
        before = counted(served)
    shutil.rmtree(settings.data / "derived")
    with serving(settings, clock) as again:
        assert counted(again) == before


def test_a_generation_ahead_of_the_store_is_not_used(settings: Settings, clock: FixedClock) -> None:
    with serving(settings, clock) as served:
        put(served, document("early", "The first words."))
    store = settings.data / "kb.sqlite3"
    shutil.copy(store, settings.data / "backup")
    with serving(settings, clock) as served:
        _fill(served, clock)
    for left in settings.data.glob("kb.sqlite3*"):
        left.unlink()
    shutil.copy(settings.data / "backup", store)
    with serving(settings, clock) as again:
        assert found(again, "first words") == ["early"]
        assert found(again, "number17") == []


# --- failing


def test_a_failed_transaction_leaves_nothing_behind(
    settings: Settings, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(settings, clock) as served:
        (first,) = record(served, message(1, clock))
        before = counted(served)

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            # Joined in memory by then, not yet written.
            patched.setattr(Recording, "_write", full)
            with pytest.raises(OSError, match="No space"):
                record(served, message(2, clock), message(3, clock, "the invoice shows a wrong company name"))
        assert counted(served) == before
        assert served.replicas.settled(SHOP).sequence == 1
        results = record(served, message(2, clock))
        assert (results[0].status, results[0].problem.id) == ("accepted", first.problem.id)
        assert counted(served)["problems"][first.problem.id][1] == 2, "the failed message was not counted"


def test_a_publication_that_fails_is_tried_again_and_stops_nothing(
    settings: Settings, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(SearchIndex, "publish", full)
        with serving(settings, clock) as served:
            _fill(served, clock)
            before = counted(served)
    with serving(settings, clock) as again:
        assert counted(again) == before


def test_a_workspace_that_cannot_be_followed_holds_up_no_other(
    settings: Settings, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kb_service.replicas.replicas import Replicas

    load = Replicas.of

    def failing(self: Replicas, workspace: str) -> Any:
        if workspace == "a-broken-one":
            raise OSError(5, "Input/output error")
        return load(self, workspace)

    monkeypatch.setattr(Replicas, "of", failing)
    with open_workbench(settings, embedder=WordHashEmbedder()) as bench:
        bench.create_workspace("a-broken-one")
        bench.create_workspace(SHOP)
        with serving(settings, clock) as served:
            put(bench.services, document("kettle", "The kettle boils water."))
            until(lambda: found(served, "kettle boils") == ["kettle"])
