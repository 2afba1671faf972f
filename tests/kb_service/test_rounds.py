"""Work that goes round the workspaces: one's fault is nobody else's."""

from __future__ import annotations

import threading

import pytest
from structlog.testing import capture_logs

from kb_service.errors import NotReady
from kb_service.rounds import WorkspaceRounds
from kb_service.store import Store
from tests.kb_service.conftest import Api


class Looking(WorkspaceRounds):
    """Notes whose turn it was; a turn at `fails_at` fails."""

    def __init__(self, store: Store, *, fails_at: str | None = None, seconds: float = 60.0) -> None:
        super().__init__("looking", store, seconds=seconds)
        self.turns: list[str] = []
        self.again = threading.Event()
        self._fails_at = fails_at

    def look(self, workspace: str) -> None:
        self.again.set()
        self.turns.append(workspace)
        if workspace == self._fails_at:
            raise RuntimeError(workspace)


def test_a_workspace_that_fails_keeps_no_other_from_its_turn(api: Api) -> None:
    everybody = Looking(api.store)
    everybody.go_round()
    assert len(everybody.turns) > 1
    looking = Looking(api.store, fails_at=everybody.turns[0])
    looking.go_round()
    assert looking.turns == everybody.turns


def test_a_workspace_that_is_still_loading_is_no_error(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    looking = Looking(api.store)

    def loading(workspace: str) -> None:
        raise NotReady("The workspace {workspace} is still loading.", workspace=workspace)

    monkeypatch.setattr(looking, "look", loading)
    with capture_logs() as lines:
        looking.go_round()
    assert {(line["event"], line["log_level"]) for line in lines} == {("round_postponed", "info")}
    assert looking.last is not None
    assert looking.last.failed.keys() == {"shop", "other"}


def test_a_round_that_finds_no_list_is_followed_by_one_that_does(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking = Looking(api.store, seconds=0.01)
    failed = threading.Event()
    administration = api.store.administration

    def broken(*, writing: bool) -> object:
        failed.set()
        raise OSError("no store")

    monkeypatch.setattr(api.store, "administration", broken)
    looking.start()
    assert failed.wait(10)
    assert looking.turns == []
    monkeypatch.setattr(api.store, "administration", administration)
    assert looking.again.wait(10)
    looking.stop()


def test_work_that_was_stopped_begins_no_further_turn(api: Api) -> None:
    looking = Looking(api.store)
    looking.stop()
    looking.go_round()
    assert looking.turns == []


def test_the_last_round_tells_where_it_failed(api: Api) -> None:
    everybody = Looking(api.store)
    assert everybody.last is None
    everybody.go_round()
    assert everybody.last is not None
    assert everybody.last.failed == {}
    looking = Looking(api.store, fails_at="shop")
    looking.go_round()
    assert looking.last is not None
    assert looking.last.failed == {"shop": "RuntimeError"}
