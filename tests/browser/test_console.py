"""The console as people use it: by keyboard, in both languages, on a screen and on a phone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.addresses import PAGES
from tests.browser.conftest import PHONE, WIDE, Shop

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
ROWS_OF = """document.querySelectorAll("table[data-rows] tbody > tr, [data-rows]:not(table) > *").length"""
ROW_AT = """() => [...document.querySelectorAll("table[data-rows] tbody > tr, [data-rows]:not(table) > *")]
  .findIndex((row) => row.contains(document.activeElement))"""


@pytest.fixture(scope="module", autouse=True)
def filled(shop: Shop) -> dict[str, str]:
    """A document, three customers with one problem, and one who waits for a person: what addresses name, by name."""
    text = "# Returns\n\nUnworn clothing may be returned within 30 days of delivery."
    shop.put(
        "/v1/documents/returns", {"kind": "policy", "title": "Returns", "markdown": text, "language": "en"}
    )
    for number in range(3):
        shop.post("/v1/events", _message(number, "my parcel has not moved for three days, where is it"))
    shop.post("/v1/events", _message(9, "May unworn clothing be returned?"))
    case_id = shop.get("/v1/events/m9")["case_id"]
    shop.post(f"/v1/cases/{case_id}/handover")
    shop.put("/v1/agents/agent-01", {"name": "Mo", "languages": ["en"], "skills": ["delivery"]})
    examples = ["where is my parcel", "my parcel has not moved"]
    shop.put("/v1/intents/parcel", {"label": "Parcel", "examples": examples, "expertise": "delivery"})
    shop.put("/v1/webhooks/quality", {"url": "https://example.com/hook", "types": ["traffic.surge"]})
    shop.put("/v1/experiments/turns", {"name": "In turn", "treatment": {"assignment": "round_robin"}})
    for number in range(3):
        who = {"customer": {"id": f"k-{number}"}, "conversation_id": f"k-{number}"}
        shop.post("/v1/answers", {"query": "Does the kettle have a whistle?", **who})
    for days in (45, 60):
        shown = shop.post("/v1/suggestions", {"query": "May unworn clothing be returned?"})["answers"][0]
        final = f"Unworn clothing may be returned within {days} days of delivery."
        told = {"exposure_id": shown["exposure_id"], "answer_id": shown["id"], "shown_text": shown["text"]}
        shop.post("/v1/feedback", {**told, "outcome": "edited", "final_text": final})
    judged, edit = shop.get("/v1/reviews?kind=edit")["items"]
    shop.post(f"/v1/reviews/{judged['id']}", {"verdict": "wrong", "note": "Sixty days are wrong."})
    return {
        "document": "returns",
        "case": case_id,
        "problem": shop.get("/v1/problems")["items"][0]["id"],
        "alert": shop.get("/v1/alerts")["items"][0]["id"],
        "proposal": shop.get("/v1/proposals")["items"][0]["id"],
        "agent": "agent-01",
        "experiment": "turns",
        "gap": shop.get("/v1/gaps")["items"][0]["id"],
        "edit": edit["id"],
    }


def _message(number: int, text: str) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(minutes=10 - number)
    return {
        "id": f"m{number}",
        "type": "message",
        "at": at.isoformat(),
        "conversation_id": f"c-{number}",
        "customer_id": f"u-{number}",
        "channel": "web",
        "text": text,
    }


def test_an_agent_answers_a_case_by_keyboard(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/console/desk")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/cases/*")
    expect(page.locator(".suggestion").first).to_contain_text("within 30 days")
    page.keyboard.press("1")
    page.keyboard.press("e")
    expect(page.get_by_label("Edit before you send").first).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".turn.agent")).to_contain_text("30 days")
    page.keyboard.press("r")
    page.wait_for_url("**/console/desk")
    assert shop.get("/v1/events/m9")["case_id"] in {
        item["id"] for item in shop.get("/v1/cases?state=resolved")["items"]
    }


def test_a_product_manager_follows_a_problem_to_its_end(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/console/problems")
    page.get_by_role("link", name="parcel").first.click()
    page.wait_for_url("**/console/problems/*")
    page.keyboard.press("a")
    expect(page.locator(".tags").first).to_contain_text("acknowledged")
    page.keyboard.press("r")
    expect(page.locator(".tags").first).to_contain_text("resolved")
    page.keyboard.press("r")
    expect(page.locator(".tags").first).to_contain_text("open")


def test_a_pasted_message_is_answered_by_one_key(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/console/ask")
    page.keyboard.insert_text("May unworn clothing be returned?")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/ask?q=*")
    expect(page.locator(".suggestion").first).to_contain_text("within 30 days")
    page.get_by_role("link", name="Returns").first.click()
    expect(page.locator("mark#cited")).to_contain_text("within 30 days")
    expect(page.locator("mark#cited")).to_be_in_viewport()


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_wider_than_the_screen(
    page: Page, shop: Shop, filled: dict[str, str], path: str, size: dict[str, int]
) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.goto(shop.url + path.format(**filled))
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= size["width"]


ROWS = (
    "/console/desk?view=resolved",
    "/console/search?q=unworn+clothing",
    "/console/problems",
    "/console/problems/{problem}",
    "/console/problems/{problem}/split",
    "/console/alerts",
    "/console/proposals?state=all",
    "/console/traffic/trials",
    "/console/knowledge",
    "/console/knowledge/gaps",
    "/console/knowledge/reviews/judged?kind=edit",
    "/console/administration",
    "/console/administration/keys",
    "/console/administration/webhooks",
    "/console/administration/webhooks/quality",
    "/console/administration/intents",
    "/console/administration/agents",
    "/console/administration/expertise",
    "/console/administration/workspaces",
    "/console/administration/audit",
)


@pytest.mark.parametrize("path", ROWS)
def test_j_and_k_walk_through_the_rows_of_every_list(
    page: Page, shop: Shop, filled: dict[str, str], path: str
) -> None:
    if path.endswith("/webhooks/quality"):
        shop.post("/v1/webhooks/quality/test")
    page.goto(shop.url + path.format(**filled))
    page.keyboard.press("j")
    assert page.evaluate(ROW_AT) == 0
    page.keyboard.press("j")
    assert page.evaluate(ROW_AT) == min(1, page.evaluate(ROWS_OF) - 1)
    page.keyboard.press("k")
    assert page.evaluate(ROW_AT) == 0


def test_the_language_changes_and_stays(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/console/problems")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("问题")
    page.goto(f"{shop.url}/console/knowledge")
    expect(page.get_by_role("heading", level=1)).to_have_text("知识")
    assert page.locator("html").get_attribute("lang") == "zh"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_of_level_aa(
    page: Page, shop: Shop, filled: dict[str, str], path: str, scheme: Any
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(shop.url + path.format(**filled))
    found = Axe().run(page, options={"runOnly": LEVELS})
    told = [(item["id"], item["nodes"][0]["html"]) for item in found.response["violations"]]
    assert told == []
