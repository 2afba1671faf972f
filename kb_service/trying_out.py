"""Questions answered as a bot would be answered them, now and as if a draft were published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kb_service.models import Question, Reply
from kb_service.replicas.replicas import Replicas
from kb_service.replying.rehearsing import Rehearsing
from kb_service.replying.trace import Trace
from kb_service.search.retrieval import TRIED
from kb_service.search.source import SourceDocument


@dataclass(frozen=True, slots=True)
class Tried:
    """A question with what a bot answers it now, and what it would with a draft; None where none is tried."""

    question: Question
    now: Reply
    then: Reply | None


class TryingOut:
    """Tries drafts of any workspace. Nothing is stored or logged."""

    def __init__(self, replicas: Replicas, rehearsing: Rehearsing) -> None:
        self._replicas = replicas
        self._rehearsing = rehearsing

    def answers(
        self, workspace: str, questions: Sequence[Question], draft: SourceDocument | None
    ) -> tuple[Tried, ...]:
        """What a bot would be answered now, and if a draft were published; without a draft only the first."""
        replica = self._replicas.of(workspace)
        trace = Trace()
        now = [self._rehearsing.answer(replica, question, trace)[1] for question in questions]
        if draft is None:
            return tuple(Tried(question, reply, None) for question, reply in zip(questions, now, strict=True))
        near = {external_id for searched in trace.searched for external_id in searched.external_ids}
        beside = replica.beside(near, draft)
        return tuple(
            Tried(question, reply, self._rehearsing.answer(beside, question)[1])
            for question, reply in zip(questions, now, strict=True)
        )

    def reach(self, workspace: str) -> tuple[int, int]:
        """How many documents are searched, and beside how many of them a draft is tried."""
        documents = self._replicas.of(workspace).index.documents
        return documents, min(documents, TRIED)
