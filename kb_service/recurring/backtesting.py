"""Rules tried on a shop's own past: what was raised, what the present rules would raise, and what others would."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from graph.backtests import (
    WARM_UP,
    Act,
    Change,
    Past,
    Raised,
    Summary,
    Told,
    arrived_in_order,
    changes,
    raised,
    summarised,
)
from graph.lifecycle import Action
from graph.models import Alert, AlertKind, Problem
from graph.rules import Rules
from graph.thresholds import Judged, Suggestion, suggested
from kb_service import timezones
from kb_service.errors import InvalidRequest
from kb_service.store import Store, Unit
from kb_service.store.values import AuditEntry

LONGEST = timedelta(days=90)
MOST_EVENTS = 1_000_000
"""Events that one trial hears at most; they are held in memory while it runs."""
JUDGED_WITHIN = timedelta(hours=72)
"""How long people have to take an alert up before it counts as noise."""
ACTS: Mapping[str, Action] = {
    f"problem.{action}": action for action in ("acknowledge", "resolve", "reopen", "silence")
}
"""What people do that bears on alerts, by the audit's name for it."""
TAKEN_UP = ("problem.acknowledge", "problem.resolve")

Label: TypeAlias = Literal["useful", "noise"]


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried: a span of event time, other rules, and the kinds of alerts to look at, all where none is named.

    `labels` says of alerts, by id, whether they were of use; for the others that follows from what people did.
    """

    begin: datetime
    end: datetime
    change: Callable[[Rules], Rules]
    kinds: Collection[AlertKind] = ()
    suggest: bool = False
    labels: Mapping[str, Label] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alerts:
    """Some alerts in order of time, and what they come to."""

    alerts: tuple[Raised, ...]
    summary: Summary


@dataclass(frozen=True, slots=True)
class Backtest:
    """`events` are those of the span, `messages` those of customers about problems, by hour. `changes` lead from the
    present rules, `rules`, to the proposed ones, `tried`; `problems` holds those that any alert is about, by id."""

    begin: datetime
    end: datetime
    events: int
    as_it_was: Alerts
    present: Alerts
    proposed: Alerts
    changes: tuple[Change, ...]
    problems: Mapping[str, Problem]
    suggestion: Suggestion | None
    messages: Mapping[datetime, int]
    rules: Rules
    tried: Rules


class Backtesting:
    """Tries rules on what the store holds. It reads one snapshot and holds nobody up."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def span(self, workspace: str, days: int) -> tuple[datetime, datetime]:
        """The last days of what was heard: up to now, or to the latest event of a history that ends before."""
        with self._store.reading(workspace) as unit:
            latest = unit.events.latest_at()
        end = min(self._clock(), latest or self._clock())
        return end - timedelta(days=days), end

    def position(self, workspace: str) -> int:
        """The end of the change log: what is run at the same one comes to the same."""
        return self._store.position(workspace)

    def run(self, workspace: str, trial: Trial, told: Callable[[float], None] | None = None) -> Backtest:
        """What some rules would have raised. Raises InvalidRequest for a span that cannot be. `told` is called now and
        then with the share that is done; what it raises ends the run."""
        _check(trial)
        with self._store.reading(workspace) as unit:
            rules = unit.rules.get()
            since = trial.begin - WARM_UP
            many = unit.events.count_between(since, trial.end)
            if many > MOST_EVENTS:
                raise InvalidRequest.of(
                    "to",
                    "the span and the eight weeks before it hold more than {most} events; take a shorter one",
                    most=MOST_EVENTS,
                )
            events = unit.events.count_between(trial.begin, trial.end)
            alerts = unit.alerts.all()
            audit = unit.audit.of_actions(ACTS.keys())
            past = _past(unit, since, trial.end, alerts, audit)
            accepted = _accepted(unit) if trial.suggest else {}
            known = {problem.id: problem for problem in unit.problems.all()}
        proposed = trial.change(rules)
        survivors = _survivors(known.values())
        was = _really(alerts, past, trial, survivors)
        parts = _Parts(told, 1 + (proposed != rules) + 2 * trial.suggest)
        all_present = self._raised(past, rules, trial, parts.next())
        all_tried = all_present if proposed == rules else self._raised(past, proposed, trial, parts.next())
        present, tried = _within(all_present, trial), _within(all_tried, trial)
        suggestion = None
        if trial.suggest:
            judged = list(_judged(alerts, audit, accepted, trial, self._clock(), survivors))
            suggestion = suggested(
                past,
                rules,
                timezones.zone(rules.timezone),
                judged,
                begin=trial.begin,
                end=trial.end,
                heard=parts.next(2),
            )
        named = {item.problem_id for found in (was, all_present, all_tried) for item in found}
        return Backtest(
            begin=trial.begin,
            end=trial.end,
            events=events,
            as_it_was=_alerts(was, trial),
            present=_alerts(present, trial),
            proposed=_alerts(tried, trial),
            changes=tuple(
                item for change in changes(all_present, all_tried) if (item := change.since(trial.begin))
            ),
            problems={id: problem for id, problem in known.items() if id in named},
            suggestion=suggestion,
            messages=Counter(
                item.at.replace(minute=0, second=0, microsecond=0)
                for item in past.arrivals
                if item.problem_id is not None and trial.begin <= item.at
            ),
            rules=rules,
            tried=proposed,
        )

    def messages(
        self, workspace: str, problem_id: str, begin: datetime, end: datetime
    ) -> Mapping[datetime, int]:
        """Customers' messages of one problem in a span, by hour."""
        with self._store.reading(workspace) as unit:
            counts = unit.events.counts_by_hour(problem_id, begin)
        return {count.hour: count.events for count in counts if count.hour <= end}

    def _raised(self, past: Past, rules: Rules, trial: Trial, heard: Callable[[float], None]) -> list[Raised]:
        """All that is raised up to the end of the span: also what comes before it, since under other rules that may
        come within."""
        zone = timezones.zone(rules.timezone)
        bursts = not trial.kinds or bool({"burst", "growth"} & set(trial.kinds))
        return raised(
            past, rules, zone, begin=None, end=trial.end, kinds=trial.kinds, bursts=bursts, heard=heard
        )


