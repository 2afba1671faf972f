from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kb_service.search.calibration import calibration_for
from kb_service.search.confidence import (
    FEATURES,
    OTHER,
    Coefficients,
    Confidence,
    Sample,
    features,
    fit_confidence,
    sigmoid,
)
from kb_service.search.models import Filters, Hit
from tests.kb_service.search.shelf import asked

HIT = Hit(
    passage_id="p1",
    external_id="a",
    version=1,
    title="Return policy",
    kind="policy",
    language="en",
    role="prose",
    text="Within 30 days of delivery.",
    section=(),
    start=0,
    end=27,
    score=0.8,
    dense=0.7,
    lexical=9.0,
    graph=0.0,
    coverage=0.6,
)
SHIPPED = calibration_for("a model that nobody calibrated").confidence


def values(hits: list[Hit], text: str = "can I return it", **filters: tuple[str, ...]) -> dict[str, float]:
    query = replace(asked(text), filters=Filters(**filters))
    return dict(zip(FEATURES, features(hits, query).tolist(), strict=True))


def test_features_tell_what_the_hits_look_like() -> None:
    second = replace(HIT, external_id="b", score=0.5, dense=0.75, lexical=2.0)
    held = values([HIT, second])
    assert held["bias"] == 1
    assert held["score"] == pytest.approx(np.log(4) / 5)
    assert held["share"] == pytest.approx(4 / 5)
    assert held["standout"] == pytest.approx(-0.25)
    assert held["ahead"] == 0
    assert held["lead"] == pytest.approx(7 / 9)
    assert held["across"] == 0
    assert held["agreement"] == 0.5, "first by words, second by meaning"
    assert held["question"] == 0
    assert held["entity"] == 0
    assert values([HIT])["share"] == 1
    five = [HIT, *[second] * 4]
    assert values(five) == values([*five, replace(HIT, lexical=99.0, dense=1.0)]), (
        "asking for more changes nothing"
    )
    assert values([replace(HIT, language="zh")])["across"] == 1
    assert values([replace(HIT, matched_role="question")])["question"] == pytest.approx(0.7)


def test_a_product_that_the_question_names_speaks_for_or_against() -> None:
    lamp = replace(HIT, products=("AUR-S2-BLK",))
    assert values([lamp], "is the aur-s2-blk in stock")["entity"] == 1
    assert values([lamp], "is it in stock", products=("AUR-S2-BLK",))["entity"] == 1
    assert values([lamp], "is the AUR-S3-BLK in stock")["entity"] == -1
    assert values([HIT], "is the AUR-S3-BLK in stock")["entity"] == 0


def test_more_evidence_is_more_probable_and_no_hit_is_none() -> None:
    query = asked("can I return it")
    weak = replace(HIT, score=0.3, dense=0.2, coverage=0.1)
    assert SHIPPED.probability([], query) == 0
    assert 0 < SHIPPED.probability([weak], query) < SHIPPED.probability([HIT], query) < 1
    rival = replace(HIT, external_id="b", score=0.79)
    assert SHIPPED.probability([HIT, rival], query) < SHIPPED.probability([HIT], query)


def test_an_encoder_that_nobody_calibrated_gets_a_low_prior() -> None:
    usual = [replace(HIT, score=0.6, dense=0.5, coverage=0.4), replace(HIT, external_id="b", score=0.55)]
    assert SHIPPED.probability(usual, asked("can I return it")) < 0.5
    perfect = replace(
        HIT, score=1.0, dense=1.0, coverage=1.0, matched_role="question", products=("AUR-S2-BLK",)
    )
    assert SHIPPED.probability([perfect], asked("AUR-S2-BLK?")) <= 0.995


def samples(count: int, language: str, seed: int, weights: np.ndarray) -> list[Sample]:
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(count):
        x = np.concatenate([[1.0], random.random(len(FEATURES) - 1)])
        drawn.append(Sample(x, language, bool(random.random() < sigmoid(float(x @ weights)))))
    return drawn


def truth(**given: float) -> np.ndarray:
    return np.array([given.get(name, 0.0) for name in FEATURES])


def test_fitting_recovers_probabilities_by_language() -> None:
    en = truth(bias=-4, score=5, share=3)
    zh = truth(bias=-2, coverage=5, agreement=-1)
    fitted = fit_confidence(samples(6_000, "en", 1, en) + samples(6_000, "zh", 2, zh), SHIPPED)
    assert set(fitted.languages) == {"en", "zh", OTHER}
    assert fitted.languages["en"].samples == 6_000
    for language, weights in (("en", en), ("zh", zh)):
        held = samples(2_000, language, 3, weights)
        x = np.stack([sample.features for sample in held])
        told = 1 / (1 + np.exp(-x @ np.array(fitted.languages[language].values)))
        real = 1 / (1 + np.exp(-x @ weights))
        assert np.abs(told - real).mean() < 0.03


def test_few_samples_or_one_sided_ones_change_nothing() -> None:
    few = samples(30, "en", 1, truth(score=3))
    assert fit_confidence(few, SHIPPED) == SHIPPED
    sided = [replace(sample, right=True) for sample in samples(200, "en", 1, truth(score=3))]
    assert fit_confidence(sided, SHIPPED) == SHIPPED


def test_a_feature_that_never_moves_keeps_its_cautious_value() -> None:
    still = FEATURES.index("graph")
    held = samples(500, "en", 4, truth(bias=-1, score=3))
    for sample in held:
        sample.features[still] = 0
    fitted = fit_confidence(held, SHIPPED)
    assert fitted.languages["en"].values[still] == SHIPPED.languages[OTHER].values[still]


def test_separable_samples_stay_finite() -> None:
    held = [
        Sample(np.full(len(FEATURES), value), "en", value > 0.5) for value in np.linspace(0, 1, 200).tolist()
    ]
    fitted = fit_confidence(held, SHIPPED)
    assert np.isfinite(fitted.languages["en"].values).all()


def test_coefficients_fit_the_features() -> None:
    with pytest.raises(ValueError, match="features"):
        Coefficients((1.0,))
    assert (
        Confidence({OTHER: Coefficients((0.0,) * len(FEATURES))}).probability([HIT], asked("x", "ja")) == 0.5
    )
