"""Questions without a good answer: grouped, named, drafted, told once, and gone when they are answered."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from graph.gaps import gap_of, grouped
from ingest.embedding import BatchingEmbedder, Embedder
from kb_service.care.gap_watch import GapWatch
from kb_service.care.gaps import identified
from kb_service.care.unanswered import received, why
from kb_service.store import Feedback, ShownAnswer
from kb_service.understanding.reading import Reader
from tests.contracts.store_samples import AT, a_told_gap, an_exposure
from tests.graph.test_gaps import asked
from tests.kb_service.conftest import RETURNS, Api, faults, problem

INVOICE = (
    "can the invoice name my company",
    "I need an invoice with my company name",
    "how do I get the company name on my invoice",
)
FAQ = {
    "kind": "faq",
    "title": "Company invoices",
    "language": "en",
    "fields": {
        "question": "Can the invoice name my company?",
        "reply": "Yes: choose company when you ask for the invoice.",
    },
}
KNOWN = "may unworn clothing be returned within 30 days of delivery"


def ask(
    api: Api, text: str, customer: str | None, path: str = "/v1/answers", **fields: Any
) -> dict[str, Any]:
    body: dict[str, Any] = {"query": text, **fields}
    if customer is not None:
        body |= {
            "customer": {"id": customer},
            "conversation_id": fields.get("conversation_id", f"c-{customer}"),
        }
    response = api.post(path, body)
    assert response.status_code == 200, response.text
    api.clock.advance(minutes=1)
    return dict(response.json())


def ask_all(api: Api, texts: Sequence[str] = INVOICE, prefix: str = "u", **fields: Any) -> None:
    for number, text in enumerate(texts):
        ask(api, text, f"{prefix}{number}", **fields)


def gaps(api: Api, **query: Any) -> list[dict[str, Any]]:
    response = api.get("/v1/gaps", role="product", params=query)
    assert response.status_code == 200, response.text
    return list(response.json()["items"])


def told(api: Api, kind: str = "gap.found") -> list[dict[str, Any]]:
    """The contents of the messages of one kind in the outbox."""
    with sqlite3.connect(api.services.settings.data / "kb.sqlite3") as connection:
        rows = connection.execute("SELECT data FROM messages WHERE type = ? ORDER BY id", [kind]).fetchall()
    connection.close()
    return [json.loads(row[0]) for row in rows]


def listen(api: Api) -> None:
    hook = {"url": "https://example.com/hook", "types": ["gap.found", "proposal.created"]}
    assert api.put("/v1/webhooks/team", hook).status_code == 201


def judge(api: Api, reply: dict[str, Any], outcome: str, **fields: Any) -> None:
    answer = reply["answers"][0]
    given = {"exposure_id": answer["exposure_id"], "answer_id": answer["id"], "outcome": outcome, **fields}
    assert api.post("/v1/feedback", given).status_code == 200


# --- grouped and named


def test_an_empty_shop_learns_what_it_is_asked(api: Api) -> None:
    ask_all(api)
    ask(api, INVOICE[0], "u0")
    ask(api, "hello there", "u7")
    ask(api, "you stupid idiots", "u8")
    ask(api, "does the kettle whistle when the water boils", "u9")
    kettle_last = gaps(api)
    assert [gap["customers"] for gap in kettle_last] == [3, 1]
    invoice, kettle = kettle_last
    assert "invoice" in invoice["name"]
    assert "kettle" in kettle["name"]
    assert (invoice["questions"], invoice["votes"], invoice["reason"]) == (4, 3, "nothing_found")
    assert invoice["reasons"] == {"nothing_found": 3}
    assert set(invoice["customer_ids"]) == {"u0", "u1", "u2"}
    assert set(invoice["examples"]) == set(INVOICE)
    assert (invoice["best"], invoice["answered_by"], invoice["state"]) == (None, None, "open")
    assert (invoice["draft"], invoice["draft_reason"]) == (None, "nothing_accepted")
    assert invoice["first_at"] < invoice["last_at"] < kettle["first_at"]
    assert invoice["languages"] == ["en"]
    assert [gap["id"] for gap in gaps(api)] == [gap["id"] for gap in kettle_last]


def test_only_product_teams_and_editors_see_gaps(api: Api) -> None:
    for role in ("bot", "agent"):
        problem(api.get("/v1/gaps", role=role), 403)
    for role in ("product", "editor", "admin"):
        assert api.get("/v1/gaps", role=role).status_code == 200
    ask_all(api)
    assert api.get("/v1/gaps", workspace="other").json()["items"] == []


def test_examples_hold_no_personal_data(api: Api) -> None:
    ask(api, "my phone is 13812345678, can the invoice name my company", "u1")
    (gap,) = gaps(api)
    assert "13812345678" not in json.dumps(gap)
    assert "[PHONE]" in gap["examples"][0]


def test_questions_of_a_problem_are_one_gap_under_its_name(api: Api) -> None:
    for number in range(3):
        ask(api, "the parcel locker refuses my pickup code", f"u{number}", event_id=f"e{number}")
    (gap,) = gaps(api)
    with api.store.reading("shop") as unit:
        (known,) = unit.problems.all()
    assert gap["problem"]["id"] == known.id
    assert gap["name"] == known.names["en"]
    assert len(gap["cases"]) == 3
    api.post(f"/v1/problems/{known.id}/rename", {"name": {"en": "Locker codes", "zh": "取件码"}})
    assert gaps(api)[0]["name"] == "Locker codes"
    shown = api.get("/v1/gaps", headers={"Accept-Language": "zh"}).json()["items"][0]
    assert shown["name"] == "取件码"


def test_gaps_are_narrowed_and_paged(api: Api) -> None:
    ask_all(api)
    between = api.clock.now
    ask(api, "does the kettle whistle when the water boils", "u8")
    ask(api, "发票可以开公司抬头吗", "u9")
    assert len(gaps(api)) == 3
    assert len(gaps(api, since=between.isoformat())) == 2
    assert [gap["languages"] for gap in gaps(api, language="zh")] == [["zh"]]
    assert gaps(api, state="answered") == []
    seen = []
    cursor = None
    for _ in range(3):
        query = {"limit": 1, "cursor": cursor} if cursor else {"limit": 1}
        page = api.get("/v1/gaps", params=query).json()
        seen += [gap["id"] for gap in page["items"]]
        cursor = page["next_cursor"]
    assert cursor is None
    assert seen == [gap["id"] for gap in gaps(api)]
    for wrong in ("x", "W10=", "WzEsMiwzXQ=="):
        assert "cursor" in faults(api.get("/v1/gaps", params={"cursor": wrong}))


def test_old_questions_are_forgotten(api: Api) -> None:
    ask_all(api)
    api.clock.advance(days=91)
    assert gaps(api) == []


# --- what people said of answers


@pytest.fixture
def answering(api: Api) -> Api:
    api.put("/v1/documents/returns", RETURNS)
    return api


def test_a_refused_answer_makes_a_gap_until_its_document_changes(answering: Api) -> None:
    reply = ask(answering, KNOWN, "u1", "/v1/suggestions")
    assert reply["confidence"] > 0.6
    assert gaps(answering) == []
    judge(answering, reply, "rejected")
    (gap,) = gaps(answering)
    assert (gap["reason"], gap["answered_by"], gap["best"]["document_id"]) == ("rejected", None, "returns")
    answering.clock.advance(minutes=1)
    changed = {**RETURNS, "markdown": str(RETURNS["markdown"]) + " Shoes too."}
    answering.put("/v1/documents/returns", changed)
    (gap,) = gaps(answering)
    assert (gap["state"], gap["answered_by"]["document_id"]) == ("answered", "returns")
    assert gaps(answering, state="open") == []


@pytest.mark.parametrize(
    ("outcomes", "reason"),
    [
        (["rejected", "accepted"], None),
        (["accepted", "reopened"], "reopened"),
        (["edited:Yes, unworn clothing may be returned within 30 days."], None),
        (["edited:Please bring damaged lamps into any branch for exchange.", "resolved"], "rewritten"),
    ],
)
def test_what_people_said_last_counts(answering: Api, outcomes: list[str], reason: str | None) -> None:
    reply = ask(answering, KNOWN, "u1", "/v1/suggestions")
    for outcome in outcomes:
        name, _, final = outcome.partition(":")
        judge(answering, reply, name, **({"final_text": final} if final else {}))
        answering.clock.advance(minutes=1)
    assert [gap["reason"] for gap in gaps(answering)] == ([reason] if reason else [])


def test_a_question_asked_again_and_again_was_not_answered() -> None:
    again = an_exposure(reason="second_turn_failed", confidence=0.9)
    assert why(again, {}) == "rejected"
    assert why(an_exposure(reason="asks_for_person", confidence=0.1, answers=()), {}) is None
    assert why(an_exposure(reason="unproven", confidence=0.4), {}) == "unsure"
    assert why(an_exposure(reason="unproven", confidence=0.6), {}) is None
    assert why(an_exposure(reason="for_an_agent", confidence=0.0, answers=()), {}) == "nothing_found"


def test_one_good_answer_of_several_is_enough() -> None:
    def said(answer: str, outcome: str, text: str | None = None) -> Feedback:
        return Feedback("f", "x1", answer, outcome, AT, final_text=text)

    exposure = an_exposure(answers=(ShownAnswer("a", "one", 1, 0.9), ShownAnswer("b", "two", 2, 0.1)))
    offered = {"a": "unworn clothing may be returned"}
    assert why(exposure, received([said("a", "rejected"), said("b", "accepted")], offered)) is None
    other = [said("a", "edited", "broken lamps are exchanged anywhere"), said("a", "resolved")]
    assert received(other, offered) == {"a": "rewritten"}
    assert received(other, {}) == {"a": "good"}, "the document has changed since"


# --- answered now


def test_a_gap_is_marked_once_an_approved_document_answers_it(api: Api) -> None:
    api.put("/v1/documents/returns", RETURNS)
    ask_all(api)
    (gap,) = gaps(api)
    assert gap["best"]["document_id"] == "returns"
    api.put("/v1/documents/invoices", {**FAQ, "status": "draft"})
    (gap,) = gaps(api)
    assert (gap["reason"], gap["best"]["document_id"], gap["answered_by"]) == ("expired", "invoices", None)
    api.put("/v1/documents/invoices", {**FAQ, "valid_to": "2026-06-01"})
    assert gaps(api)[0]["reason"] == "expired"
    api.put("/v1/documents/invoices", {**FAQ, "audience": "internal"})
    assert gaps(api)[0]["answered_by"] is None, "customers asked a bot"
    api.put("/v1/documents/invoices", FAQ)
    (gap,) = gaps(api)
    assert gap["state"] == "answered"
    assert gap["answered_by"]["document_id"] == "invoices"
    assert gap["answered_by"]["confidence"] >= 0.6


# --- drafted


def resolve(api: Api, id: str, customer: str, reply: str, **fields: Any) -> None:
    event = api.event(
        id, type="resolution", role="agent", conversation_id=f"c-{customer}", customer_id=customer,
        text=None, reply=reply, agent_id="agent-1", **fields,
    )  # fmt: skip
    assert api.post("/v1/events", event).status_code == 200
    api.clock.advance(minutes=1)


def test_an_article_is_drafted_from_accepted_replies(api: Api) -> None:
    ask_all(api)
    resolve(
        api,
        "r0",
        "u0",
        "Yes, choose company for {order.id}. Call Ms Li, 13812345678, about order SL20261111004821.",
    )
    resolve(api, "r1", "u1", "It cannot be done.", resolved=False)
    (gap,) = gaps(api)
    draft = gap["draft"]
    assert gap["draft_reason"] is None
    assert (draft["kind"], draft["status"], draft["language"]) == ("faq", "draft", "en")
    assert draft["question"] in INVOICE
    assert draft["body"].startswith("Yes, choose company for {order.id}.")
    assert "13812345678" not in json.dumps(gap)
    assert "SL20261111004821" not in json.dumps(gap)
    assert [(source["kind"], source["id"]) for source in draft["sources"]] == [("resolution", "r0")]

    put = api.put(f"/v1/documents/{draft['external_id']}", draft["document"], role="editor")
    assert put.status_code == 201, put.text
    stored = api.get(f"/v1/documents/{draft['external_id']}").json()
    assert (stored["status"], stored["fields"]["reply"]) == ("draft", draft["body"])
    assert gaps(api)[0]["answered_by"] is None
    api.put(f"/v1/documents/{draft['external_id']}", {**draft["document"], "status": "approved"})
    assert gaps(api)[0]["answered_by"]["document_id"] == draft["external_id"]


def test_replies_of_cases_that_came_back_are_no_article(api: Api) -> None:
    ask_all(api)
    resolve(api, "r0", "u0", "Yes, choose company when you ask for the invoice.")
    assert gaps(api)[0]["draft"] is not None
    back = api.event("back", conversation_id="c-u0", customer_id="u0", text="still no company on the invoice")
    api.post("/v1/events", back)
    assert gaps(api)[0]["draft"] is None


def test_a_final_text_is_drafted_when_it_resolved_the_question(answering: Api) -> None:
    final = "Bring damaged lamps into any branch, mail li@example.com first."
    reply = ask(answering, KNOWN, "u1", "/v1/suggestions")
    judge(answering, reply, "edited", final_text=final)
    assert gaps(answering)[0]["draft"] is None, "nobody knows whether it helped"
    answering.clock.advance(minutes=1)
    judge(answering, reply, "resolved")
    (gap,) = gaps(answering)
    assert gap["draft"]["body"] == "Bring damaged lamps into any branch, mail [EMAIL] first."
    assert gap["draft"]["sources"][0]["kind"] == "feedback"
    answering.clock.advance(minutes=1)
    judge(answering, reply, "reopened")
    assert gaps(answering)[0]["draft"] is None


# --- told


def test_a_gap_is_told_once_when_three_customers_came_upon_it(api: Api) -> None:
    listen(api)
    watch = api.services.gap_watch
    ask_all(api, INVOICE[:2])
    ask(api, INVOICE[2], "u1")
    api.services.exposures.flush()
    assert watch.look("shop") == 0, "two customers"
    ask(api, INVOICE[2], "u2")
    assert gaps(api)[0]["told_at"] is None
    assert (watch.look("shop"), watch.look("shop")) == (1, 0)
    (message,) = told(api)
    (gap,) = gaps(api)
    assert (message["id"], message["customers"], message["questions"]) == (gap["id"], 3, 4)
    assert "invoice" in message["name"]["en"]
    assert gap["told_at"] is not None
    assert "u0" not in json.dumps(message)
    (raised,) = api.get("/v1/proposals").json()["items"]
    assert (raised["id"], raised["kind"]) == (message["proposal_id"], "document")
    assert "invoice" in raised["title"]
    assert len(told(api, "proposal.created")) == 1

    another = GapWatch(api.store, api.services.replicas, api.services.gaps, clock=api.clock)
    assert another.look("shop") == 0, "another process told it"
    before = gap["id"]
    ask_all(api, prefix="v")
    api.services.exposures.flush()
    assert watch.look("shop") == 0, "it was told"
    assert [item["id"] for item in gaps(api)] == [before]


def test_customers_of_different_weeks_are_no_news(api: Api) -> None:
    listen(api)
    for number, text in enumerate(INVOICE):
        ask(api, text, f"u{number}")
        api.clock.advance(days=5)
    api.services.exposures.flush()
    assert api.services.gap_watch.look("shop") == 0
    assert gaps(api)[0]["customers"] == 3


def test_an_answered_gap_is_not_told(api: Api) -> None:
    listen(api)
    ask_all(api)
    api.put("/v1/documents/invoices", FAQ)
    api.services.exposures.flush()
    assert api.services.gap_watch.look("shop") == 0
    assert told(api) == []


def test_a_problem_with_an_open_proposal_gets_no_second_one(api: Api) -> None:
    listen(api)
    for number in range(3):
        ask(api, "the parcel locker refuses my pickup code", f"u{number}", event_id=f"e{number}")
    api.services.exposures.flush()
    (raised,) = api.get("/v1/proposals").json()["items"]
    assert api.services.gap_watch.look("shop") == 1
    assert [item["id"] for item in api.get("/v1/proposals").json()["items"]] == [raised["id"]]
    assert told(api)[0]["proposal_id"] == raised["id"]


def test_one_shop_hears_nothing_of_anothers_gaps(api: Api) -> None:
    listen(api)
    ask_all(api)
    api.services.exposures.flush()
    assert api.services.gap_watch.look("other") == 0
    assert told(api) == []


# --- identity


def test_a_told_gap_keeps_its_id_while_it_changes() -> None:
    first, second = asked("x1"), asked("x2", at=AT + timedelta(hours=1))
    row = a_told_gap("gap-9", problem_id=None, exposure_ids=("x2",))
    (grown,) = identified("shop", [gap_of([first, second])], [row])
    assert (grown.id, grown.told_at) == ("gap-9", row.told_at)
    (joined,) = identified("shop", [gap_of([asked("x5", problem_id="p1")])], [a_told_gap(exposure_ids=())])
    assert joined.id == "gap-1"
    (fresh,) = identified("shop", [gap_of([first])], [row])
    assert (fresh.id, fresh.told_at) == (identified("shop", [gap_of([first])], [])[0].id, None)
    assert fresh.id != identified("other", [gap_of([first])], [])[0].id


def test_of_two_gaps_that_a_told_one_fell_into_the_larger_keeps_the_id_and_neither_is_told_again() -> None:
    whole = [asked(f"x{n}", at=AT + timedelta(hours=n)) for n in range(3)]
    row = a_told_gap("gap-9", problem_id=None, exposure_ids=("x0", "x1", "x2"))
    one, two = identified("shop", [gap_of(whole[:1]), gap_of(whole[1:])], [row])
    assert two.id == "gap-9"
    assert one.id != "gap-9"
    assert one.told_at == two.told_at == row.told_at


# --- erasure


def dump(api: Api) -> bytes:
    with sqlite3.connect(api.services.settings.data / "kb.sqlite3") as connection:
        content = "\n".join(connection.iterdump())
    connection.close()
    return content.lower().encode()


def test_an_erased_customer_is_in_no_gap_draft_or_message(api: Api) -> None:
    listen(api)
    name = "zanzibarine"
    texts = [f"can the {name} invoice name my company", *INVOICE[1:], INVOICE[0]]
    ask(api, texts[0], "erika-77")
    ask_all(api, texts[1:])
    resolve(api, "r0", "erika-77", f"Yes, choose the {name} company when you ask for it.")
    api.services.exposures.flush()
    assert api.services.gap_watch.look("shop") == 1
    assert name in json.dumps(gaps(api))
    assert name.encode() in dump(api)

    assert api.delete("/v1/customers/erika-77").status_code == 200
    (gap,) = gaps(api)
    assert name not in json.dumps(gap).lower()
    assert "erika-77" not in json.dumps(gap)
    assert gap["customers"] == 3
    assert gap["draft"] is None
    content = dump(api)
    assert [trace for trace in (name, "erika-77") if trace.encode() in content] == []
    assert name not in json.dumps(told(api))
    assert name not in api.get("/v1/proposals").text
    api.clock.advance(hours=1)
    assert api.services.gap_watch.look("shop") == 0, "the others' questions were told"


# --- with the real encoder


@pytest.mark.model
def test_paraphrases_in_both_languages_find_their_group(packaged_embedder: Embedder) -> None:
    texts = {
        "zh": ("洗衣机漏水怎么办", "我家洗衣机底部一直漏水", "洗衣机脱水的时候漏水了"),
        "en": INVOICE,
        "kettle": ("does the kettle whistle when the water boils", "will this kettle whistle once it boils"),
    }
    encoder = BatchingEmbedder(packaged_embedder)
    reader = Reader(encoder)
    questions = [
        replace(asked(f"{name}-{number}", text), utterance=reader.read([text])[0])
        for name, said in texts.items()
        for number, text in enumerate(said)
    ]
    encoder.close()
    groups = grouped(questions, reads=packaged_embedder.reads)
    found = {frozenset(question.id for question in group) for group in groups}
    assert {frozenset({"en-0", "en-1", "en-2"}), frozenset({"kettle-0", "kettle-1"})} <= found
    if "zh" in packaged_embedder.reads:
        assert frozenset({"zh-0", "zh-1", "zh-2"}) in found


# --- what an article for a gap brought


def asked_a_day(api: Api, texts: Sequence[str], days: int, prefix: str) -> None:
    """One customer a day for each text, who gets no good answer."""
    for day in range(days):
        ask_all(api, texts, prefix=f"{prefix}{day}-")
        api.clock.advance(hours=24)


OTHERS = ("does the kettle have a whistle", "which voltage does the kettle take")


def an_accepted_article(api: Api, days: int) -> str:
    """The proposal to write about company invoices, accepted after so many days of questions; its id."""
    asked_a_day(api, (*INVOICE[:2], *OTHERS), days, "b")
    assert api.services.gap_watch.look("shop")
    of_invoices = [item for item in api.get("/v1/proposals").json()["items"] if "invoice" in item["title"]]
    assert [item["problem_id"] for item in of_invoices] == [None]
    assert api.post(f"/v1/proposals/{of_invoices[0]['id']}/accept").status_code == 200
    return str(of_invoices[0]["id"])


@pytest.mark.parametrize(
    ("since", "verdict"), [(OTHERS, "better"), ((*INVOICE[:2], *OTHERS), "no_difference")]
)
def test_an_article_for_a_gap_without_a_problem_is_measured_by_its_unanswered_questions(
    api: Api, since: tuple[str, ...], verdict: str
) -> None:
    proposal_id = an_accepted_article(api, 20)
    asked_a_day(api, since, 15, "a")
    api.services.closed_loop.night("shop")
    effect = api.get(f"/v1/proposals/{proposal_id}").json()["effect"]
    assert (effect["metric"], effect["source"], effect["verdict"]) == (
        "unanswered",
        "before_and_after",
        verdict,
    )
    assert (effect["days"], effect["before"], effect["after"]) == (14, 40, 0 if verdict == "better" else 28)
    assert "questions without a good answer" in effect["words"]["en"]
    assert "all other questions" in effect["words"]["en"]


def test_of_an_article_of_few_days_nothing_is_claimed(api: Api) -> None:
    proposal_id = an_accepted_article(api, 5)
    api.services.closed_loop.night("shop")
    effect = api.get(f"/v1/proposals/{proposal_id}").json()["effect"]
    assert (effect["metric"], effect["verdict"], effect["change"]) == ("unanswered", "too_early", None)
