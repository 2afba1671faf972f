"""The agents' desk by keyboard alone: ten cases, one after the other, and what else an agent does without a mouse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import PHONE, Shop, visiting

AGENT = "agent-7"
DOCUMENTS = {
    "returns": "# Returns\n\nUnworn clothing may be returned within 30 days of delivery.",
    "shipping": "# Shipping\n\nParcels are dispatched from Hangzhou within 48 hours of payment.",
    "warranty": "# Warranty\n\nEarphones carry a warranty of two years against faults.",
}
PARCEL = {
    "kind": "resolution",
    "title": "Where is my parcel",
    "language": "en",
    "fields": {
        "question": "Where is my parcel with order SO20261120-0099?",
        "reply": "Hello {customer.name}, order {order.number} arrives on {parcel.eta}. "
        "Sorry for the wait, {customer.name}.",
        "outcome": "resolved",
    },
}
QUESTIONS = (
    "May unworn clothing be returned?",
    "Are parcels dispatched from Hangzhou within 48 hours of payment?",
    "How long is the warranty of earphones?",
)


def _say(shop: Shop, name: str, text: str, **more: Any) -> str:
    """A customer writes and is handed to people; the id of their case."""
    message = {
        "id": f"desk-{name}",
        "type": "message",
        "at": (datetime.now(UTC) - timedelta(minutes=5)).isoformat(),
        "conversation_id": f"desk-c-{name}",
        "customer_id": f"desk-u-{name}",
        "channel": "wechat",
        "text": text,
    }
    shop.post("/v1/events", message | more)
    case_id = str(shop.get(f"/v1/events/desk-{name}")["case_id"])
    shop.post(f"/v1/cases/{case_id}/handover")
    return case_id


@pytest.fixture(scope="module", autouse=True)
def known(shop: Shop) -> None:
    for external_id, text in DOCUMENTS.items():
        body = {"kind": "policy", "title": external_id.title(), "markdown": text, "language": "en"}
        shop.put(f"/v1/documents/{external_id}", body)
    shop.put("/v1/documents/parcel", PARCEL)
    shop.put(f"/v1/agents/{AGENT}", {"name": "Mei Lin", "online": True, "capacity": 50})
    shop.put("/v1/agents/agent-8", {"name": "Bo Wang", "online": True})


@pytest.fixture(scope="module")
def agent(shop: Shop, chromium: Browser) -> Any:
    """The cookies of an agent who was invited and signed in."""
    invited = shop.kb("members", "invite", "Mei Lin", "--role", "agent", "--agent", AGENT, "-w", "shop")
    link = re.search(r"http://\S+", invited)
    assert link
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(link[0])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/console/desk")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def context(shop: Shop, chromium: Browser, agent: Any) -> Iterator[BrowserContext]:
    """A browser of the agent's, in which pages may use the clipboard."""
    with visiting(shop, chromium, agent, permissions=["clipboard-read", "clipboard-write"]) as opened:
        yield opened


