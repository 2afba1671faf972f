"""Webhooks in the console: made with a secret shown once, changed, tested, sent again, removed."""

from __future__ import annotations

import html
import re

import pytest

from kb_service.console.pages.webhooks import MOST_DELIVERIES
from tests.kb_service.conftest import Api
from tests.kb_service.console.visitors import Browser, signed_in

HOOKS = "/console/administration/webhooks"
SECRET = re.compile(r'<code id="secret">(whsec_[\w+/=]+)</code>')
FORM = {"id": "quality", "url": "https://example.com/hook", "types": "alert.opened", "format": "standard"}


@pytest.fixture
def boss(api: Api) -> Browser:
    return signed_in(api, "admin", name="Boss")


def secret_of(page: str) -> str | None:
    found = SECRET.search(html.unescape(page))
    return found[1] if found else None


def test_a_webhook_is_made_and_its_secret_shown_once(api: Api, boss: Browser) -> None:
    made = boss.post(HOOKS, **FORM, product="SKU-1，SKU-2", expertise_ids="logistics")
    assert secret_of(made.text)
    stored = api.get("/v1/webhooks/quality").json()
    assert stored["types"] == ["alert.opened"]
    assert stored["filter"] == {"product": ["SKU-1", "SKU-2"], "expertise": ["logistics"]}
    assert secret_of(boss.get(f"{HOOKS}/quality").text) is None
    assert "quality Standard Webhooks on example.com" in boss.text(HOOKS)


