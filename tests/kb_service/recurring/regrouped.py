"""Messages of two matters, problems that an unlucky order of arrival put apart, and nights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from graph.models import Problem
from kb_service.recurring.nightly_regrouping import Night, NightlyRegrouping
from tests.kb_service.conftest import Api

LATE = ["parcel", "stuck", "courier", "hub", "tracking", "moved"]
BROKEN = ["zipper", "jacket", "broke", "wash", "seam", "torn"]


def nightly(api: Api) -> NightlyRegrouping:
    services = api.services
    return NightlyRegrouping(services.store, services.replicas, services.routing, clock=api.clock)


def night(api: Api) -> Night:
    """What the job of a night does, a day later."""
    done = nightly(api).night("shop")
    api.clock.advance(days=1)
    return done


def said(words: list[str], number: int) -> str:
    """Four of six words, another four each time."""
    return " ".join(words[(number + step) % len(words)] for step in range(4))


def told(api: Api, prefix: str, words: list[str], many: int = 4) -> str:
    """Messages of several customers about one matter; the problem of the first."""
    results = [
        api.post("/v1/events", api.event(f"{prefix}{number}", text=said(words, number))).json()
        for number in range(many)
    ]
    return str(results[0]["problem"]["id"])


def problem_of(api: Api, event_id: str) -> str:
    return str(api.get(f"/v1/events/{event_id}").json()["problem"]["id"])


def found(api: Api, problem_id: str) -> dict[str, Any]:
    answer = api.get(f"/v1/problems/{problem_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def audit(api: Api) -> list[tuple[str, str, str]]:
    with api.store.reading("shop") as unit:
        return [(entry.actor, entry.action, entry.object) for entry in unit.audit.page(limit=200).items]


def put_apart(api: Api, *event_ids: str) -> str:
    """Put messages into a problem of their own behind everybody's back, as an unlucky order of arrival would."""
    with api.store.writing("shop") as unit:
        first = unit.events.get(event_ids[0])
        assert first is not None
        before = unit.assignments.get(event_ids[0])
        assert before is not None
        assert before.problem_id is not None
        old = unit.problems.get(before.problem_id)
        assert old is not None
        at = first.event.at
        new = Problem(f"p_{event_ids[0]}", {"en": "apart", "zh": "apart"}, "candidate", at, at, at)
        unit.problems.put(new)
        for event_id in event_ids:
            match = replace(before.match, problem_id=new.id, reason="joined", pending=False)
            unit.assignments.put(event_id, new.id, match)
            stored = unit.events.get(event_id)
            case = unit.cases.get(stored.case_id or "") if stored is not None else None
            assert case is not None
            unit.cases.put(replace(case, problem_id=new.id))
        unit.changes.record("workspace", "shop")
    api.services.replicas.follow("shop")
    return new.id
