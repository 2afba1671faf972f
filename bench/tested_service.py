"""The service itself under judged questions: documents go in as a shop puts them, questions as a customer asks.

Parsing, splitting, embedding, the store and the index are those of `kb serve`; only the web is left out.
"""

from __future__ import annotations

import hashlib
import random
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from bench.datasets import CorpusDocument, RetrievalSet
from bench.shop import SAMPLE, documents
from bench.systems import DEPTH, POOL, Ranking, Task
from ingest.documents import from_text
from ingest.embedding import Embedder
from ingest.models import Document
from ingest.pipeline import embedded_text, prepare
from kb_service.commands.sample import put_people
from kb_service.commands.workbench import Workbench
from kb_service.judging.evaluation import Judged, JudgedQuestion, judge, read_questions, search_query
from kb_service.judging.fitting import Taught, fitted
from kb_service.models import KEY_ROLES, NewDocument, Principal, Refused
from kb_service.replicas.replica import Replica

SAMPLE_NAME = "sample"
SAMPLE_SPLIT = "report"


@dataclass(frozen=True, slots=True)
class Trial:
    """One corpus in the service, the questions to it, and the same for systems that take texts and vectors:
    as whole documents, title before text, and as the passages that the service itself searches."""

    name: str
    workbench: Workbench
    replica: Replica
    questions: tuple[JudgedQuestion, ...]
    documents: Task
    passages: Task

    def judged(self) -> list[Judged]:
        """What the service makes of every question, its language identified by the service too."""
        return judge(self.replica, self.workbench.services.reader, self.questions, now=_now)

    def judged_calibrated(self) -> list[Judged]:
        """What it makes of half of the questions once a shop that asks like these has judged the other half."""
        taught = [question for question in self.questions if _teaches(question)]
        others = [question for question in self.questions if not _teaches(question)]
        reader, index = self.workbench.services.reader, self.replica.index
        shipped = index.calibration
        index.calibration = fitted([Taught(self.replica, taught)], reader, now=_now, start=shipped)
        try:
            return judge(self.replica, reader, others, now=_now)
        finally:
            index.calibration = shipped

    def languages(self) -> Mapping[str, int]:
        """How many questions the service takes to be of each language, the most frequent first."""
        spoken = self.workbench.services.reader.read([question.query for question in self.questions])
        return dict(Counter(utterance.language for utterance in spoken).most_common())

    def halves(self) -> tuple[list[Ranking], list[Ranking]]:
        """The service's candidates by cosine alone and by words alone, each document by its best passage."""
        near: list[Ranking] = []
        worded: list[Ranking] = []
        spoken = self.workbench.services.reader.read([question.query for question in self.questions])
        for question, utterance in zip(self.questions, spoken, strict=True):
            query = search_query(question, utterance.language, utterance.vector, _now())
            candidates, names = self.replica.index.candidates(query)
            near.append(_best(names, np.nan_to_num(candidates.cosine, nan=-1.0), above=-1.0))
            worded.append(_best(names, candidates.bm25, above=0.0))
        return near, worded


def _teaches(question: JudgedQuestion) -> bool:
    return hashlib.blake2b(question.id.encode(), digest_size=1).digest()[0] % 2 == 0


def _best(names: Sequence[str], scores: np.ndarray, *, above: float) -> Ranking:
    best: dict[str, float] = {}
    for name, score in zip(names, scores.tolist(), strict=True):
        if score > best.get(name, above):
            best[name] = score
    return sorted(best.items(), key=lambda item: (-item[1], item[0]))[:POOL]