def pressed(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def case_of(page: Page) -> str:
    return page.url.partition("/console/cases/")[2].partition("?")[0]


def test_ten_cases_are_answered_by_keyboard_alone(page: Page, shop: Shop) -> None:
    waiting = {_say(shop, f"ten-{number}", QUESTIONS[number % 3]) for number in range(10)}
    page.goto(f"{shop.url}/console/desk")
    page.keyboard.press("n")
    answered: list[str] = []
    for number in range(10):
        page.wait_for_url(re.compile(r"/console/cases/(?!" + "|".join([*answered, "none"]) + ")"))
        answered.append(case_of(page))
        page.keyboard.press("1")
        page.keyboard.press("d")
        if number < 9:
            expect(page.locator(".notice").first).to_contain_text("Resolved.")
    page.wait_for_url("**/console/desk")
    expect(page.locator(".notice")).to_contain_text("Nothing else waits.")
    assert set(answered) == waiting
    for case_id in waiting:
        case = shop.get(f"/v1/cases/{case_id}")
        assert case["state"] == "resolved"
        assert case["agent_id"] == AGENT
        said = [event["text"] for event in case["events"] if event["role"] == "agent" and event["text"]]
        assert len(said) == 1


def test_no_key_sends_before_a_reply_is_chosen(page: Page, shop: Shop) -> None:
    case_id = _say(shop, "unchosen", QUESTIONS[0])
    page.goto(f"{shop.url}/console/cases/{case_id}")
    expect(page.locator(".suggestion").first).to_contain_text("within 30 days")
    pressed(page, "s", "d", "x")
    page.keyboard.press("n")
    page.wait_for_url("**/console/**")
    assert [event["role"] for event in shop.get(f"/v1/cases/{case_id}")["events"]] == ["customer"]
    shop.post(f"/v1/cases/{case_id}/resolve")


def test_blanks_fill_the_text_while_they_are_typed_and_none_may_be_left(page: Page, shop: Shop) -> None:
    case_id = _say(shop, "blanks", "Where is my parcel with order SO20261120-0099?")
    page.goto(f"{shop.url}/console/cases/{case_id}")
    first = page.locator(".suggestion").first
    text = first.get_by_label("Edit before you send")
    expect(text).to_have_value(re.compile("order SO20261120-0099 arrives"))
    page.keyboard.press("1")
    name = first.get_by_label("Customer's name")
    expect(name).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(first.locator("[data-left]")).to_contain_text("Fill in Customer's name, Expected delivery")
    page.keyboard.type("Li Hua")
    expect(text).to_have_value(re.compile(r"^Hello Li Hua, .* wait, Li Hua\.$"))
    page.keyboard.press("Enter")
    expect(first.get_by_label("Expected delivery")).to_be_focused()
    page.keyboard.type("Monday")
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    pressed(page, "Control+Home")
    page.keyboard.type("Good day! ")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    name.fill("Li Ming")
    expect(text).to_have_value(
        "Good day! Hello Li Ming, order SO20261120-0099 arrives on Monday. Sorry for the wait, Li Ming."
    )
    page.keyboard.press("Control+Enter")
    expect(page.locator(".turn.agent")).to_contain_text("Good day! Hello Li Ming")
    assert page.evaluate("navigator.clipboard.readText()").startswith("Good day! Hello Li Ming")
    expect(page.locator(".tags").first).to_contain_text("with Mei Lin")
    page.keyboard.press("r")
    page.wait_for_url("**/console/desk")
    assert shop.get(f"/v1/cases/{case_id}")["state"] == "resolved"


def test_a_rejected_reply_makes_way_for_the_next_and_is_taken_back_by_a_key(page: Page, shop: Shop) -> None:
    """It was noted in the reply, which folds when the next one opens: nobody saw it, and it could not be taken back."""
    case_id = _say(shop, "reject", QUESTIONS[0])
    page.goto(f"{shop.url}/console/cases/{case_id}")
    pressed(page, "1", "x")
    expect(page.locator("#noted")).to_contain_text("Noted: it does not help.")
    first = page.locator(".suggestion").first
    expect(first).to_contain_text("does not help")
    expect(page.locator(".suggestion[open]")).not_to_have_attribute("data-reply", "1")
    # Before that, which nobody is quick enough for, the form is sent as a page of its own.
    expect(page.locator("#noted")).not_to_have_class(re.compile("htmx-settling"))
    page.keyboard.press("u")
    expect(page.locator("#noted")).to_contain_text("Taken back: nothing was said of this reply.")
    expect(page.locator(".suggestion[open]")).to_have_attribute("data-reply", "1")
    expect(first.locator(".refused")).to_be_hidden()
    shop.post(f"/v1/cases/{case_id}/resolve")


def test_an_unsure_reply_takes_a_second_step_before_a_key_sends_it(page: Page, shop: Shop) -> None:
    """One key chose it and the next sent it, however unlikely it was to be right."""
    case_id = _say(shop, "unsure", "Do you sell gift cards for a zoo?")
    page.goto(f"{shop.url}/console/cases/{case_id}")
    first = page.locator(".suggestion.unsure").first
    expect(first).to_contain_text("Unsure: read before you send")
    expect(first).not_to_have_attribute("open", re.compile(".*"))
    number = first.get_attribute("data-reply") or ""
    pressed(page, number, "d")
    expect(first.locator("[data-unread]")).to_be_visible()
    box = first.get_by_label("I have read it, and it is right for this customer")
    expect(box).to_be_focused()
    page.keyboard.press("Control+Enter")
    assert [event["role"] for event in shop.get(f"/v1/cases/{case_id}")["events"]] == ["customer"]
    box.focus()
    pressed(page, "Space", "s")
    expect(page.locator(".turn.agent")).to_be_visible()
    shop.post(f"/v1/cases/{case_id}/resolve")


def test_an_unsure_reply_that_was_changed_is_sent_by_a_key(page: Page, shop: Shop) -> None:
    case_id = _say(shop, "changed", "Do you sell gift cards for a zoo?")
    page.goto(f"{shop.url}/console/cases/{case_id}")
    pressed(page, page.locator(".suggestion.unsure").first.get_attribute("data-reply") or "", "e")
    page.keyboard.type("Dear customer, ")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".turn.agent")).to_contain_text("Dear customer,")
    shop.post(f"/v1/cases/{case_id}/resolve")


