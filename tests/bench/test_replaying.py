"""The month that is replayed, and the table of it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from bench.replaying import replayed_table
from bench.simulated_history import Size, history
from ingest.embedding import WordHashEmbedder
from kb_service.wire.events import EventIn

SMALL = Size(events=400, days=3, problems=30, customers=100, late=0.2)


def test_a_seed_gives_one_history_of_events_as_the_wire_takes_them() -> None:
    lines = list(history(3, SMALL))
    assert lines == list(history(3, SMALL))
    assert lines != list(history(4, SMALL))
    assert len(lines) == len({line["id"] for line in lines}) == 400
    for line in lines:
        EventIn.model_validate(line)
    times = [datetime.fromisoformat(line["at"]) for line in lines]
    assert sorted(times) != times, "some are late"


def test_the_table_says_what_came_of_it(tmp_path: Path) -> None:
    heading, _, row = replayed_table(tmp_path, WordHashEmbedder(), 150, nights=False)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert len(cells) == len(heading.strip("|").split("|"))
    assert cells[0] == "150"
    assert int(cells[1]) > 10
