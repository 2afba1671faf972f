"""Every text of the console in both languages."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter

import pytest

import kb_service.console
from kb_service.console.pages.desk import VIEWS
from kb_service.console.rendering import said
from kb_service.console.taken_back import GIVEN, QUEUED, REOPENED, TAKEN
from kb_service.console.words import EN, PARTS, ZH
from kb_service.messages import ZH as MESSAGES

CONSOLE = Path(kb_service.console.__file__).parent
TEMPLATES = CONSOLE / "templates"
WRITTEN_FOR_PROGRAMS = ("detail ", "value ", "mask ", "blank ", "language ", "attribute ", "outcome is ")
"""What keys begin with that stand for names in data."""
DONE = re.compile(r'\bdone\(\s*"([^"]+)"')
PLAIN = re.compile(r"""_\(\s*(?:"([^"]+)"|'([^']+)')""")
JOINED = re.compile(r"""_\(\s*(?:"([^"]+ )"|'([^']+ )')\s*\+""")


def texts() -> set[str]:
    """What templates and notices say; of a text that is put together, all that begin so."""
    found = {
        text
        for source in (*(CONSOLE / "pages").glob("*.py"), CONSOLE / "articles.py")
        for text in DONE.findall(source.read_text("utf-8"))
    }
    found |= {*TAKEN.values(), *GIVEN.values(), *QUEUED.values(), REOPENED}
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
        *("yes", "no", "Entry {number}: {message}"),
        *(key for key in ZH if key.startswith(WRITTEN_FOR_PROGRAMS)),
    }
    assert set(ZH) - texts() <= values


def test_a_text_and_its_translation_hold_the_same_values() -> None:
    def values(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    for text, chinese in ZH.items():
        assert values(EN.get(text, text)) == values(chinese), text


def test_a_key_that_is_no_english_has_its_english() -> None:
    joined = [
        match[1] or match[2]
        for template in TEMPLATES.rglob("*.html")
        for match in JOINED.finditer(template.read_text("utf-8"))
    ]
    assert joined
    whole = {
        match[1] or match[2]
        for template in TEMPLATES.rglob("*.html")
        for match in PLAIN.finditer(template.read_text("utf-8"))
    }
    for key in set(ZH) - whole:
        if any(key.startswith(prefix) for prefix in joined):
            assert key in EN, key
    assert {f"view {view}" for view in VIEWS} <= set(EN)


@pytest.mark.parametrize("key", sorted(EN))
def test_an_english_text_belongs_to_a_key(key: str) -> None:
    assert key in ZH


@pytest.mark.parametrize("other", ["工单", "领域", "复核", "自动答复", "告警"])
def test_a_thing_has_one_name_in_chinese(other: str) -> None:
    """会话, 专长, 审核, 自动回复 and 预警 are what these are called; a ticket is a channel."""
    assert [key for key, text in ZH.items() if other in text] == (
        ["channel ticket"] if other == "工单" else []
    )
    assert [key for key, text in MESSAGES.items() if other in text] == []


SPOKEN = ("title", "aria-label", "placeholder", "alt", "data-done")
JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
SAID_AS_IT_IS = {"English", "中文", "Enter", "Esc", "Shift", "Ctrl"}
"""The languages, each by its own name, and keys as they are printed; commands stand in <pre> and <code>."""


class _Said(HTMLParser):
    """What a template says by itself, without any value."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("pre", "code", "style", "script"):
            self.inside.append(tag)
        self.said += [value for name, value in attrs if name in SPOKEN and value]

    def handle_endtag(self, tag: str) -> None:
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.said.append(data)


@pytest.mark.parametrize("template", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_a_template_says_nothing_that_is_not_translated(template: Path) -> None:
    read = _Said()
    read.feed(JINJA.sub(" ", template.read_text("utf-8")))
    words = {word for text in read.said for word in re.findall(r"[A-Za-z]{2,}|[\u4e00-\u9fff]+", text)}
    assert words <= SAID_AS_IT_IS


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 customers"), (1, "1 customer"), (21, "21 customers"), ("0.1", "0.1 customers")]
)
def test_one_of_many_is_told_as_one(count: object, told: str) -> None:
    text = "{customers} customers, {events} messages"
    assert said(text, "en", customers=count, events=1) == f"{told}, 1 message"
    assert said(text, "zh", customers=count, events=1) == f"{count} 位顾客，1 条消息"
