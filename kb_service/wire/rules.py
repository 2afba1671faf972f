"""All of a shop's rules, as they are read and set."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field, field_validator

from graph.rules import ProblemGrain, Rules
from graph.sensitive_flows import effective_flows, own_flows
from kb_service.wire.base import Amount, Day, Flag, Id, Number, Request, Text, Whole
from kb_service.wire.mail import MailAddress
from kb_service.wire.sensitive_flows import SensitiveFlows
from kb_service.wire.service_levels import ServiceLevelsShape, TierLifts, TierValues
from kb_service.wire.weights import possible_weights
from kb_service.wire.zones import Zone

DEFAULTS = Rules()

NamesByEntity: TypeAlias = Annotated[
    dict[
        Annotated[Text, Field(min_length=2, max_length=100)],
        Annotated[list[Annotated[Text, Field(min_length=2, max_length=100)]], Field(max_length=100)],
    ],
    Field(max_length=500, description="The names that customers use, by the name that stands for them."),
]


Owners: TypeAlias = Annotated[
    dict[Literal["product", "expertise", "channel"], Annotated[dict[Id, Id], Field(max_length=10_000)]],
    Field(
        description="Agents by product and expertise, who own problems, and by channel, who own follow-ups."
    ),
]


class RulesShape(Request):
    """All of a shop's rules; a field that is left out takes the product's default."""

    model_config = ConfigDict(
        extra="forbid",
        from_attributes=True,
        json_schema_extra={"examples": [{"recurrence_customers": 3, "recurrence_window_hours": 168}]},
    )

    recurrence_customers: Annotated[Whole, Field(ge=2, le=1000)] = DEFAULTS.recurrence_customers
    recurrence_window_hours: Annotated[Number, Field(gt=0, le=24 * 90)] = DEFAULTS.recurrence_window_hours
    burst_customers: Annotated[Whole, Field(ge=2, le=1000)] = DEFAULTS.burst_customers
    burst_likelihood: Annotated[Number, Field(gt=0, le=0.01)] = DEFAULTS.burst_likelihood
    growth_alerts: Flag = DEFAULTS.growth_alerts
    regression_customers: Annotated[Whole, Field(ge=1, le=1000)] = DEFAULTS.regression_customers
    regression_grace_hours: Annotated[Number, Field(ge=0, le=24 * 90)] = DEFAULTS.regression_grace_hours
    promote_customers: Annotated[Whole, Field(ge=1, le=1000)] = DEFAULTS.promote_customers
    promote_window_hours: Annotated[Number, Field(gt=0, le=24 * 90)] = DEFAULTS.promote_window_hours
    followup_hours: Annotated[Number, Field(ge=0, le=24 * 90)] = DEFAULTS.followup_hours
    regroup_nightly: Flag = DEFAULTS.regroup_nightly
    problem_grain: ProblemGrain = DEFAULTS.problem_grain
    refund_limit: Amount = DEFAULTS.refund_limit
    wrong_answer_bound: Annotated[Number, Field(gt=0, lt=1)] = DEFAULTS.wrong_answer_bound
    review_share: Annotated[Number, Field(ge=0, le=1)] = DEFAULTS.review_share
    swap_share: Annotated[Number, Field(ge=0, le=0.2)] = DEFAULTS.swap_share
    timezone: Zone = DEFAULTS.timezone
    promotion_days: Annotated[list[Day], Field(max_length=500)] = []
    surge_customers: Annotated[Whole, Field(ge=2, le=10_000)] = DEFAULTS.surge_customers
    inactive_minutes: Annotated[Number, Field(ge=1, le=60 * 24 * 7)] = DEFAULTS.inactive_minutes
    auto_assign: Flag = DEFAULTS.auto_assign
    priority_weights: dict[str, Annotated[Number, Field(ge=0, le=100)]] = {}
    tier_values: TierValues = dict(DEFAULTS.tier_values)
    service_levels: ServiceLevelsShape = ServiceLevelsShape()
    tier_lifts: TierLifts = dict(DEFAULTS.tier_lifts)
    default_region: Annotated[Text, Field(min_length=1, max_length=40)] | None = DEFAULTS.default_region
    sensitive_flows: SensitiveFlows = {}
    carriers: NamesByEntity = {}
    campaigns: NamesByEntity = {}
    digest_hour: Annotated[Whole, Field(ge=0, le=23)] = DEFAULTS.digest_hour
    digest_to: Annotated[list[MailAddress], Field(max_length=20)] = []
    digest_language: Literal["zh", "en"] = DEFAULTS.digest_language
    group_wait_seconds: Annotated[Number, Field(ge=0, le=3600)] = DEFAULTS.group_wait_seconds
    group_interval_seconds: Annotated[Number, Field(ge=0, le=24 * 3600)] = DEFAULTS.group_interval_seconds
    repeat_hours: Annotated[Number, Field(ge=0, le=24 * 90)] = DEFAULTS.repeat_hours
    owners: Owners = {}

    @field_validator("priority_weights")
    @classmethod
    def of_known_factors(cls, weights: dict[str, float]) -> dict[str, float]:
        return possible_weights(weights)

    @classmethod
    def of(cls, rules: Rules) -> RulesShape:
        """The rules as they hold: of a flow that the shop did not change, the product's words."""
        flows = {name: list(words) for name, words in effective_flows(rules).items()}
        return cls.model_validate(rules).model_copy(update={"sensitive_flows": flows})

    def over(self, rules: Rules) -> Rules:
        """Rules with what was given here in their place; what was left out stays as it is there."""
        given = self.value()
        return replace(rules, **{name: getattr(given, name) for name in self.model_fields_set})

    def value(self) -> Rules:
        values = self.model_dump()
        values["sensitive_flows"] = own_flows(self.sensitive_flows)
        for named in ("carriers", "campaigns"):
            values[named] = {name: tuple(called) for name, called in values[named].items()}
        values["promotion_days"] = tuple(sorted({day.isoformat() for day in self.promotion_days}))
        values["digest_to"] = tuple(dict.fromkeys(self.digest_to))
        values["service_levels"] = self.service_levels.value()
        return Rules(**values)
