"""What a digest tells: gathered as ids and numbers when it is made, put into words when it is sent.

Names are looked up as late as that so that an erasure in between reaches a digest which still waits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from graph.lifecycle import emerging
from graph.models import Alert, AlertKind, Problem, Proposal
from kb_service.delivery.digest_words import (
    COMMA,
    CUSTOMERS,
    EMERGING,
    IN_SUBJECT,
    SECTIONS,
    SPAN,
    STANDING,
    SUBJECT,
    UNNAMED,
)
from kb_service.delivery.formats import Language
from kb_service.delivery.formats.plain import one_line, unlinked
from kb_service.store import StoredDigest, Unit
from kb_service.store.digests import Happened

ALERTED: tuple[AlertKind, ...] = ("burst", "regression", "growth", "recurrence")
"""Sections that list alerts, by their kinds."""
MOST_LISTED = 20
LONGEST_NAME = 120
LONGEST_DETAIL = 300


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a digest, and what is to be said of it."""

    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class Section:
    """`count` are all that there are, `entries` those that are listed."""

    key: str
    count: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """A day's digest as people read it; every text is one line, without addresses to link."""

    subject: str
    span: str
    sections: tuple[Section, ...]
    standing: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class _Records:
    """What a digest lists, by id; problems also by the ids that were merged into them."""

    alerts: Mapping[str, Alert]
    problems: Mapping[str, Problem]
    proposals: Mapping[str, Proposal]


def gather(
    unit: Unit, since: datetime, until: datetime, earlier: Collection[str], counts: Mapping[str, int]
) -> dict[str, Any] | None:
    """What happened from `since` to before `until`, by section; None when nothing did.

    `earlier` is the `told` of digests before, whose spans may overlap with this one: nothing is told twice. `counts`
    are of what stands open without having happened at a moment.
    """
    found = unit.digests.happened(since, until)
    sections: dict[str, list[str]] = {key: [] for key in SECTIONS}
    told: list[str] = []
    for key, id, at in _happened(found):
        name = f"{key}:{id}:{at.isoformat()}"
        if name not in earlier:
            sections[key].append(id)
            told.append(name)
    if not told:
        return None
    return {
        "until": until.isoformat(),
        "sections": {key: ids for key, ids in sections.items() if ids},
        "standing": {
            "open_alerts": found.open_alerts,
            "open_proposals": found.open_proposals,
            "disabled": sum(webhook.state == "disabled" for webhook in unit.webhooks.all()),
            **counts,
        },
        "told": told,
    }


def _happened(found: Happened) -> Iterator[tuple[str, str, datetime]]:
    """Section, id and moment of each thing; a problem that an alert tells of is not told as new beside it."""
    alerted: set[str] = {id for id, _ in found.resolved}
    for alert in found.alerts:
        alerted.add(alert.problem_id)
        yield alert.kind, alert.id, alert.at
    yield from (("new", id, at) for id, at in found.problems if id not in alerted)
    named = {
        "resolved": found.resolved,
        "proposals": found.proposals,
        "gaps": found.gaps,
        "disabled": found.disabled,
    }
    for key, pairs in named.items():
        yield from ((key, id, at) for id, at in pairs)


def put_into_words(unit: Unit, digest: StoredDigest, zone: tzinfo) -> Digest:
    """A digest in its language, its times in the shop's zone; what was erased since is left out."""
    language, content = digest.language, digest.content
    until = datetime.fromisoformat(content["until"])
    listed = {key: ids[:MOST_LISTED] for key, ids in content["sections"].items()}
    records = _records(unit, listed)
    sections = []
    for key in SECTIONS:
        ids = content["sections"].get(key, [])
        entries = tuple(
            entry for id in listed.get(key, ()) for entry in _entry(unit, records, key, id, until, language)
        )
        if entries:
            sections.append(Section(key, len(ids) - len(ids[:MOST_LISTED]) + len(entries), entries))
    counts = [IN_SUBJECT[item.key][language].format(count=item.count) for item in sections]
    subject = SUBJECT[language].format(
        shop=unit.workspace, day=digest.day, counts=COMMA[language].join(counts) or "0"
    )
    times = {
        name: datetime.fromisoformat(content[name]).astimezone(zone).strftime("%Y-%m-%d %H:%M")
        for name in ("since", "until")
    }
    return Digest(
        subject=one_line(subject, 200),
        span=SPAN[language].format(**times),
        sections=tuple(sections),
        standing=tuple(
            (STANDING[key][language], count)
            for key in STANDING
            if (count := content["standing"].get(key)) is not None
        ),
    )


def _records(unit: Unit, listed: Mapping[str, Sequence[str]]) -> _Records:
    """What the sections list, looked up together."""
    alerts = {
        alert.id: alert for alert in unit.alerts.some([id for key in ALERTED for id in listed.get(key, ())])
    }
    named = {id for key in ("new", "resolved") for id in listed.get(key, ())}
    problems = unit.problems.some(named | {alert.problem_id for alert in alerts.values()})
    known = {name: problem for problem in problems for name in (*problem.aliases, problem.id)}
    return _Records(alerts, known, unit.proposals.of_ids(listed.get("proposals", ())))


def _entry(
    unit: Unit, records: _Records, key: str, id: str, until: datetime, language: Language
) -> Iterator[Entry]:
    """The line of one thing; nothing when it is no more."""
    if key in ALERTED:
        if (alert := records.alerts.get(id)) is not None:
            problem = records.problems.get(alert.problem_id)
            name = _named(problem.names if problem is not None else {}, language)
            new = problem is not None and emerging(problem, until)
            detail = _worded(alert.evidence.words, language)
            yield Entry(name + EMERGING[language] * new, _clean(detail, LONGEST_DETAIL))
    elif key in ("new", "resolved"):
        if (problem := records.problems.get(id)) is not None:
            yield Entry(_named(problem.names, language), _customers(problem, language))
    elif key == "proposals":
        if (proposal := records.proposals.get(id)) is not None:
            detail = _worded(proposal.evidence, language)
            yield Entry(_named(proposal.title, language), _clean(detail, LONGEST_DETAIL))
    elif key == "gaps":
        if (gap := unit.gaps.get(id)) is not None:
            yield Entry(_named(gap.names, language), "")
    elif (webhook := unit.webhooks.get(id)) is not None and webhook.state == "disabled":
        yield Entry(_clean(id, LONGEST_NAME), _clean(webhook.disabled_reason or "", LONGEST_DETAIL))


def _customers(problem: Problem, language: Language) -> str:
    return CUSTOMERS[language].format(count=problem.customers)


def _named(names: Mapping[str, str], language: Language) -> str:
    return _clean(_worded(names, language), LONGEST_NAME) or UNNAMED[language]


def _worded(texts: Mapping[str, str], language: Language) -> str:
    return texts.get(language) or next((text for text in texts.values() if text), "")


def _clean(text: str, longest: int) -> str:
    return unlinked(one_line(text, longest))
