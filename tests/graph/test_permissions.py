"""What a case asks of permissions, and who has enough."""

from __future__ import annotations

import pytest

from graph.models import Agent, Entity
from graph.permissions import Grant, asked_for, covers, granted, within_reach


def agent(*permissions: str) -> Agent:
    return Agent("a", "a", permissions=permissions)


def amount(value: float) -> Entity:
    return Entity("amount", f"{value:.2f} CNY", 0, 3)


@pytest.mark.parametrize(
    ("text", "named", "order", "asked"),
    [
        ("我要退款 450 元", 450.0, None, ("refund:450",)),
        ("I want my money back", None, 99.5, ("refund:99.5",)),
        ("退货退款", 80.0, 300.0, ("refund:80",)),
        ("赔偿我 200 元", 200.0, None, ("compensate:200",)),
        ("你们要赔偿", None, 300.0, ()),
        ("我要退款", None, None, ()),
        ("what does the lamp for $450 weigh", 450.0, None, ()),
    ],
)
def test_what_a_message_asks_for(
    text: str, named: float | None, order: float | None, asked: tuple[str, ...]
) -> None:
    entities = [amount(named)] if named is not None else []
    found = asked_for(text, entities, sensitive_flow=None, order_value=order)
    assert tuple(grant.word for grant in found) == asked


def test_the_largest_amount_counts_and_a_sensitive_flow_asks_for_a_level() -> None:
    found = asked_for("refund me, or I sue", [amount(20), amount(700)], sensitive_flow="legal")
    assert [grant.word for grant in found] == ["refund:700", "level-2"]


@pytest.mark.parametrize(
    ("permissions", "grant", "enough"),
    [
        (("refund:300",), Grant("refund", 300), True),
        (("refund:300",), Grant("refund", 301), False),
        (("Refund: 500",), Grant("refund", 450), True),
        (("refund:100", "refund:500"), Grant("refund", 450), True),
        (("compensate:900",), Grant("refund", 1), False),
        (("level-1",), Grant("level", 2), False),
        (("level-3",), Grant("level", 2), True),
        (("team-lead",), Grant("level", 2), True),
        (("approve",), Grant("level", 2), False),
    ],
)
def test_who_may_do_that(permissions: tuple[str, ...], grant: Grant, enough: bool) -> None:
    assert covers(agent(*permissions), grant) is enough
    assert (grant.word in granted(agent(*permissions), [grant]).permissions) is enough or permissions == (
        grant.word,
    )


def test_kinds_that_nobody_has_ask_nothing() -> None:
    grants = [Grant("refund", 100), Grant("level", 2)]
    assert within_reach(grants, [agent("refund:50"), agent("refund:300")]) == (Grant("refund", 100),)
    assert within_reach(grants, [agent("approve")]) == ()


def test_what_is_beyond_everybody_goes_to_those_who_may_do_most() -> None:
    few, many = agent("refund:300"), agent("refund:2000")
    (asked,) = within_reach([Grant("refund", 9000)], [few, many])
    assert asked == Grant("refund", 2000)
    assert (covers(few, asked), covers(many, asked)) == (False, True)
