"""Statements of passages: one for each quantity and permission, with what it is about and where it stands."""

from __future__ import annotations

from ingest.models import Passage, Role
from ingest.statements import Statement, statements


def of(text: str, *, role: Role = "prose", section: tuple[str, ...] = (), start: int = 0) -> list[Statement]:
    context = " › ".join(("Policy", *section))
    passage = Passage("p1", "d1", 1, 0, role, text, start, start + len(text), section, context)
    return list(statements("Policy", [passage]))


def test_each_quantity_of_a_sentence_is_about_its_own_clause() -> None:
    general, platinum = of("You have 15 days to return an item, 30 days for platinum members.")
    assert general.quantity is not None and general.quantity.low == 360 and not general.own.parties
    assert platinum.quantity is not None and platinum.quantity.low == 720
    assert platinum.own.parties == {"platinum"}


def test_a_condition_before_the_comma_holds_for_the_quantity_after_it() -> None:
    (statement,) = of("如果出现质量问题，30 天内有效。")
    assert statement.own.conditions == {"faulty"}


def test_a_clause_with_two_amounts_is_cut_between_them() -> None:
    free, below, fee = of("单笔实付满 ¥99 包邮，不足 ¥99 收取运费 ¥8。")
    assert free.own.matters == {"free_delivery"}
    assert fee.quantity is not None and fee.quantity.low == 8 and fee.own.matters == {"delivery_fee"}
    assert below.quantity is not None and below.quantity.bound == "below"


def test_the_cells_of_a_row_are_about_its_first_cell() -> None:
    first, second = of("商品：DK05 升降桌；保修期：60 个月；桌板保修期：24 个月", role="row")
    assert first.own.codes == second.own.codes == {"DK05"}
    assert first.own.matters == {"warranty"}


def test_a_year_tells_columns_apart_but_in_a_title_it_does_not() -> None:
    (new,) = of("项目：包邮门槛；2027 年起：满 ¥119", role="row")
    assert new.own.conditions == {"2027"}
    (dated,) = of("满 ¥119 包邮。", section=("2027 版",))
    assert not dated.around.conditions


def test_permission_and_prohibition_are_told_with_their_act() -> None:
    (refused,) = of("下列商品拆开密封包装之后，不支持无理由退货。")
    assert refused.permits is False and refused.acts == {"returning"} and refused.own.conditions == {"opened"}
    (_, allowed) = of("EB20 earbuds may be returned within 15 days even if the seal is broken.")
    assert allowed.permits is True and allowed.acts == {"returning"} and allowed.qualified
    assert allowed.own.codes == {"EB20"}


def test_a_sentence_that_both_allows_and_refuses_is_no_permission() -> None:
    assert not of("已发货的取消不了，可以申请退货。")
    assert not of("Opened items cannot be returned, unopened ones may be returned.")


def test_what_follows_a_prohibition_tells_of_other_cases_unless_it_limits_it() -> None:
    (refused,) = of("封条撕开后不支持无理由退货，质量问题照常处理。")
    assert refused.own.conditions == {"opened"}
    (limited,) = of("Earbuds can be returned, but only if still sealed.")
    assert limited.own.conditions == {"unopened"} and limited.qualified


def test_headings_say_what_a_statement_is_around() -> None:
    (statement,) = of("Ask within 180 days.", section=("Invoices",))
    assert statement.around.objects == {"invoice"} and not statement.own.objects


def test_questions_placeholders_and_headings_state_nothing() -> None:
    assert not of("Can I return it within 15 days?")
    assert not of("15 天内可以退吗？")
    assert not of("We refund {refund.amount} within 3 days.")
    assert not of("15 天无理由退货", role="heading") and not of("7 天能退吗", role="question")


def test_offsets_are_those_of_the_document() -> None:
    text = "Welcome. Orders leave within 48 hours."
    (statement,) = of(text, start=100)
    assert (
        text[statement.start - 100 : statement.end - 100] == statement.text == "Orders leave within 48 hours."
    )
    assert statement.passage_id == "p1"
