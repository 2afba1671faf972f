"""Ways to tell which intent a message has, over the same vectors: ours, a linear head, the nearest example, and
semantic-router as its documentation sets it up.

semantic-router is no dependency of the service; see requirements-bench.in. Where it cannot be imported it raises
`Unavailable`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bench.intent_sets import IntentSet
from bench.systems import Unavailable
from graph.intents import IntentClassifier
from graph.models import Intent, Utterance
from ingest import language
from ingest.embedding import Embedder
from kb_service.replicas.shop import spoken_names
from kb_service.understanding.reading import CLAUSES, compared_words

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Task:
    """A set with the encoder that everyone shares; vectors are encoded before any clock runs."""

    held: IntentSet
    embedder: Embedder

    @property
    def labels(self) -> list[str]:
        return [message.label for message in self.held.taught]

    def taught(self) -> NDArray[np.float32]:
        return self.embedder.embed_passages([message.text for message in self.held.taught])

    def asked(self) -> NDArray[np.float32]:
        return self.embedder.embed_queries([message.text for message in self.held.asked])


@dataclass(frozen=True, slots=True)
class Routed:
    """What a system makes of the messages: the likeliest label of each, how sure it is that any fits (higher is
    surer), the probability of that label where it gives one; and the seconds for fitting and for a message."""

    labels: list[str]
    scope: Floats
    confidence: Floats | None
    fit_seconds: float
    message_seconds: float


Router: TypeAlias = Callable[[Task], Routed]


def service(task: Task, *, named: bool = True) -> Routed:
    """Our classifier, given each message whole and by clause as the service gives it."""
    utterances = _Utterances(task.embedder)
    by_label: dict[str, list[Utterance]] = {}
    for message in task.held.taught:
        by_label.setdefault(message.label, [])
    for message, said in zip(
        task.held.taught, utterances.of([message.text for message in task.held.taught]), strict=True
    ):
        by_label[message.label].append(said)
    called = {label: spoken_names(label) if named else () for label in by_label}
    names = {label: utterances.of(own) for label, own in called.items()}
    asked = [utterances.message(message.text) for message in task.held.asked]
    begun = time.perf_counter()
    classifier = IntentClassifier.fit(
        [Intent(label, label, ()) for label in by_label], by_label, names=names, reads=task.embedder.reads
    )
    fitted = time.perf_counter()
    readings = [classifier.predict(clauses, whole=whole) for whole, clauses in asked]
    ended = time.perf_counter()
    return Routed(
        [reading.scores[0].id for reading in readings],
        np.array([reading.in_scope for reading in readings]),
        np.array([reading.scores[0].probability for reading in readings]),
        fitted - begun,
        (ended - fitted) / len(asked),
    )


def unnamed_service(task: Task) -> Routed:
    """The same without what the intents are called, which the other systems do not read either."""
    return service(task, named=False)


class _Utterances:
    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def of(self, texts: Sequence[str]) -> list[Utterance]:
        return [
            Utterance(text, language.identify(text), compared_words(text), vector, self._embedder.model_id)
            for text, vector in zip(texts, self._embedder.embed_queries(texts), strict=True)
        ]

    def message(self, text: str) -> tuple[Utterance, list[Utterance]]:
        clauses = language.clauses(text)[:CLAUSES]
        whole, *parts = self.of(list(dict.fromkeys([text, *clauses])) if len(clauses) > 1 else [text])
        return whole, parts or [whole]


def linear(task: Task) -> Routed:
    """Multinomial logistic regression over the vectors; sure as its likeliest label is probable."""
    from sklearn.linear_model import LogisticRegression  # comes with sentence-transformers

    vectors, asked = task.taught(), task.asked()
    begun = time.perf_counter()
    model = LogisticRegression(C=20, max_iter=500).fit(vectors, task.labels)
    fitted = time.perf_counter()
    found = [model.predict_proba(row[None])[0] for row in asked]
    ended = time.perf_counter()
    best = np.array([row.max() for row in found])
    labels = [str(model.classes_[row.argmax()]) for row in found]
    return Routed(labels, best, best, fitted - begun, (ended - fitted) / len(asked))


def nearest(task: Task) -> Routed:
    """The label of the nearest example, sure as it is near."""
    vectors, asked, labels = task.taught(), task.asked(), task.labels
    begun = time.perf_counter()
    found = [vectors @ row for row in asked]
    ended = time.perf_counter()
    best = np.array([float(row.max()) for row in found])
    return Routed([labels[row.argmax()] for row in found], best, None, 0.0, (ended - begun) / len(asked))


def semantic_router(task: Task) -> Routed:
    """`IndexedRouter` with its local index: the mean likeness of those of a route's examples that are among the five
    nearest; all else as it comes, without a threshold, so that every message has its best route."""
    try:
        from semantic_router import IndexedRouter, Route
        from semantic_router.encoders import DenseEncoder
    except Exception as error:  # an import of so many libraries can fail in as many ways
        raise Unavailable(f"semantic-router cannot be imported: {error}") from error
    texts = [message.text for message in (*task.held.taught, *task.held.asked)]
    vectors = dict(zip(texts, task.embedder.embed_queries(texts), strict=True))

    class Remembered(DenseEncoder):  # type: ignore[misc]
        def __call__(self, docs: list[str]) -> list[list[float]]:
            return [vectors[text].tolist() for text in docs]

    by_label: dict[str, list[str]] = {}
    for message in task.held.taught:
        by_label.setdefault(message.label, []).append(message.text)
    begun = time.perf_counter()
    router = IndexedRouter(
        Remembered(name="ours"), [Route(name=label, utterances=own) for label, own in by_label.items()]
    )
    fitted = time.perf_counter()
    found = [router(message.text) for message in task.held.asked]
    ended = time.perf_counter()
    return Routed(
        [str(choice.name) for choice in found],
        np.array([float(choice.confidence) for choice in found]),
        None,
        fitted - begun,
        (ended - fitted) / len(found),
    )
