"""Erasing a customer: nothing of theirs stays, nothing of others goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from graph.learned_ranks import Contribution
from graph.models import Customer, Evidence
from kb_service.store import AskedCase, Change, Erasure, NewEvent, Replay, Store, Unit
from kb_service.store.quotes import ERASED, Quotes
from tests.contracts.store_samples import (
    AT,
    MODEL,
    a_case,
    a_cluster,
    a_decision,
    a_document,
    a_follow_up,
    a_match,
    a_pin,
    a_problem,
    a_proposal,
    a_rank_move,
    a_replay,
    a_review,
    a_told_gap,
    a_webhook,
    an_alert,
    an_event,
    an_exposure,
    everything,
    fill,
    put_document,
    rows,
    some_feedback,
    vectors_of,
)

HER = "customer-31337"
MARK = "zebra-marked"
"""Stands in every text that she wrote or that quotes her."""

SAID = [f"{MARK} 我的杯子碎了,订单已经三天", f"where is my {MARK} parcel, it is late", f"{MARK}!"]


def her_story(unit: Unit) -> None:
    vector = vectors_of(1)[0]
    unit.problems.put(a_problem("shared", named_by_person=False, names={"zh": f"{SAID[0][:14]}… · 碎了"}))
    unit.problems.put(a_problem("hers", names={"en": SAID[1]}))
    unit.problems.put(a_problem("merged-into-hers"))
    unit.problems.merge_alias("merged-into-hers", "hers")
    unit.cases.put(a_case("her-case", customer_id=HER, conversation_ids=("her-chat",), problem_id="shared"))
    unit.cases.put(a_case("nameless", customer_id=None, conversation_ids=("her-mail",), problem_id="hers"))
    mine = {"customer_id": HER, "conversation_id": "her-chat"}
    unit.events.add_many(
        [
            NewEvent(an_event("h1", text=SAID[0], **mine), "her-case", vector, MODEL),
            NewEvent(
                an_event("h2", text=SAID[1], customer_id=None, customer=Customer(HER, "gold")),
                "nameless",
                vector,
                MODEL,
            ),
            NewEvent(
                an_event(
                    "h3",
                    role="agent",
                    customer_id=None,
                    text=f"您好 {MARK},已补发",
                    conversation_id="her-chat",
                ),
                "her-case",
            ),
            NewEvent(an_event("h4", customer_id=None, text=SAID[2], conversation_id="her-mail")),
            NewEvent(
                an_event(
                    "h5", type="resolution", role="agent", reply=f"{MARK} refunded", agent_id="a", **mine
                ),
                "her-case",
            ),
        ]
    )
    unit.problems.put(a_problem("at-first", names={"zh": SAID[0]}))
    unit.assignments.put("h1", "at-first", a_match("at-first"))
    unit.assignments.reassign(["h1"], "shared")
    unit.assignments.put("h2", "hers", a_match("hers"))
    quoting = Evidence(3, 1.0, 3, 60, None, {"zh": f"三位顾客,例如:{SAID[0]}"})
    unit.alerts.put(
        an_alert(
            "quoting", problem_id="shared", evidence=quoting, examples=(SAID[0], "fine", f"{SAID[1][:20]}…")
        ),
        ["h1", "o1", "h2"],
    )
    unit.alerts.put(an_alert("old", problem_id="shared", examples=(SAID[0][:12], "fine")))
    unit.alerts.put(an_alert("gone", problem_id="hers", examples=(SAID[1],)), ["h2"])
    unit.proposals.put(
        a_proposal("quoting", problem_id="hers", draft=f"Answer this:\n{SAID[1]}\nThen close.")
    )
    unit.webhooks.put(a_webhook())
    excerpt = SAID[0][:12]
    alert = {"alert": {"examples": [SAID[0], excerpt, "fine"], "customers": [HER, "u2"]}, "words": excerpt}
    unit.outbox.add("alert.opened", alert, AT, ["hook-1"], ["h1", "o1"])
    unit.outbox.add("problem.regressed", {"text": f"see {SAID[1]} by {HER}."}, AT, ["hook-1"])
    together = [{"problem": {"id": "shared", "name": {"zh": f"{SAID[0][:14]}… · 碎了"}}}]
    unit.outbox.add("alert.opened", {"problem": {"id": "p1", "name": {}}, "also": together}, AT, ["hook-1"])
    asked = (AskedCase("her-case", "her-chat", HER, True, AT, False), AskedCase("c2", "c9", "u2"))
    nameless = AskedCase("nameless", "her-mail", None)
    unit.follow_ups.put(a_follow_up("asked-her", problem_id="shared", cases=(*asked, nameless)))
    unit.outbox.add("followup.due", {"cases": [{"customer_id": HER, "case_id": "her-case"}]}, AT, ["hook-1"])
    unit.exposures.add_many(
        [
            an_exposure("xh1", query=SAID[0], customer_id=HER, conversation_id="web-only"),
            an_exposure("xh2", query=f"{MARK} again", customer_id=None, conversation_id="web-only"),
            an_exposure("xh3", query=SAID[1], customer_id=None, conversation_id=None, event_id="h2"),
            an_exposure("xh4", query=SAID[2], customer_id=None, conversation_id=None, event_id=None),
        ]
    )
    unit.feedback.add(some_feedback("fh", exposure_id="xh1", final_text=f"您好 {MARK}"))
    unit.decisions.add_many([a_decision("hers", case_id="her-case", note=f"{MARK} asks again")])
    decided_of_others(unit)
    learned = {"problem_ids": ("hers", "shared")}
    unit.expertise.replace([a_cluster("learned", name=f"Late · {SAID[1][:20]}", **learned)], 20)
    unit.expertise.put_pin(a_pin("learned", name=SAID[1], **learned))
    name = {"en": MARK, "zh": SAID[0][:9]}
    message = unit.outbox.add(
        "gap.found", {"id": "gap", "name": name, "examples": [SAID[0][:10]]}, AT, ["hook-1"]
    )
    unit.proposals.put(a_proposal("for-gap", title={"en": f"Write of {MARK}"}, draft=f"- {SAID[0][:10]}"))
    gap = {"names": name, "quotes": ("xh1", "x1"), "message_ids": (message,), "proposal_id": "for-gap"}
    unit.gaps.put(a_told_gap("hers", exposure_ids=("xh1",), **gap))
    by_reply = {"quotes": ("h5",), "names": {"en": f"{MARK} refunded"}, "message_ids": ()}
    unit.gaps.put(a_told_gap("quotes-reply", exposure_ids=("x1",), **by_reply))
    unit.rank_moves.add_many(
        [
            a_rank_move(
                "hers",
                subject_id="shared",
                contributions=(
                    Contribution("xh1", "fh", "agent-1", 1.0),
                    Contribution("x1", "f1", "agent-1", 1.0),
                ),
            )
        ]
    )
    waiting = {"state": "pending", "verdict": None, "note": None, "withheld": {}}
    unit.reviews.put(a_review("waits", exposure_id="xh1", text=f"您好 {MARK}", **waiting))
    unit.reviews.put(a_review("done", exposure_id="xh2", text=f"{MARK}'s order", note=f"{MARK} is right"))
    unit.reviews.put(a_review("others", note=f"see {SAID[1]}"))
    unit.idempotency.put("k1", "/v1/events", Replay("h", 200, f'{{"id":"h1","customer":"{HER}"}}'.encode()))
    unit.idempotency.put("k2", "/v1/answers", Replay("h", 200, f'{{"summary":"{SAID[1]}"}}'.encode()))
    unit.audit.append("key_1", "cases.handover", f"case of {HER}", {"summary": SAID[0], "customer": HER})


def decided_of_others(unit: Unit) -> None:
    """What was decided of another's case and told of a surge, under the names of clusters made of her words."""
    name, earlier = f"Late · {SAID[1][:20]}", f"{SAID[0][:12]} · 碎了"
    candidate = {
        "id": "agent-2",
        "estimate": {"rate": 0.9, "n": 40, "of": earlier},
        "texts": {"en": [f"resolves {name} often", "is free"], "zh": [f"擅长{earlier}", "有空"]},
    }
    features = {"expertise": {"id": "learned", "name": name}, "candidates": [candidate]}
    theirs = {"case_id": "others-case", "note": None, "kind": "assignment"}
    unit.decisions.add_many(
        [
            a_decision("others", **theirs, features=features),
            a_decision("asked", case_id="others-case", note=f"like {HER}, who said {SAID[1]}"),
        ]
    )
    told = {"id": "srg_1", "expertise": {"id": "learned", "name": {"en": name, "zh": name}}}
    words = {"en": f"{name}: 9 customers in 10 minutes", "zh": f"{name}：10分钟内 9 位顾客"}
    unit.outbox.add("traffic.surge", told | {"evidence": words}, AT, ["hook-1"])
    unit.audit.append("key_1", "expertise.pinned", "learned", {"name": name})