def test_a_case_is_handed_over_and_back_by_keyboard(page: Page, shop: Shop) -> None:
    case_id = _say(shop, "over", QUESTIONS[1])
    page.goto(f"{shop.url}/console/cases/{case_id}")
    page.keyboard.press("t")
    expect(page.locator(".tags").first).to_contain_text("with Mei Lin")
    page.keyboard.press("h")
    expect(page.get_by_label("Why", exact=True)).to_be_focused()
    page.keyboard.type("A matter of freight")
    page.keyboard.press("Tab")
    page.keyboard.type("Bo")
    pressed(page, "Tab", "Enter")
    expect(page.locator(".tags").first).to_contain_text("with Bo Wang")
    page.keyboard.press("u")
    expect(page.locator(".tags").first).to_contain_text("with Mei Lin")
    decided = shop.get(f"/v1/cases/{case_id}/decisions")["items"]
    assert "A matter of freight" in [item["note"] for item in decided]
    shop.post(f"/v1/cases/{case_id}/resolve")


def test_a_colleague_is_asked_and_the_owner_stays(page: Page, shop: Shop) -> None:
    case_id = _say(shop, "consult", QUESTIONS[2])
    page.goto(f"{shop.url}/console/cases/{case_id}")
    page.keyboard.press("t")
    expect(page.locator(".tags").first).to_contain_text("with Mei Lin")
    page.keyboard.press("m")
    note = page.get_by_label("What you want to know").first
    expect(note).to_be_focused()
    page.keyboard.type("Is this a known fault?")
    page.keyboard.press("Enter")
    expect(page.locator(".notice").first).to_contain_text("Bo Wang was asked.")
    expect(page.locator(".tags").first).to_contain_text("Bo Wang was asked: Is this a known fault?")
    assert shop.get(f"/v1/cases/{case_id}")["agent_id"] == AGENT
    shop.post(f"/v1/cases/{case_id}/resolve")


def test_the_queue_refreshes_itself_and_keeps_the_focus(page: Page, shop: Shop) -> None:
    first = _say(shop, "queue-1", QUESTIONS[0])
    page.goto(f"{shop.url}/console/desk")
    page.keyboard.press("j")
    kept = page.locator(":focus").get_attribute("id")
    assert kept
    second = _say(shop, "queue-2", "I am furious, this is the third time, refund me right now!!!")
    expect(page.locator(f"#open-{second}")).to_be_visible(timeout=20_000)
    expect(page.locator("#count-waiting")).to_have_text("2")
    assert page.locator(":focus").get_attribute("id") == kept
    for case_id in (first, second):
        shop.post(f"/v1/cases/{case_id}/resolve")
    expect(page.locator("#rows")).to_contain_text("Nobody waits.", timeout=20_000)


