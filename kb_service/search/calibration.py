"""The constants of fusion and confidence that ship with the service, by the model they belong to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

from kb_service.search.confidence import OTHER, Coefficients, Confidence
from kb_service.search.evidence import Evidence, steps_from
from kb_service.search.fusion import REGIMES, Blend, Fusion

SHIPPED = Path(__file__).with_name("calibration.json")
DEFAULT = "default"
"""The entry of every model that has none of its own: cautious, since nothing is known of its cosines."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was fitted for one encoder, and in words on what."""

    model_id: str
    fusion: Fusion
    confidence: Confidence
    source: str
    evidence: Evidence = field(default_factory=Evidence)


def calibration_for(model_id: str, path: Path = SHIPPED) -> Calibration:
    """The constants of a model, or the cautious default under that model's name."""
    models = _models(path)
    return _parsed(model_id, models.get(model_id, models[DEFAULT]))


def save(calibration: Calibration, path: Path = SHIPPED) -> None:
    """Replaces one model's entry in the file and leaves the others."""
    entry = asdict(calibration)
    entry["evidence"] = [[step.confidence, step.answers, step.wrong] for step in calibration.evidence.steps]
    del entry["model_id"]
    held = json.loads(path.read_text("utf-8"))
    held["models"][calibration.model_id] = entry
    text = json.dumps(held, indent=2, ensure_ascii=False, sort_keys=True)
    path.write_text(text + "\n", "utf-8")
    _models.cache_clear()


@cache
def _models(path: Path) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], json.loads(path.read_text("utf-8"))["models"])


def _parsed(model_id: str, entry: Mapping[str, Any]) -> Calibration:
    fusion = entry["fusion"]
    blends = {name: Blend(**fusion["blends"][name]) for name in REGIMES}
    languages = {
        language: Coefficients(tuple(held["values"]), held["samples"])
        for language, held in entry["confidence"]["languages"].items()
    }
    if OTHER not in languages:
        raise ValueError(f"confidence of {model_id!r}: languages lacks {OTHER!r}")
    mix = Fusion(blends, fusion["question"], fusion["more"], fusion["prior"])
    evidence = Evidence(steps_from(entry.get("evidence", ())))
    return Calibration(model_id, mix, Confidence(languages), entry["source"], evidence)
