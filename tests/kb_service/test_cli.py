"""Every command as a user tries it: exit status, what is printed, and what is said of mistakes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb_service.settings import Settings
from kb_service.store import Store
from tests.contracts.store_samples import a_rank_move
from tests.kb_service import small_shop
from tests.kb_service.command_line import CommandLine, command_line

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def kb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[CommandLine]:
    with command_line(tmp_path, monkeypatch, capsys) as commands:
        yield commands


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return small_shop.write(tmp_path / "small")


# --- workspaces and keys


def test_a_workspace_is_created_once_and_listed(kb: CommandLine) -> None:
    assert "shop" in kb.good("workspaces", "create", "shop").out
    assert kb.good("workspaces", "create", "shop.2", "--json").json["id"] == "shop.2"
    again = kb("workspaces", "create", "shop")
    assert (again.status, again.out) == (2, "")
    assert "shop" in again.err
    assert kb.good("workspaces", "list").out.split() == ["shop", "shop.2"]
    assert [item["id"] for item in kb.good("workspaces", "list", "--json").json] == ["shop", "shop.2"]


@pytest.mark.parametrize("name", ["two words", "../up", "测试", "", "x" * 65])
def test_a_workspace_name_that_cannot_be(kb: CommandLine, name: str) -> None:
    refused = kb("workspaces", "create", name)
    assert refused.status == 2
    assert "letter" in refused.err


def test_a_key_is_shown_once_as_text_or_json(kb: CommandLine) -> None:
    kb.good("workspaces", "create", "shop")
    made = kb.good("keys", "create", "--workspace", "shop", "--role", "bot,agent", "--json").json
    assert made["roles"] == ["agent", "bot"]
    assert made["key"].startswith("kb_")
    plain = kb.good("keys", "create", "-w", "shop", "--role", "editor", "--label", "cms")
    assert plain.out.strip().startswith("kb_")
    assert len(plain.out.split()) == 1, "only the key goes to stdout, so that a script can take it"
    assert "not shown again" in plain.err
    listed = kb.good("keys", "list", "-w", "shop")
    assert "cms" in listed.out
    assert made["key"] not in listed.out
    assert plain.out.strip() not in listed.out
    assert {item["id"] for item in kb.good("keys", "list", "-w", "shop", "--json").json} >= {made["id"]}


def test_a_revoked_key_is_told_as_revoked(kb: CommandLine) -> None:
    kb.good("workspaces", "create", "shop")
    made = kb.good("keys", "create", "-w", "shop", "--role", "bot", "--json").json
    assert made["id"] in kb.good("keys", "revoke", made["id"]).out
    assert "revoked" in kb.good("keys", "list", "-w", "shop").out
    again = kb("keys", "revoke", made["id"])
    assert again.status == 2
    assert made["id"] in again.err


@pytest.mark.parametrize("roles", ["wizard", "", ",", "bot,wizard"])
def test_a_role_that_is_none_is_told_with_those_there_are(kb: CommandLine, roles: str) -> None:
    kb.good("workspaces", "create", "shop")
    refused = kb("keys", "create", "-w", "shop", "--role", roles)
    assert refused.status == 2
    assert all(role in refused.err for role in ("role", "bot", "agent", "product", "editor", "admin"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "create", "-w", "nowhere", "--role", "bot"),
        ("keys", "list", "-w", "nowhere"),
        ("search", "kettle", "-w", "nowhere"),
        ("ingest", ".", "-w", "nowhere"),
        ("rebuild", "-w", "nowhere"),
        ("rebuild", "-w", "../.."),
    ],
)
def test_an_unknown_workspace_is_told_with_the_remedy(kb: CommandLine, arguments: tuple[str, ...]) -> None:
    refused = kb(*arguments)
    assert (refused.status, refused.out) == (2, "")
    assert "kb workspaces create" in refused.err


def test_the_only_workspace_need_not_be_named_and_one_of_several_must_be(kb: CommandLine) -> None:
    none = kb("search", "returns")
    assert (none.status, "kb workspaces create" in none.err) == (2, True)
    kb.good("workspaces", "create", "north")
    assert kb.good("search", "returns").out == ""
    kb.good("workspaces", "create", "south")
    several = kb("search", "returns")
    assert several.status == 2
    assert "--workspace" in several.err
    assert "north, south" in several.err


# --- members


def test_members_are_invited_and_leave(kb: CommandLine) -> None:
    kb.good("workspaces", "create", "shop")
    assert "nobody yet" in kb.good("members", "list").err
    first = kb.good("members", "link").out
    assert first.startswith("http://127.0.0.1:8321/console/sign-in?token=")
    made = kb.good("members", "invite", "Lin", "--role", "agent,product", "--json").json
    assert "/console/sign-in?token=" in made["link"]
    listed = kb.good("members", "list").out
    assert made["id"] in listed
    assert "agent, product  Lin" in listed
    again = kb.good("members", "link", "--member", made["id"], "--json").json["link"]
    assert again != made["link"]
    assert "--member" in kb("members", "link").err, "somebody can sign in already"
    assert made["id"] in kb.good("members", "end", made["id"]).out
    assert kb.good("members", "list", "--json").json[0]["ended_at"] is not None
    assert kb("members", "end", made["id"]).status == 2


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("invite", "Lin", "--role", "boss"), "role"),
        (("invite", " ", "--role", "agent"), "name"),
        (("invite", "Lin", "--role", "agent", "--agent", "nobody"), "nobody"),
        (("link", "--member", "mem_unknown"), "mem_unknown"),
    ],
)
def test_who_cannot_be_invited_is_told_why(kb: CommandLine, arguments: tuple[str, ...], named: str) -> None:
    kb.good("workspaces", "create", "shop")
    refused = kb("members", *arguments)
    assert refused.status != 0
    assert named in refused.err


# --- knowledge


def test_ingest_tells_what_it_did_and_a_second_time_nothing(kb: CommandLine, shop: Path) -> None:
    kb.good("workspaces", "create", "shop")
    first = kb.good("ingest", shop, "-w", "shop", "--json").json
    assert (first["created"], first["files"], first["problems"]) == (small_shop.DOCUMENTS, 5, [])
    second = kb.good("ingest", shop, "-w", "shop")
    assert (
        f"5 files (5 unchanged): 0 documents created, 0 updated, {small_shop.DOCUMENTS} unchanged"
        in second.out
    )
    assert "0 passages embedded" in second.out
    assert second.err == "", "nothing but what was asked for is written"


def test_ingest_goes_on_past_broken_files_and_reports_each(kb: CommandLine, shop: Path) -> None:
    broken = {
        "broken.pdf": b"%PDF-1.7 nothing",
        "empty.md": b"",
        "table.xlsx": b"PK\x03\x04 no",
        "photo.raw": b"\x00",
    }
    for name, content in broken.items():
        (shop / "policies" / name).write_bytes(content)
    kb.good("workspaces", "create", "shop")
    ran = kb("ingest", shop, "-w", "shop", "--json")
    assert ran.status == 1
    assert ran.json["created"] == small_shop.DOCUMENTS
    told = {Path(item["path"]).name: item for item in ran.json["problems"]}
    assert set(told) == set(broken)
    assert all(item["message"] and item["code"] for item in told.values())
    words = kb("ingest", shop, "-w", "shop")
    assert words.status == 1
    assert all(name in words.out for name in broken), "told again until they are mended"


def test_search_shows_titles_places_and_ids(kb: CommandLine, shop: Path) -> None:
    kb.good("workspaces", "create", "shop")
    kb.good("ingest", shop, "-w", "shop")
    ran = kb.good("search", "postage damaged goods", "-w", "shop", "--limit", "2")
    assert "policies:returns.md" in ran.out
    assert "Postage" in ran.out
    assert ran.err == ""
    hits = kb.good("search", "偏远地区几天送达", "-w", "shop", "--json").json
    assert hits[0]["external_id"] == "shipping-zh"
    kb.good("workspaces", "create", "empty")
    assert kb.good("search", "kettle", "-w", "empty", "--json").json == []
    assert kb.good("search", "kettle", "-w", "empty").err.strip() == "nothing found"
    assert kb("search", "  ", "-w", "shop").status == 2
    assert kb("search", "kettle", "-w", "shop", "--limit", "0").status == 2


@pytest.mark.model
def test_search_finds_by_meaning_with_the_packaged_encoder(
    kb: CommandLine, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_EMBEDDING_MODEL", "packaged")
    monkeypatch.setenv("KB_ENCODER_THREADS", "1")
    kb.good("workspaces", "create", "shop")
    kb.good("ingest", shop, "-w", "shop")
    hits = kb.good(
        "search", "how long can I keep a jacket before sending it back", "-w", "shop", "--json"
    ).json
    assert hits[0]["external_id"] == "policies:returns.md"


def test_another_model_embeds_anew_with_rebuild(
    kb: CommandLine, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingest.embedding import WordHashEmbedder

    class Renamed(WordHashEmbedder):
        model_id = "word-hash-renamed"

    kb.good("workspaces", "create", "shop")
    passages = kb.good("ingest", shop, "-w", "shop", "--json").json["passages"]
    assert kb.good("rebuild", "--json").json["embedded"] == {"shop": 0}
    monkeypatch.setattr("kb_service.encoders.load_embedder", lambda *_, **__: Renamed())
    before = kb.good("search", "kettle boils", "-w", "shop", "--json").json
    assert before[0]["dense"] == 0, "words alone find what the model has not embedded"
    assert f"{passages} passages embedded" in kb.good("rebuild", "-w", "shop").out
    after = kb.good("search", "kettle boils", "-w", "shop", "--json").json
    assert after[0]["dense"] > 0
    assert kb.good("rebuild", "--json").json["embedded"] == {"shop": 0}


def test_eval_prints_a_table_and_json(kb: CommandLine, shop: Path) -> None:
    kb.good("workspaces", "create", "shop")
    kb.good("ingest", shop, "-w", "shop")
    table = kb.good("eval", shop / "questions.jsonl", "-w", "shop")
    assert table.out.splitlines()[0].startswith(
        "|  | questions | unanswerable | hit@1 | hit@5 | MRR | nDCG@10"
    )
    first, *rest = table.out.split("\n\n")
    assert {line.split("|")[1].strip() for line in first.splitlines()[2:]} == {"en", "zh", "all"}
    assert [part.splitlines()[0].split("|")[1].strip() for part in rest if part.startswith("|")] == [
        "sent from confidence",
        "stage",
    ]
    assert "Nothing is sent unseen: no confidence is proven to be wrong at most 1.0%." in rest
    figures = kb.good("eval", shop / "questions.jsonl", "-w", "shop", "--json").json
    assert figures["all"]["questions"] == 3
    assert figures["all"]["unanswerable"] == 1
    assert figures["coverage"][0]["confidence"] == 0.5
    assert list(figures["stages"])[-1] == "as answered"
    assert figures["stages"]["words"]["ndcg10"] is not None
    assert figures["threshold"] == {"en": None, "zh": None}
    none = kb("eval", shop / "questions.jsonl", "-w", "shop", "--split", "other")
    assert none.status == 2
    assert "report" in none.err
    unfit = kb("eval", shop / "questions.jsonl", "-w", "shop", "--fit")
    assert unfit.status == 2
    assert "calibrate" in unfit.err


def judged(folder: Path, count: int) -> Path:
    """Questions about the small shop without a split, some of which nothing answers."""
    asked = [
        ("returned within 30 days", "en", ["policies:returns.md"]),
        ("偏远地区几天送达", "zh", ["shipping-zh"]),
        ("how do I get an invoice", "en", ["faq-1"]),
        ("lottery numbers for friday", "en", []),
    ]
    path = folder / "judged.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            query, language, expected = asked[number % len(asked)]
            line = {"id": f"q{number}", "query": query, "language": language, "expected": expected}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return path


def test_a_calibration_is_fitted_listed_and_taken_back(kb: CommandLine, shop: Path, tmp_path: Path) -> None:
    kb.good("workspaces", "create", "shop")
    kb.good("ingest", shop, "-w", "shop")
    assert "shipped" in kb.good("calibrations", "list").err
    told = kb.good("eval", judged(tmp_path, 120), "--calibrate", "--json").json
    assert told["taught"] + told["held_out"] == 120
    assert told["losses"] == []
    assert told["before"]["all"]["questions"] == told["held_out"]
    (entry,) = kb.good("calibrations", "list", "--json").json
    assert (entry["id"], entry["kind"], entry["source"]) == (
        told["id"],
        "questions",
        f"{told['taught']} questions of judged.jsonl",
    )
    assert "constants" not in entry
    assert told["id"] in kb.good("calibrations", "list").out
    back = kb.good("calibrations", "rollback", "shipped", "--json").json
    assert back["to"] == "shipped"
    assert f"back to {told['id']}" in kb.good("calibrations", "rollback", told["id"]).out
    assert [item["kind"] for item in kb.good("calibrations", "list", "--json").json] == [
        "rollback",
        "rollback",
        "questions",
    ]
    assert kb("calibrations", "rollback", "cal_none").status == 2


def test_a_calibration_that_nothing_proves_is_refused_with_one(
    kb: CommandLine, shop: Path, tmp_path: Path
) -> None:
    kb.good("workspaces", "create", "shop")
    kb.good("ingest", shop, "-w", "shop")
    refused = kb("eval", judged(tmp_path, 20), "--calibrate")
    assert refused.status == 1
    assert "Not stored: fewer than 30 questions" in refused.out
    assert kb.good("calibrations", "list", "--json").json == []
    assert "Stored as cal_" in kb.good("eval", judged(tmp_path, 20), "--calibrate", "--force").out
    for wrong in (("--force",), ("--calibrate", "--fit")):
        assert kb("eval", judged(tmp_path, 20), *wrong).status == 2


def test_verdicts_are_learned_on_demand(kb: CommandLine) -> None:
    kb.good("workspaces", "create", "shop")
    assert "too few verdicts to move the confidence; nothing changes" in kb.good("calibrations", "fit").out
    told = kb.good("calibrations", "fit", "--json").json
    assert (told["id"], told["reason"], told["reviews"]) == (None, "too_few", 0)


def test_moves_are_listed_and_taken_back(kb: CommandLine) -> None:
    kb.good("workspaces", "create", "shop")
    assert "feedback has moved nothing" in kb.good("learning", "list").err
    store = Store(Settings(data=kb.data).store_url)
    with store.writing("shop") as unit:
        unit.rank_moves.add_many([a_rank_move("mv_1"), a_rank_move("mv_2", step=0.5, boost=1.25)])
    store.close()
    listed = kb.good("learning", "list").out
    assert "+0.50 to 1.25  policy-returns for problem p1  by 3 agents, 2 customers" in listed
    page = kb.good("learning", "list", "--limit", "1", "--json").json
    (move,) = page["items"]
    assert (move["id"], len(move["contributions"])) == ("mv_2", 2)
    rest = kb.good("learning", "list", "--cursor", page["next_cursor"], "--json").json
    assert [item["id"] for item in rest["items"]] == ["mv_1"]
    entry = kb.good("learning", "revert", "mv_2", "--json").json
    assert (entry["withdraws"], entry["boost"]) == ("mv_2", 0.75)
    assert "takes back mv_2" in kb.good("learning", "list").out
    assert "the boost is 0.00" in kb.good("learning", "revert", "mv_1").out
    for gone in ("mv_2", "mv_none"):
        assert kb("learning", "revert", gone).status == 2


# --- the demo


def test_the_demo_fills_once_and_a_second_time_changes_nothing(kb: CommandLine, shop: Path) -> None:
    first = kb.good("demo", "--fill-only", "--sample", shop)
    assert "export KB_KEY=kb_" in first.out
    assert f"{small_shop.DOCUMENTS} documents" in first.out
    assert first.err == ""
    store = Store(Settings(data=kb.data).store_url)
    try:
        position = store.position("demo")
        second = kb.good("demo", "--fill-only", "--sample", shop)
        assert store.position("demo") == position, "the agent who went offline in the events stays so"
        with store.administration(writing=False) as unit:
            assert len(unit.keys.list("demo")) == 2, "a key cannot be shown twice, so each run makes one"
    finally:
        store.close()
    assert second.out.splitlines()[1] == first.out.splitlines()[1]


def test_the_demo_outside_a_clone_says_so(kb: CommandLine) -> None:
    refused = kb("demo", "--fill-only")
    assert refused.status == 2
    assert "sample_kb" in refused.err
    assert "clone" in refused.err


def test_the_demo_of_an_incomplete_folder_names_what_is_missing(kb: CommandLine, shop: Path) -> None:
    (shop / "agents.jsonl").unlink()
    refused = kb("demo", "--fill-only", "--sample", shop)
    assert refused.status == 2
    assert "agents.jsonl" in refused.err


# --- settings and mistakes


def test_settings_come_with_their_origin(kb: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "kb.toml").write_text("port = 9000\n")
    rows = {row["name"]: row for row in kb.good("settings", "--json").json}
    assert set(rows) == {f"KB_{name.upper()}" for name in Settings.model_fields}
    assert (rows["KB_PORT"]["value"], rows["KB_PORT"]["origin"]) == ("9000", "kb.toml")
    assert rows["KB_DATA"]["origin"] == "environment"
    assert (rows["KB_HOST"]["value"], rows["KB_HOST"]["origin"]) == ("127.0.0.1", "default")
    assert rows["KB_DATABASE_URL"]["value"] is None
    assert "KB_PORT" in kb.good("settings").out


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("KB_PORT", "eighty", "whole number|valid integer"),
        ("KB_PORT", "99999", "65535"),
        ("KB_LOG_LEVEL", "loud", "warning"),
        ("KB_LOG_FORMAT", "xml", "json"),
        ("KB_PARSE_SECONDS", "-1", "greater than 0"),
        ("KB_DATABASE_URL", "mysql://x", "postgresql://"),
    ],
)
def test_a_wrong_setting_is_named(
    kb: CommandLine, monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    refused = kb("workspaces", "list")
    assert refused.status == 2
    assert name in refused.err or name.removeprefix("KB_").lower() in refused.err
    assert any(words in refused.err for words in told.split("|")), refused.err


def test_a_port_that_is_taken_is_told_and_ends_with_one(
    kb: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("KB_PORT", str(taken.getsockname()[1]))
        refused = kb("serve")
    assert refused.status == 1
    assert "did not start" in refused.err
    assert "address already in use" in refused.err


def test_a_wrong_webhook_network_stops_the_server_before_it_starts(
    kb: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_WEBHOOK_ALLOW", "ten dot something")
    refused = kb("serve")
    assert refused.status == 2
    assert "KB_WEBHOOK_ALLOW" in refused.err


@pytest.mark.parametrize(
    ("text", "told"), [("prot = 1", "port"), ("port =", "TOML"), ("zzz = 1", "kb settings")]
)
def test_a_wrong_file_of_settings_is_told(kb: CommandLine, tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "kb.toml").write_text(text)
    refused = kb("settings")
    assert refused.status == 2
    assert "kb.toml" in refused.err
    assert told in refused.err


@pytest.mark.parametrize("command", [("workspaces", "list"), ("serve",)])
def test_a_data_folder_that_cannot_be_is_told_with_the_remedy(
    kb: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("KB_DATA", str(tmp_path / "file"))
    refused = kb(*command)
    assert refused.status == 1
    assert "KB_DATA" in refused.err
    assert "another folder" in refused.err


def test_a_store_that_is_no_database_is_told_without_a_traceback(kb: CommandLine) -> None:
    kb.data.mkdir()
    (kb.data / "kb.sqlite3").write_text("this is no database, but it is long enough to be looked at" * 30)
    refused = kb("workspaces", "list")
    assert refused.status == 1
    assert "not a database" in refused.err
    assert "kb doctor" in refused.err


def test_a_server_that_is_not_there_is_told_without_the_password(
    kb: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_DATABASE_URL", "postgresql://kb:open-sesame@127.0.0.1:1/kb")
    refused = kb("workspaces", "list")
    assert refused.status == 1
    assert "cannot be reached" in refused.err
    assert "open-sesame" not in refused.err
    assert "open-sesame" not in kb.good("settings").out


@pytest.mark.parametrize(
    "arguments",
    [
        ("ingest", "/nowhere"),
        ("ingest",),
        ("eval", "/nowhere"),
        ("eval", "."),
        ("frobnicate",),
        ("search", "x", "--no"),
    ],
)
def test_wrong_use_ends_with_two(kb: CommandLine, arguments: tuple[str, ...]) -> None:
    refused = kb(*arguments)
    assert (refused.status, refused.out) == (2, "")
    assert refused.err


def test_a_model_that_is_not_there_is_told(kb: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    kb.good("workspaces", "create", "shop")
    monkeypatch.setenv("KB_EMBEDDING_MODEL", "/nowhere/model")
    refused = kb("search", "kettle", "-w", "shop")
    assert refused.status == 1
    assert "/nowhere/model" in refused.err


def test_help_of_every_command(kb: CommandLine) -> None:
    assert "ingest" in kb.good("--help").out
    for command in (("serve",), ("keys", "create"), ("eval",), ("encoder", "export")):
        assert "Usage" in kb.good(*command, "--help").out


def test_the_installed_command_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    """Nothing but the result on stdout and nothing at all on stderr, whatever the log level of a server."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("KB_")},
        "KB_DATA": str(tmp_path),
        "KB_EMBEDDING_MODEL": "word-hash",
        "KB_LOG_LEVEL": "info",
        "PYTHONPATH": str(ROOT),
    }

    def kb(*arguments: str) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-c", "from kb_service.cli import main; main()", *arguments]
        return subprocess.run(
            program, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
        )

    assert kb("workspaces", "create", "shop").returncode == 0
    found = kb("search", "kettle", "-w", "shop", "--json")
    assert (found.returncode, json.loads(found.stdout), found.stderr) == (0, [], "")
    assert kb("workspaces", "create", "shop").returncode == 2
