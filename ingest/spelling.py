"""What a typing mistake leaves alike: letters that were swapped or missed, syllables, the shapes of characters.

Pure and thread-safe; word lists and readings are loaded at first use, so that importing this module is instant.
"""

from __future__ import annotations

import functools
import importlib.util
import itertools
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

READINGS = 2
"""Readings of one character that are looked at, the usual ones; the rest is for dictionaries."""
_SPELLINGS = 8
"""Ways to read a word of characters with several readings."""
_ENGLISH = "frequency_dictionary_en_82_765.txt"
_COMMON = 2_000_000
"""Occurrences in the word list's corpus from which an English word is one that a customer may have meant."""

ABBREVIATIONS: Mapping[str, str] = {
    "acct": "account", "addr": "address", "amt": "amount", "cust": "customer", "deliv": "delivery",
    "exch": "exchange", "pkg": "package", "pymt": "payment", "qty": "quantity", "rcpt": "receipt",
    "rtn": "return", "svc": "service", "tmrw": "tomorrow", "wrty": "warranty", "wty": "warranty",
    "dz": "地址", "fp": "发票", "kd": "快递", "kf": "客服", "sh": "售后", "th": "退货", "tk": "退款",
    "yf": "运费", "yhq": "优惠券", "zs": "赠送",
}  # fmt: skip
"""What customers shorten: English by leaving out vowels, Chinese to the first letters of its syllables."""


# --- English ----------------------------------------------------------------------------------------------


def is_english(word: str) -> bool:
    """Whether a word in lower case stands in the list of English words (SymSpell's, 83 thousand words), or is one
    that only messages have: doesnt, plz. Brands that are known everywhere count as well."""
    return word in english() or word in _CASUAL


_MESSAGES = """
aint arent cant couldnt didnt doesnt dont gonna gotta hadnt hasnt havent heres hows idk im isnt ive lol mins
okay omg plz secs shouldnt thats theres theyre thx tmr tysm wanna wasnt werent whats wheres whos wont wouldnt
youre youve yall hrs hiya btw atm asap fyi imo kinda lemme sorta tho thru ty ur usb uk usa eu app sku diy
"""
_BRANDS = """
adidas airpods alipay aliexpress amazon android anker apple asics asus beats bosch bose canon casio chanel dell dhl
dior dyson ebay epson fedex fitbit garmin google gopro gucci hisense honor huawei ikea iphone ipad jbl kindle klarna
lego lenovo levis lululemon macbook mastercard meizu midea miele muji nike nikon nintendo oneplus oppo paypal philips
pinduoduo playstation prada puma realme redmi samsung seiko sharp shein shopify siemens sonos sony taobao temu tesla
tiktok tmall toshiba ugreen uniqlo usps vans visa vivo walmart wechat weibo whatsapp xbox xiaomi zara
"""
_CASUAL = frozenset([*_MESSAGES.split(), *_BRANDS.split()])


@functools.cache
def english() -> Mapping[str, int]:
    """English words in lower case and how often they occur in the corpus that they were counted in."""
    specification = importlib.util.find_spec("symspellpy")
    assert specification is not None and specification.origin is not None
    # The file alone: the package would read it into a structure of its own, several times as large.
    file = Path(specification.origin).parent / _ENGLISH
    pairs = (line.split(" ") for line in file.read_text("utf-8-sig").splitlines())
    return {word: int(count) for word, count in pairs}


@functools.cache
def common_english() -> Mapping[str, tuple[str, ...]]:
    """The frequent English words of four letters or more, by first letter."""
    by_letter: dict[str, list[str]] = {}
    for word, count in english().items():
        if count >= _COMMON and len(word) >= 4:
            by_letter.setdefault(word[0], []).append(word)
    return {letter: tuple(held) for letter, held in by_letter.items()}


def near(word: str, choices: Sequence[str], at_most: int) -> list[tuple[str, int]]:
    """The choices within so many edits of a word, each with how many it takes.

    An edit adds, drops or changes a letter or swaps two neighbours (optimal string alignment, Boytsov: Indexing
    Methods for Approximate Dictionary Searching, 2011).
    """
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    found = process.extract(word, choices, scorer=OSA.distance, score_cutoff=at_most, limit=None)
    return [(choice, int(distance)) for choice, distance, _ in found]


# --- Chinese ----------------------------------------------------------------------------------------------


@functools.cache
def _readings() -> Mapping[str, tuple[str, ...]]:
    """The usual syllables of each character, without tones, ü as v."""
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")  # phrases take 40 MB and say nothing here
    from pypinyin.constants import PINYIN_DICT

    made: dict[str, tuple[str, ...]] = {}
    for code, listed in PINYIN_DICT.items():
        if 0x4E00 <= code <= 0x9FFF:
            plain = (_toneless(reading) for reading in listed.split(","))
            made[chr(code)] = tuple(dict.fromkeys(plain))[:READINGS]
    return made


def _toneless(reading: str) -> str:
    bare = unicodedata.normalize("NFD", reading.replace("ü", "v").replace("ǖ", "v").replace("ǘ", "v"))
    bare = bare.replace("ǚ", "v").replace("ǜ", "v").replace("u\u0308", "v")
    return "".join(character for character in bare if character.isascii())


def syllables(character: str) -> tuple[str, ...]:
    """How a Chinese character is read, the usual readings without tones; empty for any other character."""
    return _readings().get(character, ())


def blurred(syllable: str) -> str:
    """A syllable as speakers of the south type it: zh as z, n as l at the begin, ang as an."""
    syllable = re.sub("^([zcs])h", r"\1", syllable)
    syllable = "l" + syllable[1:] if syllable.startswith("n") else syllable
    return re.sub("(?<=[aei])ng$", "n", syllable)


def romanized(word: str) -> tuple[str, ...]:
    """How a Chinese word is typed in Latin letters: "tuihuo" for 退货; several where a character has several
    readings, none where a character has none."""
    ways = itertools.product(*(syllables(character) for character in word))
    return tuple("".join(way) for way in itertools.islice(ways, _SPELLINGS))


@functools.cache
def _lookalikes() -> Mapping[str, str]:
    alike: dict[str, set[str]] = {}
    for group in (Path(__file__).parent / "lookalikes.txt").read_text("utf-8").split():
        for character in group:
            alike.setdefault(character, set()).update(set(group) - {character})
    return {character: "".join(sorted(others)) for character, others in alike.items()}


def lookalikes(character: str) -> str:
    """Characters that are taken for this one by their shape: 货 for 贷."""
    return _lookalikes().get(character, "")


def load() -> None:
    """Load every list now (about a quarter of a second), so that no later call waits for one."""
    common_english()
    syllables("货")
    lookalikes("货")
    near("load", ("loaf",), 1)
