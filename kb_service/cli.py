"""`kb ...`: the command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from kb_service.commands.backups import backup, restore
from kb_service.commands.calibrations import calibrations
from kb_service.commands.encoder import encoder
from kb_service.commands.keys import keys
from kb_service.commands.learning import learning
from kb_service.commands.members import link_url, members
from kb_service.commands.opening import settings, workbench
from kb_service.commands.options import InWorkspace, Json
from kb_service.commands.printing import print_json, progress
from kb_service.commands.priority import priority
from kb_service.commands.replay import replay
from kb_service.commands.workspaces import workspaces

if TYPE_CHECKING:
    from kb_service.models import IngestReport
    from kb_service.settings import Settings

app = typer.Typer(
    name="kb",
    help="The knowledge service behind every support reply of an online shop.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(workspaces, name="workspaces")
app.add_typer(keys, name="keys")
app.add_typer(members, name="members")
app.add_typer(encoder, name="encoder")
app.add_typer(calibrations, name="calibrations")
app.add_typer(learning, name="learning")
app.add_typer(priority, name="priority")
app.command()(replay)
app.command()(backup)
app.command()(restore)

DEMO = "demo"


def main() -> None:
    """Exit status 0, 1 when something failed, 2 when the command was used wrongly."""
    from graph.errors import GraphError
    from ingest.errors import IngestError
    from kb_service.errors import Conflict, InvalidRequest, NotFound, ServiceError

    try:
        app()
    except (InvalidRequest, NotFound, Conflict) as error:
        fail(str(error), status=2)
    except (ServiceError, IngestError, GraphError) as error:
        fail(str(error), status=1)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), status=1)
    except Exception as error:
        if (fault := store_fault(error)) is None:
            raise
        fail(f"the store failed ({fault}); `kb doctor` looks closer", status=1)


def fail(message: str, *, status: int) -> NoReturn:
    typer.secho(f"kb: {message}", err=True, fg="red")
    sys.exit(status)


def store_fault(error: Exception) -> str | None:
    """The database's own words, when an error comes from there; told without importing its library."""
    if type(error).__module__.partition(".")[0] in ("sqlalchemy", "sqlite3", "psycopg"):
        return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    return str(error) if type(error).__name__ == "NewerStore" else None


# --- serving


@app.command()
def serve() -> None:
    """Serve every workspace over HTTP at KB_HOST and KB_PORT."""
    run_server(settings())


def run_server(chosen: Settings) -> None:
    """Serve until told to stop. The server's own exit status, as when the port is taken, becomes 1."""
    # What a start imports and loads is there to stay: looking for garbage in it takes a fifth of the time. `serve`
    # collects again once the workspaces are loaded.
    gc.disable()
    try:
        from kb_service.serving import serve as run
        from kb_service.settings import prepare_data

        prepare_data(chosen)
        _show_first_links(chosen)
        run(chosen)
    except SystemExit as ended:
        if ended.code:
            fail(f"the server at {chosen.host}:{chosen.port} did not start; the log above says why", status=1)
        raise
    finally:
        gc.enable()


def _show_first_links(chosen: Settings) -> None:
    """Where nobody can sign in to the console yet, a one-time link for whoever started the service."""
    from kb_service.accounts import Accounts
    from kb_service.commands.workbench import open_workbench

    with open_workbench(chosen) as bench:
        for workspace in bench.workspaces():
            token = Accounts(bench.store).first_link(workspace.id)
            if token is not None:
                typer.echo(f"Console of `{workspace.id}`, first sign-in: {link_url(chosen, token)}")


@app.command()
def demo(
    sample: Annotated[Path, typer.Option(help="The folder of the sample shop.")] = Path("sample_kb"),
    fill_only: Annotated[
        bool, typer.Option("--fill-only", help="Fill the workspace without serving.")
    ] = False,
) -> None:
    """Fill the workspace `demo` from the sample shop and serve it."""
    from kb_service.commands.sample import fill, missing

    if lacking := missing(sample):
        fail(f"--sample: there is no {lacking}; run this in a clone of the project", status=2)
    chosen = settings()
    with workbench(parsing=True) as bench, progress() as shown:
        welcome = fill(bench, DEMO, sample, shown)
    for problem in welcome.report.problems:
        typer.secho(f"not read: {problem.path}: {problem.message}", err=True)
    typer.echo(welcome.text(chosen))
    if not fill_only:
        run_server(chosen)


# --- knowledge


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.", exists=True)],
    workspace: InWorkspace = None,
    as_json: Json = False,
) -> None:
    """Bring a workspace in line with files and folders: new, changed and removed ones."""
    with workbench(parsing=True) as bench:
        shop = bench.chosen(workspace)
        if as_json:
            report = bench.services.knowledge.ingest(shop, paths)
        else:
            with progress() as shown:
                report = bench.services.knowledge.ingest(shop, paths, progress=shown)
    if as_json:
        print_json(report)
    else:
        typer.echo(summary(report))
    if report.problems:
        raise typer.Exit(1)


