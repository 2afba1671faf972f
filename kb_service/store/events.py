"""The immutable facts about cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from numpy.typing import NDArray
from sqlalchemy import Select, and_, case, func, insert, or_, select

from graph.backtests import Arrival
from graph.models import Customer, Event
from graph.recurrence import Observation
from graph.sightings import voter_code
from ingest.identifiers import one_spelling, written_ids
from kb_service.store import tables
from kb_service.store.event_rows import (
    arrival,
    event_row,
    messages_query,
    of_problem,
    stored_event,
    stored_message,
)
from kb_service.store.outcomes import accepted_replies, outcomes
from kb_service.store.repository import Repository, chunks
from kb_service.store.snapshots import vector_bytes
from kb_service.store.values import (
    GivenReply,
    HourCount,
    LastWords,
    NewEvent,
    Outcome,
    StoredEvent,
    StoredMessage,
)

_events = tables.events
_assignments = tables.assignments
_vectors = tables.event_vectors
_STREAM = 1000


class Events(Repository):
    """Idempotent by their id; `sequence` is the order of arrival. Vectors are kept as float16."""

    table = _events

    def add(
        self,
        event: Event,
        case_id: str | None = None,
        vector: NDArray[Any] | None = None,
        model_id: str | None = None,
    ) -> bool:
        """Stores one event; False, and nothing changes, when its id exists."""
        return bool(self.add_many([NewEvent(event, case_id, vector, model_id)]))

    def add_many(self, events: Sequence[NewEvent]) -> set[str]:
        """Stores those whose ids are new, the first of an id winning; their ids."""
        ledger = self._scope.ledger
        known = self.existing([new.event.id for new in events])
        fresh: dict[str, NewEvent] = {}
        for new in events:
            if new.event.id not in known:
                fresh.setdefault(new.event.id, new)
        if not fresh:
            return set()
        rows = []
        for new in fresh.values():
            rows.append(
                event_row(new.event)
                | {
                    "workspace": self.workspace,
                    "case_id": new.case_id,
                    "sequence": ledger.next_sequence(),
                }
            )
            ledger.saw(new.event.at)
            self._log("event", new.event.id)
        self._write(insert(_events), rows)
        self._put_vectors(
            (new.event.id, new.vector, new.model_id) for new in fresh.values() if new.vector is not None
        )
        self._put_names(fresh.values())
        return set(fresh)

    def _put_names(self, events: Iterable[NewEvent]) -> None:
        rows = [
            {"workspace": self.workspace, "id": id, "event_id": new.event.id}
            for new in events
            for id in _ids_of(new)
        ]
        if rows:
            self._write(insert(tables.named_ids), rows)

    def of_other_models(self, model_id: str) -> int:
        """How many messages were embedded by another model than this one."""
        others = self._mine(_vectors), _vectors.c.model_id != model_id
        return int(self._read(select(func.count()).select_from(_vectors).where(*others)).scalar_one())

    def put_vector(self, event_id: str, vector: NDArray[Any], model_id: str) -> None:
        """Stores the vector of an event, over that of another model."""
        self._put_vectors([(event_id, vector, model_id)])

    def _put_vectors(self, vectors: Iterable[tuple[str, NDArray[Any], str | None]]) -> None:
        rows = []
        for event_id, vector, model_id in vectors:
            if model_id is None:
                raise ValueError("a vector needs the id of the model it came from")
            rows.append(
                {
                    "workspace": self.workspace,
                    "event_id": event_id,
                    "model_id": model_id,
                    "dimension": len(vector),
                    "vector": vector_bytes(vector, half=True),
                }
            )
        self._upsert_many(rows, _vectors)

    def get(self, id: str) -> StoredEvent | None:
        row = self._read(select(_events).where(self._mine(), _events.c.id == id)).first()
        return None if row is None else stored_event(row)

    def latest_state(self, agent_id: str) -> StoredEvent | None:
        """The event that told last, by event time, whether an agent is there; None when none did."""
        statement = select(_events).where(
            self._mine(), _events.c.type == "agent_state", _events.c.agent_id == agent_id
        )
        return next(iter(self._newest_first(statement, 1)), None)

    def existing(self, ids: Collection[str]) -> set[str]:
        """Those of `ids` that are stored."""
        found: set[str] = set()
        for some in chunks(set(ids)):
            found.update(
                self._read(select(_events.c.id).where(self._mine(), _events.c.id.in_(some))).scalars()
            )
        return found

    def of_case(self, case_id: str) -> tuple[StoredEvent, ...]:
        """The events of a case, oldest first."""
        return self._oldest_first(select(_events).where(self._mine(), _events.c.case_id == case_id))

    def count_of_case(self, case_id: str) -> int:
        """How many events a case has."""
        theirs = self._mine(), _events.c.case_id == case_id
        return int(self._read(select(func.count()).select_from(_events).where(*theirs)).scalar_one())

    def of_each_case(self, case_ids: Collection[str]) -> dict[str, tuple[StoredEvent, ...]]:
        """The events of each of some cases, oldest first; without those that have none."""
        found: defaultdict[str, list[StoredEvent]] = defaultdict(list)
        for some in chunks(sorted(set(case_ids))):
            inside = select(_events).where(self._mine(), _events.c.case_id.in_(some))
            for stored in self._oldest_first(inside):
                found[stored.case_id or ""].append(stored)
        return {case_id: tuple(events) for case_id, events in found.items()}

    def first_words(self, case_ids: Collection[str], problem_id: str) -> dict[str, str]:
        """What the customer of each of some cases first said in it of a problem; without those that said nothing."""
        found: dict[str, str] = {}
        earliest = (_events.c.at, _events.c.sequence)
        for some in chunks(dict.fromkeys(case_ids)):
            place = func.row_number().over(partition_by=_events.c.case_id, order_by=earliest).label("place")
            spoken = (
                select(_events.c.case_id, _events.c.text, place)
                .where(
                    of_problem(self.workspace, problem_id),
                    _events.c.case_id.in_(some),
                    _events.c.text.is_not(None),
                )
                .subquery()
            )
            for row in self._read(select(spoken).where(spoken.c.place == 1)):
                found[row.case_id] = row.text
        return found

    def last_words(self, case_ids: Collection[str], theirs: int = 3) -> dict[str, LastWords]:
        """What was said last in each of some cases and by whom, with the last words of its customer, so many messages
        at most; without the cases in which nobody said anything."""
        found: dict[str, LastWords] = {}
        latest = (_events.c.at.desc(), _events.c.sequence.desc())
        columns = _events.c.case_id, _events.c.text, _events.c.role, _events.c.language
        number, whose = func.row_number(), (_events.c.case_id, _events.c.role)
        for some in chunks(dict.fromkeys(case_ids)):
            place = number.over(partition_by=_events.c.case_id, order_by=latest).label("place")
            own = number.over(partition_by=whose, order_by=latest).label("own")
            spoken = (
                select(*columns, place, own)
                .where(
                    self._mine(),
                    _events.c.type == "message",
                    _events.c.case_id.in_(some),
                    _events.c.text.is_not(None),
                    _events.c.text != "",
                )
                .subquery()
            )
            asked = and_(spoken.c.role == "customer", spoken.c.own <= theirs)
            statement = select(spoken).where(or_(spoken.c.place == 1, asked)).order_by(spoken.c.place)
            for row in self._read(statement):
                # The last words come first.
                known = found.setdefault(row.case_id, LastWords(row.text, row.role))
                if row.role == "customer":
                    told = (*known.theirs, (row.text, row.language))
                    found[row.case_id] = replace(known, theirs=told)
        return found

    def of_cases(self, case_ids: Collection[str], since: datetime) -> tuple[StoredMessage, ...]:
        """What happened in some cases from `since` on, oldest first, with vectors and assignments of messages."""
        found: list[StoredMessage] = []
        for some in chunks(sorted(set(case_ids))):
            inside = self._mine(), _events.c.case_id.in_(some), _events.c.at >= since
            found += map(stored_message, self._read(messages_query().where(*inside)))
        return tuple(sorted(found, key=lambda item: (item.event.at, item.sequence)))

    def customers(self, limit: int) -> tuple[Customer, ...]:
        """What was last told of each customer, from the latest `limit` events that tell it."""
        statement = (
            select(_events.c.customer)
            .where(self._mine(), _events.c.customer.is_not(None), _events.c.customer_id.is_not(None))
            .order_by(_events.c.sequence.desc())
            .limit(limit)
        )
        latest: dict[str, Customer] = {}
        for told in self._read(statement).scalars():
            if told is not None:
                latest.setdefault(told["id"], Customer(**told))
        return tuple(latest.values())

    def of_problem(
        self,
        problem_id: str,
        limit: int = 50,
        customers_only: bool = True,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[StoredEvent, ...]:
        """The latest events assigned to a problem, newest first; by default only customers' messages. Both `since` and
        `until`, event times, are inside."""
        theirs = of_problem(self.workspace, problem_id, customers_only=customers_only)
        statement = select(_events).where(theirs)
        if since is not None:
            statement = statement.where(_events.c.at >= since)
        if until is not None:
            statement = statement.where(_events.c.at <= until)
        return self._newest_first(statement, limit)

    def _oldest_first(self, statement: Select[Any]) -> tuple[StoredEvent, ...]:
        return tuple(map(stored_event, self._read(statement.order_by(_events.c.at, _events.c.sequence))))

    def _newest_first(self, statement: Select[Any], limit: int) -> tuple[StoredEvent, ...]:
        ordered = statement.order_by(_events.c.at.desc(), _events.c.sequence.desc()).limit(limit)
        return tuple(map(stored_event, self._read(ordered)))

    def messages(self, after_sequence: int = 0, limit: int | None = None) -> Iterator[StoredMessage]:
        """Customers' messages in the order they arrived in, with vector and assignment."""
        statement = (
            messages_query()
            .where(
                self._mine(),
                _events.c.sequence > after_sequence,
                _events.c.type == "message",
                _events.c.role == "customer",
            )
            .order_by(_events.c.sequence)
            .limit(limit)
        )
        for row in self._read(statement.execution_options(yield_per=_STREAM)):
            yield stored_message(row)

    def messages_of_problem(self, problem_id: str, limit: int | None = None) -> Iterator[StoredMessage]:
        """The customers' messages of a problem with vector and assignment, in the order they arrived in; of many the
        latest `limit`."""
        statement = messages_query().where(of_problem(self.workspace, problem_id))
        if limit is not None:
            rows = self._read(statement.order_by(arrival().desc()).limit(limit)).all()
            yield from map(stored_message, reversed(rows))
            return
        for row in self._read(statement.order_by(arrival()).execution_options(yield_per=_STREAM)):
            yield stored_message(row)

    def arrivals(self, since: datetime, until: datetime) -> Iterator[Arrival]:
        """What happened from `since` to `until`, event times both inside, in order of arrival; of customers' messages
        the problem that they belong to now."""
        spoken = and_(_events.c.type == "message", _events.c.role == "customer")
        source = _events.outerjoin(
            _assignments,
            and_(_assignments.c.workspace == _events.c.workspace, _assignments.c.event_id == _events.c.id),
        )
        columns = _events.c.at, _events.c.id, _events.c.customer_id, _events.c.conversation_id
        belongs = case((spoken, _assignments.c.problem_id), else_=None).label("of_problem")
        statement = (
            select(*columns, belongs, _assignments.c.at.label("assigned_at"))
            .select_from(source)
            .where(self._mine(), _events.c.at >= since, _events.c.at <= until)
            .order_by(_events.c.sequence)
        )
        for row in self._read(statement.execution_options(yield_per=_STREAM)):
            if row.of_problem is None:
                yield Arrival(None, row.at)
                continue
            said = Observation(row.at, row.customer_id, row.id, row.conversation_id)
            yield Arrival(row.assigned_at, row.at, row.of_problem, voter_code(*said.voter))

    def count_between(self, since: datetime, until: datetime) -> int:
        """How many events happened from `since` to `until`, event times both inside."""
        span = self._mine(), _events.c.at >= since, _events.c.at <= until
        return int(self._read(select(func.count()).select_from(_events).where(*span)).scalar_one())

    def message(self, id: str) -> StoredMessage | None:
        """One event with its vector and assignment, whoever sent it."""
        row = self._read(messages_query().where(self._mine(), _events.c.id == id)).first()
        return None if row is None else stored_message(row)

    def outcomes(self, since: datetime | None = None, *, replies: bool = True) -> Iterator[Outcome]:
        """How each resolution by an agent ended; see `kb_service.store.outcomes`."""
        return outcomes(self._scope.connection, self.workspace, since, replies=replies)

    def outcome_count(self) -> int:
        """How many resolutions name their agent."""
        resolved = _events.c.type == "resolution", _events.c.agent_id.is_not(None)
        return int(
            self._read(select(func.count()).select_from(_events).where(self._mine(), *resolved)).scalar_one()
        )

    def accepted_replies(self, case_ids: Collection[str]) -> tuple[GivenReply, ...]:
        """What resolved some cases for good; see `kb_service.store.outcomes.accepted_replies`."""
        found: list[GivenReply] = []
        for some in chunks(sorted(set(case_ids))):
            found += accepted_replies(self._scope.connection, self.workspace, some)
        return tuple(found)

    def counts_by_hour(self, problem_id: str, since: datetime | None = None) -> tuple[HourCount, ...]:
        """Customers' messages of a problem by hour of event time, oldest first, without empty hours.

        A message without a customer counts for its conversation, or for itself (`Observation.voter`).
        """
        statement = (
            select(_events.c.at, _events.c.customer_id, _events.c.id, _events.c.conversation_id)
            .where(of_problem(self.workspace, problem_id))
            .order_by(_events.c.at)
        )
        if since is not None:
            statement = statement.where(_events.c.at >= since)
        seen: dict[datetime, list[tuple[str, str]]] = defaultdict(list)
        for row in self._read(statement):
            hour = row.at.replace(minute=0, second=0, microsecond=0)
            said = Observation(row.at, row.customer_id, row.id, row.conversation_id)
            seen[hour].append(said.voter)
        return tuple(HourCount(hour, len(who), len(set(who))) for hour, who in seen.items())

    def counts_by_span(
        self, problem_ids: Collection[str], bounds: Sequence[datetime]
    ) -> dict[str, tuple[int, ...]]:
        """Customers' messages of each of some problems between each two moments of `bounds`, which rise; without the
        problems that have none.

        One statement, which begins with the messages of that time: problems may have many more.
        """
        spans = len(bounds) - 1
        place = case(*((_events.c.at < end, place) for place, end in enumerate(bounds[1:]))).label("place")
        source = _events.join(
            _assignments,
            and_(_assignments.c.workspace == _events.c.workspace, _assignments.c.event_id == _events.c.id),
        )
        inside = (
            self._mine(_events),
            _events.c.type == "message",
            _events.c.role == "customer",
            _events.c.at >= bounds[0],
            _events.c.at < bounds[-1],
        )
        found: dict[str, list[int]] = {}
        for some in chunks(dict.fromkeys(problem_ids)):
            statement = (
                select(_assignments.c.problem_id, place, func.count().label("messages"))
                .select_from(source)
                .where(*inside, _assignments.c.problem_id.concat("").in_(some))
                .group_by(_assignments.c.problem_id, place)
            )
            for row in self._read(statement):
                found.setdefault(row.problem_id, [0] * spans)[row.place] = row.messages
        return {problem_id: tuple(counts) for problem_id, counts in found.items()}

    def latest_at(self) -> datetime | None:
        """The watermark: the latest event time ever accepted, also when that event was erased."""
        if self._scope.writable:
            return self._scope.ledger.watermark
        at = self._read(
            select(tables.workspaces.c.watermark).where(tables.workspaces.c.id == self.workspace)
        ).scalar_one()
        return at.astimezone(UTC) if isinstance(at, datetime) else None

    def last_sequence(self) -> int:
        """The place of the latest arrival; 0 before the first."""
        latest = select(func.max(_events.c.sequence)).where(self._mine())
        return int(self._read(latest).scalar_one() or 0)

    def count(self) -> int:
        return int(self._read(select(func.count()).select_from(_events).where(self._mine())).scalar_one())


def _ids_of(new: NewEvent) -> list[str]:
    """The ids that an event of a case can be found by, in one spelling: those written in its words, those of its
    products, and what else it names."""
    if new.case_id is None:
        return []
    event = new.event
    named = map(one_spelling, (*event.products, *new.named))
    written = written_ids(f"{event.text or ''}\n{event.reply or ''}")
    return [id for id in dict.fromkeys((*written, *named)) if id]