def test_a_rotated_secret_is_another_one_and_shown_once(boss: Browser) -> None:
    first = secret_of(boss.post(HOOKS, **FORM).text)
    second = secret_of(boss.post(f"{HOOKS}/quality/rotate").text)
    assert second
    assert second != first
    assert secret_of(boss.get(f"{HOOKS}/quality").text) is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"url": "nonsense"}, "url"),
        ({"url": "http://127.0.0.1/hook"}, "url"),
        ({"url": "http://169.254.169.254/latest"}, "url"),
        ({"types": ""}, "types"),
        ({"format": "fax"}, "format"),
        ({"id": "a/b"}, "id"),
        ({"id": ""}, "id"),
        ({"signing_secret": "s"}, "signing_secret"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_is_lost(
    api: Api, boss: Browser, wrong: dict[str, str], field: str
) -> None:
    form = {name: value for name, value in {**FORM, "product": "SKU-7", **wrong}.items() if value}
    response = boss.post(HOOKS, **form)
    assert response.status_code == 422
    assert f'id="{field}-fault"' in response.text
    assert 'value="SKU-7"' in response.text
    assert f'value="{form.get("url")}"' in response.text
    assert api.get("/v1/webhooks").json()["items"] == []


def test_a_private_address_is_refused_with_what_to_do(boss: Browser) -> None:
    said = boss.post(HOOKS, **{**FORM, "url": "http://10.0.0.7/hook"}).text
    assert "the address 10.0.0.7 is not public; KB_WEBHOOK_ALLOW may name its network" in said
    boss.language = "zh"
    assert "KB_WEBHOOK_ALLOW" in boss.post(HOOKS, **{**FORM, "url": "http://10.0.0.7/hook"}).text


def test_a_name_is_not_given_twice(api: Api, boss: Browser) -> None:
    boss.post(HOOKS, **FORM)
    again = boss.post(HOOKS, **{**FORM, "url": "https://example.com/other"})
    assert again.status_code == 422
    assert "there is a webhook quality already" in again.text
    assert api.get("/v1/webhooks/quality").json()["url"] == "https://example.com/hook"


def test_a_webhook_is_changed_and_keeps_its_signing_secret(api: Api, boss: Browser) -> None:
    feishu = {**FORM, "format": "feishu", "signing_secret": "s3cret-of-feishu"}
    boss.post(HOOKS, **feishu)
    page = boss.get(f"{HOOKS}/quality/edit").text
    assert "s3cret-of-feishu" not in page
    changed = {**FORM, "format": "feishu", "types": "gap.found"}
    saved = boss.post(f"{HOOKS}/quality", **changed, stamp=boss.stamp(f"{HOOKS}/quality/edit"))
    assert saved.headers["location"] == f"{HOOKS}/quality"
    stored = api.get("/v1/webhooks/quality").json()
    assert (stored["types"], stored["signed"]) == (["gap.found"], True)
    boss.post(f"{HOOKS}/quality", **changed, unsigned="1", stamp=boss.stamp(f"{HOOKS}/quality/edit"))
    assert api.get("/v1/webhooks/quality").json()["signed"] is False


def test_a_test_is_seen_among_the_deliveries_and_sent_again(api: Api, boss: Browser) -> None:
    boss.post(HOOKS, **FORM)
    sent = boss.post(f"{HOOKS}/quality/test")
    place, _, delivery = sent.headers["location"].partition("#")
    page = boss.get(place).text
    assert f'id="{delivery}"' in page
    assert 'hx-trigger="every 2s"' in page, "the page follows while the test is on its way"
    assert "Test message waiting" in boss.text(place)
    boss.post(f"{place}/deliveries/{delivery}/replay")
    assert len(api.get("/v1/webhooks/quality/deliveries").json()["items"]) == 2
    assert "None so far." in boss.text(f"{place}?state=exhausted")


def test_deliveries_are_paged_through_within_a_state_and_a_list_that_waits_stays_at_its_page(
    api: Api, boss: Browser
) -> None:
    """While something waited the second page was replaced by the first."""
    boss.post(HOOKS, **FORM)
    for _ in range(MOST_DELIVERIES + 2):
        boss.post(f"{HOOKS}/quality/test")
    first = boss.get(f"{HOOKS}/quality?state=pending").text
    assert first.count("Test message") == MOST_DELIVERIES
    more = re.search(r'href="([^"]+cursor=[^"]+)#deliveries"', first)
    assert more
    second = boss.get(html.unescape(more[1])).text
    assert second.count("Test message") == 2
    follows = re.search(r'id="deliveries"[^>]*hx-get="([^"]+)"', second)
    assert follows
    assert html.unescape(follows[1]).partition("?")[2] == html.unescape(more[1]).partition("?")[2]
    assert f'href="{HOOKS}/quality?state=pending#deliveries"' in second, "back to the newest"
    assert "Test message" not in boss.text(f"{HOOKS}/quality?state=delivered")


def test_what_did_not_arrive_is_put_in_line(api: Api, boss: Browser) -> None:
    boss.post(HOOKS, **FORM)
    boss.post(f"{HOOKS}/quality/test")
    with api.store.writing("shop") as unit:
        unit.webhooks.disable("quality", "the endpoint answered 410 Gone")
    assert "it is gone for good (410)" in boss.text(f"{HOOKS}/quality")
    assert boss.post(f"{HOOKS}/quality/test").status_code == 409
    boss.post(f"{HOOKS}/quality/enable")
    assert boss.post(f"{HOOKS}/quality/replay", days="7").status_code == 303
    assert "Put in line: 1 message" in boss.text(f"{HOOKS}/quality")
    states = [item["state"] for item in api.get("/v1/webhooks/quality/deliveries").json()["items"]]
    assert sorted(states) == ["cancelled", "pending"]


def test_a_webhook_form_that_was_overtaken_saves_nothing(api: Api, boss: Browser) -> None:
    boss.post(HOOKS, **FORM)
    stamp = boss.stamp(f"{HOOKS}/quality/edit")
    theirs = {"url": "https://example.com/theirs", "types": ["gap.found"]}
    api.put("/v1/webhooks/quality", theirs)
    refused = boss.post(f"{HOOKS}/quality", **{**FORM, "url": "https://example.com/mine"}, stamp=stamp)
    assert refused.status_code == 409
    assert "Somebody changed this meanwhile" in refused.text
    assert 'value="https://example.com/mine"' in refused.text
    assert api.get("/v1/webhooks/quality").json()["url"] == theirs["url"]


def test_a_webhook_is_removed_after_a_question(api: Api, boss: Browser) -> None:
    boss.post(HOOKS, **FORM)
    assert "This is not taken back." in boss.text(f"{HOOKS}/quality/remove")
    assert api.get("/v1/webhooks/quality").status_code == 200
    assert boss.post(f"{HOOKS}/quality/remove").headers["location"] == HOOKS
    assert api.get("/v1/webhooks/quality").status_code == 404


def test_the_key_in_a_chat_address_stands_on_no_list(boss: Browser) -> None:
    url = "https://open.feishu.cn/open-apis/bot/v2/hook/0123456789abcdef"
    boss.post(HOOKS, **{**FORM, "format": "feishu", "url": url})
    for path in (HOOKS, f"{HOOKS}/quality", "/console/administration/audit"):
        assert "0123456789abcdef" not in boss.get(path).text


def test_the_password_in_an_address_stands_not_in_the_audit_trail(boss: Browser) -> None:
    boss.post(HOOKS, **{**FORM, "url": "https://kb:open-sesame@example.com/hook"})
    page = boss.get("/console/administration/audit?action=webhook.created").text
    assert "https://example.com/hook" in page
    assert "open-sesame" not in page


def test_webhooks_of_another_shop_are_not_there(api: Api, boss: Browser) -> None:
    boss.post(HOOKS, **FORM)
    stranger = signed_in(api, "admin", workspace="other")
    assert stranger.get(f"{HOOKS}/quality").status_code == 404
    for step in ("test", "rotate", "remove", "enable"):
        assert stranger.post(f"{HOOKS}/quality/{step}").status_code == 404
