"""Conflicts that one decision settles stand together, and no pair of documents is parted."""

from __future__ import annotations

from kb_service.care.conflict_groups import grouped
from kb_service.care.conflict_watch import Conflict, ConflictSide


def side(name: str, start: int = 0) -> ConflictSide:
    plain = (name, name.upper(), "policy", "en", None, (), "A quote.", start, start + 8, None, None)
    return ConflictSide(*plain, passage_id=f"{name}-{start}", version=1)  # type: ignore[arg-type]


def conflict(one: ConflictSide, other: ConflictSide, score: float = 0.9) -> Conflict:
    id = f"{one.document_id}{one.start}-{other.document_id}{other.start}"
    return Conflict(id, "quantity", score, ("returning",), {"en": id}, (one, other), None, None)


def test_two_contradictions_of_one_pair_are_one_group() -> None:
    (group,) = grouped([conflict(side("a"), side("b")), conflict(side("b", 40), side("a", 50))])
    assert (group.one.document_id, [item.document_id for item in group.others]) == ("a", ["b"])
    assert [item.documents[0].document_id for item in group.conflicts] == ["a", "a"]


def test_documents_that_contradict_the_same_statement_are_one_group() -> None:
    found = [conflict(side("b"), side("a")), conflict(side("a"), side("c")), conflict(side("c"), side("d"))]
    first, second = grouped(found)
    assert (first.one.document_id, {item.document_id for item in first.others}) == ("a", {"b", "c"})
    assert (second.one.document_id, [item.document_id for item in second.others]) == ("c", ["d"])


def test_every_conflict_is_in_one_group_and_a_pair_is_never_parted() -> None:
    found = [
        conflict(side("a", start), side(other, start))
        for start, other in ((0, "b"), (0, "c"), (9, "b"), (9, "d"), (30, "e"))
    ]
    groups = grouped(found)
    assert sorted(item.id for group in groups for item in group.conflicts) == sorted(c.id for c in found)
    pairs = [(group.one.document_id, other.document_id) for group in groups for other in group.others]
    assert len(pairs) == len({frozenset(pair) for pair in pairs})


def test_the_surest_group_comes_first() -> None:
    weak, strong = conflict(side("a"), side("b"), 0.5), conflict(side("c"), side("d"), 0.9)
    assert [group.score for group in grouped([weak, strong])] == [0.9, 0.5]
