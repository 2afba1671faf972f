"""Erasing a customer: from the facts themselves, and from everything that quotes them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, exists, or_, select, update

from graph.headings import heading
from kb_service.store import tables
from kb_service.store.erased_names import ErasedNames
from kb_service.store.follow_ups import FollowUps
from kb_service.store.gaps import ToldGaps
from kb_service.store.problems import Problems
from kb_service.store.quotes import ERASED, Quotes
from kb_service.store.rank_moves import RankMoves
from kb_service.store.regroupings import Regroupings
from kb_service.store.repository import Scope, chunks
from kb_service.store.rewriting import STREAM, Rewriter
from kb_service.store.values import ChangeKind, Erasure

_events = tables.events
_assignments = tables.assignments
_cases = tables.cases
_problems = tables.problems
_examples = tables.alert_examples
_exposures = tables.exposures


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


class _Eraser(Rewriter):
    table = _events

    def __init__(self, scope: Scope, customer_id: str) -> None:
        super().__init__(scope, Counter())
        self._customer_id = customer_id
        self._case_ids: set[str] = set()
        self._event_ids: set[str] = set()
        self._conversation_ids: set[str] = set()
        self._texts: list[str] = []
        self._seen_cases: set[str] = set()

    def run(self) -> Erasure:
        self._find()
        exposure_ids = self._find_exposures()
        now, once = self._touched_problems()
        current, earlier = self._standing(now), self._standing(once)
        ids = self._case_ids | self._event_ids | self._conversation_ids
        self._quotes = Quotes(self._customer_id, ids, self._texts)
        self._names = ErasedNames(self._scope, self._quotes, self._counts)
        self._names.learn(now | once)
        self._counts[tables.regroupings.name] += Regroupings(self._scope).forget(
            sorted(self._event_ids), self._names.problem_ids
        )
        self._remove_facts()
        removed = self._remove_empty_problems(current)
        touched = (current | earlier) - removed
        alert_ids = self._drop_examples()
        unnamed = self._names.blank(touched)
        # Whole names first: what is cleaned of a quotation is not found by the name that it was in.
        self._names.forget_told()
        self._names.forget_clusters()
        self._blank_exposures(exposure_ids)
        self._forget_replays()
        alert_ids |= self._clean_texts()
        self._blank_audit()
        self._clean(tables.audit, ("actor", "object", "detail"))
        self._clean_messages()
        self._counts[tables.told_gaps.name] += ToldGaps(self._scope).forget(exposure_ids | self._event_ids)
        self._counts[tables.rank_moves.name] += RankMoves(self._scope).forget(exposure_ids)
        self._counts[tables.follow_up_cases.name] += FollowUps(self._scope).forget(
            self._customer_id, self._case_ids, self._conversation_ids
        )
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
        now: set[str] = set()
        once: set[str] = set()
        for some in chunks(sorted(self._event_ids)):
            columns = (_assignments.c.problem_id, _assignments.c.first_problem_id)
            theirs = and_(self._mine(_assignments), _assignments.c.event_id.in_(some))
            for row in self._read(select(*columns).where(theirs)):
                now.update({row.problem_id} - {None})
                once.update({row.first_problem_id} - {None})
        for some in chunks(sorted(self._case_ids)):
            statement = select(_cases.c.problem_id).where(self._mine(_cases), _cases.c.id.in_(some))
            now.update(set(self._read(statement).scalars()) - {None})
        return now, once

    def _standing(self, ids: set[str]) -> set[str]:
        """The problems that `ids` stand for now."""
        problems = Problems(self._scope)
        return {found for id in ids if (found := problems.resolve_id(id)) is not None}

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
        for table in (tables.event_vectors, tables.assignments, tables.named_ids):
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
                self._names.lose(row.id, () if row.named_by_person else row.names.values())
        for problem_id in sorted(empty):
            problems.remove(problem_id)
        self._counts[_problems.name] += len(empty)
        return empty

    def _forget_replays(self) -> None:
        table = tables.idempotency
        statement = select(table.c.key, table.c.route, table.c.body).where(self._mine(table))
        gone = [
            (row.key, row.route)
            for row in self._read(statement.execution_options(yield_per=STREAM))
            if self._quotes.within(body := bytes(row.body).decode("utf-8", "replace"))
            or self._quotes.named(body)
            or self._quotes.within(row.key)
            or self._quotes.within(row.route)
        ]
        for key, route in gone:
            self._write(delete(table).where(self._mine(table), table.c.key == key, table.c.route == route))
        self._counts[table.name] += len(gone)

    # What is blanked

    def _clean_texts(self) -> set[str]:
        """Takes the customer out of what tells of their events and cases; the alerts that changed."""
        self._clean(tables.proposals, ("title", "evidence", "draft"))
        self._clean(tables.experiments, ("name",), "experiment")
        self._clean(tables.reviews, ("text", "note"))
        self._clean(tables.regroupings, ("kept",))
        self._clean(tables.decisions, ("note",))
        untitled = self._rewrite(tables.alerts, ("evidence",), self._untitled, "alert")
        return untitled | self._clean(tables.alerts, ("evidence",), "alert")

    def _untitled(self, row: Any, name: str) -> Any:
        """An alert's evidence, without its title where that quotes the customer."""
        evidence = getattr(row, name)
        title = evidence.get("title")
        if title is None:
            return evidence
        said = [heading(text, "") for text in self._texts]
        titles = [re.split(r" \(|（|…", named)[0] for named in title.values()]
        theirs = any(part and part in text for part in titles for text in said)
        return {**evidence, "title": None} if theirs or any(map(self._quotes.excerpt, titles)) else evidence

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

    def _clean(self, table: Table, columns: tuple[str, ...], kind: ChangeKind | None = None) -> set[str]:
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
