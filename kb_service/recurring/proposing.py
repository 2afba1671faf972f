"""What should change because a problem recurs or a gap was found: a missing document, or a look at the cause. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from graph.answer_findings import STATED
from graph.drafting import DraftArticle
from graph.effects import EffectMetric, Expected, expected_saving, weekly_rate
from graph.gaps import Gap, GapReason
from graph.lifecycle import episode_begin
from graph.models import Alert, Problem, Proposal, ProposalKind
from kb_service.models import LinkedDocument
from kb_service.store import Review

TITLES = {
    "correction": {"zh": "更正文档“{name}”", "en": "Correct the document “{name}”"},
    "document": {"zh": "为“{name}”补充一篇文档", "en": "Write a document for “{name}”"},
    "policy": {
        "zh": "更早、更清楚地说明“{name}”的答复",
        "en": "State what answers “{name}” more clearly",
    },
    "product": {"zh": "检查“{name}”的根源", "en": "Look for the cause of “{name}”"},
    "routing": {"zh": "检查“{name}”该交给谁", "en": "Look at who should get “{name}”"},
    "training": {"zh": "就“{name}”培训客服", "en": "Train people in “{name}”"},
}
DRAFTS = {
    "correction": "顾客的问法 / What was asked: {question}\n\n所引原文 / What was quoted:\n{quotes}\n\n"
    "审核意见 / The reviewer's note: {note}\n",
    "document": "# {name}\n\n## 顾客的问法 / What customers ask\n\n{examples}\n\n## 答复 / Answer\n\n",
    "policy": "# {name}\n\n{evidence}\n\n现有答复 / What answers it: {policy}\n\n"
    "顾客的问法 / What customers ask:\n{examples}\n\n"
    "建议在下单页、订单页和确认消息中写明要点。 / State the essence at checkout, on the order's page and in the "
    "confirmation.\n",
    "product": "{name}\n\n{evidence}\n\n商品 / Product: {product}\n\n现有答复 / What is answered now:\n{answers}\n\n"
    "顾客原话 / Customers' words:\n{examples}\n",
    "routing": "{name}\n\n{evidence}\n\n近 7 天 {cases} 件中有 {passed} 件被转交。 / Of {cases} cases of the last "
    "seven days {passed} were passed on.\n\n顾客原话 / Customers' words:\n{examples}\n",
    "training": "{name}\n\n{evidence}\n\n{examples}\n",
}
ACTIONS: Mapping[ProposalKind, str] = {
    "document": "write_document",
    "policy": "state_earlier",
    "product": "look_for_cause",
    "routing": "look_at_routing",
    "training": "train",
}
SAVES: Mapping[ProposalKind, tuple[EffectMetric, tuple[float, float, float]]] = {
    "document": ("handled_by_people", (0.3, 0.1, 0.5)),
    "policy": ("contacts", STATED),
    "product": ("contacts", (0.7, 0.3, 1.0)),
    "routing": ("transfers", (0.2, 0.05, 0.5)),
    "training": ("transfers", (0.1, 0.02, 0.3)),
}
"""What of a problem's customers a change is expected to spare, with bounds: judgements, which effects test."""
MOST = 0.5
"""Share of a problem's messages that name one product, above which the problem is the product's."""
LEAST_PASSED = 3
PASSED_SHARE = 0.3

REASONS: dict[GapReason, dict[str, str]] = {
    "nothing_found": {"zh": "没有找到任何内容", "en": "nothing was found"},
    "unsure": {"zh": "找到的内容多半不对", "en": "what was found was probably wrong"},
    "rejected": {"zh": "给出的答复被拒绝", "en": "the replies were refused"},
    "rewritten": {"zh": "客服重写了给出的答复", "en": "agents wrote other replies"},
    "reopened": {"zh": "答复之后顾客又来询问", "en": "customers came back after the answer"},
    "expired": {"zh": "相关文档已失效或仍是草稿", "en": "the only matching document is not in force"},
}
EXAMPLES = 5
GAP_SPAN = timedelta(days=28)
"""The days up to a gap's last question that its questions a week are counted over."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else is known of a problem when an alert opens: its customers of the seven days before, of its messages how
    many there are and how many name each product, and of those days' cases how many were passed on."""

    customers: int
    messages: int = 0
    products: Mapping[str, int] = field(default_factory=dict)
    cases: int = 0
    passed: int = 0

    @property
    def product(self) -> str | None:
        """The product that most messages are about."""
        best = min(self.products, key=lambda sku: (-self.products[sku], sku), default=None)
        return best if best is not None and self.products[best] > MOST * self.messages else None

    @property
    def passed_often(self) -> bool:
        return self.passed >= LEAST_PASSED and self.passed >= PASSED_SHARE * self.cases


