from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from kb_service.search import snapshots
from kb_service.search.snapshots import (
    CorruptGeneration,
    Description,
    check,
    publish,
    published,
    read,
    workplace,
)

FILES = {"vectors.npy": b"\x93NUMPY" + bytes(100), "lexical/meta.json": b"{}", "lexical/.managed.json": b"[]"}
HELD = Description(workspace="shop", model_id="m", dimension=3, analysis="a", position=7, rows=2)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name != ".lock"}


def every_file(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")


def test_what_was_published_is_read(tmp_path: Path) -> None:
    assert publish(tmp_path, HELD, FILES) == "gen-000001"
    generation = read(tmp_path)
    assert generation.description == HELD
    assert generation.files == FILES
    assert generation.name == "gen-000001"


def test_the_manifest_tells_of_what_was_published_without_reading_it(tmp_path: Path) -> None:
    publish(tmp_path, HELD, FILES)
    told = published(tmp_path)
    assert (told.name, told.description, told.size) == ("gen-000001", HELD, sum(map(len, FILES.values())))
    (tmp_path / "gen-000001" / "manifest.json").write_bytes(b"{}")
    with pytest.raises(CorruptGeneration):
        published(tmp_path)


def test_the_older_generation_goes_after_the_new_one_counts(tmp_path: Path) -> None:
    publish(tmp_path, HELD, FILES)
    (tmp_path / "partial-left").mkdir()
    assert publish(tmp_path, HELD, {"x.npy": b"new"}) == "gen-000002"
    assert names(tmp_path) == {"CURRENT", "gen-000002"}
    assert read(tmp_path).files == {"x.npy": b"new"}


def test_without_a_generation_the_fault_says_so(tmp_path: Path) -> None:
    with pytest.raises(CorruptGeneration) as caught:
        read(tmp_path)
    assert caught.value.fault == "absent"


def test_one_flipped_byte_anywhere_is_refused(tmp_path: Path) -> None:
    publish(tmp_path, HELD, FILES)
    paths = every_file(tmp_path)
    assert {path.name for path in paths} >= {"CURRENT", "manifest.json", "vectors.npy", "meta.json"}
    for path in paths:
        content = path.read_bytes()
        for place in range(len(content)):
            path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            with pytest.raises(CorruptGeneration):
                read(tmp_path)
        path.write_bytes(content)
    assert read(tmp_path).files == FILES


def test_a_file_that_is_missing_cut_or_longer_is_refused(tmp_path: Path) -> None:
    publish(tmp_path, HELD, FILES)
    for path in every_file(tmp_path):
        content = path.read_bytes()
        for damaged in (None, b"", content[:-1], content + b"\n"):
            path.unlink()
            if damaged is not None:
                path.write_bytes(damaged)
            with pytest.raises(CorruptGeneration):
                read(tmp_path)
            path.write_bytes(content)


def test_a_crash_at_any_step_leaves_a_whole_generation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path, HELD, FILES)
    real_sync, real_replace, real_rename = os.fsync, Path.replace, Path.rename
    steps = 0
    limit = 0

    class Killed(BaseException):
        pass

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps > limit:
            raise Killed

    def sync(handle: int) -> None:
        step()
        real_sync(handle)

    def replace(self: Path, target: Path) -> Path:
        step()
        return real_replace(self, target)

    def rename(self: Path, target: Path) -> Path:
        step()
        return real_rename(self, target)

    monkeypatch.setattr(snapshots.os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(Path, "rename", rename)
    monkeypatch.setattr(snapshots.shutil, "rmtree", lambda *_, **__: None)  # a killed process tidies nothing
    before, after = FILES, {"vectors.npy": b"new"}
    outcomes = []
    for limit in range(40):  # noqa: B007 - read by `step`
        steps = 0
        try:
            publish(tmp_path, HELD, after)
            break
        except Killed:
            outcomes.append(read(tmp_path).files)
    assert before in outcomes
    assert all(files in (before, after) for files in outcomes)
    assert len(outcomes) >= 6
    assert read(tmp_path).files == after


def test_a_failed_write_keeps_the_previous_generation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path, HELD, FILES)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(snapshots.os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            publish(tmp_path, HELD, {"x.npy": b"new"})
    assert read(tmp_path).files == FILES
    assert names(tmp_path) == {"CURRENT", "gen-000001"}


@pytest.mark.parametrize(
    ("held", "fault"),
    [
        ({"workspace": "other"}, "other_workspace"),
        ({"model_id": "n"}, "other_model"),
        ({"dimension": 4}, "other_model"),
        ({"analysis": "b"}, "other_analysis"),
    ],
)
def test_a_generation_made_otherwise_is_refused(held: dict[str, object], fault: str) -> None:
    wanted: dict[str, object] = {"workspace": "shop", "model_id": "m", "dimension": 3, "analysis": "a"}
    check(HELD, **wanted)  # type: ignore[arg-type]
    with pytest.raises(CorruptGeneration) as caught:
        check(HELD, **(wanted | held))  # type: ignore[arg-type]
    assert caught.value.fault == fault


@pytest.mark.parametrize("name", ["../x", "/etc/x", "lexical/../../x", "a/b", "..", "lexical/"])
def test_names_never_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="plain name"):
        publish(tmp_path / "index", HELD, {name: b"x"})
    assert names(tmp_path / "index") == set()


def test_a_reader_beside_a_publisher_always_gets_a_whole_generation(tmp_path: Path) -> None:
    publish(tmp_path, HELD, {"x.npy": b"0"})
    done = threading.Event()
    seen: list[bytes] = []
    faults: list[BaseException] = []

    def follow() -> None:
        while not done.is_set():
            try:
                seen.append(read(tmp_path).files["x.npy"])
            except CorruptGeneration as error:
                faults.append(error)

    reader = threading.Thread(target=follow)
    reader.start()
    for number in range(30):
        publish(tmp_path, HELD, {"x.npy": str(number).encode()})
    done.set()
    reader.join()
    assert [int(content) for content in seen] == sorted(int(content) for content in seen)
    assert not faults


def test_a_workplace_goes_with_the_work_or_with_the_next_publication(tmp_path: Path) -> None:
    with workplace(tmp_path / "index") as place:
        (place / "file").touch()
    assert names(tmp_path / "index") == set()
    with pytest.raises(OSError, match="full"), workplace(tmp_path / "index"):
        raise OSError("full")
    (tmp_path / "index" / "partial-left").mkdir()
    with workplace(tmp_path / "index") as place:
        publish(tmp_path / "index", HELD, FILES)
        assert names(tmp_path / "index") == {"CURRENT", "gen-000001", place.name}, "one in use stays"
    assert names(tmp_path / "index") == {"CURRENT", "gen-000001"}
