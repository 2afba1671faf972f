"""Everything that is wrong with a document, told at once."""

from __future__ import annotations

from ingest.document_faults import faults
from ingest.documents import compose
from ingest.errors import EmptySource, InvalidDocument
from ingest.models import Extract

SOUND = {"external_id": "d", "kind": "policy", "title": "Delivery"}
TEXT = Extract("Delivery is free.", ())


def named(extract: Extract, **wrong: object) -> list[str]:
    found = faults(extract, {**SOUND, **wrong})
    return [error.field if isinstance(error, InvalidDocument) else type(error).__name__ for error in found]


def test_a_sound_document_has_no_fault() -> None:
    compose(TEXT, SOUND)
    assert faults(TEXT, SOUND) == ()


def test_every_fault_is_told_once() -> None:
    wrong = {"kind": "song", "url": "nowhere", "valid_from": "soon", "supersedes": ["d"], "audience": "cats"}
    assert sorted(named(TEXT, **wrong)) == ["audience", "kind", "supersedes", "url", "valid_from"]


def test_an_empty_text_hides_no_other_fault() -> None:
    assert named(Extract("", ()), url="nowhere") == ["EmptySource", "url"]
    assert isinstance(faults(Extract(" ", ()), SOUND)[0], EmptySource)


def test_an_end_before_its_beginning_is_the_ends_fault_alone() -> None:
    assert named(TEXT, valid_from="2026-03-01", valid_to="2026-02-01") == ["valid_to"]
    assert named(TEXT, valid_from="soon", valid_to="2026-02-01") == ["valid_from"]


def test_both_halves_that_lack_are_told() -> None:
    assert named(TEXT, kind="resolution") == ["fields.question", "fields.reply"]


def test_a_name_that_is_none_ends_the_search() -> None:
    assert named(TEXT, colour="red", url="nowhere") == ["colour", "url"]
