"""txtai and Haystack as their own documentation sets them up for hybrid search, with our vectors.

Neither is a dependency of the service; see requirements-bench.in. Where one cannot be imported its system raises
`Unavailable`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import numpy as np

from bench.systems import Ranking, Task, Unavailable
from ingest.models import Vectors


def txtai(task: Task) -> list[Ranking]:
    """`Embeddings(hybrid=True)`: its BM25 with normalised scores and its FAISS index, half and half.

    Vectors come through `method="external"`; all else is as it comes.
    """
    try:
        from txtai import Embeddings
    except Exception as error:  # an import of so many libraries can fail in as many ways
        raise Unavailable(f"txtai cannot be imported: {error}") from error
    vectors = dict(zip(task.asked, task.asked_vectors, strict=True))
    vectors |= dict(zip(task.texts, task.vectors, strict=True))

    def transform(texts: Sequence[str]) -> Vectors:
        return np.stack([vectors[text] for text in texts])

    embeddings = Embeddings(method="external", transform=transform, hybrid=True)
    try:
        embeddings.index((name, text, None) for name, text in zip(task.ids, task.texts, strict=True))
        found = embeddings.batchsearch(list(task.asked), task.wanted)
    finally:
        embeddings.close()
    return [[(str(name), float(score)) for name, score in ranking] for ranking in found]


def haystack(task: Task) -> list[Ranking]:
    """InMemoryDocumentStore with its BM25 and embedding retrievers, joined by reciprocal rank fusion; each
    component as it comes (BM25L over runs of word characters; of whole documents ten from each retriever)."""
    # Haystack reports usage over the network unless told not to before its import.
    os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
    try:
        from haystack import Document
        from haystack.components.joiners import DocumentJoiner
        from haystack.components.retrievers.in_memory import (
            InMemoryBM25Retriever,
            InMemoryEmbeddingRetriever,
        )
        from haystack.document_stores.in_memory import (
            InMemoryDocumentStore,
        )
    except Exception as error:
        raise Unavailable(f"haystack-ai cannot be imported: {error}") from error
    # Of each document that it finds the store copies the vector, number by number: half of the time, were there
    # vectors in the one for words too.
    worded_store, vector_store = InMemoryDocumentStore(), InMemoryDocumentStore()
    worded_store.write_documents(
        [Document(id=name, content=text) for name, text in zip(task.ids, task.texts, strict=True)]
    )
    vector_store.write_documents(
        [
            Document(id=name, content=text, embedding=vector.tolist())
            for name, text, vector in zip(task.ids, task.texts, task.vectors, strict=True)
        ]
    )
    by_words = InMemoryBM25Retriever(worded_store, top_k=task.wanted)
    by_vector = InMemoryEmbeddingRetriever(vector_store, top_k=task.wanted)
    joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion")

    def rankings() -> Iterator[Ranking]:
        for text, vector in zip(task.asked, task.asked_vectors, strict=True):
            worded = by_words.run(query=text)["documents"]
            near = by_vector.run(query_embedding=vector.tolist())["documents"]
            joined = joiner.run(documents=[worded, near])["documents"]
            yield [(document.id, float(document.score)) for document in joined]

    return list(rankings())
