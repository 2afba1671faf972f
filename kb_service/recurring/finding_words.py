"""A finding among cases as a proposal that people read: what to change, why, and the text for it. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from graph.findings import Finding, Rate
from graph.intervals import wilson
from graph.labels import label_in
from graph.models import Intent, Proposal

TITLES: Mapping[str, Mapping[str, str]] = {
    "misrouted": {"zh": "把“{name}”直接交给 {target}", "en": "Send “{name}” to {target} at once"},
    "passed_on": {"zh": "就“{name}”培训 {agents}", "en": "Train {agents} in “{name}”"},
    "returning": {
        "zh": "更正关于“{name}”的文档“{document}”",
        "en": "Correct the document “{document}” on “{name}”",
    },
    "returning_nothing": {
        "zh": "为“{name}”写一篇说得清的文档",
        "en": "Write a document that settles “{name}”",
    },
    "refused": {"zh": "改写“{name}”的自动回复", "en": "Rewrite what is answered by machine to “{name}”"},
    "explained": {
        "zh": "更早、更清楚地说明“{document}”",
        "en": "State “{document}” earlier and more clearly",
    },
    "explained_product": {
        "zh": "在商品页写明“{document}”",
        "en": "Put “{document}” on the product's page",
    },
    "explained_internal": {
        "zh": "公开内部文档“{document}”中顾客总在问的内容",
        "en": "Publish what customers keep asking of the internal document “{document}”",
    },
}
EVIDENCE: Mapping[str, Mapping[str, str]] = {
    "misrouted": {
        "zh": "{days} 天内 {cases} 位顾客中有 {hits} 位（{value}，区间 {low}–{high}）先由没有“{target}”专长的人接手，"
        "最后由“{target}”的客服解决；其他问题为 {usual}。{wait}",
        "en": "In {days} days {hits} of {cases} customers ({value}, {low} to {high}) were first with people who lack "
        "{target} and were resolved by people who have it; {usual} for other problems.{wait}",
    },
    "passed_on": {
        "zh": "{days} 天内 {cases} 位顾客中有 {hits} 位（{value}，区间 {low}–{high}）的咨询被同一专长内的客服"
        "转交给别人；其他问题为 {usual}。{wait}转出最多：{agents}；接手解决：{helpers}。",
        "en": "In {days} days the cases of {hits} of {cases} customers ({value}, {low} to {high}) were passed on, "
        "though sent to the right field; {usual} for other problems.{wait} Passed on most by {agents}, "
        "taken by {helpers}.",
    },
    "returning": {
        "zh": "{days} 天内得到此答复的 {cases} 位顾客中有 {hits} 位（{value}，区间 {low}–{high}）在 72 小时内又来；"
        "其他答复为 {usual}。",
        "en": "Of {cases} customers with this answer in {days} days {hits} ({value}, {low} to {high}) were back within "
        "72 hours; {usual} after other answers.",
    },
    "refused": {
        "zh": "{days} 天内 {cases} 位顾客得到自动回复，其中 {hits} 位（{value}，区间 {low}–{high}）之后仍需要人工；"
        "其他问题为 {usual}。",
        "en": "Of {cases} customers who were answered by machine in {days} days {hits} ({value}, {low} to {high}) "
        "needed a person after all; {usual} for other problems.",
    },
    "explained": {
        "zh": "{days} 天内 {customers} 位顾客（每周约 {weekly} 位；{languages}）来问的内容，客服只需说明这篇文档："
        "{value} 就此解决（{hits}/{cases}，区间 {low}–{high}）。涉及 {problems} 个问题。",
        "en": "{customers} customers in {days} days (about {weekly} a week; {languages}) asked for what this document "
        "says, and being told it settled {value} ({hits} of {cases}, {low} to {high}). {problems} problems.",
    },
}
WAIT = {
    "zh": "转交前顾客已等了 {minutes} 分钟（中位数）。",
    "en": " They had waited {minutes} minutes by then (median).",
}
ASKED = "## 顾客的问法 / What customers ask"
LANGUAGES = {
    "zh": {"zh": "中文", "en": "英文", "und": "其他"},
    "en": {"zh": "Chinese", "en": "English", "und": "other"},
}


@dataclass(frozen=True, slots=True)
class Background:
    """What is known of a finding beside its figures, all of it as people may read it: masked.

    `names` are those of its main problem, `intent` is what a routing rule changes, None where the problem alone is
    pinned. `asked` are customers' questions, `afterwards` what they said when they came back, `quote` is what the
    document says, `reply` what agents settled such cases with.
    """

    names: Mapping[str, str]
    days: int
    products: tuple[str, ...] = ()
    intent: Intent | None = None
    target: str | None = None
    document: str | None = None
    internal: bool = False
    quote: str = ""
    reply: str | None = None
    asked: tuple[str, ...] = ()
    afterwards: tuple[str, ...] = ()
    people: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    """The names of all problems that it is about."""


def proposal_of(finding: Finding, known: Background, at: datetime) -> Proposal:
    """The proposal that a finding makes; `at` is when it was found."""
    words = {language: _words(finding, known, language) for language in ("zh", "en")}
    title = _title_key(finding, known)
    assert finding.rate is not None
    return Proposal(
        id=f"prop_{_key(finding.key, at.isoformat())}",
        kind=finding.kind,
        state="open",
        opened_at=at,
        title={language: TITLES[title][language].format(**words[language]) for language in words},
        evidence={
            language: EVIDENCE[finding.cause][language].format(**words[language])
            + ("" if language == "zh" else " ")
            + finding.expected.words[language]
            for language in words
        },
        draft=_draft(finding, known, words),
        problem_id=finding.problem_ids[0],
        finding=finding.key,
        change=_change(finding, known),
        expected=finding.expected,
    )


def _title_key(finding: Finding, known: Background) -> str:
    if finding.cause == "returning" and finding.document_id is None:
        return "returning_nothing"
    if finding.cause == "explained" and known.internal:
        return "explained_internal"
    if finding.cause == "explained" and finding.kind == "product":
        return "explained_product"
    return finding.cause


def _words(finding: Finding, known: Background, language: str) -> dict[str, object]:
    rate = finding.rate
    assert rate is not None
    comma = "、" if language == "zh" else ", "
    waited = "" if finding.wait is None else WAIT[language].format(minutes=round(finding.wait / 60))
    spoken = finding.languages or {}
    return {
        **_figures(rate),
        "days": known.days,
        "customers": finding.customers,
        "weekly": f"{finding.weekly[0]:.0f}",
        "wait": waited,
        "name": known.names.get(language) or next(iter(known.names.values()), finding.problem_ids[0]),
        "target": label_in(known.target or finding.target or "", language),
        "document": known.document or finding.document_id or "",
        "agents": comma.join(known.people.get(id, id) for id in finding.agents),
        "helpers": comma.join(known.people.get(id, id) for id in finding.helpers),
        "languages": comma.join(
            f"{LANGUAGES[language].get(name, name)} {count}" for name, count in spoken.items()
        ),
        "problems": len(finding.problem_ids),
    }


def _figures(rate: Rate) -> dict[str, object]:
    """The share as it was counted, with the interval of just that; what is expected goes by the one drawn to usual."""
    low, high = wilson(rate.hits / rate.cases, rate.cases)
    return {
        "hits": rate.hits,
        "cases": rate.cases,
        "value": f"{rate.hits / rate.cases:.0%}",
        "low": f"{low:.0%}",
        "high": f"{high:.0%}",
        "usual": f"{rate.usual:.0%}",
    }


def _change(finding: Finding, known: Background) -> dict[str, Any]:
    """What is to be done, for machines; nothing in it is anybody's words."""
    problems = list(finding.problem_ids)
    if finding.cause == "misrouted" and known.intent is not None:
        return {
            "action": "set_expertise",
            "intent_id": known.intent.id,
            "expertise": finding.target,
            "problem_ids": problems,
        }
    if finding.cause == "misrouted":
        return {"action": "pin_problems", "expertise": finding.target, "problem_ids": problems}
    if finding.cause == "passed_on":
        return {
            "action": "train",
            "agent_ids": list(finding.agents),
            "helper_ids": list(finding.helpers),
            "problem_ids": problems,
        }
    if finding.cause == "explained":
        return {
            "action": "publish" if known.internal else "state_earlier",
            "document_id": finding.document_id,
            "products": list(known.products),
            "problem_ids": problems,
        }
    action = "write_document" if finding.document_id is None else "correct_document"
    return {"action": action, "document_id": finding.document_id, "problem_ids": problems}


