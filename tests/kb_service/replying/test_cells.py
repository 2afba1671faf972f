"""Fields and rows as labels with values: which one is asked for, and what a product does not have."""

from __future__ import annotations

from typing import Any

from ingest.models import Passage
from kb_service.replying.asking import ask
from kb_service.replying.cells import cells, find, introduced, lead_in, rows_that_answer


def passage(ordinal: int, role: Any, text: str, section: tuple[str, ...] = ()) -> Passage:
    return Passage(
        f"p{ordinal}", "d", 1, ordinal, role, text, 1000 * ordinal, 1000 * ordinal + len(text), section, ""
    )


FIELDS = [
    passage(0, "field", "品牌: 声澜"),
    passage(1, "field", "保修期: 12 个月"),
    passage(2, "field", "材质: 面料：全棉；填充：蚕丝"),
    passage(3, "field", "香型: 茉莉"),
]
SPEC = [
    passage(0, "row", "Item: Battery; Value: 9 h (ANC off); with case 36 h", ("Specs",)),
    passage(1, "row", "Item: Price / warranty; Value: ¥399 / 12 months", ("Specs",)),
]
REFUNDS = [
    passage(0, "prose", "Refunds take this long:"),
    passage(1, "row", "Paid with: Gift card; Time: 2 hours", ("Time",)),
    passage(2, "row", "Paid with: Debit card; Time: 3–5 days", ("Time",)),
    passage(3, "row", "Paid with: Credit card; Time: 5–7 days", ("Time",)),
]


def test_a_field_keeps_its_value_untouched_whatever_stands_in_it() -> None:
    (cell,) = cells(FIELDS[2])
    assert (cell.label, cell.value) == ("材质", "面料：全棉；填充：蚕丝")


def test_rows_of_properties_are_cells_and_joint_ones_come_apart() -> None:
    (battery,) = cells(SPEC[0])
    assert (battery.label, battery.value) == ("Battery", "9 h (ANC off); with case 36 h")
    assert [(cell.label, cell.value) for cell in cells(SPEC[1])] == [
        ("Price", "¥399"),
        ("warranty", "12 months"),
    ]
    assert cells(REFUNDS[1]) == ()


def test_the_label_is_in_the_readers_language_where_it_is_known_in_both() -> None:
    ((cell, asked),) = find("how long is the warranty", FIELDS[0], FIELDS, None, names=()).cells
    assert cell.named("en", asked) == "Warranty"
    assert cell.named("zh", asked) == "保修期"
    (scent,) = cells(FIELDS[3])
    assert scent.named("en") == "香型"


def test_a_field_is_found_from_any_other_of_its_document() -> None:
    assert find("保修多久", FIELDS[0], FIELDS, None, names=()).cells[0][0].passage is FIELDS[1]
    assert find("是什么香型的", FIELDS[0], FIELDS, None, names=()).cells[0][0].passage is FIELDS[3]


def test_a_field_that_the_product_does_not_have_is_not_answered_by_another() -> None:
    assert not find("续航多久", FIELDS[1], FIELDS, None, names=()).fits
    assert not find("采样率是多少", FIELDS[1], FIELDS, None, names=()).fits
    assert find("保修多久", FIELDS[1], FIELDS, None, names=()).fits


def test_labels_of_other_wording_are_found_by_meaning() -> None:
    def likeness(texts: list[str]) -> list[float]:
        return [0.8 if "香型" in text else 0.1 for text in texts]

    found = find("smells like what", FIELDS[0], FIELDS, likeness, names=())  # type: ignore[arg-type]
    assert found.fits and found.cells[0][0].passage is FIELDS[3]


def test_the_words_of_a_products_name_tell_no_field_apart() -> None:
    fields = [passage(0, "field", "香型: 茉莉"), passage(1, "field", "茉莉香薰: 三支")]
    assert (
        find("茉莉香薰是什么香型", fields[1], fields, None, names=("茉莉香薰",)).cells[0][0].passage
        is fields[0]
    )


def test_the_row_that_is_named_or_the_whole_table() -> None:
    debit = rows_that_answer(REFUNDS[2], REFUNDS, ask("how long for a debit card"))
    assert debit == (REFUNDS[2],)
    assert rows_that_answer(REFUNDS[1], REFUNDS, ask("how long for a debit card")) == (REFUNDS[2],)
    assert rows_that_answer(REFUNDS[1], REFUNDS, ask("how long does it take")) == tuple(REFUNDS[1:])


def test_what_introduces_a_table() -> None:
    assert lead_in(REFUNDS[3], REFUNDS) is REFUNDS[0]
    assert introduced(REFUNDS[0], REFUNDS) is REFUNDS[1]
    assert lead_in(SPEC[1], SPEC) is None


def test_what_has_no_label_is_found_where_a_value_speaks_of_it() -> None:
    fields = [
        passage(0, "field", "SKU: CH06"),
        passage(1, "field", "重量: 17 kg"),
        passage(2, "field", "卖点: 承重 136 kg，4D 扶手"),
    ]
    ((cell, _),) = find("CH06 承重多少", fields[0], fields, None, names=()).cells
    assert cell.passage is fields[2]


def test_a_feature_that_no_field_speaks_of_is_not_answered_by_another() -> None:
    fields = [
        passage(0, "field", "接口与连接: Bluetooth 5.2"),
        passage(1, "field", "卖点: 1.47 英寸屏，不带 GPS"),
    ]
    told = find("BD5 有 GPS 吗", fields[0], fields, None, names=())
    assert (told.fits, told.cells[0][0].passage) == (True, fields[1])
    assert not find("支持 LDAC 吗", fields[0], fields, None, names=()).fits
