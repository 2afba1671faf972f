"""The shop's documents: put, uploaded, listed, removed; and the erasure of a customer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from pydantic import Field, ValidationError

from ingest.models import Audience, Kind
from kb_service import problem_details
from kb_service.lines import Line
from kb_service.models import DocumentStatus, NewDocument, Principal, Refused
from kb_service.problem_details import KNOWN
from kb_service.routes.batches import LINES_OUT, BatchResponse
from kb_service.routes.context import Caller, Cursor, GuardedRoute, Lang, Limit, Wired, in_thread
from kb_service.services import Services
from kb_service.wire.base import Id, Page, Text
from kb_service.wire.knowledge import (
    DOCUMENT_EXAMPLE,
    AuditOut,
    DocumentHeadOut,
    DocumentIn,
    DocumentLineIn,
    DocumentOut,
    DocumentStatusOut,
    ErasureOut,
    UploadOut,
    VersionOut,
)

router = APIRouter(prefix="/v1", tags=["knowledge"], route_class=GuardedRoute)
NDJSON = {
    "application/x-ndjson": {
        "schema": {"type": "string"},
        "example": {"external_id": "returns-us", **DOCUMENT_EXAMPLE},
    }
}
Template = Annotated[Text, Field(max_length=500)] | None


@router.get("/documents", summary="Documents by external id")
async def documents(
    wired: Wired,
    caller: Caller,
    kind: Kind | None = None,
    language: Annotated[Text | None, Query(max_length=8)] = None,
    audience: Audience | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[DocumentHeadOut]:
    page = await in_thread(
        wired, wired.knowledge.page, caller.workspace, cursor, limit,
        kind=kind, language=language, audience=audience,
    )  # fmt: skip
    return Page[DocumentHeadOut].model_validate(page)


@router.post(
    "/documents:batch",
    summary="Put documents, one JSON object a line; one result line each",
    openapi_extra={"requestBody": {"required": True, "content": NDJSON}},
    response_class=Response,
    responses={200: LINES_OUT},
)
async def batch(request: Request, wired: Wired, caller: Caller, lang: Lang) -> Response:
    async def work(lines: Sequence[Line]) -> list[dict[str, Any]]:
        return await _put_lines(wired, caller, lang, lines)

    return BatchResponse(work, max_line_bytes=wired.settings.max_line_bytes)


async def _put_lines(
    wired: Services, caller: Principal, lang: Lang, lines: Sequence[Line]
) -> list[dict[str, Any]]:
    parsed = [_document(line) for line in lines]
    good = [item for item in parsed if isinstance(item, NewDocument)]
    put: Iterator[DocumentStatus | Refused]
    try:
        put = iter(await in_thread(wired, wired.knowledge.put_many, caller, good))
    except KNOWN as error:
        put = iter([Refused(item.external_id, error) for item in good])
    outcomes = [next(put) if isinstance(item, NewDocument) else item for item in parsed]
    return [_line(outcome, lang) for outcome in outcomes]


def _document(line: Line) -> NewDocument | Refused:
    name = str((line.value or {}).get("external_id", "")) or None
    if line.error is not None:
        return Refused(name, line.error)
    try:
        shape = DocumentLineIn.model_validate(line.value)
    except ValidationError as error:
        return Refused(name, problem_details.invalid(error.errors()))
    return NewDocument(shape.external_id, shape.attributes())


def _line(outcome: DocumentStatus | Refused, lang: Lang) -> dict[str, Any]:
    return _status(outcome, lang).model_dump(mode="json", exclude_none=True)


def _status(outcome: DocumentStatus | Refused, lang: Lang) -> DocumentStatusOut:
    if isinstance(outcome, Refused):
        error = problem_details.details(outcome.error, lang)
        return DocumentStatusOut(external_id=outcome.external_id or "", status="refused", error=error)
    return DocumentStatusOut.model_validate(outcome)


@router.post("/documents:upload", summary="Put a file of any supported format")
async def upload(
    wired: Wired,
    caller: Caller,
    lang: Lang,
    file: Annotated[UploadFile, File(description="Markdown, HTML, PDF, DOCX, XLSX, CSV, JSONL or text.")],
    kind: Annotated[Kind | None, Form()] = None,
    external_id: Annotated[Text | None, Form(max_length=200)] = None,
    language: Annotated[Text | None, Form(max_length=8)] = None,
    audience: Annotated[Audience | None, Form()] = None,
    records: Annotated[bool, Form(description="Each row or line is a document of its own.")] = False,
    id_template: Annotated[
        Template, Form(description="With records: a row's id, such as `faq-{number}`.")
    ] = None,
    title: Annotated[
        Template, Form(description="The title; with records a template such as `{question}`.")
    ] = None,
    question: Annotated[
        Template, Form(description="With records: the question, such as `{question}`.")
    ] = None,
    reply: Annotated[Template, Form(description="With records: the reply, such as `{answer}`.")] = None,
) -> UploadOut:
    data = await file.read()
    given = {"kind": kind, "external_id": external_id, "language": language, "audience": audience}
    if not records:
        given["title"] = title
    attributes = {name: value for name, value in given.items() if value is not None}
    filled = {"id_template": id_template, "title": title, "question": question, "reply": reply}
    templates = {name: value for name, value in filled.items() if value is not None}
    outcomes = await in_thread(
        wired, wired.knowledge.upload, caller, file.filename or "upload", data, attributes,
        records=records, templates=templates,
    )  # fmt: skip
    if len(outcomes) == 1 and isinstance(outcomes[0], Refused):
        raise outcomes[0].error
    return UploadOut(items=[_status(outcome, lang) for outcome in outcomes])


@router.get("/documents/{external_id:path}/versions", summary="What a document said, newest first")
async def versions(wired: Wired, caller: Caller, external_id: Id) -> Page[VersionOut]:
    found = await in_thread(wired, wired.knowledge.versions, caller.workspace, external_id)
    return Page[VersionOut](items=[VersionOut.model_validate(item) for item in found])


@router.get("/documents/{external_id:path}", summary="One document")
async def document(wired: Wired, caller: Caller, external_id: Id) -> DocumentOut:
    return DocumentOut.model_validate(
        await in_thread(wired, wired.knowledge.get, caller.workspace, external_id)
    )


@router.put(
    "/documents/{external_id:path}",
    summary="Create or change a document; it can be found when this returns",
    responses={201: {"model": DocumentStatusOut, "description": "The document is new."}},
)
async def put(
    wired: Wired, caller: Caller, external_id: Id, body: DocumentIn, response: Response
) -> DocumentStatusOut:
    new = NewDocument(external_id, body.attributes())
    (outcome,) = await in_thread(wired, wired.knowledge.put_many, caller, [new])
    if isinstance(outcome, Refused):
        raise outcome.error
    response.status_code = 201 if outcome.status == "created" else 200
    return DocumentStatusOut.model_validate(outcome)


@router.delete(
    "/documents/{external_id:path}", summary="Remove a document from everywhere, at once", status_code=204
)
async def remove(wired: Wired, caller: Caller, external_id: Id) -> None:
    await in_thread(wired, wired.knowledge.remove, caller, external_id)


@router.delete("/customers/{id}", summary="Erase a customer from store, vectors, graph and outbox")
async def erase(wired: Wired, caller: Caller, id: Id) -> ErasureOut:
    # What was shown to them a moment ago may not be in the store yet.
    await in_thread(wired, wired.exposures.flush)
    erased = await in_thread(wired, wired.casework.erase_customer, caller, id)
    wired.gaps.forget(caller.workspace)
    return ErasureOut(customer_id=id, erased=erased)


@router.get("/audit", summary="Who changed what, newest first")
async def audit(wired: Wired, caller: Caller, cursor: Cursor = None, limit: Limit = 50) -> Page[AuditOut]:
    page = await in_thread(wired, wired.knowledge.audit, caller.workspace, cursor, limit)
    return Page[AuditOut].model_validate(page)
