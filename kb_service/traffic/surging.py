"""Surges in the transaction of the events that reveal them, and their end when nobody writes any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from structlog.stdlib import get_logger

from graph.helping import Offer
from graph.models import Problem
from graph.notices import STALE
from graph.rhythm import hour_of
from graph.surges import Surge, Usual, words
from kb_service.delivery.announcing import announce
from kb_service.delivery.messages import surge_data
from kb_service.ids import digest_id
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.rounds import WorkspaceRounds
from kb_service.store import Store, StoredSurge, Unit
from kb_service.traffic.staffing import fields, help_for

log = get_logger(__name__)

ROUND_SECONDS = 30.0
WHOLE_SHOP = {"zh": "全店", "en": "The whole shop"}
MOST_OFFERS = 10


class Arrived(NamedTuple):
    """A customer's message in the case that it belongs to, and the problem where there is one."""

    at: datetime
    case_id: str
    problem_id: str | None


class Surging:
    """One transaction's look at what came in. The caller holds the workspace's lock and the replica's."""

    def __init__(self, unit: Unit, replica: Replica, now: datetime) -> None:
        self._unit = unit
        self._replica = replica
        self._now = now
        self._stored: dict[str | None, StoredSurge] = {}

    def arrived(self, messages: Iterable[Arrived], opened: Mapping[str, Problem]) -> int:
        """Hear messages in order, store and announce the surges that begin or end with them; how many did.

        `opened` are the problems that this transaction opened, which the replica does not know yet.
        """
        inflow, shop = self._replica.inflow, self._replica.shop
        inflow.settle(self._replica.expertise_of_problem)
        self._stand()
        turned = 0

        def key_of(problem_id: str | None) -> str | None:
            problem = opened.get(problem_id) if problem_id is not None else None
            return (
                shop.expertise_of(problem)
                if problem is not None
                else self._replica.expertise_of_problem(problem_id)
            )

        for message in messages:
            key = key_of(message.problem_id)
            inflow.arrivals.hear(message.at, message.case_id, message.problem_id)
            inflow.watch.hear(message.at, message.case_id, key)
            if inflow.watch.late(message.at):
                continue
            usual = inflow.usual(hour_of(message.at), shop.rules, key_of, shop.expertise)
            if usual is None:
                continue
            for surge in inflow.watch.judge(message.at, usual, key, customers=shop.rules.surge_customers):
                self._turn(surge, usual)
                turned += 1
        return turned

    def quiet(self) -> int:
        """End the surges of a shop that nobody writes to any more; how many there were."""
        self._stand()
        ended = self._replica.inflow.watch.quiet(self._now)
        for surge in ended:
            self._turn(surge, None)
        return len(ended)

    def _stand(self) -> None:
        """Surges as the store has them: another process may have opened or ended some."""
        self._stored = {item.surge.expertise_id: item for item in self._unit.surges.open()}
        self._replica.inflow.watch.stand(item.surge for item in self._stored.values())

    def _turn(self, surge: Surge, usual: Usual | None) -> None:
        key = surge.expertise_id
        if surge.closed_at is None:
            id = digest_id("srg", self._unit.workspace, key or "", surge.opened_at.isoformat())
            self._stored[key] = StoredSurge(id, surge, surge.opened_at > self._now - STALE)
        else:
            self._stored[key] = replace(self._stored[key], surge=surge)
        stored = self._stored[key]
        self._unit.surges.put(stored)
        log.info(
            "surge_closed" if surge.closed_at else "surge_opened",
            workspace=self._unit.workspace,
            expertise=key,
            observed=surge.observed,
            told=stored.told,
        )
        if stored.told and (surge.closed_at or surge.opened_at) > self._now - STALE:
            self._announce(stored, usual)

    def _announce(self, stored: StoredSurge, usual: Usual | None) -> None:
        surge = stored.surge
        name = name_of(self._replica, surge.expertise_id)
        offers = self._offers(surge, usual) if usual is not None and surge.closed_at is None else ()
        data = surge_data(stored, name, words(surge, name), offers)
        at = surge.closed_at or surge.opened_at
        announce(self._unit, "traffic.surge", data, at, expertise=surge.expertise_id)

    def _offers(self, surge: Surge, usual: Usual) -> Sequence[Offer]:
        """Who could help: with a surge of the whole shop everybody is needed where they are."""
        key = surge.expertise_id
        shop = self._replica.shop
        if key is None or all(cluster.id != key for cluster in shop.expertise):
            return ()
        hourly = {
            known: float(rate)
            for known, rate in zip(usual.keys, usual.rates[:, 1], strict=True)
            if known is not None
        }
        hourly[key] = surge.observed * 60.0 / surge.window_minutes
        return help_for(shop, fields(shop, hourly), key)[:MOST_OFFERS]


def name_of(replica: Replica, key: str | None) -> dict[str, str]:
    """What surges, in each language, as the shop calls it."""
    if key is None:
        return dict(WHOLE_SHOP)
    found = next((cluster.name for cluster in replica.shop.expertise if cluster.id == key), key)
    return {"zh": found, "en": found}


class SurgeEnd(WorkspaceRounds):
    """Ends the surges of a shop that has fallen silent."""

    def __init__(self, store: Store, replicas: Replicas, *, clock: Callable[[], datetime]) -> None:
        super().__init__("surges", store, seconds=ROUND_SECONDS)
        self._replicas = replicas
        self._clock = clock

    def look(self, workspace: str) -> int:
        """End the surges that no message will end; how many. A round costs one query while there are none."""
        with self._store.reading(workspace) as unit:
            if not unit.surges.open():
                return 0
        replica = self._replicas.settled(workspace)
        with replica.lock, self._store.writing(replica.workspace) as unit:
            replica.catch_up(unit)
            replica.inflow.settle(replica.expertise_of_problem)
            return Surging(unit, replica, self._clock()).quiet()
