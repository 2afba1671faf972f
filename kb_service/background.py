"""Work that goes on in a thread of its own between start and stop."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod


class BackgroundWork(ABC):
    """Runs `_run` in a thread, which ends when `_stopping` is set; may be started again once it was stopped."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def alive(self) -> bool:
        """Whether its thread is at work; not before `start`, nor after a fault that ended it."""
        return self._thread is not None and self._thread.is_alive()

    @abstractmethod
    def _run(self) -> None:
        """What the thread does; it must look at `_stopping` and not outlast it by much."""

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, after the step that it is at."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
