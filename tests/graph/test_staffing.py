"""People for an hour's arrivals, who could help, and whom training would help."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from graph.helping import StaffedExpertise, offers
from graph.models import Agent
from graph.profiles import SkillEstimate
from graph.staffing import load, needed_agents
from graph.training import Demand, trainings


def test_the_load_is_what_keeps_people_busy() -> None:
    assert load(12, 300) == 1.0


@pytest.mark.parametrize(
    ("arrivals", "seconds", "people"),
    # 100 calls in half an hour at 3 minutes need 14 people for 80% in 20 s: the usual example of Erlang C.
    [(0, 300, 0), (200, 180, 14), (1, 60, 1)],
)
def test_erlang_c_gives_the_known_numbers(arrivals: float, seconds: float, people: int) -> None:
    assert needed_agents(arrivals, seconds, share=0.8, seconds=20) == people


def test_more_arrivals_never_need_fewer_people() -> None:
    found = [needed_agents(arrivals, 240) for arrivals in range(0, 400, 7)]
    assert found == sorted(found)
    assert all(
        people > load(arrivals, 240) for people, arrivals in zip(found[1:], range(7, 400, 7), strict=False)
    )


# --- help


def person(id: str, **changes: Any) -> Agent:
    return Agent(id, id.title(), ("zh", "en"), capacity=4, online=True, **changes)


def skill(rate: float, n: float = 50.0, seconds: float = 300.0) -> SkillEstimate:
    return SkillEstimate(rate, rate - 0.1, rate + 0.1, n, seconds)


LOGISTICS = StaffedExpertise("logistics", ("ann",), 1, 3)
RETURNS = StaffedExpertise("returns", ("bob", "cem", "dai"), 3, 2)
SHORT = StaffedExpertise("billing", ("eve",), 1, 1)
PEOPLE = tuple(person(id) for id in ("ann", "bob", "cem", "dai", "eve"))
ESTIMATES = {
    "ann": skill(0.9),
    "bob": skill(0.88),
    "cem": skill(0.86),
    "dai": skill(0.5),
    "eve": skill(0.95),
}


def helpers(people: tuple[Agent, ...] = PEOPLE, **options: Any) -> list[tuple[str, str]]:
    estimates = options.pop("estimates", ESTIMATES)
    found = offers(LOGISTICS, (LOGISTICS, RETURNS, SHORT), people, estimates, seconds=300, **options)
    return [(offer.agent.id, offer.kind) for offer in found]


def test_a_field_lends_no_more_people_than_it_can_spare() -> None:
    """Bob and Cem could both help, but their field spares one; Dai could not help, Eve is needed where she is."""
    assert helpers() == [("ann", "member"), ("bob", "experience")]


def test_help_needs_room_presence_and_the_language() -> None:
    full = tuple(replace(agent, load=4) if agent.id == "bob" else agent for agent in PEOPLE)
    assert ("cem", "experience") in helpers(full)
    away = tuple(replace(agent, online=agent.id not in ("bob", "cem")) for agent in PEOPLE)
    assert helpers(away) == [("ann", "member")]
    german = tuple(replace(agent, languages=("de",)) if agent.id == "cem" else agent for agent in PEOPLE)
    assert helpers(german, language="de") == [("cem", "experience")]


def test_a_declared_skill_and_the_flexible_pool_help_without_experience() -> None:
    new = SkillEstimate(0.7, 0.4, 0.9, 2.0, None)
    people = (person("fay", skills=("Logistics",)), person("gus", pool="flex"), person("hal"))
    estimates = dict.fromkeys(("fay", "gus", "hal"), new)
    assert helpers(people, estimates=estimates) == [("fay", "skill"), ("gus", "flex")]


def test_figures_from_under_twenty_cases_are_not_shown() -> None:
    people = (person("fay", skills=("logistics",)),)
    (few,) = offers(LOGISTICS, (LOGISTICS,), people, {"fay": skill(0.7, n=19)}, seconds=300)
    (enough,) = offers(LOGISTICS, (LOGISTICS,), people, {"fay": skill(0.7, n=20)}, seconds=300)
    assert (few.rate, few.low) == (None, None)
    assert "70%" not in few.words["en"] + few.words["zh"]
    assert enough.rate == 0.7
    assert "70%" in enough.words["zh"]


def test_half_the_room_is_half_the_help() -> None:
    people = (person("ann", load=2),)
    (offer,) = offers(LOGISTICS, (LOGISTICS,), people, {"ann": skill(0.9)}, seconds=300)
    assert offer.cases_per_hour == pytest.approx(6.0)


# --- training

NAMES = {id: id.title() for id in ("ann", "bob", "cem", "dai")}
OVERALL = {id: skill(0.8) for id in NAMES}


def test_training_pays_for_those_below_the_best_half_by_their_share_of_the_cases() -> None:
    field = {"ann": skill(0.9, 100), "bob": skill(0.7, 100), "cem": skill(0.88, 100), "dai": skill(0.2, 5)}
    demand = Demand("logistics", "Logistics", 305.0, 0.0, tuple(NAMES))
    (found,) = trainings([demand], {"logistics": field}, OVERALL, NAMES)
    assert (found.agent_id, found.reason) == ("bob", "below_the_best")
    assert found.reachable == pytest.approx(0.89)
    assert found.gain == pytest.approx(305 * 100 / 305 * 0.19)
    assert "Bob" in found.words["zh"]
    assert "70%" in found.words["en"]


def test_a_field_short_of_people_proposes_those_who_do_well_elsewhere() -> None:
    field = {"ann": skill(0.9, 100), "bob": skill(0.6, 3), "cem": skill(0.6, 3), "dai": skill(0.6, 3)}
    overall = OVERALL | {"cem": skill(0.95), "dai": skill(0.99, n=4)}
    demand = Demand("logistics", "Logistics", 300.0, 20.0, ("ann",))
    found = trainings([demand], {"logistics": field}, overall, NAMES)
    assert [item.agent_id for item in found] == ["bob", "cem"]
    assert {item.reason for item in found} == {"short_of_people"}
    assert all(item.rate is None and item.gain == pytest.approx(18) for item in found)


def test_without_figures_there_is_nothing_to_say() -> None:
    demand = Demand("logistics", "Logistics", 300.0, 20.0, ("ann",))
    assert trainings([demand], {"logistics": {"ann": skill(0.9, 5)}}, OVERALL, NAMES) == ()
    assert trainings([], {}, {}, {}) == ()
