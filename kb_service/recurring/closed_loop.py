"""Each night: what the last four weeks of cases say should change, proposed once; and what accepted changes brought."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import zip_longest

from structlog.stdlib import get_logger

from graph.closed_loop import closed_loop
from graph.drafting import AcceptedReply, drafted
from graph.findings import Finding
from graph.gaps import Unanswered, gap_of
from graph.models import Intent, Problem, Proposal
from ingest.models import Document
from ingest.redaction import mask_order_numbers
from kb_service.care.unanswered import worded
from kb_service.delivery.announcing import announce
from kb_service.delivery.messages import proposal_data
from kb_service.exposures import ExposureLog
from kb_service.recurring.case_stories import Seen, seen
from kb_service.recurring.finding_words import Background, proposal_of
from kb_service.recurring.measured_effects import MeasuredEffects
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.search.models import Filters, SearchQuery
from kb_service.store import Store, StoredEvent, Unit

log = get_logger(__name__)

SPAN = timedelta(days=28)
QUIET = timedelta(days=90)
"""For so long what was dismissed is not proposed again, unless what it would save has doubled."""
AGAIN = 2.0
LEARNT_FROM = timedelta(days=730)
"""How far back effects tell what the next change may bring."""
MOST_NEW = 10
"""Proposals that one night makes, those that save most; the others have their turn when some are decided."""
EXAMPLES = 5
MOST_PROBLEMS = 3
"""Problems of a finding that examples are taken from, the most frequent ones."""
MOST_REPLIES = 200
"""Cases of a problem whose replies a draft is chosen from, the latest."""
LONGEST_EXAMPLE = 300
"""Characters from which a message is no example; a shortened one would be found by no erasure."""
LONGEST_QUOTE = 1200
OF_INTENT = 0.5
"""Share of an intent's cases that are of the problem, from which the rule is set for the intent."""


