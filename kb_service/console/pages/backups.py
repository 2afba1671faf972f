"""Backups of the installation: which there are, making one, checking one, and carrying one away."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, Path, Request, Response
from starlette.responses import FileResponse, RedirectResponse

from kb_service.backups.shelf import Backup
from kb_service.console.guard import Guest, PageRoute, ShopZone
from kb_service.console.notices import done
from kb_service.console.rendering import language_of, page
from kb_service.routes.context import Wired, in_thread
from kb_service.wire.base import Text

HOME = "/console/administration/backups"
router = APIRouter(prefix=HOME, route_class=PageRoute, include_in_schema=False)
LATE = timedelta(days=2)
"""How old the newest may be before the page warns."""
Age: TypeAlias = tuple[int, Literal["min", "h", "days"]]
Name = Annotated[Text, Path(max_length=100)]


@router.get("")
async def shelf(request: Request, wired: Wired, guest: Guest, place: ShopZone) -> Response:
    if not await in_thread(wired, wired.backups.may_carry_away, guest):
        return page(request, "administration/backups.html", may=False)
    found = await in_thread(wired, wired.backups.shown, guest)
    now = wired.clock()
    progress = wired.backups.progress()
    newest = now - found[0].made_at if found else None
    return page(
        request,
        "administration/backups.html",
        may=True,
        backups=[(item, size(item.bytes), age(now - item.made_at)) for item in found],
        late=age(newest) if newest is not None and newest > LATE else None,
        progress=progress,
        failed=progress.failed.detail(language_of(request)) if progress.failed else None,
        folder=str(wired.backups.folder),
        kept=wired.backups.kept,
        nightly=wired.backups.nightly,
        newest=newest_sound(found),
        zone=place,
    )


@router.post("")
async def make(wired: Wired, guest: Guest) -> Response:
    await in_thread(wired, wired.backups.begin, guest)
    return RedirectResponse(HOME, status_code=303)


@router.get("/{name}")
async def download(wired: Wired, guest: Guest, name: Name) -> Response:
    path = await in_thread(wired, wired.backups.carried_away, guest, name)
    return FileResponse(path, media_type="application/zip", filename=name)


@router.post("/{name}/check")
async def check(wired: Wired, guest: Guest, name: Name) -> Response:
    backup = await in_thread(wired, wired.backups.check, guest, name)
    if backup.soundness == "sound":
        return done("{name} is as it was written.", to=HOME, name=name)
    return done("{name} is damaged: do not rely on it.", to=HOME, name=name)


def size(count: int) -> str:
    """Bytes as people read them."""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} {units[0]}" if value >= 100 or units[0] == "B" else f"{value:.1f} {units[0]}"


def age(span: timedelta) -> Age:
    """How long ago, in the largest unit that says something."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 60:
        return minutes, "min"
    return (minutes // 60, "h") if minutes < 48 * 60 else (minutes // (24 * 60), "days")


def newest_sound(found: tuple[Backup, ...]) -> str:
    """The name that the command for restoring shows."""
    return next((item.name for item in found if item.soundness != "damaged"), "FILE")
