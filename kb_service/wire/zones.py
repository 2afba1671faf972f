"""Time zones by their IANA names."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from kb_service.timezones import known
from kb_service.wire.base import Text, fault


def _known(value: str) -> str:
    if not known(value):
        raise fault("", "must be the name of a time zone, such as Asia/Shanghai or UTC")
    return value


Zone = Annotated[Text, Field(min_length=1, max_length=64), AfterValidator(_known)]
