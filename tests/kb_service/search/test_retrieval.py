from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from kb_service.search.parts import Parts
from kb_service.search.retrieval import Limits, SearchIndex
from kb_service.search.source import SourceDocument
from tests.kb_service.search.shelf import AT, EMBEDDER, Shelf, asked, found, index_of, shelf_of, written


@pytest.fixture
def shop() -> Shelf:
    return shelf_of(
        written(
            "returns-zh",
            "签收后七天内可以无理由退货",
            "退回的包裹要保持完整",
            title="退货政策",
            language="zh",
        ),
        written("refund-en", "A refund reaches your card within three working days", title="Refunds"),
        written("warranty-en", "The warranty does not cover a cracked screen", title="Warranty"),
        written(
            "res-7",
            ("question", "My screen is cracked, can you repair it?"),
            ("reply", "We repair it for a fee of 20 dollars. Bring your invoice."),
            title="Resolution 7",
            kind="resolution",
            audience="internal",
        ),
        written(
            "lamp", "A desk lamp with three lights", title="Aurora lamp", kind="product", products=("AUR-S2",)
        ),
    )


def test_a_question_finds_its_document_in_both_languages(shop: Shelf) -> None:
    index = index_of(shop)
    assert found(index, "签收几天内可以退货", "zh")[0] == "returns-zh"
    assert found(index, "when does the refund reach my card")[0] == "refund-en"
    assert (index.documents, index.passages, index.position) == (5, 7, 5)


def test_a_hit_says_where_it_stands_and_how_it_was_found(shop: Shelf) -> None:
    hit = index_of(shop).search(asked("退回的包裹要完整吗", "zh"))[0]
    source = shop.documents_held["returns-zh"]
    assert hit.text == source.document.text[hit.start : hit.end] == "退回的包裹要保持完整"
    assert hit.passage_id == source.passages[1].id
    assert (hit.version, hit.title, hit.kind, hit.language) == (1, "退货政策", "policy", "zh")
    assert 0 < hit.score <= 1
    assert 0 < hit.dense <= 1
    assert hit.lexical > 0
    assert 0 < hit.coverage <= 1
    assert hit.graph == 0


def test_one_hit_a_document_in_order_up_to_the_limit() -> None:
    shelf = shelf_of(
        written("long", "refund card", "refund days", "refund money"),
        *(written(f"d{number}", f"refund number {number} with other words") for number in range(5)),
    )
    index = index_of(shelf)
    hits = index.search(asked("refund card", limit=4))
    assert len(hits) == 4
    assert hits[0].external_id == "long"
    assert hits[0].text == "refund card"
    assert len({hit.external_id for hit in hits}) == 4
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_matched_question_is_answered_with_its_reply(shop: Shelf) -> None:
    hit = index_of(shop).search(asked("can you repair my cracked screen?", audiences=("public", "internal")))[
        0
    ]
    assert hit.external_id == "res-7"
    assert hit.role == "reply"
    assert hit.text.startswith("We repair it for a fee")
    assert (hit.matched_role, hit.matched_text) == ("question", "My screen is cracked, can you repair it?")


def test_of_a_long_reply_the_part_that_suits_is_quoted() -> None:
    shelf = shelf_of(
        written(
            "faq",
            ("question", "How do I pay by card, and does an invoice come by mail?"),
            ("reply", "You pay by card."),
            ("reply", "The invoice comes by mail."),
            kind="faq",
        )
    )
    index = index_of(shelf)
    first, second = asked("how do I pay by card?"), asked("does an invoice come by mail?")
    assert index.search(first)[0].matched_role == index.search(second)[0].matched_role == "question"
    assert index.search(first)[0].text == "You pay by card."
    assert index.search(second)[0].text == "The invoice comes by mail."


def test_a_question_without_a_reply_is_quoted_itself() -> None:
    index = index_of(shelf_of(written("q", ("question", "Do you ship to Norway?"), kind="faq")))
    assert index.search(asked("ship to Norway"))[0].role == "question"


