"""The language of a text, and the words that two texts are compared by.

Everything here is thread-safe and loads its dictionaries at first use: importing this module is instant.
"""

from __future__ import annotations

import functools
import re
import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from ingest import stopwords
from ingest.sentences import clauses, sentences

if TYPE_CHECKING:
    import rjieba

__all__ = [
    "add_words",
    "clauses",
    "content_words",
    "familiarity",
    "fold",
    "identify",
    "sentences",
    "tokens",
    "words",
]

T = TypeVar("T")


class _Once(Generic[T]):
    """What `make` returns, made at the first call of `get`, by one thread while others wait."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: T | None = None

    def get(self) -> T:
        if self._made is None:
            with self._lock:
                if self._made is None:
                    self._made = self._make()
        return self._made


_HAN = r"\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA = r"\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
_HANGUL = r"\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"
_HAS_HAN = re.compile(f"[{_HAN}]")
_NOISE = re.compile(r"https?://\S+|www\.\S+|[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]+")


# --- which language ---------------------------------------------------------------------------------------

_SCRIPTS = {
    "zh": re.compile(f"[{_HAN}]"),
    "ja": re.compile(f"[{_KANA}]"),
    "ko": re.compile(f"[{_HANGUL}]"),
    "ru": re.compile(r"[\u0400-\u052f]"),
    "ar": re.compile(r"[\u0600-\u06ff\u0750-\u077f]"),
    "th": re.compile(r"[\u0e00-\u0e7f]"),
    "el": re.compile(r"[\u0370-\u03ff]"),
    "he": re.compile(r"[\u0590-\u05ff]"),
    "hi": re.compile(r"[\u0900-\u097f]"),
}
_LATIN_WORD = re.compile(r"[a-zA-Z\u00c0-\u024f\u1e00-\u1eff]+(?:['’-][a-zA-Z\u00c0-\u024f\u1e00-\u1eff]+)*")
_CODE = re.compile(r"(?<![A-Za-z0-9_/.-])[A-Za-z_/.-]{0,40}\d[A-Za-z0-9_/.-]*")
_LATIN_LANGUAGES = ("de", "en", "es", "fr", "it")
_SURE = 0.85
_ENOUGH_FOR_STATISTICS = 20_000
_LETTERS_A_WORD = 1.7
"""Characters of an average Chinese word."""


def identify(text: str) -> str:
    """The language of a text as an ISO 639-1 code, or "und" when there is nothing to go by.

    Scripts decide first: kana is Japanese, hangul Korean; Chinese characters make a text Chinese although
    it names products in Latin letters, unless English words of grammar carry the sentence. Latin text is
    told apart by py3langid among German, English, Spanish, French and Italian; a text too short to be sure
    of is English. Digits, punctuation, emoji, addresses of mail and web, and model numbers say nothing.
    """
    plain = _NOISE.sub(" ", unicodedata.normalize("NFKC", text[:_ENOUGH_FOR_STATISTICS]))
    counts = {code: len(script.findall(plain)) for code, script in _SCRIPTS.items()}
    latin = _LATIN_WORD.findall(_CODE.sub(" ", plain))
    east = counts["zh"] + counts["ja"] + counts["ko"]
    if east:
        return _latin(latin) if _latin_sentence(latin, east) else _eastern(counts, east)
    code = max(counts, key=counts.__getitem__)
    if counts[code] > sum(map(len, latin)):
        return code
    return _latin(latin) if latin else "und"


def _eastern(counts: dict[str, int], east: int) -> str:
    if counts["ko"] * 3 >= east:
        return "ko"
    return "ja" if counts["ja"] * 5 >= east else "zh"  # one の in a Chinese brand name is not Japanese


def _latin_sentence(latin: list[str], east: int) -> bool:
    """Whether Latin words make the sentence and the Eastern characters are only quoted in it."""
    grammar = sum(word.lower() in stopwords.ENGLISH for word in latin)
    if len(latin) >= 8 and len(latin) > 3 * east / _LETTERS_A_WORD:
        return True
    return grammar >= 2 and len(latin) >= east / _LETTERS_A_WORD


def _latin(latin: list[str]) -> str:
    text = " ".join(latin)
    code, probability = _identifier.get().classify(text)
    if code == "en" or probability < _SURE:
        return "en"
    grammar = sum(word.lower() in stopwords.ENGLISH for word in latin)
    if len(text) < 12 or grammar * 3 >= len(latin):
        return "en"
    return code


class _Identifier(Protocol):
    def classify(self, text: str) -> tuple[str, float]: ...


def _make_identifier() -> _Identifier:
    from py3langid import langid

    identifier = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(_LATIN_LANGUAGES))
    made: _Identifier = identifier
    return made


_identifier = _Once(_make_identifier)


# --- one spelling -----------------------------------------------------------------------------------------

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufe0e\ufe0f\ufeff]")


class _Converter(Protocol):
    def convert(self, text: str) -> str: ...


def _make_converter() -> _Converter:
    from opencc import OpenCC

    made: _Converter = OpenCC("tw2sp")
    return made


_converter = _Once(_make_converter)


def fold(text: str) -> str:
    """One spelling for all that a customer would call the same; for search keys, never for display.

    NFKC (full width to half width), Taiwan and Hong Kong characters and words to mainland ones by OpenCC
    (軟體 → 软件), case folding, curly apostrophes to straight ones, invisible characters removed. The length
    may change, so offsets into the result are not offsets into the text.
    """
    folded = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    if _HAS_HAN.search(folded):
        folded = _converter.get().convert(folded)
    return unicodedata.normalize("NFKC", folded.casefold()).replace("’", "'")


# --- words ------------------------------------------------------------------------------------------------


class _Segmenter:
    """rjieba behind a lock, since a word may be added while another thread cuts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jieba: rjieba.Jieba | None = None
        self._added: set[str] = set()

    def _loaded(self) -> rjieba.Jieba:
        if self._jieba is None:
            import rjieba

            self._jieba = rjieba.Jieba()
        return self._jieba

    def add(self, folded: Iterable[str]) -> None:
        with self._lock:
            for word in folded:
                if word not in self._added:
                    self._added.add(word)
                    self._loaded().add_word(word, None, None)

    def cut(self, run: str, *, search: bool) -> list[str]:
        with self._lock:
            jieba = self._loaded()
            return jieba.cut_for_search(run) if search else jieba.cut(run)

    def frequency(self, word: str) -> int:
        with self._lock:
            jieba = self._loaded()
            return jieba.suggest_freq(word) if jieba.has_word(word) else 0


