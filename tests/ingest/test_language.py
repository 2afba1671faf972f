"""Languages, spelling, words, sentences and clauses, in Chinese, English and both mixed."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.language import (
    add_words,
    clauses,
    content_words,
    fold,
    identify,
    sentences,
    tokens,
    words,
)

MIXED = st.text(
    st.sampled_from(
        "我的退货政策软軟體です안녕 aAzZ019.,;!?。！？；…，、\n\t“”()（）-_/'￥½ＡＢ１２😀\u200b\u00adßİ"
    ),
    max_size=60,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我要退货", "zh"),
        ("我的AirBuds", "zh"),
        ("iPhone 15 Pro Max充电慢", "zh"),
        ("USB-C 线", "zh"),
        ("軟體無法安裝", "zh"),
        ("鲜の每日牛奶还没到", "zh"),
        ("where is my order", "en"),
        ("refund pls", "en"),
        ("hi", "en"),
        ("color faded", "en"),
        ("promo code invalid", "en"),
        ("AUR-S2-BLK is out of stock", "en"),
        ("What does 无理由退货 mean", "en"),
        ("你好 where is my order ORD-123?", "en"),
        ("Wo ist mein Paket", "de"),
        ("¿Dónde está mi pedido?", "es"),
        ("remboursement de ma commande", "fr"),
        ("il mio ordine non è arrivato", "it"),
        ("商品の返品をしたいです", "ja"),
        ("반품하고 싶어요", "ko"),
        ("где мой заказ", "ru"),
        ("", "und"),
        ("12345 67", "und"),
        ("?!...", "und"),
        ("😀👍🏽", "und"),
        ("AUR-S2-BLK", "und"),
        ("https://shop.example/returns a@b.example", "und"),
    ],
)
def test_identify(text: str, expected: str) -> None:
    assert identify(text) == expected


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("ＡＢＣ１２３", "abc123"),
        ("軟體", "软件"),
        ("退貨", "退货"),
        ("AirBuds", "airbuds"),
        ("don’t", "don't"),
        ("zero\u200bwidth", "zerowidth"),
        ("Straße", "strasse"),
        ("㎏", "kg"),
    ],
)
def test_fold_gives_one_spelling(text: str, same: str) -> None:
    assert fold(text) == same
    assert fold(same) == same


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("七天无理由退货", ["退货", "无理", "7天"]),
        ("30天内可退", ["30天"]),
        ("三十天内可退", ["30天"]),
        ("分十二期", ["12期"]),
        ("returning returned returns", ["return"]),
        ("deliveries", tokens("delivery")[0:1]),
        ("AUR-S2-BLK", ["aur-s2-blk", "aurs2blk", "aur", "s2", "blk"]),
        ("aur s2 blk", ["aur", "s2", "blk"]),
        ("JT 2030", ["jt", "2030", "jt2030"]),
        ("JT2030", ["jt2030", "jt", "2030"]),
        ("iPhone 15", ["iphone15"]),
        ("iPhone15Pro", ["iphone15pro", "15", "pro"]),
        ("K500", ["k500"]),
        ("我的AirBuds蓝牙耳机", ["airbud", "air", "bud", "蓝牙", "耳机"]),
        ("wi-fi", ["wifi"]),
        ("T-shirts", ["tshirt", "shirt"]),
        ("¥1,299.00", ["1299"]),
        ("3.5mm", ["3.5mm", "3.5", "mm"]),
        ("don't", ["dont"]),
        ("the shop's", ["shop"]),
        ("軟體退貨", ["软件", "退货"]),
        ("商品の返品をした", ["した"]),
    ],
)
def test_tokens_hold(text: str, found: list[str]) -> None:
    assert set(found) <= set(tokens(text))


def test_tokens_hold_no_punctuation_nor_emoji() -> None:
    assert tokens("。！？ ,.;:!? 😀👍🏽 —— …… 【】") == []


def test_a_code_is_found_however_it_is_written() -> None:
    ways = ["AUR-S2-BLK", "aur-s2-blk", "AURS2BLK", "ＡＵＲ－Ｓ２－ＢＬＫ", "aur_s2_blk", "AUR/S2/BLK"]
    assert set.intersection(*(set(tokens(way)) for way in ways)) >= {"aurs2blk"}


def test_words_read_each_place_once() -> None:
    assert words("AUR-S2-BLK多少钱？T-shirts aren't cheap") == [
        "aurs2blk",
        "多少",
        "钱",
        "tshirt",
        "arent",
        "cheap",
    ]
    assert words("AUR-S2-BLK returning", stemmed=False) == ["aur-s2-blk", "returning"]


def test_content_words_leave_grammar_out() -> None:
    assert content_words("请问我的耳机怎么退货") == ["耳机", "退货"]
    assert content_words("Why can't I return the headphones, please?") == ["return", "headphon"]
    assert content_words("The batteries", stemmed=False) == ["batteries"]


def test_added_words_are_cut_whole_and_their_parts_stay_findable() -> None:
    before = set(tokens("我的绒芯宝保温杯"))
    add_words(["绒芯宝", "ZX", "一二三四五六七八九十"])
    after = tokens("我的絨芯寶保温杯")
    assert "绒芯宝" in after
    assert "绒芯宝" not in before
    assert {"绒芯", "芯宝", "保温"} <= set(after)


@settings(deadline=None)
@given(MIXED)
def test_tokens_are_folded_and_never_blank(text: str) -> None:
    for token in tokens(text) + words(text) + content_words(text):
        assert token.strip() == token != ""
        assert any(character.isalnum() for character in token)
        assert fold(token) == token


@settings(deadline=None)
@given(MIXED)
def test_fold_twice_is_fold_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_taken(text: str) -> None:
    assert identify(text)
    assert isinstance(tokens(text), list)
    assert isinstance(clauses(text), list)


@settings(deadline=None)
@given(st.text(max_size=80) | MIXED)
def test_sentences_cover_the_text_in_order(text: str) -> None:
    end = 0
    for start, stop in sentences(text):
        assert not text[end:start].strip()
        assert start < stop
        assert text[start:stop].strip() == text[start:stop]
        end = stop
    assert not text[end:].strip()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("能退吗？可以。谢谢！", ["能退吗？", "可以。", "谢谢！"]),
        ("七天内；超过不退……请注意", ["七天内；", "超过不退……", "请注意"]),
        ("他说“好的。”然后走了。", ["他说“好的。”", "然后走了。"]),
        ("他说“好的。”，然后走了。", ["他说“好的。”，然后走了。"]),
        ("能退吗?我想退.", ["能退吗?", "我想退."]),
        ("什么？?真的", ["什么？?", "真的"]),
        (
            "Mr. Smith bought No. 5 for 3.5 USD. It broke.",
            ["Mr. Smith bought No. 5 for 3.5 USD.", "It broke."],
        ),
        ("See e.g. the box. No. We will not.", ["See e.g. the box.", "No.", "We will not."]),
        ("J. Smith came at 5 p.m. Then he left.", ["J. Smith came at 5 p.m.", "Then he left."]),
        ("It costs 1,299.50 now. Really?! Yes", ["It costs 1,299.50 now.", "Really?!", "Yes"]),
        ("1. Open the app. 2. Click.", ["1. Open the app.", "2. Click."]),
        ("Wait... what happened? Oh... Fine", ["Wait... what happened?", "Oh...", "Fine"]),
        ("价格3.5元。涨了1.5倍", ["价格3.5元。", "涨了1.5倍"]),
        ("first line\ngoes on\n\nNext", ["first line\ngoes on", "Next"]),
        ("第一行\n第二行", ["第一行", "第二行"]),
        ("", []),
        ("  \n ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == expected


@settings(deadline=None)
@given(st.integers(0, 10**7), st.integers(0, 99), st.sampled_from(["价格{}元。退", "It costs {} now", "v{}"]))
def test_numbers_are_never_cut(whole: int, part: int, frame: str) -> None:
    number = f"{whole:,}.{part:02d}"
    text = frame.format(number)
    assert any(number in text[start:end] for start, end in sentences(text))
    assert any(number in clause for clause in clauses(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你好，我要退货", ["你好，我要退货"]),
        ("屏幕碎了,想退货，快递费谁出？", ["屏幕碎了", "想退货", "快递费谁出"]),
        ("你好 我的快递怎么还没到 急", ["你好 我的快递怎么还没到 急"]),
        ("价格是1,299.00元，能便宜吗", ["价格是1,299.00元", "能便宜吗"]),
        (
            "hi, where is my order, it is three days late, refund me now",
            ["hi, where is my order", "it is three days late", "refund me now"],
        ),
        ("I paid $1,299, but the box was empty. Help!", ["I paid $1,299", "but the box was empty. Help"]),
        (
            "My order arrived broken and also I was charged twice",
            ["My order arrived broken", "and also I was charged twice"],
        ),
        ("red, green, blue", ["red, green, blue"]),
        ("see https://a.example/x?y=1;z 谢谢,怎么退", ["see https://a.example/x?y=1;z 谢谢", "怎么退"]),
        ("在吗", ["在吗"]),
        ("ok", ["ok"]),
        ("？？！！", []),
        ("", []),
    ],
)
def test_clauses(text: str, expected: list[str]) -> None:
    assert clauses(text) == expected


@settings(deadline=None)
@given(MIXED)
def test_clauses_keep_every_letter_in_order(text: str) -> None:
    kept = "".join(character for character in "".join(clauses(text)) if character.isalnum())
    assert kept in ("", "".join(character for character in text if character.isalnum()))


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "run", ["abc. ", "a, ", "( , ", "1,111,", "a", "1", "\n \n", "\t", "。", "很", "a-1-", "https://a "]
)
def test_hostile_runs_take_linear_time(run: str) -> None:
    text = run * (100_000 // len(run))
    sentences(text)
    clauses(text)
    tokens(text)
    identify(text)


def test_threads_get_the_same_words() -> None:
    texts = [f"第{n}个订单的AirBuds{n}耳机returning, 無法連接" for n in range(200)]
    alone = [tokens(text) for text in texts]

    def work(number: int) -> list[list[str]]:
        add_words([f"并发词{chr(0x4E00 + number)}"])
        return [tokens(text) for text in texts]

    with ThreadPoolExecutor(8) as pool:
        assert all(result == alone for result in pool.map(work, range(8)))


def test_importing_loads_no_dictionary() -> None:
    code = (
        "import sys, ingest.language;"
        "print(sorted({'rjieba', 'opencc', 'py3langid', 'snowballstemmer', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
