"""Case to expertise and agent: read the message, score its priority, find who resolves such problems best."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from graph.assignment import Need, neighbouring, rank
from graph.contacts import REPEAT_WITHIN, Matter, earlier_contacts
from graph.expertise import expertise_for
from graph.lifecycle import evergreen
from graph.models import Case, Entity, Event, Expertise, Priority, Problem, Understanding, Utterance
from graph.naming import name_problem
from graph.permissions import Grant, asked_for, granted, within_reach
from graph.person_requests import without_refusal
from graph.priority import prioritise
from graph.profiles import SkillEstimate, Topic
from graph.service_level import ServiceLevel as Promised
from graph.service_level import consumed, sla
from graph.trial_ways import AS_IT_STANDS, Way
from graph.understanding import asks_for_person, read
from ingest.redaction import redact
from kb_service.casefile import CaseFile, CaseFiles
from kb_service.contact_history import (
    contacts_in,
    matter_of,
    settled_by,
    unanswered_since,
)
from kb_service.messages import Language
from kb_service.models import (
    ExpertiseChoice,
    Question,
    Route,
    ServiceLevel,
    Turn,
)
from kb_service.reading import Reader, nameable
from kb_service.replica import Replica
from kb_service.replicas import Replicas
from kb_service.shop import Shop
from kb_service.signs import check_intent, flow_of, mere_talk, sensitive_intent, with_chosen
from kb_service.trials import treated, under_policy

Value = TypeVar("Value")

SHOWN_AGENTS = 5
ALTERNATIVES = 3
LANGUAGES: tuple[Language, ...] = ("zh", "en")
CASE_PROBLEM = 0.9
"""The probability that a case is still about the problem that its earlier messages joined."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A question as it was understood, whole and by clause.

    `searched` is what the search is asked, with terms that count differently in `weights`; `whole` and `clauses` are
    corrected and, of a turn that says too little by itself, stand with what it follows on. `milliseconds` is the
    encoder's time.
    """

    whole: Utterance
    searched: str
    understanding: Understanding
    candidates: tuple[str, ...]
    problem: Problem | None
    problem_score: float
    asks_for_person: bool
    sensitive_flow: str | None
    small_talk: bool
    milliseconds: float
    clauses: tuple[Utterance, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    apart: bool = False
    """Whether the candidates are several matters, each said in a clause of its own."""


@dataclass(frozen=True, slots=True)
class History:
    """What is known of the customer: earlier contacts this week about the same matter, who answered last, since when
    they wait; and whether the problem that they came about surges."""

    repeat_contacts: int = 0
    previous_agent: str | None = None
    previous_at: datetime | None = None
    waiting_since: datetime | None = None
    bursting: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A case with its route, what it asks of an agent, and how likely each agent resolves it."""

    route: Route
    need: Need
    estimates: dict[str, SkillEstimate]
    problem: Problem | None = None
    grants: tuple[Grant, ...] = ()
    across_expertise: Mapping[str, SkillEstimate] = field(default_factory=dict)
    """How agents do on the expertise as a whole, where most have too few cases of the problem itself to tell of."""
    told: Mapping[Language, Priority] = field(default_factory=dict)
    """The priority of a waiting case with its evidence in each language."""
    way: Way = AS_IT_STANDS
    """How trials have the case served; what they change is in `need` and `estimates` already."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is known of a waiting case beside what its customer said: since when, and which problem it is of."""

    case_id: str
    since: datetime
    language: str | None = None
    problem: Problem | None = None


