"""Three days at work, on the sample shop as `kb demo` fills it and with the encoder that ships: by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Shop, invited, visiting

pytestmark = pytest.mark.model
MANY = 10


@pytest.fixture(scope="module")
def people(demo: Shop, chromium: Browser) -> dict[str, Any]:
    """The cookies of an agent, a product manager and an editor of the sample shop, by role."""
    return {
        "agent": invited(demo, chromium, "Lin Xiao", "-w", "demo", "--role", "agent", "--agent", "agent-07"),
        "product": invited(demo, chromium, "Mo Chen", "-w", "demo", "--role", "product"),
        "editor": invited(demo, chromium, "Wen Yu", "-w", "demo", "--role", "editor,product"),
    }


@pytest.fixture
def context(
    demo: Shop, chromium: Browser, people: dict[str, Any], request: pytest.FixtureRequest
) -> Iterator[BrowserContext]:
    cookies = people[request.node.callspec.params["role"]]
    with visiting(demo, chromium, cookies, permissions=["clipboard-read", "clipboard-write"]) as opened:
        yield opened


@pytest.mark.parametrize("role", ["agent"])
def test_an_agent_answers_ten_cases(page: Page, demo: Shop, role: str) -> None:
    """Of each case the first suggestion, with what it leaves blank typed in; own words where nothing is suggested."""
    waiting = {item["id"] for item in demo.get("/v1/cases?state=waiting&limit=200")["items"]}
    assert len(waiting) >= MANY
    page.goto(f"{demo.url}/console/desk")
    page.keyboard.press("n")
    answered: list[str] = []
    for _ in range(MANY):
        page.wait_for_url(re.compile("/console/cases/(?!" + "|".join([*answered, "none"]) + ")"))
        answered.append(page.url.partition("/console/cases/")[2].partition("?")[0])
        suggested = page.locator("[data-reply='1']").count() > 0
        page.keyboard.press("1" if suggested else "w")
        if suggested:
            for _ in range(page.locator("[data-reply='1'] input[name=value]").count()):
                page.keyboard.type("11-20")
                page.keyboard.press("Enter")
            page.keyboard.press("Escape")
        else:
            page.keyboard.type("We have looked into it and will call you today.")
        page.keyboard.press("Control+Shift+Enter" if not suggested else "d")
    expect(page.locator(".notice")).to_contain_text("Resolved.")
    page.goto(f"{demo.url}/console/desk?view=mine")
    assert set(answered) <= waiting
    assert len(set(answered)) == MANY
    for case_id in answered:
        case = demo.get(f"/v1/cases/{case_id}")
        assert (case["state"], case["agent_id"]) == ("resolved", "agent-07")
        sent = [item for item in case["events"] if item["role"] == "agent" and item["type"] == "message"]
        assert sent[-1]["text"]
        assert "{" not in sent[-1]["text"]


@pytest.mark.parametrize("role", ["product"])
def test_a_product_manager_follows_an_alert_to_its_resolution(page: Page, demo: Shop, role: str) -> None:
    page.goto(f"{demo.url}/console/alerts?kind=burst")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/alerts/*")
    alert_id = page.url.rpartition("/")[2]
    page.keyboard.press("p")
    page.wait_for_url("**/console/problems/*")
    problem_id = page.url.rpartition("/")[2]
    tags = page.locator("main > .tags").first
    page.keyboard.press("a")
    expect(tags).to_contain_text("acknowledged")
    page.keyboard.press("p")
    page.wait_for_url("**/console/proposals/*")
    page.keyboard.press("a")
    expect(tags).to_contain_text("accepted")
    page.keyboard.press("p")
    page.wait_for_url("**/console/problems/*")
    page.keyboard.press("r")
    expect(tags).to_contain_text("resolved")
    assert demo.get(f"/v1/problems/{problem_id}")["state"] == "resolved"
    assert demo.get(f"/v1/alerts/{alert_id}")["state"] == "resolved"
