"""Addresses of mail."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from kb_service.mail_addresses import possible
from kb_service.wire.base import Text, fault


def _possible(value: str) -> str:
    if not possible(value):
        raise fault("", "must be a mail address, such as team@example.com")
    return value


MailAddress = Annotated[Text, Field(max_length=254), AfterValidator(_possible)]
