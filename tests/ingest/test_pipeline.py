"""From a document to passages and vectors, personal data gone before either."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import pipeline
from ingest.documents import from_text
from ingest.embedding import WordHashEmbedder
from ingest.models import Document, Vectors
from ingest.pipeline import embed, embedded_text, prepare
from ingest.redaction import redact, redact_document

PERSONAL = "我叫李雷，电话13800138000，邮箱li.lei@example.com，订单号202611110001"


def resolution(question: str, reply: str, **fields: object) -> Document:
    body = {
        "external_id": "r-1",
        "kind": "resolution",
        "question": question,
        "reply": reply,
        "fields": fields,
    }
    return from_text(body)


def test_a_resolution_loses_personal_data_everywhere() -> None:
    document = resolution(
        PERSONAL + "，怎么退？",
        "已回电13800138000，退款到4111 1111 1111 1111。",
        phone=13800138000,
        contact_phone="9123 4567",
        收货地址="浙江省杭州市西湖区文三路100号",
        姓名="韩梅梅",
        agent="A12",
        order_id=13912345678,
        handling_seconds=320,
        resolved=True,
        note=None,
    )
    prepared = prepare(document, workspace="w", version=1)
    held = repr(prepared)
    for secret in ("李雷", "13800138000", "li.lei", "4111 1111", "9123 4567", "文三路", "韩梅梅"):
        assert secret not in held
    assert prepared.document.fields["phone"] == "[PHONE]"
    assert prepared.document.fields["姓名"] == "[NAME]"
    assert prepared.document.fields["收货地址"] == "[ADDRESS]"
    assert prepared.document.fields["order_id"] == 13912345678
    assert prepared.document.fields["handling_seconds"] == 320
    assert prepared.document.fields["agent"] == "A12"
    assert "202611110001" in prepared.document.text
    assert prepared.document.title.startswith("我叫[NAME]")
    assert [passage.role for passage in prepared.passages] == ["question", "reply"]
    assert prepared.document.fields["question"] == prepared.passages[0].text
    assert prepared.document.fields["reply"] == prepared.passages[1].text


@pytest.mark.parametrize("kind", ["policy", "product", "faq"])
def test_what_a_shop_publishes_stays(kind: str) -> None:
    document = from_text({"external_id": "p", "kind": kind, "title": "t", "text": "投诉请拨打13800138000。"})
    prepared = prepare(document, workspace="w", version=1)
    assert prepared.document == document
    assert "13800138000" in prepared.passages[0].text


def test_redaction_of_a_document_is_final() -> None:
    once = redact_document(resolution(PERSONAL, "好的。", phone=13800138000))
    assert redact_document(once) == once
    assert redact_document(once).content_hash == once.content_hash


SAID = st.lists(
    st.sampled_from([PERSONAL, "退货。", "call 212-555-0199 ", "a@b.example ", "\n\n"]),
    min_size=1,
    max_size=4,
)


@settings(deadline=None)
@given(SAID, SAID)
def test_blocks_follow_the_redacted_text(question: list[str], reply: list[str]) -> None:
    asked, said = "问" + "".join(question).strip(), "答" + "".join(reply).strip()
    prepared = prepare(resolution(asked, said), workspace="w", version=1)
    document = prepared.document
    halves = {block.role: document.text[block.start : block.end] for block in document.blocks}
    assert halves == {"question": redact(asked).text, "reply": redact(said).text}
    for passage in prepared.passages:
        assert passage.text == document.text[passage.start : passage.end]


class Recording(WordHashEmbedder):
    """Remembers what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[str]] = []

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.batches.append(list(texts))
        return super().embed_passages(texts)


def test_vectors_come_in_the_order_of_the_passages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "_AT_ONCE", 100)
    sentence = "退货政策第{}条规定商品签收后可退换，邮费由责任方承担，细则{}。"
    text = "\n\n".join(sentence.format(n, "如下" * (n % 17)) * 8 for n in range(700))
    passages = list(
        prepare(
            from_text({"external_id": "p", "kind": "policy", "text": text}), workspace="w", version=1
        ).passages
    )
    random.Random(7).shuffle(passages)
    embedder = Recording()
    vectors = embed(passages, embedder)
    assert vectors.shape == (len(passages), embedder.dimension)
    assert vectors.dtype == np.float32
    expected = WordHashEmbedder().embed_passages([embedded_text(passage) for passage in passages])
    np.testing.assert_allclose(vectors, expected, atol=1e-6)
    lengths = [len(text) for batch in embedder.batches for text in batch]
    assert lengths == sorted(lengths, reverse=True)
    assert len(embedder.batches) > 1
    assert max(map(len, embedder.batches)) == 100


def test_equal_texts_are_encoded_once_and_nothing_costs_nothing() -> None:
    text = "# A\n\n" + "\n".join("同样的一行。" for _ in range(3))
    passage = prepare(
        from_text({"external_id": "p", "kind": "policy", "text": text}), workspace="w", version=1
    ).passages[0]
    embedder = Recording()
    vectors = embed([passage, passage, passage], embedder)
    assert embedder.batches == [[embedded_text(passage)]]
    assert (vectors[0] == vectors[2]).all()
    assert embed([], embedder).shape == (0, embedder.dimension)
    assert len(embedder.batches) == 1


def test_the_context_is_embedded_before_the_text() -> None:
    document = from_text({"external_id": "p", "kind": "policy", "title": "退货", "text": "七天内。"})
    (passage,) = prepare(document, workspace="w", version=1).passages
    assert embedded_text(passage) == "退货\n七天内。"
