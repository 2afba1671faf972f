"""Long work: one at a time, told of while it goes, kept for a while, ended with the service."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from kb_service.errors import Conflict, InvalidRequest, NotFound
from kb_service.long_runs import KEPT_FOR, MOST_KEPT, LongRuns, Told
from tests.conftest import FixedClock


@pytest.fixture
def runs(clock: FixedClock) -> LongRuns[int]:
    return LongRuns("tests", clock=clock)


def test_a_run_tells_how_far_it_is_and_what_came_of_it(runs: LongRuns[int]) -> None:
    half, on = threading.Event(), threading.Event()

    def work(told: Told) -> int:
        told(0.5)
        half.set()
        assert on.wait(10)
        return 7

    run = runs.begin("shop", "lin", "a", work)
    assert half.wait(10)
    assert (run.state, run.share, run.outcome) == ("going", 0.5, None)
    assert runs.begin("shop", "lin", "a", work) is run, "asked for again it is the same"
    with pytest.raises(Conflict):
        runs.begin("shop", "lin", "b", work)
    with pytest.raises(Conflict):
        runs.begin("other", "mo", "a", work)
    on.set()
    assert run.wait(10)
    assert (run.state, run.share, run.outcome) == ("done", 1.0, 7)
    assert runs.begin("shop", "lin", "a", work) is run, "what is done is not done again"


def test_what_was_done_before_something_changed_is_done_again(runs: LongRuns[int]) -> None:
    first = runs.begin("shop", "lin", "a", lambda told: 1, position=4)
    assert first.wait(10)
    assert runs.begin("shop", "lin", "a", lambda told: 2, position=4) is first
    second = runs.begin("shop", "lin", "a", lambda told: 2, position=5)
    assert second is not first
    assert second.wait(10)
    assert second.outcome == 2


def test_what_is_going_is_not_begun_twice_though_something_changed(runs: LongRuns[int]) -> None:
    on = threading.Event()

    def work(told: Told) -> int:
        assert on.wait(10)
        return 1

    run = runs.begin("shop", "lin", "a", work, position=4)
    assert runs.begin("shop", "lin", "a", work, position=5) is run
    on.set()
    assert run.wait(10)


def test_nobody_sees_the_run_of_another_workspace(runs: LongRuns[int]) -> None:
    run = runs.begin("shop", "lin", "a", lambda told: 1)
    assert run.wait(10)
    assert runs.of("shop", run.id) is run
    with pytest.raises(NotFound):
        runs.of("other", run.id)
    assert runs.latest("other") is None
    assert runs.latest("shop", "mo") is None
    assert runs.latest("shop") is runs.latest("shop", "lin") is run


def test_an_outcome_is_kept_for_a_while_and_the_latest_only(runs: LongRuns[int], clock: FixedClock) -> None:
    first = runs.begin("shop", "lin", "0", lambda told: 0)
    assert first.wait(10)
    for number in range(1, MOST_KEPT + 1):
        assert runs.begin("shop", "lin", str(number), lambda told: 0).wait(10)
    with pytest.raises(NotFound):
        runs.of("shop", first.id)
    last = runs.latest("shop")
    assert last is not None
    clock.now += KEPT_FOR + timedelta(seconds=1)
    assert runs.latest("shop") is None


@pytest.mark.parametrize(
    ("error", "told"), [(InvalidRequest.of("from", "is required"), True), (OSError("disk"), False)]
)
def test_what_goes_wrong_is_told_where_it_is_the_askers_and_tried_again(
    runs: LongRuns[int], error: Exception, told: bool
) -> None:
    def work(_: Told) -> int:
        raise error

    run = runs.begin("shop", "lin", "a", work)
    assert run.wait(10)
    assert run.state == "failed"
    assert (run.error is error) is told
    assert runs.begin("shop", "lin", "a", lambda told: 3).wait(10)


def test_the_end_of_the_service_ends_the_work(runs: LongRuns[int]) -> None:
    begun = threading.Event()

    def work(told: Told) -> int:
        begun.set()
        while True:
            told(0.1)

    run = runs.begin("shop", "lin", "a", work)
    assert begun.wait(10)
    runs.stop()
    assert run.state == "failed"
