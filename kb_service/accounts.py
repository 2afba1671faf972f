"""Who may open the console: one-time links lead to sessions, sessions to a Visitor."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kb_service.errors import Conflict, Forbidden, InvalidRequest, NotFound, changed_meanwhile
from kb_service.models import KEY_ROLES, KeyRole, Principal
from kb_service.store import Member, Session, SignInLink, Store

LINK_LASTS = timedelta(hours=24)
SESSION_LASTS = timedelta(days=7)
TRUSTED_SECONDS = 2.0
"""How long a session that was found good is trusted without asking the store again."""
MOST_TRUSTED = 1_000
LONGEST_NAME = 80
COMMAND_LINE = "command_line"
"""Who acts in the audit when nobody is signed in."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A member in one of their sessions. `csrf` is what their forms must send along; `whole` whether what holds every
    workspace is theirs to see: an operator's, or of a shop that is the only one."""

    member: Member
    principal: Principal
    csrf: str
    whole: bool = False

    def may(self, roles: Collection[KeyRole]) -> bool:
        return bool(self.principal.roles & set(roles))


@dataclass(frozen=True, slots=True)
class Membership:
    """A member with where they are signed in, the newest session first, and until when their one-time link is good."""

    member: Member
    sessions: tuple[Session, ...]
    link_until: datetime | None


