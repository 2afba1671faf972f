"""`kb ingest`: a workspace follows its files, free where nothing changed, losing nothing to what broke."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import pytest

from ingest.embedding import WordHashEmbedder
from ingest.models import Vectors
from kb_service.commands.workbench import Workbench, open_workbench
from kb_service.knowledge import IngestReport, NewDocument
from kb_service.models import Principal
from kb_service.replicas.reembedding import embed_all, embed_passages
from kb_service.settings import Settings
from tests.kb_service import small_shop


class CountingEmbedder(WordHashEmbedder):
    """Counts the texts that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.texts = 0

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.texts += len(texts)
        return super().embed_passages(texts)


@pytest.fixture(scope="module")
def embedder() -> CountingEmbedder:
    return CountingEmbedder()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, embedder: CountingEmbedder) -> Iterator[Workbench]:
    settings = Settings(data=tmp_path_factory.mktemp("bench") / "data")
    with open_workbench(settings, embedder=embedder) as opened:
        yield opened


NUMBERS = count()


class Ingest:
    """One workspace and one folder, brought in line again and again."""

    def __init__(self, bench: Workbench, folder: Path) -> None:
        self.bench = bench
        self.folder = folder
        self.workspace = f"shop-{next(NUMBERS)}"
        bench.create_workspace(self.workspace)

    def __call__(self, *paths: Path) -> IngestReport:
        return self.bench.services.knowledge.ingest(self.workspace, paths or [self.folder])

    @property
    def documents(self) -> dict[str, int]:
        """External ids with their versions."""
        with self.bench.store.reading(self.workspace) as unit:
            return {name: head.version for name, head in unit.documents.heads().items()}

    def text(self, external_id: str) -> str:
        return str(self.bench.services.knowledge.get(self.workspace, external_id).text)

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path


@pytest.fixture
def ingest(bench: Workbench, tmp_path: Path) -> Ingest:
    return Ingest(bench, small_shop.write(tmp_path / "shop"))


def test_files_become_documents_of_their_kinds(ingest: Ingest) -> None:
    report = ingest()
    assert (report.created, report.files, report.problems) == (small_shop.DOCUMENTS, 5, ())
    assert set(ingest.documents) == {
        "policies:returns.md", "shipping-zh", "faq-1", "faq-2", "product-K1", "resolution-1",
    }  # fmt: skip
    knowledge = ingest.bench.services.knowledge
    assert knowledge.get(ingest.workspace, "faq-1").kind == "faq"
    assert knowledge.get(ingest.workspace, "product-K1").fields["Capacity"] == "1.7 l"
    assert "13812345678" not in ingest.text("resolution-1")


