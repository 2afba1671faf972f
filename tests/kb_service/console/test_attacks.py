"""What somebody tries who means harm: forged notices, sessions left behind, guessed links, others' roles."""

from __future__ import annotations

import base64
import json

import pytest

from kb_service.console.access import PAGES
from kb_service.console.guard import SESSION
from kb_service.console.notices import COOKIE
from kb_service.models import KEY_ROLES
from kb_service.store import Store
from tests.kb_service.conftest import Api
from tests.kb_service.console.visitors import browser, signed_in

FORGED = {
    "text": "{name} was changed.",
    "values": {"other": "x"},
    "undo": "/console/administration/keys",
    "fields": {"label": "mine", "roles": "admin"},
}


@pytest.mark.parametrize("seal", [None, "", "0" * 64, "é"])
def test_a_notice_that_another_put_there_is_not_told(shared_api: Api, seal: str | None) -> None:
    """Its button would have sent a form of another's choice, with the visitor's own token."""
    visitor = signed_in(shared_api)
    told = base64.urlsafe_b64encode(json.dumps(FORGED).encode()).decode()
    forged = told if seal is None else f"{seal}.{told}"
    cookie = f"{SESSION}={visitor.client.cookies[SESSION]}; {COOKIE}={forged}"
    page = visitor.client.get("/console/problems", headers={b"cookie": cookie.encode()})
    assert page.status_code == 200
    assert 'name="label" value="mine"' not in page.text


def test_a_notice_is_told_to_whom_it_is_for_alone(api: Api) -> None:
    lin, mo = signed_in(api, name="Lin"), signed_in(api, name="Mo")
    assert lin.post("/console/administration/keys", label="bot", roles="bot").status_code == 200
    key = next(item for item in api.services.keyring.all("shop") if item.label == "bot")
    told = lin.post(f"/console/administration/keys/{key.id}/revoke")
    assert told.status_code == 303
    sealed = told.cookies[COOKIE]
    cookie = f"{SESSION}={mo.client.cookies[SESSION]}; {COOKIE}={sealed}"
    assert "was revoked" not in mo.client.get("/console/problems", headers={"cookie": cookie}).text
    assert "was revoked" in lin.text("/console/problems")


def test_cookies_are_for_https_alone_where_that_is_spoken(shared_api: Api) -> None:
    visitor = signed_in(shared_api)
    visitor.client.base_url = "https://testserver"
    session = visitor.client.cookies[SESSION]
    _, token = shared_api.services.accounts.invite("shop", "Mo", ("agent",))
    sent = [
        visitor.client.post("/console/sign-in", data={"token": token}, follow_redirects=False),
        visitor.client.post("/console/language", data={"language": "en"}, follow_redirects=False),
    ]
    for response in sent:
        said = response.headers["set-cookie"].lower()
        assert "; secure" in said
        assert "; httponly" in said
        assert "; samesite=lax" in said
    assert session not in str(sent[0].headers)


def test_signing_in_ends_the_session_that_the_browser_had(api: Api) -> None:
    """Nobody could leave it any more, and it went on for a week."""
    visitor = signed_in(api, name="Lin")
    before = visitor.client.cookies[SESSION]
    _, token = api.services.accounts.invite("shop", "Mo", ("agent",))
    assert visitor.post("/console/sign-in", token=token).status_code == 303
    after = visitor.client.cookies[SESSION]
    assert after != before
    assert api.services.accounts.visitor(before) is None
    assert api.services.accounts.visitor(after) is not None


def test_a_session_that_signing_in_was_refused_with_goes_on(api: Api) -> None:
    visitor = signed_in(api, name="Lin")
    assert visitor.post("/console/sign-in", token="guessed").status_code == 403
    assert api.services.accounts.visitor(visitor.client.cookies[SESSION]) is not None


def test_who_guesses_links_never_holds_up_those_who_write(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    administration = Store.administration

    def reading(self: Store, *, writing: bool = True) -> object:
        assert not writing, "a guess took the lock of the store"
        return administration(self, writing=writing)

    monkeypatch.setattr(Store, "administration", reading)
    assert browser(api).post("/console/sign-in", token="guessed", name="Eve").status_code == 403


SENT = sorted(page for page, roles in PAGES.items() if page.startswith("POST") and roles is not None)


@pytest.mark.parametrize("role", KEY_ROLES)
def test_forms_admit_the_roles_of_the_table_alone(shared_api: Api, role: str) -> None:
    visitor = signed_in(shared_api, role)
    for page in SENT:
        if role in (PAGES[page] or ()):
            continue
        path = page.partition(" ")[2].replace("{id}", "x").replace("{external_id:path}", "x")
        path = path.replace("{action}", "resolve").replace("{name}", "x").replace("{delivery}", "x")
        refused = visitor.post(path)
        assert refused.status_code == 403, page
        assert "This needs one of the roles" in refused.text, page


def test_nothing_of_another_place_may_hold_a_page_in_a_frame(shared_api: Api) -> None:
    for path in ("/console/problems", "/console/sign-in", "/console/nowhere"):
        policy = signed_in(shared_api).get(path).headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy
        assert "base-uri 'none'" in policy
