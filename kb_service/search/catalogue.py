"""What an index knows of its documents besides their words and vectors, and who may see them when."""

from __future__ import annotations

import functools
import json
import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ingest.models import Audience, Document, Kind, Passage, Status
from kb_service.search.columns import Column
from kb_service.search.labels import Labels, LabelsView, label_set, primary_language
from kb_service.search.models import Filters, Mask
from kb_service.search.places import wholes_of


@dataclass(frozen=True, slots=True)
class Record:
    """The attributes of one version of a document that a search needs."""

    external_id: str
    version: int
    kind: Kind
    title: str
    language: str
    audience: Audience
    status: Status
    url: str | None
    products: tuple[str, ...]
    regions: tuple[str, ...]
    tiers: tuple[str, ...]
    channels: tuple[str, ...]
    valid_from: datetime | None
    valid_to: datetime | None
    supersedes: tuple[str, ...]

    @classmethod
    def of(cls, document: Document, version: int) -> Record:
        names = [name for name in cls.__slots__ if name != "version"]
        return cls(version=version, **{name: getattr(document, name) for name in names})


LeftOutReason: TypeAlias = Literal[
    "draft",
    "not_yet_valid",
    "ended",
    "region",
    "tier",
    "channel",
    "superseded",
    "narrowed",
    "product",
    "audience",
]
"""Which rule keeps a document from a request; `narrowed` is the caller's own choice of kinds, languages or ids."""

_EXACT = ("kind", "language", "audience", "external_id")
_SCOPES = ("regions", "tiers", "channels", "products")
"""The dimensions in which one document may supersede another for some requests only."""


class Catalogue:
    """The writer's side: rows and documents are only ever appended, removal clears a document's `alive`.

    Documents have slots, passages have rows; the rows of a document are contiguous and in order. Not
    thread-safe; readers use a `view`.
    """

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._passages: list[Passage] = []
        self._slots: dict[str, int] = {}
        self._labels = {name: Labels(folded=name in _SCOPES) for name in (*_EXACT, *_SCOPES)}
        self._document: Column[np.int32] = Column(np.int32)
        self._first: Column[np.int64] = Column(np.int64)
        self._approved: Column[np.bool_] = Column(np.bool_)
        self._interval: Column[np.float64] = Column(np.float64, (2,))
        self._edges: Column[np.int32] = Column(np.int32, (2,))
        self._covers: Column[np.bool_] = Column(np.bool_, (len(_SCOPES),))
        self._superseders: dict[str, list[int]] = {}
        self._dead: set[int] = set()

    @property
    def rows(self) -> int:
        return len(self._passages)

    def slot(self, external_id: str) -> int | None:
        """Where the living version of a document is, or None."""
        return self._slots.get(external_id)

    def version(self, external_id: str) -> int | None:
        slot = self._slots.get(external_id)
        return None if slot is None else self._records[slot].version

    def rows_of(self, slot: int) -> range:
        end = int(self._first.view()[slot + 1]) if slot + 1 < len(self._first) else self.rows
        return range(int(self._first.view()[slot]), end)

    def add(self, record: Record, passages: Sequence[Passage]) -> int:
        """Appends one version with its passages and returns its slot; remove an earlier one before."""
        if record.external_id in self._slots:
            raise ValueError(f"{record.external_id}: is already in the catalogue; remove it first")
        slot = len(self._records)
        self._append_labels(record)
        self._approved.append(record.status == "approved")
        self._interval.append([_seconds(record.valid_from, -math.inf), _seconds(record.valid_to, math.inf)])
        self._first.append(len(self._passages))
        self._document.extend(np.full(len(passages), slot, dtype=np.int32))
        self._passages.extend(passages)
        self._records.append(record)
        self._link(slot, record)
        self._slots[record.external_id] = slot
        return slot

    def remove(self, external_id: str) -> int | None:
        """Buries the living version and returns its slot, or None when there is none."""
        slot = self._slots.pop(external_id, None)
        if slot is not None:
            self._dead.add(slot)
        return slot

    def _append_labels(self, record: Record) -> None:
        for name, labels in self._labels.items():
            value = getattr(record, name)
            if name == "language":
                value = primary_language(value)
            labels.append((value,) if isinstance(value, str) else value)

    def _link(self, slot: int, record: Record) -> None:
        """Edges from what supersedes to what is superseded, whichever of the two came first."""
        for target in set(record.supersedes) - {record.external_id}:
            self._superseders.setdefault(target, []).append(slot)
            if (old := self._slots.get(target)) is not None:
                self._edge(slot, old)
        for newer in self._superseders.get(record.external_id, ()):
            if newer not in self._dead:
                self._edge(newer, slot)

    def _edge(self, newer: int, older: int) -> None:
        self._edges.append([newer, older])
        self._covers.append([_covers(self._records[newer], self._records[older], name) for name in _SCOPES])

    def view(self) -> CatalogueView:
        """The catalogue as it is now, immutable."""
        alive = np.ones(len(self._records), dtype=np.bool_)
        alive[list(self._dead)] = False
        alive.flags.writeable = False
        return CatalogueView(
            records=self._records,
            passages=self._passages,
            alive=alive,
            document=self._document.view(),
            first=self._first.view(),
            approved=self._approved.view(),
            interval=self._interval.view(),
            labels={name: labels.view() for name, labels in self._labels.items()},
            edges=self._edges.view(),
            covers=self._covers.view(),
        )

    @classmethod
    def load(cls, files: Mapping[str, bytes]) -> Catalogue:
        """The reverse of `CatalogueView.dump`. Raises ValueError, KeyError or TypeError on another form."""
        catalogue = cls()
        for line in files["documents.jsonl"].splitlines():
            record, passages, alive = _from_line(line)
            catalogue.add(record, passages)
            if not alive:
                catalogue.remove(record.external_id)
        return catalogue


