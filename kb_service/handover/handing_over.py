"""Question to person: whether the conversation has become too much for a bot, and what its taker should know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from graph.briefing import Attempt, Known, Taker, Told, brief, substance
from graph.handover import (
    Burden,
    Complexity,
    Said,
    complexity,
    failed_turns,
    may_have_failed,
    questions_since_a_person,
)
from graph.models import Entity, Event, Problem
from ingest.redaction import redact_value
from kb_service.care.conflict_watch import Conflict
from kb_service.exposures import ExposureLog
from kb_service.handover.casefile import CaseFile, CaseFiles
from kb_service.handover.deciding import Decision
from kb_service.models import Handoff, Question, Route
from kb_service.replicas.replica import Replica
from kb_service.replicas.shop import product_name
from kb_service.store import Exposure
from kb_service.understanding.question_reading import Reading, masked_text, told_in
from kb_service.understanding.reading import Reader
from kb_service.understanding.signs import LIKELY_INTENT, likely_intents

LOOKED_BACK = 20
"""Turns that are looked back on."""
READ_AGAIN = 6
"""Earlier messages that are read again for what the customer wants, where the present one does not say."""
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

    def file(self, workspace: str, question: Question, reading: Reading) -> CaseFile:
        """What is known of the case that a question belongs to."""
        return self._files.of(workspace, question, reading.problem)

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
        told = self._telling(replica, _told(question, file.events))
        known = self._known(replica, question, reading, file, told)
        made = brief(
            told,
            self._shown(replica, question),
            known,
            cause=decision.trigger,
            taker=_taker(route),
            language=language,
            matter=_matter(replica, reading, decision),
        )
        contested = f"{conflict.difference[language]} " if decision.trigger == "conflict" and conflict else ""
        return Handoff(
            decision.trigger, contested + made.summary, route, made.wants, made.since, made.tried, known
        )

    def _telling(self, replica: Replica, told: Sequence[Told]) -> list[Told]:
        """The turns, with those of the customer's marked that name a product, an order or a parcel."""
        return [
            replace(turn, tells=turn.by == "customer" and bool(replica.named(turn.text))) for turn in told
        ]

    def _known(
        self, replica: Replica, question: Question, reading: Reading, file: CaseFile, told: Sequence[Told]
    ) -> Known:
        """What is known of the matter, from all that the customer said in the case; the present message last."""
        shop = replica.shop
        said = [turn for turn in told if turn.by == "customer"]
        entities = {
            (entity.type, value): replace(entity, value=value)
            for entity in (*self._named_in(replica, said), *reading.understanding.entities)
            if (value := masked_text(entity.value))
        }
        return Known(
            language=reading.whole.language,
            intent=self._intent(replica, reading, said),
            entities=tuple(entities.values()),
            names={
                value: product_name(shop.products[value], told_in(question, reading))
                for kind, value in entities
                if kind in PRODUCTS and shop.products.get(value)
            },
            emotion=reading.understanding.emotion,
            customer=question.customer,
            context={key: redact_value(key, value) for key, value in question.context.items()},
            problem=(reading.problem if substance(question.text) else None) or _problem(replica, file),
            case=file.case,
            contacts=file.contacts(self._clock()),
        )

    def _named_in(self, replica: Replica, said: Sequence[Told]) -> list[Entity]:
        """What the customer named in earlier turns: products, orders, amounts, dates."""
        gazetteer, now = replica.shop.gazetteer, self._clock()
        return [
            entity
            for turn in said[:-1][-LOOKED_BACK:]
            for entity in gazetteer.entities(turn.text, turn.at or now)
        ]

    def _intent(self, replica: Replica, reading: Reading, said: Sequence[Told]) -> str | None:
        """What the customer wants, as the shop calls it: by the present message, else by the latest that tells."""
        shop = replica.shop
        likely = likely_intents(reading.understanding)
        if not likely and shop.classifier is not None:
            earlier = dict.fromkeys(
                part for turn in said[:-1][-LOOKED_BACK:] if (part := substance(turn.text))
            )
            for utterance in reversed(self._reader.read(list(earlier)[-READ_AGAIN:])):
                found = shop.classifier.predict([utterance], whole=utterance)
                if not found.out_of_scope and found.scores and found.scores[0].probability >= LIKELY_INTENT:
                    likely = (found.scores[0].id,)
                    break
        return shop.intents[likely[0]].label if likely and likely[0] in shop.intents else None

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
    """The document that stood first: what the customer or the agent saw before all. What a bot was told to keep to
    itself, since a person had the case, nobody saw."""
    shown = exposure.action in ("answer", "suggest") and exposure.reason != "with_a_person"
    return [answer.external_id for answer in exposure.answers[:1]] if shown else []


def _problem(replica: Replica, file: CaseFile) -> Problem | None:
    """The problem that the case has joined."""
    known = file.case.problem_id if file.case is not None else None
    return replica.problems.get(replica.graph.survivor(known)) if known is not None else None


def _matter(replica: Replica, reading: Reading, decision: Decision) -> str:
    """What more is known of a cause: the sensitive flow, what makes a case complex, the sensitive intent's name."""
    if decision.reason == "sensitive_intent":
        shop = replica.shop
        likely = (*reading.candidates, *likely_intents(reading.understanding))
        return next(
            (shop.intents[id].label for id in likely if id in shop.intents and shop.intents[id].sensitive), ""
        )
    return decision.reason.partition(":")[2] if decision.trigger in ("sensitive", "complexity") else ""


def _turns(question: Question) -> list[Said]:
    """The turns with the present message at their end, once."""
    turns = [Said(turn.role, turn.text) for turn in question.turns]
    said = [turn for turn in turns if turn.role == "customer"]
    if not said or said[-1].text.strip() != question.text.strip():
        turns.append(Said("customer", question.text))
    return turns


def _told(question: Question, events: Sequence[Event]) -> list[Told]:
    """The conversation as it was told, masked: what was recorded of its case, then the turns that were sent along."""
    turns = [Told(turn.role, masked_text(turn.text), turn.at) for turn in question.turns]
    sent = {(turn.by, turn.text.strip()) for turn in turns}
    recorded = [
        Told(event.role, text, event.at)
        for event in events
        if (text := event.text or event.reply) and (event.role, text.strip()) not in sent
    ]
    asked = masked_text(question.text)
    if recorded and recorded[-1].by == "customer" and recorded[-1].text.strip() == asked.strip():
        recorded.pop()  # the present message comes last
    told = [*recorded, *turns]
    said = [turn.text.strip() for turn in told if turn.by == "customer"]
    return told if turns and said and said[-1] == asked.strip() else [*told, Told("customer", asked)]


def _taker(route: Route) -> Taker:
    agent = next((choice.agent.name for choice in route.agents if choice.available), None)
    return Taker(route.expertise.expertise.name if route.expertise else None, agent)
