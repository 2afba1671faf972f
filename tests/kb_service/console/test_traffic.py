"""Traffic, service levels, people and trials as product teams see them."""

from __future__ import annotations

import re
from collections import namedtuple
from datetime import timedelta
from typing import Any

import pytest

from kb_service.console.rendering import _environment
from tests.kb_service.conftest import Api
from tests.kb_service.console.visitors import signed_in

DAYS = 24
PARCEL, KETTLE = "my parcel has not moved for three days", "the kettle makes a noise when it boils"


def month(api: Api) -> None:
    """Some weeks of two kinds of cases: parcels in the morning, kettles at night; two people resolve them."""
    api.put(
        "/v1/agents/agent-01", {"name": "Mo", "languages": ["en"], "skills": ["delivery"], "online": True}
    )
    api.put("/v1/agents/agent-02", {"name": "Lee", "languages": ["en"], "skills": ["delivery"]})
    begin = api.clock.now - timedelta(days=DAYS)
    lines: list[dict[str, Any]] = []
    for day in range(DAYS):
        for number in range(6):
            at = (begin + timedelta(days=day)).replace(hour=2 if number < 4 else 15, minute=5 * number)
            name, who = f"d{day}n{number}", "agent-01" if number < 5 else "agent-02"
            lines.append(
                api.event(name, at=at.isoformat(), text=PARCEL if number < 4 else KETTLE, channel="web")
            )
            told = {"conversation_id": f"c-{name}", "customer_id": f"u-{name}", "text": None, "role": "agent"}
            lines.append(
                api.event(f"{name}r", type="resolution", at=(at + timedelta(minutes=20)).isoformat(),
                          agent_id=who, resolved=True, handling_seconds=300, **told)
            )  # fmt: skip
    results = api.batch("/v1/events:batch", sorted(lines, key=lambda line: line["at"]))
    assert {line["status"] for line in results} == {"accepted"}


@pytest.fixture
def shop(api: Api) -> Api:
    month(api)
    return api


def test_the_forecast_stands_beside_what_came(shop: Api) -> None:
    visitor = signed_in(shop, "product")
    text = visitor.text("/console/traffic")
    assert "the count lay within the band in" in text
    assert "It is made to hold at least 80%." in text
    assert "The past days as a table" in text
    page = visitor.get("/console/traffic").text
    assert page.count('class="band"') == 1
    assert 'class="came"' in page


def test_without_history_the_page_says_what_is_needed(api: Api) -> None:
    text = signed_in(api, "product").text("/console/traffic")
    assert "Two days of messages are needed for a forecast." in text
    assert "No customer has written in this span." in text


def test_hours_show_who_is_busy_when(shop: Api) -> None:
    """UTC+8 is the shop's zone: two at night is ten in the morning."""
    page = signed_in(shop, "product").get("/console/traffic?by=channel").text
    row = page.partition(">web</a>")[2].partition("</tr>")[0]
    cells = [cell.partition("<")[0].partition(">")[2] for cell in row.split("<td")[1:]]
    assert cells[10] == "4.0"
    assert cells[23] == "2.0"
    assert cells[12] == ""
    assert cells[24] == str(DAYS * 6)


def test_a_day_of_the_week_is_shown_alone(shop: Api) -> None:
    text = signed_in(shop, "product").text("/console/traffic?by=channel&day=1&key=web")
    assert "Hours of the week: web" in text


@pytest.mark.parametrize("part", ["forecast", "heat"])
def test_a_script_may_ask_for_one_part_alone(shop: Api, part: str) -> None:
    visitor = signed_in(shop, "product")
    answer = visitor.client.get("/console/traffic", headers={"hx-target": part, "accept-language": "en"})
    assert answer.text.lstrip().startswith(f'<section class="card" id="{part}">')
    assert "<html" not in answer.text


def test_an_expertise_that_is_none_shows_the_whole_shop(shop: Api) -> None:
    assert signed_in(shop, "product").get("/console/traffic?expertise=nothing").status_code == 200


def test_where_cases_wait_is_told_with_what_is_due(api: Api) -> None:
    api.post("/v1/events", api.event("a", text=PARCEL))
    api.post(f"/v1/cases/{api.case_id('a')}/handover")
    visitor = signed_in(api, "product")
    assert "waiting now 1" in visitor.text("/console/traffic/service")
    assert "first reply missed 0" in visitor.text("/console/traffic/service")
    api.clock.advance(hours=80)
    text = visitor.text("/console/traffic/service")
    assert "first reply missed 1" in text
    assert "solution overdue 1" in text
    assert "Due next" in text


