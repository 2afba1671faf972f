"""Surges: more arrivals than the rhythm of the shop makes likely, in one expertise or everywhere.

Windows of 15 minutes and of an hour are held against a negative binomial around what is usual, event by event. What
lifts the whole shop is taken out of each expertise, and what one expertise brings is taken out of the shop, so that one
cause is told once. A surge ends when its last hour has been ordinary for half an hour.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from typing import TypeAlias

import numpy as np

from graph.arrivals import Counted
from graph.forecasting import basis_of, recent_part, scatter, tail
from graph.labels import label_in
from graph.recurrence import by_chance, duration
from graph.rhythm import DAY, Floats, fit

Key: TypeAlias = str | None
"""An expertise; None is the whole shop."""

WINDOWS = (15, 60)
"""Minutes."""
LIKELY = 1e-4
"""A window less likely than this is a surge."""
TIMES = 1.5
"""A surge is at least so many times what is usual."""
CALM_MINUTES = 30
FACTOR_PRIOR = 8.0
"""The shop's own lift, which expertises are freed of, is shrunk by so many expected arrivals."""
MOST_LIFTED = 5.0
LEAST_SAID = 0.1
"""Fewer expected arrivals than this are told as less than it."""
SESSION_SECONDS = 3600.0
"""A case that was silent for so long is a new arrival."""
_CALM = (0.8, 1.4)
"""How far the last hours may move what is usual."""
_KEPT_SECONDS = 3 * 3600.0
_SWEEP = 4096


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual in an hour and the next: arrivals an hour by key, and the dispersion of each key.

    `rates` has shape (keys, 3): the hour before `hour`, `hour` itself, the one after. The first key is None, the
    whole shop.
    """

    hour: int
    keys: tuple[Key, ...]
    rates: Floats
    dispersion: Floats

    def expected(self, place: int, now: float, minutes: int) -> float:
        """Arrivals of a key that are usual in the `minutes` up to `now`, in seconds since 1970."""
        begin = now - minutes * 60
        total = 0.0
        for column in range(3):
            start = (self.hour - 1 + column) * 3600.0
            inside = min(now, start + 3600.0) - max(begin, start)
            if inside > 0:
                total += float(self.rates[place, column]) * inside / 3600.0
        return total


@dataclass(frozen=True, slots=True)
class Surge:
    """A dated claim that an expertise, or with None the whole shop, gets more than usual. Times are event times.

    `observed`, `expected` and `p_value` are of the window of `window_minutes` that revealed it.
    """

    expertise_id: Key
    opened_at: datetime
    observed: int
    expected: float
    window_minutes: int
    p_value: float
    lift: float = 1.0
    closed_at: datetime | None = None


class SurgeWatch:
    """The arrivals of the last hours, and the surges that are open. Told messages in about the order of their time."""

    def __init__(self) -> None:
        self._times: dict[Key, list[float]] = {None: []}
        self._last: dict[str, tuple[float, Key, float]] = {}
        """By case: its last message, and the key and time of its arrival."""
        self._calm: dict[Key, float] = {}
        self._latest = 0.0
        self._closing_judged = 0.0
        self.open: dict[Key, Surge] = {}

    def stand(self, surges: Iterable[Surge]) -> None:
        """These are the open surges, whoever opened and closed them."""
        self.open = {surge.expertise_id: surge for surge in surges}
        self._calm = {key: since for key, since in self._calm.items() if key in self.open}

    def hear(self, at: datetime, case: str, key: Key) -> None:
        """A customer's message of a case about an expertise; None while that is not known."""
        now = at.timestamp()
        self._latest = max(self._latest, now)
        if now < self._latest - _KEPT_SECONDS:
            return
        before = self._last.get(case)
        if before is not None and abs(now - before[0]) < SESSION_SECONDS:
            last, known, began = before
            if known is None and key is not None:
                insort(self._times.setdefault(key, []), began)
                known = key
            self._last[case] = max(last, now), known, began
            return
        self._last[case] = now, key, now
        insort(self._times[None], now)
        if key is not None:
            insort(self._times.setdefault(key, []), now)
        if len(self._last) % _SWEEP == 0:
            self._sweep()

    def judge(self, at: datetime, usual: Usual, key: Key, *, customers: int) -> list[Surge]:
        """What the windows that end at `at` say of an expertise and of the shop: surges that opened or closed.

        `customers` is the least number of arrivals that makes a surge. Windows of the past are not judged again.
        """
        now = at.timestamp()
        if self.late(at):
            return []
        turned: list[Surge] = []
        # The shop comes last: what its parts are found to bring needs no cause of the shop's own.
        for which in (key, None) if key is not None else (None,):
            if which not in self.open and (surge := self._opened(at, usual, which, customers)) is not None:
                self.open[which] = surge
                turned.append(surge)
        if self.open and now - self._closing_judged >= 60.0:
            self._closing_judged = now
            turned += self._closed(at, usual)
        return turned

    def quiet(self, now: datetime) -> list[Surge]:
        """The surges that are over because nobody writes any more, whatever the clock says; mostly none."""
        ended = self._latest + (60 + CALM_MINUTES) * 60
        if not self.open or now.timestamp() < ended:
            return []
        at = datetime.fromtimestamp(ended, UTC)
        closed = [replace(surge, closed_at=max(at, surge.opened_at)) for surge in self.open.values()]
        self.open, self._calm = {}, {}
        return closed

    def late(self, at: datetime) -> bool:
        """Whether something later was heard before: windows of the past are not judged again."""
        return at.timestamp() < self._latest

    def observed(self, key: Key, now: float, minutes: int) -> int:
        """Arrivals of a key in the `minutes` up to `now`."""
        times = self._times.get(key, [])
        return bisect_right(times, now) - bisect_left(times, now - minutes * 60)

    def _opened(self, at: datetime, usual: Usual, key: Key, customers: int) -> Surge | None:
        if key not in usual.keys:
            return None
        now, place = at.timestamp(), usual.keys.index(key)
        found: Surge | None = None
        for minutes in WINDOWS:
            observed = self.observed(key, now, minutes)
            if observed < customers:
                continue
            expected = usual.expected(place, now, minutes)
            if observed < TIMES * expected:
                continue
            told, lift = self._without_the_rest(usual, key, now, minutes, observed, expected)
            expected *= lift
            if told < max(TIMES * expected, float(customers)):
                continue
            p_value = tail(told, expected, float(usual.dispersion[place]))
            if p_value < LIKELY and (found is None or p_value < found.p_value):
                found = Surge(key, at, observed, expected, minutes, p_value, lift)
        return found

    def _without_the_rest(
        self, usual: Usual, key: Key, now: float, minutes: int, observed: int, expected: float
    ) -> tuple[float, float]:
        """The arrivals that need a cause of their own, and how much the whole shop is lifted without this key."""
        if key is not None:
            rest = self.observed(None, now, minutes) - observed
            hoped = usual.expected(0, now, minutes) - expected
            lift = (rest + FACTOR_PRIOR) / (max(hoped, 0.0) + FACTOR_PRIOR)
            return float(observed), min(max(lift, 1.0), MOST_LIFTED)
        told = float(observed)
        for other in self.open:
            if other is not None and other in usual.keys:
                own = usual.expected(usual.keys.index(other), now, minutes)
                told -= max(0.0, self.observed(other, now, minutes) - own)
        return told, 1.0

    def _closed(self, at: datetime, usual: Usual) -> list[Surge]:
        now = at.timestamp()
        closed: list[Surge] = []
        for key, surge in list(self.open.items()):
            if key in usual.keys:
                place = usual.keys.index(key)
                mean = usual.expected(place, now, 60)
                ordinary = mean + float(np.sqrt(mean + usual.dispersion[place] * mean**2))
                if self.observed(key, now, 60) > max(ordinary, 1.0):
                    self._calm.pop(key, None)
                    continue
            since = self._calm.setdefault(key, now)
            if now - max(since, surge.opened_at.timestamp()) >= CALM_MINUTES * 60:
                closed.append(replace(surge, closed_at=at))
                del self.open[key]
                self._calm.pop(key, None)
        return closed

    def _sweep(self) -> None:
        """Forget what no window will see again."""
        oldest = self._latest - _KEPT_SECONDS
        for times in self._times.values():
            del times[: bisect_left(times, oldest)]
        self._last = {case: item for case, item in self._last.items() if item[0] >= oldest}


