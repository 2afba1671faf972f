"""When an alert is told: at once, together with others of its group, in the digest, after its parent, or not at all.

The rules are those of Prometheus Alertmanager (group_wait, group_interval, repeat_interval, inhibition; see
prometheus.io/docs/alerting/latest/alertmanager), with a digest for what is not urgent. All times here are of the wall
clock, but for `Alert.opened_at` and `Problem.active_at`, which are event time and near it while the stream is live.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Literal, TypeAlias

from graph.lifecycle import emerging
from graph.models import Alert, Problem
from graph.recurrence import duration
from graph.rules import Rules

STALE = timedelta(hours=24)
"""What opened longer ago is stored, not told."""
INHIBITS = timedelta(hours=12)
"""How long after it was told a parent's alert speaks for its children."""
GOES_ON = timedelta(hours=12)
"""A problem goes on while somebody wrote of it within this time."""
QUIET = timedelta(days=7)
"""After this time without a word about its problem an alert is not looked at any more."""
LARGER = 2.0
"""A burst is told again when it has so many times the customers that were told."""
SAME = timedelta(hours=1)
"""A burst that follows what was told of its problem within this time is no news unless it is LARGER."""
LOOK = timedelta(seconds=30)
BURST_LOOK = timedelta(minutes=1)
GROWTH_LOOK = timedelta(hours=1)
"""How often what is inhibited, what bursts and what grows slowly is looked at again."""

NoticeState: TypeAlias = Literal["waiting", "inhibited", "told", "over"]
NoticeReason: TypeAlias = Literal[
    "first_of_group",
    "gathered",
    "interval",
    "digest",
    "inhibited",
    "told_already",
    "stale",
    "silenced",
    "taken_up",
    "resolved",
    "quiet",
    "superseded",
    "woken",
]
_LET_GO: tuple[NoticeReason, ...] = ("taken_up", "resolved")
"""Why a notice is over that somebody saw to before it was told."""
Escalation: TypeAlias = Literal["unacknowledged", "larger", "silence_over"]


@dataclass(frozen=True, slots=True)
class Group:
    """What alerts have in common that are told together."""

    by: Literal["expertise", "product", "problem"]
    value: str


@dataclass(frozen=True, slots=True)
class Notice:
    """How far the telling of one alert has come, and why.

    `due_at` is when it is to be looked at again, None when that is never. `told_at` is when its opening was told,
    `last_told_at` that or the latest escalation, `told_customers` how many customers were told last.
    `inhibited_by` is the alert that spoke for it. `acknowledged` says that its problem was acknowledged already when
    it opened, and has been so ever since: nobody has taken up what is new.
    """

    alert_id: str
    group: Group
    state: NoticeState
    reason: NoticeReason
    due_at: datetime | None = None
    told_at: datetime | None = None
    last_told_at: datetime | None = None
    told_customers: int = 0
    inhibited_by: str | None = None
    acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class GroupTold:
    """When alerts of a group were told last, and as what."""

    at: datetime
    reason: NoticeReason


@dataclass(frozen=True, slots=True)
class Parent:
    """What stands above a problem. `alert_id` is an alert that speaks for it now, None where none does;
    `resolved_at` is when the parent was resolved, None while it is not."""

    alert_id: str | None = None
    resolved_at: datetime | None = None


NO_PARENT = Parent()


@dataclass(frozen=True, slots=True)
class Leader:
    """The alert of most customers of the incident that another one belongs to, with its group. `shares` is what both
    speak of, `leads` whether its customers are as many as those of the other at least: then it speaks for both."""

    alert_id: str
    group: Group
    shares: tuple[str, ...]
    leads: bool


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was told of the same problem within SAME before a burst: how many `customers`, and how many they are
    `together` with those of the burst by now."""

    customers: int
    together: int

    @property
    def says_it(self) -> bool:
        """Whether the burst would tell nothing that was not told."""
        return self.together < LARGER * max(1, self.customers)


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a notice came to: the notice as it is now, and why it is told again, None where it is not."""

    notice: Notice
    escalation: Escalation | None = None


def group_of(alert: Alert) -> Group:
    """The group of an alert: its expertise, else its first product, else its problem itself."""
    if alert.expertise_id is not None:
        return Group("expertise", alert.expertise_id)
    if alert.products:
        return Group("product", alert.products[0])
    return Group("problem", alert.problem_id)


def urgent(alert: Alert, problem: Problem) -> bool:
    """Whether an alert is told without waiting for the digest: all but the recurrence of an old problem."""
    return alert.kind != "recurrence" or emerging(problem, alert.opened_at)


