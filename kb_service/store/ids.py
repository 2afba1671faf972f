"""Ids that sort by the time they were made at."""

from __future__ import annotations

from datetime import UTC, datetime

from ulid import ULID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_id(prefix: str, at: datetime) -> str:
    """`prefix` (for example `msg_`) and a ULID of the millisecond `at`, which must not lie before 1970."""
    return prefix + str(ULID.from_timestamp(max((at - _EPOCH).total_seconds(), 0.0)))


def utc_now() -> datetime:
    """The wall clock: the default of every `clock` argument."""
    return datetime.now(UTC)