def test_nothing_is_sent_again_while_nothing_changes(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/console/desk?view=resolved")
    with page.expect_response("**/console/desk/rows*", timeout=20_000) as told:
        pass
    assert told.value.status == 204


def test_the_reason_of_a_priority_is_told_on_hover_and_by_keyboard(page: Page, shop: Shop) -> None:
    case_id = _say(shop, "why", "I am furious, refund me now")
    page.goto(f"{shop.url}/console/desk")
    why = page.locator(f"#why-{case_id}")
    expect(why.locator(".terms")).to_be_hidden()
    why.hover()
    expect(why.locator(".terms")).to_be_visible()
    page.mouse.move(0, 0)
    expect(why.locator(".terms")).to_be_hidden()
    why.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(why.locator(".terms")).to_be_visible()
    page.keyboard.press("Escape")
    expect(why.locator(".terms")).to_be_hidden()
    shop.post(f"/v1/cases/{case_id}/resolve")


def test_what_is_pasted_on_any_page_is_answered_at_once(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/console/problems")
    page.evaluate("navigator.clipboard.writeText('May unworn clothing be returned?')")
    page.keyboard.press("Control+v")
    page.wait_for_url("**/console/ask?q=*")
    expect(page.locator(".suggestion").first).to_contain_text("within 30 days")
    pressed(page, "1", "c")
    expect(page.locator(".suggestion").first).to_contain_text("Copied.")
    assert "within 30 days" in page.evaluate("navigator.clipboard.readText()")


def test_ask_search_and_the_keys_are_a_key_away(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/console/traffic")
    page.keyboard.press("q")
    page.wait_for_url("**/console/ask")
    expect(page.get_by_label("A customer's message")).to_be_focused()
    pressed(page, "Escape", "?")
    page.wait_for_url("**/console/shortcuts")
    page.goto(f"{shop.url}/console/desk")
    page.keyboard.press("/")
    page.keyboard.type("unworn clothing")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/search?q=*")
    expect(page.locator("mark").first).to_be_visible()
    pressed(page, "Escape", "j", "Enter")
    expect(page.locator("mark#cited")).to_contain_text("within 30 days")


def test_a_new_message_is_told_while_a_case_is_open(page: Page, shop: Shop) -> None:
    case_id = _say(shop, "news", QUESTIONS[0])
    page.goto(f"{shop.url}/console/cases/{case_id}")
    later = {
        "conversation_id": "desk-c-news",
        "customer_id": "desk-u-news",
        "at": datetime.now(UTC).isoformat(),
    }
    shop.post("/v1/events", {"id": "desk-news-2", "type": "message", "text": "Hello? Anybody?", **later})
    expect(page.get_by_role("link", name="Show it")).to_be_visible(timeout=20_000)
    page.keyboard.press("l")
    expect(page.locator(".turn.customer").last).to_contain_text("Anybody?")
    shop.post(f"/v1/cases/{case_id}/resolve")


def test_a_case_is_answered_on_a_phone(page: Page, shop: Shop) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    case_id = _say(shop, "phone", QUESTIONS[2])
    page.goto(f"{shop.url}/console/cases/{case_id}")
    page.get_by_role("button", name="Send, resolve, next").first.click()
    page.wait_for_url("**/console/desk")
    assert shop.get(f"/v1/cases/{case_id}")["state"] == "resolved"


def test_a_long_name_and_the_list_of_colleagues_fit_a_phone(page: Page, shop: Shop) -> None:
    name = "My earphones have no sound in the left ear since I updated the app on my second phone"
    shop.put("/v1/agents/agent-8", {"name": name, "online": True, "languages": ["zh", "en", "de", "fr"]})
    case_id = _say(shop, "narrow", f"{name}, what is the warranty of earphones?")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(f"{shop.url}/console/cases/{case_id}")
    page.locator("summary[data-key=h]").click()
    expect(page.get_by_label("To whom")).to_be_visible()
    for address in (page.url, f"{shop.url}/console/desk"):
        page.goto(address)
        if "cases" in address:
            page.locator("summary[data-key=h]").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    shop.post(f"/v1/cases/{case_id}/resolve")
    shop.put("/v1/agents/agent-8", {"name": "Away", "online": False})


def test_a_product_with_a_long_name_fits_a_phone(page: Page, shop: Shop) -> None:
    name = "Sonlan EB20 True Wireless Earbuds with Charging Case and Four Pairs of Tips"
    row = {
        "kind": "product",
        "title": name,
        "language": "en",
        "products": ["SLA-EB20"],
        "text": "Two drivers.",
    }
    shop.put("/v1/documents/long-name", row)
    case_id = _say(shop, "long-name", "what is the warranty of my SLA-EB20 earphones?")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(f"{shop.url}/console/cases/{case_id}")
    expect(page.locator(".facts")).to_contain_text(name)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    shop.post(f"/v1/cases/{case_id}/resolve")
