"""Asking somebody who knows more, while the case stays with its owner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from graph.agent_scores import Weights
from graph.assignment import rank
from graph.consulting import worth_asking
from graph.models import AgentChoice, Reason
from graph.profiles import SkillEstimate
from graph.support_lines import FIRST_ANSWERS
from graph.wording import words
from ingest.redaction import redact
from kb_service.casework import case_detail
from kb_service.errors import InvalidRequest
from kb_service.lookups import found_case
from kb_service.messages import Language
from kb_service.models import CaseDetail, Principal
from kb_service.people.waiting import question_of
from kb_service.replicas.replicas import Replicas
from kb_service.routing import Routing, Unplaced, Waiting
from kb_service.store import Decision, Store, new_id

SUGGESTED = 3


class Consulting:
    """Consultations of every workspace."""

    def __init__(
        self, store: Store, replicas: Replicas, routing: Routing, *, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._routing = routing
        self._clock = clock

    def consult(
        self,
        caller: Principal,
        case_id: str,
        agent_id: str | None,
        note: str | None,
        *,
        language: Language = "en",
    ) -> CaseDetail:
        """Ask another agent; the case stays with its owner. With nobody named nothing is recorded: the answer says
        who would be asked best."""
        if agent_id is None:
            with self._store.reading(caller.workspace) as unit:
                found = case_detail(unit, found_case(unit, case_id))
            return replace(found, experts=self.experts(caller.workspace, found, language))
        with self._store.writing(caller.workspace) as unit:
            case = found_case(unit, case_id)
            if unit.agents.get(agent_id) is None:
                raise InvalidRequest.of("agent_id", "there is no agent {id}", id=agent_id)
            if agent_id == case.agent_id:
                raise InvalidRequest.of("agent_id", "this agent owns the case already; consult another")
            written = redact(note).text if note else None
            unit.decisions.add_many(
                [
                    Decision(
                        id=new_id("dec_", unit.now),
                        at=unit.now,
                        kind="consultation",
                        case_id=case_id,
                        actor=caller.key_id,
                        reason="consulted",
                        agent_id=agent_id,
                        note=written,
                        features={"owner": case.agent_id},
                    )
                ]
            )
            unit.audit.append(
                caller.key_id, "case.consulted", case_id, {"agent": agent_id, "note": written or ""}
            )
            found = case_detail(unit, case)
        self._replicas.follow(caller.workspace)
        return found

    def experts(self, workspace: str, detail: CaseDetail, language: Language) -> tuple[AgentChoice, ...]:
        """Who resolves such cases best, those who are there first, whatever their load; the owner is not among them.

        Those whose advice is surely worth it to this owner lead, and say so.
        """
        replica = self._replicas.settled(workspace)
        case = detail.case
        question = question_of(case, detail.events)
        known = Waiting(case, case.active_at, detail.problem)
        placed = self._routing.place(Unplaced(replica, question, known))
        # Advice takes no place: neither load, permissions, lines nor the customer's language stand in the way.
        agents = [agent for agent in replica.shop.agents.values() if agent.id != case.agent_id]
        need = replace(
            placed.need,
            permissions=(),
            language=None,
            line=FIRST_ANSWERS,
            avoid=frozenset(),
            sticky_agent_id=None,
        )
        found = rank(
            agents,
            need,
            now=self._clock(),
            estimates=placed.estimates,
            weights=Weights(load=0.0, fairness=0.0),
            language=language,
        )
        reachable = [replace(choice, available=choice.agent.online) for choice in found]
        ranked = sorted(reachable, key=lambda choice: (not choice.available, -choice.score, choice.agent.id))
        worth = {agent.id for agent in worth_asking(case.agent_id or "", agents, placed.estimates)}
        advised = [
            _advised(choice, placed.estimates, case.agent_id or "", language)
            for choice in ranked
            if choice.agent.id in worth
        ]
        return (*advised, *(choice for choice in ranked if choice.agent.id not in worth))[:SUGGESTED]


def _advised(
    choice: AgentChoice, estimates: Mapping[str, SkillEstimate], owner_id: str, language: Language
) -> AgentChoice:
    text = words(language).advice(estimates[choice.agent.id], estimates[owner_id])
    return replace(choice, reasons=(Reason("advice", text), *choice.reasons))
