"""Passages by words: BM25 of Tantivy over terms that `ingest.language` has cut."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tantivy
from tantivy import Occur, Query

from ingest.language import tokens
from ingest.models import Passage
from kb_service.search.catalogue import Record, label_set, primary_language
from kb_service.search.models import Mask, Rows, Scores
from kb_service.search.terms import FIELDS, WEIGHTS, QueryTerms, TermIndex, TermView

_NARROW = 256
"""Allowed rows up to which the search is told the rows themselves."""
_HEAP = 48_000_000
_PROBE = "AUR-S2-BLK 手机屏幕碎了，三十天内能退货吗？ The customer's parcel was delivered twice, 1,299.00"


@functools.cache
def analysis_id() -> str:
    """A digest of how texts are cut into terms and how they are indexed; an index of another one is stale."""
    said = "\x1f".join([*tokens(_PROBE), importlib.metadata.version("tantivy")])
    return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()


@functools.cache
def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for name in FIELDS:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    for name in ("kind", "language"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    # Tantivy stops for good when an int meets an unsigned field, hence signed ones.
    builder.add_integer_field("row", indexed=True, fast=True)
    builder.add_integer_field("slot", indexed=True)
    return builder.build()


class LexicalIndex:
    """The writer's side. `folder` is a folder of its own, removed by `close`; None keeps the index in memory.

    Additions and removals are seen by views taken after `commit`. Not thread-safe.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self._open(tantivy.Index(_schema(), path=None if folder is None else str(folder)), TermIndex())

    def _open(self, index: tantivy.Index, terms: TermIndex) -> None:
        index.config_reader("manual")  # no thread that watches the folder
        self._index = index
        self._terms = terms
        self._writer: tantivy.IndexWriter | None = None

    @property
    def rows(self) -> int:
        return self._terms.rows

    def add(self, slot: int, record: Record, parts: Sequence[Sequence[str]]) -> None:
        """Appends one row: a passage of the document in `slot`, as its terms in each of `FIELDS` (`cut`)."""
        document = tantivy.Document()
        for name, part in zip(FIELDS, parts, strict=True):
            document.add_text(name, " ".join(part))
        document.add_text("kind", record.kind)
        document.add_text("language", primary_language(record.language))
        document.add_integer("row", self.rows)
        document.add_integer("slot", slot)
        self._writing().add_document(document)
        self._terms.append(parts)

    def remove(self, slot: int, rows: range) -> None:
        """Removes the rows of a slot."""
        self._writing().delete_documents_by_query(Query.term_query(_schema(), "slot", slot))
        self._terms.bury(rows)

    def commit(self) -> None:
        if self._writer is not None:
            self._writer.commit()
            self._index.reload()

    def _writing(self) -> tantivy.IndexWriter:
        if self._writer is None:
            self._writer = self._index.writer(_HEAP, 1)
        return self._writer

    def view(self) -> LexicalView:
        """The index as of the last commit, immutable."""
        return LexicalView(self._index.searcher(), self._terms.view())

    def dump(self) -> Mapping[str, bytes]:
        """Files by name, of the last commit. Waits for merges. Only for an index with a folder."""
        if self._folder is None:
            raise ValueError("folder: an index in memory cannot be written to files")
        if self._writer is not None:
            self._writer.commit()
            self._writer.garbage_collect_files()
            self._writer.wait_merging_threads()
            self._writer = None
            self._index.reload()
        # Locks have no content that matters, and a reader makes its own.
        held = [path for path in self._folder.iterdir() if path.is_file() and path.suffix != ".lock"]
        return {f"lexical/{path.name}": path.read_bytes() for path in held} | dict(self._terms.dump())

    @classmethod
    def load(cls, files: Mapping[str, bytes], folder: Path) -> LexicalIndex:
        """The reverse of `dump`, on copies in `folder`. Raises ValueError or KeyError on what differs."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            if name.startswith("lexical/"):
                (folder / Path(name).name).write_bytes(content)
        index = cls.__new__(cls)
        index._folder = folder
        index._open(tantivy.Index.open(str(folder)), TermIndex.load(files))
        return index

    def close(self) -> None:
        """Ends the writer and removes the folder. Views stay usable: the system keeps files in use."""
        if self._writer is not None:
            self._writer.wait_merging_threads()
            self._writer = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def cut(passage: Passage, record: Record) -> tuple[list[str], ...]:
    """The terms of a passage in each of `FIELDS`. Product ids are found whole, never by their parts."""
    plain = {_letters(product) for product in label_set(record.products)}
    ids = [term for product in record.products for term in tokens(product) if _letters(term) in plain]
    return _context_terms(passage.context), tokens(passage.text), ids


@functools.lru_cache(maxsize=256)
def _context_terms(context: str) -> list[str]:
    """Cut once for the neighbouring passages that share it."""
    return tokens(context)


def _letters(name: str) -> str:
    return "".join(character for character in name if character.isalnum())


@dataclass(frozen=True)
class LexicalView:
    """An immutable state that any number of threads may search."""

    searcher: tantivy.Searcher
    terms: TermView

    @property
    def living(self) -> int:
        return self.searcher.num_docs

    def search(
        self,
        query: QueryTerms,
        k: int,
        allowed: Mask | None = None,
        coarse: Mapping[str, Sequence[str]] | None = None,
    ) -> tuple[Rows, Scores]:
        """The rows with the highest BM25 score among the `allowed` (shape (rows,); None: all), best first.

        `coarse` narrows by stored words beforehand, field name to accepted values (kind, language);
        it must not exclude an allowed row. Rows that hold no term of the question are not found.
        """
        wanted = self._query(query)
        if wanted is None or k < 1:
            return _NOTHING
        if allowed is None:
            return self._top(wanted, k)
        count = int(np.count_nonzero(allowed))
        if count == 0:
            return _NOTHING
        if count <= _NARROW:
            return self._top(_within(wanted, _one_of("row", np.flatnonzero(allowed).tolist())), k)
        for field, values in (coarse or {}).items():
            if values:
                wanted = _within(wanted, _one_of(field, list(values)))
        return self._allowed(wanted, k, allowed)

    def _allowed(self, wanted: Query, k: int, allowed: Mask) -> tuple[Rows, Scores]:
        """Asks for more and more until k allowed rows are among them or there are no more."""
        limit = 2 * k + 16
        while True:
            rows, scores = self._top(wanted, limit)
            kept = allowed[rows]
            if np.count_nonzero(kept) >= k or len(rows) < limit:
                return rows[kept][:k], scores[kept][:k]
            limit *= 6

    def _top(self, wanted: Query, limit: int) -> tuple[Rows, Scores]:
        hits = self.searcher.search(wanted, limit, count=False).hits
        if not hits:
            return _NOTHING
        rows = np.array(
            self.searcher.fast_field_values("row", [address for _, address in hits]), dtype=np.int64
        )
        scores = np.array([score for score, _ in hits], dtype=np.float64)
        order = np.lexsort((rows, -scores))
        return rows[order], scores[order]

    def _query(self, query: QueryTerms) -> Query | None:
        """The terms in each field where they occur; a term that a field lacks would only cost time."""
        clauses = []
        for term, present in zip(query.terms, query.fields.tolist(), strict=True):
            for field, occurs in zip(FIELDS, present, strict=True):
                if occurs:
                    clause = Query.term_query(_schema(), field, term, "freq")
                    weight = WEIGHTS[field]
                    clauses.append(
                        (Occur.Should, clause if weight == 1 else Query.boost_query(clause, weight))
                    )
        return Query.boolean_query(clauses) if clauses else None


_NOTHING = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64))


def _one_of(field: str, values: Sequence[str | int]) -> Query:
    if len(values) == 1:
        return Query.term_query(_schema(), field, values[0], "basic")
    return Query.term_set_query(_schema(), field, list(values))


def _within(wanted: Query, limits: Query) -> Query:
    """`wanted` where `limits` holds too, without a change of scores."""
    return Query.boolean_query([(Occur.Must, wanted), (Occur.Must, Query.const_score_query(limits, 0.0))])
