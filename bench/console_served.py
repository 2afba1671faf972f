"""The service for `bench.console`: as `kb serve`, with responses that tell how often the store was asked."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from bench.store_queries import CountedQueries, heard
from kb_service.app import create_app
from kb_service.observability import configure_logging
from kb_service.settings import Settings


def main() -> None:
    settings = Settings(data=Path(sys.argv[1]))
    configure_logging(settings)
    with heard():
        uvicorn.run(
            CountedQueries(create_app(settings)), host="127.0.0.1", port=settings.port, log_level="warning"
        )


if __name__ == "__main__":
    main()
