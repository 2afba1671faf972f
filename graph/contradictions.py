"""Which statements of two documents contradict one another: a different quantity of the same matter, or a
permission against a prohibition. Pure.

Precision comes first: two statements are compared only where everything that could make both true agrees, and a
difference is dropped when either document says elsewhere what the other says.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import TypeAlias

from graph.claims import Aspect, Claim, Contradiction, Source, Topic

EXCLUSIVE = frozenset({"faulty", "our_fault", "unopened", "lost", "late", "presale"})
"""Circumstances in which other rules hold: a statement for one of them never contradicts one without it."""
ENOUGH = 0.6
"""Score from which a pair is reported."""
SLIGHT = frozenset({"price", "use", "validity", "extension", "transit", "report", "approval", "reply_time"})
"""Matters so broad that sharing one alone says little."""
SLIGHT_WEIGHT = 0.4
IMPLIED = 0.8
"""What is left of a score where only a heading says what a statement is about; it needs a member level or a
circumstance in common besides."""
UNLIKE = 0.2
"""Cosine below which two passages speak of different things, whatever terms they share."""
ALIKE = 0.6
"""Cosine from which they speak of the same."""


class Claims:
    """The claims of all documents of a workspace, and what contradicts what; changed one document at a time.

    Not thread-safe. A document is compared with those that share a matter of the same dimension, or an act, about
    the same goods, so that putting one costs little however many there are.
    """

    def __init__(self) -> None:
        self._claims: dict[str, tuple[Claim, ...]] = {}
        self._keys: dict[_Key, dict[str, None]] = {}
        self._found: dict[tuple[str, str], tuple[Contradiction, ...]] = {}
        self._partners: dict[str, set[str]] = {}

    def __contains__(self, source_id: str) -> bool:
        return source_id in self._claims

    def contradictions(self) -> tuple[Contradiction, ...]:
        """All that is known, surest first."""
        found = (item for items in self._found.values() for item in items)
        return tuple(sorted(found, key=lambda item: (-item.score, item.one.id, item.other.id)))

    def remove(self, source_id: str) -> None:
        """Forgets a document; one that is not known does no harm."""
        for claim in self._claims.pop(source_id, ()):
            for key in _keys(claim):
                sources = self._keys.get(key, {})
                sources.pop(source_id, None)
                if not sources:
                    self._keys.pop(key, None)
        for partner in self._partners.pop(source_id, set()):
            self._partners[partner].discard(source_id)
            self._found.pop(_pair(source_id, partner), None)

    def put(self, source_id: str, claims: Sequence[Claim], likeness: Likeness) -> None:
        """Takes a document's claims in place of its earlier ones and compares them with all others'."""
        self.remove(source_id)
        if not claims:
            return
        near = dict.fromkeys(
            other
            for claim in claims
            for key in _keys(claim)
            for met in _met(key)
            for other in self._keys.get(met, ())
        )
        for other in near:
            first, second = _pair(source_id, other)
            held = {source_id: tuple(claims), other: self._claims[other]}
            found = contradictions(held[first], held[second], likeness)
            if found:
                self._found[first, second] = found
                self._partners.setdefault(first, set()).add(second)
                self._partners.setdefault(second, set()).add(first)
        self._claims[source_id] = tuple(claims)
        for claim in claims:
            for key in _keys(claim):
                self._keys.setdefault(key, {})[source_id] = None


Likeness: TypeAlias = Callable[[Claim, Claim], float | None]
"""The cosine of what two claims say, numbers masked; None where no encoder reads both."""


def unread(one: Claim, other: Claim) -> None:
    """The likeness where there are no vectors."""


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one <= other else (other, one)


_Key: TypeAlias = tuple[str, str, str, bool]
"""Dimension (or that it is a permission), matter, goods, and whether it is a resolution's."""


def _met(key: _Key) -> tuple[_Key, ...]:
    """The keys under which what may contradict a claim is found: resolutions are many, and meet none another."""
    rest = key[:3]
    return ((*rest, False),) if key[3] else ((*rest, False), (*rest, True))


def _keys(claim: Claim) -> Iterable[_Key]:
    what = claim.measure.dimension if claim.measure is not None else "permission"
    past = claim.source.kind == "resolution"
    codes = _codes(claim)
    for matter in claim.own.matters or claim.around.matters:
        for thing in codes or claim.own.goods or claim.around.goods or {""}:
            yield what, matter, thing, past
    if claim.measure is not None:
        for code in codes:
            yield what, "", code, past


def contradictions(
    ones: Sequence[Claim], others: Sequence[Claim], likeness: Likeness
) -> tuple[Contradiction, ...]:
    """What contradicts what in two documents' claims."""
    if not ones or not others:
        return ()
    span = common_span(ones[0].source, others[0].source)
    if span is None:
        return ()
    found = [
        Contradiction(one, other, aspect, round(score, 3), _shared(one, other), *span)
        for one, other, aspect, score in (
            *_different_quantities(ones, others, likeness),
            *_opposed_permissions(ones, others, likeness),
        )
        if score >= ENOUGH
    ]
    return _one_a_place(found)


