from __future__ import annotations

import threading

from kb_service.background import BackgroundWork


class Counting(BackgroundWork):
    def __init__(self) -> None:
        super().__init__("counting")
        self.rounds = 0
        self.went_round = threading.Event()

    def _run(self) -> None:
        while not self._stopping.wait(0.001):
            self.rounds += 1
            self.went_round.set()


def test_work_goes_on_until_it_is_stopped_and_may_begin_again() -> None:
    work = Counting()
    for _ in range(2):
        work.went_round.clear()
        work.start()
        assert work.went_round.wait(10)
        work.stop()
        done = work.rounds
        assert "counting" not in {thread.name for thread in threading.enumerate()}
        assert work.rounds == done


def test_what_was_never_started_can_be_stopped() -> None:
    Counting().stop()
