"""Which texts are addresses that mail may go to: nothing in them can start a header or a command of its own."""

from __future__ import annotations

import re

LONGEST = 254
LONGEST_LOCAL = 64
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"([A-Za-z0-9!#$%&'*+/=?^_`{{|}}~.-]+)@{_LABEL}(?:\.{_LABEL})*")


def possible(address: str) -> bool:
    """Whether `address` is a plain one, such as team@example.com: without a name, quotes, blanks or other scripts."""
    found = _ADDRESS.fullmatch(address)
    return (
        found is not None
        and len(address) <= LONGEST
        and len(found[1]) <= LONGEST_LOCAL
        and not found[1].startswith(".")
        and not found[1].endswith(".")
        and ".." not in found[1]
    )
