"""Cases that went to the wrong people first: where routing misses, and who passes on what they could learn.

A case is missed when the person who had it first lacks the expertise of the one who resolved it. What expertise that is
is told by the people who took such cases over: the one that most of them share. Where it is another than cases of the
problem are sent to, the routing is at fault; where it is the same, or there is none, the people are worth training.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from graph.effects import expected_saving
from graph.findings import (
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

LEAST_SHARE = 0.6
"""Share of the cases that were taken over whose new people have one expertise in common, from which it is theirs."""
LEARNT = 0.5
"""Share of what is passed on too often that training is expected to end; between a fifth and all of it."""
MOST_AGENTS = 3


@dataclass(frozen=True, slots=True)
class Fields:
    """Where problems are sent, and what people can do: expertise by problem, and all expertise by agent."""

    of_problem: Mapping[str, str]
    of_agent: Mapping[str, frozenset[str]]

    def shared(self, agents: Sequence[str]) -> tuple[str, float] | None:
        """The expertise that most of some agents have, with the share of them; one of few people before one of many."""
        sizes = Counter(field for own in self.of_agent.values() for field in own)
        found = Counter(field for agent in agents for field in self.of_agent.get(agent, ()))
        if not found:
            return None
        best = min(found, key=lambda field: (-found[field], sizes[field], field))
        return best, found[best] / len(agents)

    def has(self, agent: str | None, field: str) -> bool:
        return agent is not None and field in self.of_agent.get(agent, frozenset())


def routing_findings(stories: Sequence[Story], fields: Fields, days: float) -> tuple[Finding, ...]:
    """Problems that are sent to the wrong expertise, and people who could learn what they pass on."""
    missed = _misrouted(stories, fields, days)
    explained = {problem_id for finding in missed for problem_id in finding.problem_ids}
    return (*missed, *_passed_on(stories, fields, days, explained))


def _misrouted(stories: Sequence[Story], fields: Fields, days: float) -> list[Finding]:
    """Of cases that a person resolved, those that another expertise had first."""
    solved = [story for story in stories if story.solver is not None and story.first_agent is not None]
    by_problem = voted(solved, lambda story: (story.problem_id,))
    targets = {key: _target(own, fields) for key, own in by_problem.items()}
    counts = {
        key: (sum(_missed(story, fields, targets[key]) for story in own), len(own))
        for key, own in by_problem.items()
    }
    found = rates(counts)
    findings = []
    for key in standing_out(found):
        target = targets[key]
        if target is None or target == fields.of_problem.get(key[0]):
            continue
        all_of = [story for story in stories if story.problem_id == key[0]]
        over = [story for story in by_problem[key] if _missed(story, fields, target)]
        findings.append(
            _finding(
                f"misrouted:{key[0]}", all_of, found[key], over, days, target=target, share=(1.0, 1.0, 1.0)
            )
        )
    return findings


def _passed_on(
    stories: Sequence[Story], fields: Fields, days: float, explained: Collection[str]
) -> list[Finding]:
    """Of cases that a person dealt with, those that were passed on; problems that are sent wrongly are left out."""
    dealt = [story for story in stories if story.by_person]
    by_problem = voted(dealt, lambda story: (story.problem_id,))
    counts = {key: (sum(bool(story.passes) for story in own), len(own)) for key, own in by_problem.items()}
    found = rates(counts)
    findings = []
    for key in standing_out(found):
        if key[0] in explained:
            continue
        over = [story for story in by_problem[key] if story.passes]
        gave = Counter(item.from_agent for story in over for item in story.passes if item.from_agent)
        took = Counter(story.passes[-1].to_agent for story in over)
        agents = tuple(agent for agent, count in gave.most_common() if count >= 2)[:MOST_AGENTS]
        if not agents:
            continue
        all_of = [story for story in stories if story.problem_id == key[0]]
        findings.append(
            _finding(
                f"passed_on:{key[0]}",
                all_of,
                found[key],
                over,
                days,
                agents=agents,
                helpers=tuple(agent for agent, _ in took.most_common(MOST_AGENTS)),
                share=(LEARNT, 0.2, 1.0),
            )
        )
    return findings


def _target(stories: Iterable[Story], fields: Fields) -> str | None:
    """The expertise of those who resolved what others had first."""
    over = [story.solver for story in stories if story.solver and story.solver != story.first_agent]
    shared = fields.shared(over) if over else None
    return shared[0] if shared is not None and shared[1] >= LEAST_SHARE else None


def _missed(story: Story, fields: Fields, target: str | None) -> bool:
    return (
        target is not None and fields.has(story.solver, target) and not fields.has(story.first_agent, target)
    )


def _finding(
    key: str,
    stories: Sequence[Story],
    rate: Rate,
    over: Sequence[Story],
    days: float,
    *,
    share: tuple[float, float, float],
    target: str | None = None,
    agents: tuple[str, ...] = (),
    helpers: tuple[str, ...] = (),
) -> Finding:
    weekly = weekly_cases([story for story in stories if story.by_person], days)
    saved = tuple(part * factor for part, factor in zip(rate.excess, share, strict=True))
    waits = [story.passes[-1].seconds for story in over if story.passes]
    longer = _longer(stories)
    return Finding(
        key=key,
        cause="misrouted" if target is not None else "passed_on",
        kind="routing" if target is not None else "training",
        problem_ids=(stories[0].problem_id,),
        cases=rate.cases,
        customers=rate.cases,
        weekly=weekly,
        expected=expected_saving("transfers", weekly, (saved[0], saved[1], saved[2]), longer),
        case_ids=latest(over),
        rate=rate,
        target=target,
        agents=agents,
        helpers=helpers,
        wait=median(waits) if waits else None,
    )


def _longer(stories: Iterable[Story]) -> float | None:
    """How many seconds more people work on a case that was passed on than on one that was not."""
    known = list(stories)
    passed = mean_seconds(story for story in known if story.passes)
    kept = mean_seconds(story for story in known if not story.passes)
    return max(0.0, passed - kept) if passed is not None and kept is not None else None