def others(unit: Unit) -> None:
    fill(unit)
    unit.problems.put(a_problem("shared-too"))
    unit.cases.put(a_case("others-case", customer_id="u2", conversation_ids=("c7",), problem_id="shared"))
    theirs = {"customer_id": "u2", "conversation_id": "c7", "text": "我的杯子也碎了"}
    unit.events.add(an_event("o1", **theirs), "others-case")
    unit.assignments.put("o1", "shared", a_match("shared"))
    unit.audit.append("key_1", "cases.handover", "customer-313379", {"customer": f"{HER}-2"})


@pytest.fixture
def erased(store: Store) -> Erasure:
    with store.writing("shop") as unit:
        others(unit)
        her_story(unit)
    with store.writing("shop") as unit:
        return unit.erase_customer(HER)


def test_nothing_of_the_customer_stays(store: Store, store_url: str, erased: Erasure) -> None:
    left = everything(store_url)
    left = left.replace("customer-313379", "").replace(f"{HER}-2", "")  # two other customers
    assert HER not in left
    assert MARK not in left


def test_what_was_touched_is_told(erased: Erasure) -> None:
    assert erased.event_ids == ("h1", "h2", "h3", "h4", "h5")
    assert erased.case_ids == ("her-case", "nameless")
    assert erased.problem_ids == ("at-first", "shared")
    assert erased.removed_problem_ids == ("hers",)
    assert erased.unnamed_problem_ids == ("at-first", "shared")
    assert erased.alert_ids == ("old", "quoting")
    assert erased.counts == {
        "alert_examples": 3,
        "alerts": 1,
        "assignments": 2,
        "audit": 2,
        "cases": 2,
        "decisions": 3,
        "event_vectors": 2,
        "events": 5,
        "expertise": 1,
        "expertise_pins": 1,
        "exposures": 4,
        "feedback": 1,
        "follow_up_cases": 2,
        "idempotency": 2,
        "messages": 5,
        "named_ids": 4,
        "problems": 3,
        "proposals": 1,
        "rank_moves": 1,
        "reviews": 3,
        "told_gaps": 2,
    }


