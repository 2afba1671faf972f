"""What the board of problems asks of the store: sorts and their numbers, counts by day, newest alerts, deliveries."""

from __future__ import annotations

from datetime import timedelta

from kb_service.store import LastWords, ProblemCounts, Store, Unit
from kb_service.store.values import Hanging
from tests.contracts.store_samples import (
    AT,
    MODEL,
    a_follow_up,
    a_match,
    a_problem,
    a_proposal,
    a_webhook,
    an_alert,
    an_event,
    vectors_of,
)

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def some_problems(unit: Unit) -> None:
    """One new, one that many have asked for long, one of each by a hair, one resolved, one of too few."""
    long_ago = AT - 30 * DAY
    new = {"opened_at": AT - DAY, "active_at": AT, "customers": 50}
    old = {"opened_at": long_ago, "episode_at": long_ago, "active_at": long_ago + 14 * DAY, "customers": 10}
    unit.problems.put(a_problem("new", **new))
    unit.problems.put(a_problem("week", **{**new, "opened_at": AT - 7 * DAY}))
    unit.problems.put(a_problem("long", **old, state="silenced"))
    unit.problems.put(a_problem("brief", **{**old, "active_at": long_ago + 14 * DAY - HOUR}))
    unit.problems.put(a_problem("few", **{**old, "customers": 9}, state="acknowledged"))
    unit.problems.put(a_problem("over", **new, state="resolved"))
    unit.problems.put(a_problem("one", **new, state="candidate"))


def test_problems_of_a_sort_are_as_many_as_their_number_says(store: Store) -> None:
    with store.writing("shop") as unit:
        some_problems(unit)
        assert unit.problems.counts(AT) == ProblemCounts(
            all=7, standing=5, emerging=1, evergreen=1, resolved=1, candidates=1
        )
        by_state = unit.problems.page(states={"open", "acknowledged", "silenced", "regressed"})
        assert {item.id for item in by_state.items} == {"new", "week", "long", "brief", "few"}
        assert {item.id for item in unit.problems.page(opened_after=AT - 7 * DAY).items} == {
            "new", "over", "one",
        }  # fmt: skip
        assert "week" in {item.id for item in unit.problems.page(opened_by=AT - 7 * DAY).items}
        assert [item.id for item in unit.problems.page(evergreen=True).items] == ["long"]
        assert "long" not in {item.id for item in unit.problems.page(evergreen=False).items}
        first = unit.problems.page(None, 1, evergreen=False)
        assert len(first.items) == 1
        assert len(unit.problems.page(first.next_cursor, 9, evergreen=False).items) == 5
    with store.reading("shop") as unit:
        assert unit.problems.counts(AT + 30 * DAY).emerging == 0


def test_messages_of_problems_are_counted_between_moments(store: Store) -> None:
    with store.writing("shop") as unit:
        said = (("m1", -DAY, "p1"), ("m2", 0 * HOUR, "p1"), ("m3", HOUR, "p1"), ("m4", HOUR, "p2"))
        for id, after, problem_id in (*said, ("m5", 2 * DAY, "p1")):
            unit.problems.put(a_problem(problem_id))
            unit.events.add(an_event(id, at=AT + after), "case-1", vectors_of(1)[0], MODEL)
            unit.assignments.put(id, problem_id, a_match(problem_id))
        unit.events.add(an_event("reply", role="agent", customer_id=None, at=AT + HOUR), "case-1")
        unit.assignments.put("reply", "p1", a_match())
        bounds = (AT - DAY, AT, AT + DAY)
        assert unit.events.counts_by_span(["p1", "p2", "p3"], bounds) == {"p1": (1, 2), "p2": (0, 1)}
        assert unit.events.counts_by_span([], bounds) == {}


def test_problems_come_by_how_much_they_grew_page_by_page(store: Store) -> None:
    said = {
        "shrank": (-DAY, -DAY, HOUR),
        "grew": (HOUR, HOUR, 2 * HOUR),
        "grew less": (-DAY, HOUR, HOUR),
        "still": (-DAY, HOUR),
        "silent": (-5 * DAY, 3 * DAY),
    }
    with store.writing("shop") as unit:
        for problem_id, moments in said.items():
            unit.problems.put(a_problem(problem_id))
            for place, after in enumerate(moments):
                id = f"{problem_id} {place}"
                unit.events.add(an_event(id, at=AT + after), "case-1", vectors_of(1)[0], MODEL)
                unit.assignments.put(id, problem_id, a_match(problem_id))
        unit.events.add(an_event("reply", role="agent", customer_id=None, at=AT + HOUR), "case-1")
        unit.assignments.put("reply", "still", a_match())
    with store.reading("shop") as unit:
        over = (AT - 2 * DAY, AT, AT + 2 * DAY)
        found, cursor = [], None
        for _ in range(3):
            page = unit.problems.page(cursor, 2, sort="growth", grown_over=over)
            found += [item.id for item in page.items]
            cursor = page.next_cursor
        assert found == ["grew", "grew less", "still", "silent", "shrank"]
        assert cursor is None


