"""Texts, JSON and times on their way into the store."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from kb_service.store.columns import Moment, Words, dump_json, storable

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=30)


@given(ANYTHING)
def test_a_storable_text_can_be_stored_and_keeps_its_length(text: str) -> None:
    stored = storable(text)
    assert len(stored) == len(text)
    assert "\x00" not in stored
    stored.encode()
    if "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text):
        assert stored == text
    assert Words().process_bind_param(text, sqlite.dialect()) == stored


@given(
    st.recursive(
        ANYTHING | st.none() | st.integers() | st.floats(),
        lambda inner: st.lists(inner) | st.dictionaries(ANYTHING, inner),
    )
)
def test_any_value_makes_json_that_a_database_takes(value: object) -> None:
    text = dump_json(value)
    text.encode()
    assert "\x00" not in str(json.loads(text, parse_constant=pytest.fail))


def test_what_json_cannot_say_is_replaced() -> None:
    value = {"a\ud800": ("\x00", float("inf"), [float("nan"), -1.5])}
    assert json.loads(dump_json(value)) == {"a\ufffd": ["\ufffd", None, [None, -1.5]]}
    assert dump_json({"a": "\udc00"}) == '{"a":"\ufffd"}'


def test_json_stays_readable() -> None:
    assert dump_json({"文": ["字", "\\u0000 as written"]}) == '{"文":["字","\\\\u0000 as written"]}'
    assert json.loads(dump_json({"文": "\\u0000 as written"})) == {"文": "\\u0000 as written"}


def test_moments_are_utc_at_rest() -> None:
    moment = datetime(2026, 6, 18, 12, tzinfo=timezone(timedelta(hours=8)))
    column = Moment()
    assert column.process_bind_param(moment, sqlite.dialect()) == datetime(2026, 6, 18, 4)
    at_rest = column.process_bind_param(moment, postgresql.dialect())
    assert at_rest == moment
    assert at_rest is not None
    assert at_rest.tzinfo is UTC
    assert column.process_result_value(datetime(2026, 6, 18, 4), sqlite.dialect()) == moment
    assert column.process_bind_param(None, sqlite.dialect()) is None
    assert column.process_result_value(None, sqlite.dialect()) is None
    with pytest.raises(ValueError, match="timezone"):
        column.process_bind_param(datetime(2026, 6, 18), sqlite.dialect())