def test_derived_parts_hear_of_it(store: Store, erased: Erasure) -> None:
    with store.reading("shop") as unit:
        changes = unit.changes.since(0)
    heard = {(change.kind, change.id) for change in changes}
    assert {("event_removed", id) for id in erased.event_ids} <= heard
    assert {("case_removed", id) for id in erased.case_ids} <= heard
    assert {("problem_removed", "hers"), ("problem", "shared"), ("alert", "quoting")} <= heard
    assert ("alert_removed", "gone") in heard
    assert [change.position for change in changes] == list(range(1, len(changes) + 1))


def test_expertise_keeps_neither_their_words_nor_their_problems(store: Store, erased: Erasure) -> None:
    with store.reading("shop") as unit:
        clusters = {item.id: item for item in unit.expertise.all()}
        pins = {item.id: item for item in unit.expertise.pins()}
        assert unit.decisions.of_case("her-case") == ()
        assert unit.decisions.of_case("case-1") == (a_decision(),)
    assert (clusters["learned"].name, clusters["learned"].problem_ids) == ("learned", ("shared",))
    assert (pins["learned"].name, pins["learned"].problem_ids) == (None, ("shared",))
    assert pins["logistics"] == a_pin()


def test_what_was_decided_of_others_and_told_of_surges_loses_names_made_of_their_words(
    store: Store, store_url: str, erased: Erasure
) -> None:
    with store.reading("shop") as unit:
        decision, asked = unit.decisions.of_case("others-case")
    assert decision.features == {
        "expertise": {"id": "learned", "name": ERASED},
        "candidates": [
            {
                "id": "agent-2",
                "estimate": {"rate": 0.9, "n": 40, "of": ERASED},
                "texts": {
                    "en": [f"resolves {ERASED} often", "is free"],
                    "zh": [f"擅长{ERASED}", "有空"],
                },
            }
        ],
    }
    assert asked.note == f"like {ERASED}, who said {ERASED}"
    (told,) = [row["data"] for row in rows(store_url, "shop")["messages"] if row["type"] == "traffic.surge"]
    assert told["expertise"] == {"id": "learned", "name": {"en": ERASED, "zh": ERASED}}
    assert told["evidence"]["en"] == f"{ERASED}: 9 customers in 10 minutes"


