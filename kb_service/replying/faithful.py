"""Whether a rewording says what its source says, and nothing more. Pure, and rather too strict than too lenient:
what is refused costs a nicer sentence, what is wrongly let through costs a promise that the shop never made."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ingest.language import content_words, fold, identify, words
from kb_service.replying.asking import meant
from kb_service.replying.courtesies import COURTESIES
from kb_service.replying.polarity import KEPT, markers, parties
from kb_service.replying.quantities import fixed, quantities

Reason: TypeAlias = Literal[
    "faithful",
    "empty",
    "too_long",
    "control_characters",
    "language",
    "instructions",
    "markup",
    "fixed_text",
    "number_added",
    "number_lost",
    "number_moved",
    "word_added",
    "polarity",
    "condition_lost",
    "party",
]
LONGEST = 1.6
"""How many times longer than its source a rewording may be, beside a greeting."""
_GREETING = 80

_INSTRUCTIONS = re.compile(
    r"(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instruction|prompt|rule|above|previous|prior|everything)"
    r"|system prompt|you are (?:now|an? (?:ai|assistant|language model))|as an ai|language model"
    r"|jailbreak|developer mode"
    r"|(?:忽略|无视|忘记|不要理会|绕过).{0,16}(?:指令|提示|规则|以上|之前|上述|前面|设定)|系统提示|你现在是|作为(?:一个)?(?:ai|人工智能)"
    r"|<\|?(?:im_start|im_end|system|assistant|user)\|?>|\[/?inst\]",
    re.IGNORECASE | re.DOTALL,
)
_MARKUP = re.compile(r"<[a-z/!][^>]*>|```|\]\(|!\[", re.IGNORECASE)
_WIDENING = re.compile(
    r"或|都|每|各|任何|所有|全部|全额|一律|均|最|更|随时|立即|马上|永久|终身|必"
    r"|\b(?:or|all|any|every|each|both|either|whatever|whenever|always|ever|most|more|even|just|very)\b"
)
"""Words of grammar that make a promise wider; a rewording has them only where its source does."""
_JOINED = re.compile(r"而|且|但|并|和|或|\b(?:and|but|or|while|yet)\b")
_ENDS = re.compile(r"[。！？；;!?\n]+|\.(?=\s|$)|[，,：:](?!\d)")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` names the first rule that a rewording breaks; `detail` the words or numbers, never for a log."""

    reason: Reason
    detail: str = ""

    @property
    def faithful(self) -> bool:
        return self.reason == "faithful"


def instructs(source: str) -> bool:
    """Whether a text of the shop holds what reads like orders to a language model; it is never handed to one."""
    return _INSTRUCTIONS.search(fold(source)) is not None


def check(source: str, rewording: str) -> Verdict:
    """Whether `rewording` may be sent instead of `source`, of the same language.

    It may leave out nothing that carries a number, a negation, a limit or a condition, and may add no number,
    unit, name, address, nor any word that is neither of the source nor mere courtesy. Each clause is held against
    the clause of the source that it shares most words with: numbers stay with their words, what is denied or
    limited there is so here and nothing else is, and what the shop owes is not put on the customer.
    """
    for verdict in (_form(source, rewording), _numbers(source, rewording), _words(source, rewording)):
        if verdict is not None:
            return verdict
    return _clauses(source, rewording) or Verdict("faithful")


def _form(source: str, rewording: str) -> Verdict | None:
    if not rewording.strip():
        return Verdict("empty")
    if len(rewording) > LONGEST * len(source) + _GREETING:
        return Verdict("too_long")
    if any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co") and c != "\n" for c in rewording):
        return Verdict("control_characters")
    if instructs(source) or instructs(rewording):
        return Verdict("instructions")
    if _MARKUP.search(rewording) and not _MARKUP.search(source):
        return Verdict("markup")
    if identify(source) != identify(rewording):
        return Verdict("language")
    if fixed(source) != fixed(rewording):
        return Verdict("fixed_text", " ".join(sorted(fixed(source) ^ fixed(rewording))))
    return None


def _numbers(source: str, rewording: str) -> Verdict | None:
    had = {quantity.key for quantity in quantities(source)}
    has = {quantity.key for quantity in quantities(rewording)}
    if has - had:
        return Verdict("number_added", " ".join(map("".join, sorted(has - had))))
    if had - has:
        return Verdict("number_lost", " ".join(map("".join, sorted(had - has))))
    return None


def _words(source: str, rewording: str) -> Verdict | None:
    """Every word that carries meaning, or widens what is said, stands in the source; the rest of grammar is free."""
    known = set(words(source)) | meant(source)
    plain = fold(source)
    for word in content_words(rewording, stemmed=False):
        if word in COURTESIES or (word in plain and not word.isascii()) or _numeral(word):
            continue
        if any(stem not in known and stem not in COURTESIES for stem in content_words(word)):
            return Verdict("word_added", word)
    widening = set(_WIDENING.findall(fold(rewording))) - set(_WIDENING.findall(plain))
    return Verdict("word_added", " ".join(sorted(widening))) if widening else None


