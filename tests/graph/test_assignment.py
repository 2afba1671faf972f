from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.agent_scores import FAIRNESS, LOAD, Weights
from graph.assignment import Patience, Placement, assign, rank
from graph.circles import Need, neighbouring
from graph.models import Agent, AgentChoice, Customer, Emotion, Expertise, Understanding
from graph.priority import prioritise
from graph.profiles import SkillEstimate
from graph.support_lines import line_of
from graph.workshare import Round

T = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
LOGISTICS = Expertise("logistics", "Logistics", agent_ids=("able", "better"))
COUPONS = Expertise("coupons", "优惠券", agent_ids=("both",))


def agent(id: str, **changes: object) -> Agent:
    return replace(Agent(id, id, ("zh", "en"), online=True), **changes)  # type: ignore[arg-type]


def skill(rate: float, n: float = 30.0) -> SkillEstimate:
    return SkillEstimate(rate, rate - 0.1, rate + 0.1, n)


def need(case_id: str = "c", **changes: object) -> Need:
    return replace(Need(case_id, "zh", LOGISTICS), **changes)  # type: ignore[arg-type]


def ids(choices: tuple[AgentChoice, ...]) -> list[str]:
    return [choice.agent.id for choice in choices]


def codes(choice: AgentChoice) -> list[str]:
    return [reason.code for reason in choice.reasons]


ESTIMATES = {"able": skill(0.7), "better": skill(0.9)}


def ranked(agents: list[Agent], wanted: Need, **changes: object) -> tuple[AgentChoice, ...]:
    options: dict[str, object] = {"now": T, "estimates": ESTIMATES} | changes
    return rank(agents, wanted, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("languages", "permissions", "language", "required", "eligible"),
    [
        (("zh",), (), "zh", (), True),
        (("zh",), (), "zh-CN", (), True),
        (("zh-Hans",), (), "zh", (), True),
        (("en",), (), "zh", (), False),
        ((), (), "zh", (), True),
        (("en",), (), "und", (), True),
        (("en",), (), None, (), True),
        (("zh",), (), "zh", ("level-2",), False),
        (("zh",), ("level-1", "level-2"), "zh", ("level-2",), True),
    ],
)
def test_language_and_permissions_are_hard(
    languages: tuple[str, ...],
    permissions: tuple[str, ...],
    language: str | None,
    required: tuple[str, ...],
    eligible: bool,
) -> None:
    someone = agent("able", languages=languages, permissions=permissions)
    choices = ranked([someone], need(language=language, permissions=required))
    assert any(choice.available for choice in choices) == eligible
    (placed_,) = assign([need(language=language, permissions=required)], [someone], now=T, estimates={})
    assert placed_.reason == ("assigned" if eligible else "no_eligible_agent")


def test_a_language_that_nobody_speaks_does_not_wait_for_ever() -> None:
    team = [agent("able", languages=("zh",)), agent("better", languages=("zh", "en"))]
    early = need(language="de", sla_consumed=0.9)
    assert [c.available for c in ranked(team, early)] == [False]
    (told,) = (r.text for c in ranked(team, early) for r in c.reasons if r.code == "language")
    assert told == "nobody speaks German; takes it once the first reply is due"
    (waits,) = assign([early], team, now=T, estimates={})
    assert waits.reason == "no_eligible_agent"
    late = need(language="de", sla_consumed=1.0)
    (given_,) = assign([late], team, now=T, estimates={"c": ESTIMATES}, language="zh")
    assert given_.choice is not None and given_.choice.agent.id == "better", "English before nothing"
    assert "没有人会德语；首次响应时限已用完" in [r.text for r in given_.choice.reasons]
    (anybody,) = assign([late], [team[0], replace(team[1], online=False)], now=T, estimates={})
    assert anybody.choice is not None and anybody.choice.agent.id == "able"
    speaker = agent("speaker", languages=("de",), online=False)
    (for_them,) = assign([late], [*team, speaker], now=T, estimates={})
    assert for_them.reason == "nobody_free", "somebody speaks it and will come"
    (barred,) = assign([replace(late, permissions=("level-2",))], team, now=T, estimates={})
    assert barred.reason == "no_eligible_agent", "permissions never give way"


