"""How much came in by hour, counted in the database: messages, cases, customers, and how long cases took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Literal, TypeAlias

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    String,
    and_,
    cast,
    column,
    distinct,
    func,
    null,
    select,
    true,
)

from kb_service.store import tables
from kb_service.store.repository import Repository

_events = tables.events
_cases = tables.cases
_assignments = tables.assignments
_STREAM = 5000
_CASE = func.coalesce(_events.c.case_id, _events.c.id)
_VOTER = func.coalesce(_events.c.customer_id, _events.c.conversation_id, _events.c.id)

Dimension: TypeAlias = Literal["expertise", "product", "channel"]


@dataclass(frozen=True, slots=True)
class HourTraffic:
    """What one hour (UTC) brought of one thing. `key` is None for what belongs to none, and with `everything`
    for the whole shop."""

    hour: datetime
    key: str | None
    messages: int
    cases: int
    customers: int


@dataclass(frozen=True, slots=True)
class SpanTraffic:
    """What a whole span brought of one thing: distinct cases and customers, whatever hours they wrote in."""

    key: str | None
    cases: int
    customers: int


@dataclass(frozen=True, slots=True)
class Handling:
    """Seconds that agents told for `cases` resolutions of one thing."""

    key: str | None
    seconds: float
    cases: int


class Traffic(Repository):
    """Customers' messages. A customer without an id counts by conversation, else by the message alone."""

    table = _events

    def by_hour(
        self,
        since: datetime,
        until: datetime,
        by: Dimension | None,
        expertise: Mapping[str, str] | None = None,
    ) -> Iterator[HourTraffic]:
        """Counts of every hour with `since` ≤ at < `until`, by what `by` says; with None of the whole shop.

        `expertise` maps problems to their expertise. A message is of the problem that it was assigned to, else of
        its case's; one that names two products counts for both. Cases and customers are distinct within the hour
        and the key.
        """
        if by == "expertise":
            yield from self._by_expertise(since, until, expertise or {})
            return
        source, key = self._split(by)
        statement = (
            select(
                self._hour().label("counted_hour"),
                key.label("counted_key"),
                func.count(distinct(_events.c.id)).label("messages"),
                func.count(distinct(_CASE)).label("cases"),
                func.count(distinct(_VOTER)).label("customers"),
            )
            .select_from(source)
            .where(*self._spoken(since, until))
            .group_by("counted_hour", *(["counted_key"] if by is not None else []))
        )
        for row in self._read(statement):
            yield HourTraffic(
                _moment(row.counted_hour), row.counted_key, row.messages, row.cases, row.customers
            )

    def _by_expertise(
        self, since: datetime, until: datetime, expertise: Mapping[str, str]
    ) -> Iterator[HourTraffic]:
        """Which expertise a problem is of is not in the database; and to tell customers apart within an expertise
        takes every message, which is read faster than the database groups it."""
        source, problem_id = self._split("expertise")
        statement = (
            select(
                self._hour().label("counted_hour"),
                problem_id.label("counted_key"),
                _CASE.label("counted_case"),
                _VOTER.label("voter"),
            )
            .select_from(source)
            .where(*self._spoken(since, until))
            .order_by(_events.c.at)
        )
        rows = self._read(statement.execution_options(yield_per=_STREAM))
        # By time, so that no more than an hour's cases and customers are held.
        for hour, told in groupby(rows, key=lambda row: row.counted_hour):
            counts: dict[str | None, tuple[list[int], set[str], set[str]]] = {}
            for row in told:
                key = expertise.get(row.counted_key)
                held = counts.get(key)
                if held is None:
                    held = counts[key] = [0], set(), set()
                held[0][0] += 1
                held[1].add(row.counted_case)
                held[2].add(row.voter)
            for key, ((messages,), cases, voters) in counts.items():
                yield HourTraffic(_moment(hour), key, messages, len(cases), len(voters))

    def in_span(
        self,
        since: datetime,
        until: datetime,
        by: Dimension | None,
        expertise: Mapping[str, str] | None = None,
    ) -> tuple[SpanTraffic, ...]:
        """Distinct cases and customers with `since` ≤ at < `until`, by what `by` says as in `by_hour`."""
        source, key = self._split(by)
        statement = (
            select(key.label("counted_key"), _CASE.label("counted_case"), _VOTER.label("voter"))
            .select_from(source)
            .where(*self._spoken(since, until))
            .distinct()
        )
        found: dict[str | None, tuple[set[str], set[str]]] = {}
        for row in self._read(statement.execution_options(yield_per=_STREAM)):
            named = (expertise or {}).get(row.counted_key) if by == "expertise" else row.counted_key
            cases, voters = found.setdefault(named, (set(), set()))
            cases.add(row.counted_case)
            voters.add(row.voter)
        return tuple(SpanTraffic(named, len(cases), len(voters)) for named, (cases, voters) in found.items())

    def first_at(self) -> datetime | None:
        """The time of the first customer's message that is kept; None before there is one."""
        first = select(func.min(_events.c.at)).where(
            self._mine(), _events.c.type == "message", _events.c.role == "customer"
        )
        at = self._read(first).scalar_one()
        return at.astimezone(UTC) if isinstance(at, datetime) else None

    def handling(
        self,
        since: datetime,
        until: datetime,
        by: Dimension | None,
        expertise: Mapping[str, str] | None = None,
    ) -> tuple[Handling, ...]:
        """How long resolutions with `since` ≤ at < `until` took, by what `by` says."""
        source, key = self._split(by)
        seconds = _events.c.handling_seconds
        statement: Select[Any] = (
            select(key.label("counted_key"), func.sum(seconds).label("seconds"), func.count().label("cases"))
            .select_from(source)
            .where(
                self._mine(),
                _events.c.type == "resolution",
                seconds > 0,
                _events.c.at >= since,
                _events.c.at < until,
            )
            .group_by(*(["counted_key"] if by is not None else []))
        )
        totals: dict[str | None, tuple[float, int]] = {}
        for row in self._read(statement):
            if row.cases:
                named = (expertise or {}).get(row.counted_key) if by == "expertise" else row.counted_key
                before = totals.get(named, (0.0, 0))
                totals[named] = before[0] + float(row.seconds), before[1] + row.cases
        return tuple(Handling(named, *total) for named, total in totals.items())

    def _spoken(self, since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
        return (
            self._mine(),
            _events.c.type == "message",
            _events.c.role == "customer",
            _events.c.at >= since,
            _events.c.at < until,
        )

    # --- both databases

    @property
    def _lite(self) -> bool:
        return self._scope.connection.dialect.name == "sqlite"

    def _hour(self) -> ColumnElement[str]:
        """The hour in UTC, as text that both databases write alike."""
        if self._lite:
            return func.substr(cast(_events.c.at, String), 1, 13, type_=String)
        return func.to_char(func.timezone("UTC", _events.c.at), "YYYY-MM-DD HH24", type_=String)

    def _split(self, by: Dimension | None) -> tuple[FromClause, ColumnElement[Any]]:
        """The rows to count, and the column that says what each belongs to: for an expertise the problem."""
        if by is None:
            return _events, cast(null(), String)
        if by == "product":
            named = self._elements()
            return _events.join(named, true(), isouter=True), named.c.value
        if by == "channel":
            return _events, func.coalesce(_events.c.channel, _of_case(_cases.c.channels[0].as_string()))
        assigned = and_(
            _assignments.c.workspace == _events.c.workspace, _assignments.c.event_id == _events.c.id
        )
        problem_id = func.coalesce(_assignments.c.problem_id, _of_case(_cases.c.problem_id))
        return _events.outerjoin(_assignments, assigned), problem_id

    def _elements(self) -> Any:
        """The products of each row."""
        if self._lite:
            return func.json_each(_events.c.products).table_valued(column("value", String))
        elements = func.json_array_elements_text(_events.c.products)
        return elements.table_valued(column("value", String)).render_derived(name="named").lateral()


def _of_case(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A column of an event's case: a subquery, so that only the events that need it pay for it."""
    mine = and_(_cases.c.workspace == _events.c.workspace, _cases.c.id == _events.c.case_id)
    return select(column).where(mine).correlate(_events).scalar_subquery()


def _moment(hour: str) -> datetime:
    return datetime.fromisoformat(f"{hour}:00+00:00")
