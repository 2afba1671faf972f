"""Which documents need a look, and why: named reasons with their evidence. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal, TypeAlias

StaleCode: TypeAlias = Literal[
    "superseded_but_open",
    "ended_without_successor",
    "poor_feedback",
    "unknown_product",
    "ends_soon",
    "unchanged_though_used",
]

SPAN = timedelta(days=90)
"""How far back showings, questions and feedback count."""
SOON = timedelta(days=30)
OLD = timedelta(days=365)
OFTEN = 5
"""Showings within the span from which an old document is used often."""
BAD_OUTCOMES = frozenset({"rejected", "edited", "reopened"})
BAD_LEAST = 3
BAD_SHARE = 0.4
"""Bad outcomes, and their share of all, from which a document's feedback is poor."""

WEIGHTS: Mapping[StaleCode, float] = {
    "superseded_but_open": 0.9,
    "ended_without_successor": 0.8,
    "poor_feedback": 0.7,
    "unknown_product": 0.6,
    "ends_soon": 0.5,
    "unchanged_though_used": 0.4,
}
"""How pressing each reason is, 0 to 1: what may mislead a customer now comes before what may later."""


@dataclass(frozen=True, slots=True)
class DocumentInUse:
    """An approved document as it stands, and how it fared within the span.

    `successors` replace it from its end on or before; `superseded_by` already hold in its place for all to whom it
    applies. `asked` counts questions that found no good answer and that it answered while it was valid.
    """

    valid_to: datetime | None
    updated_at: datetime
    successors: tuple[str, ...] = ()
    superseded_by: tuple[str, ...] = ()
    unknown_products: tuple[str, ...] = ()
    shown: int = 0
    asked: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StaleReason:
    """`text` says it by language; `evidence` holds the figures behind it."""

    code: StaleCode
    text: Mapping[str, str]
    evidence: Mapping[str, str | int | float | tuple[str, ...] | None]

    @property
    def weight(self) -> float:
        return WEIGHTS[self.code]


def stale_reasons(standing: DocumentInUse, now: datetime, place: tzinfo = UTC) -> tuple[StaleReason, ...]:
    """Why a document needs a look, the most pressing first; none when it does not. `now` is timezone-aware; `place`
    is by whose clocks days are told."""
    found = (
        _superseded(standing, now),
        _ended(standing, now, place),
        _poor(standing),
        _unknown(standing),
        _ending(standing, now, place),
        _unchanged(standing, now),
    )
    return tuple(reason for reason in found if reason is not None)


def _superseded(standing: DocumentInUse, now: datetime) -> StaleReason | None:
    if not standing.superseded_by or (standing.valid_to is not None and standing.valid_to <= now):
        return None
    names = "、".join(standing.superseded_by)
    return StaleReason(
        "superseded_but_open",
        {
            "zh": f"已被 {names} 取代，但仍为已审核状态且没有结束日期",
            "en": f"superseded by {', '.join(standing.superseded_by)}, yet still approved without having ended",
        },
        {"superseded_by": standing.superseded_by, "valid_to": _iso(standing.valid_to)},
    )


def _ended(standing: DocumentInUse, now: datetime, place: tzinfo) -> StaleReason | None:
    end = standing.valid_to
    used = standing.shown + standing.asked
    if end is None or end > now or standing.successors or not used:
        return None
    return StaleReason(
        "ended_without_successor",
        {
            "zh": f"最后有效日为 {_last_day(end, place)}，没有后继文档；近 90 天展示 {standing.shown} 次，"
            f"结束后另有 {standing.asked} 个问题仍在问",
            "en": f"its last day was {_last_day(end, place)}, without a successor; "
            f"shown {standing.shown} times in 90 days, and {standing.asked} questions asked for it since",
        },
        {"valid_to": _iso(end), "shown": standing.shown, "asked": standing.asked},
    )


def _poor(standing: DocumentInUse) -> StaleReason | None:
    total = sum(standing.outcomes.values())
    bad = sum(count for outcome, count in standing.outcomes.items() if outcome in BAD_OUTCOMES)
    if bad < BAD_LEAST or bad < BAD_SHARE * total:
        return None
    return StaleReason(
        "poor_feedback",
        {
            "zh": f"近 90 天 {total} 次反馈中有 {bad} 次被拒绝、修改或重新打开",
            "en": f"{bad} of {total} outcomes in 90 days were rejections, edits or reopenings",
        },
        {"outcomes": total, **{name: standing.outcomes.get(name, 0) for name in sorted(BAD_OUTCOMES)}},
    )


def _unknown(standing: DocumentInUse) -> StaleReason | None:
    if not standing.unknown_products:
        return None
    return StaleReason(
        "unknown_product",
        {
            "zh": f"提到的商品已不在商品资料中：{'、'.join(standing.unknown_products)}",
            "en": f"refers to products that are no longer listed: {', '.join(standing.unknown_products)}",
        },
        {"products": standing.unknown_products},
    )


def _ending(standing: DocumentInUse, now: datetime, place: tzinfo) -> StaleReason | None:
    end = standing.valid_to
    if end is None or not now < end <= now + SOON or standing.successors:
        return None
    days = (end - now).days
    return StaleReason(
        "ends_soon",
        {
            "zh": f"最后有效日为 {_last_day(end, place)}（还有 {days} 天），没有后继文档",
            "en": f"its last day is {_last_day(end, place)}; it ends in {days} days, without a successor",
        },
        {"valid_to": _iso(end), "days": days},
    )


def _unchanged(standing: DocumentInUse, now: datetime) -> StaleReason | None:
    ended = standing.valid_to is not None and standing.valid_to <= now
    if ended or now - standing.updated_at < OLD or standing.shown < OFTEN:
        return None
    days = (now - standing.updated_at).days
    return StaleReason(
        "unchanged_though_used",
        {
            "zh": f"{days} 天没有更新，近 90 天展示了 {standing.shown} 次",
            "en": f"not changed for {days} days, shown {standing.shown} times in 90 days",
        },
        {"updated_at": _iso(standing.updated_at), "days": days, "shown": standing.shown},
    )


def _last_day(end: datetime, place: tzinfo) -> str:
    """The last day on which something holds that ends at a moment."""
    return f"{(end - timedelta.resolution).astimezone(place):%Y-%m-%d}"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
