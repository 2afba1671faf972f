"""The workspaces of an installation: what one's own holds, and, for an operator, which there are and new ones.

Nothing crosses a workspace. An operator, who runs the installation, opens workspaces and makes the link of a new one's
first administrator; of another shop they see its name and whether anybody can sign in there, and no more.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from kb_service.accounts import LINK_LASTS, Visitor
from kb_service.errors import Conflict, Forbidden, InvalidRequest, NotFound
from kb_service.store import Store, Workspace, WorkspaceFigures

LANGUAGES = ("zh", "en")
LONGEST_NAME = 80
_Mark: TypeAlias = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class OwnWorkspace:
    """The visitor's workspace; `index_bytes` is what its derived indexes take on this machine's disk."""

    workspace: Workspace
    figures: WorkspaceFigures
    index_bytes: int


@dataclass(frozen=True, slots=True)
class ListedWorkspace:
    """A workspace as an operator sees it. `open` while nobody can sign in to it."""

    workspace: Workspace
    open: bool


class Installation:
    """Workspaces over the store; `derived` is the folder of their indexes."""

    def __init__(self, store: Store, derived: Path) -> None:
        self._store = store
        self._derived = derived
        self._sizes: dict[str, tuple[_Mark, int]] = {}

    def own(self, workspace: str) -> OwnWorkspace:
        """What a workspace holds."""
        with self._store.administration(writing=False) as unit:
            found = unit.workspaces.get(workspace)
            if found is None:
                raise NotFound("there is no workspace {workspace!r}", workspace=workspace)
            figures = unit.workspaces.figures(workspace)
        return OwnWorkspace(found, figures, self._index_bytes(workspace))

    def _index_bytes(self, workspace: str) -> int:
        """What the files of its indexes take, counted again only where one came or went: what is published gets a place
        of its own and never changes there."""
        folder = self._derived / workspace
        mark = tuple(_changed_at(item) for item in (folder, folder / "index"))
        known = self._sizes.get(workspace)
        if known is None or known[0] != mark:
            known = self._sizes[workspace] = mark, _bytes_below(folder)
        return known[1]

    def all(self, visitor: Visitor) -> tuple[ListedWorkspace, ...]:
        """Every workspace, by id; nothing for who is no operator."""
        if not visitor.member.operator:
            return ()
        with self._store.administration(writing=False) as unit:
            unopened = unit.workspaces.open_to_first()
            return tuple(ListedWorkspace(item, item.id in unopened) for item in unit.workspaces.list())

    def create(
        self, visitor: Visitor, id: str, *, name: str, languages: Collection[str]
    ) -> tuple[Workspace, str]:
        """A new, empty workspace and the token of its first administrator's link.

        Raises Forbidden for who is no operator, InvalidRequest for what cannot be its id, name or languages.
        """
        _check_operator(visitor)
        name = " ".join(name.split())
        if len(name) > LONGEST_NAME:
            raise InvalidRequest.of(
                "name", "must have at most {max_length} characters", max_length=LONGEST_NAME
            )
        spoken = tuple(language for language in LANGUAGES if language in languages)
        if not spoken:
            raise InvalidRequest.of("languages", "must hold at least {min_length} items", min_length=1)
        with self._store.administration() as unit:
            if unit.workspaces.get(id) is not None:
                raise InvalidRequest.of("id", "there is a workspace {workspace} already", workspace=id)
            created = unit.workspaces.create(id, name=name or id, languages=spoken)
            token = unit.members.new_link(id, None, lasts=LINK_LASTS)
        self._tell(visitor, "workspace.created", id)
        return created, token

    def first_link(self, visitor: Visitor, id: str) -> str:
        """A new link for the first administrator of a workspace that nobody can sign in to; the one before it ends.

        Raises Forbidden for who is no operator, Conflict where somebody can sign in.
        """
        _check_operator(visitor)
        with self._store.administration() as unit:
            if unit.workspaces.get(id) is None:
                raise NotFound("there is no workspace {workspace!r}", workspace=id)
            if unit.members.any(id):
                raise Conflict(
                    "Somebody can sign in to {workspace} already; they invite others.", workspace=id
                )
            token = unit.members.new_link(id, None, lasts=LINK_LASTS)
        self._tell(visitor, "workspace.link", id)
        return token

    def _tell(self, visitor: Visitor, action: str, id: str) -> None:
        """Keep it in both audits: the new shop's own people see who opened it."""
        for workspace in dict.fromkeys((visitor.principal.workspace, id)):
            with self._store.writing(workspace) as unit:
                unit.audit.append(visitor.principal.key_id, action, id, {})


def _changed_at(folder: Path) -> int | None:
    """When a file or folder last came into a folder or left it; None where there is none."""
    try:
        return folder.stat().st_mtime_ns
    except FileNotFoundError:
        return None


def _bytes_below(folder: Path) -> int:
    """The files of a folder and those in it, in bytes; without those that go away meanwhile, as earlier generations of
    an index do."""
    taken = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                taken += Path(place, name).stat().st_size
    return taken


def _check_operator(visitor: Visitor) -> None:
    if not visitor.member.operator:
        raise Forbidden("Only an operator of this installation does that; `kb members operator` names one.")
