"""What one serving process derives from the store for one workspace, following its change log.

Everything here can be thrown away and made again: the search index, the problem graph, the matcher of problems,
and the Shop. Readers take references to immutable values; one thread at a time brings a Replica up to date.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from structlog.stdlib import get_logger

from graph.alarms import Alarms
from graph.experiments import Experiment
from graph.lifecycle import episode_begin
from graph.matching import ProblemMatcher
from graph.models import Alert, Entity, Event, Intent, Match, Problem, Rules, Utterance
from graph.paths import Linked, prior
from graph.problem_graph import ProblemGraph
from graph.sightings import speaker, voter_code
from graph.trial_ways import AS_IT_STANDS, Way
from ingest import language
from ingest.embedding import BatchingEmbedder
from ingest.models import Document
from ingest.redaction import mask_numbers
from kb_service.learning.learned_state import Boosts, boosts_in_force, lifted, words_of
from kb_service.models import LinkedDocument, Turn
from kb_service.people.clustering import renew_if_due
from kb_service.replicas.linking import Hung, link_resolvers, put_document, put_shop
from kb_service.replicas.past_merges import PastMerges
from kb_service.replicas.reembedding import embed_messages, embed_passages
from kb_service.replicas.replied import Replied
from kb_service.replicas.shop import Shop, ShopLoader
from kb_service.search.calibration import in_force
from kb_service.search.models import Hit, SearchQuery
from kb_service.search.reranking import Reranking
from kb_service.search.retrieval import Searched, SearchIndex
from kb_service.search.source import SourceDocument, UnitSource
from kb_service.search.vocabulary import Vocabulary
from kb_service.search.weighing import Weighed, weigh
from kb_service.store import Change, Store, StoredMessage, Unit
from kb_service.traffic.inflow import Inflow, zone_of
from kb_service.understanding.conversation import Asked, asked
from kb_service.understanding.reading import compared_words

log = get_logger(__name__)

LEARN_SECONDS = 15.0
PUBLISH_SHARE = 64
"""Changes after which a new generation is worth publishing."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many passages this process embedded anew after a change of the model, and how long that took."""

    texts: int = 0
    seconds: float = 0.0

    @property
    def per_minute(self) -> float | None:
        return 60 * self.texts / self.seconds if self.texts and self.seconds > 0 else None


