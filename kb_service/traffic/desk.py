"""What came in, what will, whether that is more than usual, and who could help: the traffic of a workspace."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TypeVar

import numpy as np

from graph.forecasting import Basis, Forecast, forecast
from graph.helping import Offer, StaffedExpertise
from graph.hindsight import Hindsight, hindsight
from graph.models import Expertise
from graph.profiles import Topic
from graph.rhythm import WEEK, Floats, hour_of
from graph.staffing import needed_agents
from graph.training import Demand, Training, trainings
from kb_service.errors import InvalidRequest, NotFound
from kb_service.metrics.lately import Lately
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.replicas.shop import Shop
from kb_service.store import Dimension, Page, Store, StoredSurge, Unit
from kb_service.timezones import zone
from kb_service.traffic.heatmaps import Heatmap, Seen, drawn
from kb_service.traffic.inflow import current_hour, days_of, zone_of
from kb_service.traffic.staffing import fields, handling_seconds, help_for, online

SPAN = timedelta(weeks=8)
"""What a heat map shows unless told otherwise."""
LONGEST = timedelta(days=370)
LONGEST_DATED = timedelta(days=31)
Made = TypeVar("Made")
KEPT_MAPS = 32
MAP_KEPT = timedelta(seconds=60)
KEPT_FORECASTS = 16


@dataclass(frozen=True, slots=True)
class Outlook:
    """The hours to come of one expertise, or of the whole shop; arrays have one value an hour."""

    expertise: Expertise | None
    mean: Floats
    low80: Floats
    high80: Floats
    low95: Floats
    high95: Floats
    naive: Floats
    needed: tuple[int, ...]
    handling_seconds: float
    online: int
    dispersion: float


@dataclass(frozen=True, slots=True)
class TrafficForecast:
    basis: Basis
    zone: str
    hours: tuple[datetime, ...]
    promotions: tuple[date, ...]
    promotion_effect: float | None
    unusual_days: tuple[date, ...]
    outlooks: tuple[Outlook, ...]
    """The whole shop, then each expertise."""
    surges: tuple[StoredSurge, ...]


@dataclass(frozen=True, slots=True)
class HelpNeeded:
    """An expertise that needs more people than are there, or in which a surge is under way."""

    expertise: Expertise
    surge: StoredSurge | None
    field: StaffedExpertise
    expected: float
    offers: tuple[Offer, ...]


class TrafficDesk:
    """The traffic of every workspace."""

    def __init__(self, store: Store, replicas: Replicas, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._replicas = replicas
        self._clock = clock
        self._drawn: dict[tuple[object, ...], tuple[datetime, Heatmap]] = {}
        """The latest heat maps, each with when it was drawn."""
        self._looked_at: Lately[Heatmap] = Lately(clock)
        self._foretold: dict[tuple[object, ...], Forecast] = {}
        self._looked_back: dict[tuple[object, ...], tuple[Hindsight, ...]] = {}
        """The latest forecasts and looks back, by what they were made of: the same counts give the same again."""

    # --- what came in

    def heatmap(
        self,
        workspace: str,
        by: Dimension,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        timezone: str | None = None,
        dated: bool = False,
    ) -> Heatmap:
        """Messages, cases and customers by hour of the week, or with `dated` by hour of each day of the span.

        Without a span, the eight weeks before the latest event (or the last seven days).
        """
        replica = self._replicas.at_hand(workspace)
        name = timezone or replica.shop.rules.timezone
        with self._store.reading(workspace) as unit:
            latest = unit.events.latest_at()
            end = until or _next_hour(latest or self._clock())
            begin = since or end - (timedelta(days=7) if dated else SPAN)
            if begin >= end:
                raise InvalidRequest.of(
                    "from", "must be before {end}, the end of the span", end=end.isoformat()
                )
            longest = LONGEST_DATED if dated else LONGEST
            if end - begin > longest:
                raise InvalidRequest.of(
                    "from", "must be at most {days} days before the end", days=longest.days
                )
            # Names and what belongs to them count at once, what came in within a minute: in a shop where something
            # always comes in, a map would otherwise never be kept.
            place = (workspace, by, begin, end, name, dated, replica.shop.expertise)
            now = self._clock()
            known = self._drawn.get(place)
            if known is not None and timedelta(0) <= now - known[0] < MAP_KEPT:
                return known[1]
            known_hours = unit.traffic.first_at() or begin, max(self._clock(), _next_hour(latest or begin))
            found = drawn(
                by,
                (begin, end),
                known_hours,
                name,
                zone(name),
                _seen(unit, (begin, end), by, replica.fields_by_problem()),
                _seen(unit, (begin, end), None, {}),
                names=_names(replica, by),
                dated=dated,
            )
        while len(self._drawn) >= KEPT_MAPS:
            self._drawn.pop(next(iter(self._drawn)), None)
        self._drawn[place] = now, found
        return found

    def heatmap_lately(self, workspace: str, by: Dimension) -> Heatmap:
        """The map of the last weeks as it stood within the last minute, or a little before: for a page that many
        people look at."""
        names = self._replicas.at_hand(workspace).shop.expertise
        return self._looked_at.of((workspace, by, names), lambda: self.heatmap(workspace, by))

    # --- what will come in

    def forecast(self, workspace: str, hours: int, at: datetime | None = None) -> TrafficForecast:
        """The next `hours` hours, from the present one on; or from where a history ended that nobody continues."""
        replica = self._replicas.settled(workspace)
        shop = replica.shop
        with self._store.reading(workspace) as unit:
            latest, surges = unit.events.latest_at(), unit.surges.open()
        found = self._forecast(replica, shop, hours, at or self._clock(), latest)
        rhythm = found.rhythm
        return TrafficForecast(
            basis=found.basis,
            zone=shop.rules.timezone,
            hours=tuple(datetime.fromtimestamp(int(hour) * 3600, UTC) for hour in found.hours),
            promotions=days_of(shop.rules),
            promotion_effect=rhythm.promotion_effect if rhythm is not None and rhythm.promotions else None,
            unusual_days=_days(rhythm.unusual_days if rhythm is not None else ()),
            outlooks=tuple(
                _outlook(shop, cluster, found, row) for row, cluster in enumerate((None, *shop.expertise))
            ),
            surges=surges,
        )

    def _forecast(
        self, replica: Replica, shop: Shop, hours: int, now: datetime, latest: datetime | None
    ) -> Forecast:
        first = current_hour(now, latest)
        with replica.lock:
            counted = replica.inflow.counted(first, replica.expertise_of_problem, shop.expertise)
        place: tzinfo = zone_of(shop.rules)
        promotions = days_of(shop.rules)
        return _known(
            self._foretold,
            (
                replica.workspace,
                counted.start,
                counted.counts.tobytes(),
                hours,
                shop.rules.timezone,
                promotions,
            ),
            lambda: forecast(counted.start, counted.counts, hours, place, promotions=promotions),
        )

    def hindsight(
        self, workspace: str, days: int, expertise_id: str | None = None, at: datetime | None = None
    ) -> Hindsight:
        """What came in on the last `days` days, up to the present hour, beside what would have been forecast at the
        beginning of each of them from all that came before it. Of the whole shop, or of one expertise.

        Forecasts are not kept: they are made anew, as they would have been then.
        """
        replica = self._replicas.settled(workspace)
        shop = replica.shop
        cluster = next((found for found in shop.expertise if found.id == expertise_id), None)
        if expertise_id is not None and cluster is None:
            raise NotFound("There is no expertise {id} in this workspace.", id=expertise_id)
        with self._store.reading(workspace) as unit:
            latest = unit.events.latest_at()
        end = current_hour(at or self._clock(), latest)
        with replica.lock:
            counted = replica.inflow.counted(end, replica.expertise_of_problem, shop.expertise)
        place: tzinfo = zone_of(shop.rules)
        origins = _mornings(end, days, place)
        promotions = days_of(shop.rules)
        # Of all at once: that costs hardly more than one, and who looks at one looks at others.
        every = _known(
            self._looked_back,
            (workspace, counted.start, counted.counts.tobytes(), *origins, shop.rules.timezone, promotions),
            lambda: hindsight(counted.start, counted.counts, place, origins, promotions=promotions),
        )
        return every[0 if cluster is None else 1 + shop.expertise.index(cluster)]

    # --- more than usual

    def surges(
        self,
        workspace: str,
        cursor: str | None,
        limit: int,
        *,
        since: datetime | None,
        expertise: str | None,
        open: bool | None,
    ) -> Page[StoredSurge]:
        """Surges, the latest first."""
        with self._store.reading(workspace) as unit:
            return unit.surges.page(cursor, limit, since=since, expertise_id=expertise, open=open)

    def names(self, workspace: str) -> dict[str, str]:
        """What each expertise is called."""
        return {found.id: found.name for found in self._replicas.at_hand(workspace).shop.expertise}

    # --- people

    def help(
        self, workspace: str, expertise_id: str | None, language: str | None, at: datetime | None = None
    ) -> tuple[HelpNeeded, ...]:
        """Who could help where a surge is under way or the next hour needs more people than are there.

        With `expertise_id` that one, whether it needs help or not.
        """
        replica = self._replicas.settled(workspace)
        shop = replica.shop
        by_id = {cluster.id: cluster for cluster in shop.expertise}
        if expertise_id is not None and expertise_id not in by_id:
            raise NotFound("There is no expertise {id} in this workspace.", id=expertise_id)
        now = at or self._clock()
        with self._store.reading(workspace) as unit:
            latest = unit.events.latest_at()
            surging = {item.surge.expertise_id: item for item in unit.surges.open()}
        found = self._forecast(replica, shop, 1, now, latest)
        hourly = {cluster.id: float(found.mean[row, 0]) for row, cluster in enumerate(shop.expertise, 1)}
        for key, stored in surging.items():
            if key in hourly:
                hourly[key] = max(hourly[key], stored.surge.observed * 60.0 / stored.surge.window_minutes)
        known = fields(shop, hourly)
        wanted = [
            field
            for field in known
            if field.expertise_id == expertise_id
            or (expertise_id is None and (field.expertise_id in surging or field.spare < 0))
        ]
        return tuple(
            HelpNeeded(
                by_id[field.expertise_id],
                surging.get(field.expertise_id),
                field,
                hourly[field.expertise_id],
                help_for(shop, known, field.expertise_id, language=language),
            )
            for field in wanted
        )

    def training(
        self, workspace: str, at: datetime | None = None
    ) -> tuple[tuple[Training, ...], dict[str, str], dict[str, str]]:
        """Where training would pay, by the cases that would be resolved besides in a usual week; with the names of
        fields and of people."""
        replica = self._replicas.settled(workspace)
        shop = replica.shop
        with self._store.reading(workspace) as unit:
            latest = unit.events.latest_at()
        week = self._forecast(replica, shop, WEEK, at or self._clock(), latest)
        agents = sorted(shop.agents)
        demands = [_demand(shop, cluster, week.mean[row]) for row, cluster in enumerate(shop.expertise, 1)]
        people = {agent.id: agent.name for agent in shop.agents.values()}
        names = {cluster.id: cluster.name for cluster in shop.expertise}
        if not agents:
            return (), names, people
        of_field = {
            cluster.id: shop.profiles.estimates(agents, Topic(expertise_id=cluster.id))
            for cluster in shop.expertise
        }
        return trainings(demands, of_field, shop.profiles.estimates(agents, Topic()), people), names, people


def _outlook(shop: Shop, cluster: Expertise | None, found: Forecast, row: int) -> Outlook:
    seconds = handling_seconds(shop, cluster)
    return Outlook(
        expertise=cluster,
        mean=found.mean[row],
        low80=found.low[0.8][row],
        high80=found.high[0.8][row],
        low95=found.low[0.95][row],
        high95=found.high[0.95][row],
        naive=found.naive[row],
        needed=tuple(needed_agents(float(mean), seconds) for mean in found.mean[row]),
        handling_seconds=seconds,
        online=online(shop, cluster),
        dispersion=float(found.dispersion[row]),
    )


def _demand(shop: Shop, cluster: Expertise, mean: Floats) -> Demand:
    """A week of an expertise against all that its people could take if everybody worked at every hour."""
    hourly = (
        sum(1 for id in cluster.agent_ids if id in shop.agents) * 3600.0 / handling_seconds(shop, cluster)
    )
    beyond = float(np.maximum(mean - hourly, 0.0).sum())
    return Demand(cluster.id, cluster.name, float(mean.sum()), beyond, cluster.agent_ids)


def _known(kept: dict[tuple[object, ...], Made], key: tuple[object, ...], make: Callable[[], Made]) -> Made:
    """What was made of the same before, else made now: the fits behind it take a good part of a second."""
    found = kept.get(key)
    if found is None:
        found = make()
        while len(kept) >= KEPT_FORECASTS:
            kept.pop(next(iter(kept)), None)
        kept[key] = found
    return found


def _mornings(end: int, days: int, place: tzinfo) -> list[int]:
    """The hours at which the last days of the shop began, the oldest first; the last of them is before `end`."""
    last = datetime.fromtimestamp((end - 1) * 3600, place)
    midnight = last.replace(hour=0)
    return [hour_of(midnight - timedelta(days=back)) for back in range(days - 1, -1, -1)]


def _seen(
    unit: Unit, span: tuple[datetime, datetime], by: Dimension | None, of_problem: Mapping[str, str]
) -> Seen:
    return Seen(
        list(unit.traffic.by_hour(*span, by, of_problem)),
        unit.traffic.in_span(*span, by, of_problem),
        unit.traffic.handling(*span, by, of_problem),
    )


def _names(replica: Replica, by: Dimension) -> dict[str, str]:
    if by == "expertise":
        return {cluster.id: cluster.name for cluster in replica.shop.expertise}
    if by == "product":
        return {sku: names[0] for sku, names in replica.shop.products.items() if names}
    return {}


def _next_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _days(ordinals: Sequence[int] | frozenset[int]) -> tuple[date, ...]:
    return tuple(date.fromordinal(day) for day in sorted(ordinals))
