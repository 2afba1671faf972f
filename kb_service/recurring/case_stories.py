"""Cases as the search for causes reads them: what happened, who had them, which documents they were answered from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from graph.case_history import Contacts, Step, read
from graph.findings import Story, story_of
from graph.models import Speaker
from graph.routing_findings import Fields
from kb_service.metrics.support_material import steps_beside, with_steps
from kb_service.replicas.replica import Replica
from kb_service.replicas.replied import documents_said
from kb_service.store import Unit
from kb_service.store.histories import SaidReply

MOST_CASES = 100_000
"""Cases that one look reads at most, the first ones."""
MOST_TEXTS = 3_000
"""Different replies whose documents are looked for, the most frequent ones: half a minute of searches."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The cases of a span, with what is known of documents and people. `kinds` and `titles` are by document,
    `passing` are the problems that an incident brought."""

    stories: tuple[Story, ...]
    fields: Fields
    kinds: Mapping[str, str]
    titles: Mapping[str, str]
    passing: frozenset[str]


def seen(unit: Unit, replica: Replica, begin: datetime, end: datetime) -> Seen:
    """Everything that the cases opened from `begin` up to, without, `end` tell; known is what happened before `end`."""
    rows = list(unit.histories.shown(begin, end))
    beside = steps_beside(rows, unit.histories.handed_over(begin, end))
    given = _given(unit, begin, end)
    cited = _cited(unit, replica, begin, end)
    contacts = Contacts(unit.histories.contacts(begin, end))
    stories = []
    with closing(unit.histories.opened(begin, end)) as cases:
        for case in islice(cases, MOST_CASES):
            more = [*beside.get(case.id, ()), *given.get(case.id, ())]
            story = story_of(read(with_steps(case, more), contacts, end), cited.get(case.id, ()))
            if story is not None:
                stories.append(story)
    kinds, titles = _documents(replica)
    return Seen(
        stories=tuple(stories),
        fields=_fields(replica),
        kinds=kinds,
        titles=titles,
        passing=_passing(unit, begin),
    )


def _given(unit: Unit, begin: datetime, end: datetime) -> dict[str, list[Step]]:
    """Who was given each case: by the service as a hand-over, by a person who moved it as a transfer."""
    found: defaultdict[str, list[Step]] = defaultdict(list)
    for item in unit.decisions.given(begin, end):
        moved = item.from_agent is not None and item.from_agent != item.agent_id
        found[item.case_id].append(
            Step("transfer", item.at, "agent", from_agent=item.from_agent, to_agent=item.agent_id)
            if moved
            else Step("handover", item.at, "bot", to_agent=item.agent_id)
        )
    return dict(found)


def _cited(
    unit: Unit, replica: Replica, begin: datetime, end: datetime
) -> dict[str, list[tuple[Speaker, str]]]:
    """The documents that each case was answered from, oldest first: those that the service names, and for what people
    and bots wrote themselves the one that says the same."""
    said: list[SaidReply] = [*unit.histories.sent(begin, end), *unit.histories.replies(begin, end)]
    texts = Counter(item.text for item in said if item.text)
    at = {item.text: item.at for item in said if item.text}
    documents = {
        text: next(iter(documents_said(text, at[text], replica.index.search)), (None, 0.0))[0]
        for text, _ in texts.most_common(MOST_TEXTS)
    }
    found: defaultdict[str, list[tuple[Speaker, str]]] = defaultdict(list)
    for item in sorted(said, key=lambda item: item.at):
        document = item.external_id or documents.get(item.text or "")
        if document is not None:
            found[item.case_id].append((item.by, document))
    return dict(found)


def _documents(replica: Replica) -> tuple[dict[str, str], dict[str, str]]:
    """The kinds and the titles of the documents that stand."""
    view = replica.index.snapshot.catalogue
    living = [view.records[slot] for slot in range(len(view.alive)) if view.alive[slot]]
    # A common question about one product belongs on the product's page.
    return (
        {
            record.external_id: "product" if record.kind == "faq" and record.products else record.kind
            for record in living
        },
        {record.external_id: record.title for record in living},
    )


def _fields(replica: Replica) -> Fields:
    of_agent: defaultdict[str, set[str]] = defaultdict(set)
    for cluster in replica.shop.expertise:
        for agent_id in cluster.agent_ids:
            of_agent[agent_id].add(cluster.id)
    return Fields(
        replica.fields_by_problem(), {agent_id: frozenset(own) for agent_id, own in of_agent.items()}
    )


def _passing(unit: Unit, begin: datetime) -> frozenset[str]:
    """Problems that grew beyond what is expected since `begin`, or came back."""
    found: set[str] = set()
    cursor: str | None = None
    while True:
        page = unit.alerts.page(cursor, 200, since=begin)
        found.update(alert.problem_id for alert in page.items if alert.kind != "recurrence")
        if page.next_cursor is None:
            return frozenset(found)
        cursor = page.next_cursor
