"""What a webhook says: the body of Standard Webhooks 1.0.0, signed with every secret that is still valid."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from standardwebhooks.webhooks import Webhook as Signer

from graph.gaps import Gap
from graph.helping import Offer
from graph.lifecycle import emerging
from graph.models import Agent, Alert, Problem, Proposal
from graph.surges import Surge
from kb_service.store import FollowUp, StoredSurge, WebhookSecret

LONGEST_BODY = 20_000
LONGEST_EXAMPLE = 200
MOST_EXAMPLES = 5
SECRET_BYTES = 32


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def body(type: str, at: datetime, data: Mapping[str, Any]) -> bytes:
    """The JSON body, under 20 kB: what is dropped when there is too much are examples, then further alerts of the
    group, whose number stays."""
    content = dict(data)
    while True:
        encoded = json.dumps(
            {"type": type, "timestamp": at.astimezone(UTC).isoformat(), "data": content}, ensure_ascii=False
        ).encode()
        longest = next((name for name in ("examples", "also") if content.get(name)), None)
        if len(encoded) < LONGEST_BODY or longest is None:
            return encoded
        content[longest] = content[longest][:-1]


def headers(message_id: str, now: datetime, payload: bytes, known: Sequence[WebhookSecret]) -> dict[str, str]:
    """Identity, time and a signature by each secret that has not expired at `now`."""
    valid = [item.secret for item in known if item.expires_at is None or item.expires_at > now]
    signatures = [Signer(secret).sign(message_id, now, payload.decode()) for secret in valid]
    return {
        "content-type": "application/json",
        "user-agent": "kb-service-webhooks/1",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def owner_data(owner: Agent | None) -> dict[str, str] | None:
    """Who owns what a message is about, None where nobody does."""
    return None if owner is None else {"id": owner.id, "name": owner.name}


def alert_data(alert: Alert, problem: Problem, owner: Agent | None = None) -> dict[str, Any]:
    """An alert as the wire shows it, with the problem's names in every language it has and its owner."""
    return {
        "id": alert.id,
        "kind": alert.kind,
        "state": alert.state,
        "opened_at": alert.opened_at.isoformat(),
        "problem": {
            "id": problem.id,
            "name": dict(problem.names),
            "state": problem.state,
            "emerging": emerging(problem, alert.opened_at),
        },
        "observed": alert.evidence.observed,
        "expected": None if alert.evidence.expected is None else round(alert.evidence.expected, 3),
        "window_minutes": alert.evidence.window_minutes,
        "customers": alert.evidence.customers,
        "p_value": alert.evidence.p_value,
        "evidence": dict(alert.evidence.words),
        "title": None if alert.evidence.title is None else dict(alert.evidence.title),
        "joined": None if alert.evidence.joined is None else dict(alert.evidence.joined),
        "examples": [text[:LONGEST_EXAMPLE] for text in alert.examples],
        "expertise": alert.expertise_id,
        "products": list(alert.products),
        "owner": owner_data(owner),
        "proposal_id": alert.proposal_id,
    }


def proposal_data(proposal: Proposal) -> dict[str, Any]:
    """A proposal as the wire shows it, with its title in every language; the draft is fetched by its id."""
    return {
        "id": proposal.id,
        "kind": proposal.kind,
        "state": proposal.state,
        "opened_at": proposal.opened_at.isoformat(),
        "title": dict(proposal.title),
        "evidence": dict(proposal.evidence),
        "problem_id": proposal.problem_id,
        "alert_id": proposal.alert_id,
    }


def gap_data(
    id: str, gap: Gap, names: Mapping[str, str], reason: str, proposal_id: str | None
) -> dict[str, Any]:
    """A gap without its customers and without its draft, which are fetched where roles are checked."""
    examples = dict.fromkeys(question.text for question in (gap.typical, *reversed(gap.ballots)))
    return {
        "id": id,
        "name": dict(names),
        "reason": reason,
        "customers": gap.customers,
        "questions": len(gap.questions),
        "first_at": gap.first_at.isoformat(),
        "last_at": gap.last_at.isoformat(),
        "languages": list(gap.languages),
        "products": list(gap.products),
        "examples": [text[:LONGEST_EXAMPLE] for text in examples][:MOST_EXAMPLES],
        "problem_id": gap.problem_id,
        "proposal_id": proposal_id,
    }


def surge_data(
    stored: StoredSurge, name: Mapping[str, str], evidence: Mapping[str, str], offers: Sequence[Offer]
) -> dict[str, Any]:
    """A surge that began or ended, with those who could help while it lasts; it names no customer."""
    surge: Surge = stored.surge
    of = None if surge.expertise_id is None else {"id": surge.expertise_id, "name": dict(name)}
    return {
        "id": stored.id,
        "state": "open" if surge.closed_at is None else "closed",
        "expertise": of,
        "opened_at": surge.opened_at.isoformat(),
        "closed_at": None if surge.closed_at is None else surge.closed_at.isoformat(),
        "observed": surge.observed,
        "expected": round(surge.expected, 2),
        "window_minutes": surge.window_minutes,
        "p_value": surge.p_value,
        "lift": round(surge.lift, 2),
        "evidence": dict(evidence),
        "help": [
            {
                "id": offer.agent.id,
                "name": offer.agent.name,
                "reason": offer.kind,
                "cases_per_hour": round(offer.cases_per_hour, 1),
                "text": dict(offer.words),
            }
            for offer in offers
        ],
    }


def problem_data(
    problem: Problem, at: datetime, customers: int, owner: Agent | None = None
) -> dict[str, Any]:
    """A problem whose state changed at `at`, with its owner; `customers` are those since it opened, as its messages are
    counted."""
    return {
        "problem": {"id": problem.id, "name": dict(problem.names), "state": problem.state},
        "at": at.isoformat(),
        "customers": customers,
        "episode_customers": problem.customers,
        "events": problem.events,
        "expertise": problem.expertise_id,
        "products": list(problem.products),
        "owner": owner_data(owner),
    }


def follow_up_data(
    follow_up: FollowUp,
    problem: Problem,
    owner: Agent | None,
    question: Mapping[str, str],
    expertise_id: str | None,
) -> dict[str, Any]:
    """Whom to ask on one channel whether a problem is solved, and what; `owner` is who owns the channel."""
    return {
        "followup_id": follow_up.id,
        "channel": follow_up.channel,
        "owner": owner_data(owner),
        "problem": {"id": problem.id, "name": dict(problem.names), "state": problem.state},
        "resolved_at": follow_up.resolved_at.isoformat(),
        "cases": [
            {
                "case_id": case.case_id,
                "conversation_id": case.conversation_id,
                "customer_id": case.customer_id,
            }
            for case in follow_up.cases
        ],
        "question": dict(question),
        "expertise": expertise_id,
        "products": list(problem.products),
    }
