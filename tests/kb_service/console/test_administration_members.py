"""Who may sign in: inviting, changing, ending, and what keeps an administrator from locking everybody out."""

from __future__ import annotations

import re

import pytest

from kb_service.models import KEY_ROLES
from tests.kb_service.conftest import Api
from tests.kb_service.console.visitors import Browser, browser, signed_in

HOME = "/console/administration"
LINK = re.compile(r"http://testserver/console/sign-in\?token=([\w-]+)")


def member_id(api: Api, name: str) -> str:
    return next(item.id for item in api.services.accounts.members("shop") if item.name == name)


@pytest.fixture
def boss(api: Api) -> Browser:
    return signed_in(api, "admin", name="Boss")


def test_an_administrator_invites_and_ends_members(api: Api, boss: Browser) -> None:
    api.put("/v1/agents/agent-1", {"name": "agent-1"})
    invited = boss.post(f"{HOME}/members", name="Mo", roles="agent", agent_id="agent-1")
    token = LINK.search(invited.text)
    assert token
    guest = browser(api)
    assert "shop" in guest.text(f"/console/sign-in?token={token[1]}")
    assert guest.post("/console/sign-in", token=token[1]).status_code == 303
    assert guest.get("/console/desk").status_code == 200
    assert guest.get(HOME).status_code == 403
    mo = f"{HOME}/members/{member_id(api, 'Mo')}"
    assert LINK.search(boss.post(f"{mo}/link").text)
    assert boss.post(f"{mo}/end").status_code == 303
    assert "Mo may sign in no more." in boss.text(HOME)
    assert guest.get("/console/desk").status_code == 303
    assert "Mo" not in boss.text(HOME)
    assert boss.get(mo).status_code == 404
    trail = boss.text(f"{HOME}/audit")
    assert "Boss invited somebody Mo" in trail
    assert "Boss ended a membership Mo" in trail


def test_the_link_is_shown_once(api: Api, boss: Browser) -> None:
    assert LINK.search(boss.post(f"{HOME}/members", name="Mo", roles="agent").text)
    assert not LINK.search(boss.get(HOME).text)
    assert "the link works until" in boss.text(HOME)


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": "Mo"}, "role"),
        ({"name": " ", "roles": "agent"}, "name"),
        ({"name": "Mo", "roles": "boss"}, "role"),
        ({"name": "M" * 81, "roles": "agent"}, "name"),
    ],
)
def test_an_invitation_tells_at_its_fields_what_it_lacks(
    boss: Browser, form: dict[str, str], field: str
) -> None:
    response = boss.post(f"{HOME}/members", **form)
    assert response.status_code == 422
    assert f'id="{field}-fault"' in response.text
    assert f'value="{form["name"].strip()}"' in response.text, "what was typed is still there"


def test_the_end_of_a_membership_is_taken_back(api: Api, boss: Browser) -> None:
    guest = signed_in(api, "agent", name="Mo")
    mo = f"{HOME}/members/{member_id(api, 'Mo')}"
    boss.post(f"{mo}/end")
    undo = re.search(r'action="([^"]+/resume)"', boss.get(HOME).text)
    assert undo
    assert boss.post(undo[1]).headers["location"] == mo
    assert "Mo" in boss.text(HOME)
    assert guest.get("/console/desk").status_code == 303, "the session that was ended stays ended"


def test_roles_change_at_once(api: Api, boss: Browser) -> None:
    guest = signed_in(api, "agent", name="Mo")
    mo = f"{HOME}/members/{member_id(api, 'Mo')}"
    assert guest.get(HOME).status_code == 403
    assert boss.post(mo, name="Mo Chen", roles="admin", stamp=boss.stamp(mo)).status_code == 303
    assert "Mo Chen · shop" in guest.text(HOME)
    assert "name Mo → Mo Chen" in boss.text(f"{HOME}/audit")


def test_the_last_administrator_stays_one(api: Api, boss: Browser) -> None:
    own = f"{HOME}/members/{member_id(api, 'Boss')}"
    as_agent = {"name": "Boss", "roles": "agent", "stamp": boss.stamp(own)}
    for response in (boss.post(own, **as_agent), boss.post(f"{own}/end")):
        assert response.status_code == 409
        assert "last administrator" in response.text
    signed_in(api, "admin", name="Second")
    assert boss.post(own, **as_agent).status_code == 303
    assert boss.get(HOME).status_code == 403


