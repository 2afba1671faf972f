"""What agents' replies tell about answers: a reply that says what a document says makes it an answer of its problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from graph.problem_graph import ProblemGraph
from ingest import language
from kb_service.search.models import Filters, Hit, SearchQuery
from kb_service.store import Outcome

Search: TypeAlias = Callable[[SearchQuery], Sequence[Hit]]

REPLIES = 20
"""Different replies of each problem that count, the newest."""
ALIKE = 3
"""Documents that one reply may speak for: the same is often said by a policy, an FAQ and a resolution."""
LEAST_COVERAGE = 0.5
"""Share of a reply's information from which a document says the same. Fewer find their document at .7 and no longer
help; at .4 it is as at .5."""
WEIGHT = 0.5
"""Of a reply whose words are all the document's; an accepted suggestion weighs 1."""
LIKED = 3.0
"""A rating below tells that the reply did not help."""


@dataclass(frozen=True, slots=True)
class Said:
    """One reply of a problem that a document says too; `source` names the resolution and the place."""

    problem_id: str
    external_id: str
    weight: float
    at: datetime
    source: str


class Replied:
    """The replies that stand in one graph. Each text is searched once and what it was found to say remembered; what
    newer documents say is learnt when the graph is made anew, as at each start. `read` may run beside `link`."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[tuple[str, float], ...]] = {}
        self._linked: set[str] = set()

    def read(self, outcomes: Iterable[Outcome], search: Search) -> tuple[Said, ...]:
        """What the replies that helped say, by words alone: no encoder is asked. Changes no graph.

        An agent speaks once for each answer of a problem, so that nobody makes one by repeating it.
        """
        kept = _newest(outcomes)
        known, found = self._found, dict[str, tuple[tuple[str, float], ...]]()
        for reply, item in kept:
            if reply not in found:
                found[reply] = known[reply] if reply in known else documents_said(reply, item.at, search)
        said: dict[tuple[str, str, str], Said] = {}
        for reply, item in kept:
            problem_id = item.problem_id or ""
            for external_id, share in found[reply]:
                source = f"reply:{item.event_id}:{external_id}"
                word = Said(problem_id, external_id, WEIGHT * share, item.at, source)
                before = said.get((problem_id, external_id, item.agent_id))
                if before is None or before.weight < word.weight:
                    said[problem_id, external_id, item.agent_id] = word
        self._found = found
        return tuple(said.values())

    def link(self, graph: ProblemGraph, said: Sequence[Said]) -> None:
        """Brings the graph in line: what was said counts, what was taken back or is too old counts no more."""
        for source in self._linked - {item.source for item in said}:
            graph.unlink(source)
        for item in said:
            graph.link_answer(item.problem_id, item.external_id, item.weight, item.at, source=item.source)
        self._linked = {item.source for item in said}


def _newest(outcomes: Iterable[Outcome]) -> list[tuple[str, Outcome]]:
    """The resolutions that helped, the newest first, with their replies; of each problem those of REPLIES texts."""
    texts: dict[str, set[str]] = {}
    kept = []
    for item in sorted(outcomes, key=lambda item: (item.at, item.event_id), reverse=True):
        if item.problem_id is None or not item.reply or not _helped(item):
            continue
        seen = texts.setdefault(item.problem_id, set())
        if item.reply in seen or len(seen) < REPLIES:
            seen.add(item.reply)
            kept.append((item.reply, item))
    return kept


def _helped(item: Outcome) -> bool:
    return item.resolved is not False and not item.reopened and (item.rating is None or item.rating >= LIKED)


def documents_said(reply: str, at: datetime, search: Search) -> tuple[tuple[str, float], ...]:
    """The documents that say what a reply says, each with the share of its information that they hold."""
    hits = search(
        SearchQuery(
            text=reply,
            language=language.identify(reply),
            vector=None,
            at=at,
            limit=ALIKE,
            filters=Filters(audiences=("public", "internal"), any_scope=True),
        )
    )
    return tuple((hit.external_id, hit.coverage) for hit in hits if hit.coverage >= LEAST_COVERAGE)
