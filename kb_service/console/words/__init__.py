"""The console's texts in Chinese; the English text is the key. A test holds that every text has its line."""

from __future__ import annotations

from collections.abc import Mapping

from kb_service.console.words import (
    administration,
    asking,
    audit,
    backups,
    desk,
    gaps,
    knowledge,
    picture,
    problems,
    reviews,
    rules,
    shared,
    traffic,
    upkeep,
)

PARTS = (
    shared,
    desk,
    problems,
    picture,
    traffic,
    knowledge,
    gaps,
    reviews,
    asking,
    administration,
    backups,
    audit,
    rules,
    upkeep,
)
ZH: Mapping[str, str] = {key: text for part in PARTS for key, text in part.ZH.items()}
EN: Mapping[str, str] = {key: text for part in PARTS for key, text in part.EN.items()}
