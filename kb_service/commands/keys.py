"""`kb keys ...`: by which programs call the API."""

from __future__ import annotations

from typing import Annotated

import typer

from kb_service.commands.opening import workbench
from kb_service.commands.options import Json
from kb_service.commands.printing import print_json

keys = typer.Typer(help="API keys.", no_args_is_help=True)


@keys.command("create")
def create_key(
    workspace: Annotated[str, typer.Option("--workspace", "-w", help="The shop.")],
    role: Annotated[str, typer.Option(help="Some of bot, agent, product, editor, admin; commas between.")],
    label: Annotated[str, typer.Option(help="Whose key it is.")] = "",
    as_json: Json = False,
) -> None:
    """Create a key; it is shown once."""
    with workbench() as bench:
        secret, key = bench.create_key(workspace, role, label)
    if as_json:
        print_json({"key": secret, "id": key.id, "roles": sorted(key.roles)})
    else:
        typer.echo(secret)
        roles = ", ".join(sorted(key.roles))
        typer.secho(f"Key {key.id} for {workspace} ({roles}). It is not shown again.", err=True)


@keys.command("list")
def list_keys(
    workspace: Annotated[str, typer.Option("--workspace", "-w", help="The shop.")], as_json: Json = False
) -> None:
    """List a shop's keys, without their secrets."""
    with workbench() as bench:
        found = bench.keys(workspace)
    if as_json:
        print_json(found)
    else:
        for key in found:
            state = "revoked" if key.revoked_at else "valid"
            typer.echo(f"{key.id}  {key.prefix}…  {state:7}  {', '.join(sorted(key.roles))}  {key.label}")


@keys.command("revoke")
def revoke_key(key: Annotated[str, typer.Argument(help="The key's id.")], as_json: Json = False) -> None:
    """Revoke a key; it is dead everywhere within five seconds."""
    with workbench() as bench:
        bench.revoke_key(key)
    print_json({"id": key, "revoked": True}) if as_json else typer.echo(f"key {key} revoked")
