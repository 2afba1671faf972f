"""People who use the console: one-time links by which they sign in, and the sessions that follow."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from kb_service.errors import NotFound
from kb_service.store import tables
from kb_service.store.ids import new_id

_members = tables.members
_links = tables.sign_in_links
_sessions = tables.sessions


@dataclass(frozen=True, slots=True)
class Member:
    """A person of one workspace. `agent_id` is the agent that they are, where they answer customers."""

    id: str
    workspace: str
    name: str
    roles: frozenset[str]
    agent_id: str | None
    created_at: datetime
    ended_at: datetime | None = None
    operator: bool = False
    """Whether they open workspaces for the installation; what is in another shop they see no more than anybody."""


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in that still lasts; its token is nobody's to know."""

    member_id: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignInLink:
    """What a link that is still good leads to: its member, or with None the first administrator yet to be named."""

    workspace: str
    member_id: str | None


class Members:
    """Tokens of links and sessions are 32 random bytes; the store holds their SHA-256, as it does for keys."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    # --- people

    def create(
        self,
        workspace: str,
        name: str,
        roles: Iterable[str],
        *,
        agent_id: str | None = None,
        operator: bool = False,
    ) -> Member:
        """A new member. Raises `NotFound` when there is no such workspace."""
        known = select(tables.workspaces.c.id).where(tables.workspaces.c.id == workspace)
        if self._connection.execute(known).first() is None:
            raise NotFound("there is no workspace {workspace!r}", workspace=workspace)
        member = Member(
            id=new_id("mem_", self._now),
            workspace=workspace,
            name=name,
            roles=frozenset(roles),
            agent_id=agent_id,
            created_at=self._now,
            operator=operator,
        )
        row = {
            "id": member.id,
            "workspace": workspace,
            "name": name,
            "roles": sorted(member.roles),
            "agent_id": agent_id,
            "created_at": self._now,
            "operator": operator,
        }
        self._connection.execute(insert(_members), [row])
        return member

    def get(self, id: str) -> Member | None:
        row = self._connection.execute(select(_members).where(_members.c.id == id)).first()
        return None if row is None else _member(row)

    def list(self, workspace: str) -> tuple[Member, ...]:
        """The members of a workspace, those who left included, by id, which is the order they were made in."""
        rows = self._connection.execute(
            select(_members).where(_members.c.workspace == workspace).order_by(_members.c.id)
        )
        return tuple(map(_member, rows))

    def any(self, workspace: str) -> bool:
        """Whether somebody can sign in to a workspace at all."""
        present = _members.c.workspace == workspace, _members.c.ended_at.is_(None)
        return bool(self._connection.scalar(select(func.count()).select_from(_members).where(*present)))

    def alone(self) -> bool:
        """Whether nobody has ever signed in to this installation, and it has one workspace at most."""
        shops = self._connection.scalar(select(func.count()).select_from(tables.workspaces)) or 0
        return shops <= 1 and not self._connection.scalar(select(func.count()).select_from(_members))

    def change(self, member: Member) -> None:
        """Stores a member's name, roles, agent and whether they are an operator, over what was."""
        values = {
            "name": member.name,
            "roles": sorted(member.roles),
            "agent_id": member.agent_id,
            "operator": member.operator,
        }
        self._connection.execute(update(_members).where(_members.c.id == member.id).values(**values))

    def resume(self, id: str) -> bool:
        """Takes the end of a membership back; the links and sessions that it took stay gone. False for who is here."""
        statement = update(_members).where(_members.c.id == id, _members.c.ended_at.is_not(None))
        return self._connection.execute(statement.values(ended_at=None)).rowcount == 1

    def end(self, id: str) -> bool:
        """Ends a membership with its links and sessions, from now on; False when it was not there.

        Who left is an operator no more: coming back does not bring that back.
        """
        statement = update(_members).where(_members.c.id == id, _members.c.ended_at.is_(None))
        if self._connection.execute(statement.values(ended_at=self._now, operator=False)).rowcount != 1:
            return False
        self.end_links(id)
        self.end_sessions(id)
        return True

    # --- one-time links

    def new_link(self, workspace: str, member_id: str | None, *, lasts: timedelta) -> str:
        """The token of a link for a member, or with None for the administrator to come. Earlier links for the same
        end."""
        mine = _links.c.workspace == workspace
        same = _links.c.member_id == member_id if member_id is not None else _links.c.member_id.is_(None)
        self._connection.execute(delete(_links).where(mine, same))
        token = secrets.token_urlsafe(32)
        row = {
            "hash": _hash(token),
            "workspace": workspace,
            "member_id": member_id,
            "created_at": self._now,
            "expires_at": self._now + lasts,
        }
        self._connection.execute(insert(_links), [row])
        return token

    def link(self, token: str) -> SignInLink | None:
        """Where a link leads; None when it was used, has expired or never was."""
        row = self._connection.execute(select(_links).where(_links.c.hash == _hash(token))).first()
        if row is None or row.expires_at <= self._now:
            return None
        return SignInLink(row.workspace, row.member_id)

    def take_link(self, token: str) -> SignInLink | None:
        """Uses a link up: whoever comes second finds None."""
        found = self.link(token)
        if found is None:
            return None
        used = self._connection.execute(delete(_links).where(_links.c.hash == _hash(token)))
        return found if used.rowcount == 1 else None

    def end_links(self, member_id: str) -> int:
        """Ends the one-time links of a member that still wait; how many that were."""
        return self._connection.execute(delete(_links).where(_links.c.member_id == member_id)).rowcount

    # --- sessions

    def open_session(self, member_id: str, *, lasts: timedelta) -> str:
        """The token of a new session; expired ones are swept on the way."""
        self._connection.execute(delete(_sessions).where(_sessions.c.expires_at <= self._now))
        token = secrets.token_urlsafe(32)
        row = {
            "hash": _hash(token),
            "member_id": member_id,
            "created_at": self._now,
            "expires_at": self._now + lasts,
        }
        self._connection.execute(insert(_sessions), [row])
        return token

    def sessions(self, workspace: str) -> tuple[Session, ...]:
        """The sessions of a workspace's members that still last, the newest first."""
        source = _sessions.join(_members, _sessions.c.member_id == _members.c.id)
        statement = (
            select(_sessions.c.member_id, _sessions.c.created_at, _sessions.c.expires_at)
            .select_from(source)
            .where(_members.c.workspace == workspace, _sessions.c.expires_at > self._now)
            .order_by(_sessions.c.created_at.desc(), _sessions.c.hash)
        )
        rows = self._connection.execute(statement)
        return tuple(Session(row.member_id, row.created_at, row.expires_at) for row in rows)

    def end_sessions(self, member_id: str) -> int:
        """Signs a member out everywhere; how many sessions that were."""
        return self._connection.execute(delete(_sessions).where(_sessions.c.member_id == member_id)).rowcount

    def waiting_links(self, workspace: str) -> dict[str, datetime]:
        """Members whose one-time link is still good, with when it expires."""
        statement = select(_links.c.member_id, _links.c.expires_at).where(
            _links.c.workspace == workspace,
            _links.c.member_id.is_not(None),
            _links.c.expires_at > self._now,
        )
        return {str(row.member_id): row.expires_at for row in self._connection.execute(statement)}

    def of_session(self, token: str) -> Member | None:
        """Whose session a token opens; None when it has expired, was ended, or never was."""
        source = _members.join(_sessions, _sessions.c.member_id == _members.c.id)
        row = self._connection.execute(
            select(_members)
            .select_from(source)
            .where(
                _sessions.c.hash == _hash(token),
                _sessions.c.expires_at > self._now,
                _members.c.ended_at.is_(None),
            )
        ).first()
        return None if row is None else _member(row)

    def close_session(self, token: str) -> None:
        self._connection.execute(delete(_sessions).where(_sessions.c.hash == _hash(token)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _member(row: Any) -> Member:
    return Member(
        id=row.id,
        workspace=row.workspace,
        name=row.name,
        roles=frozenset(row.roles),
        agent_id=row.agent_id,
        created_at=row.created_at,
        ended_at=row.ended_at,
        operator=bool(row.operator),
    )
