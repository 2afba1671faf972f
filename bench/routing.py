"""Intents as the service tells them apart, beside semantic-router, a linear head and the nearest example.

    make bench-routing
    .venv/bin/python -m bench.routing --sets banking77,hint3_powerplay11 --draws 1 --asked 200

All systems in one run, over the same messages and the same frozen vectors. Prints Markdown.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench import routers
from bench.datasets import FOLDER_VARIABLE, AbsentSet, data_folder
from bench.intent_sets import FAR, NEAR, ORIGINS, OUTSIDE, IntentSet, load_intents
from bench.remembered import RememberedEmbedder
from bench.routers import Floats, Routed, Router, Task
from bench.systems import Unavailable
from ingest.embedding import Embedder, load_embedder
from kb_service.judging.evaluation import markdown

ROUTERS: Mapping[str, tuple[str, Router]] = {
    "service": ("**this service**", routers.service),
    "unnamed": ("this service, without the intents' names", routers.unnamed_service),
    "semantic-router": ("semantic-router, `IndexedRouter`", routers.semantic_router),
    "linear": ("linear head (logistic regression)", routers.linear),
    "nearest": ("nearest example", routers.nearest),
}
FEW = (10, 5)
IN_SCOPE_KEPT = 0.9
BINS = 15
QUOTED: Mapping[str, tuple[float, float, float]] = {
    "Dialogflow": (0.63, 0.74, 0.45),
    "LUIS": (0.48, 0.75, 0.41),
    "Rasa": (0.47, 0.70, 0.23),
    "Haptik": (0.66, 0.76, 0.41),
    "BERT": (0.56, 0.69, 0.21),
}
"""In-scope accuracy, AUROC and recall out of scope on HINT3's powerplay11, from the predictions published with it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One system on one set. `auroc` and `recall` are by the kind of what is out of scope."""

    accuracy: float
    auroc: Mapping[str, float]
    recall: Mapping[str, float]
    calibration: float | None
    fit_seconds: float
    message_seconds: float


def judge(held: IntentSet, routed: Routed) -> Judged:
    inside = np.array([message.label != OUTSIDE for message in held.asked])
    right = np.array([a == message.label for a, message in zip(routed.labels, held.asked, strict=True)])
    kinds = sorted({message.kind or OUTSIDE for message in held.asked if message.label == OUTSIDE})
    of_kind = {
        kind: routed.scope[
            [message.label == OUTSIDE and (message.kind or OUTSIDE) == kind for message in held.asked]
        ]
        for kind in kinds
    }
    own = routed.scope[inside]
    return Judged(
        accuracy=float(right[inside].mean()),
        auroc={kind: auroc(own, scores) for kind, scores in of_kind.items()},
        recall={kind: recall_outside(own, scores) for kind, scores in of_kind.items()},
        calibration=None if routed.confidence is None else calibration_error(routed.confidence, right),
        fit_seconds=routed.fit_seconds,
        message_seconds=routed.message_seconds,
    )


def auroc(inside: Floats, outside: Floats) -> float:
    """The chance that a message in scope scores higher than one out of scope; ties are half."""
    ordered = np.sort(outside)
    below = np.searchsorted(ordered, inside, side="left")
    level = np.searchsorted(ordered, inside, side="right") - below
    return float((below + level / 2).mean() / len(outside))


def recall_outside(inside: Floats, outside: Floats) -> float:
    """The share of what is out of scope that is refused where nine in ten in scope are kept."""
    return float((outside < np.quantile(inside, 1 - IN_SCOPE_KEPT)).mean())


def calibration_error(confidence: Floats, right: Floats) -> float:
    """The expected calibration error over bins of equal width; out of scope no label is right."""
    places = np.minimum((confidence * BINS).astype(int), BINS - 1)
    apart = [abs(confidence[places == place].sum() - right[places == place].sum()) for place in range(BINS)]
    return float(sum(apart) / len(confidence))


