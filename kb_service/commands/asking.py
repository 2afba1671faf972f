"""What bots and agents asked the sample shop, and what became of the answers: use, edits and gaps to look at.

Only questions of the `calibrate` split are asked: what feedback teaches is then none of what `kb eval` reports on.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from graph.models import Customer
from kb_service.commands.workbench import Workbench
from kb_service.errors import InvalidRequest
from kb_service.judging.evaluation import JudgedQuestion, read_questions
from kb_service.models import Progress, Question, Reply

Outcome: TypeAlias = Literal["accepted", "edited", "rejected", "resolved"]

QUESTIONS = "questions.jsonl"
UNANSWERED = "unanswered.jsonl"
"""What many customers asked that the shop's knowledge does not answer; a folder may do without."""
ANSWERED = 150
"""Questions that the knowledge answers, each asked by one customer."""
SEED = 20261120
OUTCOMES: dict[Outcome | None, int] = {"accepted": 60, "edited": 12, "rejected": 4, None: 24}
"""What becomes of an answer that an agent sees, in parts of a hundred; of some nobody says anything."""
COURTESY = {
    "zh": ("您好，", "还有不清楚的地方随时联系我们。"),
    "en": ("Thank you for waiting. ", " Do write again if anything is unclear."),
}
"""What agents put around a suggestion when they edit it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of one customer. `reply` is what an agent wrote instead of what was suggested."""

    id: str
    text: str
    question: JudgedQuestion
    reply: str | None = None
    by_bot: bool = False


def ask(bench: Workbench, workspace: str, folder: Path, progress: Progress) -> int:
    """Ask what was not asked yet, by the path that answers bots and agents; how many were new.

    A question is known by its conversation, so that a run that broke off is finished by the next.
    """
    wanted = list(questions_of(folder))
    with bench.store.reading(workspace) as unit:
        # The last one tells of all others, so that a second run is quick.
        if not wanted or unit.exposures.of_conversation(wanted[-1].id, 1):
            return 0
        fresh = [item for item in wanted if not unit.exposures.of_conversation(item.id, 1)]
        agents = sorted(agent.id for agent in unit.agents.all() if agent.online)
    for place, item in enumerate(fresh):
        progress(place, len(fresh), QUESTIONS)
        _ask(bench, workspace, item, agents)
    bench.services.exposures.flush()
    bench.services.gap_watch.look(workspace)
    progress(len(fresh), len(fresh), QUESTIONS)
    return len(fresh)


def questions_of(folder: Path) -> Iterator[Asked]:
    """What is asked of a sample shop, the same each time."""
    known = {item.id: item for item in read_questions(folder / QUESTIONS) if item.split == "calibrate"}
    answered = [item for item in known.values() if item.expected]
    drawn = random.Random(SEED)
    for item in drawn.sample(answered, min(ANSWERED, len(answered))):
        yield Asked(f"ask-{item.id}", item.query, item, by_bot=drawn.random() < 0.5)
    path = folder / UNANSWERED
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        missing = json.loads(line)
        if (question := known.get(missing["question"])) is None:
            raise InvalidRequest.of(
                UNANSWERED, "{id} is no question of the calibrate split", id=missing["question"]
            )
        wordings = [question.query, *missing.get("also", ())]
        for number in range(missing["customers"]):
            text = wordings[number % len(wordings)]
            # Every second customer was passed on to an agent, who wrote the reply where there is one.
            reply = missing.get("reply") if number % 2 else None
            yield Asked(f"ask-{question.id}-{number}", text, question, reply, by_bot=reply is None)


def _ask(bench: Workbench, workspace: str, item: Asked, agents: Sequence[str]) -> None:
    answering = bench.services.answering
    question = Question(
        item.text,
        conversation_id=item.id,
        customer=Customer(id=f"customer-{item.id}"),
        channel="web",
        as_of=item.question.as_of,
    )
    reply = (answering.answer if item.by_bot else answering.suggest)(workspace, question)
    if not reply.answers:
        return
    drawn = random.Random(f"{SEED}:{item.id}")
    agent = drawn.choice(agents) if agents else None
    if item.reply is not None:
        _tell(bench, workspace, reply, 0, "edited", agent, item.reply)
        _tell(bench, workspace, reply, 0, "resolved", agent)
        return
    if item.by_bot:
        return
    places = [
        place
        for place, answer in enumerate(reply.answers)
        if answer.citations and answer.citations[0].document_id in item.question.expected
    ]
    (outcome,) = drawn.choices(list(OUTCOMES), list(OUTCOMES.values()))
    if not places:
        # None of what was shown answers the question: an agent refuses the first, or says nothing.
        if outcome == "rejected":
            _tell(bench, workspace, reply, 0, "rejected", agent)
        return
    if outcome == "edited" and not reply.answers[places[0]].missing:
        before, after = COURTESY["zh" if item.question.language == "zh" else "en"]
        text = f"{before}{reply.answers[places[0]].text}{after}"
        _tell(bench, workspace, reply, places[0], outcome, agent, text)
    elif outcome in ("accepted", "rejected"):
        _tell(bench, workspace, reply, places[0], outcome, agent)


def _tell(
    bench: Workbench,
    workspace: str,
    reply: Reply,
    place: int,
    outcome: Outcome,
    agent: str | None,
    final_text: str | None = None,
) -> None:
    answer = reply.answers[place]
    bench.services.feedback.record(
        workspace,
        exposure_id=answer.exposure_id,
        answer_id=answer.id,
        outcome=outcome,
        agent_id=agent,
        final_text=final_text,
        shown_text=answer.text if final_text is not None else None,
    )
