"""Which problems are of one theme and which hold two, by who is near to whom among all their messages, however far
apart a shop's problems lie."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import networkx as nx  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

from graph.cells import Vectors32
from graph.exemplars import telling
from graph.models import Entity, Utterance
from graph.words import rarity_of, weighted

MANY = 1_000
"""Messages from which each finds its theme by itself. Fewer fall into more parts than there are matters: what is near
to what is then chance as often as not."""
CUSTOMERS = 3
"""Customers who must speak on either side where a problem holds two themes."""
SHARE = 0.05
"""Least share of a problem's messages that leave it for another theme: fewer stand there by chance."""
_AT_ONCE = 512
"""Messages compared with all others in one step."""
_FEWEST = 10
"""Neighbours however few messages there are."""
_SEED = 1


@dataclass(frozen=True, slots=True)
class Grain:
    """How coarse the themes are that messages fall into.

    `neighbours` is how many nearest messages speak for each (of few messages fewer, their square root), `floor` the
    likeness (0 to 1) from which they do, and `resolution` what modularity weighs chance links by: higher is finer.
    `words` is the words' share in likeness.
    """

    neighbours: int = 20
    floor: float = 0.3
    resolution: float = 1.0
    words: float = 0.3


COARSE = Grain()
"""Themes: one of these is a topic of news, or what one of a bank's 77 intents is about; a shop's incident is finer. See
`docs/benchmarks.md` for what it was chosen on."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message, the problem that it stands in, and who said it; where that is not known, somebody else each time."""

    problem_id: str
    utterance: Utterance
    entities: tuple[Entity, ...] = ()
    voter: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Themes:
    """`of` is the number of each message's theme, `ties` how much the messages of each two problems point to one
    another, by their ids in order."""

    of: tuple[int, ...]
    ties: Mapping[tuple[str, str], float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Strayed:
    """Messages of a problem that are of another theme than most of it, as places among all; `anchors` are the most
    typical message of those that stay and of those that strayed."""

    problem_id: str
    gone: tuple[int, ...]
    anchors: tuple[int, int]


def themes(
    messages: Sequence[Said], grain: Grain = COARSE, *, reads: frozenset[str] = frozenset({"en"})
) -> Themes:
    """What messages are about, and so the problems that they stand in; vectors all of one model.

    Each message points to its nearest ones, wherever they are; those that point to one another more than chance would
    have it are of one theme (modularity, by Louvain's method: Blondel et al. 2008, on a graph of nearest neighbours,
    where every message has as many links whether its kind lies dense or thin). That is why no threshold need be known:
    on streams of three kinds one grain does, where thresholds that suit one split or blur the others. Which problem a
    message stands in does not count, unless there are fewer than `MANY`: then problems are taken as they are. Messages
    that name different products, carriers or campaigns do not point to each other. Vectors speak for languages in
    `reads`, words for all. The same messages in the same order give the same.
    """
    names = {name: number for number, name in enumerate(dict.fromkeys(item.problem_id for item in messages))}
    many = len(messages) >= MANY
    owner = range(len(messages)) if many else [names[message.problem_id] for message in messages]
    graph = _links(messages, owner, grain, reads)
    communities = nx.community.louvain_communities(graph, resolution=grain.resolution, seed=_SEED)
    numbered = enumerate(sorted(communities, key=min))
    theme = {node: number for number, community in numbered for node in community}
    problem = {node: message.problem_id for node, message in zip(owner, messages, strict=True)}
    ties: dict[tuple[str, str], float] = {}
    for one, other, weight in graph.edges(data="weight"):
        first, second = sorted((problem[one], problem[other]))
        ties[first, second] = ties.get((first, second), 0.0) + weight
    return Themes(tuple(theme[node] for node in owner), ties)


def kin(
    messages: Sequence[Said],
    found: Themes,
    *,
    apart: Callable[[str, str], bool] = lambda one, other: False,
) -> tuple[tuple[str, ...], ...]:
    """The problems that are of one theme, each group in order of its ids, groups of one left out.

    A problem's theme is that of most of its messages. No two problems of which `apart` is true end up in one group.
    """
    groups: dict[int, list[str]] = {}
    for name, theme in _main_themes(messages, found.of).items():
        groups.setdefault(theme, []).append(name)
    parts = (part for group in groups.values() for part in _kept_apart(sorted(group), apart, found.ties))
    return tuple(sorted(tuple(sorted(part)) for part in parts if len(part) > 1))


def strayed(messages: Sequence[Said], found: Themes) -> tuple[Strayed, ...]:
    """What is of another theme than most of its problem, where customers enough speak on either side."""
    of = found.of
    main = _main_themes(messages, of)
    places: dict[str, dict[int, list[int]]] = {}
    for place, message in enumerate(messages):
        places.setdefault(message.problem_id, {}).setdefault(of[place], []).append(place)
    parts = []
    for name, by_theme in places.items():
        stay = by_theme[main[name]]
        least = SHARE * sum(map(len, by_theme.values()))
        if _customers(messages, stay) < CUSTOMERS:
            continue
        for theme, gone in by_theme.items():
            if theme != main[name] and len(gone) >= least and _customers(messages, gone) >= CUSTOMERS:
                anchors = _typical(messages, stay), _typical(messages, gone)
                parts.append(Strayed(name, tuple(gone), anchors))
    return tuple(parts)


def _main_themes(messages: Sequence[Said], of: Sequence[int]) -> dict[str, int]:
    """The theme of most messages of each problem, of two alike the lower number."""
    counts: dict[str, Counter[int]] = {}
    for message, theme in zip(messages, of, strict=True):
        counts.setdefault(message.problem_id, Counter())[theme] += 1
    return {name: min(count, key=lambda theme: (-count[theme], theme)) for name, count in counts.items()}


def _customers(messages: Sequence[Said], places: Sequence[int]) -> int:
    return len({messages[place].voter or place for place in places})


def _typical(messages: Sequence[Said], places: Sequence[int]) -> int:
    """The message nearest to the mean of some."""
    vectors = np.stack([messages[place].utterance.vector for place in places])
    return places[int(np.argmax(vectors @ vectors.mean(axis=0)))]


def _kept_apart(
    group: Sequence[str], apart: Callable[[str, str], bool], ties: Mapping[tuple[str, str], float]
) -> list[list[str]]:
    """A group in parts none of which holds a pair that is to stay apart: each goes to the part it is tied to most."""
    parts: list[list[str]] = []
    for name in group:
        free = [part for part in parts if not any(apart(name, other) for other in part)]
        if free:
            max(free, key=lambda part: sum(ties.get((other, name), 0.0) for other in part)).append(name)
        else:
            parts.append([name])
    return parts


def _links(messages: Sequence[Said], owner: Sequence[int], grain: Grain, reads: frozenset[str]) -> nx.Graph:
    """How much the messages of each two owners point to one another, and those of one among themselves."""
    count = len(messages)
    graph = nx.Graph()
    graph.add_nodes_from(owner)
    most = min(grain.neighbours, max(math.isqrt(count), _FEWEST), count - 1)
    if most < 1:
        return graph
    vectors = np.stack([message.utterance.vector for message in messages]).astype(np.float32)
    words = _word_rows(messages)
    read = np.array([message.utterance.language in reads for message in messages])
    named = [telling(message.entities) for message in messages]
    weights: dict[tuple[int, int], float] = {}
    for start in range(0, count, _AT_ONCE):
        likeness = _likeness(vectors, words, read, start, grain.words)
        rows = np.arange(len(likeness))
        likeness[rows, start + rows] = -1.0
        nearest = np.argpartition(-likeness, most - 1, axis=1)[:, :most]
        for row in rows.tolist():
            place = start + row
            for other in np.sort(nearest[row]).tolist():
                pull = float(likeness[row, other]) - grain.floor
                if pull <= 0.0 or _differ(named[place], named[other]):
                    continue
                pair = owner[place], owner[other]
                key = (min(pair), max(pair))
                weights[key] = weights.get(key, 0.0) + pull
    graph.add_weighted_edges_from((*key, weights[key]) for key in sorted(weights))
    return graph


def _likeness(
    vectors: Vectors32, words: sparse.csr_array, read: NDArray[np.bool_], start: int, share: float
) -> NDArray[np.float32]:
    some = slice(start, start + _AT_ONCE)
    shared = np.asarray((words[some] @ words.T).toarray(), dtype=np.float32)
    mixed = (1 - share) * (vectors[some] @ vectors.T) + share * shared
    return np.asarray(np.where(read[some, None] & read[None, :], mixed, shared), dtype=np.float32)


def _word_rows(messages: Sequence[Said]) -> sparse.csr_array:
    """Each message's words, idf-weighted, at unit length; one row a message."""
    texts = [weighted(message.utterance.tokens) for message in messages]
    seen: dict[str, int] = {}
    for text in texts:
        for token in text:
            seen[token] = seen.get(token, 0) + 1
    places = {token: place for place, token in enumerate(seen)}
    indices = [places[token] for text in texts for token in text]
    starts = np.cumsum([0, *(len(text) for text in texts)])
    rarity = {token: rarity_of(token, number, len(texts)) for token, number in seen.items()}
    data = np.array([weight * rarity[token] for text in texts for token, weight in text.items()])
    if not len(data):
        return sparse.csr_array((len(texts), 1))
    squares = np.concatenate([[0.0], np.cumsum(data**2)])
    lengths = np.sqrt(np.maximum(squares[starts[1:]] - squares[starts[:-1]], 1e-12))
    data /= np.repeat(lengths, np.diff(starts))
    return sparse.csr_array((data.astype(np.float32), indices, starts), shape=(len(texts), len(places)))


def _differ(one: Mapping[str, Sequence[str]], other: Mapping[str, Sequence[str]]) -> bool:
    """Whether two messages name different products, carriers or campaigns."""
    return any(kind in other and not set(one[kind]) & set(other[kind]) for kind in one)
