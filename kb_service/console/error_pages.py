"""What went wrong, told to people: as a page, or above the page that a script asked a part for. It says what to do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from kb_service.console.rendering import fragment, language_of, page
from kb_service.errors import PayloadTooLarge
from kb_service.problem_details import details, http_details, retry_after

ADVISED = frozenset({400, 403, 404, 405, 409, 413, 422, 429, 500, 503})
"""Statuses with words of their own about what to do; others are told as their hundred."""
PLACE, TOLD = "#fault", "#fault-told"
"""Where a page shows what a part of it met, and what of the answer goes there."""


def error_page(request: Request, error: Exception) -> Response:
    """What went wrong and what to do. A script that asked for a part of a page keeps that page, and what is typed in
    it, and gets the word of it."""
    told, headers = _told(request, error)
    status = int(told["status"])
    part = "hx-request" in request.headers
    answer = (fragment if part else page)(
        request,
        "fault.html" if part else "error.html",
        status=status,
        told=told,
        advice=str(status if status in ADVISED else 500 if status > 500 else 400),
        megabytes=_megabytes(error),
        request_id=getattr(request.state, "request_id", ""),
        again=headers.get("Retry-After") if request.method == "GET" else None,
    )
    answer.headers.update(headers)
    if part:
        answer.headers.update({"hx-retarget": PLACE, "hx-reselect": TOLD, "hx-reswap": "innerHTML show:top"})
    return answer


def _told(request: Request, error: Exception) -> tuple[dict[str, Any], Mapping[str, str]]:
    """An error in the reader's language, and the headers that belong to it."""
    if isinstance(error, HTTPException):
        return http_details(error, language_of(request)), error.headers or {}
    told = details(error, language_of(request))
    wait = retry_after(error)
    return told, {} if wait is None else {"Retry-After": str(wait)}


def _megabytes(error: Exception) -> int | None:
    """What may be sent at most, where too much was sent."""
    limit = error.params.get("limit") if isinstance(error, PayloadTooLarge) else None
    return None if limit is None else max(1, math.floor(limit / 1_048_576))
