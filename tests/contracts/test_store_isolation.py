"""Nothing crosses a workspace: every method of every repository, tried by a neighbour with the same ids."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, QueuePool, Table, create_engine
from sqlalchemy.exc import DBAPIError

from graph.models import Customer
from graph.rules import Rules
from kb_service.store import Done, NewEvent, ShelfFilter, Store, Unit, Written
from kb_service.store.repository import Repository
from tests.contracts import store_samples
from tests.contracts.store_samples import (
    AT,
    MODEL,
    a_calibration,
    a_case,
    a_claim,
    a_cluster,
    a_decision,
    a_digest,
    a_document,
    a_follow_up,
    a_held,
    a_look,
    a_match,
    a_notice,
    a_pin,
    a_precedent,
    a_problem,
    a_proposal,
    a_rank_move,
    a_regrouping,
    a_replay,
    a_review,
    a_surge,
    a_told_gap,
    a_webhook,
    an_agent,
    an_alert,
    an_event,
    an_experiment,
    an_exposure,
    an_intent,
    fill,
    passages_of,
    rows,
    some_feedback,
    some_weights,
    vectors_of,
)

Call = Callable[[Unit], Any]
LONG_AGO, LATER = AT - timedelta(days=1), AT + timedelta(days=1)


def passage_id() -> str:
    return passages_of(a_document(), "shop", 2)[0].id


def message_id(unit: Unit) -> str:
    found = unit.webhooks.deliveries("hook-1").items
    return found[0].message_id if found else "msg_of_another_shop"


def happened(unit: Unit) -> list[Any]:
    found = unit.digests.happened(LONG_AGO, LATER)
    return [*found.alerts, *found.problems, *found.resolved, *found.proposals, *found.gaps, *found.disabled]


def delivery_id(unit: Unit) -> str:
    found = unit.webhooks.deliveries("hook-1").items
    return found[0].id if found else "dlv_of_another_shop"


READS: dict[str, Call] = {
    "documents.head": lambda u: u.documents.head("policy-returns"),
    "documents.heads": lambda u: u.documents.heads(),
    "documents.next_version": lambda u: u.documents.next_version("policy-returns") - 1,
    "documents.get": lambda u: u.documents.get("policy-returns"),
    "documents.all": lambda u: u.documents.all(),
    "documents.of_kind": lambda u: u.documents.of_kind("policy"),
    "documents.page": lambda u: u.documents.page(),
    "documents.versions": lambda u: u.documents.versions("policy-returns"),
    "documents.version": lambda u: u.documents.version("policy-returns", 1),
    "documents.count": lambda u: u.documents.count(),
    "documents.passage_count": lambda u: u.documents.passage_count(),
    "documents.passages": lambda u: u.documents.passages(model_id=MODEL),
    "documents.passages_by_id": lambda u: u.documents.passages_by_id([passage_id()], MODEL),
    "documents.count_without_vectors": lambda u: u.documents.count_without_vectors("another-model"),
    "documents.without_vectors": lambda u: u.documents.without_vectors("another-model", 9),
    "shelf.page": lambda u: u.shelf.page(ShelfFilter(), at=AT, superseded=()),
    "shelf.count": lambda u: u.shelf.count(ShelfFilter(), at=AT, superseded=()),
    "shelf.history": lambda u: u.shelf.history("policy-returns"),
    "uses.all": lambda u: u.uses.all(AT),
    "shelf.entries": lambda u: u.shelf.entries(["policy-returns"]),
    "looks.get": lambda u: u.looks.get("look-1"),
    "looks.in_force": lambda u: u.looks.in_force(AT),
    "held.get": lambda u: u.held.get("held-1", "mem_1"),
    "held.of_owner": lambda u: u.held.of_owner("mem_1", a_held().purpose),
    "uses.of": lambda u: u.uses.of(["policy-returns"], AT),
    "uses.by_hour": lambda u: u.uses.by_hour("policy-returns", AT),
    "changes.position": lambda u: u.changes.position(),
    "changes.since": lambda u: u.changes.since(0),
    "sources.get": lambda u: u.sources.get("/kb/policies/returns.md"),
    "sources.under": lambda u: u.sources.under("/kb"),
    "intents.get": lambda u: u.intents.get("damaged"),
    "intents.all": lambda u: u.intents.all(),
    "intents.page": lambda u: u.intents.page(),
    "agents.get": lambda u: u.agents.get("agent-1"),
    "agents.all": lambda u: u.agents.all(),
    "agents.page": lambda u: u.agents.page(),
    "events.get": lambda u: u.events.get("e1"),
    "events.message": lambda u: u.events.message("e1"),
    "events.existing": lambda u: u.events.existing(["e1", "e2"]),
    "events.arrivals": lambda u: list(u.events.arrivals(LONG_AGO, LATER)),
    "events.count_between": lambda u: u.events.count_between(LONG_AGO, LATER),
    "events.of_cases": lambda u: u.events.of_cases(["case-1"], AT - timedelta(days=1)),
    "events.customers": lambda u: u.events.customers(9),
    "events.of_case": lambda u: u.events.of_case("case-1"),
    "events.of_problem": lambda u: u.events.of_problem("p1"),
    "events.messages": lambda u: u.events.messages(),
    "events.outcomes": lambda u: u.events.outcomes(),
    "events.counts_by_hour": lambda u: u.events.counts_by_hour("p1"),
    "events.counts_by_span": lambda u: u.events.counts_by_span(["p1"], [LONG_AGO, LATER]),
    "events.first_words": lambda u: u.events.first_words(["case-1"], "p1"),
    "problems.counts": lambda u: u.problems.counts(AT).all and "p1",
    "problems.children": lambda u: u.problems.children("p-above"),
    "cases.count_of_problem": lambda u: u.cases.count_of_problem("p1"),
    "cases.latest_of_problems": lambda u: u.cases.latest_of_problems(["p1"], 5),
    "alerts.newest_of": lambda u: u.alerts.newest_of(["p1"]),
    "regroupings.merged": lambda u: u.regroupings.merged(["p0"]),
    "webhooks.deliveries_about": lambda u: u.webhooks.deliveries_about("alert-1", ["alert.opened"], LONG_AGO),
    "audit.latest_of": lambda u: u.audit.latest_of("policy-returns"),
    "events.latest_at": lambda u: u.events.latest_at(),
    "events.last_sequence": lambda u: u.events.last_sequence(),
    "events.count": lambda u: u.events.count(),
    "assignments.get": lambda u: u.assignments.get("e1"),
    "assignments.pending": lambda u: u.assignments.pending(),
    "assignments.of": lambda u: u.assignments.of("p1"),
    "assignments.of_first": lambda u: u.assignments.of_first("p1"),
    "assignments.waiting": lambda u: u.assignments.waiting("case-1"),
    "events.messages_of_problem": lambda u: u.events.messages_of_problem("p1"),
    "problems.proposals_of": lambda u: u.problems.proposals_of("p1"),
    "problems.follow_ups_of": lambda u: u.problems.follow_ups_of("p1"),
    "problems.counted_in_all": lambda u: [
        item.all_customers
        for item in u.problems.counted_in_all([a_problem(opened_at=LONG_AGO, episode_at=LATER)])
        if item.all_customers is not None
    ],
    "problems.customers_between": lambda u: u.problems.customers_between("p1", LONG_AGO, LATER),
    "ties.all": lambda u: u.ties.all(),
    "regroupings.standing": lambda u: u.regroupings.standing("merge", "p0"),
    "regroupings.latest": lambda u: u.regroupings.latest(),
    "regroupings.moved": lambda u: u.regroupings.moved("rg_1"),
    "regroupings.past_merges": lambda u: u.regroupings.past_merges(),
    "regroupings.brought": lambda u: u.regroupings.brought(),
    "regroupings.finds": lambda u: u.regroupings.finds(),
    "cases.get": lambda u: u.cases.get("case-1"),
    "cases.open_for": lambda u: u.cases.open_for("c1", "u1", AT),
    "cases.page": lambda u: u.cases.page(),
    "cases.counts": lambda u: u.cases.counts(),
    "cases.count_of_agent": lambda u: sum(u.cases.count_of_agent("agent-1", ["assigned"])),
    "cases.of_problem": lambda u: u.cases.of_problem("p1"),
    "cases.of_customer": lambda u: u.cases.of_customer("u1"),
    "cases.waiting": lambda u: u.cases.waiting(),
    "cases.assigned": lambda u: u.cases.assigned(AT),
    "events.latest_state": lambda u: u.events.latest_state("agent-1"),
    "events.outcome_count": lambda u: u.events.outcome_count(),
    "decisions.of_case": lambda u: u.decisions.of_case("case-1"),
    "decisions.latest": lambda u: u.decisions.latest(["case-1"]),
    "decisions.unplaced": lambda u: u.decisions.unplaced(),
    "expertise.all": lambda u: u.expertise.all(),
    "expertise.learnt_from": lambda u: u.expertise.learnt_from(),
    "expertise.pins": lambda u: u.expertise.pins(),
    "problems.get": lambda u: u.problems.get("p0"),
    "problems.resolve_id": lambda u: u.problems.resolve_id("p0"),
    "problems.all": lambda u: u.problems.all(),
    "problems.some": lambda u: u.problems.some(["p0", "p1"]),
    "problems.page": lambda u: u.problems.page(),
    "problems.observations": lambda u: u.problems.observations("p1"),
    "problems.event_count": lambda u: u.problems.event_count("p1"),
    "alerts.get": lambda u: u.alerts.get("alert-1"),
    "alerts.count": lambda u: u.alerts.count(),
    "alerts.all": lambda u: u.alerts.all(),
    "alerts.some": lambda u: u.alerts.some(["alert-1"]),
    "alerts.page": lambda u: u.alerts.page(),
    "alerts.of_problem": lambda u: u.alerts.of_problem("p1"),
    "alerts.quoted_events": lambda u: u.alerts.quoted_events(["alert-1"]),
    "notices.get": lambda u: u.notices.get("alert-1"),
    "notices.of_alerts": lambda u: u.notices.of_alerts(["alert-1"]),
    "notices.due": lambda u: u.notices.due(LATER, 9),
    "notices.group_told": lambda u: u.notices.group_told(a_notice().group),
    "notices.speaking": lambda u: u.notices.speaking(["p1"], AT),
    "notices.behind": lambda u: u.notices.behind(["alert-0"], 9),
    "notices.newest_told": lambda u: u.notices.newest_told("p1"),
    "follow_ups.get": lambda u: u.follow_ups.get("flw-1"),
    "follow_ups.page": lambda u: u.follow_ups.page(state="open"),
    "follow_ups.open": lambda u: u.follow_ups.open(),
    "follow_ups.of_problem": lambda u: u.follow_ups.of_problem("p1", AT),
    "follow_ups.latest_of": lambda u: u.follow_ups.latest_of("p1"),
    "follow_ups.unasked": lambda u: u.follow_ups.unasked(LONG_AGO, LATER),
    "follow_ups.asked_of": lambda u: u.follow_ups.asked_of("c1", "u1"),
    "problems.parent_of": lambda u: u.problems.parent_of("p1"),
    "proposals.get": lambda u: u.proposals.get("proposal-1"),
    "proposals.page": lambda u: u.proposals.page(),
    "proposals.of_ids": lambda u: u.proposals.of_ids(["proposal-1"]),
    "proposals.of_finding": lambda u: u.proposals.of_finding("reopened:p1:returns"),
    "proposals.accepted": lambda u: u.proposals.accepted(LONG_AGO),
    "histories.replies": lambda u: u.histories.replies(LONG_AGO, LATER),
    "histories.sent": lambda u: u.histories.sent(LONG_AGO, LATER),
    "decisions.given": lambda u: u.decisions.given(LONG_AGO, LATER),
    "workload.passing": lambda u: any(u.workload.passing("p1", LONG_AGO, LATER)) and "p1",
    "rules.before": lambda u: u.rules.before(),
    "rules.get": lambda u: u.rules.get() == Rules() or u.rules.get(),
    "webhooks.get": lambda u: u.webhooks.get("hook-1"),
    "webhooks.all": lambda u: u.webhooks.all(),
    "webhooks.page": lambda u: u.webhooks.page(),
    "webhooks.deliveries": lambda u: u.webhooks.deliveries("hook-1"),
    "webhooks.waiting": lambda u: u.webhooks.waiting("hook-1"),
    "webhooks.states_of": lambda u: u.webhooks.states_of("hook-1", [message_id(u)]),
    "outbox.messages": lambda u: u.outbox.messages(LONG_AGO, None, None, 9),
    "digests.since": lambda u: u.digests.since(LONG_AGO),
    "digests.page": lambda u: u.digests.page(),
    "digests.due": lambda u: [True] if u.digests.due() else [],
    "digests.happened": lambda u: happened(u),
    "gaps.get": lambda u: u.gaps.get("gap-1"),
    "webhooks.delivery": lambda u: u.webhooks.delivery("hook-1", delivery_id(u)),
    "outbox.counts": lambda u: u.outbox.counts(),
    "outbox.message": lambda u: u.outbox.message(
        next(iter(u.webhooks.deliveries("hook-1").items)).message_id
    ),
    "experiments.get": lambda u: u.experiments.get("trial-1"),
    "experiments.running": lambda u: u.experiments.running(),
    "experiments.page": lambda u: u.experiments.page(),
    "experiments.cases": lambda u: u.experiments.cases(LONG_AGO, LATER, limit=9),
    "experiments.suggestions": lambda u: u.experiments.suggestions(LONG_AGO, LATER, limit=9),
    "experiments.seen": lambda u: u.experiments.seen(LONG_AGO, LATER, limit=9),
    "exposures.get": lambda u: u.exposures.get("x1"),
    "exposures.page": lambda u: u.exposures.page(),
    "agents.recent": lambda u: u.agents.recent(AT - timedelta(days=7)),
    "events.of_other_models": lambda u: u.events.of_other_models("none"),
    "documents.next_versions": lambda u: u.documents.next_versions(u.documents.heads()),
    "surges.open": lambda u: u.surges.open(),
    "surges.page": lambda u: u.surges.page(),
    "traffic.by_hour": lambda u: u.traffic.by_hour(AT, u.now.replace(year=2100), "channel"),
    "traffic.first_at": lambda u: u.traffic.first_at(),
    "traffic.in_span": lambda u: u.traffic.in_span(AT, u.now.replace(year=2100), "channel"),
    "traffic.handling": lambda u: u.traffic.handling(AT, u.now.replace(year=2100), "product"),
    "histories.opened": lambda u: u.histories.opened(LONG_AGO, LATER),
    "histories.of_cases": lambda u: u.histories.of_cases(["case-1"]),
    "histories.contacts": lambda u: u.histories.contacts(LONG_AGO, LATER),
    "histories.shown": lambda u: u.histories.shown(LONG_AGO, LATER),
    "histories.feedback": lambda u: u.histories.feedback(LONG_AGO, LATER),
    "histories.handed_over": lambda u: u.histories.handed_over(LONG_AGO, LATER),
    "histories.bands": lambda u: u.histories.bands(LONG_AGO, LATER),
    "workload.states": lambda u: u.workload.states(LONG_AGO, LATER),
    "workload.latest_states": lambda u: u.workload.latest_states(["agent-1"]),
    "workload.last_words": lambda u: u.workload.last_words(["case-1"]),
    "events.count_of_case": lambda u: u.events.count_of_case("case-1"),
    "events.last_words": lambda u: u.events.last_words(["case-1"]),
    "problems.hanging": lambda u: u.problems.hanging("p1").alerts and "p1",
    "events.of_each_case": lambda u: u.events.of_each_case(["case-1"]),
    "decisions.consulted": lambda u: u.decisions.consulted(["case-1"]),
    "decisions.handed_over": lambda u: u.decisions.handed_over(["case-1"], LONG_AGO),
    "workload.passed_on": lambda u: u.workload.passed_on(LONG_AGO, LATER),
    "workload.consultations": lambda u: u.workload.consultations(LONG_AGO, LATER),
    "gaps.since": lambda u: u.gaps.since(AT),
    "exposures.unanswered": lambda u: u.exposures.unanswered(
        AT, below=1.0, reasons=["confident"], always=[], outcomes=["edited"], limit=9
    ),
    "exposures.of_conversation": lambda u: u.exposures.of_conversation("c1"),
    "exposures.latest_id": lambda u: u.exposures.latest_id(),
    "exposures.sent_in": lambda u: u.exposures.sent_in({"case-1": ["c1"]}),
    "alerts.of_problems": lambda u: u.alerts.of_problems(["p1"], LONG_AGO),
    "cases.of_customers": lambda u: u.cases.of_customers(["u1"], LONG_AGO),
    "cases.naming": lambda u: u.cases.naming(["sku1"]),
    "exposures.erased": lambda u: u.exposures.erased(["x1", "x2"]) != {"x1", "x2"} and "x1",
    "feedback.of_exposures": lambda u: u.feedback.of_exposures(["x1"]),
    "feedback.of_ids": lambda u: u.feedback.of_ids(["f1"]),
    "feedback.latest_id": lambda u: u.feedback.latest_id(),
    "cases.of_conversations": lambda u: u.cases.of_conversations(["c1"]),
    "cases.cases_of_conversations": lambda u: u.cases.cases_of_conversations(["c1"]),
    "cases.open_of_customers": lambda u: u.cases.open_of_customers(["u1"], LONG_AGO, LATER),
    "cases.over": lambda u: u.cases.over(["case-2"]),
    "events.accepted_replies": lambda u: u.events.accepted_replies(["case-2"]),
    "proposals.open_for": lambda u: u.proposals.open_for("p1", "document"),
    "proposals.open_of": lambda u: u.proposals.open_of(["p1"], "document"),
    "feedback.of_exposure": lambda u: u.feedback.of_exposure("x1"),
    "idempotency.get": lambda u: u.idempotency.get("key-1", "/v1/events"),
    "reviews.get": lambda u: u.reviews.get("rev-1"),
    "reviews.page": lambda u: u.reviews.page(),
    "reviews.counts": lambda u: u.reviews.counts(),
    "reviews.withheld": lambda u: u.reviews.withheld(),
    "reviews.of_proposal": lambda u: u.reviews.of_proposal("proposal-1"),
    "judgements.latest": lambda u: u.judgements.latest(MODEL, 9),
    "judgements.told": lambda u: u.judgements.told(AT, 9),
    "rank_moves.get": lambda u: u.rank_moves.get("mv_1"),
    "rank_moves.page": lambda u: u.rank_moves.page(),
    "rank_moves.latest_id": lambda u: u.rank_moves.latest_id(),
    "rank_moves.withdrawn": lambda u: u.rank_moves.withdrawn("mv_2") and "mv_2",
    "rank_moves.boosts": lambda u: u.rank_moves.boosts(),
    "rank_moves.taken_back": lambda u: u.rank_moves.taken_back(),
    "calibrations.get": lambda u: u.calibrations.get("cal_1"),
    "calibrations.newest": lambda u: u.calibrations.newest(MODEL),
    "calibrations.all": lambda u: u.calibrations.all(),
    "calibrations.precedents": lambda u: u.calibrations.precedents("cal_1"),
    "escalations.begin": lambda u: (
        u.escalations.begin(AT - timedelta(days=1), 0) != AT - timedelta(days=1) and "e1"
    ),
    "escalations.by_customer": lambda u: u.escalations.by_customer(AT - timedelta(days=1)),
    "escalations.interventions": lambda u: u.escalations.interventions(AT - timedelta(days=1)),
    "priority_weights.get": lambda u: u.priority_weights.get("pw_1"),
    "priority_weights.all": lambda u: u.priority_weights.all(),
    "jobs.last": lambda u: u.jobs.last("recalibrate"),
    "audit.page": lambda u: u.audit.page(),
    "audit.of_actions": lambda u: u.audit.of_actions(["documents.put"]),
}

WRITES: dict[str, Call] = {
    "documents.put": lambda u: u.documents.put(a_document(), passages_of(a_document(), u.workspace, 1)),
    "documents.put_vectors": lambda u: u.documents.put_vectors(
        [passages_of(a_document(), u.workspace, 1)[0].id], vectors_of(1), MODEL
    ),
    "documents.assign": lambda u: u.documents.assign("policy-returns", "/kb/another.md"),
    "documents.drop_vectors": lambda u: u.documents.drop_vectors(MODEL),
    "documents.remove": lambda u: u.documents.remove("policy-returns"),
    "looks.add": lambda u: u.looks.add(a_look("look-2")),
    "looks.remove": lambda u: u.looks.remove("look-1"),
    "looks.sweep": lambda u: u.looks.sweep(),
    "held.put": lambda u: u.held.put(a_held(owner="another")),
    "held.remove": lambda u: u.held.remove("held-1", "mem_1"),
    "held.sweep": lambda u: u.held.sweep(),
    "uses.purge": lambda u: u.uses.purge(u.now.replace(year=2100)),
    "uses.count_shown": lambda u: u.uses.count_shown([an_exposure("another")]),
    "uses.count_outcome": lambda u: u.uses.count_outcome(some_feedback("another")),
    "changes.record": lambda u: u.changes.record("workspace", u.workspace),
    "sources.put": lambda u: u.sources.put("/kb/policies/returns.md", "another", []),
    "sources.remove": lambda u: u.sources.remove("/kb/policies/returns.md"),
    "intents.put": lambda u: u.intents.put(an_intent(label="another")),
    "intents.put_many": lambda u: u.intents.put_many([an_intent(label="another")]),
    "intents.remove": lambda u: u.intents.remove("damaged"),
    "agents.put": lambda u: u.agents.put(an_agent(name="another")),
    "agents.set_online": lambda u: u.agents.set_online("agent-1", False),
    "agents.remove": lambda u: u.agents.remove("agent-1"),
    "cases.put": lambda u: u.cases.put(a_case(state="closed")),
    "cases.put_many": lambda u: u.cases.put_many([a_case(state="closed")]),
    "decisions.add_many": lambda u: u.decisions.add_many([a_decision("dec_9", note="another")]),
    "decisions.purge": lambda u: u.decisions.purge(u.now.replace(year=2100)),
    "expertise.replace": lambda u: u.expertise.replace([a_cluster(name="another")], 1),
    "expertise.put_pin": lambda u: u.expertise.put_pin(a_pin(name="another")),
    "events.add": lambda u: u.events.add(an_event(text="another")),
    "events.add_many": lambda u: u.events.add_many([NewEvent(an_event("e2", text="another"))]),
    "events.put_vector": lambda u: u.events.put_vector("e1", vectors_of(1)[0], "another-model"),
    "problems.put": lambda u: (u.problems.put(a_problem(state="resolved")), u.problems.put(a_problem("p0"))),
    "assignments.put": lambda u: u.assignments.put("e1", "p9", a_match("p9")),
    "assignments.put_many": lambda u: u.assignments.put_many([("e2", "p9", a_match("p9"))]),
    "assignments.settle": lambda u: u.assignments.settle("e2", "p9", a_match("p9")),
    "ties.put": lambda u: u.ties.put("p1", "p9", "apart", "another"),
    "regroupings.add": lambda u: u.regroupings.add(a_regrouping("rg_9", actor="another"), ["e1"]),
    "regroupings.add_merge": lambda u: u.regroupings.add_merge(a_regrouping("rg_8", other_id="p1")),
    "regroupings.undo": lambda u: u.regroupings.undo("rg_1", "another"),
    "regroupings.forget": lambda u: u.regroupings.forget(["e1", "e2"]),
    "regroupings.replace_finds": lambda u: u.regroupings.replace_finds([]),
    "assignments.reassign": lambda u: u.assignments.reassign(["e1", "e2", "r1"], "p9"),
    "problems.put_many": lambda u: u.problems.put_many([a_problem(state="resolved")]),
    "problems.merge_alias": lambda u: u.problems.merge_alias("p1", "p0"),
    "problems.take_out": lambda u: u.problems.take_out(a_problem("p1"), alerts=["alert-1"]),
    "problems.remove": lambda u: u.problems.remove("p0"),
    "alerts.put": lambda u: u.alerts.put(an_alert(state="resolved", examples=()), []),
    "notices.put": lambda u: u.notices.put(a_notice(state="over")),
    "follow_ups.put": lambda u: u.follow_ups.put(a_follow_up(state="confirmed", cases=())),
    "follow_ups.forget": lambda u: u.follow_ups.forget("u1", ["case-1"], ["c1"]),
    "proposals.put": lambda u: u.proposals.put(a_proposal(state="accepted")),
    "rules.put": lambda u: u.rules.put(Rules(refund_limit=1.0)),
    "webhooks.put": lambda u: u.webhooks.put(a_webhook(url="https://another.example", state="disabled")),
    "outbox.add": lambda u: u.outbox.add("alert.opened", {}, AT, ["hook-1"]),
    "webhooks.replay": lambda u: u.webhooks.replay("hook-1", delivery_id(u)),
    "webhooks.forgive": lambda u: u.webhooks.forgive("hook-1"),
    "webhooks.queue": lambda u: u.webhooks.queue("hook-1", []),
    "outbox.give_up": lambda u: u.outbox.give_up(a_claim()),
    "digests.add": lambda u: u.digests.add("2026-06-18", ["team@example.com"], "en", {"told": []}),
    "digests.claim": lambda u: u.digests.claim(9),
    "digests.finish": lambda u: u.digests.finish(a_digest(), "delivered"),
    "webhooks.disable": lambda u: u.webhooks.disable("hook-1", "by hand"),
    "webhooks.remove": lambda u: u.webhooks.remove("hook-1"),
    "experiments.put": lambda u: u.experiments.put(an_experiment(name="another", state="draft")),
    "exposures.add_many": lambda u: u.exposures.add_many([an_exposure(query="another")]),
    "feedback.add": lambda u: u.feedback.add(some_feedback(outcome="rejected")),
    "feedback.remove": lambda u: u.feedback.remove(some_feedback(outcome="rejected")),
    "idempotency.put": lambda u: u.idempotency.put("key-1", "/v1/events", a_replay(b"another")),
    "idempotency.purge": lambda u: u.idempotency.purge(u.now.replace(year=2100)),
    "reviews.add_many": lambda u: u.reviews.add_many([a_review(note="another")]),
    "reviews.put": lambda u: u.reviews.put(a_review(note="another")),
    "calibrations.add": lambda u: u.calibrations.add(a_calibration(source="another"), [a_precedent()]),
    "rank_moves.add_many": lambda u: u.rank_moves.add_many([a_rank_move(actor="another")]),
    "rank_moves.withdraw": lambda u: u.rank_moves.withdraw(a_rank_move(), "reverted", "another"),
    "rank_moves.forget": lambda u: u.rank_moves.forget(["x1", "x9"]),
    "priority_weights.add": lambda u: u.priority_weights.add(some_weights("pw_9", actor="another")),
    "jobs.claim": lambda u: u.jobs.claim("recalibrate", u.now.replace(year=2100)),
    "surges.put": lambda u: u.surges.put(a_surge(observed=99)),
    "gaps.put": lambda u: u.gaps.put(a_told_gap(names={"en": "another"})),
    "gaps.forget": lambda u: u.gaps.forget(["x1", "r2"]),
    "documents.put_many": lambda u: u.documents.put_many(
        [Written(a_document("third"), passages_of(a_document("third"), u.workspace, 1))]
    ),
    "audit.append": lambda u: u.audit.append("key_1", "documents.put", "another", {}),
    "audit.append_many": lambda u: u.audit.append_many("key_1", [Done("documents.put", "another", {})]),
    "erase_customer": lambda u: u.erase_customer("u1"),
}


def methods() -> Iterator[str]:
    """Every public method of every repository of a unit."""
    hints = inspect.get_annotations(Unit.__init__)
    assert list(hints) == ["scope", "return"]
    scope: Any = type("Scope", (), {"workspace": "shop", "now": AT})()
    for noun, repository in vars(Unit(scope)).items():
        if isinstance(repository, Repository):
            for name, _ in inspect.getmembers(type(repository), inspect.isfunction):
                if not name.startswith("_"):
                    yield f"{noun}.{name}"


def empty(value: Any) -> bool:
    """Whether an answer holds nothing of any shop."""
    if isinstance(value, Iterator):
        value = list(value)
    if hasattr(value, "items") and not isinstance(value, dict):
        value = value.items
    return value is True or not value


def test_every_method_is_tried() -> None:
    assert set(methods()) | {"erase_customer"} == READS.keys() | WRITES.keys()


@pytest.fixture
def filled(store: Store) -> Store:
    with store.writing("shop") as unit:
        fill(unit)
        unit.cases.put(a_case("case-2", conversation_ids=("c9",), state="closed"))
        closing = {"type": "resolution", "role": "agent", "reply": "已补发", "conversation_id": "c9"}
        unit.rank_moves.add_many([a_rank_move("mv_2")])
        unit.rank_moves.withdraw(a_rank_move("mv_2"), "reverted", "command")
        unit.events.add(an_event("r2", text=None, handling_seconds=60.0, **closing), "case-2")
        unit.exposures.add_many([an_exposure("x-suggested", route="suggestions")])
        unit.feedback.add(some_feedback("f-suggested", exposure_id="x-suggested"))
        unit.events.add(an_event("told", text=None, customer=Customer("u1", "silver", 4)))
        unit.events.add(an_event("s1", type="agent_state", agent_id="agent-1", state="busy"))
        unit.decisions.add_many([a_decision("dec_2", kind="assignment", reason="assigned")])
        urgent = {"priority": {"band": "urgent"}}
        unit.decisions.add_many([a_decision("dec_3", kind="handover", features=urgent)])
        unit.decisions.add_many([a_decision("dec_4", kind="consultation")])
        unit.cases.put(a_case("case-3", conversation_ids=("c10",), state="waiting"))
        nobody = {"kind": "assignment", "reason": "no_eligible_agent", "agent_id": None, "case_id": "case-3"}
        unit.decisions.add_many([a_decision("dec_5", **nobody)])
        unit.events.add(an_event("t1", type="transfer", from_agent="agent-1", to_agent="agent-2"), "case-1")
    return store


def test_reads_see_their_own_workspace_only(filled: Store) -> None:
    not_full = {"documents.without_vectors", "outbox.message"}
    with filled.reading("shop") as unit:
        assert {name for name, read in READS.items() if empty(read(unit))} <= not_full
    with filled.reading("other") as unit:
        # There is no delivery to take a message's id from.
        seen = {name for name, read in READS.items() if name != "outbox.message" and not empty(read(unit))}
        assert seen == set()
    with filled.reading("shop") as unit:
        message_id = unit.webhooks.deliveries("hook-1").items[0].message_id
    with filled.reading("other") as unit:
        assert unit.outbox.message(message_id) is None
        assert unit.documents.passages_by_id([passage_id()]) == {}


def test_writes_change_their_own_workspace_only(filled: Store, store_url: str) -> None:
    before = rows(store_url, "shop")
    tried = []
    for name, write in WRITES.items():
        with filled.writing("other") as unit:
            write(unit)
        assert rows(store_url, "shop") == before, name
        tried.append(name)
    assert len(tried) == len(WRITES)
    assert rows(store_url, "other") != {}


def test_the_same_ids_live_side_by_side(filled: Store, store_url: str) -> None:
    before = rows(store_url, "shop")
    with filled.writing("other") as unit:
        fill(unit)
        unit.erase_customer("u1")
    assert rows(store_url, "shop") == before


def test_a_look_at_the_rows_that_fails_leaves_no_connection_open(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What failed was lost under a warning that a connection was deleted while still open."""
    made: list[Engine] = []

    def heard(*given: Any) -> Engine:
        made.append(create_engine(*given))
        return made[-1]

    elsewhere = MetaData()
    Table("nowhere", elsewhere, Column("id", Integer, primary_key=True))
    monkeypatch.setattr(store_samples, "create_engine", heard)
    monkeypatch.setattr(store_samples.tables, "metadata", elsewhere)
    with pytest.raises(DBAPIError):
        rows(store_url)
    assert isinstance(made[0].pool, QueuePool)
    assert made[0].pool.checkedin() == made[0].pool.checkedout() == 0
