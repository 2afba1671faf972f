"""Every text for people in both languages."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import kb_service
from graph.errors import GraphError, InvalidValue, NotAllowed
from ingest import errors as ingest_errors
from ingest.errors import CorruptSource, IngestError, InvalidDocument
from kb_service import errors, problem_details
from kb_service.messages import ZH, preferred_language, translate
from kb_service.problem_details import EXPLAINED, STATUS, TITLES, VALIDATION

ERRORS = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.ServiceError)
}
PLAIN = {"reason", "where"}
"""Holes of templates that hold no words of their own."""


def raised() -> Iterator[tuple[str, str]]:
    """`file:line` and template of every error that the code of this room makes."""
    room = Path(kb_service.__file__).parent
    for file in sorted(room.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (place := _template_place(node)) is not None:
                for template in _texts(node.args[place]) if len(node.args) > place else ():
                    yield f"{file.relative_to(room)}:{node.lineno}", template


def _template_place(node: ast.Call) -> int | None:
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in ERRORS:
            return 0
        case ast.Attribute(
            attr="of", value=ast.Name(id="InvalidRequest") | ast.Attribute(attr="InvalidRequest")
        ):
            return 1
        case ast.Name(id="FieldError") | ast.Attribute(attr="FieldError") | ast.Name(id="fault"):
            return 1
        case ast.Name(id="translate" | "_found"):
            return 0 if node.func.id == "translate" else 1
    return None


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


def templates() -> dict[str, str]:
    found = {template: place for place, template in raised()}
    found |= dict.fromkeys(VALIDATION.values(), "VALIDATION")
    found |= dict.fromkeys(TITLES.values(), "TITLES")
    return found


def holes(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_the_collection_finds_what_is_raised() -> None:
    found = set(templates())
    assert len(found) > 60
    assert "There is no problem {id} in this workspace." in found
    assert "is longer than {limit} characters; shorten it" in found
    assert "is required for an event of type {type}" in found


def test_every_template_has_a_chinese_translation() -> None:
    lacking = [f"{place}  {template!r}" for template, place in templates().items() if template not in ZH]
    assert not lacking, "\n" + "\n".join(sorted(lacking))


def test_translations_belong_to_something_and_fill_the_same_holes() -> None:
    assert set(ZH) == set(templates())
    for template, chinese in ZH.items():
        assert holes(chinese) <= holes(template), template
        assert holes(template) - holes(chinese) == set(), template
        assert any("\u4e00" <= character <= "\u9fff" for character in chinese) or holes(template) <= PLAIN, (
            template
        )


def test_a_prefixed_field_is_translated_with_its_message() -> None:
    error = errors.InvalidRequest.of("query", "is longer than {limit} characters; shorten it", limit=8)
    assert error.detail("en") == "query: is longer than 8 characters; shorten it"
    assert error.detail("zh") == "query：" + translate(
        "is longer than {limit} characters; shorten it", "zh", {"limit": 8}
    )


def test_every_error_has_a_status_with_a_title() -> None:
    assert set(STATUS.values()) <= set(TITLES)
    assert {errors.ServiceError, *errors.ServiceError.__subclasses__()} <= set(STATUS)


@pytest.mark.parametrize(
    "error",
    [
        InvalidDocument("valid_to", "must be later than valid_from"),
        InvalidValue("until", "must be later than now"),
        NotAllowed("cannot reopen problem p: it is open"),
        CorruptSource("is cut off or damaged; export it again"),
    ],
)
def test_errors_of_the_rooms_below_speak_chinese_and_keep_their_reason(error: Exception) -> None:
    chinese = problem_details.details(error, "zh")
    reason = getattr(error, "message", str(error))
    assert reason in chinese["detail"]
    assert chinese["detail"].removesuffix(reason).strip()
    assert any("\u4e00" <= character <= "\u9fff" for character in chinese["detail"])
    field = getattr(error, "field", None)
    assert field is None or (field in chinese["detail"] and chinese["errors"][0]["field"] == field)
    assert problem_details.details(error, "en")["detail"] == str(error)


def test_every_code_of_the_rooms_below_is_explained() -> None:
    def below(cls: type[Exception]) -> set[str]:
        return {cls.code, *(code for child in cls.__subclasses__() for code in below(child))}  # type: ignore[attr-defined]

    rooms = {
        cls for cls in vars(ingest_errors).values() if isinstance(cls, type) and issubclass(cls, IngestError)
    }
    assert below(IngestError) | below(GraphError) == set(EXPLAINED)
    assert {cls.code for cls in rooms} <= set(EXPLAINED)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB, zh;q=0.9", "en"),
        ("en;q=0.2, zh-TW;q=0.3", "zh"),
        ("de, fr", "en"),
        ("zh;q=0", "en"),
        ("zh;q=x", "en"),
        ("ZH-hant", "zh"),
        ("zh;q=nan", "en"),
        (",;,;q=", "en"),
    ],
)
def test_the_language_follows_the_header(header: str | None, language: str) -> None:
    assert preferred_language(header) == language
