"""Records: each row of a table, or each line of JSON, becomes a document of its own.

Options are templates over column names (`title = "{商品名称}"`). `id_template` gives the `external_id`; every
other key is an attribute of Document or a piece of content (`text`, `markdown`, `html`, `question`, `reply`).
A column that bears such a name needs no template. Columns that nothing consumed become `fields`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ingest.errors import EmptySource, IngestError, InvalidDocument
from ingest.models import Extract
from ingest.readers import html, markdown
from ingest.readers.builder import ExtractBuilder, clean, has_han
from ingest.readers.grid import cell_text
from ingest.readers.results import ReadResult, RowProblem, plain

LISTS = frozenset(("products", "regions", "tiers", "channels", "supersedes"))
ATTRIBUTES = LISTS | frozenset(
    ("external_id", "kind", "title", "language", "audience", "status", "url", "valid_from", "valid_to")
)
CONTENT = frozenset(("text", "markdown", "html", "question", "reply"))
TEMPLATES = (ATTRIBUTES | CONTENT | {"id_template"}) - {"external_id"}

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_LIST_BREAK = re.compile(r"\s*[,;|、，；\n]\s*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?$")
_LONG_FIELD = 200
_LONG_TITLE = 80


@dataclass(frozen=True, slots=True)
class Row:
    """One record as its file holds it: where it stands, and its values by column."""

    where: str
    values: Mapping[str, object]


def read(rows: Iterable[Row], columns: Sequence[str] | None, options: Mapping[str, object]) -> ReadResult:
    """An Extract per row; rows that cannot be read are reported and lose nothing of the others.

    `columns` are all that the source has, so that a template over a missing one is told at once; None when
    rows name their own. Raises InvalidDocument when a template or the id of every row is missing.
    """
    templates = _templates(options, columns)
    if columns is not None and "external_id" not in templates and "external_id" not in columns:
        raise InvalidDocument(
            "id_template", f'is missing; name a column that identifies a row, as in "faq-{{{columns[0]}}}"'
        )
    constants = {
        key: value
        for key, value in options.items()
        if key in ATTRIBUTES - {"external_id"} and key not in templates
    }
    extracts: list[Extract] = []
    problems: list[RowProblem] = []
    seen: dict[object, str] = {}
    for row in rows:
        try:
            extract = _record(row.values, templates, constants)
            identity = extract.attributes["external_id"]
            if identity in seen:
                raise InvalidDocument(
                    "external_id", f"{identity!r} is already in {seen[identity]}; give each row its own id"
                )
        except IngestError as error:
            problems.append(RowProblem.at(row.where, error))
            continue
        except ValueError as error:
            problems.append(RowProblem.at(row.where, f"cannot be read: {error}"))
            continue
        seen[identity] = row.where
        extracts.append(extract)
    if not extracts and len(problems) > 1 and all(_lacks_id(problem.error) for problem in problems):
        raise InvalidDocument(
            "external_id", "is missing in every row; if these are no documents, name the file under `ignore`"
        )
    return ReadResult(tuple(extracts), tuple(problems))


def _lacks_id(error: IngestError) -> bool:
    return isinstance(error, InvalidDocument) and error.field == "external_id"


def is_template(value: object) -> bool:
    """Whether an option is to be filled from columns."""
    if isinstance(value, str):
        return _PLACEHOLDER.search(value) is not None
    return isinstance(value, list | tuple) and any(is_template(item) for item in value)


def _templates(options: Mapping[str, object], columns: Sequence[str] | None) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for key, value in options.items():
        if key in TEMPLATES and is_template(value):
            parts = (value,) if isinstance(value, str) else tuple(str(item) for item in _sequence(value))
            found["external_id" if key == "id_template" else key] = parts
            for name in (name for part in parts for name in _PLACEHOLDER.findall(part)):
                if columns is not None and name not in columns:
                    raise InvalidDocument(
                        key, f"there is no column {name!r}; the columns are {', '.join(columns)}"
                    )
    return found


def _record(
    values: Mapping[str, object], templates: Mapping[str, tuple[str, ...]], constants: Mapping[str, object]
) -> Extract:
    attributes: dict[str, object] = dict(constants)
    content: dict[str, str] = {}
    consumed: set[str] = set()
    for key, parts in templates.items():
        consumed.update(name for part in parts for name in _PLACEHOLDER.findall(part))
        texts = [text for part in parts if (text := _filled(key, part, values))]
        if texts:
            _put(key, texts if key in LISTS else "\n\n".join(texts), attributes, content)
    for key, value in values.items():
        if key in ATTRIBUTES | CONTENT and key not in templates and cell_text(value):
            _put(key, value, attributes, content)
            consumed.add(key)
    if not attributes.get("external_id"):
        raise InvalidDocument("external_id", "is missing; give every row its own")
    rest = _fields({key: value for key, value in values.items() if key not in consumed and key != "metadata"})
    if isinstance(values.get("metadata"), Mapping):
        attributes["metadata"] = plain(values["metadata"])
    shown = {key: values.get(key) for key in _product_columns(templates)} | rest
    fields: dict[str, object] = {key: content[key] for key in ("question", "reply") if key in content}
    fields |= rest
    if fields:
        attributes["fields"] = {key: _scalar(key, value) for key, value in fields.items()}
    return _composed(attributes, content, shown)


def _filled(key: str, template: str, values: Mapping[str, object]) -> str:
    """The template with the row's values; '' when all its columns are empty. An id needs every one."""
    names = _PLACEHOLDER.findall(template)
    texts = {name: _plain_text(values.get(name)) for name in names}
    missing = [name for name in names if not texts[name]]
    if key == "external_id" and missing:
        raise InvalidDocument(
            "external_id", f"column {missing[0]!r} is empty; fill it, it identifies the row"
        )
    if names and len(missing) == len(names):
        return ""
    return clean(_PLACEHOLDER.sub(lambda found: texts[found[1]], template))


