"""One merge, split or unmerge within its transaction: what moves, what is kept to undo it, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from graph.exemplars import Instance
from graph.matching import ProblemMatcher
from graph.models import Event, Problem
from graph.regrouping import nearer
from kb_service.errors import InvalidRequest
from kb_service.ids import digest_id
from kb_service.lookups import found_problem
from kb_service.recurring.raising import recount
from kb_service.recurring.steps import lead_alerts
from kb_service.store import (
    FollowUp,
    StoredMessage,
    StoredRegrouping,
    TieKind,
    Unit,
    kept_problem,
    new_id,
    problem_kept,
)

NAMED_BY = 200
"""Messages by which a problem is named."""

_STAYS, _LEAVES = "stays", "leaves"

Named = Callable[[Sequence[str]], Mapping[str, str]]
"""Texts to the names, by language, of the problem that they speak of."""
Read = Callable[[StoredMessage], Instance | None]
"""A stored message as it is compared; None for one that is not."""


@dataclass(frozen=True, slots=True)
class Why:
    """Who regroups and on what grounds; `margin` as in `StoredRegrouping`."""

    actor: str
    margin: float | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    by_person: bool = True


def merge(unit: Unit, old: Problem, into: Problem, why: Why) -> Problem:
    """Put one problem's messages, cases, alerts, proposals and id under another that survives.

    People's word that the two belong together is kept, over whatever was said of them before; a split that this
    takes back counts as undone.
    """
    asked = unit.follow_ups.open(problem_id=old.id)
    entry = StoredRegrouping(
        id=new_id("rg_", unit.now),
        at=unit.now,
        kind="merge",
        actor=why.actor,
        problem_id=into.id,
        other_id=old.id,
        margin=why.margin,
        kept={
            "problem": kept_problem(old),
            "survivor": kept_problem(into),
            "alerts": {alert.id: alert.state for alert in unit.alerts.of_problem(old.id, quoted=False)},
            "proposals": list(unit.problems.proposals_of(old.id)),
            "follow_ups": list(unit.problems.follow_ups_of(old.id)),
            "asked": {item.id: item.resolved_at.isoformat() for item in asked},
            "aliases": list(old.aliases),
        },
        evidence=why.evidence,
    )
    if why.by_person:
        _say(unit, _ids(old), _ids(into), "together", why.actor)
        _undo_splits(unit, old, into, why.actor)
    unit.regroupings.add_merge(entry)
    unit.problems.merge_alias(old.id, into.id)
    unit.audit.append(why.actor, "problem.merge", old.id, {"into": into.id, **why.evidence})
    if into.parent_id in _ids(old):
        unit.problems.put(replace(into, parent_id=None))
    recount(unit, into.id)
    survivor = found_problem(unit, into.id)
    lead_alerts(unit, survivor)
    _ask_once(unit, asked, survivor)
    return survivor


def split(
    unit: Unit, old: Problem, event_ids: Iterable[str], case_ids: Iterable[str], named: Named, why: Why
) -> Problem:
    """Make a new problem of some of a problem's messages and cases. The two are kept apart from then on."""
    moved = sorted(
        (stored.event for id in event_ids if (stored := unit.events.get(id)) is not None),
        key=lambda event: (event.at, event.id),
    )
    first = moved[0]
    new = replace(
        old,
        id=_unused_id(unit, old.id, first.id),
        names=named([event.text for event in moved[:NAMED_BY] if event.text]) or old.names,
        named_by_person=False,
        aliases=(),
        opened_at=first.at,
        episode_at=max(first.at, old.episode_at) if old.episode_at > old.opened_at else first.at,
    )
    unit.problems.put(new)
    unit.assignments.reassign([event.id for event in moved], new.id)
    cases = [case for id in dict.fromkeys(case_ids) if (case := unit.cases.get(id)) is not None]
    for case in cases:
        unit.cases.put(replace(case, problem_id=new.id))
    unit.regroupings.add(
        StoredRegrouping(
            new_id("rg_", unit.now),
            unit.now,
            "split",
            why.actor,
            old.id,
            new.id,
            why.margin,
            {},
            why.evidence,
        ),
        [event.id for event in moved],
    )
    unit.ties.put(old.id, new.id, "apart", why.actor)
    detail = {"new": new.id, "cases": len(cases), **why.evidence}
    unit.audit.append(why.actor, "problem.split", old.id, detail)
    recount(unit, old.id)
    recount(unit, new.id)
    # Messages moved: every process derives its problems anew.
    unit.changes.record("workspace", unit.workspace)
    return found_problem(unit, new.id)


