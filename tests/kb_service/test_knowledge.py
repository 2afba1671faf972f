"""Documents over the wire: put, uploaded, read, removed; and what may be seen when, and by whom."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from tests.kb_service.conftest import RETURNS, Api, faults, problem

QUESTION = "may unworn clothing be returned within 30 days of delivery"


def seen(api: Api, path: str = "/v1/answers", role: str = "bot", **question: Any) -> set[str]:
    """The documents that an answer, a suggestion or a search shows."""
    body = api.post(f"{path}", {"query": QUESTION, "limit": 20, **question}, role=role).json()
    if "hits" in body:
        return {hit["external_id"] for hit in body["hits"]}
    return {citation["document_id"] for answer in body["answers"] for citation in answer["citations"]}


def in_graph(api: Api) -> set[str]:
    nodes = api.get("/v1/graph").json()["nodes"]
    return {node["id"].partition(":")[2] for node in nodes if node["kind"] == "document"}


def test_a_document_is_created_changed_and_left_alone(api: Api) -> None:
    created = api.put("/v1/documents/returns", RETURNS)
    assert (created.status_code, created.json()["status"], created.json()["version"]) == (201, "created", 1)
    same = api.put("/v1/documents/returns", RETURNS)
    assert (same.status_code, same.json()["status"]) == (200, "unchanged")
    api.clock.advance(minutes=1)
    changed = api.put(
        "/v1/documents/returns", {**RETURNS, "markdown": "# Returns\n\nUnworn clothing: 60 days."}
    )
    assert (changed.status_code, changed.json()["status"], changed.json()["version"]) == (200, "updated", 2)
    found = api.get("/v1/documents/returns").json()
    assert "60 days" in found["text"]
    assert (found["kind"], found["title"], found["language"], found["audience"]) == (
        "policy",
        "Returns",
        "en",
        "public",
    )
    versions = api.get("/v1/documents/returns/versions").json()["items"]
    assert [item["version"] for item in versions] == [2, 1]
    assert "30 days" in versions[1]["text"]
    assert versions[0]["created_at"] > versions[1]["created_at"], "each version has its own moment"
    assert [
        item["external_id"] for item in api.get("/v1/documents?kind=policy&language=en").json()["items"]
    ] == ["returns"]
    assert api.get("/v1/documents?kind=faq").json()["items"] == []
    actions = [entry["action"] for entry in api.get("/v1/audit").json()["items"]]
    assert actions[:2] == ["document.updated", "document.created"]


def test_ids_with_slashes_and_other_scripts(api: Api) -> None:
    for name in ("policies/returns.md", "退货 政策", "a?b", "100%"):
        from urllib.parse import quote

        path = f"/v1/documents/{quote(name, safe='/')}"
        assert api.put(path, RETURNS).status_code == 201, name
        assert api.get(path).json()["external_id"] == name
        assert api.delete(path).status_code == 204
        problem(api.get(path), 404)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"kind": "novel"}, "kind"),
        ({"title": ""}, "title"),
        ({"title": "T\x00"}, "title"),
        ({"markdown": None}, "text"),
        ({"markdown": "  \n"}, "markdown"),
        ({"text": "both"}, "markdown"),
        ({"markdown": "nul \x00 inside"}, "markdown"),
        ({"language": "klingon"}, "language"),
        ({"audience": "everyone"}, "audience"),
        ({"status": "perhaps"}, "status"),
        ({"valid_from": "2026-03-01", "valid_to": "2026-02-01"}, "valid_to"),
        ({"valid_from": "the first of May"}, "valid_from"),
        ({"valid_from": "2026-02-30"}, "valid_from"),
        ({"supersedes": ["d"]}, "supersedes"),
        ({"supersedes": "d"}, "supersedes"),
        ({"supersedes": [1]}, "supersedes.0"),
        ({"products": ["P" * 201]}, "products.0"),
        ({"products": "SKU-1"}, "products"),
        ({"fields": {"size": [1]}}, "fields.size"),
        ({"fields": {"size": {"deep": 1}}}, "fields.size"),
        ({"metadata": 3}, "metadata"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"regionen": ["CN"]}, "regionen"),
        ({"kind": "resolution"}, "fields.question"),
    ],
)
def test_what_is_wrong_with_a_document_is_named(shared_api: Api, changed: dict[str, Any], field: str) -> None:
    sent = {name: value for name, value in {**RETURNS, **changed}.items() if value is not None}
    found = faults(shared_api.put("/v1/documents/d", sent))
    assert field in found, found
    assert found[field]
    (line,) = shared_api.batch("/v1/documents:batch", [{"external_id": "d", **sent}])
    assert line["status"] == "refused"
    assert field in {item["field"] for item in line["error"]["errors"]}
    problem(shared_api.get("/v1/documents/d"), 404)


def test_a_refused_change_loses_nothing(api: Api) -> None:
    api.put("/v1/documents/returns", RETURNS)
    faults(
        api.put("/v1/documents/returns", {**RETURNS, "valid_from": "2026-03-01", "valid_to": "2026-01-01"})
    )
    assert api.get("/v1/documents/returns").json()["version"] == 1
    assert seen(api) == {"returns"}


@pytest.mark.parametrize(
    "hidden",
    [
        {"audience": "internal"},
        {"status": "draft"},
        {"valid_to": "2026-06-01"},
        {"valid_from": "2026-07-01"},
        {"regions": ["CN"]},
        {"tiers": ["gold"]},
        {"channels": ["phone"]},
    ],
)
def test_what_a_bot_may_never_send(api: Api, hidden: dict[str, Any]) -> None:
    api.put("/v1/documents/hidden", {**RETURNS, **hidden})
    api.put("/v1/documents/shown", {**RETURNS, "title": "Returns for all"})
    asked = {"region": "US", "customer": {"id": "u", "tier": "silver"}, "channel": "app"}
    assert seen(api, **asked) == {"shown"}
    assert "hidden" not in seen(api, "/v1/search", role="bot") or set(hidden) & {
        "regions",
        "tiers",
        "channels",
    }
    internal = seen(api, "/v1/suggestions", role="agent", **asked)
    assert ("hidden" in internal) == ("audience" in hidden)


def test_a_superseded_policy_answers_for_its_own_time_only(api: Api) -> None:
    api.put("/v1/documents/old", {**RETURNS, "title": "Returns 2025", "valid_from": "2025-01-01"})
    new = {**RETURNS, "title": "Returns 2026", "valid_from": "2026-03-01", "supersedes": ["old"]}
    api.put("/v1/documents/new", new)
    assert seen(api) == {"new"}
    assert seen(api, "/v1/suggestions", role="agent") == {"new"}
    assert seen(api, as_of="2026-01-15T00:00:00Z") == {"old"}
    assert seen(api, "/v1/search", role="bot", as_of="2026-01-15T00:00:00Z") == {"old"}
    api.delete("/v1/documents/new")
    assert seen(api) == {"old"}


def test_a_removed_document_is_gone_when_the_call_returns(api: Api) -> None:
    for name in ("one", "two"):
        api.put(f"/v1/documents/{name}", {**RETURNS, "title": f"Returns {name}"})
    api.recurring(text=QUESTION)
    (found,) = api.get("/v1/problems").json()["items"]
    paths = (("/v1/answers", "bot"), ("/v1/suggestions", "agent"), ("/v1/search", "admin"))
    for path, role in paths:
        assert seen(api, path, role) == {"one", "two"}
    assert in_graph(api) == {"one", "two"}
    assert api.delete("/v1/documents/one").status_code == 204
    for path, role in paths:
        assert seen(api, path, role) == {"two"}
    assert in_graph(api) == {"two"}
    detail = api.get(f"/v1/problems/{found['id']}").json()
    linked = [item["external_id"] for part in ("answers", "policies", "resolutions") for item in detail[part]]
    assert "one" not in linked
    assert "one" not in api.get(f"/v1/problems/{found['id']}/graph").text
    problem(api.delete("/v1/documents/one"), 404)
    problem(api.get("/v1/documents/one"), 404)
    assert api.put("/v1/documents/one", RETURNS).json()["status"] == "created"
    assert "one" in seen(api)


def archive(**parts: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


LEGACY_OFFICE = (
    bytes.fromhex("d0cf11e0a1b11ae1") + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\x00" * 600
)


@pytest.mark.parametrize(
    ("name", "data", "code", "status"),
    [
        ("empty.md", b"", "empty_source", 422),
        ("blank.txt", b" \n\n ", "empty_source", 422),
        ("binary.md", bytes(range(256)) * 20, "corrupt_source", 422),
        ("cut.pdf", b"%PDF-1.7\n1 0 obj\n<<", "corrupt_source", 422),
        ("no.pdf", b"not a pdf at all", "corrupt_source", 422),
        ("cut.docx", b"PK\x03\x04broken", "corrupt_source", 422),
        ("other.docx", archive(readme=b"hello"), "corrupt_source", 422),
        ("locked.docx", LEGACY_OFFICE, "protected_source", 422),
        ("bomb.docx", archive(word__document=b"0" * 300_000_000), "source_too_large", 413),
        ("picture.png", b"\x89PNG\r\n\x1a\n", "unsupported_format", 422),
        ("noextension", b"words", "unsupported_format", 422),
        ("rows.csv", b"question\n\xff\xfe\x00", "corrupt_source", 422),
    ],
)
def test_files_that_cannot_be_read(shared_api: Api, name: str, data: bytes, code: str, status: int) -> None:
    body = problem(shared_api.post("/v1/documents:upload", files={"file": (name, data)}), status)
    assert body["type"] == f"urn:kb-service:problem:{code}"
    assert "Traceback" not in body["detail"]
    assert shared_api.get("/v1/documents").json()["items"] == []


def test_an_upload_is_a_document(api: Api) -> None:
    given = {"kind": "faq", "external_id": "note", "language": "en", "audience": "internal"}
    sent = api.post(
        "/v1/documents:upload", files={"file": ("../../etc/note.md", b"# A note\n\nSome words.")}, data=given
    )
    assert sent.json()["items"][0]["status"] == "created"
    found = api.get("/v1/documents/note").json()
    assert (found["kind"], found["title"], found["audience"]) == ("faq", "A note", "internal")
    table = "question,reply\n怎么退货?,七天内可以退货。\nHow long?,Thirty days.\n".encode()
    sent = {"files": {"file": ("faq.csv", table)}, "data": {"records": "true", "kind": "faq"}}
    assert "id_template" in faults(api.post("/v1/documents:upload", **sent))
    sent["data"] |= {"id_template": "faq-{question}", "title": "{question}", "question": "{question}"}
    rows = api.post("/v1/documents:upload", **sent).json()["items"]
    assert [row["status"] for row in rows] == ["created", "created"]
    assert len({row["external_id"] for row in rows}) == 2


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({}, "file"),
        ({"data": {"file": "words"}}, "file"),
        ({"files": {"other": ("a.md", b"x")}}, "file"),
        ({"files": {"file": ("a.md", b"# A\n\nx")}, "data": {"kind": "novel"}}, "kind"),
        ({"files": {"file": ("a.md", b"# A\n\nx")}, "data": {"records": "perhaps"}}, "records"),
        ({"files": {"file": ("a.md", b"# A\n\nx")}, "data": {"external_id": "x" * 201}}, "external_id"),
        ({"files": {"file": ("a.md", b"# A\n\nx")}, "data": {"external_id": "a\x00"}}, "external_id"),
        ({"files": {"file": ("a.md", b"# A\n\nx")}, "data": {"language": "klingon"}}, "language"),
        ({"content": b"--x", "headers": {"content-type": "multipart/form-data"}}, "body"),
        ({"content": b"--y", "headers": {"content-type": "multipart/form-data; boundary=x"}}, "body"),
    ],
)
def test_uploads_that_are_not_complete(shared_api: Api, request_: dict[str, Any], field: str) -> None:
    assert field in faults(shared_api.post("/v1/documents:upload", **request_))


def test_one_bad_row_does_not_stop_the_others(api: Api) -> None:
    lines = (
        b'{"external_id": "r1", "kind": "faq", "question": "How long?", "reply": "Thirty days."}\n'
        b"not json\n"
        b'{"external_id": "r2", "kind": "faq", "question": "How much?", "reply": "Nothing."}\n'
    )
    sent = api.post("/v1/documents:upload", files={"file": ("r.jsonl", lines)}, data={"records": "true"})
    items = sent.json()["items"]
    assert sorted(item["status"] for item in items) == ["created", "created", "refused"]
    assert api.get("/v1/documents/r2").status_code == 200
