"""The traffic pages in a browser: filters change a part of the page, and the address keeps what was chosen."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Shop
from tests.browser.test_console import filled as filled


def test_a_filter_changes_its_part_of_the_page_and_the_address(
    page: Page, shop: Shop, filled: dict[str, str]
) -> None:
    page.goto(f"{shop.url}/console/traffic")
    page.evaluate("window.kept = true")
    page.locator("#heat-by").select_option("channel")
    expect(page.locator("#heat").get_by_role("link", name="web")).to_be_visible()
    assert "by=channel" in page.url
    assert page.evaluate("window.kept") is True, "the page was not loaded anew"
    page.locator("#heat-day").select_option("1")
    page.wait_for_url("**day=1**")
    page.reload()
    expect(page.locator("#heat-by")).to_have_value("channel")
    expect(page.locator("#heat-day")).to_have_value("1")


def test_a_group_leads_to_its_week_and_back(page: Page, shop: Shop, filled: dict[str, str]) -> None:
    page.goto(f"{shop.url}/console/traffic?by=channel")
    page.locator("#heat").get_by_role("link", name="web").click()
    expect(page.get_by_role("heading", name="Hours of the week: web")).to_be_visible()
    page.locator("#heat").get_by_role("link", name="The whole shop").click()
    expect(page.get_by_role("heading", name="Hours of the week: The whole shop")).to_be_visible()


def test_waiting_cases_lead_to_their_pages(page: Page, shop: Shop, filled: dict[str, str]) -> None:
    page.goto(f"{shop.url}/console/traffic/service")
    expect(page.locator("#waiting")).to_contain_text("waiting now")
    page.locator("#days").select_option("28")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**days=28")
    expect(page.get_by_role("heading", name="How well the promises were kept")).to_be_visible()
