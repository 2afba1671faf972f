"""Checks an installation from the outside in, and says what to do about what is wrong."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from kb_service.delivery.addresses import parse_networks
from kb_service.delivery.smtp import SmtpMail
from kb_service.encoders import open_encoder
from kb_service.search.snapshots import CorruptGeneration
from kb_service.search.snapshots import read as read_generation
from kb_service.settings import Settings, misspelt, prepare_data
from kb_service.store import Store

LEAST_FREE_GB = 0.5
"""Free space below which writing is likely to fail before long."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `detail` names the remedy when it is not as it should be."""

    name: str
    ok: bool
    detail: str


def examine(settings: Settings) -> list[Finding]:
    """Every finding; a failed check never hides the next."""
    checks: list[tuple[str, Callable[[Settings], str]]] = [
        ("settings", _settings),
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
        # A database's own words lie under its library's, which adds statements and links.
        return Finding(name, False, str(getattr(error, "orig", None) or error).strip())


def _settings(settings: Settings) -> str:
    wrong = [
        f"{name} is not a setting, did you mean {meant}?" for name, meant in misspelt(os.environ).items()
    ]
    if wrong:
        raise ValueError("; ".join(wrong))
    parse_networks(settings.webhook_allow)
    if settings.smtp_url is not None and settings.mail_from is not None:
        SmtpMail(settings.smtp_url, settings.mail_from)
    elif settings.smtp_url is not None or settings.mail_from is not None:
        raise ValueError("KB_SMTP_URL and KB_MAIL_FROM go together: without both no digest is sent")
    return "`kb settings` shows each with its origin"


def _data(settings: Settings) -> str:
    folder = prepare_data(settings)
    probe = folder / f".probe-{os.getpid()}"
    probe.write_bytes(b"kb")
    probe.unlink()
    free = shutil.disk_usage(folder).free / 2**30
    if free < LEAST_FREE_GB:
        raise OSError(
            f"{folder.resolve()} has {free:.1f} GB free; make room or set KB_DATA to another folder"
        )
    return f"{folder.resolve()} can be written, {free:.0f} GB free"


def _store(settings: Settings) -> str:
    store = Store(settings.store_url)
    try:
        store.migrate()
        store.ping()
        with store.administration(writing=False) as unit:
            found = unit.workspaces.list()
        names = ", ".join(item.id for item in found) or "none yet"
        return f"{store.dialect}, {len(found)} workspace(s): {names}"
    finally:
        store.close()


def _encoder(settings: Settings) -> str:
    embedder = open_encoder(settings)
    vectors = embedder.embed_queries(["How do I return a parcel?"])
    return f"{embedder.model_id}, {vectors.shape[1]} dimensions"


def _indexes(settings: Settings) -> str:
    folder = settings.data / "derived"
    good, damaged = [], []
    places = [place for place in folder.iterdir() if place.is_dir()] if folder.is_dir() else []
    for place in sorted(places):
        try:
            generation = read_generation(place / "index")
            good.append(f"{place.name} at {generation.description.position}")
        except CorruptGeneration as damage:
            damaged.append(f"{place.name}: {damage}")
    if damaged:
        # Not an error: the next start makes them anew from the store.
        return "will be made anew at the next start: " + "; ".join(damaged)
    return ", ".join(good) or "none yet; the first start makes them"
