"""What answers a gap now, and what could: its questions asked again, and the replies that customers accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from graph.drafting import AcceptedReply, DraftArticle, drafted
from graph.gaps import Gap, GapReason, Unanswered
from ingest.models import Audience
from ingest.redaction import mask_order_numbers
from kb_service.care.gap_views import GapDocument
from kb_service.care.unanswered import UNSURE, UnansweredQuestions, worded
from kb_service.handover.deciding import LIKELY
from kb_service.replicas.replica import Replica
from kb_service.search.models import Filters, Hit, SearchQuery
from kb_service.store import Exposure, Head, Unit

ASKED = 3
"""Questions of a gap that are asked again: the most typical one and the latest others."""
MOST_CASES = 200
"""Cases of a gap whose resolutions are looked at, the latest ones."""
HITS = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What the present index says: the best document, the one that answers the gap, and why it is still open."""

    best: GapDocument | None
    answered_by: GapDocument | None
    reason: GapReason


class GapAnswers:
    """Looks for answers to one gap at a time; a handful of searches and reads each."""

    def __init__(self, questions: UnansweredQuestions) -> None:
        self._questions = questions

    def refused(self, unit: Unit, gaps: Sequence[Gap]) -> dict[str, Head]:
        """The documents that somebody refused for a question of these gaps, as `ask` needs them."""
        named = {id for gap in gaps for question in gap.questions for id in question.refused}
        return unit.documents.heads(sorted(named)) if named else {}

    def ask(
        self,
        replica: Replica,
        gap: Gap,
        exposures: Mapping[str, Exposure],
        refused: Mapping[str, Head],
        now: datetime,
    ) -> Asked:
        """Ask some of a gap's questions again.

        It is answered when the most typical question finds a likely answer and half of the others one that is
        more likely right than not, none of them refused since its document was last changed.
        """
        audiences = _audiences(gap, exposures)
        typical, *others = _asked_again(gap)
        hits, confidence = self._find(replica, gap, typical, audiences, now)
        best = _document(hits[0], confidence) if hits else None
        found = [self._answer(refused, gap, hits, confidence, LIKELY)]
        if found[0] is not None:
            for question in others:
                again, sure = self._find(replica, gap, question, audiences, now)
                found.append(self._answer(refused, gap, again, sure, UNSURE))
        answers = [document for document in found if document is not None]
        if answers and 2 * (len(answers) - 1) >= len(found) - 1:
            most = Counter(document.document_id for document in answers).most_common(1)[0][0]
            answer = next(document for document in answers if document.document_id == most)
            return Asked(best, answer, gap.reason)
        if gap.reason in ("unsure", "nothing_found"):
            seen = {hit.external_id for hit in hits}
            anywhere, sure = self._find(replica, gap, typical, audiences, now, any_state=True)
            if anywhere and sure >= LIKELY and anywhere[0].external_id not in seen:
                return Asked(_document(anywhere[0], sure), None, "expired")
        return Asked(best, None, gap.reason)

    def draft(
        self, unit: Unit, gap: Gap, exposures: Mapping[str, Exposure]
    ) -> tuple[DraftArticle | None, list[str]]:
        """The article that accepted replies make, and the latest cases of the gap."""
        return self.drafts(unit, [gap], exposures)[0]

    def drafts(
        self, unit: Unit, gaps: Sequence[Gap], exposures: Mapping[str, Exposure]
    ) -> list[tuple[DraftArticle | None, list[str]]]:
        """The same of each of some gaps; the store is asked for all of them together."""
        asked = [[exposures[question.id] for question in reversed(gap.questions)] for gap in gaps]
        every = [exposure for some in asked for exposure in some]
        case_of = self.cases_of(unit, every)
        problem_ids = {gap.problem_id for gap in gaps if gap.problem_id is not None}
        of_problems = unit.cases.latest_of_problems(problem_ids, MOST_CASES)
        cases = []
        for gap, some in zip(gaps, asked, strict=True):
            own = [case_id for item in some if (case_id := case_of[item.id]) is not None]
            own += of_problems.get(gap.problem_id or "", ())
            cases.append(list(dict.fromkeys(own))[:MOST_CASES])
        given = _given(unit, [case_id for case_ids in cases for case_id in case_ids])
        written = _final_texts(unit, every, case_of)
        found: list[tuple[DraftArticle | None, list[str]]] = []
        for gap, some, case_ids in zip(gaps, asked, cases, strict=True):
            replies = sorted(
                (reply for case_id in case_ids for reply in given.get(case_id, ())),
                key=lambda reply: reply.at,
            )
            replies += [reply for item in some for reply in written.get(item.id, ())]
            distinct = {reply.utterance.text.strip(): reply for reply in reversed(replies)}
            found.append((drafted(gap, list(distinct.values())), case_ids))
        return found

    def cases_of(self, unit: Unit, asked: Sequence[Exposure]) -> dict[str, str | None]:
        """The case that each question came up in, by its exposure; None where it belongs to none."""
        conversations = {item.conversation_id for item in asked if item.conversation_id is not None}
        of_conversation = unit.cases.of_conversations(conversations)
        return {item.id: item.case_id or of_conversation.get(item.conversation_id or "") for item in asked}

    def _find(
        self,
        replica: Replica,
        gap: Gap,
        question: Unanswered,
        audiences: tuple[Audience, ...],
        now: datetime,
        *,
        any_state: bool = False,
    ) -> tuple[tuple[Hit, ...], float]:
        problem = replica.problems.get(gap.problem_id) if gap.problem_id is not None else None
        return replica.find(
            SearchQuery(
                text=question.text,
                language=question.utterance.language,
                vector=self._questions.vector(replica.workspace, question.id),
                at=now,
                limit=HITS,
                filters=Filters(audiences=audiences, any_scope="internal" in audiences, any_state=any_state),
                prior=replica.prior(problem, now),
                matters=replica.matters(question.utterance),
            )
        )

    def _answer(
        self,
        refused: Mapping[str, Head],
        gap: Gap,
        hits: Sequence[Hit],
        confidence: float,
        least: float,
    ) -> GapDocument | None:
        """The first hit, where it is as likely as `least` and not refused since it was last changed."""
        if not hits or confidence < least:
            return None
        best = hits[0]
        refusals = [question.at for question in gap.questions if best.external_id in question.refused]
        if refusals:
            head = refused.get(best.external_id)
            if head is None or head.updated_at <= max(refusals):
                return None
        return _document(best, confidence)


