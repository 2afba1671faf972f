"""What every request passes through: limits, the queue, ids, languages, and bodies that cannot be read."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kb_service import middleware
from tests.conftest import FixedClock
from tests.kb_service.conftest import Api, faults, problem, running
from tests.kb_service.routes_seen import BODIES, GUARDED, request_of

JSON = {"content-type": "application/json"}
SMALL = 20_000


@pytest.fixture
def small(tmp_path: Path, clock: FixedClock) -> Iterator[Api]:
    limits = {
        "max_body_bytes": SMALL,
        "max_upload_bytes": 2 * SMALL,
        "max_line_bytes": 2000,
        "max_query_chars": 100,
    }
    with running(tmp_path / "small", clock, **limits) as api:
        yield api


def in_pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), 1000):
        yield content[start : start + 1000]


def test_a_body_that_says_it_is_too_large(small: Api) -> None:
    huge = json.dumps({"query": "x" * SMALL}).encode()
    detail = problem(small.post("/v1/answers", content=huge, headers=JSON), 413)["detail"]
    assert str(SMALL) in detail


def test_a_body_that_turns_out_too_large(small: Api) -> None:
    huge = json.dumps({"query": "x" * SMALL}).encode()
    for headers in (JSON, {**JSON, "Idempotency-Key": "k"}):
        for path in ("/v1/answers", "/v1/events"):
            problem(small.post(path, content=in_pieces(huge), headers=headers), 413)
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n' + b"a" * 3 * SMALL
    sent = {"content": in_pieces(form), "headers": {"content-type": "multipart/form-data; boundary=x"}}
    problem(small.post("/v1/documents:upload", **sent), 413)


def test_an_upload_may_be_larger_than_a_body_and_a_batch_has_no_end(small: Api) -> None:
    text = b"# Words\n\n" + b"some words " * 2500
    assert small.post("/v1/documents:upload", files={"file": ("a.md", text)}).status_code == 200
    results = small.batch("/v1/events:batch", [small.event(f"m{number}") for number in range(200)])
    assert {item["status"] for item in results} == {"accepted"}
    (late,) = small.batch("/v1/events:batch", [small.event("big", text="x" * 2000)])
    assert "2000 bytes" in late["error"]["detail"]


def test_a_question_that_is_too_long(small: Api) -> None:
    for path in ("answers", "suggestions", "search", "route"):
        assert "100" in faults(small.post(f"/v1/{path}", {"query": "x" * 101}))["query"]
    assert "query" in faults(small.post("/v1/answers", {"turns": [{"role": "customer", "text": "x" * 101}]}))


WITH_JSON = [route for route in GUARDED if route in BODIES]


@pytest.mark.parametrize("route", WITH_JSON)
@pytest.mark.parametrize(
    ("content", "field", "said"),
    [
        (b"", "body", "required"),
        (b"{", "body", "JSON at character"),
        (b"\x89PNG\r\n\x1a\n\x00", "body", "UTF-8"),
        ('{"query": "退货"}'.encode("gb18030"), "body", "UTF-8"),
        (b"[" * 200_000, "body", "nested"),
        (b'{"x": ' + b"9" * 5000 + b"}", "body", "digits"),
        (b"[]", "body", "object"),
        (b'"text"', "body", "object"),
        (b"null", "body", ""),
    ],
    ids=["empty", "cut off", "binary", "wrong encoding", "deep", "digits", "list", "text", "null"],
)
def test_bodies_that_cannot_be_read(
    shared_api: Api, route: str, content: bytes, field: str, said: str
) -> None:
    request = request_of(route)
    request.pop("json")
    optional = {"POST /v1/assignments", "POST /v1/cases/{id}/handover", "POST /v1/cases/{id}/resolve"}
    if route in optional and content in (b"", b"null"):
        return
    found = faults(shared_api.call(content=content, headers=JSON, **request))
    assert list(found) == [field]
    assert said in found[field]


@pytest.mark.parametrize("route", WITH_JSON)
def test_unknown_fields_are_named(shared_api: Api, route: str) -> None:
    request = request_of(route)
    request["json"] = {**request["json"], "colour": "red"}
    assert "colour" in faults(shared_api.call(**request))


def test_a_body_of_another_type(shared_api: Api) -> None:
    for headers in (
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
    ):
        response = shared_api.post("/v1/answers", content=b'{"query": "x"}', headers=headers)
        assert "application/json" in faults(response)["Content-Type"]


def test_many_faults_are_counted_and_not_all_listed(shared_api: Api) -> None:
    body = problem(shared_api.post("/v1/answers", {f"field{number}": 1 for number in range(500)}), 422)
    assert len(body["errors"]) == 50
    assert "500" in body["detail"]


def test_odd_names_of_fields_come_back_safely(shared_api: Api) -> None:
    for name in ("\ud800", "x" * 10_000, "{field}", "\x00", "a.b"):
        content = json.dumps({"query": "x", name: 1}).encode()
        body = problem(shared_api.post("/v1/answers", content=content, headers=JSON), 422)
        assert len(json.dumps(body)) < 2000


LISTS = [
    "/v1/agents",
    "/v1/intents",
    "/v1/documents",
    "/v1/webhooks",
    "/v1/webhooks/team/deliveries",
    "/v1/cases",
    "/v1/problems",
    "/v1/alerts",
    "/v1/proposals",
    "/v1/audit",
]


@pytest.mark.parametrize("path", LISTS)
def test_bounds_and_cursors_of_lists(shared_api: Api, path: str) -> None:
    shared_api.put("/v1/webhooks/team", {"url": "https://example.com/hook", "types": ["alert.opened"]})
    for limit in ("0", "201", "-1", "many", "1.5", "9" * 30):
        assert "limit" in faults(shared_api.get(f"{path}?limit={limit}")), limit
    for cursor in ("nonsense", "%00", "AAAA", "é", "W10", "x" * 501):
        assert "cursor" in faults(shared_api.get(f"{path}?cursor={cursor}")), cursor
    assert shared_api.get(f"{path}?limit=200").status_code == 200


@pytest.mark.parametrize("id", ["a\x00b", "x" * 201])
def test_ids_in_paths_are_checked(shared_api: Api, id: str) -> None:
    for route in GUARDED:
        if "{" in route:
            request = request_of(route, id.replace("\x00", "%00"))
            assert shared_api.call(**request).status_code in (404, 422), route


def test_what_is_not_offered(shared_api: Api) -> None:
    assert problem(shared_api.get("/v1/nothing"), 404)["title"] == "Not found"
    response = shared_api.call("PATCH", "/v1/rules")
    problem(response, 405)
    assert response.headers["Allow"] == "GET"
    assert problem(shared_api.get("/v1/nothing", headers={"Accept-Language": "zh"}), 404)["title"] == "未找到"


def test_problem_details_speak_the_callers_language(shared_api: Api) -> None:
    chinese = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}
    body = problem(shared_api.post("/v1/answers", {"limit": 0}, headers=chinese), 422)
    assert body["title"] == "请求内容有误"
    assert {item["message"] for item in body["errors"]} == {"不能小于 1"}
    missing = problem(shared_api.get("/v1/problems/p_x", headers=chinese), 404)
    assert missing["detail"] == "本工作区没有问题 p_x。"
    document = {
        "kind": "faq",
        "title": "T",
        "text": "x",
        "valid_from": "2026-02-01",
        "valid_to": "2026-01-01",
    }
    refused = problem(shared_api.put("/v1/documents/d", document, headers=chinese), 422)
    assert refused["detail"].startswith("文档的“valid_to”有误")
    (line,) = shared_api.batch("/v1/events:batch", [{"id": "m"}], headers=chinese)
    assert line["error"]["title"] == "请求内容有误"
    assert problem(shared_api.get("/v1/rules", role=None, headers=chinese), 401)["title"] == "需要有效的密钥"


def test_every_response_carries_an_id(shared_api: Api) -> None:
    paths = ("/health/live", "/v1/rules", "/v1/nothing")
    made = [shared_api.get(path).headers["X-Request-Id"] for path in paths]
    assert len(set(made)) == 3
    for path in paths:
        assert shared_api.get(path, headers={"X-Request-Id": "mine-1"}).headers["X-Request-Id"] == "mine-1"
    for bad in ("a b", "x" * 101, "<script>"):
        assert shared_api.get("/v1/rules", headers={"X-Request-Id": bad}).headers["X-Request-Id"] != bad


def test_a_fault_of_ours_tells_nothing(shared_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("the secret is kb_123")

    monkeypatch.setattr(type(shared_api.services.rulebook), "rules", fail)
    response = shared_api.get("/v1/rules")
    body = problem(response, 500)
    assert "secret" not in response.text
    assert body["title"]
    assert response.headers["X-Request-Id"]


def test_too_many_at_once_wait_and_are_then_refused(
    tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "WAIT_SECONDS", 0.2)
    held, free = threading.Event(), threading.Event()
    with running(tmp_path / "busy", clock, max_concurrency=1) as api, ThreadPoolExecutor() as pool:
        rules = type(api.services.rulebook).rules

        def slow(self: Any, workspace: str) -> Any:
            held.set()
            free.wait(20)
            return rules(self, workspace)

        monkeypatch.setattr(type(api.services.rulebook), "rules", slow)
        first = pool.submit(api.get, "/v1/rules")
        assert held.wait(20)
        refused = api.get("/v1/rules")
        problem(refused, 503)
        assert int(refused.headers["Retry-After"]) >= 1
        assert api.get("/health/live").status_code == 200
        assert 'kb_requests_refused_total{reason="busy"} 1.0' in api.services.metrics.render().decode()
        free.set()
        assert first.result().status_code == 200
        assert api.get("/v1/rules").status_code == 200


def test_what_is_not_ready_says_when_to_come_back(shared_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingest.errors import EncoderUnavailable
    from kb_service.errors import NotReady, Overloaded

    for error in (
        NotReady("The workspace {workspace} is still loading.", workspace="shop", retry_after=3),
        Overloaded("the store is busy with another write; try again", retry_after=2),
        EncoderUnavailable("the model is gone"),
    ):

        def fail(*_: Any, error: Exception = error, **__: Any) -> None:
            raise error

        monkeypatch.setattr(type(shared_api.services.rulebook), "rules", fail)
        monkeypatch.setattr(type(shared_api.services.casework), "record", fail)
        monkeypatch.setattr(type(shared_api.services.knowledge), "put_many", fail)
        response = shared_api.get("/v1/rules")
        problem(response, 503)
        assert int(response.headers["Retry-After"]) > 0
        for path, line in (
            ("/v1/events:batch", shared_api.event("m")),
            ("/v1/documents:batch", {"external_id": "d", "kind": "faq", "title": "T", "text": "x"}),
        ):
            (result,) = shared_api.batch(path, [line])
            assert (result["status"], result["error"]["status"]) == ("refused", 503)


def test_metrics_and_readiness(shared_api: Api) -> None:
    assert shared_api.get("/health/live", role=None).json() == {"status": "live"}
    ready = shared_api.get("/health/ready", role=None)
    assert ready.json()["status"] == "ready"
    shared_api.get("/v1/problems/p_some_id")
    metrics = shared_api.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert 'route="/v1/problems/{id}"' in metrics.text
    assert "p_some_id" not in metrics.text
