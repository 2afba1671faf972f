"""Traffic: heat map, forecast, surges, help and training."""

from __future__ import annotations

import math
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from graph.helping import Offer
from graph.staffing import TARGET_SECONDS, TARGET_SHARE
from graph.surges import words
from graph.training import Training
from kb_service.messages import Language
from kb_service.store import Dimension, StoredSurge
from kb_service.timezones import zone
from kb_service.traffic.desk import HelpNeeded, Outlook, TrafficForecast
from kb_service.traffic.heatmaps import Heatmap, HeatRow
from kb_service.traffic.surging import WHOLE_SHOP
from kb_service.wire.base import Moment, Response
from kb_service.wire.unsorted import UNSORTED

Counts = list[list[int]]
"""One list of 24 hours for each of `days`."""


class HeatRowOut(Response):
    """`key` is null for what belongs to none, and for the whole shop; `name` says which."""

    key: str | None
    name: str
    messages: int
    cases: Annotated[int, Field(description="Distinct over the span; in `cells` within each hour.")]
    customers: Annotated[
        int, Field(description="Distinct over the span; in `customer_cells` within each hour.")
    ]
    handling_seconds: Annotated[float | None, Field(description="The mean of resolutions, from twenty on.")]
    handled: int
    cells: Annotated[Counts, Field(description="Cases, a list of 24 hours for each of `days`.")]
    message_cells: Counts
    customer_cells: Counts
    normalised: Annotated[list[list[float]], Field(description="`cells` over the largest of them, 0 to 1.")]

    @classmethod
    def of(cls, row: HeatRow, unnamed: str) -> HeatRowOut:
        return cls(
            key=row.key,
            name=row.name or unnamed,
            messages=int(row.messages.sum()),
            cases=row.distinct_cases,
            customers=row.distinct_customers,
            handling_seconds=None if row.handling_seconds is None else round(row.handling_seconds, 1),
            handled=row.handled,
            cells=row.cases.tolist(),
            message_cells=row.messages.tolist(),
            customer_cells=row.customers.tolist(),
            normalised=row.normalised.round(4).tolist(),
        )


class HeatmapOut(Response):
    by: Dimension
    since: Annotated[Moment, Field(alias="from")]
    until: Annotated[Moment, Field(alias="to")]
    timezone: str
    days: Annotated[list[str], Field(description="ISO weekdays, 1 is Monday; or dates.")]
    hours_counted: Annotated[
        Counts, Field(description="How often each hour occurred in the span, from the first message on.")
    ]
    total: HeatRowOut
    rows: list[HeatRowOut]

    @classmethod
    def of(cls, found: Heatmap, language: Language) -> HeatmapOut:
        place = zone(found.timezone)
        return cls.model_validate(
            {
                "by": found.by,
                "from": found.since.astimezone(place),
                "to": found.until.astimezone(place),
                "timezone": found.timezone,
                "days": list(found.days),
                "hours_counted": found.counted.tolist(),
                "total": HeatRowOut.of(found.total, WHOLE_SHOP[language]),
                "rows": [HeatRowOut.of(row, UNSORTED[found.by][language]) for row in found.rows],
            }
        )


class ExpertiseRef(Response):
    id: str
    name: str


class ForecastHourOut(Response):
    """`expected` cases with the intervals that hold 80% and 95%; `naive` is the same hour a week before."""

    at: Moment
    expected: float
    low_80: int
    high_80: int
    low_95: int
    high_95: int
    naive: float | None
    needed_agents: int
    shortfall: Annotated[int, Field(description="People needed beyond those who are online now.")]


class OutlookOut(Response):
    expertise: ExpertiseRef | None
    handling_seconds: float
    online_agents: int
    hours: list[ForecastHourOut]

    @classmethod
    def of(cls, outlook: Outlook, moments: list[Moment]) -> OutlookOut:
        columns = (
            outlook.mean,
            outlook.low80,
            outlook.high80,
            outlook.low95,
            outlook.high95,
            outlook.naive,
            outlook.needed,
        )
        hours = [
            ForecastHourOut(
                at=at,
                expected=round(float(mean), 2),
                low_80=int(low80),
                high_80=int(high80),
                low_95=int(low95),
                high_95=int(high95),
                naive=None if math.isnan(naive) else float(naive),
                needed_agents=needed,
                shortfall=max(0, needed - outlook.online),
            )
            for at, mean, low80, high80, low95, high95, naive, needed in zip(moments, *columns, strict=True)
        ]
        found = outlook.expertise
        return cls(
            expertise=ExpertiseRef(id=found.id, name=found.name) if found is not None else None,
            handling_seconds=round(outlook.handling_seconds, 1),
            online_agents=outlook.online,
            hours=hours,
        )


class StaffingOut(Response):
    """How `needed_agents` is computed: by Erlang C, each person taking one case at a time."""

    method: Literal["erlang_c"] = "erlang_c"
    target_share: float = TARGET_SHARE
    target_seconds: float = TARGET_SECONDS


