"""A name for a problem that people recognise: its most typical message and what sets it apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from graph.headings import NUMBERS, heading
from graph.models import Utterance
from graph.words import WordIndex, is_content, is_han

_LONGEST_HAN, _LONGEST_LATIN = 24, 60
_TERMS = 2
_COMMON_TERM = 0.2
"""Share of the messages that use a word which sets a problem apart."""
_TELLING = 3
"""Words of its matter from which a message says what is the matter; with fewer it is the less a name."""
_ANOTHER = 0.5
"""Share of the medoid's likeness to the messages below which a name does not say what they say."""
SAME_MATTER = 0.5
"""Cosine from which two messages in different languages say the same. On the packaged encoders, names of the sample
shop's problems that meant one thing in Chinese and English lay at .48 and above, half of them at .65 and above; others
at .43 and below, with few exceptions."""
_SAMPLE = 200
"""Messages looked at; of more, the first and every n-th after it."""
_MASKS = frozenset({"order", "number", "price", "date", "phone", "email", "card", "id", "address"})
_PLAIN_ENGLISH = """
order courier date good day happy thing time today problem issue help number shop store customer service use
"""
_PLAIN_CHINESE = """
订单 快递 一起 不能 问题 客服 忽然 突然 打扰 东西 时候 处理 商品 店铺 单号 顾客 收到 今天 昨天 怎么 现在
"""
_GENERIC = frozenset(_PLAIN_ENGLISH.split()) | frozenset(_PLAIN_CHINESE.split())
"""Words that set no problem of a shop apart from another one."""
_ENDS = "。！？!?；;\n"
_BREAKS = "，,、 "


def name_problem(
    messages: Sequence[Utterance], *, rarity: Callable[[str], float] | None = None
) -> Mapping[str, str]:
    """Names by language, "zh" and "en" always among them, for a problem given by its messages.

    A name is the message that stands nearest to all others (the medoid, by words), without greeting,
    pressure and numbers and shortened to its first sentence, followed by up to two telling terms that it does not
    hold itself. In a further language it is the message that says the same, by its vector, so that all names mean
    one thing; a language in which no message does borrows the name of the one that most speak. `tokens` should be
    words rather than character pairs; `rarity` gives a word's weight among other problems (`ProblemMatcher.rarity`),
    so that common words name nothing. Empty without messages.
    """
    spoken: dict[str, list[Utterance]] = {}
    for message in messages:
        if message.text.strip():
            spoken.setdefault(message.language, []).append(message)
    if not spoken:
        return {}
    main = max(spoken, key=lambda language: (len(spoken[language]), language in {"zh", "en"}))
    title = _title(spoken[main], main)
    name = _with_terms(title, spoken[main], main, rarity)
    names = {language: _named_alike(title, said, language, rarity) for language, said in spoken.items()}
    return {"zh": name, "en": name} | {code: own for code, own in names.items() if own} | {main: name}


def named_alike(
    name: str, messages: Sequence[Utterance], language: str, *, rarity: Callable[[str], float] | None = None
) -> str | None:
    """A name in a further language for what is called `name`: that of a message which says the same as the one that it
    was made of. None where either is not among the messages."""
    others = [message for message in messages if message.language != language and message.text.strip()]
    titles = [_headed(message) for message in others]
    of = next((title for title in titles if title.text and name.startswith(shortened(title.text))), None)
    if of is None:
        return None
    return _named_alike(of, [item for item in messages if item.language == language], language, rarity)


