"""Digests by mail: once per day and address, under way with one worker at a time."""

from __future__ import annotations

from datetime import timedelta

from kb_service.store import Store
from tests.conftest import FixedClock
from tests.contracts.store_samples import AT, a_problem, a_proposal, a_webhook, an_alert

CONTENT = {"told": ["recurrence:alert-1"], "sections": {"recurrence": ["alert-1"]}}


def test_a_day_has_one_digest_for_each_address(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.digests.add("2026-06-18", ["a@example.com", "b@example.com", "a@example.com"], "en", CONTENT)
        unit.digests.add("2026-06-18", ["a@example.com"], "zh", {"told": []})
        unit.digests.add("2026-06-19", ["a@example.com"], "zh", {"told": []})
    with store.reading("shop") as unit:
        made = unit.digests.since(AT - timedelta(days=1))
        assert sorted((one.day, one.address, one.language) for one in made) == [
            ("2026-06-18", "a@example.com", "en"),
            ("2026-06-18", "b@example.com", "en"),
            ("2026-06-19", "a@example.com", "zh"),
        ]
        assert made[0].content == CONTENT
        assert unit.digests.since(unit.now + timedelta(seconds=1)) == ()
        page = unit.digests.page(limit=2)
        assert len(page.items) + len(unit.digests.page(page.next_cursor).items) == 3


def test_the_way_of_a_digest(store: Store, clock: FixedClock) -> None:
    with store.writing("shop") as unit:
        assert unit.digests.due() is False
        unit.digests.add("2026-06-18", ["a@example.com"], "en", CONTENT)
        assert unit.digests.due() is True
        [first] = unit.digests.claim(9)
        assert unit.digests.claim(9) == (), "under way"
        assert unit.digests.due() is False
    clock.advance(minutes=6)
    with store.writing("shop") as unit:
        [again] = unit.digests.claim(9)
        assert (again.id, again.attempt) == (first.id, 0)
        assert unit.digests.finish(first, "delivered") is False, "its lease was lost"
        later = unit.now + timedelta(hours=1)
        assert unit.digests.finish(again, "pending", next_at=later, error="refused") is True
        assert unit.digests.due() is False
    clock.advance(hours=1)
    with store.writing("shop") as unit:
        [third] = unit.digests.claim(9)
        assert (third.attempt, third.last_error) == (1, "refused")
        assert unit.digests.finish(third, "delivered") is True
        [done] = unit.digests.since(AT - timedelta(days=1))
        assert (done.state, done.attempt, done.finished_at) == ("delivered", 2, unit.now)
        assert (done.next_at, done.last_error, done.lease) == (None, None, None)


def test_what_happened_within_a_span(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.problems.put(a_problem(state="open", opened_at=AT, resolved_at=None))
        unit.problems.put(a_problem("p2", state="candidate", opened_at=AT))
        unit.problems.put(a_problem("p3", state="resolved", opened_at=AT - timedelta(days=9), resolved_at=AT))
        unit.alerts.put(an_alert(state="open", opened_at=AT, examples=()), [])
        unit.proposals.put(a_proposal(state="open", opened_at=AT))
        unit.webhooks.put(a_webhook())
        found = unit.digests.happened(AT, AT + timedelta(seconds=1))
        opened = an_alert()
        assert found.alerts == ((opened.id, AT, opened.kind, opened.problem_id),)
        assert found.problems == (("p1", AT),)
        assert (found.resolved, found.proposals) == ((("p3", AT),), (("proposal-1", AT),))
        assert (found.open_alerts, found.open_proposals, found.disabled) == (1, 1, ())
        before = unit.digests.happened(AT - timedelta(days=1), AT)
        assert (before.alerts, before.problems, before.resolved) == ((), (), ())
