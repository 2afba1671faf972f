"""The sample shop as `kb demo` fills it, with the encoder that ships: every page of it, and three days at work.

The pages are looked at first, as nobody has worked yet. `make screenshots` keeps pictures of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.addresses import PAGES, name_of
from tests.browser.conftest import PHONE, WIDE, Shop, first_sign_in, invited, visiting

pytestmark = [pytest.mark.model, pytest.mark.timeout(1200)]
"""`kb demo` takes two minutes of two idle cores, which the first test waits for; many more where they are busy."""
FOLDER = os.environ.get("KB_TEST_SCREENSHOTS", "")
KEPT = (("en", WIDE), ("zh", PHONE))
"""What the documentation shows: a screen in English, a phone in Chinese."""
QUALITY = 60
"""Of the pictures, in JPEG's parts of a hundred: text stays sharp."""
OF_THE_SAMPLE = {"/intents/parcel": "/intents/shipping_delay", "/expertise/delivery": "/expertise/logistics"}
"""What the sample has in place of the shop that the other tests of pages fill."""
MACHINE_WORD = re.compile(r"\b(?!kb_)[a-z]+_[a-z_]+\b|\bdatetime\b|\{[a-z_]+\}|\[object ")
"""What programs say among themselves. Keys begin with `kb_`; `None` and `True` are words of shops too."""
OWN_WORDS = """() => {
  const page = document.body.cloneNode(true);
  for (const item of page.querySelectorAll("code, pre, .pre, q, textarea, script, svg")) item.remove();
  return page.textContent;
}"""
"""What a page says itself, without what the shop and its customers wrote."""
HIGHEST_FRAME = 130
"""Pixels that navigation may take of a page, on a phone too."""
MANY = 10
FACTORY = "你们的衣服在哪里生产的 哪个工厂"


@pytest.fixture(scope="module")
def people(demo: Shop, chromium: Browser) -> dict[str, Any]:
    """The cookies of an administrator, an agent, a product manager and an editor of the sample shop, by role."""
    return {
        "admin": first_sign_in(demo, chromium),
        "agent": invited(demo, chromium, "Lin Xiao", "-w", "demo", "--role", "agent", "--agent", "agent-07"),
        "product": invited(demo, chromium, "Mo Chen", "-w", "demo", "--role", "product"),
        "editor": invited(demo, chromium, "Wen Yu", "-w", "demo", "--role", "editor,product"),
    }


# --- every page


@pytest.fixture(scope="module")
def named(demo: Shop) -> dict[str, str]:
    """What the addresses name. What `kb demo` does not make, an endpoint and a trial, is made here."""
    demo.put("/v1/webhooks/quality", {"url": "https://quality.example.com/hook", "types": ["traffic.surge"]})
    demo.put("/v1/experiments/turns", {"name": "In turn", "treatment": {"assignment": "round_robin"}})
    alert = demo.get("/v1/alerts?kind=burst")["items"][0]
    judged, edit, *_ = demo.get("/v1/reviews?kind=edit")["items"]
    demo.post(f"/v1/reviews/{judged['id']}", {"verdict": "right"})
    return {
        "case": demo.get("/v1/cases?state=waiting")["items"][0]["id"],
        "problem": alert["problem"]["id"],
        "alert": alert["id"],
        "gap": demo.get("/v1/gaps")["items"][0]["id"],
        "proposal": demo.get("/v1/proposals")["items"][0]["id"],
        "document": "policy-returns-en",
        "agent": "agent-07",
        "experiment": "turns",
        "edit": edit["id"],
    }


@pytest.fixture(scope="module", params=["en", "zh"])
def reader(
    request: pytest.FixtureRequest, demo: Shop, chromium: Browser, people: dict[str, Any]
) -> Iterator[tuple[str, BrowserContext]]:
    locale = {"en": "en-GB", "zh": "zh-CN"}[request.param]
    with visiting(demo, chromium, people["admin"], locale=locale) as opened:
        yield request.param, opened


