"""Workspaces and API keys."""

from __future__ import annotations

import re
import time

import pytest

from kb_service.errors import Conflict, InvalidRequest, NotFound
from kb_service.store import ReadOnlyUnit, Store, Workspace, new_id
from tests.conftest import FixedClock
from tests.contracts.store_samples import AT, an_intent, everything


def test_workspaces(store: Store, clock: FixedClock) -> None:
    with store.administration() as unit:
        made = unit.workspaces.create("toys", name="玩具店", languages=["zh"])
        assert made == Workspace("toys", "玩具店", ("zh",), clock.now)
        assert unit.workspaces.get("toys") == made
        assert unit.workspaces.get("nothing") is None
        with pytest.raises(Conflict, match="'toys'"):
            unit.workspaces.create("toys")
    with store.writing("toys") as one:
        one.intents.put(an_intent())
    with store.administration(writing=False) as unit:
        assert [(one.id, one.position) for one in unit.workspaces.list()] == [
            ("other", 0),
            ("shop", 0),
            ("toys", 1),
        ]


@pytest.mark.parametrize("id", ["", "-x", "a/b", "..", "a b", "店", "x" * 65, "a\n", ".hidden"])
def test_a_bad_workspace_id_is_refused(store: Store, id: str) -> None:
    with pytest.raises(InvalidRequest) as caught, store.administration() as unit:
        unit.workspaces.create(id)
    assert caught.value.fields[0].field == "id"


def test_a_key_is_shown_once_and_kept_as_a_hash(store: Store, store_url: str, clock: FixedClock) -> None:
    with store.administration() as unit:
        secret, key = unit.keys.create("shop", ["agent", "bot", "bot"], "till 7")
    assert re.fullmatch(r"kb_[A-Za-z0-9_-]{43}", secret)
    assert secret.startswith(key.prefix)
    assert len(key.prefix) < 12
    assert (key.workspace, key.roles, key.label) == ("shop", frozenset({"agent", "bot"}), "till 7")
    assert (key.created_at, key.revoked_at) == (clock.now, None)
    assert store.authenticate(secret) == key
    dump = everything(store_url)
    assert key.prefix in dump
    assert secret not in dump
    assert secret[12:] not in dump
    with store.administration() as unit:
        other, _ = unit.keys.create("shop", ["bot"])
        assert other != secret
        with pytest.raises(NotFound):
            unit.keys.create("nowhere", ["bot"])


def test_only_the_whole_secret_finds_the_key(store: Store) -> None:
    with store.administration() as unit:
        secret, key = unit.keys.create("shop", ["bot"])
    for wrong in ("", "kb_", secret[:-1], secret + "x", secret.swapcase(), key.id, key.prefix, "kb_\ud800"):
        assert store.authenticate(wrong) is None


def test_a_revoked_key_ends(store: Store, clock: FixedClock) -> None:
    with store.administration() as unit:
        secret, key = unit.keys.create("shop", ["bot"])
        clock.advance(hours=1)
    with store.administration() as unit:
        assert unit.keys.revoke(key.id) is True
        assert unit.keys.revoke(key.id) is False
        assert unit.keys.revoke("nothing") is False
        stored = unit.keys.get(key.id)
        assert stored is not None
        assert stored.revoked_at == clock.now
        assert unit.keys.get("nothing") is None
    assert store.authenticate(secret) is None


def test_keys_are_listed_by_workspace(store: Store, clock: FixedClock) -> None:
    with store.administration() as unit:
        _, first = unit.keys.create("shop", ["bot"])
        _, second = unit.keys.create("other", ["admin"])
        assert unit.keys.list("shop") == (first,)
        assert unit.keys.list("other") == (second,)
        assert set(unit.keys.list()) == {first, second}


def test_authenticating_does_not_wait_for_a_writer(store: Store) -> None:
    with store.administration() as unit:
        secret, key = unit.keys.create("shop", ["bot"])
    with store.writing("shop") as unit_of_work:
        unit_of_work.intents.put(an_intent())
        begin = time.monotonic()
        assert store.authenticate(secret) == key
        assert time.monotonic() - begin < 5


def test_administration_rolls_back(store: Store) -> None:
    with pytest.raises(RuntimeError), store.administration() as unit:
        unit.workspaces.create("toys")
        raise RuntimeError
    with store.administration(writing=False) as unit:
        assert unit.workspaces.get("toys") is None


def test_ids_sort_by_their_time() -> None:
    later = AT.replace(year=2027)
    assert new_id("msg_", AT) < new_id("msg_", later)
    assert new_id("msg_", AT) != new_id("msg_", AT)
    assert re.fullmatch(r"msg_[0-9A-HJKMNP-TV-Z]{26}", new_id("msg_", AT))
    assert ReadOnlyUnit.__mro__[1] is RuntimeError