def _numeral(word: str) -> bool:
    """Numbers and their units were compared as such: thirty for 30, 三十天 for 30 天."""
    found = quantities(word)
    return bool(found) or not any(character.isalpha() for character in word)


# --- clause by clause


def _clauses(source: str, rewording: str) -> Verdict | None:
    ours, theirs = _split(rewording), _split(source)
    kept: set[int] = set()
    for clause in ours:
        said = _content(clause)
        if not said and not _weighs(clause):
            continue  # a greeting
        matches = _matching(clause, said, theirs)
        if not matches:
            return Verdict("word_added", clause)
        kept |= set(matches)
        verdict = _against(clause, [theirs[place] for place in matches])
        if verdict is not None:
            return verdict
    for place, clause in enumerate(theirs):
        if place not in kept and _weighs(clause):
            return Verdict("condition_lost", clause)
    return None


def _against(clause: str, held: Sequence[str]) -> Verdict | None:
    """One clause of the rewording against those of the source that it is made of, in the order of the source."""
    told = [quantity.key for quantity in quantities(clause)]
    own = {quantity.key for other in held for quantity in quantities(other)}
    if any(key not in own for key in told):
        return Verdict("number_moved", clause)
    has = markers(clause)
    had: Counter[str] = sum((markers(other) for other in held), start=Counter())
    if has["denies"] != had["denies"] or any((has[name] > 0) != (had[name] > 0) for name in KEPT):
        return Verdict("polarity", clause)
    if had["permits"] and not has["permits"]:
        return Verdict("polarity", clause)
    binds = len(set(told)) > 1 or (has["denies"] > 0 and _JOINED.search(fold(clause)) is not None)
    if binds and not _in_order(_sequence(clause), [word for other in held for word in _sequence(other)]):
        return Verdict("number_moved" if len(set(told)) > 1 else "polarity", clause)
    return _party(clause, held, has)


def _party(clause: str, held: Sequence[str], has: Counter[str]) -> Verdict | None:
    """Nobody is bound, or freed, in another's place."""
    named: frozenset[str] = parties(clause)
    known: frozenset[str] = frozenset().union(*map(parties, held))
    moved = bool(known and named and not named & known)
    shop_instead = "shop" in named - known and "customer" in known
    customer_instead = "customer" in named - known and "shop" in known and not has["permits"]
    return Verdict("party", clause) if moved or shop_instead or customer_instead else None


def _sequence(clause: str) -> list[str]:
    """The words and numbers of a clause in order, numbers with their units as one word each."""
    folded = fold(clause)
    parts, end = [], 0
    for quantity in quantities(clause):
        parts += [
            folded[end : quantity.start],
            f" qty{quantity.value.replace('.', 'p').replace(':', 'c')}{quantity.unit} ",
        ]
        end = quantity.end
    said = "".join((*parts, folded[end:]))
    return [word for word in content_words(said) if word not in COURTESIES]


def _in_order(said: Sequence[str], source: Sequence[str]) -> bool:
    """Whether the words of a clause that stand in the source stand there in the same order."""
    shared = [word for word in said if word in source]
    places = iter(source)
    return all(any(word == other for other in places) for word in shared)


def _matching(clause: str, said: set[str], theirs: Sequence[str]) -> list[int]:
    """The clauses of the source that a clause is made of, in their order: each gives words that no other gave.

    Greedy, the largest share first; a clause of numbers alone is matched by its numbers.
    """
    wanted = set(said) or _told(clause)
    contents = [_content(other) if said else _told(other) for other in theirs]
    matches: list[int] = []
    while wanted:
        place = max(
            range(len(theirs)), key=lambda n: (len(wanted & contents[n]), -len(contents[n]), -n), default=-1
        )
        if place < 0 or not wanted & contents[place]:
            break
        matches.append(place)
        wanted -= contents[place]
    return sorted(matches)


def _told(clause: str) -> set[str]:
    return {f"{quantity.value} {quantity.unit}" for quantity in quantities(clause)}


def _weighs(clause: str) -> bool:
    """Whether leaving a clause out would change what is promised."""
    found = markers(clause)
    return bool(quantities(clause)) or any(
        found[name] for name in ("denies", "only", "condition", "requires")
    )


def _content(clause: str) -> set[str]:
    """The words of a clause that carry meaning; numbers with their units are compared as such."""
    folded = fold(clause)
    for quantity in reversed(quantities(clause)):
        folded = f"{folded[: quantity.start]} {folded[quantity.end :]}"
    return {word for word in meant(folded) if word not in COURTESIES}


def _split(text: str) -> list[str]:
    """Clauses between sentence ends and commas, each with something to say."""
    pieces = (piece.strip() for piece in _ENDS.split(text))
    return [piece for piece in pieces if any(character.isalnum() for character in piece)]
