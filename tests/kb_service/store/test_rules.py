"""Rules that another version wrote."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from graph.rules import Rules
from kb_service.store import Store


def test_unknown_and_missing_rules_do_not_hide_the_others(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'kb.sqlite3'}")
    store.migrate()
    with store.administration() as unit:
        unit.workspaces.create("shop")
        unit.workspaces._connection.execute(
            text(
                "INSERT INTO rules (workspace, data, updated_at) VALUES "
                """('shop', '{"refund_limit": 9.5, "of_the_future": 1}', '2026-06-18 00:00:00.000000')"""
            )
        )
    with store.reading("shop") as one:
        assert one.rules.get() == Rules(refund_limit=9.5)
    store.close()
