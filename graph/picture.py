"""Where the nodes of a problem graph stand when they are drawn: fields apart, in each the larger towards its middle.

Every node has a home that follows from itself alone: its field, its size, a hash of its id and of what it is tied to
most. The larger are placed first, each on the free spot nearest to its home, so that none covers another, equal graphs
give equal pictures, and a node that comes moves only the smaller ones whose spot it takes. Fields grow in steps, so
that a picture keeps its shape while a shop grows. Which spots are free is kept as one map for each step of sizes, so
that a node costs the same whether thirty or three thousand are drawn.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CELL = 4.0
"""Spots lie on a lattice of this width."""
GAP = 3.0
"""The least distance between two rims."""
STEPS = tuple(7.0 * 1.32**step for step in range(8))
"""Radii within which nodes are placed; the last is the largest there is."""
LARGEST = STEPS[-1]
FULL = 0.4
"""Share of a field that its nodes may cover: well below what fits without order (about 0.54)."""
LEAST_FIELD = 60.0
FIELD_STEP = 1.15
"""Fields grow by this factor, so that most nodes that come leave theirs as it is."""
BETWEEN = 24.0
"""The least distance between two fields."""
ASPECT = 1.9
"""Screens are wider than high."""
FAN = 1.1
"""Radians over which the nodes spread that are tied to the same one."""
WINDOWS = (6, 24, 96)
"""Cells around its home in which a spot is looked for before the whole map is."""
GOLDEN_ANGLE = math.pi * (3.0 - math.sqrt(5.0))


@dataclass(frozen=True, slots=True)
class Figure:
    """One node to be drawn. `field` is where it belongs, "" for nowhere; `anchor` the node that it is tied to most.

    A `satellite` stands near what it is tied to, the `head` of a field in its middle.
    """

    id: str
    radius: float
    field: str = ""
    anchor: str = ""
    satellite: bool = False
    head: bool = False


@dataclass(frozen=True, slots=True)
class FieldCircle:
    field: str
    x: float
    y: float
    radius: float


@dataclass(frozen=True, slots=True)
class Picture:
    """`places` is one row (x, y) for each figure, in the order given."""

    places: NDArray[np.float64]
    fields: tuple[FieldCircle, ...]


def radius_of(customers: int, *, largest: float = LARGEST) -> float:
    """The radius of a node by its customers: its area grows a little slower than they do."""
    return float(min(largest, 4.6 * (1 + max(0, customers)) ** 0.42))


def bound(radius: float) -> float:
    """The step within which a node of this radius is placed: pictures of nodes of equal steps are equal."""
    return STEPS[int(np.searchsorted(STEPS, min(radius, LARGEST)))]


def draw(figures: Sequence[Figure], ties: Sequence[tuple[int, int]]) -> Picture:
    """Places for every figure; `ties` are pairs of their positions in the sequence. Ids are distinct."""
    if not figures:
        return Picture(np.zeros((0, 2)), ())
    steps = np.searchsorted(STEPS, [min(figure.radius, LARGEST) for figure in figures])
    circles = _fields(figures, steps)
    chances = np.array([_chances(figure.id) for figure in figures])
    homes = _homes(figures, ties, steps, chances, circles)
    order = sorted(
        range(len(figures)),
        key=lambda at: (not figures[at].head, -int(steps[at]), chances[at, 0], figures[at].id),
    )
    return Picture(_placed(homes, steps, order), tuple(circles.values()))


def _chances(id: str) -> tuple[float, float]:
    """Two numbers in [0, 1) that follow from an id."""
    digest = hashlib.blake2b(id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest[:4], "big") / 2**32, int.from_bytes(digest[4:], "big") / 2**32


# --- fields ------------------------------------------------------------------------------------------------


def _fields(figures: Sequence[Figure], steps: NDArray[np.int_]) -> dict[str, FieldCircle]:
    """A circle for each field, large enough for what belongs there; the largest in the middle, nowhere's at last."""
    room: dict[str, float] = {}
    for figure, step in zip(figures, steps, strict=True):
        room[figure.field] = room.get(figure.field, 0.0) + (STEPS[step] + GAP) ** 2
    radii = {field: _stepped(math.sqrt(covered / FULL)) for field, covered in room.items()}
    order = sorted(radii, key=lambda field: (field == "", -radii[field], field))
    circles: dict[str, FieldCircle] = {}
    for field in order:
        x, y = _beside(radii[field], list(circles.values()))
        circles[field] = FieldCircle(field, x, y, radii[field])
    return circles


def _stepped(radius: float) -> float:
    steps = math.ceil(math.log(max(1.0, radius / LEAST_FIELD)) / math.log(FIELD_STEP) - 1e-9)
    return float(LEAST_FIELD * FIELD_STEP**steps)


def _beside(radius: float, placed: Sequence[FieldCircle]) -> tuple[float, float]:
    """The first place on a spiral from the middle where a circle touches none of those that are there."""
    if not placed:
        return 0.0, 0.0
    there = np.array([(circle.x, circle.y) for circle in placed])
    needed = np.array([circle.radius for circle in placed]) + radius + BETWEEN
    begin, many = 0, 512
    while True:
        turns = np.arange(begin, begin + many)
        spread = LEAST_FIELD / 3 * np.sqrt(turns)
        spots = np.stack(
            [ASPECT * spread * np.cos(turns * GOLDEN_ANGLE), spread * np.sin(turns * GOLDEN_ANGLE)], axis=1
        )
        apart = np.linalg.norm(spots[:, None, :] - there[None, :, :], axis=2)
        free = np.flatnonzero((apart >= needed).all(axis=1))
        if len(free):
            return float(spots[free[0], 0]), float(spots[free[0], 1])
        begin, many = begin + many, many * 2


