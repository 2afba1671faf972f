"""Checks an installation from the outside in, and says what to do about what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ingest.embedding import load_embedder
from kb_service.search.snapshots import CorruptGeneration
from kb_service.search.snapshots import read as read_generation
from kb_service.settings import Settings
from kb_service.store import Store


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `detail` names the remedy when it is not as it should be."""

    name: str
    ok: bool
    detail: str


def examine(settings: Settings) -> list[Finding]:
    """Every finding; a failed check never hides the next."""
    checks: list[tuple[str, Callable[[Settings], str]]] = [
        ("data folder", _data),
        ("store", _store),
        ("encoder", _encoder),
        ("indexes", _indexes),
    ]
    return [_finding(name, check, settings) for name, check in checks]


def _finding(name: str, check: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(name, True, check(settings))
    except Exception as error:
        return Finding(name, False, str(error))


def _data(settings: Settings) -> str:
    settings.data.mkdir(parents=True, exist_ok=True)
    probe = settings.data / ".probe"
    probe.write_bytes(b"kb")
    probe.unlink()
    return f"{settings.data.resolve()} can be written"


def _store(settings: Settings) -> str:
    store = Store(settings.store_url)
    try:
        store.migrate()
        store.ping()
        with store.administration(writing=False) as unit:
            found = unit.workspaces.list()
        return f"{store.dialect}, {len(found)} workspace(s): {', '.join(item.id for item in found) or 'none yet'}"
    finally:
        store.close()


def _encoder(settings: Settings) -> str:
    embedder = load_embedder(settings.embedding_model, threads=settings.encoder_threads)
    vectors = embedder.embed_queries(["How do I return a parcel?"])
    return f"{embedder.model_id}, {vectors.shape[1]} dimensions"


def _indexes(settings: Settings) -> str:
    folder = settings.data / "derived"
    good, damaged = [], []
    for place in sorted(folder.iterdir()) if folder.is_dir() else []:
        try:
            generation = read_generation(place / "index")
            good.append(f"{place.name} at {generation.description.position}")
        except CorruptGeneration as damage:
            damaged.append(f"{place.name}: {damage}")
    if damaged:
        # Not an error: the next start makes them anew from the store.
        return "will be made anew at the next start: " + "; ".join(damaged)
    return ", ".join(good) or "none yet; the first start makes them"
