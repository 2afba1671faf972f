"""People who use the console: links that work once, sessions that end."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from kb_service.accounts import Accounts
from kb_service.errors import Forbidden, NotFound
from kb_service.store import SignInLink, Store
from tests.conftest import FixedClock
from tests.contracts.store_samples import everything

DAY = timedelta(days=1)


def test_a_member_signs_in_by_a_link_that_works_once(store: Store, store_url: str, clock: FixedClock) -> None:
    with store.administration() as unit:
        member = unit.members.create("shop", "Lin", ["agent", "product"], agent_id="agent-1")
        link = unit.members.new_link("shop", member.id, lasts=DAY)
    with store.administration(writing=False) as unit:
        assert unit.members.get(member.id) == member
        assert unit.members.list("shop") == (member,)
        assert unit.members.list("other") == ()
        assert unit.members.link(link) == SignInLink("shop", member.id)
    with store.administration() as unit:
        assert unit.members.take_link(link) == SignInLink("shop", member.id)
        assert unit.members.take_link(link) is None
        session = unit.members.open_session(member.id, lasts=DAY)
    dump = everything(store_url)
    assert link not in dump
    assert session not in dump
    with store.administration(writing=False) as unit:
        assert unit.members.of_session(session) == member
        assert unit.members.of_session("\udcff") is None
    clock.advance(days=1)
    with store.administration() as unit:
        assert unit.members.of_session(session) is None


def test_a_new_link_ends_the_one_before(store: Store) -> None:
    with store.administration() as unit:
        first = unit.members.new_link("shop", None, lasts=DAY)
        elsewhere = unit.members.new_link("other", None, lasts=DAY)
        second = unit.members.new_link("shop", None, lasts=DAY)
        assert unit.members.link(first) is None
        assert unit.members.link(second) == SignInLink("shop", None)
        assert unit.members.link(elsewhere) == SignInLink("other", None)


def test_who_left_has_no_link_and_no_session(store: Store) -> None:
    with store.administration() as unit:
        member = unit.members.create("shop", "Lin", ["agent"])
        assert unit.members.any("shop")
        session = unit.members.open_session(member.id, lasts=DAY)
        link = unit.members.new_link("shop", member.id, lasts=DAY)
        assert unit.members.end(member.id)
        assert not unit.members.end(member.id)
        assert not unit.members.any("shop")
        assert unit.members.of_session(session) is None
        assert unit.members.link(link) is None
        assert unit.members.list("shop")[0].ended_at is not None


def test_a_session_is_closed(store: Store) -> None:
    with store.administration() as unit:
        member = unit.members.create("shop", "Lin", ["agent"])
        one, another = (unit.members.open_session(member.id, lasts=DAY) for _ in range(2))
        unit.members.close_session(one)
        assert unit.members.of_session(one) is None
        assert unit.members.of_session(another) == member


def test_a_member_needs_a_workspace(store: Store) -> None:
    with pytest.raises(NotFound), store.administration() as unit:
        unit.members.create("nowhere", "Lin", ["agent"])


def test_of_many_who_use_a_link_at_once_one_signs_in(open_store: Callable[[], Store], store: Store) -> None:
    with store.administration() as unit:
        member = unit.members.create("shop", "Lin", ["agent"])
        link = unit.members.new_link("shop", member.id, lasts=DAY)
    together = Barrier(6)

    def use(accounts: Accounts) -> bool:
        together.wait(20)
        try:
            return bool(accounts.sign_in(link, None))
        except Forbidden:
            return False

    with ThreadPoolExecutor(6) as pool:
        signed_in = list(pool.map(use, [Accounts(open_store()) for _ in range(6)]))
    assert signed_in.count(True) == 1
    with store.administration(writing=False) as unit:
        assert len(unit.members.sessions("shop")) == 1
