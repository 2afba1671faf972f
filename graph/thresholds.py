"""Thresholds that keep the alerts that were of use and raise the fewest others, found by trying them on the past."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import Any, Literal, TypeAlias

from graph.backtests import Past, Raised, raised
from graph.intervals import wilson
from graph.models import AlertKind
from graph.rules import Rules

LEAST_USEFUL = 8
"""With fewer useful alerts of a kind its thresholds are left alone."""
KEPT = 0.95
"""The share that a suggestion keeps, at least, of the useful alerts that the present rules raise again. Not of all:
what belongs to another problem by now, or was told while other rules held, comes under no threshold."""
SAME = timedelta(hours=72)
"""An alert that comes up to so much earlier or later is kept."""

SuggestionReason: TypeAlias = Literal["better", "best_already", "none_keeps", "too_few"]


@dataclass(frozen=True, slots=True)
class Judged:
    """An alert that was raised, and whether it was of use."""

    problem_id: str
    kind: AlertKind
    at: datetime
    useful: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """What some thresholds would have raised of one kind: of the useful alerts that the present rules raise again
    (`useful`) those kept, and others."""

    kind: AlertKind
    rules: tuple[tuple[str, float], ...]
    useful: int
    kept: int
    others: int

    @property
    def keeps(self) -> bool:
        return self.kept >= KEPT * self.useful


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`changes` are the rules to change, none unless `reason` is "better". `useful` and `noise` count the alerts that
    it rests on, `kept` and `others` what it raises of them, `before` how many others the present rules raise."""

    reason: SuggestionReason
    changes: tuple[tuple[str, float], ...]
    useful: int
    noise: int
    kept: int
    others: int
    before: int
    trials: tuple[Trial, ...]
    words: dict[str, str]


def suggested(
    past: Past,
    rules: Rules,
    zone: tzinfo,
    judged: Sequence[Judged],
    *,
    begin: datetime,
    end: datetime,
    heard: Callable[[float], None] | None = None,
) -> Suggestion:
    """The thresholds of recurrences and bursts that keep KEPT of the useful alerts with the fewest others.

    Stricter ones than the present are tried, one threshold after the other. Of a kind with less than LEAST_USEFUL
    useful alerts nothing is suggested, nor where the present rules raise fewer of them again. `heard` is called now and
    then with the share of the trials that is done, at most; what it raises ends the search.
    """
    again: dict[AlertKind, set[int]] = {}
    most = sum(1 + sum(len(values) for _, values in _steps(kind, rules)) for kind in TRIED)
    done = 0

    def tried(kind: AlertKind, changed: Rules) -> Trial:
        nonlocal done
        before, done = done, done + 1
        found = raised(
            past,
            changed,
            zone,
            begin=begin,
            end=end,
            kinds=(kind,),
            bursts=kind == "burst",
            heard=None if heard is None else partial(_tell, heard, before, most),
        )
        wanted = [item for item in judged if item.useful and item.kind == kind]
        kept = {place for place, item in enumerate(wanted) for other in found if _same(item, other)}
        now = again.setdefault(kind, kept)
        others = sum(not any(_same(item, other) for item in wanted) for other in found)
        values = tuple((name, getattr(changed, name)) for name in TRIED[kind])
        return Trial(kind, values, len(now), len(kept & now), others)

    trials: list[Trial] = []
    changes: list[tuple[str, float]] = []
    best: list[Trial] = []
    present: list[Trial] = []
    for kind in TRIED:
        if sum(item.useful and item.kind == kind for item in judged) < LEAST_USEFUL:
            continue
        of_kind = _descent(rules, partial(tried, kind), _steps(kind, rules))
        trials += of_kind
        present.append(of_kind[0])
        if of_kind[0].useful >= LEAST_USEFUL:
            chosen = min((trial for trial in of_kind if trial.keeps), key=lambda trial: trial.others)
            best.append(chosen)
            changes += [pair for pair in chosen.rules if getattr(rules, pair[0]) != pair[1]]
    return _suggestion(judged, trials, changes, best, present)


def _tell(heard: Callable[[float], None], before: int, most: int, share: float) -> None:
    heard((before + share) / most)


TRIED: dict[AlertKind, tuple[str, ...]] = {
    "recurrence": ("recurrence_customers", "recurrence_window_hours"),
    "burst": ("burst_customers", "burst_likelihood"),
}
"""The rules that are tried for alerts of a kind."""