def test_the_better_agent_comes_first_until_the_load_says_otherwise() -> None:
    assert ids(ranked([agent("able"), agent("better")], need())) == ["better", "able"]
    busy = agent("better", load=9, capacity=20)
    assert ids(ranked([agent("able"), busy], need())) == ["better", "able"]
    first, second = ranked([agent("able"), replace(busy, load=11)], need())
    assert first.agent.id == "able"
    assert second.score == pytest.approx(0.9 - 11 * LOAD)


def test_full_and_offline_agents_follow_as_unavailable() -> None:
    choices = ranked(
        [
            agent("off", skills=("logistics",), online=False),
            agent("better", load=5),
            agent("able"),
            agent("off and full", skills=("Logistics",), online=False, load=5),
        ],
        need(),
        estimates={**ESTIMATES, "off": skill(0.99)},
    )
    assert ids(choices) == ["able", "better", "off", "off and full"]
    assert [c.available for c in choices] == [True, False, False, False]
    texts = {c.agent.id: next(r.text for r in c.reasons if r.code == "load") for c in choices}
    assert texts == {
        "able": "0 of 5 cases",
        "better": "full; 5 of 5 cases",
        "off": "offline; 0 of 5 cases",
        "off and full": "offline; 5 of 5 cases",
    }


@pytest.mark.parametrize(
    ("days", "online", "sticky"), [(0, True, True), (7, True, True), (7.1, True, False), (1, False, False)]
)
def test_a_customers_last_agent_is_preferred_for_a_week_while_online(
    days: float, online: bool, sticky: bool
) -> None:
    wanted = need(sticky_agent_id="able", sticky_at=T - days * DAY)
    agents = [agent("able", online=online), agent("other", skills=("logistics",))]
    choices = ranked(agents, wanted, estimates={"able": skill(0.7), "other": skill(0.75)})
    able = next(c for c in choices if c.agent.id == "able")
    assert ("sticky" in codes(able)) == sticky
    assert ids(choices)[0] == ("able" if sticky else "other")
    assert able.available == online


def test_fairness_evens_out_what_agents_are_given() -> None:
    agents = [agent("able"), agent("better")]
    choices = ranked(agents, need(), estimates={}, recent={"able": 10, "better": 30})
    assert ids(choices) == ["able", "better"]
    # 20 cases were due to each, so that the shares of .5 and 1.5 count by half.
    assert [c.score for c in choices] == pytest.approx([0.5 + FAIRNESS / 4, 0.5 - FAIRNESS / 4])
    assert "fairness" in codes(choices[0])
    swamped = ranked(agents, need(), estimates={}, recent={"better": 1_000_000})
    assert swamped[1].score == pytest.approx(0.5 - FAIRNESS, abs=1e-4), (
        "never more than twice the mean counts"
    )
    assert "fairness" not in codes(ranked(agents, need())[0])


def test_cases_of_the_same_call_count_in_the_share_of_work() -> None:
    agents = [agent(id, capacity=6) for id in ("able", "better", "third")]
    cases = [need(f"c{number}") for number in range(9)]
    likely = {"able": skill(0.75), "better": skill(0.85), "third": skill(0.72)}
    estimates = {case.case_id: likely for case in cases}
    recent = {"able": 10, "better": 10, "third": 10}
    dealt = assign(cases, agents, now=T, estimates=estimates, recent=recent)
    given_ = Counter(item.choice.agent.id for item in dealt if item.choice)
    unfair = assign(cases, agents, now=T, estimates=estimates, recent=recent, weights=Weights(fairness=0.0))
    without = Counter(item.choice.agent.id for item in unfair if item.choice)
    assert without["better"] == 6, "load alone piles them up"
    assert given_["better"] < 6 and min(given_.values()) > min(without[id] for id in likely)


