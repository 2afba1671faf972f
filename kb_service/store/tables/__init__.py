"""Every table of the store. Nearly all have the workspace first in their key.

`migrations/` creates what stands here; a test holds the two together.
"""

from kb_service.store.tables.administration import api_keys, audit, changes, idempotency, workspaces
from kb_service.store.tables.casework import (
    alert_examples,
    alerts,
    assignments,
    case_conversations,
    cases,
    event_vectors,
    events,
    exposures,
    feedback,
    named_ids,
    problem_aliases,
    problems,
    proposals,
)
from kb_service.store.tables.delivery import deliveries, digests, messages, webhooks
from kb_service.store.tables.experiments import experiments
from kb_service.store.tables.gaps import told_gaps
from kb_service.store.tables.knowledge import (
    agents,
    document_looks,
    document_uses,
    document_versions,
    documents,
    held_documents,
    intents,
    passage_vectors,
    passages,
    rules,
    sources,
)
from kb_service.store.tables.learning import calibrations, jobs, precedents, rank_moves, reviews
from kb_service.store.tables.members import members, sessions, sign_in_links
from kb_service.store.tables.notices import follow_up_cases, follow_ups, notices
from kb_service.store.tables.people import decisions, expertise, expertise_pins
from kb_service.store.tables.priority import priority_weights
from kb_service.store.tables.schema import metadata
from kb_service.store.tables.ties import problem_ties, regrouped_events, regrouping_finds, regroupings
from kb_service.store.tables.traffic import surges

__all__ = [
    "agents",
    "alert_examples",
    "alerts",
    "api_keys",
    "assignments",
    "audit",
    "calibrations",
    "case_conversations",
    "cases",
    "changes",
    "decisions",
    "deliveries",
    "digests",
    "document_looks",
    "document_uses",
    "document_versions",
    "documents",
    "event_vectors",
    "events",
    "experiments",
    "expertise",
    "expertise_pins",
    "exposures",
    "feedback",
    "follow_up_cases",
    "follow_ups",
    "held_documents",
    "idempotency",
    "intents",
    "jobs",
    "members",
    "messages",
    "metadata",
    "named_ids",
    "notices",
    "passage_vectors",
    "passages",
    "precedents",
    "priority_weights",
    "problem_aliases",
    "problem_ties",
    "problems",
    "proposals",
    "rank_moves",
    "regrouped_events",
    "regrouping_finds",
    "regroupings",
    "reviews",
    "rules",
    "sessions",
    "sign_in_links",
    "sources",
    "surges",
    "told_gaps",
    "webhooks",
    "workspaces",
]
