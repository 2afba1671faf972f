"""Templates to pages: escaped, in the reader's language, with moments and numbers as people write them."""

from __future__ import annotations

import gzip
import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.datastructures import URL
from starlette.responses import HTMLResponse, Response

from graph.customer_value import tier_words
from graph.labels import label_in
from graph.models import Contribution, Priority
from graph.priority import whole_points
from kb_service.console.notices import COOKIE, notice_of
from kb_service.console.readable import (
    attribute_name,
    blank_name,
    chips,
    coded,
    field_name,
    in_language,
    in_words,
    language_name,
    name_in,
    shortened,
    value_name,
)
from kb_service.console.words import EN, ZH
from kb_service.errors import NotFound
from kb_service.messages import Language, preferred_language
from kb_service.replying.sureness import unsure

LANGUAGE = "kb_language"
LONGEST_ADDRESS = 3_000
"""Characters of an address that a form carries to come back to; of a longer one it carries the path alone."""
ONE_OF_MANY = re.compile(
    r"(?<![\d.,:/-])1 (agent|alert|answer|case|contact|customer|day|document|escalation|event|example|file|hour|intent|"
    r"message|minute|passage|point|problem|question|rule|session|time|word|workspace)s\b"
)
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


def language_of(request: Request) -> Language:
    """The language that the reader chose, else the one that their browser asks for."""
    chosen = request.cookies.get(LANGUAGE)
    if chosen in ("zh", "en"):
        return "zh" if chosen == "zh" else "en"
    return preferred_language(request.headers.get("accept-language"))


def said(text: str, language: Language, /, **values: object) -> str:
    """A text of the console in a language, with its values. The English text is the key."""
    template = ZH[text] if language == "zh" else EN.get(text, text)
    if not values:
        return template
    told = template.format(**values)
    return told if language == "zh" else ONE_OF_MANY.sub(r"1 \1", told)


def page(request: Request, template: str, *, status: int = 200, **given: Any) -> Response:
    """A whole page. What was just done is told on it, and then forgotten."""
    notice = notice_of(request)
    told = notice if notice and notice.text in ZH else None
    response = _rendered(request, template, status, notice=told, **given)
    if COOKIE in request.cookies:
        response.delete_cookie(COOKIE, path="/console")
    return response


def fragment(request: Request, template: str, *, status: int = 200, **given: Any) -> Response:
    """A part of a page that a script puts in its place. It leaves the word of what was done to the next page."""
    return _rendered(request, template, status, notice=None, **given)


def _rendered(request: Request, template: str, status: int, **given: Any) -> Response:
    language = language_of(request)

    def translated(text: str, /, **values: object) -> str:
        return said(text, language, **values)

    content = (
        _environment()
        .get_template(template)
        .render(
            _=translated,
            language=language,
            visitor=getattr(request.state, "visitor", None),
            path=request.url.path,
            here=_here(request),
            static=static_url,
            **given,
        )
    )
    return HTMLResponse(content, status_code=status, headers={"content-language": language})


def _here(request: Request) -> str:
    """The address to come back to from the frame's forms: after a form that was refused, the page that it was on."""
    address = request.url if request.method == "GET" else URL(request.headers.get("referer", "/console"))
    try:
        whole = f"{address.path}?{address.query}" if address.query else address.path
    except ValueError:  # What a browser would never send.
        return "/console"
    return whole if len(whole) <= LONGEST_ADDRESS else address.path


def reopened(request: Request, response: Response, part: str) -> Response:
    """A page as a script takes it that asked for a smaller part: it puts `part` of it in place of the one shown."""
    if "hx-request" in request.headers:
        response.headers["hx-retarget"] = response.headers["hx-reselect"] = part
        response.headers["hx-reswap"] = "outerHTML"
    return response


def when(at: datetime, zone: tzinfo) -> str:
    """A moment on the shop's clocks, to the minute."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def since(at: datetime, zone: tzinfo) -> str:
    """From when something holds: the day alone where it is the whole day."""
    return when(at, zone).removesuffix(" 00:00")


def until(at: datetime, zone: tzinfo) -> str:
    """Until when something holds, that included: its last day where it ends with a day, else the moment."""
    local = at.astimezone(zone)
    ends_with_a_day = (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0)
    return f"{local - timedelta(days=1):%Y-%m-%d}" if ends_with_a_day else when(at, zone)


def day(at: datetime, zone: tzinfo) -> str:
    """A day on the shop's calendar, of a year that is plain."""
    return at.astimezone(zone).strftime("%m-%d")


def whole_terms(priority: Priority) -> list[tuple[int, Contribution]]:
    """What a priority comes from, each with its whole points: these come to the score."""
    return list(zip(whole_points(priority), priority.contributions, strict=True))


def nonce() -> str:
    """What tells one rendered form from every other, so that sending it twice does what it says once."""
    return secrets.token_urlsafe(12)


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("kb_service.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["when"] = when
    found.filters["day"] = day
    found.filters["since"] = since
    found.filters["until"] = until
    found.filters["in_language"] = in_language
    found.filters["label_in"] = label_in
    found.filters["chips"] = chips
    found.filters["name_in"] = name_in
    found.filters["tier_words"] = tier_words
    found.filters["in_words"] = in_words
    found.filters["shortened"] = shortened
    found.filters["attribute_name"] = attribute_name
    found.filters["value_name"] = value_name
    found.filters["field_name"] = field_name
    found.filters["blank_name"] = blank_name
    found.filters["language_name"] = language_name
    found.filters["whole_terms"] = whole_terms
    found.filters["coded"] = coded
    found.globals["nonce"] = nonce
    found.tests["unsure"] = unsure
    return found


def rest_of(address: str, cursor: str | None, **chosen: str) -> str | None:
    """Where a list goes on as it was narrowed; None where it ends."""
    return f"{address}?{urlencode({**chosen, 'cursor': cursor})}" if cursor else None


@cache
def _assets() -> Mapping[str, bytes]:
    folder = resources.files("kb_service.console") / "static"
    return {item.name: item.read_bytes() for item in folder.iterdir() if item.is_file()}


@cache
def static_url(name: str) -> str:
    """Where a file of the console lies, under an address that changes with its content."""
    return f"/console/static/{name}?v={hashlib.sha256(_assets()[name]).hexdigest()[:12]}"


def asset(name: str, accepts: str) -> Response:
    """A file of the console, compressed where `accepts`, an Accept-Encoding, allows. Raises NotFound.

    Pages themselves are never compressed: they hold the token of their forms beside what others wrote.
    """
    media = TYPES.get(name[name.rfind(".") :])
    if media is None or name not in _assets():
        raise NotFound("There is no such page.")
    headers = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}
    if "gzip" in accepts:
        return Response(_compressed(name), media_type=media, headers={**headers, "content-encoding": "gzip"})
    return Response(_assets()[name], media_type=media, headers=headers)


@cache
def _compressed(name: str) -> bytes:
    return gzip.compress(_assets()[name], mtime=0)
