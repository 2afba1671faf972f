"""What problems and alerts are called, and messages that give a problem neither a case nor a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from graph.models import Event, Problem
from kb_service.services import Services
from tests.conftest import FixedClock
from tests.kb_service.recurring.test_raising import (
    BROKEN,
    CALLER,
    HOUR,
    SHOP,
    alerts,
    message,
    record,
    serving,
)

MINUTE = timedelta(minutes=1)


def problems(services: Services) -> tuple[Problem, ...]:
    with services.store.reading(SHOP) as unit:
        return unit.problems.all()


def said_by_all(texts: Sequence[str], begin: datetime, id: str = "m") -> list[Event]:
    """Each text by a customer of its own."""
    return [message(f"{id}{number}", begin + number * MINUTE, text) for number, text in enumerate(texts)]


@pytest.mark.parametrize(
    "text", ["any update?", "喂", "Hey, anyone online", "谢谢你这么耐心", "还是一样", "still broken", "在吗"]
)
def test_small_talk_and_pressing_opened_problems_and_raised_alerts(
    tmp_path: Path, clock: FixedClock, text: str
) -> None:
    with serving(tmp_path / "data", clock) as services:
        results = record(services, said_by_all([text] * 6, clock.now - HOUR))
        assert not any(result.problem for result in results)
        assert problems(services) == ()
        assert alerts(services) == []


@pytest.mark.parametrize("text", ["any update?", "能给个准信吗", "不行啊还是一样", "still broken"])
def test_what_presses_joins_what_its_case_said_before(tmp_path: Path, clock: FixedClock, text: str) -> None:
    first = message("m1", clock.now - HOUR, BROKEN, "u-1")
    later = replace(message("m2", clock.now, text, "u-1"), conversation_id=first.conversation_id)
    with serving(tmp_path / "data", clock) as services:
        before, after = record(services, [first, later])
        assert before.problem is not None
        assert after.problem is not None
        assert (after.problem.id, after.problem.reason) == (before.problem.id, "same_case")
        assert not after.pending


def test_a_name_follows_its_messages_until_people_hear_of_the_problem(
    tmp_path: Path, clock: FixedClock
) -> None:
    begin = clock.now - 5 * HOUR
    texts = [
        "zipper jacket broke",
        "the zipper of the jacket broke after one wash",
        "jacket zipper broke after one wash",
    ]
    with serving(tmp_path / "data", clock) as services:
        services.rulebook.put(CALLER, replace(services.rulebook.rules(SHOP), promote_customers=50))
        record(services, said_by_all(texts[:1], begin))
        (opened,) = problems(services)
        assert opened.names["en"] == texts[0]
        record(services, said_by_all(texts, begin + MINUTE, "n"))
        (grown,) = problems(services)
        assert grown.state == "candidate"
        assert "after one wash" in grown.names["en"]


def test_a_language_that_had_borrowed_a_name_gets_its_own(tmp_path: Path, clock: FixedClock) -> None:
    begin = clock.now - 5 * HOUR
    with serving(tmp_path / "data", clock) as services:
        record(services, said_by_all(["SP30 orange ring no sound"] * 4, begin))
        (known,) = problems(services)
        assert known.state == "open"
        assert known.names["zh"] == known.names["en"]
        chinese = said_by_all(["SP30 orange ring no sound 亮橙灯"] * 5, begin + HOUR, "n")
        record(services, [replace(event, language="zh") for event in chinese])
        (known, *rest) = problems(services)
        assert not rest
        assert "橙灯" in known.names["zh"]
        assert "橙灯" not in known.names["en"]
        services.problems.rename(CALLER, known.id, {"zh": "橙灯", "en": "橙灯"})
        record(services, said_by_all(["SP30 orange ring no sound"] * 5, begin + 2 * HOUR, "o"))
        (known,) = problems(services)
        assert known.names == {"zh": "橙灯", "en": "橙灯"}


def test_an_alert_about_something_else_than_its_problem_is_called_has_a_title(
    tmp_path: Path, clock: FixedClock
) -> None:
    begin = clock.now - 5 * HOUR
    with serving(tmp_path / "data", clock) as services:
        record(services, said_by_all([BROKEN] * 2, begin))
        (known,) = problems(services)
        services.problems.rename(CALLER, known.id, {"en": "buttons of shirts", "zh": "衬衫扣子"})
        record(services, said_by_all([BROKEN] * 2, begin + MINUTE, "n"))
        (alert,) = alerts(services)
        assert alert.evidence.title is not None
        assert alert.evidence.title["en"] == BROKEN
        assert services.problems.alert(SHOP, alert.id).alert.evidence.title == alert.evidence.title


def test_an_alert_that_its_problem_is_called_by_has_no_title(tmp_path: Path, clock: FixedClock) -> None:
    with serving(tmp_path / "data", clock) as services:
        record(services, said_by_all([BROKEN] * 4, clock.now - HOUR))
        (alert,) = alerts(services)
        assert alert.evidence.title is None


def test_an_erasure_takes_a_title_that_quotes_the_customer(tmp_path: Path, clock: FixedClock) -> None:
    begin = clock.now - 5 * HOUR
    texts = [f"hello, {BROKEN} thanks", f"{BROKEN} indeed", f"{BROKEN} indeed now"]
    with serving(tmp_path / "data", clock) as services:
        record(services, said_by_all(texts[:2], begin))
        (known,) = problems(services)
        services.problems.rename(CALLER, known.id, {"en": "buttons of shirts", "zh": "衬衫扣子"})
        record(services, said_by_all(texts[2:], begin + HOUR, "n"))
        (alert,) = alerts(services)
        title = alert.evidence.title
        assert title is not None
        assert title["en"] in texts[1]
        services.casework.erase_customer(CALLER, "u-m1")
        (alert,) = alerts(services)
        assert alert.evidence.title is None
