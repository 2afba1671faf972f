"""The picture of the problem graph in a browser: walked by mouse, by keyboard, by search, and without a script."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Shop

LATE, BROKEN = "my parcel has not moved for three days, where is it", "the lid of my kettle broke off today"


@pytest.fixture(scope="module", autouse=True)
def problems(shop: Shop) -> dict[str, str]:
    """Two problems about a product, which a policy answers; their ids by what customers said."""
    text = "# Parcels\n\nA parcel that has not moved for three days is looked for."
    shop.put(
        "/v1/documents/parcels", {"kind": "policy", "title": "Parcels", "markdown": text, "language": "en"}
    )
    found = {}
    for text, customers in ((LATE, 4), (BROKEN, 3)):
        for number in range(customers):
            sent = shop.post("/v1/events", _message(f"{text[:6]}{number}", text))
        found[text] = sent["problem"]["id"]
    return found


def _message(name: str, text: str) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(minutes=5)
    return {
        "id": name,
        "type": "message",
        "at": at.isoformat(),
        "conversation_id": f"c-{name}",
        "customer_id": f"u-{name}",
        "channel": "web",
        "text": text,
    }


@pytest.fixture
def picture(page: Page, shop: Shop) -> Page:
    page.goto(f"{shop.url}/console/problems/graph")
    expect(page.locator("[data-picture][data-ready]")).to_be_attached()
    return page


def card(page: Page) -> Any:
    return page.locator("#card-title")


def test_the_keyboard_walks_from_node_to_node_and_back(picture: Page) -> None:
    picture.locator("canvas").focus()
    picture.keyboard.press("ArrowRight")
    expect(card(picture)).to_contain_text(LATE)
    assert "at=problem" in picture.url
    picture.keyboard.press("Enter")
    expect(card(picture)).to_be_focused()
    picture.keyboard.press("Escape")
    expect(card(picture)).to_contain_text("The largest")
    assert "at=" not in picture.url


def test_a_click_chooses_a_node(picture: Page) -> None:
    """The chosen node is looked at alone, so that it stands in the middle; beside it nothing is chosen."""
    picture.locator("#card a[data-node]", has_text=BROKEN).click()
    expect(card(picture)).to_contain_text(BROKEN)
    picture.locator("#card a", has_text="Back to all").click()
    expect(card(picture)).to_contain_text("The largest")
    box = picture.locator("canvas").bounding_box()
    assert box is not None
    for right in range(20, int(box["width"]), 20):
        picture.mouse.move(box["x"] + right, box["y"] + box["height"] / 2)
        if picture.locator("canvas.over").count():
            break
    picture.mouse.down()
    picture.mouse.up()
    expect(picture.locator("#card[data-at]")).to_be_attached()


def test_search_filters_as_one_types_and_goes_there_by_enter(picture: Page) -> None:
    expect(picture.locator(".count")).to_contain_text("of")
    everything = picture.locator(".count").inner_text()
    picture.keyboard.press("/")
    picture.keyboard.insert_text("kettle broke")
    expect(picture.locator(".count")).not_to_have_text(everything)
    expect(picture.locator("#card")).not_to_contain_text(LATE)
    picture.keyboard.press("Enter")
    expect(card(picture)).to_contain_text(BROKEN)


def test_filters_hold_in_the_address_and_after_a_reload(picture: Page) -> None:
    picture.get_by_label("State").select_option("resolved")
    expect(picture.locator(".count")).to_contain_text("0 of")
    picture.wait_for_url("**state=resolved*")
    picture.reload()
    expect(picture.locator(".count")).to_contain_text("0 of")
    expect(picture.get_by_text("Nothing fits.")).to_be_visible()


def test_zooming_changes_the_picture(picture: Page) -> None:
    before = picture.locator("canvas").screenshot()
    picture.get_by_role("button", name="Zoom in").click()
    picture.get_by_role("button", name="Zoom in").click()
    picture.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert picture.locator("canvas").screenshot() != before


def test_the_address_of_a_node_opens_at_it(page: Page, shop: Shop, problems: dict[str, str]) -> None:
    page.goto(f"{shop.url}/console/problems/{problems[LATE]}")
    page.get_by_role("link", name="In the picture").click()
    expect(page.locator("[data-picture][data-ready]")).to_be_attached()
    expect(card(page)).to_contain_text(LATE)
    page.get_by_role("link", name="Open the problem").click()
    page.wait_for_url(f"**/console/problems/{problems[LATE]}")


def test_without_a_script_links_and_the_form_do_it(chromium: Browser, administrator: Any, shop: Shop) -> None:
    context = chromium.new_context(storage_state=administrator, locale="en-GB", java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(f"{shop.url}/console/problems/graph")
        page.get_by_label("Search").fill("kettle broke")
        page.get_by_role("button", name="Show").click()
        expect(page.locator("#card")).not_to_contain_text(LATE)
        page.get_by_role("link", name=BROKEN).click()
        expect(card(page)).to_contain_text(BROKEN)
        expect(page.locator("#card")).to_contain_text("3 customers, 3 messages")
    finally:
        context.close()
