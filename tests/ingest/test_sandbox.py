"""The parser's process: the same answers as in process, and limits that hold."""

from __future__ import annotations

import gc
import io
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ingest import memory_limit, readers, sandbox
from ingest.errors import (
    CorruptSource,
    EmptySource,
    IngestError,
    InvalidDocument,
    ProtectedSource,
    SourceTooLarge,
    UnsupportedFormat,
)
from ingest.sandbox import ParserPool
from tests.ingest.source_files import paragraphs, pdf, xlsx, zipped

MARKDOWN = (
    "---\nvalid_from: 2026-03-01\n---\n# 退货\n\n十五天。\n\n| a | b |\n|---|---|\n| 1 | 2 |\n".encode()
)
SLOW = ("# x\n\n" + "a *b* " * 5_000_000).encode()


@pytest.fixture(scope="module")
def pool() -> Iterator[ParserPool]:
    with ParserPool(20, 256) as made:
        yield made


def process_of(pool: ParserPool) -> Any:
    (worker,) = pool._workers
    return worker._process


def test_a_process_started_before_the_first_file_is_the_one_that_reads_it() -> None:
    with ParserPool(20, 256) as pool:
        assert pool.running == 0
        pool.start()
        started = process_of(pool)
        pool.start()
        assert process_of(pool) is started, "one is enough"
        assert pool.read("a.md", MARKDOWN).extracts
        assert process_of(pool) is started
    assert started.poll() is not None


def test_a_closed_pool_starts_nothing() -> None:
    pool = ParserPool(20, 256)
    pool.close()
    with pytest.raises(RuntimeError, match="closed"):
        pool.start()
    assert pool.running == 0


def test_the_same_as_in_process(pool: ParserPool) -> None:
    for name, data, options in (
        ("a.md", MARKDOWN, {}),
        ("a.pdf", pdf([paragraphs(["Some text."])]), {}),
        (
            "a.xlsx",
            xlsx({"商品": [["SKU", "名称"], ["A", "灯"], [None, "x"]]}),
            {"records": True, "id_template": "{SKU}"},
        ),
    ):
        inside = readers.read(name, data, options=options)
        outside = pool.read(name, data, options=options)
        assert outside.extracts == inside.extracts
        assert [(p.where, str(p.error)) for p in outside.problems] == [
            (p.where, str(p.error)) for p in inside.problems
        ]
    assert pool.read("upload", b"<p>x</p>", media_type="text/html").extracts[0].text == "x"


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [
        ("a.md", b"", EmptySource),
        ("a.md", b"\x89PNG....", CorruptSource),
        ("a.md", b"---\ntitle: a: b\n---\nx", InvalidDocument),
        ("a.docx", b"PK\x03\x04", CorruptSource),
        (
            "a.docx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            ProtectedSource,
        ),
        ("a.png", b"x", UnsupportedFormat),
    ],
)
def test_the_same_errors(pool: ParserPool, name: str, data: bytes, error: type[IngestError]) -> None:
    with pytest.raises(error) as inside:
        readers.read(name, data)
    with pytest.raises(error) as outside:
        pool.read(name, data)
    assert str(outside.value) == str(inside.value)
    assert getattr(outside.value, "field", None) == getattr(inside.value, "field", None)


def test_one_process_is_kept(pool: ParserPool) -> None:
    pool.read("a.md", MARKDOWN)
    before = process_of(pool).pid
    with pytest.raises(EmptySource):
        pool.read("a.md", b"")
    pool.read("a.md", MARKDOWN)
    assert process_of(pool).pid == before


def test_the_process_has_neither_secrets_nor_heavy_libraries(pool: ParserPool) -> None:
    pool.read("a.md", MARKDOWN)
    pid = process_of(pool).pid
    names = {
        entry.split(b"=")[0].decode()
        for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        if entry
    }
    allowed = {
        "PATH",
        "LD_LIBRARY_PATH",
        "TZ",
        "PYTHONPATH",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONUTF8",
        "OPENBLAS_NUM_THREADS",
        "OMP_NUM_THREADS",
    }
    assert names <= allowed
    mapped = Path(f"/proc/{pid}/maps").read_text()
    assert not [library for library in ("libtorch", "onnxruntime", "faiss") if library in mapped]
    limits = Path(f"/proc/{pid}/limits").read_text()
    for name in ("Max address space", "Max core file size", "Max file size", "Max cpu time"):
        (line,) = [line for line in limits.splitlines() if line.startswith(name)]
        assert line.split()[len(name.split())] != "unlimited"


