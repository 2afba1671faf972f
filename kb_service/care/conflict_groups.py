"""Conflicts that one decision settles: those of one statement with several documents, else those of a pair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from kb_service.care.conflict_watch import Conflict, ConflictSide

Statement: TypeAlias = tuple[str, int, int]
"""A document and where in its text it says something."""


@dataclass(frozen=True, slots=True)
class ConflictGroup:
    """Conflicts between a document, `one`, and `others`: one other, or all that contradict the same statement of it.

    The first side of each conflict is that of `one`.
    """

    one: ConflictSide
    others: tuple[ConflictSide, ...]
    conflicts: tuple[Conflict, ...]

    @property
    def score(self) -> float:
        return max(item.score for item in self.conflicts)

    @property
    def id(self) -> str:
        return self.conflicts[0].id


def grouped(conflicts: Iterable[Conflict]) -> list[ConflictGroup]:
    """Every conflict in one group; a pair of documents is never parted. The surest groups come first."""
    pairs: dict[frozenset[str], list[Conflict]] = {}
    for conflict in conflicts:
        pairs.setdefault(_pair(conflict), []).append(conflict)
    stated: dict[Statement, set[frozenset[str]]] = {}
    for pair, found in pairs.items():
        for conflict in found:
            for side in conflict.documents:
                stated.setdefault((side.document_id, side.start, side.end), set()).add(pair)
    groups = []
    # The statement that most documents contradict takes its pairs first.
    for (name, _, _), shared in sorted(stated.items(), key=lambda item: (-len(item[1]), item[0])):
        own = [pair for pair in pairs if pair in shared]
        if len(own) > 1:
            groups.append(_group(name, [item for pair in own for item in pairs.pop(pair)]))
    groups += [_group(_named_first(found), found) for found in pairs.values()]
    return sorted(groups, key=lambda group: (-group.score, group.id))


def _group(name: str, conflicts: Sequence[Conflict]) -> ConflictGroup:
    turned = tuple(_turned(item, name) for item in sorted(conflicts, key=lambda item: (-item.score, item.id)))
    others: Mapping[str, ConflictSide] = {
        item.documents[1].document_id: item.documents[1] for item in reversed(turned)
    }
    return ConflictGroup(turned[0].documents[0], tuple(others[key] for key in sorted(others)), turned)


def _turned(conflict: Conflict, name: str) -> Conflict:
    """A conflict with the side of a document first."""
    one, other = conflict.documents
    return conflict if one.document_id == name else replace(conflict, documents=(other, one))


def _pair(conflict: Conflict) -> frozenset[str]:
    return frozenset(side.document_id for side in conflict.documents)


def _named_first(conflicts: Sequence[Conflict]) -> str:
    return conflicts[0].documents[0].document_id
