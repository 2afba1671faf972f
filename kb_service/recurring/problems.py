"""What keeps going wrong, and what people do about it: problems, alerts, proposals and the rules behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from graph import lifecycle
from graph.lifecycle import Action
from graph.models import Alert, Problem, Proposal, Rules
from graph.priority import check_weights
from kb_service.delivery.endpoints import listeners
from kb_service.delivery.messages import problem_data
from kb_service.errors import Conflict, Forbidden, InvalidRequest, NotFound
from kb_service.ids import digest_id
from kb_service.lookups import found_case, found_problem
from kb_service.models import HourOfProblem, LinkedDocument, Principal, ProblemDetail, ProblemView
from kb_service.recurring.raising import lead_alerts, recount
from kb_service.replica import Replica
from kb_service.replicas import Replicas
from kb_service.routing import Routing
from kb_service.store import Page, Store, Unit

COUNTS = timedelta(days=14)
"""The span of a problem's counts by hour."""
EMERGING = timedelta(days=7)
"""A problem younger than this, by event time, is emerging."""
EXAMPLES = 8


class Problems:
    """Problems, alerts, proposals and rules of every workspace."""

    def __init__(
        self, store: Store, replicas: Replicas, routing: Routing, *, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._routing = routing
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
        """A stretch of the problems; a page may hold fewer than `limit` where an axis is asked for."""
        self._wake(workspace)
        with self._store.reading(workspace) as unit:
            watermark = unit.events.latest_at() or self._clock()
            page = unit.problems.page(cursor, limit, **filters)
        replica = self._replicas.settled(workspace)
        views = [_view(item, watermark, replica) for item in page.items]
        kept = [
            view
            for view in views
            if emerging in (None, view.emerging) and evergreen in (None, view.evergreen)
        ]
        return Page(tuple(kept), page.next_cursor)

    def problem(self, workspace: str, problem_id: str) -> ProblemDetail:
        """One problem with its evidence, its counts over the last fortnight of event time, and what it hangs on."""
        self._wake(workspace)
        replica = self._replicas.settled(workspace)
        with self._store.reading(workspace) as unit:
            problem = found_problem(unit, problem_id)
            watermark = unit.events.latest_at() or self._clock()
            counts = unit.events.counts_by_hour(problem.id, watermark - COUNTS)
            recent = unit.events.of_problem(problem.id, limit=EXAMPLES)
            alerts = unit.alerts.of_problem(problem.id)
        linked = replica.answers_of(problem)
        newest = max(alerts, key=lambda alert: alert.opened_at, default=None)
        return ProblemDetail(
            view=_view(problem, watermark, replica),
            evidence=newest.evidence.words if newest else _counted(problem),
            counts=tuple(HourOfProblem(item.hour, item.events, item.customers) for item in counts),
            examples=tuple(item.event.text for item in recent if item.event.text),
            answers=tuple(item for item in linked if item.kind in ("faq", "product")),
            policies=_of_kind(linked, "policy"),
            resolutions=_of_kind(linked, "resolution"),
            alerts=tuple(alert.id for alert in alerts),
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
        """Acknowledge, resolve, reopen or silence a problem; its alerts follow."""
        return self._change_problem(caller, problem_id, action, **arguments)

    def rename(self, caller: Principal, problem_id: str, names: dict[str, str]) -> ProblemView:
        return self._change_problem(caller, problem_id, "rename", names=names)

    def own(self, caller: Principal, problem_id: str, agent_id: str) -> ProblemView:
        with self._store.reading(caller.workspace) as unit:
            found_problem(unit, problem_id)
            if unit.agents.get(agent_id) is None:
                raise InvalidRequest.of("agent_id", "there is no agent {id}", id=agent_id)
        return self._change_problem(caller, problem_id, "assign", agent_id=agent_id)

    def _change_problem(
        self, caller: Principal, problem_id: str, action: Action, **given: Any
    ) -> ProblemView:
        now = self._clock()
        replica = self._replicas.settled(caller.workspace)
        with replica.lock:
            with self._store.writing(caller.workspace) as unit:
                before = found_problem(unit, problem_id)
                problem = lifecycle.transition(before, action, now, **given)
                unit.problems.put(problem)
                lead_alerts(unit, problem, before if action == "reopen" else None)
                unit.audit.append(caller.key_id, f"problem.{action}", problem.id, {"before": before.state})
                if action == "resolve" and before.state != "resolved":
                    _announce(unit, "problem.resolved", problem, now)
                watermark = unit.events.latest_at() or now
            replica.follow()
        return _view(problem, watermark, replica)

    def _wake(self, workspace: str) -> None:
        """Open the problems whose silence has ended by time: nobody else tells."""
        now = self._clock()
        replica = self._replicas.settled(workspace)
        over = [known for known in list(replica.problems.values()) if lifecycle.awakened(known, now) != known]
        if not over:
            return
        with replica.lock:
            with self._store.writing(workspace) as unit:
                for known in over:
                    problem = unit.problems.get(known.id)
                    if problem is not None and (open_again := lifecycle.awakened(problem, now)) != problem:
                        unit.problems.put(open_again)
                        lead_alerts(unit, open_again)
            replica.follow()

    def merge(self, caller: Principal, problem_id: str, into: str) -> ProblemView:
        """Put one problem's cases, alerts and id under another that survives."""
        replica = self._replicas.settled(caller.workspace)
        with replica.lock:
            with self._store.writing(caller.workspace) as unit:
                old, survivor = found_problem(unit, problem_id), found_problem(unit, into)
                if old.id == survivor.id:
                    raise InvalidRequest.of("into", "names the same problem; name another one")
                unit.problems.merge_alias(old.id, survivor.id)
                unit.audit.append(caller.key_id, "problem.merge", old.id, {"into": survivor.id})
                recount(unit, survivor.id)
                problem = found_problem(unit, survivor.id)
                lead_alerts(unit, problem)
                watermark = unit.events.latest_at() or self._clock()
            replica.follow()
        return _view(problem, watermark, replica)

    def split(self, caller: Principal, problem_id: str, case_ids: Sequence[str]) -> ProblemView:
        """Make a new problem of some of a problem's cases; returns the new one."""
        replica = self._replicas.settled(caller.workspace)
        with replica.lock:
            with self._store.writing(caller.workspace) as unit:
                old = found_problem(unit, problem_id)
                new = self._split_off(unit, old, case_ids)
                unit.audit.append(
                    caller.key_id, "problem.split", old.id, {"new": new.id, "cases": len(case_ids)}
                )
                recount(unit, old.id)
                recount(unit, new.id)
                # Messages moved: every process derives its problems anew, as this one does below.
                unit.changes.record("workspace", caller.workspace)
                problem = found_problem(unit, new.id)
                watermark = unit.events.latest_at() or self._clock()
            replica.reset()
        return _view(problem, watermark, replica)

    def _split_off(self, unit: Unit, old: Problem, case_ids: Sequence[str]) -> Problem:
        cases = [found_case(unit, case_id) for case_id in dict.fromkeys(case_ids)]
        strangers = [case.id for case in cases if case.problem_id != old.id]
        if strangers:
            raise InvalidRequest.of("case_ids", "{id} is not a case of this problem", id=strangers[0])
        events = [stored.event for case in cases for stored in unit.events.of_case(case.id)]
        theirs = {item.event_id for item in unit.problems.observations(old.id)}
        moved = [event for event in events if event.id in theirs]
        if len(moved) in (0, len(theirs)):
            raise InvalidRequest.of(
                "case_ids", "must be some of the cases that speak of this problem, not all and not none"
            )
        first = min(moved, key=lambda event: event.at)
        new = replace(
            old,
            id=_unused_id(unit, old.id, first.id),
            names=self._routing.name([event.text for event in moved if event.text]) or old.names,
            named_by_person=False,
            aliases=(),
            opened_at=first.at,
            episode_at=max(first.at, old.episode_at) if old.episode_at > old.opened_at else first.at,
        )
        unit.problems.put(new)
        unit.assignments.reassign([event.id for event in moved], new.id)
        for case in cases:
            unit.cases.put(replace(case, problem_id=new.id))
        return new

    # --- alerts, proposals, rules

    def alerts(
        self, workspace: str, cursor: str | None, limit: int, **filters: Any
    ) -> Page[tuple[Alert, Problem]]:
        self._wake(workspace)
        with self._store.reading(workspace) as unit:
            page = unit.alerts.page(cursor, limit, **filters)
            items = tuple((alert, found_problem(unit, alert.problem_id)) for alert in page.items)
        return Page(items, page.next_cursor)

    def alert(self, workspace: str, alert_id: str) -> tuple[Alert, Problem]:
        self._wake(workspace)
        with self._store.reading(workspace) as unit:
            alert = unit.alerts.get(alert_id)
            if alert is None:
                raise NotFound("There is no alert {id} in this workspace.", id=alert_id)
            return alert, found_problem(unit, alert.problem_id)

    def proposals(self, workspace: str, cursor: str | None, limit: int, **filters: Any) -> Page[Proposal]:
        with self._store.reading(workspace) as unit:
            return unit.proposals.page(cursor, limit, **filters)

    def decide(
        self, caller: Principal, proposal_id: str, state: Literal["accepted", "dismissed"]
    ) -> Proposal:
        """Accept or dismiss a proposal. Dismissing a correction lets the document be sent again: an editor's matter."""
        with self._store.writing(caller.workspace) as unit:
            proposal = unit.proposals.get(proposal_id)
            if proposal is None:
                raise NotFound("There is no proposal {id} in this workspace.", id=proposal_id)
            if proposal.state not in ("open", state):
                raise Conflict("The proposal {id} was {state} before.", id=proposal_id, state=proposal.state)
            released = _release(unit, caller, proposal_id) if state == "dismissed" else []
            proposal = replace(proposal, state=state)
            unit.proposals.put(proposal)
            detail = {"released": released} if released else {}
            unit.audit.append(caller.key_id, f"proposal.{state}", proposal_id, detail)
        if released:
            self._replicas.follow(caller.workspace)
        return proposal

    def rules(self, workspace: str) -> Rules:
        with self._store.reading(workspace) as unit:
            return unit.rules.get()

    def put_rules(self, caller: Principal, rules: Rules) -> Rules:
        """Set a workspace's rules. Raises InvalidValue for a weight of a factor that does not exist."""
        check_weights(rules)
        with self._store.writing(caller.workspace) as unit:
            unit.rules.put(rules)
            unit.audit.append(caller.key_id, "rules.changed", "rules", {})
        self._replicas.follow(caller.workspace)
        return rules


def _release(unit: Unit, caller: Principal, proposal_id: str) -> list[str]:
    """Let the documents that a proposal's review withholds be sent again; their external ids."""
    reviews = [review for review in unit.reviews.of_proposal(proposal_id) if review.withheld]
    if reviews and not caller.roles & {"editor", "admin"}:
        raise Forbidden("Only an editor may decide that {documents} may be sent again.",
            documents=", ".join(sorted({name for review in reviews for name in review.withheld})))  # fmt: skip
    for review in reviews:
        unit.reviews.put(replace(review, withheld={}))
    return sorted({name for review in reviews for name in review.withheld})


def _view(problem: Problem, watermark: datetime, replica: Replica) -> ProblemView:
    """Emerging and evergreen are separate axes: the first is new, the second has been asked for long by many."""
    return ProblemView(
        replace(problem, expertise_id=problem.expertise_id or replica.expertise_of(problem)),
        emerging=problem.opened_at > watermark - EMERGING,
        evergreen=lifecycle.evergreen(problem),
    )


def _counted(problem: Problem) -> dict[str, str]:
    return {
        "zh": f"{problem.customers} 位顾客,共 {problem.events} 条消息;尚未触发预警。",
        "en": f"{problem.customers} customers, {problem.events} messages; no alert so far.",
    }


def _of_kind(linked: Sequence[LinkedDocument], kind: str) -> tuple[LinkedDocument, ...]:
    return tuple(item for item in linked if item.kind == kind)


def _announce(unit: Unit, type: str, problem: Problem, at: datetime) -> None:
    to = listeners(unit.webhooks.all(), type, products=problem.products, expertise=problem.expertise_id)
    if to:
        unit.outbox.add(type, problem_data(problem, at), at, to)


def _unused_id(unit: Unit, old_id: str, event_id: str) -> str:
    """An id for what is split off, from content; another one when the same was split off and merged before."""
    rounds = 0
    while unit.problems.get(
        found := digest_id("p", unit.workspace, old_id, event_id, f"split{rounds or ''}")
    ):
        rounds += 1
    return found
