"""The night's work is done once a night in each workspace, whatever process comes first and whatever fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kb_service import nightly
from kb_service.nightly import Job, Nightly, night_before
from kb_service.store import Store
from tests.conftest import FixedClock

NIGHT = 19


@pytest.fixture
def store(tmp_path: Path, clock: FixedClock) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'kb.sqlite3'}", clock=clock)
    opened.migrate()
    with opened.administration() as unit:
        unit.workspaces.create("shop")
        unit.workspaces.create("other")
    yield opened
    opened.close()


def worker(store: Store, clock: FixedClock, **jobs: Job) -> Nightly:
    return Nightly(store, jobs, hour=NIGHT, clock=clock)


@pytest.mark.parametrize(
    ("now", "began"),
    [("2026-06-18T19:00", "2026-06-18T19:00"), ("2026-06-18T18:59", "2026-06-17T19:00")],
)
def test_a_night_begins_at_its_hour(now: str, began: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert night_before(at, NIGHT) == datetime.fromisoformat(began).replace(tzinfo=UTC)


def test_each_job_runs_once_a_night_in_each_workspace(store: Store, clock: FixedClock) -> None:
    ran: list[str] = []
    own = worker(store, clock, learn=ran.append)
    assert own.look() == [("other", "learn"), ("shop", "learn")]
    assert worker(store, clock, learn=ran.append).look() == [], "another process, or a restart"
    clock.now = night_before(clock.now, NIGHT) + timedelta(days=1) - timedelta(seconds=1)
    assert own.look() == []
    clock.advance(seconds=1)
    assert len(own.look()) == 2
    assert ran == ["other", "shop"] * 2


def test_a_job_that_fails_holds_up_no_other_and_waits_for_the_next_night(
    store: Store, clock: FixedClock
) -> None:
    ran: list[str] = []

    def failing(workspace: str) -> None:
        raise RuntimeError(workspace)

    own = worker(store, clock, breaks=failing, learn=ran.append)
    assert len(own.look()) == 4
    assert ran == ["other", "shop"]
    assert own.look() == []


def test_the_thread_looks_by_itself_and_ends(
    store: Store, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    done = threading.Event()
    monkeypatch.setattr(nightly, "LOOK_SECONDS", 0.01)
    own = worker(store, clock, learn=lambda workspace: done.set())
    own.start()
    assert done.wait(10)
    own.stop()
    assert own._thread is None


def test_each_job_tells_when_it_was_last_done_and_how_it_went(store: Store, clock: FixedClock) -> None:
    def failing(workspace: str) -> None:
        raise OSError("the disk is full of secrets")

    own = worker(store, clock, learn=str, tidy=failing)
    assert [(job.name, job.last, job.ran) for job in own.standing("shop")] == [
        ("learn", None, None),
        ("tidy", None, None),
    ]
    assert all(job.due <= clock.now for job in own.standing("shop"))
    own.look()
    learn, tidy = own.standing("shop")
    assert learn.last == tidy.last == clock.now
    assert learn.due > clock.now
    assert learn.ran is not None
    assert learn.ran.error is None
    assert tidy.ran is not None
    assert tidy.ran.error == "OSError", "its name, not what it may quote"
    (after_restart, _) = worker(store, clock, learn=str, tidy=failing).standing("shop")
    assert (after_restart.last, after_restart.ran) == (clock.now, None)
