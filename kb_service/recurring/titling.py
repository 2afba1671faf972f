"""How problems are called: the names that follow their messages until people know them, and what an alert is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from graph.exemplars import Instance
from graph.headings import heading
from graph.models import Event, Problem, Utterance
from graph.naming import another, name_problem, named_alike
from graph.words import is_han
from ingest import language
from kb_service.replicas.replica import Replica
from kb_service.store import Unit
from kb_service.understanding.reading import nameable, stem

WINDOW = 60
"""Messages that are looked at for a title, or a name in a further language, the newest."""
ENOUGH = 3
"""Messages in a language from which a problem has a name in it, where it had borrowed one and they say the same."""
_NO_VECTOR = np.zeros(0, dtype=np.float32)


class Titling:
    """Names within one transaction. `said` has the texts of events that are not stored yet, by id."""

    def __init__(self, unit: Unit, replica: Replica, said: Mapping[str, str]) -> None:
        self._unit = unit
        self._replica = replica
        self._said = said

    def named(self, problem: Problem) -> Problem:
        """The problem under the names that its messages give it by now, unless a person named it."""
        if problem.named_by_person:
            return problem
        names = self._names(self._spoken(problem.id))
        return replace(problem, names=names) if names else problem

    def kept_up(self, problem: Problem) -> Problem:
        """The problem under names that follow its messages while nobody has heard of it; afterwards a language that
        had borrowed a name gets its own once enough messages speak it."""
        if problem.named_by_person:
            return problem
        if problem.state == "candidate":
            return self.named(problem) if problem.events > 1 else problem
        wanted = _borrower(problem.names)
        if wanted is None:
            return problem
        kept = self._replica.matcher.exemplars(problem.id)
        if not any(exemplar.utterance.language == wanted for exemplar in kept):
            return problem
        latest = _heard([item.event for item in self._unit.events.of_problem(problem.id, limit=WINDOW)])
        theirs = [item for item in latest if item.language == wanted and heading(item.text, wanted)]
        if len(theirs) < ENOUGH:
            return problem
        own = named_alike(problem.names[wanted], self._spoken(problem.id), wanted, rarity=self._rarity)
        return replace(problem, names={**problem.names, wanted: own}) if own else problem

    def title(self, problem: Problem, events: Sequence[Event]) -> Mapping[str, str] | None:
        """What the messages of an alert's window name, where the problem's names say something else."""
        return another(problem.names, nameable(_heard(events[:WINDOW])), _words)

    def _names(self, spoken: Sequence[Utterance]) -> Mapping[str, str]:
        return name_problem(spoken, rarity=self._rarity)

    def _rarity(self, word: str) -> float:
        return self._replica.matcher.rarity(stem(word))

    def _spoken(self, problem_id: str) -> list[Utterance]:
        return nameable([self._as_written(kept) for kept in self._replica.matcher.exemplars(problem_id)])

    def _as_written(self, exemplar: Instance) -> Utterance:
        """A kept message with its numbers, which comparing leaves out and a name needs."""
        text = self._said.get(exemplar.event_id or "")
        if not text and exemplar.event_id and (stored := self._unit.events.get(exemplar.event_id)):
            text = stored.event.text
        return replace(exemplar.utterance, text=text or exemplar.utterance.text)


def _heard(events: Sequence[Event]) -> list[Utterance]:
    """What events say, to be named by: without vectors."""
    return [
        Utterance(text, event.language or language.identify(text), (), _NO_VECTOR, "")
        for event in events
        if (text := event.text)
    ]


def _borrower(names: Mapping[str, str]) -> str | None:
    """The language of Chinese and English that stands under the other one's name, None where neither does."""
    chinese, english = names.get("zh"), names.get("en")
    if chinese is None or chinese != english:
        return None
    return "en" if any(map(is_han, chinese)) else "zh"


def _words(name: str) -> list[str]:
    return language.content_words(name, stemmed=False)
