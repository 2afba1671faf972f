"""Bursts and slow growth beside plainer rules, in simulated shops with planted incidents.

    python -m bench.incidents

Constants of `graph.bursts` and of `bench.simulated_incidents` were chosen on the seeds of CALIBRATED, the shop's size
such that three customers in an hour cry about as often as in published simulations; the table is of REPORTED. All
rules hear the same customers and are judged every five minutes; each tells once, and again after six hours in which
it did not hold, ours after an ordinary day. What is told of a problem from an incident's begin to an hour after its
end is of that incident; what is told of it a second time counts against the rule, as does a burst in a problem that
only grows.
"""

from __future__ import annotations

import argparse
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, exp
from statistics import mean, stdev
from time import process_time

import numpy as np

from bench.simulated_incidents import Growth, Incident, Scale, Story, at, boundaries, told
from bench.simulated_traffic import ZONE
from graph.bursts import BurstRules, BurstWatch
from graph.headcounts import STEP

CALIBRATED = range(1, 7)
REPORTED = range(301, 313)
HOUR, DAY = 3600.0, 86400.0
REARMED = 6 * HOUR
AFTER = HOUR
"""What is told so long after an incident's end is still of it."""
GROWTH_WITHIN = 21 * DAY
CUSTOMERS = 3
SHOWN = (8.0, 20.0)
LEAST_JUDGED = 8.0


@dataclass(frozen=True, slots=True)
class Telling:
    """One alert: `second` since 1970."""

    problem: int
    second: float
    growth: bool = False


Rule = Callable[[Story], list[Telling]]


# --- the rules


def three_in_an_hour(story: Story) -> list[Telling]:
    return _tellings(story, HOUR, lambda problem, heard, second: CUSTOMERS)


def three_in_a_week_once(story: Story) -> list[Telling]:
    """The plain recurrence, of which nobody resolves any."""
    first: dict[int, Telling] = {}
    for telling in _tellings(story, 7 * DAY, lambda problem, heard, second: CUSTOMERS, from_begin=True):
        first.setdefault(telling.problem, telling)
    return [telling for telling in first.values() if telling.second > story.judged_from]


