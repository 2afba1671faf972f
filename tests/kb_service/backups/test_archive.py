"""The file that a backup is: whole, checked to the last byte, and nothing that leads out of its folder."""

from __future__ import annotations

import hashlib
import json
import stat
import zipfile
from pathlib import Path

import pytest

from kb_service.backups.archive import extract, manifest_of, verify, write
from kb_service.errors import NotFound, ServiceError

ABOUT = {"made_at": "2026-06-18T04:00:00+00:00", "version": "0.1.0", "dialect": "sqlite", "revision": "0001"}


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    store, lexicon = tmp_path / "a", tmp_path / "b"
    store.write_bytes(b"the store " * 5_000)
    lexicon.write_bytes(b"a lexicon")
    inside = {"store.sqlite3": store, "encoder/ab12.npz": lexicon}
    write(tmp_path / "kb.kbbackup", inside, **ABOUT)
    return tmp_path / "kb.kbbackup"


def test_what_went_in_comes_out(backup: Path, tmp_path: Path) -> None:
    manifest = extract(backup, tmp_path / "out")
    assert (tmp_path / "out" / "store.sqlite3").read_bytes() == b"the store " * 5_000
    assert (tmp_path / "out" / "encoder" / "ab12.npz").read_bytes() == b"a lexicon"
    assert (manifest.revision, manifest.version) == ("0001", "0.1.0")
    assert manifest_of(backup) == manifest == verify(backup)


def test_nobody_else_may_read_it_and_nothing_half_made_stays(backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert [path.name for path in backup.parent.iterdir() if path.name.endswith(".part")] == []


def test_a_backup_that_cannot_be_written_leaves_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write(tmp_path / "kb.kbbackup", {"store.sqlite3": tmp_path / "gone"}, **ABOUT)
    assert list(tmp_path.iterdir()) == []


def test_any_byte_that_changed_is_noticed(backup: Path) -> None:
    whole = backup.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 97)):
        changed = bytearray(whole)
        changed[place] ^= 0x55
        backup.write_bytes(bytes(changed))
        try:
            manifest = verify(backup)
        except ServiceError:
            continue
        # Times and rights beside the names are no content: what is told and held is the same all the same.
        backup.write_bytes(whole)
        assert manifest == verify(backup)


@pytest.mark.parametrize("kept", [0, 10, 200])
def test_a_backup_that_ends_too_early_is_damaged(backup: Path, kept: int) -> None:
    backup.write_bytes(backup.read_bytes()[:kept])
    with pytest.raises(ServiceError, match=r"kb\.kbbackup"):
        manifest_of(backup)


@pytest.mark.parametrize(
    "name", ["../outside.npz", "encoder/../../outside.npz", "/etc/outside.npz", "store.sqlite3/x", "run.sh"]
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "kb.kbbackup"
    entry = {"bytes": 1, "sha256": "0" * 64}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("store.sqlite3", b"x")
        archive.writestr(name, b"x")
        files = {"store.sqlite3": entry, name: entry}
        archive.writestr("manifest.json", json.dumps({**ABOUT, "format": 1, "files": files}))
    with pytest.raises(ServiceError):
        extract(path, tmp_path / "out")
    assert not (tmp_path / "outside.npz").exists()


def test_what_unpacks_to_more_than_it_says_is_refused_in_time(tmp_path: Path) -> None:
    path = tmp_path / "kb.kbbackup"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("store.sqlite3", b"0" * 50_000_000)
        files = {"store.sqlite3": {"bytes": 10, "sha256": "0" * 64}}
        archive.writestr("manifest.json", json.dumps({**ABOUT, "format": 1, "files": files}))
    (tmp_path / "out").mkdir()
    with pytest.raises(ServiceError, match="differs"):
        extract(path, tmp_path / "out")
    assert (tmp_path / "out" / "store.sqlite3").stat().st_size < 5_000_000


@pytest.mark.parametrize("manifest", ["[]", "no", '{"format": 2}', '{"format": 1, "files": {}}'])
def test_a_manifest_that_says_something_else_is_refused(tmp_path: Path, manifest: str) -> None:
    path = tmp_path / "kb.kbbackup"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", manifest)
    with pytest.raises(ServiceError):
        manifest_of(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        manifest_of(tmp_path / "nowhere")


def made_by_hand(
    path: Path, changed: dict[str, object] | None = None, packed: int = zipfile.ZIP_DEFLATED
) -> Path:
    content = b"the store " * 500
    entry = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    said = {**ABOUT, "format": 1, "files": {"store.sqlite3": entry}, **(changed or {})}
    with zipfile.ZipFile(path, "w", packed) as archive:
        archive.writestr("store.sqlite3", content)
        archive.writestr("manifest.json", json.dumps(said))
    return path


def test_one_that_is_made_by_hand_rightly_is_taken(tmp_path: Path) -> None:
    assert verify(made_by_hand(tmp_path / "kb.kbbackup")).revision == "0001"


@pytest.mark.parametrize(
    "changed",
    [
        {"revision": ["0001"]},
        {"revision": None},
        {"version": 1},
        {"dialect": ["sqlite"]},
        {"made_at": "yesterday"},
        {"files": {"store.sqlite3": {"bytes": "5000", "sha256": "0" * 64}}},
        {"files": {"store.sqlite3": {"bytes": True, "sha256": "0" * 64}}},
        {"files": {"store.sqlite3": {"bytes": 5000, "sha256": 7}}},
        {"files": {"store.sqlite3": {"bytes": 5000}}},
        {"files": ["store.sqlite3"]},
    ],
)
def test_a_manifest_of_other_types_is_refused(tmp_path: Path, changed: dict[str, object]) -> None:
    with pytest.raises(ServiceError, match=r"kb\.kbbackup"):
        verify(made_by_hand(tmp_path / "kb.kbbackup", changed))


@pytest.mark.parametrize("packed", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_one_that_is_packed_in_another_way_is_refused(tmp_path: Path, packed: int) -> None:
    path = made_by_hand(tmp_path / "kb.kbbackup", packed=packed)
    with pytest.raises(ServiceError, match="packed"):
        manifest_of(path)
    whole = bytearray(path.read_bytes())
    for place in range(0, len(whole), 3):
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        path.write_bytes(bytes(changed))
        with pytest.raises(ServiceError):
            manifest_of(path)


def test_one_that_says_it_is_encrypted_is_refused(tmp_path: Path) -> None:
    path = made_by_hand(tmp_path / "kb.kbbackup")
    whole = bytearray(path.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        whole[whole.index(mark) + flags] |= 1
    path.write_bytes(bytes(whole))
    with pytest.raises(ServiceError):
        verify(path)


def test_a_folder_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(ServiceError):
        manifest_of(tmp_path)