def test_a_chosen_agents_reasons_tell_of_the_cases_of_the_same_call() -> None:
    agents, recent = [agent("able", capacity=9)], {"able": 20}
    cases = [need(f"c{number}") for number in range(5)]
    dealt = assign(cases, agents, now=T, estimates={}, recent=recent)
    shares = [
        next(r.weight for r in item.choice.reasons if r.code == "fairness")
        for item in sorted(dealt, key=lambda item: item.choice.agent.load if item.choice else 0)
        if item.choice
    ]
    assert shares == sorted(shares, reverse=True) and shares[0] > shares[-1]
    for item in dealt:
        assert item.choice is not None
        held = item.choice.agent.load
        within = Round(len(cases), {"able": held})
        (again,) = ranked([replace(agents[0], load=held)], need(), estimates={}, recent=recent, within=within)
        assert again.score == pytest.approx(item.choice.score), "told again as it was decided"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nobody_was_given_no_times_the_average(language: str) -> None:
    agents = [agent("able"), agent("better")]
    choices = ranked(agents, need(), recent={"able": 300}, language=language)
    texts = {c.agent.id: [r.text for r in c.reasons if r.code == "fairness"] for c in choices}
    assert (
        texts
        == {
            "zh": {"able": ["近一周接案量为平均的 2.0 倍"], "better": ["近一周接案较少"]},
            "en": {
                "able": ["was given 2.0× the average number of cases in the last week"],
                "better": ["was given fewer cases than others in the last week"],
            },
        }[language]
    )


def test_a_score_reads_like_a_chance() -> None:
    agents = [agent("able"), agent("better", load=1), agent("third")]
    choices = ranked(agents, need(expertise=None), recent={"third": 300})
    assert ids(choices) == ["better", "able", "third"]
    assert [c.score for c in choices] == [1.0, 1.0, pytest.approx(0.8 - FAIRNESS * 100 / 120)]
    assert [codes(c)[-1] == "limit" for c in choices] == [True, True, False]


def test_a_share_of_work_is_of_the_places_and_the_time_that_one_had() -> None:
    agents = [agent("able", capacity=4), agent("better", capacity=2)]
    there = {"able": 8 * 3600.0, "better": 4 * 3600.0}
    choices = ranked(agents, need(), estimates={}, recent={"able": 8, "better": 2}, online_seconds=there)
    assert [c.score for c in choices] == pytest.approx([0.5, 0.5]), (
        "four times the room, four times the cases"
    )
    choices = ranked(agents, need(), estimates={}, recent={"able": 4, "better": 4}, online_seconds=there)
    assert ids(choices) == ["able", "better"]


def test_one_case_more_or_less_does_not_outweigh_who_answered_last() -> None:
    agents = [agent("able"), agent("better")]
    wanted = need(sticky_agent_id="better", sticky_at=T - DAY)
    assert ids(ranked(agents, wanted, estimates={}, recent={"better": 1})) == ["better", "able"]


def test_who_helps_out_is_not_owed_a_share() -> None:
    agents = [agent("able"), agent("flexible", pool="flex"), agent("lead", permissions=("team-lead",))]
    wanted = need(sla_consumed=1.0)
    for choice in ranked(agents, wanted, estimates={}, recent={"able": 9}):
        assert choice.score <= 0.5


def test_without_weights_only_the_skill_counts() -> None:
    agents = [agent("able"), agent("better", load=3)]
    free = Weights(load=0.0, fairness=0.0, sticky=0.0)
    choices = ranked(agents, need(), recent={"better": 99}, weights=free)
    assert [c.score for c in choices] == pytest.approx([0.9, 0.7])


def test_who_has_shown_it_belongs_to_the_circle() -> None:
    agents = [agent("able"), agent("better"), agent("proven"), agent("poor"), agent("untried")]
    estimates = {**ESTIMATES, "proven": skill(0.75), "poor": skill(0.4), "untried": skill(0.8, n=0)}
    assert set(ids(ranked(agents, need(), estimates=estimates))) == {"able", "better", "proven"}


def crew() -> list[Agent]:
    return [
        agent("both", skills=("logistics",)),
        agent("able"),
        agent("neighbour", skills=("coupons",)),
        agent("flexible", pool="flex"),
        agent("lead", permissions=("team-lead",)),
        agent("stranger"),
    ]


