"""`kb learning ...`: what feedback moved in the ranking, and taking it back."""

from __future__ import annotations

from typing import Annotated

import typer

from kb_service.commands.opening import workbench
from kb_service.commands.options import InWorkspace, Json
from kb_service.commands.printing import print_json

learning = typer.Typer(help="What feedback moved in the ranking.", no_args_is_help=True)


@learning.command("list")
def list_moves(
    workspace: InWorkspace = None,
    cursor: Annotated[str | None, typer.Option(help="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    as_json: Json = False,
) -> None:
    """List what was moved and taken back, the newest first."""
    with workbench() as bench:
        page = bench.services.learning.moves(bench.chosen(workspace), cursor, limit)
    if as_json:
        print_json(page)
        return
    if not page.items:
        typer.secho("feedback has moved nothing", err=True)
    for move in page.items:
        told = f"by {move.agents} agents, {move.customers} customers"
        told = told if move.withdraws is None else f"takes back {move.withdraws}"
        typer.echo(
            f"{move.id}  {move.at:%Y-%m-%d %H:%M}  {move.kind:8}  {move.step:+.2f} to {move.boost:.2f}  "
            f"{move.external_id} for {move.scope} {move.subject_id}  {told}"
        )
    if page.next_cursor is not None:
        typer.secho(f"more: --cursor {page.next_cursor}", err=True)


@learning.command("revert")
def revert_move(
    move: Annotated[str, typer.Argument(help="The id of a move.")],
    workspace: InWorkspace = None,
    as_json: Json = False,
) -> None:
    """Take a move back; what it rests on moves nothing any more."""
    with workbench() as bench:
        entry = bench.services.learning.revert(bench.chosen(workspace), move)
    if as_json:
        print_json(entry)
    else:
        typer.echo(f"{entry.id}: {move} is taken back; the boost is {entry.boost:.2f}")
