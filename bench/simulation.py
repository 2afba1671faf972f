"""Ways to say who takes which case, on a simulated shop in which the truth is known.

    python -m bench.simulation [--seeds 10,11,12,13,14] [--workers 2]

Each seed is a shop of its own: six weeks under declared skills are the history from which all learn, then each policy
serves the same customers for two weeks, with a promotion day among them.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]
from scipy.stats import t as student  # type: ignore[import-untyped]

from bench.simulated_desk import Desk, Policy, Record, online_within
from bench.simulated_policies import Oracle, RawMeans, at_random, declared, round_robin
from bench.simulated_product import Options, Product
from bench.simulated_shop import DAY, START, Size, World, invented
from graph.agent_scores import Weights
from graph.assignment import assign
from graph.circles import Need
from graph.models import Agent
from graph.profiles import SHOWN_FROM, SkillEstimate, Topic
from graph.support_lines import EXPERTS, line_of
from kb_service.judging.evaluation import markdown

SEEDS = (10, 11, 12, 13, 14)
"""Constants were chosen on other seeds: clusters and profiles on 0 to 3, assignment on 100 and 101."""
OURS = "**ours**"
LOW, HIGH = 0.2, 0.8
"""Customers below and above these shares of value are compared."""

Figures = Mapping[str, float]
Make = Callable[[World, Desk, int], Policy]


def _ours(options: Options, world: World, desk: Desk, seed: int) -> Policy:
    return Product(world, options)


POLICIES: Mapping[str, Make] = {
    "random": lambda world, desk, seed: at_random(seed),
    "round-robin": lambda world, desk, seed: round_robin(),
    "declared skills": lambda world, desk, seed: declared(world),
    "raw means": lambda world, desk, seed: RawMeans(world),
    OURS: partial(_ours, Options()),
    "oracle": lambda world, desk, seed: Oracle(desk.chance),
}
WITHOUT: Mapping[str, Make] = {
    "without fairness": partial(_ours, Options(weights=Weights(fairness=0.0))),
    "without shrinkage": partial(_ours, Options(pseudo_cases=0.5)),
    "without stickiness": partial(_ours, Options(weights=Weights(sticky=0.0))),
    "without clusters": partial(_ours, Options(clusters=False, circles=False)),
    "never waiting for the better": partial(_ours, Options(patience=None)),
    "5% explored": partial(_ours, Options(explore=0.05)),
    "cμ order instead of priority": partial(_ours, Options(order="cmu")),
    "chances known, nothing to learn": partial(_ours, Options(truth=True)),
}

LINED: Mapping[str, Options] = {
    "without lines": Options(lines=False),
    OURS: Options(),
}
"""Ways to deal with contacts that are for experts, in a shop that has some."""
EXPERTS_OF = 7


@dataclass(frozen=True, slots=True)
class Trial:
    """What one seed gave: figures by policy, and what was looked at of profiles and clusters."""

    seed: int
    figures: Mapping[str, Figures]
    learning: Figures


def trial(seed: int, size: Size | None = None, wanted: Sequence[str] | None = None) -> Trial:
    """One shop under each of the `wanted` policies, all by default."""
    world = invented(seed, size)
    desk = Desk.opened(world)
    desk.run(declared(world), world.size.history_days * DAY + 1)
    makers = {**POLICIES, **WITHOUT}
    found: dict[str, Figures] = {}
    learning: Figures = {}
    for name in wanted or makers:
        policy, own = makers[name](world, desk, seed), desk.copy()
        policy.learn(own.records, own.now)
        own.run(policy, world.size.days * DAY)
        found[name] = served(world, own)
        if isinstance(policy, Product) and name == OURS:
            learning = {**intervals(world, policy), **agreement_of_spans(world, own.records)}
    return Trial(seed, found, learning)


def served(world: World, desk: Desk) -> Figures:
    """The figures of the measured span: customers who wrote from its second day on to half a day before its end.

    The rate of resolution is the mean of the true chances of who took the first contacts, which leaves out luck; the
    promotion day and the one after it are told apart for waits and service level.
    """
    size = world.size
    begin, end = (size.history_days + 1) * DAY, (size.days - 0.5) * DAY
    records = _measured(world, desk)
    special = {size.promotion_day, size.promotion_day + 1}
    plain = [r for r in records if r.waiting.opened // DAY not in special]
    busy = [r for r in records if r.waiting.opened // DAY in special]
    waits = np.array([r.wait for r in plain]) / 60
    value = np.array([r.waiting.contact.value for r in plain])
    core = [
        i
        for i, p in enumerate(world.people)
        if p.agent.pool == "core" and "supervisor" not in p.agent.permissions
    ]
    work = np.zeros(len(world.people))
    for record in records:
        work[record.agent] += record.seconds
    there = np.array(
        [online_within(p.shifts, begin, end) - online_within(p.vanishes, begin, end) for p in world.people]
    )
    own = np.array([work[i] / there[i] for i in core if there[i]])
    known = [r for r in records if r.waiting.last_agent is not None]
    return {
        "resolved": float(np.mean([r.chance for r in records if r.waiting.returns == 0])),
        "variation": float(own.std() / own.mean()),
        "in time": _in_time(plain),
        "P95 wait": float(np.percentile(waits, 95)),
        "max wait": float(waits.max()),
        "P95 wait, low value": float(np.percentile(waits[value < LOW], 95)),
        "P95 wait, high value": float(np.percentile(waits[value > HIGH], 95)),
        "of the promise used, low value": float(
            np.percentile([r.wait / r.waiting.allowed for r in plain if r.waiting.contact.value < LOW], 95)
        ),
        "handling": float(np.mean([r.seconds for r in records])) / 60,
        "same agent": float(np.mean([r.agent == r.waiting.last_agent for r in known])),
        "promotion in time": _in_time(busy),
        "promotion P95 wait": float(np.percentile([r.wait / 60 for r in busy], 95)) if busy else math.nan,
        "promotion max wait": max((r.wait / 60 for r in busy), default=math.nan),
    }


def lined(seed: int, size: Size | None = None) -> Mapping[str, Figures]:
    """A shop in which one contact in eight is for experts, under each way of `LINED`."""
    world = invented(seed, replace(size or Size(), experts=EXPERTS_OF))
    desk = Desk.opened(world)
    desk.run(declared(world), world.size.history_days * DAY + 1)
    found: dict[str, Figures] = {}
    for name, options in LINED.items():
        policy, own = Product(world, options), desk.copy()
        policy.learn(own.records, own.now)
        own.run(policy, world.size.days * DAY)
        found[name] = {**served(world, own), **_by_line(world, own)}
    return found


def _by_line(world: World, desk: Desk) -> Figures:
    """How contacts that are for experts were served, and how often experts took others."""
    records = _measured(world, desk)
    expert = [line_of(person.agent) >= EXPERTS for person in world.people]
    hard = [r for r in records if r.waiting.contact.line >= EXPERTS]
    easy = [r for r in records if r.waiting.contact.line < EXPERTS]
    return {
        "hard resolved": float(np.mean([r.chance for r in hard if r.waiting.returns == 0])),
        "hard to experts": float(np.mean([expert[r.agent] for r in hard])),
        "easy to experts": float(np.mean([expert[r.agent] for r in easy])),
        "hard in time": _in_time(hard),
        "hard P95 wait": float(np.percentile([r.wait / 60 for r in hard], 95)),
    }


def _measured(world: World, desk: Desk) -> list[Record]:
    """The cases of customers who wrote from the second day of the measured span on to half a day before its end."""
    size = world.size
    begin, end = (size.history_days + 1) * DAY, (size.days - 0.5) * DAY
    return [r for r in desk.records if begin <= r.waiting.opened < end]


def _in_time(records: Sequence[Record]) -> float:
    return float(np.mean([r.wait <= r.waiting.allowed for r in records])) if records else math.nan


def intervals(world: World, product: Product) -> Figures:
    """How often the 95% intervals of shown figures hold the true rate of agent and problem."""
    ids = [person.agent.id for person in world.people]
    homes = {id_: c.id for c in product.clusters for id_ in (*c.intent_ids, *c.problem_ids)}
    held = []
    for column, problem in enumerate(world.problems):
        topic = Topic(problem.id, problem.intent_id, homes.get(problem.id))
        for row, estimate in enumerate(product.profiles.estimates(ids, topic).values()):
            if estimate.n >= SHOWN_FROM:
                held.append(estimate.low <= world.chances[row, column] <= estimate.high)
    return {"coverage": float(np.mean(held)) if held else math.nan, "shown": float(len(held))}


def agreement_of_spans(world: World, records: Sequence[Record]) -> Figures:
    """Agreement (ARI) of a fortnight's clusters with the next one's and with the hidden groups, anchored and free.

    Each from the cases of that fortnight alone, so that what differs is chance.
    """
    hidden = {problem.id: str(group) for problem, group in zip(world.problems, world.group, strict=True)}
    found: dict[str, float] = {}
    for name, anchors in (("anchored", True), ("free", False)):
        product = Product(world, Options(anchors=anchors))
        spans: list[dict[str, str]] = []
        span = world.size.clustered_days * DAY
        for turn in range(world.size.days // world.size.clustered_days):
            begin, end = turn * span, (turn + 1) * span
            product.learn([r for r in records if begin <= r.ended < end], end)
            spans.append({id_: c.id for c in product.clusters for id_ in c.problem_ids})
        found[f"{name}, next fortnight"] = float(np.mean([agreement(a, b) for a, b in pairwise(spans)]))
        found[f"{name}, hidden"] = float(np.mean([agreement(one, hidden) for one in spans]))
    product = Product(world)
    product.learn(records, world.size.days * DAY)
    found["all cases, hidden"] = agreement(
        {id_: c.id for c in product.clusters for id_ in c.problem_ids}, hidden
    )
    return found


def agreement(first: Mapping[str, str], second: Mapping[str, str]) -> float:
    """Adjusted Rand index over the items of both (Hubert and Arabie 1985)."""
    items = sorted(first.keys() & second.keys())
    joint = sum(math.comb(n, 2) for n in Counter((first[i], second[i]) for i in items).values())
    rows, columns = (
        sum(math.comb(n, 2) for n in Counter(p[i] for i in items).values()) for p in (first, second)
    )
    expected = rows * columns / math.comb(len(items), 2)
    return (joint - expected) / ((rows + columns) / 2 - expected)


# --- tables


def closed(trials: Sequence[Trial], name: str) -> list[float]:
    """The share of the way from random to the oracle, by seed."""
    return [
        (t.figures[name]["resolved"] - t.figures["random"]["resolved"])
        / (t.figures["oracle"]["resolved"] - t.figures["random"]["resolved"])
        for t in trials
    ]


def spread(values: Sequence[float], digits: int = 3) -> str:
    """The mean with half the width of its 95% interval over seeds (Student's t)."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return _number(mean, digits)
    half = float(student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / math.sqrt(len(values)))
    return f"{_number(mean, digits)} ± {_number(half, digits)}"


def _number(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text.removeprefix("0") if text.startswith("0.") else text


COLUMNS: Mapping[str, int] = {
    "resolved": 3,
    "variation": 2,
    "in time": 3,
    "P95 wait": 1,
    "max wait": 0,
    "handling": 1,
    "same agent": 2,
}
BY_LINE: Mapping[str, int] = {
    "resolved": 3,
    "hard resolved": 3,
    "hard to experts": 2,
    "easy to experts": 2,
    "hard in time": 3,
    "hard P95 wait": 1,
    "variation": 2,
}
DIFFERENCES: Mapping[str, int] = {"resolved": 3, "variation": 2, "P95 wait": 1, "same agent": 2}
WAITS: Mapping[str, int] = {
    "P95 wait, low value": 1,
    "P95 wait, high value": 1,
    "of the promise used, low value": 2,
    "promotion in time": 3,
    "promotion P95 wait": 0,
    "promotion max wait": 0,
}


def tables(trials: Sequence[Trial]) -> str:
    """What docs/benchmarks.md holds."""
    known = trials[0].figures
    policies = [name for name in POLICIES if name in known]
    main = [
        [
            name,
            spread(closed(trials, name), 2),
            *(spread([t.figures[name][c] for t in trials], digits) for c, digits in COLUMNS.items()),
        ]
        for name in policies
    ]
    waits = [
        [name, *(spread([t.figures[name][c] for t in trials], digits) for c, digits in WAITS.items())]
        for name in policies
    ]
    learning = [
        [name, spread([t.learning[name] for t in trials], 2)]
        for name in (trials[0].learning if trials else ())
    ]
    return "\n\n".join(
        [
            markdown(
                [
                    f"{len(trials)} shops, mean ± half of the 95% interval",
                    "gap closed",
                    "resolved",
                    "load variation",
                    "in time",
                    "P95 wait, min",
                    "longest wait, min",
                    "handling, min",
                    "same agent again",
                ],
                main,
            ),
            markdown(
                [
                    "waits in minutes",
                    "P95, lowest fifth of value",
                    "P95, highest fifth",
                    "P95 of the promise used, lowest fifth",
                    "promotion: in time",
                    "promotion: P95",
                    "promotion: longest",
                ],
                waits,
            ),
            markdown(["profiles and clusters", "mean"], learning),
            markdown(
                ["ours but for one thing, less ours", "gap closed", *DIFFERENCES],
                [_difference(trials, name) for name in WITHOUT if name in known],
            ),
        ]
    )


def lines_table(found: Sequence[Mapping[str, Figures]]) -> str:
    """What docs/benchmarks.md holds of the lines of support."""
    return markdown(
        [f"{len(found)} shops with experts", *BY_LINE],
        [
            [
                name,
                *(spread([one[name][column] for one in found], digits) for column, digits in BY_LINE.items()),
            ]
            for name in LINED
        ],
    )


def _difference(trials: Sequence[Trial], name: str) -> list[str]:
    """A row of differences from ours, shop by shop."""
    gaps = [a - b for a, b in zip(closed(trials, name), closed(trials, OURS), strict=True)]
    columns = [
        spread([t.figures[name][c] - t.figures[OURS][c] for t in trials], digits)
        for c, digits in DIFFERENCES.items()
    ]
    return [name, spread(gaps, 2), *columns]


def speed(cases: int = 200, people: int = 300) -> str:
    """How long the assignment of many cases takes, beside the bare solver on a matrix of that size."""
    random = np.random.default_rng(0)
    agents = [Agent(f"a{i}", f"a{i}", ("zh",), online=True, capacity=1) for i in range(people)]
    known = [
        {a.id: SkillEstimate(float(r), 0, 1, 30) for a, r in zip(agents, random.random(people), strict=True)}
        for _ in range(48)
    ]
    needs = [Need(f"c{i}", "zh", priority=int(random.integers(100))) for i in range(cases)]
    estimates = {need.case_id: known[i % 48] for i, need in enumerate(needs)}
    bare = random.random((cases, people))
    whole, solver = [], []
    for _ in range(9):
        started = time.perf_counter()
        linear_sum_assignment(bare, maximize=True)
        between = time.perf_counter()
        assign(needs, agents, now=START, estimates=estimates)
        solver.append(between - started)
        whole.append(time.perf_counter() - between)
    a, b = float(np.median(whole)) * 1000, float(np.median(solver)) * 1000
    return f"{cases} cases to {people} people: {a:.0f} ms, the bare solver {b:.1f} ms; ratio {a / b:.0f}."


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    seeds = [int(seed) for seed in options.seeds.split(",")]
    with ProcessPoolExecutor(options.workers) as pool:
        trials = list(pool.map(trial, seeds))
        with_experts = list(pool.map(lined, seeds))
    print(tables(trials))
    print()
    print(lines_table(with_experts))
    print()
    print(speed())


if __name__ == "__main__":
    main()