def test_wall_clock_limit_and_replacement() -> None:
    with ParserPool(1.5, 1024) as short:
        short.read("a.md", b"# x\n\ny")
        before = process_of(short).pid
        begun = time.monotonic()
        with pytest.raises(SourceTooLarge, match=r"longer than 1\.5 s"):
            short.read("a.md", SLOW)
        assert time.monotonic() - begun < 20
        assert short.read("a.md", b"# x\n\ny").extracts[0].text == "x\n\ny"
        assert process_of(short).pid != before
        assert not Path(f"/proc/{before}").exists()


def test_memory_limit_and_replacement() -> None:
    with ParserPool(60, 64) as small:
        small.read("a.md", b"# x\n\ny")
        before = process_of(small).pid
        with pytest.raises(SourceTooLarge, match="more than 64 MB"):
            small.read("a.md", SLOW)
        assert small.read("a.md", b"# x\n\ny").extracts[0].text == "x\n\ny"
        assert process_of(small).pid != before


PAGE = b"""<html><head><title>Delivery</title></head><body><div class="menu"><a href="/a">Home</a></div>
<div><h2>Delivery</h2><p>Parcels are handed to the carrier within two days, large goods within a week.</p></div>
</body></html>"""


def test_what_its_library_takes_is_not_the_files() -> None:
    """trafilatura, its numpy and its stop words take twice as much as this file may."""
    with ParserPool(60, 64) as small:
        assert "within two days" in small.read("a.html", PAGE).extracts[0].text
        before = process_of(small).pid
        with pytest.raises(SourceTooLarge, match="more than 64 MB"):
            small.read("a.md", SLOW)
        assert before not in [worker._process.pid for worker in small._workers]


