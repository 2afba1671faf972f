"""Erasing a customer: from the facts themselves, and from everything that quotes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Table, Text, and_, cast, delete, exists, or_, select, update

from kb_service.store import tables
from kb_service.store.follow_ups import FollowUps
from kb_service.store.gaps import ToldGaps
from kb_service.store.problems import Problems
from kb_service.store.quotes import ERASED, Quotes, without
from kb_service.store.rank_moves import RankMoves
from kb_service.store.regroupings import Regroupings
from kb_service.store.repository import Repository, Scope, chunks
from kb_service.store.values import Erasure

_events = tables.events
_assignments = tables.assignments
_cases = tables.cases
_problems = tables.problems
_examples = tables.alert_examples
_exposures = tables.exposures
_STREAM = 500
_SURGE = "traffic.surge"
_ALERTS = ("alert.opened", "alert.escalated")


def erase_customer(scope: Scope, customer_id: str) -> Erasure:
    """Removes what a customer said and did, and what quotes them, in the open transaction.

    Goes: their cases with what was decided about them; the events of them and of their conversations, with vectors
    and assignments; problems that nothing else is left of, with their alerts; alerts' examples; idempotency replays
    that mention them; their places in follow-ups, with what they answered. Blanked: what an exposure, review,
    feedback, proposal, audit entry, problem's name, present or kept for an unmerge, told gap or outbox message
    quotes, and the name of a cluster made of their words, wherever it was copied to. What moved the ranking on
    their word is withdrawn.
    The change log gets an entry for each event, case, problem and alert that went or changed.
    """
    return _Eraser(scope, customer_id).run()


class _Eraser(Repository):
    table = _events

    def __init__(self, scope: Scope, customer_id: str) -> None:
        super().__init__(scope)
        self._customer_id = customer_id
        self._counts: Counter[str] = Counter()
        self._case_ids: set[str] = set()
        self._event_ids: set[str] = set()
        self._conversation_ids: set[str] = set()
        self._texts: list[str] = []
        self._seen_cases: set[str] = set()
        self._old_names: dict[str, set[str]] = {}
        self._gone_names: set[str] = set()

    def run(self) -> Erasure:
        self._find()
        exposure_ids = self._find_exposures()
        current, earlier = self._touched_problems()
        ids = self._case_ids | self._event_ids | self._conversation_ids
        self._quotes = Quotes(self._customer_id, ids, self._texts)
        self._counts[tables.regroupings.name] += Regroupings(self._scope).forget(sorted(self._event_ids))
        self._remove_facts()
        removed = self._remove_empty_problems(current)
        touched = (current | earlier) - removed
        alert_ids = self._drop_examples()
        unnamed = self._blank_names(touched)
        self._blank_exposures(exposure_ids)
        self._forget_replays()
        alert_ids |= self._clean(tables.alerts, ("evidence",), "alert")
        self._clean(tables.proposals, ("title", "evidence", "draft"))
        self._clean(tables.reviews, ("text", "note"))
        self._clean(tables.regroupings, ("kept",))
        self._blank_audit()
        self._clean(tables.audit, ("actor", "object", "detail"))
        self._clean_messages()
        self._counts[tables.told_gaps.name] += ToldGaps(self._scope).forget(exposure_ids | self._event_ids)
        self._counts[tables.rank_moves.name] += RankMoves(self._scope).forget(exposure_ids)
        self._counts[tables.follow_up_cases.name] += FollowUps(self._scope).forget(
            self._customer_id, self._case_ids, self._conversation_ids
        )
        self._forget_old_names()
        self._forget_names_told_together()
        self._forget_copies(self._forget_in_expertise(removed))
        return Erasure(
            counts={name: number for name, number in self._counts.items() if number},
            event_ids=tuple(sorted(self._event_ids)),
            case_ids=tuple(sorted(self._case_ids)),
            problem_ids=tuple(sorted(touched)),
            removed_problem_ids=tuple(sorted(removed)),
            unnamed_problem_ids=unnamed,
            alert_ids=tuple(sorted(alert_ids)),
        )

    # What is theirs

    def _find(self) -> None:
        """Their events lead to conversations and unnamed cases, and these to what agents and bots said."""
        self._take(
            or_(
                _events.c.customer_id == self._customer_id,
                _events.c.customer["id"].as_string() == self._customer_id,
            )
        )
        nobodys = or_(_cases.c.customer_id == self._customer_id, _cases.c.customer_id.is_(None))
        self._take_cases(_cases.c.customer_id == self._customer_id)
        for some in chunks(sorted(self._seen_cases - self._case_ids)):
            self._take_cases(and_(_cases.c.id.in_(some), nobodys))
        unnamed = or_(_events.c.customer_id == self._customer_id, _events.c.customer_id.is_(None))
        for some in chunks(sorted(self._case_ids)):
            self._take(and_(_events.c.case_id.in_(some), unnamed))
        for some in chunks(sorted(self._conversation_ids)):
            self._take(and_(_events.c.conversation_id.in_(some), unnamed))

    def _take(self, condition: ColumnElement[bool]) -> None:
        columns = [
            _events.c[name] for name in ("id", "case_id", "conversation_id", "text", "reply", "reason")
        ]
        for row in self._read(select(*columns).where(self._mine(), condition)):
            self._event_ids.add(row.id)
            self._texts += [text for text in (row.text, row.reply, row.reason) if text]
            if row.conversation_id is not None:
                self._conversation_ids.add(row.conversation_id)
            if row.case_id is not None:
                self._seen_cases.add(row.case_id)

    def _take_cases(self, condition: ColumnElement[bool]) -> None:
        statement = select(_cases.c.id, _cases.c.conversation_ids).where(self._mine(_cases), condition)
        for row in self._read(statement):
            self._case_ids.add(row.id)
            self._conversation_ids.update(row.conversation_ids)

    def _find_exposures(self) -> set[str]:
        """The questions asked by them, in their conversations or cases, or in exactly their words."""
        found: set[str] = set()

        def take(condition: ColumnElement[bool]) -> None:
            columns = (_exposures.c.id, _exposures.c.conversation_id, _exposures.c.query)
            for row in self._read(select(*columns).where(self._mine(_exposures), condition)):
                found.add(row.id)
                if row.query:
                    self._texts.append(row.query)
                if row.conversation_id is not None:
                    self._conversation_ids.add(row.conversation_id)

        take(_exposures.c.customer_id == self._customer_id)
        unnamed = _exposures.c.customer_id.is_(None)
        for some in chunks(sorted(self._conversation_ids)):
            take(and_(_exposures.c.conversation_id.in_(some), unnamed))
        for some in chunks(sorted(self._case_ids)):
            take(_exposures.c.case_id.in_(some))
        for some in chunks(sorted(self._event_ids)):
            take(_exposures.c.event_id.in_(some))
        for some in chunks(sorted(set(self._texts))):
            take(and_(_exposures.c.query.in_(some), unnamed))
        return found

    def _touched_problems(self) -> tuple[set[str], set[str]]:
        """The problems that their events and cases are of, and those that an event was of at first.

        The second may have taken their name from it.
        """
        now: set[str | None] = set()
        once: set[str | None] = set()
        for some in chunks(sorted(self._event_ids)):
            columns = (_assignments.c.problem_id, _assignments.c.first_problem_id)
            theirs = and_(self._mine(_assignments), _assignments.c.event_id.in_(some))
            for row in self._read(select(*columns).where(theirs)):
                now.add(row.problem_id)
                once.add(row.first_problem_id)
        for some in chunks(sorted(self._case_ids)):
            statement = select(_cases.c.problem_id).where(self._mine(_cases), _cases.c.id.in_(some))
            now.update(self._read(statement).scalars())
        return self._standing(now), self._standing(once)

    def _standing(self, ids: set[str | None]) -> set[str]:
        """The problems that `ids` stand for now."""
        problems = Problems(self._scope)
        return {found for id in ids if id is not None and (found := problems.resolve_id(id)) is not None}

    # What goes

    def _delete(self, table: Table, column: ColumnElement[Any], values: Iterable[Any]) -> None:
        for some in chunks(sorted(values)):
            statement = delete(table).where(self._mine(table), column.in_(some))
            self._counts[table.name] += self._write(statement).rowcount

    def _remove_facts(self) -> None:
        for some in chunks(sorted(self._case_ids)):
            inside = and_(self._mine(), _events.c.case_id.in_(some))
            for id in set(self._read(select(_events.c.id).where(inside)).scalars()) - self._event_ids:
                self._write(update(_events).where(self._mine(), _events.c.id == id).values(case_id=None))
                self._log("event", id)
        for table in (tables.event_vectors, tables.assignments):
            self._delete(table, table.c.event_id, self._event_ids)
        self._delete(_events, _events.c.id, self._event_ids)
        self._delete(tables.decisions, tables.decisions.c.case_id, self._case_ids)
        self._delete(_cases, _cases.c.id, self._case_ids)
        for event_id in sorted(self._event_ids):
            self._log("event_removed", event_id)
        for case_id in sorted(self._case_ids):
            self._log("case_removed", case_id)

    def _drop_examples(self) -> set[str]:
        """Examples go with their event; one without an event goes when it quotes the customer."""
        gone: list[tuple[str, int]] = []
        columns = (_examples.c.alert_id, _examples.c.ordinal, _examples.c.event_id, _examples.c.text)
        for row in self._read(select(*columns).where(self._mine(_examples))):
            unknown = row.event_id is None and self._quotes.excerpt(row.text)
            if unknown or row.event_id in self._event_ids:
                gone.append((row.alert_id, row.ordinal))
        for alert_id, ordinal in gone:
            self._write(
                delete(_examples).where(
                    self._mine(_examples), _examples.c.alert_id == alert_id, _examples.c.ordinal == ordinal
                )
            )
            self._log("alert", alert_id)
        self._counts[_examples.name] += len(gone)
        return {alert_id for alert_id, _ in gone}

    def _remove_empty_problems(self, touched: set[str]) -> set[str]:
        """Problems that nothing else is left of: they would stand under a name of the customer's."""
        problems = Problems(self._scope)
        events = exists().where(
            _assignments.c.workspace == _problems.c.workspace, _assignments.c.problem_id == _problems.c.id
        )
        empty: set[str] = set()
        for some in chunks(sorted(touched)):
            columns = (_problems.c.id, _problems.c.names, _problems.c.named_by_person)
            statement = select(*columns).where(self._mine(_problems), _problems.c.id.in_(some), ~events)
            for row in self._read(statement):
                empty.add(row.id)
                if not row.named_by_person:
                    self._gone_names.update(row.names.values())
        for problem_id in sorted(empty):
            problems.remove(problem_id)
        self._counts[_problems.name] += len(empty)
        return empty

    def _forget_replays(self) -> None:
        table = tables.idempotency
        statement = select(table.c.key, table.c.route, table.c.body).where(self._mine(table))
        gone = [
            (row.key, row.route)
            for row in self._read(statement.execution_options(yield_per=_STREAM))
            if self._quotes.within(body := bytes(row.body).decode("utf-8", "replace"))
            or self._quotes.named(body)
            or self._quotes.within(row.key)
            or self._quotes.within(row.route)
        ]
        for key, route in gone:
            self._write(delete(table).where(self._mine(table), table.c.key == key, table.c.route == route))
        self._counts[table.name] += len(gone)

    # What is blanked

    def _blank_names(self, problem_ids: set[str]) -> tuple[str, ...]:
        """Empties the names that quote the customer; their problems. Every one given has changed."""
        for problem_id in sorted(problem_ids):
            self._log("problem", problem_id)
        blanked = []
        for some in chunks(sorted(problem_ids)):
            statement = select(_problems.c.id, _problems.c.names).where(
                self._mine(_problems), _problems.c.id.in_(some)
            )
            for row in self._read(statement).all():
                names = set(row.names.values())
                others = self._messages_of(row.id)
                if any(self._quotes.excerpt(name) or self._quotes.alone(name, others) for name in names):
                    blanked.append(row.id)
                    self._old_names[row.id] = names
        for id in blanked:
            self._write(
                update(_problems)
                .where(self._mine(_problems), _problems.c.id == id)
                .values(names={}, folded_names="")
            )
        self._counts["problems"] += len(blanked)
        return tuple(sorted(blanked))

    def _messages_of(self, problem_id: str) -> list[str]:
        """What others wrote about a problem, the customer's messages being gone already."""
        theirs = _events.join(
            _assignments,
            and_(_assignments.c.workspace == _events.c.workspace, _assignments.c.event_id == _events.c.id),
        )
        statement = (
            select(_events.c.text)
            .select_from(theirs)
            .where(self._mine(), _assignments.c.problem_id == problem_id, _events.c.text.is_not(None))
            .order_by(_events.c.at)
            .limit(_STREAM)
        )
        return list(self._read(statement).scalars())

    def _forget_old_names(self) -> None:
        """Proposals and messages about a problem whose name was the customer's do not keep it either."""
        proposals, messages = tables.proposals, tables.messages
        for problem_id, names in self._old_names.items():
            among = cast(proposals.c.change, Text).contains(f'"{problem_id}"', autoescape=True)
            data = messages.c.data
            told = or_(
                data["problem"]["id"].as_string() == problem_id, data["problem_id"].as_string() == problem_id
            )
            for table, columns, about in (
                (proposals, ("title", "evidence", "draft"), or_(proposals.c.problem_id == problem_id, among)),
                (messages, ("data",), told),
            ):
                self._rewrite(
                    table,
                    columns,
                    lambda row, name, names=names: without(getattr(row, name), names),  # type: ignore[misc]
                    condition=about,
                )

    def _forget_names_told_together(self) -> None:
        """Messages that tell several alerts name more problems than the one that they begin with."""
        if not self._old_names:
            return

        def cleaned(row: Any, name: str) -> Any:
            problems = {also["problem"]["id"] for also in row.data.get("also") or ()}
            names = set().union(*(self._old_names[id] for id in problems & self._old_names.keys()))
            return without(row.data, names) if names else row.data

        told = tables.messages.c.type.in_(_ALERTS)
        self._rewrite(tables.messages, ("data",), cleaned, condition=told)

    def _forget_in_expertise(self, removed: set[str]) -> set[str]:
        """Clusters lose problems that are no more, and a name that was made of the customer's words; those names."""
        forgotten: set[str] = set()
        for table in (tables.expertise, tables.expertise_pins):
            columns = (table.c.id, table.c.name, table.c.problem_ids)
            for row in self._read(select(*columns).where(self._mine(table))).all():
                problems = [id for id in row.problem_ids if id not in removed]
                quoting = row.name is not None and self._names_them(row.name)
                if quoting:
                    forgotten.add(row.name)
                if not quoting and problems == row.problem_ids:
                    continue
                name = row.name if not quoting else row.id if table is tables.expertise else None
                changed = update(table).where(self._mine(table), table.c.id == row.id)
                self._write(changed.values(name=name, problem_ids=problems))
                self._counts[table.name] += 1
                self._log("expertise", row.id)
        return forgotten

    def _names_them(self, name: str) -> bool:
        """Whether a cluster's name quotes the customer, or holds the name of a problem that did."""
        old = self._gone_names.union(*self._old_names.values())
        return self._quotes.excerpt(name) or any(part in name for part in old if part)

    def _forget_copies(self, names: set[str]) -> None:
        """Forget the names of clusters, those given and earlier ones, in what was decided of others and told of
        surges; and what people noted of the customer there."""
        names = set(names)
        for table, column, copied in (
            (tables.decisions, "features", _clusters_of),
            (tables.messages, "data", _surging_of),
        ):
            statement = select(table.c[column].label("value")).where(self._mine(table))
            if table is tables.messages:
                statement = statement.where(table.c.type == _SURGE)
            seen: set[str] = set()
            for row in self._read(statement.execution_options(yield_per=_STREAM)):
                seen.update(copied(row.value))
            names.update(name for name in seen - names if self._names_them(name))

        def cleaned(row: Any, name: str) -> Any:
            value = getattr(row, name)
            return self._quotes.clean(value) if name == "note" else without(value, names)

        self._rewrite(tables.decisions, ("features", "note"), cleaned)
        if names:
            self._rewrite(tables.messages, ("data",), cleaned, condition=tables.messages.c.type == _SURGE)
            pinned = tables.audit.c.action == "expertise.pinned"
            self._rewrite(tables.audit, ("detail",), cleaned, condition=pinned)

    def _blank_audit(self) -> None:
        """What was noted about their cases and events: a person may have written of them in other words."""
        table = tables.audit
        for some in chunks(sorted(self._case_ids | self._event_ids)):
            about = and_(self._mine(table), table.c.object.in_(some))
            self._counts[table.name] += self._write(
                update(table).where(about).values(object=ERASED, detail={})
            ).rowcount

    def _blank_exposures(self, ids: set[str]) -> None:
        blank = dict.fromkeys(("query", "customer_id", "conversation_id", "case_id", "event_id"))
        for some in chunks(sorted(ids)):
            statement = update(_exposures).where(self._mine(_exposures), _exposures.c.id.in_(some))
            self._counts[_exposures.name] += self._write(statement.values(blank)).rowcount
        table = tables.feedback
        for some in chunks(sorted(ids)):
            written = and_(table.c.exposure_id.in_(some), table.c.final_text.is_not(None))
            statement = update(table).where(self._mine(table), written).values(final_text=None)
            self._counts[table.name] += self._write(statement).rowcount
        self._blank_reviews(ids)

    def _blank_reviews(self, exposure_ids: set[str]) -> None:
        """One that waits goes, since nobody can judge it any more; of one that is done the verdict stays."""
        table = tables.reviews
        for some in chunks(sorted(exposure_ids)):
            theirs = and_(self._mine(table), table.c.exposure_id.in_(some))
            waiting = delete(table).where(theirs, table.c.state == "pending")
            self._counts[table.name] += self._write(waiting).rowcount
            written = or_(table.c.text.is_not(None), table.c.note.is_not(None))
            blanked = update(table).where(theirs, written).values(text=None, note=None)
            self._counts[table.name] += self._write(blanked).rowcount

    def _clean(self, table: Table, columns: tuple[str, ...], kind: Any = None) -> set[str]:
        """Takes the customer out of the texts in `columns` of every row; the ids of the rows that changed."""
        return self._rewrite(table, columns, lambda row, name: self._quotes.clean(getattr(row, name)), kind)

    def _clean_messages(self) -> None:
        """Messages known to quote the customer lose excerpts too, and the list of events that they quote."""

        def cleaned(row: Any, name: str) -> Any:
            if name == "quotes":
                return [id for id in row.quotes if id not in self._event_ids]
            return self._quotes.clean(row.data, excerpts=self._quotes.names_any(row.quotes))

        self._rewrite(tables.messages, ("data", "quotes"), cleaned)
        # An endpoint may answer with what it was sent.
        answered = and_(self._mine(tables.deliveries), tables.deliveries.c.response.is_not(None))
        self._write(update(tables.deliveries).where(answered).values(response=None))

    def _rewrite(
        self,
        table: Table,
        columns: tuple[str, ...],
        cleaned: Callable[[Any, str], Any],
        kind: Any = None,
        condition: ColumnElement[bool] | None = None,
    ) -> set[Any]:
        statement = select(table.c.id, *(table.c[name] for name in columns)).where(self._mine(table))
        if condition is not None:
            statement = statement.where(condition)
        changed: dict[Any, dict[str, Any]] = {}
        for row in self._read(statement.execution_options(yield_per=_STREAM)):
            new = {name: cleaned(row, name) for name in columns}
            if any(new[name] != getattr(row, name) for name in columns):
                changed[row.id] = new
        for id, new in changed.items():
            self._write(update(table).where(self._mine(table), table.c.id == id).values(new))
            if kind is not None:
                self._log(kind, id)
        self._counts[table.name] += len(changed)
        return set(changed)


def _clusters_of(features: dict[str, Any]) -> Iterator[str]:
    """The names of clusters in what a decision was made by."""
    if (name := (features.get("expertise") or {}).get("name")) is not None:
        yield name
    for candidate in features.get("candidates") or ():
        if (name := (candidate.get("estimate") or {}).get("of")) is not None:
            yield name


def _surging_of(data: dict[str, Any]) -> Iterator[str]:
    """The names of the cluster that a message tells a surge of."""
    yield from ((data.get("expertise") or {}).get("name") or {}).values()