@pytest.mark.parametrize(
    ("used", "asked"),
    [
        (0.0, {"both"}),
        (0.49, {"both"}),
        (0.5, {"both", "able"}),
        (0.75, {"both", "able", "neighbour"}),
        (0.9, {"both", "able", "neighbour", "flexible"}),
        (1.0, {"both", "able", "neighbour", "flexible", "lead"}),
        (3.0, {"both", "able", "neighbour", "flexible", "lead"}),
    ],
)
def test_the_circle_widens_as_the_service_level_is_used(used: float, asked: set[str]) -> None:
    wanted = need(sla_consumed=used, secondary=(COUPONS,), neighbours=(COUPONS,))
    choices = ranked(crew(), wanted)
    assert set(ids(choices)) == asked
    for choice in choices:
        assert ("overflow" in codes(choice)) == (choice.agent.id != "both")
        assert ("sla" in codes(choice)) == (used >= 0.5)


def test_when_nobody_near_is_on_duty_the_next_circle_is_asked() -> None:
    wanted = need(neighbours=(COUPONS,))
    for gone, asked in [
        ({"both", "able"}, "neighbour"),
        ({"both", "able", "neighbour"}, "flexible"),
        ({"both", "able", "neighbour", "flexible"}, "lead"),
        ({"both", "able", "neighbour", "flexible", "lead"}, "stranger"),
    ]:
        choices = ranked([replace(a, online=a.id not in gone) for a in crew()], wanted)
        assert [c.agent.id for c in choices if c.available] == [asked]
        assert "overflow" in codes(choices[0])
        assert {"both", "able"} <= set(ids(choices)), "those with the skill stay in sight, as unavailable"
    busy = ranked([replace(a, load=5) if a.id in ("both", "able") else a for a in crew()], wanted)
    assert set(ids(busy)) == {"both", "able"}, "busy is on duty: the case waits for its own"


def test_nobody_at_all() -> None:
    offline = [replace(a, online=False) for a in crew()]
    assert set(ids(ranked(offline, need()))) == {"both", "able"}
    assert ranked([], need()) == ()
    assert set(ids(ranked(crew(), need(expertise=None)))) == {"both", "able", "neighbour", "lead", "stranger"}


def test_reasons_in_english_and_chinese() -> None:
    wanted = need(sla_consumed=0.8, sticky_agent_id="able", sticky_at=T - 2 * DAY)
    agents = [agent("able", load=2), agent("new", skills=("logistics",))]
    estimates = {"able": replace(skill(0.7, 41.4), seconds=128.2), "new": skill(0.6, 3)}
    english, other = ranked(agents, wanted, estimates=estimates, recent={"able": 300, "new": 100})
    assert [(r.code, r.text) for r in english.reasons] == [
        ("skill", "skilled in Logistics; fewer than 20 such cases so far"),
        ("load", "0 of 5 cases"),
        ("language", "speaks Chinese"),
        ("fairness", "was given fewer cases than others in the last week"),
        ("sla", "80% of the time for a first reply is used"),
    ]
    assert [(r.code, r.text) for r in other.reasons] == [
        (
            "skill",
            "skilled in Logistics; resolves 70% of such cases (95% interval 55–82%, 41 cases, usually 128 s)",
        ),
        ("sticky", "answered this customer 2 days ago"),
        ("load", "2 of 5 cases"),
        ("language", "speaks Chinese"),
        ("fairness", "was given 1.5× the average number of cases in the last week"),
        ("sla", "80% of the time for a first reply is used"),
    ]
    _, chinese = ranked(
        agents, wanted, estimates=estimates, recent={"able": 300, "new": 100}, language="zh-CN"
    )
    assert [r.text for r in chinese.reasons] == [
        "擅长“Logistics”；同类问题解决率 70%（95% 区间 55–82%，共 41 例，通常 128 秒）",
        "2 天前接待过这位顾客",
        "手上 2 件，上限 5 件",
        "会中文",
        "近一周接案量为平均的 1.5 倍",
        "首次响应时限已用 80%",
    ]


def line_team(**expert: object) -> list[Agent]:
    return [agent("able", permissions=("level-1",)), agent("better", permissions=("level-2",), **expert)]


