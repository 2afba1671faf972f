"""Judged questions over a corpus, read from a folder of public sets in one shape, or made from two of them.

Every set is a folder of `corpus.jsonl` ("id", "text", perhaps "title"), `queries.jsonl` ("id", "text", perhaps
"part"), `qrels.tsv` (query, document, relevance) and `meta.json`, which names its origin and licence. None of them
is part of this repository.
"""

from __future__ import annotations

import gzip
import json
import os
import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from bench.code_switching import Glossary, mix

DEFAULT_FOLDER = Path(__file__).parents[2] / "shared" / "data"
FOLDER_VARIABLE = "KB_BENCH_DATA"
DICTIONARY = "parallel/cedict_ts.u8.gz"

MIXED = "xquad_mixed"
SETS = ("stackfaq", "covidfaq", "cmrc2018_dev", "xquad_zh2en", "xquad_en2zh", MIXED)
REPORTED: Mapping[str, str] = {"cmrc2018_dev": "dev"}
"""The part of a set that figures are shown of; its other parts are for fitting. All of it where none is named."""

Shape: TypeAlias = Literal["faq", "policy"]
SHAPES: Mapping[str, Shape] = {"stackfaq": "faq", "covidfaq": "faq"}
"""As what kind of document a set is filed: an FAQ whose question is the title, otherwise a text with a title."""


@dataclass(frozen=True, slots=True)
class CorpusDocument:
    """One document; `title` is empty where the set has none."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `part` is empty where the set is not divided."""

    id: str
    text: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class RetrievalSet:
    """Questions, what they are asked of, and which documents answer each (question id to document ids).

    `qrels` lacks a question that nothing in the corpus answers.
    """

    name: str
    shape: Shape
    corpus: tuple[CorpusDocument, ...]
    queries: tuple[Question, ...]
    qrels: Mapping[str, frozenset[str]]
    parts: tuple[str, ...]

    def of_part(self, part: str) -> RetrievalSet:
        """The questions of one part, against the whole corpus. Raises ValueError for a part that is none."""
        if part not in self.parts:
            raise ValueError(
                f"{self.name} has no part {part!r}; its parts: {', '.join(self.parts) or 'none'}"
            )
        return self._asking([query for query in self.queries if query.part == part])

    def reported(self) -> RetrievalSet:
        """The questions that figures are shown of."""
        return self.of_part(REPORTED[self.name]) if self.name in REPORTED else self

    def sampled(self, count: int, *, seed: int = 0) -> RetrievalSet:
        """At most so many questions, drawn at random and left in order, against the whole corpus."""
        if count >= len(self.queries):
            return self
        chosen = sorted(random.Random(seed).sample(range(len(self.queries)), count))
        return self._asking([self.queries[place] for place in chosen])

    def half_unanswerable(self, *, seed: int = 0) -> RetrievalSet:
        """The same questions after the documents of a random half of them were taken away.

        Questions are drawn in random order and all documents of each are taken away, as long as no more than half
        of all questions have none left; a draw that would leave more without is passed over. A question that
        keeps some of its documents counts as answerable.
        """
        order = [query.id for query in self.queries if query.id in self.qrels]
        random.Random(seed).shuffle(order)
        askers: dict[str, list[str]] = {}
        for name in order:
            for document in self.qrels[name]:
                askers.setdefault(document, []).append(name)
        left = {name: len(self.qrels[name]) for name in order}
        room = len(self.queries) // 2 - (len(self.queries) - len(order))
        gone: set[str] = set()
        for name in order:
            drawn = self.qrels[name] - gone
            losing = Counter(asker for document in drawn for asker in askers[document])
            fallen = sum(left[asker] == count for asker, count in losing.items())
            if fallen <= room:
                room -= fallen
                gone |= drawn
                for asker, count in losing.items():
                    left[asker] -= count
        return self._without(gone)

    def _asking(self, queries: Sequence[Question]) -> RetrievalSet:
        qrels = {query.id: self.qrels[query.id] for query in queries if query.id in self.qrels}
        return replace(self, queries=tuple(queries), qrels=qrels)

    def _without(self, gone: Collection[str]) -> RetrievalSet:
        kept = {name: documents - set(gone) for name, documents in self.qrels.items()}
        return replace(
            self,
            corpus=tuple(document for document in self.corpus if document.id not in gone),
            qrels={name: documents for name, documents in kept.items() if documents},
        )


class AbsentSet(Exception):
    """The folder lacks a set; the message says where it comes from."""


def data_folder(given: Path | None = None) -> Path:
    """Where the sets lie: as given, else as the environment says, else beside the repository."""
    if given is not None:
        return given
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else DEFAULT_FOLDER


