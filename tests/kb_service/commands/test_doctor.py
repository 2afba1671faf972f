"""`kb doctor` finds what is wrong, says what to do, and never stops at the first fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kb_service.commands import doctor
from kb_service.settings import Settings
from tests.kb_service.command_line import CommandLine, command_line


@pytest.fixture
def kb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[CommandLine]:
    with command_line(tmp_path, monkeypatch, capsys) as commands:
        yield commands


def told(settings: Settings) -> dict[str, doctor.Finding]:
    return {finding.name: finding for finding in doctor.examine(settings)}


def test_a_fresh_installation_is_well(kb: CommandLine) -> None:
    findings = kb.good("doctor", "--json").json
    assert [item["name"] for item in findings] == ["settings", "data folder", "store", "encoder", "indexes"]
    assert all(item["ok"] and item["detail"] for item in findings)
    assert kb.good("doctor").out.count("ok  ") == len(findings)
    assert not list(kb.data.glob(".probe*"))


def test_workspaces_are_named(kb: CommandLine) -> None:
    kb.good("workspaces", "create", "shop")
    store = told(Settings(data=kb.data, embedding_model="word-hash"))["store"]
    assert store.detail == "sqlite, 1 workspace(s): shop"


def test_faults_do_not_hide_each_other(
    kb: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("KB_DATA", str(tmp_path / "file"))
    monkeypatch.setenv("KB_EMBEDDING_MODEL", str(tmp_path / "no-model"))
    monkeypatch.setenv("KB_PROT", "80")
    ran = kb("doctor", "--json")
    assert ran.status == 1
    faults = {item["name"]: item["detail"] for item in ran.json if not item["ok"]}
    assert set(faults) == {"settings", "data folder", "store", "encoder"}
    assert "KB_PORT" in faults["settings"]
    assert "KB_DATA" in faults["data folder"]
    assert "no-model" in faults["encoder"]
    assert kb("doctor").out.count("FAIL") == len(faults)


def test_a_wrong_network_is_a_fault_of_the_settings(kb: CommandLine) -> None:
    finding = told(Settings(data=kb.data, embedding_model="word-hash", webhook_allow="ten"))["settings"]
    assert not finding.ok
    assert "KB_WEBHOOK_ALLOW" in finding.detail


@pytest.mark.parametrize(
    "mail",
    [
        {"smtp_url": "smtp://user:s3cret@mail.example.com"},
        {"mail_from": "kb@example.com"},
        {"smtp_url": "smtp://user:s3cret@mail.example.com?tls=none", "mail_from": "kb@example.com"},
    ],
)
def test_a_mail_server_that_cannot_be_used_is_a_fault_of_the_settings(
    kb: CommandLine, mail: dict[str, str]
) -> None:
    finding = told(Settings(data=kb.data, embedding_model="word-hash", **mail))["settings"]
    assert not finding.ok
    assert "KB_SMTP_URL" in finding.detail
    assert "s3cret" not in finding.detail


def test_a_store_that_is_none_is_told_in_its_own_words(kb: CommandLine) -> None:
    kb.data.mkdir()
    (kb.data / "kb.sqlite3").write_bytes(b"no database " * 200)
    finding = told(Settings(data=kb.data, embedding_model="word-hash"))["store"]
    assert (finding.ok, finding.detail) == (False, "file is not a database")


def test_little_space_is_told_before_it_is_none(kb: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_FREE_GB", 1e9)
    finding = told(Settings(data=kb.data, embedding_model="word-hash"))["data folder"]
    assert not finding.ok
    assert "make room" in finding.detail


def test_a_damaged_index_is_told_and_is_no_fault(kb: CommandLine) -> None:
    index = kb.data / "derived" / "shop" / "index"
    index.mkdir(parents=True)
    (index / "CURRENT").write_text("{}")
    finding = told(Settings(data=kb.data, embedding_model="word-hash"))["indexes"]
    assert finding.ok, "the next start mends it"
    assert "made anew" in finding.detail
    assert "shop" in finding.detail
