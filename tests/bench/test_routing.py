"""The routing benchmark works on any set of its shape, and without the system that it compares with."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from bench import routing
from bench.intent_sets import OUTSIDE, IntentSet, Message, load_intents
from bench.routers import Routed
from ingest.embedding import Embedder

THINGS = ("kettle", "jacket", "lamp", "phone")
SAID = ("where is my {}", "the {} please", "about a {}", "my {} it is")


def write_intents(folder: Path, name: str, lines: Iterable[tuple[str, str, str, str]]) -> None:
    (folder / name).mkdir(parents=True)
    items = (
        {"text": text, "label": label, "split": split, "oos": kind} for text, label, split, kind in lines
    )
    (folder / name / "data.jsonl").write_text("".join(f"{json.dumps(item)}\n" for item in items), "utf-8")


def shop() -> list[tuple[str, str, str, str]]:
    taught = [(said.format(thing), thing, "train", "") for thing in THINGS for said in SAID]
    return [*taught, *((f"my {thing} arrived", thing, "test", "") for thing in THINGS)]


def rows(printed: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in printed.splitlines()
        if line.startswith("| ")
    ]


def test_a_run_prints_accuracy_of_all_and_of_few(tmp_path: Path, word_hash: Embedder) -> None:
    write_intents(tmp_path, "banking77", shop())
    printed = routing.run(
        tmp_path, sets=["banking77"], chosen=["service", "linear", "nearest"], embedder=word_hash, draws=1
    )
    assert rows(printed)[0] == ["accuracy", "banking77, all", "banking77, 10 each", "banking77, 5 each"]
    assert "| **this service** | 1.000 | 1.000 | 1.000 |" in printed, "each message shares words with its own"
    assert "ECE" in printed
    assert "word-hash-384" in printed


def test_scope_is_judged_by_kind_and_published_systems_are_quoted(
    tmp_path: Path, word_hash: Embedder
) -> None:
    strange = [("sing of mountains", OUTSIDE, "test", "id"), ("quantum sheep", OUTSIDE, "test", "ood")]
    banned = [("never read this kettle", OUTSIDE, "train_idoos", "id")]
    write_intents(tmp_path, "banking77_oos", [*shop(), *strange, *banned])
    write_intents(tmp_path, "hint3_powerplay11", [*shop(), ("sing of mountains", OUTSIDE, "test", "")])
    sets = ["banking77_oos", "hint3_powerplay11"]
    printed = routing.run(tmp_path, sets=sets, chosen=["service", "nearest"], embedder=word_hash, draws=1)
    seen = rows(printed)
    nearest = next(row for row in seen if row[0] == "nearest example")
    assert nearest[2:4] == ["1.000", "1.000"], "near and far"
    assert ["Dialogflow (quoted)", "", "", "", "", ".630", ".740", ".450", "–"] in seen
    assert all(message.label != OUTSIDE for message in load_intents(tmp_path, "banking77_oos").taught)


def test_what_is_absent_is_named_and_the_rest_is_run(
    tmp_path: Path, word_hash: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "semantic_router", None)
    write_intents(tmp_path, "hwu64", shop())
    chosen = ["semantic-router", "nearest"]
    printed = routing.run(tmp_path, sets=["banking77", "hwu64"], chosen=chosen, embedder=word_hash, draws=1)
    assert "banking77/data.jsonl is absent; made from github.com" in printed
    assert "semantic-router cannot be imported" in printed
    assert [row[0] for row in rows(printed)].count("nearest example") == 2


def test_a_draw_is_the_same_for_the_same_seed() -> None:
    held = IntentSet("s", tuple(Message(f"{label}{n}", label) for label in "ab" for n in range(9)), ())
    assert held.drawn(3, 1) == held.drawn(3, 1)
    assert held.drawn(3, 1) != held.drawn(3, 2)
    assert [message.label for message in held.drawn(3, 1).taught] == list("aaabbb")


def test_the_figures_are_what_they_say() -> None:
    inside, outside = np.array([0.9, 0.8, 0.7, 0.2]), np.array([0.8, 0.1])
    assert routing.auroc(inside, outside) == pytest.approx((2 + 1.5 + 1 + 1) / 8)
    assert routing.recall_outside(np.linspace(0, 1, 11), np.array([0.05, 0.5])) == 0.5
    assert routing.calibration_error(np.array([0.9, 0.9]), np.array([True, False])) == pytest.approx(0.4)
    held = IntentSet("s", (), (Message("x", "a"), Message("y", OUTSIDE)))
    routed = Routed(["a", "a"], np.array([0.9, 0.1]), np.array([0.9, 0.1]), 0.0, 0.0)
    judged = routing.judge(held, routed)
    assert (judged.accuracy, judged.auroc, judged.recall) == (1.0, {OUTSIDE: 1.0}, {OUTSIDE: 1.0})
