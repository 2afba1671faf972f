"""Retrieval and abstention on judged questions: the figures by which a shop can trust its own knowledge."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from kb_service.errors import InvalidRequest
from kb_service.replicas.replica import Replica
from kb_service.search.labels import primary_language
from kb_service.search.models import Filters, SearchQuery
from kb_service.understanding.reading import Reader

DEPTH = 10
BINS = 10
ALL = "all"
TITLES = [
    *("", "questions", "unanswerable", "hit@1", "hit@5", "MRR", "nDCG@10", "abstention AUROC", "ECE"),
    "hit@1, own language",
]


@dataclass(frozen=True, slots=True)
class JudgedQuestion:
    """A question with the external ids that answer it; none for one that nothing answers. `region` is the
    customer's."""

    id: str
    query: str
    language: str
    expected: frozenset[str]
    split: str
    as_of: datetime | None
    cross_lingual: bool
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What the service made of one question: documents by rank, and its confidence in the first.

    `in_own_language` tells whether the first is right and in the question's language; None where no document in that
    language answers, or where languages are not looked at.
    """

    question: JudgedQuestion
    ranking: tuple[str, ...]
    confidence: float
    in_own_language: bool | None = None

    @property
    def right(self) -> bool:
        return bool(self.ranking) and self.ranking[0] in self.question.expected


@dataclass(frozen=True, slots=True)
class Figures:
    """Quality on one group. Ranking figures are over the questions that something answers.

    `abstention` is the area under the ROC of confidence, a right first answer against all else; `calibration`
    the expected calibration error over ten bins. `hit1_own` is over the questions that a document in their own language
    answers: how often such a one comes first. None where a group has too little to tell.
    """

    questions: int
    unanswerable: int
    hit1: float | None
    hit5: float | None
    mrr: float | None
    ndcg10: float | None
    abstention: float | None
    calibration: float | None
    hit1_own: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Figures by group, in the order in which they are shown."""

    groups: Mapping[str, Figures]

    def figures(self) -> dict[str, dict[str, float | int | None]]:
        return {name: asdict(figures) for name, figures in self.groups.items()}

    def table(self) -> str:
        """A Markdown table, one row a group."""
        names = [field.name for field in fields(Figures)]
        return markdown(
            TITLES, [[name, *(getattr(item, key) for key in names)] for name, item in self.groups.items()]
        )


