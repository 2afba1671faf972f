"""Forecasts of traffic beside plain ways, on simulated shops and on the sample's month; and surges that were planted.

    python -m bench.forecasting

Rolling origins: at each of ten moments a simulated shop's next 48 hours are forecast from all that came before. The
constants of `graph.rhythm` and `graph.surges` were chosen on the seeds of CALIBRATED; the tables are of REPORTED. The
ways beside ours take their intervals from their own errors of the last four weeks. Holt-Winters is that of statsmodels
with hours of the week, where it is installed: see `make bench-forecast`.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib.util import find_spec

import numpy as np

from bench.planted_surges import planted_table
from bench.shop import SAMPLE
from bench.simulated_traffic import ZONE, simulated
from graph.forecasting import forecast, quantile
from graph.rhythm import DAY, WEEK, Floats, hour_of

CALIBRATED = range(8)
REPORTED = range(100, 120)
ORIGINS = 10
AHEAD = 48
STEP = 41
"""Hours between origins, so that they fall on all hours of the day."""
ERRORS = 4 * WEEK
LEVELS = np.array([0.025, 0.1, 0.5, 0.9, 0.975])
HEADER = "| {title} | MAE | MASE | pinball | in 80% | in 95% |\n| --- | ---: | ---: | ---: | ---: | ---: |"
SHARES = (0.8, 0.95)


@dataclass(frozen=True, slots=True)
class Said:
    """A forecast: means of shape (series, hours), quantiles at LEVELS, shape (5, series, hours), and intervals."""

    mean: Floats
    quantiles: Floats
    intervals: Mapping[float, tuple[Floats, Floats]]

    def only(self, series: slice) -> Said:
        held = {share: (low[series], high[series]) for share, (low, high) in self.intervals.items()}
        return Said(self.mean[series], self.quantiles[:, series], held)


Way = Callable[[int, Floats, Sequence[date]], Said]


@dataclass
class Score:
    """What a way's forecasts came to, a value an origin."""

    errors: list[float] = field(default_factory=list)
    scaled: list[float] = field(default_factory=list)
    pinball: list[float] = field(default_factory=list)
    within: dict[float, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, said: Said, seen: Floats, scale: Floats) -> None:
        """`scale` is what a seasonal naive forecast was off by in the past of each series."""
        off = np.abs(said.mean - seen).mean(1)
        self.errors.append(float(off.mean()))
        self.scaled.append(float((off / scale).mean()))
        miss = seen[None] - said.quantiles
        above = LEVELS[:, None, None]
        self.pinball.append(float(np.maximum(above * miss, (above - 1) * miss).mean()))
        for share, (low, high) in said.intervals.items():
            self.within[share].append(float(((seen >= low) & (seen <= high)).mean()))

    def row(self, name: str) -> str:
        values = (self.errors, self.scaled, self.pinball, *(self.within[share] for share in SHARES))
        return f"| {name} | " + " | ".join(_plain(float(np.mean(value))) for value in values) + " |"


# --- the ways


def ours(start: int, counts: Floats, promotions: Sequence[date]) -> Said:
    found = forecast(start, counts, AHEAD, ZONE, promotions=promotions)
    phi = np.broadcast_to(found.dispersion[:, None], found.mean.shape)
    levels = [quantile(np.full(found.mean.shape, level), found.mean, phi) for level in LEVELS]
    return Said(
        found.mean, np.stack(levels), {share: (found.low[share], found.high[share]) for share in SHARES}
    )


def seasonal_naive(start: int, counts: Floats, promotions: Sequence[date]) -> Said:
    """The same hour a week before."""
    return _with_errors(counts[-WEEK:][:AHEAD].T, counts[-ERRORS:] - counts[-ERRORS - WEEK : -WEEK])


def moving_average(start: int, counts: Floats, promotions: Sequence[date]) -> Said:
    """The mean of the same hour of the last four weeks."""
    weeks = [counts[len(counts) - back * WEEK :][:AHEAD] for back in range(1, 5)]
    before = [counts[len(counts) - ERRORS - back * WEEK :][:ERRORS] for back in range(1, 5)]
    return _with_errors(np.mean(weeks, axis=0).T, counts[-ERRORS:] - np.mean(before, axis=0))


