"""The audit trail: every action in words of both languages, narrowed by who, what, of what and when."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import kb_service
from graph.models import ProblemState
from kb_service.accounts import COMMAND_LINE
from kb_service.console.words import EN, ZH
from kb_service.learning.calibrating import COMMAND, NIGHTLY
from tests.kb_service.conftest import Api
from tests.kb_service.console.visitors import Browser, signed_in

AUDIT = "/console/administration/audit"
SOURCES = Path(kb_service.__file__).parent
COMPUTED = {
    "f'problem.{action}'": ("acknowledge", "resolve", "reopen", "silence", "assign", "rename"),
    "f'followup.{found.state}'": ("confirmed", "reopened", "unconfirmed"),
    "f'weights.{kind}'": ("applied", "rolled_back"),
}
"""Actions that are put together, with what they are put together of."""
LIKE_AN_ACTION = re.compile(r"[a-z]+\.[a-z_]+")
NOT_ACTIONS = {"webhook.test", "proposal.created", "gap.found", "treatment.expertise"}
"""What reads like one in the modules that have some: messages of webhooks, a field of trials."""


def _appends(tree: ast.AST) -> list[ast.Call]:
    """The calls that write an entry: of `audit.append`, and of the helpers that hand an action on to it."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "append"
        and isinstance(node.func.value, ast.Attribute | ast.Name)
        and "audit" in (getattr(node.func.value, "attr", ""), getattr(node.func.value, "id", ""))
    ]


def _actions() -> set[str]:
    """Every action that the product writes, found in its sources."""
    found: set[str] = set()
    for source in SOURCES.rglob("*.py"):
        tree = ast.parse(source.read_text("utf-8"))
        for call in _appends(tree):
            action = call.args[1]
            if isinstance(action, ast.Constant):
                found.add(str(action.value))
            elif isinstance(action, ast.JoinedStr):
                written = ast.unparse(action)
                assert written in COMPUTED, f"{written} of {source.name}: say here what it may become"
                noun = written.removeprefix("f'").partition(".")[0]
                found |= {f"{noun}.{verb}" for verb in COMPUTED[written]}
            else:
                # A name: it stands for one of the texts of the same module that read like an action.
                found |= {
                    node.value
                    for node in ast.walk(tree)
                    if isinstance(node, ast.Constant)
                    and isinstance(node.value, str)
                    and LIKE_AN_ACTION.fullmatch(node.value)
                } - NOT_ACTIONS
    return found


def test_every_action_has_its_words_in_both_languages() -> None:
    actions = _actions()
    assert {"webhook.rotated", "problem.merge", "member.invited", "key.revoked"} <= actions
    for action in actions:
        assert f"action {action}" in ZH, action
        assert f"action {action}" in EN, action
        assert f"noun {action.partition('.')[0]}" in ZH, action


NOT_DETAILS = {
    *("was", "evidence", "webhook_id", "host", "words", "told_customers", "value", "survivor", "alerts"),
    *("aliases", "proposals", "follow_ups", "asked", "silent_since", "ahead"),
}
"""Names in the same functions that are no part of what the audit keeps, or are told without a name."""


def test_every_detail_that_an_action_tells_has_its_words_in_both_languages() -> None:
    """Some stood in the trail as the code calls them."""
    found: dict[str, str] = {}
    for source in SOURCES.rglob("*.py"):
        for function in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef) and _appends(function):
                names = (
                    key for item in ast.walk(function) if isinstance(item, ast.Dict) for key in item.keys
                )
                found |= {
                    key.value: f"{source.name} {function.name}"
                    for key in names
                    if isinstance(key, ast.Constant) and isinstance(key.value, str)
                }
    assert len(found) > 40
    lacking = {name: where for name, where in found.items() if f"detail {name}" not in ZH}
    assert {name: where for name, where in lacking.items() if f"rule {name}" not in ZH}.keys() <= NOT_DETAILS


def test_every_one_who_acts_by_themselves_has_their_words() -> None:
    for actor in ("sample", COMMAND_LINE, COMMAND, NIGHTLY, "lifecycle", "courier", "digest", "regrouping"):
        assert f"actor {actor}" in ZH


