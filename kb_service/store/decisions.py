"""Who was given which case, and everything that it was decided by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import and_, delete, exists, func, insert, or_, select

from graph.support_lines import PassedOn
from kb_service.store import tables
from kb_service.store.repository import Repository, chunks

DecisionKind: TypeAlias = Literal["handover", "assignment", "reassignment", "manual", "consultation"]

_decisions = tables.decisions
_cases = tables.cases
_NAMES = (
    "id",
    "at",
    "kind",
    "case_id",
    "actor",
    "reason",
    "agent_id",
    "previous_agent_id",
    "expertise_id",
    "note",
    "experiment_id",
    "arm",
    "propensity",
    "features",
)


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision about one case; never changed. `at` is wall time.

    `agent_id` is who was chosen, None where nobody could be; `reason` is the machine code for that, such as
    assigned or nobody_free. `previous_agent_id` lost the case, by being inactive, say. `note` is what a person
    wrote, masked. `features` is what it was decided by, as plain JSON: see `kb_service.people.explaining`.
    `propensity` is the chance with which this was chosen, None where nothing was left to chance.
    """

    id: str
    at: datetime
    kind: DecisionKind
    case_id: str
    actor: str
    reason: str
    agent_id: str | None = None
    previous_agent_id: str | None = None
    expertise_id: str | None = None
    note: str | None = None
    experiment_id: str | None = None
    arm: str | None = None
    propensity: float | None = None
    features: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A waiting case that nobody could be found for at `at`, and what it asked of an agent then."""

    case_id: str
    at: datetime
    language: str | None
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """A case that was given to an agent; `from_agent` had it, where a person moved it."""

    case_id: str
    at: datetime
    agent_id: str
    from_agent: str | None


class Decisions(Repository):
    table = _decisions

    def add_many(self, decisions: Sequence[Decision]) -> None:
        """Appends decisions in the order given; their ids are new."""
        if not decisions:
            return
        latest = self._read(select(func.max(_decisions.c.ordinal)).where(self._mine())).scalar()
        rows = [
            {name: getattr(decision, name) for name in _NAMES}
            | {"workspace": self.workspace, "ordinal": ordinal, "features": dict(decision.features)}
            for ordinal, decision in enumerate(decisions, int(latest or 0) + 1)
        ]
        self._write(insert(_decisions), rows)

    def of_case(self, case_id: str) -> tuple[Decision, ...]:
        """What was decided about a case, oldest first."""
        statement = select(_decisions).where(self._mine(), _decisions.c.case_id == case_id)
        return tuple(map(_decision, self._read(statement.order_by(_decisions.c.ordinal))))

    def latest(self, case_ids: Collection[str]) -> dict[str, Decision]:
        """The latest decision about each of some cases, consultations apart."""
        found: dict[str, Decision] = {}
        for some in chunks(sorted(set(case_ids))):
            statement = (
                select(_decisions)
                .where(self._mine(), _decisions.c.case_id.in_(some), _decisions.c.kind != "consultation")
                .order_by(_decisions.c.ordinal)
            )
            found.update((row.case_id, _decision(row)) for row in self._read(statement))
        return found

    def consulted(self, case_ids: Collection[str]) -> dict[str, datetime]:
        """When somebody was last asked about each of some cases, where anybody was."""
        found: dict[str, datetime] = {}
        for some in chunks(sorted(set(case_ids))):
            statement = (
                select(_decisions.c.case_id, func.max(_decisions.c.at).label("at"))
                .where(self._mine(), _decisions.c.case_id.in_(some), _decisions.c.kind == "consultation")
                .group_by(_decisions.c.case_id)
            )
            found.update((row.case_id, row.at) for row in self._read(statement))
        return found

    def handed_over(self, case_ids: Collection[str], since: datetime) -> dict[str, tuple[PassedOn, ...]]:
        """When each of some cases was handed over since a moment, oldest first: by which agent, or for what cause; by
        hand also to whom."""
        found: defaultdict[str, list[PassedOn]] = defaultdict(list)
        names = ("case_id", "at", "reason", "previous_agent_id", "agent_id")
        handed = or_(
            _decisions.c.kind == "handover",
            and_(_decisions.c.kind == "manual", _decisions.c.previous_agent_id.is_not(None)),
        )
        for some in chunks(sorted(set(case_ids))):
            statement = (
                select(*(_decisions.c[name] for name in names))
                .where(
                    self._mine(),
                    _decisions.c.case_id.in_(some),
                    handed,
                    _decisions.c.at >= since,
                )
                .order_by(_decisions.c.ordinal)
            )
            for row in self._read(statement):
                found[row.case_id].append(PassedOn(row.at, row.reason, row.previous_agent_id, row.agent_id))
        return {case_id: tuple(items) for case_id, items in found.items()}

    def given(self, begin: datetime, end: datetime) -> tuple[Given, ...]:
        """Who was given which case from `begin` up to `end`, oldest first; not those taken from who did not answer."""
        names = ("case_id", "at", "kind", "agent_id", "previous_agent_id")
        statement = (
            select(*(_decisions.c[name] for name in names))
            .where(
                self._mine(),
                _decisions.c.kind.in_(("assignment", "manual")),
                _decisions.c.agent_id.is_not(None),
                _decisions.c.at >= begin,
                _decisions.c.at < end,
            )
            .order_by(_decisions.c.ordinal)
        )
        return tuple(
            Given(row.case_id, row.at, row.agent_id, row.previous_agent_id if row.kind == "manual" else None)
            for row in self._read(statement)
        )

    def unplaced(self) -> tuple[Unplaced, ...]:
        """The waiting cases whose latest decision, consultations apart, was that nobody may take them."""
        later = _decisions.alias("later")
        superseded = exists().where(
            later.c.workspace == _decisions.c.workspace,
            later.c.case_id == _decisions.c.case_id,
            later.c.ordinal > _decisions.c.ordinal,
            later.c.kind != "consultation",
        )
        of_case = and_(_cases.c.workspace == _decisions.c.workspace, _cases.c.id == _decisions.c.case_id)
        statement = (
            select(
                _decisions.c.case_id,
                _decisions.c.at,
                _decisions.c.features["language"].as_string().label("language"),
                _decisions.c.features["permissions"].as_json().label("permissions"),
            )
            .join(_cases, of_case)
            .where(
                self._mine(_cases),
                _cases.c.state == "waiting",
                _decisions.c.reason == "no_eligible_agent",
                _decisions.c.agent_id.is_(None),
                ~superseded,
            )
            .order_by(_decisions.c.ordinal)
        )
        return tuple(
            Unplaced(row.case_id, row.at, row.language, tuple(row.permissions or ()))
            for row in self._read(statement)
        )

    def purge(self, before: datetime) -> int:
        """Removes decisions before a moment whose case is over or no more; how many there were."""
        standing = exists().where(
            and_(
                _cases.c.workspace == _decisions.c.workspace,
                _cases.c.id == _decisions.c.case_id,
                _cases.c.state.not_in(("resolved", "closed")),
            )
        )
        return self._write(
            delete(_decisions).where(self._mine(), _decisions.c.at < before, ~standing)
        ).rowcount


def _decision(row: Any) -> Decision:
    return Decision(**{name: getattr(row, name) for name in _NAMES})
