"""Passages by words: BM25 of Tantivy over terms that `ingest.language` has cut."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tantivy
from tantivy import Occur, Query

from ingest.language import tokens
from ingest.models import Passage
from kb_service.search.catalogue import CatalogueView, Record
from kb_service.search.labels import label_set, primary_language
from kb_service.search.models import Mask, Rows, Scores
from kb_service.search.terms import FIELDS, WEIGHTS, QueryTerms, TermIndex, TermView

_FOLDER = "lexical/"
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
    # Tantivy stops for good when an int meets an unsigned field, hence a signed one.
    builder.add_integer_field("row", indexed=True, fast=True)
    return builder.build()


class LexicalIndex:
    """The writer's side: rows are only ever appended. Not thread-safe; readers use a `view`.

    Additions go to an index in memory, which waits for no disk; what was loaded from files stays beside it
    and is never written to. Buried rows are hidden by the mask of every search and leave the statistics of
    terms; Tantivy itself is rid of them when the index is compacted or published.
    """

    def __init__(self) -> None:
        self._loaded: tuple[tantivy.Searcher, ...] = ()
        self._index = tantivy.Index(_schema())
        self._index.config_reader("manual")  # no thread that watches for commits
        self._writer: tantivy.IndexWriter | None = None
        self._terms = TermIndex()

    @property
    def rows(self) -> int:
        return self._terms.rows

    def add(self, record: Record, parts: Sequence[Sequence[str]]) -> None:
        """Appends one row: a passage of the record's document, as its terms in each of `FIELDS` (`cut`)."""
        if self._writer is None:
            self._writer = self._index.writer(_HEAP, 1)
        self._writer.add_document(_document(self.rows, record, parts))
        self._terms.append(parts)

    def bury(self, rows: range) -> None:
        """Takes rows out of the statistics of terms."""
        self._terms.bury(rows)

    def commit(self) -> None:
        """Makes additions visible to later views."""
        if self._writer is not None:
            self._writer.commit()
            self._index.reload()

    def close(self) -> None:
        """Ends the threads of the writer. Views stay usable."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.wait_merging_threads()

    def view(self) -> LexicalView:
        """The index as of the last commit, immutable."""
        searchers = (*self._loaded, self._index.searcher())
        return LexicalView(tuple(each for each in searchers if each.num_docs), self._terms.view())

    @classmethod
    def load(cls, files: Mapping[str, bytes], folder: Path) -> LexicalIndex:
        """The reverse of `LexicalView.dump`. Raises ValueError or KeyError on what does not fit.

        `folder` is for working copies and may go once this returns: the system keeps files that are in use.
        """
        for name, content in files.items():
            if name.startswith(_FOLDER):
                (folder / name.removeprefix(_FOLDER)).write_bytes(content)
        loaded = tantivy.Index.open(str(folder))
        loaded.config_reader("manual")
        loaded.reload()
        index = cls()
        index._loaded = (loaded.searcher(),)
        index._terms = TermIndex.load(files)
        return index


def _document(row: int, record: Record, parts: Sequence[Sequence[str]]) -> tantivy.Document:
    document = tantivy.Document()
    for name, part in zip(FIELDS, parts, strict=True):
        document.add_text(name, " ".join(part))
    document.add_text("kind", record.kind)
    document.add_text("language", primary_language(record.language))
    document.add_integer("row", row)
    return document


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
    """An immutable state that any number of threads may search; its rows are spread over the searchers."""

    searchers: tuple[tantivy.Searcher, ...]
    terms: TermView

    @property
    def held(self) -> int:
        """The rows that can be found by words; buried ones may still be among them."""
        return sum(searcher.num_docs for searcher in self.searchers)

    def dump(self, catalogue: CatalogueView, folder: Path) -> Mapping[str, bytes]:
        """Files by name: the terms, and an index of the living rows alone, which is made in `folder`."""
        index = tantivy.Index(_schema(), path=str(folder))
        writer = index.writer(_HEAP, 1)
        for row in np.flatnonzero(catalogue.alive[catalogue.document]).tolist():
            record = catalogue.records[catalogue.document[row]]
            writer.add_document(_document(row, record, self.terms.of_row(row)))
        writer.commit()
        writer.wait_merging_threads()
        # Locks have no content that matters, and a reader makes its own.
        held = [path for path in folder.iterdir() if path.is_file() and path.suffix != ".lock"]
        return {f"{_FOLDER}{path.name}": path.read_bytes() for path in held} | dict(self.terms.dump())

    def search(
        self,
        query: QueryTerms,
        k: int,
        allowed: Mask | None = None,
        coarse: Mapping[str, Sequence[str]] | None = None,
    ) -> tuple[Rows, Scores]:
        """The rows with Tantivy's best BM25 scores among `allowed` (shape (rows,); None: all), best first.

        The scores choose candidates, no more: each searcher knows the statistics of its own rows only, and
        `terms.match` scores all rows alike. `coarse` narrows by stored words beforehand, field name to
        accepted values (kind, language); it must not exclude an allowed row. Rows that hold no term of the
        question are not found.
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
        rows: list[int] = []
        scores: list[float] = []
        for searcher in self.searchers:
            hits = searcher.search(wanted, limit, count=False).hits
            rows += map(int, searcher.fast_field_values("row", [address for _, address in hits]))  # type: ignore[arg-type]
            scores += [score for score, _ in hits]
        found, values = np.array(rows, dtype=np.int64), np.array(scores, dtype=np.float64)
        order = np.lexsort((found, -values))[:limit]
        return found[order], values[order]

    def _query(self, query: QueryTerms) -> Query | None:
        """The terms in each field where they occur; a term that a field lacks would only cost time."""
        clauses = []
        for term, present, counting in zip(
            query.terms, query.fields.tolist(), query.weights.tolist(), strict=True
        ):
            for field, occurs in zip(FIELDS, present, strict=True):
                if occurs:
                    clause = Query.term_query(_schema(), field, term, "freq")
                    weight = WEIGHTS[field] * counting
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