def test_experts_give_first_answers_too() -> None:
    first = ranked(line_team(), need())
    assert ids(first) == ["better", "able"]
    assert not any("line" in codes(choice) for choice in first)
    (one,) = ranked(line_team(), need(line=2))
    assert "experts, as the case asks" in [reason.text for reason in one.reasons]
    (lead,) = ranked([agent("lead", permissions=("team-lead",))], need(line=2))
    assert "is a supervisor, who stands in for every line" in [reason.text for reason in lead.reasons]


@pytest.mark.parametrize(
    ("used", "expert", "asked"),
    [
        (0.0, {}, ["better"]),
        (0.95, {}, ["better"]),
        (0.95, {"load": 5}, ["better"]),
        (1.0, {}, ["better"]),
        (1.0, {"load": 5}, ["able", "better"]),
        (0.0, {"online": False}, ["able", "better"]),
    ],
)
def test_a_line_before_the_one_asked_comes_in_only_when_that_fails(
    used: float, expert: dict[str, object], asked: list[str]
) -> None:
    found = ranked(line_team(**expert), need(line=2, sla_consumed=used))
    assert ids(found) == asked
    texts = {choice.agent.id: [reason.text for reason in choice.reasons] for choice in found}
    if "able" in texts:
        assert "stands in for a line that cannot take it in time" in texts["able"]
        assert "is a supervisor" not in texts["able"]


def test_an_expert_of_another_field_comes_before_somebody_who_gives_first_answers() -> None:
    strangers = [agent("one", permissions=("level-1",)), agent("two", permissions=("level-2",))]
    assert ids(ranked(strangers, need(line=2), estimates={})) == ["two"]
    assert ids(ranked([*line_team(load=5), strangers[1]], need(line=2, sla_consumed=0.95)))[0] == "two"


def test_where_the_product_team_is_away_experts_come_before_first_answers() -> None:
    away = agent("pro", permissions=("level-3",), online=False)
    assert ids(ranked([*line_team(), away], need(line=3)))[0] == "better"
    (given,) = assign([need(line=3)], [*line_team(), away], now=T, estimates={"c": {"able": skill(0.9)}})
    assert given.choice is not None
    assert given.choice.agent.id == "better"


def test_who_passed_a_case_on_has_it_again_only_where_nobody_else_is_there() -> None:
    team = [agent(name) for name in ("able", "better", "third")]
    passed = need(avoid=frozenset({"able", "better"}))
    assert ids(ranked(team, passed)) == ["third"]
    full = [*team[:2], replace(team[2], load=5)]
    (waits,) = assign([passed], full, now=T, estimates={})
    assert waits.reason == "nobody_free", "somebody is there who never had it"
    assert ids(ranked([*team[:2], replace(team[2], online=False)], passed))[0] == "better"


def test_a_case_for_experts_waits_for_one_rather_than_go_to_first_answers() -> None:
    full = line_team(load=5)
    (waits,) = assign([need(line=2)], full, now=T, estimates={})
    assert (waits.choice, waits.reason) == (None, "nobody_free")
    (late,) = assign([need(line=2, sla_consumed=1.0)], full, now=T, estimates={})
    assert late.choice is not None
    assert late.choice.agent.id == "able"


agents_ = st.lists(
    st.builds(
        Agent,
        st.sampled_from("abcdef"),
        st.just("name"),
        st.sampled_from([(), ("zh",), ("en",), ("zh", "en")]),
        st.sampled_from([(), ("logistics",), ("coupons",), ("logistics", "coupons")]),
        st.integers(1, 3),
        st.booleans(),
        st.sampled_from(["core", "flex"]),
        st.sampled_from([(), ("level-2",), ("team-lead",)]),
        st.integers(0, 3),
    ),
    max_size=6,
    unique_by=lambda a: a.id,
)
needs_ = st.builds(
    Need,
    st.uuids().map(str),
    st.sampled_from([None, "zh", "en"]),
    st.sampled_from([None, LOGISTICS, COUPONS]),
    st.sampled_from([(), (COUPONS,)]),
    st.sampled_from([(), (COUPONS,)]),
    st.sampled_from([(), ("level-2",)]),
    st.integers(0, 3),
    st.sampled_from([0.0, 0.6, 0.8, 0.95, 1.5]),
    st.just(T),
    st.none() | st.sampled_from("abc"),
    st.just(T - DAY),
    st.sampled_from([1, 1, 2, 3]),
)
rates = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from([0.2, 0.5, 0.9]).map(skill))
shares = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 9))


