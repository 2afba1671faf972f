"""What keeps going wrong, and what people do about it: problems and alerts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from graph import lifecycle
from graph.lifecycle import Action
from graph.models import Alert, Problem, ProblemState
from graph.parents import placed_under
from kb_service.delivery.announcing import announce
from kb_service.delivery.messages import problem_data
from kb_service.errors import Conflict, InvalidRequest, NotFound
from kb_service.lookups import found_problem
from kb_service.models import (
    AlertView,
    HourOfProblem,
    LinkedDocument,
    Principal,
    ProblemDetail,
    ProblemView,
)
from kb_service.recurring.concerned import customers_since_opening, owner_of
from kb_service.recurring.following_up import standing
from kb_service.recurring.notes import noted
from kb_service.recurring.quoting import quoted
from kb_service.recurring.steps import lead_alerts, taken
from kb_service.recurring.undoing import former, put_back, undoable
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.store import Page, Store, Unit

COUNTS = timedelta(days=14)
"""The span of a problem's counts by hour."""
EXAMPLES = 8
QUOTED_FROM = 40
"""The latest messages of a problem among which those that are quoted are chosen."""


class Problems:
    """Problems and alerts of every workspace."""

    def __init__(self, store: Store, replicas: Replicas, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._replicas = replicas
        self._clock = clock

    def problems(
        self,
        workspace: str,
        cursor: str | None,
        limit: int,
        *,
        emerging: bool | None,
        evergreen: bool | None,
        **filters: Any,
    ) -> Page[ProblemView]:
        """A stretch of the problems."""
        self.wake(workspace)
        with self._store.reading(workspace) as unit:
            watermark = unit.events.latest_at() or self._clock()
            new_since = watermark - lifecycle.EMERGING_FOR
            page = unit.problems.page(
                cursor,
                limit,
                opened_after=new_since if emerging else None,
                opened_by=new_since if emerging is False else None,
                evergreen=evergreen,
                **filters,
            )
        replica = self._replicas.at_hand(workspace)
        return Page(tuple(view_of(item, watermark, replica) for item in page.items), page.next_cursor)

    def problem(self, workspace: str, problem_id: str) -> ProblemDetail:
        """One problem with its evidence, its counts over the last fortnight of event time, and what it hangs on."""
        self.wake(workspace)
        replica = self._replicas.at_hand(workspace)
        with self._store.reading(workspace) as unit:
            [problem] = unit.problems.counted_in_all([found_problem(unit, problem_id)])
            watermark = unit.events.latest_at() or self._clock()
            counts = unit.events.counts_by_hour(problem.id, watermark - COUNTS)
            recent = [item.event for item in unit.events.of_problem(problem.id, limit=QUOTED_FROM)]
            alerts = unit.alerts.of_problem(problem.id)
            follow_up = standing(unit, problem)
        linked = replica.answers_of(problem)
        newest = max(alerts, key=lambda alert: alert.opened_at, default=None)
        return ProblemDetail(
            view=view_of(problem, watermark, replica),
            evidence=newest.evidence.words if newest else counted(problem),
            counts=tuple(HourOfProblem(item.hour, item.events, item.customers) for item in counts),
            examples=tuple(event.text or "" for event in quoted(recent, EXAMPLES)),
            answers=tuple(item for item in linked if item.kind in ("faq", "product")),
            policies=_of_kind(linked, "policy"),
            resolutions=_of_kind(linked, "resolution"),
            alerts=tuple(alert.id for alert in alerts),
            follow_up=follow_up,
        )

    def graph(self, workspace: str, problem_id: str | None, hops: int) -> dict[str, Any]:
        """The graph as it is valid now: a document that has expired is not in it."""
        replica = self._replicas.settled(workspace)
        now = self._clock()
        if problem_id is None:
            return replica.graph.node_link(at=now)
        with self._store.reading(workspace) as unit:
            problem = found_problem(unit, problem_id)
        return replica.graph.subgraph(problem.id, hops, at=now)

    def act(self, caller: Principal, problem_id: str, action: Action, **arguments: Any) -> ProblemView:
        """Acknowledge, resolve, reopen or silence a problem; its alerts follow. A silence takes `until`, `count` and
        `escalation`: it ends when the problem escalates beyond what it is now. A `note` is kept in the audit,
        masked."""
        return self._change_problem(caller, problem_id, action, **arguments)

    def rename(self, caller: Principal, problem_id: str, names: dict[str, str]) -> ProblemView:
        return self._change_problem(caller, problem_id, "rename", names=names)

    def own(self, caller: Principal, problem_id: str, agent_id: str | None) -> ProblemView:
        """Give a problem an owner, or with None none."""
        with self._store.reading(caller.workspace) as unit:
            found_problem(unit, problem_id)
            if agent_id is not None and unit.agents.get(agent_id) is None:
                raise InvalidRequest.of("agent_id", "there is no agent {id}", id=agent_id)
        return self._change_problem(caller, problem_id, "assign", agent_id=agent_id)

    def undo(self, caller: Principal, problem_id: str, step: int) -> ProblemView:
        """Take back what was last done to a problem: acknowledged, resolved, reopened, silenced or given an owner.
        `step` is the audit's entry of it, see `ProblemView.step`. Raises Conflict where something was done since."""
        now = self._clock()
        replica = self._replicas.settled(caller.workspace)
        with replica.lock:
            with self._store.writing(caller.workspace) as unit:
                before = found_problem(unit, problem_id)
                problem = put_back(unit, before, step, now, caller.key_id)
                watermark = unit.events.latest_at() or now
            replica.follow()
        return view_of(problem, watermark, replica)

    def unname(
        self, caller: Principal, problem_id: str, step: int, names: Mapping[str, str], *, by_person: bool
    ) -> ProblemView:
        """Give a problem the names back that it had before it was renamed, in those languages alone; `by_person` says
        whether a person gave those too, `step` is the audit's entry of the renaming. Raises Conflict where something
        was done since."""
        replica = self._replicas.settled(caller.workspace)
        with replica.lock:
            with self._store.writing(caller.workspace) as unit:
                before = found_problem(unit, problem_id)
                if undoable(unit, before.id, step).action != "problem.rename":
                    raise Conflict("This cannot be taken back.")
                named = lifecycle.transition(before, "rename", self._clock(), names=names)
                problem = replace(named, names=dict(names), named_by_person=by_person)
                unit.problems.put(problem)
                detail = {"step": "problem.rename", "before": before.state, "state": problem.state}
                unit.audit.append(caller.key_id, "problem.undone", problem.id, detail)
                watermark = unit.events.latest_at() or self._clock()
            replica.follow()
        return view_of(problem, watermark, replica)

    def _change_problem(
        self, caller: Principal, problem_id: str, action: Action, *, note: str | None = None, **given: Any
    ) -> ProblemView:
        now = self._clock()
        step: int | None = None
        replica = self._replicas.settled(caller.workspace)
        with replica.lock:
            with self._store.writing(caller.workspace) as unit:
                before = found_problem(unit, problem_id)
                if given.pop("escalation", False):
                    given["customers_a_day"] = _a_day(unit, before, now)
                after = lifecycle.transition(before, action, now, **given)
                expertise_id = replica.expertise_of(after)
                problem = taken(unit, before, after, now, expertise_id=expertise_id, actor=caller.key_id)
                unit.problems.put(problem)
                if action == "reopen":
                    lead_alerts(unit, problem, before)
                if note or not _again(action, before, now):
                    detail = {"before": before.state, **_audited(action, problem), **noted(note)}
                    if action != "rename":
                        detail |= former(before, now)
                    step = unit.audit.append(caller.key_id, f"problem.{action}", problem.id, detail)
                if action == "resolve" and before.state != "resolved":
                    _announce_resolved(unit, problem, expertise_id, now)
                watermark = unit.events.latest_at() or now
            replica.follow()
        return replace(view_of(problem, watermark, replica), step=step, before=before)

    def place(self, caller: Principal, problem_id: str, parent_id: str | None) -> ProblemView:
        """Let a problem come under another one, whose alerts then speak for it; or under none."""
        replica = self._replicas.settled(caller.workspace)
        with replica.lock:
            with self._store.writing(caller.workspace) as unit:
                before = found_problem(unit, problem_id)
                parent = found_problem(unit, parent_id) if parent_id is not None else None
                above = parent.id if parent is not None else None
                problem = placed_under(before, above, unit.problems.parent_of)
                unit.problems.put(problem)
                detail = {"parent": above, "before": before.parent_id}
                unit.audit.append(caller.key_id, "problem.parent", problem.id, detail)
                watermark = unit.events.latest_at() or self._clock()
            replica.follow()
        return replace(view_of(problem, watermark, replica), before=before)

    def wake(self, workspace: str) -> None:
        """Open the problems whose silence has ended by time: nobody else tells."""
        now = self._clock()
        replica = self._replicas.at_hand(workspace)
        over = [known for known in list(replica.problems.values()) if lifecycle.awakened(known, now) != known]
        if not over:
            return
        if not replica.settled:
            # Whoever derives it holds its lock for long, and follows the log when that is done.
            self._open_again(workspace, over, now)
            return
        with replica.lock:
            self._open_again(workspace, over, now)
            replica.follow()

    def _open_again(self, workspace: str, silent: Sequence[Problem], now: datetime) -> None:
        with self._store.writing(workspace) as unit:
            for known in silent:
                problem = unit.problems.get(known.id)
                if problem is not None and (open_again := lifecycle.awakened(problem, now)) != problem:
                    unit.problems.put(taken(unit, problem, open_again, now, expertise_id=None))

    # --- alerts

    def alerts(self, workspace: str, cursor: str | None, limit: int, **filters: Any) -> Page[AlertView]:
        self.wake(workspace)
        with self._store.reading(workspace) as unit:
            page = unit.alerts.page(cursor, limit, **filters)
            return Page(alert_views(unit, page.items), page.next_cursor)

    def alert(self, workspace: str, alert_id: str) -> AlertView:
        self.wake(workspace)
        with self._store.reading(workspace) as unit:
            alert = unit.alerts.get(alert_id)
            if alert is None:
                raise NotFound("There is no alert {id} in this workspace.", id=alert_id)
            (view,) = alert_views(unit, [alert])
            [problem] = unit.problems.counted_in_all([view.problem])
            return replace(view, problem=problem)


def view_of(problem: Problem, watermark: datetime, replica: Replica) -> ProblemView:
    """Emerging and evergreen are separate axes: the first is new, the second has been asked for long by many."""
    known = replica.problems.get(problem.id)
    if problem.all_customers is None and lifecycle.episode_begin(problem) is not None and known is not None:
        problem = replace(problem, all_customers=known.all_customers)
    return ProblemView(
        replace(problem, expertise_id=problem.expertise_id or replica.expertise_of(problem)),
        emerging=lifecycle.emerging(problem, watermark),
        evergreen=lifecycle.evergreen(problem),
    )


def counted(problem: Problem) -> dict[str, str]:
    return {
        "zh": f"{problem.customers_ever} 位顾客，共 {problem.events} 条消息；尚未触发预警。",
        "en": f"{problem.customers_ever} customers, {problem.events} messages; no alert so far.",
    }


def _of_kind(linked: Sequence[LinkedDocument], kind: str) -> tuple[LinkedDocument, ...]:
    return tuple(item for item in linked if item.kind == kind)


def alert_views(unit: Unit, alerts: Sequence[Alert]) -> tuple[AlertView, ...]:
    """Alerts with their problems, those problems' owners, and how far each was told."""
    notices = unit.notices.of_alerts([alert.id for alert in alerts])
    problems = {problem.id: problem for problem in unit.problems.some({item.problem_id for item in alerts})}
    owned = any(problem.owner_id is not None for problem in problems.values())
    agents = {agent.id: agent for agent in unit.agents.all()} if owned else {}
    return tuple(
        AlertView(
            alert,
            problems[alert.problem_id],
            agents.get(problems[alert.problem_id].owner_id or ""),
            notices.get(alert.id),
        )
        for alert in alerts
    )


def _a_day(unit: Unit, problem: Problem, now: datetime) -> int:
    """How many customers wrote of a problem in the 24 hours up to the latest event."""
    until = unit.events.latest_at() or now
    seen = unit.problems.observations(problem.id, until - timedelta(days=1))
    return lifecycle.customers_in_a_day(seen, until)


def _again(action: Action, before: Problem, now: datetime) -> bool:
    """Whether somebody does what was done already: that changes nothing."""
    done: dict[Action, ProblemState] = {"acknowledge": "acknowledged", "resolve": "resolved"}
    return action in done and lifecycle.effective_state(before, now) == done[action]


def _audited(action: Action, problem: Problem) -> dict[str, Any]:
    """What the audit keeps of an action besides the state before."""
    if action == "assign":
        return {"owner": problem.owner_id}
    if action != "silence":
        return {}
    until = problem.silenced_until
    return {
        "until": until.isoformat() if until is not None else None,
        "customers": problem.silenced_count,
        "escalation": problem.silenced_rate is not None,
    }


def _announce_resolved(unit: Unit, problem: Problem, expertise_id: str | None, at: datetime) -> None:
    data = problem_data(problem, at, customers_since_opening(unit, problem), owner_of(unit, problem))
    announce(unit, "problem.resolved", data, at, products=problem.products, expertise=expertise_id)
