"""Case to expertise and agent: read the message, score its priority, find who resolves such problems best."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from graph.assignment import rank
from graph.circles import Need, neighbouring
from graph.expertise import ExpertiseReading, expertise_for
from graph.lifecycle import evergreen
from graph.models import AgentChoice, Case, Expertise, Priority, Problem
from graph.naming import name_problem
from graph.permissions import Grant, asked_for, granted, within_reach
from graph.priority import prioritise
from graph.profiles import SkillEstimate, Topic
from graph.service_level import ServiceLevel as Promised
from graph.service_level import consumed, sla
from graph.support_lines import Asked, Happened, left_by, line_asked
from graph.trial_ways import AS_IT_STANDS, Way
from kb_service.handover.casefile import CaseFile, CaseFiles
from kb_service.messages import Language
from kb_service.models import (
    ExpertiseChoice,
    Question,
    Route,
    ServiceLevel,
)
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.replicas.shop import Shop
from kb_service.trials.treatment import treated, under_policy
from kb_service.understanding.customer_history import History, history_for
from kb_service.understanding.question_reading import Reading, read_question, told_in, unspoken
from kb_service.understanding.reading import Reader, nameable
from kb_service.understanding.signs import sensitive_intent

SHOWN_AGENTS = 5
ALTERNATIVES = 3
LANGUAGES: tuple[Language, ...] = ("zh", "en")
CASE_PROBLEM = 0.9
"""The probability that a case is still about the problem that its earlier messages joined."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A case with its route, what it asks of an agent, and how likely each agent resolves it."""

    route: Route
    need: Need
    estimates: dict[str, SkillEstimate]
    problem: Problem | None = None
    grants: tuple[Grant, ...] = ()
    line: Asked = field(default_factory=Asked)
    """The line of support that the case asks for, and why."""
    across_expertise: Mapping[str, SkillEstimate] = field(default_factory=dict)
    """How agents do on the expertise as a whole, where most have too few cases of the problem itself to tell of."""
    told: Mapping[Language, Priority] = field(default_factory=dict)
    """The priority of a waiting case with its evidence in each language."""
    way: Way = AS_IT_STANDS
    """How trials have the case served; what they change is in `need` and `estimates` already."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A waiting case with what is known of it beside its customer's words: since when, and which problem it is of."""

    case: Case
    since: datetime
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A waiting case that is to be placed: the question that it comes to, and the shop as its customer is served."""

    replica: Replica
    question: Question
    waiting: Waiting


class Routing:
    """Where the questions and waiting cases of every workspace belong, and who should take them."""

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
        reading = read_question(self._reader, replica, question, self._clock())
        return self.decide(replica, question, reading, self._files.of(workspace, question, reading.problem))

    def decide(self, replica: Replica, question: Question, reading: Reading, file: CaseFile) -> Route:
        """Priority, expertise, agents and due times for a question that was read, with the file of its case."""
        return self._placed(replica, question, reading, file, self._clock()).route

    def place(self, unplaced: Unplaced, *, at: datetime | None = None) -> Placed:
        """The route of a waiting case with what it asks of an agent."""
        (placed,) = self.place_all([unplaced], at=at)
        return placed

    def place_all(self, unplaced: Sequence[Unplaced], *, at: datetime | None = None) -> list[Placed]:
        """The routes of waiting cases of one workspace, in order; the store is asked as often for all as for one."""
        if not unplaced:
            return []
        now = at or self._clock()
        readings = [self._read(item) for item in unplaced]
        asked = [
            (item.waiting.case, item.question, reading.problem)
            for item, reading in zip(unplaced, readings, strict=True)
        ]
        files = self._files.of_cases(unplaced[0].replica.workspace, asked, now)
        return [
            self._placed(item.replica, item.question, reading, file, now, item.waiting)
            for item, reading, file in zip(unplaced, readings, files, strict=True)
        ]

    def _read(self, unplaced: Unplaced) -> Reading:
        """A waiting case as it is read: of the problem that its messages joined, and perhaps without words."""
        waiting, question = unplaced.waiting, unplaced.question
        reading = read_question(self._reader, unplaced.replica, question, self._clock())
        if reading.problem is None and waiting.problem is not None:
            reading = replace(reading, problem=waiting.problem, problem_score=CASE_PROBLEM)
        return reading if question.text else unspoken(reading, waiting.case.language)

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
        history = history_for(replica, question, reading, file, now)
        if waiting is not None and history.waiting_since is None:
            history = replace(history, waiting_since=min(waiting.since, now))
        priority, level = self._priority(shop, question, reading, history, now)
        found = _covering(shop, question, reading)
        choices = tuple(ExpertiseChoice(cluster, confidence) for cluster, confidence in found.ranked)
        first = choices[0] if choices and not found.triage else None
        cluster = first.expertise if first else None
        grants = self._grants(shop, question, reading)
        line = _line(shop, reading, file, now)
        avoid = left_by(file.events, file.passed_on)
        need = _need(shop, reading, history, priority, level, cluster, grants, now)
        case_id = waiting.case.id if waiting is not None else question.conversation_id or ""
        need = replace(need, case_id=case_id, line=line.line, avoid=avoid)
        need, estimates = under_policy(replica.way.policy, need, self._estimates(replica, cluster, reading))
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
            else _ranked(shop, need, grants, estimates, told_in(question, reading), now),
            sla=ServiceLevel(level.tier, level.first_response_due, level.resolve_due),
        )
        placed = Placed(route, need, estimates, reading.problem, grants, line, way=replica.way)
        if waiting is None:
            return placed
        asked = {language: replace(question, reader=language) for language in LANGUAGES}
        return replace(
            placed,
            across_expertise=self._estimates(replica, cluster),
            told={
                language: self._priority(shop, of, reading, history, now)[0] for language, of in asked.items()
            },
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


def _covering(shop: Shop, question: Question, reading: Reading) -> ExpertiseReading:
    """The clusters that a question may belong to, the likeliest first."""
    return expertise_for(
        shop.expertise,
        reading.understanding.intents,
        reading.problem,
        problem_score=reading.problem_score,
        out_of_scope=reading.understanding.out_of_scope,
        evidence=shop.evidence,
        products=_products(shop, question, reading),
    )


def _need(
    shop: Shop,
    reading: Reading,
    history: History,
    priority: Priority,
    level: Promised,
    cluster: Expertise | None,
    grants: Sequence[Grant],
    now: datetime,
) -> Need:
    """What the case asks of an agent."""
    opened_at = history.waiting_since or now
    return Need(
        case_id="",
        language=reading.whole.language,
        expertise=cluster,
        secondary=_also(shop, cluster, reading) if cluster else (),
        neighbours=neighbouring(cluster, shop.expertise) if cluster else (),
        permissions=tuple(grant.word for grant in grants),
        priority=round(priority.total),
        sla_consumed=consumed(level, opened_at, now),
        waiting_since=opened_at,
        sticky_agent_id=history.previous_agent,
        sticky_at=history.previous_at,
    )


def _line(shop: Shop, reading: Reading, file: CaseFile, now: datetime) -> Asked:
    """The line of support that the case asks for, by what became of it so far."""
    problems = {
        item.event.id: item.assignment.problem_id for item in file.told if item.assignment is not None
    }
    happened = [Happened(event, problems.get(event.id)) for event in file.events]
    sensitive = reading.sensitive_flow is not None
    return line_asked(happened, file.passed_on, shop.agents, now, sensitive=sensitive)


def _ranked(
    shop: Shop,
    need: Need,
    grants: Sequence[Grant],
    estimates: Mapping[str, SkillEstimate],
    language: Language,
    now: datetime,
) -> tuple[AgentChoice, ...]:
    """Who should take the case, the best first."""
    return rank(
        tuple(granted(agent, grants) for agent in shop.agents.values()),
        need,
        now=now,
        estimates=estimates,
        recent=shop.recent.cases,
        online_seconds=shop.recent.online_seconds,
        language=language,
    )[:SHOWN_AGENTS]


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
