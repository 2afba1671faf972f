"""What is noted on the way to one answer, for whoever asks why it was that one."""

from __future__ import annotations

import time
from dataclasses import dataclass

from kb_service.handover.deciding import Checked, Situation
from kb_service.search.searching import Searched


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the way and its wall time."""

    name: str
    milliseconds: float


class Trace:
    """The way itself decides nothing by it, and goes without as well."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self.searched: list[Searched] = []
        self.rules: list[Checked] = []
        self.situation: Situation | None = None
        self._since = time.perf_counter()

    def stage(self, name: str) -> None:
        """A stage has ended; it began where the one before ended."""
        now = time.perf_counter()
        self.stages.append(Stage(name, round((now - self._since) * 1000, 1)))
        self._since = now


def note(trace: Trace | None, stage: str) -> None:
    """A stage has ended, where that is traced."""
    if trace is not None:
        trace.stage(stage)


def milliseconds_since(started: float) -> float:
    """Wall time since a moment of `time.perf_counter`."""
    return round((time.perf_counter() - started) * 1000, 2)
