"""Logs that machines can read and that hold no secret; metrics that say what the service does."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families

from kb_service.observability import Metrics, configure_logging
from kb_service.settings import Settings
from tests.kb_service.command_line import logging_kept
from tests.kb_service.conftest import LATE, RETURNS, Api


@dataclass(frozen=True)
class Logged:
    """JSON logging as a server has it, from `begin` on."""

    capsys: pytest.CaptureFixture[str]

    def begin(self) -> None:
        self.capsys.readouterr()
        configure_logging(Settings(log_format="json", log_level="debug"))

    def __call__(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.capsys.readouterr().err.splitlines()]


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Logged]:
    with logging_kept():
        yield Logged(capsys)


def test_each_line_is_one_json_object_with_level_and_time(logged: Logged) -> None:
    logged.begin()
    structlog.stdlib.get_logger("kb").info("包裹", count=3, text="两行\n文字")
    logging.getLogger("a.library").warning("with %s", "arguments")
    first, second = logged()
    assert (first["event"], first["count"], first["level"]) == ("包裹", 3, "info")
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["level"]) == ("with arguments", "warning")


def test_an_exception_is_one_line_too(logged: Logged) -> None:
    logged.begin()
    try:
        raise ValueError("broken")
    except ValueError as error:
        structlog.stdlib.get_logger("kb").error("failed", exc_info=error)
    (line,) = logged()
    assert "ValueError: broken" in line["exception"]


@pytest.mark.parametrize(
    "key", ["authorization", "Authorization", "secret", "api_key", "key", "password", "token"]
)
def test_secrets_are_hidden_by_their_name(logged: Logged, key: str) -> None:
    logged.begin()
    structlog.stdlib.get_logger("kb").info("event", **{key: "open-sesame"})
    structlog.stdlib.get_logger("kb").info("event", nested={key: "open-sesame", "id": 1})
    first, second = logged()
    assert first[key] == "***"
    assert second["nested"] == {key: "***", "id": 1}


def test_the_level_is_respected(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_kept():
        configure_logging(Settings(log_format="json", log_level="warning"))
        structlog.stdlib.get_logger("kb").info("quiet")
        structlog.stdlib.get_logger("kb").warning("loud")
        assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["loud"]


def test_auto_is_json_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_kept():
        configure_logging(Settings(log_format="auto"))
        structlog.stdlib.get_logger("kb").info("event")
        assert json.loads(capsys.readouterr().err)["event"] == "event"


def test_the_console_form_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_kept():
        configure_logging(Settings(log_format="console"))
        structlog.stdlib.get_logger("kb").info("event", password="open-sesame")
        written = capsys.readouterr().err
    assert "event" in written
    assert "open-sesame" not in written


def test_requests_are_logged_with_their_id_and_without_key_or_text(api: Api, logged: Logged) -> None:
    logged.begin()
    key = api.keys["shop", "admin"]
    api.put("/v1/documents/returns", RETURNS)
    api.post("/v1/answers", {"query": "a very private question"}, headers={"X-Request-Id": "req-1"})
    api.post("/v1/events", api.event("m1", text="call me on 13812345678"))
    secret = api.put(
        "/v1/webhooks/team", {"url": "https://example.com/hook", "types": ["alert.opened"]}
    ).json()["secret"]
    api.call("GET", "/v1/alerts", role=None, headers={"Authorization": "Bearer kb_wrong-key"})
    lines = logged()
    told = json.dumps(lines, ensure_ascii=False)
    for private in (key, secret, "private question", "13812345678", "kb_wrong-key"):
        assert private not in told
    (answered,) = [line for line in lines if line.get("request_id") == "req-1" and line["event"] == "request"]
    assert (answered["method"], answered["route"], answered["status"]) == ("POST", "/v1/answers", 200)
    assert answered["ms"] >= 0


# --- metrics


def values(api: Api) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = api.get("/metrics").text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_are_prometheus_text_and_count_what_happens(api: Api) -> None:
    api.put("/v1/documents/returns", RETURNS)
    api.post("/v1/answers", {"query": "may I return unworn clothing within 30 days"})
    api.recurring()
    api.get("/v1/documents/nowhere")
    seen = values(api)
    put = (("method", "PUT"), ("route", "/v1/documents/{external_id:path}"), ("status", "201"))
    assert seen["kb_requests_total", put] == 1
    lost = (("method", "GET"), ("route", "/v1/documents/{external_id:path}"), ("status", "404"))
    assert seen["kb_requests_total", lost] == 1
    assert seen["kb_events_total", (("status", "accepted"),)] == 3
    assert sum(value for (name, _), value in seen.items() if name == "kb_answers_total") == 1
    assert sum(value for (name, _), value in seen.items() if name == "kb_alerts_total") == 1
    answers = (("method", "POST"), ("route", "/v1/answers"))
    assert seen["kb_request_seconds_count", answers] == 1
    assert 0 < seen["kb_request_seconds_sum", answers] < 30
    assert seen["kb_requests_in_flight", ()] == 1, "the request that asks"


def test_an_id_in_a_path_is_no_label(api: Api) -> None:
    for number in range(3):
        api.get(f"/v1/problems/p-{number}")
        api.get(f"/no/such/route-{number}")
    text = api.get("/metrics").text
    assert "p-1" not in text
    assert "route-1" not in text
    assert 'route="unmatched"' in text


def test_metrics_hold_no_customers_words(api: Api) -> None:
    api.recurring()
    assert LATE not in api.get("/metrics").text
    assert "u-m0" not in api.get("/metrics").text


def test_two_applications_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.events.labels("accepted").inc()
    assert b'kb_events_total{status="accepted"} 1.0' in one.render()
    assert b'kb_events_total{status="accepted"}' not in other.render()