def _audiences(gap: Gap, exposures: Mapping[str, Exposure]) -> tuple[Audience, ...]:
    """What its askers may see: where a bot was asked, an internal document is no answer."""
    by_bot = any(exposures[question.id].route == "answers" for question in gap.questions)
    return ("public",) if by_bot else ("public", "internal")


def _asked_again(gap: Gap) -> list[Unanswered]:
    distinct = {question.text: question for question in (*gap.ballots, gap.typical)}
    others = [question for question in distinct.values() if question.text != gap.typical.text]
    return [gap.typical, *sorted(others, key=lambda item: (item.at, item.id), reverse=True)[: ASKED - 1]]


def _document(hit: Hit, confidence: float) -> GapDocument:
    return GapDocument(hit.external_id, hit.title, hit.kind, round(confidence, 4))


def _given(unit: Unit, case_ids: Sequence[str]) -> dict[str, list[AcceptedReply]]:
    """The replies that resolved some cases, by case."""
    found: dict[str, list[AcceptedReply]] = {}
    for given in unit.events.accepted_replies(case_ids):
        reply = AcceptedReply(given.event_id, "resolution", given.at, worded(mask_order_numbers(given.text)))
        found.setdefault(given.case_id, []).append(reply)
    return found


def _final_texts(
    unit: Unit, asked: Sequence[Exposure], case_of: Mapping[str, str | None]
) -> dict[str, list[AcceptedReply]]:
    """What agents wrote instead of a suggestion, where it resolved the case and nobody came back; by exposure."""
    over = unit.cases.over({case_id for case_id in case_of.values() if case_id is not None})
    feedback = unit.feedback.of_exposures([exposure.id for exposure in asked])
    found: dict[str, list[AcceptedReply]] = {}
    for exposure_id, given in feedback.items():
        outcomes = {item.outcome for item in given}
        case_id = case_of[exposure_id]
        resolved = case_id in over if case_id is not None else "resolved" in outcomes
        if not resolved or "reopened" in outcomes:
            continue
        found[exposure_id] = [
            AcceptedReply(item.id, "feedback", item.at, worded(mask_order_numbers(item.final_text)))
            for item in given
            if item.outcome in ("accepted", "edited", "resolved") and item.final_text
        ]
    return found
