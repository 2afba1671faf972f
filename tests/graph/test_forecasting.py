"""Rhythm, forecasts and their intervals, on counts whose truth is known."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scipy.stats import nbinom  # type: ignore[import-untyped]

from graph.arrivals import Counted
from graph.forecasting import Forecast, below, dispersions, forecast, quantile, tail
from graph.rhythm import DAY, WEEK, Floats, fit, gaps, hour_of, hour_of_week, local_hours
from graph.surges import usual

SHANGHAI = timezone(timedelta(hours=8))
START = hour_of(datetime(2026, 4, 6, tzinfo=SHANGHAI))  # a Monday


def shape(hours: int) -> Floats:
    """Busy from nine to nine, more so at weekends."""
    slot = hour_of_week(np.arange(START, START + hours), SHANGHAI)
    busy = (slot % DAY >= 9) & (slot % DAY < 21)
    return np.asarray(np.where(busy, 12.0, 1.0) * np.where(slot // DAY >= 5, 1.5, 1.0), dtype=np.float64)


def drawn(hours: int, seed: int = 1, factor: Floats | float = 1.0) -> Floats:
    chance = np.random.default_rng(seed)
    mean = shape(hours) * factor
    return np.asarray(chance.poisson(np.column_stack([mean * 0.75, mean * 0.25])), dtype=np.float64)


def with_total(parts: Floats) -> Floats:
    return np.column_stack([parts.sum(1), parts])


def ahead(weeks: int, seed: int = 1, **options: object) -> Forecast:
    return forecast(START, with_total(drawn(weeks * WEEK, seed)), 48, SHANGHAI, **options)  # type: ignore[arg-type]


def test_hours_are_those_on_the_walls_of_the_shop() -> None:
    monday = hour_of(datetime(2026, 4, 6, 9, tzinfo=SHANGHAI))
    assert hour_of_week(np.array([monday, monday + WEEK - 1]), SHANGHAI).tolist() == [9, 8]
    berlin = ZoneInfo("Europe/Berlin")
    for moment in (datetime(2026, 3, 29, 0, tzinfo=berlin), datetime(2026, 10, 25, 0, tzinfo=berlin)):
        hours = np.arange(hour_of(moment) - 30, hour_of(moment) + 60)
        walls = [datetime.fromtimestamp(hour * 3600, berlin) for hour in hours.tolist()]
        assert hour_of_week(hours, berlin).tolist() == [at.weekday() * 24 + at.hour for at in walls]
    assert local_hours(np.array([], dtype=np.int64), berlin).tolist() == []


def test_the_forecast_finds_the_rhythm_and_its_parts_add_up() -> None:
    found = ahead(8)
    truth = shape(8 * WEEK + 48)[-48:]
    assert found.basis == "seasonal"
    assert found.hours.tolist() == list(range(START + 8 * WEEK, START + 8 * WEEK + 48))
    assert np.abs(found.mean[0] - truth).mean() < 0.8
    np.testing.assert_allclose(found.mean[1] + found.mean[2], found.mean[0], rtol=0.12, atol=0.3)


def test_the_forecast_beats_the_same_hour_a_week_before() -> None:
    ours, naive = [], []
    for seed in range(5):
        counts = with_total(drawn(8 * WEEK + 48, seed))
        found = forecast(START, counts[:-48], 48, SHANGHAI)
        ours.append(np.abs(found.mean - counts[-48:].T).mean())
        naive.append(np.abs(found.naive - counts[-48:].T).mean())
        np.testing.assert_array_equal(found.naive, counts[-48 - WEEK : -WEEK].T)
    assert np.mean(ours) < 0.8 * np.mean(naive)


def test_intervals_hold_what_they_say() -> None:
    inside: dict[float, list[float]] = {0.8: [], 0.95: []}
    for seed in range(20):
        counts = with_total(drawn(6 * WEEK + 48, seed))
        found = forecast(START, counts[:-48], 48, SHANGHAI)
        for level, share in inside.items():
            seen = counts[-48:, 0]
            share.append(((seen >= found.low[level][0]) & (seen <= found.high[level][0])).mean())
    assert 0.78 <= np.mean(inside[0.8]) <= 0.9
    assert 0.93 <= np.mean(inside[0.95]) <= 0.99


@pytest.mark.parametrize("declared", [True, False])
def test_a_promotion_day_spoils_nothing(declared: bool) -> None:
    """Fourfold on a Thursday three weeks ago: Thursdays are forecast as ever, and the next declared day is not."""
    hours = 7 * WEEK
    day = 4 * 7 + 3
    factor = np.where(np.arange(hours) // DAY == day, 4.0, 1.0)
    counts = with_total(drawn(hours, factor=factor))
    then = date(2026, 4, 6) + timedelta(days=day)
    days = [then] if declared else []
    rhythm = fit(START, counts, SHANGHAI, promotions=days)
    thursday = np.arange(START + hours + 3 * DAY, START + hours + 4 * DAY)
    truth = shape(hours + 4 * DAY)[-DAY:].sum()
    assert rhythm.expected(thursday)[0].sum() == pytest.approx(truth, rel=0.08)
    if declared:
        coming = fit(START, counts, SHANGHAI, promotions=[then, date(2026, 4, 6) + timedelta(days=7 * 7 + 3)])
        assert 2.2 < coming.promotion_effect < 4.0
        assert coming.expected(thursday)[0].sum() == pytest.approx(truth * coming.promotion_effect, rel=0.08)
    else:
        assert then.toordinal() in rhythm.unusual_days


def test_days_without_data_before_a_restart_are_neither_unusual_nor_a_change_of_level() -> None:
    """Three days and a half in which nothing was told, then three hours as ever."""
    counts = with_total(drawn(5 * WEEK))
    end = 4 * WEEK + 2 * DAY + 12
    silent = np.arange(end - 3 - 84, end - 3)
    broken = counts[:end].copy()
    broken[silent] = 0.0
    assert np.flatnonzero(gaps(broken[:, 0]))[[0, -1]].tolist() == [silent[0], silent[-1]]
    whole, found = (forecast(START, part, 72, SHANGHAI) for part in (counts[:end], broken))
    assert found.rhythm is not None and whole.rhythm is not None
    assert found.rhythm.unusual_days == frozenset()
    np.testing.assert_allclose(found.rhythm.level, whole.rhythm.level, rtol=0.12)
    np.testing.assert_allclose(found.mean.sum(1), whole.mean.sum(1), rtol=0.12)
    assert found.dispersion[0] < whole.dispersion[0] + 0.03
    assert np.isnan(forecast(START, broken, WEEK, SHANGHAI).naive).sum() == 3 * len(silent)


def test_weekends_at_which_a_shop_is_closed_are_no_gaps() -> None:
    closed = hour_of_week(np.arange(START, START + 4 * WEEK), SHANGHAI) >= 5 * DAY
    counts = np.where(closed[:, None], 0.0, with_total(drawn(4 * WEEK)))
    assert not gaps(counts[:, 0]).any()
    found = forecast(START, counts, WEEK, SHANGHAI)
    assert found.rhythm is not None and found.rhythm.unusual_days == frozenset()
    assert found.mean[0, 5 * DAY :].sum() < 0.05 * found.mean[0].sum()


def test_a_day_of_twice_the_usual_is_unusual_in_a_month_that_is_restless() -> None:
    """The days of a real month, two of its Wednesdays far above the rest: 11 November is one of them."""
    days = [29, 34, 26, 40, 49, 35, 36, 32, 116, 80, 115, 85, 84, 74, 91, 143, 102, 72, 60, 57, 63, 133, 181]
    days += [94, 102, 74, 85, 93, 70, 47, 46]
    hourly = np.repeat(np.array(days) / DAY, DAY)
    start = hour_of(datetime(2026, 10, 20, tzinfo=SHANGHAI))
    found = fit(start, hourly[:, None], SHANGHAI)
    assert date(2026, 11, 11).toordinal() in found.unusual_days
    assert len(found.unusual_days) <= 3


def test_a_level_that_moves_is_followed() -> None:
    hours = 8 * WEEK
    factor = np.where(np.arange(hours) >= 6 * WEEK, 2.0, 1.0)
    found = forecast(START, with_total(drawn(hours, factor=factor)), 48, SHANGHAI)
    assert found.mean[0].sum() == pytest.approx(2 * shape(hours + 48)[-48:].sum(), rel=0.12)


@pytest.mark.parametrize(
    ("hours", "basis"), [(0, "no_history"), (30, "no_history"), (4 * DAY, "profile"), (15 * DAY, "seasonal")]
)
def test_a_short_history_gives_what_it_can(hours: int, basis: str) -> None:
    found = forecast(START, with_total(drawn(hours)) if hours else np.zeros((0, 3)), 24, SHANGHAI)
    assert found.basis == basis
    assert found.mean.shape == (3, 24)
    assert np.isfinite(found.mean).all()
    assert (found.low[0.95] <= found.high[0.95]).all()
    assert np.isnan(found.naive).all() == (hours < DAY)
    if basis == "profile":
        truth = shape(hours + 24)[-24:]
        assert np.corrcoef(found.mean[0], truth)[0, 1] > 0.9


def test_empty_hours_before_the_first_case_are_no_history() -> None:
    counts = np.vstack([np.zeros((10 * DAY, 3)), with_total(drawn(DAY))])
    assert forecast(START, counts, 24, SHANGHAI).basis == "no_history"
    assert forecast(START, np.zeros((30 * DAY, 3)), 24, SHANGHAI).mean.max() == 0


def test_the_dispersion_is_that_of_the_counts() -> None:
    chance = np.random.default_rng(3)
    mean = np.full((2, 3000), 20.0)
    size = np.array([[1 / 0.1], [1 / 0.3]])
    found = dispersions(chance.negative_binomial(size, size / (size + mean)).astype(float), mean)
    assert found[0] == pytest.approx(0.1, rel=0.25)
    assert found[1] == pytest.approx(0.3, rel=0.25)
    assert dispersions(chance.poisson(mean).astype(float), mean).max() < 0.02


def test_the_negative_binomial_is_that_of_scipy() -> None:
    mean, phi = np.array([0.4, 3.0, 90.0]), np.array([0.5, 0.05, 0.2])
    size = 1 / phi
    share = size / (size + mean)
    for probability in (0.025, 0.5, 0.9, 0.975):
        wanted = nbinom.ppf(probability, size, share)
        np.testing.assert_array_equal(quantile(np.full(3, probability), mean, phi), wanted)
    np.testing.assert_allclose(
        below(np.array([0.0, 4.0, 120.0]), mean, phi), nbinom.cdf([0, 4, 120], size, share)
    )
    assert tail(400, 90.0, 0.02) == pytest.approx(nbinom.sf(399, 50, 50 / 140), rel=1e-6)
    assert tail(0, 3.0, 0.1) == 1.0
    assert tail(1, 0.0, 0.1) == 0.0


@pytest.mark.parametrize("busy", [True, False])
def test_histories_of_every_length_can_be_forecast(busy: bool) -> None:
    """A shop that just began, and one in which hardly anything happens: nothing fails, nothing is not a number."""
    long = with_total(drawn(20 * DAY))
    if not busy:
        long = np.zeros_like(long)
        long[[3, 50, 51, 300]] = 1.0
    for hours in [*range(0, 80, 3), *range(80, 20 * DAY, 31)]:
        counts = long[:hours]
        found = forecast(START, counts, 30, SHANGHAI, promotions=[date(2026, 4, 8), date(2027, 1, 1)])
        for value in (found.mean, found.dispersion, *found.low.values(), *found.high.values()):
            assert np.isfinite(value).all(), hours
        assert (found.mean >= 0).all()
        now = usual(Counted(START, counts, ("one", "two")), SHANGHAI)
        assert (now is None) == (found.basis == "no_history")
        if now is not None:
            assert np.isfinite(now.rates).all()
            assert (now.dispersion > 0).all()
