"""Weights of the priority: those in force, and what escalations taught."""

from __future__ import annotations

from typing import Any, Literal

from graph.priority import DEFAULT_WEIGHTS, VALUE_CAP
from kb_service.store import StoredWeights
from kb_service.wire.base import Moment, Response, fault


def possible_weights(weights: dict[str, float]) -> dict[str, float]:
    """Weights of a request, as a validator passes them on; a fault where they name what is no factor, or more for the
    value of a customer than it may weigh."""
    for factor in weights.keys() - DEFAULT_WEIGHTS.keys():
        raise fault(factor, "no such factor; the factors are {known}", known=", ".join(DEFAULT_WEIGHTS))
    if weights.get("customer_value", 0.0) > VALUE_CAP:
        raise fault("customer_value", "must be at most {le}", le=f"{VALUE_CAP:g}")
    return weights


class FiguresOut(Response):
    auroc: float
    log_loss: float


class WeightsEvidenceOut(Response):
    """Figures of the latest 30% of contacts, by weights that only earlier ones taught."""

    reason: Literal["better", "no_better"]
    cases: int
    escalations: int
    kinds: dict[str, int]
    later: int
    later_escalations: int
    split_at: Moment
    before: FiguresOut
    after: FiguresOut
    gain: list[float]
    with_factor: dict[str, int]
    present: dict[str, float]


class WeightsEntryOut(Response):
    id: str
    at: Moment
    kind: Literal["proposed", "applied", "rolled_back"]
    weights: dict[str, float]
    before: dict[str, float]
    evidence: WeightsEvidenceOut | None
    actor: str
    of_id: str | None

    @classmethod
    def of(cls, entry: StoredWeights) -> WeightsEntryOut:
        told: dict[str, Any] = {name: getattr(entry, name) for name in cls.model_fields}
        return cls.model_validate(told | {"evidence": dict(entry.evidence) or None})


class WeightsOut(Response):
    in_force: dict[str, float]
    items: list[WeightsEntryOut]