def words(surge: Surge, name: Mapping[str, str], *, opened: bool = False) -> dict[str, str]:
    """A surge in words: its end where it has ended, unless what `opened` it is asked for. `name` is what surges, in
    each language."""
    english, chinese = (label_in(name[language], language) for language in ("en", "zh"))
    span_en, span_zh = duration(surge.window_minutes)
    if surge.closed_at is not None and not opened:
        minutes = round((surge.closed_at - surge.opened_at).total_seconds() / 60)
        lasted_en, lasted_zh = duration(max(1, minutes))
        return {
            "en": f"{english}: back to what is usual after {lasted_en}.",
            "zh": f"{chinese}：历时{lasted_zh}后恢复到平常水平。",
        }
    likely_en, likely_zh = by_chance(surge.p_value)
    # A factor over next to nothing says nothing.
    factor = surge.observed / surge.expected if surge.expected >= LEAST_SAID else None
    hoped = f"{surge.expected:.1f}" if factor is not None else f"{LEAST_SAID:.1f}"
    expected_en = f"expected {hoped}" if factor is not None else f"expected less than {hoped}"
    expected_zh = f"预期 {hoped} 位" if factor is not None else f"预期不到 {hoped} 位"
    asides_en = [f"{factor:.1f}×"] if factor is not None else []
    asides_zh = [f"{factor:.1f} 倍"] if factor is not None else []
    if surge.lift > 1.05:
        asides_en.append(f"the shop's volume ×{surge.lift:.1f} is already taken out")
        asides_zh.append(f"已扣除全店流量 ×{surge.lift:.1f} 的影响")
    aside_en = f" ({'; '.join(asides_en)})" if asides_en else ""
    aside_zh = f"（{'；'.join(asides_zh)}）" if asides_zh else ""
    return {
        "en": f"{english}: {surge.observed} customers in {span_en}, {expected_en}{aside_en}; {likely_en}.",
        "zh": f"{chinese}：{span_zh}内 {surge.observed} 位顾客，{expected_zh}{aside_zh}；{likely_zh}。",
    }


def usual(
    counted: Counted,
    zone: tzinfo,
    *,
    promotions: Collection[date] = (),
    dispersion: Floats | None = None,
) -> Usual | None:
    """What is usual in the hour after the complete ones; None while less than two days are known.

    `dispersion` is what an earlier call found, of the same keys: it changes slowly and takes most of the time.
    How the last hours went counts within bounds only, since a surge that goes on must not become usual.
    """
    start, counts = recent_part(counted.start, counted.counts)
    basis = basis_of(counts)
    if basis == "no_history":
        return None
    rhythm = fit(start, counts, zone, promotions=promotions, by_week=basis == "seasonal")
    calm = replace(rhythm, recent=np.clip(rhythm.recent, *_CALM))
    hour = start + len(counts)
    rates = calm.expected(np.arange(hour - 1, hour + 2, dtype=np.int64))
    if dispersion is None or len(dispersion) != len(rates):
        dispersion = scatter(start, counts, zone, promotions=promotions, ahead=DAY)
    return Usual(hour, (None, *counted.keys), rates, dispersion)
