"""Why a delivery failed, in words of the console."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed: `kind` has its words in the console, `values` are what they name."""

    kind: str
    values: Mapping[str, str]


FAILURES: Mapping[str, re.Pattern[str]] = {
    "private": re.compile(r"the address (?P<address>\S+) of (?P<host>\S+) is not public"),
    "unresolved": re.compile(r"the name (?P<host>\S+) (?:cannot be resolved|has no address)"),
    "status": re.compile(r"answered (?P<status>\d+)$"),
    "timeout": re.compile(r"(?:\w*Timeout\w*|TimeoutError):"),
    "unreachable": re.compile(r"(?:ConnectError|ConnectionRefusedError|OSError):"),
}


def failed(error: str) -> Failure:
    """An attempt's error, which the courier keeps in English, as one of the console's own texts."""
    for kind, pattern in FAILURES.items():
        if (found := pattern.match(error)) is not None:
            return Failure(kind, found.groupdict())
    return Failure("other", {"error": error})