def _draft(finding: Finding, known: Background, words: Mapping[str, Mapping[str, object]]) -> str:
    if finding.kind == "routing":
        return _rule(finding, known, words)
    if finding.kind == "training":
        return _training(known, words)
    return _note(known, words) if finding.cause == "explained" else _article(finding, known)


def _rule(finding: Finding, known: Background, words: Mapping[str, Mapping[str, object]]) -> str:
    """The routing rule in words, and the very request that sets it."""
    if known.intent is not None:
        path = f"/v1/intents/{known.intent.id}"
        body: dict[str, Any] = {
            "label": known.intent.label,
            "examples": list(known.intent.examples),
            "expertise": finding.target,
            "description": known.intent.description,
            "sensitive": known.intent.sensitive,
        }
    else:
        path, body = f"/v1/expertise/{finding.target}", {"problem_ids": list(finding.problem_ids)}
    return (
        f"“{words['zh']['name']}”的咨询直接交给“{words['zh']['target']}”。\n"
        f"Cases of “{words['en']['name']}” go to {words['en']['target']} at once.\n\n"
        f"PUT {path}\n\n```json\n{json.dumps(body, ensure_ascii=False, indent=2)}\n```\n\n"
        f"{ASKED}\n\n{_listed(known.asked)}\n"
    )