@given(agents_, needs_, rates, shares, st.sampled_from(["en", "zh"]))
@settings(derandomize=True, deadline=None)
def test_every_ranking_keeps_the_promises(
    agents: list[Agent],
    wanted: Need,
    estimates: dict[str, SkillEstimate],
    recent: dict[str, int],
    language: str,
) -> None:
    choices = rank(agents, wanted, now=T, estimates=estimates, recent=recent, language=language)
    order = [(not c.available, not c.agent.online, -c.score) for c in choices]
    assert order == sorted(order)
    fit = [c for c in choices if line_of(c.agent) >= wanted.line]
    if any(c.agent.online and c.agent.load < c.agent.capacity for c in fit):
        assert wanted.line == 1 or list(choices) == fit, (
            "while somebody of the line has room, no other is asked"
        )
    for choice in choices:
        speaks = wanted.language in (None, *choice.agent.languages) or not choice.agent.languages
        room = choice.agent.online and choice.agent.load < choice.agent.capacity
        assert choice.available == (room and (speaks or wanted.sla_consumed >= 1))
        assert 0 <= choice.score <= 1
        assert choice.score == pytest.approx(sum(r.weight for r in choice.reasons if r.weight is not None))
        assert {r.code for r in choice.reasons} <= {
            "skill", "sticky", "load", "language", "sla", "fairness", "overflow", "exploration", "limit", "line",
        }  # fmt: skip
        assert all(r.text for r in choice.reasons)
        assert set(wanted.permissions) <= set(choice.agent.permissions)
        able = [a for a in agents if set(wanted.permissions) <= set(a.permissions)]
        assert speaks or not any(not a.languages or wanted.language in a.languages for a in able)


# -- many at once -----------------------------------------------------------------------------------


def placed(placements: tuple[Placement, ...]) -> dict[str, str | None]:
    return {p.case_id: p.choice.agent.id if p.choice else None for p in placements}


def test_cases_are_shared_out_for_the_best_total() -> None:
    """One by one, "first" would take "better" and leave .2 for "second"; together they reach 1.6."""
    agents = [agent("able", capacity=1), agent("better", capacity=1)]
    estimates = {
        "first": {"able": skill(0.8), "better": skill(0.9)},
        "second": {"able": skill(0.2), "better": skill(0.8)},
    }
    placements = assign([need("first"), need("second")], agents, now=T, estimates=estimates)
    assert placed(placements) == {"first": "able", "second": "better"}
    assert {p.reason for p in placements} == {"assigned"}


def test_priority_decides_who_waits() -> None:
    agents = [agent("able", capacity=2, load=1)]
    needs = [need("low", priority=10), need("high", priority=60), need("late", priority=10, sla_consumed=2.0)]
    estimates = {"low": {"able": skill(0.9)}, "high": {"able": skill(0.1)}}
    placements = assign(needs, agents, now=T, estimates=estimates)
    assert [(p.case_id, p.reason) for p in placements] == [
        ("high", "assigned"),
        ("late", "nobody_free"),
        ("low", "nobody_free"),
    ]
    (only,) = assign([need("x", permissions=("none",))], agents, now=T, estimates={})
    assert (only.choice, only.reason) == (None, "no_eligible_agent")
    assert assign([], agents, now=T, estimates={}) == ()


def test_several_cases_of_one_agent_count_as_load() -> None:
    agents = [agent("able", capacity=5), agent("better", capacity=5)]
    estimates = {f"c{i}": {"able": skill(0.8 - 2.5 * LOAD), "better": skill(0.8)} for i in range(4)}
    placements = assign([need(f"c{i}") for i in range(4)], agents, now=T, estimates=estimates)
    assert sorted(p.choice.agent.id for p in placements if p.choice) == ["able", "better", "better", "better"]
    assert sorted(p.choice.agent.load for p in placements if p.choice) == [0, 0, 1, 2]


