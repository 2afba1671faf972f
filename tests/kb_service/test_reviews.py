"""A sample of automatic answers goes to people; what they find harmful is sent no more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ingest.embedding import WordHashEmbedder
from kb_service.learning.sampling import in_sample
from kb_service.search.calibration import calibration_for, constants_of
from kb_service.search.evidence import Evidence, Step
from kb_service.store import StoredCalibration
from kb_service.store.reviews import Reviews
from tests.kb_service.conftest import DAY, RETURNS, Api, faults, problem

ASKED = "may unworn clothing be returned within 30 days of delivery"
CUSTOMER = "u-zanzibar"


def proven(api: Api, workspace: str = "shop") -> None:
    """The shop has judged so much that every answer may be sent."""
    model_id = WordHashEmbedder().model_id
    shipped = calibration_for(model_id)
    calibration = replace(shipped, evidence=Evidence((Step(0.2, 400, 0),)))
    with api.store.writing(workspace) as unit:
        unit.calibrations.add(
            StoredCalibration(
                "cal_1", model_id, "questions", "a test", unit.now, {}, constants_of(calibration)
            )
        )
    api.services.replicas.follow(workspace)


def asked(api: Api, query: str = ASKED, **more: Any) -> dict[str, Any]:
    reply: dict[str, Any] = api.post(
        "/v1/answers", {"query": query, "customer": {"id": CUSTOMER}, **more}, role="bot"
    ).json()
    return reply


@pytest.fixture
def sending(api: Api) -> Api:
    """A shop that sends answers and has every one reviewed."""
    api.put("/v1/documents/returns", RETURNS)
    assert api.put("/v1/rules", {"review_share": 1}).status_code == 200
    proven(api)
    return api


def waiting(api: Api) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api.get("/v1/reviews?state=pending", role="product").json()["items"]
    return items


def test_the_sample_is_drawn_by_the_exposure_alone() -> None:
    ids = [f"exp_{number}" for number in range(20_000)]
    assert 0.045 < sum(in_sample(id, 0.05) for id in ids) / len(ids) < 0.055
    assert {id for id in ids if in_sample(id, 0.05)} <= {id for id in ids if in_sample(id, 0.2)}
    assert not any(in_sample(id, 0.0) for id in ids)
    assert all(in_sample(id, 1.0) for id in ids)


def test_a_sent_answer_waits_with_its_question_and_its_source(sending: Api) -> None:
    reply = asked(sending, f"{ASKED}, call me on 13812345678")
    assert reply["action"] == "answer"
    (review,) = waiting(sending)
    answer = reply["answers"][0]
    assert review["exposure_id"] == answer["exposure_id"]
    assert review["question"].startswith(ASKED)
    assert "13812345678" not in review["question"]
    assert review["answer"] == answer["text"]
    assert review["citations"] == answer["citations"]
    assert review["confidence"] == reply["confidence"]
    assert (review["state"], review["verdict"], review["withheld"]) == ("pending", None, [])


def test_only_what_is_sent_is_drawn(sending: Api) -> None:
    sending.post("/v1/suggestions", {"query": ASKED}, role="agent")
    asked(sending, "I want to talk to a human agent")
    assert waiting(sending) == []
    sending.put("/v1/rules", {"review_share": 0})
    assert asked(sending)["action"] == "answer"
    assert waiting(sending) == []


def test_an_exposure_keeps_what_calibration_needs(sending: Api) -> None:
    reply = asked(sending)
    sending.services.exposures.flush()
    with sending.store.reading("shop") as unit:
        shown = unit.exposures.get(reply["answers"][0]["exposure_id"])
    assert shown is not None
    assert (shown.model_id, shown.calibration_id) == (WordHashEmbedder().model_id, "cal_1")
    assert shown.threshold == 0.2
    assert shown.features is not None
    calibration = sending.services.replicas.of("shop").index.calibration
    assert set(shown.features) >= {"bias", "score"}
    assert calibration.id == "cal_1"


def test_an_exposure_and_its_review_are_stored_together_or_not_at_all(
    sending: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(self: Reviews, reviews: object) -> None:
        raise RuntimeError("disk")

    with monkeypatch.context() as broken:
        broken.setattr(Reviews, "add_many", failing)
        exposure_id = asked(sending)["answers"][0]["exposure_id"]
        with pytest.raises(RuntimeError):
            sending.services.exposures.flush()
        with sending.store.reading("shop") as unit:
            assert unit.exposures.get(exposure_id) is None
    assert [item["exposure_id"] for item in waiting(sending)] == [exposure_id], "nothing is lost"


def test_a_verdict_is_recorded_once_and_changed_only_on_purpose(sending: Api) -> None:
    asked(sending)
    path = f"/v1/reviews/{waiting(sending)[0]['id']}"
    assert "replaces" in problem(sending.post(path, {"verdict": "right", "replaces": "wrong"}), 409)["detail"]
    first = sending.post(
        path, {"verdict": "right", "note": "mail me at a@example.com"}, role="product"
    ).json()
    assert (first["state"], first["verdict"]) == ("done", "right")
    assert "a@example.com" not in first["note"]
    again = sending.post(path, {"verdict": "right"})
    assert (again.status_code, again.json()) == (200, first)
    assert "right" in problem(sending.post(path, {"verdict": "wrong"}), 409)["detail"]
    changed = sending.post(path, {"verdict": "wrong", "replaces": "right"}).json()
    assert changed["verdict"] == "wrong"
    problem(sending.post(path, {"verdict": "harmful", "replaces": "right"}), 409)
    entries = [item for item in sending.get("/v1/audit").json()["items"] if item["action"] == "review.judged"]
    assert [item["detail"]["verdict"] for item in entries] == ["wrong", "right"]
    assert waiting(sending) == []
    assert [item["id"] for item in sending.get("/v1/reviews?state=done").json()["items"]] == [first["id"]]


def test_reviews_are_paged(sending: Api) -> None:
    for _ in range(3):
        asked(sending)
        sending.clock.advance(minutes=1)
    first = sending.get("/v1/reviews?limit=2").json()
    rest = sending.get(f"/v1/reviews?limit=2&cursor={first['next_cursor']}").json()
    ids = [item["id"] for item in (*first["items"], *rest["items"])]
    assert len(set(ids)) == 3
    assert ids == sorted(ids, reverse=True)
    assert rest["next_cursor"] is None
    faults(sending.get("/v1/reviews?state=nonsense"))
    faults(sending.post(f"/v1/reviews/{ids[0]}", {"verdict": "nonsense"}))
    problem(sending.post("/v1/reviews/rev_none", {"verdict": "right"}), 404)
    problem(sending.post(f"/v1/reviews/{ids[0]}", {"verdict": "right"}, workspace="other"), 404)


def test_what_is_harmful_is_sent_no_more_at_once_and_proposed_for_correction(sending: Api) -> None:
    sending.put("/v1/webhooks/team", {"url": "https://example.com/hook", "types": ["proposal.created"]})
    asked(sending)
    (review,) = waiting(sending)
    judged = sending.post(f"/v1/reviews/{review['id']}", {"verdict": "harmful", "note": "7 days now"}).json()
    assert judged["withheld"] == ["returns"]
    assert asked(sending)["reason"] == "withheld"
    assert asked(sending)["action"] == "suggest"
    assert sending.get("/v1/documents/returns").json()["withheld_by"] == review["id"]
    (proposal,) = sending.get("/v1/proposals").json()["items"]
    assert (proposal["id"], proposal["kind"]) == (judged["proposal_id"], "policy")
    assert ASKED in proposal["draft"]
    assert "7 days now" in proposal["draft"]
    deliveries = sending.get("/v1/webhooks/team/deliveries").json()["items"]
    assert [item["type"] for item in deliveries] == ["proposal.created"]


def test_it_stays_so_in_another_process(sending: Api) -> None:
    from kb_service.replicas.replica import Replica

    asked(sending)
    sending.post(f"/v1/reviews/{waiting(sending)[0]['id']}", {"verdict": "harmful"})
    services = sending.services
    folder = services.settings.data / "another"
    other = Replica(
        "shop", sending.store, services.encoder, folder, publishes=False, clock=lambda: sending.clock.now
    )
    assert other.withheld == {"returns"}
    other.settle()
    sending.put("/v1/documents/returns", {**RETURNS, "title": "Returns, corrected"})
    other.follow()
    assert other.withheld == frozenset()
    other.close()


def test_an_editor_who_changes_the_document_frees_it(sending: Api) -> None:
    asked(sending)
    sending.post(f"/v1/reviews/{waiting(sending)[0]['id']}", {"verdict": "harmful"})
    sending.put("/v1/documents/returns", {**RETURNS, "title": "Returns, corrected"}, role="editor")
    assert asked(sending)["action"] == "answer"
    assert sending.get("/v1/documents/returns").json()["withheld_by"] is None


def test_an_editor_may_decide_that_it_is_right_and_nobody_else(sending: Api) -> None:
    asked(sending)
    judged = sending.post(f"/v1/reviews/{waiting(sending)[0]['id']}", {"verdict": "harmful"}).json()
    path = f"/v1/proposals/{judged['proposal_id']}/dismiss"
    assert "returns" in problem(sending.post(path, role="product"), 403)["detail"]
    assert asked(sending)["reason"] == "withheld"
    assert sending.post(path, role="editor").status_code == 200
    assert asked(sending)["action"] == "answer"


def test_accepting_the_proposal_keeps_it_out(sending: Api) -> None:
    asked(sending)
    judged = sending.post(f"/v1/reviews/{waiting(sending)[0]['id']}", {"verdict": "harmful"}).json()
    sending.post(f"/v1/proposals/{judged['proposal_id']}/accept")
    assert asked(sending)["reason"] == "withheld"


def test_a_verdict_that_is_taken_back_frees_it_too(sending: Api) -> None:
    asked(sending)
    path = f"/v1/reviews/{waiting(sending)[0]['id']}"
    proposal_id = sending.post(path, {"verdict": "harmful"}).json()["proposal_id"]
    assert sending.post(path, {"verdict": "right", "replaces": "harmful"}).json()["withheld"] == []
    assert asked(sending)["action"] == "answer"
    (proposal,) = sending.get("/v1/proposals").json()["items"]
    assert (proposal["id"], proposal["state"]) == (proposal_id, "dismissed")


def test_a_document_that_no_longer_says_it_is_not_withheld(sending: Api) -> None:
    asked(sending)
    (review,) = waiting(sending)
    changed = {
        **RETURNS,
        "markdown": "# Returns\n\nUnworn clothing may be returned within 60 days of delivery.",
    }
    sending.put("/v1/documents/returns", changed)
    judged = sending.post(f"/v1/reviews/{review['id']}", {"verdict": "harmful"}).json()
    assert judged["withheld"] == []
    assert judged["proposal_id"] is None
    assert asked(sending, ASKED.replace("30", "60"))["action"] == "answer"


def test_the_bot_and_the_agent_review_nothing(sending: Api) -> None:
    for role in ("bot", "agent"):
        problem(sending.get("/v1/reviews", role=role), 403)
        problem(sending.post("/v1/reviews/rev_1", {"verdict": "right"}, role=role), 403)


def test_an_erasure_takes_what_waits_and_blanks_what_is_done(sending: Api) -> None:
    asked(sending)
    sending.clock.now += DAY
    asked(sending)
    path = f"/v1/reviews/{waiting(sending)[0]['id']}"
    done = sending.post(path, {"verdict": "harmful", "note": "n"}).json()
    assert len(waiting(sending)) == 1
    erased = sending.delete(f"/v1/customers/{CUSTOMER}").json()["erased"]
    assert erased["reviews"] == 2
    assert waiting(sending) == []
    (left,) = sending.get("/v1/reviews").json()["items"]
    assert (left["id"], left["verdict"]) == (done["id"], "harmful")
    assert (left["question"], left["answer"], left["note"]) == (None, None, None)
    assert asked(sending)["reason"] == "withheld", "what is harmful stays so"
    assert ASKED not in sending.get("/v1/proposals").text
