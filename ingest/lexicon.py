"""A bilingual lexicon: what each Chinese word means in English, and a vector for it in an English encoder's space.

Two readings of one text come out of it. `read` puts an English word in the place of each Chinese one, so that an
English encoder can follow the sentence with its word order, numbers and Latin names; `vectors` adds up what each
word meant in translated sentences, which knows better which sense is meant. `ingest.bilingual` joins the two.

One file holds all of it (NumPy's .npz, never pickled): the words, a gloss each, and a vector each in rows of
4-bit numbers with a scale, 192 bytes a word for 384 dimensions; on held-out pairs that loses nothing against
float32. `ingest.lexicon_building` makes it.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import re
import threading
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ingest.errors import EncoderUnavailable
from ingest.language import fold

if TYPE_CHECKING:
    import rjieba

SHIPPED = Path(__file__).parent / "lexicons" / "zh-en.npz"
FORMAT = 1
HAN = re.compile(r"[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_LATIN = re.compile(r"[^\W\d_]+")
_LONGEST_WORD = 8
_MOST_CHARS = 4_000
"""Characters of a text that are read; far beyond what the encoder takes of them."""
_PUNCTUATION = str.maketrans("，。？！；：、（）【】《》“”‘’…", ',.?!;:,()[]""""\'\'.')
_BEFORE_PUNCTUATION = re.compile(r"\s+([,.?!;:)\]])")
_SPACES = re.compile(r"\s+")
_REMEDY = "install the service again, or go back to another lexicon with `kb encoder rollback`"
_STEPS = 7
"""A 4-bit number goes from -7 to 7."""


@dataclass(frozen=True)
class Lexicon:
    """Words with their glosses and vectors; immutable, safe from any thread.

    `numbers` maps a folded Chinese word to its place in `glosses` (an English word or short phrase, empty for
    particles), `packed` (two 4-bit numbers a byte, shape (words, dimension / 2)) and `scales`. `table_share` is
    the weight of the vectors beside the encoder's reading of the glosses. `about` tells the encoder, the sources
    with their licences, and the words `kept_whole` where a text is cut. `digest` names the contents.
    """

    numbers: Mapping[str, int]
    glosses: Sequence[str]
    packed: NDArray[np.uint8]
    scales: NDArray[np.float16]
    table_share: float
    about: Mapping[str, Any]
    digest: str

    @property
    def dimension(self) -> int:
        return 2 * int(self.packed.shape[1])

    @property
    def words(self) -> list[str]:
        """The words in the order of their numbers."""
        return list(self.numbers)

    def cut(self, run: str) -> list[str]:
        """The words of a folded run of Chinese characters; those that the lexicon lacks in known parts."""
        return [
            word
            for piece in self._segmenter.cut(run)
            for word in ((piece,) if piece in self.numbers else self._parts(piece))
        ]

    @functools.cached_property
    def _segmenter(self) -> _Segmenter:
        return _segmenter(tuple(self.about.get("kept_whole", ())))

    def _parts(self, piece: str) -> list[str]:
        """The longest known words from left to right; unknown characters are left out."""
        found = []
        place = 0
        while place < len(piece):
            for length in range(min(_LONGEST_WORD, len(piece) - place), 0, -1):
                if piece[place : place + length] in self.numbers:
                    found.append(piece[place : place + length])
                    break
            else:
                length = 1
            place += length
        return found

    def read(self, text: str) -> str:
        """The text with each Chinese word replaced by its gloss; all else stays where it is.

        "屏幕碎了, iPhone 15" becomes "screen broken, iphone 15". Without Chinese the text itself comes back.
        """
        if not HAN.search(text):
            return text
        folded = _folded(text).translate(_PUNCTUATION)
        english = HAN.sub(lambda run: f" {' '.join(self._glossed(run.group()))} ", folded)
        return _BEFORE_PUNCTUATION.sub(r"\1", _SPACES.sub(" ", english)).strip() or "."

    def _glossed(self, run: str) -> list[str]:
        glosses = (self.glosses[self.numbers[word]] for word in self.cut(run))
        return [gloss for gloss in glosses if gloss]

    def numbered(self, text: str) -> list[int]:
        """The numbers of the Chinese words of a text, in its order."""
        runs = HAN.findall(_folded(text))
        return [self.numbers[word] for run in runs for word in self.cut(run)]

    def chinese_share(self, text: str, words: int) -> float:
        """The share of Chinese among the words of a text, of which `words` are Chinese; 0..1."""
        latin = len(_LATIN.findall(HAN.sub(" ", text[:_MOST_CHARS])))
        return words / (words + latin) if words else 0.0

    def rows(self, numbers: Sequence[int]) -> NDArray[np.float32]:
        """The vectors of words, not of unit length: what says little is short. Shape (len(numbers), dimension)."""
        return unpacked(self.packed[list(numbers)], self.scales[list(numbers)])

    def save(self, path: Path) -> None:
        """Writes the file that `load` reads; whole or not at all."""
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        temporary.write_bytes(_bytes(self))
        temporary.replace(path)