def test_unchanged_files_cost_nothing(
    ingest: Ingest, embedder: CountingEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest()
    texts = embedder.texts
    position = ingest.bench.store.position(ingest.workspace)
    parsers = ingest.bench.services.parsers
    monkeypatch.setattr(type(parsers), "read", lambda *_, **__: pytest.fail("an unchanged file was read"))
    report = ingest()
    assert (report.files_unchanged, report.unchanged, report.passages) == (5, small_shop.DOCUMENTS, 0)
    assert (report.created, report.updated, report.removed) == (0, 0, 0)
    assert embedder.texts == texts
    assert ingest.bench.store.position(ingest.workspace) == position


def test_only_what_changed_is_embedded(ingest: Ingest, embedder: CountingEmbedder) -> None:
    ingest()
    texts = embedder.texts
    ingest.write("faq/faq.csv", small_shop.FAQ.replace("choose Invoice", "choose Invoice twice"))
    report = ingest()
    assert (report.updated, report.unchanged, report.files_unchanged) == (1, small_shop.DOCUMENTS - 1, 4)
    assert 0 < embedder.texts - texts <= 3, "the row that changed, not its neighbours"
    assert ingest.documents["faq-1"] == 2
    assert "Invoice twice" in ingest.text("faq-1")


def test_a_removed_file_takes_its_documents_along(ingest: Ingest) -> None:
    ingest()
    (ingest.folder / "faq" / "faq.csv").unlink()
    (ingest.folder / "faq" / "collection.toml").unlink()
    assert ingest().removed == 2
    assert not {"faq-1", "faq-2"} & set(ingest.documents)
    assert ingest().removed == 0


def test_a_removed_row_takes_its_document_along(ingest: Ingest) -> None:
    ingest()
    ingest.write("faq/faq.csv", small_shop.FAQ.rpartition("2,")[0])
    report = ingest()
    assert (report.removed, report.unchanged) == (1, small_shop.DOCUMENTS - 1)
    assert "faq-2" not in ingest.documents


def test_a_renamed_file_keeps_its_documents(ingest: Ingest) -> None:
    ingest()
    (ingest.folder / "policies" / "shipping.md").rename(ingest.folder / "policies" / "delivery.md")
    report = ingest()
    assert (report.removed, report.created) == (0, 0)
    assert ingest.documents["shipping-zh"] == 1, "the same words are no new version"
    (ingest.folder / "policies" / "delivery.md").unlink()
    assert ingest().removed == 1, "the document is the renamed file's now"


def test_other_folders_are_left_alone(ingest: Ingest, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "note.md").write_text("# Note\n\nSomething else.", "utf-8")
    ingest()
    assert ingest(other).removed == 0
    assert ingest(ingest.folder / "faq").removed == 0
    assert len(ingest.documents) == small_shop.DOCUMENTS + 1


def test_what_was_put_by_hand_is_left_alone(ingest: Ingest) -> None:
    caller = Principal(ingest.workspace, "key", frozenset({"editor"}))
    new = NewDocument("by-hand", {"kind": "policy", "title": "By hand", "text": "Put through the API."})
    ingest.bench.services.knowledge.put_many(caller, [new])
    ingest()
    (ingest.folder / "policies" / "returns.md").unlink()
    assert ingest().removed == 1
    assert "by-hand" in ingest.documents


BROKEN = {
    "policies/garbled.pdf": b"%PDF-1.7\nnothing that a reader could use",
    "policies/empty.md": b"",
    "policies/binary.txt": bytes(range(256)) * 40,
    "products/torn.xlsx": b"PK\x03\x04" + b"\x00" * 200,
    "products/torn.docx": b"PK\x05\x06 torn",
    "policies/backwards.md": b"---\nvalid_from: 2026-05-01\nvalid_to: 2026-04-01\n---\n\nNever valid.\n",
    "policies/circle.md": b"---\nexternal_id: circle\nsupersedes: [circle]\n---\n\n# Circle\n\nItself.\n",
    "policies/unknown.md": b"---\naudiense: internal\n---\n\n# Typo\n\nA misspelt attribute.\n",
    "policies/picture.raw": b"\x00\x01",
}


def test_broken_files_are_each_reported_and_stop_nothing(ingest: Ingest) -> None:
    for name, content in BROKEN.items():
        ingest.write(name, content)
    report = ingest()
    assert report.created == small_shop.DOCUMENTS
    told = {problem.path.rpartition("/")[2].partition(" ")[0]: problem for problem in report.problems}
    assert set(told) == {name.rpartition("/")[2] for name in BROKEN}
    assert len(report.problems) == len(BROKEN)
    assert "valid_to" in told["backwards.md"].message
    assert "supersedes" in told["circle.md"].message
    assert "audience" in told["unknown.md"].message, "the nearest name is offered"
    assert all(problem.code != "ingest_error" for problem in report.problems)
    assert {item.path for item in ingest().problems} == {item.path for item in report.problems}


def test_a_file_that_breaks_keeps_what_it_said_before(ingest: Ingest) -> None:
    ingest()
    good = (ingest.folder / "policies" / "returns.md").read_bytes()
    ingest.write("policies/returns.md", b"")
    report = ingest()
    assert (len(report.problems), report.removed) == (1, 0)
    assert "30 days" in ingest.text("policies:returns.md")
    ingest.write("policies/returns.md", good)
    mended = ingest()
    assert (mended.problems, mended.removed) == ((), 0)


def test_a_broken_row_loses_nothing_of_the_others_or_of_its_past(ingest: Ingest) -> None:
    ingest()
    ingest.write("faq/faq.csv", small_shop.FAQ.replace("2,Can I", ",Can I") + "3,New?,Yes new.\n")
    report = ingest()
    assert (report.created, report.removed, len(report.problems)) == (1, 0, 1)
    assert {"faq-1", "faq-2", "faq-3"} <= set(ingest.documents)
    ingest.write("faq/faq.csv", "id,question,answer\n1,How do I get an invoice?,Open the order.\n")
    assert ingest().removed == 2, "what the file held before it broke is still known to be its own"
    assert {"faq-2", "faq-3"}.isdisjoint(ingest.documents)


def test_a_duplicate_id_is_refused_whichever_file_comes_first(ingest: Ingest) -> None:
    ingest()
    twin = "---\nexternal_id: shipping-zh\n---\n\n# Another\n\nNot about shipping at all.\n"
    for name in ("policies/aaa.md", "policies/zzz.md"):
        path = ingest.write(name, twin)
        for _ in range(2):
            (problem,) = ingest().problems
            assert "shipping.md" in problem.message
            assert "shipping-zh" in problem.message
        assert "三天内送达" in ingest.text("shipping-zh")
        path.unlink()
    assert ingest().problems == ()
    assert ingest.documents["shipping-zh"] == 1


def test_duplicate_ids_within_a_file_are_refused(ingest: Ingest) -> None:
    ingest.write("faq/faq.csv", small_shop.FAQ + "1,Again?,The same number twice.\n")
    report = ingest()
    assert report.created == small_shop.DOCUMENTS
    (problem,) = report.problems
    assert "faq-1" in problem.path + problem.message


def test_a_changed_collection_file_reads_its_files_again(ingest: Ingest) -> None:
    ingest()
    ingest.write(
        "faq/collection.toml",
        small_shop.FAQ_COLLECTION.replace("[defaults]", '[defaults]\naudience = "internal"'),
    )
    report = ingest()
    assert (report.updated, report.files_unchanged) == (2, 4)
    assert ingest.bench.services.knowledge.get(ingest.workspace, "faq-1").audience == "internal"


def test_a_broken_collection_file_removes_nothing(ingest: Ingest) -> None:
    ingest()
    ingest.write("faq/collection.toml", "[defaults\n")
    report = ingest()
    assert report.removed == 0
    assert [Path(problem.path).name for problem in report.problems] == ["collection.toml"]
    assert "faq-1" in ingest.documents


def test_new_ids_by_template_replace_the_old(ingest: Ingest) -> None:
    ingest()
    ingest.write("faq/collection.toml", small_shop.FAQ_COLLECTION.replace("faq-{id}", "question-{id}"))
    report = ingest()
    assert (report.created, report.removed) == (2, 2)
    assert {"question-1", "question-2"} <= set(ingest.documents)
    assert not {"faq-1", "faq-2"} & set(ingest.documents)


def test_removals_are_in_the_audit(ingest: Ingest) -> None:
    ingest()
    (ingest.folder / "policies" / "returns.md").unlink()
    ingest()
    entry = ingest.bench.services.knowledge.audit(ingest.workspace, None, 1).items[0]
    assert (entry.actor, entry.action, entry.object) == ("ingest", "document.removed", "policies:returns.md")


def test_a_second_model_is_embedded_beside_the_first(ingest: Ingest, tmp_path: Path) -> None:
    class Renamed(CountingEmbedder):
        model_id = "word-hash-renamed"

    ingest()
    other = Renamed()
    with open_workbench(ingest.bench.settings, embedder=other) as bench:
        seen: list[tuple[int, int]] = []
        parts = (bench.store, bench.services.encoder, ingest.workspace)
        passages = embed_all(*parts, lambda done, total, _: seen.append((done, total)))
        assert passages == other.texts == seen[0][1]
        assert embed_passages(*parts) == 0
    first = (ingest.bench.store, ingest.bench.services.encoder, ingest.workspace)
    assert embed_passages(*first) == 0, "the first model's are still there"
