"""How much one voice counts among many. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

SHARE = 0.05
"""The most that one voice may weigh of all."""


def weights(voters: Sequence[str | None], prior: float, masses: Sequence[float] | None = None) -> list[float]:
    """How much each word counts: its mass, less where one voice would weigh more than SHARE of all together.

    All together is what the words weigh and the `prior`, the weight of what was believed before. What nobody in
    particular offered (None) always counts in full. `masses` are 1 each where they are left out.
    """
    given = [1.0] * len(voters) if masses is None else list(masses)
    said: defaultdict[str, float] = defaultdict(float)
    for voter, mass in zip(voters, given, strict=True):
        if voter is not None:
            said[voter] += mass
    drawn = sum(mass for voter, mass in zip(voters, given, strict=True) if voter is None)
    most = _most(sorted(said.values(), reverse=True), prior + drawn)
    return [
        mass if voter is None else mass * min(1.0, most / said[voter])
        for voter, mass in zip(voters, given, strict=True)
    ]


def _most(said: Sequence[float], rest: float) -> float:
    """The weight that no voice exceeds: SHARE of all, when the loudest voices are held to it."""
    for held in range(len(said) + 1):
        quiet = sum(said[held:])
        most = SHARE * (rest + quiet) / (1 - SHARE * held) if SHARE * held < 1 else 0.0
        if held == len(said) or said[held] <= most:
            return most
    return 0.0
