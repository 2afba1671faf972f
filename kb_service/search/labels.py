"""The names that documents carry, such as regions or kinds, and which documents carry one of some."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.language import fold
from kb_service.search.columns import Column
from kb_service.search.models import Mask


class Labels:
    """A set of names a document, in one spelling where `folded`. Equal sets share a code."""

    def __init__(self, *, folded: bool) -> None:
        self._folded = folded
        self._codes: dict[frozenset[str], int] = {}
        self._named: dict[str, list[int]] = {}
        self._unlimited: list[int] = []
        self._column: Column[np.int32] = Column(np.int32)

    def append(self, names: Iterable[str]) -> None:
        key = label_set(names) if self._folded else frozenset(names)
        code = self._codes.get(key)
        if code is None:
            code = len(self._codes)
            for name in key:
                self._named.setdefault(name, []).append(code)
            if not key:
                self._unlimited.append(code)
            self._codes[key] = code
        self._column.append(code)

    def view(self) -> LabelsView:
        return LabelsView(self._column.view(), len(self._codes), self._named, self._unlimited, self._folded)


@dataclass(frozen=True, slots=True)
class LabelsView:
    """`named` and `unlimited` go on growing under the writer; codes from `size` on are not of this view."""

    codes: NDArray[np.int32]
    size: int
    named: Mapping[str, list[int]]
    unlimited: Sequence[int]
    folded: bool

    def matching(self, names: Iterable[str], *, unlimited: bool = False) -> Mask:
        """Which documents carry one of the names, or with `unlimited` none at all; shape (documents,)."""
        table = np.zeros(self.size, dtype=np.bool_)
        keys = label_set(names) if self.folded else frozenset(names)
        found = [code for name in keys for code in tuple(self.named.get(name, ()))]
        found += self.unlimited if unlimited else ()
        table[[code for code in found if code < self.size]] = True
        return table[self.codes]


def label_set(names: Iterable[str]) -> frozenset[str]:
    """The names as they are compared: width, case and script do not tell two of them apart."""
    return frozenset(map(label_of, names))


@functools.lru_cache(maxsize=1 << 16)
def label_of(name: str) -> str:
    """A name as it is compared, see `label_set`."""
    return fold(name).strip()


def primary_language(tag: str) -> str:
    """The language of a tag without its region: zh of zh-CN."""
    return tag.replace("_", "-").partition("-")[0].casefold()
