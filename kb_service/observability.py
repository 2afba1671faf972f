"""Structured logs in English, and metrics in Prometheus text format."""

from __future__ import annotations

import logging
import sys

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from kb_service.settings import Settings

SECRET_KEYS = frozenset({"authorization", "secret", "secrets", "key", "api_key", "password", "token"})
LATENCY_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


def configure_logging(settings: Settings) -> None:
    """Send every log line, the libraries' too, through one formatter: JSON, or readable on a terminal."""
    readable = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hide_secrets,
    ]
    renderer: structlog.typing.Processor = (
        # Without the values of variables: they hold what customers wrote.
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if readable
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler()
    formatter = structlog.stdlib.ProcessorFormatter
    processors: list[structlog.typing.Processor] = [formatter.remove_processors_meta]
    if not readable:
        processors.append(structlog.processors.format_exc_info)
    handler.setFormatter(formatter(foreign_pre_chain=shared, processors=[*processors, renderer]))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    for noisy in ("httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _hide_secrets(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    for key, value in event.items():
        event[key] = _hidden(key, value)
    return event


def _hidden(key: str, value: object) -> object:
    if key.lower() in SECRET_KEYS:
        return "***"
    if isinstance(value, dict):
        return {name: _hidden(str(name), held) for name, held in value.items()}
    return value


class Metrics:
    """The counters of one application; a registry of its own, so that two applications never mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "kb_requests_total",
            "Requests by route and status.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.latency = Histogram(
            "kb_request_seconds",
            "Time to answer a request, by route.",
            ["method", "route"],
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.in_flight = Gauge("kb_requests_in_flight", "Requests being worked on.", registry=self.registry)
        self.refused = Counter(
            "kb_requests_refused_total", "Requests refused for load.", ["reason"], registry=self.registry
        )
        self.actions = Counter(
            "kb_answers_total",
            "Decisions on questions, by action and reason.",
            ["action", "reason"],
            registry=self.registry,
        )
        self.events = Counter("kb_events_total", "Events by outcome.", ["status"], registry=self.registry)
        self.alerts = Counter("kb_alerts_total", "Alerts opened, by kind.", ["kind"], registry=self.registry)
        self.passages = Gauge(
            "kb_passages", "Passages that can be found.", ["workspace"], registry=self.registry
        )
        self.rephrasings = Counter(
            "kb_rephrasings_total",
            "Answers handed to the rephrasing model, by what became of them: sent, or why the extract was.",
            ["outcome"],
            registry=self.registry,
        )
        self.rerankings = Counter(
            "kb_rerankings_total",
            "Searches handed to the reranker, by outcome: reranked, or failed and left as they were.",
            ["outcome"],
            registry=self.registry,
        )
        self.deliveries = Counter(
            "kb_deliveries_total", "Webhook deliveries by outcome.", ["outcome"], registry=self.registry
        )

    def render(self) -> bytes:
        return generate_latest(self.registry)
