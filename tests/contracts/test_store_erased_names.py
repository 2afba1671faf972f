"""Names made of an erased customer's words: none stays, wherever it was copied to."""

from __future__ import annotations

from typing import Any

import pytest

from graph.experiments import Treatment
from ingest.redaction import mask_order_numbers
from kb_service.store import NewEvent, Store, Unit, kept_problem
from kb_service.store.quotes import ERASED, Quotes
from tests.contracts.store_samples import (
    AT,
    MODEL,
    a_case,
    a_cluster,
    a_match,
    a_problem,
    a_proposal,
    a_regrouping,
    a_webhook,
    an_event,
    an_experiment,
    everything,
    vectors_of,
)

HER = "customer-31337"
WORDS = "我的蓝色花瓶在三月的婚礼当天碎成两半"
NAME = f"{WORDS}…"
REPLY = "王小梅您好，订单 202611220012345 的花瓶已补发"
TRACES = ("婚礼", "王小梅", HER)


def says(unit: Unit, problem_id: str, event_id: str, text: str, customer_id: str) -> None:
    """A customer writes of a problem, in a case and a conversation of their own."""
    case_id = f"case-{event_id}"
    vector = vectors_of(1)[0]
    unit.cases.put(
        a_case(
            case_id, customer_id=customer_id, conversation_ids=(f"chat-{event_id}",), problem_id=problem_id
        )
    )
    event = an_event(event_id, text=text, customer_id=customer_id, conversation_id=f"chat-{event_id}")
    unit.events.add_many([NewEvent(event, case_id, vector, MODEL)])
    unit.assignments.put(event_id, problem_id, a_match(problem_id))


def problem(unit: Unit, id: str, name: str, **changes: Any) -> None:
    unit.problems.put(
        a_problem(id, names={"zh": name}, parent_id=None, **({"named_by_person": False} | changes))
    )


def merge(unit: Unit, old: str, into: str) -> None:
    gone, survivor = unit.problems.get(old), unit.problems.get(into)
    assert gone is not None
    assert survivor is not None
    kept = {"problem": kept_problem(gone), "survivor": kept_problem(survivor)}
    unit.regroupings.add_merge(a_regrouping(f"rg-{old}", problem_id=into, other_id=old, kept=kept))
    unit.problems.merge_alias(old, into)


def told(unit: Unit, problem_id: str, name: str) -> None:
    """A problem's state and a proposal about it are told under its name."""
    of = {"problem": {"id": problem_id, "name": {"zh": name}, "state": "resolved"}}
    unit.outbox.add("problem.resolved", of, AT, ["hook-1"])
    title = {"zh": f"为“{name}”补充一篇文档", "en": f"Write a document for “{name}”"}
    unit.proposals.put(
        a_proposal(
            f"of-{problem_id}",
            problem_id=problem_id,
            alert_id=None,
            finding=None,
            change={"action": "write_document", "problem_ids": [problem_id]},
            title=title,
            draft=f"# {name}\n",
        )
    )
    about = {"id": f"of-{problem_id}", "problem_id": problem_id, "title": title}
    unit.outbox.add("proposal.created", about, AT, ["hook-1"])


