"""`kb priority ...`: the points of each factor, what escalations teach, and putting that in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kb_service.commands.opening import workbench
from kb_service.commands.options import InWorkspace, Json
from kb_service.commands.printing import print_json

if TYPE_CHECKING:
    from kb_service.store import StoredWeights

priority = typer.Typer(help="The weights of the priority.", no_args_is_help=True)

REASONS = {
    "better": "they foretell later escalations better than the present ones",
    "no_better": "they are not proven to foretell later escalations better than the present ones",
}


@priority.command("show")
def show_weights(workspace: InWorkspace = None, as_json: Json = False) -> None:
    """Show the points in force, and what was proposed, applied and taken back, the newest first."""
    with workbench() as bench:
        shop = bench.chosen(workspace)
        present = bench.services.prioritising.in_force(shop)
        entries = bench.services.prioritising.history(shop)
    if as_json:
        print_json({"in_force": present, "entries": [asdict(entry) for entry in entries]})
        return
    typer.echo(f"in force: {_points(present)}")
    for entry in entries:
        typer.echo(f"{entry.id}  {entry.at:%Y-%m-%d %H:%M}  {entry.kind:11}  {entry.actor}  {_told(entry)}")


@priority.command("learn")
def learn_weights(
    workspace: InWorkspace = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Store a proposal that is not proven better, too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Learn from escalations now, as is done each night; what proves better is stored as a proposal."""
    from kb_service.priority.prioritising import evidence

    with workbench() as bench:
        lesson = bench.services.prioritising.learn(bench.chosen(workspace), keep=keep)
    stored = lesson.proposal.id if lesson.proposal is not None else None
    if as_json:
        print_json({"id": stored, "weights": dict(lesson.learned.weights), **evidence(lesson)})
        return
    for line in _lesson(evidence(lesson), lesson.learned.weights):
        typer.echo(line)
    typer.echo(
        f"stored as {stored}; `kb priority apply {stored}` puts it in force" if stored else "nothing changes"
    )


@priority.command("apply")
def apply_weights(
    proposal: Annotated[str, typer.Argument(help="The id of a proposal.")],
    workspace: InWorkspace = None,
    as_json: Json = False,
) -> None:
    """Put a proposal's points into the shop's rules."""
    with workbench() as bench:
        entry = bench.services.prioritising.apply(bench.chosen(workspace), proposal)
    print_json(entry) if as_json else typer.echo(f"{entry.id}: in force are {_points(entry.weights)}")


@priority.command("rollback")
def roll_weights_back(workspace: InWorkspace = None, as_json: Json = False) -> None:
    """Take the last application back; the rules say again what they said before."""
    with workbench() as bench:
        shop = bench.chosen(workspace)
        entry = bench.services.prioritising.roll_back(shop)
        present = bench.services.prioritising.in_force(shop)
    print_json(entry) if as_json else typer.echo(f"{entry.id}: in force are {_points(present)}")


def _points(weights: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {points:g}" for name, points in weights.items())


def _told(entry: StoredWeights) -> str:
    if entry.kind != "proposed":
        return f"of {entry.of_id}"
    later = entry.evidence
    return f"AUROC {later['before']['auroc']:.3f} to {later['after']['auroc']:.3f}; {_points(entry.weights)}"


def _lesson(told: Mapping[str, Any], weights: Mapping[str, float]) -> list[str]:
    """What was learned, line by line."""
    from graph.priority_learning import LEAST_ESCALATIONS, LEAST_LATER

    counted = ", ".join(f"{kind} {count}" for kind, count in told["kinds"].items()) or "none"
    lines = [f"{told['cases']} contacts, {told['escalations']} escalated ({counted})"]
    if told["reason"] == "not_enough":
        return [
            *lines,
            f"not enough: it takes {LEAST_ESCALATIONS}, {LEAST_LATER} of them among the latest 30%",
        ]
    low, high = told["gain"]
    return [
        *lines,
        f"proposed: {_points(weights)}",
        f"on the {told['later']} contacts from {told['split_at'][:10]} on, by weights learned before: AUROC "
        f"{told['before']['auroc']:.3f} to {told['after']['auroc']:.3f} (gain {low:+.3f} to {high:+.3f}), log-loss "
        f"{told['before']['log_loss']:.3f} to {told['after']['log_loss']:.3f}: {REASONS[told['reason']]}",
    ]
