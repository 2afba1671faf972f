"""Questions: answers for bots, suggestions for agents, plain search, feedback, and the route of a case."""

from __future__ import annotations

from fastapi import APIRouter, Response

from kb_service.errors import InvalidRequest
from kb_service.messages import Language
from kb_service.models import Question
from kb_service.routes.context import Caller, GuardedRoute, Lang, ReaderLang, Wired, audiences_of, in_thread
from kb_service.routes.idempotency import IdempotentRoute
from kb_service.services import Services
from kb_service.wire.feedback import FeedbackIn, FeedbackOut
from kb_service.wire.questions import QuestionIn
from kb_service.wire.replies import ReplyOut
from kb_service.wire.routing import RouteOut
from kb_service.wire.searching import HitOut, HitsOut, SearchIn

router = APIRouter(prefix="/v1", tags=["questions"], route_class=GuardedRoute)
once = APIRouter(prefix="/v1", tags=["questions"], route_class=IdempotentRoute)


def _question(wired: Services, body: QuestionIn, reader: Language | None) -> Question:
    limit = wired.settings.max_query_chars
    if len(body.text) > limit:
        raise InvalidRequest.of("query", "is longer than {limit} characters; shorten it", limit=limit)
    return body.value(reader)


def _rendered(reply: ReplyOut) -> Response:
    """The reply as JSON, at once: its shape was checked when it was made."""
    return Response(reply.model_dump_json(), media_type="application/json")


@router.post(
    "/answers", response_model=ReplyOut, summary="What a bot may send to a customer, or whom to hand over to"
)
async def answers(wired: Wired, caller: Caller, lang: Lang, reader: ReaderLang, body: QuestionIn) -> Response:
    question = _question(wired, body, reader)
    reply = await in_thread(wired, wired.answering.answer, caller.workspace, question)
    return _rendered(ReplyOut.of(reply, lang))


@router.post(
    "/suggestions",
    response_model=ReplyOut,
    summary="Replies that an agent may send, internal knowledge included",
)
async def suggestions(
    wired: Wired, caller: Caller, lang: Lang, reader: ReaderLang, body: QuestionIn
) -> Response:
    question = _question(wired, body, reader)
    reply = await in_thread(wired, wired.answering.suggest, caller.workspace, question)
    return _rendered(ReplyOut.of(reply, lang))


@router.post("/search", summary="Passages that match, with each half's score")
async def search(wired: Wired, caller: Caller, body: SearchIn) -> HitsOut:
    limit = wired.settings.max_query_chars
    if len(body.query) > limit:
        raise InvalidRequest.of("query", "is longer than {limit} characters; shorten it", limit=limit)
    scope = body.scope(audiences_of(caller))
    hits = await in_thread(wired, wired.answering.search, caller.workspace, body.query, scope, body.limit)
    return HitsOut(
        hits=[
            HitOut(
                document_id=hit.external_id,
                external_id=hit.external_id,
                title=hit.title,
                passage=hit.text,
                section=list(hit.section),
                start=hit.start,
                end=hit.end,
                score=round(hit.score, 6),
                dense=round(hit.dense, 6),
                lexical=round(hit.lexical, 6),
                graph=round(hit.graph, 6),
            )
            for hit in hits
        ]
    )


@once.post("/feedback", summary="What became of an answer")
async def feedback(wired: Wired, caller: Caller, body: FeedbackIn) -> FeedbackOut:
    recorded = await in_thread(wired, wired.feedback.record, caller.workspace, **body.model_dump())
    return FeedbackOut(
        exposure_id=body.exposure_id,
        answer_id=body.answer_id,
        outcome=body.outcome,
        status="recorded" if recorded else "unchanged",
    )


@router.post("/route", summary="Where a case belongs and who should take it, with reasons")
async def route(wired: Wired, caller: Caller, reader: ReaderLang, body: QuestionIn) -> RouteOut:
    question = _question(wired, body, reader)
    return RouteOut.of(await in_thread(wired, wired.routing.route, caller.workspace, question))
