"""What nobody means to send: odd addresses, forged places, long texts, and what is no page at all."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from ingest.errors import IngestError
from kb_service.console.access import PAGES as ACCESS
from kb_service.console.guard import HEADERS, SESSION
from kb_service.errors import ServiceError
from kb_service.recurring.problem_board import ProblemBoard
from tests.kb_service.conftest import Api
from tests.kb_service.console.visitors import CSRF, Browser, browser, signed_in


def is_page(response: Response) -> bool:
    """Whether it came as a page of the console, with all that keeps others out."""
    same = {name: response.headers.get(name) for name in HEADERS}
    return response.headers["content-type"].startswith("text/html") and same == dict(HEADERS)


def test_an_address_to_go_on_to_that_is_none_leads_into_the_console(shared_api: Api) -> None:
    visitor = browser(shared_api)
    assert visitor.get("/console/sign-in?next=//[").status_code == 200
    chosen = visitor.post("/console/language", language="en", next="//[")
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/console")


def test_an_origin_that_is_no_address_is_another_place(shared_api: Api) -> None:
    assert browser(shared_api).post("/console/language", origin="http://[", language="en").status_code == 403
    assert signed_in(shared_api).post("/console/sign-out", origin="http://[").status_code == 403


def test_a_page_that_one_came_from_may_be_no_address(shared_api: Api) -> None:
    visitor = signed_in(shared_api)
    refused = visitor.client.post("/console/sign-out", headers={"referer": "http://["}, data={"csrf": "0"})
    assert refused.status_code == 403
    assert is_page(refused)


@pytest.mark.parametrize(
    "span", ["since=0001-01-01", "until=9999-12-31", "since=9999-12-31", "until=0001-01-01"]
)
def test_days_out_of_all_bounds_are_refused_by_the_audit_trail(shared_api: Api, span: str) -> None:
    visitor = signed_in(shared_api)
    refused = visitor.get(f"/console/administration/audit?{span}")
    assert refused.status_code == 422
    assert "between the years 1970 and 2200" in refused.text or "must be a date" in refused.text


@pytest.mark.parametrize(("since", "until"), [("0001-01-01", "2026-06-01"), ("2026-06-01", "9999-12-31")])
def test_days_out_of_all_bounds_are_refused_by_the_backtest(shared_api: Api, since: str, until: str) -> None:
    visitor = signed_in(shared_api, "admin", "product")
    found = CSRF.search(visitor.get("/console/backtest").text)
    assert found
    refused = visitor.post("/console/backtest", found[1], since=since, until=until)
    assert "between the years 1970 and 2200" in refused.text


def test_what_is_no_page_is_told_as_one(shared_api: Api) -> None:
    for visitor in (browser(shared_api), signed_in(shared_api)):
        gone = visitor.get("/console/no/such/page")
        assert gone.status_code == 404
        assert "There is no such page." in gone.text
        assert is_page(gone)
    assert "没有这个页面" in browser(shared_api, "zh").get("/console/nowhere").text


def test_a_method_that_a_page_does_not_offer_is_told_as_a_page(shared_api: Api) -> None:
    visitor = signed_in(shared_api)
    refused = visitor.client.delete("/console/problems")
    assert refused.status_code == 405
    assert refused.headers["allow"] == "GET"
    assert is_page(refused)


def test_a_slash_at_the_end_leads_to_the_page(shared_api: Api) -> None:
    visitor = signed_in(shared_api)
    sent = visitor.get("/console/problems/?view=all")
    assert sent.status_code == 307
    assert sent.headers["location"].endswith("/console/problems?view=all")
    assert visitor.get("/console/nowhere/").status_code == 404
    named = visitor.client.get("/console/problems/", headers={"host": "evil.example"}, follow_redirects=False)
    assert named.headers["location"] == "/console/problems", "wherever the request says that it went"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RuntimeError("the secret of the shop"), 500),
        (IngestError("is no text"), 422),
        (ServiceError("x"), 500),
    ],
)
def test_what_fails_unexpectedly_is_a_page_that_tells_no_details(
    shared_api: Api, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fails(*_: object, **__: object) -> object:
        raise error

    visitor = signed_in(shared_api)
    monkeypatch.setattr(ProblemBoard, "one", fails)
    failed = visitor.get("/console/problems/p1")
    assert failed.status_code == status
    assert is_page(failed)
    assert "secret" not in failed.text


def test_a_form_with_more_fields_than_any_is_told_as_a_page(shared_api: Api) -> None:
    visitor = signed_in(shared_api)
    refused = visitor.post("/console/sign-out", **{f"f{number}": "" for number in range(1001)})
    assert refused.status_code == 422
    assert is_page(refused)


def sent_as_parts(visitor: Browser, path: str, **fields: str) -> Response:
    """A form as browsers send it when it may hold files."""
    found = CSRF.search(visitor.get("/console/problems").text)
    assert found
    parts = {name: (None, value) for name, value in {"csrf": found[1], **fields}.items()}
    return visitor.client.post(path, files=parts, follow_redirects=False)


def test_a_text_of_350_000_chinese_characters_is_saved(api: Api) -> None:
    text = "\n\n".join("退货须在三十天内办理，请联系客服。" * 20 for _ in range(1_100))
    assert len(text) > 350_000
    fields = {"kind": "policy", "title": "Long", "text": text, "audience": "public", "status": "draft"}
    visitor = signed_in(api, "editor", "agent")
    saved = sent_as_parts(visitor, "/console/knowledge/save", external_id="long", version="", **fields)
    assert saved.status_code == 303, saved.text[:2_000]
    assert len(api.get("/v1/documents/long").json()["text"]) > 350_000


def test_who_may_not_send_a_form_is_refused_before_it_is_read(
    shared_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    from starlette.requests import Request

    visitor = signed_in(shared_api, "agent")

    async def read(*_: object, **__: object) -> None:
        raise AssertionError("the form was read")

    monkeypatch.setattr(Request, "form", read)
    for path in ("/console/knowledge/upload", "/console/administration/members"):
        refused = visitor.client.post(path, data={"csrf": "0"}, follow_redirects=False)
        assert refused.status_code == 403
        assert "This needs one of the roles" in refused.text


@pytest.mark.parametrize("named", ["../../etc", "/", ".", "a//b", "a/../b", "a/", "./a"])
def test_an_id_that_no_browser_can_open_is_refused_at_its_field(shared_api: Api, named: str) -> None:
    visitor = signed_in(shared_api, "editor")
    fields = {"kind": "policy", "title": "Odd", "text": "Words.", "audience": "public", "status": "approved"}
    refused = visitor.post("/console/knowledge/save", external_id=named, version="", **fields)
    assert refused.status_code == 422
    assert 'id="fault-external_id"' in refused.text
    assert f'value="{named}"' in refused.text, "what was typed is still there"


def test_a_document_with_an_odd_id_of_the_wire_can_still_be_changed(api: Api) -> None:
    visitor = signed_in(api, "editor")
    body = {"kind": "policy", "title": "Odd", "text": "Words.", "language": "en"}
    assert api.put("/v1/documents/a//b", body).status_code < 300
    fields = {**body, "audience": "public", "status": "approved", "external_id": "a//b", "version": "1"}
    assert visitor.post("/console/knowledge/save", **{**fields, "text": "Other words."}).status_code == 303


def test_signing_in_and_out_stands_in_the_audit_trail(api: Api) -> None:
    boss = signed_in(api, "admin", name="Boss")
    mo = signed_in(api, "agent", name="Mo")
    assert mo.post("/console/sign-out").status_code == 303
    said = boss.text("/console/administration/audit").partition("In detail")[2]
    assert "Mo signed in" in said
    assert "Mo signed out" in said
    boss.language = "zh"
    assert "Mo 退出登录" in boss.text("/console/administration/audit")
    with TestClient(api.app) as stranger:
        stranger.cookies.set(SESSION, "forged", path="/console")
        before = len(api.get("/v1/audit").json()["items"])
        stranger.post("/console/sign-out", follow_redirects=False)
        assert len(api.get("/v1/audit").json()["items"]) == before


FORMS = sorted(
    page.partition(" ")[2]
    for page in ACCESS
    if page.startswith("POST /console/")
    and "{rest:path}" not in page
    and f"GET {page.partition(' ')[2]}" not in ACCESS
)


@pytest.mark.parametrize("address", FORMS)
def test_the_address_of_a_form_leads_to_the_page_that_it_belongs_to(shared_api: Api, address: str) -> None:
    """Asked for after signing in, or on a reload, it was a dead end: 405."""
    visitor = signed_in(shared_api)
    asked = re.sub(r"\{[^}]*\}", "some", address)
    sent = visitor.get(asked)
    assert sent.status_code in (303, 200, 404), sent.text
    if sent.status_code != 303:
        # It is the address of a page too, such as that of one problem: that page says what there is.
        assert any(_is_page_of(page, asked) for page in ACCESS)
        return
    page = sent.headers["location"]
    assert asked.startswith(page) or page == "/console/documents/some"
    assert any(_is_page_of(known, page) for known in ACCESS), page
    assert visitor.get(page).status_code in (200, 303, 404)


def _is_page_of(page: str, address: str) -> bool:
    method, _, path = page.partition(" ")
    pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))
    return method == "GET" and "rest:path" not in path and re.fullmatch(pattern, address) is not None


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/console/ask/used", "/console/ask"),
        ("/console/ask/reject", "/console/ask"),
        ("/console/cases/c1/take", "/console/cases/c1"),
        ("/console/knowledge/restore/a/b", "/console/documents/a/b"),
        ("/console/administration/backups/kb.zip/check", "/console/administration/backups"),
        ("/console/problems/p1/unmerge", "/console/problems/p1"),
        ("/console/sign-out", "/console"),
    ],
)
def test_where_the_address_of_a_form_leads(shared_api: Api, address: str, page: str) -> None:
    for visitor in (browser(shared_api), signed_in(shared_api)):
        assert visitor.get(address).headers["location"] == page
