"""What several cases are instances of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, Table, and_, case, delete, func, not_, select, update

from graph.lifecycle import EMERGING_FOR, EVERGREEN_CUSTOMERS, EVERGREEN_FOR, episode_begin
from graph.models import Problem, ProblemState
from graph.parents import ancestors
from graph.recurrence import Observation
from kb_service.store import tables
from kb_service.store.event_rows import of_problem
from kb_service.store.repository import Repository, chunks, page_of
from kb_service.store.values import Hanging, Page, ProblemCounts

_problems = tables.problems
_aliases = tables.problem_aliases
_events = tables.events
_assignments = tables.assignments
_follow_ups = tables.follow_ups

Sort = Literal["active", "opened", "customers", "events", "growth"]
_SORTS = {
    "active": _problems.c.active_at,
    "opened": _problems.c.opened_at,
    "events": _problems.c.events,
}
_VOTER = case(
    (_events.c.customer_id.is_not(None), "u" + _events.c.customer_id),
    (_events.c.conversation_id.is_not(None), "c" + _events.c.conversation_id),
    else_="e" + _events.c.id,
)
"""`Observation.voter` in the database."""
STANDING: frozenset[ProblemState] = frozenset({"open", "regressed", "acknowledged", "silenced"})
"""The states of problems that people know of and that are not resolved."""
_EVER = "all_customers"
_GROWN = "grown"
_SHORT = timedelta(days=1)
"""A span so short that its messages are found sooner by time than by their problem."""
_PLAIN = (
    "id",
    "state",
    "opened_at",
    "active_at",
    "episode_at",
    "intent_id",
    "events",
    "customers",
    "owner_id",
    "expertise_id",
    "resolved_at",
    "silenced_until",
    "silenced_count",
    "named_by_person",
    "silenced_rate",
    "parent_id",
    "confirmed_at",
)


class Problems(Repository):
    """A merged problem's id stays as an alias of the survivor. `Problem.aliases` comes from the alias table:
    `put` leaves it alone, `merge_alias` fills it.
    """

    table = _problems

    def resolve_id(self, id: str) -> str | None:
        """The id that `id` stands for now: its own or the survivor's; None when it is unknown."""
        if self._read(select(_problems.c.id).where(self._mine(), _problems.c.id == id)).first() is not None:
            return id
        survivor = select(_aliases.c.problem_id).where(self._mine(_aliases), _aliases.c.alias == id)
        return self._read(survivor).scalar()

    def get(self, id: str) -> Problem | None:
        """The problem of this id, or the survivor that it was merged into."""
        row = self._read(select(_problems).where(self._mine(), _problems.c.id == id)).first()
        if row is None:
            survivor = self.resolve_id(id)
            return None if survivor is None else self.get(survivor)
        return self._with_aliases([row])[0]

    def some(self, ids: Collection[str]) -> tuple[Problem, ...]:
        """The problems of these ids, or the survivors that they were merged into, oldest first."""
        wanted = set(ids)
        rows: dict[str, Any] = {}
        for some in chunks(sorted(wanted)):
            found = self._read(select(_problems).where(self._mine(), _problems.c.id.in_(some)))
            rows.update((row.id, row) for row in found)
        merged = {survivor for id in wanted - rows.keys() if (survivor := self.resolve_id(id)) is not None}
        for some in chunks(sorted(merged - rows.keys())):
            found = self._read(select(_problems).where(self._mine(), _problems.c.id.in_(some)))
            rows.update((row.id, row) for row in found)
        return self._with_aliases(sorted(rows.values(), key=lambda row: (row.opened_at, row.id)))

    def put(self, problem: Problem) -> None:
        """Stores a problem, over the one of the same id."""
        self.put_many([problem])

    def put_many(self, problems: Iterable[Problem]) -> None:
        """Stores problems, each over the one of the same id."""
        rows: list[dict[str, Any]] = []
        for problem in problems:
            row: dict[str, Any] = {name: getattr(problem, name) for name in _PLAIN}
            row["workspace"] = self.workspace
            row["names"] = dict(problem.names)
            row["folded_names"] = _folded(problem.names.values())
            row["products"] = list(problem.products)
            rows.append(row)
            self._log("problem", problem.id)
        self._upsert_many(rows)

    def remove(self, id: str) -> bool:
        """Removes a problem, its aliases and alerts; its events, cases and proposals stay and name none."""
        if self._write(delete(_problems).where(self._mine(), _problems.c.id == id)).rowcount == 0:
            return False
        for alert_id in self._ids_of(tables.alerts, id):
            self._log("alert_removed", alert_id)
        alerts = tables.alerts
        self._write(delete(alerts).where(self._mine(alerts), alerts.c.problem_id == id))
        self._move(id, None, tables.assignments, tables.cases, tables.proposals)
        self._write(delete(_follow_ups).where(self._mine(_follow_ups), _follow_ups.c.problem_id == id))
        self._place_children(id, None)
        self._log("problem_removed", id)
        return True

    def _ids_of(self, table: Table, problem_id: str) -> list[str]:
        statement = select(table.c.id).where(self._mine(table), table.c.problem_id == problem_id)
        return list(self._read(statement.order_by(table.c.id)).scalars())

    def _move(self, old: str, into: str | None, *sources: Table) -> None:
        for table in sources:
            self._write(
                update(table).where(self._mine(table), table.c.problem_id == old).values(problem_id=into)
            )

    def _place_children(self, parent_id: str, into: str | None) -> None:
        """What came under a problem that goes comes under another one, or under none; no problem under itself."""
        under_it = into is not None and parent_id in ancestors(into, self.parent_of)
        under = and_(self._mine(), _problems.c.parent_id == parent_id)
        children = self._read(select(_problems.c.id).where(under)).scalars().all()
        self._write(update(_problems).where(under).values(parent_id=into))
        for child in children:
            self._log("problem", child)
        if under_it:
            self._write(update(_problems).where(self._mine(), _problems.c.id == into).values(parent_id=None))

    def parent_of(self, id: str) -> str | None:
        """The problem that one comes under, None where there is none."""
        found: str | None = self._read(
            select(_problems.c.parent_id).where(self._mine(), _problems.c.id == id)
        ).scalar()
        return found

    def all(self, states: Collection[str] | None = None) -> tuple[Problem, ...]:
        """Every problem, or those in one of `states`, oldest first."""
        statement = select(_problems).where(self._mine())
        if states is not None:
            statement = statement.where(_problems.c.state.in_(list(states)))
        return self._with_aliases(self._read(statement.order_by(_problems.c.opened_at, _problems.c.id)).all())

    def page(
        self,
        cursor: str | None = None,
        limit: int = 50,
        state: str | None = None,
        q: str | None = None,
        intent_id: str | None = None,
        owner_id: str | None = None,
        sort: Sort = "active",
        *,
        states: Collection[ProblemState] | None = None,
        opened_after: datetime | None = None,
        opened_by: datetime | None = None,
        evergreen: bool | None = None,
        grown_over: Sequence[datetime] = (),
    ) -> Page[Problem]:
        """Problems that meet the conditions given, the largest or latest of `sort` first.

        `q` is found anywhere in a name of any language, whatever its case. Customers are those of all messages, see
        `Problem.customers_ever`. Growth is by how many messages more came between the last two of the three moments of
        `grown_over` than between the first two.
        """
        statement = select(_problems, self._everyone().label(_EVER)).where(self._mine())
        first: ColumnElement[Any] = _SORTS.get(sort, self._everyone().label(_EVER))
        if sort == "growth":
            statement, first = self._growing(statement, *grown_over)
        if states is not None:
            statement = statement.where(_problems.c.state.in_(sorted(states)))
        if opened_after is not None:
            statement = statement.where(_problems.c.opened_at > opened_after)
        if opened_by is not None:
            statement = statement.where(_problems.c.opened_at <= opened_by)
        if evergreen is not None:
            statement = statement.where(self._evergreen() if evergreen else not_(self._evergreen()))
        if state is not None:
            statement = statement.where(_problems.c.state == state)
        if intent_id is not None:
            statement = statement.where(_problems.c.intent_id == intent_id)
        if owner_id is not None:
            statement = statement.where(_problems.c.owner_id == owner_id)
        if q is not None:
            statement = statement.where(_problems.c.folded_names.contains(q.casefold(), autoescape=True))
        rows, next_cursor = self._page(statement, [first, _problems.c.id], cursor, limit, descending=True)
        return page_of(self._with_aliases(rows), next_cursor)

    def _growing(
        self, statement: Select[Any], begin: datetime, middle: datetime, end: datetime
    ) -> tuple[Select[Any], ColumnElement[int]]:
        """Problems with by how many messages more came after `middle` than before it. All are counted at once, from
        the messages of that time on: one after another they would be asked for all that they ever had."""
        change = func.sum(case((_events.c.at >= middle, 1), else_=-1)).label(_GROWN)
        counted = (
            select(_assignments.c.problem_id, change)
            .select_from(_events.join(_assignments, _assignments.c.event_id == _events.c.id))
            .where(
                self._mine(_events),
                self._mine(_assignments),
                _events.c.type == "message",
                _events.c.role == "customer",
                _events.c.at >= begin,
                _events.c.at < end,
            )
            .group_by(_assignments.c.problem_id)
            .subquery()
        )
        grown = func.coalesce(counted.c.grown, 0).label(_GROWN)
        joined = statement.add_columns(grown).outerjoin(counted, counted.c.problem_id == _problems.c.id)
        return joined, grown

    def counts(self, at: datetime) -> ProblemCounts:
        """How many problems there are of each sort at a moment of event time."""
        standing = _problems.c.state.in_(sorted(STANDING))
        kinds = {
            "standing": standing,
            "emerging": and_(standing, _problems.c.opened_at > at - EMERGING_FOR),
            "evergreen": and_(standing, self._evergreen()),
            "resolved": _problems.c.state == "resolved",
            "candidates": _problems.c.state == "candidate",
        }
        sums = [
            func.coalesce(func.sum(case((holds, 1), else_=0)), 0).label(name) for name, holds in kinds.items()
        ]
        row = self._read(select(func.count().label("all"), *sums).where(self._mine())).one()
        return ProblemCounts(**{name: int(getattr(row, name)) for name in ("all", *kinds)})

    def _evergreen(self) -> ColumnElement[bool]:
        """`lifecycle.evergreen` in the database."""
        if self._scope.connection.dialect.name == "sqlite":
            days = func.julianday(_problems.c.active_at) - func.julianday(_problems.c.opened_at)
        else:
            days = func.extract("epoch", _problems.c.active_at - _problems.c.opened_at) / 86_400
        return and_(days >= EVERGREEN_FOR.days, self._everyone() >= EVERGREEN_CUSTOMERS)

    def _everyone(self) -> ColumnElement[int]:
        """`Problem.customers_ever` in the database: its messages are asked only where an episode was resolved."""
        wrote = (
            select(func.count(_VOTER.distinct()))
            .select_from(_assignments.join(_events, _events.c.id == _assignments.c.event_id))
            .where(
                self._mine(_assignments),
                self._mine(_events),
                _assignments.c.problem_id == _problems.c.id,
                _events.c.type.concat("") == "message",
                _events.c.role == "customer",
            )
            .correlate(_problems)
            .scalar_subquery()
        )
        return case((_problems.c.episode_at <= _problems.c.opened_at, _problems.c.customers), else_=wrote)

    def counted_in_all(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """Problems with `all_customers`, those of the first episode as they are."""
        found = list(problems)
        later = [item.id for item in found if episode_begin(item) is not None]
        known: dict[str, int] = {}
        for some in chunks(later):
            statement = select(_problems.c.id, self._everyone().label(_EVER))
            for row in self._read(statement.where(self._mine(), _problems.c.id.in_(some))):
                known[row.id] = int(row.all_customers)
        return tuple(
            replace(item, all_customers=known[item.id]) if item.id in known else item for item in found
        )

    def children(self, parent_id: str) -> tuple[Problem, ...]:
        """The problems that come under one, oldest first."""
        under = self._mine(), _problems.c.parent_id == parent_id
        ordered = select(_problems).where(*under).order_by(_problems.c.opened_at, _problems.c.id)
        return self._with_aliases(self._read(ordered).all())

    def merge_alias(self, old: str, into: str) -> None:
        """Makes `old` an alias of `into`, with all that hung on it.

        Events, cases, alerts, proposals and aliases follow; the row of `old` goes. The counts of the survivor
        are the caller's to put. ValueError when one of the two is not a problem, or both are the same.
        """
        if old == into or {old, into} - set(
            self._read(select(_problems.c.id).where(self._mine(), _problems.c.id.in_([old, into]))).scalars()
        ):
            raise ValueError(f"cannot merge {old!r} into {into!r}: both must be problems, and two of them")
        for case_id in self._ids_of(tables.cases, old):
            self._log("case", case_id)
        for alert_id in self._ids_of(tables.alerts, old):
            self._log("alert", alert_id)
        self._move(old, into, tables.assignments, tables.cases, tables.alerts, tables.proposals, _aliases)
        for id in (old, *self._aliases_of(into)):  # of which `old` is not one yet
            self._move(id, into, _follow_ups)
        for id in (old, *self._aliases_of(into)):
            self._place_children(id, into)
        self._write(delete(_problems).where(self._mine(), _problems.c.id == old))
        self._upsert({"workspace": self.workspace, "alias": old, "problem_id": into}, _aliases)
        self._log("problem_removed", old)
        self._log("problem", into)

    def take_out(
        self,
        problem: Problem,
        *,
        alerts: Collection[str] = (),
        proposals: Collection[str] = (),
        follow_ups: Collection[str] = (),
        aliases: Collection[str] = (),
    ) -> None:
        """Makes an alias a problem of its own again, with those of the survivor's alerts, proposals, follow-ups and
        aliases; it comes under the survivor of what it came under.

        Its events and cases are the caller's to move, and both problems' counts to put. What does not hang on the
        survivor any more stays where it is. ValueError when `problem.id` is no alias.
        """
        survivor = self.resolve_id(problem.id)
        if survivor is None or survivor == problem.id:
            raise ValueError(f"cannot take {problem.id!r} out: it is not merged into a problem")
        theirs = _aliases.c.alias == problem.id
        self._write(delete(_aliases).where(self._mine(_aliases), theirs))
        self.put(replace(problem, parent_id=self._standing_parent(problem)))
        sources = (
            (tables.alerts.c.id, alerts),
            (tables.proposals.c.id, proposals),
            (_follow_ups.c.id, follow_ups),
            (_aliases.c.alias, aliases),
        )
        for column, ids in sources:
            table = column.table
            for some in chunks(sorted(ids)):
                mine = self._mine(table), table.c.problem_id == survivor, column.in_(some)
                self._write(update(table).where(*mine).values(problem_id=problem.id))
        for alert_id in sorted(alerts):
            self._log("alert", alert_id)
        self._log("problem", survivor)

    def _aliases_of(self, id: str) -> list[str]:
        statement = select(_aliases.c.alias).where(self._mine(_aliases), _aliases.c.problem_id == id)
        return list(self._read(statement.order_by(_aliases.c.alias)).scalars())

    def _standing_parent(self, problem: Problem) -> str | None:
        """What a problem that was taken out comes under by now: no problem that is gone, and none under itself."""
        parent_id = self.resolve_id(problem.parent_id) if problem.parent_id is not None else None
        if parent_id is None or problem.id in (parent_id, *ancestors(parent_id, self.parent_of)):
            return None
        return parent_id

    def proposals_of(self, problem_id: str) -> tuple[str, ...]:
        """The ids of the proposals about a problem."""
        return tuple(self._ids_of(tables.proposals, problem_id))

    def follow_ups_of(self, problem_id: str) -> tuple[str, ...]:
        """The ids of the follow-ups about a problem."""
        return tuple(self._ids_of(_follow_ups, problem_id))

    def hanging(self, problem_id: str) -> Hanging:
        """How much hangs on a problem; one statement."""
        counted = [
            select(func.count()).select_from(table).where(self._mine(table), column == problem_id)
            for table, column in (
                (tables.alerts, tables.alerts.c.problem_id),
                (tables.proposals, tables.proposals.c.problem_id),
                (_follow_ups, _follow_ups.c.problem_id),
                (_problems, _problems.c.parent_id),
            )
        ]
        return Hanging(*map(int, self._read(select(*(one.scalar_subquery() for one in counted))).one()))

    def observations(self, problem_id: str, since: datetime | None = None) -> list[Observation]:
        """The customers' messages assigned to a problem from `since` on, oldest first."""
        statement = (
            select(_events.c.at, _events.c.customer_id, _events.c.id, _events.c.conversation_id)
            .where(of_problem(self.workspace, problem_id))
            .order_by(_events.c.at, _events.c.sequence)
        )
        if since is not None:
            statement = statement.where(_events.c.at >= since)
        return [
            Observation(row.at, row.customer_id, row.id, row.conversation_id) for row in self._read(statement)
        ]

    def customers_between(self, problem_id: str, after: datetime, until: datetime) -> int:
        """How many distinct customers wrote of a problem later than `after` and by `until`; see `Observation.voter`."""
        statement = select(func.count(_VOTER.distinct())).where(_events.c.at > after, _events.c.at <= until)
        if until - after > _SHORT:
            statement = statement.where(of_problem(self.workspace, problem_id))
        else:
            statement = statement.join(
                _assignments,
                and_(
                    _assignments.c.workspace == _events.c.workspace,
                    _assignments.c.event_id == _events.c.id,
                    # Written so that the index of the problem is not followed: it may have many more messages.
                    _assignments.c.problem_id.concat("") == problem_id,
                ),
            ).where(self._mine(_events), _events.c.type == "message", _events.c.role == "customer")
        return int(self._read(statement).scalar_one())

    def event_count(self, problem_id: str) -> int:
        """How many customers' messages are assigned to a problem."""
        statement = select(func.count()).select_from(_events).where(of_problem(self.workspace, problem_id))
        return int(self._read(statement).scalar_one())

    def _with_aliases(self, rows: Iterable[Any]) -> tuple[Problem, ...]:
        found = list(rows)
        aliases: dict[str, list[str]] = defaultdict(list)
        for some in chunks(row.id for row in found):
            statement = select(_aliases.c.problem_id, _aliases.c.alias).where(
                self._mine(_aliases), _aliases.c.problem_id.in_(some)
            )
            for row in self._read(statement.order_by(_aliases.c.alias)):
                aliases[row.problem_id].append(row.alias)
        return tuple(_problem(row, tuple(aliases.get(row.id, ()))) for row in found)


def _folded(names: Iterable[str]) -> str:
    return "\n".join(names).casefold()


def _problem(row: Any, aliases: tuple[str, ...]) -> Problem:
    plain = {name: getattr(row, name) for name in _PLAIN}
    if row.episode_at > row.opened_at:
        plain["all_customers"] = getattr(row, _EVER, None)
    return Problem(names=row.names, aliases=aliases, products=tuple(row.products), **plain)