def test_the_passages_of_a_hit_are_compared_with_a_question_by_meaning() -> None:
    shelf = shelf_of(written("returns", "within thirty days", "pay the postage", title="Returns"))
    shelf.put(written("other", "within thirty days", embedded=False))
    index = index_of(shelf)
    query = asked("pay the postage", limit=5)
    hits = {hit.external_id: hit for hit in index.search(query)}
    assert query.vector is not None
    near = index.likeness_of(hits["returns"], query.vector)
    first, second = (passage.id for passage in index.document_of(hits["returns"]))
    assert near[second] > near[first]
    assert near[second] == pytest.approx(hits["returns"].dense, abs=1e-6)
    unread = replace(hits["returns"], row=index.passages - 1)
    assert (index.likeness_of(unread, query.vector), index.document_of(unread)) == ({}, ())
    shelf.remove("returns")
    index.rebuild(shelf)
    assert index.likeness_of(hits["returns"], query.vector) == {}


def test_filters_hold_inside_the_search(shop: Shelf) -> None:
    index = index_of(shop)
    assert "res-7" not in found(index, "cracked screen")
    assert found(index, "cracked screen", kinds=("policy",))[0] == "warranty-en"
    assert found(index, "cracked screen", languages=("zh",)) == ["returns-zh"]
    assert found(index, "screen", external_ids=("refund-en",)) == ["refund-en"]
    assert found(index, "lamp", products=("aur-s2",)) == ["lamp"]
    assert found(index, "lamp", products=("other",)) == []


def test_a_rare_kind_is_found_among_many() -> None:
    many = [written(f"p{number}", f"refund refund refund {number}") for number in range(300)]
    index = index_of(shelf_of(*many, written("one", "a refund among other words", kind="faq")))
    assert found(index, "refund", kinds=("faq",)) == ["one"]


def test_the_governing_date_decides_between_versions_of_a_policy() -> None:
    march = datetime(2026, 3, 1, tzinfo=UTC)
    index = index_of(
        shelf_of(
            written("2025", "Return within 30 days", title="Returns"),
            written("2026", "Return within 7 days", title="Returns", supersedes=("2025",), valid_from=march),
        )
    )
    assert found(index, "return within how many days", at=datetime(2026, 2, 1, tzinfo=UTC)) == ["2025"]
    assert found(index, "return within how many days") == ["2026"]


def test_the_default_region_stands_in_for_a_missing_one() -> None:
    shelf = shelf_of(written("cn", "refund", regions=("CN",)), written("us", "refund", regions=("US",)))
    assert found(index_of(shelf, default_region="US"), "refund") == ["us"]
    assert found(index_of(shelf, default_region="US"), "refund", region="CN") == ["cn"]
    assert found(index_of(shelf), "refund") == ["cn", "us"]


def test_words_alone_answer_without_a_vector(shop: Shelf) -> None:
    hits = index_of(shop).search(asked("refund card", vector=None))
    assert [hit.external_id for hit in hits] == ["refund-en"]
    assert hits[0].dense == 0


def test_the_prior_lifts_and_proposes_but_not_past_the_filters(shop: Shelf) -> None:
    index = index_of(shop)
    plain = {hit.external_id: hit for hit in index.search(asked("三盏灯", "zh", vector=None))}
    assert "lamp" not in plain
    hits = {
        hit.external_id: hit for hit in index.search(asked("三盏灯", "zh", vector=None, prior={"lamp": 0.8}))
    }
    assert hits["lamp"].graph > 0
    assert hits["lamp"].score > hits["lamp"].graph, (
        "what is no match at all has a score near nothing, not none"
    )
    assert hits["lamp"].score < 0.1
    assert found(index, "三盏灯", "zh", vector=None, prior={"res-7": 1.0}) == []
    assert found(index, "nothing here", vector=None, prior={"unknown": 1.0, "lamp": 0.0}) == []


def test_an_empty_index_finds_nothing() -> None:
    index = index_of()
    assert index.search(asked("refund")) == ()
    assert index.search(asked("")) == ()
    assert index.position == 0


def test_questions_of_any_length_and_content(shop: Shelf) -> None:
    index = index_of(shop)
    for text in ("", "   ", "???", "😀", "\x00", "退" * 8_000, "refund " * 1_500, "body:refund AND (x OR"):
        index.search(asked(text))


