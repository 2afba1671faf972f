"""Which customers' words are quoted of a problem, and in which order somebody reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from graph.models import Event
from ingest import language

UNKNOWN = "und"
"""What is said in no language, as a bare number."""


def quoted(latest: Sequence[Event], count: int) -> list[Event]:
    """The first `count` messages with words. Where none of them is of a language that others of `latest` are of, the
    first of that language takes the last place: each team shall read what its customers say."""
    said = [event for event in latest if event.text]
    chosen = said[:count]
    known = {_spoken(event) for event in chosen} | {UNKNOWN}
    other = next((event for event in said[count:] if _spoken(event) not in known), None)
    return chosen if other is None or count < 2 else [*chosen[: count - 1], other]


def for_reader(texts: Iterable[str], spoken: str) -> list[str]:
    """Quotes as somebody reads them: those in their language first."""
    return sorted(texts, key=lambda text: language.identify(text) != spoken)


def _spoken(event: Event) -> str:
    return event.language or language.identify(event.text or "")
