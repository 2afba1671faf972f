"""Where the nodes of a drawn graph stand: apart, the same each time, and mostly where they were."""

from __future__ import annotations

import random

import numpy as np
import pytest
from numpy.typing import NDArray

from graph import picture
from graph.picture import CELL, LARGEST, STEPS, Figure, Picture, draw, radius_of

FIELDS = 8
Ties = list[tuple[int, int]]


def shop(count: int, fields: int = FIELDS) -> tuple[list[Figure], Ties]:
    """`count` figures: fields of unequal size, problems of few and of many customers, and products beside them."""
    chance = random.Random(count)
    figures = [
        Figure(f"expertise:{number}", radius_of(100, largest=STEPS[5]), f"f{number}", head=True)
        for number in range(fields)
    ]
    products = max(1, count // 10)
    problems = range(fields, count - products)
    for number in problems:
        field = min(fields - 1, int(chance.expovariate(0.5)))
        anchor = f"product:{chance.randrange(products)}"
        figures.append(
            Figure(
                f"problem:{number}",
                radius_of(int(chance.paretovariate(0.9))),
                f"f{field}" if chance.random() < 0.8 else "",
                anchor=anchor if chance.random() < 0.5 else "",
            )
        )
    ties: Ties = []
    for number in range(count - len(figures)):
        near = chance.sample(problems, min(3, len(problems)))
        ties += [(len(figures), problem) for problem in near]
        figures.append(Figure(f"product:{number}", STEPS[2], figures[near[0]].field, satellite=True))
    return figures, ties


def gaps(figures: list[Figure], drawn: Picture) -> NDArray[np.float64]:
    """Between the rims of every two figures."""
    radii = np.array([figure.radius for figure in figures])
    apart = np.linalg.norm(drawn.places[:, None] - drawn.places[None], axis=2)
    first, second = np.triu_indices(len(figures), 1)
    return np.asarray((apart - radii[:, None] - radii[None])[first, second])


@pytest.mark.parametrize("count", [30, 300, 3_000])
def test_no_node_covers_another(count: int) -> None:
    figures, ties = shop(count, fields=3 if count < 100 else FIELDS)
    assert gaps(figures, draw(figures, ties)).min() > 0


def test_a_thousand_of_the_largest_find_room_as_well() -> None:
    figures = [Figure(f"problem:{number}", LARGEST, "f0") for number in range(1_000)]
    assert gaps(figures, draw(figures, [])).min() > 0


def test_the_same_graph_is_drawn_the_same_whatever_its_order() -> None:
    figures, ties = shop(300)
    places = draw(figures, ties).places
    again = draw(figures, ties)
    assert np.array_equal(again.places, places)
    backwards = len(figures) - 1
    turned = draw(figures[::-1], [(backwards - one, backwards - other) for one, other in ties])
    assert np.array_equal(turned.places[::-1], places)


@pytest.mark.parametrize("customers", [1, 40])
def test_a_node_that_comes_leaves_nearly_all_where_they_were(customers: int) -> None:
    figures, ties = shop(3_000)
    before = draw(figures, ties)
    kept = 0
    for field in range(FIELDS):
        come = [*figures, Figure(f"problem:new-{field}", radius_of(customers), f"f{field}")]
        after = draw(come, ties)
        if after.fields != before.fields:
            continue
        kept += 1
        moved = np.linalg.norm(after.places[:-1] - before.places, axis=1)
        assert (moved > CELL).mean() < 0.02
    assert kept >= FIELDS - 1, "a field that grows a step moves others; few nodes make one grow"


def test_a_problem_that_grows_moves_few_others() -> None:
    figures, ties = shop(3_000)
    before = draw(figures, ties).places
    at = next(place for place, item in enumerate(figures) if item.id.startswith("problem") and item.field)
    grown = [*figures]
    grown[at] = Figure(grown[at].id, radius_of(25), grown[at].field, grown[at].anchor)
    moved = np.linalg.norm(draw(grown, ties).places - before, axis=1)
    assert (moved > CELL).mean() < 0.02


def test_fields_stand_apart_and_hold_what_belongs_to_them() -> None:
    figures, ties = shop(3_000)
    drawn = draw(figures, ties)
    circles = {circle.field: circle for circle in drawn.fields}
    for one in drawn.fields:
        for other in drawn.fields:
            away = np.hypot(one.x - other.x, one.y - other.y)
            assert one is other or away >= one.radius + other.radius
    inside = [
        np.hypot(x - circles[figure.field].x, y - circles[figure.field].y) <= circles[figure.field].radius
        for figure, (x, y) in zip(figures, drawn.places, strict=True)
        if figure.id.startswith("problem")
    ]
    assert np.mean(inside) > 0.97
    for figure, (x, y) in zip(figures, drawn.places, strict=True):
        if figure.head:
            assert abs(x - circles[figure.field].x) <= CELL and abs(y - circles[figure.field].y) <= CELL


def test_a_product_stands_nearer_to_its_problems_than_to_others() -> None:
    figures, ties = shop(300)
    places = draw(figures, ties).places
    chance = random.Random(5)
    own = [np.linalg.norm(places[one] - places[other]) for one, other in ties]
    problems = [at for at, figure in enumerate(figures) if figure.id.startswith("problem")]
    any_other = [np.linalg.norm(places[one] - places[chance.choice(problems)]) for one, _ in ties]
    assert np.mean(own) < 0.8 * np.mean(any_other)


def test_the_area_of_a_node_follows_its_customers() -> None:
    radii = [radius_of(customers) for customers in (0, 1, 5, 20, 100)]
    assert radii == sorted(set(radii))
    assert 40 < (radius_of(99) / radius_of(0)) ** 2 < 100
    assert radius_of(10**6) == LARGEST


def test_nothing_is_drawn_of_nothing() -> None:
    nothing = draw([], [])
    assert (nothing.places.shape, nothing.fields) == ((0, 2), ())
    assert draw([Figure("problem:1", 8.0)], []).places.shape == (1, 2)


def test_ten_times_the_nodes_cost_about_ten_times_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in cells of the maps that are looked at: two machines never differ in that."""
    looked: list[int] = []
    real = picture._cover

    def counting(taken: NDArray[np.bool_], disc: NDArray[np.bool_], column: int, row: int) -> None:
        looked.append(disc.size)
        real(taken, disc, column, row)

    monkeypatch.setattr(picture, "_cover", counting)
    spent = []
    for count in (300, 3_000):
        looked.clear()
        draw(*shop(count))
        spent.append(sum(looked))
    assert spent[1] < 12 * spent[0]
