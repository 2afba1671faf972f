"""What contradicts what in one workspace, derived from the index's documents, passages and vectors.

It follows the index by comparing document versions, so that only what changed is read and compared anew, in slices
that are short enough to leave the processor to requests.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from graph.claims import Claim, Contradiction, Measure, Realm, Source, Topic
from graph.contradictions import Claims
from ingest.models import Kind
from ingest.shop_terms import label, terms
from ingest.statements import About, Statement, statements
from kb_service.ids import digest_id
from kb_service.search.catalogue import CatalogueView, Record
from kb_service.search.labels import label_set, primary_language
from kb_service.search.models import Hit
from kb_service.search.parts import Snapshot

NEAR_THE_TOP = 5
"""Hits among which both documents of a conflict are looked for."""
PUBLISH_SECONDS = 2.0
"""How often what was found so far is told while there is more to compare, at most."""
PUBLISH_SHARE = 0.1
"""Of the time since it was told last, what telling may cost, so that many conflicts do not hold up the rest."""
COMPARABLE = 0.5
"""Share of the best hit's score from which another counts beside it."""


@dataclass(frozen=True, slots=True)
class ConflictSide:
    """One of two documents with the statement in question: `quote` is its text from `start` to `end`.

    `value` is where in the quote the quantity stands that the other contradicts; `permits` is what it says of what the
    other does not. One of both is None.
    """

    document_id: str
    title: str
    kind: Kind
    language: str
    url: str | None
    section: tuple[str, ...]
    quote: str
    start: int
    end: int
    valid_from: datetime | None
    valid_to: datetime | None
    passage_id: str
    value: tuple[int, int] | None = None
    permits: bool | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two approved documents, valid at the same time, that contradict one another.

    `score` is how sure the comparison is, 0 to 1. `difference` says in words, by language, what differs. Both are
    valid from `since` to `until`; None means that neither says.
    """

    id: str
    aspect: str
    score: float
    matters: tuple[str, ...]
    difference: Mapping[str, str]
    documents: tuple[ConflictSide, ConflictSide]
    since: datetime | None
    until: datetime | None

    def valid(self, at: datetime, *, upcoming: bool = False) -> bool:
        """Whether both documents are valid at a moment or, with `upcoming`, will be after it."""
        begun = upcoming or self.since is None or self.since <= at
        return begun and (self.until is None or at < self.until)


class ConflictWatch:
    """The conflicts of one workspace. One thread at a time catches up; any number read what is known."""

    def __init__(self, workspace: str, reads: Collection[str]) -> None:
        self._workspace = workspace
        self._reads = frozenset(reads)
        self._lock = threading.Lock()
        self._seen: Snapshot | None = None
        self._done = False
        self._publish_next = 0.0
        self._wanted: dict[str, tuple[int, bool]] = {}
        self._fresh: list[str] = []
        self._versions: dict[str, tuple[int, bool]] = {}
        self._claims = Claims()
        self._stated: dict[str, dict[str, Statement]] = {}
        self._offsets: dict[str, int] = {}
        self._slots: dict[str, int] = {}
        self._conflicts: tuple[Conflict, ...] = ()
        self._pairs: dict[frozenset[str], list[Conflict]] = {}

    @property
    def known(self) -> tuple[Conflict, ...]:
        """What was found so far, surest first."""
        return self._conflicts

    @property
    def done(self) -> bool:
        """Whether all that was seen last is compared."""
        return self._done

    def catch_up(self, snapshot: Snapshot, seconds: float) -> bool:
        """Works towards what the snapshot holds, for about that long; whether it was reached."""
        with self._lock:
            if self._seen is None or not _same(self._seen, snapshot):
                self._look(snapshot)
            elif self._done:
                self._seen = snapshot
                return True
            self._seen = snapshot
            self._done = self._work(snapshot, time.monotonic() + seconds)
            return self._done

    def _look(self, snapshot: Snapshot) -> None:
        """What is to be read in a snapshot that was not seen before; what it does not hold is forgotten."""
        view = snapshot.catalogue
        approved = [slot for slot in view.living() if view.approved[slot]]
        self._slots = {view.records[slot].external_id: slot for slot in approved}
        self._wanted = {
            name: (view.records[slot].version, _embedded(snapshot, slot))
            for name, slot in self._slots.items()
        }
        for name in [name for name in self._versions if name not in self._wanted]:
            self._forget(name)
        fresh = [name for name, version in self._wanted.items() if self._versions.get(name) != version]
        self._fresh = fresh[::-1]

    def _work(self, snapshot: Snapshot, deadline: float) -> bool:
        while self._fresh and time.monotonic() <= deadline:
            name = self._fresh[-1]
            self._read(snapshot, name)
            self._versions[name] = self._wanted[name]
            self._fresh.pop()
        done = not self._fresh
        if done or time.monotonic() > self._publish_next:
            began = time.monotonic()
            self._publish(snapshot.catalogue)
            ended = time.monotonic()
            self._publish_next = ended + max(PUBLISH_SECONDS, (ended - began) / PUBLISH_SHARE)
        return done

    def _forget(self, name: str) -> None:
        self._versions.pop(name, None)
        self._claims.remove(name)
        for claim_id in self._stated.pop(name, ()):
            self._offsets.pop(claim_id, None)

    def _read(self, snapshot: Snapshot, name: str) -> None:
        """Reads one document's statements and compares them with all others'."""
        self._forget(name)
        view = snapshot.catalogue
        record = view.records[self._slots[name]]
        passages = [view.passages[row] for row in view.rows_of(self._slots[name])]
        places = {passage.id: place for place, passage in enumerate(passages)}
        source = _source(record)
        claims: list[Claim] = []
        stated: dict[str, Statement] = {}
        for number, statement in enumerate(statements(record.title, passages)):
            claim = _claim(f"{name}\x1f{number}", source, statement)
            claims.append(claim)
            stated[claim.id] = statement
            self._offsets[claim.id] = places[statement.passage_id]
        self._stated[name] = stated

        def likeness(one: Claim, other: Claim) -> float | None:
            return self._likeness(snapshot, one, other)

        self._claims.put(name, claims, likeness)

    def _likeness(self, snapshot: Snapshot, one: Claim, other: Claim) -> float | None:
        """The cosine of the passages that two claims stand in, where the encoder reads both languages."""
        if not {one.source.language, other.source.language} <= self._reads:
            return None
        first, second = self._row(snapshot, one), self._row(snapshot, other)
        dense = snapshot.dense
        if first is None or second is None or not (dense.embedded[first] and dense.embedded[second]):
            return None
        return float(np.dot(dense.vectors[first], dense.vectors[second]))

    def _row(self, snapshot: Snapshot, claim: Claim) -> int | None:
        slot = self._slots.get(claim.source.id)
        return None if slot is None else snapshot.catalogue.rows_of(slot).start + self._offsets[claim.id]

    # --- telling

    def _publish(self, view: CatalogueView) -> None:
        ends = _ends(view)
        made = [self._conflict(view, found, ends) for found in self._claims.contradictions()]
        conflicts = tuple(item for item in made if item is not None)
        pairs: dict[frozenset[str], list[Conflict]] = {}
        for conflict in conflicts:
            pairs.setdefault(frozenset(side.document_id for side in conflict.documents), []).append(conflict)
        self._pairs = pairs
        self._conflicts = conflicts

    def _conflict(
        self, view: CatalogueView, found: Contradiction, ends: Mapping[str, datetime]
    ) -> Conflict | None:
        """None where one of both is superseded all the while."""
        names = (found.one.source.id, found.other.source.id)
        if not all(name in self._slots for name in names):
            return None
        limits = [moment for moment in (found.until, *map(ends.get, names)) if moment is not None]
        until = min(limits, default=None)
        if until is not None and found.since is not None and until <= found.since:
            return None
        said = [self._stated[claim.source.id][claim.id] for claim in (found.one, found.other)]
        records = [view.records[self._slots[name]] for name in names]
        texts = (text for name, item in zip(names, said, strict=True) for text in (name, item.text))
        return Conflict(
            id=digest_id("cf", self._workspace, found.aspect, *texts),
            aspect=found.aspect,
            score=found.score,
            matters=found.shared,
            difference=_difference(found, said, records),
            documents=(_side(records[0], said[0]), _side(records[1], said[1])),
            since=found.since,
            until=until,
        )

    def among(self, hits: Sequence[Hit], question: str, at: datetime) -> Conflict | None:
        """The surest conflict between two of the best hits, when it is about what was asked.

        The hits matched the conflicting statements' passages (for the best hit and another, one of both may have
        matched another passage of its document), and the question names what the statements are about; where
        it names no matter at all, both passages tell.
        """
        near = [hit for hit in hits[:NEAR_THE_TOP] if hit.score >= COMPARABLE * hits[0].score]
        asked: frozenset[str] | None = None
        for place, hit in enumerate(near):
            for other in near[place + 1 :]:
                for conflict in self._pairs.get(frozenset({hit.external_id, other.external_id}), ()):
                    stated = {side.passage_id for side in conflict.documents}
                    matched = len(stated & {hit.passage_id, other.passage_id})
                    if matched == 0 or (matched == 1 and place > 0) or not conflict.valid(at):
                        continue
                    asked = _matters(question) if asked is None else asked
                    if asked & set(conflict.matters) or (matched == 2 and not asked):
                        return conflict
        return None


def _matters(question: str) -> frozenset[str]:
    return frozenset(term.name for term in terms(question) if term.sort == "matter")


def _same(seen: Snapshot, now: Snapshot) -> bool:
    """Whether two states of an index hold the same documents."""
    return seen is now or (
        now.continues(seen)
        and seen.catalogue.slots == now.catalogue.slots
        and np.array_equal(seen.catalogue.alive, now.catalogue.alive)
    )


def _embedded(snapshot: Snapshot, slot: int) -> bool:
    rows = snapshot.catalogue.rows_of(slot)
    return bool(snapshot.dense.embedded[rows.start : rows.stop].all())


def _source(record: Record) -> Source:
    return Source(
        id=record.external_id,
        kind=record.kind,
        language=primary_language(record.language),
        realm=Realm(
            regions=label_set(record.regions),
            tiers=label_set(record.tiers),
            channels=label_set(record.channels),
            products=frozenset(record.products),
            audience=record.audience,
            valid_from=record.valid_from,
            valid_to=record.valid_to,
            supersedes=frozenset(record.supersedes),
        ),
    )


def _claim(id: str, source: Source, statement: Statement) -> Claim:
    quantity = statement.quantity
    measure = None
    if quantity is not None:
        measure = Measure(quantity.dimension, quantity.low, quantity.high, quantity.bound)
    return Claim(
        id=id,
        source=source,
        own=_topic(statement.own),
        around=_topic(statement.around),
        measure=measure,
        permits=statement.permits,
        acts=statement.acts,
        qualified=statement.qualified,
    )


def _topic(about: About) -> Topic:
    return Topic(**{name: getattr(about, name) for name in About.__slots__})


def _ends(view: CatalogueView) -> dict[str, datetime]:
    """From when a document is superseded for everybody to whom it applies, by external id."""
    ends: dict[str, datetime] = {}
    for (newer, older), covers in zip(view.edges.tolist(), view.covers, strict=True):
        if view.alive[newer] and view.approved[newer] and bool(covers.all()):
            begins = view.records[newer].valid_from or datetime.min.replace(tzinfo=UTC)
            name = view.records[older].external_id
            ends[name] = min(begins, ends.get(name, begins))
    return ends


def _side(record: Record, statement: Statement) -> ConflictSide:
    return ConflictSide(
        document_id=record.external_id,
        title=record.title,
        kind=record.kind,
        language=record.language,
        url=record.url,
        section=statement.section,
        quote=statement.text,
        start=statement.start,
        end=statement.end,
        valid_from=record.valid_from,
        valid_to=record.valid_to,
        passage_id=statement.passage_id,
        value=(statement.quantity.start, statement.quantity.end) if statement.quantity is not None else None,
        permits=statement.permits,
        version=record.version,
    )


def _difference(found: Contradiction, said: Sequence[Statement], records: Sequence[Record]) -> dict[str, str]:
    """What differs, in words: the quantities as they are written, or who permits and who does not."""
    matter = {language: _named(found.shared, language) for language in ("zh", "en")}
    if found.aspect == "quantity":
        one, other = (_written(statement) for statement in said)
        return {
            "zh": f"{matter['zh']}：一处写“{one}”，另一处写“{other}”",
            "en": f"{matter['en']}: one says “{one}”, the other “{other}”",
        }
    permitting, refusing = records if found.one.permits else reversed(records)
    return {
        "zh": f"{matter['zh']}：《{permitting.title}》允许，《{refusing.title}》不允许",
        "en": f"{matter['en']}: “{permitting.title}” permits it, “{refusing.title}” does not",
    }


def _named(matters: Iterable[str], language: str) -> str:
    joint = "、" if language == "zh" else ", "
    words = joint.join(label(matter)[language] for matter in matters)
    return words[:1].upper() + words[1:]


def _written(statement: Statement) -> str:
    assert statement.quantity is not None
    return statement.text[statement.quantity.start : statement.quantity.end].strip()
