"""What a run of the retrieval benchmark found, as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kb_service.judging.evaluation import Figures, Judged, auroc, calibration_error

SERVICE = "service"
TITLES: Mapping[str, str] = {
    SERVICE: "**this service**",
    "dense-half": "its dense half: passages by cosine",
    "lexical-half": "its lexical half: passages by words",
    "halves-by-rank": "its halves, fused by rank",
    "bm25": "BM25, words",
    "bm25-segmented": "BM25, segmented",
    "dense": "dense: whole documents by cosine",
    "by-rank": "BM25 segmented and dense, fused by rank",
    "txtai": "txtai, hybrid",
    "haystack": "Haystack, hybrid",
    "bm25-passages": "BM25 segmented, our passages",
    "txtai-passages": "txtai, our passages",
    "haystack-passages": "Haystack, our passages",
}
HALVES = ("bm25", "bm25-segmented", "bm25-passages", "dense", "dense-half")
"""The better of these is what fusion has to beat."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures by system on one set; `languages` counts its questions as the service identifies them.

    `calibrated` has nDCG@10 of the service, calibrated on half of the questions, on the others, and of the better half
    on the same; None where it was not done.
    """

    name: str
    documents: int
    languages: Mapping[str, int]
    figures: Mapping[str, Figures]
    calibrated: tuple[float | None, float | None] | None = None

    @property
    def better_half(self) -> float | None:
        """nDCG@10 of the best system of `HALVES` that ran."""
        return better_half(self.figures)

    @property
    def closed(self) -> float | None:
        """The share of the distance from the better half to 1 that the service closes; negative below it."""
        half, own = self.better_half, self._ndcg(SERVICE)
        return None if half is None or own is None or half >= 1 else (own - half) / (1 - half)

    def _ndcg(self, system: str) -> float | None:
        return self.figures[system].ndcg10 if system in self.figures else None


def better_half(figures: Mapping[str, Figures]) -> float | None:
    """nDCG@10 of the best system of `HALVES` that ran."""
    found = [figures[name].ndcg10 for name in HALVES if name in figures]
    return max((value for value in found if value is not None), default=None)


@dataclass(frozen=True, slots=True)
class Abstention:
    """How well scores tell answers that are right.

    `right_first` is by system the area under the ROC of its score, a right first answer against all else;
    `answerable` that of the service's confidence, questions with an answer against those without;
    `calibration` the expected error of that confidence. `calibrated` are the first and the last again, for the
    service calibrated on half of the questions and judged on the others; None where it was not done.
    """

    name: str
    questions: int
    unanswerable: int
    right_first: Mapping[str, float | None]
    answerable: float | None
    calibration: float | None
    calibrated: tuple[float | None, float | None] | None = None

    @classmethod
    def of(
        cls, name: str, judged: Mapping[str, Sequence[Judged]], calibrated: Sequence[Judged] | None = None
    ) -> Abstention:
        own = judged.get(SERVICE)
        some = next(iter(judged.values()), ())
        return cls(
            name=name,
            questions=len(some),
            unanswerable=sum(not item.question.expected for item in some),
            right_first={system: auroc(_scores(found), _right(found)) for system, found in judged.items()},
            answerable=auroc(_scores(own), np.array([bool(item.question.expected) for item in own]))
            if own
            else None,
            calibration=calibration_error(_scores(own), _right(own)) if own else None,
            calibrated=_told_apart(calibrated) if calibrated else None,
        )


def _told_apart(judged: Sequence[Judged]) -> tuple[float | None, float | None]:
    scores, right = _scores(judged), _right(judged)
    return auroc(scores, right), calibration_error(scores, right)


def _scores(judged: Sequence[Judged]) -> np.ndarray:
    return np.array([item.confidence for item in judged])


def _right(judged: Sequence[Judged]) -> np.ndarray:
    return np.array([item.right for item in judged], dtype=bool)


def page(
    ranked: Sequence[Measured],
    abstained: Sequence[Abstention],
    *,
    model: str,
    left_out: Sequence[str],
    unavailable: Mapping[str, str],
) -> str:
    """Both tables, and what could not be run."""
    parts = [f"Encoder: `{model}`."]
    missing = [*left_out, *(f"{TITLES[name]}: {reason}" for name, reason in unavailable.items())]
    if missing:
        parts += ["\n".join(f"- Left out: {line}." for line in missing)]
    if ranked:
        parts += [_ranking(ranked)]
    if abstained:
        parts += [_abstention(abstained)]
    return "\n\n".join(parts)


def _ranking(ranked: Sequence[Measured]) -> str:
    rows = [["nDCG@10 (hit@1, MRR)", *(item.name for item in ranked)]]
    rows.append(["documents", *(str(item.documents) for item in ranked)])
    rows.append(["questions, languages as identified", *(_counted(item.languages) for item in ranked)])
    best = [max((f.ndcg10 or 0.0 for f in item.figures.values()), default=0.0) for item in ranked]
    for system, title in TITLES.items():
        if any(system in item.figures for item in ranked):
            cells = [
                _quality(item.figures.get(system), most) for item, most in zip(ranked, best, strict=True)
            ]
            rows.append([title, *cells])
    rows.append(["the better half", *(shown(item.better_half) for item in ranked)])
    rows.append(["of the distance from it to 1, closed", *(_percent(item.closed) for item in ranked)])
    if any(item.calibrated for item in ranked):
        told = [item.calibrated or (None, None) for item in ranked]
        rows.append(["this service, calibrated on half: the others", *(shown(own) for own, _ in told)])
        rows.append(["the better half on the same others", *(shown(half) for _, half in told)])
    return _table(rows)


def _abstention(abstained: Sequence[Abstention]) -> str:
    rows = [["", *(item.name for item in abstained)]]
    rows.append(["questions, without an answer", *(f"{i.questions}, {i.unanswerable}" for i in abstained)])
    own: list[tuple[str, Callable[[Abstention], float | None]]] = [
        (
            "**this service**: AUROC, first answer right against all else",
            lambda i: i.right_first.get(SERVICE),
        ),
        ("this service: AUROC, answerable against not", lambda i: i.answerable),
        ("this service: ECE of `confidence`", lambda i: i.calibration),
        (
            "calibrated on half of the questions, judged on the others: AUROC, as above",
            lambda i: i.calibrated[0] if i.calibrated else None,
        ),
        ("the same: ECE", lambda i: i.calibrated[1] if i.calibrated else None),
    ]
    if any(SERVICE in item.right_first for item in abstained):
        rows += [[title, *(shown(figure(item)) for item in abstained)] for title, figure in own]
    for system, title in TITLES.items():
        if system != SERVICE and any(system in item.right_first for item in abstained):
            rows.append(
                [
                    f"{title}: AUROC of its score, the same",
                    *(shown(i.right_first.get(system)) for i in abstained),
                ]
            )
    return _table(rows)


def _quality(figures: Figures | None, best: float) -> str:
    if figures is None or figures.ndcg10 is None:
        return "–"
    ndcg = f"**{shown(figures.ndcg10)}**" if figures.ndcg10 >= best else shown(figures.ndcg10)
    return f"{ndcg} ({shown(figures.hit1)}, {shown(figures.mrr)})"


def _counted(languages: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {language}" for language, count in languages.items())


def shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".replace("0.", ".", 1)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = [rows[0], ["---", *["---:"] * (len(rows[0]) - 1)], *rows[1:]]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)