def load(path: Path = SHIPPED) -> Lexicon:
    """The lexicon of a file. Raises EncoderUnavailable when it is missing, damaged or of another format."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            about = json.loads(file["about"].tobytes())
            words, glosses = (file[name].tobytes().decode().split("\n") for name in ("words", "glosses"))
            packed, scales = file["packed"], file["scales"]
            digest = bytes(file["digest"]).hex()
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise EncoderUnavailable(f"the lexicon {path} cannot be read: {error}; {_REMEDY}") from error
    if about.get("format") != FORMAT or not len(words) == len(glosses) == len(packed) == len(scales):
        raise EncoderUnavailable(f"the lexicon {path} does not fit this version; {_REMEDY}")
    found = Lexicon(
        numbers={word: number for number, word in enumerate(words)},
        glosses=glosses,
        packed=packed,
        scales=scales,
        table_share=float(about["table_share"]),
        about=about,
        digest=digest,
    )
    if _digest(found) != digest:
        raise EncoderUnavailable(f"the lexicon {path} is damaged: its digest differs; {_REMEDY}")
    return found


def made(
    words: Sequence[str],
    glosses: Sequence[str],
    rows: NDArray[np.float32],
    table_share: float,
    about: Mapping[str, Any],
) -> Lexicon:
    """A lexicon of words, a gloss each, and rows of shape (len(words), dimension)."""
    packed, scales = packed_rows(rows)
    lexicon = Lexicon(
        numbers={word: number for number, word in enumerate(words)},
        glosses=list(glosses),
        packed=packed,
        scales=scales,
        table_share=table_share,
        about={**about, "format": FORMAT, "table_share": table_share},
        digest="",
    )
    return replace(lexicon, digest=_digest(lexicon))


def packed_rows(rows: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """Rows as 4-bit numbers, each row by its own largest; two numbers a byte."""
    largest = np.abs(rows).max(axis=1)
    scales = (largest / _STEPS).astype(np.float16)
    divisor = np.maximum(scales.astype(np.float32), np.float32(1e-6))[:, np.newaxis]
    steps = np.clip(np.rint(rows / divisor), -_STEPS, _STEPS).astype(np.int8) + 8
    return (steps[:, 0::2] | (steps[:, 1::2] << 4)).astype(np.uint8), scales


def unpacked(packed: NDArray[np.uint8], scales: NDArray[np.float16]) -> NDArray[np.float32]:
    """The reverse of `packed_rows`, as near as 4 bits allow."""
    rows = np.empty((len(packed), 2 * packed.shape[1]), dtype=np.float32)
    rows[:, 0::2] = (packed & 15).astype(np.float32) - 8
    rows[:, 1::2] = (packed >> 4).astype(np.float32) - 8
    rows *= scales.astype(np.float32)[:, np.newaxis]
    return rows


def _arrays(lexicon: Lexicon) -> dict[str, NDArray[Any]]:
    """A lexicon as the plain arrays of its file, texts as bytes of UTF-8."""
    texts = {
        "about": json.dumps(lexicon.about, ensure_ascii=False, sort_keys=True),
        "words": "\n".join(lexicon.numbers),
        "glosses": "\n".join(lexicon.glosses),
    }
    return {
        **{name: np.frombuffer(text.encode(), dtype=np.uint8) for name, text in texts.items()},
        "packed": lexicon.packed,
        "scales": lexicon.scales,
    }


def _digest(lexicon: Lexicon) -> str:
    """SHA-256 over the contents, however they were compressed."""
    digest = hashlib.sha256()
    for name, array in _arrays(lexicon).items():
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _bytes(lexicon: Lexicon) -> bytes:
    """A ZIP whose bytes depend on the contents alone; the packed rows would not become smaller by compression."""
    arrays = _arrays(lexicon) | {"digest": np.frombuffer(bytes.fromhex(lexicon.digest), dtype=np.uint8)}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, array in arrays.items():
            held = io.BytesIO()
            np.save(held, array, allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_STORED if name == "packed" else zipfile.ZIP_DEFLATED
            archive.writestr(entry, held.getvalue())
    return out.getvalue()


@functools.lru_cache(maxsize=512)
def _folded(text: str) -> str:
    return fold(text[:_MOST_CHARS])


class _Segmenter:
    """A dictionary of its own: names that a shop teaches the search must not change what vectors mean."""

    def __init__(self, kept_whole: Sequence[str]) -> None:
        self._kept_whole = kept_whole
        self._lock = threading.Lock()
        self._jieba: rjieba.Jieba | None = None

    def cut(self, run: str) -> list[str]:
        if self._jieba is None:
            with self._lock:
                if self._jieba is None:
                    self._jieba = self._made()
        words: list[str] = self._jieba.cut(run)
        return words

    def _made(self) -> rjieba.Jieba:
        import rjieba

        jieba = rjieba.Jieba()
        for word in self._kept_whole:
            if not jieba.has_word(word):
                jieba.add_word(word, None, None)
        return jieba


@functools.lru_cache(maxsize=4)
def _segmenter(kept_whole: tuple[str, ...]) -> _Segmenter:
    return _Segmenter(kept_whole)
