"""Articles that people write for a gap or of a reviewed edit: each over the version that was known, and taken back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kb_service.care.gap_dismissal import unwritten, written
from kb_service.care.gaps import Gaps
from kb_service.editing import Editing
from kb_service.learning.reviewing import Reviewing
from kb_service.models import DocumentStatus, NewDocument, Principal
from kb_service.store import Unit


@dataclass(frozen=True, slots=True)
class Published:
    """What became of an article, and the open proposal that was accepted with it."""

    status: DocumentStatus
    proposal_id: str | None = None


class Articles:
    """Over the gaps and reviews of every workspace. An article's id is that of its gap or review, nobody's choice."""

    def __init__(self, gaps: Gaps, reviewing: Reviewing, editing: Editing) -> None:
        self._gaps = gaps
        self._reviewing = reviewing
        self._editing = editing

    def publish_of_gap(self, caller: Principal, gap_id: str, new: NewDocument, over: int | None) -> Published:
        """Put the article of a gap over the version that was known, None for none; an open proposal to write it is
        accepted with it. Raises NotFound where there is no such gap, Conflict where another version stands."""
        gap = self._gaps.known(caller.workspace, gap_id).gap
        accepted: list[str | None] = []

        def decide(unit: Unit) -> None:
            accepted.append(written(unit, gap_id, gap.problem_id, caller.key_id))

        status = self._editing.publish(caller, replace(new, external_id=gap_id), over, also=decide)
        return Published(status, accepted[-1] if accepted else None)

    def withdraw_of_gap(
        self, caller: Principal, gap_id: str, over: int, proposal_id: str | None = None
    ) -> str:
        """Remove the article of a gap while that version stands; the proposal that was accepted with it is open again.

        Gives the id under which it can be brought back. Raises NotFound, Conflict.
        """
        self._gaps.known(caller.workspace, gap_id)

        def reopen(unit: Unit) -> None:
            if proposal_id is not None:
                unwritten(unit, gap_id, proposal_id, caller.key_id)

        return self._editing.remove(caller, gap_id, over=over, also=reopen)

    def publish_of_review(
        self, caller: Principal, review_id: str, new: NewDocument, over: int | None
    ) -> Published:
        """Put the article of a reviewed edit over the version that was known. Raises NotFound, Conflict."""
        self._reviewing.one(caller.workspace, review_id)
        named = replace(new, external_id=article_id(review_id))
        return Published(self._editing.publish(caller, named, over))

    def withdraw_of_review(self, caller: Principal, review_id: str, over: int) -> str:
        """Remove the article of a reviewed edit while that version stands; the id to bring it back by."""
        self._reviewing.one(caller.workspace, review_id)
        return self._editing.remove(caller, article_id(review_id), over=over)


def article_id(review_id: str) -> str:
    """The document that a reviewed edit is made into."""
    return f"reviewed-{review_id}"
