"""What cases teach of the shop's own ways, all in all: documents, policies and routing that would be better changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from graph.answer_findings import answer_findings
from graph.findings import Finding, Story
from graph.routing_findings import Fields, routing_findings


def closed_loop(
    stories: Sequence[Story],
    fields: Fields,
    *,
    kinds: Mapping[str, str],
    days: float,
    passing: Collection[str] = (),
    left: Sequence[float] = (),
) -> tuple[Finding, ...]:
    """Everything that stands out among the cases of so many days, what saves most first.

    `kinds` is the kind of each document, `passing` are the problems that came with an incident, `left` what of
    their contacts documents that were stated earlier were measured to leave.
    """
    found = (
        *routing_findings(stories, fields, days),
        *answer_findings(stories, kinds, days, passing=passing, left=left),
    )
    return tuple(sorted(found, key=lambda item: (-item.expected.per_week, item.key)))
