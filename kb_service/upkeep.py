"""What serves a workspace and in which state it is: encoder, index, graph, calibration; and the index made anew."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias

from ingest.embedding import BatchingEmbedder
from ingest.sandbox import ParserPool
from kb_service.encoders import BILINGUAL, ENGLISH, Lexicons
from kb_service.errors import ServiceError
from kb_service.long_runs import LongRuns, Run, Told
from kb_service.models import Principal
from kb_service.replicas.replica import Replica
from kb_service.replicas.replicas import Replicas
from kb_service.search import snapshots
from kb_service.search.evidence import NEVER
from kb_service.search.snapshots import CorruptGeneration, Fault
from kb_service.settings import Settings
from kb_service.store import Store

Origin: TypeAlias = Literal["packaged", "folder", "hub", "word_hash"]
LANGUAGES = ("zh", "en")
WORD_HASH = "word-hash"
A_WORD_EVERY = 16
"""Documents after which making an index anew tells how far it is, and stands aside for a moment."""


@dataclass(frozen=True, slots=True)
class LexiconState:
    """How the packaged encoder reads Chinese: the lexicon in force and the one that a roll back would bring back, None
    where there is none before it. `origin` is shipped, built or adapted."""

    digest: str
    origin: str
    at: str
    before: str | None


@dataclass(frozen=True, slots=True)
class EncoderState:
    model_id: str
    dimension: int
    reads: tuple[str, ...]
    setting: str
    origin: Origin
    lexicon: LexiconState | None


@dataclass(frozen=True, slots=True)
class EmbeddingState:
    """What the present model has still to embed. `per_minute` passages, as this process did it so far."""

    passages: int
    passages_waiting: int
    messages_waiting: int
    going: bool
    per_minute: float | None

    @property
    def share(self) -> float:
        return 1.0 if not self.passages else 1 - self.passages_waiting / self.passages


@dataclass(frozen=True, slots=True)
class GenerationState:
    """The published generation of the index; `fault` says why there is none that may be used."""

    name: str
    position: int
    model_id: str
    size: int
    at: datetime | None
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class IndexState:
    """The index in memory. Positions count the entries of the change log: `head` is the store's end of it.

    `vectors` passages have one; `buried` rows belong to what was removed or replaced, until a compaction.
    `by_graph` vectors are in the dense index's graph, the others are compared one by one.
    """

    position: int
    head: int
    documents: int
    passages: int
    vectors: int
    words: int
    buried: int
    by_graph: int
    generation: GenerationState

    @property
    def lag(self) -> int:
        return max(0, self.head - self.position)


@dataclass(frozen=True, slots=True)
class CalibrationState:
    """The calibration in force. `thresholds` are the confidences from which answers go out unseen, by language; None
    where too little was judged. `judged` counts answers behind the evidence."""

    id: str
    source: str
    fitted_at: datetime | None
    counts: Mapping[str, int]
    bound: float
    thresholds: Mapping[str, float | None]
    judged: int


@dataclass(frozen=True, slots=True)
class Condition:
    """All of it, as one process has it for one workspace."""

    encoder: EncoderState
    embedding: EmbeddingState
    index: IndexState
    nodes: Mapping[str, int]
    edges: Mapping[str, int]
    settled: bool
    problems: int
    calibration: CalibrationState
    lifted: int
    withheld: int
    deliveries: Mapping[str, int]
    parsers: int
    parse_seconds: float
    parse_memory_mb: int
    workspaces: int
    workspaces_ready: int


class Upkeep:
    """Reads the state of what is derived, and makes a workspace's index anew beside requests."""

    def __init__(
        self,
        store: Store,
        replicas: Replicas,
        encoder: BatchingEmbedder,
        parsers: ParserPool,
        settings: Settings,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._encoder = encoder
        self._parsers = parsers
        self._settings = settings
        self._runs: LongRuns[int] = LongRuns("index", clock=clock)
        self._verified: dict[str, tuple[str, float, Fault | None]] = {}
        self._lock = threading.Lock()

    def condition(self, workspace: str) -> Condition:
        """The state of a workspace now."""
        replica = self._replicas.of(workspace)
        with self._store.reading(workspace) as unit:
            head = unit.changes.position()
            passages = unit.documents.passage_count()
            going = not replica.embedded
            waiting = unit.documents.count_without_vectors(replica.index.model_id) if going else 0
            messages = unit.events.of_other_models(replica.index.model_id) if going else 0
            newest = unit.calibrations.newest(replica.index.model_id)
            bound = unit.rules.get().wrong_answer_bound
            deliveries = unit.outbox.counts()
        calibration = replica.index.calibration
        thresholds = {language: calibration.threshold(bound, language) for language in LANGUAGES}
        ready = self._replicas.readiness()["workspaces"]
        return Condition(
            encoder=self._encoder_state(),
            embedding=EmbeddingState(passages, waiting, messages, going, replica.pace.per_minute),
            index=self._index_state(replica, head),
            nodes=replica.graph.counts(),
            edges=replica.graph.edge_counts(),
            settled=replica.settled,
            problems=len(replica.problems),
            calibration=CalibrationState(
                id=calibration.id,
                source=calibration.source,
                fitted_at=newest.fitted_at if newest is not None and newest.id == calibration.id else None,
                counts=dict(newest.counts) if newest is not None and newest.id == calibration.id else {},
                bound=bound,
                thresholds={
                    language: value if value < NEVER else None for language, value in thresholds.items()
                },
                judged=max((step.answers for step in calibration.evidence.steps), default=0),
            ),
            lifted=sum(len(documents) for documents in replica.boosts.values()),
            withheld=len(replica.withheld),
            deliveries=deliveries,
            parsers=self._parsers.running,
            parse_seconds=self._settings.parse_seconds,
            parse_memory_mb=self._settings.parse_memory_mb,
            workspaces=sum(ready[name] for name in ("ready", "loading")),
            workspaces_ready=ready["ready"],
        )

    def rebuild(self, caller: Principal) -> Run[int]:
        """Begin to make the index of the caller's workspace anew, or give the run that is at it. Searches and writes go
        on. Raises Conflict while that of another workspace is being made."""
        latest = self._runs.latest(caller.workspace)
        if latest is not None and latest.state == "going":
            return latest
        replica = self._replicas.of(caller.workspace)

        def work(told: Told) -> int:
            whole = max(1, replica.index.documents)

            def counted(count: int) -> None:
                # The words' index is written at the end, which takes about as long as a tenth of the reading.
                if count % A_WORD_EVERY == 0:
                    told(0.9 * count / whole)

            replica.remake_index(counted)
            return replica.index.documents

        key = f"{caller.workspace} {replica.index.position} {latest.id if latest is not None else ''}"
        run = self._runs.begin(caller.workspace, caller.key_id, key, work)
        with self._store.writing(caller.workspace) as unit:
            unit.audit.append(caller.key_id, "index.rebuilt", "index", {"position": replica.index.position})
        return run

    def rebuilding(self, workspace: str) -> Run[int] | None:
        """The last run that made a workspace's index anew, as far as this process knows."""
        return self._runs.latest(workspace)

    def stop(self) -> None:
        self._runs.stop()

    # --- the parts

    def _encoder_state(self) -> EncoderState:
        setting = self._settings.embedding_model
        return EncoderState(
            model_id=self._encoder.model_id,
            dimension=self._encoder.dimension,
            reads=tuple(sorted(self._encoder.reads)),
            setting=setting,
            origin=_origin(setting),
            lexicon=self._lexicon() if setting == BILINGUAL else None,
        )

    def _lexicon(self) -> LexiconState | None:
        try:
            history = Lexicons(self._settings.data).history()
        except ServiceError:
            return None
        if not history:
            return LexiconState("", "shipped", "", None)
        before = history[-2].digest if len(history) > 1 else "shipped"
        return LexiconState(history[-1].digest, history[-1].origin, history[-1].at, before)

    def _index_state(self, replica: Replica, head: int) -> IndexState:
        snapshot = replica.index.snapshot
        catalogue, dense = snapshot.catalogue, snapshot.dense
        return IndexState(
            position=snapshot.position,
            head=head,
            documents=replica.index.documents,
            passages=catalogue.alive_rows,
            vectors=int(dense.embedded.sum()),
            words=snapshot.lexical.terms.living,
            buried=catalogue.rows - catalogue.alive_rows,
            by_graph=dense.graph.ntotal if dense.graph is not None else 0,
            generation=self._generation(replica.workspace),
        )

    def _generation(self, workspace: str) -> GenerationState:
        """The generation on disk. Every byte of it is verified once, when it is first seen: that takes a while."""
        folder = self._settings.data / "derived" / workspace / "index"
        try:
            held = snapshots.published(folder)
            with self._lock:
                known = self._verified.get(workspace)
            if known is None or known[:2] != (held.name, held.at):
                fault: Fault | None = None
                try:
                    snapshots.read(folder)
                except CorruptGeneration as error:
                    fault = error.fault
                known = (held.name, held.at, fault)
                with self._lock:
                    self._verified[workspace] = known
        except CorruptGeneration as error:
            return GenerationState("", 0, "", 0, None, error.fault)
        said = held.description
        at = datetime.fromtimestamp(held.at, UTC)
        return GenerationState(held.name, said.position, said.model_id, held.size, at, known[2])


def _origin(setting: str) -> Origin:
    if setting in (BILINGUAL, ENGLISH):
        return "packaged"
    if setting == WORD_HASH:
        return "word_hash"
    return "folder" if Path(setting).exists() else "hub"
