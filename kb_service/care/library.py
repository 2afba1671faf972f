"""Documents as editors see them: how each stands, how it is used, and what is the matter with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from graph.models import ProblemState
from graph.nodes import EdgeKind, NodeKind, node_id
from graph.staleness import StaleReason
from ingest.models import Passage
from kb_service.care.conflict_watch import Conflict
from kb_service.care.conflicts import Conflicts
from kb_service.care.stale import Stale, successors
from kb_service.errors import NotFound
from kb_service.messages import Language
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.search.catalogue import CatalogueView, Record
from kb_service.store import Look, Order, ShelfEntry, ShelfFilter, Store, StoredDocument, Validity
from kb_service.store.uses import HourOfUse, Use

__all__ = ["SPAN", "HourOfUse", "Library", "Order", "ShelfFilter", "Use", "Validity"]

SPAN = timedelta(days=28)
"""How far back use counts."""
USE_KEPT = timedelta(days=90)
"""How long use is kept, which is more than any page tells of."""
_PROBLEMS: tuple[NodeKind, ...] = ("problem",)
_ANSWERS: tuple[EdgeKind, ...] = ("answered_by",)
COUNTED = ("kind", "language", "audience", "status", "validity")
MOST_CONFLICTS = 10
MOST_PROBLEMS = 12


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """One document in a list. `superseded` says that another holds in its place; `use` is None without any."""

    entry: ShelfEntry
    use: Use | None
    stale: tuple[StaleReason, ...]
    conflicts: int
    superseded: bool


@dataclass(frozen=True, slots=True)
class ShelfPage:
    """`total` are the documents that the filters leave, on all pages; `counts` all that the shop has, by kind,
    language, audience, status and validity."""

    rows: tuple[ListedDocument, ...]
    next_cursor: str | None
    total: int
    counts: Mapping[str, Mapping[str, int]]

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(sorted(self.counts["language"]))


@dataclass(frozen=True, slots=True)
class AnsweredProblem:
    """A problem that a document answers; `weight` is how strongly the graph ties the two."""

    id: str
    name: str
    state: ProblemState
    weight: float


@dataclass(frozen=True, slots=True)
class DocumentDetail:
    """Everything about one document. `versions` are numbers with when each came, the newest first.

    `look` is the latest look at it that still holds.
    """

    stored: StoredDocument
    withheld_by: str | None
    versions: tuple[tuple[int, datetime], ...]
    passages: tuple[Passage, ...]
    supersedes: tuple[tuple[str, ShelfEntry | None], ...]
    superseded_by: tuple[ShelfEntry, ...]
    conflicts: tuple[Conflict, ...]
    stale: tuple[StaleReason, ...]
    look: Look | None
    use: tuple[HourOfUse, ...]
    problems: tuple[AnsweredProblem, ...]


class Library:
    """Over the documents of every workspace."""

    def __init__(
        self,
        store: Store,
        replicas: Replicas,
        conflicts: Conflicts,
        stale: Stale,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._conflicts = conflicts
        self._stale = stale
        self._clock = clock

    def night(self, workspace: str) -> int:
        """Let go of what waited and of looks whose time has ended, and of use of long ago; how many rows went."""
        with self._store.writing(workspace) as unit:
            return unit.held.sweep() + unit.looks.sweep() + unit.uses.purge(unit.now - USE_KEPT)

    def page(
        self, workspace: str, wanted: ShelfFilter, order: Order, cursor: str | None, limit: int
    ) -> ShelfPage:
        """Documents that meet a filter, each with its use in the last 28 days and what is the matter with it."""
        now = self._clock()
        catalogue = self._replicas.of(workspace).index.snapshot.catalogue
        _, superseding = successors(catalogue, now)
        stale, conflicting = self._stale.reasons(workspace), self._conflicts.counts(workspace)
        with self._store.reading(workspace) as unit:
            found = unit.shelf.page(
                wanted, at=now, superseded=superseding, order=order, cursor=cursor, limit=limit
            )
            total = unit.shelf.count(wanted, at=now, superseded=superseding)
            uses = unit.uses.of([entry.external_id for entry in found.items], now - SPAN)
        rows = tuple(
            ListedDocument(
                entry,
                uses.get(entry.external_id),
                stale.get(entry.external_id, ()),
                conflicting.get(entry.external_id, 0),
                entry.external_id in superseding,
            )
            for entry in found.items
        )
        return ShelfPage(rows, found.next_cursor, total, _counts(catalogue, superseding, now))

    def about(self, workspace: str, external_id: str, language: Language) -> DocumentDetail:
        """One document with all that is known of it. Raises NotFound."""
        now = self._clock()
        replica = self._replicas.of(workspace)
        with self._store.reading(workspace) as unit:
            stored = unit.documents.get(external_id)
            if stored is None:
                raise NotFound(
                    "There is no document {external_id} in this workspace.", external_id=external_id
                )
            newer = unit.shelf.entries(_superseding(replica, external_id))
            older = unit.shelf.entries(stored.document.supersedes)
            versions = unit.shelf.history(external_id)
            passages = tuple(item.passage for item in unit.documents.passages([external_id]))
            use = unit.uses.by_hour(external_id, now - SPAN)
            look = unit.looks.in_force(now).get(external_id)
            withheld = unit.reviews.withheld().get(external_id)
        conflicts = self._conflicts.page(
            workspace, None, MOST_CONFLICTS, upcoming=True, document_id=external_id
        )
        return DocumentDetail(
            stored=stored,
            withheld_by=withheld,
            versions=versions,
            passages=passages,
            supersedes=tuple((name, older.get(name)) for name in stored.document.supersedes),
            superseded_by=tuple(newer[name] for name in sorted(newer)),
            conflicts=conflicts.items,
            stale=self._stale.reasons(workspace).get(external_id, ()),
            look=look if look is not None and look.version == stored.version else None,
            use=use,
            problems=_problems(replica, external_id, now, language),
        )


def _counts(
    catalogue: CatalogueView, superseded: Collection[str], now: datetime
) -> Mapping[str, Mapping[str, int]]:
    """How many documents there are of each kind, language, audience, status and validity."""
    found: dict[str, Counter[str]] = {name: Counter() for name in COUNTED}
    for slot in catalogue.living():
        record = catalogue.records[slot]
        for name in COUNTED[:-1]:
            found[name][getattr(record, name)] += 1
        found["validity"][_validity(record, superseded, now)] += 1
    return found


def _validity(record: Record, superseded: Collection[str], now: datetime) -> Validity:
    if record.valid_to is not None and record.valid_to <= now:
        return "expired"
    if record.valid_from is not None and record.valid_from > now:
        return "upcoming"
    return "superseded" if record.external_id in superseded else "valid"


def _superseding(replica: Replica, external_id: str) -> set[str]:
    """The living, approved documents that name a document as superseded."""
    view = replica.index.snapshot.catalogue
    slots = set(view.slots_of([external_id]).tolist())
    return {
        view.records[newer].external_id
        for newer, older in view.edges.tolist()
        if older in slots and view.alive[newer] and view.approved[newer]
    }


def _problems(
    replica: Replica, external_id: str, now: datetime, language: Language
) -> tuple[AnsweredProblem, ...]:
    """The problems that the graph says a document answers, the strongest ties first."""
    tied = replica.graph.neighbours(node_id("document", external_id), _PROBLEMS, now, edges=_ANSWERS)
    found = []
    for neighbour in tied:
        problem = replica.problems.get(neighbour.node.partition(":")[2])
        if problem is not None:
            name = problem.names.get(language) or next(iter(problem.names.values()), problem.id)
            found.append(AnsweredProblem(problem.id, name, problem.state, neighbour.weight))
    return tuple(found[:MOST_PROBLEMS])
