"""The backups that an installation keeps: at night, by hand, for whom, and for how long."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from ingest.embedding import WordHashEmbedder
from kb_service.app import create_app
from kb_service.backups import shelf
from kb_service.backups.archive import Manifest, verify
from kb_service.backups.shelf import Backups
from kb_service.errors import ServiceError
from kb_service.settings import Settings
from kb_service.store import Store
from tests.conftest import FixedClock
from tests.kb_service.conftest import Api, running
from tests.kb_service.console.visitors import Browser, signed_in

HOME = "/console/administration/backups"


@pytest.fixture
def nightly(tmp_path: Path, clock: FixedClock) -> Iterator[Api]:
    """Two shops in one installation, with a folder for the backups of the night."""
    with running(tmp_path / "data", clock, backups=tmp_path / "kept", backups_kept=3) as served:
        yield served


@pytest.fixture
def alone(tmp_path: Path, clock: FixedClock) -> Iterator[Api]:
    """An installation with one shop only, as most are."""
    settings = Settings(data=tmp_path)
    app = create_app(settings, embedder=WordHashEmbedder(), clock=clock, chance=random.Random(1))
    with TestClient(app) as client:
        served = Api(app, client, clock)
        with served.store.administration() as unit:
            unit.workspaces.create("shop")
            served.keys["shop", "admin"], _ = unit.keys.create("shop", ["admin"])
        yield served


def made(api: Api, visitor: Browser) -> str:
    assert visitor.post(HOME).status_code == 303
    api.services.backups.wait()
    assert api.services.backups.progress().failed is None
    return api.services.backups.backups()[0].name


# --- the night


def test_a_night_makes_one_for_the_whole_installation(nightly: Api, tmp_path: Path) -> None:
    nightly.clock.advance(days=1)
    ran = nightly.services.nightly.look(only={"backup"})
    assert sorted(ran) == [("other", "backup"), ("shop", "backup")]
    (backup,) = nightly.services.backups.backups()
    assert (backup.origin, backup.soundness) == ("night", "sound")
    assert verify(tmp_path / "kept" / backup.name).files
    assert nightly.services.nightly.look(only={"backup"}) == []


def test_without_a_folder_for_them_the_night_makes_none(api: Api) -> None:
    api.clock.advance(days=1)
    api.services.nightly.look(only={"backup"})
    assert api.services.backups.backups() == ()


def test_only_the_latest_stay_of_each_origin(nightly: Api, tmp_path: Path) -> None:
    by_hand = made(nightly, signed_in(nightly, operator=True))
    names = []
    for _ in range(5):
        nightly.clock.advance(days=1)
        nightly.services.nightly.look(only={"backup"})
        names.append(nightly.services.backups.backups()[0].name)
    (tmp_path / "kept" / "notes.txt").write_text("mine")
    stay = {backup.name for backup in nightly.services.backups.backups()}
    assert stay == {by_hand, *names[-3:]}
    sums = {path.name for path in (tmp_path / "kept").glob("*.sha256")}
    assert sums == {f"{name}.sha256" for name in stay}
    assert (tmp_path / "kept" / "notes.txt").exists()


def test_two_within_one_second_are_two(api: Api) -> None:
    visitor = signed_in(api, operator=True)
    assert made(api, visitor) != made(api, visitor)
    assert len(api.services.backups.backups()) == 2


def test_a_look_at_the_shelf_opens_each_archive_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a backup was made the page opened every archive there was, each second."""
    visitor = signed_in(api, operator=True)
    backups = api.services.backups
    first, second = made(api, visitor), made(api, visitor)
    opened: list[str] = []
    read = shelf.manifest_of

    def heard(path: Path) -> Manifest:
        opened.append(path.name)
        return read(path)

    monkeypatch.setattr(shelf, "manifest_of", heard)
    fresh = Backups(api.store, api.services.settings, clock=api.clock)
    assert [item.version for item in fresh.backups()] == [item.version for item in backups.backups()]
    fresh.backups()
    assert sorted(opened) == sorted([first, second])
    (fresh.folder / first).write_bytes(b"no archive any more")
    assert {item.name: item.soundness for item in fresh.backups()}[first] == "damaged"


