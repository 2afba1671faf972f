"""Files uploaded to the console: shown first, stored when they are published, and not before."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from kb_service.store import tables
from tests.ingest.source_files import xlsx
from tests.kb_service.conftest import Api
from tests.kb_service.console.visitors import CSRF, Browser, signed_in

WRAPPING = b"""---
valid_from: 2026-01-01
valid_to: 2026-02-01
---
# Gift wrapping

## Fee

Wrapping costs $4 per item. Call 13812345678.
"""


@pytest.fixture
def editor(api: Api) -> Browser:
    return signed_in(api, "editor")


def upload(editor: Browser, *files: tuple[str, bytes], **fields: str) -> str:
    """Send files; where the preview is, or what the page says instead."""
    csrf = CSRF.search(editor.get("/console/knowledge/upload").text)
    assert csrf
    response = editor.client.post(
        "/console/knowledge/upload",
        data={"csrf": csrf[1], **fields},
        files=[("file", (name, data)) for name, data in files],
        headers={"accept-language": editor.language},
        follow_redirects=False,
    )
    return response.headers.get("location") or response.text


def edition(page: str) -> str:
    found = re.search(r'name="edition" value="(\d+)"', page)
    assert found
    return found[1]


def publish(editor: Browser, preview: str, *, but: str = "-", also: tuple[str, ...] = ()) -> str:
    page = editor.get(preview).text
    keys = re.findall(r'name="document" value="([^"]+)" checked', page)
    csrf = CSRF.search(page)
    assert csrf
    chosen = [key for key in keys if key != but] + list(also)
    looked_at = dict(re.findall(r'name="(over-[^"]+)" value="([^"]+)"', page))
    sent = {"csrf": csrf[1], "edition": edition(page), "document": chosen, **looked_at}
    response = editor.client.post(f"{preview}/publish", data=sent, follow_redirects=False)
    return str(response.headers.get("location") or response.text)


def test_a_preview_tells_what_would_be_stored_and_stores_nothing(api: Api, editor: Browser) -> None:
    preview = upload(editor, ("wrapping.md", WRAPPING))
    page = editor.text(preview)
    assert "Gift wrapping policy English new wrapping.md" in page
    assert "valid from 2026-01-01" in page
    assert "Its validity is over" in page
    assert "This looks like personal data and would be stored as it stands: telephone × 1" in page
    assert re.search(r"Fee text · characters \d+ to \d+ Wrapping costs", page)
    assert api.get("/v1/documents").json()["items"] == []
    assert publish(editor, preview) == "/console/documents/wrapping.md"
    assert api.get("/v1/documents/wrapping.md").json()["title"] == "Gift wrapping"
    assert editor.get(preview).status_code == 404


def test_personal_data_is_masked_and_marked_before_anything_is_held(api: Api, editor: Browser) -> None:
    rows = b"id,question,reply\nr1,My number is 13812345678,We called you.\n"
    preview = upload(editor, ("past.csv", rows), kind="resolution", records="true", id_template="r-{id}")
    page = editor.get(preview).text
    assert '<span class="chip" title="[PHONE]">phone number</span>' in page
    assert "13812345678" not in page
    with api.store.reading("shop") as unit:
        (held,) = unit.held._read(unit.held.table.select()).all()
    assert "13812345678" not in str(held.content)


def test_what_cannot_be_read_is_told_and_the_rest_is_published(api: Api, editor: Browser) -> None:
    files = (
        ("good.txt", b"Delivery is free from 50 euros."),
        ("tool.exe", b"MZ"),
        ("blank.md", b" "),
        ("cut.txt", b"\x00\x01\x02\x03" * 40),
    )
    preview = upload(editor, *files)
    page = editor.text(preview)
    assert "This format is not read" in page
    assert "It holds no text." in page
    assert "It is damaged, no text, or in an encoding that nothing explains" in page
    assert publish(editor, preview) == "/console/documents/good.txt"
    assert [item["external_id"] for item in api.get("/v1/documents").json()["items"]] == ["good.txt"]


@pytest.mark.parametrize(
    ("name", "english", "chinese"),
    [
        ("bad.pdf", "export it as a PDF again", "请重新导出为 PDF"),
        ("bad.xlsx", "open it in the program that made it", "请用原来的软件打开"),
        ("bad.txt", "save it as UTF-8", "请另存为 UTF-8"),
    ],
)
def test_a_broken_file_is_told_how_its_kind_is_mended_in_the_readers_language_alone(
    editor: Browser, name: str, english: str, chinese: str
) -> None:
    preview = upload(editor, (name, b"\x00\x01\x02\x03" * 40))
    told = editor.text(preview)
    assert english in told
    assert ("UTF-8" in told) == (name == "bad.txt")
    editor.language = "zh"
    page = editor.get(preview).text
    told = page.split('class="refused"')[1].split("</div>")[0]
    assert chinese in told
    assert "damaged" not in told and "not a" not in told


def test_an_old_encoding_is_read_as_it_was_meant(editor: Browser) -> None:
    preview = upload(
        editor, ("退货.txt", "未穿过的衣服可在三十天内退货，请保留吊牌和包装。".encode("gb18030"))
    )
    assert "未穿过的衣服可在三十天内退货" in editor.text(preview)


def test_only_what_is_chosen_is_published_and_what_is_the_same_is_not(api: Api, editor: Browser) -> None:
    first = upload(editor, ("one.txt", b"One thing."), ("two.txt", b"Another thing."))
    publish(editor, first, but="0.0")
    assert [item["external_id"] for item in api.get("/v1/documents").json()["items"]] == ["two.txt"]
    again = upload(editor, ("one.txt", b"One thing."), ("two.txt", b"Another thing."))
    page = editor.text(again)
    assert "the same as now" in page
    assert publish(editor, again) == "/console/documents/one.txt"


def test_discarding_leaves_nothing(api: Api, editor: Browser) -> None:
    preview = upload(editor, ("one.txt", b"One thing."))
    assert editor.post(f"{preview}/discard").status_code == 303
    assert editor.get(preview).status_code == 404
    assert api.get("/v1/documents").json()["items"] == []
    with api.store.reading("shop") as unit:
        assert unit.held._read(unit.held.table.select()).all() == []


def test_a_preview_is_its_uploaders_alone_and_ends(api: Api, editor: Browser) -> None:
    preview = upload(editor, ("one.txt", b"One thing."))
    assert signed_in(api, "editor", name="Mo").get(preview).status_code == 404
    api.clock.advance(hours=3)
    told = editor.get(preview)
    assert told.status_code == 404
    assert "start again" in told.text


def test_no_file_and_too_many_are_refused_in_words(editor: Browser) -> None:
    assert "choose at least one file" in upload(editor, ("", b""))
    many = [(f"{number}.txt", b"Something.") for number in range(21)]
    assert "choose at most 20 files at once" in upload(editor, *many)


def test_agents_upload_nothing(api: Api) -> None:
    assert signed_in(api, "agent").get("/console/knowledge/upload").status_code == 403


def test_more_documents_than_anybody_looks_through_are_refused(api: Api, editor: Browser) -> None:
    rows = "id,text\n" + "".join(f"{number},Thing {number}.\n" for number in range(501))
    fields = {"records": "true", "id_template": "t-{id}", "title": "{text}"}
    said = upload(editor, ("many.csv", rows.encode()), **fields)
    assert "more than 500 documents" in said
    assert "kb ingest" in said
    with api.store.reading("shop") as unit:
        assert unit.held._read(unit.held.table.select()).all() == []


def test_a_preview_is_looked_at_in_pages_and_published_as_one(api: Api, editor: Browser) -> None:
    rows = "id,text\n" + "".join(f"{number:03},Thing {number} is here.\n" for number in range(95))
    fields = {"records": "true", "id_template": "t-{id}", "title": "{text}"}
    preview = upload(editor, ("many.csv", rows.encode()), **fields)
    first, last = editor.get(preview).text, editor.get(f"{preview}?page=3").text
    assert first.count('name="document"') == 40
    assert last.count('name="document"') == 15
    assert "Page 3 of 3" in last
    assert len(first.encode()) < 100_000
    editor.post(f"{preview}/publish", document="0.0", besides="1", edition="1")
    stored = [item["external_id"] for item in api.get("/v1/documents?limit=200").json()["items"]]
    assert len(stored) == 56
    assert "t-001" not in stored


def test_a_preview_that_has_ended_is_gone_after_the_night_though_nobody_uploads_again(
    api: Api, editor: Browser
) -> None:
    upload(editor, ("wrapping.md", WRAPPING))
    api.clock.advance(hours=30)
    assert held(api) == 1
    assert ("shop", "tidy") in api.services.nightly.look(["tidy"])
    assert held(api) == 0


def held(api: Api) -> int:
    with api.services.store.reading("shop") as unit:
        counted = select(func.count()).select_from(tables.held_documents)
        return int(unit.held._read(counted).scalar_one())


FAQ = "编号,问题,答复,类目\n1,怎么退货?,签收后七天内可退。,售后\n2,怎么开发票?,在订单里申请。,发票\n".encode()


def read_as(editor: Browser, preview: str, reading: str, text: list[str], **fields: str) -> int:
    page = editor.get(preview).text
    csrf = CSRF.search(page)
    assert csrf
    sent = {
        "csrf": csrf[1],
        "edition": edition(page),
        "file": "0",
        "reading": reading,
        "text": text,
        **fields,
    }
    return editor.client.post(f"{preview}/table", data=sent, follow_redirects=False).status_code


def test_a_table_is_read_as_one_document_or_one_for_each_row_before_it_is_published(
    api: Api, editor: Browser
) -> None:
    preview = upload(editor, ("faq.csv", FAQ), kind="faq")
    page = editor.get(preview).text
    assert page.count('name="document"') == 1
    assert re.findall(r'<option value="([^"]+)" selected', page) == ["问题", "问题", "编号"], "guessed"
    assert 'name="text" value="答复" form="table-0" checked' in page
    parts = {"title": "问题", "question": "问题", "row_id": "编号"}
    assert read_as(editor, preview, "rows", ["答复"], **parts) == 303
    page = editor.get(preview).text
    assert page.count('name="document"') == 2
    assert "怎么开发票?" in page
    assert read_as(editor, preview, "one", []) == 303
    assert editor.get(preview).text.count('name="document"') == 1
    assert read_as(editor, preview, "rows", ["答复"], **parts) == 303
    assert api.get("/v1/documents").json()["items"] == []
    publish(editor, preview)
    document = api.get("/v1/documents/faq-2").json()
    assert document["fields"] == {"question": "怎么开发票?", "reply": "在订单里申请。", "类目": "发票"}


def test_rows_without_a_column_that_tells_them_apart_go_by_their_number(api: Api, editor: Browser) -> None:
    preview = upload(editor, ("notes.csv", b"name,note\nLamp,Warm light.\nLamp,Cold light.\n"))
    assert read_as(editor, preview, "rows", ["note"], title="name", row_id="#") == 303
    publish(editor, preview)
    assert api.get("/v1/documents/notes-2").json()["text"].endswith("Cold light.")
    assert "#" not in api.get("/v1/documents/notes-1").json()["fields"]


def test_a_column_that_there_is_not_and_a_preview_that_was_read_otherwise_are_refused(
    api: Api, editor: Browser
) -> None:
    preview = upload(editor, ("faq.csv", FAQ), kind="faq")
    assert read_as(editor, preview, "rows", ["nowhere"], title="问题") == 422
    assert read_as(editor, preview, "rows", ["答复"], title="问题") == 303
    assert editor.post(f"{preview}/publish", document="0.0", edition="1").status_code == 409
    assert editor.post(f"{preview}/publish", document="0.0").status_code == 422
    assert api.get("/v1/documents").json()["items"] == []


def test_rows_of_a_workbook_are_documents_too(api: Api, editor: Browser) -> None:
    rows = [("sku", "name", "story"), ("L1", "Lamp", "It shines."), ("T1", "Table", "It stands.")]
    preview = upload(editor, ("goods.xlsx", xlsx({"Goods": rows})), kind="product")
    assert read_as(editor, preview, "rows", ["story"], title="name", row_id="sku") == 303
    publish(editor, preview)
    assert {item["external_id"] for item in api.get("/v1/documents").json()["items"]} == {
        "goods-L1",
        "goods-T1",
    }


def test_a_document_that_somebody_wrote_after_the_preview_is_not_written_over_unseen(
    api: Api, editor: Browser
) -> None:
    preview = upload(editor, ("one.txt", b"One thing."), ("two.txt", b"Another thing."))
    new = {"kind": "policy", "title": "One", "text": "Written by a colleague.", "language": "en"}
    sent = {"document": ["0.0", "1.0"], "edition": "1", "csrf": CSRF.search(editor.get(preview).text)[1]}  # type: ignore[index]
    api.put("/v1/documents/one.txt", new)
    response = editor.client.post(f"{preview}/publish", data=sent, follow_redirects=False)
    assert response.headers["location"] == preview
    said = editor.text(preview)
    assert "Look at what somebody changed meanwhile: one.txt." in said
    assert "it stands as version 1" in said
    page = editor.get(preview).text
    assert api.get("/v1/documents/one.txt").json()["text"] == "Written by a colleague."
    assert api.get("/v1/documents/two.txt").status_code == 200
    assert 'name="over-0.0" value="1"' in page
    difference = page.partition('class="diff"')[2].partition("</ol>")[0]
    assert "colleague" in difference and "thing" in difference
    publish(editor, preview, also=("0.0",))
    assert api.get("/v1/documents/one.txt").json()["text"] == "One thing."
    assert editor.get(preview).status_code == 404


def test_what_was_changed_again_while_somebody_looked_at_the_difference_waits_again(
    api: Api, editor: Browser
) -> None:
    new = {"kind": "policy", "title": "One", "text": "Written by a colleague.", "language": "en"}
    preview = upload(editor, ("one.txt", b"One thing."))
    api.put("/v1/documents/one.txt", new)
    page = editor.get(preview).text
    csrf = CSRF.search(page)
    assert csrf
    api.put("/v1/documents/one.txt", {**new, "text": "And again."})
    sent = {"csrf": csrf[1], "edition": edition(page), "document": "0.0", "over-0.0": "1"}
    response = editor.client.post(f"{preview}/publish", data=sent, follow_redirects=False)
    assert response.headers["location"] == preview
    assert api.get("/v1/documents/one.txt").json()["text"] == "And again."