def unmerge(
    unit: Unit, survivor: Problem, alias: str, read: Read, named: Named, reads: frozenset[str], why: Why
) -> Problem:
    """Make an alias a problem of its own again, as it was: with its name and state, its alerts and proposals, the
    messages that went over with it, and of those that came since the ones that are nearer to it."""
    if alias not in survivor.aliases:
        raise InvalidRequest.of("alias", "is not an alias of this problem")
    entry = unit.regroupings.standing("merge", alias)
    went = unit.regroupings.moved(entry.id) if entry is not None else unit.assignments.of_first(alias)
    since = entry.at if entry is not None else None
    back = leaving(unit, survivor.id, _with_alias(went, since), read, ProblemMatcher(reads=reads))
    texts = [event.text for event in back.events if event.text]
    kept: Mapping[str, Any] = entry.kept if entry is not None else {}
    problem = problem_kept(kept["problem"]) if kept else _anew(survivor, alias)
    if not problem.names or not kept:
        problem = replace(problem, names=named(texts[:NAMED_BY]) or survivor.names)
    alerts = kept.get("alerts", {})
    unit.problems.take_out(
        problem,
        alerts=alerts,
        proposals=kept.get("proposals", ()),
        follow_ups=kept.get("follow_ups", ()),
        aliases=kept.get("aliases", ()),
    )
    _move_back(unit, survivor.id, problem.id, back)
    _restore_span(unit, found_problem(unit, survivor.id), kept.get("survivor"))
    if entry is not None:
        _ask_on(unit, kept.get("asked", {}), problem.id, entry.at)
    for alert_id, state in alerts.items():
        alert = unit.alerts.get(alert_id)
        if alert is not None and alert.problem_id == problem.id and alert.state != state:
            unit.alerts.put(replace(alert, state=state))
    if entry is not None:
        unit.regroupings.undo(entry.id, why.actor)
    apart = found_problem(unit, problem.id)
    _say(unit, _ids(apart), _ids(found_problem(unit, survivor.id)), "apart", why.actor)
    detail = {"alias": alias, "messages": len(back.events), **why.evidence}
    unit.audit.append(why.actor, "problem.unmerge", survivor.id, detail)
    recount(unit, survivor.id)
    recount(unit, problem.id)
    unit.changes.record("workspace", unit.workspace)
    return found_problem(unit, problem.id)


# --- whom customers are asked after


def _ask_once(unit: Unit, asked: Sequence[FollowUp], survivor: Problem) -> None:
    """Let what customers are being asked of a merged problem be the question after its survivor's resolution, so that
    nobody is asked of one incident twice; where the survivor is not resolved there is nothing to ask."""
    for item in asked:
        if survivor.state == "resolved" and survivor.resolved_at is not None:
            now = replace(item, problem_id=survivor.id, resolved_at=survivor.resolved_at)
        else:
            now = replace(item, problem_id=survivor.id, state="reopened", closed_at=unit.now)
        unit.follow_ups.put(now)


def _ask_on(unit: Unit, asked: Mapping[str, str], problem_id: str, merged_at: datetime) -> None:
    """Let what customers were being asked before a merge be asked of that problem again; what they decided since
    stands."""
    for id, resolved_at in asked.items():
        item = unit.follow_ups.get(id)
        if item is None or item.problem_id != problem_id:
            continue
        back = replace(item, resolved_at=datetime.fromisoformat(resolved_at))
        ended = item.state == "reopened" and item.closed_at == merged_at
        unit.follow_ups.put(replace(back, state="open", closed_at=None) if ended else back)


# --- who is whose


@dataclass(slots=True)
class Leaving:
    """What leaves a problem: messages in order of arrival, and the cases whose latest word is among them."""

    events: list[Event] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)


