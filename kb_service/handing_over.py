"""Question to person: whether the conversation has become too much for a bot, and what its taker should know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from graph.briefing import Attempt, Known, Taker, Told, brief
from graph.handover import (
    Burden,
    Complexity,
    Said,
    complexity,
    failed_turns,
    may_have_failed,
    questions_since_a_person,
)
from graph.models import Entity, Event
from kb_service.care.conflict_watch import Conflict
from kb_service.casefile import CaseFile, CaseFiles
from kb_service.deciding import Decision
from kb_service.exposures import ExposureLog
from kb_service.models import Handoff, Question, Route
from kb_service.reading import Reader
from kb_service.replica import Replica
from kb_service.routing import Reading, masked_text, told_in
from kb_service.signs import likely_intents
from kb_service.store import Exposure

LOOKED_BACK = 20
"""Turns that are looked back on."""
ORDERS, PRODUCTS = frozenset({"order", "parcel"}), frozenset({"sku", "product"})


class HandingOver:
    """Looks at conversations of every workspace, and briefs whoever takes one over."""

    def __init__(
        self, reader: Reader, files: CaseFiles, exposures: ExposureLog, *, clock: Callable[[], datetime]
    ) -> None:
        self._reader = reader
        self._files = files
        self._exposures = exposures
        self._clock = clock

    def file(self, workspace: str, question: Question) -> CaseFile:
        """What is known of the case that a question belongs to."""
        return self._files.of(workspace, question)

    # --- too much for a bot

    def failed(self, replica: Replica, question: Question) -> int:
        """How many of the bot's answers failed in the conversation, the present message included."""
        turns = [Said(turn.role, turn.text) for turn in _turns(question)][-LOOKED_BACK:]
        return failed_turns(self._meant(replica, turns)) if may_have_failed(turns) else 0

    def complexity(
        self, replica: Replica, question: Question, reading: Reading, file: CaseFile, *, proven: bool
    ) -> Complexity | None:
        """Why the case is too complex for a bot, or None. `proven` is whether one sure answer settles the question."""
        intents = (replica.shop.intents.get(intent) for intent in reading.candidates) if reading.apart else ()
        turns = [Said(turn.role, turn.text) for turn in _turns(question)]
        named = [
            (entity.type, entity.value)
            for text in [turn.text for turn in turns if turn.role == "customer"][-LOOKED_BACK:]
            for entity in replica.named(text)
        ]
        return complexity(
            Burden(
                expertise=frozenset(
                    intent.expertise or intent.id for intent in intents if intent is not None
                ),
                orders=len({value for kind, value in named if kind in ORDERS}),
                products=len({value for kind, value in named if kind in PRODUCTS} | {*question.products}),
                mood=reading.understanding.emotion.label,
                turns=questions_since_a_person(turns),
                contacts=file.unresolved_about(reading.problem.id if reading.problem else None),
                transfers=file.transfers,
                proven=proven,
            )
        )

    def _meant(self, replica: Replica, turns: Sequence[Said]) -> list[Said]:
        """The turns with what they mean and name, in one call of the encoder."""
        texts = list(
            dict.fromkeys(turn.text for turn in turns if turn.role == "customer" and turn.text.strip())
        )
        read = {item.text: item for item in self._reader.read(texts)}
        known = {text: item.vector for text, item in read.items() if item.language in self._reader.reads}
        return [
            replace(
                turn,
                vector=known.get(turn.text),
                named=frozenset(entity.value for entity in replica.named(turn.text)),
            )
            if turn.role == "customer"
            else turn
            for turn in turns
        ]

    # --- what its taker should know

    def handoff(
        self,
        replica: Replica,
        question: Question,
        reading: Reading,
        file: CaseFile,
        decision: Decision,
        route: Route,
        conflict: Conflict | None,
    ) -> Handoff | None:
        """The hand-over of a decision to hand over, else None; everything in it is masked."""
        if decision.action != "handoff" or decision.trigger is None:
            return None
        language = told_in(question, reading)
        known = self._known(replica, question, reading, file)
        made = brief(
            _told(question, file.events),
            self._shown(replica, question),
            known,
            cause=decision.trigger,
            taker=_taker(route),
            language=language,
        )
        contested = f"{conflict.difference[language]} " if decision.trigger == "conflict" and conflict else ""
        return Handoff(
            decision.trigger, contested + made.summary, route, made.wants, made.since, made.tried, known
        )

    def _known(self, replica: Replica, question: Question, reading: Reading, file: CaseFile) -> Known:
        shop = replica.shop
        intents = likely_intents(reading.understanding)
        entities = {
            (entity.type, entity.value): replace(entity, value=masked_text(entity.value))
            for entity in (*self._named_before(replica, question), *reading.understanding.entities)
        }
        return Known(
            language=reading.whole.language,
            intent=shop.intents[intents[0]].label if intents and intents[0] in shop.intents else None,
            entities=tuple(entities.values()),
            names={
                value: shop.products[value][0]
                for kind, value in entities
                if kind in PRODUCTS and shop.products.get(value)
            },
            emotion=reading.understanding.emotion,
            customer=question.customer,
            context={key: masked_text(value) for key, value in question.context.items()},
            problem=reading.problem,
            case=file.case,
            contacts=file.contacts(self._clock()),
        )

    def _named_before(self, replica: Replica, question: Question) -> list[Entity]:
        """What the customer named in earlier turns: products, orders, amounts, dates."""
        gazetteer, now = replica.shop.gazetteer, self._clock()
        return [
            entity
            for turn in question.turns[-LOOKED_BACK:]
            if turn.role == "customer"
            for entity in gazetteer.entities(turn.text, turn.at or now)
        ]

    def _shown(self, replica: Replica, question: Question) -> list[Attempt]:
        """The documents that were offered in the conversation so far, each once, the latest last."""
        if question.conversation_id is None:
            return []
        self._exposures.flush()
        found: dict[str, Attempt] = {}
        for exposure in self._files.shown(replica.workspace, question.conversation_id):
            for external_id in _offered(exposure):
                found.pop(external_id, None)
                title = masked_text(replica.title_of(external_id) or external_id)
                found[external_id] = Attempt("document", title, exposure.at, external_id)
        return list(found.values())


def _offered(exposure: Exposure) -> list[str]:
    """The document that stood first: what the customer or the agent saw before all."""
    return (
        [answer.external_id for answer in exposure.answers[:1]]
        if exposure.action in ("answer", "suggest")
        else []
    )


def _turns(question: Question) -> list[Said]:
    """The turns with the present message at their end, once."""
    turns = [Said(turn.role, turn.text) for turn in question.turns]
    said = [turn for turn in turns if turn.role == "customer"]
    if not said or said[-1].text.strip() != question.text.strip():
        turns.append(Said("customer", question.text))
    return turns


def _told(question: Question, events: Sequence[Event]) -> list[Told]:
    """The conversation as it was told, masked: by its turns, or by the events of its case where there are none."""
    told = [Told(turn.role, masked_text(turn.text), turn.at) for turn in question.turns]
    if not told:
        told = [
            Told(event.role, event.text or event.reply or "", event.at)
            for event in events
            if event.text or event.reply
        ]
    asked = masked_text(question.text)
    said = [turn.text.strip() for turn in told if turn.by == "customer"]
    return told if said and said[-1] == asked.strip() else [*told, Told("customer", asked)]


def _taker(route: Route) -> Taker:
    agent = next((choice.agent.name for choice in route.agents if choice.available), None)
    return Taker(route.expertise.expertise.name if route.expertise else None, agent)
