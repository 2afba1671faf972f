"""Keys of programs: made, shown once, used, revoked; when they were used last."""

from __future__ import annotations

import html
import re

import pytest

from tests.kb_service.conftest import Api
from tests.kb_service.console.visitors import Browser, signed_in

KEYS = "/console/administration/keys"
SECRET = re.compile(r'<code id="secret">(kb_[\w-]+)</code>')


@pytest.fixture
def boss(api: Api) -> Browser:
    return signed_in(api, "admin", name="Boss")


def made(boss: Browser, label: str = "web chat", roles: str = "agent") -> str:
    page = boss.post(KEYS, label=label, roles=roles)
    secret = SECRET.search(html.unescape(page.text))
    assert secret, page.text
    return secret[1]


def key_id(api: Api, label: str, workspace: str = "shop") -> str:
    return next(key.id for key in api.services.keyring.all(workspace) if key.label == label)


def status(api: Api, secret: str, path: str = "/v1/problems") -> int:
    headers = {"authorization": f"Bearer {secret}"}
    return api.call("GET", path, role=None, headers=headers).status_code


def test_a_key_is_shown_once_and_works_until_it_is_revoked(api: Api, boss: Browser) -> None:
    secret = made(boss)
    assert status(api, secret) == 200
    assert status(api, secret, "/v1/audit") == 403
    assert secret not in boss.get(KEYS).text
    place = f"{KEYS}/{key_id(api, 'web chat')}/revoke"
    assert "not taken back" in boss.text(place)
    assert status(api, secret) == 200, "asking revokes nothing"
    assert boss.post(place).headers["location"] == KEYS
    assert status(api, secret) == 401
    assert "Revoked keys (1)" in boss.text(KEYS)
    trail = boss.text("/console/administration/audit")
    assert "Boss made a key web chat" in trail
    assert "Boss revoked a key web chat" in trail


def test_the_hash_of_a_key_is_on_no_page(api: Api, boss: Browser) -> None:
    import hashlib

    secret = made(boss)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    for path in (KEYS, f"{KEYS}/{key_id(api, 'web chat')}/revoke", "/console/administration/audit"):
        page = boss.get(path).text
        assert secret not in page
        assert digest not in page


def test_the_list_tells_who_made_a_key_and_when_it_was_used_last(api: Api, boss: Browser) -> None:
    secret = made(boss)
    assert re.search(r"made \S+ \S+ by Boss · not used yet", boss.text(KEYS))
    status(api, secret)
    api.services.key_uses.note()
    assert re.search(r"by Boss · last used 20\d\d-", boss.text(KEYS))


@pytest.mark.parametrize(
    ("form", "field"), [({"label": "", "roles": "bot"}, "label"), ({"label": "x"}, "roles")]
)
def test_a_key_needs_a_purpose_and_a_role(boss: Browser, form: dict[str, str], field: str) -> None:
    response = boss.post(KEYS, **form)
    assert response.status_code == 422
    assert f'id="{field}-fault"' in response.text
    assert not SECRET.search(response.text)


def test_keys_of_another_shop_are_not_there(api: Api, boss: Browser) -> None:
    stranger = signed_in(api, "admin", workspace="other")
    secret = made(stranger, "theirs")
    place = f"{KEYS}/{key_id(api, 'theirs', 'other')}/revoke"
    assert "theirs" not in boss.text(KEYS)
    assert boss.get(place).status_code == 404
    assert boss.post(place).status_code == 404
    assert status(api, secret) == 200
