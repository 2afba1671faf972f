"""A limit on the memory of this process: so much for files, beside the libraries that read them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_LIBRARIES_MB: Final = 512
"""Address space that libraries may take which are loaded after the limit was set; all of them take about 200."""


def limit(memory_mb: int) -> None:
    """Cap the address space at what is in use now and `memory_mb` more."""
    import resource

    cap = _address_space() + memory_mb * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (cap, cap + _LIBRARIES_MB * 2**20))


@contextmanager
def loading() -> Iterator[None]:
    """What libraries take that are imported inside is not counted; without a limit this does nothing."""
    import resource

    cap, highest = resource.getrlimit(resource.RLIMIT_AS)
    if cap == resource.RLIM_INFINITY:
        yield
        return
    before = _address_space()
    resource.setrlimit(resource.RLIMIT_AS, (highest, highest))
    try:
        yield
    finally:
        taken = max(_address_space() - before, 0)
        resource.setrlimit(resource.RLIMIT_AS, (min(cap + taken, highest), highest))


def _address_space() -> int:
    """Bytes that this process has mapped."""
    import resource

    with Path("/proc/self/statm").open() as statm:
        return int(statm.read().split()[0]) * resource.getpagesize()
