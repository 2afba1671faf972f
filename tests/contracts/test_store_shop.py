"""What a shop sets for itself: intents, agents, rules."""

from __future__ import annotations

from graph.models import Agent, Intent
from graph.rules import Rules
from kb_service.store import Change, Store
from tests.contracts.store_samples import a_case, an_agent, an_intent, some_rules


def test_intents(store: Store) -> None:
    bare = Intent("bare", "Bare", ())
    with store.writing("shop") as unit:
        assert unit.intents.put(an_intent()) is True
        assert unit.intents.put(an_intent(label="碎了")) is False
        assert unit.intents.put_many([bare, an_intent("late"), an_intent("late", label="迟")]) == {
            "bare",
            "late",
        }
        assert unit.intents.put_many([]) == set()
    with store.writing("shop") as unit:
        assert unit.intents.get("damaged") == an_intent(label="碎了")
        assert unit.intents.get("nothing") is None
        assert unit.intents.all() == (bare, an_intent(label="碎了"), an_intent("late", label="迟"))
        page = unit.intents.page(limit=2)
        assert [intent.id for intent in page.items] == ["bare", "damaged"]
        assert [intent.id for intent in unit.intents.page(page.next_cursor).items] == ["late"]
        assert unit.intents.remove("late") is True
        assert unit.intents.remove("late") is False
    with store.reading("shop") as unit:
        assert [(change.kind, change.id) for change in unit.changes.since(0)] == [
            ("intent", "damaged"),
            ("intent", "bare"),
            ("intent", "late"),
            ("intent_removed", "late"),
        ]


def test_agents(store: Store) -> None:
    bare = Agent("agent-0", "零号")
    with store.writing("shop") as unit:
        assert unit.agents.put(an_agent()) is True
        assert unit.agents.put(bare) is True
        assert unit.agents.put(an_agent(capacity=9)) is False
    with store.writing("shop") as unit:
        assert unit.agents.all() == (bare, an_agent(capacity=9))
        assert unit.agents.page(limit=1).items == (bare,)
        assert unit.agents.set_online("agent-1", False) is True
        assert unit.agents.set_online("nobody", True) is False
        assert unit.agents.get("agent-1") == an_agent(capacity=9, online=False)
        assert unit.agents.remove("agent-0") is True
        assert unit.agents.remove("agent-0") is False
        assert unit.agents.get("agent-0") is None
    with store.reading("shop") as unit:
        assert unit.changes.since(2) == [
            Change(3, "agent", "agent-1", 0),
            Change(4, "agent_removed", "agent-0", 0),
        ]


def test_an_agents_load_is_their_assigned_cases(store: Store) -> None:
    with store.writing("shop") as unit:
        unit.agents.put(an_agent(load=40))
        for number, state in enumerate(["assigned", "assigned", "pending", "resolved", "waiting"]):
            unit.cases.put(a_case(f"case-{number}", state=state, conversation_ids=(f"c{number}",)))
        unit.cases.put(a_case("case-9", agent_id="agent-2", conversation_ids=()))
    with store.reading("shop") as unit:
        assert unit.agents.get("agent-1") == an_agent(load=2)
        assert [agent.load for agent in unit.agents.all()] == [2]
        assert [agent.load for agent in unit.agents.page().items] == [2]


def test_rules_are_the_products_until_the_shop_sets_its_own(store: Store) -> None:
    with store.writing("shop") as unit:
        assert unit.rules.get() == Rules()
        unit.rules.put(some_rules())
        assert unit.rules.get() == some_rules()
        unit.rules.put(Rules())
        assert unit.rules.get() == Rules()
    with store.reading("shop") as unit:
        assert unit.changes.since(0) == [Change(1, "rules", "shop", 0)]
