"""One workspace's index: it follows the change log, and answers from an immutable snapshot.

Searches take the reference of the current snapshot and never wait; one writer at a time prepares the next and
swaps the reference.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from graph.matters import Matters
from ingest.models import Passage
from kb_service.search import snapshots
from kb_service.search.calibration import Calibration, calibration_for
from kb_service.search.candidates import gather
from kb_service.search.catalogue import CatalogueView
from kb_service.search.dense import EXACT_ROWS
from kb_service.search.fusion import Candidates, Fusion
from kb_service.search.lexical import analysis_id
from kb_service.search.matters import DocumentMatters
from kb_service.search.models import Hit, SearchQuery, Vector
from kb_service.search.parts import Parts, Snapshot
from kb_service.search.reranking import Reranking
from kb_service.search.scopes import is_away
from kb_service.search.searching import Searched, search
from kb_service.search.snapshots import CorruptGeneration, Description, Fault
from kb_service.search.source import Change, PassageSource, SourceDocument

_CHANGES_A_READ = 1_000
TRIED = 1_500
"""Documents beside which a draft is tried: many enough that the rarity of words is as it is in all."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When work that only concerns speed is done."""

    exact_rows: int = EXACT_ROWS
    compact_share: float = 0.25
    """Share of buried rows from which `maintain` and `publish` compact."""
    overdue_share: float = 0.5
    """Share from which `apply` itself compacts, in case nothing else did."""
    compact_rows: int = 256
    """Buried rows below which compaction is not worth its time."""


