"""An article as an editor writes it in a form, as a document, and as it is tried before it is published."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Annotated, Any, Literal

from fastapi import Depends, Form, Response
from pydantic import ValidationError

from ingest.models import Kind, Passage
from kb_service.care.articles import Published
from kb_service.console.document_undo import way_back
from kb_service.console.notices import done
from kb_service.console.typed import fields_at_fault, words_of
from kb_service.errors import Conflict, FieldError, InvalidRequest, not_whole
from kb_service.models import NewDocument, Principal, Question, Reply
from kb_service.problem_details import invalid
from kb_service.routes.context import in_thread
from kb_service.services import Services
from kb_service.trying_out import Tried
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
        """The document that it makes. Raises InvalidRequest, which names the fields of the form at fault."""
        first, last = _day(self.valid_from), _day(self.valid_to)
        _check(self, first, last)
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


async def _article(
    title: Annotated[Text, Form()] = "",
    body: Annotated[Text, Form()] = "",
    language: Annotated[Text, Form()] = "",
    question: Annotated[Text, Form()] = "",
    kind: Annotated[Text, Form()] = "faq",
    audience: Annotated[Text, Form()] = "public",
    valid_from: Annotated[Text, Form()] = "",
    valid_to: Annotated[Text, Form()] = "",
    products: Annotated[Text, Form()] = "",
    over: Annotated[str | None, Form(pattern=r"^[1-9][0-9]{0,8}$|^new$")] = None,
) -> Article:
    if over is None:
        raise not_whole()
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
        over=int(over) if over != "new" else None,
    )


def faults_of(error: Exception) -> frozenset[str]:
    """The fields of the form that an error is about, `over` where another version stands by now; none for one that is
    about none of them."""
    if isinstance(error, Conflict):
        return frozenset({"over"})
    names = (name.removeprefix("fields.") for name in fields_at_fault(error))
    return frozenset(WRITTEN_IN.get(name, name) for name in names) & frozenset(TYPED)


def in_order(faults: Collection[str]) -> list[str]:
    """Faults as they stand in the form, from its top down."""
    return [name for name in dict.fromkeys(("over", "question", "body", *TYPED, "reason")) if name in faults]


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
class ArticlePreview:
    """How an article is split, and what it would change."""

    passages: tuple[Passage, ...]
    asked: tuple[AskedAgain, ...]
    documents: int
    """The shop's documents that are searched."""
    beside: int
    """Those of them that the article was tried beside."""


async def preview(
    wired: Services, guest: Principal, external_id: str, article: Article, place: tzinfo, texts: list[str]
) -> ArticlePreview:
    """Try an article on questions; nothing is stored."""
    new = article.document(external_id, place)
    draft = await in_thread(wired, wired.knowledge.sketched, guest.workspace, new)
    tried = await in_thread(
        wired, wired.trying_out.answers, guest.workspace, [Question(text) for text in texts], draft
    )
    documents, beside = wired.trying_out.reach(guest.workspace)
    return ArticlePreview(
        tuple(draft.passages), tuple(_told(item, external_id) for item in tried), documents, beside
    )


async def asked_now(
    wired: Services, guest: Principal, external_id: str, texts: list[str]
) -> tuple[AskedAgain, ...]:
    """What a bot is answered now, where a document is published."""
    tried = await in_thread(
        wired, wired.trying_out.answers, guest.workspace, [Question(text) for text in texts], None
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


def _check(article: Article, first: date | None, last: date | None) -> None:
    """Raises InvalidRequest with everything that the form itself does not offer."""
    found = [
        FieldError(name, "must have at most {max_length} characters", {"max_length": most})
        for name, most in LONGEST.items()
        if len(getattr(article, name)) > most
    ]
    found += [
        FieldError(name, "is required") for name in ("title", "body") if not getattr(article, name).strip()
    ]
    offered = {"kind": KINDS, "language": LANGUAGES, "audience": AUDIENCES}
    found += [
        FieldError(name, "must be one of {expected}", {"expected": ", ".join(values)})
        for name, values in offered.items()
        if getattr(article, name) not in values
    ]
    days = {"valid_from": first, "valid_to": last}
    lost = {name for name in DATES if getattr(article, name) and days[name] is None}
    if first is not None and last is not None and last < first:
        lost.add("valid_to")
    found += [
        FieldError(name, "must be a date with its year, such as 2026-11-11") for name in DATES if name in lost
    ]
    if found:
        names = ", ".join(dict.fromkeys(item.field for item in found))
        raise InvalidRequest(
            "{count} fields need attention: {names}", fields=tuple(found), count=len(found), names=names
        )


def _day(typed: str) -> date | None:
    """A day as it was typed; None for none, and for what is no day that a document may hold from or to."""
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return None
    return day if EARLIEST <= day < LATEST else None
