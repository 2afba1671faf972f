"""An article as an editor writes it in a form, as a document, and as it is tried before it is published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Annotated, Any, Literal

from fastapi import Depends, Form
from pydantic import ValidationError

from ingest.models import Audience, Kind, Passage
from kb_service.answering import Tried
from kb_service.errors import NotFound
from kb_service.models import DocumentStatus, NewDocument, Principal, Question, Refused, Reply
from kb_service.problem_details import invalid
from kb_service.routes.context import in_thread
from kb_service.services import Services
from kb_service.wire.base import Text
from kb_service.wire.knowledge import DocumentIn

KINDS: tuple[Kind, ...] = ("faq", "policy", "product", "resolution")
ANSWERS = frozenset({"faq", "resolution"})
"""Kinds that hold a question and its reply."""
Language = Literal["zh", "en"]
Outcome = Literal["sent", "suggested", "other", "nothing"]


@dataclass(frozen=True, slots=True)
class Article:
    """What the form holds. `valid_from` and `valid_to` are days of the shop, both included."""

    title: str = ""
    question: str = ""
    body: str = ""
    kind: Kind = "faq"
    language: Language = "en"
    audience: Audience = "public"
    valid_from: date | None = None
    valid_to: date | None = None
    products: str = ""

    def document(self, external_id: str, place: tzinfo) -> NewDocument:
        """The document that it makes. Raises InvalidRequest."""
        given: dict[str, Any] = {
            "kind": self.kind,
            "title": self.title,
            "language": self.language,
            "audience": self.audience,
            "products": [name for name in (part.strip() for part in self.products.split(",")) if name],
        }
        if self.kind in ANSWERS:
            given["fields"] = {"question": self.question or self.title, "reply": self.body}
        else:
            given["markdown"] = self.body
        if self.valid_from is not None:
            given["valid_from"] = _midnight(self.valid_from, place)
        if self.valid_to is not None:
            given["valid_to"] = _midnight(self.valid_to + timedelta(days=1), place)
        try:
            return NewDocument(external_id, DocumentIn.model_validate(given).attributes())
        except ValidationError as error:
            raise invalid(error.errors()) from error


def _article(
    title: Annotated[Text, Form(min_length=1, max_length=500)],
    body: Annotated[Text, Form(min_length=1, max_length=100_000)],
    language: Annotated[Language, Form()],
    question: Annotated[Text, Form(max_length=2_000)] = "",
    kind: Annotated[Kind, Form()] = "faq",
    audience: Annotated[Audience, Form()] = "public",
    valid_from: Annotated[date | Literal[""], Form()] = "",
    valid_to: Annotated[date | Literal[""], Form()] = "",
    products: Annotated[Text, Form(max_length=400)] = "",
) -> Article:
    return Article(
        title=title.strip(),
        question=question.strip(),
        body=body.replace("\r\n", "\n"),
        kind=kind,
        language=language,
        audience=audience,
        valid_from=valid_from if isinstance(valid_from, date) else None,
        valid_to=valid_to if isinstance(valid_to, date) else None,
        products=products,
    )


Written = Annotated[Article, Depends(_article)]


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """A question with what a bot is answered; `outcome` is what becomes of it with the article, `before` what does
    without."""

    text: str
    now: Tried
    outcome: Outcome
    before: Outcome

    @property
    def better(self) -> bool:
        return self.outcome in ("sent", "suggested") and self.before not in ("sent", "suggested")


@dataclass(frozen=True, slots=True)
class Preview:
    """How an article is split, and what it would change."""

    passages: tuple[Passage, ...]
    asked: tuple[AskedAgain, ...]


async def preview(
    wired: Services, guest: Principal, external_id: str, article: Article, place: tzinfo, texts: list[str]
) -> Preview:
    """Try an article on questions; nothing is stored."""
    new = article.document(external_id, place)
    draft = await in_thread(wired, wired.knowledge.sketched, guest.workspace, new)
    tried = await in_thread(
        wired, wired.answering.try_out, guest.workspace, [Question(text) for text in texts], draft
    )
    return Preview(tuple(draft.passages), tuple(_told(item, external_id) for item in tried))


async def asked_now(
    wired: Services, guest: Principal, external_id: str, texts: list[str]
) -> tuple[AskedAgain, ...]:
    """What a bot is answered now, where a document is published."""
    tried = await in_thread(
        wired, wired.answering.try_out, guest.workspace, [Question(text) for text in texts], None
    )
    return tuple(_told(item, external_id) for item in tried)


async def publish(wired: Services, guest: Principal, new: NewDocument) -> DocumentStatus:
    """Put a document. Raises what it is refused for."""
    (outcome,) = await in_thread(wired, wired.knowledge.put_many, guest, [new])
    if isinstance(outcome, Refused):
        raise outcome.error
    status: DocumentStatus = outcome
    return status


async def withdraw(wired: Services, guest: Principal, external_id: str) -> None:
    """Take a document back that was published; it is all the same where somebody else was faster."""
    try:
        await in_thread(wired, wired.knowledge.remove, guest, external_id)
    except NotFound:
        return


def _told(tried: Tried, external_id: str) -> AskedAgain:
    return AskedAgain(
        text=tried.question.text,
        now=tried,
        outcome=_outcome(tried.then or tried.now, external_id),
        before=_outcome(tried.now, external_id),
    )


def _outcome(reply: Reply, external_id: str) -> Outcome:
    """What became of a question: the article sent or suggested, another document, or nothing."""
    if not reply.answers or reply.action in ("handoff", "clarify"):
        return "nothing"
    cited = {citation.document_id for citation in reply.answers[0].citations}
    if external_id not in cited:
        return "other"
    return "sent" if reply.action == "answer" else "suggested"


def _midnight(day: date, place: tzinfo) -> str:
    return datetime.combine(day, time(), place).isoformat()
