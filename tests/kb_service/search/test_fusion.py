from __future__ import annotations

from collections.abc import Sequence
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
    counted,
    evidence,
    rank,
    regime,
)
from kb_service.search.fusion_fitting import fit_fusion

KINDS = ("faq", "policy", "resolution")
EVEN = Blend(cosine=10.0, coverage=4.0, relative=2.0, lead=2.0)
PLAIN = Fusion(dict.fromkeys(REGIMES, EVEN), prior=0.0, slope=0.5, middle=8.0)


def candidates(*rows: dict[str, float], regimes: Regime = "read", language: str = "en") -> Candidates:
    """One candidate a dict; what is not said is nothing."""

    def column(name: str) -> np.ndarray:
        return np.array([row.get(name, 0.0) for row in rows], dtype=np.float64)

    return Candidates(
        language=language,
        rows=np.arange(len(rows)),
        documents=column("document").astype(np.int64),
        regimes=np.full(len(rows), REGIMES.index(regimes)),
        cosine=column("cosine"),
        bm25=column("bm25"),
        coverage=column("coverage"),
        subject=column("subject"),
        attribute=column("attribute").astype(np.bool_),
        kinds=np.array([KINDS[int(row.get("kind", 0))] for row in rows], dtype=np.str_),
        matter=column("matter"),
        scoped=column("scoped"),
        own_rules=column("own_rules"),
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


def test_each_sign_adds_evidence_and_scores_stay_within_bounds() -> None:
    held = candidates(
        {"document": 0, "cosine": 0.3},
        {"document": 1, "cosine": 0.6},
        {"document": 2, "cosine": 0.6, "coverage": 0.5},
        {"document": 3, "cosine": 0.6, "coverage": 0.5, "bm25": 4},
        {"document": 4, "cosine": 1, "coverage": 1, "bm25": 20},
    )
    assert (np.diff(evidence(held, PLAIN)) > 0).all()
    scores = rank(held, PLAIN).scores
    assert 0 < scores.min() < scores.max() < 1


def test_a_clear_lead_by_words_counts_more_than_a_slight_one() -> None:
    def first(bm25: float) -> float:
        rows = ({"document": 0, "bm25": bm25}, {"document": 0, "bm25": 9.5}, {"document": 1, "bm25": 9.0})
        return float(evidence(candidates(*rows), PLAIN)[0])

    assert first(10) == pytest.approx(2.0 + 2.0 * 0.1**2), "another passage of the same document is no rival"
    assert first(90) == pytest.approx(2.0 + 2.0 * 0.9**2)
    alone = candidates({"document": 0, "bm25": 3})
    assert float(evidence(alone, PLAIN)[0]) == pytest.approx(4.0), "what nothing rivals leads by all"


def test_words_of_another_language_are_not_compared() -> None:
    held = candidates({"document": 0, "bm25": 50, "cosine": 0.4}, {"document": 1, "bm25": 5, "cosine": 0.5})
    mixed = replace(held, regimes=np.array([REGIMES.index("crossed"), REGIMES.index("read")]))
    assert rank(held, PLAIN).best[0] == 0
    assert rank(mixed, PLAIN).best[0] == 1


def test_the_regime_and_the_language_decide_which_half_leads() -> None:
    words = Blend(cosine=1.0, coverage=9.0, relative=0.0, lead=0.0)
    lean = replace(PLAIN, blends={**PLAIN.blends, "unread": words, "zh:read": words})
    rows = ({"document": 0, "cosine": 0.8}, {"document": 1, "coverage": 0.8})
    assert rank(candidates(*rows, regimes="read"), lean).best[0] == 0
    assert rank(candidates(*rows, regimes="unread"), lean).best[0] == 1
    assert rank(candidates(*rows, regimes="read", language="zh"), lean).best[0] == 1


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


def test_the_odds_of_a_documents_passages_add_up() -> None:
    near = candidates(
        {"document": 0, "cosine": 0.61}, {"document": 1, "cosine": 0.6}, {"document": 1, "cosine": 0.6}
    )
    ranked = rank(near, PLAIN)
    assert near.documents[ranked.best].tolist() == [1, 0]
    assert ranked.evidence[0] == pytest.approx(6 + np.log(2))
    far = candidates(
        {"document": 0, "cosine": 0.8}, {"document": 1, "cosine": 0.6}, {"document": 1, "cosine": 0.6}
    )
    assert rank(far, PLAIN).best[0] == 0, "two middling passages do not beat a good one"


def test_ten_attributes_that_name_the_product_do_not_outweigh_the_page_that_answers() -> None:
    sheet = [{"document": 0, "cosine": 0.6, "attribute": 1} for _ in range(10)]
    held = candidates(*sheet, {"document": 1, "cosine": 0.65})
    ranked = rank(held, PLAIN)
    assert held.documents[ranked.best].tolist() == [1, 0]
    assert ranked.evidence.tolist() == pytest.approx([6.5, 6.0])
    prose = candidates({"document": 0, "cosine": 0.6, "attribute": 1}, {"document": 0, "cosine": 0.7})
    assert rank(prose, PLAIN).evidence.tolist() == pytest.approx([7.0])
    assert counted(held, PLAIN).sum() == 2
    plain = candidates(*({**row, "attribute": 0} for row in sheet), {"document": 1, "cosine": 0.65})
    assert rank(plain, PLAIN).best[0] == 0, "what is no attribute adds up"


def test_attributes_that_do_not_count_do_not_teach() -> None:
    def shop(attributes: int) -> list[Judged]:
        """The right page stands out by its words; the sheet of attributes is near in meaning, all of it alike."""
        sheet = [{"document": 0, "cosine": 0.8, "attribute": 1}] * attributes
        held = candidates(*sheet, {"document": 1, "cosine": 0.5, "coverage": 1.0})
        return [Judged(held, held.documents == 1, "en")] * 60

    assert fit_fusion(shop(1), PLAIN).blends["read"] == fit_fusion(shop(12), PLAIN).blends["read"]


def test_what_kind_a_document_is_counts_beside_the_others_and_not_alone() -> None:
    """A shop of policies alone is no surer of each than one of FAQs."""
    weighed = replace(PLAIN, kinds={"policy": 1.5, "resolution": -0.5})
    mixed = candidates(
        {"document": 0}, {"document": 1, "kind": 1}, {"document": 1, "kind": 1}, {"document": 2, "kind": 2}
    )
    ranked = rank(mixed, weighed)
    assert mixed.documents[ranked.best].tolist() == [1, 0, 2]
    assert np.diff(ranked.kinds).tolist() == pytest.approx([-1.5, -0.5])
    assert np.exp(ranked.kinds).mean() == pytest.approx(1)
    alike = candidates({"document": 0, "kind": 1}, {"document": 1, "kind": 1})
    assert rank(alike, weighed).evidence.tolist() == pytest.approx(rank(alike, PLAIN).evidence.tolist())


def test_what_a_kind_counts_is_the_same_across_languages() -> None:
    """By regime it spoke for the language in which more policies were judged."""
    held = candidates({"document": 0, "cosine": 0.6}, {"document": 1, "cosine": 0.6, "kind": 1})
    crossed = replace(held, regimes=np.array([REGIMES.index("read"), REGIMES.index("crossed")]))
    start = replace(PLAIN, kinds={"policy": 1.5})
    fitted = fit_fusion(
        [Judged(held, held.documents == 1, "en"), Judged(crossed, held.documents == 1, "en")] * 60, start
    )
    assert rank(held, fitted).kinds.tolist() == rank(crossed, fitted).kinds.tolist()
    assert rank(held, fitted).kinds[0] > 0 > rank(held, fitted).kinds[1]


def test_huge_evidence_neither_overflows_nor_ties() -> None:
    strong = replace(PLAIN, blends=dict.fromkeys(REGIMES, replace(EVEN, cosine=5_000.0)))
    ranked = rank(candidates({"document": 0, "cosine": 0.9}, {"document": 1, "cosine": 1.0}), strong)
    assert ranked.best.tolist() == [1, 0]
    assert np.isfinite(ranked.evidence).all()


def test_the_prior_is_bounded_and_told_apart() -> None:
    fusion = replace(PLAIN, prior=2.0)
    held = candidates({"document": 0, "cosine": 0.5}, {"document": 1, "cosine": 0.5, "prior": 1})
    ranked = rank(held, fusion)
    assert ranked.best.tolist() == [1, 0]
    assert ranked.gains[0] > 0
    assert ranked.gains[1] == 0
    assert ranked.scores[0] - ranked.gains[0] == pytest.approx(ranked.scores[1])
    strong = candidates(
        {"document": 0, "cosine": 0.9, "coverage": 1, "bm25": 9}, {"document": 1, "cosine": 0.3, "prior": 1}
    )
    assert rank(strong, fusion).best[0] == 0, "a prior alone does not beat a clear match"


def test_nothing_ranks_nothing() -> None:
    assert rank(candidates(), PLAIN).best.tolist() == []


def judged_set(
    leading: str, count: int = 120, *, language: str = "en", regimes: Regime = "read"
) -> list[Judged]:
    """Questions whose right document one half knows, while the other half is noise."""
    random = np.random.default_rng(1)
    questions = []
    for _ in range(count):
        rows: list[dict[str, float]] = []
        right = int(random.integers(0, 12))
        for document in range(12):
            sure = (0.75 if document == right else 0.45) + random.normal(0, 0.08)
            noise = random.random()
            cosine, words = (sure, noise) if leading == "dense" else (noise, sure)
            rows.append({"document": document, "cosine": cosine, "coverage": words, "bm25": 10 * words})
        held = candidates(*rows, regimes=regimes, language=language)
        questions.append(Judged(held, np.arange(12) == right, leading))
    return questions


def objective(judged: Sequence[Judged], fusion: Fusion) -> float:
    """How often the first document is right."""
    first = [question.right[rank(question.candidates, fusion).best[0]] for question in judged]
    return float(np.mean(first))


def test_fitting_finds_which_half_to_trust_in_each_regime() -> None:
    judged = judged_set("dense") + judged_set("lexical", language="ja", regimes="unread")
    fitted = fit_fusion(judged[::2], PLAIN)
    read, unread = fitted.blends["read"], fitted.blends["unread"]
    assert read.cosine / read.coverage > EVEN.cosine / EVEN.coverage > unread.cosine / unread.coverage
    assert fitted.blends["crossed"] == EVEN, "a regime that does not occur stays"
    assert objective(judged[1::2], fitted) > objective(judged[1::2], PLAIN) + 0.05
    assert fitted == fit_fusion(judged[::2], PLAIN)


def test_a_language_with_enough_questions_has_weights_of_its_own() -> None:
    judged = judged_set("dense", 60, language="en") + judged_set("lexical", 60, language="zh")
    fitted = fit_fusion([*judged, *judged_set("dense", 30, language="fr")], PLAIN)
    assert set(fitted.blends) == {*REGIMES, "en:read", "zh:read"}
    english, chinese = fitted.blend_of("en", "read"), fitted.blend_of("zh", "read")
    assert english.cosine / english.coverage > 3 * chinese.cosine / chinese.coverage
    assert fitted.blend_of("fr", "read") == fitted.blends["read"]


def test_little_data_moves_little() -> None:
    few = fit_fusion(judged_set("dense", 20), PLAIN).blends["read"]
    many = fit_fusion(judged_set("dense", 400), PLAIN).blends["read"]
    assert EVEN.cosine < few.cosine < many.cosine


def test_a_score_says_about_how_often_the_first_document_is_right() -> None:
    judged = judged_set("dense", 400)
    fitted = fit_fusion(judged[::2], PLAIN)
    first = [rank(question.candidates, fitted) for question in judged[1::2]]
    right = np.mean(
        [question.right[each.best[0]] for question, each in zip(judged[1::2], first, strict=True)]
    )
    assert np.mean([each.scores[0] for each in first]) == pytest.approx(right, abs=0.1)


def test_each_group_counts_alike() -> None:
    few, many = judged_set("dense", 60), judged_set("lexical", 60)
    once = fit_fusion([*few, *many], PLAIN).blends["en:read"]
    often = fit_fusion([*few, *many * 4], PLAIN).blends["en:read"]
    as_one = fit_fusion([replace(each, group="all") for each in (*few, *many * 4)], PLAIN).blends["en:read"]
    assert as_one.cosine < 0.8 * often.cosine, "one group is led by its majority"
    assert often.cosine == pytest.approx(once.cosine, rel=0.25)


def test_fitting_needs_a_right_candidate() -> None:
    missed = replace(judged_set("dense", 1)[0], right=np.zeros(12, dtype=np.bool_))
    with pytest.raises(ValueError, match="judged"):
        fit_fusion([missed], PLAIN)


def test_a_named_code_counts_where_it_stands_and_against_where_others_do() -> None:
    strict = replace(PLAIN, blends=dict.fromkeys(REGIMES, replace(EVEN, subject=2.0)))
    held = candidates(
        {"document": 0, "cosine": 0.70, "subject": -1},
        {"document": 1, "cosine": 0.60},
        {"document": 2, "cosine": 0.55, "subject": 1},
    )
    assert held.documents[rank(held, PLAIN).best].tolist() == [0, 1, 2]
    assert held.documents[rank(held, strict).best].tolist() == [2, 1, 0]


def test_a_document_for_the_customers_own_region_leads_those_for_everybody() -> None:
    held = candidates({"document": 0, "cosine": 0.60}, {"document": 1, "cosine": 0.55, "scoped": 1})
    assert rank(held, PLAIN).best[0] == 0
    assert rank(held, replace(PLAIN, scope=1.5)).best[0] == 1
