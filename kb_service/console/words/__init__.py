"""The console's texts in Chinese; the English text is the key. A test holds that every text has its line."""

from __future__ import annotations

from collections.abc import Mapping

from kb_service.console.words import (
    administration,
    as_customer,
    audit,
    backtest,
    backups,
    care,
    desk,
    error_pages,
    gaps,
    knowledge,
    picture,
    placeholders,
    problems,
    reviews,
    rules,
    shared,
    traffic,
    upkeep,
    uploads,
    webhooks,
)

PARTS = (
    shared,
    placeholders,
    error_pages,
    desk,
    problems,
    picture,
    traffic,
    knowledge,
    uploads,
    care,
    gaps,
    reviews,
    as_customer,
    administration,
    webhooks,
    backups,
    audit,
    rules,
    backtest,
    upkeep,
)
ZH: Mapping[str, str] = {key: text for part in PARTS for key, text in part.ZH.items()}
EN: Mapping[str, str] = {key: text for part in PARTS for key, text in part.EN.items()}