_segmenter = _Segmenter()


def add_words(names: Iterable[str]) -> None:
    """Teach the segmenter brand and product names, so that their Chinese parts are cut as words.

    Holds for the whole process. Names are folded; only their runs of two to eight Chinese characters are
    learned, since other scripts are cut at their borders anyway.
    """
    runs = (run for name in names for run in re.findall(f"[{_HAN}]+", fold(name)))
    _segmenter.add(run for run in runs if 2 <= len(run) <= 8)


def familiarity(word: str) -> int:
    """How usual a folded Chinese word is in the language, by its frequency in the segmenter's dictionary; 0 for
    what stands neither there nor among the names that were taught."""
    return _segmenter.frequency(word)


_CAMEL = re.compile(r"(?<=[a-z]{2})(?=[A-Z][a-z]{2})|(?<=[A-Z][a-z])(?=[A-Z][a-z]{2})")
_HUMP = "\ue000"
"""Marks where a name in camel case splits, through folding; a private character no text uses."""
_LETTER = rf"[^\W_{_HAN}{_KANA}{_HANGUL}]"
_JOINERS = rf"(?:[-_/·'‐‑{_HUMP}]|(?<!\d)\.|\.(?!\d))"
_RUN = re.compile(
    rf"(?P<han>[{_HAN}]+)"
    rf"|(?P<east>[{_KANA}{_HANGUL}]+)"
    r"|(?P<number>\d{1,3}(?:,\d{3}){1,6}(?:\.\d+)?(?!\w)|\d+\.\d+(?![\w.]))"
    rf"|(?P<word>{_LETTER}+(?:[-_/.·'‐‑{_HUMP}]{_LETTER}+)*)"
)
_PART = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+")
_NUMERAL = re.compile(r"([一二两三四五六七八九十]{1,3})(?=[天日周月年折期元块])")
_UNITS = "天日周月年折期元块"
_DIGITS = dict(zip("一二三四五六七八九", "123456789", strict=True)) | {"两": "2"}
_LONGEST_NAME = 6


def tokens(text: str) -> list[str]:
    """Search terms of a text, folded, without punctuation, in the order of the text.

    Chinese: the dictionary words of rjieba's search mode, and the pairs of neighbouring characters that are
    not among them. Kana and hangul: pairs. English: words stemmed by Snowball's English ("Porter 2")
    stemmer; "T-shirts" and "AirBuds" in parts and as one. Codes such as "AUR-S2-BLK": whole, without
    separators, and in parts; "JT 2030" also gives "jt2030", "30天" and "三十天" also give "30天". Numbers
    lose thousands separators and trailing zeros after the point.
    """
    return list(_terms(text, pairs=True, stemmed=True))


def words(text: str, *, stemmed: bool = True) -> list[str]:
    """The words of a text, folded: like `tokens`, but one reading of each place and no character pairs.

    For comparing what messages say and for naming; with `stemmed=False` they stay as people read them.
    """
    return list(_terms(text, pairs=False, stemmed=stemmed))


