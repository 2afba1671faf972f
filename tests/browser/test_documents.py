"""Documents as editors put them in and change them, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PHONE, WIDE, Shop
from tests.browser.test_console import LEVELS

WRAPPING = b"""# Gift wrapping

## Fee

Gift wrapping costs four dollars per item.
"""


@pytest.fixture
def refusing(chromium: Browser, administrator: Any) -> Iterator[Page]:
    """A page of the administrator's on which a refused form, which the browser logs, fails no test."""
    opened = chromium.new_context(storage_state=administrator, locale="en-GB", viewport=WIDE)  # type: ignore[arg-type]
    yield opened.new_page()
    opened.close()


def test_files_are_uploaded_looked_at_published_and_found(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/console/knowledge/upload")
    files = [("wrapping.md", "text/markdown", WRAPPING), ("tool.exe", "application/octet-stream", b"MZ")]
    page.set_input_files(
        "input[type=file]", [{"name": name, "mimeType": kind, "buffer": data} for name, kind, data in files]
    )
    page.get_by_role("button", name="Upload and preview").click()
    page.wait_for_url("**/console/knowledge/upload/held_*")
    found = page.locator(".found")
    expect(found).to_contain_text("Gift wrapping costs four dollars")
    expect(found.locator(".passages")).to_contain_text("Fee")
    expect(page.locator(".refused")).to_contain_text("This format is not read")
    assert shop.api.get("/v1/documents/wrapping.md").status_code == 404
    page.keyboard.press("p")
    page.wait_for_url("**/console/documents/wrapping.md")
    expect(page.locator(".notice")).to_contain_text("Published.")
    page.goto(f"{shop.url}/console/knowledge")
    page.keyboard.press("/")
    page.keyboard.type("wrapp")
    page.keyboard.press("Enter")
    expect(page.locator(".row .title")).to_have_text(["Gift wrapping"])
    hits = shop.post("/v1/search", {"query": "how much is gift wrapping"})["hits"]
    assert hits[0]["document_id"] == "wrapping.md"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_previews_conflicts_and_changes_are_for_everybody_and_every_screen(
    page: Page, shop: Shop, scheme: Any
) -> None:
    said = {"kind": "policy", "language": "en"}
    for days in (20, 25):
        text = f"Unworn clothing may be returned within {days} days of delivery."
        shop.put("/v1/documents/clothing", {**said, "title": "Clothing", "text": text})
    shop.put("/v1/documents/clothes", {**said, "title": "Clothes", "text": text.replace("25", "10")})
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{shop.url}/console/knowledge/upload")
    rows = b"id,question,reply\n1,My number is 13812345678,We called.\n2,,\n"
    page.set_input_files("input[type=file]", {"name": "past.csv", "mimeType": "text/csv", "buffer": rows})
    page.get_by_text("Tables: a document for each row").click()
    page.get_by_label("Each row of a table").check()
    page.get_by_label("Id", exact=True).fill("past-{id}")
    page.get_by_label("Kind").select_option("resolution")
    page.get_by_role("button", name="Upload and preview").click()
    page.wait_for_url("**/console/knowledge/upload/held_*")
    expect(page.locator(".chip")).to_have_text("phone number")
    history = f"{shop.url}/console/documents/clothing?older=1&newer=2"
    for address in (page.url, f"{shop.url}/console/knowledge/conflicts", history):
        page.goto(address)
        if "conflicts" in address:
            expect(page.locator(".conflict").first).to_be_visible()
        found = Axe().run(page, options={"runOnly": LEVELS})
        assert [(item["id"], item["nodes"][0]["html"]) for item in found.response["violations"]] == []
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    expect(page.locator(".diff .added mark")).to_have_text("25")


def test_a_table_becomes_a_document_for_each_row_in_the_preview(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/console/knowledge/upload")
    rows = b"code,question,answer\nA,Do you wrap gifts?,Yes.\nB,Do you post abroad?,Yes.\n"
    page.set_input_files("input[type=file]", {"name": "faq.csv", "mimeType": "text/csv", "buffer": rows})
    page.get_by_label("Kind").select_option("faq")
    page.get_by_role("button", name="Upload and preview").click()
    page.wait_for_url("**/console/knowledge/upload/held_*")
    expect(page.locator(".found")).to_have_count(1)
    page.get_by_label("A document for each row").check()
    page.get_by_label("Rows are told apart by").select_option("code")
    page.get_by_role("button", name="Read it so").click()
    expect(page.locator(".found")).to_have_count(2)
    expect(page.get_by_label("A document for each row")).to_be_checked()
    found = Axe().run(page, options={"runOnly": LEVELS})
    assert [(item["id"], item["nodes"][0]["html"]) for item in found.response["violations"]] == []
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.keyboard.press("p")
    expect(page.locator(".notice")).to_contain_text("2 documents were published.")
    assert shop.get("/v1/documents/faq-B")["fields"]["reply"] == "Yes."


def test_all_that_is_wrong_with_a_form_is_told_and_reached_from_its_list(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/console/knowledge/new?kind=policy")
    page.get_by_label("Title").fill("Wrapping")
    page.get_by_label("Address").fill("nowhere")
    page.get_by_label("Attributes").fill("no colon")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("3 fields need another look")
    expect(page.locator(".fault")).to_have_count(3)
    page.get_by_role("alert").get_by_role("link", name="Address").click()
    assert page.url.endswith("#url")
    found = Axe().run(page, options={"runOnly": LEVELS})
    assert [(item["id"], item["nodes"][0]["html"]) for item in found.response["violations"]] == []


def test_progress_is_told_while_files_are_sent(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/console/knowledge/upload")
    page.evaluate(
        "() => { window.told = []; const output = document.querySelector('output');"
        " new MutationObserver(() => window.told.push(output.textContent))"
        ".observe(output, { childList: true, characterData: true, subtree: true }); }"
    )
    text = b"Delivery is free. " * 50_000
    page.set_input_files("input[type=file]", {"name": "long.txt", "mimeType": "text/plain", "buffer": text})
    page.evaluate(
        "() => { const send = XMLHttpRequest.prototype.send; XMLHttpRequest.prototype.send = function (body) {"
        " this.upload.addEventListener('load', () => { window.sent = document.querySelector('progress').value; });"
        " this.addEventListener('load', () => sessionStorage.setItem('told', JSON.stringify(window.told)));"
        " return send.call(this, body); }; }"
    )
    page.get_by_role("button", name="Upload and preview").click()
    page.wait_for_url("**/console/knowledge/upload/held_*")
    told = page.evaluate("JSON.parse(sessionStorage.getItem('told'))")
    assert told[0] == "0%"
    assert told[-1] == "Uploaded; reading…"
    page.keyboard.press("x")
    page.wait_for_url("**/console/knowledge/upload")
    expect(page.locator(".notice")).to_contain_text("nothing was stored")


def test_files_that_are_too_large_are_refused_before_they_are_sent(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/console/knowledge/upload")
    page.evaluate("document.querySelector('[data-upload]').dataset.mostBytes = '10'")
    page.set_input_files("input[type=file]", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"x" * 11})
    expect(page.get_by_role("alert")).to_contain_text("Upload fewer at once")
    page.get_by_role("button", name="Upload and preview").click()
    assert page.url.endswith("/console/knowledge/upload")


def test_an_edit_with_an_error_keeps_what_was_typed_and_is_then_saved(refusing: Page, shop: Shop) -> None:
    page = refusing
    shop.put(
        "/v1/documents/care", {"kind": "policy", "title": "Care", "text": "Wash at 30.", "language": "en"}
    )
    page.goto(f"{shop.url}/console/documents/care")
    page.keyboard.press("e")
    page.wait_for_url("**/console/knowledge/edit/care")
    page.get_by_label("Text", exact=True).fill("Wash at 40.")
    page.get_by_label("Address").fill("nowhere")
    page.get_by_role("button", name="Save").click()
    address = page.get_by_label("Address")
    expect(address).to_be_focused()
    expect(address).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#fault-url")).to_contain_text("https://")
    expect(page.get_by_label("Text", exact=True)).to_have_value("Wash at 40.")
    address.fill("https://example.com/care")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/console/documents/care")
    expect(page.locator(".notice")).to_contain_text("Saved as version 2.")
    assert shop.get("/v1/documents/care")["text"] == "Wash at 40."
    page.keyboard.press("u")
    expect(page.locator(".notice")).to_contain_text("Version 1 holds again")
    assert shop.get("/v1/documents/care")["text"] == "Wash at 30."