class Replica:
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
        self._walks = walks
        self.lock = threading.RLock()
        """Held by whoever brings the replica up to date or records events; never by readers."""
        self._store = store
        self._embedder = embedder
        self._clock = clock
        self._matching = threading.Lock()
        self._loader = ShopLoader(embedder, folder / "texts.npz")
        self._publishes = publishes
        self.index = SearchIndex(
            workspace,
            model_id=embedder.model_id,
            dimension=embedder.dimension,
            reads=embedder.reads,
            folder=folder / "index" if publishes else None,
            reranking=reranking,
        )
        self.position = 0
        self.sequence = 0
        self.matcher = ProblemMatcher(reads=embedder.reads)
        self.graph = ProblemGraph()
        self._hung = Hung()
        self._documents = 0
        """Grows with every change of a document."""
        self._replied = Replied()
        self.inflow = Inflow()
        """What comes in, changed by whoever holds `lock`."""
        self.alarms = Alarms(Rules(), zone_of(Rules()))
        """When something is told of a problem, changed by whoever holds `lock`."""
        self.problems: dict[str, Problem] = {}
        self.shop: Shop
        self._placed: Shop | None = None
        """The shop as it stands in the graph."""
        self._product_ids: set[str] = set()
        """Documents about products: when one goes, what is known of products changes."""
        self._unlearnt = False
        self._learnt_at = 0.0
        self._declared = 0
        self._settled = False
        self._placed_here: set[str] = set()
        """Messages that waited and that this process placed itself."""
        self.vocabulary: Vocabulary | None = None
        """The words by which questions are corrected; None until the replica is settled."""
        self._worded: Shop | None = None
        self.withheld: frozenset[str] = frozenset()
        """Documents that a reviewer keeps out of automatic answers."""
        self.boosts: Boosts = {}
        self.experiments: tuple[Experiment, ...] = ()
        """The trials that are started and not over."""
        self.way: Way = AS_IT_STANDS
        """How whoever this is a view for is served, see `under`."""
        self._embedded_to = 0
        self.pace = Pace()
        with store.reading(workspace) as unit:
            self._open(unit)

    def _open(self, unit: Unit) -> None:
        """Take from the store what questions need."""
        self._open_index(unit)
        self._learn_verdicts(unit)
        self.boosts = boosts_in_force(unit)
        self.experiments = unit.experiments.running()
        self._embedded = not (
            unit.documents.without_vectors(self._embedder.model_id, 1)
            or unit.events.of_other_models(self._embedder.model_id)
        )
        stored = unit.problems.all()
        self.problems = {problem.id: problem for problem in stored}
        self.shop = self._loader.load(unit, stored, None, learning=False)
        self._take_rules()

    # --- reading

    @property
    def passages(self) -> int:
        return self.index.passages

    def match(self, utterance: Utterance, entities: Sequence[Entity], at: datetime) -> Match:
        """Which known problem a message would belong to; changes nothing."""
        with self._matching:
            return self.matcher.match(utterance, entities, at)

    @property
    def reads(self) -> frozenset[str]:
        """The languages that the encoder reads."""
        return self._embedder.reads

    @property
    def model_id(self) -> str:
        return self._embedder.model_id

    @property
    def embedded(self) -> bool:
        """Whether all texts have a vector of the present model."""
        return self._embedded

    def remake_index(self, told: Callable[[int], None] | None = None) -> None:
        """Make the search index anew from the store while it goes on serving, and publish it where this process does.
        `told` hears of each document, by how many there were."""

        @contextmanager
        def reading() -> Iterator[UnitSource]:
            with self._store.reading(self.workspace) as unit:
                yield self._source(unit)

        self.index.remake(reading, told)
        if self._publishes:
            self.index.publish()

    @property
    def settled(self) -> bool:
        """Whether the matcher and the graph are derived."""
        return self._settled

    def problem_of(self, match: Match) -> Problem | None:
        """The problem that a match joined; a provisional one is nobody's answer yet."""
        if match.reason != "joined" or match.problem_id is None:
            return None
        return self.problems.get(self.graph.survivor(match.problem_id))

    def asked(self, text: str, turns: Sequence[Turn] = ()) -> Asked:
        """A message as it is searched: corrected by the words of this workspace, and after the turns before it."""
        return asked(text, turns, vocabulary=self.vocabulary, named=self._named)

    def named(self, text: str) -> tuple[Entity, ...]:
        """The products, orders and parcels that a text names."""
        found = self.shop.gazetteer.entities(text, self._clock()) if text else ()
        return tuple(entity for entity in found if entity.type in NAMED)

    def _named(self, text: str) -> list[tuple[int, int]]:
        return [(entity.start, entity.end) for entity in self.named(text)]

    def title_of(self, external_id: str) -> str | None:
        """What a living document is called."""
        catalogue = self.index.snapshot.catalogue
        return next((catalogue.records[int(slot)].title for slot in catalogue.slots_of([external_id])), None)

    def prior(
        self,
        problem: Problem | None,
        at: datetime,
        *,
        entities: Sequence[Entity] = (),
        intents: Sequence[str] = (),
    ) -> dict[str, float]:
        """How strongly the graph ties documents to a question of a problem that names entities and may have intents."""
        products = [sku for entity in entities for sku in self.shop.gazetteer.skus(entity)]
        linked = Linked(problem.id if problem else None, tuple(dict.fromkeys(products)), tuple(intents))
        walks = self._walks if self.way.walks is None else self.way.walks
        return prior(self.graph, linked, at, walks=walks)

    def learned(self, problem: Problem | None, intent: str | None) -> dict[str, float]:
        """What feedback adds to the evidence of documents for a question; see `kb_service.learning.learned_state`."""
        return lifted(self.boosts, self.withheld, problem, intent)

    def intent_of(self, utterance: Utterance) -> str | None:
        """The one intent that a message plainly has."""
        reading = self.shop.classifier.predict([utterance], whole=utterance)
        return reading.candidates[0] if len(reading.candidates) == 1 else None

    def products_of(self, problem: Problem) -> tuple[str, ...]:
        """The products that a problem's messages name, the most frequent first."""
        with self._matching:
            seen = self.matcher.entities(problem.id)
        named = {name: count for name, count in seen.get("product", {}).items() if name in self.shop.products}
        return tuple(sorted(named, key=lambda sku: (-named[sku], sku))) or problem.products

    def said_of(self, problem: Problem) -> str | None:
        """What a customer said of a problem: the first of the messages that are kept of its largest part."""
        with self._matching:
            kept = self.matcher.exemplars(problem.id)
        return kept[0].utterance.text if kept else None

    def expertise_of(self, problem: Problem) -> str | None:
        return self.shop.expertise_of(problem)

    def fields_by_problem(self) -> dict[str, str]:
        """The expertise of every problem that has one, also under ids that were merged."""
        return self.shop.fields.by_problem(list(self.problems.values()))

    def expertise_of_problem(self, problem_id: str | None) -> str | None:
        """The expertise of a problem by its id, also of one that was merged; None where there is none."""
        problem = self.problems.get(self.graph.survivor(problem_id)) if problem_id is not None else None
        return self.shop.expertise_of(problem) if problem is not None else None

    def answers_of(self, problem: Problem) -> tuple[LinkedDocument, ...]:
        """What answers a problem now, heaviest first: what the graph ties to it, and what feedback lifts for it."""
        now = self._clock()
        boosts = self.learned(problem, None)
        linked = [
            LinkedDocument(
                answer.external_id,
                answer.kind,
                answer.title,
                round(answer.weight + boosts.pop(answer.external_id, 0.0), 4),
            )
            for answer in self.graph.answers_of(problem.id, now)
        ]
        catalogue = self.index.snapshot.catalogue
        linked += [
            LinkedDocument(
                record.external_id, record.kind, record.title, round(boosts[record.external_id], 4)
            )
            for record in (catalogue.records[int(slot)] for slot in catalogue.slots_of(sorted(boosts)))
            if record.status == "approved"
            and (record.valid_from is None or record.valid_from <= now)
            and (record.valid_to is None or now < record.valid_to)
        ]
        return tuple(sorted(linked, key=lambda item: (-item.weight, item.external_id)))

    def customer_of(self, conversation_id: str) -> str | None:
        """The customer whose case a conversation belongs to, as the store has it."""
        with self._store.reading(self.workspace) as unit:
            case_id = unit.cases.of_conversations([conversation_id]).get(conversation_id)
            case = unit.cases.get(case_id) if case_id is not None else None
        return case.customer_id if case is not None else None

    def under(self, way: Way) -> Replica:
        """A view for one request of a unit that trials serve so; for reading only, it does not follow the log."""
        view = copy.copy(self)
        view.way = way
        view.shop = replace(self.shop, rules=way.changed(self.shop.rules))
        if way.homes:
            view.shop = replace(
                view.shop,
                expertise=way.placed(self.shop.expertise, list(self.problems.values())),
                evidence=way.told(self.shop.evidence),
            )
        return view

    def with_intent(self, draft: Intent) -> Replica:
        """A view in which one intent is as drafted, to try it; for reading only, it does not follow the log."""
        view = copy.copy(self)
        view.shop = self._loader.with_intent(self.shop, draft)
        return view

    def beside(self, near: Collection[str], document: SourceDocument) -> Replica:
        """A view with one document more, to try it before it is stored; for reading only. See `SearchIndex.beside`."""
        view = copy.copy(self)
        view.index = self.index.beside(near, document)
        return view

    # --- writing, under `lock`

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

    def join(self, problem_id: str, utterance: Utterance, entities: Sequence[Entity], event: Event) -> None:
        """Count a message as an instance of its problem, before its transaction is committed."""
        with self._matching:
            self.matcher.join(problem_id, utterance, entities, event.at, event_id=event.id)

    def join_late(
        self, problem_id: str, utterance: Utterance, entities: Sequence[Entity], event: Event
    ) -> None:
        """The same for a message that waited to be placed; what the change log then tells of it is known."""
        self.join(problem_id, utterance, entities, event)
        self._placed_here.add(event.id)

    def count_again(self, unit: Unit, problem_id: str) -> None:
        """Count a problem's messages as the store has them, after some were moved."""
        seen = unit.problems.observations(problem_id)
        self.alarms.recount(problem_id, ((item.at, voter_code(*item.voter)) for item in seen))

    def recorded(self, sequence: int) -> None:
        """The messages up to `sequence` are in the matcher: this process joined them when it recorded them."""
        self.sequence = max(self.sequence, sequence)

    def reset(self) -> None:
        """Forget what a failed transaction left behind, by deriving everything but the index anew."""
        with self.lock, self._store.reading(self.workspace) as unit:
            self._rebuild(unit)

    def learn(self) -> None:
        """Learn profiles, and clusters where that is due, from outcomes that came since, at most every LEARN_SECONDS.

        The lock is not held while it takes: what was declared meanwhile wins, and the next round learns again.
        """
        if not self._unlearnt or time.monotonic() - self._learnt_at < LEARN_SECONDS:
            return
        self._unlearnt = False
        before, declared, replied = self.shop, self._declared, self._replied
        try:
            if self._publishes:
                renew_if_due(self._store, self.workspace)
            with self._store.reading(self.workspace) as unit:
                learnt = self._loader.load(unit, list(self.problems.values()), before, learning=True)
                outcomes = list(unit.events.outcomes())
            said = replied.read(outcomes, self.index.search)
        except BaseException:
            self._unlearnt = True
            raise
        self._learnt_at = time.monotonic()
        with self.lock:
            if self._declared == declared:
                self.shop = replace(learnt, agents=self.shop.agents, recent=self.shop.recent)
                self._place_shop()
                link_resolvers(self.graph, outcomes)
                replied.link(self.graph, said)
            else:
                self._unlearnt = True

    def embed_missing(self) -> None:
        """Embed some of what the present model has not embedded, as after a change of the model: passages first,
        then the messages by which problems are recognised."""
        if self._embedded:
            return
        began = time.monotonic()
        done = embed_passages(self._store, self._embedder, self.workspace)
        self.pace = Pace(self.pace.texts + done, self.pace.seconds + time.monotonic() - began)
        if done:
            return
        reached = embed_messages(self._store, self._embedder, self.workspace, self._embedded_to)
        if reached is not None:
            self._embedded_to = reached
            return
        self.reset()
        self._embedded = True
        log.info("model_embedded", workspace=self.workspace, model=self._embedder.model_id)

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

    def _declare(self, unit: Unit) -> None:
        self._declared += 1
        self.shop = self._loader.load(unit, self.problems.values(), self.shop, learning=False)
        self._take_rules()
        self._place_shop()

    def _take_rules(self) -> None:
        """Hand on what the index and the alarms need of the shop's rules."""
        self.index.default_region = self.shop.rules.default_region
        self.alarms.govern(self.shop.rules, zone_of(self.shop.rules))

    def publish(self) -> None:
        """Write the indexes as a new generation when enough has changed to make it worth the while."""
        self._loader.save()
        if self._publishes and self.index.position - self.index.published >= PUBLISH_SHARE:
            self.index.publish()
        else:
            self.index.maintain()

    def close(self) -> None:
        if self._publishes and self.index.position > self.index.published:
            self.index.publish()
        self.index.close()

    # --- deriving

    def _source(self, unit: Unit) -> UnitSource:
        return UnitSource(unit, model_id=self._embedder.model_id, dimension=self._embedder.dimension)

    def _open_index(self, unit: Unit) -> None:
        """The published generation and what came since; everything anew when there is none or it is damaged."""
        if not self._publishes:
            self.index.rebuild(self._source(unit))
            return
        fault = self.index.restore(self._source(unit))
        if fault is not None:
            log.info("index_rebuilt", workspace=self.workspace, reason=fault)

    def _rebuild(self, unit: Unit) -> None:
        self._declared += 1
        # If this breaks off in the middle, whoever comes next begins again.
        self._settled = False
        position = unit.changes.position()
        self.index.follow(self._source(unit))
        self._learn_verdicts(unit)
        self.boosts = boosts_in_force(unit)
        self.experiments = unit.experiments.running()
        with self._matching:
            self.matcher = ProblemMatcher(reads=self._embedder.reads)
        self.graph = ProblemGraph()
        self._hung = Hung()
        self.inflow = Inflow()
        self._placed = None
        stored = unit.problems.all()
        self.problems = {problem.id: problem for problem in stored}
        self.sequence = 0
        self._placed_here.clear()
        self.shop = self._loader.load(unit, stored, None, learning=True)
        self.alarms = Alarms(self.shop.rules, zone_of(self.shop.rules), unit.events.latest_at())
        self._take_rules()
        self._learnt_at = time.monotonic()
        self._unlearnt = False
        self._product_ids = set()
        for held in unit.documents.all():
            self._put_document(held.document)
        self._place_shop()
        alerts = unit.alerts.all()
        self._tell(alerts)
        self._join_messages(unit, PastMerges(unit, stored))
        for problem in stored:
            self._put_problem(problem)
        self._put_alerts(alerts)
        outcomes = list(unit.events.outcomes())
        link_resolvers(self.graph, outcomes)
        self._replied = Replied()
        self._replied.link(self.graph, self._replied.read(outcomes, self.index.search))
        self.position = position
        self._settled = True

    def _apply(self, unit: Unit, changes: Sequence[Change]) -> None:
        by_kind: dict[str, list[str]] = {}
        for change in changes:
            by_kind.setdefault(change.kind, []).append(change.id)
        removed = by_kind.get("document_removed", [])
        for external_id in removed:
            self.graph.remove_document(external_id)
        self.index.apply(self._source(unit), changes)
        documents = by_kind.get("document", [])
        about_products = bool(self._product_ids & {*removed, *documents})
        self._documents += bool(removed or documents)
        self._product_ids -= {*removed, *documents}
        for stored in unit.documents.all(documents) if documents else ():
            about_products |= self._put_document(stored.document)
        merged = [id for id in by_kind.get("problem_removed", ()) if unit.problems.resolve_id(id) is not None]
        erased = len(merged) < len(by_kind.get("problem_removed", ()))
        if erased or by_kind.keys() & {"event_removed", "case_removed", "workspace"}:
            self._rebuild(unit)
            return
        self._unlearnt |= bool(merged)
        if by_kind.keys() & {"calibration", "review"} or self.withheld & {*removed, *documents}:
            self._learn_verdicts(unit)
            self._documents += 1
        if "ranks" in by_kind:
            self.boosts = boosts_in_force(unit)
        if "experiment" in by_kind:
            self.experiments = unit.experiments.running()
        alerts = unit.alerts.some(by_kind["alert"]) if "alert" in by_kind else ()
        self._tell(alerts)
        joined = self.sequence
        if "event" in by_kind:
            changed = unit.problems.some(by_kind.get("problem", ())) if merged else ()
            self._join_messages(unit, PastMerges(unit, changed, self.sequence) if merged else None)
            self._unlearnt = True
        for event_id in by_kind.get("event_placed", ()):
            self._join_late(unit, event_id, joined)
        if "expertise" in by_kind:
            self._unlearnt = True
        if by_kind.keys() & DECLARED or about_products:
            self._declare(unit)
        elif by_kind.keys() & {"agent", "case"}:
            before = self.shop
            self.shop = self._loader.with_agents(unit, before)
            if _skills(self.shop) != _skills(before):
                self._declare(unit)
        for problem in unit.problems.some(by_kind.get("problem", ())):
            self._put_problem(problem)
            if "event_placed" in by_kind:
                self.count_again(unit, problem.id)
        if merged:
            # What people pinned to a problem is of its survivor from now on.
            self._declare(unit)
        self._put_alerts(alerts)

    def _place_shop(self) -> None:
        put_shop(self.graph, self.shop, self._placed)
        self._placed = self.shop

    def _put_document(self, document: Document) -> bool:
        """A document in the graph; whether it is about a product."""
        put_document(self.graph, document)
        if document.kind == "product":
            self._product_ids.add(document.external_id)
        return document.kind == "product"

    def _tell(self, alerts: Sequence[Alert]) -> None:
        """Alerts that stand, before the messages that led to them are counted."""
        for alert in alerts:
            self.alarms.tell(alert.problem_id, alert.kind, alert.opened_at)

    def _put_alerts(self, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            self.graph.put_alert(alert)

    def _join_messages(self, unit: Unit, merges: PastMerges | None) -> None:
        """Messages that another process recorded, or all of them at the start, in order of arrival; `merges` are those
        that came between them."""
        for message in unit.events.messages(self.sequence):
            self.sequence = message.sequence
            self._join_message(message, merges)
            event = message.event
            problem_id = message.assignment.problem_id if message.assignment is not None else None
            self.inflow.hear(event.at, message.case_id or event.id, problem_id)
            if problem_id is not None:
                self.alarms.recall(problem_id, event.at, speaker(event))
        if (watermark := unit.events.latest_at()) is not None:
            self.alarms.passed(watermark)

    def _join_late(self, unit: Unit, event_id: str, joined: int) -> None:
        """A message that waited and that another process placed, if it came before those that were just joined."""
        if event_id in self._placed_here:
            self._placed_here.remove(event_id)
            return
        message = unit.events.message(event_id)
        if message is not None and message.sequence <= joined:
            self._join_message(message)

    def _join_message(self, message: StoredMessage, merges: PastMerges | None = None) -> None:
        assignment = message.assignment
        if assignment is None or assignment.problem_id is None or assignment.match.pending:
            return
        if assignment.match.reason == "same_case" or message.vector is None:
            return
        if message.model_id != self._embedder.model_id:
            return
        utterance = stored_utterance(message, self._embedder.model_id)
        entities = self.shop.gazetteer.entities(message.event.text or "", message.event.at)
        home = assignment.problem_id
        if merges is not None:
            with self._matching:
                merges.reach(message.sequence, self.matcher)
            home = merges.home(message.event.id, assignment)
        self.join(home, utterance, entities, message.event)

    def _counted_in_all(self, problem: Problem) -> Problem:
        """A problem with the customers of its earlier episodes too, where one was resolved."""
        if episode_begin(problem) is None:
            return problem
        return replace(problem, all_customers=self.alarms.sightings.of(problem.id).distinct())

    def _put_problem(self, problem: Problem) -> None:
        """A problem as it is now; what was merged into it lives on under its id."""
        with self._matching:
            for alias in problem.aliases:
                if alias in self.matcher:
                    self.matcher.merge(alias, problem.id)
        for alias in problem.aliases:
            if self.problems.pop(alias, None) is not None:
                self.alarms.merge(alias, problem.id)
        self.alarms.put(problem)
        problem = self._counted_in_all(problem)
        self.problems[problem.id] = problem
        exemplars = self.matcher.exemplars(problem.id)
        self._hung.put(self.graph, problem, exemplars, self.find, self._documents)

    def find(self, query: SearchQuery) -> tuple[tuple[Hit, ...], float]:
        """The hits of a query and the probability that the first is right, for work in the background: without the
        reranker, which may take long."""
        found = weigh(self.index, query, reranks=False)
        return found.hits, found.confidence

    def weigh(self, query: SearchQuery, told: list[Searched] | None = None) -> Weighed:
        """The hits that a customer or an agent is answered with, and what their probability was taken from. What was
        looked at on the way goes to `told`."""
        return weigh(self.index, query, told=told)

    def _learn_verdicts(self, unit: Unit) -> None:
        """The calibration in force, and what reviewers keep out of automatic answers."""
        self.withheld = frozenset(unit.reviews.withheld())
        self.index.calibration = in_force(unit.calibrations.newest(self.index.model_id), self.index.model_id)


NAMED = frozenset({"sku", "product", "order", "parcel"})
"""Entities that stay the subject of a conversation until another takes their place."""
DECLARED = frozenset({"intent", "intent_removed", "agent_removed", "rules", "expertise", "workspace"})
"""Changes after which the Shop is made anew at once; what outcomes teach may wait a little."""


def _skills(shop: Shop) -> dict[str, tuple[str, ...]]:
    return {agent.id: agent.skills for agent in shop.agents.values()}


def stored_utterance(message: StoredMessage, model_id: str) -> Utterance:
    """A message as it was compared when it was recorded."""
    text = mask_numbers(message.event.text or "")
    assert message.vector is not None
    return Utterance(
        text=text,
        language=message.event.language or language.identify(text),
        tokens=compared_words(text),
        vector=message.vector,
        model_id=model_id,
    )
