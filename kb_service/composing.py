"""From a hit to a reply worth sending: extractive, exact, with placeholders filled and its source cited. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest.language import content_words, sentences
from kb_service.models import Citation, Why
from kb_service.search.models import Hit

PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)\}")
WHOLE_PASSAGE = 320
"""Characters up to which a passage of prose is sent whole; from longer ones the sentences that answer."""
NEARLY_THE_SAME = 0.75
"""Likeness to a past question from which it counts as nearly the same."""
WANTED = 200
"""Characters after which no further sentence is added to an excerpt."""

WHY: Mapping[str, Mapping[str, str]] = {
    "similar_resolution": {
        "zh": "过去有顾客问过几乎同样的问题：“{text}”",
        "en": "A customer asked nearly the same before: “{text}”",
    },
    "related_resolution": {
        "zh": "过去解决过的相关问题：“{text}”",
        "en": "A related question that was resolved before: “{text}”",
    },
    "faq_match": {"zh": "常见问题：“{text}”", "en": "A frequent question: “{text}”"},
    "policy_match": {"zh": "现行政策的相关条款：{text}", "en": "The section of the policy in force: {text}"},
    "product_match": {"zh": "商品资料：{text}", "en": "The product's data: {text}"},
    "problem_answer": {
        "zh": "这一问题以前就是这样解决的",
        "en": "This problem was resolved this way before",
    },
    "words": {
        "zh": "问题中 {share:.0%} 的关键信息在文中出现",
        "en": "{share:.0%} of what the question names stands there",
    },
}


@dataclass(frozen=True, slots=True)
class Composed:
    """A reply with the span that it was taken from."""

    text: str
    missing: tuple[str, ...]
    citation: Citation
    why: tuple[Why, ...]


def compose_reply(hit: Hit, query: str, context: Mapping[str, str], reader_language: str) -> Composed:
    """The reply that a hit gives to a question; `reader_language` is that of the reasons, zh or en."""
    start, end = _excerpt(hit, query)
    quote = hit.text[start - hit.start : end - hit.start]
    text, missing = fill(_worded(hit, quote), context)
    citation = Citation(
        document_id=hit.external_id,
        title=hit.title,
        url=hit.url,
        section=hit.section,
        quote=quote,
        start=start,
        end=end,
        valid_from=hit.valid_from,
        valid_to=hit.valid_to,
    )
    return Composed(text, missing, citation, _reasons(hit, reader_language))


def fill(text: str, context: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The text with its placeholders filled from `context`, and the names of those that it does not hold."""
    missing: dict[str, None] = {}

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name in context:
            return context[name]
        missing[name] = None
        return match.group(0)

    return PLACEHOLDER.sub(value, text), tuple(missing)


def _worded(hit: Hit, quote: str) -> str:
    """A product's field or a table's row needs its subject; prose and replies stand by themselves."""
    if hit.role in ("field", "row") and hit.title not in quote:
        return f"{hit.title}{'：' if hit.language == 'zh' else ': '}{quote}"
    return quote


def _excerpt(hit: Hit, query: str) -> tuple[int, int]:
    """The offsets in the document of what is quoted: the hit, or the run of sentences that answers."""
    if hit.role != "prose" or len(hit.text) <= WHOLE_PASSAGE:
        return hit.start, hit.end
    spans = sentences(hit.text)
    asked = set(content_words(query))
    shares = [_overlap(asked, hit.text[start:end]) for start, end in spans]
    best = max(range(len(spans)), key=lambda index: (shares[index], -index))
    if shares[best] == 0:
        best = 0
    first = last = best
    while spans[last][1] - spans[first][0] < WANTED:
        after = shares[last + 1] if last + 1 < len(spans) else -1.0
        before = shares[first - 1] if first > 0 else -1.0
        if max(after, before) < 0:
            break
        if after >= before:
            last += 1
        else:
            first -= 1
    return hit.start + spans[first][0], hit.start + spans[last][1]


def _overlap(asked: set[str], sentence: str) -> float:
    found = set(content_words(sentence))
    return len(asked & found) / (len(found) + 8) ** 0.5 if found else 0.0


def _reasons(hit: Hit, language: str) -> tuple[Why, ...]:
    spoken = "zh" if language == "zh" else "en"
    code = {
        "resolution": "similar_resolution",
        "faq": "faq_match",
        "policy": "policy_match",
        "product": "product_match",
    }[hit.kind]
    asked = code in ("similar_resolution", "faq_match")
    if code == "similar_resolution" and not _asks_the_same(hit):
        code = "related_resolution"
    shown = hit.title if asked else _place(hit)
    if asked and hit.matched_role == "question":
        shown = hit.matched_text
    reasons = [Why(code, WHY[code][spoken].format(text=_shortened(shown)), round(hit.score - hit.graph, 4))]
    if hit.graph > 0:
        reasons.append(Why("problem_answer", WHY["problem_answer"][spoken], round(hit.graph, 4)))
    if hit.coverage > 0:
        share = min(hit.coverage, 1.0)
        reasons.append(Why("words", WHY["words"][spoken].format(share=share), round(share, 4)))
    return tuple(reasons)


def _asks_the_same(hit: Hit) -> bool:
    """Whether the question of a resolution was matched, and closely, by meaning or by words."""
    return hit.matched_role == "question" and max(hit.dense, hit.coverage) >= NEARLY_THE_SAME


def _place(hit: Hit) -> str:
    return " › ".join(dict.fromkeys((hit.title, *hit.section)))


def _shortened(text: str, limit: int = 80) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def summarise(texts: Sequence[str], limit: int = 280) -> str:
    """The customer's words in brief, for whoever takes over: the last turns, shortened."""
    return _shortened(" / ".join(text.strip() for text in texts if text.strip()), limit)
