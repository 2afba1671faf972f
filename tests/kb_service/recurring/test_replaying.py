"""A history replayed: what came live in pieces, with a restart in between and messages that were late, comes again."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from bench.simulated_history import Size, history
from graph.models import Alert, Event
from graph.rules import Rules
from ingest.embedding import WordHashEmbedder
from kb_service.app import create_app
from kb_service.errors import InvalidRequest
from kb_service.recurring import replaying
from kb_service.recurring.event_files import BadLine, events_of, line_count
from kb_service.recurring.replaying import replay
from kb_service.recurring.scratch import Scratch, copy_shop, scratch
from kb_service.settings import Settings
from kb_service.store import Store
from kb_service.wire.events import EventIn
from tests.conftest import FixedClock
from tests.kb_service import small_shop
from tests.kb_service.command_line import CommandLine, command_line

LONGEST = 1 << 20


def some_history(events: int = 400, seed: int = 5) -> list[dict[str, Any]]:
    """Events of a few problems over four days, one in ten late."""
    return list(history(seed, Size(events=events, days=4, problems=20, customers=150, late=0.1)))


def parsed(lines: Sequence[dict[str, Any]]) -> list[tuple[int, Event | BadLine | None]]:
    return [(number, EventIn.model_validate(line).value()) for number, line in enumerate(lines, 1)]


def problem_ids(store: Store, workspace: str) -> dict[str, str | None]:
    with store.reading(workspace) as unit:
        return {
            item.event.id: item.assignment.problem_id if item.assignment is not None else None
            for item in unit.events.messages()
        }


def shown(alerts: Sequence[Alert]) -> list[tuple[Any, ...]]:
    return sorted(
        (
            alert.opened_at,
            alert.problem_id,
            alert.kind,
            alert.evidence.observed,
            alert.evidence.customers,
            alert.evidence.expected and round(alert.evidence.expected, 9),
        )
        for alert in alerts
    )


@pytest.fixture
def into(tmp_path: Path) -> Iterator[Scratch]:
    with scratch(Settings(data=tmp_path / "data"), "shop", embedder=WordHashEmbedder()) as opened:
        yield opened


def live(folder: Path, clock: FixedClock, pieces: Sequence[Sequence[dict[str, Any]]]) -> Store:
    """The pieces over HTTP, each to a process of its own; then the store that they left."""
    settings = Settings(data=folder)
    store = Store(settings.store_url)
    store.migrate()
    with store.administration() as unit:
        unit.workspaces.create("shop")
        secret, _ = unit.keys.create("shop", ["bot"])
    for piece in pieces:
        app = create_app(settings, embedder=WordHashEmbedder(), clock=clock)
        with TestClient(app) as client:
            body = "\n".join(json.dumps(line) for line in piece).encode()
            response = client.post(
                "/v1/events:batch", content=body, headers={"Authorization": f"Bearer {secret}"}
            )
            results = [json.loads(line) for line in response.text.splitlines()]
            assert {result["status"] for result in results} == {"accepted"}
    return store


def test_a_replay_gives_the_problems_and_alerts_of_the_live_run(tmp_path: Path, into: Scratch) -> None:
    lines = some_history()
    clock = FixedClock(max(datetime.fromisoformat(line["at"]) for line in lines))
    # What is in the middle of a window when a process ends is derived from the store by the next one.
    store = live(tmp_path / "live", clock, [lines[:80], lines[80:81], lines[81:220], lines[220:]])
    again = replay(into, parsed(lines), nights=False)
    assert again.events == len(lines)
    was = problem_ids(store, "shop")
    assert problem_ids(into.store, "shop") == was
    assert len(set(was.values())) > 10
    with store.reading("shop") as unit:
        alerts = unit.alerts.all()
    assert shown(again.alerts) == shown(alerts)
    assert len(alerts) > 5
    store.close()


def test_the_size_of_transactions_makes_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = some_history(240, seed=6)
    found = []
    for group in (1, 37, 240):
        monkeypatch.setattr(replaying, "GROUP", group)
        with scratch(Settings(data=tmp_path / "data"), "shop", embedder=WordHashEmbedder()) as one:
            alerts = replay(one, parsed(lines), nights=False).alerts
            with one.store.reading("shop") as unit:
                cases = {item.event.id: item.case_id for item in unit.events.messages()}
            found.append((problem_ids(one.store, "shop"), cases, shown(alerts)))
    assert found[0] == found[1] == found[2]


def test_a_resolved_case_is_not_reopened_by_another_conversation_of_the_same_transaction(
    into: Scratch,
) -> None:
    """A customer's case that was open when the transaction began took up their next conversation although it had been
    resolved a line above."""
    said = {"type": "message", "customer_id": "u1", "text": "the kettle leaks water"}
    lines = [
        {"id": "m1", "at": "2026-09-01T08:00:00Z", "conversation_id": "c1", **said},
        {
            "id": "r1",
            "at": "2026-09-01T09:00:00Z",
            "conversation_id": "c1",
            "type": "resolution",
            "customer_id": "u1",
        },
        {"id": "m2", "at": "2026-09-01T10:00:00Z", "conversation_id": "c2", **said},
    ]
    replay(into, parsed(lines[:1]))
    replay(into, parsed(lines[1:]))
    with into.store.reading("shop") as unit:
        cases = {item.event.id: item.case_id for item in unit.events.messages()}
    assert cases["m1"] != cases["m2"]


def test_other_rules_give_other_alerts(into: Scratch, tmp_path: Path) -> None:
    lines = some_history()
    usual = replay(into, parsed(lines), nights=False)
    with scratch(Settings(data=tmp_path / "data"), "shop", embedder=WordHashEmbedder()) as other:
        with other.store.writing("shop") as unit:
            unit.rules.put(Rules(recurrence_customers=9))
        strict = replay(other, parsed(lines), nights=False)
    assert 0 < len(strict.alerts) < len(usual.alerts)


def test_silences_and_windows_run_on_the_time_of_the_events(into: Scratch) -> None:
    at = "2026-09-01T08:00:00Z"
    said = {"type": "message", "customer_id": "u1", "conversation_id": "c1", "text": "the kettle leaks"}
    replay(into, parsed([{"id": "m1", "at": at, **said}]))
    assert into.clock() == datetime(2026, 9, 1, 8, tzinfo=UTC)
    replay(into, parsed([{"id": "m2", "at": "2026-08-01T08:00:00Z", **said}]))
    assert into.clock() == datetime(2026, 9, 1, 8, tzinfo=UTC), "a late event does not turn the clock back"


def test_nights_are_spent_as_they_pass(into: Scratch) -> None:
    said = {"type": "message", "customer_id": "u1", "conversation_id": "c1", "text": "the kettle leaks"}
    days = [f"2026-09-0{day}T{hour}:00:00+00:00" for day in (1, 2, 3) for hour in ("08", "23")]
    lines = parsed([{"id": f"m{number}", "at": at, **said} for number, at in enumerate(days)])

    def last() -> datetime | None:
        with into.store.reading("shop") as unit:
            return unit.jobs.last("regroup")

    replay(into, lines[:1], nights=False)
    replay(into, lines[1:2], nights=False)
    assert last() is None
    replay(into, lines[2:4])
    assert last() == datetime(2026, 9, 2, into.services.settings.night_hour, tzinfo=UTC)
    replay(into, lines[4:])
    assert last() == datetime(2026, 9, 3, into.services.settings.night_hour, tzinfo=UTC)


# --- files and the command


def written(path: Path, lines: Sequence[Any], *, compressed: bool = False) -> Path:
    raw = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    path.write_bytes(gzip.compress(raw) if compressed else raw)
    return path


MESSAGE = {
    "id": "m1",
    "type": "message",
    "at": "2026-09-01T08:00:00Z",
    "customer_id": "u1",
    "text": "hello kettle",
}


@pytest.mark.parametrize("compressed", [False, True])
def test_bad_lines_are_told_by_number_and_the_others_are_read(tmp_path: Path, compressed: bool) -> None:
    lines = [
        MESSAGE,
        b"{broken",
        b"",
        {**MESSAGE, "id": "m2", "text": " "},
        b"[1]",
        b"\xff",
        b"x" * 2000,
        MESSAGE,
    ]
    path = written(tmp_path / "events", lines, compressed=compressed)
    found = list(events_of(path, longest=1000))
    assert line_count(path) == len(found) == 8
    assert [number for number, item in found if isinstance(item, Event)] == [1, 8]
    assert [number for number, item in found if item is None] == [3]
    told = {item.number: item.message for _, item in found if isinstance(item, BadLine)}
    assert told.keys() == {2, 4, 5, 6, 7}
    assert "JSON" in told[2]
    assert told[4].startswith("text: is required")
    assert "1000 bytes" in told[7]


def test_a_compressed_file_that_breaks_off_is_told(tmp_path: Path) -> None:
    path = written(
        tmp_path / "events.jsonl.gz", [{**MESSAGE, "id": f"m{n}"} for n in range(500)], compressed=True
    )
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InvalidRequest, match=r"events\.jsonl\.gz: cannot be read"):
        list(events_of(path, longest=LONGEST))


def test_an_empty_history_gives_nothing(into: Scratch) -> None:
    found = replay(into, [])
    assert (found.events, found.problems, found.alerts, found.begin) == (0, (), (), None)


@pytest.fixture
def kb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[CommandLine]:
    with command_line(tmp_path, monkeypatch, capsys) as commands:
        yield commands


def test_the_command_prints_problems_and_alerts_and_leaves_the_data_alone(
    kb: CommandLine, tmp_path: Path
) -> None:
    path = written(tmp_path / "events.jsonl", [*some_history(), b"nonsense"])
    ran = kb.good("replay", path, "--limit", 3)
    assert "400 events" in ran.out
    assert "recurrence" in ran.out
    assert "the first 3 of each" in ran.out
    assert "line 401: is not valid JSON" in ran.err
    assert not kb.data.exists()
    found = kb.good("replay", path, "--json").json
    assert (found["events"], found["refused"]) == (400, 1)
    assert found["errors"] == [{"line": 401, "message": "is not valid JSON; send one object per line"}]
    assert len(found["alerts"]["items"]) == found["alerts"]["total"] > 3
    assert len(found["problems"]["items"]) == found["problems"]["total"]
    short = kb.good("replay", path, "--json", "--limit", 2).json
    assert len(short["alerts"]["items"]) == 2


def test_rules_of_a_file_go_over_those_of_the_shop(kb: CommandLine, tmp_path: Path) -> None:
    path = written(tmp_path / "events.jsonl", some_history())
    rules = tmp_path / "rules.json"
    rules.write_text('{"recurrence_customers": 1000}')
    found = kb.good("replay", path, "--rules", rules, "--json").json
    assert "recurrence" not in found["alerts"]["by_kind"]
    rules.write_text('{"recurrence_customer": 3}')
    wrong = kb("replay", path, "--rules", rules)
    assert wrong.status == 2
    assert "recurrence_customer" in wrong.err
    rules.write_text("{")
    assert kb("replay", path, "--rules", rules).status == 2


def test_with_a_workspace_its_products_and_rules_are_taken_and_nothing_is_changed(
    kb: CommandLine, tmp_path: Path
) -> None:
    kb.good("workspaces", "create", "shop")
    kb.good("ingest", small_shop.write(tmp_path / "small"), "--workspace", "shop")
    path = written(tmp_path / "events.jsonl", some_history(200))
    before = (kb.data / "kb.sqlite3").read_bytes()
    found = kb.good("replay", path, "--workspace", "shop", "--json").json
    assert found["events"] == 200
    assert (kb.data / "kb.sqlite3").read_bytes() == before
    assert kb("replay", path, "--workspace", "nowhere").status == 2


def test_a_copied_shop_has_its_documents_vectors_and_rules(
    kb: CommandLine, tmp_path: Path, into: Scratch
) -> None:
    kb.good("workspaces", "create", "shop")
    kb.good("ingest", small_shop.write(tmp_path / "small"), "--workspace", "shop")
    store = Store(f"sqlite:///{kb.data / 'kb.sqlite3'}")
    with store.writing("shop") as unit:
        unit.rules.put(Rules(recurrence_customers=7))
    with store.reading("shop") as unit:
        copy_shop(unit, into)
        model = into.services.encoder.model_id
        held = {item.passage.text: item.vector for item in unit.documents.passages(model_id=model)}
    with into.store.reading("shop") as unit:
        assert unit.rules.get().recurrence_customers == 7
        copied = {item.passage.text: item.vector for item in unit.documents.passages(model_id=model)}
    assert copied.keys() == held.keys() != set()
    for text, vector in copied.items():
        assert vector is not None
        assert vector.tolist() == np.asarray(held[text]).tolist()
    store.close()


def test_a_file_without_any_event_fails(kb: CommandLine, tmp_path: Path) -> None:
    assert kb("replay", written(tmp_path / "events.jsonl", [b"nothing"])).status == 1