def holt_winters(start: int, counts: Floats, promotions: Sequence[date]) -> Said:
    """Additive level and hours of the week, fitted by statsmodels; intervals by its errors a step ahead."""
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    means, errors = [], []
    for series in counts.T:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = ExponentialSmoothing(
                series, seasonal_periods=WEEK, seasonal="add", initialization_method="heuristic"
            ).fit()
        means.append(np.maximum(model.forecast(AHEAD), 0.0))
        errors.append(np.asarray(model.resid[-ERRORS:]))
    return _with_errors(np.array(means), np.array(errors).T)


def _with_errors(mean: Floats, errors: Floats) -> Said:
    """Quantiles by adding those of a way's past errors, shape (hours, series)."""
    offsets = np.quantile(errors, LEVELS, axis=0)
    quantiles = np.maximum(mean[None] + offsets[:, :, None], 0.0)
    return Said(mean, quantiles, {0.8: (quantiles[1], quantiles[3]), 0.95: (quantiles[0], quantiles[4])})


def ways() -> Mapping[str, Way]:
    found: dict[str, Way] = {
        "ours": ours,
        "seasonal naive": seasonal_naive,
        "mean of four weeks": moving_average,
    }
    if find_spec("statsmodels") is not None:
        found["Holt-Winters"] = holt_winters
    return found


# --- the tables


def scores(seeds: Sequence[int]) -> tuple[dict[str, Score], dict[str, Score]]:
    """Every way on every seed: on the whole shop, which is the first column, and on its parts."""
    whole: dict[str, Score] = {name: Score() for name in ways()}
    parts: dict[str, Score] = {name: Score() for name in ways()}
    for seed in seeds:
        history = simulated(seed)
        counts = np.column_stack([history.counts.sum(1), history.counts])
        scale = np.abs(counts[WEEK:] - counts[:-WEEK]).mean(0)
        for origin in range(ORIGINS):
            end = len(counts) - AHEAD - origin * STEP
            seen = counts[end : end + AHEAD].T
            for name, way in ways().items():
                said = way(history.start, counts[:end], history.promotions)
                for found, columns in ((whole, slice(0, 1)), (parts, slice(1, None))):
                    found[name].add(said.only(columns), seen[columns], scale[columns])
    return whole, parts


def sample_counts() -> tuple[int, Floats]:
    """Cases by hour in the sample's month, as the service counts them but by conversation; one series."""
    seen: dict[int, set[str]] = defaultdict(set)
    with (SAMPLE / "events.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            if event["type"] == "message" and event.get("role", "customer") == "customer":
                hour = hour_of(datetime.fromisoformat(event["at"]))
                seen[hour].add(event.get("conversation_id") or event["id"])
    sizes = Counter({hour: len(who) for hour, who in seen.items()})
    start, end = min(sizes), max(sizes)
    return start, np.array([[float(sizes[hour])] for hour in range(start, end + 1)])


def sample_table() -> Iterator[str]:
    """The last week of the month, a day ahead, from what came before: too short a history for four weeks' means."""
    start, counts = sample_counts()
    promotions = (date(2025, 11, 11), date(2026, 11, 11))
    scale = np.abs(counts[WEEK:] - counts[:-WEEK]).mean(0)
    found = {"ours": Score(), "seasonal naive": Score()}
    for back in range(10, 1, -1):
        end = len(counts) - back * DAY
        seen = counts[end : end + AHEAD].T
        found["ours"].add(ours(start, counts[:end], promotions), seen, scale)
        past = counts[max(WEEK, end - ERRORS) : end]
        errors = past - counts[max(WEEK, end - ERRORS) - WEEK : end - WEEK]
        found["seasonal naive"].add(
            _with_errors(counts[end - WEEK : end - WEEK + AHEAD].T, errors), seen, scale
        )
    yield HEADER.format(title=f"the sample's month, {int(counts.sum()):,} cases, 9 origins")
    yield from (score.row(name) for name, score in found.items())


def main() -> None:
    for title, found in zip(("the whole shop", "its six parts"), scores(REPORTED), strict=True):
        print(HEADER.format(title=f"{title}, {len(REPORTED)} simulated shops, {ORIGINS} origins each"))
        print("\n".join(score.row(name) for name, score in found.items()))
        print()
    print("\n".join(sample_table()))
    print()
    print("\n".join(planted_table(REPORTED)))


def _plain(value: float) -> str:
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}".removeprefix("0")


if __name__ == "__main__":
    main()
