"""What a shop has set about alerts, priority and hand-over."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import select

from graph.models import Rules
from kb_service.store import tables
from kb_service.store.repository import Repository

_rules = tables.rules


class RuleBook(Repository):
    table = _rules

    def get(self) -> Rules:
        """The shop's rules; the product's defaults where it has set none."""
        data: dict[str, Any] | None = self._read(select(_rules.c.data).where(self._mine())).scalar()
        if data is None:
            return Rules()
        # A rule that a newer version brought, or took away, must not keep the others from being read.
        known = {rule.name for rule in fields(Rules)}
        values = {name: value for name, value in data.items() if name in known}
        values["sensitive_flows"] = {
            flow: tuple(words) for flow, words in values.get("sensitive_flows", {}).items()
        }
        return Rules(**values)

    def put(self, rules: Rules) -> None:
        self._upsert({"workspace": self.workspace, "data": asdict(rules), "updated_at": self._scope.now})
        self._log("rules", self.workspace)
