"""Documents in the console: found, read, changed, compared, removed, and all of it taken back."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from kb_service.care.library import ShelfFilter
from kb_service.console.notices import COOKIE
from kb_service.errors import Conflict
from kb_service.models import Principal
from tests.kb_service.conftest import RETURNS, Api
from tests.kb_service.console.test_uploads import upload
from tests.kb_service.console.visitors import CSRF, Browser, signed_in
from tests.kb_service.store_statements import store_statements

SHIPPING = {"kind": "policy", "title": "Free shipping", "text": "Delivery is free.", "language": "en"}


@pytest.fixture
def editor(api: Api) -> Browser:
    api.put("/v1/documents/returns", RETURNS)
    return signed_in(api, "editor")


def value(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', page)
    assert found, name
    return found[1]


def form(editor: Browser, external_id: str) -> dict[str, str]:
    """What the form of a document holds, as a browser sends it unchanged."""
    page = editor.get(f"/console/knowledge/edit/{external_id}").text.partition('class="edit"')[2]
    names = ("version", "external_id", "title", "valid_from", "valid_to", "products", "url")
    values = {name: value(page, name) for name in names}
    areas = re.findall(r'<textarea id="(\w+)"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    chosen = re.findall(r'<select id="(\w+)".*?<option value="(\w+)" selected>', page, re.DOTALL)
    return {**values, **dict(areas), **dict(chosen)}


def version(api: Api, external_id: str = "returns") -> str:
    return str(api.get(f"/v1/documents/{external_id}").json()["version"])


def undo(editor: Browser, response_headers: str, status: int = 303) -> None:
    """Press Undo on the page that comes after what was done."""
    page = editor.get(response_headers).text
    notice = page[page.index('class="notice"') :]
    action = re.search(r'action="([^"]+)"', notice)
    assert action
    fields = dict(
        re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', notice.split("</form>")[0])
    )
    assert editor.post(action[1], **fields).status_code == status


def test_documents_are_found_by_title_and_id_and_by_what_they_are(api: Api, editor: Browser) -> None:
    api.put("/v1/documents/shipping", SHIPPING)
    ended = {**SHIPPING, "title": "Winter sale", "kind": "faq", "valid_to": "2026-01-01"}
    api.put("/v1/documents/winter", ended)
    api.put("/v1/documents/summer", {**SHIPPING, "title": "Summer sale", "valid_from": "2026-12-01"})
    api.put("/v1/documents/new-returns", {**RETURNS, "title": "New returns", "supersedes": ["returns"]})

    def listed(query: str) -> set[str]:
        page = editor.get(f"/console/knowledge?{query}").text
        return set(re.findall(r'class="title" href="/console/documents/([^"]+)"', page))

    assert listed("") == {"returns", "shipping", "winter", "summer", "new-returns"}
    assert listed("q=SALE") == {"winter", "summer"}
    assert listed("q=ship") == {"shipping"}
    assert listed("q=%25") == set()
    assert listed("kind=faq") == {"winter"}
    assert listed("validity=expired") == {"winter"}
    assert listed("validity=upcoming") == {"summer"}
    assert listed("validity=superseded") == {"returns"}
    assert listed("validity=valid") == {"shipping", "new-returns"}
    assert listed("order=ends") == {"winter"}


def test_a_list_tells_how_often_documents_were_shown_and_accepted(api: Api, editor: Browser) -> None:
    for number, outcome in enumerate(("accepted", "accepted", "edited", "accepted")):
        shown = api.post("/v1/suggestions", {"query": f"May unworn clothing be returned? {number}"}).json()
        answer = shown["answers"][0]
        told = {"exposure_id": answer["exposure_id"], "answer_id": answer["id"], "outcome": outcome}
        assert api.post("/v1/feedback", told).status_code < 300
    api.services.exposures.flush()
    page = editor.text("/console/knowledge")
    assert "shown 4 times" in page
    assert "75% accepted" in page
    assert "Agents judged 4: 3 accepted, 1 edited, 0 rejected." in editor.text("/console/documents/returns")
    api.clock.advance(days=29)
    assert "not shown" in editor.text("/console/knowledge")


def test_a_change_is_saved_told_and_taken_back(api: Api, editor: Browser) -> None:
    values = form(editor, "returns")
    values["text"] = values["text"].replace("30 days", "14 days")
    saved = editor.post("/console/knowledge/save", **values)
    assert saved.headers["location"] == "/console/documents/returns"
    document = api.get("/v1/documents/returns").json()
    assert "within 14 days" in document["text"]
    assert document["version"] == 2
    undo(editor, "/console/documents/returns")
    document = api.get("/v1/documents/returns").json()
    assert "within 30 days" in document["text"]
    assert document["version"] == 3


def test_a_form_that_nobody_changed_saves_nothing(api: Api, editor: Browser) -> None:
    zoned = {**RETURNS, "valid_from": "2026-03-01T00:00:00+08:00", "valid_to": "2027-01-01T00:00:00+08:00"}
    api.put("/v1/rules", {**api.get("/v1/rules").json(), "timezone": "Asia/Shanghai"})
    api.put("/v1/documents/zoned", {**zoned, "metadata": {"by": "Lin"}, "products": ["P1", "P2"]})
    values = form(editor, "zoned")
    assert (values["valid_from"], values["valid_to"]) == ("2026-03-01", "2026-12-31")
    editor.post("/console/knowledge/save", **values)
    assert "Nothing was different" in editor.text("/console/documents/zoned")
    assert api.get("/v1/documents/zoned").json()["version"] == 1


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("title", " ", "Give it a title"),
        ("url", "nowhere", "Give a full address"),
        ("valid_from", "yesterday", "Give a date such as 2026-03-01."),
        ("valid_to", "2020-01-01", "after the first day"),
        ("text", " ", "Write a text"),
        ("fields", "no colon", "Write one a line"),
        ("supersedes", "returns", "none supersedes itself"),
        ("kind", "resolution", "A resolution needs a question and a reply"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_nothing_typed_is_lost(
    api: Api, editor: Browser, field: str, typed: str, told: str
) -> None:
    values = {**form(editor, "returns"), "valid_from": "2026-03-01", "text": "Typed <b>with care</b>."}
    refused = editor.post("/console/knowledge/save", **{**values, field: typed})
    assert refused.status_code == 422
    at_fault = "question" if field == "kind" else field
    fault = re.search(rf'<span class="fault" id="fault-{at_fault}">([^<]*)</span>', refused.text)
    assert fault
    assert told in fault[1]
    assert f'aria-describedby="fault-{at_fault}"' in refused.text
    if field != "text":
        assert "Typed &lt;b&gt;with care&lt;/b&gt;." in refused.text
    assert api.get("/v1/documents/returns").json()["version"] == 1


def test_all_faults_of_a_form_are_told_at_once_each_beside_its_field(api: Api, editor: Browser) -> None:
    wrong = {
        "title": " ",
        "url": "nowhere",
        "language": "???",
        "valid_from": "yesterday",
        "fields": "no colon",
        "kind": "resolution",
        "supersedes": "returns",
    }
    refused = editor.post("/console/knowledge/save", **{**form(editor, "returns"), **wrong})
    assert refused.status_code == 422
    told = set(re.findall(r'<span class="fault" id="fault-(\w+)">', refused.text))
    assert told == {"title", "url", "language", "valid_from", "fields", "supersedes", "question", "reply"}
    assert "8 fields need another look" in refused.text
    assert refused.text.count(" autofocus") == 1
    assert api.get("/v1/documents/returns").json()["version"] == 1


@pytest.mark.parametrize("step", ["save", "remove/returns", "restore/returns"])
def test_a_form_that_does_not_tell_what_it_was_made_of_is_refused(
    api: Api, editor: Browser, step: str
) -> None:
    values = form(editor, "returns")
    del values["version"]
    more = {"title": "Mine"} if step == "save" else {}
    for version in ({}, {"over": ""}, {"over": "x"}):
        sent = {**values, **more, **version} if step == "save" else {"version": "1", **version}
        assert editor.post(f"/console/knowledge/{step}", **sent).status_code == 422
    document = api.get("/v1/documents/returns").json()
    assert (document["title"], document["version"]) == (RETURNS["title"], 1)


def test_who_saves_over_somebody_elses_change_is_told_first(api: Api, editor: Browser) -> None:
    values = form(editor, "returns")
    api.put("/v1/documents/returns", {**RETURNS, "title": "Returns, again"})
    refused = editor.post("/console/knowledge/save", **{**values, "title": "Mine"})
    assert refused.status_code == 409
    assert "Somebody changed this document meanwhile" in refused.text
    assert 'value="Mine"' in refused.text
    assert api.get("/v1/documents/returns").json()["title"] == "Returns, again"


def test_a_new_document_is_found_at_once_and_a_taken_id_is_refused(api: Api, editor: Browser) -> None:
    values = {
        "kind": "faq",
        "status": "approved",
        "audience": "public",
        "title": "Gift cards",
        "question": "Do gift cards expire?",
        "reply": "Gift cards are valid for three years.",
        "fields": "brand: Shilan",
    }
    made = editor.post("/console/knowledge/save", version="", **values)
    assert made.status_code == 303
    document = api.get(f"/v1/documents/{made.headers['location'].rpartition('/')[2]}").json()
    assert document["fields"] == {
        "question": values["question"],
        "reply": values["reply"],
        "brand": "Shilan",
    }
    found = api.post("/v1/search", {"query": "do gift cards expire"}).json()
    assert document["external_id"] in {hit["document_id"] for hit in found["hits"]}
    refused = editor.post("/console/knowledge/save", version="", **values, external_id="returns")
    assert refused.status_code == 422
    assert 'id="fault-external_id"' in refused.text


def test_a_removed_document_comes_back_with_what_it_said(api: Api, editor: Browser) -> None:
    before = api.get("/v1/documents/returns").json()
    removed = editor.post("/console/knowledge/remove/returns", over=version(api))
    assert removed.headers["location"] == "/console/knowledge"
    assert api.get("/v1/documents/returns").status_code == 404
    undo(editor, "/console/knowledge")
    after = api.get("/v1/documents/returns").json()
    assert (after["text"], after["title"], after["version"]) == (before["text"], before["title"], 2)


def test_a_removal_is_asked_for_twice(editor: Browser) -> None:
    page = editor.get("/console/documents/returns").text
    asked = page[page.index('<details class="removing">') :].split("</details>")[0]
    assert 'action="/console/knowledge/remove/returns"' in asked
    assert page.count('action="/console/knowledge/remove/returns"') == 1


@pytest.mark.parametrize("address", ["/console/documents/returns", "/console/knowledge?status=removed"])
def test_a_removed_document_is_put_back_once_its_notice_is_gone(
    api: Api, editor: Browser, address: str
) -> None:
    editor.post("/console/knowledge/remove/returns", over=version(api))
    editor.get("/console/knowledge")
    page = editor.get(address)
    assert page.status_code == (404 if "documents" in address else 200)
    assert "Put it back" in page.text
    another = signed_in(api, "editor", name="Mo")
    assert "Put it back" not in another.get(address).text
    assert editor.post("/console/knowledge/bring-back", held=value(page.text, "held")).status_code == 303
    assert api.get("/v1/documents/returns").status_code == 200
    assert "Put it back" not in editor.get(address).text
    editor.post("/console/knowledge/remove/returns", over=version(api))
    api.clock.advance(hours=2)
    assert "Put it back" not in editor.get(address).text


def test_the_last_day_that_was_typed_is_the_one_that_is_shown(api: Api, editor: Browser) -> None:
    api.put("/v1/documents/returns", {**RETURNS, "valid_to": "2027-11-02T00:00:00+08:00"})
    api.put("/v1/documents/noon", {**RETURNS, "title": "Noon", "valid_to": "2027-11-01T12:30:00+08:00"})
    for address in ("/console/documents/returns", "/console/knowledge"):
        said = editor.text(address)
        assert "valid until 2027-11-01 ·" in said
        assert "2027-11-02" not in said
    assert "valid until 2027-11-01 12:30" in editor.text("/console/documents/noon")


def test_the_languages_of_a_list_are_told_without_a_look_at_every_document(api: Api) -> None:
    """Each list of documents asked the store for the languages of them all."""

    def told() -> tuple[str, ...]:
        return api.services.library.page("shop", ShelfFilter(), "changed", None, 50).languages

    with store_statements() as asked:
        before = told()
        api.put("/v1/documents/versand", {**RETURNS, "language": "de", "status": "draft"})
        assert told() == tuple(sorted({*before, "de"}))
        api.delete("/v1/documents/versand")
        assert told() == before
    sent = [statement.upper() for statement in asked]
    assert sent
    assert not [statement for statement in sent if "DISTINCT" in statement and "LANGUAGE" in statement]


def test_languages_have_names(api: Api, editor: Browser) -> None:
    assert ">English (1)</option>" in editor.get("/console/knowledge").text
    editor.language = "zh"
    page = editor.get("/console/knowledge").text
    assert '<option value="en">英文 (1)</option>' in page
    assert '<span class="tag">英文</span>' in page


def test_a_filter_that_there_is_not_is_told_by_its_own_name(editor: Browser) -> None:
    response = editor.get("/console/knowledge?kind=song&audience=all")
    assert response.status_code == 422
    assert "literal[" not in response.text
    assert "kind" in response.text and "audience" in response.text


def test_nobody_else_and_nobody_too_late_brings_a_document_back(api: Api, editor: Browser) -> None:
    editor.post("/console/knowledge/remove/returns", over=version(api))
    page = editor.get("/console/knowledge").text
    held = re.search(r'name="held" value="([^"]+)"', page)
    assert held
    another = signed_in(api, "editor", name="Mo")
    assert another.post("/console/knowledge/bring-back", held=held[1]).status_code == 404
    api.clock.advance(hours=2)
    assert editor.post("/console/knowledge/bring-back", held=held[1]).status_code == 404
    assert api.get("/v1/documents/returns").status_code == 404


def test_two_versions_are_compared_and_an_earlier_one_holds_again(api: Api, editor: Browser) -> None:
    api.put("/v1/documents/returns", {**RETURNS, "markdown": RETURNS["markdown"].replace("30", "14")})
    api.put("/v1/documents/returns", {**RETURNS, "title": "Returning"})
    page = editor.get("/console/documents/returns?older=2&newer=3").text
    assert "within <mark>14</mark> days" in page
    assert "within <mark>30</mark> days" in page
    assert "Returning" in page[page.index('class="plain changes"') : page.index('class="diff"')]
    assert editor.post("/console/knowledge/restore/returns", version="2", over="3").status_code == 303
    document = api.get("/v1/documents/returns").json()
    assert "within 14 days" in document["text"]
    assert document["version"] == 4


def test_a_cited_passage_is_marked_and_a_long_text_is_cut_around_it(api: Api, editor: Browser) -> None:
    words = "\n\n".join(f"Paragraph {number} of many." for number in range(5000))
    api.put("/v1/documents/long", {"kind": "policy", "title": "Long", "text": words, "language": "en"})
    start = words.index("Paragraph 4000")
    page = editor.get(f"/console/documents/long?start={start}&end={start + 23}").text
    assert '<mark id="cited" tabindex="-1">Paragraph 4000 of many.</mark>' in page
    assert "Paragraph 100 of many" not in page.partition("How it is searched")[0]
    assert len(page.encode()) < 100_000


def test_a_document_tells_its_fields_scope_successors_and_what_it_answers(api: Api, editor: Browser) -> None:
    product = {"kind": "product", "title": "Lamp", "text": "A lamp.", "language": "en", "products": ["L1"]}
    api.put("/v1/documents/lamp", {**product, "fields": {"watts": 12, "dimmable": True}, "regions": ["EU"]})
    api.put("/v1/documents/lamp-2", {**product, "title": "Lamp two", "supersedes": ["lamp", "none"]})
    page = editor.text("/console/documents/lamp")
    assert "watts 12 dimmable yes" in page
    assert "Regions EU" in page
    assert "Superseded by Lamp two" in page
    assert "superseded" in page
    assert "none not there" in editor.text("/console/documents/lamp-2")


def test_a_conflict_is_settled_by_keeping_one_and_that_is_taken_back(api: Api, editor: Browser) -> None:
    other = {**RETURNS, "title": "Returning goods", "markdown": RETURNS["markdown"].replace("30", "14")}
    api.put("/v1/documents/returning", other)
    api.services.conflicts.settle("shop")
    page = editor.get("/console/knowledge/conflicts").text
    assert "<mark>30 days</mark>" in page
    assert "<mark>14 days</mark>" in page
    assert "It contradicts other documents: 1" in editor.text("/console/documents/returns")
    assert "contradicts another" in editor.text("/console/knowledge")
    assert settled(editor, "end", keep=["1:returns"], other=["1:returning"]) == 303
    api.services.conflicts.settle("shop")
    assert "No two documents contradict" in editor.text("/console/knowledge/conflicts")
    assert api.get("/v1/documents/returning").json()["valid_to"] is not None
    assert settled(editor, "end", keep=["1:returns"], other=["2:returning"]) == 303
    assert 'data-key="u"' not in editor.get("/console/knowledge/conflicts").text, (
        "nothing was changed by that"
    )
    editor.post("/console/knowledge/restore/returning", version="1", over="2")
    settled(editor, "supersede", keep=["1:returns"], other=["3:returning"])
    assert api.get("/v1/documents/returns").json()["supersedes"] == ["returning"]
    undo(editor, "/console/knowledge/conflicts")
    assert api.get("/v1/documents/returns").json()["supersedes"] == []


def settled(editor: Browser, how: str, **fields: list[str]) -> int:
    """Decide on a conflict: documents as `version:id`."""
    found = CSRF.search(editor.get("/console/problems").text)
    assert found
    data = {"csrf": found[1], "how": how, **fields}
    response = editor.client.post(
        "/console/knowledge/conflicts/settle",
        data=data,
        headers={"accept-language": "en"},
        follow_redirects=False,
    )
    return response.status_code


def test_conflicts_of_one_statement_are_one_group_that_one_decision_settles(
    api: Api, editor: Browser
) -> None:
    for days in (14, 7):
        other = {
            **RETURNS,
            "title": f"Returns in {days}",
            "markdown": RETURNS["markdown"].replace("30", str(days)),
        }
        api.put(f"/v1/documents/returns-{days}", other)
    api.services.conflicts.settle("shop")
    page = editor.text("/console/knowledge/conflicts")
    assert "3 contradictions in 2 groups, each settled by one decision." in page
    assert "contradicts 2 documents 2 contradictions" in page
    ended = ["1:returns-14", "1:returns-7"]
    assert settled(editor, "end", keep=["1:returns"], other=ended) == 303
    assert all(api.get(f"/v1/documents/{name}").json()["valid_to"] for name in ("returns-14", "returns-7"))
    undo(editor, "/console/knowledge/conflicts")
    for name in ("returns-14", "returns-7"):
        document = api.get(f"/v1/documents/{name}").json()
        assert (document["valid_to"], document["version"]) == (None, 3)


def test_a_decision_on_a_conflict_is_made_over_what_was_looked_at_alone(api: Api, editor: Browser) -> None:
    api.put("/v1/documents/returning", {**RETURNS, "title": "Returning goods"})
    api.put("/v1/documents/returning", {**RETURNS, "title": "Corrected by another"})
    assert settled(editor, "end", keep=["1:returns"], other=["1:returning"]) == 409
    assert settled(editor, "end", keep=["returns"], other=["2:returning"]) == 422
    assert settled(editor, "end", keep=["1:returns"], other=[]) == 422
    assert api.get("/v1/documents/returning").json()["valid_to"] is None


def test_what_is_out_of_date_is_told_with_what_to_do(api: Api, editor: Browser) -> None:
    soon = (api.clock.now + timedelta(days=5)).isoformat()
    api.put("/v1/documents/sale", {**SHIPPING, "title": "Sale", "valid_to": soon})
    for page in ("/console/knowledge/stale", "/console/documents/sale"):
        text = editor.text(page)
        assert "without a successor" in text
        assert "Let it hold longer, or prepare what follows it." in text
    assert "needs a look" in editor.text("/console/knowledge")


STALE = "/console/knowledge/stale"


def test_a_document_that_is_still_right_leaves_the_list_until_its_day(api: Api, editor: Browser) -> None:
    soon = (api.clock.now + timedelta(days=25)).isoformat()
    api.put("/v1/documents/sale", {**SHIPPING, "title": "Sale", "valid_to": soon})
    look = {"document": "sale", "over": "1", "days": "30"}
    assert editor.post(f"{STALE}/look", **{**look, "over": ""}).status_code == 422
    assert editor.post(f"{STALE}/look", **{**look, "over": "2"}).status_code == 409
    assert editor.post(f"{STALE}/look", **look).headers["location"] == STALE
    assert "No document needs a look." in editor.text(STALE)
    assert "needs a look" not in editor.text("/console/knowledge")
    assert api.get("/v1/stale").json()["items"] == []
    assert "Looked at" in editor.text("/console/documents/sale")
    assert "Sale" in editor.text(f"{STALE}?view=looked")
    (entry,) = [
        item for item in api.get("/v1/audit").json()["items"] if item["action"] == "document.looked_at"
    ]
    assert (entry["object"], entry["detail"]["reasons"]) == ("sale", ["ends_soon"])
    api.clock.advance(days=31)
    assert editor.post(f"{STALE}/look", **look).status_code == 409, (
        "it ended: that nobody uses it is no reason"
    )


def test_that_a_document_is_still_right_is_taken_back(api: Api, editor: Browser) -> None:
    soon = (api.clock.now + timedelta(days=5)).isoformat()
    api.put("/v1/documents/sale", {**SHIPPING, "title": "Sale", "valid_to": soon})
    editor.post(f"{STALE}/look", document="sale", over="1", days="90", to="document")
    undo(editor, "/console/documents/sale")
    assert "without a successor" in editor.text(STALE)
    look = editor.post(f"{STALE}/unlook", look="look_never")
    assert look.status_code == 404


def test_what_speaks_against_a_document_since_a_look_brings_it_back(api: Api, editor: Browser) -> None:
    soon = (api.clock.now + timedelta(days=5)).isoformat()
    api.put("/v1/documents/sale", {**SHIPPING, "title": "Sale", "valid_to": soon})
    editor.post(f"{STALE}/look", document="sale", over="1", days="90")
    api.put("/v1/documents/sale", {**SHIPPING, "title": "Sale again", "valid_to": soon})
    assert "Sale again" in editor.text(STALE)


def test_agents_read_documents_and_change_none(api: Api, editor: Browser) -> None:
    agent = signed_in(api, "agent", name="Mo")
    page = agent.get("/console/documents/returns").text
    assert "/console/knowledge/edit/" not in page
    assert agent.get("/console/knowledge/edit/returns").status_code == 403
    assert agent.post("/console/knowledge/remove/returns", over="1").status_code == 403
    assert COOKIE not in agent.client.cookies
    assert api.get("/v1/documents/returns").status_code == 200


def test_undoing_a_change_overwrites_no_later_work(api: Api, editor: Browser) -> None:
    values = form(editor, "returns")
    editor.post("/console/knowledge/save", **{**values, "title": "Mine"})
    api.put("/v1/documents/returns", {**RETURNS, "title": "Corrected by another"})
    undo(editor, "/console/documents/returns", status=409)
    document = api.get("/v1/documents/returns").json()
    assert (document["title"], document["version"]) == ("Corrected by another", 3)


def test_undoing_a_creation_removes_no_later_work(api: Api, editor: Browser) -> None:
    made = {
        "kind": "policy",
        "title": "Gifts",
        "text": "Wrapped.",
        "status": "approved",
        "audience": "public",
    }
    page = editor.post("/console/knowledge/save", version="", **made).headers["location"]
    external_id = page.rpartition("/")[2]
    api.put(f"/v1/documents/{external_id}", {**SHIPPING, "title": "Written by another"})
    undo(editor, page, status=409)
    assert api.get(f"/v1/documents/{external_id}").json()["title"] == "Written by another"


def test_settling_a_conflict_is_not_taken_back_over_later_work(api: Api, editor: Browser) -> None:
    api.put("/v1/documents/returning", {**RETURNS, "title": "Returning goods"})
    settled(editor, "end", keep=["1:returns"], other=["1:returning"])
    api.put("/v1/documents/returning", {**RETURNS, "title": "Corrected by another"})
    undo(editor, "/console/knowledge/conflicts", status=409)
    assert api.get("/v1/documents/returning").json()["title"] == "Corrected by another"


def test_a_document_that_was_open_is_not_removed_over_later_work(api: Api, editor: Browser) -> None:
    page = editor.get("/console/documents/returns").text
    over = value(page[page.index("/console/knowledge/remove/returns") :], "over")
    api.put("/v1/documents/returns", {**RETURNS, "title": "Corrected by another"})
    assert editor.post("/console/knowledge/remove/returns", over=over).status_code == 409
    assert api.get("/v1/documents/returns").status_code == 200


def test_a_change_between_looking_and_writing_is_seen_by_the_writer(api: Api, editor: Browser) -> None:
    caller = Principal("shop", "lin", frozenset({"editor"}))
    stored, _ = api.services.editing.opened("shop", "returns")
    api.put("/v1/documents/returns", {**RETURNS, "title": "Corrected by another"})
    with pytest.raises(Conflict):
        api.services.knowledge.put_over(caller, replace(stored.document, title="Mine"), stored.version)
    assert api.get("/v1/documents/returns").json()["title"] == "Corrected by another"


def test_the_id_of_a_preview_brings_nothing_back(api: Api, editor: Browser) -> None:
    preview = upload(editor, ("one.txt", b"One thing."))
    held = preview.rpartition("/")[2]
    assert editor.post("/console/knowledge/bring-back", held=held).status_code == 404
    assert editor.get(preview).status_code == 200
