"""`kb backup` and `kb restore`: the whole installation as one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kb_service.commands.opening import settings, workbench
from kb_service.commands.options import Json
from kb_service.commands.printing import print_json


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.", dir_okay=False)],
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Write a backup of every workspace, also while `kb serve` runs."""
    from datetime import UTC, datetime

    from kb_service.backups.making import make
    from kb_service.errors import Conflict

    if file.exists() and not force:
        raise Conflict("{file} is there already; name another file, or use --force.", file=str(file))
    with workbench() as bench:
        made = make(bench.store, bench.settings, file, datetime.now(UTC))
    if as_json:
        print_json(
            {
                "file": str(file),
                "bytes": made.bytes,
                "sha256": made.sha256,
                "revision": made.manifest.revision,
                "version": made.manifest.version,
            }
        )
    else:
        typer.echo(f"{file}: {made.bytes:,} bytes, read back whole, SHA-256 {made.sha256}")


def restore(
    file: Annotated[
        Path, typer.Argument(help="A file that `kb backup` or the console made.", dir_okay=False)
    ],
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Put it in the place of what is there. Files are kept aside; a database's tables are not.",
        ),
    ] = False,
    only_check: Annotated[
        bool,
        typer.Option("--check", help="Only say whether it is whole and could be restored; change nothing."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Put a backup into the data folder, or into the database that KB_DATABASE_URL names. Servers must be ended."""
    from datetime import UTC, datetime

    from kb_service.backups.restoring import examine
    from kb_service.backups.restoring import restore as put_back
    from kb_service.errors import InvalidRequest

    if only_check and force:
        raise InvalidRequest.of("--force", "does nothing with --check")
    if only_check:
        manifest, aside = examine(settings(), file), None
    else:
        restored = put_back(settings(), file, force=force, now=datetime.now(UTC))
        manifest, aside = restored.manifest, restored.aside
    if as_json:
        print_json(
            {
                "file": str(file),
                "made_at": manifest.made_at,
                "version": manifest.version,
                "restored": not only_check,
                "aside": str(aside) if aside else None,
            }
        )
    elif only_check:
        typer.echo(f"{file} is whole: made at {manifest.made_at} by version {manifest.version}")
    else:
        typer.echo(f"restored {file}, made at {manifest.made_at} by version {manifest.version}")
        if aside is not None:
            typer.echo(f"What was there lies in {aside}; remove it when you need it no more.")
        typer.echo("Customers who were erased since then are in it again: erase them once more.")
