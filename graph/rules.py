"""What a shop may set: the rules of alerts, priority, hand-over and telling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from graph.models import Band

ProblemGrain: TypeAlias = Literal["fine", "coarse"]


@dataclass(frozen=True, slots=True)
class Promise:
    """Within how many minutes of a case's opening its customer is promised a first reply and a solution."""

    first_response_minutes: float
    resolve_minutes: float


def _service_levels() -> dict[Band, Promise]:
    return {
        "urgent": Promise(5, 4 * 60),
        "high": Promise(15, 8 * 60),
        "normal": Promise(60, 24 * 60),
        "low": Promise(4 * 60, 72 * 60),
    }


@dataclass(frozen=True, slots=True)
class Rules:
    """What a shop may set about alerts, priority and hand-over; the defaults are the product's.

    `recurrence_customers` distinct customers within `recurrence_window_hours` raise a recurrence.
    `burst_customers` is the least number that makes a burst, `burst_likelihood` the probability below which an hour
    with so many is one (shorter and longer windows go with it); with `growth_alerts` slow growth is told too.
    `wrong_answer_bound` is the share of wrong automatic answers that the shop accepts, `review_share` the share
    of automatic answers that people are asked to look at, `swap_share` the share of suggestions in which two
    neighbours change places, so that what people use can be told from what stands first.
    `regroup_nightly` lets a night merge problems that turn out to be one and split one that turns out to be two;
    `problem_grain` "coarse" lets it go by themes as well, see `graph.kinship`.
    `timezone` is the shop's own, in which its hours and days are counted; `promotion_days` are dates (ISO 8601) there
    that bring more than usual, past ones and those to come; `surge_customers` is the least number that makes a surge.
    `inactive_minutes` is how long an agent may leave a customer without a word before the case goes to somebody
    else, `auto_assign` whether waiting cases are assigned without being asked for.
    `sensitive_flows` maps a flow's name to the words that reveal it, in place of the product's for that flow (see
    `graph.sensitive_flows`); a match always hands over. `refund_limit`, in the shop's currency, is what may be asked
    back without a person. `default_region` is the region of customers whose request names none.
    `carriers` and `campaigns` give the names by which customers call each, under the one that stands for it; they
    come beside the carriers and feasts that every shop knows.
    `priority_weights` are points by factor (see `graph.priority`), `tier_values` what a tier of customers counts in
    the factor `service_level`, 0 to 1. `service_levels` is what is promised by band of priority, and `tier_lifts` by
    how many bands a tier of customers is promised more.
    `followup_hours` after a resolution customers are to be asked whether it holds.
    `digest_hour` is the hour of the shop's day at which what is not urgent is told; by mail too, to the addresses of
    `digest_to`, in `digest_language`. Alerts of one group go together:
    what follows the first one within `group_wait_seconds`, later ones every `group_interval_seconds` at most. What
    nobody takes up is told again after `repeat_hours`, 0 is never.
    `owners` gives problems an owner (an agent's id) by "product" and "expertise", and follow-ups one by "channel".
    """

    recurrence_customers: int = 3
    recurrence_window_hours: float = 24.0 * 7
    burst_customers: int = 3
    burst_likelihood: float = 1.5e-6
    growth_alerts: bool = True
    regression_customers: int = 3
    regression_grace_hours: float = 24.0
    promote_customers: int = 3
    promote_window_hours: float = 24.0 * 7
    followup_hours: float = 72.0
    regroup_nightly: bool = True
    problem_grain: ProblemGrain = "fine"
    refund_limit: float = 500.0
    wrong_answer_bound: float = 0.01
    review_share: float = 0.05
    swap_share: float = 0.05
    timezone: str = "Asia/Shanghai"
    promotion_days: tuple[str, ...] = ()
    surge_customers: int = 5
    inactive_minutes: float = 30.0
    auto_assign: bool = False
    default_region: str | None = None
    priority_weights: Mapping[str, float] = field(default_factory=dict)
    tier_values: Mapping[str, float] = field(
        default_factory=lambda: {"platinum": 1.0, "gold": 0.8, "silver": 0.55, "bronze": 0.2}
    )
    service_levels: Mapping[Band, Promise] = field(default_factory=_service_levels)
    tier_lifts: Mapping[str, int] = field(default_factory=lambda: {"platinum": 1, "gold": 1})
    sensitive_flows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    carriers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    campaigns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    digest_hour: int = 9
    digest_to: tuple[str, ...] = ()
    digest_language: Literal["zh", "en"] = "zh"
    group_wait_seconds: float = 30.0
    group_interval_seconds: float = 300.0
    repeat_hours: float = 12.0
    owners: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
