"""All routes of the API."""

from __future__ import annotations

from fastapi import APIRouter

from kb_service.routes import (
    care,
    events,
    experiments,
    followups,
    gaps,
    health,
    knowledge,
    metrics,
    people,
    problems,
    proposals,
    questions,
    reviews,
    rules,
    traffic,
    webhooks,
    weights,
)

ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    questions.router,
    questions.once,
    knowledge.router,
    care.router,
    gaps.router,
    people.router,
    metrics.router,
    events.router,
    events.once,
    problems.router,
    problems.once,
    followups.router,
    proposals.router,
    proposals.once,
    rules.router,
    reviews.router,
    reviews.once,
    traffic.router,
    weights.router,
    weights.once,
    webhooks.router,
    webhooks.once,
    experiments.router,
    experiments.once,
)
