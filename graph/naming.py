"""A name for a problem that people recognise: its most typical message and what sets it apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from graph.models import Utterance
from graph.words import WordIndex, is_content, is_han

_LONGEST_HAN, _LONGEST_LATIN = 24, 60
_TERMS = 4
_SAMPLE = 200
"""Messages looked at; of more, the first and every n-th after it."""
_NUMBERS = re.compile(r"#?(?<![A-Za-z0-9])[A-Za-z]{0,4}-?\d{6,}|#\d{4,}|\[[A-Z]+\]")
"""Order and parcel numbers and masks of personal data: one customer's, so never part of a name."""
_MASKS = frozenset({"order", "number", "price", "date", "phone", "email", "card", "id", "address"})
_ENDS = "。！？!?；;\n"
_BREAKS = "，,、 "


def name_problem(
    messages: Sequence[Utterance], *, rarity: Callable[[str], float] | None = None
) -> Mapping[str, str]:
    """Names by language, "zh" and "en" always among them, for a problem given by its messages.

    A name is the message that stands nearest to all others (the medoid, by words), shortened to its first
    sentence, followed by up to four telling terms that it does not hold itself. A language that no message
    speaks borrows the name of the one that most speak. `tokens` should be words rather than character pairs;
    `rarity` gives a word's weight among other problems (`ProblemMatcher.rarity`), so that common words name
    nothing. Empty without messages.
    """
    spoken: dict[str, list[Utterance]] = {}
    for message in messages:
        if message.text.strip():
            spoken.setdefault(message.language, []).append(message)
    if not spoken:
        return {}
    names = {language: _name(said, language, rarity) for language, said in spoken.items()}
    main = max(spoken, key=lambda language: (len(spoken[language]), language in {"zh", "en"}))
    return {"zh": names[main], "en": names[main]} | names


def typical(messages: Sequence[Utterance]) -> int:
    """The place of the message that stands nearest to all others, by words; of more than 200 a part is looked at."""
    step = -(-len(messages) // _SAMPLE)
    sample = messages[::step]
    return step * _medoid(sample, WordIndex.of(message.tokens for message in sample))


def _medoid(messages: Sequence[Utterance], index: WordIndex) -> int:
    # the shorter of two equally typical messages reads better
    centrality = [float(index.cosines_of(row).sum()) - 0.002 * len(m.text) for row, m in enumerate(messages)]
    return centrality.index(max(centrality))


def _name(messages: Sequence[Utterance], language: str, rarity: Callable[[str], float] | None) -> str:
    sample = messages[:: -(-len(messages) // _SAMPLE)]
    index = WordIndex.of(message.tokens for message in sample)
    title = shortened(sample[_medoid(sample, index)].text)
    terms = _terms(sample, title, language, rarity or index.rarity)
    if not terms:
        return title
    return f"{title}（{'、'.join(terms)}）" if language == "zh" else f"{title} ({', '.join(terms)})"


def _terms(
    messages: Sequence[Utterance], title: str, language: str, rarity: Callable[[str], float]
) -> list[str]:
    """Words that many of the messages use, few others do, and the title does not hold."""
    uses = Counter(token for message in messages for token in dict.fromkeys(message.tokens))
    least = 2 if len(messages) > 2 else 1
    known = title.casefold()
    empty: frozenset[str] = _MASKS if language == "zh" else frozenset()
    scored = sorted(
        (-count * rarity(token), token)
        for token, count in uses.items()
        if count >= least
        and is_content(token)
        and len(token) > 1
        and token not in known
        and token not in empty
        and not _NUMBERS.search(token)
    )
    chosen: list[str] = []
    for _, token in scored:
        if not any(token in other or other in token for other in chosen):
            chosen.append(_as_written(token, messages))
        if len(chosen) == _TERMS:
            break
    return chosen


def _as_written(token: str, messages: Sequence[Utterance]) -> str:
    """A stemmed word as the first message that holds it spells it: "deliveri" → "delivery"."""
    if is_han(token[0]):
        return token
    for message in messages:
        for word in message.text.split():
            plain = word.strip(".,!?;:()\"'，。！？").casefold()
            if plain.startswith(token) or (len(token) > 3 and plain.startswith(token[:-1])):
                return plain
    return token


def shortened(text: str) -> str:
    """The first sentence that says something, cut at a pause where it is long."""
    sentences = [_NUMBERS.sub(" ", text)]
    for end in _ENDS:
        sentences = [part for sentence in sentences for part in sentence.split(end)]
    said = [sentence.strip(_BREAKS) for sentence in sentences if sentence.strip(_BREAKS)]
    title = " ".join((next((part for part in said if len(part) >= 4), said[0]) if said else text).split())
    limit = _LONGEST_HAN if any(map(is_han, title)) else _LONGEST_LATIN
    if len(title) <= limit:
        return title
    pause = max(title.rfind(mark, limit // 2, limit) for mark in _BREAKS)
    return title[: pause if pause > 0 else limit - 1].rstrip(_BREAKS) + "…"
