"""Files to documents: uploaded, shown as they would be stored, then published or discarded."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response
from starlette.datastructures import FormData, UploadFile

from ingest.models import KINDS, Audience, Kind, Status
from ingest.readers import SUPPORTED
from kb_service.console.differences import differences
from kb_service.console.document_forms import FAULTS
from kb_service.console.document_undo import way_back
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.rendering import language_of, page
from kb_service.errors import ServiceError
from kb_service.models import DocumentStatus, Refused
from kb_service.problem_details import details, status_of
from kb_service.routes.context import Wired, in_thread
from kb_service.upload_previews import MOST_DOCUMENTS, MOST_FILES
from kb_service.upload_tables import NUMBER, TableReading
from kb_service.upload_views import NewFile
from kb_service.wire.base import Id, Text

router = APIRouter(prefix="/console/knowledge/upload", route_class=PageRoute, include_in_schema=False)
FORMATS = ",".join(sorted(SUPPORTED))
Column = Annotated[Text, Form(max_length=500)]
Template = Annotated[Text, Form(max_length=500)]
MOST_PASSAGES = 12
LONGEST_DRAWN = 600
MOST_DRAWN = 60_000
"""Characters of passages on one page."""


FAMILIES = {".pdf": "pdf", ".docx": "office", ".xlsx": "office"}
"""Formats of which another remedy helps than of plain text, when they cannot be read."""


@router.get("")
async def upload(request: Request, wired: Wired, guest: Guest) -> Response:
    return _form(request, wired.settings.max_upload_bytes)


@router.post("")
async def read(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    kind: Annotated[Kind | Literal[""], Form()] = "",
    audience: Annotated[Audience, Form()] = "public",
    status: Annotated[Status, Form()] = "approved",
    records: Annotated[bool, Form()] = False,
    id_template: Template = "",
    title: Template = "",
    question: Template = "",
    reply: Template = "",
) -> Response:
    """Read what was uploaded, and show it; nothing is stored among the documents yet."""
    form = await request.form()
    sent = [item for item in form.getlist("file") if isinstance(item, UploadFile) and item.filename]
    files = [NewFile(item.filename or "", await item.read()) for item in sent]
    attributes: dict[str, object] = {"audience": audience, "status": status}
    if kind:
        attributes["kind"] = kind
    filled = {"id_template": id_template, "title": title, "question": question, "reply": reply}
    templates = {name: value.strip() for name, value in filled.items() if value.strip()} if records else None
    try:
        id = await in_thread(
            wired,
            wired.upload_previews.read,
            guest.principal,
            files,
            attributes,
            templates=templates,
            zone=place,
        )
    except ServiceError as error:
        return _form(request, wired.settings.max_upload_bytes, error=error)
    return Response(status_code=303, headers={"location": f"/console/knowledge/upload/{id}"})


@router.get("/{id}")
async def preview(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    id: Id,
    number: Annotated[int, Query(ge=1, le=MOST_DOCUMENTS, alias="page")] = 1,
) -> Response:
    """What would be stored, with passages as they would be searched."""
    found = await in_thread(wired, wired.upload_previews.view, guest.principal, id, number)
    drawn: dict[str, int] = {}
    left = MOST_DRAWN
    for item in found.documents:
        for passage in item.passages[:MOST_PASSAGES]:
            if left <= 0:
                break
            left -= min(len(passage.text), LONGEST_DRAWN)
            drawn[item.key] = drawn.get(item.key, 0) + 1
    return page(
        request,
        "knowledge/preview.html",
        preview=found,
        differences={
            item.key: differences(item.standing_text, item.document.text)
            for item in found.documents
            if item.standing_text is not None
        },
        number=NUMBER,
        drawn=drawn,
        longest=LONGEST_DRAWN,
        unread={file.name: FAMILIES.get(PurePath(file.name).suffix.lower(), "text") for file in found.files},
        known_fields={*FAULTS, "fields.question", "fields.reply"},
        zone=place,
        now=wired.clock(),
    )


@router.post("/{id}/table")
async def read_table(
    request: Request,
    wired: Wired,
    guest: Guest,
    place: ShopZone,
    id: Id,
    edition: Annotated[int, Form(ge=1)],
    file: Annotated[int, Form(ge=0, lt=MOST_FILES)],
    reading: Annotated[Literal["one", "rows"], Form()],
    row_id: Column = NUMBER,
    title: Column = "",
    question: Column = "",
) -> Response:
    """Read a table as one document, or as one for each row by the columns that were chosen."""
    form = await request.form()
    text = tuple(str(name) for name in form.getlist("text"))
    chosen = TableReading(reading, row_id, title, question, text)
    await in_thread(
        wired, wired.upload_previews.read_table, guest.principal, id, edition, file, chosen, place
    )
    return Response(status_code=303, headers={"location": f"/console/knowledge/upload/{id}#file-{file}"})


@router.post("/{id}/publish")
async def publish(
    request: Request, wired: Wired, guest: Guest, id: Id, edition: Annotated[int, Form(ge=1)]
) -> Response:
    """Put the documents that were chosen; those that somebody wrote meanwhile wait for another look."""
    form = await request.form()
    keys = {str(key) for key in form.getlist("document")}
    typed = str(form.get("besides", ""))
    besides = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 4 else None
    made = await in_thread(
        wired,
        wired.upload_previews.publish,
        guest.principal,
        id,
        edition,
        keys,
        besides=besides,
        over=_looked_at(form),
    )
    written = [item for item in made.outcomes if isinstance(item, DocumentStatus)]
    refused = [item for item in made.outcomes if isinstance(item, Refused)]
    if made.overtaken:
        return done(
            "{count} documents were published. Look at what somebody changed meanwhile: {overtaken}.",
            to=f"/console/knowledge/upload/{id}",
            count=len(written),
            overtaken=", ".join(made.overtaken),
        )
    if not written and refused:
        raise refused[0].error
    if len(made.outcomes) == 1:
        return _published(written[0])
    if refused:
        return done(
            "{count} documents were published; {refused} were refused.",
            to="/console/knowledge",
            count=len(written),
            refused=len(refused),
        )
    return done("{count} documents were published.", to="/console/knowledge", count=len(written))


def _looked_at(form: FormData) -> dict[str, int | None]:
    """Over which version documents may be put that somebody changed meanwhile, by their keys; None for none."""
    found: dict[str, int | None] = {}
    for name in form:
        version = str(form[name])
        if name.startswith("over-") and (version == "new" or (version.isdecimal() and len(version) < 9)):
            found[name.removeprefix("over-")] = None if version == "new" else int(version)
    return found


def _published(status: DocumentStatus) -> Response:
    """To the one document that came, which one key takes back."""
    to = f"/console/documents/{quote(status.external_id)}"
    if status.status == "unchanged":
        return done("Nothing was different, so nothing was saved.", to=to)
    undo, fields = way_back(status)
    return done("Published.", to=to, undo=undo, fields=fields)


@router.post("/{id}/discard")
async def discard(wired: Wired, guest: Guest, id: Id) -> Response:
    await in_thread(wired, wired.upload_previews.discard, guest.principal, id)
    return done("Discarded; nothing was stored.", to="/console/knowledge/upload")


def _form(request: Request, most_bytes: int, *, error: ServiceError | None = None) -> Response:
    return page(
        request,
        "knowledge/upload.html",
        status=status_of(error) if error is not None else 200,
        kinds=KINDS,
        formats=FORMATS,
        most_bytes=most_bytes,
        most_megabytes=most_bytes // 2**20,
        most_files=MOST_FILES,
        told=details(error, language_of(request)) if error is not None else None,
    )
