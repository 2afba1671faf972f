"""Documents that need a look: how each stands, how it fared with customers, and the reasons that follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from graph.staleness import SPAN, DocumentInUse, StaleCode, StaleReason, stale_reasons
from ingest.models import Kind
from kb_service.errors import Conflict, NotFound
from kb_service.exposures import ExposureLog
from kb_service.handover.deciding import LIKELY
from kb_service.knowledge import check_over
from kb_service.metrics.lately import Lately
from kb_service.models import Principal
from kb_service.paging import Key, page_by
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.search.catalogue import CatalogueView, Record
from kb_service.search.models import Filters, SearchQuery
from kb_service.store import Look, Page, Store, Unit, new_id
from kb_service.timezones import zone
from kb_service.understanding.reading import Reader

MOST_QUESTIONS = 50
"""Questions without a good answer that are asked again of what has ended: the newest."""
UNSURE = 0.5
WITHOUT_ANSWER = ("no_answer", "out_of_scope", "unproven", "for_an_agent")


@dataclass(frozen=True, slots=True)
class StaleDocument:
    """A document that needs a look, and why, the most pressing reason first."""

    document_id: str
    title: str
    kind: Kind
    language: str
    url: str | None
    valid_from: datetime | None
    valid_to: datetime | None
    updated_at: datetime
    reasons: tuple[StaleReason, ...]
    version: int = 0

    @classmethod
    def of(cls, record: Record, updated_at: datetime, reasons: tuple[StaleReason, ...]) -> StaleDocument:
        return cls(
            document_id=record.external_id,
            title=record.title,
            kind=record.kind,
            language=record.language,
            url=record.url,
            valid_from=record.valid_from,
            valid_to=record.valid_to,
            updated_at=updated_at,
            reasons=reasons,
            version=record.version,
        )

    @property
    def place(self) -> Key:
        """More and more pressing reasons come first."""
        return -round(sum(reason.weight for reason in self.reasons), 3), self.document_id


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A document that is in no list for a while, since somebody looked at it and found it right."""

    document: StaleDocument
    look: Look


@dataclass(frozen=True, slots=True)
class StaleList:
    """A page of the documents that need a look, how many they are on all pages, and those that were `looked` at: what
    comes back first is first."""

    page: Page[StaleDocument]
    waiting: int
    looked: tuple[LookedAt, ...]


Signature: TypeAlias = tuple[int, int]


def _signature(view: CatalogueView) -> Signature:
    """Another one whenever a document comes, changes or goes."""
    return view.slots, int(view.alive.sum())


