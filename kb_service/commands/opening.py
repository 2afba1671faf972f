"""What commands open: the settings as they are in force, and the store with the parts over it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kb_service.commands.workbench import Workbench
    from kb_service.settings import Settings


def settings() -> Settings:
    import tomllib

    from pydantic import ValidationError

    from kb_service.errors import InvalidRequest
    from kb_service.settings import Settings, explain

    try:
        return Settings()
    except ValidationError as error:
        name, reason = explain(error.errors()[0])
        raise InvalidRequest.of(name, "{reason}", reason=reason) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest.of("kb.toml", "is not TOML: {reason}", reason=str(error)) from None


@contextmanager
def workbench(*, parsing: bool = False) -> Iterator[Workbench]:
    """The store and the parts over it, without a server; `parsing` where files are about to be read. Logs keep to
    warnings, on stderr."""
    from kb_service.commands.workbench import open_workbench
    from kb_service.observability import configure_logging

    chosen = settings()
    if chosen.log_level == "info":
        configure_logging(chosen.model_copy(update={"log_level": "warning"}))
    else:
        configure_logging(chosen)
    with open_workbench(chosen, parsing=parsing) as bench:
        yield bench
