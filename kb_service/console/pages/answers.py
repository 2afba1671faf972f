"""Suggested replies: asked for, filled in, sent, and judged by what people do with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from graph.models import Understanding
from kb_service.accounts import Visitor
from kb_service.models import Question, Reply
from kb_service.replying.placeholders import blanks, fill
from kb_service.routes.context import in_thread
from kb_service.services import Services

BLANKS = frozenset(
    {
        *(
            "customer.name",
            "customer.email",
            "customer.spend",
            "customer.tier",
            "order.number",
            "order.status",
        ),
        *("order.dispatch_deadline", "order.paid_at", "order.signed_at", "parcel.number", "parcel.eta"),
        *("parcel.carrier", "parcel.status", "parcel.location", "refund.amount", "refund.date"),
        *("refund.reference", "return.status", "return.check_date", "appointment.time", "repair.number"),
        *("points.date", "points.balance", "points.amount", "product.name"),
    }
)
"""Placeholders that the console has words for; others are called by their own names."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A reply as it was written, with the suggestion that it began as; `shown` is how that read, `values` what was
    filled in for its placeholders."""

    text: str
    exposure_id: str = ""
    answer_id: str = ""
    shown: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        text: str,
        exposure_id: str,
        answer_id: str,
        shown: str,
        names: Sequence[str],
        values: Sequence[str],
    ) -> Draft:
        """What a form sent. Its lines end as the console's own texts do."""
        given = {name: value.strip() for name, value in zip(names, values, strict=False) if value.strip()}
        return cls(_lines(text), exposure_id, answer_id, _lines(shown), given)

    @property
    def written(self) -> str:
        """The text with all that was filled in."""
        return fill(self.text, self.values)[0].strip()

    @property
    def missing(self) -> tuple[str, ...]:
        """The placeholders that nobody filled in."""
        return tuple(blanks(self.written))

    @property
    def outcome(self) -> Literal["accepted", "edited"]:
        """Filling in what was asked for changes nothing of what was suggested."""
        return "accepted" if self.written == fill(self.shown, self.values)[0].strip() else "edited"


def urgency(understanding: Understanding) -> Literal["low", "medium", "high"]:
    """How urgent a message is, in a word."""
    value = understanding.urgency
    return "high" if value >= 2 / 3 else "medium" if value >= 1 / 3 else "low"


async def suggested(wired: Services, guest: Visitor, question: Question, facts: Mapping[str, str]) -> Reply:
    """Replies to a question, with what is known filled in."""
    asked = replace(question, text=question.text[: wired.settings.max_query_chars], context=facts)
    found: Reply = await in_thread(wired, wired.answering.suggest, guest.principal.workspace, asked)
    return found


async def used(wired: Services, guest: Visitor, draft: Draft) -> None:
    """Tell learning that a suggestion was used, as it stood or altered; nothing where a reply began as none."""
    if draft.exposure_id and draft.answer_id:
        shown = fill(draft.shown, draft.values)[0]
        await _judge(
            wired, guest, draft.exposure_id, draft.answer_id, draft.outcome, draft.written, shown_text=shown
        )


async def rejected(wired: Services, guest: Visitor, exposure_id: str, answer_id: str) -> None:
    """Tell learning that a suggestion does not help."""
    await _judge(wired, guest, exposure_id, answer_id, "rejected", None)


async def _judge(
    wired: Services,
    guest: Visitor,
    exposure_id: str,
    answer_id: str,
    outcome: Literal["accepted", "edited", "rejected"],
    final_text: str | None,
    *,
    shown_text: str | None = None,
) -> None:
    await in_thread(
        wired, wired.feedback.record, guest.principal.workspace,
        exposure_id=exposure_id, answer_id=answer_id, outcome=outcome, final_text=final_text,
        shown_text=shown_text, agent_id=guest.member.agent_id or guest.member.id, rating=None,
    )  # fmt: skip


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")
