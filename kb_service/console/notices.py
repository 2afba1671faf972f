"""What was just done, told once at the top of the next page, with the way back where there is one.

It travels in a cookie, sealed with what only the visitor's own session knows: nobody else can put words, or a way back
that does something else, before them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request
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


class Done(RedirectResponse):
    """Goes on to a page that tells what was done, once it is sealed."""

    def __init__(self, to: str, told: str) -> None:
        super().__init__(to, status_code=303)
        self._told = told

    def seal(self, key: str, *, secure: bool) -> None:
        """Give the notice to the browser of who holds `key`."""
        sealed = f"{_seal(self._told, key)}.{self._told}"
        self.set_cookie(
            COOKIE, sealed, max_age=60, path="/console", secure=secure, httponly=True, samesite="lax"
        )


def done(
    text: str,
    *,
    to: str,
    undo: str | None = None,
    fields: Mapping[str, str] | None = None,
    **values: object,
) -> Done:
    """Go on to a page that tells what was done. `undo` is an address of the console that takes it back."""
    told = {
        "text": text,
        "values": {name: str(value)[:LONGEST] for name, value in values.items()},
        "undo": undo,
        "fields": dict(fields or {}),
    }
    return Done(to, base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).decode())


def _seal(told: str, key: str) -> str:
    return hmac.new(key.encode(), told.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def notice_of(request: Request) -> Notice | None:
    """What the page before did; None where nothing was done, or the cookie is not one of ours for this visitor."""
    visitor = getattr(request.state, "visitor", None)
    seal, _, packed = request.cookies.get(COOKIE, "").partition(".")
    if visitor is None or not hmac.compare_digest(
        seal.encode("utf-8", "surrogatepass"), _seal(packed, visitor.csrf).encode()
    ):
        return None
    try:
        told = json.loads(base64.urlsafe_b64decode(packed.encode()))
        text, undo = str(told["text"]), told["undo"]
        values = {str(name): str(value) for name, value in told["values"].items()}
        fields = {str(name): str(value) for name, value in told["fields"].items()}
    except (KeyError, ValueError, TypeError, AttributeError, binascii.Error):
        return None
    if undo is not None and not str(undo).startswith(INSIDE):
        return None
    return Notice(text, values, undo and str(undo), fields)