def test_a_query_says_what_is_wrong_with_it() -> None:
    with pytest.raises(ValueError, match="at: has no time zone"):
        asked("refund", at=datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="limit: 0"):
        asked("refund", limit=0)
    with pytest.raises(ValueError, match="vector: shape"):
        index_of(shelf_of(written("a", "x"))).search(asked("x", vector=np.zeros(3, dtype=np.float32)))


def test_changes_show_when_apply_returns(shop: Shelf) -> None:
    index = index_of(shop)
    shop.put(written("invoice", "Invoices come by mail"))
    assert found(index, "invoice") != ["invoice"]
    assert index.follow(shop) == 1
    assert found(index, "invoice")[0] == "invoice"
    shop.put(written("invoice", "Receipts are printed", version=2))
    index.follow(shop)
    hit = next(hit for hit in index.search(asked("receipts")) if hit.external_id == "invoice")
    assert (hit.version, hit.text) == (2, "Receipts are printed")
    assert all(hit.text != "Invoices come by mail" for hit in index.search(asked("invoices come by mail")))
    shop.remove("invoice")
    index.follow(shop)
    assert "invoice" not in found(index, "receipts are printed")
    assert index.position == shop.position()
    assert index.follow(shop) == 0


def test_entries_seen_before_and_other_kinds_do_no_harm(shop: Shelf) -> None:
    from tests.kb_service.search.shelf import Entry

    index = index_of(shop)
    before = index.snapshot
    index.apply(shop, shop.log)
    assert index.snapshot is before
    shop.log.append(Entry(6, "intent", "returns-zh"))
    index.follow(shop)
    assert index.position == 6
    assert index.snapshot.catalogue.rows == before.catalogue.rows
    shop.log.append(Entry(7, "document", "refund-en"))
    index.follow(shop)
    assert index.snapshot.catalogue.rows == before.catalogue.rows, "the version that is here stays"
    shop.log.append(Entry(8, "document_removed", "never-there"))
    index.follow(shop)
    assert index.position == 8


def test_passages_are_found_by_words_until_they_are_embedded() -> None:
    shelf = shelf_of(written("a", "refund in three days", embedded=False))
    index = index_of(shelf)
    assert index.search(asked("refund in three days"))[0].dense == 0
    shelf.put(written("a", "refund in three days"))
    index.follow(shelf)
    assert index.search(asked("refund in three days"))[0].dense == pytest.approx(1)


def answers(index: SearchIndex, texts: tuple[str, ...]) -> list[list[tuple[str, float]]]:
    return [[(hit.external_id, round(hit.score, 9)) for hit in index.search(asked(text))] for text in texts]


QUESTIONS = ("refund number 3", "return number 7 now", "words about number 11", "number 40")


def numbered(count: int, version: int = 1, word: str = "refund") -> list[SourceDocument]:
    return [
        written(f"d{n}", f"{word} number {n}", "and words about it", version=version) for n in range(count)
    ]


def test_a_live_index_answers_as_a_rebuilt_one_after_compaction() -> None:
    shelf = shelf_of(*numbered(60))
    index = index_of(shelf, limits=Limits(compact_rows=4, overdue_share=2.0))
    for document in numbered(40, version=2, word="return"):
        shelf.put(document)
        index.follow(shelf)
    for number in range(50, 60):
        shelf.remove(f"d{number}")
    index.follow(shelf)
    assert index.compaction_due
    assert index.maintain()
    assert not index.compaction_due
    assert not index.maintain()
    assert index.snapshot.catalogue.rows == index.passages == 100
    assert answers(index, QUESTIONS) == answers(index_of(shelf), QUESTIONS)


def test_apply_compacts_by_itself_when_nothing_else_did() -> None:
    shelf = shelf_of(*numbered(40))
    index = index_of(shelf)
    for number in range(30):
        shelf.remove(f"d{number}")
        index.follow(shelf)
    assert index.snapshot.catalogue.rows <= 40
    assert index.documents == 10


