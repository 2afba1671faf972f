from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ingest import encoder_files
from kb_service.search.calibration import DEFAULT, SHIPPED, calibration_for, save
from kb_service.search.confidence import OTHER, Coefficients, Confidence
from kb_service.search.fusion import REGIMES


def test_every_shipped_entry_is_whole_and_says_where_it_comes_from() -> None:
    for model_id in json.loads(SHIPPED.read_text("utf-8"))["models"]:
        held = calibration_for(model_id)
        assert held.model_id == model_id
        assert held.source
        assert set(held.fusion.blends) == set(REGIMES)
        for mix in held.fusion.blends.values():
            assert 0 <= mix.dense <= 1
            assert 0 <= mix.cover <= 1
            assert mix.width > 0
            assert mix.half > 0
        assert 0 <= held.fusion.prior < 0.5


def test_the_packaged_encoder_has_an_entry_of_its_own() -> None:
    held = calibration_for(encoder_files.packaged_id())
    assert held.fusion != calibration_for(DEFAULT).fusion
    assert held.fusion.blends["read"].dense > 0.5 > held.fusion.blends["unread"].dense
    assert {"en", "zh", OTHER} <= set(held.confidence.languages)


def test_an_unknown_model_gets_the_default_under_its_own_name() -> None:
    held = calibration_for("unknown-model")
    assert held.model_id == "unknown-model"
    assert held.fusion == calibration_for(DEFAULT).fusion


def test_saving_replaces_one_model_only(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    shutil.copy(SHIPPED, path)
    held = calibration_for("new-model", path)
    languages = {**held.confidence.languages, "zh": Coefficients((0.25,) * 10, samples=80)}
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