def test_what_moved_on_their_word_is_withdrawn(store: Store, erased: Erasure) -> None:
    with store.reading("shop") as unit:
        assert unit.rank_moves.boosts() == {
            (("problem", "p1"), "policy-returns"): 0.75,
            (("problem", "shared"), "policy-returns"): 0.0,
        }
        hers = unit.rank_moves.get("hers")
        assert hers is not None
        assert hers.contributions == (Contribution("x1", "f1", "agent-1", 1.0),)
        newest = unit.rank_moves.page().items[0]
        assert (newest.kind, newest.withdraws, newest.boost) == ("erased", "hers", 0.0)
        assert unit.rank_moves.taken_back() == {}, "what is left may move it again"
        assert ("ranks", newest.id) in {(change.kind, change.id) for change in unit.changes.since(0)}
        assert {item.exposure.id for item in unit.judgements.told(AT, 9)} == {"x1"}


def test_what_others_said_stays(store: Store, store_url: str, erased: Erasure) -> None:
    with store.reading("shop") as unit:
        assert unit.events.existing(["e1", "e2", "r1", "o1"]) == {"e1", "e2", "r1", "o1"}
        assert unit.cases.get("case-1") == a_case()
        assert unit.problems.get("p1") == a_problem(aliases=("p0",))
        shared = unit.problems.get("shared")
        assert shared is not None
        assert shared.names == {}
        assert unit.problems.get("merged-into-hers") is None
        quoting = unit.alerts.get("quoting")
        assert quoting is not None
        assert quoting.examples == ("fine",)
        assert quoting.evidence.words == {"zh": f"三位顾客,例如:{ERASED}"}
        assert unit.alerts.get("alert-1") == an_alert()
        proposal = unit.proposals.get("quoting")
        assert proposal is not None
        assert proposal.draft == f"Answer this:\n{ERASED}\nThen close."
        assert unit.exposures.get("x1") == an_exposure()
        blanked = {
            "query": None,
            "customer_id": None,
            "conversation_id": None,
            "case_id": None,
            "event_id": None,
        }
        assert unit.exposures.get("xh1") == replace(an_exposure("xh1"), **blanked)
        assert unit.feedback.of_exposure("xh1") == (some_feedback("fh", exposure_id="xh1", final_text=None),)
        assert unit.reviews.get("waits") is None, "nobody can judge it any more"
        assert unit.reviews.get("done") == a_review("done", exposure_id="xh2", text=None, note=None)
        assert unit.reviews.get("others") == a_review("others", note=f"see {ERASED}")
        assert unit.reviews.get("rev-1") == a_review()
        assert unit.idempotency.get("key-1", "/v1/events") == a_replay()
        assert unit.outbox.counts() == {"pending": 7}
        data = [row["data"] for row in rows(store_url, "shop")["messages"]]
        assert {"alert": {"examples": ["fine"], "customers": ["u2"]}, "words": ERASED} in data
        assert {"text": f"see {ERASED} by {ERASED}."} in data
        assert [row["quotes"] for row in rows(store_url, "shop")["messages"]].count(["o1"]) == 1
        entries = unit.audit.page().items
        assert [entry.detail for entry in entries[:3]] == [
            {"summary": ERASED, "customer": ERASED},
            {"name": ERASED},
            {"customer": f"{HER}-2"},
        ]
        assert unit.events.latest_at() == AT + timedelta(minutes=1)


def test_the_outbox_carries_on(store: Store, erased: Erasure) -> None:
    with store.reading("shop") as unit:
        now = unit.now
    assert len(store.outbox_worker().due(now, per_webhook=9)) == 7


def test_erasing_again_or_a_stranger_changes_nothing(store: Store, store_url: str, erased: Erasure) -> None:
    before = rows(store_url)
    with store.writing("shop") as unit:
        assert unit.erase_customer(HER) == Erasure({})
        assert unit.erase_customer("never-heard-of") == Erasure({})
    assert rows(store_url) == before


def test_sequences_are_not_given_again(store: Store, erased: Erasure) -> None:
    with store.writing("shop") as unit:
        unit.events.add(an_event("next"))
        stored = unit.events.get("next")
    assert stored is not None
    assert stored.sequence == 10


