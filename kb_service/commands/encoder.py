"""`kb encoder ...`: which encoder is in force, and how its Chinese is built, adapted and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from kb_service.commands.opening import settings
from kb_service.commands.options import Json
from kb_service.commands.printing import print_json, progress

if TYPE_CHECKING:
    from ingest.adapting import Adaptation
    from ingest.lexicon import Lexicon
    from ingest.lexicon_building import BuildReport
    from ingest.row_tuning import Progress
    from kb_service.settings import Settings

T = TypeVar("T")

encoder = typer.Typer(help="The encoder.", no_args_is_help=True)

_RESTART = "servers read with it from their next start on, and embed anew in the background"


@encoder.command()
def export() -> None:
    """Make the export of the packaged encoder that serving runs on, once per installation."""
    from ingest.embedding import ensure_export

    typer.echo(f"encoder exported to {ensure_export()}")


@encoder.command()
def show(as_json: Json = False) -> None:
    """Which encoder is in force, the languages it reads, and where its Chinese comes from."""
    from ingest.bilingual import BilingualEmbedder
    from kb_service.encoders import Lexicons, open_encoder

    chosen = settings()
    embedder = open_encoder(chosen)
    told: dict[str, Any] = {
        "model": embedder.model_id,
        "setting": chosen.embedding_model,
        "dimension": embedder.dimension,
        "languages": sorted(embedder.reads),
        "lexicon": None,
    }
    if isinstance(embedder, BilingualEmbedder):
        history = Lexicons(chosen.data).history()
        told["lexicon"] = {
            "digest": embedder.lexicon.digest,
            "origin": history[-1].origin if history else "shipped",
            "words": len(embedder.lexicon.numbers),
            "sources": embedder.lexicon.about.get("sources", []),
            "before_it": [item.digest for item in history[-2::-1]] + ["shipped"] * bool(history),
        }
    if as_json:
        print_json(told)
        return
    typer.echo(f"{told['model']}: {told['dimension']} dimensions, reads {', '.join(told['languages'])}")
    if held := told["lexicon"]:
        typer.echo(
            f"lexicon {held['digest'][:12]}, {held['origin']}, {held['words']:,} Chinese words, made from"
        )
        for source in held["sources"] or ["sources that it does not name"]:
            typer.echo(f"  {source}")
        if held["before_it"]:
            typer.echo(f"`kb encoder rollback` goes back to {held['before_it'][0][:12]}")


@encoder.command()
def build(
    dictionary: Annotated[
        Path,
        typer.Option(
            "--dictionary", help="A dictionary in CEDICT's format, .gz or not.", exists=True, dir_okay=False
        ),
    ],
    pairs: Annotated[
        list[Path],
        typer.Option(
            "--pairs", help="Chinese, a tab, English on each line, .gz or not.", exists=True, dir_okay=False
        ),
    ],
    words: Annotated[
        Path | None,
        typer.Option(
            "--words",
            help="Words whose English is settled: a word, a tab, its English.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option("--source", help="Where an input is from, with its licence.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the lexicon here; else it comes into force.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a lexicon, by which the packaged encoder reads Chinese, from a dictionary and translated sentences."""
    import time

    from ingest import glossing, lexicon_building
    from kb_service.encoders import open_english
    from kb_service.errors import InvalidRequest

    chosen = settings()
    begun = time.monotonic()
    given = _read("--words", words, glossing.given) if words is not None else None
    sentences = [pair for file in pairs for pair in _read("--pairs", file, lexicon_building.read_pairs)]
    try:
        with _lines(dictionary) as lines, _progress() as shown:
            lexicon, report = lexicon_building.build(
                lines, sentences, open_english(chosen), given=given, sources=source or (), progress=shown
            )
    except ValueError as error:
        raise InvalidRequest.of("kb encoder build", "{reason}", reason=str(error)) from None
    told = {
        **report.as_dict(),
        "digest": lexicon.digest,
        "seconds": round(time.monotonic() - begun),
        **_kept(chosen, lexicon, report, out),
    }
    print_json(told) if as_json else typer.echo(_build_text(told))


