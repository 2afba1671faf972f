"""`kb workspaces ...`: the shops of an installation."""

from __future__ import annotations

from typing import Annotated

import typer

from kb_service.commands.opening import workbench
from kb_service.commands.options import Json
from kb_service.commands.printing import print_json

workspaces = typer.Typer(help="Shops.", no_args_is_help=True)


@workspaces.command("create")
def create_workspace(
    name: Annotated[str, typer.Argument(help="Letters, digits, - and _.")], as_json: Json = False
) -> None:
    """Create a shop."""
    with workbench() as bench:
        created = bench.create_workspace(name)
    print_json(created) if as_json else typer.echo(f"workspace {created.id} created")


@workspaces.command("list")
def list_workspaces(as_json: Json = False) -> None:
    """List the shops."""
    with workbench() as bench:
        found = bench.workspaces()
    if as_json:
        print_json(found)
    else:
        for item in found:
            typer.echo(item.id)
