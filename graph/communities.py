"""Groups of topics that the same agents resolve, with ids that last from one run to the next."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import networkx as nx  # type: ignore[import-untyped]
import numpy as np
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

Weights: TypeAlias = Mapping[tuple[str, str], float]
"""(agent id, topic) to the decayed number of cases that the agent resolved there."""

ANCHOR = 0.2
SEEDS = 10
_SAME = 0.3
_MOSTLY = 0.5


@dataclass(frozen=True, slots=True)
class Community:
    agents: frozenset[str]
    topics: frozenset[str]


def communities(
    weights: Weights, anchors: Mapping[str, Collection[str]], *, seed: int, anchor: float = ANCHOR
) -> tuple[Community, ...]:
    """Louvain communities of the agent-topic graph, the best modularity of 10 seeds from `seed` on.

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
        (nx.community.louvain_communities(network, seed=seed + i) for i in range(SEEDS)),
        key=lambda partition: nx.community.modularity(network, partition),
    )
    found = [
        Community(
            frozenset(agents[n] for n in part if n < len(agents)),
            frozenset(topics[n - len(agents)] for n in part if len(agents) <= n < len(number)),
        )
        for part in parts
    ]
    return tuple(sorted((c for c in found if c.topics), key=lambda c: min(c.topics)))


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
