from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ingest.bilingual import BilingualEmbedder
from ingest.embedding import Embedder, WordHashEmbedder
from tests.ingest.lexicon_samples import small


@pytest.fixture
def bilingual() -> BilingualEmbedder:
    return BilingualEmbedder(WordHashEmbedder(), small())


def test_it_is_an_embedder_of_both_languages_named_by_encoder_and_lexicon(
    bilingual: BilingualEmbedder,
) -> None:
    assert isinstance(bilingual, Embedder)
    assert bilingual.model_id == f"word-hash-384+zh:{small().digest[:8]}"
    assert bilingual.reads == {"en", "zh"}
    assert bilingual.model_id != BilingualEmbedder(WordHashEmbedder(), small(table_share=0.3)).model_id


def test_vectors_of_plain_english_are_those_of_the_encoder(bilingual: BilingualEmbedder) -> None:
    texts = ["where is my invoice", "", "ＵＳＢ-C"]
    np.testing.assert_array_equal(bilingual.embed_queries(texts), WordHashEmbedder().embed_queries(texts))


def test_chinese_is_the_reading_of_its_glosses_and_the_sum_of_its_words(bilingual: BilingualEmbedder) -> None:
    held = small()
    read = WordHashEmbedder().embed_queries(["screen broken"])[0]
    meant = held.rows(held.numbered("屏幕碎")).sum(axis=0)
    joined = 0.6 * read + 0.4 * meant / np.linalg.norm(meant)
    expected = joined / np.linalg.norm(joined)
    np.testing.assert_allclose(bilingual.embed_queries(["屏幕碎"])[0], expected, atol=1e-6)


def test_in_a_text_of_both_languages_the_words_vectors_count_for_the_chinese_part(
    bilingual: BilingualEmbedder,
) -> None:
    english = WordHashEmbedder().embed_queries(["my new mobile has screen broken"])[0]
    mixed = bilingual.embed_queries(["my new mobile has 屏幕碎"])[0]
    chinese = bilingual.embed_queries(["屏幕碎"])[0]
    alone = WordHashEmbedder().embed_queries(["screen broken"])[0]
    assert mixed @ english > chinese @ alone
    np.testing.assert_allclose(np.linalg.norm(mixed), 1, atol=1e-6)


def test_unknown_characters_alone_are_read_as_nothing_special(bilingual: BilingualEmbedder) -> None:
    vectors = bilingual.embed_passages(["鑫", "的"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_many_threads_get_the_same_vectors(bilingual: BilingualEmbedder) -> None:
    texts = ["怎么退货", "my 手机 broke", "发票"]
    alone = bilingual.embed_queries(texts)
    with ThreadPoolExecutor(8) as pool:
        for vectors in pool.map(bilingual.embed_queries, [texts] * 50):
            np.testing.assert_array_equal(vectors, alone)


def test_a_lexicon_for_an_encoder_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="lexicon: 16 dimensions, the encoder has 384"):
        BilingualEmbedder(WordHashEmbedder(), small(dimension=16))


QUESTIONS = {
    "买的东西不喜欢，七天内可以退货吗？": "Unused goods may be returned within seven days of delivery.",
    "发票上的公司名称写错了怎么办": "We correct the company name on an invoice free of charge.",
    "手机充不进电": "If the phone does not charge, try another cable first.",
    "快递显示签收了但是我没收到": "A parcel marked as delivered that has not arrived is traced within two days.",
    "这件羽绒服能放洗衣机洗吗": "Wash the down jacket by hand; do not use a washing machine.",
    "会员积分什么时候过期": "Membership points expire at the end of the following year.",
}
DISTRACTORS = [
    "The kettle boils a litre of water in three minutes.",
    "Our stores are open from ten to eight.",
    "Gift cards can be bought in any amount.",
    "The sofa is delivered to the room of your choice.",
    "Headphones pair with two devices at once.",
    "Coupons cannot be combined with other discounts.",
    "The watch is waterproof to a depth of fifty metres.",
    "We price match with other shops on the day of purchase.",
]


@pytest.mark.model
def test_chinese_questions_find_their_english_documents(packaged_embedder: Embedder) -> None:
    documents = [*QUESTIONS.values(), *DISTRACTORS]
    scores = packaged_embedder.embed_queries(list(QUESTIONS)) @ packaged_embedder.embed_passages(documents).T
    assert [int(place) for place in scores.argmax(axis=1)] == list(range(len(QUESTIONS)))


@pytest.mark.model
def test_the_real_encoders_english_is_unchanged(
    packaged_embedder: Embedder, english_embedder: Embedder
) -> None:
    texts = ["can I get my money back", "refund"]
    np.testing.assert_array_equal(
        packaged_embedder.embed_queries(texts), english_embedder.embed_queries(texts)
    )