class Stale:
    """Looks over the documents of every workspace, when somebody asks."""

    def __init__(
        self,
        store: Store,
        replicas: Replicas,
        reader: Reader,
        exposures: ExposureLog,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._reader = reader
        self._exposures = exposures
        self._clock = clock
        self._looked: Lately[tuple[StaleDocument, ...]] = Lately(clock)

    def reasons(self, workspace: str) -> Mapping[str, tuple[StaleReason, ...]]:
        """Why documents need a look, by external id; see `lately`."""
        return {item.document_id: item.reasons for item in self._open(workspace, self._lately(workspace))}

    def lately(self, workspace: str, cursor: str | None, limit: int) -> StaleList:
        """`page` as it was found within the last minute, after the last change of a document; while that takes longer
        than anybody waits, as it was found before: for who looks again and again."""
        looks = self._looks(workspace)
        found = self._lately(workspace)
        kept = [left for item in found if (left := _left(item, looks.get(item.document_id))) is not None]
        looked = [
            LookedAt(item, looks[item.document_id])
            for item in found
            if item.document_id in looks and _left(item, looks[item.document_id]) is None
        ]
        looked.sort(key=lambda item: (item.look.until, item.document.document_id))
        return StaleList(page_by(kept, lambda item: item.place, cursor, limit), len(kept), tuple(looked))

    def look(self, caller: Principal, external_id: str, over: int, span: timedelta) -> Look:
        """Note that a document was looked at and is still right: it is in no list for `span`, unless it changes or
        something else speaks against it. `over` is the version that was looked at.

        Raises NotFound, Conflict where another version stands or nothing speaks against the document any more.
        """
        found = {item.document_id: item for item in self._lately(caller.workspace)}.get(external_id)
        with self._store.writing(caller.workspace) as unit:
            head = unit.documents.head(external_id)
            if head is None:
                raise NotFound(
                    "There is no document {external_id} in this workspace.", external_id=external_id
                )
            check_over(head, over)
            if found is None:
                raise Conflict("Nothing speaks against this document any more: it needs no look.")
            reasons = tuple(reason.code for reason in found.reasons)
            id, until = new_id("look_", unit.now), unit.now + span
            look = Look(id, external_id, over, reasons, caller.key_id, unit.now, until)
            unit.looks.add(look)
            detail = {"version": over, "reasons": list(reasons), "until": until.isoformat()}
            unit.audit.append(caller.key_id, "document.looked_at", external_id, detail)
        return look

    def take_look_back(self, caller: Principal, id: str) -> Look:
        """The document stands in the list again, as if nobody had looked at it. Raises NotFound."""
        with self._store.writing(caller.workspace) as unit:
            look = unit.looks.get(id)
            if look is None:
                raise NotFound("This was taken back already, or the document is gone.")
            unit.looks.remove(id)
            detail = {"version": look.version}
            unit.audit.append(caller.key_id, "document.look_taken_back", look.external_id, detail)
        return look

    def _looks(self, workspace: str) -> Mapping[str, Look]:
        with self._store.reading(workspace) as unit:
            return unit.looks.in_force(self._clock())

    def _open(self, workspace: str, found: Iterable[StaleDocument]) -> list[StaleDocument]:
        """Those that nobody looked at lately, and of others what speaks against them since."""
        looks = self._looks(workspace)
        kept = (_left(item, looks.get(item.document_id)) for item in found)
        return [item for item in kept if item is not None]

    def _lately(self, workspace: str) -> tuple[StaleDocument, ...]:
        signature = _signature(self._replicas.of(workspace).index.snapshot.catalogue)
        return self._looked.of(workspace, lambda: tuple(self._found(workspace, None)), signature)

    def looked_at(self, workspace: str) -> datetime | None:
        """Of when it is what `lately` told."""
        return self._looked.made_at(workspace)

    def page(
        self, workspace: str, cursor: str | None, limit: int, *, reason: StaleCode | None = None
    ) -> Page[StaleDocument]:
        """Documents that need a look, for one reason or any, the most pressing first."""
        found = [
            item
            for item in self._open(workspace, self._found(workspace, reason))
            if any(reason in (None, each.code) for each in item.reasons)
        ]
        return page_by(found, lambda item: item.place, cursor, limit)

    def _found(self, workspace: str, reason: StaleCode | None) -> list[StaleDocument]:
        self._exposures.flush()
        replica = self._replicas.of(workspace)
        now, place = self._clock(), zone(replica.shop.rules.timezone)
        view = replica.index.snapshot.catalogue
        with self._store.reading(workspace) as unit:
            standings = self._standings(unit, view, replica, now)
            found = []
            for record, standing in standings:
                reasons = stale_reasons(standing, now, place)
                if any(reason in (None, item.code) for item in reasons):
                    found.append(StaleDocument.of(record, standing.updated_at, reasons))
        return found

    def _standings(
        self, unit: Unit, view: CatalogueView, replica: Replica, now: datetime
    ) -> list[tuple[Record, DocumentInUse]]:
        records = [view.records[slot] for slot in view.living() if view.approved[slot]]
        heads = unit.documents.heads()
        uses = unit.uses.all(now - SPAN)
        following, superseding = successors(view, now)
        listed = frozenset(sku for record in records if record.kind == "product" for sku in record.products)
        standings = [
            (
                record,
                DocumentInUse(
                    valid_to=record.valid_to,
                    updated_at=heads[record.external_id].updated_at,
                    successors=following.get(record.external_id, ()),
                    superseded_by=superseding.get(record.external_id, ()),
                    unknown_products=_unknown(record, listed),
                    shown=uses[record.external_id].shown if record.external_id in uses else 0,
                    outcomes=uses[record.external_id].outcomes if record.external_id in uses else {},
                ),
            )
            for record in records
            if record.external_id in heads
        ]
        ended = {
            record.external_id
            for record, standing in standings
            if record.valid_to is not None and record.valid_to <= now and not standing.successors
        }
        asked = self._asked(unit, replica, now) if ended else {}
        return [
            (record, replace(standing, asked=asked.get(record.external_id, 0)))
            for record, standing in standings
        ]

    def _asked(self, unit: Unit, replica: Replica, now: datetime) -> Mapping[str, int]:
        """How many questions without a good answer each document would answer, were it still valid."""
        questions = unit.exposures.unanswered(
            now - SPAN, below=UNSURE, reasons=WITHOUT_ANSWER, always=(), outcomes=(), limit=MOST_QUESTIONS
        )
        found: Counter[str] = Counter()
        utterances = self._reader.read([exposure.query or "" for exposure in questions])
        for exposure, spoken in zip(questions, utterances, strict=True):
            public = exposure.route == "answers"
            hits, confidence = replica.find(
                SearchQuery(
                    text=spoken.text,
                    language=spoken.language,
                    vector=spoken.vector,
                    at=now,
                    limit=2,
                    filters=Filters(
                        audiences=("public",) if public else ("public", "internal"),
                        any_scope=not public,
                        any_state=True,
                    ),
                    matters=replica.matters(spoken),
                )
            )
            end = hits[0].valid_to if hits else None
            if confidence >= LIKELY and end is not None and end <= exposure.at:
                found[hits[0].external_id] += 1
        return found


def _left(document: StaleDocument, look: Look | None) -> StaleDocument | None:
    """A document with what still speaks against it after a look; None for nothing."""
    if look is None or look.version != document.version:
        return document
    reasons = tuple(reason for reason in document.reasons if reason.code not in look.reasons)
    return replace(document, reasons=reasons) if reasons else None


def successors(
    view: CatalogueView, now: datetime
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """What follows each document without a gap, and what already holds in its place for all it applies to."""
    following: dict[str, list[str]] = {}
    superseding: dict[str, list[str]] = {}
    for (newer, older), covers in zip(view.edges.tolist(), view.covers, strict=True):
        if not (view.alive[newer] and view.approved[newer]):
            continue
        after, before = view.records[newer], view.records[older]
        begins = after.valid_from or datetime.min.replace(tzinfo=UTC)
        if before.valid_to is None or begins <= before.valid_to:
            following.setdefault(before.external_id, []).append(after.external_id)
        holds = begins <= now and (after.valid_to is None or now < after.valid_to)
        if holds and bool(covers.all()):
            superseding.setdefault(before.external_id, []).append(after.external_id)
    return _sorted(following), _sorted(superseding)


def _sorted(named: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(sorted(set(others))) for name, others in named.items()}


def _unknown(record: Record, listed: frozenset[str]) -> tuple[str, ...]:
    """Products that a document is about and no product document knows; none where the shop lists no products."""
    if record.kind == "product" or not listed:
        return ()
    return tuple(sorted(set(record.products) - listed))
