"""Documents about products of another kind than the question's stand behind the others.

"Can I machine-wash the down jacket?" and "Can I machine-wash the sweater?" differ in one word, by words and by meaning;
the answer to one may ruin the other. Which products a text is about is told by their names and by those of their kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from kb_service.search.models import Hit, SearchQuery

Meant: TypeAlias = Callable[[str], frozenset[str]]
"""The SKUs of the products that a text names, itself or by their kind: `graph.entities.Gazetteer.meant`."""


def of_other_kinds(hits: Sequence[Hit], query: SearchQuery, meant: Meant) -> frozenset[str]:
    """The external ids of the hits that are about products, none of which the question can mean.

    A policy is for all that it does not exclude, and what names no product is for all; a question that names none may
    be about any.
    """
    asked = meant(query.named or query.text)
    if not asked:
        return frozenset()
    about = {hit.external_id: _about(hit, meant) for hit in hits if hit.kind != "policy"}
    return frozenset(name for name, skus in about.items() if skus and not skus & asked)


def _about(hit: Hit, meant: Meant) -> frozenset[str]:
    """The products that a document says in its title, or in the question that was matched, that it is about."""
    if hit.kind == "product" and hit.products:
        return frozenset(hit.products)
    asked = hit.matched_text if hit.matched_role == "question" else ""
    return frozenset(hit.products) | meant(hit.title) | meant(asked)
