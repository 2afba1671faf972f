"""Markdown: YAML front matter as attributes, the rest rendered by markdown-it and read as HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import yaml
from markdown_it import MarkdownIt

from ingest.errors import EmptySource, InvalidDocument
from ingest.models import Extract
from ingest.readers import html
from ingest.readers.builder import ExtractBuilder
from ingest.readers.results import plain

_FRONT_MATTER = re.compile(
    r"\A\ufeff?\s*---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE
)
_KEY = re.compile(r"^[A-Za-z_]\w*[ \t]*:", re.MULTILINE)
_LONGEST_FRONT_MATTER = 64 * 1024


def extract(text: str) -> Extract:
    """One Extract with the front matter as attributes. Raises EmptySource, InvalidDocument (front matter)."""
    attributes, body = split_front_matter(text)
    builder = ExtractBuilder()
    write(builder, body)
    if not builder and attributes:
        raise EmptySource("holds front matter but no text; write the text below the second ---")
    return builder.build(attributes)


def write(builder: ExtractBuilder, text: str) -> None:
    """Append Markdown to an Extract under construction."""
    html.write(builder, _renderer().render(text))


def split_front_matter(text: str) -> tuple[dict[str, object], str]:
    """The attributes at the top of a text, and the text below. A `---` that opens no mapping is a ruler.

    Raises InvalidDocument.
    """
    found = _FRONT_MATTER.match(text)
    if found is None or len(found[1]) > _LONGEST_FRONT_MATTER:
        return {}, text
    try:
        value = yaml.load(found[1], _FrontMatterLoader)
        if value is None:
            return {}, text[found.end() :]
        if not isinstance(value, Mapping):
            return {}, text
        attributes = {str(key): plain(item) for key, item in value.items()}
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if not _KEY.search(found[1]):
            return {}, text
        raise InvalidDocument("front matter", f"{_place(error)}; quote values that hold a colon") from error
    return attributes, text[found.end() :]


class _FrontMatterLoader(yaml.SafeLoader):
    """Safe YAML in which nothing can be said by reference: a few nested aliases would unfold to gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: object) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias (*) is not allowed; write the value out")
        return super().compose_node(parent, index)  # type: ignore[arg-type]


def _place(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error) or type(error).__name__
    return f"line {mark.line + 2}: {problem}" if mark is not None else str(problem)


@cache
def _renderer() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True, "maxNesting": 40}).enable(["table", "strikethrough"])