def erase(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.erase_customer(HER)


def assert_nothing_left(store_url: str) -> None:
    left = everything(store_url)
    assert [trace for trace in TRACES if trace in left] == []


@pytest.fixture(autouse=True)
def webhook(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.webhooks.put(a_webhook())


def test_the_name_of_a_survivor_kept_for_an_unmerge_is_forgotten(store: Store, store_url: str) -> None:
    with store.writing("shop") as unit:
        problem(unit, "survivor", NAME)
        problem(unit, "merged", "花瓶")
        says(unit, "survivor", "h1", WORDS, HER)
        says(unit, "survivor", "o1", "花瓶碎了", "u2")
        says(unit, "merged", "o2", "花瓶坏了", "u3")
        merge(unit, "merged", "survivor")
    erase(store)
    assert_nothing_left(store_url)


def test_what_was_told_of_a_problem_that_goes_loses_its_name(store: Store, store_url: str) -> None:
    """Nothing but the customer's messages was left of it, and its proposals name no problem any more."""
    with store.writing("shop") as unit:
        problem(unit, "removed", NAME)
        says(unit, "removed", "h1", f"{WORDS}怎么办才好呢", HER)
        told(unit, "removed", NAME)
        unit.proposals.put(
            a_proposal("plain", problem_id="removed", alert_id=None, change=None, draft=f"# {NAME}\n")
        )
    erase(store)
    assert_nothing_left(store_url)
    with store.reading("shop") as unit:
        proposal = unit.proposals.get("of-removed")
    assert proposal is not None
    assert proposal.title["en"] == f"Write a document for “{ERASED}”"


def test_what_was_told_of_a_problem_that_was_merged_away_loses_its_name(store: Store, store_url: str) -> None:
    with store.writing("shop") as unit:
        problem(unit, "merged", NAME)
        problem(unit, "between", "坏了")
        problem(unit, "survivor", "花瓶")
        says(unit, "merged", "h1", f"{WORDS}怎么办才好呢", HER)
        says(unit, "between", "o2", "花瓶坏了", "u3")
        says(unit, "survivor", "o1", "花瓶碎了", "u2")
        told(unit, "merged", NAME)
        told(unit, "survivor", "花瓶")
        merge(unit, "merged", "between")
        merge(unit, "between", "survivor")
    erase(store)
    assert_nothing_left(store_url)
    with store.reading("shop") as unit:
        standing, proposal = unit.problems.get("survivor"), unit.proposals.get("of-survivor")
    assert standing is not None
    assert standing.names == {"zh": "花瓶"}, "others say that too"
    assert proposal is not None
    assert proposal.draft == "# 花瓶\n"


def test_a_name_that_a_problem_had_before_a_person_named_it_is_forgotten(
    store: Store, store_url: str
) -> None:
    with store.writing("shop") as unit:
        problem(unit, "named", NAME)
        says(unit, "named", "h1", f"{WORDS}怎么办才好呢", HER)
        says(unit, "named", "o1", "花瓶碎了", "u2")
        told(unit, "named", NAME)
        problem(unit, "named", "碎花瓶", named_by_person=True)
    erase(store)
    assert_nothing_left(store_url)
    with store.reading("shop") as unit:
        named = unit.problems.get("named")
    assert named is not None
    assert named.names == {"zh": "碎花瓶"}


@pytest.mark.parametrize("renamed", [False, True])
def test_a_routing_rule_and_its_trial_do_not_keep_a_clusters_name_of_their_words(
    store: Store, store_url: str, renamed: bool
) -> None:
    change = {"action": "set_expertise", "intent_id": "i", "expertise": "learned", "problem_ids": ["other"]}
    title = {"zh": f"把“配送”直接交给 {NAME}", "en": f"Send “配送” to {NAME} at once"}
    with store.writing("shop") as unit:
        problem(unit, "hers", NAME)
        problem(unit, "other", "配送")
        says(unit, "hers", "h1", f"{WORDS}怎么办才好呢", HER)
        says(unit, "other", "o1", "配送太慢", "u2")
        cluster = "Vases" if renamed else NAME
        unit.expertise.replace([a_cluster("learned", name=cluster, problem_ids=("hers", "other"))], 20)
        unit.proposals.put(
            a_proposal(
                "rule",
                kind="routing",
                problem_id="other",
                alert_id=None,
                title=title,
                evidence={"zh": f"没有“{NAME}”专长的人接手"},
                draft=f"“配送”的咨询直接交给“{NAME}”。",
                change=change,
                experiment_id="trial-of-rule",
            )
        )
        about = {"id": "rule", "kind": "routing", "problem_id": "other", "title": title}
        unit.outbox.add("proposal.created", about, AT, ["hook-1"])
        trial = {"name": title["en"], "treatment": Treatment(expertise={"i": "learned"})}
        unit.experiments.put(an_experiment("trial-of-rule", **trial))
    erase(store)
    assert_nothing_left(store_url)
    with store.reading("shop") as unit:
        rule, tried = unit.proposals.get("rule"), unit.experiments.get("trial-of-rule")
    assert rule is not None
    assert rule.draft == f"“配送”的咨询直接交给“{ERASED}”。"
    assert rule.change == change
    assert tried is not None
    assert tried.name == f"Send “配送” to {ERASED} at once"


def test_the_trial_of_a_proposal_does_not_keep_a_problems_name(store: Store, store_url: str) -> None:
    with store.writing("shop") as unit:
        problem(unit, "hers", NAME)
        says(unit, "hers", "h1", f"{WORDS}怎么办才好呢", HER)
        unit.proposals.put(
            a_proposal("rule", problem_id="hers", title={"zh": f"“{NAME}”"}, experiment_id="trial-of-rule")
        )
        unit.experiments.put(an_experiment("trial-of-rule", name=f"“{NAME}”交给物流"))
        unit.experiments.put(an_experiment("another"))
        position = unit.changes.position()
    erase(store)
    assert_nothing_left(store_url)
    with store.reading("shop") as unit:
        heard = {(change.kind, change.id) for change in unit.changes.since(position)}
        assert unit.experiments.get("another") == an_experiment("another")
    assert ("experiment", "trial-of-rule") in heard
    assert ("experiment", "another") not in heard


def test_a_reply_that_a_draft_quotes_without_its_numbers_is_forgotten(store: Store, store_url: str) -> None:
    with store.writing("shop") as unit:
        problem(unit, "shared", "花瓶")
        says(unit, "shared", "h1", WORDS, HER)
        says(unit, "shared", "o1", "花瓶碎了", "u2")
        answer = an_event(
            "h2",
            type="resolution",
            role="agent",
            text=None,
            reply=REPLY,
            customer_id=HER,
            conversation_id="chat-h1",
        )
        unit.events.add(answer, "case-h1")
        unit.proposals.put(
            a_proposal("draft", draft=f"## 答复\n\n{mask_order_numbers(REPLY)}\n", problem_id="shared")
        )
    erase(store)
    assert_nothing_left(store_url)


def test_a_short_reply_without_its_number_quotes_nobody() -> None:
    quotes = Quotes("u-9", [], ["订单 202611220012345", REPLY])
    assert quotes.cleaned("订单 [ORDER] 已补发") == "订单 [ORDER] 已补发"
    assert quotes.cleaned(f"> {mask_order_numbers(REPLY)}") == f"> {ERASED}"


def test_what_others_called_it_stays(store: Store) -> None:
    """The customer had a share in a merged problem, but it has its name from what others said too."""
    with store.writing("shop") as unit:
        problem(unit, "merged", "花瓶碎了")
        problem(unit, "survivor", "花瓶")
        says(unit, "merged", "h1", "我的花瓶碎了", HER)
        says(unit, "merged", "o1", "花瓶碎了怎么办", "u2")
        says(unit, "survivor", "o2", "花瓶", "u3")
        unit.proposals.put(
            a_proposal("short", problem_id="merged", draft="# 花瓶\n", title={"zh": "为“花瓶”"})
        )
        merge(unit, "merged", "survivor")
    erase(store)
    with store.reading("shop") as unit:
        proposal = unit.proposals.get("short")
    assert proposal is not None
    assert (proposal.draft, proposal.title) == ("# 花瓶\n", {"zh": "为“花瓶”"})