def _put(key: str, value: object, attributes: dict[str, object], content: dict[str, str]) -> None:
    if key in CONTENT:
        content[key] = _plain_text(value)
        return
    if key in LISTS:
        items = (
            _LIST_BREAK.split(value)
            if isinstance(value, str)
            else [value]
            if isinstance(value, int | float)
            else value
        )
        texts = [cell_text(part) for item in _sequence(items) for part in _LIST_BREAK.split(cell_text(item))]
        attributes[key] = [text for text in texts if text]
        return
    attributes[key] = plain(value) if isinstance(value, bool | Mapping | list) else cell_text(value)


def _plain_text(value: object) -> str:
    return clean(value) if isinstance(value, str) else cell_text(value)


def _fields(values: Mapping[str, object]) -> dict[str, object]:
    """Columns that hold something; a `fields` object of a JSON line is laid open."""
    nested = values.get("fields")
    inner = nested if isinstance(nested, Mapping) else {}
    outer = {
        key: value for key, value in values.items() if not (key == "fields" and isinstance(nested, Mapping))
    }
    return {str(key): value for key, value in {**inner, **outer}.items() if cell_text(value)}


def _scalar(name: str, value: object) -> str | int | float | bool:
    """A field's value: a text that reads as a number is one, unless leading zeros or length say code."""
    if isinstance(value, Mapping) or (
        isinstance(value, list | tuple) and any(isinstance(i, Mapping | list) for i in value)
    ):
        raise InvalidDocument(f"fields.{name}", "is nested; give each part a column of its own")
    if isinstance(value, list | tuple):
        return ", ".join(cell_text(item) for item in value)
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e15 else float(format(value, ".15g"))
    if isinstance(value, int):
        return value
    text = _plain_text(value)
    if _NUMBER.match(text):
        return float(text) if "." in text else int(text)
    return {"true": True, "false": False}.get(text.lower(), text)


def _product_columns(templates: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """The columns behind `products`: a SKU is asked for by name, so it is shown although it is consumed."""
    return (name for part in templates.get("products", ()) for name in _PLACEHOLDER.findall(part))


def _composed(
    attributes: dict[str, object], content: Mapping[str, str], fields: Mapping[str, object]
) -> Extract:
    """The record's text: question and reply, or its title, its fields line by line, and its prose."""
    builder = ExtractBuilder()
    title = str(attributes.get("title") or "")
    is_exchange = "question" in content or "reply" in content
    if is_exchange:
        builder.question(content.get("question", ""))
        builder.reply(content.get("reply", ""))
        title = title or _shortened(content.get("question") or content.get("reply", ""))
    else:
        builder.heading(1, title)
        for name, value in fields.items():
            _show(builder, name, value)
    writers: Mapping[str, Callable[[ExtractBuilder, str], None]] = {
        "text": ExtractBuilder.prose,
        "markdown": markdown.write,
        "html": html.write,
    }
    for key, write in writers.items():
        if content.get(key):
            write(builder, content[key])
    if not builder:
        raise EmptySource("holds no text; fill a column besides the id, or take the row out")
    extract = builder.build()
    return replace(extract, attributes={**attributes, "title": title} if title else attributes)


def _show(builder: ExtractBuilder, name: str, value: object) -> None:
    if isinstance(value, list | tuple):
        text = ", ".join(map(cell_text, value))
    elif isinstance(value, bool):
        text = ("是" if value else "否") if has_han(name) else ("yes" if value else "no")
    else:
        text = _plain_text(value)
    if not text:
        return
    if len(text) > _LONG_FIELD or "\n\n" in text:
        builder.prose(f"{name}: {text}")
    else:
        builder.field(f"{name}: {text}")


def _shortened(text: str) -> str:
    line = text.split("\n")[0].strip()
    return line if len(line) <= _LONG_TITLE else line[: _LONG_TITLE - 1].rstrip() + "…"


def _sequence(value: object) -> Sequence[object]:
    if isinstance(value, list | tuple):
        return value
    raise ValueError(f"{value!r} should be a list or a text")