def leaving(
    unit: Unit,
    problem_id: str,
    known: Callable[[StoredMessage], bool | None],
    read: Read,
    matcher: ProblemMatcher,
) -> Leaving:
    """Part a problem's messages: `known` says of some whether they leave, None of the others, which go with those
    that they are nearer to. One that says nothing of its own goes with its case. `matcher` is an empty one."""
    for message in unit.events.messages_of_problem(problem_id):
        goes, instance = known(message), read(message)
        if goes is not None and instance is not None:
            spoken = instance.utterance, instance.entities, instance.at
            matcher.join(_LEAVES if goes else _STAYS, *spoken, event_id=instance.event_id)
    by_case: dict[str, bool] = {}
    found = Leaving()
    for message in unit.events.messages_of_problem(problem_id):
        goes = known(message)
        if goes is None:
            instance = read(message)
            before = by_case.get(message.case_id or "", False)
            goes = before if instance is None else nearer(matcher, instance) == _LEAVES
        if message.case_id is not None:
            by_case[message.case_id] = goes
        if goes:
            found.events.append(message.event)
    found.cases = [case_id for case_id, goes in by_case.items() if goes]
    return found


def _with_alias(went: frozenset[str], since: datetime | None) -> Callable[[StoredMessage], bool | None]:
    """Of a survivor's messages those that went over with an alias leave; of those that came since nothing is said."""

    def known(message: StoredMessage) -> bool | None:
        assignment = message.assignment
        if message.event.id in went:
            return True
        came_since = since is not None and assignment is not None and assignment.at >= since
        return None if came_since else False

    return known


def _move_back(unit: Unit, survivor_id: str, problem_id: str, back: Leaving) -> None:
    unit.assignments.reassign([event.id for event in back.events], problem_id)
    for case_id in back.cases:
        case = unit.cases.get(case_id)
        if case is not None and case.problem_id == survivor_id:
            unit.cases.put(replace(case, problem_id=problem_id))


def _restore_span(unit: Unit, survivor: Problem, kept: Mapping[str, Any] | None) -> None:
    """Take off a survivor the time that only the merged problem spanned."""
    if kept is None:
        return
    before = problem_kept(kept)
    first_episode = survivor.episode_at == survivor.opened_at
    opened_at = max(survivor.opened_at, before.opened_at)
    unit.problems.put(
        replace(
            survivor,
            opened_at=opened_at,
            active_at=min(survivor.active_at, before.active_at),
            episode_at=opened_at if first_episode else survivor.episode_at,
        )
    )


def _anew(survivor: Problem, alias: str) -> Problem:
    """An alias of which nothing was kept, as one merged by an earlier version: like its survivor."""
    return replace(survivor, id=alias, aliases=(), named_by_person=False)


# --- what is said


def _ids(problem: Problem) -> tuple[str, ...]:
    return (problem.id, *problem.aliases)


def _say(unit: Unit, some: Sequence[str], others: Sequence[str], kind: TieKind, actor: str) -> None:
    """Note of two problems that they belong together or apart, over what contradicts it between any of their ids."""
    for tie in unit.ties.all():
        across = (tie.first in some and tie.second in others) or (tie.second in some and tie.first in others)
        if across and tie.kind != kind:
            unit.ties.put(tie.first, tie.second, kind, actor)
    unit.ties.put(some[0], others[0], kind, actor)


def _undo_splits(unit: Unit, one: Problem, other: Problem, actor: str) -> None:
    """Splits of one problem from the other that their merge takes back."""
    for gone, kept in ((one, other), (other, one)):
        for id in _ids(gone):
            entry = unit.regroupings.standing("split", id)
            if entry is not None and unit.problems.resolve_id(entry.problem_id) == kept.id:
                unit.regroupings.undo(entry.id, actor)


def _unused_id(unit: Unit, old_id: str, event_id: str) -> str:
    """An id for what is split off, from content; another one when the same was split off and merged before."""
    rounds = 0
    while unit.problems.get(
        found := digest_id("p", unit.workspace, old_id, event_id, f"split{rounds or ''}")
    ):
        rounds += 1
    return found
