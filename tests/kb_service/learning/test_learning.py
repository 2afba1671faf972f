"""Feedback moves ranks at night: on many voices, followed at once, shown with its reason, and taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ingest.embedding import WordHashEmbedder
from kb_service.app import wire
from kb_service.errors import Conflict, NotFound
from kb_service.store import RankMove
from tests.kb_service.conftest import LATE, Api

MATTERS = {
    "faq-carrier": "My parcel has not moved for three days, where is it",
    "faq-late": "My parcel has not moved for three days, where is it now",
    "faq-scan": "My parcel has not moved for three days, where is it then",
}
SETTLED = timedelta(days=4)


def document(question: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": "faq",
        "title": question,
        "language": "en",
        "fields": {"question": question, "reply": f"What we do: {question}"},
        **more,
    }


@pytest.fixture
def desk(api: Api) -> Api:
    """A shop with one problem and three answers that are nearly alike."""
    for external_id, question in MATTERS.items():
        assert api.put(f"/v1/documents/{external_id}", document(question)).status_code == 201
    api.recurring()
    return api


def suggested(api: Api, customer: str = "u-asks", **more: Any) -> dict[str, Any]:
    body = {"query": LATE, "customer": {"id": customer}, **more}
    reply: dict[str, Any] = api.post("/v1/suggestions", body).json()
    assert reply["problem"] is not None
    return reply


def ranking(api: Api) -> list[str]:
    return [answer["citations"][0]["document_id"] for answer in suggested(api)["answers"]]


def use(api: Api, external_id: str, agents: int, each: int, outcome: str = "accepted") -> None:
    """So many agents use a document so often, each time for another customer; then no word can change any more."""
    for number in range(agents * each):
        reply = suggested(api, f"u-{number}")
        (answer,) = (item for item in reply["answers"] if item["citations"][0]["document_id"] == external_id)
        said = {"exposure_id": answer["exposure_id"], "answer_id": answer["id"], "outcome": outcome}
        assert api.post("/v1/feedback", {**said, "agent_id": f"agent-{number % agents}"}).status_code == 200
    api.clock.advance(minutes=SETTLED / timedelta(minutes=1))


def night(api: Api) -> tuple[RankMove, ...]:
    return api.services.learning.night("shop")


def test_what_agents_use_comes_first_within_nights_and_says_why(desk: Api) -> None:
    former = ranking(desk)
    last = former[-1]
    use(desk, last, agents=6, each=5)
    assert ranking(desk) == former, "a word moves nothing by itself"
    (move,) = night(desk)
    assert (move.scope, move.external_id, move.agents, move.customers) == ("problem", last, 6, 30)
    assert ranking(desk)[0] == last
    first = suggested(desk)["answers"][0]
    (why,) = (reason for reason in first["why"] if reason["code"] == "learned")
    assert why["weight"] > 0
    detail = desk.get(f"/v1/problems/{move.subject_id}").json()
    linked = [*detail["answers"], *detail["policies"], *detail["resolutions"]]
    assert linked[0]["external_id"] == last
    entry = desk.get("/v1/audit").json()["items"][0]
    assert (entry["actor"], entry["action"]) == ("nightly", "ranks.moved")
    assert entry["detail"] == {"raised": 1, "lowered": 0, "moves": [move.id]}


def test_the_night_runs_it(desk: Api) -> None:
    use(desk, ranking(desk)[-1], agents=6, each=5)
    assert ("shop", "rank") in desk.services.nightly.look()
    assert desk.services.learning.moves("shop").items != ()


def test_one_agent_with_hundreds_of_words_moves_nothing(desk: Api) -> None:
    former = ranking(desk)
    before = suggested(desk)["answers"]
    use(desk, former[-1], agents=1, each=120)
    assert night(desk) == ()
    after = suggested(desk)["answers"]
    same = ("id", "confidence", "why")
    assert [[item[name] for name in same] for item in after] == [
        [item[name] for name in same] for item in before
    ]


def test_words_that_may_still_be_taken_back_and_reopened_ones_move_nothing(desk: Api) -> None:
    last = ranking(desk)[-1]
    use(desk, last, agents=6, each=5, outcome="reopened")
    assert night(desk) == ()
    use(desk, last, agents=6, each=5)
    desk.clock.advance(minutes=-(2 * 24 * 60))
    assert night(desk) == (), "within 72 hours the customer may come back"


def test_three_agents_move_and_a_revert_restores_the_former_ranking_for_good(desk: Api) -> None:
    former = suggested(desk)["answers"]
    last = former[-1]["citations"][0]["document_id"]
    use(desk, last, agents=3, each=40)
    (move,) = night(desk)
    assert suggested(desk)["answers"] != former
    entry = desk.services.learning.revert("shop", move.id)
    assert (entry.withdraws, entry.boost) == (move.id, 0.0)
    after = suggested(desk)["answers"]
    same = ("id", "confidence", "why")
    assert [[item[name] for name in same] for item in after] == [
        [item[name] for name in same] for item in former
    ]
    assert night(desk) == (), "what was taken back is not learned again from the same words"
    assert [item.kind for item in desk.services.learning.moves("shop").items] == ["reverted", "learned"]
    assert desk.get("/v1/audit").json()["items"][0]["action"] == "ranks.reverted"
    for wrong, error in ((move.id, Conflict), (entry.id, Conflict), ("mv_none", NotFound)):
        with pytest.raises(error):
            desk.services.learning.revert("shop", wrong)


def test_other_processes_follow(desk: Api) -> None:
    other = wire(desk.services.settings, embedder=WordHashEmbedder(), clock=desk.clock, serving=False)
    try:
        assert other.replicas.settled("shop").boosts == {}
        use(desk, ranking(desk)[-1], agents=6, each=5)
        (move,) = night(desk)
        other.replicas.follow("shop")
        assert other.replicas.of("shop").boosts == {
            ("problem", move.subject_id): {move.external_id: move.boost}
        }
        other.learning.revert("shop", move.id)
        desk.services.replicas.follow("shop")
        assert desk.services.replicas.of("shop").boosts == {}
    finally:
        other.stop()


def test_a_move_stays_within_audience_validity_and_what_is_withheld(desk: Api) -> None:
    last = ranking(desk)[-1]
    use(desk, last, agents=6, each=5)
    night(desk)
    assert ranking(desk)[0] == last
    replica = desk.services.replicas.of("shop")
    replica.withheld = frozenset({last})
    assert ranking(desk)[0] != last, "what a reviewer withheld is not lifted"
    replica.withheld = frozenset()
    for state in ({"audience": "internal"}, {"valid_to": "2026-01-01T00:00:00+00:00"}, {"status": "draft"}):
        assert desk.put(f"/v1/documents/{last}", document(MATTERS[last], **state)).status_code == 200
        answers = desk.post("/v1/answers", {"query": LATE}, role="bot").json()["answers"]
        assert last not in [item["citations"][0]["document_id"] for item in answers]


def test_the_erasure_of_a_customer_takes_their_part_out(desk: Api) -> None:
    last = ranking(desk)[-1]
    use(desk, last, agents=6, each=5)
    (move,) = night(desk)
    assert desk.delete("/v1/customers/u-3").status_code == 200
    moves = desk.services.learning.moves("shop").items
    assert [item.kind for item in moves] == ["erased", "learned"]
    assert len(moves[1].contributions) == len(move.contributions) - 1
    assert ranking(desk)[0] != last
    (again,) = night(desk)
    assert (again.customers, ranking(desk)[0]) == (move.customers - 1, last)


def test_a_sure_intent_moves_where_there_is_no_problem(desk: Api) -> None:
    boosts = {("intent", "parcel"): {"faq-scan": 0.5}, ("problem", "p1"): {"faq-late": 0.7}}
    replica = desk.services.replicas.of("shop")
    replica.boosts = boosts  # type: ignore[assignment]
    (problem,) = replica.problems.values()
    assert replica.learned(None, "parcel") == {"faq-scan": 0.5}
    assert replica.learned(None, None) == {}
    assert replica.learned(problem, "parcel") == {}, "a problem is narrower than its intent"
    assert replica.learned(replace(problem, aliases=("p1",)), None) == {"faq-late": 0.7}, "merged into it"


def test_another_shop_is_not_moved(desk: Api) -> None:
    use(desk, ranking(desk)[-1], agents=6, each=5)
    night(desk)
    assert desk.services.learning.moves("other").items == ()
    assert desk.services.replicas.of("other").boosts == {}
