from __future__ import annotations

import pytest

from ingest import glossing
from ingest.glossing import Sense
from tests.ingest.lexicon_samples import DICTIONARY, PAIRS


def glosses(definition: str, *, proper: bool = False) -> list[str]:
    pinyin = "Bo1" if proper else "bo1"
    (held,) = glossing.senses([f"退貨 退货 [{pinyin}] /{definition}/"]).values()
    return [sense.gloss for sense in held]


class TestSenses:
    @pytest.mark.parametrize(
        ("definition", "expected"),
        [
            ("how?", ["how"]),
            ("don't ...!", ["don't"]),
            ("to let sb do sth (coll.)", ["let"]),
            ("to look for sth", ["look for"]),
            ("to take part; to join in", ["take part", "join in"]),
            ("screen (TV, computer or movie)/CL:個|个[ge4]", ["screen"]),
            ("lit. one general, one order (idiom)", ["one general, one order"]),
            ('"urban" disease', ["urban disease"]),
            ("to exhibit at a trade show etc", ["exhibit at a trade show"]),
            ("variant of 怎麼|怎么[zen3me5]/surname Wang", []),
        ],
    )
    def test_a_gloss_is_what_would_stand_in_a_sentence(self, definition: str, expected: list[str]) -> None:
        assert glosses(definition) == expected

    def test_a_proper_name_ends_where_its_explanation_begins(self) -> None:
        assert glosses("Boston, capital of Massachusetts/abbr. for 加拿大[Jia1], Canada", proper=True) == [
            "Boston",
            "Canada",
        ]

    def test_words_are_folded_and_their_entries_joined(self) -> None:
        held = glossing.senses(["發 发 [fa1] /to send out/", "髮 发 [fa4] /hair/"])
        assert held == {"发": [Sense("send out", 0, False), Sense("hair", 1, False)]}

    def test_a_line_that_is_no_entry_is_named(self) -> None:
        with pytest.raises(ValueError, match="line 3: not an entry such as"):
            glossing.senses(["# comment", "", "退货 return"])


class TestGiven:
    def test_a_word_a_tab_and_its_english(self) -> None:
        assert glossing.given(["# shop", "保價\tprice protection\n", ""]) == {"保价": "price protection"}

    @pytest.mark.parametrize("line", ["退货", "退货\t", "return\treturn"])
    def test_a_line_that_is_none_is_named(self, line: str) -> None:
        with pytest.raises(ValueError, match="line 1: not a Chinese word, a tab and its English"):
            glossing.given([line])


class TestChoosing:
    def test_alignment_finds_what_translates_a_word(self) -> None:
        sentences = [(["手机", "碎"], ["phone", "broken"]), (["手机"], ["phone"]), (["碎"], ["broken"])]
        chances = glossing.align(sentences)
        assert chances["手机"]["phone"] > 0.7 > 0.2 > chances["手机"].get("broken", 0)

    def test_translators_choose_among_the_senses(self) -> None:
        held = {"分": [Sense("divide", 0, False), Sense("minute", 1, False)]}
        assert glossing.choose(held, {}, {}, {}) == {"分": "divide"}
        aligned = {"分": dict.fromkeys(glossing.stems("minute"), 0.9)}
        assert glossing.choose(held, aligned, {"分": 9}, {}) == {"分": "minute"}

    def test_a_frequent_word_takes_the_english_that_no_sense_has_as_it_is_spelt(self) -> None:
        held = {"创建": [Sense("found", 0, False)]}
        (stem,) = glossing.stems("create")
        spelling = glossing.spelt(["created once", "create it", "create"])
        assert glossing.choose(held, {"创建": {stem: 0.9}}, {"创建": 20}, spelling) == {"创建": "create"}
        assert glossing.choose(held, {"创建": {stem: 0.9}}, {"创建": 2}, spelling) == {"创建": "found"}

    def test_names_give_way_to_plain_words_and_particles_say_nothing(self) -> None:
        held = {
            "比": [Sense("Belgium", 0, True), Sense("compare", 1, False)],
            "的": [Sense("of", 0, False)],
            "鑫": [],
        }
        assert glossing.choose(held, {}, {}, {}) == {"比": "compare", "的": "", "鑫": ""}

    def test_the_sample_is_read_as_its_translations_say(self) -> None:
        senses = glossing.senses(DICTIONARY)
        cut = glossing.cut_pairs(PAIRS, lambda run: [word for word in senses if word in run])
        seen = dict.fromkeys(senses, 30)
        chosen = glossing.choose(senses, glossing.align(cut), seen, glossing.spelt(pair[1] for pair in PAIRS))
        assert chosen["屏幕"] == "screen"
        assert chosen["波士顿"] == "Boston"