def test_another_customers_event_in_her_case_stays_without_it(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.cases.put(a_case("her-case", customer_id=HER, conversation_ids=("chat",)))
        unit.events.add(an_event("h1", customer_id=HER, conversation_id="chat"), "her-case")
        unit.events.add(an_event("o1", customer_id="u2", conversation_id="chat"), "her-case")
        position = unit.changes.position()
        found = unit.erase_customer(HER)
        assert found.event_ids == ("h1",)
        stored = unit.events.get("o1")
        assert stored is not None
        assert stored.case_id is None
        assert Change(position + 1, "event", "o1", 0) in unit.changes.since(position)


def test_an_erasure_rolls_back_as_a_whole(store: Store, store_url: str) -> None:
    with store.writing("shop") as unit:
        others(unit)
        her_story(unit)
    before = rows(store_url)
    with pytest.raises(RuntimeError), store.writing("shop") as unit:
        unit.erase_customer(HER)
        raise RuntimeError
    assert rows(store_url) == before


def test_a_document_is_the_shops_and_stays(store: Store) -> None:
    with store.writing("shop") as unit:
        put_document(unit, a_document())
        unit.erase_customer(HER)
        assert unit.documents.count() == 1


def test_quotes_find_what_is_theirs_and_nothing_else() -> None:
    quotes = Quotes("u-9", ["chat-1"], ["好的", "where is my parcel", "  my cup broke on the way  "])
    assert quotes.cleaned("u-9 wrote, u-99 and xu-9 did not") == f"{ERASED} wrote, u-99 and xu-9 did not"
    assert quotes.cleaned("(u-9)") == f"({ERASED})"
    assert quotes.cleaned("chat-1") == ERASED
    assert quotes.cleaned("see chat-1") == "see chat-1"
    assert quotes.cleaned("好的") == ERASED
    assert quotes.cleaned("好的,马上处理") == "好的,马上处理", "everyone says that"
    assert quotes.cleaned("Q: where is my parcel?") == f"Q: {ERASED}?"
    assert quotes.excerpt("[ORDER] · my cup broke on… · cup") is True
    assert quotes.excerpt("cup · broke · way") is False
    assert quotes.clean([{"u-9": 1, "b": ["好的", 2, None]}]) == [{ERASED: 1, "b": [2, None]}]
    assert quotes.clean("where is my pa") == "where is my pa"
    assert quotes.clean("where is my pa", excerpts=True) == ERASED


def test_who_was_asked_after_a_resolution_is_forgotten_with_their_answer(
    store: Store, erased: Erasure
) -> None:
    with store.reading("shop") as unit:
        asked = unit.follow_ups.get("asked-her")
        assert asked is not None
        assert asked.cases == (AskedCase("c2", "c9", "u2"),)
        assert unit.follow_ups.get("flw-1") == a_follow_up()


def test_a_name_that_was_told_beside_another_alert_is_forgotten(
    store: Store, store_url: str, erased: Erasure
) -> None:
    data = [row["data"] for row in rows(store_url, "shop")["messages"]]
    (told,) = [item for item in data if "also" in item]
    assert told["also"] == [{"problem": {"id": "shared", "name": {"zh": ERASED}}}]


def test_proposals_lose_the_names_of_all_problems_that_they_are_about(store: Store) -> None:
    """A change lists other problems than its own; a message that tells it names its problem by id alone."""
    with store.writing("shop") as unit:
        others(unit)
        her_story(unit)
        shared = unit.problems.get("shared")
        assert shared is not None
        name = "我的杯子碎了… · 裂"
        unit.problems.put(replace(shared, names={"zh": name}))
        change = {"action": "state_earlier", "problem_ids": ["p1", "shared"]}
        unit.proposals.put(a_proposal("two", problem_id="p1", change=change, draft=f"- {name}\n- more"))
        unit.proposals.put(a_proposal("one", problem_id="p1", draft=f"- {name}"))
        told = {"id": "one", "problem_id": "shared", "title": {"zh": f"为“{name}”"}}
        message = unit.outbox.add("proposal.created", told, AT, ["hook-1"])
    with store.writing("shop") as unit:
        unit.erase_customer(HER)
        two, one = unit.proposals.get("two"), unit.proposals.get("one")
        assert two is not None
        assert one is not None
        assert two.draft == f"- {ERASED}\n- more"
        assert one.draft == f"- {name}", "it is about another problem, and the words may be anybody's"
        data = {item.message_id: item.data for item in unit.webhooks.deliveries("hook-1", limit=100).items}
        assert data[message]["title"] == {"zh": f"为“{ERASED}”"}
