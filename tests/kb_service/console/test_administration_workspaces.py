"""Workspaces: one's own in figures; others are listed and opened by operators alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kb_service import installation
from kb_service.accounts import Accounts
from kb_service.store import Store
from tests.kb_service.conftest import RETURNS, Api
from tests.kb_service.console.visitors import Browser, browser, signed_in

SHOPS = "/console/administration/workspaces"
LINK = re.compile(r"http://testserver/console/sign-in\?token=([\w-]+)")


@pytest.fixture
def boss(api: Api) -> Browser:
    return signed_in(api, "admin", name="Boss")


@pytest.fixture
def operator(api: Api) -> Browser:
    visitor = signed_in(api, "admin", name="Op")
    member = next(item for item in api.services.accounts.members("shop") if item.name == "Op")
    api.services.accounts.make_operator("shop", member.id, operator=True)
    return visitor


def test_the_page_tells_what_the_own_workspace_holds(api: Api, boss: Browser) -> None:
    api.put("/v1/documents/returns", RETURNS)
    api.recurring()
    said = boss.text(SHOPS)
    assert "Documents 1 ·" in said
    assert "Events 3 ·" in said
    assert "Members 1" in said


def test_the_size_of_the_indexes_is_counted_only_when_one_came_or_went(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look at the page walked through the whole folder."""
    walked: list[Path] = []
    walk = installation._bytes_below
    monkeypatch.setattr(installation, "_bytes_below", lambda folder: walked.append(folder) or walk(folder))
    own, index = api.services.installation.own, api.services.replicas.of("shop").index
    api.put("/v1/documents/returns", RETURNS)
    index.publish()
    small = own("shop").index_bytes
    assert own("shop").index_bytes == small > 0
    assert len(walked) == 1
    long = RETURNS | {"markdown": RETURNS["markdown"] + " Keep the receipt of it." * 400}
    api.put("/v1/documents/returns", long)
    index.publish()
    assert own("shop").index_bytes > small
    assert len(walked) == 2


def test_an_index_that_is_replaced_meanwhile_fails_no_page(tmp_path: Path) -> None:
    """A file that went between the listing and the look at its size failed the page."""
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "kept").write_bytes(b"12345")
    (tmp_path / "index" / "gone").symlink_to(tmp_path / "nowhere")
    assert installation._bytes_below(tmp_path) == 5
    assert installation._bytes_below(tmp_path / "nowhere") == 0


def test_an_administrator_sees_and_opens_no_other_workspace(api: Api, boss: Browser) -> None:
    said = boss.text(SHOPS)
    assert "other" not in re.findall(r"\b\w+\b", said)
    assert "kb members operator" in said
    refused = boss.post(SHOPS, id="mine", name="Mine", languages="en")
    assert refused.status_code == 403
    assert boss.post(f"{SHOPS}/other/link").status_code == 403
    assert api.services.accounts.members("other") == ()
    with api.store.administration(writing=False) as unit:
        assert unit.workspaces.get("mine") is None


def test_an_operator_opens_a_workspace_and_its_first_link_makes_its_administrator(
    api: Api, operator: Browser
) -> None:
    opened = operator.post(SHOPS, id="north", name="North shop", languages="zh")
    token = LINK.search(opened.text)
    assert token
    assert not LINK.search(operator.get(SHOPS).text), "the link is shown once"
    assert "North shop" in operator.text(SHOPS)
    theirs = browser(api)
    assert theirs.post("/console/sign-in", token=token[1], name="Mo").status_code == 303
    assert "Mo · north" in theirs.text("/console/administration")
    assert "Documents 0" in theirs.text(SHOPS)
    assert "Other workspaces" in theirs.text(SHOPS), "they run their shop, not the installation"
    assert operator.post(f"{SHOPS}/north/link").status_code == 409, "nobody gets in beside them"
    assert "opened a workspace" in theirs.text("/console/administration/audit")


def test_a_lost_first_link_is_made_anew_and_the_old_one_ends(api: Api, operator: Browser) -> None:
    first = LINK.search(operator.post(SHOPS, id="north", name="", languages="en").text)
    second = LINK.search(operator.post(f"{SHOPS}/north/link").text)
    assert first
    assert second
    assert browser(api).post("/console/sign-in", token=first[1], name="Mo").status_code == 403
    assert browser(api).post("/console/sign-in", token=second[1], name="Mo").status_code == 303


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"id": "../up"}, "id"), ({"id": "shop"}, "id"), ({"languages": ""}, "languages"), ({"name": "N" * 81}, "name")],
)  # fmt: skip
def test_a_workspace_tells_at_its_fields_what_is_wrong(
    operator: Browser, wrong: dict[str, str], field: str
) -> None:
    form = {"id": "north", "name": "Kept as typed", "languages": "en", **wrong}
    response = operator.post(SHOPS, **{name: value for name, value in form.items() if value})
    assert response.status_code == 422
    assert f'id="{field}-fault"' in response.text
    assert form["name"] in response.text


def test_who_was_an_operator_sees_the_others_no_more(api: Api, operator: Browser) -> None:
    assert "All workspaces of this installation" in operator.text(SHOPS)
    member = next(item for item in api.services.accounts.members("shop") if item.name == "Op")
    api.services.accounts.make_operator("shop", member.id, operator=False)
    assert "Other workspaces" in operator.text(SHOPS)


def test_who_starts_an_installation_with_its_one_shop_is_its_operator(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/store.sqlite3")
    store.migrate()
    with store.administration() as unit:
        unit.workspaces.create("shop")
    accounts = Accounts(store)
    accounts.sign_in(accounts.first_link("shop") or "", "Lin")
    assert accounts.members("shop")[0].operator
    with store.administration() as unit:
        unit.workspaces.create("second")
    accounts.sign_in(accounts.first_link("second") or "", "Mo")
    assert not accounts.members("second")[0].operator
    store.close()