def test_a_case_is_known_by_what_its_customer_first_said_of_a_problem(store: Store) -> None:
    with store.writing("shop") as unit:
        for id, after, text in (
            ("m1", HOUR, "later"),
            ("m2", 0 * HOUR, "first"),
            ("m3", -HOUR, "of another"),
        ):
            problem_id = "p2" if id == "m3" else "p1"
            unit.problems.put(a_problem(problem_id))
            unit.events.add(an_event(id, at=AT + after, text=text), "case-1", vectors_of(1)[0], MODEL)
            unit.assignments.put(id, problem_id, a_match(problem_id))
        assert unit.events.first_words(["case-1", "case-2"], "p1") == {"case-1": "first"}


def test_the_newest_alert_of_each_problem(store: Store) -> None:
    with store.writing("shop") as unit:
        for id, problem_id, after in (("a1", "p1", HOUR), ("a2", "p1", 0 * HOUR), ("a3", "p2", 0 * HOUR)):
            unit.problems.put(a_problem(problem_id))
            unit.alerts.put(an_alert(id, problem_id=problem_id, opened_at=AT + after, examples=()), [])
        newest = unit.alerts.newest_of(["p1", "p2", "p3"])
        assert {problem_id: alert.id for problem_id, alert in newest.items()} == {"p1": "a1", "p2": "a3"}


def test_what_comes_under_a_problem_is_found(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.problems.put(a_problem("p1", parent_id=None))
        unit.problems.put(a_problem("p2", parent_id="p1"))
        unit.problems.put(a_problem("p3", parent_id="p2"))
        assert [item.id for item in unit.problems.children("p1")] == ["p2"]


def test_deliveries_are_found_by_the_alert_that_they_tell_of(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.webhooks.put(a_webhook())
        alone = unit.outbox.add("alert.opened", {"id": "alt_1"}, AT, ["hook-1"])
        beside = unit.outbox.add(
            "alert.escalated", {"id": "alt_2", "also": [{"id": "alt_1"}]}, AT + HOUR, ["hook-1"]
        )
        for data, type, at in (
            ({"id": "altX1"}, "alert.opened", AT),
            ({"id": "alt_12"}, "alert.opened", AT),
            ({"id": "alt_1"}, "gap.found", AT),
            ({"id": "alt_1"}, "alert.opened", AT - DAY),
        ):
            unit.outbox.add(type, data, at, ["hook-1"])
        found = unit.webhooks.deliveries_about("alt_1", ("alert.opened", "alert.escalated"), AT)
        assert {item.message_id for item in found} == {alone, beside}
        assert unit.webhooks.deliveries_about("alt_1", ("alert.opened",), AT + HOUR) == ()


def test_the_latest_entry_about_an_object(store: Store) -> None:
    with store.writing("shop") as unit:
        first = unit.audit.append("key_1", "problem.resolve", "p1", {})
        second = unit.audit.append("key_2", "problem.reopen", "p1", {})
        unit.audit.append("key_1", "problem.resolve", "p2", {})
        latest = unit.audit.latest_of("p1")
        assert latest is not None
        assert (latest.id, latest.actor) == (second, "key_2")
        assert second > first
        assert unit.audit.latest_of("p3") is None


def test_what_hangs_on_a_problem_is_counted_without_being_read(store: Store) -> None:
    with store.writing("shop") as unit:
        for id, parent in (("p1", None), ("p2", "p1"), ("p3", "p1")):
            unit.problems.put(a_problem(id, parent_id=parent))
        unit.alerts.put(an_alert("a1"))
        unit.alerts.put(an_alert("a2", problem_id="p2"))
        unit.proposals.put(a_proposal())
        unit.follow_ups.put(a_follow_up())
        assert unit.problems.hanging("p1") == Hanging(1, 1, 1, 2)
        assert unit.problems.hanging("p3") == Hanging(0, 0, 0, 0)


def test_the_last_words_of_a_case_are_read_without_the_others(store: Store) -> None:
    with store.writing("shop") as unit:
        for id, after, fields in (
            ("m3", 2 * HOUR, {"role": "agent", "text": "sent again"}),
            ("m1", 0 * HOUR, {"text": "broken"}),
            ("m2", HOUR, {"text": "and late"}),
            ("m4", 3 * HOUR, {"text": ""}),
            ("r1", 4 * HOUR, {"type": "rating", "rating": 3.0, "text": "poor"}),
        ):
            unit.events.add(an_event(id, at=AT + after, **fields), "case-1")
        unit.events.add(an_event("m5", text=None), "case-2")
        told = unit.events.last_words(["case-1", "case-2", "none"])
        assert told == {"case-1": LastWords("sent again", "agent", (("and late", "zh"), ("broken", "zh")))}
        assert unit.events.last_words(["case-1"], theirs=1)["case-1"].theirs == (("and late", "zh"),)
        assert unit.events.count_of_case("case-1") == 5
        assert unit.events.count_of_case("none") == 0


def test_an_object_of_the_audit_is_found_in_capitals_or_not(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.audit.append("key_1", "documents.put", "Policy-Returns", {})
    with store.reading("shop") as unit:
        assert len(unit.audit.page(object="policy-RET").items) == 1
        assert unit.audit.page(object="policy_ret").items == ()