@pytest.mark.parametrize(("inside", "outside"), [(200, 40), (0, 40)])
def test_a_limit_is_raised_by_what_libraries_take_and_by_no_more(inside: int, outside: int) -> None:
    script = f"""
import mmap
from ingest import memory_limit
memory_limit.limit(64)
with memory_limit.loading():
    library = mmap.mmap(-1, {inside} * 2**20 + 4096)
file = mmap.mmap(-1, {outside} * 2**20)
try:
    mmap.mmap(-1, {64 - outside + 8} * 2**20)
except OSError:
    print("refused")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, "PYTHONPATH": str(Path(sandbox.__file__).parent.parent)},
    )  # fmt: skip
    assert done.stdout == "refused\n"


def test_a_bomb_is_refused_before_it_unfolds(pool: ParserPool) -> None:
    body = b"<w:p><w:r><w:t>" + b"x" * 60_000_000 + b"</w:t></w:r></w:p>"
    bomb = zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": body})
    assert len(bomb) < 200_000
    begun = time.monotonic()
    with pytest.raises(SourceTooLarge, match="200-fold"):
        pool.read("a.docx", bomb)
    assert time.monotonic() - begun < 10


def test_an_understated_size_in_the_archive_is_no_way_around(pool: ParserPool) -> None:
    data = bytearray(
        zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": b"<a>" + b" " * 5_000_000 + b"</a>"})
    )
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as package:
        true_size = package.getinfo("word/document.xml").file_size
    while (at := data.find(true_size.to_bytes(4, "little"))) >= 0:
        data[at : at + 4] = (1000).to_bytes(4, "little")
    with pytest.raises(CorruptSource):
        pool.read("a.docx", bytes(data))


def test_a_large_file_is_refused_unread() -> None:
    with ParserPool(5, 128, max_bytes=1000) as small:
        with pytest.raises(SourceTooLarge, match="MiB"):
            small.read("a.md", b"x" * 1001)
        assert not small._workers


def test_large_files_pass_both_ways(pool: ParserPool) -> None:
    text = ("word " * 20 + "\n\n") * 20_000
    assert len(pool.read("a.txt", text.encode()).extracts[0].text) > 1_900_000


def test_a_crash_is_told_and_repaired(pool: ParserPool) -> None:
    pool.read("a.md", b"x")
    process_of(pool).send_signal(signal.SIGSTOP)
    crash = threading.Timer(0.2, process_of(pool).send_signal, [signal.SIGSEGV])
    crash.start()
    threading.Timer(0.4, process_of(pool).send_signal, [signal.SIGCONT]).start()
    with pytest.raises(CorruptSource, match="parser stopped on the file"):
        pool.read("a.md", b"x")
    assert pool.read("a.md", b"x").extracts[0].text == "x"


def test_a_process_that_died_idle_is_replaced(pool: ParserPool) -> None:
    pool.read("a.md", b"x")
    process_of(pool).kill()
    process_of(pool).wait()
    assert pool.read("a.md", b"x").extracts[0].text == "x"


def test_processes_are_renewed_after_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_READS_PER_WORKER", 2)
    with ParserPool(20, 128) as renewing:
        seen = []
        for _ in range(2):
            renewing.read("a.md", b"x")
            seen += [worker._process.pid for worker in renewing._workers]
        renewing.read("a.md", b"x")
        assert seen[0] == seen[-1]
        assert process_of(renewing).pid != seen[0]


def test_many_threads_share_two_processes() -> None:
    with ParserPool(30, 256, size=2) as two, ThreadPoolExecutor(8) as threads:
        texts = [f"text {n}" for n in range(40)]
        results = threads.map(lambda text: two.read("a.txt", text.encode()), texts)
        assert [result.extracts[0].text for result in results] == texts
        assert len(two._workers) <= 2


def test_closing() -> None:
    closing = ParserPool(20, 128)
    closing.close()
    with pytest.raises(RuntimeError, match="closed"):
        closing.read("a.md", b"x")
    closing.close()


def test_closing_ends_what_is_at_work() -> None:
    closing = ParserPool(60, 512)
    closing.read("a.md", b"x")
    process = process_of(closing)
    threading.Timer(0.3, closing.close).start()
    with pytest.raises(RuntimeError, match="closed"):
        closing.read("a.md", SLOW)
    assert process.poll() is not None


def test_a_forgotten_pool_leaves_no_process() -> None:
    forgotten = ParserPool(20, 128)
    forgotten.read("a.md", b"x")
    process = process_of(forgotten)
    del forgotten
    gc.collect()
    assert process.poll() is not None


def test_a_script_that_forgets_its_pool_ends_cleanly() -> None:
    script = "from ingest.sandbox import ParserPool\np = ParserPool(20, 128)\n"
    script += "print(p.read('a.md', b'x').extracts[0].text)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(sandbox.__file__).parent.parent)}, check=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("x\n", "")


def test_a_process_that_cannot_start(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sandbox, "_environment", lambda: {"PYTHONHOME": "/nowhere"})
    with ParserPool(20, 128) as broken, pytest.raises(RuntimeError, match="did not start"):
        broken.read("a.md", b"x")
    assert "Python" in capfd.readouterr().err


def test_importing_the_pool_loads_no_parser() -> None:
    parsers = ("docx", "lxml", "numpy", "pypdfium2", "trafilatura", "selectolax")
    script = f"import sys, ingest.sandbox; print([m for m in {parsers} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, "PYTHONPATH": str(Path(sandbox.__file__).parent.parent)},
    )  # fmt: skip
    assert done.stdout == "[]\n"


# --- the other side of the socket, in this process ------------------------------------------------


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    monkeypatch.setattr(sandbox, "_allow_processor_time", lambda seconds: None)
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with theirs:
            sandbox.serve(theirs, 5.0, 64)

    thread = threading.Thread(target=serve)
    thread.start()
    assert sandbox._receive(ours, 100, time.monotonic() + 5) == b"ready"
    yield ours
    ours.close()
    thread.join(5)
    assert not thread.is_alive()


def ask(connection: socket.socket, name: str, data: bytes) -> dict[str, Any]:
    deadline = time.monotonic() + 5
    sandbox._send(connection, json.dumps({"name": name}).encode(), deadline)
    sandbox._send(connection, data, deadline)
    answer: dict[str, Any] = json.loads(sandbox._receive(connection, 1 << 20, deadline))
    return answer


def test_answers_are_json(served: socket.socket) -> None:
    assert ask(served, "a.txt", b"x")["result"]["extracts"][0]["text"] == "x"
    assert ask(served, "a.txt", b"")["error"]["code"] == "empty_source"


def test_spent_memory_ends_the_process(served: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(sandbox, "read", exhausted)
    answer = ask(served, "a.txt", b"x")
    assert answer["spent"] is True
    assert answer["error"]["code"] == "source_too_large"
    assert served.recv(1) == b""


def test_frames() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sandbox._send(theirs, b"abc", None)
        with pytest.raises(ValueError, match="longer"):
            sandbox._receive(ours, 2, None)
        with pytest.raises(TimeoutError):
            sandbox._receive(ours, 2, time.monotonic() - 1)
    assert sandbox._left(None) is None


def test_answers_that_are_none() -> None:
    for value in (None, {}, {"code": 1, "message": "x"}, {"code": "corrupt_source"}):
        assert isinstance(sandbox._domain_error(value), CorruptSource)


def test_limits_are_set_relative_to_what_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[int, tuple[int, int]] = {}
    monkeypatch.setattr(resource, "setrlimit", lambda kind, limits: found.__setitem__(kind, limits))
    memory_limit.limit(100)
    sandbox._write_nothing()
    sandbox._allow_processor_time(5)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    assert abs(found[resource.RLIMIT_AS][0] - used - 100 * 2**20) < 50 * 2**20
    assert found[resource.RLIMIT_CORE] == found[resource.RLIMIT_FSIZE] == (0, 0)
    assert found[resource.RLIMIT_CPU][0] >= 7