def load_retrieval(folder: Path, name: str) -> RetrievalSet:
    """One of `SETS`, or any other folder of the same shape. Raises AbsentSet where it does not lie there."""
    return _mixed(folder) if name == MIXED else _read(folder, name)


def _read(folder: Path, name: str) -> RetrievalSet:
    files = [folder / name / file for file in ("corpus.jsonl", "queries.jsonl", "qrels.tsv")]
    if not all(file.is_file() for file in files):
        raise AbsentSet(f"{folder / name} is absent or not whole; {_origin(name)}")
    corpus = [CorpusDocument(item["id"], item.get("title", ""), item["text"]) for item in _lines(files[0])]
    queries = [Question(item["id"], item["text"], str(item.get("part", ""))) for item in _lines(files[1])]
    qrels: dict[str, set[str]] = {}
    for line in files[2].read_text("utf-8").splitlines():
        question, document, relevance = line.split("\t")
        if int(relevance) > 0:
            qrels.setdefault(question, set()).add(document)
    return RetrievalSet(
        name=name,
        shape=SHAPES.get(name, "policy"),
        corpus=tuple(corpus),
        queries=tuple(queries),
        qrels={question: frozenset(documents) for question, documents in qrels.items()},
        parts=tuple(sorted({query.part for query in queries} - {""})),
    )


def _lines(path: Path) -> list[Any]:
    # Not splitlines: a text may hold a line separator of Unicode.
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line.strip()]


_ORIGINS: Mapping[str, str] = {
    "stackfaq": "github.com/ML-Recipes/BERT-FAQ, data/StackFAQ (CC BY-SA)",
    "covidfaq": "github.com/ML-Recipes/BERT-FAQ, data/CovidFAQ",
    "cmrc2018_dev": "github.com/ymcui/cmrc2018, squad-style-data (CC BY-SA 4.0)",
    "xquad_zh2en": "github.com/google-deepmind/xquad, xquad.en.json and xquad.zh.json (CC BY-SA 4.0)",
    "xquad_en2zh": "github.com/google-deepmind/xquad, xquad.en.json and xquad.zh.json (CC BY-SA 4.0)",
    DICTIONARY: "www.mdbg.net/chinese/dictionary?page=cedict (CC BY-SA 4.0)",
}


def _origin(name: str) -> str:
    return f"made from {_ORIGINS[name]}" if name in _ORIGINS else "its origin is not known here"


# --- questions of two languages in one ---------------------------------------------------------------------


def _mixed(folder: Path) -> RetrievalSet:
    """Code-switched questions over documents of which half are Chinese and half English, from XQuAD.

    XQuAD has every paragraph and question in both languages under one id. Of each paragraph one language's
    version is in the corpus: of every second, in the order of the set, the Chinese one. Of every second question
    the English version is the frame and of the others the Chinese, and some of its words are replaced by words
    of the other version, see `code_switching.mix`. Questions with no word to replace are left out.
    """
    english, chinese = _read(folder, "xquad_zh2en"), _read(folder, "xquad_en2zh")
    dictionary = folder / DICTIONARY
    if not dictionary.is_file():
        raise AbsentSet(f"{dictionary} is absent; {_origin(DICTIONARY)}")
    glossary = Glossary.read(gzip.decompress(dictionary.read_bytes()).decode("utf-8"))
    corpus = [
        pair[number % 2] for number, pair in enumerate(zip(english.corpus, chinese.corpus, strict=True))
    ]
    _same_ids(english.corpus, chinese.corpus)
    # The questions against English documents are the Chinese ones.
    pairs = list(zip(english.queries, chinese.queries, strict=True))
    _same_ids(english.queries, chinese.queries)
    queries: list[Question] = []
    for number, (in_chinese, in_english) in enumerate(pairs):
        frame: Literal["zh", "en"] = "en" if number % 2 else "zh"
        text = mix(in_chinese.text, in_english.text, glossary, frame=frame)
        if text is not None:
            queries.append(Question(in_chinese.id, text, ""))
    kept = {query.id for query in queries}
    qrels = {name: documents for name, documents in english.qrels.items() if name in kept}
    return RetrievalSet(MIXED, "policy", tuple(corpus), tuple(queries), qrels, ())


def _same_ids(left: Sequence[CorpusDocument | Question], right: Sequence[CorpusDocument | Question]) -> None:
    if [item.id for item in left] != [item.id for item in right]:
        raise ValueError("xquad_zh2en and xquad_en2zh do not hold the same ids in the same order")