class ClosedLoop:
    """Looks at each workspace's cases once a night."""

    def __init__(
        self,
        store: Store,
        replicas: Replicas,
        exposures: ExposureLog,
        effects: MeasuredEffects,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._exposures = exposures
        self._effects = effects
        self._clock = clock

    def night(self, workspace: str) -> int:
        """Propose what the last four weeks of event time call for, then measure what was accepted; how many are new.

        What is open already gets the figures of this night. What was accepted is proposed again when it was measured
        and four weeks since stand out anew.
        """
        new = self._propose(workspace)
        self._effects.night(workspace)
        return new

    def _propose(self, workspace: str) -> int:
        self._exposures.flush()
        replica = self._replicas.settled(workspace)
        with self._store.reading(workspace) as unit:
            end = unit.events.latest_at()
            if end is None:
                return 0
            # An event at the very end belongs to it.
            end += timedelta(microseconds=1)
            cases = seen(unit, replica, end - SPAN, end)
            found = closed_loop(
                cases.stories,
                cases.fields,
                kinds=cases.kinds,
                days=SPAN / timedelta(days=1),
                passing=cases.passing,
                left=_left(unit.proposals.accepted(end - LEARNT_FROM)),
            )
            made = [
                (finding, proposal_of(finding, self._background(unit, replica, finding, cases), end))
                for finding in found
                if self._wanted(unit, finding, end)
            ]
        return self._keep(replica, made, end) if made else 0

    # --- what becomes of a finding

    def _wanted(self, unit: Unit, finding: Finding, end: datetime) -> bool:
        return _standing(unit.proposals.of_finding(finding.key), finding, self._clock(), end) != "told"

    def _keep(self, replica: Replica, made: Sequence[tuple[Finding, Proposal]], end: datetime) -> int:
        """Store what is new and what has changed, in one transaction; whichever process comes first."""
        new = 0
        with self._store.writing(replica.workspace) as unit:
            for finding, proposal in made:
                before = unit.proposals.of_finding(finding.key)
                standing = _standing(before, finding, self._clock(), end)
                if standing == "open" and before is not None:
                    unit.proposals.put(
                        replace(
                            before,
                            title=proposal.title,
                            evidence=proposal.evidence,
                            draft=proposal.draft,
                            change=proposal.change,
                            expected=proposal.expected,
                        )
                    )
                elif standing == "new" and new < MOST_NEW and not _doubled(unit, finding, proposal):
                    unit.proposals.put(proposal)
                    _announce(unit, replica, proposal)
                    new += 1
        if new:
            log.info("changes_proposed", workspace=replica.workspace, count=new)
        return new

    # --- what is known beside the figures

    def _background(self, unit: Unit, replica: Replica, finding: Finding, cases: Seen) -> Background:
        """Everything that the words of a finding need; customers' words are masked and whole."""
        problems = [_problem(replica, id) for id in finding.problem_ids]
        main = problems[0]
        told = unit.events.of_each_case(finding.case_ids)
        asked = _asked(unit, replica, finding.problem_ids)
        document = _document(unit, finding.document_id)
        names = {cluster.id: cluster.name for cluster in replica.shop.expertise}
        return Background(
            names=main.names if main is not None else {},
            days=SPAN // timedelta(days=1),
            products=tuple(document.products) if document is not None else main.products if main else (),
            intent=_whole_intent(replica, main, cases),
            target=names.get(finding.target or ""),
            document=cases.titles.get(finding.document_id or ""),
            internal=document is not None and document.audience == "internal",
            quote=_quote(replica, document, asked, self._clock()),
            reply=_reply(unit, finding, told) if finding.cause != "explained" else None,
            asked=asked,
            afterwards=_afterwards(told, finding.case_ids)
            if finding.cause in ("returning", "refused")
            else (),
            people={agent.id: agent.name for agent in replica.shop.agents.values()},
            problems=tuple(_name(problem) for problem in problems if problem is not None),
        )


def _left(accepted: Sequence[Proposal]) -> list[float]:
    """What documents that were stated earlier were measured to leave of their contacts."""
    return [
        item.effect.ratio
        for item in accepted
        if item.effect is not None
        and item.effect.ratio is not None
        and (item.change or {}).get("action") in ("state_earlier", "publish")
    ]


def _standing(before: Proposal | None, finding: Finding, now: datetime, end: datetime) -> str:
    """What is to be done with a finding: make it new, refresh what is open, or nothing since it was told."""
    if before is None:
        return "new"
    if before.state == "open":
        return "open"
    decided = before.decided_at or before.opened_at
    if before.state == "dismissed":
        past = before.expected.per_week if before.expected is not None else 0.0
        return "new" if now - decided >= QUIET or finding.expected.per_week >= AGAIN * past > 0 else "told"
    measured = before.effect is not None and before.effect.verdict != "too_early"
    return "new" if measured and end - decided >= SPAN else "told"


def _doubled(unit: Unit, finding: Finding, proposal: Proposal) -> bool:
    """Whether an alert or a gap has the same change proposed already, and it is open."""
    if finding.cause == "explained" or proposal.problem_id is None:
        return False
    other = unit.proposals.open_for(proposal.problem_id, proposal.kind)
    return other is not None and other.finding is None


def _announce(unit: Unit, replica: Replica, proposal: Proposal) -> None:
    problem = _problem(replica, proposal.problem_id or "")
    named = unit.events.of_problem(problem.id) if problem is not None else ()
    announce(
        unit,
        "proposal.created",
        proposal_data(proposal),
        unit.now,
        products=problem.products if problem is not None else (),
        expertise=replica.expertise_of(problem) if problem is not None else None,
        quotes=[stored.event.id for stored in named],
    )


def _problem(replica: Replica, problem_id: str) -> Problem | None:
    return replica.problems.get(replica.graph.survivor(problem_id))


def _name(problem: Problem) -> str:
    return " / ".join(dict.fromkeys(problem.names.values())) or problem.id


def _whole_intent(replica: Replica, problem: Problem | None, cases: Seen) -> Intent | None:
    """The intent of a problem, where most of the intent's cases are of it."""
    if problem is None or problem.intent_id is None:
        return None
    of_intent = [
        story
        for story in cases.stories
        if (other := _problem(replica, story.problem_id)) is not None and other.intent_id == problem.intent_id
    ]
    own = sum(story.problem_id == problem.id for story in of_intent)
    return replica.shop.intents.get(problem.intent_id) if own >= OF_INTENT * len(of_intent) > 0 else None


def _document(unit: Unit, external_id: str | None) -> Document | None:
    stored = unit.documents.get(external_id) if external_id is not None else None
    return stored.document if stored is not None else None


def _asked(unit: Unit, replica: Replica, problem_ids: Sequence[str]) -> tuple[str, ...]:
    """What stands for the first problems in customers' own words, in both languages where they write both; the latest
    messages where nothing was found to stand for them."""
    found: dict[str, str] = {}
    for problem_id in (replica.graph.survivor(id) for id in problem_ids[:MOST_PROBLEMS]):
        exemplars = [exemplar.event_id for exemplar in replica.matcher.exemplars(problem_id)]
        typical = [unit.events.get(event_id) for event_id in exemplars if event_id is not None]
        for item in typical or unit.events.of_problem(problem_id, limit=EXAMPLES):
            if item is not None and (text := _example(item)) is not None:
                found.setdefault(text, worded(text).language)
    languages = list(dict.fromkeys(found.values()))
    by_language = [[text for text, own in found.items() if own == language] for language in languages]
    mixed = [text for texts in zip_longest(*by_language) for text in texts if text is not None]
    return tuple(mixed[:EXAMPLES])


def _afterwards(told: dict[str, tuple[StoredEvent, ...]], case_ids: Sequence[str]) -> tuple[str, ...]:
    """What customers said after the last answer of each case that came back."""
    found: list[str] = []
    for case_id in case_ids:
        answered = False
        for item in told.get(case_id, ()):
            event = item.event
            answered = answered or event.type == "resolution" or event.role == "bot"
            if answered and (text := _example(item)):
                found.append(text)
                break
    return tuple(dict.fromkeys(found))[:EXAMPLES]


def _example(item: StoredEvent) -> str | None:
    event = item.event
    if event.type != "message" or event.role != "customer" or not event.text:
        return None
    return event.text if len(event.text) <= LONGEST_EXAMPLE else None


def _quote(replica: Replica, document: Document | None, asked: Sequence[str], at: datetime) -> str:
    """What a document says to what customers ask: its best passage, else its beginning."""
    if document is None:
        return ""
    for text in asked:
        spoken = worded(text)
        hits = replica.index.search(
            SearchQuery(
                text=text,
                language=spoken.language,
                vector=None,
                at=at,
                limit=1,
                filters=Filters(
                    audiences=("public", "internal"),
                    external_ids=(document.external_id,),
                    any_scope=True,
                    any_state=True,
                ),
            )
        )
        if hits:
            return hits[0].text[:LONGEST_QUOTE]
    return document.text[:LONGEST_QUOTE]


def _reply(unit: Unit, finding: Finding, told: dict[str, tuple[StoredEvent, ...]]) -> str | None:
    """The reply that settled such cases best, chosen as for a gap."""
    questions = [
        Unanswered(
            item.event.id,
            item.event.at,
            item.event.text or "",
            worded(item.event.text or ""),
            "reopened",
            item.event.customer_id,
        )
        for case_id in finding.case_ids
        for item in told.get(case_id, ())[:1]
        if _example(item)
    ]
    if not questions:
        return None
    of_problem = unit.cases.of_problem(finding.problem_ids[0], limit=MOST_REPLIES).items
    replies = {
        given.text.strip(): AcceptedReply(
            given.event_id, "resolution", given.at, worded(mask_order_numbers(given.text))
        )
        for given in unit.events.accepted_replies([case.id for case in of_problem])
    }
    draft = drafted(gap_of(sorted(questions, key=lambda item: (item.at, item.id))), list(replies.values()))
    return draft.body if draft is not None else None
