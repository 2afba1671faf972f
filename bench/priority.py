"""Do points foretell escalations? The sample's contacts, with the default weights and with learned ones.

    python -m bench.priority

The sample shop's month is recorded, and read back as `kb priority learn` reads it: each contact as it stood when
somebody first acted on it, and whether it escalated within 72 hours. The earlier 70% of contacts teach weights; the
figures are those of the later 30%. Since the sample's events were written without a thought of escalations, a second
table gives the same contacts outcomes that follow hidden weights, drawn by chance, to show what can be learned from how
many of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from bench.shop import SAMPLE
from graph.priority import DEFAULT_WEIGHTS, LIMIT
from graph.priority_learning import FACTORS, LATER, Decided, Flags, Floats, auroc, fit, learn, shares_of
from kb_service.commands.sample import ensure_workspace, put_people, record_events
from kb_service.commands.workbench import open_workbench
from kb_service.models import KEY_ROLES, Principal
from kb_service.observability import configure_logging
from kb_service.priority.escalations import ReplayedContact, kinds, replayed
from kb_service.settings import Settings

WORKSPACE = "priority"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
RESAMPLED = 1000
HIDDEN: Mapping[str, Mapping[str, float]] = {
    "emotion and repeats twice the default, urgency half": {
        **DEFAULT_WEIGHTS, "urgency": 18.0, "emotion": 60.0, "repeat_contact": 24.0,
    },
    "the state of the problem alone": {**dict.fromkeys(FACTORS, 0.0), "problem_state": 60.0},
    "the default weights": DEFAULT_WEIGHTS,
}  # fmt: skip
SIZES = (1_000, 3_000, 10_000)
POINTS_PER_ODDS = 20.0
DRAWS = 5
"""Histories drawn for each cell, whose figures are averaged."""


def contacts(folder: Path) -> list[ReplayedContact]:
    """The sample's contacts, recorded in a workspace of their own and read back."""
    settings = Settings(data=folder, log_level="error")
    configure_logging(settings)
    with open_workbench(settings) as bench:
        ensure_workspace(bench, WORKSPACE)
        services = bench.services
        services.knowledge.ingest(WORKSPACE, [SAMPLE / "products"])
        put_people(bench, Principal(WORKSPACE, "bench", frozenset(KEY_ROLES)), SAMPLE)
        record_events(bench, WORKSPACE, SAMPLE / "events.jsonl", lambda *_: None)
        replica = services.replicas.settled(WORKSPACE)
        with bench.store.reading(WORKSPACE) as unit:
            return replayed(unit, replica, services.reader, NOW)


def points(weights: Mapping[str, float]) -> Floats:
    return np.array([weights[name] for name in FACTORS])


def alone(factor: str) -> dict[str, float]:
    return {name: float(name == factor) for name in FACTORS}


def tier(item: ReplayedContact) -> float:
    return {"platinum": 1.0, "gold": 0.8, "silver": 0.55}.get(item.tier or "", 0.0)


def cell(score: Floats, escalated: Flags, chance: np.random.Generator) -> str:
    """AUROC with its 95% interval, by resampling contacts."""
    found = []
    for _ in range(RESAMPLED):
        drawn = chance.integers(0, len(score), len(score))
        found.append(auroc(score[drawn], escalated[drawn]))
    low, high = np.quantile(found, [0.025, 0.975])
    return f"{shown(auroc(score, escalated))} ({shown(low)}–{shown(high)})"


def shown(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def seen_table(found: Sequence[ReplayedContact]) -> list[str]:
    """The later contacts of the sample, ranked in each way."""
    first = round(len(found) * (1 - LATER))
    early, later = found[:first], found[first:]
    taught = fit([item.decided for item in early], DEFAULT_WEIGHTS, now=later[0].decided.at)
    table = shares_of([item.decided for item in later])
    scores = {
        "default weights": table @ points(DEFAULT_WEIGHTS),
        "learned weights": table @ points(taught),
        "urgency alone": table @ points(alone("urgency")),
        "waiting alone": table @ points(alone("waiting")),
        "tier alone": np.array([tier(item) for item in later]),
    }
    wanted = ["any", *kinds(later)]
    flags = {
        name: np.array(
            [bool(item.escalations) if name == "any" else name in item.escalations for item in later]
        )
        for name in wanted
    }
    heads = " | ".join(f"{name.replace('_', ' ')} ({flags[name].sum()})" for name in wanted)
    lines = [f"| {len(later)} later contacts, ranked by | {heads} |", "| --- |" + " ---: |" * len(wanted)]
    for name, score in scores.items():
        chance = np.random.default_rng(0)
        lines.append(f"| {name} | " + " | ".join(cell(score, flags[kind], chance) for kind in wanted) + " |")
    return lines


def drawn(
    table: Floats, truth: Mapping[str, float], count: int, chance: np.random.Generator
) -> list[Decided]:
    """Contacts drawn from the sample's, with outcomes that follow hidden weights; about one in eight escalates."""
    rows = table[chance.integers(0, len(table), count)]
    odds = (rows @ points(truth)) / POINTS_PER_ODDS
    odds -= np.quantile(odds, 0.9) + 1.0
    escalated = chance.uniform(size=count) < 1 / (1 + np.exp(-odds))
    begin = NOW - timedelta(days=90)
    return [
        Decided(
            begin + timedelta(days=90) * (number / count), dict(zip(FACTORS, row, strict=True)), bool(told)
        )
        for number, (row, told) in enumerate(zip(rows.tolist(), escalated, strict=True))
    ]


def planted(table: Floats, truth: Mapping[str, float], count: int) -> list[float]:
    """AUROC on contacts that come later: default, one proposal, five, the hidden weights; and how often the first
    proposal was proven better."""
    found = []
    for seed in range(DRAWS):
        chance = np.random.default_rng(seed)
        past, future = drawn(table, truth, count, chance), drawn(table, truth, 20_000, chance)
        rows = shares_of(future)
        escalated = np.array([item.escalated for item in future])
        lesson = learn(past, DEFAULT_WEIGHTS, now=NOW)
        five: Mapping[str, float] = lesson.weights
        if lesson.reason != "not_enough":
            for _ in range(4):
                five = fit(past, five, now=NOW)
        scores = [
            auroc(rows @ points(weights), escalated)
            for weights in (DEFAULT_WEIGHTS, lesson.weights, five, truth)
        ]
        found.append([*scores, float(lesson.reason == "better")])
    return [float(value) for value in np.mean(found, axis=0)]


def planted_table(found: Sequence[ReplayedContact]) -> list[str]:
    table = shares_of([item.decided for item in found])
    lines = [
        "| outcomes follow | contacts | default | learned | learned five times | hidden weights | proven better |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, truth in HIDDEN.items():
        for count in SIZES:
            *scores, better = planted(table, truth, count)
            figures = " | ".join(map(shown, scores))
            lines.append(f"| {name} | {count:,} | {figures} | {better * DRAWS:.0f} of {DRAWS} |")
    return lines


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = contacts(Path(folder))
    total = shares_of([item.decided for item in found]) @ points(DEFAULT_WEIGHTS)
    lesson = learn([item.decided for item in found], DEFAULT_WEIGHTS, now=NOW)
    print("\n".join(seen_table(found)))
    print()
    ways = ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in kinds(found).items())
    print(
        f"{len(found):,} contacts, {lesson.escalations} escalated ({ways}); `kb priority learn` says {lesson.reason}."
    )
    print(f"{(total > LIMIT).mean():.1%} of contacts come to more than 100 points under the default weights.")
    print()
    print("\n".join(planted_table(found)))


if __name__ == "__main__":
    main()
