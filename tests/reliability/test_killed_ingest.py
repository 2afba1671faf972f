"""An ingest killed at random points: what it had finished is there and found; nothing hangs in the air."""

from __future__ import annotations

import random
from pathlib import Path

from tests.reliability import victims
from tests.reliability.harness import Victim, holding, new_shop, pause, restarted, rounds, search, word

FILES = 60
KILLS = rounds(8, 200)


class Shelf:
    """A folder of files whose content is known, and what must be found of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.revisions: dict[str, int] = {}
        folder.mkdir()

    def write(self, number: int, revision: int) -> str:
        name = f"note-{number:03}.md"
        told = f"The locker {word(number, revision)} opens with the code {revision}.\n\n"
        more = "".join(
            f"## Part {part}\n\nThe shelf of part {part} stands on the left.\n\n" for part in range(4)
        )
        (self.folder / name).write_text(
            f"---\nexternal_id: {name}\ntitle: {name}\nkind: faq\n---\n\n{told}{more}"
        )
        self.revisions[name] = revision
        return name

    def remove(self, number: int) -> None:
        name = f"note-{number:03}.md"
        (self.folder / name).unlink()
        self.revisions.pop(name)


def test_what_an_ingest_had_finished_survives_its_death(tmp_path: Path) -> None:
    chance = random.Random(20260618)
    data = tmp_path / "data"
    new_shop(data)
    shelf = Shelf(tmp_path / "files")
    for number in range(FILES):
        shelf.write(number, 0)
    finished: dict[str, int] = {}
    changes = interrupted = 0
    for kill in range(KILLS):
        with Victim(victims.ingest, data, shelf.folder) as victim:
            begun = victim.told()
            pause(chance, 0.0, 0.15)
            begun += victim.kill()
        done = begun if None in begun else begun[:-1]
        interrupted += None not in begun
        finished |= {name: shelf.revisions[name] for name in done if name}
        with restarted(data) as (store, replica):
            for name, revision in finished.items():
                number = int(name[5:8])
                if revision == shelf.revisions.get(name):
                    assert name in holding(search(replica, word(number, revision)), word(number, revision)), (
                        f"{name} was finished before kill {kill} and is not found"
                    )
            if kill % 2:
                replica.index.publish()
        # What comes next: changed files, a new one, one that is gone.
        if None in begun or len(finished) > FILES // 2:
            changes += 1
            for number in chance.sample(range(FILES), 20):
                if (shelf.folder / f"note-{number:03}.md").exists():
                    shelf.write(number, changes)
            gone = chance.choice(sorted(shelf.revisions))
            shelf.remove(int(gone[5:8]))
            shelf.write(FILES + changes, 0)
            finished = {
                name: revision for name, revision in finished.items() if shelf.revisions.get(name) == revision
            }
    assert interrupted >= KILLS // 2, "most kills came while there was work"
    with Victim(victims.ingest, data, shelf.folder) as victim:
        while None not in victim.told(60):
            assert victim.alive
    with restarted(data) as (store, replica):
        for name, revision in shelf.revisions.items():
            only = word(int(name[5:8]), revision)
            assert holding(search(replica, only), only) == [name]
            if revision:
                before = word(int(name[5:8]), revision - 1)
                assert holding(search(replica, before), before) == []
        with store.reading(victims.SHOP) as unit:
            assert set(unit.documents.heads()) == set(shelf.revisions)