def trial(workbench: Workbench, workspace: str, held: RetrievalSet, embedder: Embedder) -> Trial:
    """A public set in a workspace of its own. An FAQ set becomes FAQ entries, its titles the questions."""
    workbench.create_workspace(workspace)
    new = [
        NewDocument(document.id, {"external_id": document.id, **_attributes(held, document)})
        for document in held.corpus
    ]
    caller = Principal(workspace, "bench", frozenset({"admin"}))
    outcomes = workbench.services.knowledge.put_many(caller, new)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    if refused:
        raise ValueError(f"{held.name}: {refused[0].external_id} was refused: {refused[0].error}")
    questions = tuple(
        JudgedQuestion(
            id=query.id,
            query=query.text,
            language="",  # the service finds out itself
            expected=held.qrels.get(query.id, frozenset()),
            split=query.part,
            as_of=None,
            cross_lingual=False,
        )
        for query in held.queries
    )
    composed = [from_text(item.attributes) for item in new]
    wholes = {document.id: f"{document.title}\n{document.text}".strip() for document in held.corpus}
    replica = workbench.services.replicas.of(workspace)
    return Trial(
        name=held.name,
        workbench=workbench,
        replica=replica,
        questions=questions,
        documents=_of_documents(wholes, questions, embedder),
        passages=_of_passages(composed, questions, embedder),
    )


def _attributes(held: RetrievalSet, document: CorpusDocument) -> dict[str, object]:
    title, text = document.title, document.text
    attributes: dict[str, object] = {"kind": held.shape}
    if held.shape == "faq":
        return attributes | {"fields": {"question": title, "reply": text}}
    return attributes | {"text": text} | ({"title": title} if title else {})


def sample_trial(
    workbench: Workbench,
    workspace: str,
    embedder: Embedder,
    *,
    limit: int = sys.maxsize,
    seed: int = 0,
) -> Trial:
    """The sample shop and its questions of the split `report`, at most `limit` drawn at random.

    The service filters by validity and audience. Other systems cannot: they are given the public documents
    that are valid at the date which most questions have.
    """
    workbench.create_workspace(workspace)
    workbench.services.knowledge.ingest(workspace, [SAMPLE])
    put_people(workbench, Principal(workspace, "bench", frozenset(KEY_ROLES)), SAMPLE)
    asked = [item for item in read_questions(SAMPLE / "questions.jsonl") if item.split == SAMPLE_SPLIT]
    questions = tuple(random.Random(seed).sample(asked, limit) if limit < len(asked) else asked)
    moments = [question.as_of for question in asked if question.as_of is not None]
    moment = max(set(moments), key=moments.count)
    visible = [document for document in documents() if _visible(document, moment)]
    wholes = {document.external_id: f"{document.title}\n{document.text}" for document in visible}
    return Trial(
        name=SAMPLE_NAME,
        workbench=workbench,
        replica=workbench.services.replicas.of(workspace),
        questions=questions,
        documents=_of_documents(wholes, questions, embedder),
        passages=_of_passages(visible, questions, embedder),
    )


def _visible(document: Document, moment: datetime) -> bool:
    begun = document.valid_from is None or document.valid_from <= moment
    over = document.valid_to is not None and document.valid_to <= moment
    return document.audience == "public" and document.status == "approved" and begun and not over


def _of_documents(wholes: Mapping[str, str], questions: Sequence[JudgedQuestion], embedder: Embedder) -> Task:
    return _task(tuple(wholes), tuple(wholes), tuple(wholes.values()), questions, embedder, wanted=DEPTH)


def _of_passages(
    composed: Sequence[Document], questions: Sequence[JudgedQuestion], embedder: Embedder
) -> Task:
    passages = [
        passage
        for document in composed
        for passage in prepare(document, workspace="bench", version=1).passages
    ]
    return _task(
        tuple(passage.id for passage in passages),
        tuple(passage.external_id for passage in passages),
        tuple(embedded_text(passage) for passage in passages),
        questions,
        embedder,
        wanted=_PASSAGES_FOR_DEPTH,
    )


_PASSAGES_FOR_DEPTH = 3 * DEPTH
"""Passages that nearly always come from `DEPTH` documents."""


def _task(
    ids: tuple[str, ...],
    owners: tuple[str, ...],
    texts: tuple[str, ...],
    questions: Sequence[JudgedQuestion],
    embedder: Embedder,
    *,
    wanted: int,
) -> Task:
    asked = tuple(question.query for question in questions)
    return Task(
        ids=ids,
        owners=owners,
        texts=texts,
        vectors=embedder.embed_passages(texts),
        asked=asked,
        asked_vectors=embedder.embed_queries(asked),
        wanted=wanted,
    )


def _now() -> datetime:
    return datetime.now(UTC)
