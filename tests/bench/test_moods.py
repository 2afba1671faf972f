"""The mood bench counts as its table says, and says what is absent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import moods
from bench.moods import macro_f1, polarity, posts, reviews


def test_every_mood_counts_alike() -> None:
    labels = ["angry", "angry", "angry", "upset", "neutral", "pleased"]
    assert macro_f1(labels, labels) == 1.0  # type: ignore[arg-type]
    read = ["angry", "angry", "angry", "neutral", "neutral", "neutral"]
    # angry 1, upset 0, neutral 2·1 / (1 + 3), pleased 0
    assert macro_f1(labels, read) == pytest.approx((1 + 0 + 0.5 + 0) / 4)  # type: ignore[arg-type]


def test_neutral_reviews_are_not_told_apart_and_upset_counts_as_bad() -> None:
    assert polarity([True, True, False, False], ["pleased", "neutral", "upset", "pleased"]) == (0.75, 2 / 3)


def test_posts_are_read_by_part_and_surprise_is_left_out(tmp_path: Path) -> None:
    for file, rows in (
        (
            moods.POSTS,
            [("a", "fear", "usual_test"), ("b", "surprise", "usual_test"), ("c", "sad", "usual_eval")],
        ),
        (moods.REVIEWS, [("好", 1, "all"), ("差", 0, "all")]),
    ):
        (tmp_path / file).parent.mkdir()
        lines = [
            json.dumps({"text": text, "label": label, "split": split}) + "\n" for text, label, split in rows
        ]
        (tmp_path / file).write_text("".join(lines), encoding="utf-8")
    assert posts(tmp_path, "usual_test") == [("a", "upset")]
    assert reviews(tmp_path) == [("好", True), ("差", False)]


def test_absent_sets_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["bench.moods", "--data", str(tmp_path)])
    assert moods.main() == 0
    assert "SMP2020-EWECT" in capsys.readouterr().err