def read_questions(path: Path) -> list[JudgedQuestion]:
    """The judged questions of a JSONL file. Raises InvalidRequest naming the line and the field at fault."""
    try:
        # Not splitlines: a question may hold a line separator of Unicode.
        lines = path.read_text("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise InvalidRequest.of(path.name, "is not UTF-8 at byte {byte}", byte=error.start) from None
    return [_question(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _question(number: int, line: str) -> JudgedQuestion:
    try:
        item = json.loads(line)
        expected = item["expected"]
        if not isinstance(expected, list) or not all(isinstance(name, str) for name in expected):
            raise ValueError("expected must be a list of external ids, empty when nothing answers")
        as_of = datetime.fromisoformat(item["as_of"]) if item.get("as_of") else None
        if as_of is not None and as_of.tzinfo is None:
            raise ValueError("as_of must carry an offset, such as +08:00 or Z")
        query, language = item["query"], item["language"]
        region = item.get("region") or None
        if region is not None and not isinstance(region, str):
            raise ValueError("region must be a text, such as EU")
        if not isinstance(query, str) or not query.strip() or not isinstance(language, str):
            raise ValueError("query and language must be texts")
    except KeyError as error:
        raise InvalidRequest.of(f"line {number}", "{name} is missing", name=error.args[0]) from None
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidRequest.of(
            f"line {number}", "must be an object with query, language and expected: {error}", error=str(error)
        ) from None
    return JudgedQuestion(
        id=str(item.get("id", number)),
        query=query,
        language=language,
        expected=frozenset(expected),
        split=str(item.get("split", "")),
        as_of=as_of,
        cross_lingual=bool(item.get("cross_lingual", False)),
        region=region,
    )


def judge(
    replica: Replica, reader: Reader, questions: Sequence[JudgedQuestion], *, now: Callable[[], datetime]
) -> list[Judged]:
    """Ask every question as a bot would: public knowledge, valid at its governing date."""
    judged: list[Judged] = []
    for question, query in zip(questions, queries(replica, reader, questions, now()), strict=True):
        found = replica.weigh(query)
        ranking = tuple(hit.external_id for hit in found.hits)
        spoken = replica.index.snapshot.catalogue.languages_of(question.expected)
        judged.append(
            Judged(question, ranking, found.confidence, _in_own_language(question, ranking, spoken))
        )
    return judged


def _in_own_language(
    question: JudgedQuestion, ranking: Sequence[str], spoken: Mapping[str, str]
) -> bool | None:
    own = {name for name in question.expected if spoken.get(name) == primary_language(question.language)}
    return bool(own.intersection(ranking[:1])) if own else None


def queries(
    replica: Replica, reader: Reader, questions: Sequence[JudgedQuestion], now: datetime
) -> list[SearchQuery]:
    """The searches behind judged questions, their spelling corrected as that of a customer's."""
    asked = [replica.asked(question.query) for question in questions]
    read = reader.read([each.meant for each in asked])
    return [
        replica.by_matter(
            replace(
                search_query(question, spoken.language, spoken.vector, now),
                weights=each.weights,
                matters=replica.matters(spoken),
            )
        )
        for question, each, spoken in zip(questions, asked, read, strict=True)
    ]


def search_query(question: JudgedQuestion, language: str, vector: Any, now: datetime) -> SearchQuery:
    """The search behind a judged question."""
    at = question.as_of or now
    filters = Filters(region=question.region)
    return SearchQuery(
        text=question.query,
        language=language,
        vector=vector,
        at=at,
        limit=DEPTH,
        filters=filters,
        at_home=True,
    )


def report(judged: Sequence[Judged]) -> Report:
    """Figures of all, of each language, and of the questions that cross languages."""
    groups: dict[str, Figures] = {}
    for language in sorted({item.question.language for item in judged}):
        own = [item for item in judged if item.question.language == language]
        groups[language] = figures(own)
        across = [item for item in own if item.question.cross_lingual]
        if across:
            groups[f"{language}, across languages"] = figures(across)
    groups[ALL] = figures(judged)
    return Report(groups)


def figures(judged: Sequence[Judged]) -> Figures:
    answerable = [item for item in judged if item.question.expected]
    gains = [[name in item.question.expected for name in item.ranking[:DEPTH]] for item in answerable]
    graded = [gain for item in answerable if (gain := ndcg(item)) is not None]
    right = np.array([item.right for item in judged], dtype=bool)
    confidence = np.array([item.confidence for item in judged])
    return Figures(
        questions=len(judged),
        unanswerable=len(judged) - len(answerable),
        hit1=_mean([any(gain[:1]) for gain in gains]),
        hit5=_mean([any(gain[:5]) for gain in gains]),
        mrr=_mean([1 / (gain.index(True) + 1) if True in gain else 0.0 for gain in gains]),
        ndcg10=_mean(graded),
        abstention=auroc(confidence, right),
        calibration=calibration_error(confidence, right),
        hit1_own=_mean([item.in_own_language for item in judged if item.in_own_language is not None]),
    )


def auroc(scores: np.ndarray, positive: np.ndarray) -> float | None:
    """The probability that a positive scores above a negative, ties counted half (Mann-Whitney)."""
    from scipy.stats import rankdata  # type: ignore[import-untyped]

    count = int(positive.sum())
    rest = len(positive) - count
    if not count or not rest:
        return None
    ranks = rankdata(scores)
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * rest))


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float | None:
    """Expected calibration error: mean distance of confidence and share of right, over equal bins."""
    if not len(confidence):
        return None
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    total = 0.0
    for number in range(BINS):
        inside = bins == number
        if inside.any():
            total += abs(float(confidence[inside].mean()) - float(right[inside].mean())) * int(inside.sum())
    return total / len(confidence)


def ndcg(judged: Judged) -> float | None:
    """nDCG@10 of one question, binary judgements; None for one that nothing answers."""
    expected = judged.question.expected
    if not expected:
        return None
    hits = [rank for rank, name in enumerate(judged.ranking[:DEPTH]) if name in expected]
    ideal = sum(1 / np.log2(rank + 2) for rank in range(min(len(expected), DEPTH)))
    return float(sum(1 / np.log2(rank + 2) for rank in hits) / ideal)


def markdown(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table; the first column is text, the others are numbers, a dash where there is none."""
    lines = [titles, ["---", *["---:"] * (len(titles) - 1)]]
    lines += [[str(row[0]), *map(_shown, row[1:])] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _mean(values: Sequence[float | bool]) -> float | None:
    return float(np.mean(values)) if values else None


def _shown(value: float | int | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}".removeprefix("0") if isinstance(value, float) else str(value)
