"""The one table that turns an error into problem details (RFC 9457), in the caller's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from graph.errors import GraphError, InvalidValue, NotAllowed
from ingest.errors import EncoderUnavailable, IngestError, InvalidDocument, SourceTooLarge
from kb_service import errors
from kb_service.messages import Language, preferred_language, translate

STATUS: Mapping[type[Exception], int] = {
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.IdempotencyMismatch: 409,
    errors.Conflict: 409,
    errors.InvalidRequest: 422,
    errors.PayloadTooLarge: 413,
    errors.NotReady: 503,
    errors.Overloaded: 503,
    errors.ServiceError: 500,
    InvalidDocument: 422,
    SourceTooLarge: 413,
    EncoderUnavailable: 503,
    IngestError: 422,
    NotAllowed: 409,
    InvalidValue: 422,
    GraphError: 422,
}

TITLES: Mapping[int, str] = {
    400: "The request cannot be read",
    401: "A valid key is needed",
    403: "This key may not do that",
    404: "Not found",
    405: "This method is not offered here",
    409: "In conflict with the present state",
    413: "Too large",
    415: "This media type is not supported",
    422: "The request holds an error",
    500: "Something failed on our side",
    503: "Busy or not ready, try again shortly",
}

VALIDATION: Mapping[str, str] = {
    "missing": "is required",
    "extra_forbidden": "is not a known field; remove it or check its spelling",
    "string_type": "must be a string",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "too_long": "must hold at most {max_length} items",
    "too_short": "must hold at least {min_length} items",
    "datetime_type": "must be an ISO 8601 time with offset, such as 2026-11-11T00:00:00+08:00",
    "datetime_parsing": "must be an ISO 8601 time with offset, such as 2026-11-11T00:00:00+08:00",
    "datetime_from_date_parsing": "must be an ISO 8601 time with offset, such as 2026-11-11T00:00:00+08:00",
    "datetime_object_invalid": "must be an ISO 8601 time with offset, such as 2026-11-11T00:00:00+08:00",
    "timezone_aware": "must carry an offset, such as +08:00 or Z",
    "url_parsing": "must be a full URL, such as https://example.com/hook",
    "url_scheme": "must be an http or https URL",
    "json_invalid": "is not valid JSON: {error}",
}


def field_errors(problems: Sequence[Any]) -> tuple[errors.FieldError, ...]:
    """The findings of pydantic as fields with our own templates."""
    found = []
    for problem in problems:
        location = [str(part) for part in problem["loc"] if part not in ("body", "query", "path", "header")]
        context = {key: str(value) for key, value in problem.get("ctx", {}).items()}
        template = VALIDATION.get(problem["type"])
        if template is None:
            template, context = "{reason}", {"reason": problem["msg"].removeprefix("Value error, ")}
        found.append(errors.FieldError(".".join(location) or "body", template, context))
    return tuple(found)


def status_of(error: Exception) -> int:
    return next((STATUS[cls] for cls in type(error).__mro__ if cls in STATUS), 500)


def details(error: Exception, language: Language, *, instance: str | None = None) -> dict[str, Any]:
    """The body of problem details for `error`: of a response, or of one refused line of a batch."""
    status = status_of(error)
    code = str(getattr(error, "code", "internal_error"))
    found: tuple[errors.FieldError, ...] = ()
    if isinstance(error, errors.ServiceError):
        detail, found = error.detail(language), error.fields
    elif isinstance(error, InvalidDocument | InvalidValue):
        detail = str(error)
        found = (errors.FieldError(error.field, "{reason}", {"reason": error.message}),)
    elif isinstance(error, IngestError | GraphError):
        detail = str(error)
    else:
        detail = translate("An unexpected error was logged under this request's id.", language, {})
    body: dict[str, Any] = {
        "type": f"urn:kb-service:problem:{code}",
        "title": translate(TITLES[status], language, {}),
        "status": status,
        "detail": detail,
    }
    if instance is not None:
        body["instance"] = instance
    if found:
        body["errors"] = [{"field": item.field, "message": item.message(language)} for item in found]
    return body


def response(
    error: Exception, language: Language, *, instance: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    body = details(error, language, instance=instance)
    extra = dict(headers or {})
    if isinstance(error, errors.Overloaded):
        extra["Retry-After"] = str(error.retry_after)
    elif body["status"] == 503:
        extra["Retry-After"] = "5"
    if isinstance(error, errors.Unauthenticated):
        extra["WWW-Authenticate"] = "Bearer"
    return JSONResponse(
        body, status_code=int(body["status"]), headers=extra, media_type="application/problem+json"
    )


def install(app: FastAPI) -> None:
    """Register the handlers, so that every error of every route leaves through `response`."""

    async def known(request: Request, error: Exception) -> JSONResponse:
        return response(error, _language(request), instance=request.url.path)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        found = field_errors(error.errors())
        language = _language(request)
        names = ", ".join(dict.fromkeys(item.field for item in found))
        problem = errors.InvalidRequest(
            "{count} field(s) need attention: {names}", fields=found, count=len(found), names=names
        )
        return response(problem, language, instance=request.url.path)

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        language = _language(request)
        title = translate(TITLES.get(error.status_code, "The request cannot be read"), language, {})
        body = {
            "type": f"urn:kb-service:problem:http_{error.status_code}",
            "title": title,
            "status": error.status_code,
            "detail": title if error.status_code in (404, 405) else str(error.detail),
            "instance": request.url.path,
        }
        return JSONResponse(
            body, error.status_code, headers=dict(error.headers or {}), media_type="application/problem+json"
        )

    for kind in (errors.ServiceError, IngestError, GraphError):
        app.add_exception_handler(kind, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


def _language(request: Request) -> Language:
    return preferred_language(request.headers.get("accept-language"))