class SurgeOut(Response):
    """`expertise` is null for the whole shop. `told` says whether webhooks heard of it."""

    id: str
    state: Literal["open", "closed"]
    expertise: ExpertiseRef | None
    opened_at: Moment
    closed_at: Moment | None
    observed: int
    expected: float
    window_minutes: int
    p_value: float
    lift: Annotated[
        float, Field(description="How much the whole shop was lifted, which `expected` includes.")
    ]
    evidence: str
    told: bool

    @classmethod
    def of(cls, stored: StoredSurge, names: dict[str, str], language: Language) -> SurgeOut:
        surge = stored.surge
        key = surge.expertise_id
        name = WHOLE_SHOP if key is None else dict.fromkeys(("zh", "en"), names.get(key, key))
        return cls(
            id=stored.id,
            state="open" if surge.closed_at is None else "closed",
            expertise=None if key is None else ExpertiseRef(id=key, name=names.get(key, key)),
            opened_at=surge.opened_at,
            closed_at=surge.closed_at,
            observed=surge.observed,
            expected=round(surge.expected, 2),
            window_minutes=surge.window_minutes,
            p_value=surge.p_value,
            lift=round(surge.lift, 2),
            evidence=words(surge, name, opened=True)[language],
            told=stored.told,
        )


class ForecastOut(Response):
    basis: Annotated[
        Literal["no_history", "profile", "seasonal"],
        Field(description="Under two days of history; hours of the day, under two weeks; hours of the week."),
    ]
    timezone: str
    promotion_days: list[date]
    promotion_effect: float | None
    unusual_days: Annotated[
        list[date], Field(description="Past days that taught nothing, since they stood out.")
    ]
    staffing: StaffingOut
    total: OutlookOut
    expertise: list[OutlookOut]
    surges: list[SurgeOut]

    @classmethod
    def of(cls, found: TrafficForecast, names: dict[str, str], language: Language) -> ForecastOut:
        place = zone(found.zone)
        moments = [at.astimezone(place) for at in found.hours]
        total, *parts = [OutlookOut.of(outlook, moments) for outlook in found.outlooks]
        return cls(
            basis=found.basis,
            timezone=found.zone,
            promotion_days=list(found.promotions),
            promotion_effect=None if found.promotion_effect is None else round(found.promotion_effect, 3),
            unusual_days=list(found.unusual_days),
            staffing=StaffingOut(),
            total=total,
            expertise=parts,
            surges=[SurgeOut.of(item, names, language) for item in found.surges],
        )


class OfferOut(Response):
    """`rate` and `low` are null from under twenty cases; `lent_by` are the fields that would lend this person."""

    id: str
    name: str
    reason: Literal["member", "skill", "experience", "flex"]
    text: str
    cases_per_hour: float
    cases: int
    rate: float | None
    low: float | None
    languages: list[str]
    lent_by: list[str]

    @classmethod
    def of(cls, offer: Offer, language: Language) -> OfferOut:
        return cls(
            id=offer.agent.id,
            name=offer.agent.name,
            reason=offer.kind,
            text=offer.words[language],
            cases_per_hour=round(offer.cases_per_hour, 1),
            cases=round(offer.cases),
            rate=None if offer.rate is None else round(offer.rate, 4),
            low=None if offer.low is None else round(offer.low, 4),
            languages=list(offer.agent.languages),
            lent_by=list(offer.lent_by),
        )


class HelpOut(Response):
    """`why` is asked where the expertise was named and needs nobody."""

    expertise: ExpertiseRef
    why: Literal["surge", "forecast", "asked"]
    surge: SurgeOut | None
    expected: Annotated[float, Field(description="Cases in the next hour, or at the rate of the surge.")]
    needed_agents: int
    online_agents: int
    shortfall: int
    agents: list[OfferOut]

    @classmethod
    def of(cls, found: HelpNeeded, names: dict[str, str], language: Language) -> HelpOut:
        field = found.field
        short = max(0, -field.spare)
        return cls(
            expertise=ExpertiseRef(id=found.expertise.id, name=found.expertise.name),
            why="surge" if found.surge is not None else "forecast" if short else "asked",
            surge=SurgeOut.of(found.surge, names, language) if found.surge is not None else None,
            expected=round(found.expected, 2),
            needed_agents=field.needed,
            online_agents=field.online,
            shortfall=short,
            agents=[OfferOut.of(offer, language) for offer in found.offers],
        )


class TrainingOut(Response):
    """`gain` is cases resolved besides, a week; `rate` is null from under twenty cases of the person's own."""

    expertise: ExpertiseRef
    agent: ExpertiseRef
    reason: Literal["below_the_best", "short_of_people"]
    text: str
    gain: float
    cases_per_week: float
    cases: int | None
    rate: float | None
    reachable: float

    @classmethod
    def of(
        cls, item: Training, names: dict[str, str], agents: dict[str, str], language: Language
    ) -> TrainingOut:
        return cls(
            expertise=ExpertiseRef(
                id=item.expertise_id, name=names.get(item.expertise_id, item.expertise_id)
            ),
            agent=ExpertiseRef(id=item.agent_id, name=agents.get(item.agent_id, item.agent_id)),
            reason=item.reason,
            text=item.words[language],
            gain=round(item.gain, 2),
            cases_per_week=round(item.weekly, 1),
            cases=None if item.rate is None else round(item.cases),
            rate=None if item.rate is None else round(item.rate, 4),
            reachable=round(item.reachable, 4),
        )
