"""What answers lead to: those after which customers come back, those that they do not take, and the documents that so
many ask for that it would be better said earlier.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from statistics import median

from graph.effects import expected_saving, learned_share
from graph.findings import (
    LEAST_CUSTOMERS,
    Finding,
    Rate,
    Story,
    latest,
    mean_seconds,
    rates,
    standing_out,
    voted,
    weekly_cases,
)
from graph.intervals import Figure, share_of
from graph.models import ProposalKind

CORRECTED = (0.6, 0.2, 1.0)
"""Share of the returns above the usual that a corrected document is expected to end, with bounds: a judgement."""
STATED = (0.3, 0.1, 0.5)
"""Share of the contacts that are expected to end when what they ask for is stated where customers look first, with
bounds: a judgement, until effects were measured."""
NO_DOCUMENT = ""
"""In place of a document's id where an answer is in none."""
MOST_EXPLAINED = 5
"""Documents that are proposed to be stated earlier at a time, those of most contacts."""
LEAST_WEEKS = 3
MOST_IN_A_WEEK = 0.6
"""Share of the cases in one week above which they came with an event that passed."""
LEAST_SETTLED = 0.6
"""Lower bound of the share of cases that the explanation settled, from which it is enough."""
EXPLAINING = ("policy", "product", "faq")
"""Kinds of documents that say what the shop's ways are; a resolution is an answer to one matter."""
LEAST_CITED = 3
LEAST_PART = 0.03
"""Share of a document's cases from which a problem is one that it explains."""
TIMES_USUAL = 2.0
"""How many times as many contacts as the median document a document has to have."""


def answer_findings(
    stories: Sequence[Story],
    kinds: Mapping[str, str],
    days: float,
    *,
    passing: Collection[str] = (),
    left: Sequence[float] = (),
) -> tuple[Finding, ...]:
    """What answers lead to. `kinds` is the kind of each document; `passing` are problems of an incident, which no
    explanation would end; `left` is what of their contacts earlier explanations were measured to leave."""
    failed = [*_returning(stories, days), *_refused(stories, days)]
    bad = {finding.document_id for finding in failed}
    explained = _explained(stories, kinds, days, passing, learned_share(STATED, left))
    return (*failed, *(finding for finding in explained if finding.document_id not in bad))


def _returning(stories: Sequence[Story], days: float) -> list[Finding]:
    """Answers after which cases of a problem come back more than after others: those from a document, and those that
    people give from none."""
    judged = [story for story in stories if story.reopened is not None]
    pairs = voted(judged, lambda story: (story.problem_id, _source(story)))
    counts = {key: (sum(bool(story.reopened) for story in own), len(own)) for key, own in pairs.items()}
    of_problem: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for key in counts:
        of_problem[key[0]].append(key)
    found = rates(counts, near=lambda key: of_problem[key[0]])
    findings = []
    for problem_id, document_id in standing_out(found):
        rate = found[problem_id, document_id]
        back = [story for story in pairs[problem_id, document_id] if story.reopened]
        about = [
            story for story in stories if story.problem_id == problem_id and _source(story) == document_id
        ]
        weekly = weekly_cases(about, days)
        findings.append(
            Finding(
                key=f"returning:{problem_id}:{document_id}",
                cause="returning",
                kind="document",
                problem_ids=(problem_id,),
                cases=rate.cases,
                customers=rate.cases,
                weekly=weekly,
                expected=expected_saving("reopened", weekly, _saved(rate), mean_seconds(about)),
                case_ids=latest(back),
                rate=rate,
                document_id=document_id or None,
            )
        )
    return findings


def _source(story: Story) -> str:
    """The document of the last answer of a case."""
    return story.cited[-1][1] if story.cited else NO_DOCUMENT


def _refused(stories: Sequence[Story], days: float) -> list[Finding]:
    """Problems whose customers want a person after the machine's answer, more than those of other problems."""
    judged = [story for story in stories if story.refused is not None]
    by_problem = voted(judged, lambda story: (story.problem_id,))
    counts = {key: (sum(bool(story.refused) for story in own), len(own)) for key, own in by_problem.items()}
    found = rates(counts)
    findings = []
    for key in standing_out(found):
        rate = found[key]
        own = by_problem[key]
        said = Counter(name for story in own for by, name in story.cited if by == "bot")
        document = next((name for name, count in said.most_common(1) if 2 * count >= len(own)), None)
        about = [story for story in judged if story.problem_id == key[0]]
        weekly = weekly_cases(about, days)
        findings.append(
            Finding(
                key=f"refused:{key[0]}:{document or NO_DOCUMENT}",
                cause="refused",
                kind="document",
                problem_ids=key,
                cases=rate.cases,
                customers=rate.cases,
                weekly=weekly,
                expected=expected_saving("handled_by_people", weekly, _saved(rate), mean_seconds(about)),
                case_ids=latest(story for story in own if story.refused),
                rate=rate,
                document_id=document,
            )
        )
    return findings


