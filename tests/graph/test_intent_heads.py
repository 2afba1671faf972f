"""What a head says of examples left out is what one that was never taught them would say."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from graph import intent_heads
from graph.intent_heads import LocalHead, WholeHead, fit_head
from graph.intent_likeness import Examples
from graph.intent_scope import fit_scope
from graph.models import Utterance

RNG = np.random.default_rng(5)
INTENTS, EACH, SIZE = 4, 6, 24


def clustered() -> list[Utterance]:
    found = []
    for place in range(INTENTS):
        centre = RNG.normal(size=SIZE)
        for number in range(EACH):
            vector = centre + RNG.normal(size=SIZE)
            vector /= np.linalg.norm(vector)
            tokens = (f"topic{place}", f"word{number}")
            found.append(Utterance("", "en", tokens, vector.astype(np.float32), "m"))
    return found


TEXTS = clustered()
LABELS = np.repeat(np.arange(INTENTS), EACH)


def without(rows: set[int]) -> tuple[Examples, list[int]]:
    kept = [row for row in range(len(TEXTS)) if row not in rows]
    return Examples([TEXTS[row] for row in kept], LABELS[kept], vectors=True), kept


@pytest.fixture
def vectors_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rarity of words depends on which texts there are; vectors do not."""
    monkeypatch.setattr("graph.intent_likeness.WORDS_SHARE", 0.0)


@pytest.mark.usefixtures("vectors_alone")
@pytest.mark.parametrize("local", [False, True])
def test_left_out_is_as_if_never_taught(local: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if local:
        monkeypatch.setattr(intent_heads, "WHOLE", 0)
    whole = Examples(TEXTS, LABELS, vectors=True)
    head = fit_head(whole)
    assert isinstance(head, LocalHead if local else WholeHead)
    row = 8
    fewer, _ = without({row})
    assert head.left_out(np.array([row]))[0] == pytest.approx(
        fit_head(fewer).scores(fewer.compared(TEXTS[row]).kernel), abs=1e-6
    )
    fewer, _ = without({row for row in range(len(TEXTS)) if LABELS[row] == 1})
    stranger = head.unknown(np.array([row]))[0]
    assert stranger[1] == -np.inf
    assert np.delete(stranger, 1) == pytest.approx(
        fit_head(fewer).scores(fewer.compared(TEXTS[row]).kernel), abs=1e-6
    )


@pytest.mark.usefixtures("vectors_alone")
def test_few_neighbours_and_all_examples_agree_where_neighbours_are_all() -> None:
    whole = Examples(TEXTS, LABELS, vectors=True)
    kernel = whole.compared(TEXTS[3]).kernel
    assert LocalHead(whole).scores(kernel) == pytest.approx(WholeHead(whole).scores(kernel))


def test_own_examples_are_more_in_scope_than_strangers() -> None:
    examples = Examples(TEXTS, LABELS, vectors=True)
    head, rows = fit_head(examples), np.arange(len(TEXTS))
    scope = fit_scope(examples, rows, head.left_out(rows), head.unknown(rows))
    own = scope.probability(
        scope.signs(
            examples,
            examples.compared(TEXTS[0]).meaning,
            head.scores(examples.compared(TEXTS[0]).kernel),
            TEXTS[0].tokens,
        )
    )
    vector = RNG.normal(size=SIZE)
    stranger = Utterance("", "en", ("elsewhere",), (vector / np.linalg.norm(vector)).astype(np.float32), "m")
    compared = examples.compared(stranger)
    other = scope.probability(
        scope.signs(examples, compared.meaning, head.scores(compared.kernel), stranger.tokens)
    )
    assert own > 0.8 > other
    assert (scope.weights >= 0).all()


def test_serving_needs_neither_torch_nor_scikit_learn() -> None:
    import subprocess

    code = (
        "import sys, graph.intents; "
        "sys.exit(str({'torch', 'transformers', 'sklearn'} & set(sys.modules)) if "
        "{'torch', 'transformers', 'sklearn'} & set(sys.modules) else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