@pytest.mark.parametrize("address", PAGES, ids=name_of)
def test_a_page_of_the_sample_shows_itself(
    demo: Shop, named: dict[str, str], reader: tuple[str, BrowserContext], address: str
) -> None:
    language, visitor = reader
    for ours, of_the_sample in OF_THE_SAMPLE.items():
        address = address.replace(ours, of_the_sample)
    page = visitor.new_page()
    opened = page.goto(demo.url + address.format(**named))
    assert opened is not None
    assert opened.status == 200
    assert page.locator("html").get_attribute("lang") == language
    assert page.get_by_role("heading", level=1).count() == 1
    assert sorted(set(MACHINE_WORD.findall(page.evaluate(OWN_WORDS)))) == []
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        frame = page.locator("header.top").bounding_box()
        assert frame is not None
        assert frame["height"] <= HIGHEST_FRAME
        if FOLDER and (language, size) in KEPT:
            picture = page.screenshot(type="jpeg", quality=QUALITY)
            (Path(FOLDER) / f"{name_of(address)}-{size['width']}.jpg").write_bytes(picture)
    page.close()


def test_every_page_has_a_name_of_its_own() -> None:
    assert len({name_of(address) for address in PAGES}) == len(PAGES)


# --- three days at work, by keyboard alone


@pytest.fixture
def context(
    demo: Shop, chromium: Browser, people: dict[str, Any], request: pytest.FixtureRequest
) -> Iterator[BrowserContext]:
    cookies = people[request.node.callspec.params["role"]]
    with visiting(demo, chromium, cookies, permissions=["clipboard-read", "clipboard-write"]) as opened:
        yield opened


@pytest.mark.parametrize("role", ["agent"])
def test_an_agent_answers_ten_cases(page: Page, demo: Shop, role: str) -> None:
    """Of each case the first suggestion, with its blanks typed in; own words where nothing sure is suggested."""
    page.goto(f"{demo.url}/console/desk")
    page.keyboard.press("n")
    answered: list[str] = []
    by_suggestion = 0
    for _ in range(MANY):
        page.wait_for_url(re.compile("/console/cases/(?!" + "|".join([*answered, "none"]) + ")"))
        case_id = page.url.partition("/console/cases/")[2].partition("?")[0]
        case = demo.get(f"/v1/cases/{case_id}")
        assert case["state"] == "waiting" or case["agent_id"] == "agent-07"
        suggested = page.locator("[data-reply='1']:not(.unsure)")
        if suggested.count():
            by_suggestion += 1
            page.keyboard.press("1")
            blanks = [
                field for field in suggested.locator("input[name=value]").all() if not field.input_value()
            ]
            for blank in blanks:
                expect(blank).to_be_focused()
                page.keyboard.type("11-20")
                page.keyboard.press("Enter")
            page.keyboard.press("d")
        else:
            page.keyboard.press("w")
            expect(page.locator("[data-reply=w] [data-text]")).to_be_focused()
            page.keyboard.type("We have looked into it and will call you today.")
            page.keyboard.press("Control+Shift+Enter")
        answered.append(case_id)
    page.wait_for_url(re.compile("/console/(desk|cases/(?!" + "|".join(answered) + "))"))
    expect(page.locator(".notice")).to_contain_text("Resolved.")
    assert len(set(answered)) == MANY
    assert by_suggestion >= MANY // 3, "hardly a case has a sure suggestion"
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


@pytest.mark.parametrize("role", ["editor"])
def test_an_editor_closes_a_gap_and_a_bot_gets_the_article(page: Page, demo: Shop, role: str) -> None:
    """The draft is what agents wrote to these customers; the editor adds a sentence."""
    added = "鞋类产地见鞋舌内侧。"
    page.goto(f"{demo.url}/console/knowledge/gaps?language=zh")
    gaps = page.locator("[data-rows] .row")
    place = next(place for place, gap in enumerate(gaps.all()) if FACTORY in gap.inner_text())
    for _ in range(place + 1):
        page.keyboard.press("j")
    expect(gaps.nth(place).locator("a.title")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/knowledge/gaps/gap_*")
    gap_id = page.url.rpartition("/")[2].partition("?")[0]
    answer = page.get_by_label("Answer")
    expect(answer).to_have_value(re.compile("签约工厂"))
    page.keyboard.press("e")
    expect(answer).to_be_focused()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text(added)
    page.keyboard.press("Escape")
    page.keyboard.press("v")
    tried = page.locator("#preview")
    expect(tried).to_contain_text("questions would be answered by it")
    expect(tried).to_contain_text(added)
    page.keyboard.press("p")
    expect(page.get_by_role("status")).to_contain_text("is published")
    reply = demo.post("/v1/answers", {"query": FACTORY})
    assert added in reply["answers"][0]["text"]
    assert gap_id in {item["id"] for item in demo.get("/v1/gaps?state=answered&limit=100")["items"]}
