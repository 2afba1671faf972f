"""Figures as shapes and shades."""

from __future__ import annotations

import math

import pytest

from kb_service.console.charts.hours import HEIGHT, SHADES, WIDTH, average, course, heat


def places(points: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in points.split())]


def test_a_course_draws_what_came_up_to_now_and_what_is_expected_to_the_end() -> None:
    drawn = course([2, 8], [3, 3, 4, 5], [1, 1, 2, 3], [5, 5, 6, 8])
    assert [x for x, _ in places(drawn.came)] == [0, WIDTH / 3]
    assert [x for x, _ in places(drawn.expected)] == [0, WIDTH / 3, 2 * WIDTH / 3, WIDTH]
    assert drawn.now == WIDTH / 3
    assert len(places(drawn.band)) == 8
    assert drawn.outside == ((WIDTH / 3, places(drawn.came)[1][1]),)
    assert all(0 <= y <= HEIGHT for _, y in places(drawn.came + " " + drawn.band))


def test_an_hour_of_which_nothing_was_told_is_drawn_nowhere() -> None:
    drawn = course([2, math.nan, 3], [2, 2, 2], [0, 0, 0], [4, 4, 4])
    assert [x for x, _ in places(drawn.came)] == [0, WIDTH]
    assert drawn.outside == ()


@pytest.mark.parametrize(
    ("most", "levels"),
    [
        (0, [1]),
        (3, [1, 2, 3]),
        (7, [2, 4, 6, 8]),
        (26, [10, 20, 30]),
        (95, [50, 100]),
        (410, [200, 400, 600]),
    ],
)
def test_the_levels_of_a_chart_are_round_and_reach_beyond_the_highest_value(
    most: float, levels: list[int]
) -> None:
    assert [value for _, value in course([most], [0, 0], [0, 0], [0, most]).levels] == levels


def test_heat_is_the_average_of_how_often_an_hour_was_counted() -> None:
    ((first, second, third),) = heat([[8, 4, 0]], [[2, 4, 3]])
    assert (first.text, first.shade) == ("4.0", SHADES)
    assert (second.text, second.shade) == ("1.0", math.ceil(SHADES / 4))
    assert (third.text, third.shade) == ("", 0)


def test_an_hour_that_never_was_has_no_heat() -> None:
    assert heat([[0]], [[0]])[0][0].shade == 0


def test_rows_are_shaded_against_all_or_each_by_itself() -> None:
    totals, times = [[10, 5], [2, 1]], [[1, 1], [1, 1]]
    assert [cell.shade for cell in heat(totals, times)[1]] == [2, 1]
    assert [cell.shade for cell in heat(totals, times, each=True)[1]] == [9, 5]


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, ""), (0.04, ""), (0.05, "0.1"), (9.94, "9.9"), (9.96, "10"), (123.4, "123")]
)
def test_averages_are_read_as_people_write_them(value: float, text: str) -> None:
    assert average(value) == text
