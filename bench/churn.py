"""Whether ids of problems last, and whether nights make groups better: the sample shop's month, week by week.

    python -m bench.churn [FOLDER]

The month is replayed as it came in, once as it was grouped message by message, once with messages placed,
problems merged and split each night, and once in a shop whose rules say `problem_grain: coarse`. An id has
churned when most of the messages that it stood for a week ago now answer under another id that it is no
alias of; messages that were told to be pending stand for nothing yet. BCubed precision and recall (Amigó et
al. 2009) are over the messages that have a topic in `events.labels.csv`.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from bench.shop import FOLDERS, SAMPLE
from graph.models import Event
from graph.rules import ProblemGrain
from graph.words import is_han
from kb_service.recurring.replaying import replay
from kb_service.recurring.scratch import Scratch, scratch
from kb_service.settings import Settings
from kb_service.wire.events import EventIn
from kb_service.wire.rules import RulesShape

WEEK = timedelta(days=7)
WORKSPACE = "month"
LANGUAGES = ("zh", "en", "both")


@dataclass(frozen=True)
class Stand:
    """Where the messages of a workspace are: problem by event, without those that wait."""

    of: Mapping[str, str]
    resolved: Mapping[str, str]
    """What every id that a problem has or had stands for."""


@dataclass(frozen=True)
class Month:
    """What came of a month: ids a week ago and those of them that churned, week by week; groups at its end."""

    churned: tuple[tuple[int, int], ...]
    stand: Stand
    texts: Mapping[str, str]
    problems: int
    seen: int
    merges: int
    splits: int

    @property
    def churn(self) -> float:
        ids = sum(before for before, _ in self.churned)
        return sum(gone for _, gone in self.churned) / ids if ids else 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=SAMPLE)
    folder = parser.parse_args().folder
    labels = dict(list(csv.reader((folder / "events.labels.csv").open(encoding="utf-8")))[1:])
    print(
        "| | problems (seen) | merges / splits | ids churned a week | "
        + " | ".join(f"{language} P / R / F1" for language in LANGUAGES)
        + " |\n| --- |"
        + " ---: |" * (3 + len(LANGUAGES))
    )
    ways: tuple[tuple[str, bool, ProblemGrain], ...] = (
        ("message by message", False, "fine"),
        ("with nights", True, "fine"),
        ("with nights, problem_grain: coarse", True, "coarse"),
    )
    for name, nights, grain in ways:
        month = month_of(folder, nights=nights, grain=grain)
        by_week = ", ".join(f"{gone} of {before}" for before, gone in month.churned)
        cells = [
            f"{month.problems} ({month.seen})",
            f"{month.merges} / {month.splits}",
            f"{month.churn:.2%} ({by_week})",
        ]
        for language in LANGUAGES:
            wanted = {
                id: label
                for id, label in labels.items()
                if language == "both" or (language == "zh") == any(map(is_han, month.texts.get(id, "")))
            }
            cells.append(" / ".join(f"{value:.3f}" for value in bcubed(month.stand.of, wanted)))
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    return 0


def month_of(folder: Path, *, nights: bool, grain: ProblemGrain = "fine") -> Month:
    """Replay a folder's events week by week."""
    lines = (folder / "events.jsonl").read_text("utf-8").splitlines()
    events = [EventIn.model_validate(json.loads(line)).value() for line in lines]
    weeks = by_week(events)
    stands: list[Stand] = []
    with scratch(Settings(database_url=None), WORKSPACE) as into:
        into.services.knowledge.ingest(
            WORKSPACE, [folder / name for name in FOLDERS], progress=lambda done, of, name: None
        )
        with into.store.writing(WORKSPACE) as unit:
            rules = RulesShape.model_validate(json.loads((folder / "rules.json").read_text())).value()
            unit.rules.put(replace(rules, problem_grain=grain))
        into.services.replicas.follow(WORKSPACE)
        for week in weeks:
            replay(into, list(enumerate(week, 1)), nights=nights)
            stands.append(standing(into))
        with into.store.reading(WORKSPACE) as unit:
            done = Counter(entry.kind for entry in unit.regroupings.latest(100_000))
            problems = unit.problems.all()
    return Month(
        churned=tuple(churned(before, after) for before, after in pairwise(stands)),
        stand=stands[-1],
        texts={event.id: event.text or "" for event in events},
        problems=len(problems),
        seen=sum(problem.state != "candidate" for problem in problems),
        merges=done["merge"],
        splits=done["split"],
    )


def by_week(events: Sequence[Event]) -> list[list[Event]]:
    """Events in the order they came in, cut whenever event time reaches another week."""
    weeks: list[list[Event]] = [[]]
    begin = events[0].at
    for event in events:
        if event.at >= begin + WEEK * len(weeks):
            weeks.append([])
        weeks[-1].append(event)
    return weeks


def standing(into: Scratch) -> Stand:
    with into.store.reading(WORKSPACE) as unit:
        of = {
            message.event.id: message.assignment.problem_id
            for message in unit.events.messages()
            if message.assignment is not None
            and message.assignment.problem_id is not None
            and not message.assignment.match.pending
        }
        resolved = {
            id: problem.id for problem in unit.problems.all() for id in (problem.id, *problem.aliases)
        }
    return Stand(of, resolved)


def churned(before: Stand, after: Stand) -> tuple[int, int]:
    """How many ids stood for something, and of how many the messages have mostly gone elsewhere."""
    members: dict[str, list[str]] = defaultdict(list)
    for event_id, problem_id in before.of.items():
        members[problem_id].append(event_id)
    gone = 0
    for problem_id, event_ids in members.items():
        now = Counter(after.of.get(event_id) for event_id in event_ids)
        home = after.resolved.get(problem_id)
        gone += home is None or 2 * now[home] < len(event_ids)
    return len(members), gone


def bcubed(groups: Mapping[str, str], labels: Mapping[str, str]) -> tuple[float, float, float]:
    """BCubed precision, recall and their harmonic mean over labelled messages; one without a group is alone."""
    placed = {id: groups.get(id, f"alone {id}") for id in labels}
    both = Counter((placed[id], label) for id, label in labels.items())
    group, topic = Counter(placed.values()), Counter(labels.values())
    precision = sum(both[placed[id], label] / group[placed[id]] for id, label in labels.items()) / len(labels)
    recall = sum(both[placed[id], label] / topic[label] for id, label in labels.items()) / len(labels)
    return precision, recall, 2 * precision * recall / (precision + recall)


if __name__ == "__main__":
    raise SystemExit(main())
