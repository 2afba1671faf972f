"""What a memory of problems knows of merged ones, live and made again from the store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.matching import ProblemMatcher
from kb_service.recurring.regrouping import reader_of
from kb_service.replicas.replica import Replica
from tests.conftest import FixedClock
from tests.kb_service.conftest import Api, running
from tests.kb_service.recurring.regrouped import BROKEN, LATE, said, told

LAMP = ["lamp", "flickers", "evening", "bulb", "switch", "dim"]


@pytest.fixture
def api(tmp_path: Path, clock: FixedClock) -> Iterator[Api]:
    with running(tmp_path / "data", clock) as started:
        yield started


def say(api: Api, id: str, words: list[str], number: int) -> None:
    api.clock.advance(minutes=1)
    assert api.post("/v1/events", api.event(id, text=said(words, number))).status_code == 200


def merge(api: Api, old: str, into: str) -> None:
    api.clock.advance(minutes=1)
    assert api.post(f"/v1/problems/{old}/merge", {"into": into}).status_code == 200
    api.clock.advance(minutes=1)


def known(api: Api, matcher: ProblemMatcher) -> dict[str, object]:
    """All that a matcher says: of each message, and of each problem in the order it would show it."""
    replica = api.services.replicas.settled("shop")
    read = reader_of(replica)
    with api.store.reading("shop") as unit:
        heard = [(message.event.id, read(message)) for message in unit.events.messages()]
    said = {
        id: matcher.candidates(instance.utterance, instance.entities, instance.at)
        for id, instance in heard
        if instance is not None
    }
    kept = {id: [item.event_id for item in matcher.exemplars(id)] for id in replica.problems}
    return {"said": said, "kept": kept}


def merged(api: Api) -> tuple[str, str, str]:
    """Three matters merged one after the other, with messages before, between and after."""
    one = told(api, "a", LATE)
    api.clock.advance(minutes=1)
    two = told(api, "b", BROKEN)
    api.clock.advance(minutes=1)
    three = told(api, "c", LAMP)
    merge(api, two, one)
    say(api, "b9", BROKEN, 5)
    say(api, "a9", LATE, 4)
    merge(api, one, three)
    say(api, "b8", BROKEN, 2)
    say(api, "c9", LAMP, 4)
    return one, two, three


def test_a_memory_made_from_the_store_keeps_merged_problems_apart_as_the_live_one_does(api: Api) -> None:
    _, _, three = merged(api)
    replica = api.services.replicas.settled("shop")
    live = known(api, replica.matcher)
    assert len(replica.matcher) == 1
    replica.reset()
    again = known(api, replica.matcher)
    assert again == live
    kept = replica.matcher.exemplars(three)
    assert {(item.event_id or "")[0] for item in kept[:3]} == {"a", "b", "c"}, "one of each in turn"


def test_a_process_that_follows_late_joins_messages_to_what_they_were_of_before_a_merge(api: Api) -> None:
    services = api.services
    other = Replica(
        "shop",
        api.store,
        services.encoder,
        services.settings.data / "another",
        publishes=False,
        clock=api.clock,
    )
    other.settle()
    merged(api)
    other.follow()
    assert known(api, other.matcher) == known(api, services.replicas.settled("shop").matcher)
    other.close()


def test_after_an_unmerge_nothing_of_what_was_taken_out_is_left_behind(api: Api) -> None:
    one, two, three = merged(api)
    replica = api.services.replicas.settled("shop")
    assert api.post(f"/v1/problems/{three}/unmerge", {"alias": one}).status_code == 200
    assert api.post(f"/v1/problems/{one}/unmerge", {"alias": two}).status_code == 200
    kept = {
        id: {(item.event_id or "")[0] for item in replica.matcher.exemplars(id)} for id in (one, two, three)
    }
    assert kept == {one: {"a"}, two: {"b"}, three: {"c"}}
    assert len(replica.matcher) == 3
    live = known(api, replica.matcher)
    replica.reset()
    assert known(api, replica.matcher) == live


def test_a_merge_of_an_earlier_version_is_kept_apart_by_first_assignments(api: Api) -> None:
    one, two = told(api, "a", LATE), told(api, "b", BROKEN)
    with api.store.writing("shop") as unit:
        unit.problems.merge_alias(two, one)
    api.services.replicas.follow("shop")
    replica = api.services.replicas.settled("shop")
    live = known(api, replica.matcher)
    replica.reset()
    assert known(api, replica.matcher) == live
