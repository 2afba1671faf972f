"""The console's texts in Chinese; the English text is the key. A test holds that every text has its line."""

from __future__ import annotations

from collections.abc import Mapping

from kb_service.console.words import administration, desk, knowledge, problems, shared, traffic

PARTS = (shared, desk, problems, traffic, knowledge, administration)
ZH: Mapping[str, str] = {key: text for part in PARTS for key, text in part.ZH.items()}
EN: Mapping[str, str] = {key: text for part in PARTS for key, text in part.EN.items()}
