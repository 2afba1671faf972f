"""Groups of topics that the same agents resolve, with ids that last from one run to the next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import networkx as nx  # type: ignore[import-untyped]
import numpy as np
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

Weights: TypeAlias = Mapping[tuple[str, str], float]
"""(agent id, topic) to the decayed number of cases that the agent resolved there."""

ANCHOR = 0.2
SEEDS = 4
RESOLUTIONS = (1.0, 1.5, 2.0)
"""Louvain's own modularity counts ties of agents with agents, which cannot be, among those that chance would bring; of
what several resolutions give the two-sided modularity chooses."""
FINENESS = 1.75
"""How many times the ties that chance would bring are taken off. Agents know several fields, which ties these together:
with 1 such fields come out as one (agreement with the hidden fields of the simulated shop .62, so .83)."""
_SAME = 0.3
_MOSTLY = 0.5


@dataclass(frozen=True, slots=True)
class Community:
    agents: frozenset[str]
    topics: frozenset[str]


def communities(
    weights: Weights, anchors: Mapping[str, Collection[str]], *, seed: int, anchor: float = ANCHOR
) -> tuple[Community, ...]:
    """Louvain communities of the agent-topic graph: of several resolutions and seeds from `seed` on, the partition with
    the largest two-sided modularity.

    `anchors` maps a known cluster to its topics. Each gets one node tied to its topics, never to agents, with
    `anchor` times the topic's own weight; that keeps clusters from drifting between runs. In order of
    their smallest topic.
    """
    agents = sorted({agent for agent, _ in weights})
    topics = sorted({topic for _, topic in weights})
    # Numbers instead of names: sets of strings iterate in an order that changes from process to process.
    number = {("agent", agent): i for i, agent in enumerate(agents)}
    number |= {("topic", topic): len(number) + i for i, topic in enumerate(topics)}
    network = nx.Graph()
    network.add_nodes_from(range(len(number)))
    strength = dict.fromkeys(topics, 0.0)
    for (agent, topic), weight in sorted(weights.items()):
        network.add_edge(number["agent", agent], number["topic", topic], weight=weight)
        strength[topic] += weight
    for i, cluster in enumerate(sorted(anchors)):
        for topic in sorted(set(anchors[cluster]) & strength.keys()):
            network.add_edge(len(number) + i, number["topic", topic], weight=anchor * strength[topic])
    if not network.number_of_edges():
        return ()
    parts = max(
        (
            nx.community.louvain_communities(network, seed=seed + i, resolution=resolution)
            for resolution in RESOLUTIONS
            for i in range(SEEDS)
        ),
        key=_Modularity(network, range(len(agents), len(number))),
    )
    found = [
        Community(
            frozenset(agents[n] for n in part if n < len(agents)),
            frozenset(topics[n - len(agents)] for n in part if len(agents) <= n < len(number)),
        )
        for part in parts
    ]
    return _without_sidelines(sorted((c for c in found if c.topics), key=lambda c: min(c.topics)), weights)


def _without_sidelines(found: Sequence[Community], weights: Weights) -> tuple[Community, ...]:
    """A single topic that is the smaller part of its people's work joins the community with most of the rest."""
    total: defaultdict[str, float] = defaultdict(float)
    inside: defaultdict[tuple[str, int], float] = defaultdict(float)
    place = {topic: i for i, community in enumerate(found) for topic in community.topics}
    for (agent, topic), cases in weights.items():
        total[agent] += cases
        inside[agent, place[topic]] += cases
    joins: dict[int, int] = {}
    for i, community in enumerate(found):
        people = {agent: n for (agent, where), n in inside.items() if where == i}
        own = sum(n * n / total[agent] for agent, n in people.items())
        if len(community.topics) > 1 or own >= _MOSTLY * sum(people.values()):
            continue
        elsewhere: defaultdict[int, float] = defaultdict(float)
        for (agent, where), n in inside.items():
            if agent in people and where != i and len(found[where].topics) > 1:
                elsewhere[where] += n * people[agent] / total[agent]
        if elsewhere:
            joins[i] = min(elsewhere, key=lambda where: (-elsewhere[where], where))
    guests: defaultdict[int, list[Community]] = defaultdict(list)
    for guest, host in joins.items():
        guests[host].append(found[guest])
    return tuple(
        Community(
            community.agents.union(*(g.agents for g in guests[i])),
            community.topics.union(*(g.topics for g in guests[i])),
        )
        for i, community in enumerate(found)
        if i not in joins
    )


class _Modularity:
    """How much more weight lies inside the parts than chance would bring, where only the two sides are tied (Barber
    2007)."""

    def __init__(self, network: nx.Graph, topics: range) -> None:
        self._ties = np.array(
            [
                (a, b, weight) if b in topics else (b, a, weight)
                for a, b, weight in network.edges(data="weight")
            ]
        )
        others, ends, weights = self._ties.T
        size = max(network) + 1
        self._out = np.bincount(others.astype(int), weights, size)
        self._in = np.bincount(ends.astype(int), weights, size)

    def __call__(self, parts: Sequence[Collection[int]]) -> float:
        home = np.zeros(len(self._out), dtype=int)
        for number, part in enumerate(parts):
            home[list(part)] = number
        others, ends, weights = self._ties.T
        inside = weights[home[others.astype(int)] == home[ends.astype(int)]].sum()
        chance = np.bincount(home, self._out, len(parts)) @ np.bincount(home, self._in, len(parts))
        return float(inside - FINENESS * chance / weights.sum())


def matched(
    found: Sequence[Community],
    weights: Weights,
    members: Mapping[str, Collection[str]],
    skilled: Mapping[str, Collection[str]],
) -> list[str | None]:
    """The known cluster that each community is, or None for a new one.

    `members` maps a known cluster to its topics, `skilled` an agent to the clusters of their skills. Two
    speak for a cluster: shared topics, by weight, and the resolved weight of its agents, split over their
    skills. Each cluster goes to at most one community, by the largest total overlap (Hungarian), if that is
    at least .3 of the community's weight; a community that is mostly (.5) a cluster already given joins it.
    """
    known = sorted({*members, *(cluster for clusters in skilled.values() for cluster in clusters)})
    if not found or not known:
        return [None] * len(found)
    column = {cluster: i for i, cluster in enumerate(known)}
    overlap = np.zeros((len(found), len(known)))
    weight = np.zeros(len(found))
    row = {topic: i for i, community in enumerate(found) for topic in community.topics}
    homes: dict[str, list[str]] = {}
    for cluster, topics in members.items():
        for topic in topics:
            homes.setdefault(topic, []).append(cluster)
    for (agent, topic), cases in weights.items():
        i = row[topic]
        weight[i] += cases
        speakers = homes.get(topic) or skilled.get(agent, ())
        for cluster in speakers:
            overlap[i, column[cluster]] += cases / len(speakers)
    share = overlap / weight[:, None]
    result: list[str | None] = [None] * len(found)
    for i, j in zip(*linear_sum_assignment(overlap, maximize=True), strict=True):
        if share[i, j] >= _SAME:
            result[i] = known[j]
    for i, best in enumerate(share.argmax(axis=1)):
        if result[i] is None and share[i, best] >= _MOSTLY:
            result[i] = known[best]
    return result
