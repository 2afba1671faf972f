"""An editor closes a gap by keyboard, judges answers by key, and asks as a customer to see why."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Shop

ASKED = "Does the kettle have a whistle?"
ARTICLE = "Yes, it whistles when the water boils."


@pytest.fixture(scope="module", autouse=True)
def asked(shop: Shop) -> None:
    """Three customers without an answer, one document, and a suggestion that an agent edited."""
    for number in range(3):
        who = {"customer": {"id": f"k-{number}"}, "conversation_id": f"k-{number}"}
        shop.post("/v1/answers", {"query": ASKED, **who})
    text = "# Returns\n\nUnworn clothing may be returned within 30 days of delivery."
    shop.put(
        "/v1/documents/returns", {"kind": "policy", "title": "Returns", "markdown": text, "language": "en"}
    )
    for days in (45, 60):
        edited(shop, f"Unworn clothing may be returned within {days} days of delivery.")


def edited(shop: Shop, final: str) -> None:
    shown = shop.post("/v1/suggestions", {"query": "May unworn clothing be returned?"})["answers"][0]
    told: dict[str, Any] = {"exposure_id": shown["exposure_id"], "answer_id": shown["id"]}
    shop.post("/v1/feedback", {**told, "outcome": "edited", "final_text": final, "shown_text": shown["text"]})


def test_a_bad_date_is_told_at_its_field_without_leaving_the_page(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/console/knowledge/gaps")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/knowledge/gaps/gap_*")
    page.locator("#body").fill(ARTICLE)
    page.locator('input[name="valid_from"]').fill("2026-07-02")
    page.locator('input[name="valid_to"]').fill("2026-07-01")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#fault-valid_to")).to_be_visible()
    expect(page.locator("#body")).to_have_value(ARTICLE)
    assert "/preview" not in page.url


def test_an_editor_closes_a_gap_by_keyboard(page: Page, shop: Shop) -> None:
    before = shop.post("/v1/answers", {"query": ASKED})
    assert not any(ARTICLE in answer["text"] for answer in before["answers"])
    page.goto(f"{shop.url}/console/knowledge/gaps")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/knowledge/gaps/gap_*")
    page.keyboard.press("e")
    expect(page.get_by_label("Answer")).to_be_focused()
    page.keyboard.insert_text(ARTICLE)
    page.keyboard.press("Escape")
    page.keyboard.press("v")
    tried = page.locator("#preview")
    expect(tried).to_be_visible()
    expect(tried).to_contain_text("1 of 1 question would be answered by it")
    expect(tried.locator(".passage")).to_have_count(2)
    expect(page.get_by_label("Answer")).to_have_value(ARTICLE)
    assert "/preview" not in page.url
    assert [item["external_id"] for item in shop.get("/v1/documents")["items"]] == ["returns"]
    page.keyboard.press("p")
    expect(page.get_by_role("status")).to_contain_text("is published")
    expect(page.locator(".answer")).to_contain_text("1 of 1 of its questions get this document now")
    reply = shop.post("/v1/answers", {"query": ASKED})
    assert ARTICLE in reply["answers"][0]["text"]
    assert shop.get("/v1/gaps?state=open")["items"] == []
    page.keyboard.press("u")
    expect(page.get_by_role("status")).to_contain_text("withdrawn")
    assert len(shop.get("/v1/gaps?state=open")["items"]) == 1


def test_edits_are_judged_by_key_one_after_another(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/console/knowledge/reviews?kind=edit")
    expect(page.locator("ins")).to_have_text("60")
    expect(page.locator("del")).to_have_text("30")
    page.keyboard.press("n")
    page.keyboard.insert_text("It says thirty.")
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    expect(page.get_by_role("status")).to_contain_text("Judged wrong.")
    expect(page.locator("ins")).to_have_text("45")
    page.keyboard.press("u")
    expect(page.locator("ins")).to_have_text("60")
    page.keyboard.press("s")
    expect(page.locator("ins")).to_have_text("45")
    page.keyboard.press("m")
    page.wait_for_url("**/article")
    expect(page.get_by_label("Answer")).to_have_value(
        "Unworn clothing may be returned within 45 days of delivery."
    )


def test_an_editor_sees_why_on_a_phone(page: Page, shop: Shop) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(f"{shop.url}/console/knowledge/asking")
    page.keyboard.insert_text("May unworn clothing be returned?")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/knowledge/asking?q=*")
    expect(page.locator(".answer")).to_contain_text("within 30 days")
    expect(page.locator(".fired")).to_have_count(1)
    page.get_by_role("link", name="5. Confidence").click()
    expect(page.locator("#confidence")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.evaluate(
        "[...document.querySelectorAll('.wide')].every((box) => box.scrollWidth <= box.clientWidth)"
    )
