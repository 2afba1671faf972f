"""The rules of a shop: every one in words, tried before they are saved, and taken back."""

from __future__ import annotations

import dataclasses
import re
from html import unescape
from typing import Any

import pytest

from graph.rules import Promise, Rules
from kb_service.console.rule_fields import FIELDS, GROUPS
from kb_service.console.rule_form import sheet_of
from kb_service.console.words import EN, ZH
from kb_service.models import Principal
from kb_service.recurring.rulebook import Rulebook
from tests.kb_service.conftest import Api
from tests.kb_service.console.visitors import Browser, signed_in

HERE = "/console/administration/rules"
RUN = re.compile(r"/rules/effect/(run_\w+)")
INPUT = re.compile(r"<input\b[^>]*>|<textarea\b[^>]*>.*?</textarea>|<select\b.*?</select>", re.S)


def form_of(page: str) -> dict[str, list[str]]:
    """What a browser would send of the form of rules, as the page holds it."""
    body = page[page.index('<form id="rules"') :]
    body = body[: body.index("</form>")]
    sent: dict[str, list[str]] = {}
    for found in INPUT.finditer(body):
        tag = found.group()
        name = re.search(r'\bname="([^"]+)"', tag)
        if name is None or ('type="checkbox"' in tag and " checked" not in tag):
            continue
        if tag.startswith("<textarea"):
            value = tag[tag.index(">") + 1 : tag.rindex("<")]
        elif tag.startswith("<select"):
            chosen = re.search(r'value="([^"]*)" selected', tag)
            assert chosen is not None
            value = chosen[1]
        else:
            held = re.search(r'\bvalue="([^"]*)"', tag)
            value = held[1] if held else ""
        sent.setdefault(name[1], []).append(unescape(value))
    return sent


def send(visitor: Browser, do: str, **changed: Any) -> Any:
    """Send the form as it is, with some fields changed."""
    form = {**form_of(visitor.get(HERE).text), "do": [do]}
    for name, value in changed.items():
        form[name.replace("__", ".")] = value if isinstance(value, list) else [value]
    return visitor.client.post(
        HERE, data=form, headers={"accept-language": visitor.language}, follow_redirects=False
    )


def undo(visitor: Browser) -> None:
    page = visitor.get(HERE).text
    action = re.search(r'<form method="post" action="(/console/administration/rules/undo)">', page)
    token = re.search(r'name="of" value="(\w+)"', page)
    assert action
    assert token
    assert visitor.post(action[1], form_of(page)["csrf"][0], of=token[1]).status_code == 303


def test_every_rule_has_its_words_in_both_languages() -> None:
    names = {rule.name for rule in dataclasses.fields(Rules)}
    assert set(FIELDS) == names
    assert sum(len(group.fields) for group in GROUPS) == len(names), "a rule stands in one group"
    for name in names:
        for key in (f"rule {name}", f"rule does {name}"):
            assert ZH[key]
            assert EN[key]
    for group in GROUPS:
        assert {f"rules group {group.name}", f"rules about {group.name}"} <= set(EN)


def test_every_rule_stands_on_the_page_with_its_sentence(api: Api) -> None:
    text = signed_in(api).text(HERE)
    for name in FIELDS:
        assert EN[f"rule does {name}"] in text


def test_saving_what_was_not_changed_changes_nothing(api: Api) -> None:
    """The form holds every rule to its last digit, however people write it."""
    unusual = Rules(
        burst_likelihood=1.3e-7,
        recurrence_window_hours=24.5,
        wrong_answer_bound=0.0123456,
        promotion_days=("2026-06-18", "2026-11-11"),
        priority_weights={"waiting": 12.345678, "urgency": 36.0},
        tier_values={"gold": 1 / 3},
        carriers={"SwiftWing": ("疾羽", "疾羽速运")},
        sensitive_flows={"recall": ("召回",), "legal": ()},
        digest_to=("team@example.com",),
        default_region="CN",
    )
    principal = signed_in(api)
    with api.store.writing("shop") as unit:
        unit.rules.put(unusual)
    before = api.services.rulebook.rules("shop")
    assert send(principal, "save").status_code == 303
    assert api.services.rulebook.rules("shop") == before
    response = send(principal, "save", recurrence_customers="4")
    assert response.status_code == 303, response.text
    assert api.services.rulebook.rules("shop") == dataclasses.replace(before, recurrence_customers=4)