def content_words(text: str, *, stemmed: bool = True) -> list[str]:
    """`words` without those that carry only grammar or courtesy (the, 的, please, 谢谢)."""
    kept = [word for word in words(text, stemmed=False) if word not in _STOPS]
    return [_stem(_joined(word)) for word in kept] if stemmed else kept


_STOPS = stopwords.ALL | (
    {word.replace("'", "") for word in stopwords.ENGLISH}
    - {"id", "ill", "shed", "shell", "wed", "well", "were"}
)


def _terms(text: str, *, pairs: bool, stemmed: bool) -> Iterator[str]:
    previous = ""
    end = -2
    for match in _RUN.finditer(fold(_CAMEL.sub(_HUMP, text) if pairs else text)):
        run, kind = match.group(), match.lastgroup
        if kind == "han":
            yield from _han(run, pairs=pairs)
            if pairs:
                yield from _quantities(run, previous if match.start() == end else "")
        elif kind == "east":
            yield from _pairs(run) if pairs else [run]
        elif kind == "number":
            yield _plain_number(run)
        else:
            if match.start() == end + 1 and _is_model(previous, run) and pairs:
                yield previous + run
            yield from _word(run, pairs=pairs, stemmed=stemmed)
        previous, end = run, match.end()


def _han(run: str, *, pairs: bool) -> Iterator[str]:
    if not pairs:
        yield from _segmenter.cut(run, search=False)
        return
    cut = _segmenter.cut(run, search=True)
    yield from cut
    known = set(cut)
    yield from (pair for pair in _pairs(run) if len(pair) == 2 and pair not in known)


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def _quantities(run: str, before: str) -> Iterator[str]:
    """ "30天" for both 30天 and 三十天: what tells one shop's periods and instalments from another's."""
    if before.isdigit() and len(before) <= 4 and run[0] in _UNITS:
        yield before + run[0]
    for numeral in _NUMERAL.finditer(run):
        value = _value(numeral.group(1))
        if value:
            yield value + run[numeral.end()]


def _value(numeral: str) -> str:
    """The digits of a Chinese numeral up to 99; empty for what is none, such as 一两 or 三五."""
    tens, ten, ones = numeral.partition("十")
    if not ten:
        return _DIGITS[numeral] if len(numeral) == 1 else ""
    if len(tens) > 1 or len(ones) > 1 or "十" in ones:
        return ""
    return (_DIGITS[tens] if tens else "1") + (_DIGITS[ones] if ones else "0")


def _plain_number(run: str) -> str:
    plain = run.replace(",", "")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _is_model(name: str, number: str) -> bool:
    """Whether two neighbouring words read as one model or order number: "JT 2030", "iPhone 15"."""
    return (
        name.isalpha()
        and len(name) <= _LONGEST_NAME
        and name not in stopwords.ENGLISH
        and number.isalnum()
        and number[0].isdigit()
        and len(number) <= 8
    )


def _word(run: str, *, pairs: bool, stemmed: bool) -> Iterator[str]:
    run = run.removesuffix("'s")
    joined = _joined(run)
    is_code = any(character.isdigit() for character in run)
    if not pairs and (is_code or "'" in run):
        yield joined if stemmed else run
        return
    if is_code:
        yield run
        if joined != run:
            yield joined
        parts = list(_code_parts(run))
    else:
        parts = [joined] if "'" in run else re.split(_JOINERS, run)
        if pairs and len(parts) > 1:
            yield _stem(joined) if stemmed else joined
        elif any(len(part) <= 2 for part in parts):  # wi-fi, t-shirt, e-mail are one word
            parts = [joined]
    yield from (_stem(part) if stemmed else part for part in parts)


def _joined(run: str) -> str:
    return re.sub(_JOINERS, "", run)


def _code_parts(run: str) -> Iterator[str]:
    """ "s2" and "blk" of "aur-s2-blk"; "iphone" and "15" of "iphone15", but k500 and 5g stay whole."""
    pieces = re.split(_JOINERS, run)
    for piece in pieces:
        if len(pieces) > 1:
            yield piece
        parts = _PART.findall(piece)
        if len(parts) > 1 and not any(len(part) == 1 and part.isalpha() for part in parts):
            yield from parts


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...


def _make_stemmer() -> _Stemmer:
    import snowballstemmer  # type: ignore[import-untyped]

    made: _Stemmer = snowballstemmer.stemmer("english")
    return made


_stemmer = _Once(_make_stemmer)
_stemming = threading.Lock()  # a stemmer keeps the word that it works on


@functools.lru_cache(maxsize=1 << 16)
def _stem(word: str) -> str:
    if not (word.isascii() and word.isalpha() and 3 <= len(word) <= 40):
        return word
    with _stemming:
        return _stemmer.get().stemWord(word)