class Routing:
    """Intents, agents, expertise, routes and assignments of every workspace."""

    def __init__(
        self, files: CaseFiles, replicas: Replicas, reader: Reader, *, clock: Callable[[], datetime]
    ) -> None:
        self._files = files
        self._replicas = replicas
        self._reader = reader
        self._clock = clock

    # --- a question

    def route(self, workspace: str, question: Question) -> Route:
        """Where the case belongs and who should take it, with reasons."""
        replica = treated(self._replicas.of(workspace), question, self._clock())
        reading = self.read(replica, question)
        return self.decide(replica, question, reading, self._files.of(workspace, question, reading.problem))

    def read(self, replica: Replica, question: Question) -> Reading:
        """Understand a question: language, intents, entities, emotion, urgency, and the problem it belongs to."""
        check_intent(replica.shop, question)
        asked = replica.asked(*_without_refusal(question))
        started = time.perf_counter()
        whole, clauses, masked = self._reader.question(asked.meant, spoken=asked.language)
        milliseconds = round((time.perf_counter() - started) * 1000, 2)
        shop = replica.shop
        now = self._clock()
        spoken = whole.language
        understood = read(
            question.text,
            language=spoken,
            clauses=clauses,
            whole=whole,
            classifier=shop.classifier,
            gazetteer=shop.gazetteer,
            at=now,
            moods=self._reader.moods(spoken),
        )
        understanding = replace(
            understood.understanding,
            corrected_query=asked.corrected,
            entities=_without_cards(question.text, understood.understanding.entities),
        )
        understanding = with_chosen(understanding, question, shop)
        candidates = (question.intent,) if question.intent is not None else understood.intents.candidates
        match = replica.match(masked, understanding.entities, now)
        return Reading(
            whole=whole,
            searched=asked.said,
            understanding=understanding,
            candidates=candidates,
            problem=replica.problem_of(match),
            problem_score=match.score,
            asks_for_person=asks_for_person(question.text, spoken),
            sensitive_flow=flow_of(shop, question, understanding),
            small_talk=mere_talk(shop, question, understanding),
            milliseconds=milliseconds,
            clauses=tuple(clauses),
            weights=asked.weights,
            apart=understood.intents.reason == "several_intents" and question.intent is None,
        )

    def decide(self, replica: Replica, question: Question, reading: Reading, file: CaseFile) -> Route:
        """Priority, expertise, agents and due times for a question that was read, with the file of its case."""
        return self._placed(replica, question, reading, file, self._clock()).route

    def place(
        self,
        replica: Replica,
        question: Question,
        waiting: Waiting | None = None,
        *,
        at: datetime | None = None,
    ) -> Placed:
        """The route of a question with what its case asks of an agent: for many cases decided together.

        `waiting` is what is known of the case beside the customer's words, which may be none.
        """
        reading = self.read(replica, question)
        if waiting is not None and reading.problem is None and waiting.problem is not None:
            reading = replace(reading, problem=waiting.problem, problem_score=CASE_PROBLEM)
        if waiting is not None and not question.text:
            reading = _unspoken(reading, waiting.language)
        now = at or self._clock()
        file = self._files.of(replica.workspace, question, reading.problem, at=now)
        return self._placed(replica, question, reading, file, now, waiting)

    def _placed(
        self,
        replica: Replica,
        question: Question,
        reading: Reading,
        file: CaseFile,
        now: datetime,
        waiting: Waiting | None = None,
    ) -> Placed:
        shop = replica.shop
        history = _history(replica, question, reading, file, now)
        if waiting is not None and history.waiting_since is None:
            history = replace(history, waiting_since=min(waiting.since, now))
        priority, level = self._priority(shop, question, reading, history, now)
        found = expertise_for(
            shop.expertise,
            reading.understanding.intents,
            reading.problem,
            problem_score=reading.problem_score,
            out_of_scope=reading.understanding.out_of_scope,
            evidence=shop.evidence,
            products=_products(shop, question, reading),
        )
        choices = tuple(ExpertiseChoice(cluster, confidence) for cluster, confidence in found.ranked)
        first = choices[0] if choices and not found.triage else None
        opened_at = history.waiting_since or now
        grants = self._grants(shop, question, reading)
        need = Need(
            case_id=waiting.case_id if waiting is not None else question.conversation_id or "",
            language=reading.whole.language,
            expertise=first.expertise if first else None,
            secondary=_also(shop, first.expertise, reading) if first else (),
            neighbours=neighbouring(first.expertise, shop.expertise) if first else (),
            permissions=tuple(grant.word for grant in grants),
            priority=round(priority.total),
            sla_consumed=consumed(level, opened_at, now),
            waiting_since=opened_at,
            sticky_agent_id=history.previous_agent,
            sticky_at=history.previous_at,
        )
        estimates = self._estimates(replica, first.expertise if first else None, reading)
        need, estimates = under_policy(replica.way.policy, need, estimates)
        agents = tuple(granted(agent, grants) for agent in shop.agents.values())
        spoken = told_in(question, reading)
        route = Route(
            expertise=first,
            alternatives=choices[1 : 1 + ALTERNATIVES] if first else choices[:ALTERNATIVES],
            triage=found.triage,
            triage_reason=found.triage_reason,
            intents=reading.understanding.intents,
            priority=priority,
            # Who takes a waiting case is decided together with the others that wait.
            agents=()
            if waiting is not None
            else rank(
                agents,
                need,
                now=now,
                estimates=estimates,
                recent=shop.recent.cases,
                online_seconds=shop.recent.online_seconds,
                language=spoken,
            )[:SHOWN_AGENTS],
            sla=ServiceLevel(level.tier, level.first_response_due, level.resolve_due),
        )
        told: dict[Language, Priority] = {}
        across_expertise: dict[str, SkillEstimate] = {}
        if waiting is not None:
            for language in LANGUAGES:
                asked = replace(question, reader=language)
                told[language], _ = self._priority(shop, asked, reading, history, now)
            across_expertise = self._estimates(replica, first.expertise if first else None)
        return Placed(
            route,
            need,
            estimates,
            reading.problem,
            grants,
            across_expertise=across_expertise,
            told=told,
            way=replica.way,
        )

    def _grants(self, shop: Shop, question: Question, reading: Reading) -> tuple[Grant, ...]:
        """What it takes to settle the matter, as far as the shop's agents have such permissions at all."""
        asked = asked_for(
            question.text,
            reading.understanding.entities,
            sensitive_flow=reading.sensitive_flow,
            order_value=question.order_value,
        )
        return within_reach(asked, tuple(shop.agents.values()))

    def _priority(
        self, shop: Shop, question: Question, reading: Reading, history: History, now: datetime
    ) -> tuple[Priority, Promised]:
        """The priority, and what the customer was promised by the one that the case opened with.

        A promise is not changed by waiting for it; the more of it is used up, the more points the case has.
        """
        score = partial(
            prioritise,
            reading.understanding,
            question.customer,
            problem_state=reading.problem.state if reading.problem else None,
            bursting=history.bursting,
            evergreen=reading.problem is not None and evergreen(reading.problem),
            repeat_contacts=history.repeat_contacts,
            sensitive_flow=reading.sensitive_flow,
            sensitive_intent=sensitive_intent(shop, reading.understanding),
            scales=shop.value_scales,
            rules=shop.rules,
            language=told_in(question, reading),
        )
        opened = score()
        tier = question.customer.tier if question.customer else None
        since = history.waiting_since
        level = sla(opened.band, tier, since or now, shop.rules)
        if since is None:
            return opened, level
        return score(waited=now - since, consumed=consumed(level, since, now)), level

    def _estimates(
        self, replica: Replica, expertise: Expertise | None, reading: Reading | None = None
    ) -> dict[str, SkillEstimate]:
        """How likely each agent resolves a case of an expertise and, with its reading, of its problem and intent."""
        problem = reading.problem if reading is not None else None
        sure = reading.candidates[0] if reading is not None and len(reading.candidates) == 1 else None
        topic = Topic(
            problem_id=problem.id if problem else None,
            intent_id=problem.intent_id if problem and problem.intent_id else sure,
            expertise_id=expertise.id if expertise else None,
        )
        return replica.shop.profiles.estimates(list(replica.shop.agents), topic)

    def name(self, texts: Sequence[str]) -> dict[str, str]:
        """A problem's names, made of its messages."""
        return dict(name_problem(nameable(self._reader.read(texts))))


