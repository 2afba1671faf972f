"""The rules that a shop sets: when something recurs, what is sensitive, what was promised."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from graph.priority import check_weights
from graph.rules import Rules
from kb_service.errors import Conflict, InvalidRequest
from kb_service.models import Principal
from kb_service.replicas.replicas import Replicas
from kb_service.store import Store, Unit

ADDRESSES = frozenset({"digest_to"})
"""Rules that hold people's addresses."""


class Rulebook:
    """The rules of every workspace."""

    def __init__(self, store: Store, replicas: Replicas) -> None:
        self._store = store
        self._replicas = replicas

    def rules(self, workspace: str) -> Rules:
        """The rules in force, with the product's defaults where the shop set none."""
        with self._store.reading(workspace) as unit:
            return unit.rules.get()

    def put(self, caller: Principal, rules: Rules, *, over: str | None = None) -> Rules:
        """Set a workspace's rules; as they are stored.

        Raises InvalidValue for a weight of a factor that does not exist, InvalidRequest for an owner whom the shop
        does not have: one who left since they were named may stay.

        `over` is the edition of the rules that the caller saw; Conflict where they are another by now.
        """
        check_weights(rules)
        with self._store.writing(caller.workspace) as unit:
            if over is not None and edition(unit.rules.get()) != over:
                raise Conflict("Somebody else changed the rules meanwhile; look at them and save again.")
            _check_owners(unit, rules)
            stored = _set(unit, caller, rules)
        self._replicas.follow(caller.workspace)
        return stored

    def take_back(self, caller: Principal, of: str) -> Rules:
        """Set the rules as they were before the edition `of`. Raises Conflict where they were changed again since."""
        with self._store.writing(caller.workspace) as unit:
            before = unit.rules.before()
            if before is None or edition(unit.rules.get()) != of:
                raise Conflict("The rules were changed again since; this change cannot be taken back alone.")
            stored = _set(unit, caller, before)
        self._replicas.follow(caller.workspace)
        return stored


def edition(rules: Rules) -> str:
    """Tells rules from other rules."""
    said = json.dumps(asdict(rules), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _set(unit: Unit, caller: Principal, rules: Rules) -> Rules:
    changed = _changed(unit.rules.get(), rules)
    unit.rules.put(rules)
    unit.audit.append(caller.key_id, "rules.changed", "rules", {"changes": changed})
    return unit.rules.get()


def _changed(before: Rules, after: Rules) -> dict[str, dict[str, Any]]:
    """Each rule that changes: what it was and what it is. Of addresses only how many there are, since the audit keeps
    what it was told."""
    found: dict[str, dict[str, Any]] = {}
    was, now = asdict(before), asdict(after)
    for name in was:
        if was[name] != now[name]:
            hidden = name in ADDRESSES
            found[name] = {
                "from": len(was[name]) if hidden else was[name],
                "to": len(now[name]) if hidden else now[name],
            }
    return found


def _check_owners(unit: Unit, rules: Rules) -> None:
    before = unit.rules.get().owners
    known = {agent.id for agent in unit.agents.all()} if rules.owners else set()
    for kind, owners in rules.owners.items():
        for value, agent_id in owners.items():
            if agent_id not in known and before.get(kind, {}).get(value) != agent_id:
                raise InvalidRequest.of(f"owners.{kind}.{value}", "there is no agent {id}", id=agent_id)
