"""The people who answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, delete, func, or_, select, update

from graph.models import Agent
from kb_service.store import tables
from kb_service.store.events import Events
from kb_service.store.repository import Repository, page_of
from kb_service.store.values import Page

ACTIVE = timedelta(hours=72)

_agents = tables.agents
_cases = tables.cases


class Agents(Repository):
    """An agent's `load` is counted whenever it is read: assigned cases active within 72 h of event time, or given to
    them since.

    A conversation that nobody has touched for longer holds nobody up.
    """

    table = _agents

    def get(self, id: str) -> Agent | None:
        row = self._read(self._select().where(_agents.c.id == id)).first()
        return None if row is None else _agent(row)

    def put(self, agent: Agent) -> bool:
        """Stores an agent, over the one of the same id; True when they are new. `load` is not stored."""
        known = self._read(select(_agents.c.id).where(self._mine(), _agents.c.id == agent.id)).first()
        self._upsert(
            {
                "workspace": self.workspace,
                "id": agent.id,
                "name": agent.name,
                "languages": list(agent.languages),
                "skills": list(agent.skills),
                "capacity": agent.capacity,
                "online": agent.online,
                "pool": agent.pool,
                "permissions": list(agent.permissions),
            }
        )
        self._log("agent", agent.id)
        return known is None

    def set_online(self, id: str, online: bool) -> bool:
        """False when there is no such agent."""
        statement = update(_agents).where(self._mine(), _agents.c.id == id).values(online=online)
        if self._write(statement).rowcount == 0:
            return False
        self._log("agent", id)
        return True

    def remove(self, id: str) -> bool:
        if self._write(delete(_agents).where(self._mine(), _agents.c.id == id)).rowcount == 0:
            return False
        self._log("agent_removed", id)
        return True

    def all(self) -> tuple[Agent, ...]:
        """Every agent, by id."""
        return tuple(map(_agent, self._read(self._select().order_by(_agents.c.id))))

    def page(self, cursor: str | None = None, limit: int = 50) -> Page[Agent]:
        rows, next_cursor = self._page(self._select(), [_agents.c.id], cursor, limit)
        return page_of(map(_agent, rows), next_cursor)

    def recent(self, since: datetime) -> dict[str, int]:
        """Cases of each agent that were active from `since` on, by agent id."""
        statement = (
            select(_cases.c.agent_id, func.count().label("cases"))
            .where(
                _cases.c.workspace == self.workspace,
                _cases.c.agent_id.is_not(None),
                _cases.c.active_at >= since,
            )
            .group_by(_cases.c.agent_id)
        )
        return {str(row.agent_id): int(row.cases) for row in self._read(statement)}

    def _select(self) -> Select[Any]:
        watermark = Events(self._scope).latest_at()
        fresh = []
        if watermark is not None:
            since = watermark - ACTIVE
            fresh = [or_(_cases.c.active_at >= since, _cases.c.assigned_at >= since)]
        load = (
            select(func.count())
            .where(
                and_(
                    _cases.c.workspace == _agents.c.workspace,
                    _cases.c.agent_id == _agents.c.id,
                    _cases.c.state == "assigned",
                    *fresh,
                )
            )
            .scalar_subquery()
        )
        return select(_agents, load.label("load")).where(self._mine())


def _agent(row: Any) -> Agent:
    return Agent(
        id=row.id,
        name=row.name,
        languages=tuple(row.languages),
        skills=tuple(row.skills),
        capacity=row.capacity,
        online=row.online,
        pool=row.pool,
        permissions=tuple(row.permissions),
        load=row.load,
    )