def _without_refusal(question: Question) -> tuple[str, tuple[Turn, ...]]:
    """The question as it is understood, with the turns before it: "I don't need a human" says nothing of the matter."""
    said = without_refusal(question.text)
    if not said or said == question.text:
        return question.text, question.turns
    written = question.text.strip()
    return said, tuple(turn for turn in question.turns if turn.text.strip() != written)


def _without_cards(text: str, entities: Sequence[Entity]) -> tuple[Entity, ...]:
    """What a message names, without the numbers of cards and documents of identity that look like an order's."""
    private = [found for found in redact(text).findings if found.type in ("card", "id")]
    return tuple(
        entity
        for entity in entities
        if entity.type not in ("order", "parcel")
        or not any(entity.start < found.end and found.start < entity.end for found in private)
    )


def _also(shop: Shop, first: Expertise, reading: Reading) -> tuple[Expertise, ...]:
    """The clusters of the other matters of a message that speaks of several."""
    if not reading.apart:
        return ()
    wanted = set(reading.candidates)
    return tuple(item for item in shop.expertise if item.id != first.id and wanted & set(item.intent_ids))


def _products(shop: Shop, question: Question, reading: Reading) -> tuple[str, ...]:
    """The SKUs that a question comes with or plainly names."""
    named = [shop.gazetteer.skus(entity) for entity in reading.understanding.entities]
    plain = [skus[0] for skus in named if len(skus) == 1]
    return tuple(dict.fromkeys([*question.products, *plain]))


