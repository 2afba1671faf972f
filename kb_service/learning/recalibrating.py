"""A workspace's confidence and evidence, as people's verdicts on its answers have them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import numpy as np

from kb_service.learning.verdicts import Told, weights
from kb_service.search.adjustment import PRIOR, Adjustment, JudgedAnswer, fit_adjustment, log_loss
from kb_service.search.calibration import Calibration
from kb_service.search.confidence import FEATURES
from kb_service.search.evidence import NEVER, Reviewed
from kb_service.search.precedents import FEATURE as PRECEDENTS
from kb_service.search.precedents import with_points
from kb_service.store import Exposure

LEAST = 60
"""Verdicts below which the confidence stays as it is: a quarter of them must be able to tell better from worse."""
TAUGHT = 0.75
"""The share of the verdicts, the earliest, that an adjustment is fitted on before the rest judges it."""
MATTERS = 0.005
"""A confidence that moves by less is the same."""


@dataclass(frozen=True, slots=True)
class Recalibrated:
    """What verdicts make of a calibration, and whether that is worth storing.

    `reason` says what became of the confidence: `better`, `no_better` than the one in force, or `too_few`
    verdicts to tell. `before` and `after` are the log losses of the latest verdicts under the adjustment in force
    and under one fitted on the earlier. `counts` says how many verdicts there were, of which kind.
    """

    calibration: Calibration
    changed: bool
    reason: Literal["better", "no_better", "too_few"]
    counts: Mapping[str, int]
    before: float | None = None
    after: float | None = None


def recalibrated(
    in_force: Calibration,
    base: Calibration,
    verdicts: Sequence[Told],
    *,
    same_base: Collection[str],
    since: datetime | None = None,
) -> Recalibrated:
    """The base with an adjustment by the verdicts, and its evidence with the reviews.

    `same_base` are the ids of calibrations whose evidence speaks of the same confidence as the base's. Verdicts
    given before `since`, when somebody went back to an earlier calibration, no longer adjust it. Verdicts on
    answers whose features this version does not know tell nothing.
    """
    usable = sorted(
        ((item, raw) for item in verdicts if (raw := _raw(base, item.judgement.exposure)) is not None),
        key=lambda pair: (pair[0].at, pair[0].judgement.exposure.id),
    )
    reviews = [
        Reviewed(raw, item.right, _sent_from(item.judgement.exposure, same_base))
        for item, raw in usable
        if item.voter is None
    ]
    before = in_force.adjustment if in_force.base == base.base else Adjustment()
    checked = _checked(before, [pair for pair in usable if since is None or pair[0].at > since])
    evidence = base.evidence.with_reviews(reviews) if reviews else base.evidence
    right = sum(item.right for item, _ in usable)
    return Recalibrated(
        replace(base, evidence=evidence, adjustment=checked.adjustment),
        not _same(checked.adjustment, in_force.adjustment) or evidence != in_force.evidence,
        checked.reason,
        {
            "reviews": len(reviews),
            "feedback": len(usable) - len(reviews),
            "right": right,
            "wrong": len(usable) - right,
        },
        checked.before,
        checked.after,
    )


@dataclass(frozen=True, slots=True)
class _Checked:
    adjustment: Adjustment
    reason: Literal["better", "no_better", "too_few"]
    before: float | None = None
    after: float | None = None


def _checked(before: Adjustment, usable: Sequence[tuple[Told, float]]) -> _Checked:
    """An adjustment fitted on all, if one fitted on the earlier verdicts foretells the later ones better."""
    if len(usable) < LEAST:
        return _Checked(before, "too_few")
    cut = _cut(weights([item.voter for item, _ in usable], PRIOR))
    later = _weighed(usable[cut:])
    lost = log_loss(later, before)
    loses = log_loss(later, fit_adjustment(_weighed(usable[:cut])))
    if loses >= lost:
        return _Checked(before, "no_better", lost, loses)
    return _Checked(fit_adjustment(_weighed(usable)), "better", lost, loses)


def _cut(counting: Sequence[float]) -> int:
    """Where the earlier verdicts end: by weight, so that one voice cannot be all of the later ones."""
    return int(np.searchsorted(np.cumsum(counting), TAUGHT * sum(counting)))


def _weighed(usable: Sequence[tuple[Told, float]]) -> list[JudgedAnswer]:
    counting = weights([item.voter for item, _ in usable], PRIOR)
    return [
        JudgedAnswer(raw, item.judgement.exposure.language or "", item.right, weight)
        for (item, raw), weight in zip(usable, counting, strict=True)
    ]


def _raw(base: Calibration, exposure: Exposure) -> float | None:
    """The confidence that the base gives, from the features that were kept, and with what precedents said then."""
    features = exposure.features or {}
    if features.keys() - {PRECEDENTS} != set(FEATURES):
        return None
    seen = np.array([features[name] for name in FEATURES], dtype=np.float64)
    probability = base.confidence.of_features(seen, exposure.language or "")
    return with_points(probability, features.get(PRECEDENTS, 0.0))


def _sent_from(exposure: Exposure, same_base: Collection[str]) -> float:
    known = exposure.threshold is not None and exposure.calibration_id in same_base
    return exposure.threshold if known and exposure.threshold is not None else NEVER


def _same(one: Adjustment, other: Adjustment) -> bool:
    languages = {*one.languages, *other.languages, ""}
    return all(
        abs(one.of(at, language) - other.of(at, language)) < MATTERS
        for at in (0.1, 0.3, 0.5, 0.7, 0.9, 0.97)
        for language in languages
    )