class Accounts:
    """Members, links and sessions of every workspace, over the store."""

    def __init__(self, store: Store, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._monotonic = monotonic
        self._trusted: dict[str, tuple[float, Visitor]] = {}
        self._lock = threading.Lock()

    # --- links

    def first_link(self, workspace: str) -> str | None:
        """The token of a link that makes the administrator of a workspace; None where somebody can sign in already."""
        with self._store.administration() as unit:
            if unit.members.any(workspace):
                return None
            return unit.members.new_link(workspace, None, lasts=LINK_LASTS)

    def invite(
        self,
        workspace: str,
        name: str,
        roles: Collection[str],
        *,
        agent_id: str | None = None,
        by: Principal | None = None,
        operator: bool = False,
    ) -> tuple[Member, str]:
        """A new member and the token of their link. Raises NotFound for an agent that there is not."""
        self._check_agent(workspace, agent_id)
        named, known = _named(name), _known(roles)
        with self._store.administration() as unit:
            member = unit.members.create(workspace, named, known, agent_id=agent_id, operator=operator)
            token = unit.members.new_link(workspace, member.id, lasts=LINK_LASTS)
        self._tell(workspace, by, "member.invited", member.id, {"roles": sorted(member.roles)})
        return member, token

    def members(self, workspace: str) -> tuple[Member, ...]:
        """Who may sign in, and who left."""
        with self._store.administration(writing=False) as unit:
            return unit.members.list(workspace)

    def memberships(self, workspace: str) -> tuple[Membership, ...]:
        """Who may sign in, with their sessions and links, in the order in which they were invited."""
        with self._store.administration(writing=False) as unit:
            members = unit.members.list(workspace)
            sessions = unit.members.sessions(workspace)
            links = unit.members.waiting_links(workspace)
        return tuple(
            Membership(
                member,
                tuple(session for session in sessions if session.member_id == member.id),
                links.get(member.id),
            )
            for member in members
            if member.ended_at is None
        )

    def change(
        self,
        workspace: str,
        member_id: str,
        *,
        name: str,
        roles: Collection[str],
        agent_id: str | None,
        by: Principal,
        over: Member | None = None,
    ) -> Member:
        """Change a member's name, roles and agent; their sessions go on with the new roles.

        Raises NotFound for a member or an agent that there is not, Forbidden for an operator where `by` is none,
        Conflict where nobody would be left who administers, or where the member is not as in `over` any more.
        """
        self._check_agent(workspace, agent_id)
        named, known = _named(name), frozenset(_known(roles))
        with self._store.administration() as unit:
            before = _present(unit.members.get(member_id), workspace, member_id)
            _check_rank(unit.members.get(by.key_id), before)
            if over is not None and _changes(over, before):
                raise changed_meanwhile()
            if "admin" not in known:
                _check_another_admin(unit.members.list(workspace), member_id)
            after = replace(before, name=named, roles=known, agent_id=agent_id)
            unit.members.change(after)
        if after != before:
            self._tell(workspace, by, "member.changed", member_id, {"changes": _changes(before, after)})
        self._forget()
        return after

    def sign_out_everywhere(self, workspace: str, member_id: str, *, by: Principal) -> int:
        """End a member's sessions and the link that waits for them; they may sign in again by a new one. How many
        sessions there were."""
        with self._store.administration() as unit:
            _present(unit.members.get(member_id), workspace, member_id)
            ended = unit.members.end_sessions(member_id)
            unit.members.end_links(member_id)
        self._tell(workspace, by, "member.signed_out", member_id, {"sessions": ended})
        self._forget()
        return ended

    def make_operator(self, workspace: str, member_id: str, *, operator: bool) -> Member:
        """Let a member open workspaces for the installation, or take that back; only the command line does this."""
        with self._store.administration() as unit:
            member = replace(_present(unit.members.get(member_id), workspace, member_id), operator=operator)
            unit.members.change(member)
        self._tell(workspace, None, "member.changed", member_id, {"operator": operator})
        self._forget()
        return member

    def new_link(self, workspace: str, member_id: str | None, *, by: Principal | None = None) -> str:
        """The token of a new link for a member, or with None for the first administrator.

        Raises NotFound for a member that there is not, Forbidden for an operator where `by` is none, Conflict where
        somebody can sign in already and no member is named.
        """
        with self._store.administration() as unit:
            if member_id is None and unit.members.any(workspace):
                raise Conflict("Somebody can sign in already; name the member with --member.")
            if member_id is not None:
                member = _present(unit.members.get(member_id), workspace, member_id)
                if by is not None:
                    _check_rank(unit.members.get(by.key_id), member)
            token = unit.members.new_link(workspace, member_id, lasts=LINK_LASTS)
        self._tell(workspace, by, "member.link", member_id or "first", {})
        return token

    def end(self, workspace: str, member_id: str, *, by: Principal | None = None) -> None:
        """End a membership with its links and sessions. Raises NotFound for a member that there is not; unless the
        command line does it, Conflict for the last administrator, and Forbidden for an operator where `by` is none."""
        with self._store.administration() as unit:
            member = _present(unit.members.get(member_id), workspace, member_id)
            if by is not None:
                _check_rank(unit.members.get(by.key_id), member)
                _check_another_admin(unit.members.list(workspace), member_id)
            unit.members.end(member_id)
        self._tell(workspace, by, "member.ended", member_id, {})
        self._forget()

    def resume(self, workspace: str, member_id: str, *, by: Principal) -> Member:
        """Take the end of a membership back; they need a new link, and are no operator. Raises NotFound for a
        member that there is not, Forbidden for an operator where `by` is none."""
        with self._store.administration() as unit:
            member = unit.members.get(member_id)
            if member is None or member.workspace != workspace:
                raise _no_member(member_id)
            _check_rank(unit.members.get(by.key_id), member)
            resumed = unit.members.resume(member_id)
        if resumed:
            self._tell(workspace, by, "member.resumed", member_id, {})
        return member

    def link(self, token: str) -> SignInLink | None:
        """Where a link leads, without using it up: mail programs and chats open what they show."""
        with self._store.administration(writing=False) as unit:
            return unit.members.link(token)

    # --- sessions

    def sign_in(self, token: str, name: str | None, *, instead_of: str | None = None) -> str:
        """Use a link up; the token of the session that it opens. The first member of a workspace names themself. The
        session `instead_of` ends.

        Raises Forbidden for a link that is not good any more, InvalidRequest for a name that is missing.
        """
        # Strangers who guess wait for no lock of the store, and make nobody wait for one.
        if self.link(token) is None:
            raise Forbidden("This link was used or has expired; ask for a new one.")
        with self._store.administration() as unit:
            found = unit.members.take_link(token)
            if found is None:
                raise Forbidden("This link was used or has expired; ask for a new one.")
            member_id = found.member_id
            if member_id is None:
                if unit.members.any(found.workspace):
                    raise Forbidden("This link was used or has expired; ask for a new one.")
                # Whoever starts an installation with its one shop runs it; other operators are named by `kb`.
                alone = unit.members.alone()
                named = _named(name or "")
                member_id = unit.members.create(found.workspace, named, KEY_ROLES, operator=alone).id
            session = unit.members.open_session(member_id, lasts=SESSION_LASTS)
        self._tell(found.workspace, member_id, "session.opened", member_id, {})
        self.sign_out(instead_of)
        return session

    def visitor(self, token: str | None) -> Visitor | None:
        """Whose session a cookie opens; None for nobody's."""
        if not token:
            return None
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        known = self._trusted.get(digest)
        if known is not None and known[0] > self._monotonic():
            return known[1]
        with self._store.administration(writing=False) as unit:
            member = unit.members.of_session(token)
            if member is None:
                return None
            whole = member.operator or ("admin" in member.roles and len(unit.workspaces.list()) == 1)
        roles = frozenset(role for role in KEY_ROLES if role in member.roles)
        visitor = Visitor(member, Principal(member.workspace, member.id, roles), _csrf(token), whole)
        with self._lock:
            if len(self._trusted) >= MOST_TRUSTED:
                self._trusted.clear()
            self._trusted[digest] = (self._monotonic() + TRUSTED_SECONDS, visitor)
        return visitor

    def _tell(
        self, workspace: str, by: Principal | str | None, action: str, object: str, detail: dict[str, object]
    ) -> None:
        """Keep in the audit who did it: a member, also by their id, or with None the command line."""
        actor = by.key_id if isinstance(by, Principal) else by or COMMAND_LINE
        with self._store.writing(workspace) as unit:
            unit.audit.append(actor, action, object, detail)

    def sign_out(self, token: str | None) -> None:
        if not token:
            return
        with self._store.administration() as unit:
            member = unit.members.of_session(token)
            unit.members.close_session(token)
        if member is not None:
            self._tell(member.workspace, member.id, "session.closed", member.id, {})
        self._forget()

    def _forget(self) -> None:
        with self._lock:
            self._trusted.clear()

    def _check_agent(self, workspace: str, agent_id: str | None) -> None:
        if agent_id is not None:
            with self._store.reading(workspace) as reading:
                if reading.agents.get(agent_id) is None:
                    raise NotFound("There is no agent {id} in this workspace.", id=agent_id)


def _present(member: Member | None, workspace: str, id: str) -> Member:
    if member is None or member.workspace != workspace or member.ended_at is not None:
        raise _no_member(id)
    return member


def _no_member(id: str) -> NotFound:
    return NotFound("There is no member {id} in this workspace.", id=id)


def _check_rank(actor: Member | None, member: Member) -> None:
    """Raises Forbidden where somebody who is no operator acts on one: who can sign in as an operator is one."""
    if member.operator and (actor is None or not actor.operator or actor.ended_at is not None):
        raise Forbidden(
            "{name} is an operator of this installation, and only an operator may do this to one; on the server there "
            "is `kb members link`.",
            name=member.name,
        )


def _check_another_admin(members: Collection[Member], but: str) -> None:
    """Raises Conflict where only `but` administers the workspace."""
    administers = {member.id for member in members if member.ended_at is None and "admin" in member.roles}
    if administers == {but}:
        raise Conflict("This is the last administrator of the workspace; make another one first.")


def _changes(before: Member, after: Member) -> dict[str, dict[str, object]]:
    """What changed of a member, as the audit tells it."""
    was = {"name": before.name, "roles": sorted(before.roles), "agent": before.agent_id}
    now = {"name": after.name, "roles": sorted(after.roles), "agent": after.agent_id}
    return {field: {"from": was[field], "to": now[field]} for field in was if was[field] != now[field]}


def _csrf(token: str) -> str:
    """What forms of a session carry: it follows from the session's token and does not tell it."""
    return hmac.new(token.encode("utf-8", "surrogatepass"), b"forms", hashlib.sha256).hexdigest()


def _named(name: str) -> str:
    plain = " ".join(name.split())
    if not plain:
        raise InvalidRequest.of("name", "is required")
    if len(plain) > LONGEST_NAME:
        raise InvalidRequest.of("name", "must have at most {max_length} characters", max_length=LONGEST_NAME)
    return plain


def _known(roles: Collection[str]) -> tuple[str, ...]:
    if not roles:
        raise InvalidRequest.of("role", "choose at least one")
    if set(roles) - set(KEY_ROLES):
        raise InvalidRequest.of(
            "role", "must be some of {known}, separated by commas", known=", ".join(KEY_ROLES)
        )
    return tuple(role for role in KEY_ROLES if role in roles)
