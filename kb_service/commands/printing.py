"""What commands print beside their words: JSON for programs, and how far a long one is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer


@contextmanager
def progress() -> Iterator[Any]:
    """A callback (done, in all, now) that draws a bar on a terminal and keeps quiet elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description:40.40}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def shown(done: int, total: int, now: str) -> None:
            bar.update(task, completed=done, total=total, description=now)

        yield shown


def print_json(value: Any) -> None:
    from kb_service.encoding import to_json

    typer.echo(to_json(value))
