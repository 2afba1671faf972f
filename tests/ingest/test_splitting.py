"""Passages: where they begin and end, what they carry, and that nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.models import Block, Document, Passage, Role, passage_id
from ingest.splitting import LIMIT, split


def document(
    *parts: tuple[Role, str, tuple[str, ...]], title: str = "退货政策", glue: str = "\n\n"
) -> Document:
    text = ""
    blocks: list[Block] = []
    for role, piece, section in parts:
        text += glue if text else ""
        blocks.append(Block(role, len(text), len(text) + len(piece), section))
        text += piece
    return Document(
        external_id="d", kind="policy", title=title, text=text, blocks=tuple(blocks), language="zh"
    )


def cut(given: Document, limit: int = LIMIT) -> tuple[Passage, ...]:
    return split(given, workspace="w", version=3, limit=limit)


def width(text: str) -> int:
    return sum(2 if character > "\u2e80" else 1 for character in text)


def test_prose_of_a_section_is_one_passage_and_sections_are_apart() -> None:
    given = document(
        ("heading", "退货", ()),
        ("prose", "七天内可退。", ("退货",)),
        ("prose", "邮费自理。", ("退货",)),
        ("heading", "换货", ()),
        ("prose", "十五天内可换。", ("换货",)),
    )
    first, second = cut(given)
    assert first.text == "七天内可退。\n\n邮费自理。"
    assert first.section == ("退货",)
    assert first.context == "退货政策 › 退货"
    assert second.text == "十五天内可换。"
    assert [passage.ordinal for passage in (first, second)] == [0, 1]
    assert second.id == passage_id("w", "d", 3, 1)
    assert second.version == 3


def test_a_repeated_heading_does_not_join_its_sections() -> None:
    given = document(
        ("heading", "说明", ()),
        ("prose", "甲。", ("说明",)),
        ("heading", "说明", ()),
        ("prose", "乙。", ("说明",)),
    )
    assert [passage.text for passage in cut(given)] == ["甲。", "乙。"]


def test_a_heading_is_a_passage_only_with_nothing_under_it() -> None:
    given = document(
        ("heading", "退货政策", ()),
        ("heading", "全部", ()),
        ("heading", "空节", ("全部",)),
        ("heading", "满节", ("全部",)),
        ("prose", "有话。", ("全部", "满节")),
        ("heading", "尾节", ()),
    )
    assert [(passage.role, passage.text, passage.context) for passage in cut(given)] == [
        ("heading", "空节", "退货政策 › 全部"),
        ("prose", "有话。", "退货政策 › 全部 › 满节"),
        ("heading", "尾节", "退货政策"),
    ]


def test_a_title_alone_is_still_found() -> None:
    (only,) = cut(document(("heading", "退货政策", ())))
    assert only.text == "退货政策"
    assert only.context == ""


def test_rows_and_fields_stand_singly_and_apart_from_prose() -> None:
    given = document(
        ("prose", "尺码如下。", ()),
        ("row", "尺码: M; 胸围: 96", ()),
        ("row", "尺码: L; 胸围: 100", ()),
        ("field", "价格: 299", ()),
        ("prose", "完。", ()),
        glue="\n",
    )
    assert [(passage.role, passage.text) for passage in cut(given)] == [
        ("prose", "尺码如下。"),
        ("row", "尺码: M; 胸围: 96"),
        ("row", "尺码: L; 胸围: 100"),
        ("field", "价格: 299"),
        ("prose", "完。"),
    ]


def test_a_reply_carries_its_question_and_a_question_not_its_own_title() -> None:
    given = document(
        ("question", "屏幕碎了怎么办？", ()), ("reply", "可以换新。", ()), title="屏幕碎了怎么办？"
    )
    question, reply = cut(given)
    assert (question.role, question.context) == ("question", "")
    assert (reply.role, reply.context) == ("reply", "屏幕碎了怎么办？")
    named = document(("question", "屏幕碎了怎么办？", ()), ("reply", "可以换新。", ()), title="工单 7")
    assert [passage.context for passage in cut(named)] == ["工单 7", "工单 7 › 屏幕碎了怎么办？"]
    cut_title = document(("question", "很" * 200, ()), ("reply", "是。", ()), title="很" * 79 + "…")
    assert cut(cut_title)[-1].context == "很" * 79 + "…"


def test_long_prose_is_packed_by_sentences() -> None:
    sentence = "这件商品自签收之日起七天内可以无理由退货，邮费由买家承担。"
    passages = cut(document(("prose", sentence * 60, ())))
    assert all(passage.text.endswith("。") for passage in passages)
    assert all(width(passage.text) <= LIMIT for passage in passages[:-1])
    assert all(width(passage.text) > LIMIT * 0.8 for passage in passages[:-1])
    assert "".join(passage.text for passage in passages) == sentence * 60


def test_a_paragraph_that_does_not_fit_begins_a_passage_when_the_one_before_is_half_full() -> None:
    short, long = "很好。" * 10, "不错。" * 10
    passages = cut(document(("prose", short, ()), ("prose", long, ())), limit=100)
    assert [passage.text for passage in passages] == [short, long]


def test_a_short_rest_stays_with_the_passage_before_it() -> None:
    passages = cut(document(("prose", "一二三四五六七八九。" * 10 + "完了。", ())), limit=100)
    assert [len(passage.text) for passage in passages] == [50, 53]


@pytest.mark.parametrize("unit", ["很", "word ", "长句，", "a" * 50 + " ", "3.14 ", "，", "😀"])
def test_a_sentence_without_end_is_cut_at_the_limit(unit: str) -> None:
    text = (unit * 2000).strip()
    passages = cut(document(("prose", text, ())), limit=200)
    assert len(passages) > 5
    assert all(width(passage.text) <= 240 for passage in passages)
    assert sum(len("".join(passage.text.split())) for passage in passages) == len("".join(text.split()))
    if unit == "3.14 ":
        assert all(word == "3.14" for passage in passages for word in passage.text.split())


def test_a_long_row_is_split_but_an_ordinary_one_is_not() -> None:
    row = "说明: " + "保修两年。" * 30
    assert len(cut(document(("row", row, ())), limit=200)) == 1
    pieces = cut(document(("row", row * 3, ())), limit=200)
    assert len(pieces) > 1
    assert {piece.role for piece in pieces} == {"row"}


def test_text_outside_blocks_is_prose_of_the_section_before_it() -> None:
    given = document(("heading", "甲", ()), ("prose", "一。", ("甲",)))
    loose = Document(
        external_id="d",
        kind="policy",
        title="t",
        text="前。" + given.text + "后。",
        blocks=tuple(Block(b.role, b.start + 2, b.end + 2, b.section) for b in given.blocks),
        language="zh",
    )
    assert [(passage.text, passage.section) for passage in cut(loose)] == [
        ("前。", ()),
        ("一。后。", ("甲",)),
    ]
    bare = Document(external_id="d", kind="policy", title="t", text="只有字。", blocks=(), language="zh")
    assert [passage.text for passage in cut(bare)] == ["只有字。"]


def test_context_stays_short() -> None:
    given = document(("prose", "字。", ("甲" * 300, "乙" * 300)), title="题" * 400)
    (passage,) = cut(given)
    assert len(passage.context) <= 240
    assert passage.context.startswith("题")
    assert "乙" in passage.context
    long = document(("prose", "字。", tuple("层" * 60 + str(n) for n in range(5))), title="题")
    assert cut(long)[0].context.endswith("层4")


def test_a_limit_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 20"):
        cut(document(("prose", "a", ())), limit=10)


def test_splitting_is_pure() -> None:
    given = document(("prose", "七天内可退。" * 300, ()), ("row", "a: 1", ()))
    assert cut(given) == cut(given)
    other = split(given, workspace="other", version=3)
    assert {passage.id for passage in other}.isdisjoint(passage.id for passage in cut(given))


ROLES: tuple[Role, ...] = ("heading", "prose", "row", "field", "question", "reply")
PIECE = st.text(st.sampled_from("退货政策。，！ ab.c,3\n\té😀很长的句子"), min_size=0, max_size=120)
SECTIONS = st.lists(st.sampled_from(["甲", "乙", "C"]), max_size=3).map(tuple)
PARTS = st.lists(st.tuples(st.sampled_from(ROLES), PIECE, SECTIONS), max_size=8)


@settings(deadline=None)
@given(PARTS, st.sampled_from(["", "\n", "\n\n", " 缝 "]), st.integers(20, 200))
def test_passages_cover_all_but_headings_exactly_once(
    parts: list[tuple[Role, str, tuple[str, ...]]], glue: str, limit: int
) -> None:
    given = document(*parts, glue=glue)
    passages = cut(given, limit)
    covered = [0] * len(given.text)
    end = 0
    for number, passage in enumerate(passages):
        assert passage.ordinal == number
        assert end <= passage.start < passage.end <= len(given.text)
        assert passage.text == given.text[passage.start : passage.end]
        assert passage.text == passage.text.strip() != ""
        end = passage.end
        for place in range(passage.start, passage.end):
            covered[place] += 1
        if passage.role == "prose":
            assert width(passage.text) <= max(1.2 * limit, 40)
    heading = [False] * len(given.text)
    for block in given.blocks:
        if block.role == "heading":
            heading[block.start : block.end] = [True] * (block.end - block.start)
    for place, character in enumerate(given.text):
        if not character.isspace() and not heading[place]:
            assert covered[place] == 1
    for block in given.blocks:
        if block.role not in ("prose", "heading") and given.text[block.start : block.end].strip():
            inside = [
                passage for passage in passages if passage.start < block.end and block.start < passage.end
            ]
            assert all(block.start <= passage.start and passage.end <= block.end for passage in inside)
            assert all(passage.role == block.role and passage.section == block.section for passage in inside)