def _covers(newer: Record, older: Record, scope: str) -> bool:
    wide, narrow = label_set(getattr(newer, scope)), label_set(getattr(older, scope))
    return not wide or (bool(narrow) and narrow <= wide)


def _seconds(moment: datetime | None, absent: float) -> float:
    return absent if moment is None else moment.timestamp()


@dataclass(frozen=True)
class CatalogueView:
    """An immutable state. `records` and `passages` may be longer than this view; only its own part is read.

    `document` gives the slot of each row, `first` the first row of each slot, `interval` the validity of each
    slot in seconds since 1970.
    """

    records: Sequence[Record]
    passages: Sequence[Passage]
    alive: Mask
    document: NDArray[np.int32]
    first: NDArray[np.int64]
    approved: Mask
    interval: NDArray[np.float64]
    labels: Mapping[str, LabelsView]
    edges: NDArray[np.int32]
    covers: Mask

    @property
    def rows(self) -> int:
        return len(self.document)

    @property
    def slots(self) -> int:
        return len(self.alive)

    @property
    def alive_rows(self) -> int:
        return int(np.count_nonzero(self.alive[self.document]))

    @functools.cached_property
    def home(self) -> str | None:
        """The region to which most of the living policies are limited, in one spelling, so that documents that name
        none may be taken to be written for it too. None where another has as many, or more policies name no region."""
        policies = np.flatnonzero(self.labels["kind"].matching(("policy",)) & self.alive & self.approved)
        limits = [label_set(self.records[slot].regions) for slot in policies.tolist()]
        counts = Counter(region for regions in limits for region in regions).most_common(2)
        if not counts or counts[0][1] < sum(not regions for regions in limits):
            return None
        return None if len(counts) > 1 and counts[1][1] == counts[0][1] else counts[0][0]

    def living(self) -> Iterator[int]:
        """The slots of the living documents, in order."""
        return iter(np.flatnonzero(self.alive).tolist())

    def sample(self, most: int, named: Collection[str], *, without: str) -> list[int]:
        """The slots of the living documents but one, in order: of more than `most` those of the `named` ones, and
        others at even distances."""
        slots = [slot for slot in self.living() if self.records[slot].external_id != without]
        if len(slots) <= most:
            return slots
        kept = set(self.slots_of(named).tolist())
        others = [slot for slot in slots if slot not in kept]
        step = len(others) / max(1, most - len(kept))
        kept |= {others[int(place * step)] for place in range(max(0, most - len(kept)))}
        return [slot for slot in slots if slot in kept]

    def rows_of(self, slot: int) -> range:
        end = int(self.first[slot + 1]) if slot + 1 < self.slots else self.rows
        return range(int(self.first[slot]), end)

    def slots_of(self, external_ids: Iterable[str]) -> NDArray[np.int64]:
        """The slots of the living documents with these ids."""
        named = self.labels["external_id"].matching(external_ids)
        return np.flatnonzero(named & self.alive)

    def languages_of(self, external_ids: Iterable[str]) -> Mapping[str, str]:
        """The languages, as primary tags, of the living documents with these ids."""
        records = (self.records[slot] for slot in self.slots_of(external_ids).tolist())
        return {record.external_id: primary_language(record.language) for record in records}

    def mask(self, filters: Filters, at: datetime, *, default_region: str | None = None) -> Mask:
        """Which rows a request may see at the governing date `at`; shape (rows,). The rules are at `Filters`.

        A document is superseded at `at` when another living, approved document that is valid at `at` names
        it and applies to the request; one that is limited to a region, tier, channel or product which the
        request does not name supersedes only what is limited to no more than that.
        """
        seen = self.alive.copy()
        for _, kept in self._conditions(filters, at, default_region):
            seen &= kept
        return seen[self.document]

    def left_out(
        self, filters: Filters, at: datetime, *, default_region: str | None = None
    ) -> Mapping[LeftOutReason, Mask]:
        """The living documents that a request may not see, by the first rule that keeps them out; shape
        (documents,)."""
        seen = self.alive.copy()
        found: dict[LeftOutReason, Mask] = {}
        for reason, kept in self._conditions(filters, at, default_region):
            found[reason] = found.get(reason, np.zeros_like(seen)) | (seen & ~kept)
            seen &= kept
        return {reason: mask for reason, mask in found.items() if mask.any()}

    def dump(self) -> Mapping[str, bytes]:
        """Files by name: a line of JSON a document, dead ones included so that rows keep their numbers."""
        lines = (_to_line(self, slot) for slot in range(self.slots))
        return {"documents.jsonl": "".join(lines).encode()}

    def _conditions(
        self, filters: Filters, at: datetime, default_region: str | None
    ) -> Iterator[tuple[LeftOutReason, Mask]]:
        """What a document must meet, rule by rule; one truth value a document."""
        named = self._named(filters, default_region)
        current = self.alive.copy()
        for reason, kept in (*self._in_force(filters, at), *self._in_scope(filters, named)):
            current &= kept
            yield reason, kept
        if len(self.edges) and not filters.any_state:
            yield "superseded", ~self._superseded(current, named)
        narrowing = {"kind": filters.kinds, "language": [primary_language(tag) for tag in filters.languages]}
        narrowing |= {"products": filters.products, "external_id": filters.external_ids}
        for name, wanted in narrowing.items():
            if wanted:
                yield "narrowed", self.labels[name].matching(wanted)
        if filters.applies_to:
            yield "product", self.labels["products"].matching(filters.applies_to, unlimited=True)
        yield "audience", self.labels["audience"].matching(filters.audiences)

    def _in_force(self, filters: Filters, at: datetime) -> Iterator[tuple[LeftOutReason, Mask]]:
        """Approved and valid, unless in any state."""
        if not filters.any_state:
            moment = at.timestamp()
            yield "draft", self.approved
            yield "not_yet_valid", self.interval[:, 0] <= moment
            yield "ended", moment < self.interval[:, 1]

    def _in_scope(
        self, filters: Filters, named: Mapping[str, tuple[str, ...]]
    ) -> Iterator[tuple[LeftOutReason, Mask]]:
        scopes: tuple[tuple[str, LeftOutReason], ...] = (
            ("regions", "region"),
            ("tiers", "tier"),
            ("channels", "channel"),
        )
        for scope, reason in scopes:
            if named[scope] or (scope != "regions" and not filters.any_scope):
                yield reason, self.labels[scope].matching(named[scope], unlimited=True)

    def _superseded(self, current: Mask, named: Mapping[str, tuple[str, ...]]) -> Mask:
        """The documents that one of `current`, those that apply to the request, takes the place of."""
        newer, older = self.edges[:, 0], self.edges[:, 1]
        active = current[newer]
        for position, scope in enumerate(_SCOPES):
            meant = self.labels[scope].matching(named[scope])[newer]
            active &= self.covers[:, position] | meant
        found = np.zeros_like(current)
        found[older[active]] = True
        return found

    def _named(self, filters: Filters, default_region: str | None) -> Mapping[str, tuple[str, ...]]:
        region = filters.region or (None if filters.any_scope else default_region)
        return {
            "regions": wholes_of(region) if region else (),
            "tiers": (filters.tier,) if filters.tier else (),
            "channels": (filters.channel,) if filters.channel else (),
            "products": (*filters.products, *filters.applies_to),
        }


_PASSAGE = ("id", "ordinal", "role", "text", "start", "end", "section", "context")


def _to_line(view: CatalogueView, slot: int) -> str:
    record = view.records[slot]
    attributes = {name: getattr(record, name) for name in Record.__slots__}
    for name in ("valid_from", "valid_to"):
        moment = attributes[name]
        attributes[name] = None if moment is None else moment.isoformat()
    passages = [[getattr(view.passages[row], name) for name in _PASSAGE] for row in view.rows_of(slot)]
    line = {"alive": bool(view.alive[slot]), "record": attributes, "passages": passages}
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n"


def _from_line(line: bytes) -> tuple[Record, list[Passage], bool]:
    held = json.loads(line)
    attributes: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in held["record"].items()
    }
    for name in ("valid_from", "valid_to"):
        if attributes[name] is not None:
            attributes[name] = datetime.fromisoformat(attributes[name])
    record = Record(**attributes)
    key, version = record.external_id, record.version
    passages = [
        Passage(id, key, version, ordinal, role, text, start, end, tuple(section), context)
        for id, ordinal, role, text, start, end, section, context in held["passages"]
    ]
    return record, passages, held["alive"]