def test_every_kind_of_input_is_read(api: Api) -> None:
    lin = signed_in(api, agent_id=None)
    api.put("/v1/agents/agent-1", {"name": "Mo", "skills": []})
    response = send(
        lin, "save",
        recurrence_customers="5", burst_likelihood="2000000", growth_alerts=["off"], problem_grain="coarse",
        digest_hour="07:00", wrong_answer_bound="2.5", promotion_days=["2026-11-11", "", "2026-06-18"],
        digest_to=["a@example.com", ""], timezone="Europe/Berlin", default_region="DE",
        priority_weights__urgency="40", service_levels__urgent__first_response_minutes="4",
        tier_values__key=["gold", "vip", ""], tier_values__value=["80", "100", ""],
        tier_lifts__key=["vip", ""], tier_lifts__value=["2", ""],
        carriers__key=["SwiftWing", ""], carriers__value=["疾羽，疾羽速运", ""],
        owners__product__key=["SKU-1", ""], owners__product__value=["agent-1", ""],
    )  # fmt: skip
    assert response.status_code == 303, re.findall(r'class="wrong">([^<]*)', response.text)
    rules = api.services.rulebook.rules("shop")
    assert (rules.recurrence_customers, rules.burst_likelihood, rules.growth_alerts) == (5, 5e-7, False)
    assert (rules.problem_grain, rules.digest_hour, rules.wrong_answer_bound) == ("coarse", 7, 0.025)
    assert rules.promotion_days == ("2026-06-18", "2026-11-11")
    assert (rules.digest_to, rules.timezone, rules.default_region) == (
        ("a@example.com",),
        "Europe/Berlin",
        "DE",
    )
    assert rules.priority_weights == {"urgency": 40.0}
    assert rules.service_levels["urgent"] == Promise(4, 240)
    assert rules.tier_values == {"gold": 0.8, "vip": 1.0}
    assert rules.tier_lifts == {"vip": 2}
    assert rules.carriers == {"SwiftWing": ("疾羽", "疾羽速运")}
    assert rules.owners == {"product": {"SKU-1": "agent-1"}}


def test_words_of_flows_are_edited_and_turned_off(api: Api) -> None:
    lin = signed_in(api)
    form = form_of(lin.get(HERE).text)
    keys, words = form["sensitive_flows.key"], form["sensitive_flows.value"]
    words[keys.index("legal")] = ""
    words[keys.index("payment")] += "\n维权中心"
    keys[-1], words[-1] = "recall", "召回\nrecall*"
    response = send(lin, "save", sensitive_flows__key=keys, sensitive_flows__value=words)
    assert response.status_code == 303, response.text
    flows = api.services.rulebook.rules("shop").sensitive_flows
    assert set(flows) == {"legal", "payment", "recall"}
    assert flows["legal"] == ()
    assert flows["payment"][-1] == "维权中心"
    assert flows["recall"] == ("召回", "recall*")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("recurrence_customers", "1", "must be at least 2"),
        ("recurrence_customers", "many", "must be a whole number"),
        ("swap_share", "30", "must be at most 20"),
        ("burst_likelihood", "7", "must be at least 100"),
        ("burst_likelihood", "0", "must be at least 100"),
        ("burst_likelihood", "x", "must be a number"),
        ("timezone", "Shanghai", "must be the name of a time zone"),
        ("digest_hour", "09:30", "must be a full hour"),
        ("digest_to", "nobody", "1: must be a mail address"),
        ("priority_weights.customer_value", "20", "Customer value: must be at most 15"),
        ("service_levels.urgent.resolve_minutes", "9999", "Urgent, Solution: must be at most"),
        ("owners.channel.value", "nobody", "By channel, wechat: there is no agent nobody"),
    ],
)
def test_what_is_wrong_stands_next_to_its_rule_and_nothing_is_lost(
    api: Api, field: str, value: str, said: str
) -> None:
    lin = signed_in(api)
    more: dict[str, Any] = {"owners__channel__key": ["wechat"]} if field.startswith("owners") else {}
    response = send(lin, "save", repeat_hours="7", **{field.replace(".", "__"): [value]}, **more)
    assert response.status_code == 422
    name = field.split(".")[0]
    place = response.text[response.text.index(f'id="{name}-faults"') :]
    wrong = unescape(place[: place.index("</div>")]).lower()
    assert said.lower() in wrong
    assert form_of(response.text)["repeat_hours"] == ["7"], "what else was filled in stays"
    assert value in str(form_of(response.text)[field])
    assert api.services.rulebook.rules("shop") == Rules()


def rule(page: str, name: str) -> str:
    """What stands at a rule of the form."""
    at = page.index(f'id="{name}-rule"')
    text = re.sub(r"<[^>]+>", " ", page[at : page.find('class="rule', at)])
    return " ".join(unescape(text).split())


