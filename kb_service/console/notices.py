"""What was just done, told once at the top of the next page, with the way back where there is one."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request, Response
from starlette.responses import RedirectResponse

COOKIE = "kb_done"
INSIDE = "/console/"
LONGEST = 200
"""Characters of a value that a notice tells: a cookie holds no essays."""


@dataclass(frozen=True, slots=True)
class Notice:
    """`text` is a key of the console's words; `undo` the address of the form that takes it back, with its `fields`."""

    text: str
    values: Mapping[str, str]
    undo: str | None
    fields: Mapping[str, str]


def done(
    text: str,
    *,
    to: str,
    undo: str | None = None,
    fields: Mapping[str, str] | None = None,
    **values: object,
) -> Response:
    """Go on to a page that tells what was done. `undo` is an address of the console that takes it back."""
    told = {
        "text": text,
        "values": {name: str(value)[:LONGEST] for name, value in values.items()},
        "undo": undo,
        "fields": dict(fields or {}),
    }
    response = RedirectResponse(to, status_code=303)
    packed = base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).decode()
    response.set_cookie(COOKIE, packed, max_age=60, path="/console", httponly=True, samesite="lax")
    return response


def notice_of(request: Request) -> Notice | None:
    """What the page before did; None where nothing was done, or the cookie is not one of ours."""
    try:
        told = json.loads(base64.urlsafe_b64decode(request.cookies[COOKIE].encode()))
        text, undo = str(told["text"]), told["undo"]
        values = {str(name): str(value) for name, value in told["values"].items()}
        fields = {str(name): str(value) for name, value in told["fields"].items()}
    except (KeyError, ValueError, TypeError, AttributeError, binascii.Error):
        return None
    if undo is not None and not str(undo).startswith(INSIDE):
        return None
    return Notice(text, values, undo and str(undo), fields)