def _steps(kind: AlertKind, rules: Rules) -> list[tuple[str, list[float]]]:
    """The stricter values of each rule of a kind."""
    if kind == "recurrence":
        least, hours = rules.recurrence_customers, rules.recurrence_window_hours
        windows = [value for value in (hours * 3 / 7, hours / 7) if value >= 1]
        return [
            ("recurrence_customers", [least + 1, least + 2, least + 4, least + 7]),
            ("recurrence_window_hours", windows),
        ]
    least, likely = rules.burst_customers, rules.burst_likelihood
    return [
        ("burst_customers", [least + 1, least + 2, least + 4]),
        ("burst_likelihood", [likely / 10, likely / 100, likely / 10_000]),
    ]


def _descent(
    rules: Rules, tried: Callable[[Rules], Trial], steps: Iterable[tuple[str, list[float]]]
) -> list[Trial]:
    """The present rules, then each rule's stricter values while they keep enough, on top of what was best so far."""
    trials = [tried(rules)]
    best, fewest = rules, trials[0].others
    for name, values in steps:
        base = best
        for value in values:
            given: dict[str, Any] = {name: value}
            changed = replace(base, **given)
            trial = tried(changed)
            trials.append(trial)
            if not trial.keeps:
                break
            if trial.others < fewest:
                best, fewest = changed, trial.others
    return trials


def _same(item: Judged, other: Raised) -> bool:
    return other.problem_id == item.problem_id and abs(other.opened_at - item.at) <= SAME


def _suggestion(
    judged: Sequence[Judged],
    trials: Sequence[Trial],
    changes: Sequence[tuple[str, float]],
    best: Sequence[Trial],
    present: Sequence[Trial],
) -> Suggestion:
    counted = [item for item in judged if item.kind in TRIED]
    useful = sum(item.useful for item in counted)
    noise = len(counted) - useful
    before = sum(trial.others for trial in present)
    kept, others = sum(trial.kept for trial in best), sum(trial.others for trial in best)
    resting = sum(trial.useful for trial in best)
    if not trials:
        reason: SuggestionReason = "too_few"
    elif not best:
        reason = "none_keeps"
    else:
        reason = "better" if changes else "best_already"
    return Suggestion(
        reason=reason,
        changes=tuple(changes) if reason == "better" else (),
        useful=useful,
        noise=noise,
        kept=kept,
        others=others,
        before=before,
        trials=tuple(trials),
        words=_words(reason, useful, kept, resting or sum(trial.useful for trial in present), others, before),
    )


def _words(
    reason: SuggestionReason, useful: int, kept: int, resting: int, others: int, before: int
) -> dict[str, str]:
    if reason == "too_few":
        return {
            "en": f"{useful} alerts of this span were of use; it takes {LEAST_USEFUL} of one kind to suggest "
            "thresholds for it.",
            "zh": f"这段时间内有 {useful} 条预警被证明有用；同一类至少要有 {LEAST_USEFUL} 条，才能据此建议阈值。",
        }
    if reason == "none_keeps":
        return {
            "en": f"The present rules raise {resting} of the {useful} useful alerts again; it takes {LEAST_USEFUL} of "
            "one kind to suggest thresholds for it.",
            "zh": f"现行规则只能再现 {useful} 条有用预警中的 {resting} 条；同一类至少要有 {LEAST_USEFUL} 条，"
            "才能据此建议阈值。",
        }
    low, high = wilson(kept / resting, resting)
    sure_en = (
        f"This rests on {resting} useful alerts: of others like them {low:.0%} to {high:.0%} would be kept."
    )
    sure_zh = f"依据是 {resting} 条有用预警：同类预警预计可保留 {low:.0%} 至 {high:.0%}。"
    if reason == "best_already":
        return {
            "en": f"None of the stricter thresholds keeps {KEPT:.0%} of the useful alerts that come now with fewer "
            f"others than now ({before}). {sure_en}",
            "zh": f"没有更严的阈值能在保留现有有用预警的 {KEPT:.0%} 的同时减少其他预警（现为 {before} 条）。{sure_zh}",
        }
    return {
        "en": f"{kept} of {resting} useful alerts would have come, and {others} others instead of {before}. {sure_en}",
        "zh": f"{resting} 条有用预警会保留 {kept} 条，其他预警由 {before} 条变为 {others} 条。{sure_zh}",
    }