def test_an_id_that_the_service_made_up_is_told_by_its_end(api: Api, boss: Browser) -> None:
    api.recurring()
    alert = api.get("/v1/alerts").json()["items"][0]
    page = boss.get(f"{AUDIT}?action=alert.opened").text
    assert f'title="{alert["id"]}"' in page
    assert f">…{alert['id'][-6:]}</a>" in page
    assert f">{alert['id']}<" not in page


@pytest.mark.parametrize("state", ProblemState.__args__)  # type: ignore[attr-defined]
def test_every_state_has_its_words_in_the_trail(state: str) -> None:
    assert f"value {state}" in ZH


@pytest.fixture
def boss(api: Api) -> Browser:
    return signed_in(api, "admin", name="Boss")


@pytest.fixture
def busy(api: Api, boss: Browser) -> Browser:
    """A shop in which a program, the service itself and a person did something, the person a day later."""
    api.put("/v1/intents/return", {"label": "Return", "examples": ["send it back"]})
    api.recurring()
    api.clock.advance(days=1)
    boss.post("/console/administration/agents", id="agent-9", name="Mo", capacity="3")
    return boss


def rows(page: str) -> str:
    return page.partition("In detail")[2]


def test_all_is_told_in_words(busy: Browser) -> None:
    said = rows(busy.text(AUDIT))
    assert "Boss saved an agent agent-9 name Mo" in said
    assert "saved an intent return" in said
    assert "the service raised an alert" in said
    busy.language = "zh"
    assert "Boss 保存客服资料 agent-9" in busy.text(AUDIT)


def test_the_trail_is_narrowed_by_who(api: Api, busy: Browser) -> None:
    lifecycle = rows(busy.text(f"{AUDIT}?actor=lifecycle"))
    assert "raised an alert" in lifecycle
    assert "saved" not in lifecycle
    people = rows(busy.text(f"{AUDIT}?actor=people"))
    assert "saved an agent" in people
    assert "saved an intent" not in people, "a program did that"
    key = next(iter(api.services.keyring.all("shop"))).id
    assert "Boss" not in rows(busy.text(f"{AUDIT}?actor={key}"))


def test_the_trail_is_narrowed_by_what_and_of_what(busy: Browser) -> None:
    assert "agent-9" in busy.text(f"{AUDIT}?action=agent.put")
    assert "saved an intent" not in rows(busy.text(f"{AUDIT}?action=agent."))
    assert "Nothing of that kind was done." in busy.text(f"{AUDIT}?action=agent.removed")
    of_it = rows(busy.text(f"{AUDIT}?object=ent-9"))
    assert "agent-9" in of_it
    assert "intent" not in of_it


def test_the_trail_is_narrowed_by_days_of_the_shop(api: Api, busy: Browser) -> None:
    today = api.clock.now.date().isoformat()
    said = rows(busy.text(f"{AUDIT}?since={today}"))
    assert "saved an agent" in said
    assert "saved an intent" not in said
    before = (api.clock.now.date()).isoformat()
    assert "saved an agent" in rows(busy.text(f"{AUDIT}?until={before}")), "the last day counts whole"
    refused = busy.get(f"{AUDIT}?since=11.11")
    assert refused.status_code == 422
    assert "2026-11-11" in refused.text


def test_the_filter_goes_on_to_the_next_page(api: Api, boss: Browser) -> None:
    for number in range(51):
        api.put(f"/v1/intents/i{number:02}", {"label": f"I {number}", "examples": ["a"]})
        api.put(f"/v1/agents/a{number:02}", {"name": f"A {number}"})
    first = boss.get(f"{AUDIT}?action=intent.")
    more = first.text.rpartition('<a href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "action=intent." in more
    said = rows(boss.text(more))
    assert "saved an intent i00" in said
    assert "saved an agent" not in said


def test_what_an_entry_names_opens(api: Api, boss: Browser) -> None:
    problem_id = api.recurring()["problem"]["id"]
    page = boss.get(f"{AUDIT}?action=problem.promoted").text
    assert f'href="/console/problems/{problem_id}"' in page
    assert "parcel" in page, "a problem is called by its name"


def test_another_shops_trail_is_not_there(api: Api, busy: Browser) -> None:
    stranger = signed_in(api, "admin", workspace="other")
    assert "agent-9" not in stranger.text(AUDIT)
