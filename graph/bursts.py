"""Bursts: more customers with one problem than its past, the week's rhythm and the shop's volume of today make likely.

At each whole step of event time the windows that end there are held against a negative binomial around what
`graph.baselines` expects. What lifts the whole shop is taken out, so that a promotion day stays quiet. A burst is told
once, and is over after an ordinary day. At the end of each day of the shop the same watch tells slow
growth (see `graph.growth`).
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from typing import Literal

from graph.baselines import KEPT_DAYS, Baseline, Period, Share
from graph.forecasting import tail
from graph.growth import Grown, GrowthRules, grown, tells
from graph.headcounts import HOUR, Headcounts, seconds_of
from graph.recurrence import by_chance, duration
from graph.rhythm import DAY
from graph.surges import LEAST_SAID

BEFORE = 6 * HOUR
"""So many seconds before a burst was told are left out of what is usual, like those after it until it is over."""
CALM = DAY * HOUR
"""A burst is over when so many seconds after it was told were ordinary: a day, since every night is quiet."""
NEW_USUAL = 14 * DAY * HOUR
"""What lasts longer than so many seconds is usual from then on."""
ORDINARY = 0.01
"""Hours less likely than this are not ordinary yet."""
LIFT_HOURS = 3
LIFT_PRIOR = 20.0
"""The shop's lift is shrunk by so many expected customers."""
UNKNOWN_LIFT_PRIOR = 3.0
"""The same in a shop of unknown volume, where more would hide most of what it brings."""
UNBOUNDED = 1e4
"""In a shop of unknown volume the lift stands for the volume."""


def _likely() -> dict[int, float]:
    return {15: 3e-6, 20: 3e-6, 30: 3e-6, 45: 2e-6, 60: 1.5e-6, 360: 5e-7}


