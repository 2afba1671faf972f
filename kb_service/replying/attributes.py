"""Which attribute of a product a question asks for, and by which names shops label it. Pure."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ingest.language import fold

_CURATED = Path(__file__).with_name("attributes.toml")

_ASKING = re.compile(
    r"[?？]|多少|多久|多[长大重高]|几|什么|啥|哪|吗|嘛|么|呢|如何|怎么样|是不是|有没有|支不支持|支持"
    r"|(?:能|可以|有|会|是).{1,12}不(?:$|[,，。?？!！ ])"
    r"|\b(?:what|which|how|is|are|does|do|can|has|have|any|tell me)\b"
)
"""What makes words about an attribute a question for it."""
_TROUBLE = re.compile(
    r"怎么(?!样)|咋|为什么|为啥|坏|不(?:亮|准|动|响|了|见|对)|没(?:反应|声音|电了)|变[短差慢]|失灵|连不上|打不开"
    r"|出问题|故障|申请|退|换货|赔|维修|修|掉色|褪色|染"
    r"|\b(?:how (?:do|can|should|to)|why|broken?|won't|doesn't|does not|not working|stop(?:s|ped)?|fix|repair"
    r"|claim|return|refund|replace|exchange|problem|fault\w*|drain\w*|dead|die[sd]?|help)\b"
)
"""What makes a message that names an attribute a complaint, or a question for a way to do something."""
_FEW = 12
"""Characters of a message up to which naming an attribute asks for it: "EB20 续航"."""
COMPARED = "highlights"
"""The attribute that a comparison asks for when it names none."""
_PARTS = re.compile(r"\s*[/／、]\s*")


@dataclass(frozen=True, slots=True)
class Attribute:
    """One thing that customers ask about a product; `zh` and `en` are its names for a reader."""

    id: str
    zh: str
    en: str
    labels: frozenset[str]
    words: re.Pattern[str]
    asks: re.Pattern[str] | None
    unless: re.Pattern[str] | None

    def name(self, language: str) -> str:
        """The attribute's name, in Chinese or else in English."""
        return self.zh if language == "zh" else self.en

    @property
    def is_feature(self) -> bool:
        """Whether it has no label of its own, so that only what speaks of it tells it."""
        return not self.labels

    def labelled(self, label: str) -> bool:
        """Whether a field or row of this label holds the attribute."""
        return self.id in _held(label)

    def _labelled(self, label: str) -> bool:
        parts = {" ".join(part.split()) for part in _PARTS.split(fold(label))}
        if parts & self.labels:
            return True
        return any(_extends(part, known) for part in parts for known in self.labels)

    def spoken_of(self, text: str) -> bool:
        """Whether a text says anything about the attribute."""
        return self.words.search(fold(text)) is not None


@functools.cache
def curated() -> tuple[Attribute, ...]:
    """The attributes that shops commonly give, in the order of the file."""
    entries = tomllib.loads(_CURATED.read_text("utf-8"))["attribute"]
    return tuple(
        Attribute(
            id=entry["id"],
            zh=entry["zh"],
            en=entry["en"],
            labels=frozenset(fold(label) for label in entry.get("labels", ())),
            words=_any(entry["words"]),
            asks=_any(entry["asks"]) if "asks" in entry else None,
            unless=_any(entry["unless"]) if "unless" in entry else None,
        )
        for entry in entries
    )


@functools.lru_cache(maxsize=256)
def asked_for(question: str) -> tuple[Attribute, ...]:
    """The attributes that a question asks for, in the order in which it names them.

    One that it clearly asks for ("多重", "how long is the warranty") stands alone: words that others are known
    by may then be part of the question ("how long does the battery take to charge"). What sets products apart
    is asked for only where a comparison names nothing else. A feature that is named is what is asked for.
    """
    text = " ".join(fold(question).split())
    surely = _placed(text, "asks")
    if surely and all(attribute.id == COMPARED for attribute in surely):
        surely = tuple(a for a in _placed(text, "words") if a.id != COMPARED) or surely
    short = len(text) <= _FEW or (text.isascii() and len(text.split()) <= 3)
    spoken = () if _TROUBLE.search(text) or not (short or _ASKING.search(text)) else _placed(text, "words")
    features = tuple(attribute for attribute in spoken if attribute.is_feature)
    return features or surely or spoken


@functools.lru_cache(maxsize=4096)
def _held(label: str) -> frozenset[str]:
    """The attributes that a label holds; shops use the same few labels for all products."""
    return frozenset(attribute.id for attribute in curated() if attribute._labelled(label))


def attribute_of(label: str) -> Attribute | None:
    """The attribute that a label names, None when it is none of the curated ones."""
    return next((attribute for attribute in curated() if attribute.labelled(label)), None)


def _extends(label: str, known: str) -> bool:
    """Whether a label ends with a known one, or is one with a character more: 主机重量, 保修期."""
    if known.isascii():
        return label.endswith(f" {known}")
    return len(known) > 1 and (
        label.endswith(known) or (label.startswith(known) and len(label) == len(known) + 1)
    )


def _placed(text: str, pattern: Literal["asks", "words"]) -> tuple[Attribute, ...]:
    found = [
        (match.start(), attribute)
        for attribute in curated()
        if (expression := getattr(attribute, pattern)) is not None
        and (match := expression.search(text))
        and not (attribute.unless is not None and attribute.unless.search(text))
    ]
    return tuple(attribute for _, attribute in sorted(found, key=lambda pair: pair[0]))


def _any(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)
