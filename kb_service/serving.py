"""Runs the application: one process, a graceful stop."""

from __future__ import annotations

import gc
import sys
import threading

import uvicorn

from kb_service.app import create_app
from kb_service.backups.occupancy import occupied
from kb_service.observability import configure_logging
from kb_service.replicas.replicas import Replicas
from kb_service.settings import Settings, prepare_data

GRACE_SECONDS = 20
"""How long requests in flight may take to end after the signal to stop."""
SWITCH_SECONDS = 0.001
"""How long a thread may compute while others wait to go on. A write comes back from the database dozens of
times; at the interpreter's own 5 ms each time, a few busy readers would hold it up for seconds."""
LONGEST_START_SECONDS = 60
"""How long garbage may go uncollected while workspaces are loaded."""


def serve(settings: Settings) -> None:
    """Serve until a signal says stop; requests in flight are answered first."""
    configure_logging(settings)
    sys.setswitchinterval(SWITCH_SECONDS)
    with occupied(prepare_data(settings)):
        app = create_app(settings)
        threading.Thread(
            target=collect_once_loaded, args=(app.state.services.replicas,), name="garbage", daemon=True
        ).start()
        uvicorn.run(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            timeout_graceful_shutdown=GRACE_SECONDS,
            backlog=2048,
        )


def collect_once_loaded(replicas: Replicas) -> None:
    """Let garbage be collected, as it is not during a start, when the workspaces are loaded or that takes too long.

    What is there by then is never looked through again: of a large shop each look would stop all threads for half a
    second.
    """
    replicas.first_load.wait(LONGEST_START_SECONDS)
    gc.freeze()
    gc.enable()
