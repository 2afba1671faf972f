"""Trials that are looked at all the time: false verdicts, power, units and coverage, beside a repeated z-test.

    python -m bench.sequential

Simulated trials of known truth, looked at every ten units of the smaller arm from the minimum to the maximum. Units
come one after the other and are drawn for treatment with the chance of the share. The repeated z-test is what people do
who watch a dashboard: the usual test at 5% at each look. The fixed one looks once, at the size that a power calculation
asks for.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm  # type: ignore[import-untyped]

from graph.sequential import POOLED, radius, tightness
from kb_service.judging.evaluation import markdown

ALPHA = 0.05
POWER = 0.8
LOOK_EVERY = 10
CHUNK = 250
"""Trials that are simulated at once."""
Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]


@dataclass(frozen=True, slots=True)
class World:
    """What is true: how a unit's value is drawn in each arm, and the difference of their means."""

    name: str
    control: Draw
    treatment: Draw
    difference: float
    spread: float
    share: float = 0.5
    minimum: int = 200
    maximum: int = 4000

    @property
    def tightest_at(self) -> int:
        """As `graph.experiments.Experiment` has it."""
        return round(math.sqrt(self.minimum * self.maximum) / min(self.share, 1 - self.share))


@dataclass(frozen=True, slots=True)
class Outcome:
    """Shares of the trials, and units of both arms.

    `naive` is how often the repeated test finds a difference, `covered` how often every interval of a trial held the
    truth, `stopped_covered` the one at the verdict. `units` is the mean at the verdict or the end.
    """

    found: float
    naive: float
    covered: float
    stopped_covered: float
    units: float
    median_units: float


def share_of(rate: float) -> Draw:
    return lambda chance, shape: (chance.random(shape) < rate).astype(np.float64)


def times(mean: float, shape_parameter: float) -> Draw:
    """Log-normal seconds of a given mean."""
    location = math.log(mean) - shape_parameter**2 / 2
    return lambda chance, shape: chance.lognormal(location, shape_parameter, shape)


def stars(rates: Sequence[float]) -> Draw:
    """Ratings of 1 to 5, as likely as told."""
    edges = np.cumsum(rates)
    return lambda chance, shape: 1.0 + np.searchsorted(edges, chance.random(shape)).clip(max=4)


def run(world: World, trials: int, seed: int) -> Outcome:
    """Simulate trials of one world."""
    found = [
        _trials(world, min(CHUNK, trials - begun), np.random.default_rng([seed, begun]))
        for begun in range(0, trials, CHUNK)
    ]
    decided, naive, covered, at_stop, units = (np.concatenate(column) for column in zip(*found, strict=True))
    return Outcome(
        float(decided.mean()),
        float(naive.mean()),
        float(covered.mean()),
        float(at_stop.mean()),
        float(units.mean()),
        float(np.median(units)),
    )


def _trials(world: World, number: int, chance: np.random.Generator) -> tuple[Any, ...]:
    small = min(world.share, 1 - world.share)
    length = math.ceil(world.maximum / small)
    treated = chance.random((number, length)) < world.share
    values = np.where(
        treated,
        world.treatment(chance, (number, length)),
        world.control(chance, (number, length)),
    )
    looks = np.arange(math.ceil(world.minimum / small), length + 1, math.ceil(LOOK_EVERY / small)) - 1
    arms = [_running(values, mask, looks) for mask in (~treated, treated)]
    (control, treatment) = arms
    difference = treatment[1] - control[1]
    units = (looks + 1).astype(np.float64)
    deviation = np.sqrt(units * _variance_of_mean(control, treatment))
    ready = np.minimum(control[0], treatment[0]) >= world.minimum
    r = tightness(ALPHA, world.tightest_at)
    half = np.array([radius(float(n), 1.0, r, ALPHA) for n in units]) * deviation
    crossed = (np.abs(difference) > half) & ready
    naive = (np.abs(difference) > norm.ppf(1 - ALPHA / 2) * deviation / np.sqrt(units)) & ready
    missed = (np.abs(difference - world.difference) > half) & ready
    first = np.where(crossed.any(axis=1), crossed.argmax(axis=1), len(looks) - 1)
    rows = np.arange(number)
    return crossed.any(axis=1), naive.any(axis=1), ~missed.any(axis=1), ~missed[rows, first], units[first]


def _running(
    values: Floats, mask: NDArray[np.bool_], looks: NDArray[np.intp]
) -> tuple[Floats, Floats, Floats]:
    """Units, mean and variance of one arm at each look."""
    units = np.maximum(np.cumsum(mask, axis=1)[:, looks], 2).astype(np.float64)
    kept = np.where(mask, values, 0.0)
    mean = np.cumsum(kept, axis=1)[:, looks] / units
    square = np.cumsum(kept * kept, axis=1)[:, looks] / units
    return units, mean, np.maximum(square - mean * mean, 0.0) * units / (units - 1)


def _variance_of_mean(
    control: tuple[Floats, Floats, Floats], treatment: tuple[Floats, Floats, Floats]
) -> Floats:
    """As `graph.sequential` has it, for all looks at once."""
    units = control[0] + treatment[0]
    pooled = ((control[0] - 1) * control[2] + (treatment[0] - 1) * treatment[2]) / (units - 2)
    total = np.zeros_like(units)
    for number, _, variance in (control, treatment):
        drawn = (number * variance + POOLED * pooled) / (number + POOLED)
        total += np.maximum(variance, drawn) / number
    return total


