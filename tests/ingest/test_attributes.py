"""Attributes as files and requests hold them, and as documents keep them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import attributes
from ingest.errors import InvalidDocument

SHANGHAI = ZoneInfo("Asia/Shanghai")
EAST8 = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    ("value", "zone", "expected"),
    [
        ("2026-03-01", UTC, datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01", SHANGHAI, datetime(2026, 3, 1, tzinfo=EAST8)),
        (" 2026-03-01T09:30:00 ", SHANGHAI, datetime(2026, 3, 1, 9, 30, tzinfo=EAST8)),
        ("2026-03-01T09:30:00Z", SHANGHAI, datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("2026-03-01T09:30:00+08:00", UTC, datetime(2026, 3, 1, 9, 30, tzinfo=EAST8)),
        (date(2026, 3, 1), SHANGHAI, datetime(2026, 3, 1, tzinfo=EAST8)),
        (datetime(2026, 3, 1, 8), UTC, datetime(2026, 3, 1, 8, tzinfo=UTC)),
        (datetime(2026, 3, 1, 8, tzinfo=SHANGHAI), UTC, datetime(2026, 3, 1, 8, tzinfo=EAST8)),
    ],
)
def test_moments(value: object, zone: ZoneInfo, expected: datetime) -> None:
    found = attributes.moment("valid_from", value, zone)
    assert found == expected
    assert repr(found) == repr(expected)


@pytest.mark.parametrize(
    "value", ["", "tomorrow", "2026-13-01", "01.03.2026", 20260301, True, "2026-02-30", "0001-01-01", None]
)
def test_what_is_no_moment(value: object) -> None:
    with pytest.raises(InvalidDocument) as caught:
        attributes.moment("valid_from", value, SHANGHAI)
    assert caught.value.field == "valid_from"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("A, B,A", ("A", "B")),
        ("甲，乙、丙；丁", ("甲", "乙", "丙", "丁")),
        (["A", " B ", 3, ""], ("A", "B", "3")),
        (("A",), ("A",)),
        (7, ("7",)),
        ("", ()),
        ([], ()),
        (["a, b"], ("a, b",)),
    ],
)
def test_lists(value: object, expected: tuple[str, ...]) -> None:
    assert attributes.texts("products", value) == expected


@pytest.mark.parametrize(
    "value", [{"a": 1}, True, [["a"]], [None], ["a\x00"], ["x" * 201], ["a"] * 501, b"ab"]
)
def test_what_is_no_list(value: object) -> None:
    with pytest.raises(InvalidDocument) as caught:
        attributes.texts("products", value)
    assert caught.value.field == "products"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("zh", "zh"),
        ("zh-CN", "zh"),
        ("zh_Hant_TW", "zh"),
        ("EN", "en"),
        ("English", "en"),
        ("中文", "zh"),
        ("und", "und"),
    ],
)
def test_languages(value: str, expected: str) -> None:
    assert attributes.language("language", value) == expected


@pytest.mark.parametrize("value", ["klingon", "z", "", 5.5, "zh CN", ["zh"]])
def test_what_is_no_language(value: object) -> None:
    with pytest.raises(InvalidDocument):
        attributes.language("language", value)


@pytest.mark.parametrize("value", ["javascript:alert(1)", "/returns", "https://", "http://a b", "ftp://x", 3])
def test_what_is_no_url(value: object) -> None:
    with pytest.raises(InvalidDocument):
        attributes.url("url", value)


def test_flat_fields() -> None:
    value = {
        "价格": 299.0,
        "n": 3,
        "ok": True,
        "none": None,
        "text": " a\r\nb\x00 ",
        "on": date(2026, 3, 1),
        7: "seven",
    }
    assert attributes.scalars("fields", value) == {
        "价格": 299.0,
        "n": 3,
        "ok": True,
        "none": None,
        "text": "a\nb",
        "on": "2026-03-01",
        "7": "seven",
    }


@pytest.mark.parametrize(
    ("value", "field", "remedy"),
    [
        ({"colours": ["red"]}, "fields.colours", "join"),
        ({"size": {"w": 1}}, "fields.size", "object"),
        ({"price": float("nan")}, "fields.price", "finite"),
        ({"": 1}, "fields (a name)", "empty"),
        (["a"], "fields", "mapping"),
        ({str(n): n for n in range(501)}, "fields", "500"),
    ],
)
def test_what_is_no_field(value: object, field: str, remedy: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        attributes.scalars("fields", value)
    assert caught.value.field == field
    assert remedy in caught.value.message


def test_nearest_name_is_told() -> None:
    with pytest.raises(InvalidDocument, match='did you mean "valid_from"'):
        attributes.known_names(["valid_form"], {"valid_from", "valid_to"})
    with pytest.raises(InvalidDocument, match="known are valid_from, valid_to"):
        attributes.known_names(["zzz"], {"valid_from", "valid_to"})


@settings(deadline=None)
@given(st.text(max_size=60))
def test_clean_text_has_no_control_character(value: str) -> None:
    cleaned = attributes.clean(value)
    assert attributes.clean(cleaned) == cleaned
    assert all(
        character in "\n\t" or character.isprintable() or ord(character) > 159 for character in cleaned
    )
    cleaned.encode()


@settings(deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_blanking_keeps_the_length(value: str) -> None:
    blanked = attributes.blanked(value)
    assert len(blanked) == len(value)
    blanked.encode()
    assert "\x00" not in blanked