def test_a_value_counts_as_set_by_the_shop_only_once_it_is_saved(api: Api) -> None:
    """What was typed and not saved was counted as set by the shop."""
    lin = signed_in(api)
    typed = send(lin, "preview", repeat_hours="7", digest_hour="10:00").text
    assert "set by the shop" not in typed
    assert "changed here, not saved" in rule(typed, "repeat_hours")
    assert "changed here" not in rule(typed, "followup_hours")
    assert send(lin, "save", repeat_hours="7").status_code == 303
    saved = lin.get(HERE).text
    assert "set by the shop: 1" in unescape(saved)
    assert "set by the shop" in rule(saved, "repeat_hours")
    assert "set by the shop" not in rule(saved, "digest_hour")
    reset = send(lin, "reset:repeat_hours").text
    assert "set by the shop changed here, not saved" in rule(reset, "repeat_hours"), "until that is saved too"
    assert send(lin, "save", repeat_hours="12").status_code == 303
    assert "set by the shop" not in lin.get(HERE).text


def test_what_a_change_does_to_the_last_month_stands_beside_its_rule(api: Api) -> None:
    lin = signed_in(api)
    for number in range(3):
        api.post("/v1/events", api.event(f"k{number}", text="my kettle leaks water on the table"))
        api.clock.advance(minutes=30)
    page = send(lin, "preview", recurrence_customers="5", digest_hour="10:00").text
    assert "It decides about no alert" in rule(page, "digest_hour")
    run = re.search(r"(?:effect/|run=)(run_\w+)", page)
    assert run
    assert api.services.backtest_runs.of("shop", run[1]).wait(30)
    told = "The last 30 days with this form: 0 alerts instead of 1; 0 in addition, 1 no longer."
    assert told in rule(send(lin, "preview", recurrence_customers="5").text, "recurrence_customers")
    part = lin.get(f"{HERE}/effect/{run[1]}?of=recurrence_customers,digest_hour,nothing").text
    assert 'id="recurrence_customers-effect" hx-swap-oob="true"' in part, "a page that waits is told too"
    assert told in unescape(part)
    assert "nothing-effect" not in part
    assert "Show what it does" in rule(
        send(lin, "reset:repeat_hours", burst_customers="9").text, "burst_customers"
    )


def test_a_rule_goes_back_to_its_default_while_the_others_stay_as_filled_in(api: Api) -> None:
    response = send(signed_in(api), "reset:repeat_hours", repeat_hours="7", followup_hours="9")
    assert response.status_code == 200
    form = form_of(response.text)
    assert (form["repeat_hours"], form["followup_hours"]) == (["12"], ["9"])
    assert api.services.rulebook.rules("shop") == Rules()


def test_the_effect_of_a_change_is_shown_before_it_is_saved(api: Api) -> None:
    lin = signed_in(api, name="Lin")
    for number in range(6):
        api.post("/v1/events", api.event(f"z{number}", text="the zipper of the jacket broke after one wash"))
        api.clock.advance(minutes=30)
    for number in range(3):
        api.post("/v1/events", api.event(f"k{number}", text="my kettle leaks water on the table"))
        api.clock.advance(minutes=30)
    response = send(lin, "preview", recurrence_customers="5")
    assert response.status_code == 200
    run = RUN.search(response.text) or re.search(r"run=(run_\w+)", response.text)
    assert run
    assert api.services.backtest_runs.of("shop", run[1]).wait(30)
    text = lin.text(f"{HERE}/effect/{run[1]}")
    assert "Recurrence 2 1 – 1 – 1" in text.replace("recurrence", "Recurrence")
    assert "kettle" in text
    assert api.services.rulebook.rules("shop") == Rules(), "nothing is saved"
    again = send(lin, "preview", recurrence_customers="5")
    assert f"run={run[1]}" in again.text, "the same change again is the same run, and it is done"
    assert form_of(again.text)["recurrence_customers"] == ["5"]
    assert RUN.search(signed_in(api, "product", name="Mo").get(HERE).text) is None


def test_a_suggestion_asked_for_again_after_an_alert_was_acknowledged_is_made_anew(api: Api) -> None:
    lin = signed_in(api, name="Lin")
    for number in range(4):
        api.post("/v1/events", api.event(f"z{number}", text="the zipper of the jacket broke after one wash"))
        api.clock.advance(minutes=30)
    ids = []
    for step in ("before", "acknowledge", "nothing"):
        if step == "acknowledge":
            problem = api.get("/v1/alerts").json()["items"][0]["problem"]["id"]
            assert api.post(f"/v1/problems/{problem}/acknowledge", {}).status_code == 200
        run = re.search(r"(?:effect/|run=)(run_\w+)", send(lin, "suggest").text)
        assert run
        assert api.services.backtest_runs.of("shop", run[1]).wait(30)
        ids.append(run[1])
    assert ids[0] != ids[1], "judged by what people did since"
    assert ids[1] == ids[2], "nothing happened in between"


