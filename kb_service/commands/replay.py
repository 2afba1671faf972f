"""`kb replay`: the problems and alerts that a history of events would have given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from kb_service.commands.opening import settings, workbench
from kb_service.commands.options import Json
from kb_service.commands.printing import print_json, progress

if TYPE_CHECKING:
    from graph.rules import Rules
    from kb_service.recurring.replaying import Replayed
    from kb_service.recurring.scratch import Scratch
    from kb_service.wire.rules import RulesShape

SHOWN = 20
"""Problems and alerts in a table that nobody asked to be longer."""
ALONE = "replay"
"""The workspace of a history that belongs to no shop here."""
FAULTS = 10


def replay(
    events: Annotated[
        Path,
        typer.Argument(
            help="Events in order of arrival, one JSON object a line, gzip or plain.",
            exists=True,
            dir_okay=False,
        ),
    ],
    rules: Annotated[
        Path | None,
        typer.Option(
            help="A JSON object with the rules to try; what it leaves out stays.", exists=True, dir_okay=False
        ),
    ] = None,
    workspace: Annotated[
        str | None,
        typer.Option("--workspace", "-w", help="Take this shop's rules, intents, agents and documents."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help=f"Most problems and alerts to show; {SHOWN}, or all with --json."),
    ] = None,
    nights: Annotated[
        bool, typer.Option("--nights/--no-nights", help="Merge and split problems each night, as live.")
    ] = True,
    language: Annotated[Literal["en", "zh"], typer.Option(help="The language of names and evidence.")] = "en",
    as_json: Json = False,
) -> None:
    """Show the problems and alerts that a history would have given. Nothing in the data folder changes."""
    from kb_service.recurring.event_files import events_of, line_count
    from kb_service.recurring.replaying import replay as run

    chosen = settings()
    tried = _rules(rules)
    with _workspace(workspace) as into, progress() as shown:
        if tried is not None:
            _put_rules(into, tried.over(_present(into)))
        found = run(
            into,
            events_of(events, longest=chosen.max_line_bytes),
            nights=nights,
            lines=line_count(events),
            progress=None if as_json else shown,
        )
    if as_json:
        print_json(found.figures(limit))
    else:
        for line in _lines(found, limit or SHOWN, language):
            typer.echo(line)
    for fault in found.faults[:FAULTS]:
        typer.secho(f"line {fault.number}: {fault.message}", err=True, fg="yellow")
    if found.refused > FAULTS:
        typer.secho(f"... {found.refused - FAULTS} more lines that hold no event", err=True, fg="yellow")
    if found.refused and not found.events:
        raise typer.Exit(1)


@contextmanager
def _workspace(shop: str | None) -> Iterator[Scratch]:
    """A scratch workspace, with what a shop declared and wrote where one is named."""
    from kb_service.observability import configure_logging
    from kb_service.recurring.scratch import copy_shop, scratch

    if shop is None:
        configure_logging(settings().model_copy(update={"log_level": "warning"}))
        with scratch(settings(), ALONE) as into:
            yield into
        return
    with workbench() as bench:
        bench.require(shop)
        with scratch(bench.settings, shop) as into:
            with bench.store.reading(shop) as unit:
                copy_shop(unit, into)
            yield into


def _rules(path: Path | None) -> RulesShape | None:
    import json

    from pydantic import ValidationError

    from kb_service.errors import InvalidRequest
    from kb_service.problem_details import invalid
    from kb_service.wire.rules import RulesShape

    if path is None:
        return None
    try:
        return RulesShape.model_validate(json.loads(path.read_text("utf-8")))
    except ValidationError as error:
        raise invalid(error.errors()) from None
    except ValueError as error:
        raise InvalidRequest.of(path.name, "is not JSON: {reason}", reason=str(error)) from None


def _present(into: Scratch) -> Rules:
    with into.store.reading(into.workspace) as unit:
        return unit.rules.get()


def _put_rules(into: Scratch, rules: Rules) -> None:
    from graph.priority import check_weights

    check_weights(rules)
    with into.store.writing(into.workspace) as unit:
        unit.rules.put(rules)


def _lines(found: Replayed, limit: int, language: Literal["en", "zh"]) -> Iterator[str]:
    rate = found.events / found.seconds if found.seconds else 0.0
    span = f" from {found.begin:%Y-%m-%d %H:%M} to {found.end:%Y-%m-%d %H:%M}" if found.begin else ""
    yield f"{found.events} events{span}, {found.seconds:.1f} s ({rate:.0f}/s)"
    if found.duplicates or found.refused:
        yield f"{found.duplicates} were there already, {found.refused} lines hold no event"
    heard = len(found.problems) - found.candidates
    yield f"\n{heard} problems; {found.candidates} more of too few customers to be told of"
    yield f"  {'customers':>9} {'events':>7}  {'first':16}  {'last':16}  {'state':12}  name"
    for item in found.problems[:limit]:
        yield (
            f"  {item.customers:>9} {item.events:>7}  {item.opened_at:%Y-%m-%d %H:%M}  "
            f"{item.active_at:%Y-%m-%d %H:%M}  {item.state:12}  {_named(item.names, language) or item.id}"
        )
    names = {item.id: _named(item.names, language) for item in found.problems}
    yield f"\n{len(found.alerts)} alerts"
    for alert in found.alerts[:limit]:
        yield f"  {alert.opened_at:%Y-%m-%d %H:%M}  {alert.kind:10}  {names.get(alert.problem_id, '')}"
        yield f"  {'':16}  {'':10}  {_named(alert.evidence.words, language)}"
    if max(heard, len(found.alerts)) > limit:
        yield f"\nthe first {limit} of each; --limit shows more"


def _named(words: object, language: str) -> str:
    said = dict(words) if isinstance(words, dict) else {}
    return str(said.get(language) or next(iter(said.values()), ""))