class Benchmark:
    """The chosen systems over one encoder; a system that cannot be had is left out and named."""

    def __init__(self, embedder: Embedder, chosen: Sequence[str]) -> None:
        self._embedder = embedder
        self.chosen = list(chosen)
        self.unavailable: dict[str, str] = {}

    def judged(self, held: IntentSet) -> dict[str, Judged]:
        found: dict[str, Judged] = {}
        for name in self.chosen:
            if name in self.unavailable:
                continue
            begun = time.perf_counter()
            try:
                routed = ROUTERS[name][1](Task(held, self._embedder))
            except Unavailable as error:
                self.unavailable[name] = str(error)
                continue
            found[name] = judge(held, routed)
            tell(f"{held.name}, {len(held.taught)} examples: {name}, {time.perf_counter() - begun:.1f} s")
        return found

    def drawn(self, held: IntentSet, each: int, draws: int) -> dict[str, list[Judged]]:
        """Over so many draws of a few examples an intent."""
        found: dict[str, list[Judged]] = {}
        for seed in range(draws):
            for name, judged in self.judged(held.drawn(each, seed)).items():
                found.setdefault(name, []).append(judged)
        return found


def run(
    folder: Path,
    *,
    sets: Sequence[str],
    chosen: Sequence[str],
    embedder: Embedder,
    draws: int = 3,
    asked: int | None = None,
) -> str:
    """The tables of the sets that lie in `folder`, and what was left out, as Markdown."""
    benchmark = Benchmark(embedder, chosen)
    few: dict[str, dict[str, list[Judged]]] = {}
    full: dict[str, dict[str, Judged]] = {}
    absent: list[str] = []
    for name in sets:
        try:
            held = load_intents(folder, name)
        except AbsentSet as error:
            absent.append(str(error))
            continue
        held = held.few_asked(asked) if asked else held
        full[name] = benchmark.judged(held)
        if name not in ("banking77_oos", "hint3_powerplay11"):
            for each in FEW:
                few[f"{name}, {each} each"] = benchmark.drawn(held, each, draws)
    parts = [f"Encoder: `{embedder.model_id}`. Mean of {draws} draws where examples are few."]
    parts += [_accuracies(benchmark, full, few), _scope(benchmark, full, few), _pace(benchmark, full, few)]
    left_out = [*absent, *(f"{name}: {why}" for name, why in benchmark.unavailable.items())]
    if left_out:
        parts.append("Left out: " + "; ".join(left_out) + ".")
    return "\n\n".join(part for part in parts if part)


Full = Mapping[str, Mapping[str, Judged]]
Few = Mapping[str, Mapping[str, list[Judged]]]


def _accuracies(benchmark: Benchmark, full: Full, few: Few) -> str:
    plain = {name: found for name, found in full.items() if not _kinds(found)}
    columns = [
        title
        for name in plain
        for title in (f"{name}, all", *(key for key in few if key.startswith(f"{name},")))
    ]
    rows: list[list[object]] = []
    for name, title in _titles(benchmark):
        row: list[object] = [title]
        for column in columns:
            drawn = few[column][name] if column in few else [full[column.removesuffix(", all")][name]]
            row.append(shown(float(np.mean([judged.accuracy for judged in drawn]))))
        rows.append(row)
    return markdown(["accuracy", *columns], rows) if columns else ""


