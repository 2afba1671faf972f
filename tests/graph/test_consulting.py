"""Advice is suggested where the owner is unlikely to succeed and somebody else surely would more often."""

from __future__ import annotations

from dataclasses import replace

import pytest

from graph.consulting import worth_asking
from graph.models import Agent
from graph.profiles import SkillEstimate
from graph.wording import words

TEAM = [Agent(id_, id_, online=True) for id_ in ("owner", "expert", "master", "peer")]


def skill(rate: float, doubt: float = 0.05) -> SkillEstimate:
    return SkillEstimate(rate, rate - doubt, rate + doubt, 30)


KNOWN = {"owner": skill(0.4), "expert": skill(0.7), "master": skill(0.9), "peer": skill(0.5)}


def test_much_better_people_are_suggested_best_first() -> None:
    assert [agent.id for agent in worth_asking("owner", TEAM, KNOWN)] == ["master", "expert"]
    assert [agent.id for agent in worth_asking("owner", TEAM, KNOWN, limit=1)] == ["master"]
    assert [agent.id for agent in worth_asking("owner", TEAM, KNOWN, much_better=0.1)][-1] == "peer"


@pytest.mark.parametrize("owner", ["expert", "unknown"])
def test_who_manages_or_is_not_known_needs_nobody(owner: str) -> None:
    assert worth_asking(owner, TEAM, KNOWN) == ()


def test_neither_who_is_away_nor_who_may_be_no_better() -> None:
    away = [replace(agent, online=agent.id != "master") for agent in TEAM]
    unsure = {**KNOWN, "expert": skill(0.7, doubt=0.35)}
    assert worth_asking("owner", away, unsure) == ()


def test_full_and_foreign_people_can_still_advise() -> None:
    busy = [replace(agent, load=9, languages=("fr",)) for agent in TEAM]
    assert [agent.id for agent in worth_asking("owner", busy, KNOWN)] == ["master", "expert"]


def test_advice_tells_no_rate_of_few_cases() -> None:
    many, few = SkillEstimate(0.9, 0.8, 0.95, 40.0), SkillEstimate(0.4, 0.2, 0.6, 19.0)
    for language in ("en", "zh"):
        say = words(language)
        assert "90%" in say.advice(many, replace(few, n=20.0))
        for expert, owner in ((many, few), (few, many), (few, few)):
            assert "%" not in say.advice(expert, owner)
