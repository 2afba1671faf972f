"""The sample shop's answers: the field, the row, the sentence that is asked for, quoted letter by letter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest import language
from ingest.embedding import Embedder, WordHashEmbedder
from ingest.models import Passage
from kb_service.commands.sample import FOLDERS
from kb_service.commands.workbench import Workbench, open_workbench
from kb_service.composing import Composed, Source, compose_reply
from kb_service.replicas.replica import Replica
from kb_service.replying.meaning import Meaning
from kb_service.search.catalogue import Record
from kb_service.search.models import Filters, Hit, SearchQuery
from kb_service.settings import Settings
from tests.kb_service.replying.answer_cases import CASES, Case

SAMPLE = Path(__file__).parents[3] / "sample_kb"
AT = datetime(2026, 11, 20, 4, tzinfo=UTC)


@dataclass(frozen=True)
class Shop:
    bench: Workbench
    replica: Replica
    embedder: Embedder
    meaning: Meaning

    def answer(self, question: str, document: str) -> Composed:
        """What the shop says when this document is the one that is found."""
        spoken = language.identify(question)
        vector = self.embedder.embed_queries([question])[0]
        filters = Filters(external_ids=(document,), audiences=("public", "internal"), any_scope=True)
        query = SearchQuery(question, spoken, vector, AT, limit=1, filters=filters)
        (hit,) = self.replica.index.search(query)
        names = self.replica.shop.products.get(hit.products[0], ()) if len(hit.products) == 1 else ()
        likeness = self.meaning.likeness(vector, spoken, hit.language)
        return compose_reply(
            hit, question, {}, spoken, Source(self.replica.index.document_of(hit), names, likeness)
        )


def opened(folder: Path, embedder: Embedder) -> Iterator[Shop]:
    with open_workbench(Settings(data=folder), embedder=embedder) as bench:
        bench.create_workspace("demo")
        bench.services.knowledge.ingest("demo", [SAMPLE / name for name in FOLDERS], progress=lambda *_: None)
        yield Shop(bench, bench.services.replicas.of("demo"), embedder, Meaning(embedder))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The sample's documents, and an encoder that knows words only."""
    yield from opened(tmp_path_factory.mktemp("words") / "data", WordHashEmbedder())


@pytest.fixture(scope="module")
def real_shop(tmp_path_factory: pytest.TempPathFactory, packaged_embedder: Embedder) -> Iterator[Shop]:
    """The same with the encoder that is served."""
    yield from opened(tmp_path_factory.mktemp("meaning") / "data", packaged_embedder)


def right(case: Case, said: str) -> bool:
    return all(text in said for text in case.says) and not any(text in said for text in case.leaves)


def wrong(shop: Shop) -> list[str]:
    said = {case: shop.answer(case.question, case.document).text for case in CASES}
    return [f"{case.question} → {text}" for case, text in said.items() if not right(case, text)]


def test_words_alone_nearly_always_find_what_is_asked_for(shop: Shop) -> None:
    """What is missed is a passage that the search within the document does not put first."""
    missed = wrong(shop)
    assert len(missed) <= 0.1 * len(CASES), "\n".join(missed)


@pytest.mark.model
def test_nearly_all_are_right_with_the_encoder(real_shop: Shop) -> None:
    missed = wrong(real_shop)
    assert len(missed) <= 0.1 * len(CASES), "\n".join(missed)


@pytest.mark.parametrize("question", ["保修多久，多少钱", "how do I return it and how long does it take"])
def test_every_quote_of_the_sample_is_its_document_from_start_to_end(shop: Shop, question: str) -> None:
    """Whatever passage is found: fields, rows, prose, questions and replies of every document."""
    with shop.bench.store.reading("demo") as unit:
        texts = {held.document.external_id: held.document.text for held in unit.documents.all()}
    catalogue = shop.replica.index.snapshot.catalogue
    for row, passage in enumerate(catalogue.passages):
        hit = found(catalogue.records[int(catalogue.document[row])], passage, row)
        source = Source(shop.replica.index.document_of(hit))
        assert source.passages
        for citation in compose_reply(hit, question, {}, "zh", source).citations:
            assert citation.quote.strip()
            assert texts[citation.document_id][citation.start : citation.end] == citation.quote


def found(record: Record, passage: Passage, row: int) -> Hit:
    """A hit as if the search had found this passage."""
    return Hit(
        passage.id, record.external_id, record.version, record.title, record.kind, record.language, passage.role,
        passage.text, passage.section, passage.start, passage.end, 0.9, 0.5, 9.0, 0.0, 0.5, row=row,
    )  # fmt: skip