class SearchIndex:
    """Safe for any number of searching threads, and of writers, which take turns.

    `folder` is this workspace's own, for generations; None means that nothing can be published. `reads` are
    the languages that the encoder reads well, `default_region` the region of requests that name none.
    """

    def __init__(
        self,
        workspace: str,
        *,
        model_id: str,
        dimension: int,
        reads: Collection[str],
        folder: Path | None = None,
        default_region: str | None = None,
        calibration: Calibration | None = None,
        limits: Limits | None = None,
        reranking: Reranking | None = None,
    ) -> None:
        self.workspace = workspace
        self.model_id = model_id
        self.dimension = dimension
        self.reads = frozenset(reads)
        self.default_region = default_region
        self.calibration = calibration or calibration_for(model_id)
        self.limits = limits or Limits()
        self.reranking = reranking
        self._matters: DocumentMatters | None = None
        self._folder = folder
        self._writing = threading.RLock()
        self._compacting = threading.Lock()
        self._damaged = False
        self._published = 0
        self._parts = self._fresh()
        self._snapshot = self._parts.view(position=0)

    # --- what it holds ---

    @property
    def snapshot(self) -> Snapshot:
        """The state that a search beginning now reads."""
        return self._snapshot

    @property
    def position(self) -> int:
        """The end of the change log that searches reflect; 0 before anything was read."""
        return self._snapshot.position

    @property
    def published(self) -> int:
        """The end of the change log that the generation on disk reflects; 0 when none is known of."""
        return self._published

    @property
    def documents(self) -> int:
        return int(np.count_nonzero(self._snapshot.catalogue.alive))

    @property
    def passages(self) -> int:
        return self._snapshot.catalogue.alive_rows

    @property
    def compaction_due(self) -> bool:
        return self._snapshot.buried_share(self.limits.compact_rows) >= self.limits.compact_share

    def is_away(self, region: str | None) -> bool:
        """Whether a region is told that is not where the shop's customers are at home."""
        return is_away(self._snapshot.catalogue, region, self.default_region)

    def compare_matters(self, matters: Matters | None) -> None:
        """From now on documents are also compared with questions by the intents that they speak of; None: not."""
        held = self._matters
        if (held.matters if held is not None else None) is not matters:
            self._matters = DocumentMatters(matters) if matters is not None else None

    # --- writing ---

    def restore(self, source: PassageSource) -> Fault | None:
        """Takes over the current generation, or rebuilds where there is none to use, and catches up.

        Returns None, or why it had to rebuild.
        """
        with self._writing:
            try:
                self.load()
            except CorruptGeneration as error:
                self.rebuild(source)
                return error.fault
            self.follow(source)
            return None

    def rebuild(self, source: PassageSource) -> None:
        """Reads everything anew. Searches go on with the old state until the new one is whole."""
        with self._writing:
            position = source.position()
            fresh = self._fresh()
            for document in source.documents(None):
                fresh.put(document)
            fresh.commit()
            self._exchange(fresh, position)
            self._published = 0

    def remake(
        self,
        reading: Callable[[], AbstractContextManager[PassageSource]],
        told: Callable[[int], None] | None = None,
    ) -> None:
        """Reads everything anew while searches and writers go on; they wait for the end alone, in which what was
        written meanwhile is taken in, so that nothing removed comes back. `told` hears of each document, by how many
        there were; what it raises ends the work and changes nothing."""
        fresh = self._fresh()
        with reading() as source:
            position = source.position()
            for count, document in enumerate(source.documents(None), start=1):
                fresh.put(document)
                if told is not None:
                    told(count)
        fresh.commit()
        with self._writing, reading() as source:
            while changes := source.changes(position, _CHANGES_A_READ):
                _bring(fresh, source, changes)
                fresh.commit()
                position = changes[-1].position
            self._exchange(fresh, position)
            self._published = 0

    def follow(self, source: PassageSource) -> int:
        """Applies what the change log holds beyond `position`; returns how many entries that were.

        A log that ends before `position` is another one, of a store that was restored, say: then rebuilds.
        """
        with self._writing:
            if source.position() < self.position:
                self.rebuild(source)
            count = 0
            while changes := source.changes(self.position, _CHANGES_A_READ):
                self.apply(source, changes)
                count += len(changes)
            return count

    def apply(self, source: PassageSource, changes: Sequence[Change]) -> None:
        """Brings the documents that the changes name to their state in `source`; it shows on return.

        Entries that were applied before, and kinds that concern other parts, do no harm. When writing fails
        the error is raised, searches keep the last whole state, and the next call begins by repairing.
        """
        with self._writing:
            changes = [change for change in changes if change.position > self.position]
            if not changes:
                return
            if self._damaged:
                self._repair()
            self._damaged = True
            _bring(self._parts, source, changes)
            self._parts.commit()
            self._snapshot = self._parts.view(changes[-1].position)
            self._damaged = False
            if self._snapshot.buried_share(self.limits.compact_rows) >= self.limits.overdue_share:
                self._repair()

    def maintain(self) -> bool:
        """Compacts when that is due, and tells whether it did; writers wait only at its end."""
        if not self.compaction_due or not self._compacting.acquire(blocking=False):
            return False
        try:
            before = self._snapshot
            compacted = self._compacted(before)
            with self._writing:
                if not self._snapshot.continues(before):
                    return False  # rebuilt or repaired meanwhile, which compacts as well
                compacted.catch_up(self._snapshot, since=before)
                self._exchange(compacted, self.position)
        finally:
            self._compacting.release()
        return True

    def publish(self) -> str:
        """Writes the current state as a generation and returns its name. Nobody waits for it."""
        if self._folder is None:
            raise ValueError("folder: an index in memory cannot be published; give it a folder")
        self.maintain()
        snapshot = self._snapshot
        description = Description(
            workspace=self.workspace,
            model_id=self.model_id,
            dimension=self.dimension,
            analysis=analysis_id(),
            position=snapshot.position,
            rows=snapshot.catalogue.rows,
        )
        with snapshots.workplace(self._folder) as place:
            files = snapshot.dump(place)
        name = snapshots.publish(self._folder, description, files)
        self._published = snapshot.position
        return name

    def load(self) -> None:
        """Takes over the folder's current generation. Raises CorruptGeneration; the caller then rebuilds."""
        if self._folder is None:
            raise CorruptGeneration("absent", "an index in memory has no generations")
        with self._writing:
            generation = snapshots.read(self._folder)
            held = generation.description
            snapshots.check(
                held,
                workspace=self.workspace,
                model_id=self.model_id,
                dimension=self.dimension,
                analysis=analysis_id(),
            )
            self._exchange(self._loaded(generation, self._folder), held.position)
            self._published = held.position

    def close(self) -> None:
        """Ends what works in the background."""
        with self._writing:
            self._parts.close()

    def _fresh(self) -> Parts:
        return Parts.empty(self.dimension, exact_rows=self.limits.exact_rows)

    def _loaded(self, generation: snapshots.Generation, folder: Path) -> Parts:
        try:
            with snapshots.workplace(folder) as place:
                return Parts.load(
                    generation.files,
                    self.dimension,
                    place,
                    rows=generation.description.rows,
                    exact_rows=self.limits.exact_rows,
                )
        except (ValueError, KeyError, TypeError, RuntimeError, IndexError) as error:
            message = f"{generation.name}: the files do not fit together: {error}"
            raise CorruptGeneration("damaged", message) from error
        except OSError as error:
            message = f"{generation.name} cannot be unpacked: {error.strerror}"
            raise CorruptGeneration("unpacking", message) from error

    def _compacted(self, before: Snapshot) -> Parts:
        fresh = self._fresh()
        fresh.take(before, before.catalogue.living())
        fresh.commit()
        return fresh

    def _repair(self) -> None:
        """Goes on from the last whole state, in parts that hold nothing else."""
        self._exchange(self._compacted(self._snapshot), self.position)

    def _exchange(self, parts: Parts, position: int) -> None:
        self._parts = parts
        self._snapshot = parts.view(position)
        self._damaged = False

    # --- trying ---

    def beside(self, near: Collection[str], document: SourceDocument, *, most: int = TRIED) -> SearchIndex:
        """An index in memory that holds one document more than this one, which stays as it is.

        Of an index of more than `most` documents it holds those that `near` names and others at even distances, so
        that words are about as rare as they are in all.
        """
        snapshot = self._snapshot
        fresh = self._fresh()
        fresh.take(snapshot, snapshot.catalogue.sample(most, near, without=document.document.external_id))
        fresh.put(document)
        fresh.commit()
        tried = SearchIndex(
            self.workspace,
            model_id=self.model_id,
            dimension=self.dimension,
            reads=self.reads,
            default_region=self.default_region,
            calibration=self.calibration,
            limits=self.limits,
            reranking=self.reranking,
        )
        tried.compare_matters(self._matters.matters if self._matters is not None else None)
        tried._exchange(fresh, snapshot.position)
        return tried

    # --- searching ---

    def search(
        self,
        query: SearchQuery,
        *,
        fusion: Fusion | None = None,
        reranks: bool = False,
        told: list[Searched] | None = None,
    ) -> tuple[Hit, ...]:
        """The best documents for a question, each by its best passage, best first; at most `query.limit`.

        `fusion` takes the place of the calibration's, to try other constants. With `reranks` the first are read
        by the reranker, where there is one. What was looked at on the way goes to `told`.
        """
        searched = search(
            self._snapshot,
            query,
            fusion=fusion or self.calibration.fusion,
            reads=self.reads,
            default_region=self.default_region,
            matters=self._matters,
            reranking=self.reranking if reranks else None,
        )
        if told is not None:
            told.append(searched)
        return searched.hits

    def document_of(self, hit: Hit) -> tuple[Passage, ...]:
        """All passages of a hit's document, in order; none when this version of it is gone."""
        catalogue = self._snapshot.catalogue
        return tuple(catalogue.passages[row] for row in _rows_of(catalogue, hit))

    def likeness_of(self, hit: Hit, vector: Vector) -> Mapping[str, float]:
        """How near in meaning the passages of a hit's document are to a question's vector: cosines by passage id, of
        those that have vectors; none when this version of it is gone."""
        snapshot = self._snapshot
        rows = np.array(_rows_of(snapshot.catalogue, hit), dtype=np.int64)
        rows = rows[snapshot.dense.embedded[rows]]
        ids = [snapshot.catalogue.passages[row].id for row in rows.tolist()]
        return dict(zip(ids, snapshot.dense.scores(vector, rows).tolist(), strict=True))

    def candidates(self, query: SearchQuery) -> tuple[Candidates, tuple[str, ...]]:
        """What `search` fuses, with the external id of each one's document: for fitting the constants."""
        snapshot = self._snapshot
        candidates = gather(
            snapshot, query, reads=self.reads, default_region=self.default_region, matters=self._matters
        )
        records = snapshot.catalogue.records
        return candidates, tuple(records[slot].external_id for slot in candidates.documents.tolist())


def _rows_of(catalogue: CatalogueView, hit: Hit) -> range:
    """The rows of a hit's document; none when it was compacted or rebuilt since the hit was found."""
    if not (0 <= hit.row < catalogue.rows and catalogue.passages[hit.row].id == hit.passage_id):
        return range(0)
    return catalogue.rows_of(int(catalogue.document[hit.row]))


def _bring(parts: Parts, source: PassageSource, changes: Sequence[Change]) -> None:
    """Brings the documents that the changes name to their state in `source`."""
    named = {change.id for change in changes if change.kind in ("document", "document_removed")}
    present = {held.document.external_id: held for held in source.documents(named)} if named else {}
    for external_id in sorted(named - present.keys()):
        parts.remove(external_id)
    for external_id in sorted(present):
        parts.put(present[external_id])