def _training(known: Background, words: Mapping[str, Mapping[str, object]]) -> str:
    reply = f"\n## 已解决问题的答复 / A reply that settled it\n\n{known.reply}\n" if known.reply else ""
    return (
        f"# {words['zh']['name']}\n\n培训对象 / For: {words['zh']['agents']}\n"
        f"可向其学习 / Learn from: {words['zh']['helpers']}\n\n{ASKED}\n\n{_listed(known.asked)}\n{reply}"
    )


def _note(known: Background, words: Mapping[str, Mapping[str, object]]) -> str:
    """A note for whoever keeps the policy or the product's page: what is asked, what the answer is, where to put it."""
    about = "\n".join(f"- {name}" for name in known.problems)
    if known.internal:
        where = (
            "内容仅供内部使用，顾客看不到：请把可以公开的部分写成公开文档，并放在公告与订单页。",
            "Only staff can read it: write what may be public as a public document, and put it on the notice board "
            "and the order's page.",
        )
    elif known.products:
        where = (
            f"请在商品页（{'、'.join(known.products)}）和使用说明的显眼处写明，下单前就能看到。",
            f"State it where it is seen on the product's page ({', '.join(known.products)}) and in its manual, "
            "before anybody orders.",
        )
    else:
        where = (
            "请在下单页、订单页和确认消息中写明要点，不必等顾客来问。",
            "State the essence at checkout, on the order's page and in the confirmation, before anybody has to ask.",
        )
    return (
        f"# {words['zh']['document']}\n\n{ASKED}\n\n{_listed(known.asked)}\n\n## 涉及的问题 / Problems\n\n{about}\n\n"
        f"## 现有内容 / What it says now\n\n{_quoted(known.quote)}\n\n"
        f"## 建议 / Suggestion\n\n{where[0]}\n\n{where[1]}\n"
    )


def _article(finding: Finding, known: Background) -> str:
    """What customers ask, what they were told, what they said then, and what settled it."""
    parts = [f"# {' / '.join(dict.fromkeys(known.names.values()))}", f"{ASKED}\n\n{_listed(known.asked)}"]
    if known.quote:
        parts.append(f"## 现有文档 / What the document says\n\n{_quoted(known.quote)}")
    if known.afterwards:
        parts.append(f"## 得到答复之后 / What customers said then\n\n{_listed(known.afterwards)}")
    parts.append(f"## 答复 / Answer\n\n{known.reply or ''}")
    return "\n\n".join(parts) + "\n"


def _listed(texts: Sequence[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines() if line.strip())


def _key(*parts: str) -> str:
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=10).hexdigest()
