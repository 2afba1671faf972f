"""`kb calibrations ...`: what was fitted for a shop, fitting on verdicts, and going back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from kb_service.commands.opening import workbench
from kb_service.commands.options import InWorkspace, Json
from kb_service.commands.printing import print_json

calibrations = typer.Typer(help="A shop's own calibrations.", no_args_is_help=True)

VERDICTS = {
    "better": "the confidence foretells the latest verdicts better than before",
    "no_better": "the confidence in force foretells the latest verdicts no worse",
    "too_few": "too few verdicts to move the confidence",
}


@calibrations.command("list")
def list_calibrations(workspace: InWorkspace = None, as_json: Json = False) -> None:
    """List what was fitted for a shop and the present model, the one in force first."""
    with workbench() as bench:
        found = bench.services.calibrating.history(bench.chosen(workspace))
    if as_json:
        print_json(
            [{name: value for name, value in asdict(item).items() if name != "constants"} for item in found]
        )
        return
    if not found:
        typer.secho("the shipped calibration is in force", err=True)
    for item in found:
        typer.echo(f"{item.id}  {item.fitted_at:%Y-%m-%d %H:%M}  {item.kind:9}  {item.source}")


@calibrations.command("fit")
def fit_calibration(workspace: InWorkspace = None, as_json: Json = False) -> None:
    """Fit confidence on reviews and feedback now, as is done each night."""
    with workbench() as bench:
        found, stored = bench.services.calibrating.by_verdicts(bench.chosen(workspace))
    told = {
        "id": stored,
        "reason": found.reason,
        **found.counts,
        "before": found.before,
        "after": found.after,
    }
    if as_json:
        print_json(told)
        return
    counted = f"{found.counts['reviews']} reviews, {found.counts['feedback']} answers with feedback"
    outcome = f"stored as {stored}" if stored else "nothing changes"
    typer.echo(f"{counted}: {VERDICTS[found.reason]}; {outcome}")


@calibrations.command("rollback")
def roll_calibration_back(
    to: Annotated[str, typer.Argument(help="The id of an earlier calibration, or `shipped`.")],
    workspace: InWorkspace = None,
    as_json: Json = False,
) -> None:
    """Bring an earlier calibration back into force; it is kept as a new entry."""
    with workbench() as bench:
        stored = bench.services.calibrating.roll_back(bench.chosen(workspace), to)
    print_json({"id": stored.id, "to": to}) if as_json else typer.echo(f"{stored.id}: back to {to}")