def first_look(
    alert: Alert,
    problem: Problem,
    rules: Rules,
    *,
    now: datetime,
    zone: tzinfo,
    last: GroupTold | None,
    parent: Parent = NO_PARENT,
    earlier: Earlier | None = None,
    group: Group | None = None,
) -> Notice:
    """What becomes of an alert that has just opened. `last` is of its group; a notice that is `told` goes now. `group`
    is that of the incident it belongs to, None where it is of none.

    Reasons: stale, inhibited, told_already, digest, first_of_group, gathered, interval.
    """
    notice = Notice(
        alert.id,
        group or group_of(alert),
        "waiting",
        "digest",
        told_customers=alert.evidence.customers,
        acknowledged=problem.state == "acknowledged",
    )
    if alert.opened_at <= now - STALE:
        return replace(notice, state="over", reason="stale")
    if parent.alert_id is not None:
        return _inhibited(notice, parent.alert_id, now)
    if earlier is not None and earlier.says_it:
        return replace(notice, reason="told_already", due_at=now + BURST_LOOK)
    if not urgent(alert, problem):
        return replace(notice, due_at=next_digest(now, zone, rules.digest_hour))
    return _in_turn(notice, alert, rules, now, last)


def look_before(
    notice: Notice,
    alert: Alert,
    problem: Problem,
    rules: Rules,
    *,
    now: datetime,
    zone: tzinfo,
    last: GroupTold | None,
    parent: Parent = NO_PARENT,
    earlier: Earlier | None = None,
) -> Notice:
    """What becomes of a notice that was not told yet, when it is due. One that is `told` goes now.

    What was acknowledged or resolved since its alert opened is not told any more, what is silenced waits. A burst that
    tells nothing new waits until it is LARGER, and is let go when it is not after GOES_ON. A child whose
    parent was resolved takes its turn once somebody writes of it after that; it is let go when that has not happened
    for GOES_ON.
    """
    if problem.state == "resolved" or alert.state == "resolved":
        return _over(notice, "resolved")
    if problem.state == "acknowledged" and not notice.acknowledged:
        return _over(notice, "taken_up")
    notice = replace(notice, acknowledged=problem.state == "acknowledged")
    if problem.state == "silenced":
        end = problem.silenced_until
        hour = now + timedelta(hours=1)
        return replace(notice, reason="silenced", due_at=min(end, hour) if end is not None else hour)
    if parent.alert_id is not None:
        return _inhibited(notice, parent.alert_id, now)
    if notice.state == "inhibited" and not _released(problem, parent, now):
        resolved = parent.resolved_at
        waits = resolved is not None and now <= resolved + GOES_ON
        return replace(notice, due_at=now + LOOK) if waits else _over(notice, "quiet")
    if notice.reason == "told_already" and earlier is not None and earlier.says_it:
        lasts = alert.opened_at > now - GOES_ON
        return replace(notice, due_at=now + BURST_LOOK) if lasts else _over(notice, "told_already")
    if notice.reason not in ("inhibited", "silenced", "told_already", *_LET_GO):
        return _told(notice, alert, rules, now)
    if not urgent(alert, problem):
        due = next_digest(now, zone, rules.digest_hour)
        return replace(notice, state="waiting", reason="digest", due_at=due)
    return _in_turn(notice, alert, rules, now, last)


def look_after(
    notice: Notice,
    alert: Alert,
    problem: Problem,
    rules: Rules,
    *,
    now: datetime,
    customers: int,
    newest: bool,
) -> Look:
    """What becomes of a notice that was told, when it is due.

    It is told again when a burst or a growth has LARGER times the customers that were told (`customers`: distinct, in
    the alert's own window up to now), once per doubling; when its problem, silenced until it gets worse, got worse
    (`woken`); and after `rules.repeat_hours` while nobody has taken it up and its problem goes on. What went to the
    digest is not repeated, nor an alert with a newer one (`newest` False).
    """
    if problem.state == "resolved" or alert.state == "resolved":
        return Look(_over(notice, "resolved"))
    if not newest:
        return Look(_over(notice, "superseded"))
    if problem.active_at < now - QUIET:
        return Look(_over(notice, "quiet"))
    if problem.state != "silenced" and _grows(alert) and customers >= LARGER * max(1, notice.told_customers):
        told = replace(notice, last_told_at=now, told_customers=customers)
        return Look(_looked_at_again(told, alert, rules, now), "larger")
    if notice.reason == "woken" and problem.state != "silenced":
        told = replace(notice, last_told_at=now, reason="first_of_group")
        return Look(_looked_at_again(told, alert, rules, now), "silence_over")
    nobody = problem.state in ("open", "regressed", "candidate")
    going_on = problem.active_at > now - GOES_ON
    if nobody and going_on and _repeats(notice, rules) and now >= _repeat_at(notice, rules):
        told = replace(notice, last_told_at=now, told_customers=max(notice.told_customers, customers))
        return Look(_looked_at_again(told, alert, rules, now), "unacknowledged")
    return Look(_looked_at_again(notice, alert, rules, now, going_on=going_on))


