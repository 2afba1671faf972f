"""A product manager at work: from an alert to its resolution, and what is done wrongly taken back, by keyboard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Shop

LATE = "my parcel has not moved for three days, where is it"
BROKEN = "the zipper of the jacket broke after one wash"
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module", autouse=True)
def filled(shop: Shop) -> dict[str, str]:
    """Two problems of three customers each, with an alert each of which a webhook hears, and a person to own them; the
    problems' ids by name."""
    shop.put("/v1/rules", {"burst_customers": 1000, "growth_alerts": False})
    hook = {"url": "https://hooks.example.invalid/kb", "types": ["alert.opened"]}
    shop.put("/v1/webhooks/product-team", hook)
    shop.put("/v1/agents/agent-01", {"name": "Mo Chen"})
    for minute, (name, text) in enumerate((("late", LATE), ("broken", BROKEN))):
        for number in range(3):
            shop.post("/v1/events", _message(f"{name}{number}", text, 20 - 10 * minute - number))
    return {name: _problem_of(shop, f"{name}0") for name in ("late", "broken")}


def _message(id: str, text: str, minutes_ago: int) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    who = {"conversation_id": f"c-{id}", "customer_id": f"u-{id}", "channel": "web"}
    return {"id": id, "type": "message", "at": at.isoformat(), "text": text, **who}


def _problem_of(shop: Shop, event_id: str) -> str:
    case_id = shop.get(f"/v1/events/{event_id}")["case_id"]
    return str(shop.get(f"/v1/cases/{case_id}")["problem"]["id"])


def state(page: Page) -> Any:
    """The tags below the heading of a problem, an alert or a proposal."""
    return expect(page.locator("main > .tags").first)


def test_a_product_manager_follows_an_alert_to_its_resolution(
    page: Page, shop: Shop, filled: dict[str, str]
) -> None:
    page.goto(f"{shop.url}/console/alerts")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(":focus")).to_contain_text("parcel")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/alerts/*")
    expect(page.get_by_role("region", name="Deliveries")).to_contain_text("product-team")
    expect(page.locator("main")).to_contain_text(LATE)
    page.keyboard.press("p")
    page.wait_for_url("**/console/problems/*")
    page.keyboard.press("a")
    state(page).to_contain_text("acknowledged")
    expect(page.get_by_role("status")).to_contain_text("The problem is acknowledged.")
    page.keyboard.press("p")
    page.wait_for_url("**/console/proposals/*")
    page.keyboard.press("a")
    state(page).to_contain_text("accepted")
    page.keyboard.press("p")
    page.wait_for_url("**/console/problems/*")
    page.keyboard.press("r")
    state(page).to_contain_text("resolved")
    page.goto(f"{shop.url}/console/problems?view=resolved")
    page.keyboard.press("j")
    expect(page.locator(":focus")).to_contain_text("parcel")
    assert shop.get(f"/v1/problems/{filled['late']}")["state"] == "resolved"
    told = [item for item in shop.get("/v1/alerts")["items"] if item["problem"]["id"] == filled["late"]]
    assert {item["state"] for item in told} == {"resolved"}
    decided = shop.get("/v1/proposals?state=accepted")["items"]
    assert [item["problem_id"] for item in decided] == [filled["late"]]


def test_every_step_is_taken_back_by_one_key(page: Page, shop: Shop, filled: dict[str, str]) -> None:
    address = f"/v1/problems/{filled['broken']}"
    before = shop.get(address)
    page.goto(f"{shop.url}/console/problems/{filled['broken']}")
    page.keyboard.press("a")
    state(page).to_contain_text("acknowledged")
    page.keyboard.press("u")
    expect(page.get_by_role("status")).to_contain_text("Taken back.")
    page.keyboard.press("s")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    state(page).to_contain_text("silent until it gets worse")
    page.keyboard.press("u")
    expect(page.get_by_role("status")).to_contain_text("Taken back.")
    page.keyboard.press("o")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page.get_by_role("definition").first).to_have_text("Mo Chen")
    page.keyboard.press("u")
    expect(page.get_by_role("definition").first).to_have_text("nobody")
    page.keyboard.press("n")
    page.keyboard.press("Tab")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text("Zippers break")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Zippers break")
    page.keyboard.press("u")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Zippers break")
    assert shop.get(address) == before


def test_two_problems_are_made_one_and_two_again(page: Page, shop: Shop, filled: dict[str, str]) -> None:
    page.goto(f"{shop.url}/console/problems/{filled['broken']}")
    page.keyboard.press("m")
    page.wait_for_url("**/merge")
    page.keyboard.press("/")
    page.keyboard.insert_text("parcel")
    page.keyboard.press("Enter")
    page.wait_for_url("**/merge?q=parcel")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/merge?into=*")
    expect(page.locator("main")).to_contain_text("Together 6 customers wrote of it.")
    assert _violations(page) == []
    page.keyboard.press("m")
    page.wait_for_url(f"**/console/problems/{filled['late']}")
    assert shop.get(f"/v1/problems/{filled['broken']}")["id"] == filled["late"]
    page.keyboard.press("u")
    page.wait_for_url(f"**/console/problems/{filled['broken']}")
    assert shop.get(f"/v1/problems/{filled['broken']}")["customers"] == 3


def test_cases_are_split_off_by_keyboard(page: Page, shop: Shop, filled: dict[str, str]) -> None:
    page.goto(f"{shop.url}/console/problems/{filled['broken']}")
    page.keyboard.press("x")
    page.wait_for_url("**/split")
    page.keyboard.press("j")
    expect(page.get_by_role("checkbox").first).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("j")
    expect(page.get_by_role("checkbox").nth(1)).to_be_focused()
    page.keyboard.press("v")
    page.wait_for_url("**/split?*case=*")
    expect(page.get_by_role("heading", name="A new problem")).to_be_visible()
    assert _violations(page) == []
    page.keyboard.press("x")
    expect(page.get_by_role("status")).to_contain_text("These cases are a problem of their own now.")
    assert shop.get(f"/v1/problems/{filled['broken']}")["customers"] == 2
    page.keyboard.press("u")
    page.wait_for_url(f"**/console/problems/{filled['broken']}")
    assert shop.get(f"/v1/problems/{filled['broken']}")["customers"] == 3


def test_a_problem_is_put_under_another_by_keyboard(page: Page, shop: Shop, filled: dict[str, str]) -> None:
    page.goto(f"{shop.url}/console/problems/{filled['broken']}/parent?q=parcel")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/console/problems/{filled['broken']}")
    assert shop.get(f"/v1/problems/{filled['broken']}")["parent_id"] == filled["late"]
    page.keyboard.press("u")
    expect(page.get_by_role("status")).to_contain_text("The problem comes under no other one now.")
    assert shop.get(f"/v1/problems/{filled['broken']}")["parent_id"] is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_opens_on_a_phone_is_readable_and_fits(
    page: Page, shop: Shop, filled: dict[str, str], scheme: Any
) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{shop.url}/console/problems/{filled['broken']}")
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert _violations(page) == []


def _violations(page: Page) -> list[tuple[str, str]]:
    found = Axe().run(page, options={"runOnly": LEVELS})
    return [(item["id"], item["nodes"][0]["html"]) for item in found.response["violations"]]
