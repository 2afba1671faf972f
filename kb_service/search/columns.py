"""Arrays that grow at the end while others read their beginning."""

from __future__ import annotations

import io
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Scalar = TypeVar("Scalar", bound=np.generic)


class Column(Generic[Scalar]):
    """An append-only array. One writer; a `view` taken before an append never changes.

    Appends write behind the end of every view, or into a larger copy, so that readers need no lock.
    """

    def __init__(self, dtype: type[Scalar], width: tuple[int, ...] = ()) -> None:
        self._buffer: NDArray[Scalar] = np.empty((0, *width), dtype=dtype)
        self._length = 0

    @classmethod
    def of(cls, array: NDArray[Any], dtype: type[Scalar]) -> Column[Scalar]:
        """A column that begins with `array`, which is not copied before the first append."""
        column = cls(dtype, array.shape[1:])
        column._buffer = np.ascontiguousarray(array, dtype=dtype)
        column._length = len(array)
        return column

    def __len__(self) -> int:
        return self._length

    def append(self, value: ArrayLike) -> None:
        self.extend(np.asarray(value, dtype=self._buffer.dtype)[np.newaxis])

    def extend(self, values: ArrayLike) -> None:
        block = np.asarray(values, dtype=self._buffer.dtype)
        end = self._length + len(block)
        if end > len(self._buffer) or not self._buffer.flags.writeable:
            larger = np.empty(
                (max(end, 2 * len(self._buffer), 64), *self._buffer.shape[1:]), self._buffer.dtype
            )
            larger[: self._length] = self._buffer[: self._length]
            self._buffer = larger
        self._buffer[self._length : end] = block
        self._length = end

    def view(self) -> NDArray[Scalar]:
        """What the column holds now, read-only, without a copy."""
        view = self._buffer[: self._length]
        view.flags.writeable = False
        return view

    def writable(self) -> NDArray[Scalar]:
        """What the column holds, for the writer to change in place; views change with it."""
        if not self._buffer.flags.writeable:
            self._buffer = self._buffer.copy()
        return self._buffer[: self._length]


def to_npy(array: NDArray[Any]) -> bytes:
    """An array as a file of numpy's format."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def from_npy(content: bytes) -> NDArray[Any]:
    """An array from a file, without pickles. Raises ValueError when the content is not of numpy's format."""
    array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    return array