def test_a_change_that_bears_on_no_alert_says_so_at_once(api: Api) -> None:
    response = send(signed_in(api), "preview", digest_hour="10:00")
    assert "None of these rules decides about alerts" in response.text
    assert api.services.backtest_runs.latest("shop") is None


def test_saved_rules_are_audited_and_taken_back_as_they_were(api: Api) -> None:
    lin = signed_in(api)
    assert send(lin, "save", recurrence_customers="5", digest_to=["a@example.com"]).status_code == 303
    assert send(lin, "save", recurrence_customers="6", digest_to=["b@example.com"]).status_code == 303
    undo(lin)
    rules = api.services.rulebook.rules("shop")
    assert (rules.recurrence_customers, rules.digest_to) == (5, ("a@example.com",))
    undo(lin)
    assert api.services.rulebook.rules("shop").recurrence_customers == 6, "an undo can be undone"
    actions = [entry["action"] for entry in api.get("/v1/audit").json()["items"]]
    assert actions.count("rules.changed") == 4
    assert "a@example.com" not in api.get("/v1/audit").text


def test_a_change_is_not_taken_back_over_a_later_one(api: Api) -> None:
    lin = signed_in(api)
    send(lin, "save", recurrence_customers="5")
    page = lin.get(HERE).text
    token = re.search(r'name="of" value="(\w+)"', page)
    assert token
    api.put("/v1/rules", {"recurrence_customers": 8})
    assert lin.post(f"{HERE}/undo", form_of(page)["csrf"][0], of=token[1]).status_code == 409
    assert api.services.rulebook.rules("shop").recurrence_customers == 8


def test_the_undo_of_saved_rules_never_names_those_that_somebody_saved_a_moment_later(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    lin = signed_in(api)
    put = Rulebook.put

    def just_before(self: Rulebook, caller: Principal, rules: Rules, *, over: str | None = None) -> Rules:
        stored = put(self, caller, rules, over=over)
        put(self, caller, dataclasses.replace(rules, repeat_hours=7))
        return stored

    with monkeypatch.context() as patch:
        patch.setattr(Rulebook, "put", just_before)
        assert send(lin, "save", recurrence_customers="5").status_code == 303
    page = lin.get(HERE).text
    token = re.search(r'name="of" value="(\w+)"', page)
    assert token
    assert lin.post(f"{HERE}/undo", form_of(page)["csrf"][0], of=token[1]).status_code == 409
    assert api.services.rulebook.rules("shop").repeat_hours == 7


def test_two_who_edit_at_once_do_not_overwrite_each_other_unseen(api: Api) -> None:
    lin = signed_in(api)
    was = form_of(lin.get(HERE).text)["was"]
    api.put("/v1/rules", {"refund_limit": 100})
    response = send(lin, "save", recurrence_customers="5", was=was)
    assert response.status_code == 409
    assert "Somebody else changed the rules meanwhile" in unescape(response.text)
    assert form_of(response.text)["recurrence_customers"] == ["5"]
    assert api.services.rulebook.rules("shop").recurrence_customers == 3


def test_product_teams_see_the_rules_and_cannot_set_them(api: Api) -> None:
    mo = signed_in(api, "product")
    page = mo.get(HERE).text
    assert "Only administrators change rules" in unescape(page)
    assert "Save the rules" not in page
    assert mo.post(HERE, do="save", recurrence_customers="9").status_code == 403
    assert signed_in(api, "agent", name="Ann").get(HERE).status_code == 403


def test_many_pairs_are_lines_of_one_text(api: Api) -> None:
    carriers = {f"Carrier {number}": (f"name {number}",) for number in range(100)}
    with api.store.writing("shop") as unit:
        unit.rules.put(Rules(carriers=carriers))
    lin = signed_in(api)
    lines = form_of(lin.get(HERE).text)["carriers.lines"][0]
    assert send(lin, "save", carriers__lines=lines + "\nSwiftWing = 疾羽").status_code == 303
    assert api.services.rulebook.rules("shop").carriers == {**carriers, "SwiftWing": ("疾羽",)}


def test_the_form_shows_numbers_as_people_write_them() -> None:
    sheet = sheet_of(Rules())
    assert sheet["recurrence_window_hours"] == "168"
    assert sheet["burst_likelihood"] == "666667"
    assert sheet["review_share"] == "5"
    assert sheet["digest_hour"] == "09:00"
