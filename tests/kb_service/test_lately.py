"""Figures that take long: told again for a minute, then made anew beside whoever looks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from kb_service.metrics.lately import KEPT, OLDEST, Lately
from tests.conftest import FixedClock

LATER = KEPT.total_seconds() + 1


@dataclass
class Slow:
    """Makes 1, 2, 3; from the second on only when it is let."""

    made: int = 0
    let: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> int:
        if self.made:
            assert self.let.wait(60)
        self.made += 1
        return self.made


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb_service.metrics.lately.PATIENCE_SECONDS", 0.01)


def counting() -> Callable[[], int]:
    numbers = iter(range(1, 100))
    return lambda: next(numbers)


def test_for_a_minute_the_same_figures_are_told(clock: FixedClock) -> None:
    lately, make = Lately[int](clock), counting()
    assert [lately.of("a", make), lately.of("a", make), lately.of("b", make)] == [1, 1, 2]
    clock.advance(seconds=LATER)
    assert lately.of("a", make) == 3


def test_other_figures_are_made_as_soon_as_they_are_of_something_else(clock: FixedClock) -> None:
    lately, make = Lately[int](clock), counting()
    assert [lately.of("a", make, mark=1), lately.of("a", make, mark=1), lately.of("a", make, mark=2)] == [
        1,
        1,
        2,
    ]


def test_who_looks_while_newer_figures_are_made_is_told_the_last_ones_and_when_those_were_made(
    clock: FixedClock, hurried: None
) -> None:
    lately, slow, first = Lately[int](clock), Slow(), clock.now
    assert lately.of("a", slow) == 1
    clock.advance(seconds=LATER)
    assert [lately.of("a", slow), lately.of("a", slow)] == [1, 1]
    assert lately.made_at("a") == first
    slow.let.set()
    (making,) = [thread for thread in threading.enumerate() if thread.name == "figures"]
    making.join(60)
    assert lately.of("a", slow) == 2 and slow.made == 2  # The two who looked had it made once.
    assert lately.made_at("a") == clock.now


def test_very_old_figures_are_not_told(clock: FixedClock, hurried: None) -> None:
    lately, make = Lately[int](clock), counting()
    assert lately.of("a", make) == 1
    clock.advance(seconds=OLDEST.total_seconds())
    assert lately.of("a", make) == 2
