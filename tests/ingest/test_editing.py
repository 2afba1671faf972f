"""What an editor writes of a document, and which blocks of it an edit keeps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.documents import compose, from_text
from ingest.editing import body_of, edited
from ingest.models import Document

RETURNS = """# Returns

## Time

Within 30 days.

More.

## Cost

| Region | Fee |
|--|--|
| US | 5 |
| EU | 6 |

End."""
POLICY = from_text({"external_id": "returns", "kind": "policy", "markdown": RETURNS})
PRODUCT = from_text(
    {"external_id": "cup", "kind": "product", "title": "Cup", "text": "A cup.", "fields": {"price": 12}}
)
RESOLUTION = from_text(
    {
        "external_id": "r1",
        "kind": "resolution",
        "text": "Noted by an agent.",
        "fields": {"question": "Where is it?", "reply": "On its way.\n\nTomorrow."},
    }
)


def blocks(document: Document, text: str) -> list[tuple[str, str, tuple[str, ...]]]:
    found = edited(document, text)
    return [(block.role, found.text[block.start : block.end], block.section) for block in found.blocks]


@pytest.mark.parametrize("document", [POLICY, PRODUCT, RESOLUTION], ids=lambda item: item.kind)
def test_a_body_that_nobody_changed_gives_the_same_document_again(document: Document) -> None:
    given = {
        "external_id": document.external_id,
        "kind": document.kind,
        "title": document.title,
        "language": document.language,
        "fields": dict(document.fields),
    }
    assert compose(edited(document, body_of(document).text), given) == document


def test_a_body_is_without_what_the_fields_put_there() -> None:
    assert body_of(PRODUCT).text == "A cup."
    assert body_of(RESOLUTION).text == "Noted by an agent."
    assert body_of(POLICY).text == POLICY.text


def test_a_rewritten_line_keeps_its_block_and_a_renamed_heading_its_section() -> None:
    text = POLICY.text.replace("Within 30 days.", "Within 14 days.").replace("Cost", "Price")
    assert blocks(POLICY, text) == [
        ("heading", "Returns", ()),
        ("heading", "Time", ()),
        ("prose", "Within 14 days.", ("Time",)),
        ("prose", "More.", ("Time",)),
        ("heading", "Price", ()),
        ("row", "Region: US; Fee: 5", ("Price",)),
        ("row", "Region: EU; Fee: 6", ("Price",)),
        ("prose", "End.", ("Price",)),
    ]


def test_new_lines_are_prose_of_their_section_and_marked_ones_headings() -> None:
    text = POLICY.text.replace("More.", "More.\n\nNew.").replace("End.", "## Other\n\nEnd.")
    found = blocks(POLICY, text)
    assert ("prose", "New.", ("Time",)) in found
    assert found[-2:] == [("heading", "Other", ()), ("prose", "End.", ("Other",))]


def test_what_stood_under_a_heading_that_went_stands_under_none() -> None:
    found = blocks(POLICY, POLICY.text.replace("Cost\n\n", ""))
    assert ("row", "Region: US; Fee: 5", ()) in found


def test_a_text_that_is_new_has_its_headings_marked() -> None:
    empty = replace(POLICY, text="", blocks=())
    assert blocks(empty, "# Gifts\n\nTwo\nlines\n\n## Fee\n\nFour.\n\n## Limits\n\nNone.") == [
        ("heading", "Gifts", ()),
        ("prose", "Two\nlines", ()),
        ("heading", "Fee", ()),
        ("prose", "Four.", ("Fee",)),
        ("heading", "Limits", ()),
        ("prose", "None.", ("Limits",)),
    ]
