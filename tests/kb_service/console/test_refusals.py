"""What is refused before any page is reached is told as a page too, and to a part of one as a word above it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.exceptions import HTTPException

from kb_service import middleware
from kb_service.console.error_pages import ADVISED
from kb_service.console.guard import HEADERS
from kb_service.console.words import EN, ZH
from kb_service.errors import ServiceError
from kb_service.recurring.problem_board import ProblemBoard
from tests.conftest import FixedClock
from tests.kb_service.conftest import Api, running
from tests.kb_service.console.visitors import Browser, browser, signed_in

SMALL = 3_000_000
PART = {"hx-request": "true", "accept-language": "zh"}


@pytest.fixture
def small(tmp_path: Path, clock: FixedClock) -> Iterator[Api]:
    with running(tmp_path / "small", clock, max_body_bytes=SMALL, max_upload_bytes=2 * SMALL) as api:
        yield api


def is_page(response: Any) -> bool:
    same = {name: response.headers.get(name) for name in HEADERS}
    return str(response.headers["content-type"]).startswith("text/html") and same == dict(HEADERS)


def in_pieces(size: int) -> Iterator[bytes]:
    for _ in range(0, size, 10_000):
        yield b"a" * 10_000


@pytest.mark.parametrize("announced", [True, False])
def test_what_is_too_large_is_told_as_a_page_that_says_what_to_do(small: Api, announced: bool) -> None:
    visitor = signed_in(small, "editor", language="zh")
    content = b"text=" + b"a" * SMALL if announced else in_pieces(SMALL + 20_000)
    headers = {"content-type": "application/x-www-form-urlencoded", "accept-language": "zh"}
    refused = visitor.client.post("/console/knowledge/save", content=content, headers=headers)
    assert refused.status_code == 413
    assert is_page(refused)
    assert "发送的内容超过 2 MB" in refused.text
    assert ZH["advice 413"] in refused.text


def test_a_part_of_a_page_gets_the_word_alone_and_the_page_keeps_what_is_typed(small: Api) -> None:
    visitor = signed_in(small, "editor")
    headers = {**PART, "content-type": "application/x-www-form-urlencoded"}
    refused = visitor.client.post("/console/knowledge/save", content=b"a" * (SMALL + 1), headers=headers)
    assert refused.status_code == 413
    assert is_page(refused)
    assert "<html" not in refused.text
    assert 'id="fault-told"' in refused.text
    assert ZH["advice 413"] in refused.text
    told = {name: refused.headers[name] for name in ("hx-retarget", "hx-reselect", "hx-reswap")}
    assert told == {"hx-retarget": "#fault", "hx-reselect": "#fault-told", "hx-reswap": "innerHTML show:top"}
    assert 'id="fault"' in visitor.get("/console/problems").text


def test_programs_still_get_problem_details(small: Api) -> None:
    refused = small.post("/v1/answers", content=b"a" * (SMALL + 1))
    assert refused.status_code == 413
    assert refused.headers["content-type"] == "application/problem+json"
    outside = browser(small).client.post("/consoles", content=b"a" * (SMALL + 1))
    assert outside.headers["content-type"] == "application/problem+json"


def test_a_busy_service_tells_people_to_wait_as_a_page_that_opens_by_itself(
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
        refused = api.client.get("/console/sign-in", headers={"accept-language": "zh"})
        part = api.client.get("/console/sign-in", headers=PART)
        free.set()
        assert first.result().status_code == 200
    assert (refused.status_code, part.status_code) == (503, 503)
    assert is_page(refused)
    assert ZH["advice 503"] in refused.text
    wait = refused.headers["retry-after"]
    assert f'<meta http-equiv="refresh" content="{wait}">' in refused.text
    assert "<html" not in part.text


def test_a_form_that_met_a_busy_service_is_not_sent_again_by_itself(
    shared_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> object:
        raise HTTPException(429, headers={"Retry-After": "3"})

    visitor = signed_in(shared_api)
    monkeypatch.setattr(ProblemBoard, "one", busy)
    shown = visitor.get("/console/problems/p1")
    assert (shown.status_code, shown.headers["retry-after"]) == (429, "3")
    assert EN["advice 429"] in shown.text
    assert 'content="3"' in shown.text
    monkeypatch.setattr(type(shared_api.services.keyring), "create", busy)
    sent = visitor.post("/console/administration/keys", label="x", roles="bot")
    assert sent.status_code == 429
    assert "refresh" not in sent.text


def test_a_fault_of_ours_names_the_place_in_the_log(shared_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> object:
        raise RuntimeError("the secret of the shop")

    visitor = signed_in(shared_api)
    monkeypatch.setattr(ProblemBoard, "one", fails)
    failed = visitor.get("/console/problems/p1")
    assert failed.headers["x-request-id"] in failed.text
    assert "secret" not in failed.text


def test_a_role_that_is_missing_is_told_as_a_persons(shared_api: Api) -> None:
    refused = signed_in(shared_api, "agent").get("/console/administration/keys")
    assert "You may not do that" in refused.text
    assert "This key" not in refused.text
    assert EN["advice 403"] in refused.text


def test_every_status_has_its_advice_in_both_languages() -> None:
    assert {key for key in EN if key.startswith("advice ")} == {f"advice {status}" for status in ADVISED}
    assert all(f"advice {status}" in ZH for status in ADVISED)


def test_a_status_without_words_of_its_own_is_told_by_its_hundred(
    shared_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> object:
        raise HTTPException(418)

    visitor = signed_in(shared_api)
    monkeypatch.setattr(ProblemBoard, "one", fails)
    assert EN["advice 400"] in visitor.get("/console/problems/p1").text
    monkeypatch.setattr(ProblemBoard, "one", lambda *_: (_ for _ in ()).throw(ServiceError("x")))
    assert EN["advice 500"] in visitor.get("/console/problems/p1").text


def test_a_part_asked_for_without_a_session_leads_to_signing_in_and_back(shared_api: Api) -> None:
    """The page for signing in was put into the part, or the part was emptied."""
    asked = {**PART, "hx-current-url": "http://testserver/console/problems?view=all"}
    sent = browser(shared_api).client.get("/console/desk/rows", headers=asked, follow_redirects=False)
    assert sent.status_code == 204
    assert sent.headers["hx-redirect"] == "/console/sign-in?next=/console/problems%3Fview%3Dall"


def test_a_form_sent_without_a_session_leads_back_to_its_page_and_a_page_to_what_was_asked(
    shared_api: Api,
) -> None:
    """It led to the address of the form, which is no page: 405 after signing in."""
    visitor = browser(shared_api)
    form = visitor.client.post(
        "/console/administration/keys",
        headers={"referer": "http://testserver/console/administration/keys?x=1"},
        follow_redirects=False,
    )
    assert form.headers["location"] == "/console/sign-in?next=/console/administration/keys%3Fx%3D1"
    assert (
        visitor.get("/console/search?q=red+coat")
        .headers["location"]
        .endswith("next=/console/search%3Fq%3Dred%2Bcoat")
    )
    long = visitor.get(f"/console/search?q={'x' * 600}").headers["location"]
    assert long == "/console/sign-in?next="
    assert visitor.get(long).status_code == 200


def test_the_way_back_of_a_part_leads_into_the_console_and_nowhere_else(shared_api: Api) -> None:
    asked = {**PART, "hx-current-url": "https://evil.example//evil.example/console"}
    visitor = browser(shared_api)
    sent = visitor.client.get("/console/desk/rows", headers=asked, follow_redirects=False)
    assert sent.headers["hx-redirect"].startswith("/console/sign-in?next=")
    page = Browser(visitor.client).get(sent.headers["hx-redirect"]).text
    _, token = shared_api.services.accounts.invite("shop", "Lin", ("agent",))
    assert 'name="next" value="//evil' not in page
    gone_on = visitor.post("/console/sign-in", token=token, next="//evil.example/console")
    assert gone_on.headers["location"] == "/console"
