"""What a shop has set about alerts, priority and hand-over."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import select

from graph.rules import Promise, Rules
from kb_service.store import tables
from kb_service.store.repository import Repository

_rules = tables.rules
_BEFORE = "before"
"""Beside the rules: what they were before, so that the last change can be taken back."""
_WORDS_BY_NAME = ("sensitive_flows", "carriers", "campaigns")


class RuleBook(Repository):
    table = _rules

    def get(self) -> Rules:
        """The shop's rules; the product's defaults where it has set none."""
        data: dict[str, Any] | None = self._read(select(_rules.c.data).where(self._mine())).scalar()
        return _rules_of(data) if data is not None else Rules()

    def before(self) -> Rules | None:
        """The rules as they were before they were set last; None where nothing was set yet."""
        data: dict[str, Any] | None = self._read(select(_rules.c.data).where(self._mine())).scalar()
        earlier = data.get(_BEFORE) if data is not None else None
        return _rules_of(earlier) if earlier is not None else None

    def put(self, rules: Rules) -> None:
        kept = {**asdict(rules), _BEFORE: asdict(self.get())}
        self._upsert({"workspace": self.workspace, "data": kept, "updated_at": self._scope.now})
        self._log("rules", self.workspace)


def _rules_of(data: dict[str, Any]) -> Rules:
    # A rule that a newer version brought, or took away, must not keep the others from being read.
    known = {rule.name for rule in fields(Rules)}
    values = {name: value for name, value in data.items() if name in known}
    for named in _WORDS_BY_NAME:
        values[named] = {name: tuple(words) for name, words in values.get(named, {}).items()}
    for listed in ("promotion_days", "digest_to"):
        if listed in values:
            values[listed] = tuple(values[listed])
    if promised := values.get("service_levels"):
        said = {band: Promise(**promise) for band, promise in promised.items()}
        values["service_levels"] = {**Rules().service_levels, **said}
    return Rules(**values)
