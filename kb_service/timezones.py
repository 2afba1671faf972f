"""Time zones by their IANA names, also where the machine brings no data about them."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_FIXED = {"UTC": UTC, "Asia/Shanghai": timezone(timedelta(hours=8), "Asia/Shanghai")}
"""What must work everywhere. Shanghai has had one offset since 1991."""


def known(name: str) -> bool:
    try:
        zone(name)
    except (ValueError, OSError):  # OSError: a name that is a folder of the data
        return False
    return True


def zone(name: str) -> tzinfo:
    """The zone of a name; ValueError when there is none."""
    if name in _FIXED:
        return _FIXED[name]
    try:
        return ZoneInfo(name)
    except KeyError as error:  # ZoneInfoNotFoundError
        raise ValueError(f"there is no time zone {name}") from error
