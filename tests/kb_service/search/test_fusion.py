from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kb_service.search.fusion import (
    REGIMES,
    Blend,
    Candidates,
    Fusion,
    Judged,
    Regime,
    blend,
    fit_fusion,
    objective,
    rank,
    regime,
)

EVEN = Blend(dense=0.5, middle=0.5, width=0.1, cover=0.5, half=0.3)
PLAIN = Fusion(dict.fromkeys(REGIMES, EVEN), question=0.0, more=0.0, prior=0.0)


def candidates(*rows: dict[str, float | str], regimes: Regime = "read") -> Candidates:
    """One candidate a dict; what is not said is nothing."""

    def column(name: str, otherwise: float = 0.0) -> np.ndarray:
        return np.array([row.get(name, otherwise) for row in rows], dtype=np.float64)

    return Candidates(
        rows=np.arange(len(rows)),
        documents=column("document").astype(np.int64),
        regimes=np.full(len(rows), REGIMES.index(regimes)),
        questions=column("question").astype(np.bool_),
        cosine=column("cosine"),
        bm25=column("saturation"),
        saturation=column("saturation"),
        coverage=column("coverage"),
        prior=column("prior"),
    )


@pytest.mark.parametrize(
    ("asked", "language", "expected"),
    [
        ("en", "en", "read"),
        ("zh", "zh", "unread"),
        ("en", "zh", "apart"),
        ("zh", "en", "apart"),
        ("en", "de", "crossed"),
        ("und", "en", "unread"),
        ("en", "und", "unread"),
    ],
)
def test_regimes(asked: str, language: str, expected: str) -> None:
    assert regime(asked, language, {"en", "de"}) == expected


def test_each_half_raises_the_score_and_no_half_leaves_the_bounds() -> None:
    held = candidates(
        {"cosine": 0.3},
        {"cosine": 0.6},
        {"cosine": 0.6, "coverage": 0.5},
        {"cosine": 1, "coverage": 1, "saturation": 1},
    )
    scores = blend(held, PLAIN)
    assert (np.diff(scores) > 0).all()
    assert scores.min() >= 0
    assert scores.max() <= 1


def test_scores_do_not_depend_on_what_else_was_found() -> None:
    one = {"cosine": 0.6, "coverage": 0.5, "saturation": 0.3}
    alone = rank(candidates(one), PLAIN).scores[0]
    beside = rank(candidates(one, {"document": 1, "cosine": 0.1}), PLAIN).scores[0]
    assert alone == beside


def test_the_regime_decides_which_half_leads() -> None:
    lean = Fusion(
        {**PLAIN.blends, "read": replace(EVEN, dense=0.9), "unread": replace(EVEN, dense=0.1)}, 0.0, 0.0, 0.0
    )
    rows = ({"document": 0, "cosine": 0.8}, {"document": 1, "coverage": 0.9, "saturation": 0.5})
    assert rank(candidates(*rows, regimes="read"), lean).best[0] == 0
    assert rank(candidates(*rows, regimes="unread"), lean).best[0] == 1


def test_without_a_vector_the_words_decide() -> None:
    held = candidates({"document": 0, "coverage": 0.2}, {"document": 1, "coverage": 0.7})
    held = replace(held, cosine=np.full(2, np.nan))
    ranked = rank(held, PLAIN)
    assert ranked.best.tolist() == [1, 0]
    assert np.isfinite(ranked.scores).all()


def test_passages_fold_into_documents_and_the_best_is_kept() -> None:
    held = candidates(
        {"document": 4, "cosine": 0.5},
        {"document": 9, "cosine": 0.7},
        {"document": 4, "cosine": 0.6},
    )
    ranked = rank(held, PLAIN)
    assert held.documents[ranked.best].tolist() == [9, 4]
    assert ranked.best.tolist() == [1, 2]


def test_a_second_passage_breaks_a_near_tie_only() -> None:
    more = replace(PLAIN, more=0.05)
    near = candidates(
        {"document": 0, "cosine": 0.61}, {"document": 1, "cosine": 0.6}, {"document": 1, "cosine": 0.6}
    )
    assert rank(near, PLAIN).best[0] == 0
    assert rank(near, more).best[0] == 1
    far = candidates(
        {"document": 0, "cosine": 0.8}, {"document": 1, "cosine": 0.6}, {"document": 1, "cosine": 0.6}
    )
    assert rank(far, more).best[0] == 0


def test_a_question_matched_to_a_question_gains() -> None:
    held = candidates({"document": 0, "cosine": 0.6}, {"document": 1, "cosine": 0.6, "question": 1})
    assert rank(held, PLAIN).best[0] == 0
    assert rank(held, replace(PLAIN, question=0.1)).best[0] == 1


def test_the_prior_is_bounded_and_told_apart() -> None:
    fusion = replace(PLAIN, prior=0.3)
    held = candidates({"document": 0, "cosine": 0.5}, {"document": 1, "cosine": 0.5, "prior": 1})
    ranked = rank(held, fusion)
    assert ranked.best.tolist() == [1, 0]
    assert 0 < ranked.gains[0] <= 0.3
    assert ranked.gains[1] == 0
    assert ranked.scores[0] - ranked.gains[0] == pytest.approx(ranked.scores[1])
    strong = candidates(
        {"document": 0, "cosine": 0.9, "coverage": 1, "saturation": 1},
        {"document": 1, "cosine": 0.3, "prior": 1},
    )
    assert rank(strong, fusion).best[0] == 0, "a prior alone does not beat a clear match"


def test_nothing_ranks_nothing() -> None:
    assert rank(candidates(), PLAIN).best.tolist() == []


def judged_set(leading: str, count: int = 60) -> list[Judged]:
    """Questions whose right document one half knows, while the other half is noise."""
    random = np.random.default_rng(1)
    questions = []
    for _ in range(count):
        rows: list[dict[str, float | str]] = []
        right = int(random.integers(0, 12))
        for document in range(12):
            sure = (0.75 if document == right else 0.45) + random.normal(0, 0.08)
            noise = random.random()
            cosine, words = (sure, noise) if leading == "dense" else (noise, sure)
            rows.append({"document": document, "cosine": cosine, "coverage": words, "saturation": words})
        held = candidates(*rows, regimes="read" if leading == "dense" else "unread")
        questions.append(Judged(held, np.arange(12) == right, leading))
    return questions


def test_fitting_finds_which_half_to_trust_in_each_regime() -> None:
    judged = judged_set("dense") + judged_set("lexical")
    fitted = fit_fusion(judged[::2], PLAIN)
    assert fitted.blends["read"].dense > 0.5 > fitted.blends["unread"].dense
    assert fitted.blends["crossed"] == EVEN, "a regime that does not occur stays"
    assert objective(judged[1::2], fitted) > objective(judged[1::2], PLAIN) + 0.05
    assert fitted == fit_fusion(judged[::2], PLAIN)


def test_each_group_counts_alike() -> None:
    one, many = judged_set("dense", 10), judged_set("lexical", 90)
    mean = (objective(one, PLAIN) + objective(many, PLAIN)) / 2
    assert objective([*one, *many], PLAIN) == pytest.approx(mean)


def test_fitting_needs_a_right_candidate() -> None:
    missed = replace(judged_set("dense", 1)[0], right=np.zeros(12, dtype=np.bool_))
    with pytest.raises(ValueError, match="judged"):
        fit_fusion([missed], PLAIN)