# --- homes -------------------------------------------------------------------------------------------------


def _homes(
    figures: Sequence[Figure],
    ties: Sequence[tuple[int, int]],
    steps: NDArray[np.int_],
    chances: NDArray[np.float64],
    circles: dict[str, FieldCircle],
) -> NDArray[np.float64]:
    middles = np.array([(circles[item.field].x, circles[item.field].y) for item in figures])
    reach = np.array([circles[item.field].radius for item in figures])
    anchored = np.array([bool(item.anchor) for item in figures])
    towards = np.array([_chances(item.anchor)[0] for item in figures])
    angles = np.where(
        anchored, 2 * math.pi * towards + FAN * (chances[:, 0] - 0.5), 2 * math.pi * chances[:, 0]
    )
    inwards = 1.0 - 0.6 * steps / (len(STEPS) - 1)
    inwards[[item.head for item in figures]] = 0.0
    away = reach * 0.95 * np.sqrt(chances[:, 1]) * inwards
    homes = middles + np.stack([away * np.cos(angles), away * np.sin(angles)], axis=1)
    return _near_their_own(figures, ties, homes)


def _near_their_own(
    figures: Sequence[Figure], ties: Sequence[tuple[int, int]], homes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Satellites move to the middle of what they are tied to, other satellites aside."""
    if not ties:
        return homes
    satellites = np.array([item.satellite for item in figures])
    ends = np.array(ties)
    ends = np.concatenate([ends, ends[:, ::-1]])
    ends = ends[satellites[ends[:, 0]] & ~satellites[ends[:, 1]]]
    sums, counts = np.zeros_like(homes), np.zeros(len(homes))
    np.add.at(sums, ends[:, 0], homes[ends[:, 1]])
    np.add.at(counts, ends[:, 0], 1.0)
    tied = counts > 0
    moved = homes.copy()
    moved[tied] = sums[tied] / counts[tied, None]
    return moved


# --- spots -------------------------------------------------------------------------------------------------


def _placed(homes: NDArray[np.float64], steps: NDArray[np.int_], order: Sequence[int]) -> NDArray[np.float64]:
    """Each figure on the free spot nearest to its home, in an order in which no later one is larger, heads aside."""
    low, high = homes.min(axis=0), homes.max(axis=0)
    # As much room around the homes as they take: who finds nothing near finds it there.
    margin = 4 * LARGEST + 0.4 * float((high - low).max())
    # On the lattice, so that a node at the edge moves no other by part of a cell.
    origin = np.floor((low - margin) / CELL) * CELL
    columns, rows = (np.ceil((high - low + 2 * margin) / CELL).astype(int) + 1).tolist()
    taken = np.zeros((len(STEPS), rows, columns), dtype=bool)
    covers = [[_disc(mine + other + GAP) for other in STEPS] for mine in STEPS]
    cells = np.rint((homes - origin) / CELL).astype(int)
    places = np.zeros_like(homes)
    for at in order:
        step = int(steps[at])
        column, row = _nearest_free(taken[step], int(cells[at, 0]), int(cells[at, 1]))
        places[at] = origin + np.array([column, row]) * CELL
        for other in range(len(STEPS)):
            _cover(taken[other], covers[step][other], column, row)
    return np.round(places, 1)


def _disc(radius: float) -> NDArray[np.bool_]:
    """The cells of a square around a spot whose own spots lie nearer to it than `radius`."""
    reach = math.ceil(radius / CELL)
    offsets = np.arange(-reach, reach + 1) * CELL
    return np.asarray(offsets[:, None] ** 2 + offsets[None, :] ** 2 < radius**2)


def _cover(taken: NDArray[np.bool_], disc: NDArray[np.bool_], column: int, row: int) -> None:
    reach = len(disc) // 2
    top, left = max(0, row - reach), max(0, column - reach)
    seen = taken[top : row + reach + 1, left : column + reach + 1]
    down, right = top - row + reach, left - column + reach
    seen |= disc[down : down + seen.shape[0], right : right + seen.shape[1]]


def _nearest_free(taken: NDArray[np.bool_], column: int, row: int) -> tuple[int, int]:
    if not taken[row, column]:
        return column, row
    for reach in (*WINDOWS, max(taken.shape)):
        top, left = max(0, row - reach), max(0, column - reach)
        seen = taken[top : row + reach + 1, left : column + reach + 1]
        if seen.all():
            continue
        down = (np.arange(seen.shape[0]) + top - row) ** 2
        across = (np.arange(seen.shape[1]) + left - column) ** 2
        away = np.where(seen, np.iinfo(np.int64).max, down[:, None] + across[None, :])
        found = int(away.argmin())
        return left + found % seen.shape[1], top + found // seen.shape[1]
    raise AssertionError("the room around the homes holds every figure")
