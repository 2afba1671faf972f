"""The head learns what vectors say, is sure only of what it was shown, and adds to words rather than replacing them."""

from __future__ import annotations

import numpy as np
import pytest

from graph.emotion import emotion
from graph.mood_examples import mood_examples
from graph.mood_head import MOODS, MoodHead


def head_of(directions: np.ndarray) -> MoodHead:
    rng = np.random.default_rng(1)
    rows = np.repeat(directions, 10, axis=0) + rng.normal(scale=0.1, size=(40, directions.shape[1]))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return MoodHead.fit(rows.astype(np.float32), [mood for mood in MOODS for _ in range(10)])


def test_a_head_tells_moods_apart_that_lie_apart() -> None:
    head = head_of(np.eye(4, 16))
    for place, direction in enumerate(np.eye(4, 16, dtype=np.float32)):
        logs = head.log_probabilities(direction)
        assert logs.argmax() == place
        assert np.exp(logs).sum() == pytest.approx(1.0)


def test_what_it_was_never_shown_leaves_it_unsure() -> None:
    strange = np.eye(16, dtype=np.float32)[15]
    assert np.exp(head_of(np.eye(4, 16)).log_probabilities(strange)).max() < 0.5


def test_fitting_twice_gives_the_same_head() -> None:
    vector = np.eye(4, 16, dtype=np.float32)[0]
    first, second = (head_of(np.eye(4, 16)).log_probabilities(vector) for _ in range(2))
    assert (first == second).all()


def test_every_mood_is_shown_in_both_languages() -> None:
    for mood in MOODS:
        sentences = [sentence for sentence, label in mood_examples() if label == mood]
        chinese = [sentence for sentence in sentences if not sentence.isascii()]
        assert len(chinese) >= 20
        assert len(sentences) - len(chinese) >= 10
    assert len({sentence for sentence, _ in mood_examples()}) == len(mood_examples())


def heard(**odds: float) -> np.ndarray:
    logs = np.array([odds.get(mood, 0.0) for mood in MOODS])
    return logs - np.log(np.exp(logs).sum())


def test_a_mood_without_any_word_of_it_is_heard() -> None:
    assert emotion("第三次了", "zh").label == "neutral"
    assert emotion("第三次了", "zh", heard(angry=3.0)).label == "angry"


def test_words_outweigh_a_faint_voice_and_a_clear_voice_outweighs_a_faint_word() -> None:
    assert emotion("骗子，垃圾", "zh", heard(neutral=2.0)).label == "angry"
    assert emotion("快递有点慢", "zh", heard(pleased=4.0)).label == "pleased"


def test_what_is_hardly_felt_has_no_label() -> None:
    """A label of .03 contradicts itself."""
    assert emotion("refund me $900 now", "en", heard(angry=0.1)).label == "neutral"
    assert emotion("讲个笑话", "zh", heard(angry=0.1)).label == "neutral"
    felt = emotion("讲个笑话", "zh", heard(angry=3.0))
    assert felt.label == "angry"
    assert felt.score >= 0.1


def test_denied_anger_is_not_heard_as_anger() -> None:
    for text in ("我不生气，就是问一下", "I'm not angry, just asking"):
        assert emotion(text, "zh", heard(angry=1.8)).label == "neutral"


def test_praise_with_a_dry_laugh_is_not_pleased() -> None:
    for text in ("你们这服务真是绝了呵呵", "oh great, it broke again, thanks for nothing"):
        assert emotion(text, "zh", heard(pleased=1.0)).label != "pleased"
    assert emotion("呵呵呵谢谢，很好", "zh").label == "pleased"


def test_hurry_is_not_pleasure() -> None:
    assert emotion("急急急！！！", "zh", heard(pleased=1.0)).label == "upset"


def test_an_empty_message_has_no_mood() -> None:
    assert emotion("  ", "zh", heard(angry=5.0)).label == "neutral"


def test_strength_never_falls_below_what_the_words_say() -> None:
    by_words = emotion("骗子！再不处理我就投诉", "zh")
    by_both = emotion("骗子！再不处理我就投诉", "zh", heard(neutral=1.0))
    assert (by_both.label, by_both.score) == (by_words.label, by_words.score)
    assert emotion("骗子！再不处理我就投诉", "zh", heard(angry=9.0)).score >= by_words.score


@pytest.mark.model
@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("都第三次联系你们了，到底有没有人管", "angry"),
        ("You have kept my money for a month and keep blaming the bank", "angry"),
        ("给爸妈买的，结果用不上了，心里不是滋味", "upset"),
        ("I was looking forward to it and now it won't come in time", "upset"),
        ("my mum says it is the nicest gift she ever got", "pleased"),
        ("退货的邮费谁出", "neutral"),
        ("which size for 175 cm", "neutral"),
        ("AP40滤芯能不能用水冲", "neutral"),
    ],
)
def test_moods_of_sentences_it_was_not_shown(text: str, label: str) -> None:
    from ingest.embedding import load_embedder

    encoder = load_embedder("packaged")
    sentences, moods = zip(*mood_examples(), strict=True)
    head = MoodHead.fit(encoder.embed_passages(sentences), moods)
    (vector,) = encoder.embed_queries([text])
    assert emotion(text, "zh", head.log_probabilities(vector)).label == label