@encoder.command()
def adapt(
    pairs: Annotated[
        Path,
        typer.Argument(
            help='JSON lines: {"a", "b", "label"} with 1 for the same question, or {"query", "document"}.',
            exists=True,
            dir_okay=False,
        ),
    ],
    as_json: Json = False,
) -> None:
    """Tune how Chinese is read to a shop's own pairs. Comes into force only if held-out pairs improve."""
    from ingest import adapting, lexicon
    from kb_service.encoders import BILINGUAL, Lexicons, open_english
    from kb_service.errors import InvalidRequest

    chosen = settings()
    if chosen.embedding_model != BILINGUAL:
        raise InvalidRequest.of(
            "KB_EMBEDDING_MODEL",
            "only `packaged` can be adapted; it is {model}",
            model=chosen.embedding_model,
        )
    lexicons = Lexicons(chosen.data)
    held = lexicon.load(lexicons.file() or lexicon.SHIPPED)
    questions = _read("PAIRS", pairs, adapting.read_pairs)
    try:
        with _progress() as shown:
            found = adapting.adapt(held, open_english(chosen), questions, progress=shown)
    except ValueError as error:
        raise InvalidRequest.of("PAIRS", "{reason}", reason=str(error)) from None
    told = {**found.figures(), "digest": found.lexicon.digest, "from": held.digest}
    if found.refusal is None:
        lexicons.take(found.lexicon, "adapted", datetime.now(UTC), found.figures())
    print_json(told) if as_json else typer.echo(_adaptation_text(found))
    if found.refusal is not None:
        raise typer.Exit(1)


@encoder.command()
def rollback(as_json: Json = False) -> None:
    """Go back to the lexicon that was in force before, in the end to the shipped one."""
    from kb_service.encoders import Lexicons

    before = Lexicons(settings().data).roll_back()
    if as_json:
        print_json({"lexicon": before.digest if before else "shipped"})
        return
    typer.echo(f"back to {f'lexicon {before.digest[:12]}' if before else 'the shipped lexicon'}; {_RESTART}")


# --- files and words


@contextmanager
def _lines(file: Path) -> Iterator[Iterator[str]]:
    """The lines of a text file, unpacked where its name ends in .gz."""
    import gzip

    opened: Any = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8") as lines:
        yield lines


def _read(option: str, file: Path, reader: Callable[[Iterable[str]], T]) -> T:
    """What a reader makes of a file. Raises InvalidRequest naming the file and the line."""
    from kb_service.errors import InvalidRequest

    try:
        with _lines(file) as lines:
            return reader(lines)
    except (ValueError, EOFError) as error:
        raise InvalidRequest.of(option, "{reason}", reason=f"{file}: {error}") from None


def _kept(chosen: Settings, lexicon: Lexicon, report: BuildReport, out: Path | None) -> dict[str, Any]:
    """Writes a lexicon where it belongs; where that is, and its size in bytes."""
    from kb_service.encoders import Lexicons

    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        lexicon.save(out)
    else:
        lexicons = Lexicons(chosen.data)
        lexicons.take(lexicon, "built", datetime.now(UTC), report.as_dict())
        out = lexicons.file()
    assert out is not None
    return {"file": str(out), "bytes": out.stat().st_size}


@contextmanager
def _progress() -> Iterator[Progress]:
    with progress() as bar:

        def shown(step: str, done: int, total: int, /) -> None:
            bar(done, total, step)

        yield shown


def _build_text(told: dict[str, Any]) -> str:
    rows = [f"{name:18}  {told['before'][name]:.3f}   {told['after'][name]:.3f}" for name in told["after"]]
    return "\n".join(
        [
            f"{told['entries']:,} dictionary entries, {told['words']:,} words with English, "
            f"{told['pairs']:,} sentence pairs",
            f"translations found first among {told['held_out']:,} held out: before tuning, after",
            *rows,
            f"{told['file']}: {told['bytes'] / 1e6:.1f} MB, {told['digest'][:12]}, {told['seconds']} s",
        ]
    )


def _adaptation_text(found: Adaptation) -> str:
    before, after = found.before, found.after
    rows = [("found first", before.found, after.found), ("control sentences", before.control, after.control)]
    if before.precision is not None and after.precision is not None:
        rows.insert(0, ("average precision", before.precision, after.precision))
    rows += [(f"pairs in {name}", before.slices[name], after.slices[name]) for name in before.slices]
    outcome = f"not used: {found.refusal}" if found.refusal else f"in force: {_RESTART}"
    return "\n".join(
        [
            f"{found.pairs:,} pairs taught, {found.held_out:,} held out: before, after",
            *(f"{name:18}  {was:.3f}   {now:.3f}" for name, was, now in rows),
            outcome,
        ]
    )
