"""Rules tried on the past in the console: in the background, one at a time, drawn and told alert by alert."""

from __future__ import annotations

import re
import threading
from html import unescape

import pytest

from kb_service.long_runs import Told
from tests.kb_service.conftest import Api
from tests.kb_service.console.visitors import Browser, signed_in

HERE = "/console/backtest"
ZIP = "the zipper of the jacket broke after one wash"
KETTLE = "my kettle leaks water on the table"


@pytest.fixture
def busy(api: Api) -> Api:
    """Six customers about a zipper, three about a kettle, on one day of the shop."""
    for name, text, many in (("z", ZIP, 6), ("k", KETTLE, 3)):
        for number in range(many):
            assert api.post("/v1/events", api.event(f"{name}{number}", text=text)).status_code == 200
            api.clock.advance(minutes=60)
    return api


def send(visitor: Browser, **fields: str) -> str:
    """Where the form leads."""
    csrf = re.search(r'name="csrf" value="(\w+)"', visitor.get(HERE).text)
    assert csrf
    form = {"since": "2026-06-01", "until": "2026-06-18", **fields}
    response = visitor.post(HERE, csrf[1], **form)
    assert response.status_code == 303, unescape(re.sub(r"<[^>]+>", " ", response.text))
    return response.headers["location"]


def drawn(api: Api, visitor: Browser, **fields: str) -> str:
    """The address of a backtest that is done."""
    place = send(visitor, **fields).partition("#")[0]
    assert api.services.backtest_runs.of("shop", place.partition("run=")[2]).wait(30)
    return place


def test_the_past_is_drawn_and_told_alert_by_alert(busy: Api) -> None:
    mo = signed_in(busy, "product")
    assert "its chart appears here" in mo.text(HERE)
    place = drawn(busy, mo, recurrence_customers="5")
    page = mo.get(place).text
    assert page.count('class="mark"') == 3
    for shape, count in (("raised", 2), ("present", 2), ("tried", 1)):
        assert re.search(rf'class="{shape}"', page)
        assert f"({count})" in page
    assert "06-18 · would come under the rules tried · 1: recurrence" in unescape(page)
    text = mo.text(place)
    assert "Recurrence: customers: 3 → 5" in text
    assert "2 h later" in text
    assert re.search(r"kettle\S* .*recurrence 2026-06-18 \d\d:\d\d – no longer comes", text)


def test_a_part_of_the_span_is_looked_at_by_hours_and_a_problem_alone(busy: Api) -> None:
    mo = signed_in(busy, "product")
    place = drawn(busy, mo, until="2026-06-25")
    week = re.search(r'href="([^"]*begin=[^"]*)">from 06-15', mo.get(place).text)
    assert week
    day = re.search(r'href="([^"]*begin=[^"]*)">06-18<', mo.get(unescape(week[1])).text)
    assert day
    page = mo.get(unescape(day[1]).partition("#")[0]).text
    assert "Messages an hour" in page
    assert "12:00" in page
    problem = re.search(r'<option value="([^"]+)" ?>[^<]*kettle', page)
    assert problem
    alone = mo.text(f"{place}&problem={problem[1]}")
    assert "raised at the time (1)" in alone
    assert "3 messages" in alone


def test_a_run_is_told_of_while_it_goes_and_a_second_is_refused(
    busy: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, on = threading.Event(), threading.Event()
    run = busy.services.backtesting.run

    def held(workspace: str, trial: object, told: Told) -> object:
        told(0.4)
        going.set()
        assert on.wait(30)
        return run(workspace, trial)  # type: ignore[arg-type]

    monkeypatch.setattr(type(busy.services.backtesting), "run", lambda self, *args: held(*args))
    mo, lin = signed_in(busy, "product", name="Mo"), signed_in(busy, name="Lin")
    place = send(mo)
    assert going.wait(30)
    assert "It is being computed: 40 %" in mo.text(place.partition("#")[0])
    id = re.search(r"run_\w+", place)
    assert id
    part = mo.get(f"{HERE}/runs/{id[0]}")
    assert "HX-Refresh" not in part.headers
    assert 'hx-trigger="every 1s"' in part.text
    assert send(mo) == place, "the same again is the run that is going"
    csrf = re.search(r'name="csrf" value="(\w+)"', lin.get(HERE).text)
    assert csrf
    second = lin.post(HERE, csrf[1], since="2026-06-01", until="2026-06-10", recurrence_customers="7")
    assert second.status_code == 409
    assert "Another computation of this kind is running" in unescape(second.text)
    assert 'value="7"' in second.text, "what was filled in stays"
    on.set()
    assert busy.services.backtest_runs.of("shop", id[0]).wait(30)
    assert mo.get(f"{HERE}/runs/{id[0]}").headers["HX-Refresh"] == "true"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"since": "2026-06-30"}, "must be before"),
        ({"since": "2026-01-01"}, "must be at most 90 days before the end"),
        ({"since": "yesterday"}, "must be a date with its year"),
        ({"recurrence_customers": "1"}, "must be at least 2"),
    ],
)
def test_what_cannot_be_tried_is_told_next_to_its_field(busy: Api, fields: dict[str, str], said: str) -> None:
    mo = signed_in(busy, "product")
    csrf = re.search(r'name="csrf" value="(\w+)"', mo.get(HERE).text)
    assert csrf
    response = mo.post(HERE, csrf[1], **{"since": "2026-06-01", "until": "2026-06-18", **fields})
    assert response.status_code == 422
    wrong = [unescape(text) for text in re.findall(r'class="wrong">([^<]*)', response.text)]
    assert any(said in text for text in wrong), wrong


def test_a_run_that_is_forgotten_says_so(busy: Api) -> None:
    mo = signed_in(busy, "product")
    assert "no longer kept" in mo.text(f"{HERE}?run=run_gone")


def test_another_shop_sees_nothing_of_it(busy: Api) -> None:
    place = drawn(busy, signed_in(busy, "product"))
    stranger = signed_in(busy, "product", workspace="other", name="Ann")
    assert "kettle" not in stranger.text(place)
    gone = stranger.get(place.replace("?run=", "/runs/"))
    assert "no longer kept" in gone.text
    assert gone.headers["HX-Refresh"] == "true"


def test_agents_are_not_admitted(busy: Api) -> None:
    assert signed_in(busy, "agent").get(HERE).status_code == 403


def test_what_is_no_effect_of_rules_is_not_put_down_to_them(busy: Api) -> None:
    """In a shop where no rule changed, alerts added and lost were put down to rules changed since."""
    mo = signed_in(busy, "product")
    text = mo.text(drawn(busy, mo))
    assert "No rule was changed, so rules make no difference here." in text
    assert "placed provisionally and were settled since" in text
    tried = mo.text(drawn(busy, mo, recurrence_customers="5"))
    assert "No rule was changed" not in tried
    assert "Then: under the rules in force. Now: under the rules tried." in tried


def test_the_backtest_reads_as_chinese_and_its_problems_stand_by_name(busy: Api) -> None:
    """It said "8 小时 提前" and "新增: 5", and listed 100 problems in no order that one sees."""
    mo = signed_in(busy, "product")
    place = drawn(busy, mo, recurrence_customers="5")
    page = mo.get(place).text
    names = re.findall(r'<option value="p_[^"]+" ?>([^<]+)', page)
    assert len(names) == 2
    assert names == sorted(names, key=str.casefold)
    text = signed_in(busy, "product", name="Lin", language="zh-CN").text(place)
    assert "推迟 2 小时" in text
    assert "推迟：1" in text
    assert "不再出现：1" in text
