"""Every text of the console in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import kb_service.console
from kb_service.console.pages.desk import VIEWS
from kb_service.console.words import EN, PARTS, ZH

CONSOLE = Path(kb_service.console.__file__).parent
TEMPLATES = CONSOLE / "templates"
DONE = re.compile(r'\bdone\(\s*"([^"]+)"')
PLAIN = re.compile(r"""_\(\s*(?:"([^"]+)"|'([^']+)')""")
JOINED = re.compile(r"""_\(\s*(?:"([^"]+ )"|'([^']+ )')\s*\+""")


def texts() -> set[str]:
    """What templates and notices say; of a text that is put together, all that begin so."""
    found = {
        text
        for source in (CONSOLE / "pages").glob("*.py")
        for text in DONE.findall(source.read_text("utf-8"))
    }
    for template in TEMPLATES.rglob("*.html"):
        for match in PLAIN.finditer(template.read_text("utf-8")):
            text = match[1] or match[2]
            found |= {key for key in ZH if key.startswith(text)} if text.endswith(" ") else {text}
    return found


def test_every_text_of_a_template_has_its_chinese() -> None:
    assert len(texts()) > 50
    assert texts() <= set(ZH)


def test_a_text_stands_in_one_part_alone() -> None:
    assert sum(len(part.ZH) for part in PARTS) == len(ZH)


def test_nothing_is_translated_that_nobody_says() -> None:
    values = {
        *("candidate", "open", "acknowledged", "resolved", "regressed", "silenced"),
        *("burst", "recurrence", "growth", "regression"),
        *("low", "normal", "high", "urgent", "angry", "upset", "neutral", "pleased"),
        *("customer", "agent", "bot", "public", "internal", "approved", "draft", "emerging", "evergreen"),
    }
    assert set(ZH) - texts() <= values


def test_a_text_and_its_translation_hold_the_same_values() -> None:
    def values(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    for text, chinese in ZH.items():
        assert values(text) == values(chinese), text


def test_a_key_that_is_no_english_has_its_english() -> None:
    joined = [
        match[1] or match[2]
        for template in TEMPLATES.rglob("*.html")
        for match in JOINED.finditer(template.read_text("utf-8"))
    ]
    assert joined
    for key in ZH:
        if any(key.startswith(prefix) for prefix in joined):
            assert key in EN, key
    assert {f"view {view}" for view in VIEWS} <= set(EN)


@pytest.mark.parametrize("key", sorted(EN))
def test_an_english_text_belongs_to_a_key(key: str) -> None:
    assert key in ZH