def propose(
    problem: Problem,
    alert: Alert,
    answers: Sequence[LinkedDocument],
    at: datetime,
    told: Circumstances | None = None,
) -> Proposal:
    """What a problem calls for: a look at the cause where most messages are about one product, and the problem grows,
    came back, or goes on though it is answered; a document where nothing answers it; another way to its people where
    they pass it on; a clearer word where a policy or a common question answers it; else a look at its cause as well.

    One kind of change in one episode of a problem has one id, whichever alert asks for it.
    """
    told = told or Circumstances(alert.evidence.customers)
    kind = _kind(alert, answers, told)
    policy = answers[0] if kind == "policy" else None
    names = {language: problem.names.get(language) or _any_name(problem) for language in ("zh", "en")}
    draft = DRAFTS[kind].format(
        name=" / ".join(dict.fromkeys(names.values())),
        examples="\n".join(f"- {text}" for text in alert.examples),
        evidence="\n".join(alert.evidence.words.values()),
        answers="\n".join(f"- {answer.title} ({answer.external_id})" for answer in answers),
        policy=f"{policy.title} ({policy.external_id})" if policy is not None else "",
        product=told.product or "",
        passed=told.passed,
        cases=told.cases,
    )
    metric, share = SAVES[kind]
    expected = expected_saving(metric, weekly_rate(told.customers, 7), share, None)
    begin = episode_begin(problem)
    return Proposal(
        id=f"prop_{_key(problem.id, kind, begin.isoformat() if begin is not None else '')}",
        kind=kind,
        state="open",
        opened_at=at,
        title={language: TITLES[kind][language].format(name=name) for language, name in names.items()},
        evidence=_with(alert.evidence.words, expected),
        draft=draft,
        problem_id=problem.id,
        alert_id=alert.id,
        change=_change(kind, problem, policy, told),
        expected=expected,
    )


def standing(new: Proposal, same: Proposal | None, open: Sequence[Proposal]) -> Proposal | None:
    """What is proposed already where an alert proposes this: `same` of this episode, or of the `open` ones about the
    problem the one that asks for the same change. None where nothing is.

    An open one that came with an alert is as the newest alert has it; what people decided, and what was found
    otherwise, stays as it is.
    """
    action = (new.change or {}).get("action")
    alike = (item for item in open if (item.change or {}).get("action") == action)
    before = same or next(alike, None)
    if before is None or before.state != "open" or before.alert_id is None:
        return before
    return replace(new, id=before.id, opened_at=before.opened_at)


def _kind(alert: Alert, answers: Sequence[LinkedDocument], told: Circumstances) -> ProposalKind:
    sudden = alert.kind in ("burst", "growth", "regression")
    if told.product is not None and (sudden or answers):
        return "product"
    if not answers:
        return "document"
    if told.passed_often:
        return "routing"
    stated = answers[0].kind == "policy" or (answers[0].kind == "faq" and not sudden)
    return "policy" if stated else "product"


def _change(
    kind: ProposalKind, problem: Problem, policy: LinkedDocument | None, told: Circumstances
) -> dict[str, Any]:
    change: dict[str, Any] = {"action": ACTIONS[kind], "problem_ids": [problem.id]}
    if kind == "policy" and policy is not None:
        change["document_id"] = policy.external_id
    if kind == "product":
        change["products"] = [told.product] if told.product is not None else list(problem.products)
    return change


def _with(evidence: Mapping[str, str], expected: Expected) -> dict[str, str]:
    """The evidence with what the change is expected to save."""
    return {
        language: f"{text}{'' if language == 'zh' else ' '}{expected.words[language]}"
        if language in expected.words
        else text
        for language, text in evidence.items()
    }


def propose_document(
    gap_id: str,
    gap: Gap,
    names: Mapping[str, str],
    reason: GapReason,
    draft: DraftArticle | None,
    at: datetime,
) -> Proposal:
    """A document for the questions of a gap, with the reply that customers accepted where there is one."""
    shown = {language: names.get(language) or next(iter(names.values()), gap_id) for language in ("zh", "en")}
    texts = list(dict.fromkeys(question.text for question in (gap.typical, *reversed(gap.ballots))))
    text = DRAFTS["document"].format(
        name=" / ".join(dict.fromkeys(shown.values())),
        examples="\n".join(f"- {text}" for text in texts[:EXAMPLES]),
    )
    asked = len(gap.questions)
    lately = [item for item in gap.ballots if item.at > gap.last_at - GAP_SPAN]
    weekly = weekly_rate(len(lately), GAP_SPAN / timedelta(days=1))
    metric, share = SAVES["document"]
    expected = expected_saving(metric, weekly, share, None)
    words = {
        "zh": f"{gap.customers} 位顾客提出 {asked} 个问题，没有得到满意的答复：{REASONS[reason]['zh']}。",
        "en": f"{gap.customers} customers asked {asked} questions without a good answer: {REASONS[reason]['en']}.",
    }
    return Proposal(
        id=f"prop_{_key(gap_id, at.isoformat())}",
        kind="document",
        state="open",
        opened_at=at,
        title={language: TITLES["document"][language].format(name=name) for language, name in shown.items()},
        evidence=_with(words, expected),
        draft=text + (f"{draft.body}\n" if draft is not None else ""),
        problem_id=gap.problem_id,
        change={
            "action": ACTIONS["document"],
            "problem_ids": [gap.problem_id] if gap.problem_id is not None else [],
        },
        expected=expected,
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
            "zh": "审核人认定由此给出的自动回复有害；在修改或驳回本建议之前，它不会再被自动发送。",
            "en": "A reviewer judged an automatic answer from it harmful; it is sent unseen no more until it is "
            "changed, or this is dismissed.",
        },
        draft=DRAFTS["correction"].format(question=question or "", quotes=quotes, note=note),
        problem_id=problem_id,
        change={
            "action": "correct_document",
            "document_id": next(iter(sorted(review.withheld)), None),
            "problem_ids": [problem_id] if problem_id is not None else [],
        },
    )


def _key(*parts: str) -> str:
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=10).hexdigest()


def _any_name(problem: Problem) -> str:
    return next(iter(problem.names.values()), problem.id)