# --- the page


def test_an_administrator_makes_one_and_sees_it_with_its_checksum(alone: Api, tmp_path: Path) -> None:
    visitor = signed_in(alone)
    assert "No backup so far." in visitor.text(HOME)
    assert "None is made at night. Name a folder in KB_BACKUPS" in visitor.text(HOME)
    name = made(alone, visitor)
    alone.clock.advance(hours=5)
    said = signed_in(alone, name="Mo").text(HOME)
    assert "by hand sound" in said
    assert "5 h ago" in said
    digest = (tmp_path / "backups" / f"{name}.sha256").read_text().split()
    assert digest[1] == name
    assert digest[0] in said
    (entry,) = (item for item in alone.get("/v1/audit").json()["items"] if item["action"] == "backup.made")
    assert entry["object"] == name


def test_while_one_is_made_the_page_says_so_and_refuses_a_second(
    alone: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    release, begun = threading.Event(), threading.Event()
    real = shelf.make

    def slow(*arguments: object) -> object:
        begun.set()
        assert release.wait(30)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(shelf, "make", slow)
    visitor = signed_in(alone)
    try:
        visitor.post(HOME)
        assert begun.wait(30)
        page = visitor.get(HOME).text
        assert "A backup is being made." in page
        assert 'hx-trigger="every 1s"' in page
        assert "Make a backup now" not in page
        assert visitor.post(HOME).status_code == 409
    finally:
        release.set()
        alone.services.backups.wait()
    assert "hx-trigger" not in visitor.get(HOME).text
    assert len(alone.services.backups.backups()) == 1


def test_one_that_failed_is_told_until_one_succeeds(alone: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> object:
        raise ServiceError("{folder} has {free} MB free and a backup may need {needed} MB; make room, or name "
                           "another folder.", folder="x", free=1, needed=2)  # fmt: skip

    visitor = signed_in(alone)
    with monkeypatch.context() as patch:
        patch.setattr(shelf, "make", failing)
        visitor.post(HOME)
        alone.services.backups.wait()
    assert "The last one failed" in visitor.text(HOME)
    assert "make room" in visitor.text(HOME)
    made(alone, visitor)
    assert "The last one failed" not in visitor.text(HOME)


def test_a_check_reads_it_to_its_end(alone: Api, tmp_path: Path) -> None:
    visitor = signed_in(alone)
    name = made(alone, visitor)
    shown = Backups(alone.store, Settings(data=tmp_path), clock=alone.clock).backups()
    assert shown[0].soundness == "unchecked", "another process has not read it"
    assert visitor.post(f"{HOME}/{name}/check").status_code == 303
    assert "is as it was written" in visitor.text(HOME)
    path = tmp_path / "backups" / name
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    path.write_bytes(bytes(whole))
    assert "not checked yet" in visitor.text(HOME), "what was checked is not what lies there now"
    visitor.post(f"{HOME}/{name}/check")
    assert "is damaged: do not rely on it" in visitor.text(HOME)
    assert alone.services.backups.backups()[0].soundness == "damaged"


def test_where_there_is_one_shop_its_administrator_carries_one_away(alone: Api) -> None:
    visitor = signed_in(alone)
    name = made(alone, visitor)
    assert f'href="{HOME}/{name}"' in visitor.get(HOME).text
    response = visitor.get(f"{HOME}/{name}")
    assert response.status_code == 200
    assert response.content == (alone.services.backups.folder / name).read_bytes()
    assert name in response.headers["content-disposition"]
    assert response.headers["cache-control"] == "no-store"
    assert "backup.downloaded" in {item["action"] for item in alone.get("/v1/audit").json()["items"]}


def test_where_there_are_more_shops_only_an_operator_does(api: Api) -> None:
    operator = signed_in(api, name="Mo", operator=True)
    name = made(api, operator)
    assert operator.get(f"{HOME}/{name}").status_code == 200
    assert signed_in(api).get(f"{HOME}/{name}").status_code == 403


def test_an_administrator_of_one_shop_among_more_has_no_part_in_backups(api: Api) -> None:
    """Each made by hand pushes another out, and a page of them tells where they lie."""
    operator, visitor = signed_in(api, name="Mo", operator=True), signed_in(api)
    name = made(api, operator)
    assert visitor.post(HOME).status_code == 403
    assert visitor.post(f"{HOME}/{name}/check").status_code == 403
    page = visitor.get(HOME)
    assert page.status_code == 200
    assert "only operators of this installation" in page.text
    for secret in (name, str(api.services.backups.folder), "Make a backup now"):
        assert secret not in page.text
    assert [backup.name for backup in api.services.backups.backups()] == [name]
    assert f'href="{HOME}"' not in visitor.get("/console/administration").text
    assert f'href="{HOME}"' in operator.get("/console/administration").text


def test_the_only_shops_administrator_finds_the_way_to_backups(alone: Api) -> None:
    assert f'href="{HOME}"' in signed_in(alone).get("/console/administration").text


@pytest.mark.parametrize("content", [b"", b"x", b"PK\x05\x06" + b"\0" * 18, b"\0" * 5_000])
def test_a_file_that_is_none_is_shown_as_damaged(alone: Api, content: bytes) -> None:
    visitor = signed_in(alone)
    folder = alone.services.backups.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kb-20260618T040000Z-hand.kbbackup").write_bytes(content)
    (folder / "kb-20260618T040001Z-hand.kbbackup").symlink_to(folder / "nowhere")
    assert "damaged" in visitor.text(HOME)
    assert visitor.post(f"{HOME}/kb-20260618T040000Z-hand.kbbackup/check").status_code == 303


def test_only_administrators_see_backups(alone: Api) -> None:
    name = made(alone, signed_in(alone))
    other = signed_in(alone, "agent", "product", "editor", name="Mo")
    assert other.get(HOME).status_code == 403
    assert other.get(f"{HOME}/{name}").status_code == 403
    assert other.post(HOME).status_code == 403


@pytest.mark.parametrize(
    "name", ["..%2Fkb.sqlite3", "kb.sqlite3", "kb-20260618T040000Z-hand.kbbackup", "%2Fetc%2Fpasswd"]
)
def test_no_other_file_is_given_away(alone: Api, name: str) -> None:
    assert signed_in(alone).get(f"{HOME}/{name}").status_code == 404


def test_the_page_warns_of_a_backup_that_is_old(alone: Api) -> None:
    made(alone, signed_in(alone))
    alone.clock.advance(days=3)
    assert "The newest backup is 3 days old." in signed_in(alone, name="Mo").text(HOME)


def test_the_page_is_chinese_for_who_reads_chinese(alone: Api) -> None:
    visitor = signed_in(alone, language="zh")
    made(alone, visitor)
    said = visitor.text(HOME)
    assert "立即备份" in said
    assert "手动 完好" in said


def test_a_backup_made_while_the_service_runs_holds_what_was_acknowledged(alone: Api, tmp_path: Path) -> None:
    from kb_service.backups.restoring import restore

    for number in range(5):
        alone.post("/v1/events", alone.event(f"m{number}"))
    name = made(alone, signed_in(alone))
    alone.post("/v1/events", alone.event("later"))
    fresh = Settings(data=tmp_path / "fresh")
    restore(fresh, tmp_path / "backups" / name, force=False, now=alone.clock())
    store = Store(fresh.store_url, clock=alone.clock)
    try:
        with store.reading("shop") as unit:
            assert unit.events.get("m4") is not None
            assert unit.events.get("later") is None
            assert unit.now - alone.clock() < timedelta(seconds=1)
    finally:
        store.close()
