"""The words of sensitive flows as a shop sends them: whole lists, or what to add to the product's and remove."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from graph.flow_words import FLOW_WORDS
from graph.folding import fold
from kb_service.wire.base import Text, fault

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CHANGE = frozenset({"add", "remove"})


def _resolved(value: Any) -> Any:
    """Whole lists in place of changes, which stand for the product's words with some more and some less."""
    if not isinstance(value, Mapping):
        return value
    return {
        name: _changed(str(name), given) if isinstance(given, Mapping) else given
        for name, given in value.items()
    }


def _changed(flow: str, change: Mapping[str, Any]) -> list[Any]:
    if not change.keys() <= _CHANGE or not all(isinstance(words, list) for words in change.values()):
        raise fault(flow, "must be a list of words, or an object with the lists add and remove")
    words: list[Any] = list(FLOW_WORDS.get(flow, ()))
    for word in change.get("remove", []):
        if word not in words:
            raise fault(f"{flow}.remove", "{word} is not among the words of this flow", word=str(word)[:100])
        words.remove(word)
    return [*words, *(word for word in change.get("add", []) if word not in words)]


def _checked(flows: dict[str, list[str]]) -> dict[str, list[str]]:
    for name, words in flows.items():
        if not _NAME.fullmatch(name):
            raise fault(name[:100], "must be lower-case letters, digits and _, such as legal")
        if not words and name not in FLOW_WORDS:
            raise fault(name, "is no flow of the product that could be turned off; give it words")
        for place, word in enumerate(words):
            bare = fold(word).strip().removeprefix("-").removesuffix("*").strip()
            if sum(character.isalnum() for character in bare) < 2:
                raise fault(
                    f"{name}.{place}", "needs two letters or digits at least, or it would be found everywhere"
                )
        if words and all(word.strip().startswith("-") for word in words):
            raise fault(name, "holds only words to leave out (-); give words to find, or [] to turn it off")
    return flows


Word = Annotated[Text, Field(min_length=1, max_length=200)]
SensitiveFlows: TypeAlias = Annotated[
    dict[str, Annotated[list[Word], Field(max_length=1000)]],
    Field(
        max_length=50,
        description="Words by flow. A flow that is left out keeps the product's words, an empty list turns it off; "
        "in a request an object with the lists `add` and `remove` changes the product's words.",
    ),
    BeforeValidator(_resolved),
    AfterValidator(_checked),
]
