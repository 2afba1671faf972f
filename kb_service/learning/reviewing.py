"""A sample of automatic answers and all edited suggestions to people, and their verdicts to calibration and to what
may be sent."""

from __future__ import annotations

from dataclasses import replace

from graph.intervals import wilson
from kb_service.delivery.announcing import announce
from kb_service.delivery.messages import proposal_data
from kb_service.errors import Conflict, NotFound
from kb_service.exposures import ExposureLog
from kb_service.learning.review_views import ReviewedAnswer, ReviewProgress
from kb_service.models import Principal
from kb_service.recurring.proposing import propose_correction
from kb_service.replicas.replicas import Replicas
from kb_service.search.evidence import NEVER
from kb_service.store import (
    Exposure,
    Feedback,
    Page,
    Review,
    ReviewKind,
    Store,
    StoredDocument,
    Unit,
    Verdict,
)
from kb_service.understanding.question_reading import masked_text

OTHER_BOUNDS = (0.01, 0.02, 0.03, 0.05, 0.1)
"""Shares of wrong answers that a shop may allow, beside the one that it does."""
VERDICTS: tuple[Verdict, ...] = ("right", "wrong", "harmful")
REVIEW_KINDS: tuple[ReviewKind, ...] = ("answer", "edit")


class Reviewing:
    """Reviews of every workspace."""

    def __init__(self, store: Store, replicas: Replicas, exposures: ExposureLog) -> None:
        self._store = store
        self._replicas = replicas
        self._exposures = exposures

    def page(
        self,
        workspace: str,
        cursor: str | None,
        limit: int,
        *,
        state: str | None,
        kind: ReviewKind | None = None,
    ) -> Page[ReviewedAnswer]:
        """Answers of the sample and edited suggestions, the latest first, each with the question it was given to."""
        self._exposures.flush()
        with self._store.reading(workspace) as unit:
            page = unit.reviews.page(cursor, limit, state=state, kind=kind)
            edits = unit.feedback.of_ids([id for review, _ in page.items if (id := review.feedback_id)])
        shown = (
            _shown(review, exposure, edits.get(review.feedback_id or "")) for review, exposure in page.items
        )
        return Page(tuple(shown), page.next_cursor)

    def one(self, workspace: str, review_id: str) -> ReviewedAnswer:
        """One of them. Raises NotFound."""
        self._exposures.flush()
        with self._store.reading(workspace) as unit:
            review, exposure = _found(unit, review_id)
            return _shown(review, exposure, _edit_of(unit, review))

    def progress(self, workspace: str, kind: ReviewKind) -> ReviewProgress:
        """How far the reviews of one kind are, and how far the shop is from its bound for automatic answers."""
        self._exposures.flush()
        with self._store.reading(workspace) as unit:
            counts = unit.reviews.counts()
        right, wrong, harmful = (counts.get((kind, verdict), 0) for verdict in VERDICTS)
        judged = right + wrong + harmful
        replica = self._replicas.of(workspace)
        bound = replica.shop.rules.wrong_answer_bound
        evidence = replica.index.calibration.evidence
        threshold = evidence.threshold(bound)
        return ReviewProgress(
            waiting=counts.get((kind, None), 0),
            right=right,
            wrong=wrong,
            harmful=harmful,
            interval=wilson((wrong + harmful) / judged, judged) if judged else None,
            bound=bound,
            threshold=threshold if threshold < NEVER else None,
            lacking=evidence.lacking(bound),
            others={other: evidence.lacking(other) for other in OTHER_BOUNDS if other != bound},
            evidence=max((step.answers for step in evidence.steps), default=0),
            views={
                each: (
                    counts.get((each, None), 0),
                    sum(counts.get((each, verdict), 0) for verdict in VERDICTS),
                )
                for each in REVIEW_KINDS
            },
        )

    def judge(
        self,
        caller: Principal,
        review_id: str,
        verdict: Verdict,
        note: str | None,
        replaces: Verdict | None = None,
    ) -> ReviewedAnswer:
        """Record what a person says of an answer. The same verdict again changes nothing.

        `replaces` names the verdict that stands and shall be changed, so that nobody changes one unknowingly;
        Conflict without it, or when another stands. A harmful answer's documents are sent unseen no more once
        this returns, until they change or their proposal is dismissed; another verdict lets them go at once.
        """
        self._exposures.flush()
        with self._store.writing(caller.workspace) as unit:
            review, exposure = _found(unit, review_id)
            edit = _edit_of(unit, review)
            if review.verdict == verdict:
                return _shown(review, exposure, edit)
            _check_change(review, replaces)
            judged = replace(
                review,
                state="done",
                verdict=verdict,
                note=masked_text(note) if note else None,
                reviewer=caller.key_id,
                decided_at=unit.now,
                withheld={},
            )
            judged = _raise(unit, judged, exposure) if verdict == "harmful" else _let_go(unit, judged)
            unit.reviews.put(judged)
            detail = {"verdict": verdict, "replaces": review.verdict, "withheld": sorted(judged.withheld)}
            unit.audit.append(caller.key_id, "review.judged", review_id, detail)
        self._replicas.follow(caller.workspace)
        return _shown(judged, exposure, edit)

    def take_back(self, caller: Principal, review_id: str, verdict: Verdict) -> None:
        """The verdict on a review is as if it had not been given: it waits again, its documents may be sent, and a
        proposal that it raised is dismissed if nobody has decided on it. Nothing happens to one that waits.

        Raises NotFound, Conflict where another verdict stands than the one to take back."""
        with self._store.writing(caller.workspace) as unit:
            review, _ = _found(unit, review_id)
            if review.state == "pending":
                return
            if review.verdict != verdict:
                raise Conflict(
                    "Somebody judged this otherwise meanwhile; look at it before you take it back."
                )
            waiting = replace(
                review,
                state="pending",
                verdict=None,
                note=None,
                reviewer=None,
                decided_at=None,
                withheld={},
            )
            unit.reviews.put(_let_go(unit, waiting))
            unit.audit.append(caller.key_id, "review.taken_back", review_id, {"verdict": review.verdict})
        self._replicas.follow(caller.workspace)


