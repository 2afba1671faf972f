"""Labelled messages in the one shape of the public intent sets, and draws of a few examples an intent from them.

Every set is a folder with `data.jsonl`: {"text", "label", "split"}, perhaps "oos", and `meta.json`, which names its
origin and licence. None of them is part of this repository.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.datasets import AbsentSet

OUTSIDE = "oos"
"""The label of a message that no intent fits."""
NEAR, FAR = "near", "far"
"""Out of scope, of the same trade or of another."""

ORIGINS: Mapping[str, str] = {
    "banking77": "github.com/PolyAI-LDN/task-specific-datasets, banking_data (CC BY 4.0)",
    "banking77_oos": "github.com/jianguoz/Few-Shot-Intent-Detection, Datasets/BANKING77-OOS",
    "hwu64": "github.com/jianguoz/Few-Shot-Intent-Detection, Datasets/HWU64 (CC BY 4.0)",
    "hint3_powerplay11": "github.com/hellohaptik/HINT3, dataset/v2 (ODbL 1.0)",
    "smp2019_nlu": "github.com/InsaneLife/ChineseNLPCorpus, dialogue/SMP-2019-NLU/train.json",
}
_KINDS = {"id": NEAR, "ood": FAR}
_LEAST = 20
"""Examples that a label of SMP2019 needs to be among those that few examples are drawn of."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `kind` says of one out of scope which kind it is, where the set does."""

    text: str
    label: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class IntentSet:
    """Messages to learn from, all in scope, and messages to be judged on."""

    name: str
    taught: tuple[Message, ...]
    asked: tuple[Message, ...]

    def drawn(self, each: int, seed: int) -> IntentSet:
        """At most so many examples an intent, drawn at random; the same messages to be judged on."""
        rng = random.Random(seed)
        by_label: dict[str, list[Message]] = {}
        for message in self.taught:
            by_label.setdefault(message.label, []).append(message)
        drawn = [
            message
            for label in sorted(by_label)
            for message in rng.sample(by_label[label], min(each, len(by_label[label])))
        ]
        return IntentSet(self.name, tuple(drawn), self.asked)

    def few_asked(self, count: int) -> IntentSet:
        """At most so many messages to be judged on, drawn once for all."""
        if count >= len(self.asked):
            return self
        chosen = sorted(random.Random(0).sample(range(len(self.asked)), count))
        return IntentSet(self.name, self.taught, tuple(self.asked[place] for place in chosen))


def load_intents(folder: Path, name: str, *, asked: str = "test") -> IntentSet:
    """One of `ORIGINS`, to be judged on its split `asked`. Raises AbsentSet where it does not lie there.

    SMP2019 has one split: of its labels with twenty messages or more a half, drawn once, is to be judged on.
    The part `train_idoos` of BANKING77-OOS is never read.
    """
    file = folder / name / "data.jsonl"
    if not file.is_file():
        raise AbsentSet(f"{file} is absent; made from {ORIGINS.get(name, 'a set not known here')}")
    items = [json.loads(line) for line in file.read_text("utf-8").split("\n") if line.strip()]
    split: dict[str, list[Message]] = {}
    for item in items:
        kind = _KINDS.get(item.get("oos", ""), "")
        split.setdefault(item["split"], []).append(Message(item["text"], item["label"], kind))
    if name == "smp2019_nlu":
        return _halved(name, split["train"])
    return IntentSet(name, tuple(split["train"]), tuple(split[asked]))


def _halved(name: str, messages: Sequence[Message]) -> IntentSet:
    counts: dict[str, int] = {}
    for message in messages:
        counts[message.label] = counts.get(message.label, 0) + 1
    kept = [message for message in messages if counts[message.label] >= _LEAST]
    random.Random(0).shuffle(kept)
    return IntentSet(name, tuple(kept[::2]), tuple(kept[1::2]))