def test_what_changes_during_a_compaction_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = shelf_of(*numbered(40))
    index = index_of(shelf, limits=Limits(compact_rows=4, overdue_share=2.0))
    for number in range(20):
        shelf.remove(f"d{number}")
    index.follow(shelf)
    compacted = SearchIndex._compacted

    def meanwhile(self: SearchIndex, before: object) -> Parts:
        parts = compacted(self, before)  # type: ignore[arg-type]
        shelf.remove("d30")
        shelf.put(written("d31", "a new text", version=2))
        shelf.put(written("d99", "another number"))
        self.follow(shelf)
        return parts

    monkeypatch.setattr(SearchIndex, "_compacted", meanwhile)
    assert index.maintain()
    monkeypatch.undo()
    assert index.position == shelf.position()
    assert answers(index, QUESTIONS) == answers(index_of(shelf), QUESTIONS)
    assert found(index, "a new text")[0] == "d31"
    assert "d30" not in found(index, "refund number 30", limit=50)


def test_a_rebuild_during_a_compaction_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = shelf_of(*numbered(40))
    index = index_of(shelf, limits=Limits(compact_rows=4, overdue_share=2.0))
    for number in range(20):
        shelf.remove(f"d{number}")
    index.follow(shelf)
    compacted = SearchIndex._compacted

    def meanwhile(self: SearchIndex, before: object) -> Parts:
        parts = compacted(self, before)  # type: ignore[arg-type]
        self.rebuild(shelf)
        return parts

    monkeypatch.setattr(SearchIndex, "_compacted", meanwhile)
    assert not index.maintain()
    assert answers(index, QUESTIONS) == answers(index_of(shelf), QUESTIONS)


