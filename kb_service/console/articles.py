"""An article as an editor writes it in a form, as a document, and as it is tried before it is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Annotated, Any, Literal

from fastapi import Depends, Form, Response
from pydantic import ValidationError

from ingest.errors import IngestError, InvalidDocument
from ingest.models import Kind, Passage
from kb_service.answering import Tried
from kb_service.care.articles import Published
from kb_service.console.notices import done
from kb_service.console.typed import words_of
from kb_service.console.ways_back import way_back
from kb_service.errors import Conflict, InvalidRequest, ServiceError
from kb_service.models import NewDocument, Principal, Question, Reply
from kb_service.problem_details import invalid
from kb_service.routes.context import in_thread
from kb_service.services import Services
from kb_service.wire.base import Text
from kb_service.wire.knowledge import DocumentIn

KINDS: tuple[Kind, ...] = ("faq", "policy", "product", "resolution")
ANSWERS = frozenset({"faq", "resolution"})
"""Kinds that hold a question and its reply."""
LANGUAGES = ("zh", "en")
AUDIENCES = ("public", "internal")
LONGEST: Mapping[str, int] = {"title": 500, "question": 2_000, "body": 100_000, "products": 400}
DATES = ("valid_from", "valid_to")
TYPED = (*LONGEST, *DATES, "kind", "language", "audience")
"""The fields of the form, beside which a fault is told."""
WRITTEN_IN: Mapping[str, str] = {"reply": "body", "markdown": "body", "text": "body"}
"""The field of the form that an attribute of the document is written in, where it is called otherwise."""
EARLIEST, LATEST = date(1970, 1, 1), date(2199, 12, 30)
"""Days that a document may hold from and to."""
Outcome = Literal["sent", "suggested", "other", "nothing"]


@dataclass(frozen=True, slots=True)
class Article:
    """What the form holds, as it was typed. `valid_from` and `valid_to` are days of the shop, both included."""

    title: str = ""
    question: str = ""
    body: str = ""
    kind: str = "faq"
    language: str = "en"
    audience: str = "public"
    valid_from: str = ""
    valid_to: str = ""
    products: str = ""
    over: int | None = None
    """The version that stood when the form was made; None where there was no document."""

    def document(self, external_id: str, place: tzinfo) -> NewDocument:
        """The document that it makes. Raises InvalidRequest, which names the field of the form at fault."""
        _check(self)
        first, last = _day("valid_from", self.valid_from), _day("valid_to", self.valid_to)
        given: dict[str, Any] = {
            "kind": self.kind,
            "title": self.title,
            "language": self.language,
            "audience": self.audience,
            "products": words_of(self.products),
        }
        if self.kind in ANSWERS:
            given["fields"] = {"question": self.question or self.title, "reply": self.body}
        else:
            given["markdown"] = self.body
        if first is not None:
            given["valid_from"] = _midnight(first, place)
        if last is not None:
            given["valid_to"] = _midnight(last + timedelta(days=1), place)
        try:
            return NewDocument(external_id, DocumentIn.model_validate(given).attributes())
        except ValidationError as error:
            raise invalid(error.errors()) from error


def _article(
    title: Annotated[Text, Form()] = "",
    body: Annotated[Text, Form()] = "",
    language: Annotated[Text, Form()] = "",
    question: Annotated[Text, Form()] = "",
    kind: Annotated[Text, Form()] = "faq",
    audience: Annotated[Text, Form()] = "public",
    valid_from: Annotated[Text, Form()] = "",
    valid_to: Annotated[Text, Form()] = "",
    products: Annotated[Text, Form()] = "",
    over: Annotated[int | None, Form(ge=1)] = None,
) -> Article:
    return Article(
        title=title.strip(),
        question=question.strip(),
        body=body.replace("\r\n", "\n"),
        kind=kind,
        language=language,
        audience=audience,
        valid_from=valid_from.strip(),
        valid_to=valid_to.strip(),
        products=products,
        over=over,
    )


def fault_of(error: Exception) -> str | None:
    """The field of the form that an error is about, `over` where another version stands by now; None for one that is
    about none of them."""
    name = ""
    if isinstance(error, Conflict):
        return "over"
    if isinstance(error, InvalidDocument):
        name = error.field
    elif isinstance(error, ServiceError) and error.fields:
        name = error.fields[0].field
    elif isinstance(error, IngestError):
        name = "text"
    name = name.split("(")[0].strip().removeprefix("fields.")
    name = WRITTEN_IN.get(name, name)
    return name if name in TYPED else None


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
    documents: int
    """The shop's documents that are searched."""
    beside: int
    """Those of them that the article was tried beside."""


async def preview(
    wired: Services, guest: Principal, external_id: str, article: Article, place: tzinfo, texts: list[str]
) -> Preview:
    """Try an article on questions; nothing is stored."""
    new = article.document(external_id, place)
    draft = await in_thread(wired, wired.knowledge.sketched, guest.workspace, new)
    tried = await in_thread(
        wired, wired.answering.try_out, guest.workspace, [Question(text) for text in texts], draft
    )
    documents, beside = wired.answering.tried_beside(guest.workspace)
    return Preview(
        tuple(draft.passages), tuple(_told(item, external_id) for item in tried), documents, beside
    )


async def asked_now(
    wired: Services, guest: Principal, external_id: str, texts: list[str]
) -> tuple[AskedAgain, ...]:
    """What a bot is answered now, where a document is published."""
    tried = await in_thread(
        wired, wired.answering.try_out, guest.workspace, [Question(text) for text in texts], None
    )
    return tuple(_told(item, external_id) for item in tried)


def published(made: Published, title: str, *, to: str, withdraw: str) -> Response:
    """To the page that tells of an article that was published; where it was new, withdrawing it takes it back."""
    undo, fields = way_back(made.status)
    if made.status.status == "unchanged":
        return done("Nothing was different, so nothing was saved.", to=to)
    if made.status.status == "created":
        undo = withdraw
    if made.proposal_id is None:
        return done("“{title}” is published.", to=to, undo=undo, fields=fields, title=title)
    if made.status.status == "created":
        fields["proposal"] = made.proposal_id
    return done(
        "“{title}” is published, and the proposal to write it is accepted.",
        to=to, undo=undo, fields=fields, title=title,
    )  # fmt: skip


def withdrawn(held: str, *, to: str) -> Response:
    """To the page that tells of an article that was withdrawn, which can be brought back for an hour."""
    return done(
        "The article is withdrawn.", to=to, undo="/console/knowledge/bring-back", fields={"held": held}
    )


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


def _check(article: Article) -> None:
    """Raises InvalidRequest for what the form itself does not offer."""
    for name, most in LONGEST.items():
        if len(getattr(article, name)) > most:
            raise InvalidRequest.of(name, "must have at most {max_length} characters", max_length=most)
    if not article.title:
        raise InvalidRequest.of("title", "is required")
    if not article.body.strip():
        raise InvalidRequest.of("body", "is required")
    offered = {"kind": KINDS, "language": LANGUAGES, "audience": AUDIENCES}
    for name, values in offered.items():
        if getattr(article, name) not in values:
            raise InvalidRequest.of(name, "must be one of {expected}", expected=", ".join(values))


def _day(name: str, typed: str) -> date | None:
    """A day as it was typed; None for none. Raises InvalidRequest."""
    if not typed:
        return None
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        day = None
    if day is None or not EARLIEST <= day < LATEST:
        raise InvalidRequest.of(name, "must be a date with its year, such as 2026-11-11")
    return day
