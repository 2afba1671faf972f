"""The constants of fusion and confidence: those that ship with the service, and a workspace's own."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

from structlog.stdlib import get_logger

from kb_service.search.adjustment import Adjustment
from kb_service.search.confidence import FEATURES, OTHER, Coefficients, Confidence
from kb_service.search.evidence import NEVER, Evidence, steps_from
from kb_service.search.fusion import REGIMES, Blend, Fusion
from kb_service.search.precedents import NONE, Precedents
from kb_service.store.values import Precedent, StoredCalibration

log = get_logger(__name__)

SHIPPED = Path(__file__).with_name("calibration.json")
DEFAULT = "default"
"""The entry of every model that has none of its own: cautious, since nothing is known of its cosines."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was fitted for one encoder, and in words on what.

    `id` names these constants wherever an answer was given by them. `base` names those that judged questions
    gave, which speak as `precedents` too; `adjustment` is what people's verdicts moved since. Evidence speaks of the
    confidence of the base with its precedents, so that an adjustment alone sends neither more nor less, see
    `threshold`.
    """

    model_id: str
    fusion: Fusion
    confidence: Confidence
    source: str
    evidence: Evidence = field(default_factory=Evidence)
    adjustment: Adjustment = field(default_factory=Adjustment)
    precedents: Precedents = field(default=NONE, compare=False)
    id: str = field(default="", compare=False)
    base: str = field(default="", compare=False)

    def threshold(self, bound: float, language: str) -> float:
        """The confidence from which answers in a language may be sent unseen; NEVER without the evidence."""
        least = self.evidence.threshold(bound)
        return least if least >= NEVER else self.adjustment.of(least, language)


def calibration_for(model_id: str, path: Path = SHIPPED) -> Calibration:
    """The constants of a model; else those of its family, which an adapted lexicon or another export of the same
    weights leaves nearly right; else the cautious default. All under that model's name."""
    models = _models(path)
    entry = models.get(family(model_id), models[DEFAULT])
    return _parsed(model_id, entry, shipped_id(entry))


def family(model_id: str) -> str:
    """A model's name without the digests of its files: `all-MiniLM-L6-v2+zh` of `all-MiniLM-L6-v2@onnx:1a+zh:2b`."""
    return "+".join(re.split("[@:]", part)[0] for part in model_id.split("+"))


def shipped_id(entry: Mapping[str, Any]) -> str:
    """An id that changes when a version ships other constants."""
    text = json.dumps(entry, sort_keys=True)
    return "shipped-" + hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def save(calibration: Calibration, path: Path = SHIPPED) -> None:
    """Replaces the entry of one family of models in the file and leaves the others."""
    held = json.loads(path.read_text("utf-8"))
    held["models"][family(calibration.model_id)] = _fitted(calibration)
    text = json.dumps(held, indent=2, ensure_ascii=False, sort_keys=True)
    path.write_text(text + "\n", "utf-8")
    _models.cache_clear()


def constants_of(calibration: Calibration) -> dict[str, Any]:
    """A calibration as the store keeps it, its precedents apart; `calibration_of` reads it back."""
    return _fitted(calibration) | {
        "features": list(FEATURES),
        "adjustment": asdict(calibration.adjustment),
        "precedents": {"alike": calibration.precedents.alike, "weight": calibration.precedents.weight},
        "base": calibration.base,
    }


def calibration_of(model_id: str, constants: Mapping[str, Any], id: str) -> Calibration:
    """A stored calibration. Raises ValueError when it was fitted on features that this version has not."""
    try:
        if constants["features"] != list(FEATURES):
            raise ValueError(f"calibration {id}: was fitted on other features than {FEATURES}")
        return replace(
            _parsed(model_id, constants, id),
            adjustment=Adjustment(**constants["adjustment"]),
            precedents=Precedents(**constants.get("precedents", {})),
            base=constants["base"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"calibration {id}: is not one of this version: {error!r}") from error


def in_force(
    stored: StoredCalibration | None, model_id: str, precedents: Sequence[Precedent] = ()
) -> Calibration:
    """A workspace's newest calibration, else the shipped one; also where another version fitted the newest."""
    if stored is None or stored.constants is None:
        return calibration_for(model_id)
    try:
        found = calibration_of(model_id, stored.constants, stored.id)
        return replace(found, precedents=replace(found.precedents, held=tuple(precedents)))
    except ValueError as error:
        log.warning("calibration_unusable", calibration=stored.id, reason=str(error))
        return calibration_for(model_id)


def base_of(stored: StoredCalibration) -> str:
    """The id of the entry whose judged questions a stored one stands on; empty for the shipped constants."""
    return str((stored.constants or {}).get("base", ""))


def _fitted(calibration: Calibration) -> dict[str, Any]:
    return {
        "fusion": asdict(calibration.fusion),
        "confidence": asdict(calibration.confidence),
        "evidence": [[step.confidence, step.answers, step.wrong] for step in calibration.evidence.steps],
        "source": calibration.source,
    }


@cache
def _models(path: Path) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], json.loads(path.read_text("utf-8"))["models"])


def _parsed(model_id: str, entry: Mapping[str, Any], id: str) -> Calibration:
    fusion = entry["fusion"]
    blends = {name: Blend(**held) for name, held in fusion["blends"].items()}
    if missing := set(REGIMES) - blends.keys():
        raise ValueError(f"fusion of {model_id!r}: blends lack {sorted(missing)}")
    languages = {
        language: Coefficients(tuple(held["values"]), held["samples"])
        for language, held in entry["confidence"]["languages"].items()
    }
    if OTHER not in languages:
        raise ValueError(f"confidence of {model_id!r}: languages lacks {OTHER!r}")
    mix = Fusion(
        blends, fusion["prior"], fusion["slope"], fusion["middle"], fusion["scope"], fusion.get("kinds", {})
    )
    evidence = Evidence(steps_from(entry.get("evidence", ())))
    return Calibration(model_id, mix, Confidence(languages), entry["source"], evidence, id=id, base=id)
