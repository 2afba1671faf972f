"""Finding and removing what quotes a customer in texts that are not the customer's own."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from ingest.redaction import mask_order_numbers

ERASED = "[erased]"

_LONG = 12
"""The weight from which a text quotes somebody. Shorter ones ("ok", "你好", "my parcel") are said by all:
they count only where they are all there is.
"""

_PARTS = re.compile(r"\[[^\]]*\]|[·|:：—…/()（）\n]|\.{3}| - ")
"""What stands between the parts of a generated name, masked numbers included."""


_STRINGS = re.compile(r'"([^"\\]*)"')


def without(value: Any, texts: Collection[str]) -> Any:
    """A JSON value with each of `texts` replaced by `[erased]` wherever it stands."""
    if isinstance(value, str):
        for text in sorted(texts, key=len, reverse=True):
            value = value.replace(text, ERASED)
        return value
    if isinstance(value, dict):
        return {key: without(item, texts) for key, item in value.items()}
    if isinstance(value, list):
        return [without(item, texts) for item in value]
    return value


class Quotes:
    """The words of one customer: their id, the ids of their events, cases and conversations, their texts."""

    def __init__(self, customer_id: str, ids: Iterable[str], texts: Iterable[str]) -> None:
        self._ids = {customer_id, *ids}
        # Not inside a longer id: u-9 is not u-99.
        self._customer = re.compile(rf"(?<![\w-]){re.escape(customer_id)}(?![\w-])")
        self._texts = {text.strip() for text in texts} - {""}
        # Replies are quoted without numbers too. What is left when they are masked has to be long of itself.
        masked = {mask_order_numbers(text).strip() for text in self._texts} - self._texts
        masked = {text for text in masked if _is_long(_PARTS.sub("", text))}
        # The longest first, so that a text that contains another goes as a whole.
        long = masked.union(text for text in self._texts if _is_long(text))
        self._long = sorted(long, key=lambda text: (-len(text), text))

    def within(self, text: str) -> bool:
        """Whether `text` names the customer or holds one of their texts."""
        return self.cleaned(text) != text

    def cleaned(self, text: str) -> str:
        """`text` with every id and quotation replaced by `[erased]`."""
        if text in self._ids or text.strip() in self._texts:
            return ERASED
        for quote in self._long:
            if quote in text:
                text = text.replace(quote, ERASED)
        return self._customer.sub(ERASED, text)

    def excerpt(self, text: str) -> bool:
        """Whether `text` quotes the customer, or one of its parts is itself a piece of what they said."""
        if self.within(text):
            return True
        parts = (part.strip() for part in _PARTS.split(text))
        return any(_is_long(part) and part in quote for part in parts for quote in self._long)

    def alone(self, name: str, others: Iterable[str]) -> bool:
        """Whether some part of a generated name, short or long, is the customer's and in none of `others`."""
        said = [text.casefold() for text in self._texts]
        parts = {part.strip().casefold() for part in _PARTS.split(name)} - {""}
        theirs = {part for part in parts if any(part in text for text in said)}
        for text in others:
            if not theirs:
                break
            theirs -= {part for part in theirs if part in text.casefold()}
        return bool(theirs)

    def named(self, text: str) -> bool:
        """Whether a JSON text holds one of the ids as a value."""
        return not self._ids.isdisjoint(_STRINGS.findall(text))

    def clean(self, value: Any, *, excerpts: bool = False) -> Any:
        """`value`, a JSON value, without the customer.

        Strings are cleaned, items of a list that are nothing but a quotation are dropped. With `excerpts`,
        which is for values known to quote the customer, pieces of their texts go as well.
        """
        if isinstance(value, str):
            if excerpts and self.excerpt(value) and self.cleaned(value) == value:
                return ERASED
            return self.cleaned(value)
        if isinstance(value, dict):
            return {
                self.cleaned(str(key)): self.clean(item, excerpts=excerpts) for key, item in value.items()
            }
        if isinstance(value, list):
            cleaned = (self.clean(item, excerpts=excerpts) for item in value)
            return [item for item in cleaned if item != ERASED]
        return value

    def names_any(self, ids: Collection[str]) -> bool:
        return not self._ids.isdisjoint(ids)


def _is_long(text: str) -> bool:
    """A Chinese character says about as much as three letters."""
    return sum(3 if character >= "\u2e80" else 1 for character in text) >= _LONG
