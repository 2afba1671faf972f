"""Fitting on judged questions: nothing is judged by what it taught, and little data changes little."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.embedding import WordHashEmbedder
from kb_service.commands.workbench import Workbench, open_workbench
from kb_service.judging import fitting
from kb_service.judging.evaluation import JudgedQuestion, search_query
from kb_service.judging.fitting import Taught, fitted
from kb_service.knowledge import NewDocument
from kb_service.models import Principal
from kb_service.search.calibration import Calibration
from kb_service.search.confidence import fit_confidence
from kb_service.search.precedents import Case, Precedents, fit_precedents
from kb_service.search.weighing import weigh
from kb_service.settings import Settings
from kb_service.store import Precedent

NOW = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)
THINGS = ("kettle", "lamp", "jacket", "phone", "charger", "blanket", "toaster", "camera", "printer", "scarf")
MATTERS = ("warranty", "refund", "delivery", "invoice", "colour", "battery", "repair", "exchange")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    folder: Path = tmp_path_factory.mktemp("fitting")
    with open_workbench(Settings(data=folder), embedder=WordHashEmbedder()) as opened:
        opened.create_workspace("shop")
        caller = Principal("shop", "key", frozenset({"editor"}))
        documents = [
            NewDocument(
                f"{thing}-{matter}",
                {
                    "kind": "faq",
                    "title": f"{thing} {matter}",
                    "text": f"What we do about the {matter} of a {thing}.",
                    "language": "en",
                },
            )
            for thing in THINGS
            for matter in MATTERS
        ]
        opened.services.knowledge.put_many(caller, documents)
        yield opened


def questions() -> list[JudgedQuestion]:
    """Answerable ones, harder ones that lack a word, and some that nothing answers."""
    asked: list[tuple[str, frozenset[str]]] = []
    for thing in THINGS:
        asked += [(f"{matter} for my {thing} please", frozenset({f"{thing}-{matter}"})) for matter in MATTERS]
        asked.append((f"something about the {thing}", frozenset({f"{thing}-repair"})))
        asked.append((f"may my dog eat the {thing} box", frozenset()))
    return [
        JudgedQuestion(f"q-{number}", text, "en", expected, "calibrate", None, False)
        for number, (text, expected) in enumerate(asked)
    ]


def fit(bench: Workbench, asked: list[JudgedQuestion]) -> Calibration:
    replica = bench.services.replicas.of("shop")
    return fitted(
        [Taught(replica, asked)],
        bench.services.reader,
        now=lambda: NOW,
        start=replica.index.calibration,
        source="a test",
    )


def test_what_is_fitted_belongs_to_the_model_and_tells_where_it_is_from(bench: Workbench) -> None:
    told = fit(bench, questions())
    assert told.model_id == WordHashEmbedder().model_id
    assert told.source == "100 questions of a test"
    assert told.confidence.languages["en"].samples == 100


def test_fitting_twice_gives_the_same(bench: Workbench) -> None:
    assert fit(bench, questions()) == fit(bench, questions())


def test_fitting_leaves_the_index_as_it_was(bench: Workbench) -> None:
    index = bench.services.replicas.of("shop").index
    before = index.calibration
    fit(bench, questions())
    assert index.calibration is before


def test_evidence_is_over_every_question_and_from_the_other_fold(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught: list[int] = []

    def watched(samples: list[object], start: object) -> object:
        taught.append(len(samples))
        return fit_confidence(samples, start)  # type: ignore[arg-type]

    monkeypatch.setattr(fitting, "fit_confidence", watched)
    told = fit(bench, questions())
    *whole, one, one_aided, other, other_aided = taught
    assert whole == [100, 100], "without precedents, then with them"
    assert (one, other) == (one_aided, other_aided)
    assert one + other == 100, "each fold is taught by the other alone"
    assert all(30 < count < 70 for count in (one, other))
    assert told.evidence.steps[-1].answers <= 100


def test_judged_questions_become_precedents_of_the_documents_that_were_found(bench: Workbench) -> None:
    replica = bench.services.replicas.of("shop")
    told = fit(bench, questions())
    by_id = {item.id: item for item in told.precedents.held}
    assert len(by_id) == 100
    asked = by_id["q-0"]
    assert asked.question == "warranty for my kettle please"
    assert asked.answers["kettle-warranty"] == (1, True)
    assert {right for name, (_, right) in asked.answers.items() if name != "kettle-warranty"} == {False}
    (spoken,) = bench.services.reader.read(["may my dog eat the kettle box"])
    query = search_query(questions()[9], spoken.language, spoken.vector, NOW)
    before = weigh(replica.index, query)
    unaided, replica.index.calibration = replica.index.calibration, told
    try:
        after = weigh(replica.index, query)
    finally:
        replica.index.calibration = unaided
    assert (before.precedents, after.precedents < 0) == (0, True), "nothing answered it, and that was said"


def test_a_question_from_a_region_says_nothing_of_questions_from_elsewhere(bench: Workbench) -> None:
    first, *others = questions()
    told = fit(bench, [replace(first, region="EU"), *others])
    assert {item.id for item in told.precedents.held} == {item.id for item in others}
    assert told.confidence.languages["en"].samples == 100, "how sure to be it teaches as any other"


def test_constants_for_other_shops_are_fitted_without_precedents(bench: Workbench) -> None:
    replica = bench.services.replicas.of("shop")
    taught, start = [Taught(replica, questions())], replica.index.calibration
    told = fitted(taught, bench.services.reader, now=lambda: NOW, start=start, for_others=True)
    assert told.precedents.held == ()
    assert told.confidence != fit(bench, questions()).confidence, "what precedents say is not in it"
    assert told.fusion == fit(bench, questions()).fusion


def test_personal_data_in_a_judged_question_is_not_kept(bench: Workbench) -> None:
    written = JudgedQuestion("q", "refund for my kettle, 13812345678", "en", frozenset(), "", None, False)
    (held,) = fit(bench, [written]).precedents.held
    assert "refund for my kettle" in held.question
    assert "13812345678" not in held.question


def test_evidence_is_from_precedents_of_the_other_fold(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught: list[frozenset[str]] = []

    def watched(held: list[Precedent], cases: list[Case]) -> Precedents:
        taught.append(frozenset(item.id for item in held))
        assert {case.id for case in cases} == taught[-1]
        return fit_precedents(held, cases)

    monkeypatch.setattr(fitting, "fit_precedents", watched)
    fit(bench, questions())
    whole, *folds = taught
    assert len(whole) == 100
    assert folds[0] | folds[1] == whole
    assert not folds[0] & folds[1]


def test_few_questions_keep_the_cautious_constants(bench: Workbench) -> None:
    before = bench.services.replicas.of("shop").index.calibration
    told = fit(bench, questions()[:12])
    assert told.confidence == before.confidence
    assert told.evidence.threshold(0.01) >= before.evidence.threshold(0.01)


def test_questions_that_nothing_answers_teach_no_ranking(bench: Workbench) -> None:
    before = bench.services.replicas.of("shop").index.calibration
    none = [question for question in questions() if not question.expected]
    assert fit(bench, none).fusion == before.fusion


def test_what_is_fitted_stands_in_the_order_that_customers_get(tmp_path: Path) -> None:
    """Else the evidence for sending answers unseen would be of other answers than those that are sent."""
    with open_workbench(Settings(data=tmp_path), embedder=WordHashEmbedder()) as opened:
        opened.create_workspace("shop")
        asked = {"kind": "faq", "language": "en", "text": "As the label says."}
        sold = {"kind": "product", "language": "en", "audience": "internal", "fields": {"Weight": "400 g"}}
        documents = [
            NewDocument("sweater", {**asked, "title": "Can I machine-wash the wool sweater at home?"}),
            NewDocument("down", {**asked, "title": "How do I wash a down jacket?"}),
            NewDocument("A-SW08", {**sold, "title": "Aurel SW08 Wool Sweater", "products": ["A-SW08"]}),
            NewDocument("A-DJ02", {**sold, "title": "Aurel DJ02 Down Jacket", "products": ["A-DJ02"]}),
        ]
        opened.services.knowledge.put_many(Principal("shop", "key", frozenset({"editor"})), documents)
        replica = opened.services.replicas.of("shop")
        question = JudgedQuestion(
            "q", "Can I machine-wash the down jacket at home?", "en", frozenset({"down"}), "", None, False
        )
        (one,) = fitting._asked(Taught(replica, [question]), 0, opened.services.reader, NOW)
        found = one.found(replica.index.calibration.fusion)
        assert found is not None
        served = replica.weigh(one.query)
        assert [hit.external_id for hit in found.hits] == [hit.external_id for hit in served.hits]
        assert found.hits[0].external_id == "down"
        assert found.among(Precedents()).hits == found.hits
