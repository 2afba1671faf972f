"""Retrieval and abstention of the service beside plain BM25, plain vectors, rank fusion, txtai and Haystack.

    make bench-retrieval
    .venv/bin/python -m bench.retrieval --sets covidfaq --systems service,bm25,dense --questions 100

All systems in one run, over the same documents with the same encoder, at their own defaults. Prints Markdown.
"""

from __future__ import annotations

import argparse
import functools
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench import peers, retrieval_tables, systems
from bench.datasets import FOLDER_VARIABLE, SETS, AbsentSet, RetrievalSet, data_folder, load_retrieval
from bench.remembered import RememberedEmbedder
from bench.retrieval_tables import Abstention, Measured, better_half
from bench.systems import DEPTH, Ranking, System, Task, Unavailable
from bench.tested_service import SAMPLE_NAME, Trial, sample_trial, trial
from ingest.embedding import Embedder, load_embedder
from kb_service.commands.workbench import Workbench, open_workbench
from kb_service.judging.evaluation import Judged, figures
from kb_service.observability import configure_logging
from kb_service.settings import Settings

SERVICE, DENSE_HALF, LEXICAL_HALF, HALVES_BY_RANK = "service", "dense-half", "lexical-half", "halves-by-rank"
OUTSIDE: Mapping[str, System] = {
    "bm25": systems.bm25_words,
    "bm25-segmented": systems.bm25_segmented,
    "dense": systems.dense,
    "by-rank": lambda task: systems.fused_by_rank([systems.bm25_segmented(task), systems.dense(task)]),
    "txtai": peers.txtai,
    "haystack": peers.haystack,
}
"""Systems over whole documents."""
OVER_PASSAGES: Mapping[str, System] = {
    "bm25-passages": systems.bm25_segmented,
    "txtai-passages": peers.txtai,
    "haystack-passages": peers.haystack,
}
"""Systems over the passages that the service searches; with vectors alone that is its dense half."""
SYSTEMS = (SERVICE, DENSE_HALF, LEXICAL_HALF, HALVES_BY_RANK, *OUTSIDE, *OVER_PASSAGES)
ABSTENTION_SETS = ("stackfaq", "covidfaq", "cmrc2018_dev", SAMPLE_NAME)
ALL_SETS = (*SETS, SAMPLE_NAME)


class Benchmark:
    """One run: which systems and how many questions, over one store that goes with it."""

    def __init__(
        self, workbench: Workbench, embedder: Embedder, *, chosen: Sequence[str], questions: int, seed: int
    ) -> None:
        self._workbench = workbench
        self._embedder = embedder
        self._chosen = chosen
        self._questions = questions
        self._seed = seed
        self._workspaces = 0
        self.unavailable: dict[str, str] = {}
        """Why a system was left out, by its name."""

    def ranked(self, held: RetrievalSet) -> Measured:
        """Every chosen system on a set as it is."""
        on = self._trial(held.sampled(self._questions, seed=self._seed))
        judged = self._judged(on, self._chosen)
        return _measured(on, judged, on.judged_calibrated() if SERVICE in self._chosen else None)

    def abstaining(self, held: RetrievalSet) -> Abstention:
        """The chosen systems, each once, after the documents of half of the questions were taken away."""
        few = held.sampled(self._questions, seed=self._seed)
        on = self._trial(few.half_unanswerable(seed=self._seed))
        judged = self._judged(on, [name for name in self._chosen if name not in OVER_PASSAGES])
        return Abstention.of(on.name, judged, on.judged_calibrated() if SERVICE in self._chosen else None)

    def sample(self) -> tuple[Measured, Abstention]:
        """Every chosen system on the sample shop, which has questions that nothing answers of its own."""
        self._workspaces += 1
        on = sample_trial(
            self._workbench, f"set-{self._workspaces}", self._embedder, limit=self._questions, seed=self._seed
        )
        judged = self._judged(on, self._chosen)
        once = {name: found for name, found in judged.items() if name not in OVER_PASSAGES}
        return _measured(on, judged), Abstention.of(on.name, once)

    def _trial(self, held: RetrievalSet) -> Trial:
        self._workspaces += 1
        return trial(self._workbench, f"set-{self._workspaces}", held, self._embedder)

    def _judged(self, on: Trial, chosen: Sequence[str]) -> dict[str, list[Judged]]:
        """What every chosen system makes of the questions; for others than the service `confidence` is the
        score of the first, which has no scale."""
        judged: dict[str, list[Judged]] = {}
        for name, run in self._runs(on).items():
            if name not in chosen or name in self.unavailable:
                continue
            begun = time.perf_counter()
            try:
                judged[name] = run()
            except Unavailable as error:
                self.unavailable[name] = str(error)
                continue
            tell(f"{on.name}: {name}, {time.perf_counter() - begun:.1f} s")
        return judged

    def _runs(self, on: Trial) -> dict[str, Callable[[], list[Judged]]]:
        runs: dict[str, Callable[[], list[Judged]]] = {SERVICE: on.judged}
        near, worded = (
            on.halves() if set(self._chosen) & {DENSE_HALF, LEXICAL_HALF, HALVES_BY_RANK} else ([], [])
        )
        runs[DENSE_HALF] = lambda: _judged(on, near)
        runs[LEXICAL_HALF] = lambda: _judged(on, worded)
        runs[HALVES_BY_RANK] = lambda: _judged(on, systems.fused_by_rank([near, worded]))
        for known, task in ((OUTSIDE, on.documents), (OVER_PASSAGES, on.passages)):
            for name, system in known.items():
                runs[name] = functools.partial(_judged_outside, on, system, task)
        return runs