class _Parts:
    """A run told of as one: each of its parts has its share of the whole."""

    def __init__(self, told: Callable[[float], None] | None, parts: int) -> None:
        self._told = told
        self._parts = parts
        self._begun = 0

    def next(self, parts: int = 1) -> Callable[[float], None]:
        """What the next part, or several as one, is to call with the share of itself that is done."""
        before = self._begun
        self._begun += parts

        def heard(share: float) -> None:
            if self._told is not None:
                self._told((before + share * parts) / self._parts)

        return heard


def _check(trial: Trial) -> None:
    if trial.begin >= trial.end:
        raise InvalidRequest.of(
            "from", "must be before {end}, the end of the span", end=trial.end.isoformat()
        )
    if trial.end - trial.begin > LONGEST:
        raise InvalidRequest.of("from", "must be at most {days} days before the end", days=LONGEST.days)


def _alerts(found: Sequence[Raised], trial: Trial) -> Alerts:
    return Alerts(tuple(found), summarised(found, trial.begin, trial.end))


def _within(found: Sequence[Raised], trial: Trial) -> list[Raised]:
    return [item for item in found if trial.begin <= item.opened_at]


def _survivors(problems: Iterable[Problem]) -> dict[str, str]:
    """The problem that took each merged one up."""
    return {alias: problem.id for problem in problems for alias in problem.aliases}


def _past(
    unit: Unit, since: datetime, until: datetime, alerts: Sequence[Alert], audit: Sequence[AuditEntry]
) -> Past:
    survivors = _survivors(unit.problems.all())
    return Past(
        arrivals=arrived_in_order(list(unit.events.arrivals(since, until))),
        acts=tuple(sorted((_act(entry, survivors) for entry in audit), key=lambda act: act.at)),
        told=tuple(
            Told(survivors.get(alert.problem_id, alert.problem_id), alert.kind, alert.opened_at)
            for alert in alerts
            if alert.opened_at < since
        ),
    )


def _act(entry: AuditEntry, survivors: Mapping[str, str]) -> Act:
    detail: Mapping[str, Any] = entry.detail
    until = detail.get("until")
    return Act(
        at=entry.at,
        problem_id=survivors.get(entry.object, entry.object),
        action=ACTS[entry.action],
        until=datetime.fromisoformat(until) if until else None,
        customers=detail.get("customers"),
        escalation=bool(detail.get("escalation")),
    )


def _really(alerts: Sequence[Alert], past: Past, trial: Trial, survivors: Mapping[str, str]) -> list[Raised]:
    """The alerts that were raised, each with how long before it the first customer of its window wrote; those of a
    problem that was merged since stand under the one that took it up."""
    wanted = [
        replace(alert, problem_id=survivors.get(alert.problem_id, alert.problem_id))
        for alert in alerts
        if trial.begin <= alert.opened_at <= trial.end and (not trial.kinds or alert.kind in trial.kinds)
    ]
    times: defaultdict[str, list[datetime]] = defaultdict(list)
    about = {alert.problem_id for alert in wanted}
    for item in past.arrivals:
        if item.problem_id in about:
            times[item.problem_id].append(item.at)
    found = []
    for alert in wanted:
        begin = alert.opened_at - timedelta(minutes=alert.evidence.window_minutes)
        heard = (at for at in times[alert.problem_id] if begin < at <= alert.opened_at)
        waited = alert.opened_at - min(heard, default=alert.opened_at)
        found.append(Raised(alert.problem_id, alert.kind, alert.opened_at, alert.evidence, waited))
    return found


def _accepted(unit: Unit) -> dict[str, datetime]:
    """The proposals that somebody accepted, and when."""
    found: dict[str, datetime] = {}
    cursor: str | None = None
    while True:
        page = unit.proposals.page(cursor, 200, state="accepted")
        found.update((item.id, item.decided_at) for item in page.items if item.decided_at is not None)
        if (cursor := page.next_cursor) is None:
            return found


def _judged(
    alerts: Sequence[Alert],
    audit: Sequence[AuditEntry],
    accepted: Mapping[str, datetime],
    trial: Trial,
    now: datetime,
    survivors: Mapping[str, str],
) -> Iterator[Judged]:
    """Which alerts of the span were of use: those that people say were, took up within JUDGED_WITHIN or accepted a
    proposal of. One that still may be taken up counts for neither. What was merged since counts as its survivor, by
    whose name its messages are heard."""
    taken: defaultdict[str, list[datetime]] = defaultdict(list)
    for entry in audit:
        if entry.action in TAKEN_UP:
            taken[survivors.get(entry.object, entry.object)].append(entry.at)
    for alert in alerts:
        if not trial.begin <= alert.opened_at <= trial.end:
            continue
        label = trial.labels.get(alert.id)
        problem_id = survivors.get(alert.problem_id, alert.problem_id)
        in_time = any(timedelta(0) <= at - alert.opened_at <= JUDGED_WITHIN for at in taken[problem_id])
        decided = accepted.get(alert.proposal_id) if alert.proposal_id is not None else None
        led = decided is not None and alert.opened_at <= decided
        useful = label == "useful" if label is not None else in_time or led
        if useful or label is not None or alert.opened_at + JUDGED_WITHIN < now:
            yield Judged(problem_id, alert.kind, alert.opened_at, useful)
