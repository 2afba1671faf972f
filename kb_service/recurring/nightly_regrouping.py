"""What a night does about problems that are one and problems that are two."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from structlog.stdlib import get_logger

from graph.matching import ProblemMatcher
from graph.models import Problem
from graph.recurrence import Observation
from graph.regrouping import (
    CUSTOMERS,
    LOOKED_AT,
    NIGHTS,
    Affinity,
    Decided,
    Member,
    Merge,
    Split,
    affinities,
    contradict,
    may_be_kin,
    may_merge,
    merge_of,
    nearest,
    respects,
    same_split,
    split_of,
    threshold_shift,
)
from kb_service.recurring import moves
from kb_service.recurring.moves import Why
from kb_service.recurring.placing import Placing
from kb_service.recurring.regrouping import look_again, reader_of
from kb_service.recurring.themes import (
    ByTheme,
    Kin,
    Stray,
    due_kin,
    due_strays,
    found_by_theme,
    kept_finds,
)
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.routing import Routing
from kb_service.store import Find, ProblemTie, RegroupingKind, Store, StoredMessage, StoredRegrouping, Unit

log = get_logger(__name__)

ACTOR = "regrouping"
RECENT = timedelta(days=14)
"""Problems that nobody has spoken of for so long (event time) are left as they are."""
PROBED = 2000
"""Problems for which a night seeks another that is the same, the latest active first."""
PARTED = 200
"""Problems that a night looks into for two."""
MERGES, SPLITS, STRAYS = 200, 5, 50
"""What a night does at most. Every process derives its problems anew after splits."""
STANDS = timedelta(days=7)
"""A night's merge or split that nobody took back for so long speaks for itself, a little."""
NO_OBJECTION = 0.25
REMEMBERED = 500
"""Merges and splits that the thresholds are learned from."""
EVIDENT = 2.5
"""Margin beyond which people's merges say nothing of the threshold: they know what no words tell."""


