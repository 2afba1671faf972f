from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from kb_service.search.source import UnitSource, stack
from kb_service.store import Store
from tests.kb_service.search.shelf import EMBEDDER, WORKSPACE, found, index_of, written


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'kb.sqlite3'}", clock=lambda: datetime(2026, 6, 18, tzinfo=UTC))
    store.migrate()
    with store.administration() as unit:
        unit.workspaces.create(WORKSPACE)
        unit.workspaces.create("neighbour")
    yield store
    store.close()


def put(
    store: Store, external_id: str, *texts: str, workspace: str = WORKSPACE, embedded: bool = True
) -> None:
    with store.writing(workspace) as unit:
        version = unit.documents.next_version(external_id)
        held = written(external_id, *texts, version=version)
        model = EMBEDDER.model_id if embedded else None
        unit.documents.put(held.document, held.passages, held.vectors if embedded else None, model)


def test_an_index_follows_the_store(store: Store) -> None:
    put(store, "refund", "A refund takes three days", "It goes to your card")
    put(store, "other", "A refund of the neighbour", workspace="neighbour")
    index = index_of()
    with store.reading(WORKSPACE) as unit:
        index.rebuild(UnitSource(unit, model_id=EMBEDDER.model_id, dimension=EMBEDDER.dimension))
    assert (index.documents, index.passages, index.position) == (1, 2, store.position(WORKSPACE))
    put(store, "invoice", "An invoice comes by mail")
    put(store, "refund", "A refund takes five days")
    with store.reading(WORKSPACE) as unit:
        assert index.follow(UnitSource(unit, model_id=EMBEDDER.model_id, dimension=EMBEDDER.dimension)) >= 2
    assert found(index, "invoice by mail")[0] == "invoice"
    assert found(index, "five days")[0] == "refund"
    assert index.passages == 2
    with store.writing(WORKSPACE) as unit:
        unit.documents.remove("refund")
    with store.reading(WORKSPACE) as unit:
        index.follow(UnitSource(unit, model_id=EMBEDDER.model_id, dimension=EMBEDDER.dimension))
    assert found(index, "refund five days") == ["invoice"]
    assert index.position == store.position(WORKSPACE)


def test_passages_come_in_order_with_the_vectors_of_one_model(store: Store) -> None:
    put(store, "a", "one", "two", "three")
    put(store, "b", "four", embedded=False)
    with store.reading(WORKSPACE) as unit:
        source = UnitSource(unit, model_id=EMBEDDER.model_id, dimension=EMBEDDER.dimension)
        held = {document.document.external_id: document for document in source.documents(None)}
        assert [passage.text for passage in held["a"].passages] == ["one", "two", "three"]
        assert np.allclose(held["a"].vectors, EMBEDDER.embed_passages(["one", "two", "three"]), atol=1e-3)
        assert held["a"].embedded.all()
        assert held["b"].embedded.tolist() == [False]
        assert [document.document.external_id for document in source.documents(["b", "unknown"])] == ["b"]
        other = UnitSource(unit, model_id="another", dimension=8)
        assert not next(other.documents(["a"])).embedded.any()


def test_stacking_marks_what_is_missing() -> None:
    matrix, embedded = stack([np.ones(3, dtype=np.float32), None], 3)
    assert matrix.tolist() == [[1, 1, 1], [0, 0, 0]]
    assert embedded.tolist() == [True, False]
    assert stack([], 3)[0].shape == (0, 3)
