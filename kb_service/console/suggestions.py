"""Suggested replies: asked for, filled in, sent, and judged by what people do with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from fastapi import Depends, Form, Request, Response

from graph.models import Understanding
from kb_service.accounts import Visitor
from kb_service.console.notices import done
from kb_service.console.rendering import fragment
from kb_service.models import Question, Reply
from kb_service.replying.placeholders import blanks, fill
from kb_service.routes.context import in_thread
from kb_service.services import Services
from kb_service.wire.base import Text

Named = Annotated[Text, Form(max_length=200)]
Names = Annotated[tuple[Text, ...], Form(max_length=50)]
Flag = Annotated[Literal["", "yes"], Form()]


TAKEN_BACK = "Taken back: nothing was said of this reply."
NOTHING_BACK = "There was nothing to take back: you had not said that it does not help."


@dataclass(frozen=True, slots=True)
class WrittenReply:
    """A reply as it was written, with the suggestion that it began as; `shown` is how that read, `values` what was
    filled in for its placeholders."""

    text: str
    exposure_id: str = ""
    answer_id: str = ""
    shown: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    unread: bool = False
    """Whether it began as a suggestion that is unsure, and nobody said that they read it."""

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

    @property
    def held_back(self) -> bool:
        """Whether it is not to be sent: something is left to fill in, nothing is written, or it is unsure and stands
        as nobody read it."""
        return bool(self.missing) or not self.written or (self.unread and self.outcome == "accepted")


async def _sent(
    text: Annotated[Text, Form(min_length=1, max_length=20_000)],
    exposure_id: Named = "",
    answer_id: Named = "",
    shown: Annotated[Text, Form(max_length=20_000)] = "",
    blank: Names = (),
    value: Names = (),
    unsure: Flag = "",
    read: Flag = "",
) -> WrittenReply:
    given = {name: said.strip() for name, said in zip(blank, value, strict=False) if said.strip()}
    # Browsers end lines in their own way; the console's texts end theirs in another.
    return WrittenReply(_lines(text), exposure_id, answer_id, _lines(shown), given, bool(unsure and not read))


SentReply = Annotated[WrittenReply, Depends(_sent)]
"""A reply as a form sends it."""


def urgency(understanding: Understanding) -> Literal["low", "medium", "high"]:
    """How urgent a message is, in a word."""
    value = understanding.urgency
    return "high" if value >= 2 / 3 else "medium" if value >= 1 / 3 else "low"


async def suggested(wired: Services, guest: Visitor, question: Question, facts: Mapping[str, str]) -> Reply:
    """Replies to a question, with what is known filled in."""
    asked = replace(question, text=question.text[: wired.settings.max_query_chars], context=facts)
    found: Reply = await in_thread(wired, wired.answering.suggest, guest.principal.workspace, asked)
    return found


async def used(wired: Services, guest: Visitor, draft: WrittenReply) -> None:
    """Tell learning that a suggestion was used, as it stood or altered; nothing where a reply began as none."""
    if draft.exposure_id and draft.answer_id:
        shown = fill(draft.shown, draft.values)[0]
        await _judge(
            wired, guest, draft.exposure_id, draft.answer_id, draft.outcome, draft.written, shown_text=shown
        )


async def rejected(wired: Services, guest: Visitor, exposure_id: str, answer_id: str) -> None:
    """Tell learning that a suggestion does not help."""
    await _judge(wired, guest, exposure_id, answer_id, "rejected", None)


async def unrejected(wired: Services, guest: Visitor, exposure_id: str, answer_id: str) -> bool:
    """Take back that a suggestion does not help; False where the visitor had not said so."""
    found: bool = await in_thread(
        wired, wired.feedback.take_back, guest.principal.workspace,
        exposure_id=exposure_id, answer_id=answer_id, agent_id=_judge_of(guest),
    )  # fmt: skip
    return found


def rejection_told(
    request: Request, base: str, exposure_id: str, answer_id: str, back: bool | None
) -> Response:
    """A word on a suggestion that was rejected, with the way back, or taken back (`back`; False where there was nothing
    to take back): in its place on the page that shows it, else on the page after."""
    if "hx-request" in request.headers:
        return fragment(
            request, "desk/noted.html", base=base, exposure_id=exposure_id, answer_id=answer_id, back=back
        )
    if back is not None:
        return done(TAKEN_BACK if back else NOTHING_BACK, to=base)
    fields = {"exposure_id": exposure_id, "answer_id": answer_id}
    return done("Noted: it does not help.", to=base, undo=f"{base}/unreject", fields=fields)


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
        shown_text=shown_text, agent_id=_judge_of(guest), rating=None,
    )  # fmt: skip


def _judge_of(guest: Visitor) -> str:
    """As whom the visitor's word on a suggestion counts."""
    return guest.member.agent_id or guest.member.id


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")
