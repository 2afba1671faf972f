"""Decisions about cases, expertise as it was learned and pinned, and whose hands cases are in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from graph.support_lines import PassedOn
from kb_service.store import Change, Store
from kb_service.store.decisions import Given, Unplaced
from tests.contracts.store_samples import (
    AT,
    a_case,
    a_cluster,
    a_decision,
    a_pin,
    an_agent,
    an_event,
)

HOUR = timedelta(hours=1)


def test_a_decision_comes_back_as_it_went(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.decisions.add_many([])
        unit.decisions.add_many([a_decision()])
        assert unit.changes.position() == 0, "nothing that is derived depends on it"
    with store.reading("shop") as unit:
        assert unit.decisions.of_case("case-1") == (a_decision(),)
        assert unit.decisions.of_case("case-2") == ()


def test_decisions_stand_in_the_order_in_which_they_were_made(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.decisions.add_many([a_decision("z", kind="handover"), a_decision("y", kind="assignment")])
    with store.writing("shop") as unit:
        unit.decisions.add_many([a_decision("a", kind="consultation"), a_decision("b", case_id="case-2")])
    with store.reading("shop") as unit:
        assert [item.id for item in unit.decisions.of_case("case-1")] == ["z", "y", "a"]
        latest = unit.decisions.latest(["case-1", "case-2", "case-3"])
        assert {id: item.id for id, item in latest.items()} == {"case-1": "y"}, "consultations decide nothing"


def test_decisions_about_cases_that_are_over_are_forgotten_in_time(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.cases.put(a_case("over", conversation_ids=("c-over",), state="closed"))
        unit.cases.put(a_case("open", conversation_ids=("c-open",), state="pending"))
        unit.decisions.add_many(
            [
                a_decision("gone", case_id="over", at=AT - HOUR),
                a_decision("recent", case_id="over", at=AT),
                a_decision("standing", case_id="open", at=AT - HOUR),
                a_decision("orphan", case_id="never", at=AT - HOUR),
            ]
        )
        assert unit.decisions.purge(AT) == 2
    with store.reading("shop") as unit:
        kept = [item.id for id in ("over", "open", "never") for item in unit.decisions.of_case(id)]
        assert kept == ["recent", "standing"]


def test_cases_are_found_by_who_was_asked_about_them(store: Store) -> None:
    with store.writing("shop") as unit:
        for name in ("one", "two", "three"):
            unit.cases.put(a_case(name, conversation_ids=(f"c-{name}",)))
        unit.decisions.add_many(
            [
                a_decision("1", case_id="one", agent_id="expert"),
                a_decision("2", case_id="two", agent_id="expert", kind="assignment"),
                a_decision("3", case_id="three", agent_id="another"),
                a_decision("4", case_id="one", agent_id="expert"),
            ]
        )
    with store.reading("shop") as unit:
        assert [case.id for case in unit.cases.page(consulted_by="expert").items] == ["one"]
        assert unit.cases.page(consulted_by="nobody").items == ()


def test_cases_are_counted_by_state_and_by_agent(store: Store) -> None:
    states = {"one": "assigned", "two": "pending", "three": "resolved", "four": "assigned"}
    with store.writing("shop") as unit:
        assert unit.cases.counts() == {}
        for id, state in states.items():
            owner = "agent-2" if id == "four" else "agent-1"
            unit.cases.put(a_case(id, state=state, agent_id=owner, conversation_ids=(f"c-{id}",)))
        unit.decisions.add_many(
            [
                a_decision("dec_1", case_id="four", agent_id="agent-1"),
                a_decision("dec_2", case_id="four", agent_id="agent-1"),
                a_decision("dec_3", case_id="three", agent_id="agent-1"),
            ]
        )
    with store.reading("shop") as unit:
        assert unit.cases.counts() == {"assigned": 2, "pending": 1, "resolved": 1}
        assert unit.cases.count_of_agent("agent-1", ["assigned", "pending"]) == (2, 1)
        assert unit.cases.count_of_agent("nobody", ["assigned", "pending"]) == (0, 0)
        listed = unit.cases.page(states=("pending", "resolved")).items
        assert {case.id for case in listed} == {"two", "three"}


def test_expertise_is_what_was_learned_last(store: Store) -> None:
    with store.writing("shop") as unit:
        assert unit.expertise.all() == ()
        assert unit.expertise.learnt_from() == 0
        unit.expertise.replace([a_cluster("b"), a_cluster("a", problem_ids=())], 12)
    with store.writing("shop") as unit:
        assert unit.expertise.all() == (a_cluster("a", problem_ids=()), a_cluster("b"))
        assert unit.expertise.learnt_from() == 12
        unit.expertise.replace([a_cluster("c", name="另一个")], 30)
    with store.reading("shop") as unit:
        assert unit.expertise.all() == (a_cluster("c", name="另一个"),)
        assert unit.expertise.learnt_from() == 30
        assert unit.changes.since(1) == [Change(2, "expertise", "shop", 0)], "every process hears of it"


def test_a_pin_stands_until_it_is_taken_back(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.expertise.put_pin(a_pin("b", name=None))
        unit.expertise.put_pin(a_pin("a"))
    with store.writing("shop") as unit:
        assert unit.expertise.pins() == (a_pin("a"), a_pin("b", name=None))
        unit.expertise.put_pin(a_pin("a", name=None, intent_ids=(), problem_ids=(), agent_ids=()))
    with store.reading("shop") as unit:
        assert unit.expertise.pins() == (a_pin("b", name=None),)
        assert unit.expertise.all() == (), "a pin is not a learning"


def test_a_case_counts_for_who_was_given_it_lately(store: Store) -> None:
    old = AT - timedelta(days=5)
    with store.writing("shop") as unit:
        unit.agents.put(an_agent())
        unit.events.add(an_event("now", at=AT))
        unit.cases.put(a_case("given", conversation_ids=("1",), active_at=old, assigned_at=AT - HOUR))
        unit.cases.put(a_case("active", conversation_ids=("2",), active_at=AT, assigned_at=old))
        unit.cases.put(a_case("quiet", conversation_ids=("3",), active_at=old, assigned_at=old))
        unit.cases.put(a_case("over", conversation_ids=("4",), state="resolved"))
    with store.reading("shop") as unit:
        agent = unit.agents.get("agent-1")
        assert agent is not None
        assert agent.load == 2
        assert [case.id for case in unit.cases.assigned(AT - HOUR)] == ["active", "given"]


def test_the_latest_state_is_that_of_the_latest_moment(store: Store) -> None:
    with store.writing("shop") as unit:
        assert unit.events.latest_state("agent-1") is None
        for name, minutes, state in (("a", 10, "busy"), ("late", 5, "offline"), ("other", 20, "online")):
            who = "agent-2" if name == "other" else "agent-1"
            moment = AT + timedelta(minutes=minutes)
            unit.events.add(an_event(name, type="agent_state", agent_id=who, state=state, at=moment))
    with store.reading("shop") as unit:
        latest = unit.events.latest_state("agent-1")
        assert latest is not None
        assert (latest.event.id, latest.event.state) == ("a", "busy")


def test_the_latest_states_of_many_are_those_of_each(store: Store) -> None:
    with store.writing("shop") as unit:
        for agent, minutes, state in (("a", 10, "busy"), ("a", 5, "offline"), ("b", 20, "online")):
            moment = AT + timedelta(minutes=minutes)
            told = {"type": "agent_state", "agent_id": agent, "state": state, "at": moment}
            unit.events.add(an_event(f"{agent}-{minutes}", **told))
        unit.events.add(an_event("b-again", **(told | {"state": "offline"})))
    with store.reading("shop") as unit:
        assert unit.workload.latest_states(["a", "b", "c"]) == {"a": "busy", "b": "offline"}
        assert unit.workload.latest_states([]) == {}


def test_last_words_are_when_a_case_asked_and_when_a_person_answered(store: Store) -> None:
    def minute(number: int) -> datetime:
        return AT + timedelta(minutes=number)

    told: tuple[dict[str, Any], ...] = (
        {"type": "message", "role": "customer"},
        {"type": "message", "role": "agent"},
        {"type": "followup", "resolved": False},
        {"type": "resolution", "agent_id": "agent-1"},
        {"type": "message", "role": "bot"},
        {"type": "followup", "resolved": True},
    )
    with store.writing("shop") as unit:
        for number, fields in enumerate(told):
            unit.events.add(an_event(f"e{number}", at=minute(number), **fields), "case-1")
        unit.events.add(an_event("quiet", type="rating", rating=3.0), "case-2")
        unit.events.add(an_event("given", type="transfer", to_agent="agent-1", at=minute(9)), "case-3")
    with store.reading("shop") as unit:
        assert unit.workload.last_words(["case-1", "case-2", "case-3", "none"]) == {
            "case-1": (minute(2), minute(3)),
            "case-2": (None, None),
            "case-3": (minute(9), None),
        }
        events = unit.events.of_each_case(["case-1", "case-3", "none"])
        assert {id: len(stored) for id, stored in events.items()} == {"case-1": 6, "case-3": 1}
        assert [stored.event.id for stored in events["case-1"]] == [f"e{number}" for number in range(6)]


def test_cases_that_nobody_may_take_are_known_by_their_latest_decision(store: Store) -> None:
    nobody = {"kind": "assignment", "reason": "no_eligible_agent", "agent_id": None}
    asks = {"language": "zh", "permissions": ["level-2"]}
    with store.writing("shop") as unit:
        for name in ("stuck", "asked", "placed", "over"):
            state = "resolved" if name == "over" else "waiting"
            unit.cases.put(a_case(name, conversation_ids=(name,), state=state))
            unit.decisions.add_many([a_decision(f"1-{name}", case_id=name, features=asks, **nobody)])
        unit.decisions.add_many(
            [
                a_decision("2-asked", case_id="asked", kind="consultation", at=AT + HOUR),
                a_decision(
                    "2-placed", case_id="placed", kind="assignment", reason="nobody_free", agent_id=None
                ),
            ]
        )
    with store.reading("shop") as unit:
        assert unit.decisions.unplaced() == (
            Unplaced("stuck", AT, "zh", ("level-2",)),
            Unplaced("asked", AT, "zh", ("level-2",)),
        )
        assert unit.decisions.consulted(["stuck", "asked"]) == {"asked": AT + HOUR}


def test_hand_overs_are_known_with_who_had_the_case(store: Store) -> None:
    by_a_bot = {"kind": "handover", "agent_id": None, "previous_agent_id": None}
    with store.writing("shop") as unit:
        unit.decisions.add_many(
            [
                a_decision("1", case_id="c", reason="complexity", at=AT, **by_a_bot),
                a_decision(
                    "2",
                    case_id="c",
                    kind="handover",
                    reason="handed_over",
                    agent_id=None,
                    previous_agent_id="agent-1",
                    at=AT + HOUR,
                ),
                a_decision("3", case_id="c", kind="assignment", at=AT + HOUR),
                a_decision("4", case_id="other", reason="explicit", at=AT, **by_a_bot),
            ]
        )
    with store.reading("shop") as unit:
        bot, person = PassedOn(AT, "complexity"), PassedOn(AT + HOUR, "handed_over", "agent-1")
        assert unit.decisions.handed_over(["c", "none"], AT) == {"c": (bot, person)}
        assert unit.decisions.handed_over(["c"], AT + HOUR) == {"c": (person,)}


def test_a_learning_is_remembered_and_only_news_are_told(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.expertise.replace([], 12)
        assert unit.expertise.learnt_from() == 12
        unit.expertise.replace([a_cluster("b"), a_cluster("a")], 24)
    with store.writing("shop") as unit:
        position = unit.changes.position()
        unit.expertise.replace([a_cluster("b"), a_cluster("a")], 48)
        assert unit.changes.position() == position
        assert unit.expertise.learnt_from() == 48


def test_only_resolutions_that_name_their_agent_count(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.events.add(an_event("r1", type="resolution", agent_id="agent-1"))
        unit.events.add(an_event("r2", type="resolution"))
        unit.events.add(an_event("m1", agent_id="agent-1"))
        assert unit.events.outcome_count() == 1


def test_who_was_given_a_case_is_told_with_whom_a_person_took_it_from(store: Store) -> None:
    given = {"agent_id": "ann", "previous_agent_id": None}
    with store.writing("shop") as unit:
        unit.decisions.add_many(
            [
                a_decision("1", kind="assignment", **given),
                a_decision("2", kind="manual", at=AT + HOUR, agent_id="ben", previous_agent_id="ann"),
                a_decision("3", kind="reassignment", agent_id="ann", previous_agent_id="ben"),
                a_decision("4", kind="assignment", agent_id=None),
                a_decision("5", kind="handover"),
                a_decision("6", kind="assignment", at=AT + 9 * HOUR, **given),
            ]
        )
    with store.reading("shop") as unit:
        assert unit.decisions.given(AT, AT + 9 * HOUR) == (
            Given("case-1", AT, "ann", None),
            Given("case-1", AT + HOUR, "ben", "ann"),
        )
