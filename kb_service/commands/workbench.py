"""The service's parts without a server: what the command line works with. It writes to the store alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kb_service.accounts import Accounts
from kb_service.backups.occupancy import occupied
from kb_service.errors import InvalidRequest, NotFound
from kb_service.models import KEY_ROLES
from kb_service.settings import Settings, prepare_data
from kb_service.store import ApiKey, Member, Store, Workspace

if TYPE_CHECKING:
    from ingest.embedding import Embedder
    from kb_service.services import Services


class Workbench:
    """One open store, and over it the services that need the encoder, loaded when a command uses one."""

    def __init__(
        self, settings: Settings, store: Store, *, embedder: Embedder | None = None, parsing: bool = False
    ) -> None:
        self.settings = settings
        self.store = store
        self._embedder = embedder
        self._parsing = parsing
        self._services: Services | None = None

    @property
    def services(self) -> Services:
        if self._services is None:
            # Serving's modules are imported when they are needed: administration answers at once.
            from kb_service.app import wire

            self._services = wire(
                self.settings, embedder=self._embedder, serving=False, parsing=self._parsing
            )
        return self._services

    def close(self) -> None:
        if self._services is not None:
            self._services.stop()

    # --- administration

    def require(self, workspace: str) -> None:
        """Raises NotFound unless the workspace exists."""
        with self.store.administration(writing=False) as unit:
            if unit.workspaces.get(workspace) is None:
                raise NotFound(
                    "There is no workspace {workspace}; create it with `kb workspaces create {workspace}`.",
                    workspace=workspace,
                )

    def chosen(self, workspace: str | None) -> str:
        """The workspace that a command means: the one it names, else the only one there is."""
        if workspace is not None:
            self.require(workspace)
            return workspace
        names = [item.id for item in self.workspaces()]
        if not names:
            raise NotFound("There is no workspace yet; create one with `kb workspaces create NAME`.")
        if len(names) > 1:
            raise InvalidRequest.of(
                "--workspace", "is needed, since there are {names}", names=", ".join(names)
            )
        return names[0]

    def create_workspace(self, workspace: str) -> Workspace:
        with self.store.administration() as unit:
            return unit.workspaces.create(workspace)

    def workspaces(self) -> tuple[Workspace, ...]:
        with self.store.administration(writing=False) as unit:
            return unit.workspaces.list()

    def members(self, workspace: str) -> tuple[Member, ...]:
        return Accounts(self.store).members(workspace)

    def invite(
        self, workspace: str, name: str, roles: str, agent_id: str | None, *, operator: bool = False
    ) -> tuple[Member, str]:
        """A new member and the token of their one-time link."""
        chosen = [role.strip() for role in roles.split(",") if role.strip()]
        return Accounts(self.store).invite(workspace, name, chosen, agent_id=agent_id, operator=operator)

    def make_operator(self, workspace: str, member_id: str, *, operator: bool) -> Member:
        return Accounts(self.store).make_operator(workspace, member_id, operator=operator)

    def sign_in_link(self, workspace: str, member_id: str | None) -> str:
        """The token of a link for a member, or for the first administrator where nobody can sign in."""
        return Accounts(self.store).new_link(workspace, member_id)

    def end_membership(self, workspace: str, member_id: str) -> None:
        Accounts(self.store).end(workspace, member_id)

    def create_key(self, workspace: str, roles: str, label: str = "") -> tuple[str, ApiKey]:
        chosen = [role.strip() for role in roles.split(",") if role.strip()]
        unknown = [role for role in chosen if role not in KEY_ROLES]
        if unknown or not chosen:
            raise InvalidRequest.of(
                "role", "must be some of {known}, separated by commas", known=", ".join(KEY_ROLES)
            )
        self.require(workspace)
        with self.store.administration() as unit:
            return unit.keys.create(workspace, chosen, label)

    def keys(self, workspace: str) -> tuple[ApiKey, ...]:
        self.require(workspace)
        with self.store.administration(writing=False) as unit:
            return unit.keys.list(workspace)

    def revoke_key(self, key_id: str) -> None:
        with self.store.administration() as unit:
            if not unit.keys.revoke(key_id):
                raise NotFound("There is no valid key {id}.", id=key_id)


@contextmanager
def open_workbench(
    settings: Settings, *, embedder: Embedder | None = None, parsing: bool = False
) -> Iterator[Workbench]:
    """The workbench over the configured store, migrated first; `parsing` where files are about to be read."""
    with occupied(prepare_data(settings)):
        store = Store(settings.store_url)
        try:
            store.migrate()
            bench = Workbench(settings, store, embedder=embedder, parsing=parsing)
            try:
                yield bench
            finally:
                bench.close()
        finally:
            store.close()


def discard_derived(settings: Settings, workspace: str | None) -> list[str]:
    """Remove the derived indexes of one workspace or of all; names of what was removed."""
    folder = settings.data / "derived"
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    # Chosen among what is there: a name that leads elsewhere is never made into a path.
    removed = [path for path in found if path.is_dir() and workspace in (None, path.name)]
    for path in removed:
        shutil.rmtree(path)
    return [path.name for path in removed]
