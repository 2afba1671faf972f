"""A return is answered by the rules for returns, though the product that is returned is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.models import Entity
from kb_service.commands.workbench import Workbench
from kb_service.judging.evaluation import queries, read_questions
from kb_service.judging.judging import utc_now
from kb_service.models import Question
from kb_service.search.apart import without_names
from kb_service.search.models import SearchQuery
from tests.kb_service.search.shelf import asked, index_of, shelf_of, written

SAMPLE = Path(__file__).parents[3] / "sample_kb"


def searched(sample_bench: Workbench, text: str) -> tuple[SearchQuery, str]:
    """What was searched in the end, and the kind of the document that came first."""
    found = sample_bench.services.explaining.explain("shop", Question(text=text))
    return found.query, found.search.documents[0].kind


@pytest.mark.model
@pytest.mark.parametrize(
    "text",
    [
        "I want to return my HP70",
        "invoice for my SP10 please",
        "does a coupon work on the HP70",
        "can I cancel my order of the HP70",
        "HP70能开发票吗",
        "我的SP10快递丢了",
        "EB20买贵了能退差价吗",
    ],
)
def test_a_named_product_does_not_answer_for_a_matter_apart_from_it(
    sample_bench: Workbench, text: str
) -> None:
    assert searched(sample_bench, text)[1] != "product"


@pytest.mark.model
@pytest.mark.parametrize(
    "text",
    ["Is the SP10 waterproof?", "HP70 battery life", "SP10防水吗", "HP70有哪些颜色", "how heavy is the PB20"],
)
def test_what_is_asked_of_a_product_is_searched_with_its_name(sample_bench: Workbench, text: str) -> None:
    query, _ = searched(sample_bench, text)
    assert (query.text, query.named) == (text, "")


@pytest.mark.model
def test_judged_questions_are_searched_as_customers_questions_are(sample_bench: Workbench) -> None:
    replica, reader = sample_bench.services.replicas.settled("shop"), sample_bench.services.reader
    judged = [
        item
        for item in read_questions(SAMPLE / "questions.jsonl")
        if item.query == "I want to return my HP70"
    ]
    (query,) = queries(replica, reader, judged, utc_now())
    assert query.text == "I want to return my"
    assert replica.weigh(query).query is query, "once is enough"


def the(value: str, start: int) -> Entity:
    return Entity("product", value, start, start + len(value))


def test_names_are_left_out_wherever_they_stand() -> None:
    query = asked("HP70: I want to return my HP70 now", weights={"hp70": 0.5, "earlier": 0.3})
    left = without_names(query, [the("HP70", 0), the("HP70", 26)])
    assert left is not None
    assert (left.text, left.vector) == (": I want to return my now", None)
    assert left.weights == {"earlier": 0.3}


def test_a_question_of_nothing_but_a_name_keeps_it() -> None:
    assert without_names(asked("HP70"), [the("HP70", 0)]) is None
    assert without_names(asked("where is it"), []) is None


def test_the_name_that_was_left_out_goes_on_to_speak_for_documents_by_half() -> None:
    shelf = shelf_of(
        written("page", "How to pair it", title="HP70", kind="product"),
        written("returns", "How to return it", title="Returns"),
        written("other", "How to return it", title="SP10", kind="product"),
    )
    candidates, names = index_of(shelf).candidates(asked("return it", named="return the HP70"))
    assert dict(zip(names, candidates.subject.tolist(), strict=True)) == {
        "page": 0.5,
        "returns": 0,
        "other": -1,
    }
