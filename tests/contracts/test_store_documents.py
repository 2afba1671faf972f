"""Documents, versions, passages, vectors, and the files they came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from ingest.models import Document
from kb_service.store import Change, Store, Written
from tests.conftest import FixedClock
from tests.contracts.store_samples import (
    MODEL,
    TEXT,
    a_document,
    passages_of,
    put_document,
    rows,
    vectors_of,
)


def test_a_document_comes_back_as_it_went(store: Store, clock: FixedClock) -> None:
    document = a_document()
    with store.writing("shop") as unit:
        assert unit.documents.next_version("policy-returns") == 1
        assert put_document(unit, document, source="returns.md") == 1
    with store.reading("shop") as unit:
        stored = unit.documents.get("policy-returns")
        head = unit.documents.head("policy-returns")
    assert stored is not None
    assert stored.document == document
    assert list(stored.document.fields) == ["运费", "天数", "b", "a"], "the order of attributes is the shop's"
    assert (stored.version, stored.created_at, stored.updated_at) == (1, clock.now, clock.now)
    assert head is not None
    assert (head.version, head.content_hash, head.source) == (1, document.content_hash, "returns.md")


def test_a_bare_document_comes_back_too(store: Store) -> None:
    document = Document("faq-1", "faq", "", "", (), "und")
    with store.writing("shop") as unit:
        unit.documents.put(document, ())
        assert unit.documents.get("faq-1") is not None
        assert unit.documents.get("faq-1").document == document  # type: ignore[union-attr]
        assert list(unit.documents.passages(["faq-1"])) == []


def test_a_change_keeps_the_version_before(store: Store, clock: FixedClock) -> None:
    first, second = a_document(), a_document(title="退货政策(新)", text=TEXT + "\n新")
    begin = clock.now
    with store.writing("shop") as unit:
        put_document(unit, first, source="old.md")
    clock.advance(days=1)
    with store.writing("shop") as unit:
        assert unit.documents.next_version("policy-returns") == 2
        assert put_document(unit, second) == 2
    with store.reading("shop") as unit:
        versions = unit.documents.versions("policy-returns")
        assert [stored.document for stored in versions] == [second, first]
        assert [stored.version for stored in versions] == [2, 1]
        assert [stored.source for stored in versions] == [None, "old.md"]
        assert [stored.updated_at for stored in versions] == [clock.now, begin]
        assert {stored.created_at for stored in versions} == {begin}
        assert unit.documents.version("policy-returns", 1) == versions[1]
        assert unit.documents.version("policy-returns", 2) == versions[0]
        assert unit.documents.version("policy-returns", 3) is None
        assert {stored.passage.version for stored in unit.documents.passages()} == {2}
        assert unit.documents.passage_count() == 4
        assert unit.changes.since(0) == [
            Change(1, "document", "policy-returns", 1),
            Change(2, "document", "policy-returns", 2),
        ]


def test_passages_come_in_order_with_their_vectors(store: Store) -> None:
    documents = [a_document("b"), a_document("a")]
    with store.writing("shop") as unit:
        for document in documents:
            put_document(unit, document)
    with store.reading("shop") as unit:
        found = list(unit.documents.passages(model_id=MODEL))
        assert [(one.passage.external_id, one.passage.ordinal) for one in found] == [
            (id, ordinal) for id in "ab" for ordinal in range(3)
        ]
        assert tuple(one.passage for one in found[:3]) == passages_of(documents[1], "shop", 1)
        for one, vector in zip(found, np.vstack([vectors_of(3), vectors_of(3)]), strict=True):
            assert one.vector is not None
            assert one.vector.dtype == np.float32
            np.testing.assert_array_equal(one.vector, vector)
        assert all(one.vector is None for one in unit.documents.passages(["a"], "another-model"))
        assert all(one.vector is None for one in unit.documents.passages())
        some = [found[0].passage.id, found[4].passage.id]
        assert set(unit.documents.passages_by_id([*some, "nothing"], MODEL)) == set(some)
        assert list(unit.documents.passages([])) == []


def test_a_second_models_vectors_stand_beside_the_first(store: Store) -> None:
    with store.writing("shop") as unit:
        put_document(unit, a_document())
        waiting = unit.documents.without_vectors("new-model", limit=2)
        assert [passage.ordinal for passage in waiting] == [0, 1]
        unit.documents.put_vectors([passage.id for passage in waiting], vectors_of(2, 16), "new-model")
        assert [passage.ordinal for passage in unit.documents.without_vectors("new-model", 9)] == [2]
        assert unit.documents.without_vectors(MODEL, 9) == ()
        assert [
            None if one.vector is None else len(one.vector)
            for one in unit.documents.passages(model_id="new-model")
        ] == [16, 16, None]
        assert unit.documents.drop_vectors(MODEL) == 3
        assert unit.documents.drop_vectors(MODEL) == 0
        assert len(unit.documents.without_vectors(MODEL, 9)) == 3


def test_vectors_of_the_same_space_stand_in_until_a_model_has_its_own(store: Store) -> None:
    with store.writing("shop") as unit:
        put_document(unit, a_document())
        ids = [stored.passage.id for stored in unit.documents.passages()]
        unit.documents.put_vectors(ids, vectors_of(3, 16), "mini+zh:old")
        unit.documents.put_vectors(ids[:1], vectors_of(1, 24), "mini+zh:new")

        def lengths(model_id: str) -> list[int | None]:
            held = unit.documents.passages(model_id=model_id)
            return [None if one.vector is None else len(one.vector) for one in held]

        assert lengths("mini+zh:new") == [24, 16, 16]
        assert lengths("mini+zh:old") == [16, 16, 16]
        assert lengths("mini") == lengths("other+zh:new") == lengths("min_+zh:new") == [None, None, None]
        assert [one.ordinal for one in unit.documents.without_vectors("mini+zh:new", 9)] == [1, 2]


def test_vectors_must_fit_their_passages(store: Store) -> None:
    document = a_document()
    with store.writing("shop") as unit:
        passages = passages_of(document, "shop", 1)
        with pytest.raises(ValueError, match="3 passages"):
            unit.documents.put_vectors([passage.id for passage in passages], vectors_of(2), MODEL)
        with pytest.raises(ValueError, match="id of the model"):
            unit.documents.put_vectors([passages[0].id], vectors_of(1), None)


def test_documents_stored_together_are_as_if_one_after_the_other(store: Store) -> None:
    old, new, third = a_document("a"), a_document("a", text="# 退货\n\n三十天。", blocks=()), a_document("b")
    with store.writing("shop") as unit:
        put_document(unit, old)
    with store.writing("shop") as unit:
        versions = unit.documents.put_many(
            [
                Written(third, passages_of(third, "shop", 1), vectors_of(3), "b.md"),
                Written(new, passages_of(new, "shop", 2), vectors_of(3)),
            ],
            MODEL,
        )
        assert versions == [1, 2]
    with store.reading("shop") as unit:
        assert {name: head.version for name, head in unit.documents.heads().items()} == {"a": 2, "b": 1}
        assert [stored.document for stored in unit.documents.versions("a")] == [new, old]
        assert unit.documents.heads()["b"].source == "b.md"
        assert all(one.vector is not None for one in unit.documents.passages(model_id=MODEL))
        assert [change.id for change in unit.changes.since(1)] == ["b", "a"]


def test_each_document_of_many_needs_vectors_of_its_own(store: Store) -> None:
    one, other = a_document("a"), a_document("b")
    written = [
        Written(one, passages_of(one, "shop", 1), vectors_of(2)),
        Written(other, passages_of(other, "shop", 1), vectors_of(4)),
    ]
    with store.writing("shop") as unit:
        with pytest.raises(ValueError, match="3 passages of 'a'"):
            unit.documents.put_many(written, MODEL)
        assert unit.documents.count() == 0


def test_passages_must_be_of_the_version_to_come(store: Store) -> None:
    document = a_document()
    for wrong in (passages_of(document, "shop", 2), passages_of(a_document("other-id"), "shop", 1)):
        with (
            store.writing("shop") as unit,
            pytest.raises(ValueError, match="next_version"),
        ):
            unit.documents.put(document, wrong)


def test_a_removed_document_is_gone_and_its_numbers_are_not_given_again(store: Store, store_url: str) -> None:
    with store.writing("shop") as unit:
        put_document(unit, a_document())
        put_document(unit, a_document(title="2"))
    with store.writing("shop") as unit:
        assert unit.documents.remove("policy-returns") is True
        assert unit.documents.remove("policy-returns") is False
        assert unit.documents.next_version("policy-returns") == 3
    with store.reading("shop") as unit:
        assert unit.documents.get("policy-returns") is None
        assert unit.documents.head("policy-returns") is None
        assert unit.documents.versions("policy-returns") == ()
        assert unit.documents.version("policy-returns", 1) is None
        assert unit.changes.since(1) == [Change(2, "document_removed", "policy-returns", 2)]
    left = rows(store_url, "shop")
    assert not any(left[name] for name in ("documents", "document_versions", "passages", "passage_vectors"))
    with store.writing("shop") as unit:
        assert put_document(unit, a_document()) == 3
        assert unit.documents.remove("policy-returns") is True
        assert put_document(unit, a_document()) == 4


def test_heads_counts_and_pages(store: Store) -> None:
    languages = ["zh", "en"]
    with store.writing("shop") as unit:
        for number in range(7):
            put_document(
                unit,
                a_document(
                    f"doc-{number}", language=languages[number % 2], kind="faq" if number < 2 else "policy"
                ),
            )
    with store.reading("shop") as unit:
        assert sorted(unit.documents.heads()) == [f"doc-{number}" for number in range(7)]
        assert sorted(unit.documents.heads(["doc-3", "nothing"])) == ["doc-3"]
        assert [one.document.external_id for one in unit.documents.all(["doc-5", "doc-0"])] == [
            "doc-0",
            "doc-5",
        ]
        assert len(list(unit.documents.all())) == 7
        kinds = [one.document.external_id for one in unit.documents.of_kind("faq")]
        assert kinds == ["doc-0", "doc-1"]
        assert unit.documents.count() == 7
        assert unit.documents.count("faq") == 2
        seen: list[str] = []
        cursor = None
        while True:
            page = unit.documents.page(cursor, limit=3)
            seen += [one.document.external_id for one in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert seen == [f"doc-{number}" for number in range(7)]
        conditions: list[dict[str, str]] = [
            {"kind": "faq"},
            {"language": "en"},
            {"audience": "public"},
            {"status": "draft", "kind": "policy", "language": "zh"},
        ]
        found = [
            [one.document.external_id for one in unit.documents.page(**some).items] for some in conditions
        ]
        assert found == [["doc-0", "doc-1"], ["doc-1", "doc-3", "doc-5"], [], ["doc-2", "doc-4", "doc-6"]]


def test_a_full_page_at_the_end_has_no_next(store: Store) -> None:
    with store.writing("shop") as unit:
        for number in range(4):
            put_document(unit, a_document(f"doc-{number}"))
        page = unit.documents.page(limit=2)
        assert page.next_cursor is not None
        assert unit.documents.page(page.next_cursor, limit=2).next_cursor is None


def test_characters_that_a_database_refuses_are_replaced_one_for_one(store: Store) -> None:
    text = "a\x00b\ud800c退"
    document = a_document("odd\x00id", text, title="t\x00", fields={"k\x00": "v\udfff", "n": float("nan")})
    with store.writing("shop") as unit:
        put_document(unit, document)
        stored = unit.documents.get("odd\x00id")
        assert stored is not None
        assert stored.document.text == "a\ufffdb\ufffdc退"
        assert stored.document.fields == {"k\ufffd": "v\ufffd", "n": None}
        assert next(unit.documents.passages(["odd\x00id"])).passage.text == "a\ufffdb\ufffdc退"


def test_a_superseded_document_need_not_exist(store: Store) -> None:
    with store.writing("shop") as unit:
        put_document(unit, a_document(supersedes=("never-seen", "nor-this")))
        stored = unit.documents.get("policy-returns")
    assert stored is not None
    assert stored.document.supersedes == ("never-seen", "nor-this")


def test_many_ids_are_asked_for_in_pieces(store: Store) -> None:
    with store.writing("shop") as unit:
        put_document(unit, a_document())
        many = ["policy-returns", *(f"missing-{number}" for number in range(70_000))]
        assert set(unit.documents.heads(many)) == {"policy-returns"}


def test_sources(store: Store, clock: Callable[[], object]) -> None:
    paths = ["/kb", "/kb/a.md", "/kb/sub/b_%.md", "/kb-2/c.md", "/KB/d.md"]
    with store.writing("shop") as unit:
        for path in paths:
            unit.sources.put(path, "d1", ["doc-1"])
        unit.sources.put("/kb/a.md", "d2", ["doc-1", "doc-2"])
        stored = unit.sources.get("/kb/a.md")
        assert stored is not None
        assert (stored.path, stored.digest, stored.external_ids) == ("/kb/a.md", "d2", ("doc-1", "doc-2"))
        assert stored.updated_at == clock()
        assert [source.path for source in unit.sources.under("/kb")] == ["/kb", "/kb/a.md", "/kb/sub/b_%.md"]
        assert [source.path for source in unit.sources.under("/kb/")] == ["/kb/a.md", "/kb/sub/b_%.md"]
        assert [source.path for source in unit.sources.under("/kb/sub/b_%.md")] == ["/kb/sub/b_%.md"]
        assert unit.sources.under("/kb/sub/b") == ()
        assert unit.sources.remove("/kb/a.md") is True
        assert unit.sources.remove("/kb/a.md") is False
        assert unit.sources.get("/kb/a.md") is None
        assert unit.changes.since(0) == [], "nothing derived depends on a source"


def test_the_same_text_in_two_documents_stays_two(store: Store) -> None:
    document = a_document("a")
    with store.writing("shop") as unit:
        put_document(unit, document)
        put_document(unit, replace(document, external_id="b"))
        assert len({one.passage.id for one in unit.documents.passages()}) == 6
