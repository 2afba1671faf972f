"""What a case asks of an agent's permissions, and who has enough.

A permission of a shop's agents is a plain word ("approve"), a word with the most that it allows ("refund:300"), or a
level ("level-2"), of which a higher one covers the lower and a supervisor covers all. A kind that no agent of the
shop has asks nothing of anybody: that shop does not keep such limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from graph.folding import fold
from graph.models import Agent, Entity

REFUND, COMPENSATION, LEVEL = "refund", "compensate", "level"
SUPERVISORS = frozenset({"supervisor", "team-lead"})
"""Permissions that make a supervisor."""
SENSITIVE_LEVEL = 2.0
"""The level from which an agent takes a case of a sensitive flow."""
_TOP = float("inf")
_LIMITED = re.compile(r"(?P<kind>[^:]+):\s*(?P<most>\d+(?:\.\d+)?)")
_LEVELLED = re.compile(r"level-(?P<most>\d+)")
_REFUND = re.compile(
    "退款|退钱|退货|退我|退回|退全款|返还|把钱(?:退|还)|仅退"
    r"|\brefund|\bmoney back|\breimburs|\breturn (?:it|this|them|the)\b|\bget (?:my|the) money"
)
_COMPENSATION = re.compile(
    r"赔偿|赔付|补偿|赔我|赔钱|差价|价保|\bcompensat|\bprice (?:match|difference|protection)"
)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a case asks for: a kind of permission, and the least that it must allow."""

    kind: str
    least: float

    @property
    def word(self) -> str:
        """The permission as a shop would write it."""
        return f"{LEVEL}-{self.least:g}" if self.kind == LEVEL else f"{self.kind}:{self.least:g}"


def asked_for(
    text: str, entities: Iterable[Entity], *, sensitive_flow: str | None, order_value: float | None = None
) -> tuple[Grant, ...]:
    """What it takes to settle what a message asks for: a refund, a compensation, a sensitive flow.

    The amount is the largest that the message names, else for a refund that of the order; currencies are not
    converted, since a shop's limits are in its own.
    """
    folded = fold(text)
    named = [float(entity.value.split()[0]) for entity in entities if entity.type == "amount"]
    found: list[Grant] = []
    if _COMPENSATION.search(folded) and named:
        found.append(Grant(COMPENSATION, max(named)))
    elif _REFUND.search(folded) and (amounts := named or ([order_value] if order_value else [])):
        found.append(Grant(REFUND, max(amounts)))
    if sensitive_flow is not None:
        found.append(Grant(LEVEL, SENSITIVE_LEVEL))
    return tuple(found)


def within_reach(grants: Iterable[Grant], agents: Sequence[Agent]) -> tuple[Grant, ...]:
    """What can be asked of these agents: kinds that nobody has fall away, and where nobody may do as much as the case
    needs, those who may do most are asked."""
    found = []
    for grant in grants:
        most = max((_most(agent, grant.kind) for agent in agents), default=0.0)
        if any(_has(agent, grant.kind) for agent in agents):
            found.append(Grant(grant.kind, min(grant.least, most)))
    return tuple(found)


def spelt(words: Iterable[str]) -> tuple[Grant, ...]:
    """The grants among permissions that a case asks for by word (`Grant.word`); plain words are none."""
    found = []
    for word in words:
        if level := _LEVELLED.fullmatch(word):
            found.append(Grant(LEVEL, float(level["most"])))
        elif limit := _LIMITED.fullmatch(word):
            found.append(Grant(limit["kind"], float(limit["most"])))
    return tuple(found)


def supervises(agent: Agent) -> bool:
    """Whether an agent is a supervisor."""
    return bool(SUPERVISORS & set(agent.permissions))


def level_of(permissions: Iterable[str]) -> float:
    """The highest level among permissions; 0 without one, infinite for a supervisor's."""
    return max((most for kind, most in _limits(permissions) if kind == LEVEL), default=0.0)


def covers(agent: Agent, grant: Grant) -> bool:
    """Whether an agent may do what a case needs."""
    return _has(agent, grant.kind) and _most(agent, grant.kind) >= grant.least


def granted(agent: Agent, grants: Iterable[Grant]) -> Agent:
    """The agent with each grant that they cover spelt out among their permissions, for a comparison by word."""
    spelt = [grant.word for grant in grants if covers(agent, grant)]
    if not spelt:
        return agent
    return replace(agent, permissions=tuple(dict.fromkeys([*agent.permissions, *spelt])))


def _has(agent: Agent, kind: str) -> bool:
    return any(found == kind for found, _ in _limits(agent.permissions))


def _most(agent: Agent, kind: str) -> float:
    return max((most for found, most in _limits(agent.permissions) if found == kind), default=0.0)


def _limits(permissions: Iterable[str]) -> Iterable[tuple[str, float]]:
    for permission in permissions:
        word = permission.strip().casefold()
        if match := _LEVELLED.fullmatch(word):
            yield LEVEL, float(match["most"])
        elif match := _LIMITED.fullmatch(word):
            yield match["kind"].strip(), float(match["most"])
        elif word in SUPERVISORS:
            yield LEVEL, _TOP