def summary(report: IngestReport) -> str:
    lines = [
        f"{report.files} files ({report.files_unchanged} unchanged): {report.created} documents created, "
        f"{report.updated} updated, {report.unchanged} unchanged, {report.removed} removed; "
        f"{report.passages} passages embedded"
    ]
    lines += [f"  not read: {problem.path}: {problem.message}" for problem in report.problems]
    return "\n".join(lines)


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="What to look for.")],
    workspace: InWorkspace = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 5,
    as_json: Json = False,
) -> None:
    """Search a workspace's passages."""
    from kb_service.errors import InvalidRequest
    from kb_service.models import Scope

    if not text.strip():
        raise InvalidRequest.of("TEXT", "is empty; say what to look for")
    everything = Scope(audiences=("public", "internal"))
    with workbench() as bench:
        shop = bench.chosen(workspace)
        hits = bench.services.answering.search(shop, text, everything, limit)
    if as_json:
        print_json(hits)
        return
    if not hits:
        typer.secho("nothing found", err=True)
    for hit in hits:
        place = " › ".join(dict.fromkeys((hit.title, *hit.section)))
        typer.secho(f"{hit.score:.3f}  {place}  ({hit.external_id})", bold=True)
        typer.echo("       " + " ".join(hit.text.split())[:200])


@app.command("eval")
def evaluate(
    questions: Annotated[
        Path, typer.Argument(help="Judged questions, one JSON object a line.", exists=True, dir_okay=False)
    ],
    workspace: InWorkspace = None,
    split: Annotated[str, typer.Option(help="Only questions of this split; empty for all.")] = "report",
    fit: Annotated[
        bool,
        typer.Option("--fit", help="First fit fusion and confidence on the split `calibrate`, for this run."),
    ] = False,
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate",
            help="Fit on the split `calibrate`, or on half where no split is named; judge on the rest; keep it.",
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Keep it whatever the figures say.")] = False,
    as_json: Json = False,
) -> None:
    """Retrieval and answer quality on judged questions, as tables."""
    from kb_service.errors import InvalidRequest
    from kb_service.judging.judging import calibrate_file, judge_file

    if force and not calibrate:
        raise InvalidRequest.of("--force", "goes with --calibrate only")
    if fit and calibrate:
        raise InvalidRequest.of("--fit", "is part of --calibrate")
    with workbench() as bench:
        shop = bench.chosen(workspace)
        if calibrate:
            outcome = calibrate_file(bench.services, shop, questions, force=force)
            print_json(outcome.figures()) if as_json else typer.echo(outcome.text())
            if outcome.id is None:
                raise typer.Exit(1)
            return
        report = judge_file(bench.services, shop, questions, split=split, fit=fit)
    if as_json:
        print_json(report.figures())
    else:
        typer.echo(report.text())


# --- administration


@app.command("settings")
def show_settings(as_json: Json = False) -> None:
    """Every setting, its value, and where the value comes from."""
    from kb_service.settings import origins

    rows = origins(settings())
    if as_json:
        print_json(rows)
        return
    width = max(len(row["name"] or "") for row in rows)
    for row in rows:
        value = "(unset)" if row["value"] is None else row["value"]
        typer.echo(f"{row['name']:{width}}  {value}  ({row['origin']})")


@app.command()
def rebuild(
    workspace: Annotated[
        str | None, typer.Option("--workspace", "-w", help="The shop; all if omitted.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Embed what the present model has not, and discard the indexes: the next start makes them anew."""
    from kb_service.commands.workbench import discard_derived
    from kb_service.replicas.reembedding import embed_all

    with workbench() as bench, progress() as shown:
        if workspace is not None:
            bench.require(workspace)
        chosen = [workspace] if workspace is not None else [item.id for item in bench.workspaces()]
        embedded = {name: embed_all(bench.store, bench.services.encoder, name, shown) for name in chosen}
    discarded = discard_derived(bench.settings, workspace)
    if as_json:
        print_json({"embedded": embedded, "discarded": discarded})
        return
    for name in chosen:
        typer.echo(
            f"{name}: {embedded[name]} passages embedded" + ", indexes discarded" * (name in discarded)
        )


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check settings, store, encoder and indexes, and say what to do about what is wrong."""
    from kb_service.commands.doctor import examine

    findings = examine(settings())
    if as_json:
        print_json(findings)
    else:
        for finding in findings:
            mark = "ok  " if finding.ok else "FAIL"
            typer.echo(f"{mark}  {finding.name}: {finding.detail}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


if __name__ == "__main__":
    main()