@given(st.lists(needs_, max_size=4, unique_by=lambda n: n.case_id), agents_, rates)
@settings(derandomize=True, deadline=None, max_examples=150)
def test_no_other_sharing_serves_more_important_cases_or_scores_more(
    needs: list[Need], agents: list[Agent], estimates: dict[str, SkillEstimate]
) -> None:
    """Against every possible sharing, where the scores come from `rank`."""
    placements = assign(needs, agents, now=T, estimates={n.case_id: estimates for n in needs})
    capacity = {a.id: a.capacity - a.load for a in agents if a.online}
    scores: dict[str, dict[str, float]] = {}
    by_id = {n.case_id: n for n in needs}
    for case_id, wanted in by_id.items():
        choices = rank(agents, wanted, now=T, estimates=estimates)
        scores[case_id] = {c.agent.id: c.score for c in choices if c.available}
    order = [by_id[p.case_id] for p in placements]
    assert [n.priority for n in order] == sorted((n.priority for n in order), reverse=True)

    def value(chosen: dict[str, str | None]) -> tuple[list[bool], float]:
        used: dict[str, int] = {}
        total = 0.0
        for case_id, who in chosen.items():
            if who is not None:
                total += scores[case_id][who] - LOAD * used.get(who, 0)
                used[who] = used.get(who, 0) + 1
        return [chosen[n.case_id] is not None for n in order], round(total, 9)

    found = placed(placements)
    for case_id, who in found.items():
        assert who is None or who in scores[case_id]
    assert all(list(found.values()).count(a) <= room for a, room in capacity.items() if room > 0)
    slots = [a for a, room in capacity.items() for _ in range(min(room, len(needs)))] + [None] * len(needs)
    best = max(
        value(dict(zip(by_id, picks, strict=True)))
        for picks in set(permutations(slots, len(needs)))
        if all(who is None or who in scores[case_id] for case_id, who in zip(by_id, picks, strict=True))
    )
    assert value(found) == best


@given(st.lists(needs_, max_size=5, unique_by=lambda n: n.case_id), agents_, rates, shares, st.randoms())
@settings(derandomize=True, deadline=None)
def test_nobody_picks(
    needs: list[Need],
    agents: list[Agent],
    estimates: dict[str, SkillEstimate],
    recent: dict[str, int],
    random: Random,
) -> None:
    """Which case comes first depends on the cases alone: whoever lists cases or agents in another order, and whoever
    asks, is given the same cases; a case is passed over only for one that comes before it."""
    options = {"now": T, "estimates": {n.case_id: estimates for n in needs}, "recent": recent}
    plain = assign(needs, agents, **options)  # type: ignore[arg-type]
    again = assign(random.sample(needs, len(needs)), random.sample(agents, len(agents)), **options)  # type: ignore[arg-type]
    assert [p.case_id for p in plain] == [p.case_id for p in again]
    assert [p.choice is None for p in plain] == [p.choice is None for p in again]
    scored = [sum(p.choice.score for p in placements if p.choice) for placements in (plain, again)]
    assert scored[0] == pytest.approx(scored[1])


@given(
    st.lists(needs_, max_size=6, unique_by=lambda n: n.case_id),
    agents_,
    rates,
    st.sampled_from([None, Patience()]),
    st.sampled_from([0.0, 0.05]),
)
@settings(derandomize=True, deadline=None)
def test_the_limits_hold_whatever_is_asked(
    needs: list[Need],
    agents: list[Agent],
    estimates: dict[str, SkillEstimate],
    patience: Patience | None,
    explore: float,
) -> None:
    placements = assign(
        needs,
        agents,
        now=T,
        estimates={n.case_id: estimates for n in needs},
        patience=patience,
        explore=explore,
    )
    asked = {n.case_id: n for n in needs}
    assert sorted(asked) == sorted(p.case_id for p in placements)
    given_ = Counter(p.choice.agent.id for p in placements if p.choice)
    for someone in agents:
        assert someone.load + given_[someone.id] <= someone.capacity or not given_[someone.id]
        assert someone.online or not given_[someone.id]
    for placement in placements:
        wanted = asked[placement.case_id]
        assert (placement.choice is not None) == (placement.reason == "assigned")
        assert patience is not None or placement.reason != "better_soon"
        if placement.choice is not None:
            chosen = placement.choice.agent
            assert wanted.language in (None, *chosen.languages) or not chosen.languages
            assert set(wanted.permissions) <= set(chosen.permissions)