def common_span(one: Source, other: Source) -> tuple[datetime | None, datetime | None] | None:
    """From when to when both documents hold for somebody; None when never, or one supersedes the other."""
    mine, theirs = one.realm, other.realm
    if one.id in theirs.supersedes or other.id in mine.supersedes or mine.audience != theirs.audience:
        return None
    if one.kind == other.kind == "resolution":
        return None
    if mine.regions and theirs.regions and not mine.regions & theirs.regions:
        return None
    if not _both_or_none(mine.channels, theirs.channels):
        return None  # what holds on one channel only is the exception to what holds on all
    since = max((m for m in (mine.valid_from, theirs.valid_from) if m is not None), default=None)
    until = min((m for m in (mine.valid_to, theirs.valid_to) if m is not None), default=None)
    return None if since is not None and until is not None and until <= since else (since, until)


def _different_quantities(
    ones: Sequence[Claim], others: Sequence[Claim], likeness: Likeness
) -> Iterable[tuple[Claim, Claim, Aspect, float]]:
    """Pairs that are each other's best match and differ, where neither document says elsewhere what the other does."""
    alike = {
        (a, b): score
        for a, one in enumerate(ones)
        for b, other in enumerate(others)
        if one.measure is not None
        and other.measure is not None
        and one.measure.dimension == other.measure.dimension
        and (score := sameness(one, other, likeness)) > 0
    }
    for (a, b), score in alike.items():
        one, other = ones[a], others[b]
        assert one.measure is not None and other.measure is not None
        if score < ENOUGH or not one.measure.contradicts(other.measure):
            continue
        best_of_one = max(value for (x, _), value in alike.items() if x == a)
        best_of_other = max(value for (_, y), value in alike.items() if y == b)
        if score < max(best_of_one, best_of_other) - 0.05:
            continue
        if _says(others, one) or _says(ones, other):
            continue
        yield one, other, "quantity", score


def _says(claims: Sequence[Claim], wanted: Claim) -> bool:
    """Whether one of the claims gives the wanted quantity for something that may be the same."""
    assert wanted.measure is not None
    return any(
        claim.measure is not None
        and claim.measure.equals(wanted.measure)
        and bool(_matters(claim) & _matters(wanted) or claim.own.words & wanted.own.words)
        and _same_people(claim, wanted)
        and _conditions(claim) & EXCLUSIVE == _conditions(wanted) & EXCLUSIVE
        and not _told_apart(claim, wanted)
        for claim in claims
    )


def _told_apart(one: Claim, other: Claim) -> bool:
    """Whether two claims name different goods or circumstances, as the rows of one table do."""
    named = (
        (_codes(one), _codes(other)),
        (_goods(one), _goods(other)),
        (one.own.conditions, other.own.conditions),
    )
    return any(mine and theirs and not mine & theirs for mine, theirs in named)


def _matters(claim: Claim) -> frozenset[str]:
    return claim.own.matters | claim.around.matters


def _opposed_permissions(
    ones: Sequence[Claim], others: Sequence[Claim], likeness: Likeness
) -> Iterable[tuple[Claim, Claim, Aspect, float]]:
    for one in ones:
        for other in others:
            if one.permits is None or other.permits is None or one.permits == other.permits:
                continue
            score = _opposition(one, other, likeness)
            if score < ENOUGH:
                continue
            if not _does(ones, other) and not _does(others, one):
                yield one, other, "permission", score


def _does(claims: Sequence[Claim], wanted: Claim) -> bool:
    """Whether one of the claims permits, or prohibits, the same as the wanted one does."""
    return any(claim.permits == wanted.permits and _opposition(claim, wanted, unread) for claim in claims)


def _opposition(one: Claim, other: Claim, likeness: Likeness) -> float:
    """How surely one permits what the other prohibits (or both do the same), 0 where something forbids it.

    They share the act and the goods, and either a circumstance (both: once opened), or all that they name.
    """
    acts = one.acts & other.acts
    if not acts or not (_same_things(one, other) and _same_people(one, other)):
        return 0.0
    mine, theirs = _conditions(one), _conditions(other)
    if mine & EXCLUSIVE != theirs & EXCLUSIVE or not (_meets(one.own, theirs) and _meets(other.own, mine)):
        return 0.0
    apart = (one.own.matters - _matters(other)) | (other.own.matters - _matters(one))
    if _weight(acts) < _weight(apart) or not _both_or_none(_objects(one), _objects(other)):
        return 0.0
    named = bool(_codes(one) or _goods(one) or _objects(one))
    if mine & theirs:
        score = 0.85 + 0.1 * named
    elif named and _objects(one) == _objects(other) and not (apart or one.qualified or other.qualified):
        score = 0.7
    else:
        return 0.0
    return _weighed(score + 0.05 * (mine == theirs), one, other, likeness)


