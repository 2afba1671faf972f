from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.cells import Cells

DIMENSION = 16


def unit(seed: int, dimension: int = DIMENSION) -> np.ndarray:
    vector = np.random.default_rng(seed).normal(size=dimension)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def exact(held: dict[int, np.ndarray], asked: np.ndarray, count: int) -> list[int]:
    near = [(-float(vector @ asked), slot) for slot, vector in held.items() if vector @ asked > 0]
    return sorted(slot for _, slot in sorted(near)[:count])


def test_while_cells_are_few_none_of_the_nearest_is_missed() -> None:
    cells, held = Cells(), {slot: unit(slot) for slot in range(400)}
    for slot, vector in held.items():
        cells.place(slot, vector)
    for seed in range(1000, 1030):
        slots, cosines = cells.nearest(unit(seed), 12)
        assert slots.tolist() == exact(held, unit(seed), 12)
        assert cosines == pytest.approx([float(held[slot] @ unit(seed)) for slot in slots.tolist()], abs=1e-5)


def test_of_many_the_nearest_is_rarely_missed() -> None:
    rng = np.random.default_rng(3)
    centres = [unit(seed, 64) for seed in range(80)]
    cells, held = Cells(), {}
    for slot in range(6000):
        vector = centres[slot % 80] + 0.6 * rng.normal(size=64) / 8
        held[slot] = (vector / np.linalg.norm(vector)).astype(np.float32)
        cells.place(slot, held[slot])
    matrix = np.stack(list(held.values()))
    found = 0
    for number in range(200):
        asked = held[number * 29] + 0.3 * rng.normal(size=64).astype(np.float32) / 8
        found += int(np.argmax(matrix @ asked)) in cells.nearest(asked, 24)[0].tolist()
    assert found >= 190


def test_copies_of_one_vector_divide_too() -> None:
    cells = Cells()
    for slot in range(1000):
        cells.place(slot, unit(1))
    assert len(cells) == 1000
    assert len(cells.nearest(unit(1), 24)[0]) == 24


def test_an_empty_place_is_found_no_more_and_weighs_nothing() -> None:
    cells = Cells()
    for slot in range(3):
        cells.place(slot, unit(slot))
    cells.remove(1)
    cells.remove(1)
    cells.remove(99)
    assert len(cells) == 2
    assert 1 not in cells.nearest(unit(1), 3)[0].tolist()
    assert cells.cosines([0, 1, 500], unit(1)).tolist()[1:] == [0.0, 0.0]
    assert cells.total == pytest.approx(unit(0).astype(float) + unit(2), abs=1e-5)


STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 300), st.integers(0, 50)), max_size=400)


@given(STEPS)
@settings(max_examples=25, deadline=None)
def test_any_order_of_steps_leaves_sound_cells(steps: list[tuple[bool, int, int]]) -> None:
    cells, held = Cells(), {}
    for puts, slot, seed in steps:
        if puts:
            cells.place(slot, unit(seed))
            held[slot] = unit(seed)
        else:
            cells.remove(slot)
            held.pop(slot, None)
    assert len(cells) == len(held)
    assert cells.nearest(unit(7), 10)[0].tolist() == exact(held, unit(7), 10)
    total = np.sum(list(held.values()), axis=0) if held else 0.0
    assert np.abs((cells.total if held else np.zeros(DIMENSION)) - total).max() < 1e-4
