"""Parsing in processes of their own: bounded in memory and time, without secrets, replaced after a mishap.

A worker is this module run by a fresh interpreter, so nothing of the service is in its memory and only what
it inherits by name (one socket, a bare environment) is in its reach. Both sides speak frames: a length, then
JSON or a file's bytes. What comes back is JSON that is checked, never a pickle.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Final, cast

from ingest import memory_limit
from ingest.errors import CorruptSource, IngestError, SourceTooLarge
from ingest.readers import read
from ingest.readers.results import ReadResult, error_from_json, error_to_json, from_json, plain, to_json

MAX_SOURCE_BYTES: Final = 64 * 1024 * 1024
_MAX_ANSWER_BYTES: Final = 512 * 1024 * 1024
_START_SECONDS: Final = 60.0
_READS_PER_WORKER: Final = 500
_LENGTH_BYTES: Final = 8


class ParserPool:
    """Reads files in one or more kept processes; safe to share between threads.

    `seconds` is the wall-clock limit for one file, `memory_mb` what parsing may take beyond the bare
    interpreter and its libraries, which load with the first file that needs them, `size` the number of files
    read at once. Processes start with the first file, or one with `start`, stay warm, and are replaced after a
    limit was broken, a crash, or a number of files. Close the pool, or use it in a `with` statement; what is
    forgotten ends with the interpreter.
    """

    def __init__(
        self, seconds: float, memory_mb: int, *, size: int = 1, max_bytes: int = MAX_SOURCE_BYTES
    ) -> None:
        self._seconds = seconds
        self._memory_mb = memory_mb
        self._max_bytes = max_bytes
        self._idle: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(size):
            self._idle.put(None)
        self._workers: set[_Worker] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._finalizer = weakref.finalize(self, _stop_all, self._workers)

    def __enter__(self) -> ParserPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Begin to start a process, so that it is ready sooner for the first file; waits for nothing."""
        try:
            worker = self._idle.get_nowait()
        except queue.Empty:
            return  # all are at work
        try:
            if worker is None:
                worker = self._replaced(None)
        finally:
            self._return(worker)

    def read(
        self,
        name: str,
        data: bytes,
        *,
        media_type: str | None = None,
        options: Mapping[str, object] = MappingProxyType({}),
    ) -> ReadResult:
        """The same as `ingest.readers.read`, errors included; waits for a free process.

        Raises SourceTooLarge beyond the limits on size, time and memory, CorruptSource when the parser
        crashes on the file, and RuntimeError once the pool is closed.
        """
        if len(data) > self._max_bytes:
            raise SourceTooLarge(
                f"the file has {len(data) / 2**20:.1f} MiB, more than {self._max_bytes / 2**20:.1f}; split it"
            )
        request = {"name": name, "media_type": media_type, "options": plain(options)}
        worker = self._idle.get()
        try:
            if worker is None or not worker.is_fresh:
                worker = self._replaced(worker)
            return worker.read(request, data)
        except IngestError:
            if self._closed:  # ended under the file, which is not to blame
                raise RuntimeError("the parser pool is closed") from None
            raise
        finally:
            self._return(worker)

    @property
    def running(self) -> int:
        """Processes that are kept; none before the first file."""
        with self._lock:
            return len(self._workers)

    def close(self) -> None:
        """End the processes, the ones at work included. Closing twice does nothing."""
        with self._lock:
            self._closed = True
        self._finalizer()

    def _replaced(self, old: _Worker | None) -> _Worker:
        if old is not None:
            self._retire(old)
        with self._lock:
            if self._closed:
                raise RuntimeError("the parser pool is closed")
            worker = _Worker(self._seconds, self._memory_mb)
            self._workers.add(worker)
        return worker

    def _return(self, worker: _Worker | None) -> None:
        if worker is not None and not worker.is_fresh:
            self._retire(worker)
            worker = None
        self._idle.put(worker)

    def _retire(self, worker: _Worker) -> None:
        worker.stop()
        with self._lock:
            self._workers.discard(worker)


def _stop_all(workers: set[_Worker]) -> None:
    while workers:
        workers.pop().stop()


