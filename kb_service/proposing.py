"""What should change because a problem recurs: a missing document, or a look at the product or the policy. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from graph.models import Alert, Problem, Proposal
from kb_service.models import LinkedDocument

TITLES = {
    "document": {"zh": "为“{name}”补充一篇文档", "en": "Write a document for “{name}”"},
    "product": {"zh": "检查“{name}”的根源", "en": "Look for the cause of “{name}”"},
}
DRAFTS = {
    "document": "# {name}\n\n## 顾客的问法 / What customers ask\n\n{examples}\n\n## 答复 / Answer\n\n",
    "product": "{name}\n\n{evidence}\n\n现有答复 / What is answered now:\n{answers}\n\n"
    "顾客原话 / Customers' words:\n{examples}\n",
}


def propose(problem: Problem, alert: Alert, answers: Sequence[LinkedDocument], at: datetime) -> Proposal:
    """A document where nothing answers the problem yet; else a look at its cause, since answering did not end it."""
    kind: Literal["document", "product"] = "product" if answers else "document"
    names = {language: problem.names.get(language) or _any_name(problem) for language in ("zh", "en")}
    examples = "\n".join(f"- {text}" for text in alert.examples)
    draft = DRAFTS[kind].format(
        name=" / ".join(dict.fromkeys(names.values())),
        examples=examples,
        evidence="\n".join(alert.evidence.words.values()),
        answers="\n".join(f"- {answer.title} ({answer.external_id})" for answer in answers),
    )
    key = hashlib.blake2b(f"{alert.id}\x1f{kind}".encode(), digest_size=10).hexdigest()
    return Proposal(
        id=f"prop_{key}",
        kind=kind,
        state="open",
        opened_at=at,
        title={language: TITLES[kind][language].format(name=name) for language, name in names.items()},
        evidence=alert.evidence.words,
        draft=draft,
        problem_id=problem.id,
        alert_id=alert.id,
    )


def _any_name(problem: Problem) -> str:
    return next(iter(problem.names.values()), problem.id)