def ceiling(story: Story) -> list[Telling]:
    """The spike limit of an error tracker: Sentry's for escalating issues (`escalating_issues_alg.py`), with three
    customers as its floor in place of 200 events, anew each day."""
    limits: dict[tuple[int, int], float] = {}

    def limit(problem: int, heard: Sequence[float], second: float) -> float:
        day = int(second // DAY)
        key = problem, day
        if key not in limits:
            limits[key] = max(CUSTOMERS, spike_limit(heard, day * DAY))
        return limits[key]

    return _tellings(story, HOUR, limit)


def without_lift(story: Story) -> list[Telling]:
    return watched(story, BurstRules(least_lift=1.0, most_lift=1.0))


def ours(story: Story) -> list[Telling]:
    return watched(story, BurstRules())


def watched(story: Story, rules: BurstRules) -> list[Telling]:
    """What `graph.bursts` tells, heard and judged in order of time."""
    watch = BurstWatch(ZONE)
    found: list[Telling] = []
    heard = iter(story.spoken)
    waiting = next(heard, None)
    for boundary in [story.judged_from, *boundaries(story)]:
        while waiting is not None and waiting.second <= boundary:
            watch.hear(str(waiting.problem), at(waiting.second), waiting.customer)
            waiting = next(heard, None)
        found += [
            Telling(int(item.problem_id), boundary, item.kind == "growth")
            for item in watch.judge(at(boundary), rules)
        ]
    return found


def spike_limit(heard: Sequence[float], now: float) -> float:
    """More customers an hour than this are a spike, from those of the last seven days; 0 where there are none."""
    week = np.array(heard[bisect_left(heard, now - 7 * DAY) : bisect_left(heard, now)])
    if not len(week):
        return 0.0
    hours = np.bincount(((week - (now - 7 * DAY)) // HOUR).astype(int), minlength=168)
    if heard[0] > now - 7 * DAY:
        return 10.0 * float(hours.max())
    usual, spread = float(hours.mean()), float(hours.std(ddof=1))
    bursty = float(hours.max()) * min(max(2.0, 5 * exp(-0.65 * spread / usual)), 5.0)
    times = min(max((usual + 5 * spread) / usual, 5.0), 8.0)
    return max(bursty, usual + times * usual)


def _tellings(
    story: Story,
    window: float,
    limit: Callable[[int, Sequence[float], float], float],
    *,
    from_begin: bool = False,
) -> list[Telling]:
    """What a limit on the distinct customers of a sliding window tells, at the next whole step."""
    by_problem: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
    for item in story.spoken:
        by_problem[item.problem].append((item.second, item.customer))
    begin = 0.0 if from_begin else story.judged_from
    found = []
    for problem, spoken in by_problem.items():
        heard = [second for second, _ in spoken]
        inside: Counter[int] = Counter()
        oldest, armed = 0, 0.0
        for second, customer in spoken:
            inside[customer] += 1
            while heard[oldest] <= second - window:
                leaver = spoken[oldest][1]
                inside[leaver] -= 1
                if not inside[leaver]:
                    del inside[leaver]
                oldest += 1
            if second > begin and len(inside) >= CUSTOMERS and len(inside) >= limit(problem, heard, second):
                if second >= armed:
                    found.append(Telling(problem, ceil(second / STEP) * STEP))
                armed = second + REARMED
    return found


# --- the judge


@dataclass
class Score:
    """What a rule came to: a number a shop, and minutes pooled over shops."""

    false: list[int] = field(default_factory=list)
    promoted: list[int] = field(default_factory=list)
    precision: list[float] = field(default_factory=list)
    recall: list[float] = field(default_factory=list)
    delays: dict[float, list[float]] = field(default_factory=lambda: defaultdict(list))
    grown: list[float] = field(default_factory=list)
    false_growths: list[int] = field(default_factory=list)
    days: list[float] = field(default_factory=list)
    """Days from the begin of a growth to its telling."""
    seconds: list[float] = field(default_factory=list)

    def add(self, story: Story, tellings: Sequence[Telling]) -> None:
        self._add_bursts(story, [item for item in tellings if not item.growth])
        self._add_growths(story.growths, [item for item in tellings if item.growth])

    def _add_bursts(self, story: Story, tellings: Sequence[Telling]) -> None:
        planted = {item.problem: item for item in story.incidents}
        found: dict[int, float] = {}
        false = []
        for telling in sorted(tellings, key=lambda item: item.second):
            incident = planted.get(telling.problem)
            if incident is None or not _is_of(telling, incident) or telling.problem in found:
                false.append(telling.second)
            else:
                found[telling.problem] = telling.second - incident.begin
                self.delays[incident.size].append(found[telling.problem] / 60)
        judged = [item for item in story.incidents if item.size >= LEAST_JUDGED]
        self.false.append(len(false))
        self.promoted.append(sum(story.promotion < second <= story.promotion + DAY for second in false))
        self.precision.append(len(found) / max(1, len(found) + len(false)))
        self.recall.append(sum(item.problem in found for item in judged) / max(1, len(judged)))

    def _add_growths(self, growths: Sequence[Growth], tellings: Sequence[Telling]) -> None:
        begun = {item.problem: item.begin for item in growths}
        found: dict[int, float] = {}
        for telling in tellings:
            since = telling.second - begun.get(telling.problem, telling.second + 1)
            if 0 <= since <= GROWTH_WITHIN and telling.problem not in found:
                found[telling.problem] = since / DAY
        self.days += found.values()
        self.grown.append(len(found) / max(1, len(growths)))
        self.false_growths.append(len(tellings) - len(found))


def _is_of(telling: Telling, incident: Incident) -> bool:
    return incident.begin <= telling.second <= incident.end + AFTER


RULES: Mapping[str, Rule] = {
    "three customers in an hour": three_in_an_hour,
    "three customers in seven days, once": three_in_a_week_once,
    "ceiling over past hours, as error trackers do": ceiling,
    "negative binomial, the shop's lift left in": without_lift,
    "**ours**": ours,
}


def table(seeds: Sequence[int], scale: Scale | None = None) -> Iterator[str]:
    """The table's lines, and what else is to say of ours."""
    scale = scale or Scale()
    scores = {name: Score() for name in RULES}
    thirds: dict[float, list[float]] = defaultdict(list)
    heard = 0
    for seed in seeds:
        story = told(seed, scale)
        heard += len(story.spoken)
        for item in story.incidents:
            if item.third is not None:
                thirds[item.size].append((item.third - item.begin) / 60)
        for name, rule in RULES.items():
            begun = process_time()
            scores[name].add(story, rule(story))
            scores[name].seconds.append(process_time() - begun)
    days = scale.days - scale.warm_up
    yield (
        f"{len(seeds)} shops, each with {scale.problems:,} problems, about {scale.customers_a_day:,.0f} customers a "
        f"day, {scale.incidents} incidents and {scale.growths} slow growths in {days} judged days; means over shops."
    )
    yield ""
    yield (
        "| rule | false bursts a day | on the promotion day | precision | recall from +8 an hour "
        "| median / P90 delay at +8, min | at +20 | slow growths found |"
    )
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for name, score in scores.items():
        yield _row(name, score, days)
    yield f"| (the third customer) | | | | | {' | '.join(_spread(thirds[size]) for size in SHOWN)} | |"
    yield ""
    yield from _remarks(scores["**ours**"], days, heard)


def _row(name: str, score: Score, days: int) -> str:
    cells = [
        _number(mean(score.false) / days),
        _number(mean(score.promoted)),
        f"{mean(score.precision):.2f}".removeprefix("0"),
        f"{mean(score.recall):.2f}".removeprefix("0"),
        *(_spread(score.delays[size]) for size in SHOWN),
        f"{mean(score.grown):.2f}".removeprefix("0") if score.days else "–",
    ]
    return f"| {name} | {' | '.join(cells)} |"


def _remarks(score: Score, days: int, heard: int) -> Iterator[str]:
    yield (
        f"Ours, over the shops: false bursts a day {_number(mean(score.false) / days)} ± "
        f"{_number(_deviation(score.false) / days)}, precision {min(score.precision):.2f} to "
        f"{max(score.precision):.2f}, on the promotion day at most {max(score.promoted)}. Delay at +6 an hour: "
        f"{_spread(score.delays[6.0])} min."
    )
    yield (
        f"Slow growth is told {_number(float(np.median(score.days)) if score.days else 0.0)} days (median) after it "
        f"begins, with {_number(mean(score.false_growths) / days)} false ones a day. "
        f"{1e6 * sum(score.seconds) / max(1, heard):.0f} µs a sighting, all judging included."
    )


def _spread(delays: Sequence[float]) -> str:
    return f"{np.median(delays):.0f} / {np.quantile(delays, 0.9):.0f}" if delays else "–"


def _number(value: float) -> str:
    return (
        f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}".removeprefix("0")
    )


def _deviation(values: Sequence[float]) -> float:
    return stdev(values) if len(values) > 1 else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=len(REPORTED), help="how many shops")
    parser.add_argument(
        "--first", type=int, default=REPORTED[0], help="the first seed: others than those reported"
    )
    parser.add_argument("--customers", type=float, default=Scale().customers_a_day, help="a day, in all")
    chosen = parser.parse_args()
    for line in table(
        range(chosen.first, chosen.first + chosen.seeds), Scale(customers_a_day=chosen.customers)
    ):
        print(line)


if __name__ == "__main__":
    main()