def test_a_member_is_signed_out_everywhere(api: Api, boss: Browser) -> None:
    guest = signed_in(api, "agent", name="Mo")
    mo = f"{HOME}/members/{member_id(api, 'Mo')}"
    assert "Sign out everywhere" in boss.text(mo)
    assert boss.post(f"{mo}/sessions").headers["location"] == mo
    assert guest.get("/console/desk").status_code == 303
    assert "nowhere" in boss.text(mo)


def test_members_of_another_shop_are_not_there(api: Api, boss: Browser) -> None:
    signed_in(api, "admin", name="Stranger", workspace="other")
    stranger = next(item.id for item in api.services.accounts.members("other"))
    for path in ("", "/link", "/end", "/resume", "/sessions"):
        response = boss.post(f"{HOME}/members/{stranger}{path}", name="X", roles="agent")
        assert response.status_code == 404, path
    assert api.services.accounts.members("other")[0].ended_at is None


def test_the_first_administrator_of_an_installation_is_its_operator(api: Api) -> None:
    """Where another shop is there already, whoever opens its first link runs that shop alone."""
    token = api.services.accounts.first_link("shop")
    browser(api).post("/console/sign-in", token=token or "", name="Lin")
    (first,) = api.services.accounts.members("shop")
    assert first.roles == set(KEY_ROLES)
    assert not first.operator, "this installation has two workspaces"


def test_the_console_tells_what_became_of_a_link(api: Api, boss: Browser) -> None:
    token = LINK.search(boss.post(f"{HOME}/members", name="Mo", roles="agent").text)
    assert token
    guest = browser(api, "zh")
    api.clock.advance(hours=24)
    assert "此链接已使用或已过期。" in guest.text(f"/console/sign-in?token={token[1]}")
    refused = guest.post("/console/sign-in", token=token[1])
    assert refused.status_code == 403
    assert "此链接已使用或已过期" in refused.text


def test_a_plain_administrator_does_not_become_operator(api: Api, boss: Browser) -> None:
    """Whoever could sign in as an operator, or bring one back, would be one."""
    signed_in(api, "admin", name="Op", operator=True)
    before = next(item for item in api.services.accounts.members("shop") if item.name == "Op")
    op = f"{HOME}/members/{before.id}"
    stamp = boss.stamp(op)
    for path in ("", "/link", "/end"):
        refused = boss.post(f"{op}{path}", name="Mine", roles="agent", stamp=stamp)
        assert refused.status_code == 403, path
        assert "kb members link" in refused.text
        assert not LINK.search(refused.text)
    assert "New link" not in boss.text(op)
    assert "only another operator can change this" in boss.text(op)
    boss.language = "zh"
    assert "运维人员" in boss.post(f"{op}/link").text
    assert before in api.services.accounts.members("shop")
    assert LINK.search(signed_in(api, "admin", name="Second", operator=True).post(f"{op}/link").text)


def test_an_operator_whose_membership_ended_comes_back_as_none(api: Api, boss: Browser) -> None:
    operator = signed_in(api, "admin", name="Op", operator=True)
    signed_in(api, "admin", name="Left", operator=True)
    left = member_id(api, "Left")
    assert operator.post(f"{HOME}/members/{left}/end").status_code == 303
    assert boss.post(f"{HOME}/members/{left}/resume").status_code == 303
    resumed = next(item for item in api.services.accounts.members("shop") if item.id == left)
    assert (resumed.ended_at, resumed.operator) == (None, False)


def test_signing_out_everywhere_ends_the_link_that_waits(api: Api, boss: Browser) -> None:
    _, token = api.services.accounts.invite("shop", "Mo", ["agent"])
    mo = f"{HOME}/members/{member_id(api, 'Mo')}"
    assert "Sign out everywhere" in boss.text(mo), "a link alone lets somebody in as well"
    assert boss.post(f"{mo}/sessions").status_code == 303
    assert browser(api).post("/console/sign-in", token=token).status_code == 403
    assert "Link works until" not in boss.text(mo)
