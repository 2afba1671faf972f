"""What a shop promises its customers, by band of priority and by their tier."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import ConfigDict, Field, model_validator

from graph.models import Band
from graph.rules import Promise, Rules
from graph.service_level import BANDS, disorder
from kb_service.wire.base import Number, Request, Text, Whole, fault

DEFAULTS = Rules()

Minutes = Annotated[Number, Field(gt=0, le=60 * 24 * 365)]
TierName = Annotated[Text, Field(min_length=1, max_length=40, pattern=r"\S")]
TierValues: TypeAlias = dict[TierName, Annotated[Number, Field(ge=0, le=1)]]
TierLifts: TypeAlias = dict[TierName, Annotated[Whole, Field(ge=0, le=3)]]


class PromiseShape(Request):
    model_config = ConfigDict(extra="forbid", from_attributes=True)

    first_response_minutes: Minutes
    resolve_minutes: Minutes

    @model_validator(mode="after")
    def in_order(self) -> PromiseShape:
        if self.resolve_minutes < self.first_response_minutes:
            raise fault(
                "resolve_minutes",
                "must be at least first_response_minutes, {least}",
                least=f"{self.first_response_minutes:g}",
            )
        return self


def _default(band: Band) -> PromiseShape:
    return PromiseShape.model_validate(DEFAULTS.service_levels[band])


class ServiceLevelsShape(Request):
    """A band that is left out keeps the product's default."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    urgent: PromiseShape = _default("urgent")
    high: PromiseShape = _default("high")
    normal: PromiseShape = _default("normal")
    low: PromiseShape = _default("low")

    @model_validator(mode="after")
    def in_order(self) -> ServiceLevelsShape:
        for found in disorder(Rules(service_levels=self.value())):
            raise fault(
                f"{found.band}.{found.name}",
                "must be at most that of {slower}, which is {most}: what is more urgent is promised no later",
                slower=found.slower,
                most=f"{found.most:g}",
            )
        return self

    def value(self) -> dict[Band, Promise]:
        return {band: Promise(**getattr(self, band).model_dump()) for band in BANDS}
