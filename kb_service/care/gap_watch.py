"""Watches for gaps that many customers come upon, and tells of each once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from structlog.stdlib import get_logger

from graph.drafting import DraftArticle
from graph.gaps import found_at
from kb_service.care.gap_answers import Asked
from kb_service.care.gaps import Gaps, NamedGap, identified, names_of
from kb_service.care.unanswered import SPAN
from kb_service.delivery.announcing import announce
from kb_service.delivery.messages import gap_data, proposal_data
from kb_service.recurring.proposing import propose_document
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.rounds import WorkspaceRounds
from kb_service.store import Exposure, Store, ToldGap, Unit

log = get_logger(__name__)

ROUND_SECONDS = 30.0
"""How long a gap may wait to be told."""
MOST_TOLD = 50
"""Gaps of a workspace that one round tells; the others follow in the next."""


@dataclass(frozen=True, slots=True)
class _Due:
    """A gap to be told, and when enough customers had come upon it."""

    named: NamedGap
    at: datetime
    asked: Asked


class GapWatch(WorkspaceRounds):
    """Looks at a workspace's gaps each half minute."""

    def __init__(
        self, store: Store, replicas: Replicas, gaps: Gaps, *, clock: Callable[[], datetime]
    ) -> None:
        super().__init__("gaps", store, seconds=ROUND_SECONDS)
        self._replicas = replicas
        self._gaps = gaps
        self._clock = clock
        self._seen: dict[str, tuple[object, ...]] = {}

    def look(self, workspace: str) -> int:
        """Tell the gaps that enough customers came upon within the shop's window; how many were told.

        A gap that an approved document answers by now is not told. Each is told once in 90 days, whichever
        process sees it first. A round costs next to nothing while nobody asks anything.
        """
        now = self._clock()
        replica = self._replicas.settled(workspace)
        with self._store.reading(workspace) as unit:
            state = (unit.exposures.latest_id(), unit.feedback.latest_id(), now.date(), now.hour)
            if self._seen.get(workspace) == state:
                return 0
            survey = self._gaps.survey(unit, replica, now)
            ripe = [
                (item, at)
                for item in survey.gaps
                if item.told_at is None and (at := found_at(item.gap, replica.shop.rules, now)) is not None
            ]
            ripe.sort(key=lambda pair: pair[0].place, reverse=True)
            answers = self._gaps.answers
            refused = answers.refused(unit, [item.gap for item, _ in ripe[:MOST_TOLD]])
            due = [
                _Due(item, at, answers.ask(replica, item.gap, survey.exposures, refused, now))
                for item, at in ripe[:MOST_TOLD]
            ]
        open_ones = [item for item in due if item.asked.answered_by is None]
        told = self._tell(replica, open_ones, survey.exposures, now) if open_ones else 0
        if len(ripe) <= MOST_TOLD:
            self._seen[workspace] = state
        return told

    # --- the transaction

    def _tell(
        self, replica: Replica, due: Sequence[_Due], exposures: Mapping[str, Exposure], now: datetime
    ) -> int:
        count = 0
        with self._store.writing(replica.workspace) as unit:
            for item in due:
                gap = item.named.gap
                # Another process may have told it since it was read, or somebody may have been erased.
                (again,) = identified(replica.workspace, [gap], unit.gaps.since(now - SPAN))
                if again.told_at is None and not unit.exposures.erased([q.id for q in gap.questions]):
                    self._announce(unit, replica, item, exposures, now)
                    count += 1
        if count:
            log.info("gaps_told", workspace=replica.workspace, count=count)
        return count

    def _announce(
        self, unit: Unit, replica: Replica, item: _Due, exposures: Mapping[str, Exposure], now: datetime
    ) -> None:
        """The proposal, the message, and the note that both are out."""
        gap = item.named.gap
        problem = replica.problems.get(gap.problem_id or "")
        names = names_of(gap, problem)
        draft, _ = self._gaps.answers.draft(unit, gap, exposures)
        before = unit.proposals.open_for(gap.problem_id, "document") if gap.problem_id else None
        proposal = before or propose_document(item.named.id, gap, names, item.asked.reason, draft, item.at)
        contents = {"gap.found": gap_data(item.named.id, gap, names, item.asked.reason, proposal.id)}
        if before is None:
            unit.proposals.put(proposal)
            contents["proposal.created"] = proposal_data(proposal)
        asked = [question.id for question in gap.questions]
        quotes = (*asked, *_events_of(draft))
        expertise = replica.expertise_of(problem) if problem is not None else None
        unit.gaps.put(
            ToldGap(
                id=item.named.id,
                problem_id=gap.problem_id,
                names=names,
                exposure_ids=tuple(asked),
                quotes=quotes,
                told_at=now,
                message_ids=_send(unit, contents, item.at, quotes, gap.products, expertise),
                proposal_id=proposal.id if before is None else None,
            )
        )


def _send(
    unit: Unit,
    contents: Mapping[str, Mapping[str, Any]],
    at: datetime,
    quotes: Sequence[str],
    products: Sequence[str],
    expertise: str | None,
) -> tuple[str, ...]:
    """Put a message of each type into the outbox for whoever listens; their ids."""
    return tuple(
        announce(unit, type, data, at, products=products, expertise=expertise, quotes=quotes)
        for type, data in contents.items()
    )


def _events_of(draft: DraftArticle | None) -> list[str]:
    return [source.id for source in draft.sources if source.kind == "resolution"] if draft else []
