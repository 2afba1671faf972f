"""What people did with answers, each night, to where documents stand: bounded, attributed, and taken back by a word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache, partial

from graph.learned_ranks import Move, Seen, Subject, Told, Word, rank_moves
from kb_service.errors import Conflict, NotFound
from kb_service.learning.calibrating import COMMAND, NIGHTLY, document_text, reopened_cases
from kb_service.learning.verdicts import heard
from kb_service.replicas.replicas import Replicas
from kb_service.store import Exposure, Judgement, Page, RankMove, Store, Unit, new_id

WINDOW = timedelta(days=365)
"""How far back words count; by then they weigh a sixteenth."""
MOST_TOLD = 20_000
"""Exposures that are looked at, the latest: some seconds' work."""
NAMED = 50
"""Moves that the audit's entry of a night names."""


class Learning:
    """The moves of every workspace. Texts, policies, audiences and what is withheld are never touched."""

    def __init__(self, store: Store, replicas: Replicas, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._replicas = replicas
        self._clock = clock

    def night(self, workspace: str, *, actor: str = NIGHTLY) -> tuple[RankMove, ...]:
        """Look at what was said and move what enough people agree on; committed when this returns.

        Where somebody took a move back meanwhile nothing is moved: the next night sees that.
        """
        now = self._clock()
        with self._store.reading(workspace) as unit:
            latest = unit.rank_moves.latest_id()
            found = rank_moves(
                _told(unit, now), unit.rank_moves.boosts(), now, held=unit.rank_moves.taken_back()
            )
        entries = tuple(_entry(move, now, actor) for move in found)
        if not entries:
            return ()
        with self._store.writing(workspace) as unit:
            if unit.rank_moves.latest_id() != latest:
                return ()
            unit.rank_moves.add_many(entries)
            raised = sum(entry.step > 0 for entry in entries)
            unit.audit.append(
                actor,
                "ranks.moved",
                workspace,
                {
                    "raised": raised,
                    "lowered": len(entries) - raised,
                    "moves": [entry.id for entry in entries[:NAMED]],
                },
            )
        self._replicas.follow(workspace)
        return entries

    def moves(self, workspace: str, cursor: str | None = None, limit: int = 50) -> Page[RankMove]:
        """What was moved and taken back, the newest first."""
        with self._store.reading(workspace) as unit:
            return unit.rank_moves.page(cursor, limit)

    def revert(self, workspace: str, move_id: str, *, actor: str = COMMAND) -> RankMove:
        """Take a move back: the ranking is as if it had not been, and the words that it rests on count no more.

        Raises NotFound for a move that never was, Conflict for one that is taken back already.
        """
        with self._store.writing(workspace) as unit:
            move = unit.rank_moves.get(move_id)
            if move is None:
                raise NotFound("There is no move {id} in this workspace.", id=move_id)
            if move.kind != "learned" or unit.rank_moves.withdrawn(move_id):
                raise Conflict("The move {id} is not in force; nothing is left to take back.", id=move_id)
            entry = unit.rank_moves.withdraw(move, "reverted", actor)
            unit.audit.append(actor, "ranks.reverted", move_id, {"entry": entry.id, "boost": entry.boost})
        self._replicas.follow(workspace)
        return entry


def _told(unit: Unit, now: datetime) -> list[Told]:
    """What is known by now of each exposure that somebody spoke of and that belongs to a problem or an intent."""
    judgements = unit.judgements.told(now - WINDOW, MOST_TOLD)
    reopened = reopened_cases(unit, judgements)
    survivors = {alias: problem.id for problem in unit.problems.all() for alias in problem.aliases}
    source = cache(partial(document_text, unit))
    found = []
    for judgement in judgements:
        subject = _subject(judgement.exposure, survivors)
        words = _words(judgement, now, source, came_back=judgement.exposure.case_id in reopened)
        if subject is not None and words:
            found.append(_placed(judgement.exposure, subject, words))
    return found


def _placed(exposure: Exposure, subject: Subject, words: Mapping[str, Word]) -> Told:
    return Told(
        exposure_id=exposure.id,
        subject=subject,
        customer=exposure.customer_id or exposure.conversation_id,
        at=exposure.at,
        seen=tuple(
            Seen(answer.external_id, answer.rank, answer.propensity, answer.evidence)
            for answer in sorted(exposure.answers, key=lambda answer: answer.rank)
        ),
        words=words,
    )


def _subject(exposure: Exposure, survivors: Mapping[str, str]) -> Subject | None:
    if exposure.problem_id is not None:
        return "problem", survivors.get(exposure.problem_id, exposure.problem_id)
    return ("intent", exposure.intent_id) if exposure.intent_id is not None else None


def _words(
    judgement: Judgement, now: datetime, source: Callable[[str], str | None], *, came_back: bool
) -> dict[str, Word]:
    """What became of each answer that somebody spoke of, by document; what may still change is left out."""
    exposure = judgement.exposure
    found: dict[str, Word] = {}
    for answer in exposure.answers:
        told = heard(judgement, answer, now, source)
        if told is None:
            continue
        helped, last = told
        who = exposure.customer_id or exposure.conversation_id
        voter = f"agent {last.agent_id}" if last.agent_id is not None else f"customer {who}" if who else None
        found[answer.external_id] = Word(last.id, helped and not came_back, last.at, voter, last.agent_id)
    return found


def _entry(move: Move, at: datetime, actor: str) -> RankMove:
    return RankMove(
        id=new_id("mv_", at),
        at=at,
        kind="learned",
        scope=move.subject[0],
        subject_id=move.subject[1],
        external_id=move.external_id,
        step=move.step,
        boost=move.boost,
        actor=actor,
        agents=move.agents,
        customers=move.customers,
        contributions=move.contributions,
    )
