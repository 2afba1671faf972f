"""A small library in memory behind the `PassageSource` protocol, for the tests of search."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ingest.embedding import WordHashEmbedder
from ingest.models import Document, Passage, Role, passage_id
from kb_service.search.models import Filters, SearchQuery
from kb_service.search.retrieval import Limits, SearchIndex
from kb_service.search.source import SourceDocument

WORKSPACE = "shop"
AT = datetime(2026, 6, 18, tzinfo=UTC)
EMBEDDER = WordHashEmbedder()


@dataclass(frozen=True)
class Entry:
    position: int
    kind: str
    id: str


@dataclass
class Shelf:
    """Documents with a change log; `put` and `remove` write both."""

    documents_held: dict[str, SourceDocument] = field(default_factory=dict)
    log: list[Entry] = field(default_factory=list)

    def put(self, document: SourceDocument) -> None:
        self.documents_held[document.document.external_id] = document
        self.log.append(Entry(len(self.log) + 1, "document", document.document.external_id))

    def remove(self, external_id: str) -> None:
        del self.documents_held[external_id]
        self.log.append(Entry(len(self.log) + 1, "document_removed", external_id))

    def position(self) -> int:
        return len(self.log)

    def changes(self, after: int, limit: int) -> Sequence[Entry]:
        return self.log[after : after + limit]

    def documents(self, external_ids: Collection[str] | None) -> Iterator[SourceDocument]:
        wanted = self.documents_held if external_ids is None else external_ids
        yield from (self.documents_held[key] for key in list(wanted) if key in self.documents_held)


def written(
    external_id: str,
    *texts: str | tuple[Role, str],
    title: str = "",
    language: str = "en",
    version: int = 1,
    embedded: bool = True,
    **attributes: Any,
) -> SourceDocument:
    """A document of the given passages, prose where no role is said, with vectors of hashed words."""
    parts: list[tuple[Role, str]] = [("prose", text) if isinstance(text, str) else text for text in texts]
    document = Document(
        external_id=external_id,
        kind=attributes.pop("kind", "policy"),
        title=title,
        text="\n".join(text for _, text in parts),
        blocks=(),
        language=language,
        **attributes,
    )
    passages, start = [], 0
    for ordinal, (role, text) in enumerate(parts):
        key = passage_id(WORKSPACE, external_id, version, ordinal)
        end = start + len(text)
        passages.append(Passage(key, external_id, version, ordinal, role, text, start, end, (), title))
        start = end + 1
    vectors = EMBEDDER.embed_passages([f"{title}\n{text}" for _, text in parts])
    if not embedded:
        vectors = np.zeros_like(vectors)
    return SourceDocument(document, version, tuple(passages), vectors, np.full(len(parts), embedded))


def shelf_of(*documents: SourceDocument) -> Shelf:
    shelf = Shelf()
    for document in documents:
        shelf.put(document)
    return shelf


def index_of(shelf: Shelf | None = None, *, folder: Path | None = None, **options: Any) -> SearchIndex:
    """An index of the word-hashing encoder, brought up to the shelf's position."""
    options.setdefault("limits", Limits(compact_rows=4))
    index = SearchIndex(
        WORKSPACE,
        model_id=EMBEDDER.model_id,
        dimension=EMBEDDER.dimension,
        reads=EMBEDDER.reads,
        folder=folder,
        **options,
    )
    if shelf is not None:
        index.rebuild(shelf)
    return index


def asked(text: str, language: str = "en", **options: Any) -> SearchQuery:
    """A question with its vector; options are of `SearchQuery`, or of `Filters` by their names."""
    narrowing = {name: options.pop(name) for name in list(options) if name in Filters.__slots__}
    options.setdefault("at", AT)
    options.setdefault("vector", EMBEDDER.embed_queries([text])[0])
    return SearchQuery(text, language, filters=Filters(**narrowing), **options)


def found(index: SearchIndex, text: str, language: str = "en", **options: Any) -> list[str]:
    """The external ids that a search finds, best first."""
    return [hit.external_id for hit in index.search(asked(text, language, **options))]