def worlds() -> list[World]:
    """Trials without a difference and with one, of what a shop measures."""
    ratings, better = (0.08, 0.06, 0.12, 0.30, 0.44), (0.07, 0.055, 0.115, 0.30, 0.46)
    bernoulli = math.sqrt(0.8 * 0.2)
    return [
        World("resolution .80, no difference", share_of(0.8), share_of(0.8), 0.0, bernoulli),
        World("the same, 10% in treatment", share_of(0.8), share_of(0.8), 0.0, bernoulli, share=0.1),
        World("resolution .97, no difference", share_of(0.97), share_of(0.97), 0.0, math.sqrt(0.97 * 0.03)),
        World("resolution .99, 10% in treatment", share_of(0.99), share_of(0.99), 0.0, 0.1, share=0.1),
        World("handling time, long tail, no difference", times(300, 1.0), times(300, 1.0), 0.0, 393.0),
        World("rating, no difference", stars(ratings), stars(ratings), 0.0, 1.23),
        World("resolution .80 to .83", share_of(0.8), share_of(0.83), 0.03, bernoulli),
        World("resolution .80 to .85", share_of(0.8), share_of(0.85), 0.05, bernoulli),
        World("the same, 10% in treatment", share_of(0.8), share_of(0.85), 0.05, bernoulli, share=0.1),
        World("resolution .80 to .70", share_of(0.8), share_of(0.7), -0.10, bernoulli),
        World("handling time, long tail, -15%", times(300, 1.0), times(255, 1.0), -45.0, 365.0),
        World("rating 3.96 to 4.03", stars(ratings), stars(better), _mean(better) - _mean(ratings), 1.23),
    ]


def _mean(rates: Sequence[float]) -> float:
    return sum(place * rate for place, rate in enumerate(rates, 1))


def fixed_units(world: World) -> float:
    """Units of both arms that a single look needs for a power of 80%."""
    if world.difference == 0:
        return math.nan
    factor = (norm.ppf(1 - ALPHA / 2) + norm.ppf(POWER)) * world.spread / world.difference
    return float(math.ceil(factor**2 / (world.share * (1 - world.share))))


def returning(trials: int, seed: int) -> tuple[float, float]:
    """False verdicts when customers come several times and their cases are alike: by customer, and by case.

    A trial has 1,500 customers in turn; each comes one to nine times, at any time after the first. At each of 100 looks
    every customer seen so far is one unit, the mean of their cases; by case each case is a unit.
    """
    chance = np.random.default_rng(seed)
    wrong = np.zeros(2)
    for _ in range(trials):
        customers, cases = _visits(chance)
        arm = chance.random(1500) < 0.5
        wrong += [_looked_at(customers, cases, arm, by_customer) for by_customer in (True, False)]
    return float(wrong[0] / trials), float(wrong[1] / trials)


def _visits(chance: np.random.Generator) -> tuple[NDArray[np.int64], Floats]:
    """Customer and outcome of each case in order of time; some customers have problems that are hard to resolve."""
    counts = chance.geometric(0.4, 1500).clip(max=9)
    customers = np.repeat(np.arange(1500), counts)
    order = np.argsort(chance.random(len(customers)) * 1500 + customers * 0.5, kind="stable")
    customers = customers[order]
    rates = chance.beta(1.6, 0.4, 1500)
    return customers, (chance.random(len(customers)) < rates[customers]).astype(np.float64)


def _looked_at(
    customers: NDArray[np.int64], cases: Floats, arm: NDArray[np.bool_], by_customer: bool
) -> bool:
    r = tightness(ALPHA, round(math.sqrt(200 * 4000) / 0.5))
    for end in np.linspace(400, len(cases), 100).astype(int):
        seen = customers[:end]
        if by_customer:
            number = np.bincount(seen, minlength=1500)
            known = number > 0
            values = np.bincount(seen, cases[:end], minlength=1500)[known] / number[known]
            treated = arm[known]
        else:
            values, treated = cases[:end], arm[seen]
        one, other = values[treated], values[~treated]
        if min(len(one), len(other)) < 100:
            continue
        deviation = math.sqrt(len(values) * (one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other)))
        if abs(one.mean() - other.mean()) > radius(float(len(values)), deviation, r, ALPHA):
            return True
    return False


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    arguments.add_argument("--trials", type=int, default=4000, help="trials of each world")
    arguments.add_argument("--seed", type=int, default=7)
    chosen = arguments.parse_args()
    started = time.perf_counter()
    rows = []
    for world in worlds():
        found = run(world, chosen.trials, chosen.seed)
        fixed = fixed_units(world)
        rows.append(
            [
                world.name,
                f"{found.found:.1%}",
                f"{found.naive:.1%}",
                f"{found.covered:.1%}",
                f"{found.stopped_covered:.1%}",
                f"{found.units:,.0f}" if world.difference else "",
                "" if math.isnan(fixed) else f"{fixed:,.0f}",
            ]
        )
    print(markdown(HEAD, rows))
    by_customer, by_case = returning(max(200, chosen.trials // 4), chosen.seed)
    print(
        f"\nCustomers who come again, no difference: false verdicts {by_customer:.1%} by customer, ", end=""
    )
    print(f"{by_case:.1%} by case.")
    print(f"\n{chosen.trials:,} trials a row, {time.perf_counter() - started:.0f} s.")


HEAD = (
    "what is true",
    "a difference is found",
    "by a repeated z-test",
    "truth inside at every look",
    "inside at the verdict",
    "units to the verdict, mean",
    "units of one fixed test, power 80%",
)

if __name__ == "__main__":
    main()
