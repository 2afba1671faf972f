"""An index and its files: what is published is what is loaded, or nothing is."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb_service.search import lexical, snapshots
from kb_service.search.retrieval import Limits, SearchIndex
from kb_service.search.snapshots import CorruptGeneration
from tests.kb_service.search.shelf import Shelf, asked, found, index_of, shelf_of, written

LIMITS = Limits(exact_rows=100, compact_rows=4)


@pytest.fixture
def shelf() -> Shelf:
    shelf = shelf_of(
        *(
            written(f"d{number}", f"refund number {number}", f"return number {number}")
            for number in range(700)
        ),
        written("zh", "签收后七天内可以无理由退货", language="zh", products=("AUR-S2",)),
    )
    shelf.remove("d9")
    return shelf


@pytest.fixture
def live(shelf: Shelf, tmp_path: Path) -> Iterator[SearchIndex]:
    """An index that was published with every kind of file: a graph, removed rows, words."""
    index = index_of(shelf, folder=tmp_path / "index", limits=LIMITS)
    shelf.remove("d10")
    index.follow(shelf)
    index.publish()
    yield index
    index.close()


@pytest.fixture
def published(live: SearchIndex, tmp_path: Path) -> Path:
    """Its folder."""
    live.close()
    return tmp_path / "index"


def opened(folder: Path, shelf: Shelf | None = None, **options: object) -> SearchIndex:
    index = index_of(folder=folder, limits=LIMITS, **options)
    if shelf is None:
        index.load()
    else:
        index.restore(shelf)
    return index


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and "scratch-" not in str(path))
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def answers(index: SearchIndex) -> list[list[tuple[str, float]]]:
    texts = ("refund number 3", "return number 77", "refund number 9", "number 10", "aur-s2", "退货")
    return [[(hit.external_id, round(hit.score, 9)) for hit in index.search(asked(text))] for text in texts]


def test_a_loaded_index_answers_the_same_and_follows_on(
    shelf: Shelf, live: SearchIndex, tmp_path: Path
) -> None:
    index = opened(tmp_path / "index")
    assert index.position == shelf.position()
    assert answers(index) == answers(live)
    assert "d10" not in found(index, "refund number 10", limit=50)
    shelf.put(written("d10", "a text that came back", version=3))
    assert index.follow(shelf) == 1
    assert found(index, "a text that came back")[0] == "d10"
    index.close()


def test_every_kind_of_file_is_there(published: Path) -> None:
    names = {path.name for path in (published / "gen-000001").iterdir()}
    assert names >= {"manifest.json", "documents.jsonl", "vectors.npy", "dense.faiss", "held.npy", "lexical"}
    assert {path.name for path in published.iterdir()} - {".lock"} == {"CURRENT", "gen-000001"}


def test_work_on_a_loaded_index_leaves_the_published_files_alone(shelf: Shelf, published: Path) -> None:
    before = digests(published)
    index = opened(published)
    for number in range(300, 400):
        shelf.remove(f"d{number}")
        shelf.put(written(f"new{number}", f"invoice number {number}"))
    index.follow(shelf)
    index.maintain()
    assert digests(published) == before
    index.close()
    assert digests(published) == before
    assert not list(published.glob("scratch-*"))


def test_one_flipped_byte_in_any_file_is_refused(live: SearchIndex, tmp_path: Path) -> None:
    published = tmp_path / "index"
    before = answers(live)
    live.close()
    files = [path for path in published.rglob("*") if path.is_file() and path.name != ".lock"]
    assert len(files) > 12
    index = index_of(folder=published, limits=LIMITS)
    for path in files:
        content = bytearray(path.read_bytes())
        for place in {0, len(content) // 2, len(content) - 1} if content else ():
            content[place] ^= 0x10
            path.write_bytes(content)
            with pytest.raises(CorruptGeneration) as caught:
                index.load()
            assert caught.value.fault in ("damaged", "absent"), path
            content[place] ^= 0x10
        path.write_bytes(content)
    index.load()
    assert answers(index) == before
    index.close()


def test_a_refused_load_leaves_the_index_as_it_was(shelf: Shelf, published: Path) -> None:
    index = opened(published)
    before = index.snapshot
    vectors = published / "gen-000001" / "vectors.npy"
    vectors.write_bytes(vectors.read_bytes()[:-1])
    with pytest.raises(CorruptGeneration, match=r"vectors\.npy differs"):
        index.load()
    assert index.snapshot is before
    assert found(index, "退货", "zh")[0] == "zh"
    index.close()


def test_damage_is_repaired_by_rebuilding_from_the_source(shelf: Shelf, published: Path) -> None:
    (published / "gen-000001" / "dense.faiss").unlink()
    index = index_of(folder=published, limits=LIMITS)
    assert index.restore(shelf) == "damaged"
    assert index.documents == len(shelf.documents_held)
    assert found(index, "退货", "zh")[0] == "zh"
    assert index.publish() == "gen-000002"
    index.close()
    again = index_of(folder=published, limits=LIMITS)
    assert again.restore(shelf) is None
    again.close()


def test_restore_catches_up_with_the_log(shelf: Shelf, published: Path) -> None:
    shelf.put(written("late", "an invoice"))
    index = index_of(folder=published, limits=LIMITS)
    assert index.restore(shelf) is None
    assert found(index, "invoice")[0] == "late"
    index.close()


def test_parts_of_two_generations_do_not_mix(shelf: Shelf, published: Path, tmp_path: Path) -> None:
    """Files that are whole, with digests that are right, but of different states."""
    generation = snapshots.read(published)
    other = index_of(
        shelf_of(written("x", "one passage"), written("y", "another")),
        folder=tmp_path / "other",
        limits=LIMITS,
    )
    other.publish()
    foreign = snapshots.read(tmp_path / "other").files
    other.close()
    for names in (["documents.jsonl"], ["vectors.npy", "embedded.npy"], ["held.npy", "ends.npy"]):
        mixed = {**generation.files, **{name: foreign[name] for name in names}}
        folder = tmp_path / f"mixed-{names[0]}"
        snapshots.publish(folder, generation.description, mixed)
        index = index_of(folder=folder, limits=LIMITS)
        with pytest.raises(CorruptGeneration) as caught:
            index.load()
        assert caught.value.fault == "damaged"
        index.close()


def test_another_model_workspace_or_cut_is_not_taken(
    shelf: Shelf, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(**change: object) -> str:
        options = {"workspace": "shop", "model_id": "word-hash-384", "dimension": 384} | change
        workspace = str(options.pop("workspace"))
        index = SearchIndex(workspace, reads={"en"}, folder=published, **options)  # type: ignore[arg-type]
        with pytest.raises(CorruptGeneration) as caught:
            index.load()
        index.close()
        return caught.value.fault

    assert fault(model_id="other") == "other_model"
    assert fault(dimension=8) == "other_model"
    assert fault(workspace="neighbour") == "other_workspace"
    monkeypatch.setattr("kb_service.search.retrieval.analysis_id", lambda: "other rules")
    assert fault() == "other_analysis"
    assert lexical.analysis_id() != "other rules"


def test_an_index_ahead_of_its_source_is_rebuilt(published: Path) -> None:
    restored = shelf_of(written("only", "the backup of last night"))
    index = opened(published, restored)
    assert index.documents == 1
    assert index.position == 1
    index.close()


def test_publishing_compacts_first(shelf: Shelf, tmp_path: Path) -> None:
    index = index_of(shelf, folder=tmp_path, limits=Limits(compact_rows=4, overdue_share=2.0))
    for number in range(100, 400):
        shelf.remove(f"d{number}")
    index.follow(shelf)
    index.publish()
    assert snapshots.read(tmp_path).description.rows == index.passages
    index.close()


def test_an_index_in_memory_has_no_generations(shelf: Shelf) -> None:
    index = index_of(shelf)
    with pytest.raises(ValueError, match="folder"):
        index.publish()
    with pytest.raises(CorruptGeneration) as caught:
        index.load()
    assert caught.value.fault == "absent"


def test_a_failed_publication_keeps_the_last(
    shelf: Shelf, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = opened(published)
    shelf.put(written("late", "an invoice"))
    index.follow(shelf)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(snapshots.os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            index.publish()
    assert found(index, "invoice")[0] == "late"
    index.close()
    assert snapshots.read(published).name == "gen-000001"
    again = opened(published, shelf)
    assert found(again, "invoice")[0] == "late"
    again.close()


def test_a_full_disk_at_loading_means_rebuilding(
    shelf: Shelf, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    index = index_of(folder=published, limits=LIMITS)
    assert index.restore(shelf) == "unpacking"
    assert found(index, "退货", "zh")[0] == "zh"


def test_two_indexes_share_a_folder(shelf: Shelf, published: Path) -> None:
    one, two = opened(published), opened(published)
    one.publish()
    assert answers(two) == answers(one)
    shelf.put(written("late", "an invoice"))
    two.follow(shelf)
    two.publish()
    one.close()
    assert found(two, "invoice")[0] == "late"
    two.close()
    shutil.rmtree(published)
