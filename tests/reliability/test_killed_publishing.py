"""A process killed at each step of publishing: the next one reads one whole generation, and the right ids."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

from kb_service.models import NewDocument
from kb_service.search import snapshots
from tests.reliability import victims
from tests.reliability.harness import CALLER, SOAK, Victim, new_shop, restarted, search, word
from tests.reliability.victims import SHOP, opened

DOCUMENTS = 30
NEVER = 1_000_000
SAMPLED = 10


def note(number: int, revision: int) -> NewDocument:
    only = word(number, revision)
    text = f"The locker {only} opens with the code {number}."
    return NewDocument(
        f"note-{number}", {"kind": "faq", "title": f"Locker {number}", "text": text, "language": "en"}
    )


def test_a_publication_that_is_cut_off_leaves_one_whole_generation(tmp_path: Path) -> None:
    data = tmp_path / "data"
    new_shop(data)
    folder = data / "derived" / SHOP / "index"
    revisions = dict.fromkeys(range(DOCUMENTS), 0)
    chance = random.Random(3)
    with closing(opened(data)) as writing:
        knowledge = victims.knowledge_of(writing)
        knowledge.put_many(CALLER, [note(number, 0) for number in range(DOCUMENTS)])
        for number in (DOCUMENTS - 1, DOCUMENTS - 2):  # the second one has an older one to remove
            knowledge.put_many(CALLER, [note(number, revisions[number] + 1)])
            revisions[number] += 1
            with Victim(victims.publish, data, NEVER) as victim:
                (steps,) = victim.told()
        assert steps > 30
        every = range(1, steps + 1)
        fatal = list(every) if SOAK else [*sorted(chance.sample(every[:-8], SAMPLED)), *every[-8::2]]
        newer = probes = 0
        for at in fatal:
            before = snapshots.read(folder).description.position
            knowledge.remove(CALLER, f"note-{(gone := chance.choice(sorted(revisions)))}")
            del revisions[gone]
            changed = chance.sample(sorted(revisions), 5)
            revisions |= {number: revisions[number] + 1 for number in changed} | {DOCUMENTS + at: 0}
            knowledge.put_many(
                CALLER, [note(number, revisions[number]) for number in (*changed, DOCUMENTS + at)]
            )
            with Victim(victims.publish, data, at) as victim:
                assert victim.told() == [], f"it was to die at step {at}"
            generation = snapshots.read(folder).description
            assert generation.position in (before, writing.position(SHOP))
            newer += generation.position > before
            with restarted(data) as (_, replica):
                assert replica.position == writing.position(SHOP)
                for number, revision in revisions.items():
                    first = search(replica, word(number, revision))[0]
                    assert (first.external_id, word(number, revision) in first.text) == (
                        f"note-{number}",
                        True,
                    )
                    probes += 1
        assert 0 < newer < len(fatal), "some died before the new generation counted, some after"
        assert probes >= len(fatal) * 20
        knowledge.put_many(CALLER, [note(0, 999)])
    with Victim(victims.publish, data, NEVER) as victim:
        victim.told()
    names = {path.name for path in folder.iterdir()}
    assert not {name for name in names if name.startswith("partial-")}, "what the dead left is swept up"
    assert len([name for name in names if name.startswith("gen-")]) == 1