def _unspoken(reading: Reading, language: str | None) -> Reading:
    """A case whose customer wrote nothing, such as a call: nothing is out of scope, and its language may be known."""
    known = language or "und"
    return replace(
        reading,
        whole=replace(reading.whole, language=known),
        understanding=replace(reading.understanding, language=known, intents=(), out_of_scope=False),
    )


def _matter(replica: Replica, question: Question, reading: Reading) -> Matter:
    """What a question is about; several intents that compete are none."""
    return matter_of(
        replica,
        problem_id=reading.problem.id if reading.problem is not None else None,
        intents=reading.candidates if len(reading.candidates) == 1 else (),
        entities=reading.understanding.entities,
        products=question.products,
    )


def _history(
    replica: Replica, question: Question, reading: Reading, file: CaseFile, now: datetime
) -> History:
    case = file.case
    repeats = earlier_contacts(
        contacts_in(replica, file.told),
        case.id if case is not None else None,
        question.conversation_id,
        _matter(replica, question, reading),
        now,
    )
    known = history_of(file.earlier, case, file.events if file.waits else (), now, sent_at=file.sent_at)
    return replace(known, repeat_contacts=repeats, bursting=file.bursting)


def history_of(
    cases: Sequence[Case],
    current: Case | None,
    said: Sequence[Event],
    now: datetime,
    *,
    sent_at: datetime | None = None,
) -> History:
    """Who answered the customer last within a week, and since when the present case waits.

    `said` are the events of the present case when it waits, oldest first; `sent_at` is when the bot
    last answered in it.
    """
    week = [case for case in cases if now - case.active_at <= REPEAT_WITHIN]
    answered = [
        (case.active_at, case.agent_id)
        for case in [*week, *([current] if current else [])]
        if case.agent_id is not None
    ]
    if (settled := settled_by(said)) is not None and now - settled[0] <= REPEAT_WITHIN:
        answered.append(settled)
    latest = max(answered, default=None)
    return History(
        previous_agent=latest[1] if latest else None,
        previous_at=latest[0] if latest else None,
        waiting_since=unanswered_since(said, sent_at),
    )


def told_in(question: Question, reading: Reading) -> Language:
    """The language of what is written for the reader: the request's own, else the customer's."""
    return question.reader or ("zh" if reading.whole.language == "zh" else "en")


def masked_text(text: str) -> str:
    """The text with personal data masked, as it is kept."""
    return redact(text).text