def _weighed(score: float, one: Claim, other: Claim, likeness: Likeness) -> float:
    """A score beside the likeness of what is said, where that is known.

    Within one language statements that are unlike are not compared at all; across languages, where encoders are
    less sure, likeness only adds its share.
    """
    cosine = likeness(one, other)
    if cosine is None:
        return score
    if cosine < UNLIKE and one.source.language == other.source.language:
        return 0.0
    return 0.7 * score + 0.3 * min(max(cosine, 0.0) / ALIKE, 1.0)


def _meets(own: Topic, conditions: frozenset[str]) -> bool:
    """Whether a statement's own conditions, when it has any, are in part those of another."""
    return not own.conditions or bool(own.conditions & conditions)


def sameness(one: Claim, other: Claim, likeness: Likeness) -> float:
    """How surely two claims are about the same quantity of the same thing, 0 to 1; 0 where something forbids it."""
    if not (_same_things(one, other) and _same_people(one, other) and _same_circumstances(one, other)):
        return 0.0
    mine, theirs = one.own.matters or one.around.matters, other.own.matters or other.around.matters
    both = mine & theirs
    objects = _objects(one) & _objects(other)
    if not _both_or_none(_objects(one), _objects(other)) or not (both - SLIGHT or (both and objects)):
        return 0.0
    apart = (mine - _matters(other)) | (theirs - _matters(one))
    score = _weight(both) / (_weight(both) + _weight(apart))
    if not (one.own.matters and other.own.matters):
        particular = one.own.parties & other.own.parties or one.own.conditions & other.own.conditions
        score *= IMPLIED if particular else 0.0
    if one.source.language == other.source.language:
        score = 0.5 * score + 0.5 * _word_overlap(one.own.words, other.own.words)
    return _weighed(score, one, other, likeness)


def _objects(claim: Claim) -> frozenset[str]:
    return claim.own.objects or claim.around.objects


def _word_overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Shared words over the shorter's, a little less where that is very short."""
    shorter = min(len(one), len(other))
    return len(one & other) / max(shorter, 3) if shorter else 0.0


def _weight(matters: Collection[str]) -> float:
    return sum(SLIGHT_WEIGHT if matter in SLIGHT else 1.0 for matter in matters)


def _same_circumstances(one: Claim, other: Claim) -> bool:
    mine, theirs = _conditions(one), _conditions(other)
    if mine & EXCLUSIVE != theirs & EXCLUSIVE:
        return False
    return mine == theirs or len(mine & theirs) >= 0.5 * len(mine | theirs)


def _conditions(claim: Claim) -> frozenset[str]:
    return claim.own.conditions | claim.around.conditions


def _same_people(one: Claim, other: Claim) -> bool:
    """The same members and places: both for all, or both for some of the same."""
    return _both_or_none(_parties(one), _parties(other)) and _both_or_none(
        one.own.places or one.around.places, other.own.places or other.around.places
    )


def _parties(claim: Claim) -> frozenset[str]:
    return claim.own.parties or claim.around.parties or claim.source.realm.tiers


def _same_things(one: Claim, other: Claim) -> bool:
    """The same goods: named by model on both sides, or by kind, or on neither: a rule and its exception differ."""
    mine, theirs = _codes(one), _codes(other)
    if mine or theirs:
        return bool(mine & theirs)
    return _both_or_none(_goods(one), _goods(other))


def _goods(claim: Claim) -> frozenset[str]:
    return claim.own.goods or claim.around.goods


def _codes(claim: Claim) -> frozenset[str]:
    return claim.own.codes or claim.around.codes or _models(claim.source.realm.products)


@functools.lru_cache(maxsize=4096)
def _models(products: frozenset[str]) -> frozenset[str]:
    """The parts of SKUs by which texts name products: EB20 of SLA-EB20; a SKU without such a part as it is."""
    found = set()
    for sku in products:
        parts = [
            part for part in sku.split("-") if any(map(str.isdigit, part)) and any(map(str.isalpha, part))
        ]
        found |= set(parts) or {sku}
    return frozenset(found)


def _both_or_none(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one & other) if one and other else not one and not other


def _shared(one: Claim, other: Claim) -> tuple[str, ...]:
    return tuple(sorted((one.own.matters & other.own.matters) or (_matters(one) & _matters(other))))


def _one_a_place(found: Sequence[Contradiction]) -> tuple[Contradiction, ...]:
    """The surest of those that concern the same statement."""
    kept: list[Contradiction] = []
    taken: set[str] = set()
    for item in sorted(found, key=lambda item: (-item.score, item.one.id, item.other.id)):
        if item.one.id not in taken and item.other.id not in taken:
            kept.append(item)
            taken |= {item.one.id, item.other.id}
    return tuple(kept)