def test_with_patience_a_case_waits_for_who_is_much_better() -> None:
    agents = [agent("able"), agent("better", load=5)]

    def reason(used: float, rate: float = 0.7) -> str:
        estimates = {"c": {"able": skill(rate), "better": skill(0.9)}}
        wanted = need(sla_consumed=used)
        (placement,) = assign([wanted], agents, now=T, estimates=estimates, patience=Patience(0.02, 1.0))
        return placement.reason

    assert reason(0.0) == "better_soon", ".70 is well below .90 less the load of five"
    assert reason(0.0, 0.79) == "assigned", "as good as the other one with that load"
    assert reason(0.1) == "assigned", "and the better one is not waited for long"
    (free,) = assign([need()], agents, now=T, estimates={"c": ESTIMATES})
    assert free.reason == "assigned", "without patience whoever is free takes it"


def test_few_cases_of_low_priority_are_explored() -> None:
    agents = [agent("able", capacity=9000), agent("better", capacity=9000)]
    needs = [need(f"c{i}", priority=i % 70) for i in range(300)]
    unsure = {"able": skill(0.6, 2), "better": skill(0.65, 2)}
    options = {"now": T, "estimates": {n.case_id: unsure for n in needs}, "weights": Weights(0.0, 0.0, 0.0)}
    plain = assign(needs, agents, **options)  # type: ignore[arg-type]
    assert {p.choice.agent.id for p in plain if p.choice} == {"better"}
    tried = assign(needs, agents, explore=1.0, seed=7, **options)  # type: ignore[arg-type]
    assert tried == assign(needs, agents, explore=1.0, seed=7, **options)  # type: ignore[arg-type]
    explored = [p for p in tried if p.choice and "exploration" in codes(p.choice)]
    low = sum(n.priority < 35 for n in needs)
    assert 0 < len(explored) <= 0.09 * low, "a twentieth at most is meant, whatever is asked for"
    priorities = {n.case_id: n.priority for n in needs}
    assert all(priorities[p.case_id] < 35 for p in explored)
    assert {p.choice.agent.id for p in explored if p.choice} == {"able", "better"}
    for placement in explored:
        assert placement.choice is not None
        told = sum(r.weight for r in placement.choice.reasons if r.weight is not None)
        assert told == pytest.approx(placement.choice.score)


def test_nobody_waits_for_ever() -> None:
    """One agent, always a fresh case of an angry, valued customer, and one of no consequence: it has its turn."""
    angry = Understanding("zh", (), False, (), Emotion("angry", 1.0), 1.0)
    calm = Understanding("zh", (), False, (), Emotion("neutral", 1.0), 0.0)
    valued = Customer("v", "platinum", 50, 90_000.0, 1.0)
    fresh = prioritise(angry, valued, repeat_contacts=3, problem_state="regressed", sensitive_flow="safety")
    for hours in range(0, 24 * 7, 3):
        waited = timedelta(hours=hours)
        old = prioritise(calm, None, waited=waited, consumed=waited / timedelta(hours=4))
        needs = [
            need("old", priority=round(old.total), sla_consumed=hours / 4, waiting_since=T),
            need("fresh", priority=round(fresh.total), waiting_since=T + waited),
        ]
        first, _ = assign(needs, [agent("able", capacity=1)], now=T + waited, estimates={})
        if first.case_id == "old":
            break
    assert 24 <= hours <= 96


def test_neighbours_share_agents() -> None:
    clusters = [
        LOGISTICS,
        Expertise("near", "Near", agent_ids=("able", "better", "x")),
        Expertise("far", "Far", agent_ids=("able", "x", "y", "z")),
        Expertise("apart", "Apart", agent_ids=("z",)),
        Expertise("empty", "Empty"),
    ]
    assert [c.id for c in neighbouring(LOGISTICS, clusters)] == ["near", "far"]
    assert [c.id for c in neighbouring(LOGISTICS, clusters, limit=1)] == ["near"]
    assert neighbouring(clusters[4], clusters) == ()
