"""Every rule of a shop in its group, with how a form asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "number", "percent", "one_in", "switch", "choice", "zone", "hour", "text", "dates", "addresses",
    "points", "promises", "figures", "flows", "names", "owners",
]  # fmt: skip
PROMISES = ("first_response_minutes", "resolve_minutes")
OWNED = ("product", "expertise", "channel")
LISTED = 60
"""Pairs that stand in rows of their own; more of them are lines of one text, which a screen can still hold."""


@dataclass(frozen=True, slots=True)
class RuleField:
    """One rule in the form. `least`, `most` and `step` guide the browser; the wire's shape decides."""

    name: str
    kind: Kind
    unit: str = ""
    least: str = "0"
    most: str = ""
    step: str = "any"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleGroup:
    name: str
    fields: tuple[RuleField, ...]


GROUPS: tuple[RuleGroup, ...] = (
    RuleGroup(
        "alerts",
        (
            RuleField("recurrence_customers", "number", "customers", "2", "1000", "1"),
            RuleField("recurrence_window_hours", "number", "hours", "0", "2160"),
            RuleField("burst_customers", "number", "customers", "2", "1000", "1"),
            RuleField("burst_likelihood", "one_in", "such hours", "100"),
            RuleField("growth_alerts", "switch"),
            RuleField("promote_customers", "number", "customers", "1", "1000", "1"),
            RuleField("promote_window_hours", "number", "hours", "0", "2160"),
            RuleField("regression_customers", "number", "customers", "1", "1000", "1"),
            RuleField("regression_grace_hours", "number", "hours", "0", "2160"),
        ),
    ),
    RuleGroup(
        "problems",
        (
            RuleField("regroup_nightly", "switch"),
            RuleField("problem_grain", "choice", choices=("fine", "coarse")),
            RuleField("owners", "owners"),
        ),
    ),
    RuleGroup(
        "telling",
        (
            RuleField("group_wait_seconds", "number", "seconds", "0", "3600"),
            RuleField("group_interval_seconds", "number", "seconds", "0", "86400"),
            RuleField("repeat_hours", "number", "hours", "0", "2160"),
            RuleField("followup_hours", "number", "hours", "0", "2160"),
            RuleField("digest_hour", "hour"),
            RuleField("digest_to", "addresses"),
            RuleField("digest_language", "choice", choices=("zh", "en")),
        ),
    ),
    RuleGroup(
        "answers",
        (
            RuleField("wrong_answer_bound", "percent", "percent", "0", "100"),
            RuleField("review_share", "percent", "percent", "0", "100"),
            RuleField("swap_share", "percent", "percent", "0", "20"),
            RuleField("default_region", "text"),
        ),
    ),
    RuleGroup(
        "sensitive",
        (
            RuleField("refund_limit", "number", "currency", "0"),
            RuleField("sensitive_flows", "flows"),
        ),
    ),
    RuleGroup(
        "priority",
        (
            RuleField("priority_weights", "points", "points", "0", "100"),
            RuleField("tier_values", "figures", "percent", "0", "100"),
        ),
    ),
    RuleGroup(
        "service",
        (
            RuleField("service_levels", "promises", "minutes", "0", "525600"),
            RuleField("tier_lifts", "figures", "bands", "0", "3", "1"),
            RuleField("inactive_minutes", "number", "minutes", "1", "10080"),
            RuleField("auto_assign", "switch"),
        ),
    ),
    RuleGroup(
        "shop",
        (
            RuleField("timezone", "zone"),
            RuleField("promotion_days", "dates"),
            RuleField("surge_customers", "number", "customers", "2", "10000", "1"),
            RuleField("carriers", "names"),
            RuleField("campaigns", "names"),
        ),
    ),
)
FIELDS: Mapping[str, RuleField] = {item.name: item for group in GROUPS for item in group.fields}


def figure(value: float) -> str:
    """A number as people write it: without a point where it is whole."""
    return str(int(value)) if float(value).is_integer() else f"{value:.8g}"
