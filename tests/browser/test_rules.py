"""Rules in a browser: their effect before they are saved, the way back, the past as a chart, an index made anew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PHONE, Shop

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SOON = 60_000
"""Milliseconds that a backtest of a few messages has, beside whatever else runs."""


@pytest.fixture(scope="module", autouse=True)
def past(shop: Shop) -> None:
    """Six customers about a zipper, three about a kettle, yesterday."""
    begin = datetime.now(UTC) - timedelta(days=1)
    said = ["the zipper of the jacket broke after one wash"] * 6 + ["my kettle leaks water on the table"] * 3
    for number, text in enumerate(said):
        event: dict[str, Any] = {
            "id": f"p{number}",
            "type": "message",
            "at": (begin + timedelta(minutes=30 * number)).isoformat(),
            "conversation_id": f"p-{number}",
            "customer_id": f"pu-{number}",
            "channel": "web",
            "text": text,
        }
        shop.post("/v1/events", event)


def faults(page: Page) -> list[tuple[str, str]]:
    found = Axe().run(page, options={"runOnly": LEVELS})
    return [(item["id"], item["nodes"][0]["html"]) for item in found.response["violations"]]


def test_the_effect_is_seen_before_rules_are_saved_and_they_are_taken_back(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/console/administration/rules")
    page.get_by_label("Recurrence: customers", exact=True).fill("5")
    page.keyboard.press("Enter")
    effect = page.locator("#effect")
    expect(effect.locator("table").first).to_be_visible(timeout=SOON)
    expect(effect).to_contain_text("Recurrence: customers")
    row = effect.get_by_role("row").filter(has_text="recurrence").first
    expect(row.get_by_role("cell").nth(0)).to_have_text("2")
    expect(row.get_by_role("cell").nth(1)).to_have_text("1")
    assert shop.get("/v1/rules")["recurrence_customers"] == 3
    assert faults(page) == []
    page.get_by_role("button", name="Save the rules").click()
    expect(page.get_by_role("status").first).to_contain_text("The rules are saved.")
    assert shop.get("/v1/rules")["recurrence_customers"] == 5
    page.keyboard.press("u")
    expect(page.get_by_role("status").first).to_contain_text("The rules are as they were.")
    assert shop.get("/v1/rules")["recurrence_customers"] == 3


@pytest.fixture
def outspoken(shop: Shop, chromium: Browser, administrator: Any) -> Iterator[Page]:
    """A browser that says in its console that a form was refused."""
    opened = chromium.new_context(storage_state=administrator, locale="en-GB")
    yield opened.new_page()
    opened.close()


def test_an_error_stands_next_to_its_rule_and_a_default_comes_back(outspoken: Page, shop: Shop) -> None:
    page = outspoken
    page.goto(f"{shop.url}/console/administration/rules")
    page.get_by_label("Recurrence: within", exact=True).fill("24")
    page.get_by_role("link", name="The shop", exact=True).click()
    page.get_by_label("Time zone", exact=True).fill("Shanghai")
    page.get_by_role("button", name="Save the rules").click()
    expect(page.get_by_role("alert")).to_contain_text("1 rule need attention")
    expect(page.locator("#timezone-faults")).to_contain_text("must be the name of a time zone")
    expect(page.get_by_label("Recurrence: within", exact=True)).to_have_value("24")
    page.get_by_role("button", name="Back to the default: Time zone").click()
    expect(page.get_by_label("Time zone", exact=True)).to_have_value("Asia/Shanghai")
    expect(page.get_by_label("Recurrence: within", exact=True)).to_have_value("24")


def test_a_list_grows_by_a_row(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/console/administration/rules#promotion_days-rule")
    days = page.locator("#promotion_days-rule input")
    before = days.count()
    page.locator("#promotion_days-rule").get_by_role("button", name="Add a row").click()
    expect(days).to_have_count(before + 1)
    expect(days.last).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_past_is_a_chart_that_keyboard_and_readers_follow(page: Page, shop: Shop, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{shop.url}/console/backtest")
    page.get_by_text("Other rules than those in force").click()
    page.get_by_label("Recurrence: customers", exact=True).fill("5" if scheme == "light" else "6")
    page.get_by_role("button", name="Run the backtest").click()
    marks = page.locator(".mark")
    expect(marks.first).to_be_visible(timeout=SOON)
    marks.first.focus()
    expect(marks.first.locator(".said")).to_be_visible()
    expect(marks.nth(1).locator(".said")).to_be_hidden()
    assert "raised at the time" in str(marks.first.get_attribute("aria-label"))
    expect(page.locator("#alerts")).to_contain_text("no longer comes")
    page.get_by_text("The chart as a table").click()
    assert faults(page) == []
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.get_by_role("navigation", name="Part of the span").get_by_role("link").last.click()
    expect(page.get_by_role("link", name="The whole span")).to_be_visible()
    page.get_by_role("link", name="only those that differ").click()
    expect(page.locator("#alerts tbody tr").first).to_contain_text("later")


def test_the_index_is_made_anew_while_the_page_looks_on(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/console/administration/index")
    page.get_by_role("button", name="Make the index anew").click()
    expect(page.locator("#state")).to_contain_text("documents were read anew", timeout=SOON)
    expect(page.locator("#state")).to_contain_text("checksums right")
    assert faults(page) == []