def _found(unit: Unit, review_id: str) -> tuple[Review, Exposure]:
    review = unit.reviews.get(review_id)
    exposure = unit.exposures.get(review.exposure_id) if review is not None else None
    if review is None or exposure is None:
        raise NotFound("There is no review {id} in this workspace.", id=review_id)
    return review, exposure


def _edit_of(unit: Unit, review: Review) -> Feedback | None:
    id = review.feedback_id
    return unit.feedback.of_ids([id]).get(id) if id is not None else None


def _shown(review: Review, exposure: Exposure, edit: Feedback | None) -> ReviewedAnswer:
    return ReviewedAnswer(
        id=review.id,
        exposure_id=review.exposure_id,
        state=review.state,
        at=review.at,
        question=exposure.query,
        language=exposure.language,
        answer=review.text,
        citations=review.citations,
        confidence=round(exposure.confidence, 4),
        verdict=review.verdict,
        note=review.note,
        reviewer=review.reviewer,
        decided_at=review.decided_at,
        withheld=tuple(sorted(review.withheld)),
        proposal_id=review.proposal_id,
        kind=review.kind,
        final_text=edit.final_text if edit is not None else None,
        agent_id=edit.agent_id if edit is not None else None,
        case_id=exposure.case_id,
    )


def _check_change(review: Review, replaces: Verdict | None) -> None:
    if replaces == review.verdict:
        return
    if review.verdict is None:
        raise Conflict(
            "The review {id} was not judged {replaces} before; leave out `replaces`.",
            id=review.id,
            replaces=replaces,
        )
    raise Conflict(
        "The review {id} was judged {verdict} before; to change that, send it as `replaces`.",
        id=review.id,
        verdict=review.verdict,
    )


def _raise(unit: Unit, review: Review, exposure: Exposure) -> Review:
    """Keep the documents out that still say what was quoted, and propose to correct the first of them."""
    quoted = [(citation, unit.documents.get(citation["document_id"])) for citation in review.citations]
    standing = [stored for citation, stored in quoted if stored and citation["quote"] in stored.document.text]
    review = replace(review, withheld={stored.document.external_id: stored.version for stored in standing})
    return _proposed(unit, review, exposure, standing[0]) if standing else review


def _proposed(unit: Unit, review: Review, exposure: Exposure, stored: StoredDocument) -> Review:
    document = stored.document
    proposal = propose_correction(
        review, exposure.query, document.title, document.kind, unit.now, problem_id=exposure.problem_id
    )
    unit.proposals.put(proposal)
    announce(unit, "proposal.created", proposal_data(proposal), unit.now, products=document.products)
    return replace(review, proposal_id=proposal.id)


def _let_go(unit: Unit, review: Review) -> Review:
    """The proposal of a verdict that was taken back is dismissed, if nobody has decided on it."""
    proposal = unit.proposals.get(review.proposal_id) if review.proposal_id is not None else None
    if proposal is not None and proposal.state == "open":
        unit.proposals.put(replace(proposal, state="dismissed"))
    return review
