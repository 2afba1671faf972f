"""Which problem a message belongs to, online: exemplars, centroids, words and entities into P(same problem)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graph.errors import GraphError
from graph.models import Entity, Match, Utterance
from graph.words import WordIndex, is_content

Floats: TypeAlias = NDArray[np.float64]
Channel: TypeAlias = Literal["meaning", "words"]

EXEMPLARS = 8
"""Messages kept of a problem, chosen to differ."""

_SHORTLIST = 32
"""Problems looked at closely: the nearest by centroid and as many by words."""
_TOP = 3


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A message kept as an instance of its problem."""

    utterance: Utterance
    event_id: str | None
    at: datetime


@dataclass(slots=True)
class _State:
    """What is known of one problem; rows point into the matcher's arrays."""

    slot: int
    rows: list[int] = field(default_factory=list)
    exemplars: list[Exemplar] = field(default_factory=list)
    likeness: list[list[float]] = field(default_factory=list)
    total: Floats | None = None
    messages: int = 0
    active_at: datetime | None = None
    entities: dict[str, Counter[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A problem that a message may belong to, with what speaks for it.

    `nearest` is the cosine to the nearest exemplar (by meaning, or by words where the encoder does not read),
    `same` and `conflict` (0 to 1) say how far products, carriers and campaigns agree or contradict.
    """

    problem_id: str
    probability: float
    nearest: float
    same: float
    conflict: float
