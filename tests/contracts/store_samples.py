"""Values with every field set, and a look at the raw rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, create_engine, make_url, select

from graph.effects import Effect, Expected
from graph.experiments import Experiment, Guard, Treatment
from graph.learned_ranks import Contribution
from graph.models import (
    Agent,
    Alert,
    Case,
    Customer,
    Event,
    Evidence,
    Expertise,
    Intent,
    Match,
    Problem,
    Proposal,
)
from graph.notices import Group, Notice
from graph.rules import Rules
from graph.surges import Surge
from ingest.models import Block, Document, Passage, passage_id
from kb_service.store import (
    AskedCase,
    Claim,
    Decision,
    ExpertisePin,
    Exposure,
    Feedback,
    Find,
    FollowUp,
    HeldDocuments,
    Look,
    NewEvent,
    Precedent,
    RankMove,
    Replay,
    Review,
    ShownAnswer,
    StoredCalibration,
    StoredDigest,
    StoredRegrouping,
    StoredSurge,
    StoredWeights,
    ToldGap,
    Unit,
    Webhook,
    WebhookSecret,
    kept_problem,
    tables,
)

AT = datetime(2026, 6, 18, 3, 30, tzinfo=UTC)
SHANGHAI = timezone(timedelta(hours=8))
MODEL = "word-hash"
TEXT = "退货政策\n签收后七天内可以退货。\nReturns within seven days."


def a_document(external_id: str = "policy-returns", text: str = TEXT, **changes: Any) -> Document:
    values: dict[str, Any] = {
        "external_id": external_id,
        "kind": "policy",
        "title": "退货政策",
        "text": text,
        "blocks": (Block("heading", 0, 4), Block("prose", 5, len(text), ("退货政策",))),
        "language": "zh",
        "audience": "internal",
        "status": "draft",
        "url": "https://shop.example/returns",
        "products": ("SKU-1", "SKU-2"),
        "regions": ("CN",),
        "tiers": ("gold",),
        "channels": ("app",),
        "valid_from": datetime(2026, 3, 1, tzinfo=SHANGHAI),
        "valid_to": datetime(2027, 3, 1, tzinfo=SHANGHAI),
        "supersedes": ("policy-returns-2025",),
        "fields": {"运费": "买家承担", "天数": 7, "b": None, "a": True},
        "metadata": {"author": "ops", "score": 0.5},
    }
    return Document(**(values | changes))


def passages_of(document: Document, workspace: str, version: int) -> tuple[Passage, ...]:
    """One passage per line."""
    found: list[Passage] = []
    start = 0
    for ordinal, line in enumerate(document.text.split("\n")):
        found.append(
            Passage(
                id=passage_id(workspace, document.external_id, version, ordinal),
                external_id=document.external_id,
                version=version,
                ordinal=ordinal,
                role="prose",
                text=line,
                start=start,
                end=start + len(line),
                section=("退货政策",),
                context=document.title,
            )
        )
        start += len(line) + 1
    return tuple(found)


def vectors_of(number: int, dimension: int = 8, seed: int = 7) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).standard_normal((number, dimension)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def put_document(unit: Unit, document: Document, source: str | None = None) -> int:
    version = unit.documents.next_version(document.external_id)
    passages = passages_of(document, unit.workspace, version)
    return unit.documents.put(document, passages, vectors_of(len(passages)), MODEL, source)


def an_event(id: str = "e1", **changes: Any) -> Event:
    values: dict[str, Any] = {
        "id": id,
        "type": "message",
        "at": AT,
        "role": "customer",
        "conversation_id": "c1",
        "customer_id": "u1",
        "channel": "app",
        "text": "收到的杯子碎了",
        "language": "zh",
        "products": ("SKU-1",),
    }
    return Event(**(values | changes))


def a_full_event(id: str = "full") -> Event:
    return an_event(
        id,
        order_value=99.5,
        customer=Customer("u1", "silver", 4, 5230.0, 7.5),
        agent_id="agent-1",
        state="busy",
        reply="马上为您补发",
        handling_seconds=120.5,
        resolved=False,
        rating=4.5,
        from_agent="agent-1",
        to_agent="agent-2",
        reason="lunch",
    )


def a_case(id: str = "case-1", **changes: Any) -> Case:
    values: dict[str, Any] = {
        "id": id,
        "customer_id": "u1",
        "conversation_ids": ("c1", "c2"),
        "channels": ("app", "web"),
        "state": "assigned",
        "opened_at": AT,
        "active_at": AT,
        "problem_id": "p1",
        "agent_id": "agent-1",
        "language": "zh",
        "resolved_at": AT + timedelta(hours=1),
        "assigned_at": AT + timedelta(minutes=5),
    }
    return Case(**(values | changes))


def a_problem(id: str = "p1", **changes: Any) -> Problem:
    values: dict[str, Any] = {
        "id": id,
        "names": {"zh": "杯子碎了", "en": "Broken Cup"},
        "state": "open",
        "opened_at": AT,
        "active_at": AT,
        "episode_at": AT,
        "intent_id": "damaged",
        "products": ("SKU-1",),
        "events": 3,
        "customers": 2,
        "owner_id": "agent-1",
        "expertise_id": "x1",
        "resolved_at": AT,
        "silenced_until": AT + timedelta(days=1),
        "silenced_count": 9,
        "named_by_person": True,
        "silenced_rate": 2.5,
        "parent_id": "p-above",
        "confirmed_at": AT + timedelta(days=3),
    }
    return Problem(**(values | changes))


def a_match(problem_id: str | None = "p1", **changes: Any) -> Match:
    values: dict[str, Any] = {
        "problem_id": problem_id,
        "reason": "joined",
        "score": 0.9,
        "runner_up": 0.25,
        "pending": False,
    }
    return Match(**(values | changes))


def an_alert(id: str = "alert-1", **changes: Any) -> Alert:
    values: dict[str, Any] = {
        "id": id,
        "kind": "recurrence",
        "state": "open",
        "opened_at": AT,
        "problem_id": "p1",
        "evidence": Evidence(3, 1.5, 3, 60, 1e-6, {"zh": "三位顾客", "en": "three customers"}),
        "examples": ("收到的杯子碎了", "my cup is broken"),
        "products": ("SKU-1",),
        "expertise_id": "x1",
        "proposal_id": "proposal-1",
    }
    return Alert(**(values | changes))


def a_notice(alert_id: str = "alert-1", **changes: Any) -> Notice:
    values: dict[str, Any] = {
        "alert_id": alert_id,
        "group": Group("expertise", "x1"),
        "state": "told",
        "reason": "first_of_group",
        "due_at": AT + timedelta(hours=12),
        "told_at": AT,
        "last_told_at": AT + timedelta(minutes=5),
        "told_customers": 3,
        "inhibited_by": "alert-0",
    }
    return Notice(**(values | changes))


def a_follow_up(id: str = "flw-1", **changes: Any) -> FollowUp:
    answered = {"answered_at": AT + timedelta(days=3), "solved": True}
    values: dict[str, Any] = {
        "id": id,
        "problem_id": "p1",
        "channel": "wechat",
        "resolved_at": AT,
        "sent_at": AT + timedelta(days=3),
        "state": "open",
        "closed_at": AT + timedelta(days=4),
        "cases": (AskedCase("case-1", "c1", "u1", **answered), AskedCase("case-2", None, "u2", asked=False)),
    }
    return FollowUp(**(values | changes))


def a_held(id: str = "held-1", **changes: Any) -> HeldDocuments:
    values: dict[str, Any] = {
        "id": id,
        "owner": "mem_1",
        "purpose": "preview",
        "content": {"files": [{"name": "退货.md"}]},
        "made_at": AT,
        "ends_at": datetime(2100, 1, 1, tzinfo=UTC),
    }
    return HeldDocuments(**{**values, **changes})


def a_look(id: str = "look-1", **changes: Any) -> Look:
    values: dict[str, Any] = {
        "id": id,
        "external_id": "policy-returns",
        "version": 2,
        "reasons": ("ends_soon", "poor_feedback"),
        "actor": "mem_1",
        "at": AT,
        "until": datetime(2100, 1, 1, tzinfo=UTC),
    }
    return Look(**{**values, **changes})


def a_proposal(id: str = "proposal-1", **changes: Any) -> Proposal:
    values: dict[str, Any] = {
        "id": id,
        "kind": "document",
        "state": "open",
        "opened_at": AT,
        "title": {"zh": "补充文档", "en": "Add a document"},
        "evidence": {"zh": "三位顾客"},
        "draft": "写明破损如何处理。",
        "problem_id": "p1",
        "alert_id": "alert-1",
        "finding": "reopened:p1:returns",
        "change": {"action": "correct_document", "document_id": "returns", "problem_ids": ["p1"]},
        "expected": Expected("contacts", 2.5, 0.5, 4.0, 0.3, {"zh": "少", "en": "fewer"}),
        "decided_at": AT,
        "decided_by": "key-1",
        "experiment_id": "trial-1",
        "effect": Effect(
            "contacts", "better", 56, 14, 40, 3, 10.0, -3.5, -4.8, -1.0, 0.3, AT, {"en": "It helped."}
        ),
    }
    return Proposal(**(values | changes))


def an_intent(id: str = "damaged", **changes: Any) -> Intent:
    values: dict[str, Any] = {
        "id": id,
        "label": "破损",
        "examples": ("杯子碎了", "arrived broken"),
        "expertise": "logistics",
        "description": "Arrived damaged",
        "sensitive": True,
    }
    return Intent(**(values | changes))


def an_agent(id: str = "agent-1", **changes: Any) -> Agent:
    values: dict[str, Any] = {
        "id": id,
        "name": "一号",
        "languages": ("zh", "en"),
        "skills": ("logistics",),
        "capacity": 7,
        "online": True,
        "pool": "flex",
        "permissions": ("refund",),
    }
    return Agent(**(values | changes))


def some_rules() -> Rules:
    return Rules(
        recurrence_customers=5, priority_weights={"urgency": 2.0}, sensitive_flows={"法律": ("律师", "起诉")}
    )


def a_webhook(id: str = "hook-1", **changes: Any) -> Webhook:
    values: dict[str, Any] = {
        "id": id,
        "url": "https://example.com/hook",
        "types": ("alert.opened",),
        "secrets": (WebhookSecret("whsec_b2xk", AT), WebhookSecret("whsec_bmV3")),
        "created_at": AT,
        "filter": {"product": ("SKU-1",)},
        "format": "feishu",
        "state": "active",
        "disabled_reason": None,
        "language": "en",
        "signing_secret": "platform",
    }
    return Webhook(**(values | changes))


def a_claim(**changes: Any) -> Claim:
    values: dict[str, Any] = {
        "workspace": "shop",
        "delivery_id": "dlv_1",
        "message_id": "msg_1",
        "type": "alert.opened",
        "data": {},
        "at": AT,
        "webhook": a_webhook(),
        "attempt": 1,
        "lease": "lease_1",
        "lease_until": AT,
    }
    return Claim(**(values | changes))


def a_digest(id: str = "dig_1", **changes: Any) -> StoredDigest:
    values: dict[str, Any] = {
        "id": id,
        "day": "2026-06-18",
        "address": "team@example.com",
        "language": "zh",
        "content": {"told": []},
        "state": "pending",
        "attempt": 0,
        "created_at": AT,
        "next_at": AT,
        "last_error": None,
        "finished_at": None,
        "lease": "lease_1",
    }
    return StoredDigest(**(values | changes))


def an_exposure(id: str = "x1", **changes: Any) -> Exposure:
    values: dict[str, Any] = {
        "id": id,
        "at": AT,
        "route": "answers",
        "query": "杯子碎了怎么办",
        "language": "zh",
        "action": "answer",
        "reason": "confident",
        "confidence": 0.93,
        "answers": (ShownAnswer("a1", "policy-returns", 1, 0.93, 0.95, 2.5),),
        "conversation_id": "c1",
        "customer_id": "u1",
        "case_id": "case-1",
        "event_id": "e1",
        "problem_id": "p1",
        "intent_id": "damaged",
        "agent_id": "agent-1",
        "model_id": MODEL,
        "calibration_id": "cal_1",
        "features": {"bias": 1.0, "score": 0.75},
        "threshold": 0.9,
        "arms": {"trial-1": "treatment"},
    }
    return Exposure(**(values | changes))


def a_review(id: str = "rev-1", **changes: Any) -> Review:
    values: dict[str, Any] = {
        "id": id,
        "exposure_id": "x1",
        "at": AT,
        "text": "签收后七天内可以退货。",
        "citations": ({"document_id": "policy-returns", "quote": "七天内可以退货", "start": 5, "end": 16},),
        "state": "done",
        "verdict": "harmful",
        "note": "已经改为十五天",
        "reviewer": "key_1",
        "decided_at": AT + timedelta(hours=2),
        "proposal_id": "proposal-1",
        "withheld": {"policy-returns": 2},
    }
    return Review(**(values | changes))


def a_calibration(id: str = "cal_1", **changes: Any) -> StoredCalibration:
    values: dict[str, Any] = {
        "id": id,
        "model_id": MODEL,
        "kind": "questions",
        "source": "60 questions of questions.jsonl",
        "fitted_at": AT,
        "counts": {"questions": 60},
        "constants": {"fusion": {"question": 0.25}},
    }
    return StoredCalibration(**(values | changes))


def a_precedent(id: str = "q-1", **changes: Any) -> Precedent:
    values: dict[str, Any] = {
        "id": id,
        "question": "may I send back opened earbuds",
        "vector": np.array([0.6, 0.8], dtype=np.float32),
        "answers": {"policy-hygiene": (2, True), "policy-returns": (1, False)},
    }
    return Precedent(**(values | changes))


def a_rank_move(id: str = "mv_1", **changes: Any) -> RankMove:
    values: dict[str, Any] = {
        "id": id,
        "at": AT,
        "kind": "learned",
        "scope": "problem",
        "subject_id": "p1",
        "external_id": "policy-returns",
        "step": 0.75,
        "boost": 0.75,
        "actor": "nightly",
        "agents": 3,
        "customers": 2,
        "contributions": (
            Contribution("x1", "f1", "agent-1", 1.5),
            Contribution("x9", "f9", None, -0.25),
        ),
    }
    return RankMove(**(values | changes))


def a_told_gap(id: str = "gap-1", **changes: Any) -> ToldGap:
    values: dict[str, Any] = {
        "id": id,
        "problem_id": "p1",
        "names": {"zh": "杯子碎了怎么办", "en": "What of a broken cup"},
        "exposure_ids": ("x1",),
        "quotes": ("x1", "r2"),
        "told_at": AT,
        "message_ids": ("msg_1",),
        "proposal_id": "proposal-1",
    }
    return ToldGap(**(values | changes))


def an_experiment(id: str = "trial-1", **changes: Any) -> Experiment:
    values: dict[str, Any] = {
        "id": id,
        "name": "轮流分配",
        "treatment": Treatment(assignment="round_robin", priority_weights={"urgency": 5.0}),
        "salt": "salt-1",
        "created_at": AT,
        "share": 0.25,
        "metric": "rating",
        "guards": (Guard("handling_seconds", 30.0, "higher"),),
        "minimum": 100,
        "maximum": 4000,
        "alpha": 0.01,
        "state": "running",
        "starts_at": AT,
        "ends_at": datetime(2026, 9, 1, tzinfo=SHANGHAI),
        "started_at": AT,
        "stopped_at": AT + timedelta(days=1),
        "ending": {"reason": "better", "words": {"zh": "更好", "en": "better"}},
    }
    return Experiment(**(values | changes))


def a_decision(id: str = "dec_1", **changes: Any) -> Decision:
    values: dict[str, Any] = {
        "id": id,
        "at": AT,
        "kind": "consultation",
        "case_id": "case-1",
        "actor": "key_1",
        "reason": "consulted",
        "agent_id": "agent-2",
        "previous_agent_id": "agent-3",
        "expertise_id": "logistics",
        "note": "这是通病吗",
        "experiment_id": "trial-1",
        "arm": "b",
        "propensity": 0.5,
        "features": {"priority": {"score": 82}, "candidates": [{"id": "agent-2", "score": 0.5}]},
    }
    return Decision(**(values | changes))


def a_cluster(id: str = "logistics", **changes: Any) -> Expertise:
    values: dict[str, Any] = {
        "id": id,
        "name": "物流",
        "intent_ids": ("damaged",),
        "problem_ids": ("p1",),
        "agent_ids": ("agent-1",),
    }
    return Expertise(**(values | changes))


def a_pin(id: str = "logistics", **changes: Any) -> ExpertisePin:
    values: dict[str, Any] = {
        "id": id,
        "name": "物流与破损",
        "intent_ids": ("damaged",),
        "problem_ids": ("p1",),
        "agent_ids": ("agent-1",),
        "actor": "key_1",
        "pinned_at": AT,
    }
    return ExpertisePin(**(values | changes))


def some_weights(id: str = "pw_1", **changes: Any) -> StoredWeights:
    values: dict[str, Any] = {
        "id": id,
        "at": AT,
        "kind": "proposed",
        "weights": {"urgency": 30.5, "customer_value": 15.0},
        "before": {},
        "evidence": {"reason": "better", "escalations": 120},
        "actor": "nightly",
        "of_id": None,
    }
    return StoredWeights(**(values | changes))


def a_surge(id: str = "srg_1", told: bool = True, **changes: Any) -> StoredSurge:
    values: dict[str, Any] = {
        "expertise_id": "logistics",
        "opened_at": AT,
        "observed": 31,
        "expected": 9.4,
        "window_minutes": 60,
        "p_value": 2.1e-6,
        "lift": 1.2,
        "closed_at": None,
    }
    return StoredSurge(id, Surge(**(values | changes)), told)


def some_feedback(id: str = "f1", **changes: Any) -> Feedback:
    values: dict[str, Any] = {
        "id": id,
        "exposure_id": "x1",
        "answer_id": "a1",
        "outcome": "edited",
        "at": AT,
        "final_text": "您好,可以补发。",
        "agent_id": "agent-1",
        "rating": 4.0,
    }
    return Feedback(**(values | changes))


def a_replay(body: bytes = b'{"ok":true}') -> Replay:
    return Replay("hash", 201, body, {"Content-Type": "application/json"})


def a_regrouping(id: str = "rg_1", **changes: Any) -> StoredRegrouping:
    """A merge of p0 into p1, unless told otherwise."""
    plain = StoredRegrouping(
        id=id,
        at=AT,
        kind="merge",
        actor="key_1",
        problem_id="p1",
        other_id="p0",
        margin=0.4,
        kept={"problem": kept_problem(a_problem("p0")), "alerts": {}, "proposals": [], "aliases": []},
        evidence={"there": 0.8, "back": 0.7},
    )
    return replace(plain, **changes)


def fill(unit: Unit) -> None:
    """One of everything, under the ids that the samples have."""
    put_document(unit, a_document())
    put_document(unit, a_document(title="退货政策(新)"))
    unit.held.put(a_held())
    unit.looks.add(a_look())
    unit.sources.put("/kb/policies/returns.md", "digest", ["policy-returns"])
    unit.intents.put(an_intent())
    unit.agents.put(an_agent())
    unit.problems.put(a_problem("p0"))
    unit.problems.put(a_problem())
    unit.problems.merge_alias("p0", "p1")
    unit.cases.put(a_case())
    vector = vectors_of(1)[0]
    unit.events.add_many(
        [
            NewEvent(an_event(), "case-1", vector, MODEL),
            NewEvent(an_event("e2", at=AT + timedelta(minutes=1)), "case-1", vector, MODEL),
            NewEvent(an_event("r1", type="resolution", role="agent", agent_id="agent-1", at=AT), "case-1"),
        ]
    )
    unit.assignments.put("e1", "p1", a_match())
    unit.ties.put("p1", "p0", "together", "key_1")
    unit.regroupings.add(a_regrouping(), ["e1"])
    unit.regroupings.replace_finds([Find("split", "p1", "", 0.2, ("e1", "e2"))])
    unit.assignments.put("e2", "p1", a_match(reason="pending", pending=True))
    unit.proposals.put(a_proposal())
    unit.proposals.put(a_proposal("proposal-2", state="accepted", kind="policy"))
    unit.alerts.put(an_alert(), ["e1", "e2"])
    unit.notices.put(a_notice())
    unit.follow_ups.put(a_follow_up())
    unit.problems.put(a_problem("p-above", parent_id=None, state="resolved"))
    unit.rules.put(some_rules())
    unit.webhooks.put(a_webhook())
    unit.digests.add("2026-06-18", ["team@example.com"], "zh", {"told": ["recurrence:alert-1"]})
    unit.outbox.add("alert.opened", {"alert": "alert-1"}, AT, ["hook-1"], ["e1"])
    unit.exposures.add_many([an_exposure()])
    unit.feedback.add(some_feedback())
    unit.gaps.put(a_told_gap())
    unit.surges.put(a_surge())
    unit.reviews.put(a_review())
    unit.calibrations.add(a_calibration(), [a_precedent()])
    unit.rank_moves.add_many([a_rank_move()])
    unit.priority_weights.add(some_weights())
    unit.experiments.put(an_experiment())
    unit.decisions.add_many([a_decision()])
    unit.expertise.replace([a_cluster()], 12)
    unit.expertise.put_pin(a_pin())
    unit.jobs.claim("recalibrate", AT)
    unit.idempotency.put("key-1", "/v1/events", a_replay())
    unit.audit.append("key_1", "documents.put", "policy-returns", {"version": 1})


def rows(url: str, workspace: str | None = None) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, or those of one workspace, as the database has them."""
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = create_engine(parsed)
    found: dict[str, list[dict[str, Any]]] = {}
    with disposing(engine), engine.connect() as connection:
        for table in tables.metadata.sorted_tables:
            statement = select(table).order_by(*table.primary_key.columns)
            if workspace is not None:
                key = table.c.id if table.name == "workspaces" else table.c.get("workspace")
                if key is None:  # a session is of a person, who may be of several
                    continue
                statement = statement.where(key == workspace)
            found[table.name] = [dict(row._mapping) for row in connection.execute(statement)]
    return found


@contextmanager
def disposing(engine: Engine) -> Iterator[None]:
    """Closes an engine's connections at the end, also where something failed: else that is lost under a warning that
    one was deleted while still open."""
    try:
        yield
    finally:
        engine.dispose()


def everything(url: str) -> str:
    """All that the store holds, as one text; bytes read as UTF-8 as far as they can be."""
    return "\n".join(
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for table in rows(url).values()
        for row in table
        for value in row.values()
    )
