"""Automatic answers and edited suggestions that people look at, and what they said of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, not_, select

from kb_service.store import tables
from kb_service.store.exposures import exposure_of
from kb_service.store.repository import Repository, chunks, page_of
from kb_service.store.values import EDIT, Exposure, Page, Review, ReviewKind, Verdict

_reviews = tables.reviews
_exposures = tables.exposures
_documents = tables.documents
OF_EDIT = _reviews.c.id.startswith(EDIT, autoescape=True)
_PLAIN = (
    "id",
    "exposure_id",
    "at",
    "state",
    "text",
    "verdict",
    "note",
    "reviewer",
    "decided_at",
    "proposal_id",
)


class Reviews(Repository):
    table = _reviews

    def add_many(self, reviews: Iterable[Review]) -> None:
        """Stores reviews that were drawn; one whose id is stored already is left as it is."""
        rows = [self._row(review) for review in reviews]
        if rows:
            self._write(self._insert().on_conflict_do_nothing(), rows)

    def put(self, review: Review) -> None:
        """Stores a review, over the one of the same id."""
        self._upsert(self._row(review))
        self._log("review", review.id)

    def get(self, id: str) -> Review | None:
        row = self._read(select(_reviews).where(self._mine(), _reviews.c.id == id)).first()
        return None if row is None else review_of(row)

    def page(
        self,
        cursor: str | None = None,
        limit: int = 50,
        state: str | None = None,
        kind: ReviewKind | None = None,
    ) -> Page[tuple[Review, Exposure]]:
        """Reviews in one state or in any, of one kind or of both, each with its exposure, the latest answered first."""
        statement = select(_reviews).where(self._mine())
        if kind is not None:
            statement = statement.where(OF_EDIT if kind == "edit" else not_(OF_EDIT))
        if state is not None:
            statement = statement.where(_reviews.c.state == state)
        order = [_reviews.c.at, _reviews.c.id]
        rows, next_cursor = self._page(statement, order, cursor, limit, descending=True)
        exposures = self._exposures([row.exposure_id for row in rows])
        found = [(review_of(row), exposures[row.exposure_id]) for row in rows if row.exposure_id in exposures]
        return page_of(found, next_cursor)

    def counts(self) -> dict[tuple[ReviewKind, Verdict | None], int]:
        """How many there are of each kind with each verdict, None for those that wait."""
        told = select(OF_EDIT.label("edited"), _reviews.c.verdict).where(self._mine()).subquery()
        columns = told.c.edited, told.c.verdict
        rows = self._read(select(*columns, func.count().label("n")).group_by(*columns))
        return {("edit" if row.edited else "answer", row.verdict): row.n for row in rows}

    def withheld(self) -> dict[str, str]:
        """The documents that are kept out of automatic answers, each with the id of the first review that does so.

        Only where the version that was reviewed still stands; a document that was changed since is free.
        """
        harmful = select(_reviews.c.id, _reviews.c.withheld).where(
            self._mine(), _reviews.c.verdict == "harmful"
        )
        rows = self._read(harmful.order_by(_reviews.c.decided_at, _reviews.c.id)).all()
        versions = self._versions({name for row in rows for name in row.withheld})
        found: dict[str, str] = {}
        for row in rows:
            for external_id, version in row.withheld.items():
                if versions.get(external_id) == version:
                    found.setdefault(external_id, row.id)
        return found

    def of_proposal(self, proposal_id: str) -> tuple[Review, ...]:
        """The reviews that raised a proposal."""
        statement = select(_reviews).where(self._mine(), _reviews.c.proposal_id == proposal_id)
        return tuple(map(review_of, self._read(statement.order_by(_reviews.c.id))))

    def _versions(self, external_ids: set[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for some in chunks(sorted(external_ids)):
            statement = select(_documents.c.external_id, _documents.c.version).where(
                self._mine(_documents), _documents.c.external_id.in_(some)
            )
            found |= {row.external_id: row.version for row in self._read(statement)}
        return found

    def _exposures(self, ids: list[str]) -> dict[str, Exposure]:
        statement = select(_exposures).where(self._mine(_exposures), _exposures.c.id.in_(ids))
        return {row.id: exposure_of(row) for row in self._read(statement)}

    def _row(self, review: Review) -> dict[str, Any]:
        row: dict[str, Any] = {name: getattr(review, name) for name in _PLAIN}
        citations = [dict(citation) for citation in review.citations]
        withheld = dict(review.withheld)
        return row | {"workspace": self.workspace, "citations": citations, "withheld": withheld}


def review_of(row: Any) -> Review:
    plain = {name: getattr(row, name) for name in _PLAIN}
    return Review(citations=tuple(row.citations), withheld=row.withheld, **plain)
