"""Tables with a row for each region: of these the one answers that is asked about, or the customer's own. Pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.language import fold
from ingest.models import Passage
from kb_service.replying.cells import table_of
from kb_service.search.places import holds

_BETWEEN = re.compile(r"\s*(?:[,，、/／&()（）]|\band\b|和|及)\s*")
_CELLS = re.compile(r"[；;]\s?")
_LABEL = re.compile(r"[：:]\s?")


@dataclass(frozen=True, slots=True)
class Placed:
    """A document for a customer of one region: `passages` without the rows for others, `rows` the ids of those that
    name it."""

    passages: tuple[Passage, ...]
    rows: frozenset[str] = frozenset()

    def instead_of(self, shown: Passage) -> Passage:
        """The passage that was found, or where it is a row for others the first of its table that names the region."""
        if shown.role != "row" or shown in self.passages:
            return shown
        table = table_of(shown)
        return next((row for row in self.passages if row.id in self.rows and table_of(row) == table), shown)


def for_region(document: Sequence[Passage], names: Sequence[str], question: str) -> Placed:
    """What of a document is for a region, which has these `names`: of a table whose first column has the region and
    others, the rows of the region. A question that names another row is answered from the whole table."""
    asked, own = fold(question), {fold(name) for name in names}
    kept: list[Passage] = []
    named: set[str] = set()
    for _, run in itertools.groupby(document, key=lambda passage: table_of(passage) or passage.id):
        table = list(run)
        keys = [_keys(row) for row in table]
        ours = [row for row, key in zip(table, keys, strict=True) if row.role == "row" and key & own]
        others = [name for key in keys if not key & own for name in key]
        if 0 < len(ours) < len(table) and not any(holds(asked, name) for name in others):
            kept += ours
            named |= {row.id for row in ours}
        else:
            kept += table
    return Placed(tuple(kept), frozenset(named))


def _keys(row: Passage) -> frozenset[str]:
    """What the first cell of a row names: one place or several, as they are compared."""
    first = _CELLS.split(row.text)[0]
    value = _LABEL.split(first, maxsplit=1)[-1]
    return frozenset(part for part in map(str.strip, _BETWEEN.split(fold(value))) if part)
