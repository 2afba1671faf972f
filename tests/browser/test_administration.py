"""What an administrator does, in a browser: a key that works, a webhook that is tested, an intent that counts."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PHONE, WIDE, Shop

SETTINGS = {"KB_WEBHOOK_ALLOW": "127.0.0.0/8"}
ROOT = "/console/administration"
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[bytes]]]:
    """An endpoint on loopback: its address, and what it was sent."""
    sent: list[bytes] = []

    class Receiving(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"thank you")

        def log_message(self, *said: object) -> None:
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Receiving)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", sent
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_key_is_made_copied_used_and_revoked(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}{ROOT}/keys")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=shop.url)
    page.get_by_label("What it is for").fill("web chat")
    page.get_by_label("agent", exact=False).first.check()
    page.get_by_role("button", name="Make the key").click()
    secret = page.locator("#secret").inner_text()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    headers = {"Authorization": f"Bearer {secret}"}
    assert httpx.get(f"{shop.url}/v1/problems", headers=headers).status_code == 200
    page.goto(f"{shop.url}{ROOT}/keys")
    expect(page.locator("main")).not_to_contain_text(secret)
    page.get_by_role("link", name="Revoke web chat").click()
    page.get_by_role("button", name="Revoke the key").click()
    expect(page.locator(".notice")).to_contain_text("web chat was revoked")
    assert httpx.get(f"{shop.url}/v1/problems", headers=headers).status_code == 401


def test_a_webhook_is_made_and_its_test_is_seen_to_arrive(
    page: Page, shop: Shop, receiver: tuple[str, list[bytes]]
) -> None:
    url, sent = receiver
    page.goto(f"{shop.url}{ROOT}/webhooks")
    page.get_by_role("link", name="New webhook").click()
    page.get_by_label("Name", exact=True).fill("quality-team")
    page.get_by_label("Address").fill(url)
    page.get_by_role("button", name="Make the webhook").click()
    expect(page.locator("#secret")).to_contain_text("whsec_")
    page.goto(f"{shop.url}{ROOT}/webhooks/quality-team")
    page.keyboard.press("t")
    expect(page.locator("#deliveries .good")).to_have_text("delivered", timeout=20_000)
    expect(page.locator("#deliveries")).to_contain_text("thank you")
    assert b"webhook.test" in sent[0]
    page.get_by_role("button", name="Send again").first.click()
    expect(page.locator("#deliveries .good")).to_have_count(2, timeout=20_000)
    assert len(sent) == 2


def test_an_intent_changes_what_a_message_is_read_as(page: Page, shop: Shop) -> None:
    shop.put("/v1/intents/parcel", {"label": "Parcel", "examples": ["where is my parcel", "parcel is late"]})
    message = "how do I descale the kettle"
    page.goto(f"{shop.url}{ROOT}/intents")
    page.keyboard.press("m")
    page.keyboard.insert_text(message)
    page.keyboard.press("Enter")
    page.wait_for_url("**message=*")
    expect(page.locator("#try .bars, #try .empty").first).not_to_contain_text("Kettle")
    page.get_by_role("link", name="New intent").click()
    page.get_by_label("Id", exact=True).fill("kettle")
    page.get_by_label("Name", exact=True).fill("Kettle care")
    page.get_by_label("Examples, one a line").fill(
        "descale the kettle\nlimescale in my kettle\nclean the kettle"
    )
    page.get_by_label("A customer's message").fill(message)
    page.get_by_role("button", name="Read it with these examples").click()
    expect(page.locator(".bars").last).to_contain_text("Kettle care")
    expect(page.get_by_text("Nothing was saved.")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/intents/kettle")
    read = shop.post("/v1/route", {"query": message})
    assert read["intents"][0]["id"] == "kettle"
    page.get_by_role("button", name="Remove the intent").click()
    page.wait_for_url("**/intents")
    expect(page.locator(".notice")).to_contain_text("was removed")
    page.keyboard.press("u")
    page.wait_for_url("**/intents/kettle")
    assert len(shop.get("/v1/intents/kettle")["examples"]) == 3


def test_a_member_has_a_page_that_fits_a_phone_and_axe(page: Page, shop: Shop) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(f"{shop.url}{ROOT}")
    page.locator(".rows a.title").first.click()
    expect(page.get_by_role("heading", name="Signing in")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    found = Axe().run(page, options={"runOnly": LEVELS})
    assert [item["id"] for item in found.response["violations"]] == []


@pytest.fixture
def failing(chromium: Browser, administrator: Any) -> Iterator[Page]:
    """A page whose requests may fail, which Chromium tells in its own console too."""
    options: Any = {"storage_state": administrator, "viewport": WIDE, "locale": "en-GB"}
    with chromium.new_context(**options) as opened:
        yield opened.new_page()


def test_what_a_part_of_a_page_met_is_told_above_the_page_which_stays_as_it_is(
    failing: Page, shop: Shop
) -> None:
    """A part that was refused changed nothing at all: nobody saw that anything was asked for."""
    page = failing
    page.goto(f"{shop.url}/console/traffic")
    asked = re.compile(r"/console/traffic\?")
    page.route(asked, lambda route: route.continue_(url=f"{shop.url}/console/nowhere"))
    page.get_by_label("Days").first.select_option(index=1)
    told = page.locator("#fault [role=alert]")
    expect(told).to_contain_text("There is no such page.")
    expect(told).to_contain_text("It may have been removed or merged")
    expect(page.locator("#heat")).to_be_visible()
    page.unroute(asked)
    page.route(asked, lambda route: route.abort())
    page.get_by_label("Days").first.select_option(index=2)
    expect(told).to_contain_text("The service did not answer.")
    page.unroute(asked)
    page.get_by_label("Days").first.select_option(index=0)
    expect(told).to_have_count(0)


def test_a_page_whose_session_ended_leads_to_signing_in_and_back(page: Page, shop: Shop) -> None:
    """The page for signing in was put into the part that was asked for."""
    page.goto(f"{shop.url}/console/traffic?shade=row")
    page.context.clear_cookies()
    page.get_by_label("Days").first.select_option(index=1)
    page.wait_for_url("**/console/sign-in?next=/console/traffic%3Fshade%3Drow")


def test_ctrl_enter_sends_the_form_of_a_text_by_the_button_that_belongs_to_it(page: Page, shop: Shop) -> None:
    """It did so in replies alone; elsewhere nothing happened."""
    page.goto(f"{shop.url}{ROOT}/new/intent")
    page.get_by_label("Id", exact=True).fill("gift-wrapping")
    page.get_by_label("Name", exact=True).fill("Gift wrapping")
    page.get_by_label("Examples, one a line").fill("can you wrap it as a gift\nplease wrap my present")
    page.get_by_label("A customer's message").fill("wrap it please")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="As it is now")).to_be_visible(timeout=30_000)
    assert all(item["id"] != "gift-wrapping" for item in shop.get("/v1/intents")["items"]), (
        "it was tried only"
    )
    page.get_by_label("Examples, one a line").press("Meta+Enter")
    page.wait_for_url(re.compile(f"{ROOT}/intents"))
    assert any(item["id"] == "gift-wrapping" for item in shop.get("/v1/intents")["items"])


def test_ctrl_enter_gives_the_reason_of_a_dismissal(page: Page, shop: Shop) -> None:
    """Asked of the script alone: a form as the proposal's, with the reason that it is dismissed for."""
    page.goto(f"{shop.url}/console/shortcuts")
    expect(page.locator("[data-area=every]")).to_contain_text("Ctrl+Enter")
    sent = page.evaluate(
        """() => {
          document.querySelector("main").innerHTML =
            "<form><details open><label>Why not <textarea name=note></textarea></label>" +
            "<button class=primary>Dismiss</button></details><button class=quiet>Back</button></form>";
          let by = "";
          document.querySelector("main form").addEventListener("submit", (event) => {
            event.preventDefault();
            by = event.submitter.textContent;
          });
          const field = document.querySelector("main textarea");
          const pressed = {key: "Enter", ctrlKey: true, bubbles: true, cancelable: true};
          field.dispatchEvent(new KeyboardEvent("keydown", pressed));
          return by;
        }"""
    )
    assert sent == "Dismiss"
