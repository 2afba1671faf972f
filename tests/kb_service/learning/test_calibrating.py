"""A workspace's own calibration: fitted, refused, stored, followed by every process, and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.embedding import WordHashEmbedder
from kb_service.commands.workbench import open_workbench
from kb_service.errors import Conflict, InvalidRequest, NotFound
from kb_service.judging.ablation import CONFIDENCE, DENSE, FUSED, GRAPH, LEXICAL, added, stages
from kb_service.judging.comparing import Loss
from kb_service.judging.evaluation import JudgedQuestion, search_query
from kb_service.knowledge import NewDocument
from kb_service.learning import calibrating
from kb_service.learning.calibrating import Calibrating, halves
from kb_service.models import Principal
from kb_service.replicas.replica import Replica
from kb_service.search.adjustment import Adjustment
from kb_service.search.calibration import calibration_for, constants_of
from kb_service.services import Services
from kb_service.settings import Settings
from kb_service.store import Exposure, Feedback, Review, ShownAnswer, StoredCalibration
from tests.kb_service.judging.test_fitting import MATTERS, NOW, THINGS, questions

MODEL = WordHashEmbedder().model_id


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with open_workbench(Settings(data=tmp_path), embedder=WordHashEmbedder()) as bench:
        bench.create_workspace("shop")
        bench.create_workspace("other")
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
        bench.services.knowledge.put_many(Principal("shop", "key", frozenset({"editor"})), documents)
        yield bench.services


def in_force(services: Services, workspace: str = "shop") -> Any:
    services.replicas.follow(workspace)
    return services.replicas.of(workspace).index.calibration


def fit(services: Services, **more: Any) -> calibrating.Fitted:
    asked = questions()
    return services.calibrating.by_questions("shop", asked[::2], asked[1::2], source="a test", **more)


# --- by judged questions


def test_what_fits_is_stored_and_in_force_in_its_workspace_alone(services: Services) -> None:
    shipped = calibration_for(MODEL)
    found = fit(services)
    assert found.losses == ()
    assert found.id is not None
    held = in_force(services)
    assert (held.id, held.base) == (found.id, found.id)
    assert held == found.calibration != shipped
    assert in_force(services, "other") == shipped
    (entry,) = services.calibrating.history("shop")
    assert (entry.kind, entry.source) == ("questions", "50 questions of a test")
    assert entry.counts == {"questions": 50, "held_out": 50}
    with services.store.reading("shop") as unit:
        assert unit.audit.page().items[0].action == "calibration.stored"


def test_fitting_again_gives_the_same_and_does_not_drift(services: Services) -> None:
    assert fit(services).calibration == fit(services).calibration


def test_what_got_worse_is_not_stored_unless_it_is_forced(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = (Loss("nDCG@10", 0.9, 0.5, 0.3),)
    monkeypatch.setattr(calibrating, "losses", lambda before, after: lost)
    found = fit(services)
    assert (found.id, found.losses) == (None, lost)
    assert services.calibrating.history("shop") == ()
    assert in_force(services) == calibration_for(MODEL)
    assert fit(services, force=True).id is not None


def test_too_few_questions_to_judge_by_store_nothing(services: Services) -> None:
    asked = questions()
    found = services.calibrating.by_questions("shop", asked[:80], asked[80:], source="a test")
    assert found.id is None
    assert services.calibrating.history("shop") == ()


def test_questions_are_halved_by_their_split_or_by_their_id() -> None:
    asked = questions()
    split = [replace(item, split="report" if place < 30 else "calibrate") for place, item in enumerate(asked)]
    taught, rest = halves(split, "calibrate")
    assert (taught, rest) == (split[30:], split[:30])
    unnamed = [replace(item, split="") for item in asked]
    taught, rest = halves(unnamed, "calibrate")
    assert 30 < len(taught) < 70
    assert halves(unnamed[::-1], "calibrate")[0] == taught[::-1], "the same half in any order"
    assert len(taught) + len(rest) == 100
    for impossible in ([replace(item, split="report") for item in asked], asked, unnamed[:1]):
        with pytest.raises(InvalidRequest):
            halves(impossible, "calibrate")


# --- by verdicts


def answered(services: Services, count: int, wrong_of_ten: int, *, days: float = 10) -> None:
    """Automatic answers of the past that people reviewed, and some that agents judged."""
    replica = services.replicas.of("shop")
    (spoken,) = services.reader.read(["refund for my kettle please"])
    asked = JudgedQuestion("q", spoken.text, "en", frozenset(), "", None, False)
    weighed = replica.weigh(search_query(asked, spoken.language, spoken.vector, NOW))
    with services.store.writing("shop") as unit:
        start = unit.now - timedelta(days=days)
        for number in range(count):
            at = start + timedelta(minutes=number)
            right = number % 10 >= wrong_of_ten
            unit.exposures.add_many(
                [
                    Exposure(
                        id=f"exp_{number}",
                        at=at,
                        route="answers",
                        query="q",
                        language="en",
                        action="answer",
                        reason="confident",
                        confidence=weighed.confidence,
                        answers=(ShownAnswer("a", "kettle-refund", 1, weighed.confidence),),
                        model_id=MODEL,
                        calibration_id=weighed.calibration.id,
                        features=weighed.features,
                        threshold=0.5,
                    )
                ]
            )
            if number % 2:
                verdict = "right" if right else "wrong"
                unit.reviews.put(
                    Review(f"rev_{number}", f"exp_{number}", at, "t", (), "done", verdict, decided_at=at)  # type: ignore[arg-type]
                )
            else:
                outcome = "accepted" if right else "rejected"
                agent = f"agent-{number % 30}"
                unit.feedback.add(Feedback(f"f{number}", f"exp_{number}", "a", outcome, at, agent_id=agent))


def test_verdicts_are_stored_as_an_adjustment_and_taken_back(services: Services) -> None:
    answered(services, 400, wrong_of_ten=6)
    before = in_force(services)
    found, stored = services.calibrating.by_verdicts("shop", actor="nightly")
    assert (found.changed, found.reason) == (True, "better")
    assert found.counts == {"reviews": 200, "feedback": 200, "right": 160, "wrong": 240}
    held = in_force(services)
    assert held.id == stored
    assert held.base == before.id
    assert not held.adjustment.is_none
    assert services.calibrating.by_verdicts("shop")[1] is None, "nothing new was said"
    back = services.calibrating.roll_back("shop", "shipped")
    assert in_force(services) == before
    assert services.calibrating.by_verdicts("shop")[0].reason == "too_few", "what was undone stays undone"
    assert stored is not None
    assert services.calibrating.roll_back("shop", stored).constants is not None
    assert in_force(services).adjustment == held.adjustment
    kinds = [item.kind for item in services.calibrating.history("shop")]
    assert kinds[-1] == "verdicts"
    assert set(kinds[:-1]) <= {"rollback", "verdicts"}
    assert back.constants is None


def test_day_one_changes_nothing(services: Services) -> None:
    found, stored = services.calibrating.by_verdicts("shop")
    assert (found.changed, stored) == (False, None)
    assert services.calibrating.history("shop") == ()


def test_a_calibration_by_questions_stays_the_base_of_what_verdicts_move(services: Services) -> None:
    fitted = fit(services)
    answered(services, 400, wrong_of_ten=6)
    _, stored = services.calibrating.by_verdicts("shop")
    held = in_force(services)
    assert (held.id, held.base) == (stored, fitted.id)
    assert held.confidence == fitted.calibration.confidence


def test_judged_questions_go_on_speaking_after_a_restart_and_under_verdicts_until_they_are_taken_back(
    services: Services, tmp_path: Path
) -> None:
    fitted = fit(services)
    answered(services, 400, wrong_of_ten=6)
    assert services.calibrating.by_verdicts("shop")[1] is not None
    other = Replica(
        "shop", services.store, services.encoder, tmp_path / "another", publishes=False, clock=lambda: NOW
    )
    other.settle()
    held, given = other.index.calibration.precedents, fitted.calibration.precedents
    assert [item.id for item in held.held] == [item.id for item in given.held] != []
    assert (held.alike, held.weight) == (given.alike, given.weight)
    services.calibrating.roll_back("shop", "shipped")
    other.follow()
    assert other.index.calibration.precedents.held == ()
    other.close()


def test_whoever_was_faster_wins(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(services, 400, wrong_of_ten=6)
    genuine = calibrating.recalibrated

    def overtaken(*args: Any, **named: Any) -> Any:
        services.calibrating.roll_back("shop", "shipped")
        return genuine(*args, **named)

    monkeypatch.setattr(calibrating, "recalibrated", overtaken)
    found, stored = services.calibrating.by_verdicts("shop")
    assert (found.changed, stored) == (False, None)
    assert [item.kind for item in services.calibrating.history("shop")] == ["rollback"]


# --- the history


def test_another_process_follows(services: Services, tmp_path: Path) -> None:
    other = Replica(
        "shop",
        services.store,
        services.encoder,
        tmp_path / "another",
        publishes=False,
        clock=lambda: NOW,
    )
    other.settle()
    found = fit(services)
    other.follow()
    assert other.index.calibration == found.calibration
    services.calibrating.roll_back("shop", "shipped")
    other.follow()
    assert other.index.calibration == calibration_for(MODEL)
    other.close()


def test_only_what_was_can_come_back(services: Services) -> None:
    with pytest.raises(NotFound):
        services.calibrating.roll_back("shop", "cal_never")
    found = fit(services)
    assert found.id is not None
    with pytest.raises(NotFound):
        services.calibrating.roll_back("other", found.id)


def test_a_calibration_of_another_version_gives_way_to_the_shipped(services: Services) -> None:
    constants = constants_of(replace(calibration_for(MODEL), adjustment=Adjustment(2.0)))
    with services.store.writing("shop") as unit:
        unit.calibrations.add(
            StoredCalibration(
                "cal_old", MODEL, "questions", "old", unit.now, {}, {**constants, "features": ["unheard"]}
            )
        )
    assert in_force(services) == calibration_for(MODEL)
    with pytest.raises(Conflict, match="cal_old"):
        services.calibrating.roll_back("shop", "cal_old")


# --- what each stage adds


def test_stages_build_up_from_one_half_to_all_of_it() -> None:
    calibration = calibration_for(MODEL)
    found = stages(calibration)
    assert list(found) == [LEXICAL, DENSE, FUSED, GRAPH]
    assert {mix.cosine for mix in found[LEXICAL].blends.values()} == {0.0}
    assert {(mix.coverage, mix.relative, mix.lead) for mix in found[DENSE].blends.values()} == {
        (0.0, 0.0, 0.0)
    }
    assert found[FUSED].blends == calibration.fusion.blends
    assert found[GRAPH] == calibration.fusion


def test_every_stage_is_judged_and_the_last_is_what_the_service_answers(services: Services) -> None:
    replica = services.replicas.settled("shop")
    found = added(replica, services.reader, questions(), now=lambda: NOW)
    assert list(found) == [LEXICAL, DENSE, FUSED, GRAPH, CONFIDENCE]
    assert {item.questions for item in found.values()} == {100}
    assert found[GRAPH].ndcg10 == found[CONFIDENCE].ndcg10, "confidence moves no hit"
    assert found[GRAPH].calibration != found[CONFIDENCE].calibration


def test_the_command_line_is_wired_to_the_same(services: Services) -> None:
    assert isinstance(services.calibrating, Calibrating)
    assert set(services.nightly._jobs) >= {"recalibrate"}