class _Worker:
    """One parser process, seen from the service. One thread uses it at a time; any may `stop` it."""

    def __init__(self, seconds: float, memory_mb: int) -> None:
        self._seconds = seconds
        self._memory_mb = memory_mb
        self._reads = 0
        self._broken = False
        ours, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "ingest.sandbox",
                    str(theirs.fileno()),
                    str(seconds),
                    str(memory_mb),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=_environment(),
                process_group=0,  # Ctrl-C in a terminal ends the service, which then ends its workers
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self._socket = ours
        self._ready = False

    @property
    def is_fresh(self) -> bool:
        return not self._broken and self._reads < _READS_PER_WORKER and self._process.poll() is None

    def read(self, request: Mapping[str, object], data: bytes) -> ReadResult:
        if not self._ready:
            self._await_start()
        self._reads += 1
        head = json.dumps(request).encode()
        deadline = time.monotonic() + self._seconds
        try:
            _send(self._socket, head, deadline)
            _send(self._socket, data, deadline)
            answer = json.loads(_receive(self._socket, _MAX_ANSWER_BYTES, deadline))
        except TimeoutError:
            self._broken = True
            raise SourceTooLarge(
                f"the file took longer than {self._seconds:g} s to read; split it or allow more time"
            ) from None
        except (OSError, EOFError, ValueError, RecursionError):
            self._broken = True
            raise self._post_mortem() from None
        if "error" in answer:
            self._broken = bool(answer.get("spent"))
            raise _domain_error(answer["error"])
        return from_json(answer.get("result"))

    def _await_start(self) -> None:
        try:
            _receive(self._socket, 1024, time.monotonic() + _START_SECONDS)
        except (OSError, EOFError, ValueError) as error:
            self._broken = True
            raise RuntimeError(
                "the parser process did not start; what it printed on stderr says why"
            ) from error
        self._ready = True

    def _post_mortem(self) -> IngestError:
        """What to say of a process that ended in the middle of a file."""
        try:
            status = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return CorruptSource("the parser's answer was cut off; save the file again")
        if -status in (signal.SIGXCPU, signal.SIGKILL):
            return SourceTooLarge("the file needs more time or memory than a parser may take; split it")
        return CorruptSource(
            f"the parser stopped on the file (status {status}): it is damaged, or needs more than "
            f"{self._memory_mb} MB to read; save it again or split it"
        )

    def stop(self) -> None:
        self._broken = True
        self._process.kill()
        self._process.wait()
        self._socket.close()


def _domain_error(value: object) -> IngestError:
    try:
        return error_from_json(value)
    except (KeyError, TypeError):
        return CorruptSource("the parser gave an answer that makes no sense; save the file again")


def _environment() -> dict[str, str]:
    """What a parser needs to import this package, and nothing else: keys and addresses stay out."""
    root = str(Path(__file__).resolve().parent.parent)
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TZ") if name in os.environ}
    return kept | {
        "PYTHONPATH": root,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


# --- frames -----------------------------------------------------------------------------------------------


def _send(connection: socket.socket, data: bytes, deadline: float | None) -> None:
    for part in (len(data).to_bytes(_LENGTH_BYTES, "big"), data):
        connection.settimeout(_left(deadline))
        connection.sendall(part)


def _receive(connection: socket.socket, most: int, deadline: float | None) -> bytes:
    length = int.from_bytes(_exactly(connection, _LENGTH_BYTES, deadline), "big")
    if length > most:
        raise ValueError("a frame is longer than allowed")
    return bytes(_exactly(connection, length, deadline))


def _exactly(connection: socket.socket, count: int, deadline: float | None) -> bytearray:
    data = bytearray()
    while len(data) < count:
        connection.settimeout(_left(deadline))
        piece = connection.recv(min(count - len(data), 1 << 20))
        if not piece:
            raise EOFError
        data += piece
    return data


def _left(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


# --- inside the parser process ----------------------------------------------------------------------------


def serve(connection: socket.socket, seconds: float, memory_mb: int) -> None:
    """Answer files until the other side closes, or until one of them has spent the memory."""
    _send(connection, b"ready", None)
    while True:
        try:
            request = cast(dict[str, object], json.loads(_receive(connection, MAX_SOURCE_BYTES, None)))
            data = _receive(connection, 1 << 40, None)
        except (EOFError, ConnectionError):
            return
        _allow_processor_time(seconds)
        answer = answered(request, data, memory_mb)
        _send(connection, json.dumps(answer).encode(), None)
        if answer.get("spent"):
            return


def answered(request: Mapping[str, object], data: bytes, memory_mb: int) -> dict[str, object]:
    """The answer to one request; `spent` says that this process should not be trusted with another."""
    try:
        result = read(
            str(request["name"]),
            data,
            media_type=cast("str | None", request.get("media_type")),
            options=cast(Mapping[str, object], request.get("options") or {}),
        )
        return {"result": to_json(result)}
    except IngestError as error:
        return {"error": error_to_json(error)}
    except MemoryError:
        too_large = SourceTooLarge(
            f"the file needs more than {memory_mb} MB to read; split it or allow more memory"
        )
        return {"error": error_to_json(too_large), "spent": True}


def _write_nothing() -> None:
    """No core dumps, no files."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _allow_processor_time(seconds: float) -> None:
    """A limit that holds even when nobody is left to watch the clock."""
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime + seconds) + 2, hard))


def _main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    descriptor, seconds, memory_mb = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    memory_limit.limit(memory_mb)
    _write_nothing()
    with socket.socket(fileno=descriptor) as connection:
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 2)  # parsers write their own complaints; ours go through the socket
        serve(connection, seconds, memory_mb)


if __name__ == "__main__":
    _main()
