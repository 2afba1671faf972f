"""Utterances for this room's tests, prepared without an encoder: shared words make texts alike."""

from __future__ import annotations

import re
import zlib

import numpy as np

from graph.models import Utterance
from graph.words import is_han

DIMENSION = 64
MODEL = "hashed-words"


def words(text: str) -> tuple[str, ...]:
    """Latin words and pairs of Chinese characters, in lower case."""
    found: list[str] = []
    for run in re.findall(r"[a-z0-9']+|[\u4e00-\u9fff]+", text.lower()):
        found += [run[i : i + 2] for i in range(0, len(run), 2)] if is_han(run[0]) else [run]
    return tuple(found)


def say(text: str, language: str | None = None, model_id: str = MODEL) -> Utterance:
    """A text as an utterance; its unit vector is the sum of one fixed random direction a word."""
    tokens = words(text)
    total = np.zeros(DIMENSION)
    for token in tokens:
        total += np.random.default_rng(zlib.crc32(token.encode())).normal(size=DIMENSION)
    length = float(np.linalg.norm(total))
    vector = (total / length if length else total).astype(np.float32)
    if language is None:
        language = "zh" if any(map(is_han, text)) else "en"
    return Utterance(text, language, tokens, vector, model_id)
