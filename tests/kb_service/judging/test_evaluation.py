"""Figures by which a shop can trust its knowledge: right on cases that can be worked out by hand."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from ingest.embedding import WordHashEmbedder
from kb_service.commands.workbench import Workbench, open_workbench
from kb_service.errors import InvalidRequest
from kb_service.judging.evaluation import (
    Judged,
    JudgedQuestion,
    auroc,
    calibration_error,
    figures,
    judge,
    read_questions,
    report,
    search_query,
)
from kb_service.judging.judging import judge_file
from kb_service.knowledge import NewDocument
from kb_service.models import Principal
from kb_service.settings import Settings
from tests.kb_service import small_shop

NOW = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)


def question(
    *expected: str, language: str = "en", cross_lingual: bool = False, query: str = "?"
) -> JudgedQuestion:
    return JudgedQuestion("q", query, language, frozenset(expected), "report", None, cross_lingual)


def judged(
    ranking: str, *expected: str, confidence: float = 0.5, language: str = "en", cross: bool = False
) -> Judged:
    return Judged(question(*expected, language=language, cross_lingual=cross), tuple(ranking), confidence)


# --- reading questions


def write(folder: Path, *lines: object) -> Path:
    path = folder / "questions.jsonl"
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text(text, "utf-8")
    return path


def test_only_three_keys_are_needed(tmp_path: Path) -> None:
    path = write(tmp_path, {"query": "a\u2028b", "language": "en", "expected": ["x", "y"]}, "", {
        "id": 7, "query": "c", "language": "zh", "expected": [], "split": "report",
        "as_of": "2026-11-20T12:00:00+08:00", "cross_lingual": True, "kind": "none", "region": "EU",
    })  # fmt: skip
    first, second = read_questions(path)
    assert (first.region, second.region) == (None, "EU")
    asked = search_query(second, "zh", None, NOW)
    assert (asked.filters.region, asked.at) == ("EU", second.as_of)
    assert (first.id, first.query, first.expected) == ("1", "a\u2028b", frozenset({"x", "y"}))
    assert (first.split, first.as_of, first.cross_lingual) == ("", None, False)
    assert (second.id, second.split, second.cross_lingual, second.expected) == (
        "7",
        "report",
        True,
        frozenset(),
    )
    assert second.as_of == datetime(2026, 11, 20, 4, tzinfo=UTC)


GOOD = {"query": "a", "language": "en", "expected": ["x"]}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"language": "en", "expected": []}, "query is missing"),
        ({"query": "a", "language": "en"}, "expected is missing"),
        ({**GOOD, "expected": "x"}, "list of external ids"),
        ({**GOOD, "expected": [1]}, "list of external ids"),
        ({**GOOD, "query": " "}, "must be texts"),
        ({**GOOD, "language": None}, "must be texts"),
        ({**GOOD, "region": ["EU"]}, "region must be a text"),
        ({**GOOD, "as_of": "yesterday"}, "isoformat"),
        ({**GOOD, "as_of": "2026-11-20T12:00:00"}, "offset"),
        ([1], "object"),
        ("{", "object"),
    ],
)
def test_a_line_that_is_wrong_is_told_by_number_and_field(tmp_path: Path, line: object, told: str) -> None:
    with pytest.raises(InvalidRequest, match=f"line 2.*{told}"):
        read_questions(write(tmp_path, GOOD, line))


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_bytes(b'{"query": "\xff"}')
    with pytest.raises(InvalidRequest, match="UTF-8"):
        read_questions(path)


# --- figures


def test_ranking_figures_are_over_what_can_be_answered() -> None:
    told = figures(
        [judged("axx", "a"), judged("xxa", "a"), judged("xxxxxxa", "a"), judged("xxx", "a"), judged("x")]
    )
    assert (told.questions, told.unanswerable) == (5, 1)
    assert told.hit1 == 1 / 4
    assert told.hit5 == 2 / 4
    assert told.mrr == pytest.approx((1 + 1 / 3 + 1 / 7 + 0) / 4)
    assert told.ndcg10 == pytest.approx((1 + 1 / 2 + 1 / 3 + 0) / 4)


def test_ndcg_counts_every_expected_document() -> None:
    told = figures([judged("axb", "a", "b", "c")])
    ideal = 1 + 1 / math.log2(3) + 1 / 2
    assert told.ndcg10 == pytest.approx((1 + 1 / 2) / ideal)


def test_only_the_first_ten_count() -> None:
    told = figures([judged("xxxxxxxxxxa", "a")])
    assert (told.ndcg10, told.hit5) == (0, 0)


def test_abstention_is_confidence_in_right_answers_against_all_else() -> None:
    apart = [judged("a", "a", confidence=0.9), judged("x", "a", confidence=0.4), judged("x", confidence=0.1)]
    assert figures(apart).abstention == 1
    assert figures(apart[:1]).abstention is None, "nothing to tell apart"


def test_auroc_counts_ties_half() -> None:
    assert auroc(np.array([0.5, 0.5]), np.array([True, False])) == 0.5
    assert auroc(np.array([0.1, 0.9]), np.array([True, False])) == 0
    assert auroc(np.array([0.9, 0.5, 0.5]), np.array([True, True, False])) == 0.75


def test_calibration_error_is_the_gap_between_said_and_true() -> None:
    said = np.array([0.95] * 10 + [0.15] * 10)
    true = np.array([True] * 9 + [False] + [True] * 5 + [False] * 5)
    assert calibration_error(said, true) == pytest.approx((0.05 + 0.35) / 2)
    assert calibration_error(np.array([1.0]), np.array([True])) == 0
    assert calibration_error(np.array([]), np.array([], dtype=bool)) is None


def test_a_right_answer_in_another_language_is_told_apart() -> None:
    told = figures(
        [
            replace(judged("a", "a"), in_own_language=True),
            replace(judged("a", "a"), in_own_language=False),
            replace(judged("x", "a"), in_own_language=False),
            judged("a", "a"),
        ]
    )
    assert told.hit1 == 3 / 4
    assert told.hit1_own == pytest.approx(1 / 3), "of those that their own language answers"
    assert figures([judged("a", "a")]).hit1_own is None


def test_groups_are_the_languages_what_crosses_them_and_all() -> None:
    told = report(
        [judged("a", "a"), judged("x", "a", language="zh", cross=True), judged("a", "a", language="zh")]
    )
    assert list(told.groups) == ["en", "zh", "zh, across languages", "all"]
    assert [item.questions for item in told.groups.values()] == [1, 2, 1, 3]


def test_the_table_is_markdown_with_a_dash_where_nothing_can_be_told() -> None:
    lines = report([judged("a", "a", confidence=1.0)]).table().splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[-1] == "| all | 1 | 0 | 1.000 | 1.000 | 1.000 | 1.000 | – | .000 | – |"


# --- judging


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    folder = small_shop.write(tmp_path_factory.mktemp("small"))
    with open_workbench(Settings(data=folder / "data"), embedder=WordHashEmbedder()) as opened:
        opened.create_workspace("shop")
        opened.services.knowledge.ingest("shop", [folder])
        yield opened


def test_questions_are_asked_as_a_bot_would(bench: Workbench) -> None:
    services = bench.services
    asked = [question("policies:returns.md", query="unworn clothing returned within 30 days of delivery")]
    (told,) = judge(services.replicas.of("shop"), services.reader, asked, now=lambda: NOW)
    assert told.right
    assert len(told.ranking) == len(set(told.ranking)), "documents, each once"
    assert 0 < told.confidence < 1


@pytest.mark.parametrize(
    ("spoken", "expected", "own"),
    [
        ("en", ("faq",), True),
        ("zh", ("faq",), None),
        ("en-GB", ("faq", "gone"), True),
        ("en", ("gone",), None),
    ],
)
def test_whether_the_own_language_answers_is_looked_up(
    bench: Workbench, spoken: str, expected: tuple[str, ...], own: bool | None
) -> None:
    caller = Principal("spoken", "test", frozenset({"admin"}))
    if not any(item.id == "spoken" for item in bench.workspaces()):
        bench.create_workspace("spoken")
        text = {
            "kind": "faq",
            "language": "en",
            "fields": {"question": "how long is the price promise", "reply": "7 days"},
        }
        bench.services.knowledge.put_many(caller, [NewDocument("faq", text)])
    replica = bench.services.replicas.settled("spoken")
    asked = question(*expected, language=spoken, query="how long is the price promise")
    (told,) = judge(replica, bench.services.reader, [asked], now=lambda: NOW)
    assert told.ranking == ("faq",)
    assert told.in_own_language is own


def test_the_governing_date_chooses_the_version(bench: Workbench) -> None:

    bench.create_workspace("dated")
    caller = Principal("dated", "key", frozenset({"editor"}))
    old = {
        "kind": "policy",
        "title": "Price promise",
        "text": "The price promise lasts 7 days.",
        "language": "en",
    }
    bench.services.knowledge.put_many(
        caller,
        [
            NewDocument("old", {**old, "valid_to": "2026-01-01T00:00:00+00:00"}),
            NewDocument("new", {**old, "valid_from": "2026-01-01T00:00:00+00:00"}),
        ],
    )
    replica = bench.services.replicas.of("dated")
    for year, expected in ((2025, "old"), (2026, "new")):
        asked = replace(
            question(expected, query="how long does the price promise last"),
            as_of=datetime(year, 6, 1, tzinfo=UTC),
        )
        (told,) = judge(replica, bench.services.reader, [asked], now=lambda: NOW)
        assert told.ranking == (expected,)


def test_a_file_is_judged_by_its_split(bench: Workbench, tmp_path: Path) -> None:
    path = write(tmp_path, {**GOOD, "split": "report"}, {**GOOD, "split": "calibrate"}, GOOD)
    assert (
        judge_file(bench.services, "shop", path, split="report", fit=False).report.groups["all"].questions
        == 1
    )
    assert judge_file(bench.services, "shop", path, split="", fit=False).report.groups["all"].questions == 3
    with pytest.raises(InvalidRequest, match="calibrate, report"):
        judge_file(bench.services, "shop", path, split="other", fit=False)
    with pytest.raises(InvalidRequest, match="no question"):
        judge_file(bench.services, "shop", write(tmp_path, ""), split="", fit=False)
