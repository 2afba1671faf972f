"""What agents' replies tell about a problem's answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from graph.models import Problem
from graph.nodes import DocumentNode
from graph.problem_graph import ProblemGraph
from kb_service.replicas.replied import REPLIES, WEIGHT, Replied
from kb_service.search.models import Hit, SearchQuery
from kb_service.search.retrieval import SearchIndex
from kb_service.store import Outcome
from tests.kb_service.conftest import Api
from tests.kb_service.search.shelf import index_of, shelf_of, written

T = datetime(2026, 6, 18, tzinfo=UTC)
SAID = "We ask the carrier and write to you within a day"


def outcome(
    number: int = 1,
    reply: str | None = SAID,
    *,
    agent: str = "a1",
    resolved: bool | None = True,
    reopened: bool = False,
    rating: float | None = None,
    problem: str | None = "p",
) -> Outcome:
    at = T + timedelta(minutes=number)
    return Outcome(
        f"e{number}", f"c{number}", agent, problem, None, resolved, reopened, None, rating, at, reply
    )


@pytest.fixture
def index() -> SearchIndex:
    return index_of(
        shelf_of(
            written("faq-late", SAID, title="Late parcels"),
            written("refund", "A refund reaches your card within three working days", title="Refunds"),
            written("lamp", "A desk lamp with three lights", title="Lamp"),
        )
    )


@pytest.fixture
def graph() -> ProblemGraph:
    made = ProblemGraph()
    made.put_problem(Problem("p", {}, "open", T, T, T))
    for name in ("faq-late", "refund", "lamp"):
        made.put_document(DocumentNode(name, "faq", name, "en"))
    return made


def answers(graph: ProblemGraph) -> dict[str, float]:
    return {answer.external_id: answer.weight for answer in graph.answers_of("p", T + timedelta(days=1))}


def test_a_reply_makes_the_document_that_says_the_same_an_answer(
    index: SearchIndex, graph: ProblemGraph
) -> None:
    replied = Replied()
    replied.link(graph, replied.read([outcome()], index.search))
    assert answers(graph) == {"faq-late": pytest.approx(WEIGHT, abs=0.02)}


@pytest.mark.parametrize(
    "useless",
    [
        outcome(resolved=False),
        outcome(reopened=True),
        outcome(rating=2.0),
        outcome(reply=None),
        outcome(reply=""),
        outcome(reply="It is sorted out now, bye"),
        outcome(problem=None),
    ],
)
def test_a_reply_that_did_not_help_or_says_something_else_links_nothing(
    index: SearchIndex, graph: ProblemGraph, useless: Outcome
) -> None:
    replied = Replied()
    replied.link(graph, replied.read([useless], index.search))
    assert answers(graph) == {}


def test_an_agent_speaks_once_for_each_answer(index: SearchIndex, graph: ProblemGraph) -> None:
    replied = Replied()
    again = [outcome(number, SAID + " at the latest" * (number % 2)) for number in range(9)]
    replied.link(graph, replied.read(again, index.search))
    once = answers(graph)["faq-late"]
    replied.link(graph, replied.read([outcome(1), outcome(2, agent="a2")], index.search))
    assert answers(graph)["faq-late"] == pytest.approx(2 * once)


def test_what_a_reply_told_is_taken_back_when_the_case_comes_back(
    index: SearchIndex, graph: ProblemGraph
) -> None:
    replied = Replied()
    replied.link(graph, replied.read([outcome()], index.search))
    replied.link(graph, replied.read([outcome(reopened=True)], index.search))
    assert answers(graph) == {}


def test_only_the_newest_replies_count_and_each_text_is_searched_once(
    index: SearchIndex, graph: ProblemGraph
) -> None:
    searched: list[str] = []

    def search(query: SearchQuery) -> tuple[Hit, ...]:
        assert query.vector is None
        searched.append(query.text)
        return index.search(query)

    replied = Replied()
    old = outcome(0, agent="old")
    others = [outcome(number, f"We will see about matter {number}") for number in range(1, REPLIES + 1)]
    replied.link(graph, replied.read([old, *others], search))
    assert answers(graph) == {}
    assert len(searched) == REPLIES
    again = [outcome(99, others[0].reply, agent="a2"), outcome(98, "New"), outcome(97, "New", agent="a2")]
    replied.read([old, *others, *again], search)
    assert len(searched) == REPLIES + 1


# --- in the service

LATE_REPLY = {
    "kind": "faq",
    "title": "Parcel does not move",
    "language": "en",
    "fields": {"question": "Where does my order hang about?", "reply": SAID},
}


def test_a_resolution_links_what_it_quotes_to_the_problem(api: Api) -> None:
    assert api.put("/v1/documents/faq-late", LATE_REPLY).status_code == 201
    agent = {"name": "agent-01", "languages": ["en"], "skills": ["logistics"]}
    assert api.put("/v1/agents/agent-01", agent).status_code == 201
    api.recurring()
    resolved = api.event("r0", type="resolution", text=None, agent_id="agent-01", resolved=True, reply=SAID)
    assert (
        api.post("/v1/events", {**resolved, "conversation_id": "c-m0", "customer_id": "u-m0"}).status_code
        == 200
    )
    replica = api.services.replicas.settled("shop")
    replica.reset()
    (problem_id,) = replica.problems
    sources = {
        answer.external_id: answer.weight for answer in replica.graph.answers_of(problem_id, api.clock.now)
    }
    assert sources["faq-late"] > WEIGHT / 2