def _measured(
    on: Trial, judged: Mapping[str, Sequence[Judged]], calibrated: Sequence[Judged] | None = None
) -> Measured:
    return Measured(
        name=on.name,
        documents=len(on.documents.ids),
        languages=on.languages(),
        figures={name: figures(found) for name, found in judged.items()},
        calibrated=_on_the_same(judged, calibrated) if calibrated else None,
    )


def _on_the_same(
    judged: Mapping[str, Sequence[Judged]], calibrated: Sequence[Judged]
) -> tuple[float | None, float | None]:
    others = {item.question.id for item in calibrated}
    beside = {
        name: figures([item for item in found if item.question.id in others])
        for name, found in judged.items()
    }
    return figures(calibrated).ndcg10, better_half(beside)


def _judged_outside(on: Trial, system: System, task: Task) -> list[Judged]:
    return _judged(on, systems.by_document(task, system(task)))


def _judged(on: Trial, rankings: Sequence[Ranking]) -> list[Judged]:
    return [
        Judged(question, tuple(name for name, _ in ranking[:DEPTH]), ranking[0][1] if ranking else 0.0)
        for question, ranking in zip(on.questions, rankings, strict=True)
    ]


def run(
    folder: Path,
    *,
    sets: Sequence[str] = ALL_SETS,
    chosen: Sequence[str] = SYSTEMS,
    questions: int = sys.maxsize,
    cache: Path | None = None,
    seed: int = 0,
    embedder: Embedder | None = None,
    abstention: bool = True,
) -> str:
    """Everything that the command prints. `embedder` takes the place of the configured one."""
    with tempfile.TemporaryDirectory(prefix="kb-retrieval-") as place:
        settings = Settings(data=Path(place), database_url=None)
        encoder = embedder or load_embedder(settings.embedding_model, threads=settings.encoder_threads)
        remembered = RememberedEmbedder(encoder, cache)
        with open_workbench(settings, embedder=remembered) as workbench:
            benchmark = Benchmark(workbench, remembered, chosen=chosen, questions=questions, seed=seed)
            ranked: list[Measured] = []
            abstained: list[Abstention] = []
            left_out: list[str] = []
            for name in sets:
                try:
                    _one(benchmark, folder, name, ranked, abstained, abstention=abstention)
                except AbsentSet as error:
                    left_out.append(str(error))
                remembered.save()
    return retrieval_tables.page(
        ranked, abstained, model=remembered.model_id, left_out=left_out, unavailable=benchmark.unavailable
    )


def _one(
    benchmark: Benchmark,
    folder: Path,
    name: str,
    ranked: list[Measured],
    abstained: list[Abstention],
    *,
    abstention: bool,
) -> None:
    if name == SAMPLE_NAME:
        measured, withheld = benchmark.sample()
        ranked.append(measured)
        if abstention:
            abstained.append(withheld)
        return
    held = load_retrieval(folder, name).reported()
    ranked.append(benchmark.ranked(held))
    if abstention and name in ABSTENTION_SETS:
        abstained.append(benchmark.abstaining(held))


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _names(known: Sequence[str]) -> Callable[[str], list[str]]:
    def read(given: str) -> list[str]:
        names = [name.strip() for name in given.split(",") if name.strip()]
        unknown = [name for name in names if name not in known]
        if unknown or not names:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown) or 'nothing'}; known: {', '.join(known)}")
        return names

    return read


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument(
        "--data", type=Path, help=f"the folder of the sets; else {FOLDER_VARIABLE}, else ../shared/data"
    )
    parser.add_argument("--sets", type=_names(ALL_SETS), default=ALL_SETS, metavar="NAME,...")
    parser.add_argument("--systems", type=_names(SYSTEMS), default=SYSTEMS, metavar="NAME,...")
    parser.add_argument(
        "--questions", type=int, default=sys.maxsize, help="so many of each set at most, drawn at random"
    )
    parser.add_argument("--no-abstention", action="store_true", help="leave out the second table")
    parser.add_argument("--cache", type=Path, help="a folder that keeps vectors for the next run")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    configure_logging(Settings().model_copy(update={"log_level": "warning"}))
    print(
        run(
            data_folder(given.data),
            sets=given.sets,
            chosen=given.systems,
            questions=given.questions,
            cache=given.cache,
            seed=given.seed,
            abstention=not given.no_abstention,
        )
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
