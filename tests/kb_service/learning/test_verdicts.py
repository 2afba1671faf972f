"""What people's verdicts say: the last word counts, a reopening undoes it, and no voice outweighs the others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_service.learning.verdicts import SHARE, Told, kept, told, weights
from kb_service.store import Exposure, Feedback, Judgement, Review, ShownAnswer

AT = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)
LATER = AT + timedelta(days=30)
SOURCE = "Unworn clothing may be returned within 30 days of delivery. We pay the postage."


def exposure(**changes: object) -> Exposure:
    values: dict[str, object] = {
        "id": "x1",
        "at": AT,
        "route": "suggestions",
        "query": "may I return it",
        "language": "en",
        "action": "suggest",
        "reason": "for_an_agent",
        "confidence": 0.8,
        "answers": (ShownAnswer("a2", "other", 1, 0.1), ShownAnswer("a1", "returns", 2, 0.8)),
        "customer_id": "u-1",
        "case_id": "case-1",
    }
    return Exposure(**(values | changes))  # type: ignore[arg-type]


def feedback(*outcomes: tuple[str, float], **details: object) -> tuple[Feedback, ...]:
    """Outcomes of the best answer, each so many hours after it was shown."""
    return tuple(
        Feedback(f"f{n}", "x1", "a1", outcome, AT + timedelta(hours=hours), **details)  # type: ignore[arg-type]
        for n, (outcome, hours) in enumerate(outcomes)
    )


def heard(*given: Feedback, now: datetime = LATER, reopened: set[str] | None = None) -> Told | None:
    judged = Judgement(exposure(), given)
    found = told([judged], now=now, reopened=reopened or set(), source={"returns": SOURCE}.get)
    return found[0] if found else None


def right(*given: Feedback, **more: object) -> bool | None:
    found = heard(*given, **more)  # type: ignore[arg-type]
    return found.right if found is not None else None


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([("accepted", 1)], True),
        ([("resolved", 1)], True),
        ([("rejected", 1)], False),
        ([("accepted", 1), ("rejected", 2)], False),
        ([("rejected", 1), ("accepted", 2)], True),
        ([("accepted", 1), ("reopened", 72)], False),
        ([("accepted", 1), ("reopened", 74)], True),
        ([("reopened", 5)], False),
        ([("edited", 1)], None),
        ([], None),
    ],
)
def test_the_last_word_counts_and_a_reopening_within_three_days_undoes_it(
    outcomes: list[tuple[str, float]], expected: bool | None
) -> None:
    assert right(*feedback(*outcomes)) is expected


def test_feedback_tells_nothing_until_it_cannot_be_reopened_any_more() -> None:
    given = feedback(("accepted", 1))
    assert right(*given, now=AT + timedelta(hours=72)) is None
    assert right(*given, now=AT + timedelta(hours=73)) is True
    assert right(*feedback(("rejected", 1)), now=AT + timedelta(hours=2)) is None, (
        "else only failures were new"
    )


def test_a_case_that_came_back_was_not_helped() -> None:
    assert right(*feedback(("accepted", 1)), reopened={"case-1"}) is False
    assert right(*feedback(("accepted", 1)), reopened={"case-2"}) is True


def test_an_edit_is_right_when_little_changed() -> None:
    same = "Hello! Unworn clothing may be returned within 30 days of delivery."
    assert right(*feedback(("edited", 1), final_text=same)) is True
    assert right(*feedback(("edited", 1), final_text="No, sale items are never taken back by us.")) is False
    assert (
        kept("未穿过的衣服签收后三十天内可以退货,运费由我们承担", "未穿过的衣服签收后三十天内可以退货。")
        is True
    )
    assert kept("", SOURCE) is False


@pytest.mark.parametrize(("verdict", "expected"), [("right", True), ("wrong", False), ("harmful", False)])
def test_a_verdict_on_an_edit_outweighs_how_many_words_were_kept(verdict: str, expected: bool) -> None:
    text = "No, sale items are never taken back by us." if expected else SOURCE
    given = feedback(("edited", 1), final_text=text)
    judged = Judgement(exposure(), given, edits={given[0].id: verdict})  # type: ignore[dict-item]
    (found,) = told([judged], now=LATER, reopened=(), source={"returns": SOURCE}.get)
    assert found.right is expected
    assert found.voter is not None


def test_only_what_is_said_of_the_best_answer_is_about_the_confidence() -> None:
    other = Feedback("f", "x1", "a2", "rejected", AT)
    assert right(other) is None
    assert right(other, *feedback(("accepted", 1))) is True


@pytest.mark.parametrize(("verdict", "expected"), [("right", True), ("wrong", False), ("harmful", False)])
def test_a_review_outweighs_feedback_and_counts_at_once(verdict: str, expected: bool) -> None:
    review = Review("r", "x1", AT, "text", (), "done", verdict, decided_at=AT + timedelta(hours=1))  # type: ignore[arg-type]
    judged = Judgement(exposure(), feedback(("rejected" if expected else "accepted", 1)), review)
    (found,) = told([judged], now=AT + timedelta(hours=2), reopened=(), source={}.get)
    assert found == Told(judged, expected, AT + timedelta(hours=1), None)


def test_the_voice_is_the_agents_else_the_customers() -> None:
    assert getattr(heard(*feedback(("accepted", 1), agent_id="a-7")), "voter", "") == "agent a-7"
    assert getattr(heard(*feedback(("accepted", 1))), "voter", "") == "customer u-1"
    nameless = Judgement(exposure(customer_id=None), feedback(("accepted", 1)))
    (found,) = told([nameless], now=LATER, reopened=(), source={}.get)
    assert found.voter == "nobody"


@given(st.lists(st.sampled_from([None, *"abcdefghijklmnopqrstuvwxyz"]), max_size=200), st.floats(1, 100))
def test_no_voice_weighs_more_than_its_share(voters: list[str | None], prior: float) -> None:
    counting = weights(voters, prior)
    total = prior + sum(counting)
    for voice in set(voters) - {None}:
        own = sum(weight for voter, weight in zip(voters, counting, strict=True) if voter == voice)
        assert own <= SHARE * total + 1e-9
    assert all(weight == 1 for voter, weight in zip(voters, counting, strict=True) if voter is None)
    assert all(0 < weight <= 1 for weight in counting)


def test_many_quiet_voices_count_in_full_and_a_loud_one_is_held() -> None:
    voters = [f"quiet-{number}" for number in range(100)] + ["loud"] * 900
    counting = weights(voters, 50)
    assert counting[:100] == [1.0] * 100
    assert sum(counting[100:]) == pytest.approx(SHARE * (50 + 100) / (1 - SHARE))
