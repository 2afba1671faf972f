"""What one process remembers of a workspace's problems: what was said of them, by whom and when, and what comes in.

Filled with customers' messages in order of arrival, those that this process records and those that others did.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from graph.alarms import Alarms
from graph.entities import Gazetteer
from graph.exemplars import Instance
from graph.lifecycle import episode_begin
from graph.matching import ProblemMatcher
from graph.models import Alert, Entity, Event, Match, Problem, Utterance
from graph.rules import Rules
from graph.sightings import speaker, voter_code
from ingest import language
from ingest.redaction import mask_numbers
from kb_service.replicas.past_merges import PastMerges
from kb_service.store import StoredMessage, Unit
from kb_service.traffic.inflow import Inflow, zone_of
from kb_service.understanding.reading import compared_words


class ProblemMemory:
    """Derived from the store and thrown away with the rest of a Replica. Whoever holds the replica's lock changes it;
    `match`, `entities` and `exemplars` are for readers at any time.

    `problems` are those of the store. `model_id` is the encoder whose vectors are compared, `reads` are its languages.
    `watermark` is where event time stands already, see `Alarms`.
    """

    def __init__(
        self,
        problems: Iterable[Problem],
        rules: Rules,
        *,
        model_id: str,
        reads: frozenset[str],
        watermark: datetime | None = None,
    ) -> None:
        self.problems = {problem.id: problem for problem in problems}
        self.matcher = ProblemMatcher(reads=reads)
        self.alarms = Alarms(rules, zone_of(rules), watermark)
        """When something is told of a problem."""
        self.inflow = Inflow()
        self.sequence = 0
        """The place of the last message, in order of arrival, that is remembered."""
        self._model_id = model_id
        self._matching = threading.Lock()
        self._placed_here: set[str] = set()
        """Messages that waited and that this process placed itself."""

    # --- reading

    def match(self, utterance: Utterance, entities: Sequence[Entity], at: datetime) -> Match:
        """Which known problem a message would belong to; changes nothing."""
        with self._matching:
            return self.matcher.match(utterance, entities, at)

    def entities(self, problem_id: str) -> Mapping[str, Mapping[str, int]]:
        """What the messages of a problem name, by type and value, with how often."""
        with self._matching:
            return self.matcher.entities(problem_id)

    def exemplars(self, problem_id: str) -> Sequence[Instance]:
        """The messages that are kept of a problem, of its largest part first."""
        with self._matching:
            return self.matcher.exemplars(problem_id)

    # --- what is recorded here

    def join(self, problem_id: str, utterance: Utterance, entities: Sequence[Entity], event: Event) -> None:
        """Count a message as an instance of its problem, before its transaction is committed."""
        with self._matching:
            self.matcher.join(problem_id, utterance, entities, event.at, event_id=event.id)

    def join_late(
        self, problem_id: str, utterance: Utterance, entities: Sequence[Entity], event: Event
    ) -> None:
        """The same for a message that waited to be placed; what the change log then tells of it is known."""
        self.join(problem_id, utterance, entities, event)
        self._placed_here.add(event.id)

    def recorded(self, sequence: int) -> None:
        """The messages up to `sequence` are in the matcher: this process joined them when it recorded them."""
        self.sequence = max(self.sequence, sequence)

    # --- what the store tells

    def govern(self, rules: Rules) -> None:
        """Go by these rules from now on."""
        self.alarms.govern(rules, zone_of(rules))

    def tell(self, alerts: Iterable[Alert]) -> None:
        """Alerts that stand, before the messages that led to them are counted."""
        for alert in alerts:
            self.alarms.tell(alert.problem_id, alert.kind, alert.opened_at)

    def follow(self, unit: Unit, gazetteer: Gazetteer, merges: PastMerges | None) -> None:
        """Messages that another process recorded, or all of them at the start, in order of arrival; `merges` are those
        that came between them."""
        for message in unit.events.messages(self.sequence):
            self.sequence = message.sequence
            self._hear(message, gazetteer, merges)
            event = message.event
            problem_id = message.assignment.problem_id if message.assignment is not None else None
            self.inflow.hear(event.at, message.case_id or event.id, problem_id)
            if problem_id is not None:
                self.alarms.recall(problem_id, event.at, speaker(event))
        if (watermark := unit.events.latest_at()) is not None:
            self.alarms.passed(watermark)

    def follow_late(self, unit: Unit, event_id: str, gazetteer: Gazetteer, *, until: int) -> None:
        """A message that waited and that another process placed, if it came before those that were just followed,
        which are those after the place `until`."""
        if event_id in self._placed_here:
            self._placed_here.remove(event_id)
            return
        message = unit.events.message(event_id)
        if message is not None and message.sequence <= until:
            self._hear(message, gazetteer, None)

    def put(self, problem: Problem) -> Problem:
        """A problem as the store has it now, under whose id what was merged into it lives on; with its counts."""
        with self._matching:
            for alias in problem.aliases:
                if alias in self.matcher:
                    self.matcher.merge(alias, problem.id)
        for alias in problem.aliases:
            if self.problems.pop(alias, None) is not None:
                self.alarms.merge(alias, problem.id)
        self.alarms.put(problem)
        counted = self._counted_in_all(problem)
        self.problems[problem.id] = counted
        return counted

    def count_again(self, unit: Unit, problem_id: str) -> None:
        """Count a problem's messages as the store has them, after some were moved."""
        seen = unit.problems.observations(problem_id)
        self.alarms.recount(problem_id, ((item.at, voter_code(*item.voter)) for item in seen))

    def _hear(self, message: StoredMessage, gazetteer: Gazetteer, merges: PastMerges | None) -> None:
        assignment = message.assignment
        if assignment is None or assignment.problem_id is None or assignment.match.pending:
            return
        if assignment.match.reason == "same_case" or message.vector is None:
            return
        if message.model_id != self._model_id:
            return
        entities = gazetteer.entities(message.event.text or "", message.event.at)
        home = assignment.problem_id
        if merges is not None:
            with self._matching:
                merges.reach(message.sequence, self.matcher)
            home = merges.home(message.event.id, assignment)
        self.join(home, stored_utterance(message, self._model_id), entities, message.event)

    def _counted_in_all(self, problem: Problem) -> Problem:
        """A problem with the customers of its earlier episodes too, where one was resolved."""
        if episode_begin(problem) is None:
            return problem
        return replace(problem, all_customers=self.alarms.sightings.of(problem.id).distinct())


def stored_utterance(message: StoredMessage, model_id: str) -> Utterance:
    """A message as it was compared when it was recorded."""
    text = mask_numbers(message.event.text or "")
    assert message.vector is not None
    return Utterance(
        text=text,
        language=message.event.language or language.identify(text),
        tokens=compared_words(text),
        vector=message.vector,
        model_id=model_id,
    )
