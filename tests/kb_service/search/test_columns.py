from __future__ import annotations

import numpy as np
import pytest

from kb_service.search.columns import Column, from_npy, to_npy


def test_a_view_never_changes_while_the_column_grows() -> None:
    column: Column[np.int32] = Column(np.int32)
    column.extend([1, 2, 3])
    view = column.view()
    for number in range(500):
        column.append(number)
    assert view.tolist() == [1, 2, 3]
    assert len(column) == 503
    assert column.view()[:4].tolist() == [1, 2, 3, 0]


def test_a_view_is_read_only() -> None:
    column: Column[np.int32] = Column(np.int32)
    column.extend([1])
    with pytest.raises(ValueError, match="read-only"):
        column.view()[0] = 2


def test_a_column_goes_on_from_an_array_that_must_not_change() -> None:
    loaded = from_npy(to_npy(np.arange(6, dtype=np.float32).reshape(3, 2)))
    loaded.flags.writeable = False
    column = Column.of(loaded, np.float32)
    column.append([9, 9])
    assert column.view().tolist() == [[0, 1], [2, 3], [4, 5], [9, 9]]
    assert loaded.shape == (3, 2)


def test_objects_are_not_loaded() -> None:
    import io

    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        from_npy(buffer.getvalue())
