"""What a shop's rules say of bursts."""

from __future__ import annotations

from functools import lru_cache

from graph.bursts import BurstRules
from graph.rules import Rules


def burst_rules(rules: Rules) -> BurstRules:
    """The rules by which bursts and growth are judged in a shop."""
    return _made(rules.burst_customers, rules.burst_likelihood / Rules().burst_likelihood)


@lru_cache
def _made(customers: int, times_as_likely: float) -> BurstRules:
    usual = BurstRules()
    windows = {minutes: likely * times_as_likely for minutes, likely in usual.windows.items()}
    return BurstRules(customers=customers, windows=windows, times=usual.times, growth=usual.growth)
