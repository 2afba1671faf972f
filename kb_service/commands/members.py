"""`kb members ...`: who may open the console, and the one-time links by which they sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kb_service.commands.opening import settings, workbench
from kb_service.commands.options import InWorkspace, Json
from kb_service.commands.printing import print_json

if TYPE_CHECKING:
    from kb_service.settings import Settings

members = typer.Typer(help="People who use the console.", no_args_is_help=True)


@members.command("list")
def list_members(workspace: InWorkspace = None, as_json: Json = False) -> None:
    """List who may sign in."""
    with workbench() as bench:
        found = bench.members(bench.chosen(workspace))
    if as_json:
        print_json(found)
        return
    if not found:
        typer.secho("nobody yet; `kb members link` makes the administrator's link", err=True)
    for member in found:
        state = "left" if member.ended_at else "here"
        roles = ", ".join([*sorted(member.roles), *["operator"] * member.operator])
        typer.echo(f"{member.id}  {state}  {roles}  {member.name}")


@members.command("invite")
def invite(
    name: Annotated[str, typer.Argument(help="Their name, as colleagues will see it.")],
    role: Annotated[str, typer.Option(help="Some of bot, agent, product, editor, admin; commas between.")],
    workspace: InWorkspace = None,
    agent: Annotated[str | None, typer.Option(help="The agent that they are, by id.")] = None,
    operator: Annotated[
        bool, typer.Option("--operator", help="They open workspaces for this installation.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a member and their one-time link."""
    with workbench() as bench:
        member, token = bench.invite(bench.chosen(workspace), name, role, agent, operator=operator)
    url = link_url(settings(), token)
    if as_json:
        print_json({"id": member.id, "link": url})
    else:
        typer.echo(url)
        typer.secho(f"For {member.name} ({member.id}). It works once, within a day.", err=True)


@members.command("link")
def link(
    workspace: InWorkspace = None,
    member: Annotated[
        str | None, typer.Option(help="Whose link, by id; without it the first administrator's.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a new one-time link; earlier ones for the same member end."""
    with workbench() as bench:
        token = bench.sign_in_link(bench.chosen(workspace), member)
    url = link_url(settings(), token)
    print_json({"link": url}) if as_json else typer.echo(url)


@members.command("operator")
def operator(
    member: Annotated[str, typer.Argument(help="The member's id.")],
    workspace: InWorkspace = None,
    take_back: Annotated[bool, typer.Option("--take-back", help="They are an operator no more.")] = False,
    as_json: Json = False,
) -> None:
    """Let a member open workspaces for this installation."""
    with workbench() as bench:
        changed = bench.make_operator(bench.chosen(workspace), member, operator=not take_back)
    if as_json:
        print_json({"id": changed.id, "operator": changed.operator})
    else:
        typer.echo(f"{changed.name} {'may' if changed.operator else 'may no more'} open workspaces")


@members.command("end")
def end(
    member: Annotated[str, typer.Argument(help="The member's id.")],
    workspace: InWorkspace = None,
    as_json: Json = False,
) -> None:
    """End a membership, with its sessions."""
    with workbench() as bench:
        bench.end_membership(bench.chosen(workspace), member)
    print_json({"id": member, "ended": True}) if as_json else typer.echo(f"{member} may sign in no more")


def link_url(chosen: Settings, token: str) -> str:
    """Where a one-time link leads."""
    return f"http://{chosen.host}:{chosen.port}/console/sign-in?token={token}"
