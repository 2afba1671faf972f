"""Suggestions that are unsure or in another language, and what is said of them and taken back."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kb_service.replying import sureness
from kb_service.store import Store
from tests.kb_service.conftest import RETURNS, Api
from tests.kb_service.console.test_desk import ASKED, field, outcomes, stood, suggestion, waits
from tests.kb_service.console.visitors import Browser, signed_in


@pytest.fixture
def desk(api: Api) -> Browser:
    api.put("/v1/documents/returns", RETURNS)
    for number in (1, 2):
        api.put(f"/v1/agents/agent-{number}", {"name": f"Agent {number}", "online": True})
    return signed_in(api, "agent", agent_id="agent-1")


@pytest.fixture
def nobody_is_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sureness, "UNSURE_BELOW", 1.1)


def first_card(page: str) -> str:
    found = re.search(r'<details class="card suggestion[^>]*data-reply="1".*?</form>', page, re.S)
    assert found
    return found[0]


# --- unsure


@pytest.mark.usefixtures("nobody_is_sure")
def test_an_unsure_suggestion_says_so_and_stands_folded(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    for address in (case, f"/console/ask?q={ASKED}"):
        card = first_card(desk.get(address).text)
        assert "Unsure: read before you send" in card
        assert " open>" not in card.partition("\n")[0]
        assert 'type="checkbox" name="read" value="yes" required' in card
    opened = re.search(r'data-reply="(\w)" open', desk.get(case).text)
    assert opened and opened[1] == "w", "nothing is sure, so one's own words are open"


def test_a_sure_suggestion_is_open_and_asks_for_no_tick(
    api: Api, desk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sureness, "UNSURE_BELOW", 0.0)
    card = first_card(desk.get(waits(api, "m1")).text)
    assert " open>" in card.partition("\n")[0]
    assert "Unsure" not in card and 'name="read"' not in card


@pytest.mark.usefixtures("nobody_is_sure")
def test_an_unsure_suggestion_is_not_sent_as_it_stands_unless_somebody_read_it(
    api: Api, desk: Browser
) -> None:
    case = waits(api, "m1")
    ids = suggestion(desk.get(case).text)
    form = {**ids, "text": ids["shown"], "unsure": "yes"}
    refused = desk.post(case + "/reply", **form)
    assert refused.status_code == 422
    assert "Not sent: nobody is sure of it." in refused.text
    assert [event["role"] for event in stood(api, case)["events"]] == ["customer"]
    assert desk.post(case + "/reply", **form, read="yes").status_code == 303
    assert outcomes(api, ids["exposure_id"]) == ["accepted"]


@pytest.mark.usefixtures("nobody_is_sure")
def test_who_changes_an_unsure_suggestion_has_read_it(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    ids = suggestion(desk.get(case).text)
    sent = desk.post(case + "/reply", **ids, text=ids["shown"] + " Bye.", unsure="yes")
    assert sent.status_code == 303
    assert outcomes(api, ids["exposure_id"]) == ["edited"]


# --- languages


def test_a_suggestion_in_another_language_is_marked_with_it(api: Api, desk: Browser) -> None:
    card = first_card(desk.get("/console/ask?q=未穿过的衣服 clothing 可以退吗").text)
    assert re.search(r'<span class="tag">English</span>', card)
    assert '<span class="tag">English</span>' not in first_card(desk.get(f"/console/ask?q={ASKED}").text)


# --- what is said is taken back


def rejects(desk: Browser, base: str, page: str, step: str = "reject", **headers: str) -> Any:
    ids = suggestion(page)
    form = {"csrf": field(page, "csrf"), "exposure_id": ids["exposure_id"], "answer_id": ids["answer_id"]}
    return desk.client.post(f"{base}/{step}", data=form, headers=headers, follow_redirects=False)


@pytest.mark.parametrize("place", ["case", "ask"])
def test_a_rejection_is_told_and_taken_back_where_it_was_said(api: Api, desk: Browser, place: str) -> None:
    address = waits(api, "m1") if place == "case" else f"/console/ask?q={ASKED}"
    base = address if place == "case" else "/console/ask"
    page = desk.get(address).text
    told = rejects(desk, base, page, **{"hx-request": "true"})
    assert "Noted: it does not help." in told.text
    assert f'action="{base}/unreject"' in told.text and 'data-key="u"' in told.text
    exposure = suggestion(page)["exposure_id"]
    assert outcomes(api, exposure) == ["rejected"]
    back = rejects(desk, base, page, "unreject", **{"hx-request": "true"})
    assert "Taken back: nothing was said of this reply." in back.text
    assert outcomes(api, exposure) == []
    again = rejects(desk, base, page, "unreject", **{"hx-request": "true"})
    assert "There was nothing to take back" in again.text


def test_without_scripts_a_rejection_has_its_way_back_on_the_next_page(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    page = desk.get(case).text
    assert rejects(desk, case, page).headers["location"] == case
    after = desk.get(case).text
    assert "Noted: it does not help." in after
    assert f'action="{case}/unreject"' in after
    assert rejects(desk, case, page, "unreject").headers["location"] == case
    assert outcomes(api, suggestion(page)["exposure_id"]) == []


def test_what_is_taken_back_is_counted_nowhere_and_a_colleagues_word_stays(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    page = desk.get(case).text
    ids = suggestion(page)
    rejects(desk, case, page)
    said = {"exposure_id": ids["exposure_id"], "answer_id": ids["answer_id"], "outcome": "rejected"}
    assert api.post("/v1/feedback", said | {"agent_id": "agent-2"}).status_code in (200, 201)
    assert rejected_uses(api.store) == 2
    rejects(desk, case, page, "unreject")
    assert rejected_uses(api.store) == 1
    with api.store.reading("shop") as unit:
        assert [item.agent_id for item in unit.feedback.of_exposure(ids["exposure_id"])] == ["agent-2"]


def rejected_uses(store: Store) -> int:
    with store.reading("shop") as unit:
        used = unit.uses.all(unit.now.replace(year=2000))
        return sum(use.outcomes.get("rejected", 0) for use in used.values())


# --- who is no agent of the shop


def test_who_is_no_agent_is_told_who_will_have_the_case_and_takes_none(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    visitor = signed_in(api, "agent", name="Ann")
    assert "You are no agent of this shop" in visitor.text(case)
    assert "which then waits for an agent" in visitor.text(case)
    assert visitor.post(case + "/reply", text="It is on its way.").status_code == 303
    assert "The reply is kept with the case, which waits for an agent." in visitor.text(case)
    told = stood(api, case)
    assert (told["state"], told["agent_id"]) == ("waiting", None)
    assert case in desk.get("/console/desk").text, "it is in the queue for who may have it"
    refused = visitor.post(case + "/take")
    assert refused.status_code == 409
    assert "You are no agent of this shop, so no case can be yours" in refused.text


def test_what_who_is_no_agent_sends_calls_a_person_to_a_case_of_the_bot(api: Api, desk: Browser) -> None:
    api.post("/v1/events", api.event("m1", text=ASKED))
    case = f"/console/cases/{api.case_id('m1')}"
    signed_in(api, "agent", name="Ann").post(case + "/reply", text="It is on its way.")
    assert stood(api, case)["state"] == "waiting"


def test_a_case_stays_with_its_agent_when_who_is_none_replies(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    desk.post(case + "/take")
    visitor = signed_in(api, "agent", name="Ann")
    assert "which stays with Agent 1" in visitor.text(case)
    visitor.post(case + "/reply", text="It is on its way.")
    told = stood(api, case)
    assert (told["state"], told["agent_id"]) == ("assigned", "agent-1")


def test_an_agent_is_told_that_sending_gives_them_the_case(api: Api, desk: Browser) -> None:
    case = waits(api, "m1")
    assert "Sending gives you the case." in desk.text(case)
    colleague = signed_in(api, "agent", name="Mo", agent_id="agent-2")
    colleague.post(case + "/take")
    assert "Sending gives you the case, which Agent 2 has now." in desk.text(case)
    assert "Sending gives you the case" not in colleague.text(case)


def test_an_agents_words_without_a_name_still_give_the_case_to_people_by_the_api(
    api: Api, desk: Browser
) -> None:
    """A help desk that tells no names knows who has the case; the queue is not to give it to somebody else."""
    case = waits(api, "m1")
    here = {"conversation_id": "c-m1", "customer_id": "u-m1", "role": "agent"}
    api.clock.advance(minutes=1)
    api.post("/v1/events", api.event("a1", text="It is on its way.", **here))
    assert stood(api, case)["state"] == "assigned"


# --- titles


def test_a_case_is_titled_by_what_the_customer_said_with_the_problem_beside_it(
    api: Api, desk: Browser
) -> None:
    """It was titled by the name of its problem."""
    problem = api.recurring()["problem"]
    asked = "my parcel SF1234567890123 has not moved, call 13812345678"
    case = waits(api, "m9", asked, conversation_id="c-9", customer_id="u-9")
    api.clock.advance(minutes=1)
    api.post("/v1/events", api.event("m10", conversation_id="c-9", customer_id="u-9", text="thanks"))
    title = "my parcel SF1234567890123 has not moved, call"
    page = desk.get(case).text
    heading = re.search(r"<h1>(.*?)</h1>", page, re.S)
    assert heading and title in heading[1]
    assert "13812345678" not in page
    assert f'<a class="tag" href="/console/problems/{problem["id"]}"' in page
    for list_of in (
        "/console/desk",
        "/console/desk?view=bot",
        f"/console/search?q={case.rpartition('/')[2]}",
    ):
        if case in (rows := desk.get(list_of).text):
            link = re.search(rf'href="{case}"[^>]*>(.*?)</a>', rows, re.S)
            assert link and title in link[1]
    assert case in desk.get("/console/desk").text


def test_a_long_message_is_shortened_and_no_mask_is_cut(api: Api, desk: Browser) -> None:
    case = waits(api, "m1", "x" * 80 + " 13812345678 " + "y" * 200)
    heading = re.search(r"<h1>(.*?)</h1>", desk.get(case).text, re.S)
    assert heading
    assert "y" * 20 not in heading[1]
    assert "[" not in re.sub(r"<[^>]+>", "", heading[1])


# --- searched for by what they name


@pytest.mark.parametrize(
    "asked", ["SO20261119-0042", "so20261119 0042".replace(" ", "_"), "#SO20261119-0042"]
)
def test_a_search_for_an_order_finds_its_case_and_no_passage_that_does_not_name_it(
    api: Api, desk: Browser, asked: str
) -> None:
    """It found passages that were near in meaning to a number, and no case."""
    case = waits(api, "m1", "order SO20261119-0042 has not come, nor has the clothing")
    other = waits(api, "m2", "order SO20261119-0043 has not come")
    page = desk.get(f"/console/search?q={asked.replace('#', '%23')}").text
    assert case in page and other not in page
    assert "/console/documents/" not in page
    assert "No document names" in page


def test_a_search_for_a_parcel_or_a_product_finds_cases_too(api: Api, desk: Browser) -> None:
    parcel = waits(api, "m1", "where is my parcel SF1234567890123?")
    product = waits(api, "m2", "it broke", products=["SKU-77"])
    replied = waits(api, "m3", "and mine?", conversation_id="c-3", customer_id="u-3")
    desk.post(replied + "/reply", text="It is parcel JD0099887766.")
    assert parcel in desk.get("/console/search?q=sf1234567890123").text
    assert product in desk.get("/console/search?q=SKU-77").text
    assert replied in desk.get("/console/search?q=JD0099887766").text
    assert "/console/documents/returns" in desk.get("/console/search?q=clothing").text


def test_a_document_that_names_the_id_is_shown_with_the_cases(api: Api, desk: Browser) -> None:
    api.put("/v1/documents/sku", {**RETURNS, "title": "Lamp SKU-77", "products": ["SKU-77"]})
    page = desk.get("/console/search?q=sku77").text
    assert "/console/documents/sku?" in page
    assert "/console/documents/returns?" not in page


def test_ids_of_another_shop_and_of_an_erased_customer_are_found_nowhere(api: Api, desk: Browser) -> None:
    case = waits(api, "m1", "order SO20261119-0042 has not come", customer_id="u-gone")
    assert (
        case not in signed_in(api, "agent", workspace="other").get("/console/search?q=SO20261119-0042").text
    )
    assert api.delete("/v1/customers/u-gone").status_code in (200, 204)
    with api.store.reading("shop") as unit:
        assert unit.cases.naming(["so202611190042"]) == ()
    nothing = desk.text("/console/search?q=SO20261119-0042")
    assert "No document and no case that you may see names SO20261119-0042." in nothing


def test_personal_data_is_no_id_to_search_by(api: Api, desk: Browser) -> None:
    case = waits(api, "m1", "call me at 13812345678 or card 6222021234567890123")
    for number in ("13812345678", "6222021234567890123"):
        assert case not in desk.get(f"/console/search?q={number}").text
