"""The one table that turns an error into problem details (RFC 9457), in the caller's language."""

from __future__ import annotations

import json
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
from kb_service.wire.base import FAULT

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

KNOWN = (errors.ServiceError, IngestError, GraphError)
"""What callers are told about; everything else is a fault of ours."""

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
    "blank": "must hold something other than blanks",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "set_type": "must be a list",
    "frozen_set_type": "must be a list",
    "dict_type": "must be an object",
    "mapping_type": "must be an object",
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
    "date_type": "must be a date with its year, such as 2026-11-11",
    "date_parsing": "must be a date with its year, such as 2026-11-11",
    "date_from_datetime_parsing": "must be a date with its year, such as 2026-11-11",
    "date_from_datetime_inexact": "must be a date with its year, such as 2026-11-11",
    "timezone_aware": "must carry an offset, such as +08:00 or Z",
    "url_parsing": "must be a full URL, such as https://example.com/hook",
    "url_scheme": "must be an http or https URL",
    "json_invalid": "is not valid JSON at character {position}: {error}",
    "string_unicode": "holds a character that is not valid Unicode",
    "bytes_type": "must be a string",
    "url_type": "must be a full URL, such as https://example.com/hook",
    "url_too_long": "must have at most {max_length} characters",
    "url_syntax_violation": "must be a full URL, such as https://example.com/hook",
    "int_parsing_size": "must be a whole number of fewer digits",
}

EXPLAINED: Mapping[str, str] = {
    "ingest_error": "资料无法处理：{reason}",
    "unreadable_source": "文件无法读取：{reason}",
    "unsupported_format": "不支持这种文件格式：{reason}",
    "corrupt_source": "文件已损坏、被截断或编码有误：{reason}",
    "protected_source": "文件有密码保护，请另存一份不带密码的：{reason}",
    "empty_source": "文件中没有可用的文字：{reason}",
    "source_too_large": "文件超出了大小、展开体积、内存或时间的限制：{reason}",
    "invalid_document": "文档的“{field}”有误，请按说明修改：{reason}",
    "encoder_unavailable": "编码模型暂时无法加载：{reason}",
    "graph_error": "请求无法处理：{reason}",
    "not_allowed": "当前状态不允许这一操作：{reason}",
    "invalid_value": "“{field}”的值有误，请按说明修改：{reason}",
}
"""What went wrong in a room below, in Chinese by the error's code; the English reason follows."""

NOT_BLANK = r"\S"
"""The pattern of a text that must say something."""
MOST_FIELDS = 50
"""Findings that one response lists."""
LONGEST_NAME = 200


def invalid(problems: Sequence[Any], *, placed: bool = False) -> errors.InvalidRequest:
    """The findings of pydantic as one error. `placed`: each location begins with the part of a request."""
    if placed:
        problems = _once_a_parameter(problems)
    found = tuple(_field_error(problem, placed) for problem in problems[:MOST_FIELDS])
    if len(problems) == 1:
        (one,) = found
        return errors.InvalidRequest("{field}: " + one.template, fields=found, field=one.field, **one.params)
    names = ", ".join(dict.fromkeys(item.field for item in found))
    return errors.InvalidRequest(
        "{count} fields need attention: {names}", fields=found, count=len(problems), names=names
    )


def _once_a_parameter(problems: Sequence[Any]) -> list[Any]:
    """Of a parameter of the address that may be one of several shapes the first finding alone, under its own name."""
    named: dict[tuple[Any, ...], Any] = {}
    kept = []
    for problem in problems:
        if problem["loc"][0] != "query":
            kept.append(problem)
            continue
        place = (*problem["loc"][:2], *(part for part in problem["loc"][2:] if isinstance(part, int)))
        if place not in named:
            named[place] = {**problem, "loc": place}
            kept.append(named[place])
    return kept


def _field_error(problem: Any, placed: bool) -> errors.FieldError:
    location = [str(part)[:LONGEST_NAME] for part in problem["loc"][1 if placed else 0 :]]
    # A union shows which of its shapes was tried; ours are written in angle brackets.
    location = [part for part in location if not part.startswith("<") and part != "[key]"]
    kind, context = problem["type"], problem.get("ctx", {})
    if kind in ("too_short", "too_long") and isinstance(problem.get("input"), str):
        kind = f"string_{kind}"
    if kind == "string_pattern_mismatch" and context["pattern"] == NOT_BLANK:
        kind = "blank"
    if kind == FAULT:
        place = ".".join(filter(None, [*location, context["field"]]))
        return errors.FieldError(place or "body", context["template"], dict(context["params"]))
    if kind == "json_invalid":
        place, params = "body", {"position": str(problem["loc"][-1]), "error": str(context["error"])}
        return errors.FieldError(place, VALIDATION[kind], params)
    if not location and isinstance(problem.get("input"), bytes):
        return errors.FieldError("Content-Type", "must be application/json, with a JSON object as the body")
    if kind == "value_error" and "UploadFile" in problem["msg"]:
        return errors.FieldError(".".join(location), "must be a file with a file name")
    template = VALIDATION.get(kind)
    if template is None:
        return errors.FieldError(
            ".".join(location) or "body", "is not valid: {reason}", {"reason": problem["msg"]}
        )
    params = {key: str(value) for key, value in context.items()}
    if kind in ("literal_error", "enum"):
        params["expected"] = _choices(params["expected"])
    return errors.FieldError(".".join(location) or "body", template, params)