def woken(notice: Notice, now: datetime) -> Notice:
    """The notice of an alert whose problem's silence ended since it got worse: it is told again at the next look."""
    return replace(notice, state="told", reason="woken", due_at=now) if notice.told_at is not None else notice


def resumed(notice: Notice, now: datetime) -> Notice:
    """The notice of an alert that nobody has taken up after all: where it was let go for that, without having been
    told, it takes its turn again."""
    let_go = notice.state == "over" and notice.told_at is None and notice.reason in _LET_GO
    return replace(notice, state="waiting", due_at=now) if let_go else notice


def next_digest(now: datetime, zone: tzinfo, hour: int) -> datetime:
    """The next time it is `hour` o'clock in `zone`, later than `now`."""
    local = now.astimezone(zone)
    today = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    following = today if today > local else today + timedelta(days=1)
    return following.astimezone(now.tzinfo)


def escalation_words(reason: Escalation, notice: Notice, customers: int, minutes: int) -> dict[str, str]:
    """Why an alert is told again, by language. `notice` is as it was before, `customers` in the last `minutes`."""
    if reason == "larger":
        span_en, span_zh = duration(minutes)
        return {
            "en": f"{customers} customers within {span_en}; {notice.told_customers} when it was told last.",
            "zh": f"{span_zh}内已有 {customers} 位顾客反映，上次通知时为 {notice.told_customers} 位。",
        }
    if reason == "silence_over":
        return {
            "en": "This was silenced until it gets worse, and it has.",
            "zh": "该问题此前被静默至情况加重为止，现在已经加重。",
        }
    told = notice.last_told_at.isoformat(timespec="minutes") if notice.last_told_at is not None else "-"
    return {
        "en": f"Nobody has taken this up since it was told at {told}, and customers still write of it.",
        "zh": f"自 {told} 通知以来尚无人处理，仍有顾客反映。",
    }


def _in_turn(notice: Notice, alert: Alert, rules: Rules, now: datetime, last: GroupTold | None) -> Notice:
    """At once where the group has been quiet, else with what follows the first alert, else at the next interval."""
    interval = timedelta(seconds=rules.group_interval_seconds)
    wait = timedelta(seconds=rules.group_wait_seconds)
    if last is None or now >= last.at + interval:
        return _told(replace(notice, reason="first_of_group"), alert, rules, now)
    if last.reason == "first_of_group" and now < last.at + wait:
        return replace(
            notice, state="waiting", reason="gathered", due_at=min(last.at + wait, last.at + interval)
        )
    return replace(notice, state="waiting", reason="interval", due_at=last.at + interval)


def _released(problem: Problem, parent: Parent, now: datetime) -> bool:
    """Whether somebody wrote of a child since its parent was resolved; lately, where the parent only fell silent."""
    return problem.active_at > (parent.resolved_at or now - GOES_ON)


def _told(notice: Notice, alert: Alert, rules: Rules, now: datetime) -> Notice:
    told = replace(notice, state="told", told_at=now, last_told_at=now)
    return _looked_at_again(told, alert, rules, now)


def _looked_at_again(
    notice: Notice, alert: Alert, rules: Rules, now: datetime, *, going_on: bool = True
) -> Notice:
    """When a notice that was told is due next: bursts that go on often, the others when they would be repeated."""
    due: datetime | None = None
    if _repeats(notice, rules):
        repeat = _repeat_at(notice, rules)
        due = repeat if repeat > now else now + timedelta(hours=1)
    if _grows(alert):
        soon = now + (BURST_LOOK if going_on and alert.kind == "burst" else GROWTH_LOOK)
        due = min(soon, due) if due is not None else soon
    return replace(notice, due_at=due)


def _repeats(notice: Notice, rules: Rules) -> bool:
    return rules.repeat_hours > 0 and notice.reason != "digest"


def _repeat_at(notice: Notice, rules: Rules) -> datetime:
    assert notice.last_told_at is not None
    return notice.last_told_at + timedelta(hours=rules.repeat_hours)


def _grows(alert: Alert) -> bool:
    return alert.kind in ("burst", "growth")


def _inhibited(notice: Notice, by: str, now: datetime) -> Notice:
    return replace(notice, state="inhibited", reason="inhibited", inhibited_by=by, due_at=now + LOOK)


def _over(notice: Notice, reason: NoticeReason) -> Notice:
    return replace(notice, state="over", reason=reason, due_at=None)
