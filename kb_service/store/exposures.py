"""What was asked and what was shown for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, func, or_, select

from kb_service.store import tables
from kb_service.store.repository import Repository, chunks, page_of
from kb_service.store.uses import Uses
from kb_service.store.values import Exposure, Page, ShownAnswer

_exposures = tables.exposures
_feedback = tables.feedback
SENT = ("answer", "clarify")
"""What of `/v1/answers` a customer reads: all else is for an agent, or nobody."""
_CONVERSATIONS = 100
"""Conversations of a case that are looked at, the latest."""
_PLAIN = (
    "id",
    "at",
    "route",
    "query",
    "language",
    "action",
    "reason",
    "confidence",
    "conversation_id",
    "customer_id",
    "case_id",
    "event_id",
    "problem_id",
    "intent_id",
    "agent_id",
    "model_id",
    "calibration_id",
    "threshold",
)


class Exposures(Repository):
    table = _exposures

    def add_many(self, exposures: Iterable[Exposure]) -> None:
        """Stores a group of exposures; one whose id is stored already is left as it is."""
        rows = []
        fresh = self._fresh(exposures)
        for exposure in fresh:
            row: dict[str, Any] = {name: getattr(exposure, name) for name in _PLAIN}
            row["confidence"] = float(exposure.confidence)
            row["answers"] = [asdict(answer) for answer in exposure.answers]
            row["features"] = None if exposure.features is None else dict(exposure.features)
            row["arms"] = None if exposure.arms is None else dict(exposure.arms)
            rows.append(row | {"workspace": self.workspace})
        if rows:
            self._write(self._insert().on_conflict_do_nothing(), rows)
            Uses(self._scope).count_shown(fresh)

    def _fresh(self, exposures: Iterable[Exposure]) -> list[Exposure]:
        """Those whose ids are not stored, each once."""
        by_id = {exposure.id: exposure for exposure in exposures}
        for some in chunks(sorted(by_id)):
            statement = select(_exposures.c.id).where(self._mine(), _exposures.c.id.in_(some))
            for id in self._read(statement).scalars():
                del by_id[id]
        return list(by_id.values())

    def get(self, id: str) -> Exposure | None:
        row = self._read(select(_exposures).where(self._mine(), _exposures.c.id == id)).first()
        return None if row is None else exposure_of(row)

    def page(
        self,
        cursor: str | None = None,
        limit: int = 50,
        action: str | None = None,
        since: datetime | None = None,
    ) -> Page[Exposure]:
        """Exposures that meet the conditions given, newest first."""
        statement = select(_exposures).where(self._mine())
        if action is not None:
            statement = statement.where(_exposures.c.action == action)
        if since is not None:
            statement = statement.where(_exposures.c.at >= since)
        order = [_exposures.c.at, _exposures.c.id]
        rows, next_cursor = self._page(statement, order, cursor, limit, descending=True)
        return page_of(map(exposure_of, rows), next_cursor)

    def unanswered(
        self,
        since: datetime,
        *,
        below: float,
        reasons: Collection[str],
        always: Collection[str],
        outcomes: Collection[str],
        limit: int,
    ) -> tuple[Exposure, ...]:
        """Questions since a moment whose answer may have been no good, the newest first; erased ones are left out.

        Those decided for one of `reasons` with a confidence `below`, those decided for one of `always`, and
        those with feedback of one of `outcomes`.
        """
        judged = exists().where(
            _feedback.c.workspace == _exposures.c.workspace,
            _feedback.c.exposure_id == _exposures.c.id,
            _feedback.c.outcome.in_(sorted(outcomes)),
        )
        unsure = and_(_exposures.c.confidence < below, _exposures.c.reason.in_(sorted(reasons)))
        statement = (
            select(_exposures)
            .where(
                self._mine(),
                _exposures.c.at >= since,
                _exposures.c.query.is_not(None),
                or_(unsure, _exposures.c.reason.in_(sorted(always)), judged),
            )
            .order_by(_exposures.c.at.desc(), _exposures.c.id.desc())
            .limit(limit)
        )
        return tuple(map(exposure_of, self._read(statement)))

    def erased(self, ids: Collection[str]) -> set[str]:
        """Those of some exposures whose question is not known any more, or never was."""
        found = set(ids)
        for some in chunks(sorted(found)):
            standing = select(_exposures.c.id).where(
                self._mine(), _exposures.c.id.in_(some), _exposures.c.query.is_not(None)
            )
            found -= set(self._read(standing).scalars())
        return found

    def of_conversation(self, conversation_id: str, limit: int = 20) -> tuple[Exposure, ...]:
        """What was shown in a conversation, oldest first; of more than `limit`, the latest."""
        statement = (
            select(_exposures)
            .where(self._mine(), _exposures.c.conversation_id == conversation_id)
            .order_by(_exposures.c.at.desc(), _exposures.c.id.desc())
            .limit(limit)
        )
        return tuple(reversed([exposure_of(row) for row in self._read(statement)]))

    def sent_in(self, conversations: Mapping[str, Sequence[str]]) -> dict[str, datetime]:
        """When the bot last answered, or asked back, in each of some cases or their `conversations`, by the case's id;
        without those in which it never did."""
        latest = {case_id: list(known)[-_CONVERSATIONS:] for case_id, known in conversations.items()}
        cases_of: dict[str, list[str]] = defaultdict(list)
        for case_id, known in latest.items():
            for conversation_id in known:
                cases_of[conversation_id].append(case_id)
        found: dict[str, datetime] = {}
        for column, ids in ((_exposures.c.case_id, latest), (_exposures.c.conversation_id, cases_of)):
            for some in chunks(sorted(ids)):
                statement = select(column.label("id"), func.max(_exposures.c.at).label("sent_at")).where(
                    self._mine(),
                    column.in_(some),
                    _exposures.c.route == "answers",
                    _exposures.c.action.in_(SENT),
                )
                for row in self._read(statement.group_by(column)):
                    for case_id in [row.id] if column is _exposures.c.case_id else cases_of[row.id]:
                        found[case_id] = max(found.get(case_id, row.sent_at), row.sent_at)
        return found

    def latest_id(self) -> str | None:
        """The id of the exposure that was made last; ids sort by time."""
        found: str | None = self._read(select(func.max(_exposures.c.id)).where(self._mine())).scalar()
        return found


def exposure_of(row: Any) -> Exposure:
    plain = {name: getattr(row, name) for name in _PLAIN}
    answers = tuple(ShownAnswer(**answer) for answer in row.answers)
    return Exposure(answers=answers, features=row.features, arms=row.arms, **plain)