@dataclass(frozen=True, slots=True)
class BurstRules:
    """`windows` are minutes, each with the probability below which it is a burst; `customers` is the least number of
    them, `times` the least multiple of what is expected. How far the whole shop is lifted is taken out between
    `least_lift` and `most_lift`; not at all where both are 1.

    The probabilities were chosen on simulated shops, see `bench.incidents`.
    """

    customers: int = 3
    windows: Mapping[int, float] = field(default_factory=_likely)
    times: float = 1.5
    least_lift: float = 0.5
    most_lift: float = 5.0
    growth: GrowthRules = field(default_factory=GrowthRules)


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem brings more than expected. `at` is the end of the window that revealed it, in event time.

    `observed`, like `expected`, counts customers, each once. `p_value` is the probability of as many or more, `lift`
    how far the whole shop was lifted, which `expected` has already in it.
    """

    problem_id: str
    kind: Literal["burst", "growth"]
    at: datetime
    observed: int
    expected: float
    customers: int
    window_minutes: int
    p_value: float
    lift: float


class BurstWatch:
    """What was heard of each problem in the last eight weeks, and which bursts are told already.

    The same sightings in any order leave the same state, but for what `judge` told in between.
    """

    def __init__(self, zone: tzinfo, promotions: Collection[date] = ()) -> None:
        """`zone` is the shop's; `promotions` are days there that were declared to bring more."""
        self._zone = zone
        self._promotions = frozenset(promotions)
        self._heads = Headcounts()
        self._fresh: set[str] = set()
        """Problems heard of since they were last judged."""
        self._active: dict[str, int] = {}
        self._left_out: dict[str, list[Period]] = {}
        self._growing: set[str] = set()
        self._usual: Baseline | None = None
        self._usual_until = 0

    def hear(self, problem_id: str, at: datetime, voter: Hashable) -> None:
        """Somebody wrote about a problem; late sightings count where they belong."""
        second = self._heads.add(problem_id, at, voter)
        self._fresh.add(problem_id)
        if self._usual is not None and second <= self._usual.day_begin:
            self._usual.forget(problem_id)

    def judge(self, boundary: datetime, rules: BurstRules = BurstRules()) -> list[Finding]:
        """What begins at a whole step of event time, in order of problems; boundaries are given in order.

        Only problems that were heard of since the last boundary are looked at.
        """
        now = int(boundary.timestamp())
        findings = self._turn_day(now, boundary, rules)
        usual = self._usual
        assert usual is not None
        shop = _Shop(self._heads, usual, now, rules)
        for problem_id in self._active:
            shop.leave_out(problem_id)
        self._close(shop, rules)
        later = set()
        for problem_id in sorted(self._fresh):
            if problem_id not in self._heads:
                continue
            if self._heads.latest(problem_id) > now:
                later.add(problem_id)
            if problem_id in self._active:
                continue
            found = _burst(problem_id, shop, boundary, rules)
            if found is not None:
                self._active[problem_id] = now
                findings.append(found)
        self._fresh = later
        return findings

    @property
    def lasting(self) -> int:
        """How many bursts were found or told and are not over."""
        return len(self._active)

    def tell(self, problem_id: str, at: datetime) -> None:
        """A burst that another watch found at `at`, and that lasts."""
        self._active[problem_id] = seconds_of(at)

    def untell(self, problem_id: str, kind: Literal["burst", "growth"]) -> None:
        """What was found is not told: it is found again while it lasts, growth at the end of the next day."""
        if kind == "burst":
            self._active.pop(problem_id, None)
        else:
            self._growing.discard(problem_id)

    def hear_again(self, problem_id: str, sightings: Iterable[tuple[datetime, Hashable]]) -> None:
        """All that was heard of a problem, after some of it was moved to another one or from there."""
        self._heads.forget(problem_id)
        for at, voter in sightings:
            self.hear(problem_id, at, voter)
        self._changed(problem_id)

    def take_over(self, other: BurstWatch) -> None:
        """What another watch told, for one that heard the same under another calendar."""
        self._active, self._growing = dict(other._active), set(other._growing)
        self._left_out = {problem_id: list(periods) for problem_id, periods in other._left_out.items()}

    def merge(self, old: str, into: str) -> None:
        """Two problems are one: what was heard and told of `old` is of `into`."""
        if old == into:
            return
        self._heads.merge(old, into)
        told = self._active.pop(old, None)
        if told is not None:
            self._active[into] = min(told, self._active.get(into, told))
        if old in self._left_out:
            self._left_out.setdefault(into, []).extend(self._left_out.pop(old))
        if old in self._growing:
            self._growing.discard(old)
            self._growing.add(into)
        self._fresh.discard(old)
        self._fresh.add(into)
        self._changed(old)
        self._changed(into)

    def forget(self, problem_id: str) -> None:
        """Nothing was ever heard of this problem."""
        self._heads.forget(problem_id)
        self._active.pop(problem_id, None)
        self._left_out.pop(problem_id, None)
        self._growing.discard(problem_id)
        self._fresh.discard(problem_id)
        self._changed(problem_id)

    def _changed(self, problem_id: str) -> None:
        if self._usual is not None:
            self._usual.forget(problem_id)

    def _turn_day(self, now: int, boundary: datetime, rules: BurstRules) -> list[Finding]:
        """Once a day of the shop: what is usual from now on, and which problems grew until now."""
        if self._usual is not None and self._usual.day_begin <= now < self._usual_until:
            return []
        begin, self._usual_until = _day_around(boundary, self._zone)
        self._forget_old(begin)
        first = self._usual is None
        if self._usual is not None and not self._usual.known:
            # What was found while nothing was known of the shop is by now what is known of the problem.
            self._active = {}
        self._active = {item: told for item, told in self._active.items() if now - told < NEW_USUAL}
        left_out = dict(self._left_out)
        for problem_id, told in self._active.items():
            left_out[problem_id] = [*left_out.get(problem_id, ()), (told - BEFORE, now)]
        self._usual = Baseline(self._heads, begin, self._zone, self._promotions, left_out)
        found = self._growth(datetime.fromtimestamp(begin, UTC), rules.growth)
        # A watch that begins in the middle of a day has not seen that day begin.
        return [] if first and now > begin else found

    def _growth(self, at: datetime, rules: GrowthRules) -> list[Finding]:
        usual = self._usual
        assert usual is not None
        findings = []
        for problem_id in sorted(self._heads):
            found = grown(self._heads, usual, problem_id, rules)
            if found is None or found.height <= 0:
                self._growing.discard(problem_id)
            elif problem_id not in self._growing and tells(found, rules):
                self._growing.add(problem_id)
                findings.append(_growth_found(problem_id, at, found))
        return findings

    def _close(self, shop: _Shop, rules: BurstRules) -> None:
        calm_from = shop.now - CALM
        for problem_id, told in list(self._active.items()):
            if told <= calm_from and not shop.unusual_since(problem_id, calm_from, rules.customers):
                del self._active[problem_id]
                self._left_out.setdefault(problem_id, []).append((told - BEFORE, shop.now))
                shop.usual.forget(problem_id)

    def _forget_old(self, now: int) -> None:
        oldest = now - KEPT_DAYS * DAY * HOUR
        self._heads.forget_before(oldest)
        self._left_out = {
            problem_id: kept
            for problem_id, periods in self._left_out.items()
            if (kept := [period for period in periods if period[1] > oldest])
        }


