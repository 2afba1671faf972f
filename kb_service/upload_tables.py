"""A table that was uploaded, read as one document or as a document for each row, by columns that somebody chose."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any, Literal, TypeAlias

from ingest.redaction import redact_value

Reading: TypeAlias = Literal["one", "rows"]
TABLES = frozenset({".csv", ".tsv", ".xlsx"})
"""Extensions of files that may be one document or one for each row."""
NUMBER = "#"
"""The column that holds a row's number, where the table has none that tells its rows apart."""
_NAMED: Mapping[str, tuple[str, ...]] = {
    "id": ("external_id", "id", "sku", "编号", "货号", "序号"),
    "title": ("title", "name", "标题", "名称", "商品名称", "question", "问题"),
    "question": ("question", "问题", "提问"),
    "text": (
        "reply",
        "answer",
        "答复",
        "回复",
        "答案",
        "text",
        "content",
        "description",
        "正文",
        "内容",
        "说明",
    ),
}
"""What columns are called that hold each part, in the order in which they are looked for."""


@dataclass(frozen=True, slots=True)
class TableReading:
    """How a table is read. By rows, columns make the parts: `id` tells rows apart, `NUMBER` being the row's number;
    `title` names them; without a `question` the columns of `text` are a text, with one they are the reply to it."""

    reading: Reading
    id: str = NUMBER
    title: str = ""
    question: str = ""
    text: tuple[str, ...] = ()

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> TableReading:
        return cls(**{**content, "text": tuple(content["text"])})

    def content(self) -> dict[str, Any]:
        return asdict(self) | {"text": list(self.text)}

    def templates(self, stem: str) -> dict[str, str]:
        """The templates over columns that make a row a document, as a collection.toml has them."""
        column = "{" + self.id + "}"
        found = {"id_template": column if self.id == "external_id" else f"{stem}-{column}"}
        if self.title:
            found["title"] = "{" + self.title + "}"
        if self.question:
            found["question"] = "{" + self.question + "}"
        if self.text:
            said = "\n\n".join("{" + name + "}" for name in self.text)
            found["reply" if self.question else "text"] = said
        return found


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file, each with its cells by column."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, str]], *, masked: bool) -> Table:
        """With `masked` without the personal data that the rows hold."""
        columns = tuple(dict.fromkeys(name for row in rows for name in row))
        cells = (
            tuple(redact_value(name, row.get(name, "")) if masked else row.get(name, "") for name in columns)
            for row in rows
        )
        return cls(columns, tuple(cells))

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Table:
        return cls(tuple(content["columns"]), tuple(map(tuple, content["rows"])))

    def content(self) -> dict[str, Any]:
        return {"columns": list(self.columns), "rows": [list(row) for row in self.rows]}

    @property
    def characters(self) -> int:
        return sum(len(cell) for row in self.rows for cell in row)

    def written(self, *, numbered: bool) -> bytes:
        """The table as a CSV file, its rows `numbered` where it has no such column."""
        more = numbered and NUMBER not in self.columns
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow([*self.columns, NUMBER] if more else self.columns)
        writer.writerows([*row, str(number)] if more else row for number, row in enumerate(self.rows, 1))
        return out.getvalue().encode()

    def guessed(self) -> TableReading:
        """The columns that most likely make the parts of a row's document: by what they are called, else by what
        they hold."""
        rest = list(self.columns)
        found = {part: _called(rest, names) for part, names in _NAMED.items()}
        id = found["id"] if found["id"] and self._tells_apart(found["id"]) else NUMBER
        text = found["text"] or max(
            (name for name in rest if name not in (id, found["title"])), key=self._length, default=""
        )
        title = found["title"] or next((name for name in rest if name not in (id, text)), text)
        return TableReading("rows", id, title, found["question"], (text,) if text else ())

    def _length(self, column: str) -> int:
        place = self.columns.index(column)
        return sum(len(row[place]) for row in self.rows)

    def _tells_apart(self, column: str) -> bool:
        place = self.columns.index(column)
        values = [row[place] for row in self.rows]
        return all(values) and len(set(values)) == len(values)


def stem_of(name: str) -> str:
    """What the ids of a file's rows begin with."""
    return PurePath(name).stem or "row"


def is_table(name: str) -> bool:
    return PurePath(name).suffix.lower() in TABLES


def _called(columns: Sequence[str], names: Sequence[str]) -> str:
    by_name = {column.strip().lower(): column for column in reversed(columns)}
    return next((by_name[name] for name in names if name in by_name), "")