def test_promises_stand_beside_those_of_the_span_before(shop: Api) -> None:
    text = signed_in(shop, "editor").text("/console/traffic/service?days=7")
    assert "first reply within its level 100%" in text
    assert "solved within its level 100%" in text
    assert "Nobody waits for a person now." in text


def test_a_shop_without_cases_has_pages_nevertheless(api: Api) -> None:
    visitor = signed_in(api, "admin")
    for page in ("service", "people", "trials"):
        visitor.text(f"/console/traffic/{page}")


def test_people_stand_with_every_part_and_those_of_few_cases_without_any(shop: Api) -> None:
    text = signed_in(shop, "product").text("/console/traffic/people?days=28")
    assert "Mo" in text
    assert "Hard cases" in text
    week = signed_in(shop, "product").text("/console/traffic/people?days=7")
    assert "Fewer than 20 cases: no figure is shown" in week
    assert "Lee · " in week


def test_a_person_is_told_in_words(shop: Api) -> None:
    visitor = signed_in(shop, "product")
    text = visitor.text("/console/traffic/people/agent-01?days=28")
    assert "Of cases of the shop's average difficulty" in text
    assert "What they are good at" in text
    assert visitor.get("/console/traffic/people/nobody").status_code == 404
    few = visitor.text("/console/traffic/people/agent-02?days=7")
    assert "From 20 on figures are shown." in few


def test_figures_of_people_are_for_product_teams(shop: Api) -> None:
    agent = signed_in(shop, "agent")
    assert agent.get("/console/traffic/people").status_code == 403
    assert "/console/traffic/people" not in agent.get("/console/traffic").text


def test_trials_are_listed_with_their_figures(api: Api) -> None:
    body = {"name": "In turn", "treatment": {"assignment": "round_robin"}, "state": "running"}
    assert api.put("/v1/experiments/turns", body).status_code == 201
    visitor = signed_in(api, "product")
    assert "In turn running resolved for good" in visitor.text("/console/traffic/trials")
    assert "No trial in this state." in visitor.text("/console/traffic/trials?state=draft")
    text = visitor.text("/console/traffic/trials/turns")
    assert "Who gets a case: in turn" in text
    assert "0 customers" in text


@pytest.mark.parametrize("page", ["", "/service", "/people", "/people/agent-01", "/trials"])
def test_pages_speak_chinese(shop: Api, page: str) -> None:
    assert signed_in(shop, "admin", language="zh-CN").get(f"/console/traffic{page}").status_code == 200


def test_without_a_trial_it_is_told_what_one_is_and_where_to_begin(api: Api) -> None:
    """The tab was a dead end: it named an address of the wire and nothing that one can do."""
    visitor = signed_in(api, "product")
    assert "A trial serves one part of the customers as now" in visitor.text("/console/traffic/trials")
    page = visitor.get("/console/traffic/trials").text
    found = re.search(r'href="(/console/proposals\?kind=\w+)"', page)
    assert found
    assert visitor.get(found[1]).status_code == 200


def test_a_forecast_is_judged_over_a_span_that_is_named(shop: Api) -> None:
    """It said "the last 96 hours" of hours that ended three days before the present of the same chart."""
    shop.clock.advance(days=3)
    text = signed_in(shop, "product").text("/console/traffic")
    assert re.search(
        r"From \d{4}-\d\d-\d\d \d\d:\d\d to \d{4}-\d\d-\d\d \d\d:\d\d the count lay within", text
    )


@pytest.mark.parametrize(
    ("now", "before", "unit", "said"),
    [
        (0.656, 0.634, "share", "▲ 3 points"),
        (0.394, 0.434, "share", "▼ 4 points"),
        (0.504, 0.496, "share", "no change"),
        (269, 391, "seconds", "▼ 3 min"),
        (4.126, 4.134, "stars", "no change"),
    ],
)
def test_a_change_is_the_difference_of_the_figures_beside_it(
    now: float, before: float, unit: str, said: str
) -> None:
    """66% against 63% was told as 2 points more."""
    kept = namedtuple("kept", "value certain")
    measure = namedtuple("measure", "now before change")(
        kept(now, True), kept(before, True), kept(now - before, True)
    )
    figures = _environment().get_template("traffic/_figures.html").module
    drawn = figures.changed(measure, unit, "higher", lambda text, **values: text.format(**values))  # type: ignore[attr-defined]
    assert said in re.sub(r"<[^>]+>", "", str(drawn))
