"""Every machine code that a decision can hold has words in both languages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

import graph
import kb_service
from graph.assignment import PlacementReason
from graph.priority import DEFAULT_WEIGHTS, SAFETY
from kb_service.messages import Language
from kb_service.models import Trigger
from kb_service.people.decision_words import words_in
from kb_service.people.inactivity import Cause
from kb_service.store import Decision

LANGUAGES: tuple[Language, ...] = ("zh", "en")
AT = datetime(2026, 6, 1, tzinfo=UTC)
REASONS: dict[str, tuple[str, ...]] = {
    "assignment": get_args(PlacementReason),
    "reassignment": (*get_args(PlacementReason), *get_args(Cause)),
    "handover": ("handed_over", *get_args(Trigger)),
    "consultation": ("consulted",),
    "manual": ("by_hand", "out_of_turn"),
}
FACTORS = {*DEFAULT_WEIGHTS, SAFETY, "limit"}
CANDIDATE: dict[str, Any] = {"load": 2, "estimate": None, "terms": {}}


def calls(room: Any, *names: str) -> Iterator[ast.Call]:
    """The calls of some functions by name in the modules of a room that speak of the first of them."""
    for file in sorted(Path(next(iter(room.__path__))).rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)) if names[0] in source else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield node


def texts(node: ast.expr) -> Iterator[str]:
    """The texts that an expression can be, as far as they stand in it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)


def given(call: ast.Call, name: str) -> set[str]:
    return {text for keyword in call.keywords if keyword.arg == name for text in texts(keyword.value)}


def said(kind: Any, reason: str, language: Language, agent: str | None = None) -> str:
    decision = Decision("d", AT, kind, "c", "rules", reason, agent_id=agent, previous_agent_id="b")
    return words_in(language).outcome(decision, lambda id: {"a": "甲", "b": "乙"}.get(id or "", "?"))


def is_told(text: str, code: str, language: Language) -> bool:
    plain = language == "en" or not any(character.isascii() and character.isalpha() for character in text)
    return bool(text) and plain and not ("_" in code and code in text)


def test_every_reason_that_is_written_is_one_of_these() -> None:
    written = {
        reason for call in calls(kb_service, "Decision", "replace") for reason in given(call, "reason")
    }
    assert {"handed_over", "consulted", "by_hand", "out_of_turn"} <= written
    assert written <= {reason for reasons in REASONS.values() for reason in reasons}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("kind", "reason"), [(kind, reason) for kind, reasons in REASONS.items() for reason in reasons]
)
def test_every_reason_has_words(kind: str, reason: str, language: Language) -> None:
    agent = None if kind in ("handover", "reassignment") or reason in get_args(PlacementReason)[1:] else "a"
    assert is_told(said(kind, reason, language, agent), reason, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_reasons_are_told_apart(language: Language) -> None:
    waits = [reason for reason in get_args(PlacementReason) if reason != "assigned"]
    for kind, reasons in (
        ("assignment", waits),
        ("handover", REASONS["handover"]),
        ("reassignment", get_args(Cause)),
    ):
        found = [said(kind, reason, language) for reason in reasons]
        assert len(set(found)) == len(found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_term_of_a_score_has_words(language: Language) -> None:
    """A term with a weight can speak against a candidate; `limit` only makes the sum fit."""
    weighed = {code for call in calls(graph, "Reason") if len(call.args) > 2 for code in texts(call.args[0])}
    assert {"skill", "load", "fairness"} <= weighed
    for code in weighed - {"limit"}:
        text = words_in(language).worse(code, CANDIDATE, CANDIDATE)
        assert is_told(text, code, language), code
        assert text != words_in(language).worse("unheard_of", CANDIDATE, CANDIDATE).replace(
            "unheard_of", code
        )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("factor", sorted(FACTORS))
def test_every_factor_of_a_priority_has_words(factor: str, language: Language) -> None:
    told = {"factor": factor, "points": 3.0, "evidence": "三天" if language == "zh" else "three days"}
    for band in ("low", "normal", "high", "urgent"):
        text = words_in(language).priority({"score": 50, "band": band, "contributions": [told]})
        assert is_told(text, factor, language)
