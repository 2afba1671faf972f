"""The parts of one index, kept in step: catalogue, vectors and words share their row numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kb_service.search.catalogue import Catalogue, CatalogueView, Record
from kb_service.search.dense import DenseIndex, DenseView
from kb_service.search.lexical import LexicalIndex, LexicalView, cut
from kb_service.search.source import SourceDocument


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a search reads, as of one position in the change log."""

    position: int
    catalogue: CatalogueView
    dense: DenseView
    lexical: LexicalView

    def continues(self, earlier: Snapshot) -> bool:
        """Whether this is a later state of the same parts, so that slots mean the same."""
        return self.catalogue.records is earlier.catalogue.records

    def buried_share(self, least: int) -> float:
        """The share of rows of removed or replaced documents; 0 while they are fewer than `least`."""
        buried = self.catalogue.rows - self.catalogue.alive_rows
        return buried / self.catalogue.rows if buried >= max(least, 1) else 0.0

    def dump(self, folder: Path) -> Mapping[str, bytes]:
        """Files by name; `folder` is empty and for work on the way."""
        words = self.lexical.dump(self.catalogue, folder)
        return {**self.catalogue.dump(), **self.dense.dump(), **words}


class Parts:
    """The writer's side of an index. Not thread-safe."""

    def __init__(self, catalogue: Catalogue, dense: DenseIndex, lexical: LexicalIndex) -> None:
        self._catalogue = catalogue
        self._dense = dense
        self._lexical = lexical

    @classmethod
    def empty(cls, dimension: int, *, exact_rows: int) -> Parts:
        return cls(Catalogue(), DenseIndex(dimension, exact_rows=exact_rows), LexicalIndex())

    def put(self, source: SourceDocument) -> None:
        """Adds a document or replaces its earlier version; one that is here in full already stays."""
        record = Record.of(source.document, source.version)
        if self._holds(record, bool(source.embedded.all())):
            return
        self.remove(record.external_id)
        self._catalogue.add(record, source.passages)
        self._dense.extend(source.vectors, source.embedded)
        for passage in source.passages:
            self._lexical.add(record, cut(passage, record))

    def _holds(self, record: Record, complete: bool) -> bool:
        slot = self._catalogue.slot(record.external_id)
        if slot is None or self._catalogue.version(record.external_id) != record.version:
            return False
        return not complete or self._dense.complete(self._catalogue.rows_of(slot))

    def remove(self, external_id: str) -> None:
        slot = self._catalogue.remove(external_id)
        if slot is not None:
            self._lexical.bury(self._catalogue.rows_of(slot))

    def take(self, snapshot: Snapshot, slots: Iterable[int]) -> None:
        """Copies documents of a snapshot; what is costly to make, terms and vectors, is copied too."""
        view = snapshot.catalogue
        for slot in slots:
            record, rows = view.records[slot], view.rows_of(slot)
            self._catalogue.add(record, [view.passages[row] for row in rows])
            span = slice(rows.start, rows.stop)
            self._dense.extend(snapshot.dense.vectors[span], snapshot.dense.embedded[span])
            for row in rows:
                self._lexical.add(record, snapshot.lexical.terms.of_row(row))

    def catch_up(self, now: Snapshot, *, since: Snapshot) -> None:
        """Brings parts that were made from the snapshot `since` to `now`, a later state of the same parts."""
        if not now.continues(since):
            raise ValueError("now: is no later state of the same parts")
        before, after = since.catalogue, now.catalogue
        for slot in before.living():
            if not after.alive[slot]:
                self.remove(before.records[slot].external_id)
        self.take(now, (slot for slot in after.living() if slot >= before.slots))
        self.commit()

    def commit(self) -> None:
        """Makes what was put and removed visible to the next view."""
        self._dense.settle()
        self._lexical.commit()

    def close(self) -> None:
        """Ends what works in the background. Snapshots stay usable."""
        self._lexical.close()

    def view(self, position: int) -> Snapshot:
        return Snapshot(position, self._catalogue.view(), self._dense.view(), self._lexical.view())

    @classmethod
    def load(
        cls, files: Mapping[str, bytes], dimension: int, folder: Path, *, rows: int, exact_rows: int
    ) -> Parts:
        """The reverse of `Snapshot.dump`; `folder` is empty and may go once this returns.

        Raises ValueError, KeyError, TypeError or RuntimeError on what does not fit together.
        """
        catalogue = Catalogue.load(files)
        dense = DenseIndex.load(files, dimension, exact_rows=exact_rows)
        lexical = LexicalIndex.load(files, folder)
        counts = (catalogue.rows, dense.rows, lexical.rows)
        words = lexical.view()
        living = (catalogue.view().alive_rows, words.held, words.terms.living)
        if set(counts) != {rows} or len(set(living)) != 1:
            raise ValueError(
                f"{rows} rows expected; catalogue, vectors, words hold {counts}, living {living}"
            )
        return cls(catalogue, dense, lexical)
