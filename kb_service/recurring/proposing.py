"""What should change because a problem recurs or a gap was found: a missing document, or a look at the cause. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from graph.drafting import Draft
from graph.gaps import Gap, GapReason
from graph.models import Alert, Problem, Proposal
from kb_service.models import LinkedDocument
from kb_service.store import Review

TITLES = {
    "correction": {"zh": "更正文档“{name}”", "en": "Correct the document “{name}”"},
    "document": {"zh": "为“{name}”补充一篇文档", "en": "Write a document for “{name}”"},
    "product": {"zh": "检查“{name}”的根源", "en": "Look for the cause of “{name}”"},
}
DRAFTS = {
    "correction": "顾客的问法 / What was asked: {question}\n\n所引原文 / What was quoted:\n{quotes}\n\n"
    "复核意见 / The reviewer's note: {note}\n",
    "document": "# {name}\n\n## 顾客的问法 / What customers ask\n\n{examples}\n\n## 答复 / Answer\n\n",
    "product": "{name}\n\n{evidence}\n\n现有答复 / What is answered now:\n{answers}\n\n"
    "顾客原话 / Customers' words:\n{examples}\n",
}

REASONS: dict[GapReason, dict[str, str]] = {
    "nothing_found": {"zh": "没有找到任何内容", "en": "nothing was found"},
    "unsure": {"zh": "找到的内容多半不对", "en": "what was found was probably wrong"},
    "rejected": {"zh": "给出的答复被拒绝", "en": "the replies were refused"},
    "rewritten": {"zh": "客服重写了给出的答复", "en": "agents wrote other replies"},
    "reopened": {"zh": "答复之后顾客又来询问", "en": "customers came back after the answer"},
    "expired": {"zh": "相关文档已失效或仍是草稿", "en": "the only matching document is not in force"},
}
EXAMPLES = 5


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
    key = _key(alert.id, kind)
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


def propose_document(
    gap_id: str, gap: Gap, names: Mapping[str, str], reason: GapReason, draft: Draft | None, at: datetime
) -> Proposal:
    """A document for the questions of a gap, with the reply that customers accepted where there is one."""
    shown = {language: names.get(language) or next(iter(names.values()), gap_id) for language in ("zh", "en")}
    texts = list(dict.fromkeys(question.text for question in (gap.typical, *reversed(gap.ballots))))
    text = DRAFTS["document"].format(
        name=" / ".join(dict.fromkeys(shown.values())),
        examples="\n".join(f"- {text}" for text in texts[:EXAMPLES]),
    )
    asked = len(gap.questions)
    return Proposal(
        id=f"prop_{_key(gap_id, at.isoformat())}",
        kind="document",
        state="open",
        opened_at=at,
        title={language: TITLES["document"][language].format(name=name) for language, name in shown.items()},
        evidence={
            "zh": f"{gap.customers} 位顾客提出 {asked} 个问题，没有得到满意的答复：{REASONS[reason]['zh']}。",
            "en": f"{gap.customers} customers asked {asked} questions without a good answer: "
            f"{REASONS[reason]['en']}.",
        },
        draft=text + (f"{draft.body}\n" if draft is not None else ""),
        problem_id=gap.problem_id,
    )


def propose_correction(
    review: Review, question: str | None, title: str, kind: str, at: datetime, *, problem_id: str | None
) -> Proposal:
    """A document to correct, since an answer from it was judged harmful; `question` is as it may be kept: masked."""
    quotes = "\n".join(f"> {citation['quote']}" for citation in review.citations)
    note = review.note or ""
    return Proposal(
        id=f"prop_{_key(review.id, 'correction')}",
        kind="policy" if kind == "policy" else "document",
        state="open",
        opened_at=at,
        title={language: TITLES["correction"][language].format(name=title) for language in ("zh", "en")},
        evidence={
            "zh": "复核人认定由此给出的自动答复有害；在修改或驳回本建议之前，它不会再被自动发送。",
            "en": "A reviewer judged an automatic answer from it harmful; it is sent unseen no more until it is "
            "changed, or this is dismissed.",
        },
        draft=DRAFTS["correction"].format(question=question or "", quotes=quotes, note=note),
        problem_id=problem_id,
    )


def _key(*parts: str) -> str:
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=10).hexdigest()


def _any_name(problem: Problem) -> str:
    return next(iter(problem.names.values()), problem.id)
