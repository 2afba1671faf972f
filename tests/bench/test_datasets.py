"""Sets are read as they lie, halves are taken away alike every time, and mixed questions hold both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.code_switching import Glossary, mix
from bench.datasets import MIXED, AbsentSet, data_folder, load_retrieval
from tests.bench.small_sets import DICTIONARY, write_faq, write_parallel, write_set


def test_a_set_is_read_with_its_parts_and_judgements(tmp_path: Path) -> None:
    write_set(
        tmp_path,
        "cmrc2018_dev",
        [{"id": "p0", "title": "标题", "text": "一段\u2028话"}, {"id": "p1", "text": "another"}],
        [{"id": "x", "text": "谁？", "part": "trial"}, {"id": "y", "text": "who?", "part": "dev"}],
        [("x", "p0"), ("y", "p1"), ("y", "p0")],
    )
    held = load_retrieval(tmp_path, "cmrc2018_dev")
    assert [(item.title, item.text) for item in held.corpus] == [("标题", "一段\u2028话"), ("", "another")]
    assert held.qrels == {"x": {"p0"}, "y": {"p0", "p1"}}
    assert held.parts == ("dev", "trial")
    reported = held.reported()
    assert [query.id for query in reported.queries] == ["y"]
    assert set(reported.qrels) == {"y"}, "judgements of questions that are not asked do not count"
    assert len(reported.corpus) == 2, "every part is asked of the whole corpus"
    with pytest.raises(ValueError, match="dev, trial"):
        held.of_part("test")


def test_an_absent_set_says_where_it_comes_from(tmp_path: Path) -> None:
    with pytest.raises(AbsentSet, match=r"stackfaq is absent.*BERT-FAQ"):
        load_retrieval(tmp_path, "stackfaq")


def test_the_folder_is_the_given_one_else_the_environments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_BENCH_DATA", "/elsewhere")
    assert data_folder(tmp_path) == tmp_path
    assert data_folder() == Path("/elsewhere")


def test_taking_documents_away_leaves_half_of_the_questions_without(tmp_path: Path) -> None:
    write_faq(tmp_path)
    held = load_retrieval(tmp_path, "covidfaq")
    half = held.half_unanswerable(seed=3)
    assert len(half.queries) == 6
    assert len(half.corpus) == len(half.qrels) == 3
    left = {document.id for document in half.corpus}
    assert all(documents <= left for documents in half.qrels.values())
    assert half == held.half_unanswerable(seed=3)
    assert {held.half_unanswerable(seed=seed).corpus for seed in range(9)} != {half.corpus}, "it is by chance"


def test_a_question_that_keeps_a_document_stays_answerable(tmp_path: Path) -> None:
    questions = [f"q{number}" for number in range(6)]
    write_set(
        tmp_path,
        "shared",
        [{"id": name, "text": name} for name in ("common", *questions)],
        [{"id": name, "text": name} for name in questions],
        [pair for name in questions for pair in ((name, "common"), (name, name))],
    )
    half = load_retrieval(tmp_path, "shared").half_unanswerable()
    assert "common" not in {document.id for document in half.corpus}
    assert len(half.qrels) == 3
    assert all(documents == {name} for name, documents in half.qrels.items())


def test_a_sample_of_questions_keeps_their_order_and_the_corpus(tmp_path: Path) -> None:
    write_faq(tmp_path)
    held = load_retrieval(tmp_path, "covidfaq")
    few = held.sampled(3, seed=1)
    places = [held.queries.index(query) for query in few.queries]
    assert places == sorted(places)
    assert len(places) == len(few.qrels) == 3
    assert few.corpus == held.corpus
    assert held.sampled(100) is held


# --- both languages in one question


def test_a_mixed_question_keeps_one_grammar_and_takes_words_from_the_other_version() -> None:
    glossary = Glossary.read(DICTIONARY)
    chinese, english = "黑豹队的防守丢了多少分？", "How many points did the Panthers defense lose?"
    assert mix(chinese, english, glossary, frame="zh") == "黑豹队的 defense 丢了多少分？"
    assert mix(chinese, english, glossary, frame="en") == "How many points did the Panthers 防守 lose?"


def test_phrases_of_several_words_are_told_and_explanations_are_none() -> None:
    glossary = Glossary.read(DICTIONARY)
    assert (
        mix("什么推动蒸汽机？", "What drives a steam engine?", glossary, frame="zh")
        == "什么推动 steam engine？"
    )
    assert "热" not in glossary.phrases, "one character means too many things"
    assert mix("它是什么？", "What is it?", glossary, frame="zh") is None


def test_every_second_word_is_replaced() -> None:
    glossary = Glossary.read(DICTIONARY)
    mixed = mix("哪支球队的防守好？", "Which team has a good defense?", glossary, frame="zh")
    assert mixed == "哪支 team 的防守好？"


def test_the_mixed_set_has_half_of_its_documents_in_each_language(tmp_path: Path) -> None:
    write_parallel(tmp_path)
    held = load_retrieval(tmp_path, MIXED)
    assert [document.text for document in held.corpus] == [
        "The Panthers defense lost few points.",
        "蒸汽机需要热。",
    ]
    assert [query.text for query in held.queries] == [
        "黑豹队的 defense 丢了多少分？",
        "Which 球队 has a good defense?",
        "什么推动 steam engine？",
    ]
    assert held.qrels == {"a": {"0_0"}, "b": {"0_0"}, "c": {"0_1"}}


def test_the_mixed_set_needs_the_dictionary(tmp_path: Path) -> None:
    write_parallel(tmp_path)
    (tmp_path / "parallel" / "cedict_ts.u8.gz").unlink()
    with pytest.raises(AbsentSet, match="cedict"):
        load_retrieval(tmp_path, MIXED)
