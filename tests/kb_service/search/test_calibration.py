from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from ingest import encoder_files
from kb_service.search.adjustment import Adjustment
from kb_service.search.calibration import (
    DEFAULT,
    SHIPPED,
    base_of,
    calibration_for,
    calibration_of,
    constants_of,
    family,
    in_force,
    save,
)
from kb_service.search.confidence import FEATURES, OTHER, Coefficients, Confidence
from kb_service.search.evidence import NEVER, Evidence, Step
from kb_service.search.fusion import REGIMES
from kb_service.search.precedents import Precedents
from kb_service.store import Precedent, StoredCalibration

AT = datetime(2026, 6, 18, tzinfo=UTC)


def test_every_shipped_entry_is_whole_and_says_where_it_comes_from() -> None:
    for model_id in json.loads(SHIPPED.read_text("utf-8"))["models"]:
        held = calibration_for(model_id)
        assert held.model_id == model_id
        assert held.source
        assert {name.rpartition(":")[2] for name in held.fusion.blends} == set(REGIMES)
        for mix in held.fusion.blends.values():
            assert min(mix.cosine, mix.coverage, mix.relative, mix.lead) >= 0, (
                "no sign speaks against a passage"
            )
        assert 0 < held.fusion.prior <= 4
        assert held.fusion.slope > 0
        assert held.evidence == Evidence(), "what was judged in one shop proves nothing for another"


def test_the_packaged_encoder_has_an_entry_of_its_own() -> None:
    held = calibration_for(f"{encoder_files.packaged_id()}+zh:1a2b3c4d")
    assert held.fusion != calibration_for(DEFAULT).fusion
    assert {"en:read", "zh:read", "en:crossed", "zh:crossed"} <= held.fusion.blends.keys()
    chinese, english = held.fusion.blend_of("zh", "read"), held.fusion.blend_of("en", "read")
    assert chinese.coverage / chinese.cosine > english.coverage / english.cosine, (
        "words weigh more in Chinese"
    )
    assert {"en", "zh", OTHER} <= set(held.confidence.languages)


def test_an_unknown_model_gets_the_default_under_its_own_name() -> None:
    held = calibration_for("unknown-model")
    assert held.model_id == "unknown-model"
    assert held.fusion == calibration_for(DEFAULT).fusion


def test_an_adapted_lexicon_keeps_the_constants_of_its_family() -> None:
    one, other = (
        calibration_for(f"all-MiniLM-L6-v2@onnx-fp32:53aa5117+zh:{digest}") for digest in ("aa", "bb")
    )
    assert one.fusion == other.fusion != calibration_for(DEFAULT).fusion
    assert (one.id, one.model_id) != (other.id, other.model_id)
    assert family("bge-m3@st:00ff00ff") == "bge-m3"
    assert family("word-hash-384") == "word-hash-384"


def test_saving_replaces_one_model_only(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    shutil.copy(SHIPPED, path)
    held = calibration_for("new-model", path)
    languages = {**held.confidence.languages, "zh": Coefficients((0.25,) * len(FEATURES), samples=80)}
    changed = replace(
        held, fusion=replace(held.fusion, prior=0.1), confidence=Confidence(languages), source="a test"
    )
    save(changed, path)
    assert calibration_for("new-model", path) == changed
    assert calibration_for("another", path).fusion == held.fusion
    before = json.loads(SHIPPED.read_text("utf-8"))["models"]
    after = json.loads(path.read_text("utf-8"))["models"]
    assert {key: after[key] for key in before} == before


def test_an_entry_for_all_other_languages_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    content = json.loads(SHIPPED.read_text("utf-8"))
    del content["models"][DEFAULT]["confidence"]["languages"][OTHER]
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(ValueError, match="other"):
        calibration_for("x", path)


def test_a_stored_calibration_comes_back_whole_through_json() -> None:
    shipped = calibration_for("some-model")
    moved = replace(
        shipped,
        source="a test",
        evidence=Evidence((Step(0.9, 400, 1),)),
        adjustment=Adjustment(0.5, 0.9, {"zh": -0.25}),
    )
    constants = json.loads(json.dumps(constants_of(moved)))
    held = calibration_of("some-model", constants, "cal_1")
    assert held == moved
    assert (held.id, held.base) == ("cal_1", shipped.id)


def test_the_judged_questions_of_a_calibration_are_kept_apart_from_its_constants() -> None:
    asked = Precedent("q", "a question", np.array([1.0, 0.0], dtype=np.float32), {"a": (1, True)})
    given = replace(calibration_for("some-model"), precedents=Precedents((asked,), alike=0.8, weight=1.5))
    constants = json.loads(json.dumps(constants_of(given)))
    stored = StoredCalibration("cal_1", "some-model", "questions", "a test", AT, {}, constants)
    bare = in_force(stored, "some-model").precedents
    assert (bare.held, bare.alike, bare.weight) == ((), 0.8, 1.5)
    assert in_force(stored, "some-model", [asked]).precedents.held == (asked,)
    assert base_of(stored) == given.base
    del constants["precedents"]
    before = in_force(replace(stored, constants=constants), "some-model")
    assert before.id == "cal_1", "what a version before precedents stored is still in force"
    assert (before.precedents.held, before.precedents.weight) == ((), 1.0)


@pytest.mark.parametrize("fault", ["features", "fusion", "adjustment"])
def test_a_calibration_of_another_version_is_refused(fault: str) -> None:
    constants = constants_of(calibration_for("some-model"))
    constants[fault] = {"features": ["bias"], "fusion": {}, "adjustment": {"unheard": 1}}[fault]
    with pytest.raises(ValueError, match="cal_1"):
        calibration_of("some-model", constants, "cal_1")


def test_what_is_shipped_is_named_by_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    shutil.copy(SHIPPED, path)
    held = calibration_for("a-model", path)
    save(replace(held, fusion=replace(held.fusion, prior=0.12)), path)
    changed = calibration_for("a-model", path)
    assert held.id.startswith("shipped-")
    assert held.base == held.id != changed.id


def test_an_adjustment_sends_neither_more_nor_less() -> None:
    held = replace(calibration_for("x"), evidence=Evidence((Step(0.5, 400, 90), Step(0.9, 400, 0))))
    assert held.threshold(0.01, "zh") == 0.9
    adjusted = replace(held, adjustment=Adjustment(-1.0, 1.2, {"zh": -0.5}))
    for language in ("zh", "en"):
        least = adjusted.threshold(0.01, language)
        assert least == adjusted.adjustment.of(0.9, language)
        assert adjusted.adjustment.of(0.8999, language) < least < adjusted.adjustment.of(0.9001, language)
    assert replace(held, evidence=Evidence()).threshold(0.01, "zh") == NEVER
