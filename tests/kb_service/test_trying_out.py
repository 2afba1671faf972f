"""Drafts that are tried: what a bot would answer with them, and that nothing of it stays."""

from __future__ import annotations

from kb_service.models import NewDocument, Question
from kb_service.trying_out import Tried
from tests.kb_service.conftest import RETURNS, Api

ASKED = Question("does the kettle whistle", event_id="asked")
KETTLE = NewDocument(
    "kettle",
    {
        "kind": "faq",
        "title": "Does the kettle whistle",
        "language": "en",
        "fields": {"question": "Does the kettle whistle", "reply": "It whistles when the water boils."},
    },
)


def tried(api: Api) -> Tried:
    draft = api.services.knowledge.sketched("shop", KETTLE)
    (found,) = api.services.trying_out.answers("shop", [ASKED], draft)
    return found


def test_a_draft_answers_where_nothing_did(api: Api) -> None:
    api.put("/v1/documents/returns", RETURNS)
    found = tried(api)
    assert found.then is not None
    assert "kettle" not in {item.document_id for answer in found.now.answers for item in answer.citations}
    assert found.then.answers[0].citations[0].document_id == "kettle"


def test_what_is_tried_is_neither_recorded_nor_shown_to_anybody(api: Api) -> None:
    api.put("/v1/documents/returns", RETURNS)
    tried(api)
    api.services.exposures.flush()
    with api.store.reading("shop") as unit:
        assert unit.events.count() == 0
        assert unit.exposures.page().items == ()
        assert unit.documents.get("kettle") is None
    assert api.services.trying_out.reach("shop") == (1, 1)
    assert b"kb_answers_total{" not in api.services.metrics.render()