class _Shop:
    """The whole shop at one boundary: what it brings now beside what it should."""

    def __init__(self, heads: Headcounts, usual: Baseline, now: int, rules: BurstRules) -> None:
        self.now = now
        self._bounds = rules.least_lift, rules.most_lift if usual.known else UNBOUNDED
        self._prior = LIFT_PRIOR if usual.known else UNKNOWN_LIFT_PRIOR
        self.usual = usual
        self.heads = heads
        self._out: list[str] = []
        self._spans: dict[int, tuple[float, float]] = {}

    def leave_out(self, problem_id: str) -> None:
        """A burst that is told lifts nobody else."""
        self._out.append(problem_id)

    def expected(self, problem_id: str, share: Share, minutes: int) -> tuple[float, float]:
        """Customers to expect of a problem in the window of so many minutes that ends now, and the shop's lift."""
        volume = self.usual.volume(self.now - minutes * 60, self.now)
        lift = self._lift(problem_id, share, max(minutes * 60, LIFT_HOURS * HOUR))
        # Where the volume is unknown the lift stands for it, and says nothing of what is usual.
        told = lift * volume.expected / max(volume.ordinary, 1e-9) if self.usual.known else 1.0
        return share.mean * volume.expected * lift, told

    def unusual_since(self, problem_id: str, begin: int, customers: int) -> bool:
        """Whether a problem brought so many customers since a second that it is not ordinary."""
        observed = self.heads.voters(problem_id, begin, self.now)
        if observed < customers:
            return False
        minutes = (self.now - begin) // 60
        share = self.usual.share(problem_id)
        mean = self.expected(problem_id, share, minutes)[0]
        return tail(observed, mean, self.usual.dispersion(share, minutes)) < ORDINARY

    def _lift(self, problem_id: str, share: Share, span: int) -> float:
        observed, hoped = self._rest(span)
        if problem_id not in self._out:
            observed -= self.heads.voters(problem_id, self.now - span, self.now)
            hoped *= 1 - share.mean
        lift = (max(observed, 0.0) + self._prior) / (max(hoped, 0.0) + self._prior)
        least, most = self._bounds
        return min(max(lift, least), most)

    def _rest(self, span: int) -> tuple[float, float]:
        """What all problems without a burst brought in the last `span` seconds, and should have."""
        known = self._spans.get(span)
        if known is None:
            observed = float(self.heads.volume(self.now - span, self.now))
            hoped = self.usual.volume(self.now - span, self.now).expected
            share = 0.0
            for problem_id in self._out:
                observed -= self.heads.voters(problem_id, self.now - span, self.now)
                share += self.usual.share(problem_id).mean
            known = self._spans[span] = observed, hoped * max(0.0, 1 - share)
        return known


def _burst(problem_id: str, shop: _Shop, at: datetime, rules: BurstRules) -> Finding | None:
    """The unlikeliest of the windows that make a burst."""
    found: Finding | None = None
    for minutes in sorted(rules.windows, reverse=True):
        observed = shop.heads.voters(problem_id, shop.now - minutes * 60, shop.now)
        if observed < rules.customers:
            break
        share = shop.usual.share(problem_id)
        expected, lift = shop.expected(problem_id, share, minutes)
        if observed < rules.times * expected:
            continue
        p_value = tail(observed, expected, shop.usual.dispersion(share, minutes))
        if p_value < rules.windows[minutes] and (found is None or p_value < found.p_value):
            found = Finding(problem_id, "burst", at, observed, expected, observed, minutes, p_value, lift)
    return found


def _growth_found(problem_id: str, at: datetime, found: Grown) -> Finding:
    return Finding(
        problem_id=problem_id,
        kind="growth",
        at=at,
        observed=found.customers,
        expected=found.expected,
        customers=found.customers,
        window_minutes=found.days * DAY * 60,
        p_value=found.p_value,
        lift=found.lift,
    )


def _day_around(moment: datetime, zone: tzinfo) -> tuple[int, int]:
    """Begin of the shop's day around a moment and of the next, in seconds since 1970, cut to whole hours."""
    day = moment.astimezone(zone).date()
    begin = datetime.combine(day, time(), zone)
    after = datetime.combine(date.fromordinal(day.toordinal() + 1), time(), zone)
    return int(begin.timestamp()) // HOUR * HOUR, int(after.timestamp()) // HOUR * HOUR


def words(finding: Finding) -> dict[str, str]:
    """The evidence in words: how many customers, how many were expected, how unlikely that is, what is taken out."""
    span_en, span_zh = duration(finding.window_minutes)
    likely_en, likely_zh = by_chance(finding.p_value)
    lifted = abs(finding.lift - 1) >= 0.05
    lift_en = f"the shop's volume ×{finding.lift:.1f} is already taken out" if lifted else ""
    lift_zh = f"已扣除全店流量 ×{finding.lift:.1f} 的影响" if lifted else ""
    customers = (
        f"{finding.customers} customer" if finding.customers == 1 else f"{finding.customers} customers"
    )
    if finding.expected < LEAST_SAID:
        # A factor over next to nothing says nothing.
        aside_en, aside_zh = lift_en and f" ({lift_en})", lift_zh and f"（{lift_zh}）"
        return {
            "en": f"{customers} in {span_en}, expected less than {LEAST_SAID:.1f}{aside_en}; {likely_en}.",
            "zh": f"{span_zh}内 {finding.customers} 位顾客，预期不到 {LEAST_SAID:.1f} 位{aside_zh}；{likely_zh}。",
        }
    factor = finding.observed / finding.expected
    aside_en, aside_zh = lift_en and f"; {lift_en}", lift_zh and f"；{lift_zh}"
    return {
        "en": f"{customers} in {span_en}, expected {finding.expected:.1f} ({factor:.1f}×{aside_en}); {likely_en}.",
        "zh": f"{span_zh}内 {finding.customers} 位顾客，预期 {finding.expected:.1f} 位"
        f"（{factor:.1f} 倍{aside_zh}）；{likely_zh}。",
    }