def typical(messages: Sequence[Utterance]) -> int:
    """The place of the message that stands nearest to all others, by words; of more than 200 a part is looked at."""
    step = -(-len(messages) // _SAMPLE)
    sample = messages[::step]
    return step * _medoid(sample, WordIndex.of(message.tokens for message in sample))


def another(
    names: Mapping[str, str], messages: Sequence[Utterance], words: Callable[[str], Sequence[str]]
) -> Mapping[str, str] | None:
    """Names for messages whose matter is another one than `names` say; None where they say it.

    `words` gives the words of a name as the messages' `tokens` are words. Looked at is the language that most speak.
    """
    spoken = Counter(message.language for message in messages if message.text.strip())
    if not spoken:
        return None
    main = max(spoken, key=lambda language: (spoken[language], language in {"zh", "en"}))
    said = [message for message in messages if message.language == main]
    fresh = name_problem(messages)
    if main not in fresh:
        return None
    index = WordIndex.of(message.tokens for message in said)
    known, typical_one = (
        float(index.cosines(words(name)).sum()) for name in (names.get(main, ""), fresh[main])
    )
    return fresh if known < _ANOTHER * typical_one else None


def _medoid(messages: Sequence[Utterance], index: WordIndex) -> int:
    # the shorter of two equally typical messages reads better
    centrality = [float(index.cosines_of(row).sum()) - 0.002 * len(m.text) for row, m in enumerate(messages)]
    return centrality.index(max(centrality))


def _headed(message: Utterance) -> Utterance:
    """A message as the heading that it would make, with the words that stand in that."""
    said = replace(message, text=heading(message.text, message.language))
    return replace(said, tokens=_inside(said))


def _sample(messages: Sequence[Utterance]) -> list[Utterance]:
    return list(messages[:: -(-len(messages) // _SAMPLE)])


def _title(messages: Sequence[Utterance], language: str) -> Utterance:
    """The message that names the others, as a heading where any of them makes one."""
    sample = _sample(messages)
    headed = [said for said in map(_headed, sample) if said.text]
    if not headed:
        return sample[_medoid(sample, WordIndex.of(message.tokens for message in sample))]
    return headed[_telling_medoid(headed, WordIndex.of(message.tokens for message in headed))]


def _named_alike(
    title: Utterance, messages: Sequence[Utterance], language: str, rarity: Callable[[str], float] | None
) -> str | None:
    """The name that those messages of a language give which say what a title says; None where none does."""
    near = [(_likeness(title, said), said) for said in map(_headed, _sample(messages)) if said.text]
    alike = [(value, said) for value, said in near if value >= SAME_MATTER]
    if not alike:
        return None
    nearest = max(alike, key=lambda pair: pair[0])[1]
    return _with_terms(nearest, [said for _, said in alike], language, rarity)


def _likeness(one: Utterance, other: Utterance) -> float:
    """The cosine of two messages; 0 where they have no vectors of one model."""
    if one.model_id != other.model_id or not len(one.vector) or len(one.vector) != len(other.vector):
        return 0.0
    return float(one.vector @ other.vector)


def _with_terms(
    title: Utterance, messages: Sequence[Utterance], language: str, rarity: Callable[[str], float] | None
) -> str:
    """The title shortened, with telling words of the messages that it does not hold."""
    headed = [said for said in map(_headed, _sample(messages)) if said.text]
    text = shortened(title.text)
    if not headed:
        return text
    found = rarity or WordIndex.of(message.tokens for message in headed).rarity
    terms = _terms(headed, text, language, found)
    if not terms:
        return text
    return f"{text}（{'、'.join(terms)}）" if language == "zh" else f"{text} ({', '.join(terms)})"


def _inside(message: Utterance) -> tuple[str, ...]:
    """Its words that its text still holds."""
    folded = message.text.casefold()
    return tuple(token for token in message.tokens if token in folded)


def _telling_medoid(messages: Sequence[Utterance], index: WordIndex) -> int:
    """The place of the message that stands nearest to the others, those first that say what is the matter."""
    near = []
    for row, message in enumerate(messages):
        words = sum(map(is_content, set(message.tokens)))
        telling = min(1.0, max(words, 0.5) / _TELLING)
        near.append(float(index.cosines_of(row).sum()) * telling - 0.002 * len(message.text))
    return near.index(max(near))


def _terms(
    messages: Sequence[Utterance], title: str, language: str, rarity: Callable[[str], float]
) -> list[str]:
    """Words that many of the messages use, few others do, and the title does not hold."""
    uses = Counter(token for message in messages for token in dict.fromkeys(message.tokens))
    least = max(2 if len(messages) > 2 else 1, _COMMON_TERM * len(messages))
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
        and token not in _GENERIC
        and not NUMBERS.search(token)
    )
    chosen: list[str] = []
    for _, token in scored:
        written = _as_written(token, messages)
        if written in known or written in _GENERIC:
            continue
        if not any(token in other or other in token for other in chosen):
            chosen.append(written)
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
            if any(map(is_han, plain)):
                continue
            if plain.startswith(token) or (len(token) > 3 and plain.startswith(token[:-1])):
                return plain
    return token


def shortened(text: str) -> str:
    """The first sentence that says something, cut at a pause where it is long."""
    sentences = [NUMBERS.sub(" ", text)]
    for end in _ENDS:
        sentences = [part for sentence in sentences for part in sentence.split(end)]
    said = [sentence.strip(_BREAKS) for sentence in sentences if sentence.strip(_BREAKS)]
    title = " ".join((next((part for part in said if len(part) >= 4), said[0]) if said else text).split())
    limit = _LONGEST_HAN if any(map(is_han, title)) else _LONGEST_LATIN
    if len(title) <= limit:
        return title
    pause = max(title.rfind(mark, limit // 2, limit) for mark in _BREAKS)
    return title[: pause if pause > 0 else limit - 1].rstrip(_BREAKS) + "…"