def _scope(benchmark: Benchmark, full: Full, few: Few) -> str:
    """Out-of-scope: BANKING77's near and far, HINT3's real users; and calibration."""
    columns: list[tuple[str, str, str]] = []
    if "banking77_oos" in full:
        columns += [("banking77_oos", "accuracy", ""), ("banking77_oos", "auroc", NEAR)]
        columns += [("banking77_oos", "auroc", FAR), ("banking77_oos", "calibration", "")]
    if "hint3_powerplay11" in full:
        columns += [("hint3_powerplay11", "accuracy", ""), ("hint3_powerplay11", "auroc", OUTSIDE)]
        columns += [("hint3_powerplay11", "recall", OUTSIDE), ("hint3_powerplay11", "calibration", "")]
    if not columns:
        return ""
    words = {"accuracy": "in scope", "auroc": "AUROC", "recall": "recall at 90% kept", "calibration": "ECE"}
    titles = [
        f"{held}: {kind + ' ' if kind in (NEAR, FAR) else ''}{words[what]}" for held, what, kind in columns
    ]
    rows: list[list[object]] = []
    for name, title in _titles(benchmark):
        row: list[object] = [title]
        for held, what, kind in columns:
            value = getattr(full[held][name], what)
            row.append(shown(value.get(kind) if isinstance(value, Mapping) else value))
        rows.append(row)
    if "hint3_powerplay11" in full:
        for system, figures in QUOTED.items():
            quoted = dict(zip(("accuracy", "auroc", "recall"), figures, strict=True))
            cells = [
                shown(quoted.get(what)) if held == "hint3_powerplay11" else "" for held, what, _ in columns
            ]
            rows.append([f"{system} (quoted)", *cells])
    return markdown(["scope", *titles], rows)


def _pace(benchmark: Benchmark, full: Full, few: Few) -> str:
    """Milliseconds to fit; a message's time as a share of that of the nearest example, and ECE with few."""
    held = {key: {name: drawn[0] for name, drawn in found.items()} for key, found in few.items()}
    held |= {f"{name}, all": dict(found) for name, found in full.items()}
    chosen = [key for key in ("banking77, 10 each", "banking77, all") if key in held] or list(held)[:1]
    rows: list[list[object]] = []
    for name, title in _titles(benchmark):
        row: list[object] = [title]
        for key in chosen:
            judged = held[key][name]
            base = held[key].get("nearest", judged).message_seconds
            row += [
                f"{1000 * judged.fit_seconds:,.0f}",
                f"{1000 * judged.message_seconds:.2f}",
                f"{judged.message_seconds / base:.0f}×",
                shown(judged.calibration),
            ]
        rows.append(row)
    titles = [
        f"{key}: {what}"
        for key in chosen
        for what in ("fit, ms", "a message, ms", "beside the nearest example", "ECE")
    ]
    return markdown(["pace and calibration", *titles], rows) if chosen else ""


def _kinds(found: Mapping[str, Judged]) -> set[str]:
    return {kind for judged in found.values() for kind in judged.auroc}


def _titles(benchmark: Benchmark) -> list[tuple[str, str]]:
    return [(name, ROUTERS[name][0]) for name in benchmark.chosen if name not in benchmark.unavailable]


def shown(value: float | None) -> str:
    """Three digits behind the point without a leading zero; a dash for none."""
    return "–" if value is None else f"{value:.3f}".replace("0.", ".", 1)


def tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument(
        "--data", type=Path, help=f"the folder of the sets; else {FOLDER_VARIABLE}, else ../shared/data"
    )
    parser.add_argument("--cache", type=Path, help="a folder that keeps vectors for the next run")
    parser.add_argument("--sets", default=",".join(ORIGINS), help="which sets, with commas between")
    parser.add_argument("--systems", default=",".join(ROUTERS), help="which systems, with commas between")
    parser.add_argument("--draws", type=int, default=3, help="draws of few examples")
    parser.add_argument("--asked", type=int, help="messages of each set that are asked; all by default")
    given = parser.parse_args()
    embedder = RememberedEmbedder(load_embedder("packaged"), given.cache)
    printed = run(
        data_folder(given.data),
        sets=given.sets.split(","),
        chosen=given.systems.split(","),
        embedder=embedder,
        draws=given.draws,
        asked=given.asked,
    )
    embedder.save()
    sys.stdout.write(f"{printed}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
