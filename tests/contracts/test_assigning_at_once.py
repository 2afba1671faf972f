"""Several processes that assign at the same moment: no case is given twice, and nobody more than they can hold."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from graph.models import Case
from ingest.embedding import WordHashEmbedder
from kb_service.app import wire
from kb_service.models import Assignment, Principal
from kb_service.services import Services
from kb_service.settings import Settings
from kb_service.store import NewEvent, Store
from tests.contracts.store_samples import a_case, an_agent, an_event
from tests.kb_service.conftest import LATE

CASES, PEOPLE, PLACES = 12, 3, 3
CALLER = Principal("shop", "key_1", frozenset({"agent"}))


def waiting(store: Store) -> list[str]:
    """More waiting cases than the people can take together."""
    ids = [f"case-{number:02}" for number in range(CASES)]
    with store.writing("shop") as unit:
        for number in range(PEOPLE):
            unit.agents.put(an_agent(f"agent-{number}", capacity=PLACES, pool="core", permissions=()))
        for id in ids:
            case: Case = a_case(
                id,
                customer_id=f"u-{id}",
                conversation_ids=(f"c-{id}",),
                state="waiting",
                agent_id=None,
                assigned_at=None,
                resolved_at=None,
                active_at=unit.now,
                problem_id=None,
                language="en",
            )
            unit.cases.put(case)
            said = an_event(
                f"m-{id}",
                text=LATE,
                at=unit.now,
                conversation_id=f"c-{id}",
                customer_id=f"u-{id}",
                language="en",
                products=(),
            )
            unit.events.add_many([NewEvent(said, id)])
    return ids


@pytest.fixture
def processes(
    store: Store, store_url: str, tmp_path: Path, clock: Callable[[], datetime]
) -> Iterator[list[Services]]:
    """Two services over one store, each with what it derives for itself."""
    started = [
        wire(
            Settings(data=tmp_path / f"data-{number}", database_url=store_url),
            embedder=WordHashEmbedder(),
            clock=clock,
            serving=False,
        )
        for number in range(2)
    ]
    yield started
    for services in started:
        services.stop()


def test_calls_at_once_from_several_processes_share_the_work(store: Store, processes: list[Services]) -> None:
    ids = waiting(store)
    for services in processes:
        services.replicas.settled("shop")
    together = threading.Barrier(4)

    def call(services: Services) -> list[Assignment]:
        together.wait(timeout=30)
        return services.assigning.assign_waiting(CALLER)

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(call, [*processes, *processes]))
    given = Counter(item.case_id for result in made for item in result if item.agent is not None)
    assert len(given) == PEOPLE * PLACES
    assert set(given.values()) == {1}, "no case was given twice"
    with store.reading("shop") as unit:
        agents = unit.agents.all()
        assert [agent.load for agent in agents] == [PLACES] * PEOPLE
        taken = {case.id: case.agent_id for id in ids if (case := unit.cases.get(id)) and case.agent_id}
        decided = {id: [item.agent_id for item in unit.decisions.of_case(id) if item.agent_id] for id in ids}
    assert taken == {id: who[0] for id, who in decided.items() if who}
    assert all(len(who) <= 1 for who in decided.values()), "each was decided once"


def test_a_case_that_somebody_took_meanwhile_is_theirs(
    store: Store, processes: list[Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = processes
    ids = waiting(store)
    place = first.routing.place_all
    meanwhile: list[str] = []

    def slow(*args: object, **named: object) -> object:
        if not meanwhile:
            meanwhile.append(ids[0])
            second.assigning.give(CALLER, ids[0], "agent-0")
        return place(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(first.routing, "place_all", slow)
    made = first.assigning.assign_waiting(CALLER)
    assert ids[0] not in {item.case_id for item in made}
    with store.reading("shop") as unit:
        case = unit.cases.get(ids[0])
        assert case is not None
        assert case.agent_id == "agent-0"
        assert max(agent.load for agent in unit.agents.all()) == PLACES