def _choices(expected: str) -> str:
    """The values that pydantic lists as `'a', 'b' or 'c'`, as they are written in a request."""
    return ", ".join(item.strip("'") for item in expected.replace(" or ", ", ").split(", "))


def unreadable(error: HTTPException) -> errors.ServiceError | None:
    """What was wrong with a body that the framework could not read; None when that is not what happened."""
    cause = error.__cause__
    if isinstance(cause, errors.ServiceError):
        return cause
    if error.status_code != 400:
        return None
    if isinstance(cause, UnicodeDecodeError):
        return errors.InvalidRequest.of("body", "is not valid UTF-8; encode it as UTF-8")
    if isinstance(cause, RecursionError):
        return errors.InvalidRequest.of("body", "is nested too deeply; send a flatter object")
    if isinstance(cause, ValueError):
        return errors.InvalidRequest.of("body", "holds a number with too many digits")
    return errors.InvalidRequest.of("body", "cannot be read: {reason}", reason=str(error.detail))


class ProblemResponse(JSONResponse):
    """Problem details; what a caller sent may be quoted in them, broken characters too."""

    media_type = "application/problem+json"

    def render(self, content: Any) -> bytes:
        # A lone surrogate becomes its JSON escape.
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "backslashreplace")


def status_of(error: Exception) -> int:
    return next((STATUS[cls] for cls in type(error).__mro__ if cls in STATUS), 500)


def retry_after(error: Exception) -> int | None:
    """Seconds after which what is busy or not ready may be asked again; None for all else."""
    if isinstance(error, errors.Overloaded):
        return error.retry_after
    return 5 if status_of(error) == 503 else None


def details(error: Exception, language: Language, *, instance: str | None = None) -> dict[str, Any]:
    """The body of problem details for `error`: of a response, or of one refused line of a batch."""
    status = status_of(error)
    code = str(getattr(error, "code", "internal_error"))
    found: tuple[errors.FieldError, ...] = ()
    if isinstance(error, errors.ServiceError):
        detail, found = error.detail(language), error.fields
    elif isinstance(error, InvalidDocument | InvalidValue):
        detail = _explained(error, language, field=error.field, reason=error.message)
        found = (errors.FieldError(error.field, "{reason}", {"reason": error.message}),)
    elif isinstance(error, IngestError | GraphError):
        detail = _explained(error, language, reason=str(error))
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


def _explained(error: IngestError | GraphError, language: Language, **params: str) -> str:
    """The rooms below speak English; a Chinese sentence by the error's code goes before their reason."""
    if language == "zh" and (template := EXPLAINED.get(error.code)):
        return template.format(**params)
    return str(error)


def http_details(error: HTTPException, language: Language, *, instance: str | None = None) -> dict[str, Any]:
    """The body of problem details for what the framework refused."""
    if (reason := unreadable(error)) is not None:
        return details(reason, language, instance=instance)
    title = translate(TITLES.get(error.status_code, "The request cannot be read"), language, {})
    body = {
        "type": f"urn:kb-service:problem:http_{error.status_code}",
        "title": title,
        "status": error.status_code,
        "detail": title if error.status_code in (404, 405) else str(error.detail),
    }
    return body if instance is None else body | {"instance": instance}


def response(
    error: Exception, language: Language, *, instance: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    body = details(error, language, instance=instance)
    extra = dict(headers or {})
    if (wait := retry_after(error)) is not None:
        extra["Retry-After"] = str(wait)
    if isinstance(error, errors.Unauthenticated):
        extra["WWW-Authenticate"] = "Bearer"
    return ProblemResponse(body, status_code=int(body["status"]), headers=extra)


def install(app: FastAPI) -> None:
    """Register the handlers, so that every error of every route leaves through `response`."""

    async def known(request: Request, error: Exception) -> JSONResponse:
        return response(error, _language(request), instance=request.url.path)

    async def malformed(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return response(invalid(error.errors(), placed=True), _language(request), instance=request.url.path)

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        language = _language(request)
        if (reason := unreadable(error)) is not None:
            return response(reason, language, instance=request.url.path)
        body = http_details(error, language, instance=request.url.path)
        return ProblemResponse(body, error.status_code, headers=dict(error.headers or {}))

    for kind in KNOWN:
        app.add_exception_handler(kind, known)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(HTTPException, http)


def refusal(request: Request, error: Exception) -> JSONResponse:
    """What is answered where no route is reached."""
    return response(error, _language(request), instance=str(request.scope["path"]))


def _language(request: Request) -> Language:
    return preferred_language(request.headers.get("accept-language"))