@dataclass(frozen=True, slots=True)
class Night:
    """What was done: messages that found their place, merges as (old, into), splits as (old, new)."""

    placed: int = 0
    merged: tuple[tuple[str, str], ...] = ()
    split: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Known:
    """What a night goes by: what was said, what the last night found, and what became of what was done."""

    ties: tuple[ProblemTie, ...]
    finds: tuple[Find, ...]
    entries: tuple[StoredRegrouping, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class _DueByTheme:
    """What a coarse shop's night merges and parts by theme, and what it leaves for the next."""

    kin: tuple[Kin, ...] = ()
    strays: tuple[Stray, ...] = ()
    left: tuple[Find, ...] = ()

    @property
    def strayed_from(self) -> frozenset[str]:
        """Problems of which a part goes: what is left of them is looked at anew."""
        return frozenset(stray.problem_id for stray in self.strays)


class NightlyRegrouping:
    """One night's work on a workspace: bounded, one transaction a change, each in the audit by `ACTOR`.

    Thresholds are the product's, moved by what became of earlier merges and splits: see `decided`.
    """

    def __init__(
        self, store: Store, replicas: Replicas, routing: Routing, *, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._routing = routing
        self._placing = Placing(store, replicas, clock=clock)
        self._clock = clock

    def night(self, workspace: str) -> Night:
        """Place what waits, merge and split what was found on two nights running; nothing where the rules say so."""
        replica = self._replicas.settled(workspace)
        if not replica.shop.rules.regroup_nightly:
            return Night()
        placed = self._placing.retry(workspace)
        coarse = replica.shop.rules.problem_grain == "coarse"
        with self._store.reading(workspace) as unit:
            since = (unit.events.latest_at() or self._clock()) - RECENT
            known = _Known(
                unit.ties.all(), unit.regroupings.finds(), unit.regroupings.latest(REMEMBERED), since
            )
        merges, alike = due_merges(self._found_merges(replica, known), known.finds)
        merged = self._merge_each(workspace, replica, merges[:MERGES])
        themes = self._due_by_theme(replica, known, MERGES - len(merged)) if coarse else _DueByTheme()
        merged += self._merge_each(workspace, replica, themes.kin)
        found = self._found_splits(workspace, replica, known, coarse, but=themes.strayed_from)
        splits, parted = due_splits(found, known.finds)
        split = self._split(workspace, replica, [*themes.strays, *splits[:SPLITS]])
        with self._store.writing(workspace) as unit:
            left = _left(merges[MERGES:], splits[SPLITS:])
            unit.regroupings.replace_finds([*alike, *themes.left, *parted, *left])
        done = Night(placed, tuple(merged), split)
        log.info("regrouped", workspace=workspace, placed=placed, merged=len(merged), split=len(split))
        return done

    # --- merges

    def _found_merges(self, replica: Replica, known: _Known) -> list[Merge]:
        """Problems that are each other's nearest and near enough, the plainest first."""
        problems = dict(replica.problems)
        apart = _apart(known.ties, problems.values())
        shift = threshold_shift(decided(known.entries, "merge", self._clock()))
        near: dict[str, dict[str, Affinity]] = {}

        def look(problem_id: str) -> dict[str, Affinity]:
            if problem_id not in near:
                with replica.lock:
                    mine = replica.matcher.entities(problem_id)
                    near[problem_id] = {
                        other: affinity
                        for other, affinity in affinities(replica.matcher, problem_id).items()
                        if other in problems
                        and frozenset((problem_id, other)) not in apart
                        and may_merge(problems[problem_id], problems[other])
                        and not contradict(mine, replica.matcher.entities(other))
                    }
            return near[problem_id]

        found: dict[frozenset[str], Merge] = {}
        for problem in _latest(problems.values(), known.since, PROBED):
            other = nearest(look(problem.id))
            if other is None or nearest(look(other)) != problem.id:
                continue
            there, back = look(problem.id)[other], look(other)[problem.id]
            merge = merge_of(problem, problems[other], there, back, shift=shift)
            if merge is not None:
                found[frozenset((problem.id, other))] = merge
        return sorted(found.values(), key=lambda merge: (-merge.margin, merge.old))

    def _merge_each(
        self, workspace: str, replica: Replica, merges: Iterable[Merge | Kin]
    ) -> list[tuple[str, str]]:
        return [(merge.old, merge.into) for merge in merges if self._merge(workspace, replica, merge)]

    def _merge(self, workspace: str, replica: Replica, merge: Merge | Kin) -> bool:
        """Do a merge, unless what it was found by has changed; then see what the survivor's counts say."""
        if isinstance(merge, Kin):
            may, why = may_be_kin, Why(ACTOR, None, {"kin": merge.many}, by_person=False)
        else:
            may, why = may_merge, Why(ACTOR, merge.margin, merge.evidence, by_person=False)
        with replica.lock:
            with self._store.writing(workspace) as unit:
                replica.catch_up(unit)
                old, into = unit.problems.get(merge.old), unit.problems.get(merge.into)
                if old is None or into is None or (old.id, into.id) != (merge.old, merge.into):
                    return False
                if not may(old, into) or _apart(unit.ties.all(), (old, into)):
                    return False
                moves.merge(unit, old, into, why)
            replica.follow()
            look_again(self._store, replica, merge.into, self._clock())
        return True

    # --- themes

    def _due_by_theme(self, replica: Replica, known: _Known, merges: int) -> _DueByTheme:
        """What to do now, with at most so many merges, and what to remember for the next night."""
        found = self._themes(replica, known)
        problems = replica.problems.values()
        kin, strange = due_kin(found.kin, known.finds, problems)
        strays, fresh = due_strays(found.strays, known.finds, problems)
        left = kept_finds([*strange, *kin[merges:], *fresh, *strays[STRAYS:]])
        return _DueByTheme(tuple(kin[:merges]), tuple(strays[:STRAYS]), tuple(left))

    def _themes(self, replica: Replica, known: _Known) -> ByTheme:
        """What a coarse shop's messages say of its problems, without parts that would tear up what was put together.
        What holds two themes is parted before it goes into another problem."""
        with replica.lock:
            problems = dict(replica.problems)
        found = found_by_theme(
            self._store, replica, problems, _apart(known.ties, problems.values()), known.since
        )
        strayed = {stray.problem_id: problems[stray.problem_id] for stray in found.strays}
        with self._store.reading(replica.workspace) as unit:
            together = {
                id: _together(unit, problem, known.ties, every=True)
                for id, problem in strayed.items()
                if problem.state != "resolved"
            }
        strays = tuple(
            stray
            for stray in found.strays
            if stray.problem_id in together and respects(stray.parts, together[stray.problem_id])
        )
        mixed = {stray.problem_id for stray in strays}
        return ByTheme(tuple(kin for kin in found.kin if kin.old not in mixed), strays)

    # --- splits

    def _found_splits(
        self, workspace: str, replica: Replica, known: _Known, coarse: bool, *, but: Collection[str]
    ) -> list[Split]:
        shift = threshold_shift(decided(known.entries, "split", self._clock()))
        read = reader_of(replica)
        found: list[Split] = []
        seen = [
            problem
            for problem in list(replica.problems.values())
            if problem.state not in ("candidate", "resolved")
            and problem.events >= 2 * CUSTOMERS
            and problem.id not in but
        ]
        for problem in _latest(seen, known.since, PARTED):
            with self._store.reading(workspace) as unit:
                members = [
                    Member(instance, _voter(message))
                    for message in unit.events.messages_of_problem(problem.id, 2 * LOOKED_AT)
                    if (instance := read(message)) is not None
                ]
                together = _together(unit, problem, known.ties, every=coarse)
            split = split_of(problem.id, members, reads=replica.reads, together=together, shift=shift)
            if split is not None:
                found.append(split)
        return sorted(found, key=lambda split: (-split.margin, split.problem_id))

    def _split(
        self, workspace: str, replica: Replica, splits: Sequence[Split | Stray]
    ) -> tuple[tuple[str, str], ...]:
        done = []
        with replica.lock:
            for split in splits:
                with self._store.writing(workspace) as unit:
                    old = unit.problems.get(split.problem_id)
                    if old is None or old.id != split.problem_id:
                        continue
                    gone = moves.leaving(
                        unit, old.id, _sides(split), reader_of(replica), ProblemMatcher(reads=replica.reads)
                    )
                    if not gone.events:
                        continue
                    margin = split.margin if isinstance(split, Split) else None
                    why = Why(ACTOR, margin, split.evidence, by_person=False)
                    ids = [event.id for event in gone.events]
                    new = moves.split(unit, old, ids, gone.cases, self._routing.name, why)
                done.append((split.problem_id, new.id))
            if done:
                replica.reset()
        return tuple(done)


# --- what is due


def due_merges(found: Sequence[Merge], before: Iterable[Find]) -> tuple[list[Merge], list[Find]]:
    """What to do now, being certain or found on `NIGHTS` nights running, and what to remember for the next night."""
    nights = {
        frozenset((find.problem_id, find.other_id)): find.nights for find in before if find.kind == "merge"
    }
    due, kept = [], []
    for merge in found:
        seen = nights.get(frozenset((merge.old, merge.into)), 0) + 1
        if merge.certain or seen >= NIGHTS:
            due.append(merge)
        else:
            kept.append(Find("merge", merge.into, merge.old, merge.margin, nights=seen))
    return due, kept


def _left(merges: Sequence[Merge], splits: Sequence[Split]) -> list[Find]:
    """What was due and more than a night does: due again when it is found the next night."""
    return [
        *(Find("merge", merge.into, merge.old, merge.margin, nights=NIGHTS) for merge in merges),
        *(Find("split", split.problem_id, "", split.margin, split.anchors, NIGHTS) for split in splits),
    ]


def due_splits(found: Sequence[Split], before: Iterable[Find]) -> tuple[list[Split], list[Find]]:
    """The same of splits: one that falls otherwise than the last night's begins anew."""
    last = {find.problem_id: find for find in before if find.kind == "split"}
    due, kept = [], []
    for split in found:
        find = last.get(split.problem_id)
        seen = find.nights + 1 if find is not None and same_split(split, find.anchors) else 1
        if split.certain or seen >= NIGHTS:
            due.append(split)
        else:
            kept.append(Find("split", split.problem_id, "", split.margin, split.anchors, seen))
    return due, kept


def decided(entries: Iterable[StoredRegrouping], kind: RegroupingKind, now: datetime) -> list[Decided]:
    """What people's decisions say of a threshold.

    A night's merge (or split) that was taken back was wrong; one that stands for a week was right, as far as silence
    tells. A merge that people did was right at whatever margin it had, which is negative where no night would have
    done it; one far beyond the threshold says nothing of it.
    """
    found = []
    for entry in entries:
        if entry.kind != kind or entry.margin is None or entry.margin < -EVIDENT:
            continue
        margin = min(entry.margin, EVIDENT)
        by_night = entry.actor == ACTOR
        if entry.undone_at is not None:
            if by_night:
                found.append(Decided(margin, right=False))
        elif not by_night:
            found.append(Decided(margin, right=True))
        elif now - entry.at >= STANDS:
            found.append(Decided(margin, right=True, weight=NO_OBJECTION))
    return found


def _apart(ties: Iterable[ProblemTie], problems: Iterable[Problem]) -> set[frozenset[str]]:
    """The pairs of problems, by their ids of now, that were said to be apart."""
    now = {id: problem.id for problem in problems for id in (problem.id, *problem.aliases)}
    return {
        frozenset((now[tie.first], now[tie.second]))
        for tie in ties
        if tie.kind == "apart" and tie.first in now and tie.second in now
    }


def _together(
    unit: Unit, problem: Problem, ties: Iterable[ProblemTie], *, every: bool
) -> list[tuple[frozenset[str], frozenset[str]]]:
    """The messages that people put together when they merged problems into this one, as pairs of what either had; with
    `every` also what nights did, since what is of one theme may well look like two."""
    ids = {problem.id, *problem.aliases}
    said = [
        (tie.first, tie.second) for tie in ties if tie.kind == "together" and {tie.first, tie.second} <= ids
    ]
    if every:
        said += [(alias, problem.id) for alias in problem.aliases]
    if not said:
        return []
    merged = {alias: _brought(unit, alias) for alias in problem.aliases}
    of = merged | {problem.id: unit.assignments.of(problem.id).difference(*merged.values())}
    return [(of[one], of[other]) for one, other in said]


def _brought(unit: Unit, alias: str) -> frozenset[str]:
    """What an alias brought into its survivor."""
    entry = unit.regroupings.standing("merge", alias)
    return unit.regroupings.moved(entry.id) if entry is not None else unit.assignments.of_first(alias)


def _sides(split: Split | Stray) -> Callable[[StoredMessage], bool | None]:
    kept, gone = split.parts
    return lambda message: True if message.event.id in gone else False if message.event.id in kept else None


def _voter(message: StoredMessage) -> tuple[str, str]:
    event = message.event
    return Observation(event.at, event.customer_id, event.id, event.conversation_id).voter


def _latest(problems: Iterable[Problem], since: datetime, most: int) -> list[Problem]:
    """The latest active problems first, without those that have been quiet for long."""
    recent = [problem for problem in problems if problem.active_at >= since]
    return sorted(recent, key=lambda problem: (-problem.active_at.timestamp(), problem.id))[:most]
