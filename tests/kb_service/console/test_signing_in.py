"""One-time links, sessions, and what keeps strangers and forged forms out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kb_service.accounts import LINK_LASTS, SESSION_LASTS, TRUSTED_SECONDS, Accounts
from kb_service.console.access import PAGES
from kb_service.console.guard import SESSION, PageRoute
from kb_service.console.pages import ROUTERS
from kb_service.models import KEY_ROLES
from tests.kb_service.conftest import Api
from tests.kb_service.console.visitors import browser, signed_in


def test_the_first_link_makes_the_administrator_once(api: Api) -> None:
    token = api.services.accounts.first_link("shop")
    assert token is not None
    visitor = browser(api)
    opened = visitor.get(f"/console/sign-in?token={token}")
    assert "shop" in opened.text
    assert api.services.accounts.link(token) is not None, "looking at a link does not use it up"
    assert visitor.post("/console/sign-in", token=token).status_code == 422, "a name is needed"
    assert visitor.post("/console/sign-in", token=token, name=" Lin  Xiao ").status_code == 303
    assert "Lin Xiao · shop" in visitor.text("/console/problems")
    with api.store.administration(writing=False) as unit:
        (member,) = unit.members.list("shop")
    assert member.roles == set(KEY_ROLES)
    assert browser(api).post("/console/sign-in", token=token, name="Mo").status_code == 403
    assert api.services.accounts.first_link("shop") is None
    assert api.services.accounts.first_link("other") is not None


def test_a_second_first_link_ends_the_first(api: Api) -> None:
    first, second = api.services.accounts.first_link("shop"), api.services.accounts.first_link("shop")
    assert browser(api).post("/console/sign-in", token=first or "", name="Lin").status_code == 403
    assert browser(api).post("/console/sign-in", token=second or "", name="Lin").status_code == 303


def test_a_link_expires(api: Api) -> None:
    _, token = api.services.accounts.invite("shop", "Lin", ("agent",))
    api.clock.advance(hours=LINK_LASTS.total_seconds() / 3600)
    response = browser(api).post("/console/sign-in", token=token)
    assert response.status_code == 403
    assert "expired" in response.text


def test_a_session_expires_and_is_gone_when_it_is_left(api: Api) -> None:
    visitor = signed_in(api)
    accounts = Accounts(api.store, monotonic=lambda: 0.0)
    token = visitor.client.cookies[SESSION]
    assert accounts.visitor(token) is not None
    assert visitor.post("/console/sign-out").status_code == 303
    assert Accounts(api.store).visitor(token) is None
    another = signed_in(api, name="Mo").client.cookies[SESSION]
    api.clock.now += SESSION_LASTS
    assert Accounts(api.store).visitor(another) is None


def test_who_left_is_signed_out_everywhere(api: Api) -> None:
    moment = [0.0]
    accounts = Accounts(api.store, monotonic=lambda: moment[0])
    member, token = accounts.invite("shop", "Lin", ("agent",))
    session = accounts.sign_in(token, None)
    elsewhere = Accounts(api.store, monotonic=lambda: moment[0])
    assert elsewhere.visitor(session) is not None
    accounts.end("shop", member.id)
    assert accounts.visitor(session) is None
    moment[0] += TRUSTED_SECONDS
    assert elsewhere.visitor(session) is None


def test_the_store_holds_no_usable_session(api: Api) -> None:
    token = signed_in(api).client.cookies[SESSION]
    link = api.services.accounts.first_link("other") or ""
    for file in api.services.settings.data.glob("kb.sqlite3*"):
        content = file.read_bytes()
        assert token.encode() not in content
        assert link.encode() not in content


def test_every_page_stands_in_the_table_and_asks_who_comes() -> None:
    routes = [route for router in ROUTERS for route in router.routes]
    assert all(isinstance(route, PageRoute) for route in routes)
    found = {
        f"{method} {route.path}"
        for route in routes
        if isinstance(route, PageRoute)
        for method in route.methods
    }
    assert found == set(PAGES)


def _path(page: str) -> str:
    template = page.partition(" ")[2]
    for name, value in (("{external_id:path}", "x"), ("{id}", "x"), ("{action}", "resolve")):
        template = template.replace(name, value)
    return template


GUARDED = sorted(page for page, roles in PAGES.items() if roles is not None)


@pytest.mark.parametrize("page", GUARDED)
def test_who_is_not_signed_in_sees_nothing(shared_api: Api, page: str) -> None:
    visitor = browser(shared_api)
    visitor.client.cookies.set(SESSION, "forged", path="/console")
    response = visitor.get(_path(page)) if page.startswith("GET") else visitor.post(_path(page), csrf="0")
    assert response.status_code == 303
    assert response.headers["location"].startswith("/console/sign-in")


@pytest.mark.parametrize("page", [page for page in GUARDED if page.startswith("POST")])
def test_a_form_of_another_place_changes_nothing(shared_api: Api, page: str) -> None:
    visitor = signed_in(shared_api, *KEY_ROLES)
    assert visitor.post(_path(page), csrf="0" * 64).status_code == 403
    assert visitor.post(_path(page), origin="https://evil.example").status_code == 403
    assert visitor.client.post(_path(page), follow_redirects=False).status_code == 403


@pytest.mark.parametrize("role", KEY_ROLES)
def test_pages_admit_the_roles_of_the_table(shared_api: Api, role: str) -> None:
    visitor = signed_in(shared_api, role, operator=True)  # who may also carry backups of all shops away
    for page in GUARDED:
        if page == "POST /console/sign-out":
            continue
        response = visitor.get(_path(page)) if page.startswith("GET") else None
        if response is None:
            continue
        admitted = PAGES[page] or frozenset()
        assert (response.status_code == 403) == (role not in admitted), page


def test_a_page_lets_nothing_of_another_host_in(shared_api: Api) -> None:
    response = signed_in(shared_api).get("/console/problems")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "http://" not in response.text
    assert "https://" not in response.text


def test_the_cookie_is_for_the_console_alone(shared_api: Api) -> None:
    _, token = shared_api.services.accounts.invite("shop", "Lin", ("agent",))
    cookie = browser(shared_api).post("/console/sign-in", token=token).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/console" in cookie
    assert f"max-age={round(SESSION_LASTS.total_seconds())}" in cookie


@pytest.mark.parametrize(
    "next",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/v1/rules",
        "javascript:alert(1)",
        "/console@evil.example",
        "/consoles",
        "/console/../..//evil.example",
        "/console//evil.example",
        "/console\n//evil.example",
        "/console/x\r\nSet-Cookie: a=b",
        "\t//evil.example",
        "http:///console",
    ],
)
def test_signing_in_leads_into_the_console_and_nowhere_else(shared_api: Api, next: str) -> None:
    _, token = shared_api.services.accounts.invite("shop", "Lin", ("agent",))
    response = browser(shared_api).post("/console/sign-in", token=token, next=next)
    assert response.headers["location"] == "/console"


def test_signing_in_leads_back_to_the_page_that_was_asked_for(api: Api) -> None:
    visitor = browser(api)
    sent = visitor.get("/console/problems").headers["location"]
    assert "next=/console/problems" in sent
    _, token = api.services.accounts.invite("shop", "Lin", ("agent",))
    response = visitor.post("/console/sign-in", token=token, next="/console/problems")
    assert response.headers["location"] == "/console/problems"


def test_files_of_the_console_are_named_ones_only(shared_api: Api) -> None:
    visitor = browser(shared_api)
    assert visitor.get("/console/static/console.css").headers["content-type"].startswith("text/css")
    for name in ("..%2Fwords.py", "words.py", "", "console.css%00"):
        assert visitor.get(f"/console/static/{name}").status_code == 404


def test_the_language_is_the_readers(api: Api) -> None:
    visitor = signed_in(api, language="zh-CN")
    assert "问题" in visitor.text("/console/problems")
    assert visitor.post("/console/language", language="en", next="/console/problems").status_code == 303
    assert "Problems" in visitor.text("/console/problems")
    assert visitor.get("/console/problems").headers["content-language"] == "en"


def test_changing_the_language_loses_neither_query_nor_page(api: Api) -> None:
    visitor = signed_in(api)
    found = visitor.get("/console/search?q=red+coat&kind=policy").text
    assert 'name="next" value="/console/search?q=red+coat&amp;kind=policy"' in found
    long = "%E9%80%80" * 400
    assert 'name="next" value="/console/search"' in visitor.get(f"/console/search?q={long}").text


def test_a_link_lasts_a_day_and_a_session_a_week() -> None:
    assert timedelta(hours=1) <= LINK_LASTS <= timedelta(days=2)
    assert timedelta(days=14) >= SESSION_LASTS
