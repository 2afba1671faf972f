"""The problem graph as one replica fills it: what is about products is told when it comes, changes and goes."""

from __future__ import annotations

from typing import Any

from ingest.models import Document
from kb_service.replicas.linked_graph import LinkedGraph


def document(external_id: str, **fields: Any) -> Document:
    given = {"kind": "faq", "title": external_id, "text": "", "blocks": (), "language": "en"}
    return Document(external_id, **(given | fields))


def nodes(linked: LinkedGraph) -> set[str]:
    return {str(node["id"]) for node in linked.graph.node_link(at=None)["nodes"]}


def test_a_product_that_becomes_something_else_is_told_once_more() -> None:
    linked = LinkedGraph()
    assert not linked.put_documents(["a"], [document("a")])
    assert linked.put_documents(["a"], [document("a", kind="product")])
    assert linked.put_documents(["a"], [document("a", kind="policy")])
    assert not linked.put_documents(["a"], [document("a", kind="policy")])


def test_a_product_that_goes_is_told() -> None:
    linked = LinkedGraph()
    linked.put_documents((), [document("kettle", kind="product"), document("other")])
    assert not linked.put_documents(["other"], [])
    assert linked.put_documents(["kettle"], [])


def test_a_draft_leaves_the_graph() -> None:
    linked = LinkedGraph()
    linked.put_documents(["a"], [document("a")])
    assert "document:a" in nodes(linked)
    linked.put_documents(["a"], [document("a", status="draft")])
    assert "document:a" not in nodes(linked)