@pytest.mark.parametrize("failing", ["add", "bury", "commit"])
def test_a_failed_write_leaves_the_last_state_and_heals(
    failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kb_service.search.lexical import LexicalIndex

    shelf = shelf_of(*numbered(20))
    index = index_of(shelf)
    before = answers(index, QUESTIONS)
    shelf.put(written("d3", "changed text", version=2))
    shelf.put(written("new", "brand new text"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(LexicalIndex, failing, full)
        with pytest.raises(OSError, match="No space"):
            index.follow(shelf)
        assert answers(index, QUESTIONS) == before
        assert index.position == 20
    index.follow(shelf)
    assert index.position == shelf.position()
    assert answers(index, (*QUESTIONS, "changed")) == answers(index_of(shelf), (*QUESTIONS, "changed"))


def test_a_source_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = shelf_of(*numbered(5))
    index = index_of(shelf)
    shelf.put(written("new", "text"))
    before = index.snapshot
    with monkeypatch.context() as patched:
        patched.setattr(shelf, "documents", lambda ids: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            index.follow(shelf)
        with pytest.raises(ZeroDivisionError):
            index.rebuild(shelf)
    assert index.snapshot is before
    index.follow(shelf)
    assert index.documents == 6


def test_thirty_two_readers_beside_a_writer_see_whole_states_only() -> None:
    """Every hit must carry the text of its own document and version, and nothing that was removed before."""
    shelf = Shelf()
    for number in range(48):
        shelf.put(
            written(f"d{number}", f"topic{number} version1 refund", f"topic{number} more version1 return")
        )
    index = index_of(shelf, limits=Limits(compact_rows=20))
    removed: set[str] = set()
    stop = threading.Event()
    faults: list[str] = []
    searches = [0] * 32

    def read(reader: int) -> None:
        random = np.random.default_rng(reader)
        try:
            while not stop.is_set():
                gone = frozenset(removed)
                number = int(random.integers(0, 60))
                for hit in index.search(asked(f"topic{number} refund")):
                    topic, version = f"topic{hit.external_id[1:]} ", f"version{hit.version}"
                    if topic not in hit.text or version not in hit.text or hit.external_id in gone:
                        faults.append(f"{hit.external_id} {hit.version} {hit.text!r}")
                searches[reader] += 1
        except Exception as error:
            faults.append(repr(error))

    threads = [threading.Thread(target=read, args=(reader,)) for reader in range(32)]
    for thread in threads:
        thread.start()
    for step in range(24):
        number = step * 2
        removed_now = f"d{number + 1}"
        text = f"topic{number} version2 refund"
        shelf.put(written(f"d{number}", text, f"topic{number} more version2 return", version=2))
        shelf.remove(removed_now)
        index.follow(shelf)
        removed.add(removed_now)
        if step % 8 == 7:
            index.maintain()
    waited = time.monotonic()
    while min(searches) == 0 and time.monotonic() < waited + 60:
        time.sleep(0.01)
    stop.set()
    for thread in threads:
        thread.join()
    assert not faults, faults[:5]
    assert min(searches) > 0
    assert index.documents == 24


def test_dimension_and_model_belong_to_the_index(shop: Shelf) -> None:
    index = index_of(shop)
    assert (index.model_id, index.dimension, index.workspace) == (EMBEDDER.model_id, 384, "shop")
    assert index.calibration.model_id == EMBEDDER.model_id
    candidates, ids = index.candidates(asked("refund card", at=AT))
    assert len(ids) == len(candidates.rows) > 0
    assert "refund-en" in ids


def test_a_code_is_not_answered_by_another_one() -> None:
    shop = Shelf()
    for name, text in (("eb20", "EB20 warranty twelve months"), ("hp70", "HP70 warranty twenty months")):
        shop.put(written(name, text, kind="faq"))
    shop.put(written("general", "warranty twelve months for all", kind="policy"))
    index = index_of(shop)
    assert found(index, "HP70 warranty")[0] == "hp70"
    assert found(index, "DK05 warranty")[0] == "general", "nothing else is said of it"
    limited = asked("warranty", applies_to=("SLA-EB20",))
    assert index.search(limited)[0].external_id == "eb20"


def test_a_document_for_the_customers_region_comes_before_that_for_all() -> None:
    shop = Shelf()
    shop.put(written("all", "returns within fifteen days"))
    shop.put(written("hk", "returns within ten days", regions=("HK",)))
    index = index_of(shop)
    assert index.search(asked("returns days", region="HK"))[0].external_id == "hk"
    assert index.search(asked("returns days", region="CN"))[0].external_id == "all"


def test_what_a_reply_names_counts_for_its_question_too() -> None:
    shop = Shelf()
    shop.put(
        written(
            "others", ("question", "warranty how long"), ("reply", "EB20 and EB50 twelve months"), kind="faq"
        )
    )
    shop.put(written("desk", "DK05 desk warranty how long: sixty months"))
    index = index_of(shop)
    assert index.search(asked("warranty how long"))[0].external_id == "others"
    assert index.search(asked("warranty how long", applies_to=("MHE-DK05",)))[0].external_id == "desk"
    shop.put(written("invoice", ("question", "invoice please how"), ("reply", "by mail"), kind="faq"))
    index.follow(shop)
    assert index.search(asked("invoice please", applies_to=("MHE-DK05",)))[0].external_id == "invoice"


def test_an_index_is_made_anew_while_documents_come_and_go(shop: Shelf) -> None:
    """What is removed while the new index is being read does not come back with it; what is put is not lost."""
    index = index_of(shop)
    begun = False

    @contextmanager
    def reading() -> Iterator[Shelf]:
        yield shop

    def meanwhile(count: int) -> None:
        nonlocal begun
        if not begun:
            begun = True
            shop.remove("lamp")
            shop.put(written("kettle", "A kettle that whistles", title="Kettle"))
            index.follow(shop)
        assert found(index, "kettle whistles")[0] == "kettle", "the old one serves meanwhile"

    index.remake(reading, meanwhile)
    assert begun
    assert index.position == shop.position()
    assert found(index, "kettle whistles")[0] == "kettle"
    assert "lamp" not in found(index, "desk lamp lights")
    assert (index.documents, index.published) == (5, 0)


def test_an_index_that_cannot_be_made_anew_stays_as_it_is(shop: Shelf) -> None:
    index = index_of(shop)
    before = index.snapshot

    @contextmanager
    def reading() -> Iterator[Shelf]:
        yield shop

    def broken(count: int) -> None:
        raise OSError("the store is gone")

    with pytest.raises(OSError, match="gone"):
        index.remake(reading, broken)
    assert index.snapshot is before
