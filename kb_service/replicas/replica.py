"""What one serving process derives from the store for one workspace, following its change log.

Everything here can be thrown away and made again: the search index, the problem graph, the memory of problems,
and the Shop. Readers take references to immutable values; one thread at a time brings a Replica up to date.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from structlog.stdlib import get_logger

from graph.alarms import Alarms
from graph.models import Entity, Event, Problem, Utterance
from graph.trial_ways import AS_IT_STANDS
from ingest.embedding import BatchingEmbedder
from kb_service.learning.learned_state import boosts_in_force, words_of
from kb_service.people.clustering import renew_if_due
from kb_service.replicas.known import Known
from kb_service.replicas.linked_graph import LinkedGraph
from kb_service.replicas.past_merges import PastMerges
from kb_service.replicas.problem_memory import ProblemMemory
from kb_service.replicas.published_index import PublishedIndex
from kb_service.replicas.reembedding import Pace, Reembedding
from kb_service.replicas.shop import Shop, ShopLoader
from kb_service.search.calibration import base_of, in_force
from kb_service.search.reranking import Reranking
from kb_service.store import Change, Store, Unit
from kb_service.traffic.inflow import Inflow

log = get_logger(__name__)

LEARN_SECONDS = 15.0
DECLARED = frozenset({"intent", "intent_removed", "agent_removed", "rules", "expertise", "workspace"})
"""Changes after which the Shop is made anew at once; what outcomes teach may wait a little."""
ERASED = frozenset({"event_removed", "case_removed", "workspace"})
"""Changes after which everything but the index is made anew."""


class Replica(Known):
    """One workspace as this process knows it. `position` is the end of the change log that it reflects.

    Made with what questions need: the index, the Shop and the problems as the store has them. `settle` then derives
    what cases need, the matcher and the graph; until it has, questions are answered without them, and `follow` waits.
    """

    def __init__(
        self,
        workspace: str,
        store: Store,
        embedder: BatchingEmbedder,
        folder: Path,
        *,
        publishes: bool,
        clock: Callable[[], datetime],
        walks: bool = False,
        reranking: Reranking | None = None,
    ) -> None:
        self.workspace = workspace
        self.lock = threading.RLock()
        """Held by whoever brings the replica up to date or records events; never by readers."""
        self._store = store
        self._embedder = embedder
        self._clock = clock
        self._walks = walks
        self._loader = ShopLoader(embedder, folder / "texts.npz")
        self._published = PublishedIndex(
            workspace, store, embedder, folder / "index" if publishes else None, reranking
        )
        self.index = self._published.index
        self._reembedding = Reembedding(workspace, store, embedder)
        self._linked = LinkedGraph()
        self.way = AS_IT_STANDS
        self.position = 0
        self.vocabulary = None
        self._worded: Shop | None = None
        self._settled = False
        self._unlearnt = False
        self._learnt_at = 0.0
        self._declared = 0
        with store.reading(workspace) as unit:
            self._open(unit)

    def _open(self, unit: Unit) -> None:
        """Take from the store what questions need."""
        self._published.open(unit)
        self._learn_verdicts(unit)
        self.boosts = boosts_in_force(unit)
        self.experiments = unit.experiments.running()
        self._reembedding.look(unit)
        stored = unit.problems.all()
        self.shop = self._loader.load(unit, stored, None, learning=False)
        self._memory = self._remember(stored)
        self._take_declared()

    def _remember(self, problems: Sequence[Problem], watermark: datetime | None = None) -> ProblemMemory:
        return ProblemMemory(
            problems, self.shop.rules, model_id=self.model_id, reads=self.reads, watermark=watermark
        )

    # --- how far it is

    @property
    def settled(self) -> bool:
        """Whether the matcher and the graph are derived."""
        return self._settled

    @property
    def sequence(self) -> int:
        """The place of the last message, in order of arrival, that it knows."""
        return self._memory.sequence

    @property
    def embedded(self) -> bool:
        """Whether all texts have a vector of the present model."""
        return self._reembedding.complete

    @property
    def pace(self) -> Pace:
        return self._reembedding.pace

    @property
    def inflow(self) -> Inflow:
        """What comes in, changed by whoever holds `lock`."""
        return self._memory.inflow

    @property
    def alarms(self) -> Alarms:
        """When something is told of a problem, changed by whoever holds `lock`."""
        return self._memory.alarms

    # --- following the change log

    def settle(self) -> None:
        """Derive the matcher, the graph and what outcomes teach; does nothing a second time."""
        if self._settled:
            return
        with self.lock:
            if not self._settled:
                self.reset()
                self.learn_words()

    def settle_within(self, seconds: float) -> bool:
        """Whether the matcher and the graph are derived, after so long at most; a thread of its own goes on with it
        where nobody else does."""
        if self._settled:
            return True
        ends = time.monotonic() + seconds
        if not self.lock.acquire(timeout=seconds):
            return self._settled
        self.lock.release()
        deriving = threading.Thread(target=self.settle, name="settling", daemon=True)
        deriving.start()
        deriving.join(max(0.0, ends - time.monotonic()))
        return self._settled

    def follow(self) -> None:
        """Apply what was committed since; what this process recorded itself is known already."""
        with self.lock, self._store.reading(self.workspace) as unit:
            self.catch_up(unit)

    def catch_up(self, unit: Unit) -> None:
        if not self._settled:
            self._rebuild(unit)
        while changes := unit.changes.since(self.position):
            self._apply(unit, changes)
            self.position = changes[-1].position
        if self.vocabulary is None or self.index.snapshot.continues(self.vocabulary.snapshot):
            self.learn_words()

    def reset(self) -> None:
        """Forget what a failed transaction left behind, by deriving everything but the index anew."""
        with self.lock, self._store.reading(self.workspace) as unit:
            self._rebuild(unit)

    # --- what this process records, under `lock`

    def join(self, problem_id: str, utterance: Utterance, entities: Sequence[Entity], event: Event) -> None:
        """Count a message as an instance of its problem, before its transaction is committed."""
        self._memory.join(problem_id, utterance, entities, event)

    def join_late(
        self, problem_id: str, utterance: Utterance, entities: Sequence[Entity], event: Event
    ) -> None:
        """The same for a message that waited to be placed; what the change log then tells of it is known."""
        self._memory.join_late(problem_id, utterance, entities, event)

    def count_again(self, unit: Unit, problem_id: str) -> None:
        """Count a problem's messages as the store has them, after some were moved."""
        self._memory.count_again(unit, problem_id)

    def recorded(self, sequence: int) -> None:
        """The messages up to `sequence` are in the matcher: this process joined them when it recorded them."""
        self._memory.recorded(sequence)

    # --- in the background

    def learn(self) -> None:
        """Learn profiles, and clusters where that is due, from outcomes that came since, at most every LEARN_SECONDS.

        The lock is not held while it takes: what was declared meanwhile wins, and the next round learns again.
        """
        if not self._unlearnt or time.monotonic() - self._learnt_at < LEARN_SECONDS:
            return
        self._unlearnt = False
        before, declared, linked = self.shop, self._declared, self._linked
        try:
            if self._published.publishes:
                renew_if_due(self._store, self.workspace)
            with self._store.reading(self.workspace) as unit:
                learnt = self._loader.load(unit, list(self.problems.values()), before, learning=True)
                outcomes = list(unit.events.outcomes())
            said = linked.read(outcomes, self.index.search)
        except BaseException:
            self._unlearnt = True
            raise
        self._learnt_at = time.monotonic()
        with self.lock:
            if self._declared == declared:
                self.shop = replace(learnt, agents=self.shop.agents, recent=self.shop.recent)
                linked.place(self.shop)
                linked.link_outcomes(outcomes, said)
            else:
                self._unlearnt = True

    def learn_words(self) -> None:
        """Bring the vocabulary up to the index and the Shop: quick where only some documents came and went. After a
        compaction it is made anew, which takes up to a second and is left to the thread that follows the log."""
        held, snapshot, shop = self.vocabulary, self.index.snapshot, self.shop
        if held is not None and held.snapshot is snapshot and self._worded is shop:
            return
        made = words_of(snapshot, shop, held)
        with self.lock:
            if self.vocabulary is None or self.vocabulary.snapshot.position <= snapshot.position:
                self.vocabulary, self._worded = made, shop

    def embed_missing(self) -> None:
        """Embed some of what the present model has not embedded, as after a change of the model."""
        if self.embedded or not self._reembedding.go_on():
            return
        self.reset()
        self._reembedding.complete = True
        log.info("model_embedded", workspace=self.workspace, model=self.model_id)

    def publish(self) -> None:
        """Write the indexes as a new generation when enough has changed to make it worth the while."""
        self._loader.save()
        self._published.maintain()

    def remake_index(self, told: Callable[[int], None] | None = None) -> None:
        """Make the search index anew from the store while it goes on serving; see `PublishedIndex.remake`."""
        self._published.remake(told)

    def close(self) -> None:
        self._published.close()

    # --- deriving everything but the index

    def _rebuild(self, unit: Unit) -> None:
        self._declared += 1
        # If this breaks off in the middle, whoever comes next begins again.
        self._settled = False
        position = unit.changes.position()
        self.index.follow(self._published.source(unit))
        self._learn_verdicts(unit)
        self.boosts = boosts_in_force(unit)
        self.experiments = unit.experiments.running()
        stored = unit.problems.all()
        self.shop = self._loader.load(unit, stored, None, learning=True)
        self._learnt_at = time.monotonic()
        self._unlearnt = False
        self._linked = LinkedGraph()
        self._memory = self._remember(stored, unit.events.latest_at())
        self._take_declared()
        self._linked.put_documents((), (held.document for held in unit.documents.all()))
        self._linked.place(self.shop)
        alerts = unit.alerts.all()
        self._memory.tell(alerts)
        self._memory.follow(unit, self.shop.gazetteer, PastMerges(unit, stored))
        for problem in stored:
            self._put_problem(problem)
        self._linked.put_alerts(alerts)
        outcomes = list(unit.events.outcomes())
        self._linked.link_outcomes(outcomes, self._linked.read(outcomes, self.index.search))
        self.position = position
        self._settled = True

    # --- applying changes

    def _apply(self, unit: Unit, changes: Sequence[Change]) -> None:
        ids = _by_kind(changes)
        about_products = self._apply_documents(unit, changes, ids)
        gone = ids.get("problem_removed", [])
        merged = [id for id in gone if unit.problems.resolve_id(id) is not None]
        if len(merged) < len(gone) or ids.keys() & ERASED:
            self._rebuild(unit)
            return
        self._unlearnt |= bool(merged) or bool(ids.keys() & {"event", "expertise"})
        self._apply_verdicts(unit, ids)
        alerts = unit.alerts.some(ids["alert"]) if "alert" in ids else ()
        self._memory.tell(alerts)
        self._apply_messages(unit, ids, bool(merged))
        self._apply_shop(unit, ids, about_products)
        for problem in unit.problems.some(ids.get("problem", ())):
            self._put_problem(problem)
            if "event_placed" in ids:
                self.count_again(unit, problem.id)
        if merged:
            # What people pinned to a problem is of its survivor from now on.
            self._declare(unit)
        self._linked.put_alerts(alerts)

    def _apply_documents(
        self, unit: Unit, changes: Sequence[Change], ids: Mapping[str, Sequence[str]]
    ) -> bool:
        """Documents in the graph and the index; whether one of them is, or was, about a product."""
        removed, changed = ids.get("document_removed", ()), ids.get("document", ())
        for external_id in removed:
            self.graph.remove_document(external_id)
        self.index.apply(self._published.source(unit), changes)
        stored = unit.documents.all(changed) if changed else ()
        return self._linked.put_documents([*removed, *changed], (held.document for held in stored))

    def _apply_verdicts(self, unit: Unit, ids: Mapping[str, Sequence[str]]) -> None:
        """What people's verdicts and feedback say of documents, and which trials go on."""
        touched = {*ids.get("document_removed", ()), *ids.get("document", ())}
        if ids.keys() & {"calibration", "review"} or self.withheld & touched:
            self._learn_verdicts(unit)
            self._linked.search_again()
        if "ranks" in ids:
            self.boosts = boosts_in_force(unit)
        if "experiment" in ids:
            self.experiments = unit.experiments.running()

    def _apply_messages(self, unit: Unit, ids: Mapping[str, Sequence[str]], merged: bool) -> None:
        """Messages that came, and those that waited and were placed."""
        before = self.sequence
        if "event" in ids:
            merges = PastMerges(unit, unit.problems.some(ids.get("problem", ())), before) if merged else None
            self._memory.follow(unit, self.shop.gazetteer, merges)
        for event_id in ids.get("event_placed", ()):
            self._memory.follow_late(unit, event_id, self.shop.gazetteer, until=before)

    def _apply_shop(self, unit: Unit, ids: Mapping[str, Sequence[str]], about_products: bool) -> None:
        """What was declared, at once; who is online and has how many cases comes with every event."""
        if ids.keys() & DECLARED or about_products:
            self._declare(unit)
        elif ids.keys() & {"agent", "case"}:
            before = self.shop
            self.shop = self._loader.with_agents(unit, before)
            if _skills(self.shop) != _skills(before):
                self._declare(unit)

    def _declare(self, unit: Unit) -> None:
        self._declared += 1
        self.shop = self._loader.load(unit, self.problems.values(), self.shop, learning=False)
        self._take_declared()
        self._linked.place(self.shop)

    def _take_declared(self) -> None:
        """Hand on what the index and the alarms need of the shop's rules and intents."""
        self.index.default_region = self.shop.rules.default_region
        self.index.compare_matters(self.shop.matters)
        self._memory.govern(self.shop.rules)

    def _learn_verdicts(self, unit: Unit) -> None:
        """The calibration in force, and what reviewers keep out of automatic answers."""
        self.withheld = frozenset(unit.reviews.withheld())
        newest = unit.calibrations.newest(self.index.model_id)
        judged = unit.calibrations.precedents(base_of(newest)) if newest is not None else ()
        self.index.calibration = in_force(newest, self.index.model_id, judged)

    def _put_problem(self, problem: Problem) -> None:
        counted = self._memory.put(problem)
        self._linked.put_problem(counted, self._memory.exemplars(problem.id), self.find)


def _by_kind(changes: Sequence[Change]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for change in changes:
        found.setdefault(change.kind, []).append(change.id)
    return found


def _skills(shop: Shop) -> dict[str, tuple[str, ...]]:
    return {agent.id: agent.skills for agent in shop.agents.values()}