def _explained(
    stories: Sequence[Story],
    kinds: Mapping[str, str],
    days: float,
    passing: Collection[str],
    share: tuple[float, float, float],
) -> list[Finding]:
    """Policies and product pages that many ask for week after week, and whose explanation settles it.

    No test is made: of documents with more than twice the contacts of the median other one, the first few are told.
    """
    usual = _usual_documents(stories, kinds)
    asked = voted(
        (story for story in stories if story.problem_id not in passing),
        lambda story: _explaining(story, kinds, usual),
    )
    findings = []
    for (document_id,), own in sorted(asked.items(), key=lambda item: (-len(item[1]), item[0])):
        settled = share_of(None if story.reopened is None else _plain(story) for story in own)
        if len(own) < LEAST_CUSTOMERS:
            break
        others = [len(cases) for name, cases in asked.items() if name != (document_id,)]
        least = max(LEAST_CUSTOMERS, TIMES_USUAL * median(others)) if others else LEAST_CUSTOMERS
        if len(own) >= least and _lasting(own) and _enough(settled):
            findings.append(_stated(document_id, kinds[document_id], own, settled, days, share))
    return findings[:MOST_EXPLAINED]


def _usual_documents(stories: Sequence[Story], kinds: Mapping[str, str]) -> dict[str, str]:
    """The document that most answers to a problem say, of those that say any: it counts for cases whose answer was not
    written down."""
    said: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for story in stories:
        if (document := _named(story, kinds)) is not None:
            said[story.problem_id][document] += 1
    found = {}
    for problem_id, counts in said.items():
        (document, most), *_ = counts.most_common(1)
        if most >= LEAST_CITED and 2 * most > counts.total():
            found[problem_id] = document
    return found


def _named(story: Story, kinds: Mapping[str, str]) -> str | None:
    named = [name for _, name in story.cited if kinds.get(name) in EXPLAINING]
    return named[-1] if named else None


def _explaining(story: Story, kinds: Mapping[str, str], usual: Mapping[str, str]) -> tuple[str] | None:
    document = _named(story, kinds) or (None if story.cited else usual.get(story.problem_id))
    return (document,) if document is not None else None


def _plain(story: Story) -> bool:
    """Whether the explanation was all that it took."""
    return not story.reopened and not story.passes


def _enough(settled: Figure) -> bool:
    return settled.low is not None and settled.n >= LEAST_CUSTOMERS and settled.low >= LEAST_SETTLED


def _lasting(stories: Sequence[Story]) -> bool:
    """Whether cases came in three weeks at least, and no week brought most of them."""
    last = max(story.at for story in stories)
    weeks = Counter((last - story.at) // timedelta(days=7) for story in stories)
    return len(weeks) >= LEAST_WEEKS and max(weeks.values()) <= MOST_IN_A_WEEK * len(stories)


def _stated(
    document_id: str,
    kind: str,
    stories: Sequence[Story],
    settled: Figure,
    days: float,
    share: tuple[float, float, float],
) -> Finding:
    problems = Counter(story.problem_id for story in stories)
    weekly = weekly_cases(stories, days)
    languages = Counter(story.language or "und" for story in stories)
    of_kind: ProposalKind = "product" if kind == "product" else "policy"
    hits = round((settled.value or 0.0) * settled.n)
    value, low, high = settled.value or 0.0, settled.low or 0.0, settled.high or 1.0
    return Finding(
        key=f"explained:{document_id}",
        cause="explained",
        kind=of_kind,
        problem_ids=_main(problems),
        cases=len(stories),
        customers=len(stories),
        weekly=weekly,
        expected=expected_saving("contacts", weekly, share, mean_seconds(stories)),
        case_ids=latest(stories),
        rate=Rate(hits, settled.n, value, value, low, high, 1.0),
        document_id=document_id,
        languages=dict(languages.most_common()),
    )


def _main(problems: Counter[str]) -> tuple[str, ...]:
    """The problems that the cases are of, the most frequent first, without those that came by the way."""
    least = max(2, LEAST_PART * problems.total())
    return tuple(
        id for place, (id, count) in enumerate(problems.most_common()) if count >= least or not place
    )


def _saved(rate: Rate) -> tuple[float, float, float]:
    value, low, high = rate.excess
    return value * CORRECTED[0], low * CORRECTED[1], high * CORRECTED[2]
