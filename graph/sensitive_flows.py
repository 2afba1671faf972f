"""Matters that always go to a person: which words reveal them, and refunds above the shop's limit."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence

from graph.flow_words import FLOW_WORDS
from graph.folding import fold, is_latin
from graph.models import Entity
from graph.rules import Rules

REFUND = "refund"
"""The flow whose words bring a person in only together with an amount above `Rules.refund_limit`."""
_Compiled = tuple[tuple[str, re.Pattern[str], re.Pattern[str] | None], ...]


def effective_flows(rules: Rules) -> dict[str, tuple[str, ...]]:
    """The words of every flow as they hold for a shop: its own where it set them, the product's elsewhere.

    A flow without words is turned off.
    """
    return {**FLOW_WORDS, **rules.sensitive_flows}


def own_flows(flows: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Those of some flows that differ from the product's, so that what was not changed follows the product."""
    return {
        name: tuple(dict.fromkeys(words))
        for name, words in flows.items()
        if tuple(words) != FLOW_WORDS.get(name)
    }


def sensitive_flow(
    text: str,
    rules: Rules,
    *,
    entities: Sequence[Entity] = (),
    at_stake: float | None = None,
    refunding: bool = False,
) -> str | None:
    """The first flow whose words a message holds, else None.

    Chinese words are found anywhere, others as whole words; a trailing * stands for the rest of a word and … for
    up to three words between, or eight characters of Chinese, within a clause. What a flow's words with a leading -
    cover is left out before. `refund` counts only with an amount above
    `rules.refund_limit`: the amount in the message that stands nearest to the word, or else `at_stake`, what the
    caller says the order is worth. `refunding` says that the message has an intent of that kind.
    """
    folded = re.sub(r"\s", " ", fold(text))
    for name, found, without in _compiled(tuple(effective_flows(rules).items())):
        left = without.sub(lambda match: "\x00" * len(match.group()), folded) if without else folded
        if name == REFUND:
            places = [match.start() for match in found.finditer(left)]
            asked = bool(places) or (
                refunding and left == folded
            )  # what was left out says that it is no demand
            if asked and _over(places, entities, at_stake, rules.refund_limit):
                return name
        elif found.search(left):
            return name
    return None


def refund_words(text: str, rules: Rules) -> bool:
    """Whether a text, such as an intent's label, speaks of money to be given back."""
    return (
        sensitive_flow(text, Rules(refund_limit=0.0, sensitive_flows=_only(REFUND, rules)), at_stake=1.0)
        is not None
    )


def _only(flow: str, rules: Rules) -> dict[str, tuple[str, ...]]:
    return {name: words if name == flow else () for name, words in effective_flows(rules).items()}


def worth(context: Mapping[str, str]) -> float | None:
    """What the order or payment is worth that a caller's context tells of: the largest of its amounts."""
    told = [
        found
        for key, value in context.items()
        if _MONEY_KEY.search(fold(key)) and (found := _MONEY.search(value))
    ]
    return max((float(found.group().replace(",", "")) for found in told), default=None)


_MONEY_KEY = re.compile(
    r"(?:^|[._\s-])(?:amount|total|value|price|paid|payment|sum)$|(?:金额|总价|总额|实付款?|应付款?|货款)$"
)
_MONEY = re.compile(r"\d[\d,]*(?:\.\d+)?")


def amount_of(entity: Entity) -> float | None:
    """The number of an amount; None for an entity of another type."""
    return float(entity.value.split(" ")[0]) if entity.type == "amount" else None


def _over(places: Sequence[int], entities: Sequence[Entity], at_stake: float | None, limit: float) -> bool:
    """Whether what is asked back is worth more than the limit."""
    amounts = [(entity.start, value) for entity in entities if (value := amount_of(entity)) is not None]
    if not amounts:
        return at_stake is not None and at_stake > limit
    if not places:
        return max(value for _, value in amounts) > limit
    nearest = (min(amounts, key=lambda amount: abs(amount[0] - place))[1] for place in places)
    return max(nearest) > limit


@functools.lru_cache(maxsize=64)
def _compiled(flows: tuple[tuple[str, tuple[str, ...]], ...]) -> _Compiled:
    made = []
    for name, words in flows:
        find = [word for word in words if word.strip(_SIGNS) and not word.startswith("-")]
        leave = [word[1:] for word in words if word.startswith("-") and word[1:].strip(_SIGNS)]
        if find:
            made.append((name, _any_of(find), _any_of(leave) if leave else None))
    return tuple(made)


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(_phrase(fold(word).strip()) for word in words))


_SIGNS = " *…"
_CLAUSE = r"[^\x00,，、.。!！?？;；:：]{0,8}?"
_WORDS = r"(?: +[a-z0-9'’-]+){0,3}? +"


def _phrase(word: str) -> str:
    """A word as a pattern, with what may stand between its parts."""
    found = ""
    parts = [part for piece in word.split("…") if (part := piece.strip())]
    for before, part in zip(["", *parts], parts, strict=False):
        if before:
            found += _WORDS if is_latin(before[-1]) and is_latin(part[0]) else _CLAUSE
        found += _unbroken(part)
    return found


def _unbroken(word: str) -> str:
    open_ended = word.endswith("*")
    word = word.rstrip("*")
    before = r"(?<![a-z0-9])" if is_latin(word[:1] or " ") else ""
    after = r"(?![a-z0-9])" if is_latin(word[-1:] or " ") and not open_ended else ""
    return before + r" +".join(map(re.escape, word.split())) + after
