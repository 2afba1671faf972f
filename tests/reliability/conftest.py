"""Faults are logged in many numbers here: plainly and quickly, as the service itself logs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kb_service.observability import configure_logging
from kb_service.settings import Settings
from tests.kb_service.command_line import logging_kept


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    with logging_kept():
        configure_logging(Settings(log_format="json", log_level="warning"))
        yield
