"""What `sample_kb` promises, held on its files and on what becomes of them."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from graph.labels import label_in
from ingest.embedding import WordHashEmbedder
from kb_service.commands.asking import ask, questions_of
from kb_service.commands.sample import (
    EXPERTISE,
    FILES,
    FOLDERS,
    RULES,
    WAITING,
    Welcome,
    fill,
    missing,
    put_names,
    put_people,
    put_rules,
)
from kb_service.commands.workbench import Workbench, open_workbench
from kb_service.judging.evaluation import read_questions
from kb_service.models import KEY_ROLES, Principal
from kb_service.settings import Settings

SAMPLE = Path(__file__).parents[3] / "sample_kb"
FORMATS = {".md", ".html", ".pdf", ".docx", ".xlsx", ".csv", ".jsonl"}


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SAMPLE / name).read_text("utf-8").splitlines() if line.strip()]


@dataclass(frozen=True)
class Filled:
    bench: Workbench
    welcome: Welcome
    documents: dict[str, Any]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """A workspace as `kb demo` fills it, with the deterministic encoder."""
    settings = Settings(data=tmp_path_factory.mktemp("sample") / "data")
    with open_workbench(settings, embedder=WordHashEmbedder()) as bench:
        welcome = fill(bench, "demo", SAMPLE, lambda *_: None)
        with bench.store.reading("demo") as unit:
            documents = {held.document.external_id: held.document for held in unit.documents.all()}
        yield Filled(bench, welcome, documents)


# --- the files


def test_the_folder_is_whole() -> None:
    assert missing(SAMPLE) is None
    assert {path.suffix for name in FOLDERS for path in (SAMPLE / name).iterdir()} >= FORMATS
    assert all((SAMPLE / name).exists() for name in FILES)


def test_intents_have_examples_in_both_languages() -> None:
    intents = lines("intents.jsonl")
    assert len(intents) >= 30
    for intent in intents:
        assert len(intent["examples"]) >= 10, intent["id"]
        chinese = [bool(re.search("[一-鿿]", example)) for example in intent["examples"]]
        assert any(chinese) and not all(chinese), intent["id"]


def test_sixteen_agents_are_known_by_number() -> None:
    agents = lines("agents.jsonl")
    assert len(agents) == 16
    assert all(re.fullmatch(r"agent-\d\d", agent["id"]) for agent in agents)
    assert {language for agent in agents for language in agent["languages"]} == {"zh", "en"}


def both(label: str) -> bool:
    """Whether a label is in Chinese and in English."""
    return label_in(label, "zh") != label_in(label, "en")


def test_expertise_and_why_cases_were_passed_on_are_named_in_both_languages() -> None:
    named = {item["id"]: item["name"] for item in lines("expertise.jsonl")}
    declared = {skill for agent in lines("agents.jsonl") for skill in agent["skills"]}
    assert set(named) == declared
    assert all(map(both, named.values()))
    reasons = {event["reason"] for event in lines("events.jsonl") if event.get("reason")}
    assert reasons
    assert all(map(both, reasons))


def test_the_expertise_of_the_filled_shop_has_its_names_until_somebody_renames_it(filled: Filled) -> None:
    names = filled.bench.services.clustering.names("demo")
    assert names["logistics"] == "物流配送 / Delivery"
    assert all(map(both, names.values()))
    caller = Principal("demo", "sample", frozenset(KEY_ROLES))
    filled.bench.services.clustering.pin(caller, "logistics", {"name": "Parcels"})
    put_names(filled.bench, caller, SAMPLE / EXPERTISE)
    assert filled.bench.services.clustering.names("demo")["logistics"] == "Parcels"
    filled.bench.services.clustering.pin(caller, "logistics", {"name": "物流配送 / Delivery"})


def test_resolutions_tell_who_answered_how_and_how_it_went() -> None:
    resolutions = [*lines("resolutions/resolutions-zh.jsonl"), *lines("resolutions/resolutions-en.jsonl")]
    assert len(resolutions) >= 120
    agents = {agent["id"] for agent in lines("agents.jsonl")}
    for item in resolutions:
        assert item["question"], item["external_id"]
        assert item["reply"], item["external_id"]
        assert item["fields"]["agent"] in agents, item["external_id"]
        assert {"handling_seconds", "outcome", "rating"} <= item["fields"].keys(), item["external_id"]


def test_the_month_of_events_is_in_order_and_its_labels_name_events() -> None:
    events = lines("events.jsonl")
    moments = [datetime.fromisoformat(event["at"]) for event in events]
    assert moments == sorted(moments)
    assert (moments[-1] - moments[0]).days >= 29
    assert len({event["id"] for event in events}) == len(events)
    with (SAMPLE / "events.labels.csv").open(encoding="utf-8", newline="") as file:
        labels = list(csv.DictReader(file))
    assert {label["event_id"] for label in labels} <= {event["id"] for event in events}
    topics = {label["topic"] for label in labels}
    assert len([topic for topic in topics if topic.startswith("incident-")]) >= 3
    assert len([topic for topic in topics if topic.startswith("evergreen-")]) >= 10


# --- the questions


def test_questions_are_many_in_both_languages_and_splits() -> None:
    questions = read_questions(SAMPLE / "questions.jsonl")
    assert len(questions) >= 700
    for language in ("zh", "en"):
        own = [question for question in questions if question.language == language]
        assert len(own) >= 300, language
        assert [question for question in own if question.cross_lingual], language
        assert [question for question in own if not question.expected], language
        splits = Counter(question.split for question in own)
        assert set(splits) == {"calibrate", "report"}
        assert min(splits.values()) >= 0.4 * len(own)
    assert len({question.id for question in questions}) == len(questions)
    assert len({question.query for question in questions}) == len(questions)
    assert all(question.as_of is not None for question in questions)


def test_what_crosses_languages_is_answered_in_the_other_alone(filled: Filled) -> None:
    for question in read_questions(SAMPLE / "questions.jsonl"):
        # Every line of the size charts stands in both languages.
        languages = {filled.documents[name].language for name in question.expected - {"size-charts"}}
        if "size-charts" in question.expected:
            languages |= {"zh", "en"}
        if question.cross_lingual:
            assert question.language not in languages, question.id
        elif languages:
            assert question.language in languages, question.id


def test_every_expected_document_is_there_and_valid(filled: Filled) -> None:
    for question in read_questions(SAMPLE / "questions.jsonl"):
        assert question.expected <= filled.documents.keys(), question.id
        assert question.as_of is not None
        for name in question.expected:
            document = filled.documents[name]
            begun = document.valid_from is None or document.valid_from <= question.as_of
            lasts = document.valid_to is None or question.as_of < document.valid_to
            assert begun and lasts, (question.id, name)
            assert (document.audience, document.status) == ("public", "approved"), (question.id, name)


# --- the workspace


def test_every_file_is_read(filled: Filled) -> None:
    assert filled.welcome.report.problems == ()
    assert filled.welcome.documents == len(filled.documents) == filled.welcome.report.created


def test_the_shop_is_as_large_as_it_says(filled: Filled) -> None:
    kinds = Counter(document.kind for document in filled.documents.values())
    assert kinds["policy"] >= 25
    assert kinds["resolution"] >= 120
    assert kinds["faq"] >= 40
    products = {sku for document in filled.documents.values() for sku in document.products}
    assert len(products) >= 40
    assert {document.language for document in filled.documents.values()} == {"zh", "en"}


def test_policies_have_dates_versions_regions_and_tiers(filled: Filled) -> None:
    policies = [document for document in filled.documents.values() if document.kind == "policy"]
    assert any(document.valid_from for document in policies)
    assert any(document.valid_to for document in policies)
    assert any(document.regions for document in policies)
    assert any(document.tiers for document in policies)
    assert any(document.audience == "internal" for document in policies)
    superseded = {name for document in policies for name in document.supersedes}
    assert superseded
    assert superseded <= filled.documents.keys()


def test_products_keep_their_fields(filled: Filled) -> None:
    fields = [document.fields for document in filled.documents.values() if document.kind == "product"]
    assert sum(len(held) >= 4 for held in fields) >= 40


def test_personal_data_is_masked(filled: Filled) -> None:
    for document in filled.documents.values():
        if document.kind == "resolution":
            assert not re.search(r"(?<!\d)1[3-9]\d{9}(?!\d)", document.text), document.external_id
            assert not re.search(r"[\w.]+@[\w.]+\.\w+", document.text), document.external_id


def test_the_month_makes_problems_and_alerts(filled: Filled) -> None:
    assert filled.welcome.problems > 0
    assert filled.welcome.alerts > 0
    assert filled.welcome.key.startswith("kb_")


def test_the_shop_knows_its_promotion_days_and_keeps_the_rules_that_somebody_set(filled: Filled) -> None:
    rulebook = filled.bench.services.rulebook
    assert rulebook.rules("demo").promotion_days == ("2026-11-10", "2026-11-11")
    caller = Principal("demo", "key", frozenset(KEY_ROLES))
    own = replace(rulebook.rules("demo"), promotion_days=(), surge_customers=7)
    before = rulebook.rules("demo")
    try:
        rulebook.put(caller, own)
        put_rules(filled.bench, caller, SAMPLE / RULES)
        assert rulebook.rules("demo") == own
    finally:
        rulebook.put(caller, before)


def test_the_figures_of_the_month_are_there(filled: Filled) -> None:
    """A bot that settles something, people who are handed to, shifts of all sixteen; at the end ten are there."""
    begin, end = (
        datetime.fromisoformat("2026-10-20T00:00+08:00"),
        datetime.fromisoformat("2026-11-20T00:00+08:00"),
    )
    measuring = filled.bench.services.measuring
    found = measuring.support("demo", begin, end).overall.measures
    assert 0.3 < (found["containment"].now.value or 0.0) < 0.8
    assert 0.02 < (found["deflection"].now.value or 0.0) < 0.3
    assert found["human_response.median"].now.n > 50
    assert (found["first_response.unanswered"].now.value or 1.0) < 0.3
    people = measuring.board("demo", begin, end).people
    assert len(people) == 16
    assert all(0.0 < (line.utilisation or 0.0) < 1.0 for line in people)
    with filled.bench.store.reading("demo") as unit:
        assert sum(agent.online for agent in unit.agents.all()) == 10


def test_filling_again_changes_nothing(filled: Filled) -> None:
    position = filled.bench.store.position("demo")
    again = fill(filled.bench, "demo", SAMPLE, lambda *_: None)
    assert filled.bench.store.position("demo") == position
    assert (again.documents, again.problems, again.alerts) == (
        filled.welcome.documents, filled.welcome.problems, filled.welcome.alerts,
    )  # fmt: skip
    assert again.report.files == again.report.files_unchanged


def test_an_agent_that_was_changed_is_put_back_but_stays_online(filled: Filled) -> None:
    caller = Principal("demo", "key", frozenset(KEY_ROLES))
    team = filled.bench.services.team
    agent = team.agent("demo", "agent-01")
    team.put_agent(caller, replace(agent, name="Somebody", online=not agent.online))
    put_people(filled.bench, caller, SAMPLE)
    mended = team.agent("demo", "agent-01")
    assert (mended.name, mended.online) == (agent.name, not agent.online)


def test_few_keys_of_earlier_runs_stay(filled: Filled) -> None:
    for _ in range(7):
        fill(filled.bench, "demo", SAMPLE, lambda *_: None)
    valid = [key for key in filled.bench.keys("demo") if key.label == "demo" and key.revoked_at is None]
    assert len(valid) == 5


def test_what_many_asked_in_vain_are_gaps_with_drafts_of_what_agents_wrote(filled: Filled) -> None:
    gaps = filled.bench.services.gaps.page("demo", None, 50).items
    many = [item for item in gaps if item.gap.customers >= 3]
    assert len(many) >= 3
    assert all(item.told_at is not None for item in many[:3])
    drafts = [item.draft.body for item in gaps if item.draft is not None]
    assert any("签约工厂" in body for body in drafts)
    assert any("Bitcoin" in body for body in drafts)


def test_documents_are_used_and_edits_wait_for_a_look(filled: Filled) -> None:
    edits = filled.bench.services.reviewing.page("demo", None, 50, state="pending", kind="edit").items
    assert len(edits) >= 5
    assert {item.language for item in edits} == {"zh", "en"}
    with filled.bench.store.reading("demo") as unit:
        shown = [item.id for item in unit.exposures.page(limit=1000).items]
        given = [item for several in unit.feedback.of_exposures(shown).values() for item in several]
    outcomes = Counter(item.outcome for item in given)
    assert outcomes["accepted"] > outcomes["edited"] > 0
    assert {item.agent_id for item in given} <= {agent["id"] for agent in lines("agents.jsonl")}


def test_nothing_is_asked_that_the_evaluation_reports_on(filled: Filled) -> None:
    report = {
        item.query for item in read_questions(SAMPLE / "questions.jsonl") if item.split == "report"
    }  # fmt: skip
    asked = {item.text for item in questions_of(SAMPLE)}
    assert len(asked) > 150
    assert not asked & report
    with filled.bench.store.reading("demo") as unit:
        recorded = {item.query for item in unit.exposures.page(limit=1000).items}
    assert recorded
    assert not recorded & report


def test_a_filling_that_broke_off_is_finished_by_the_next(tmp_path: Path) -> None:
    """A few questions were asked before; the others are asked then, and nothing twice."""
    wanted = len(list(questions_of(SAMPLE)))
    settings = Settings(data=tmp_path / "data")

    def broken(done: int, total: int, what: str) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with open_workbench(settings, embedder=WordHashEmbedder()) as bench:
        bench.create_workspace("demo")
        with pytest.raises(KeyboardInterrupt):
            ask(bench, "demo", SAMPLE, broken)
    for fresh in (wanted - 3, 0):
        with open_workbench(settings, embedder=WordHashEmbedder()) as bench:
            assert ask(bench, "demo", SAMPLE, lambda *_: None) == fresh
            with bench.store.reading("demo") as unit:
                asked = [item.conversation_id for item in unit.exposures.page(limit=1000).items]
            assert len(asked) == len(set(asked)) == wanted


def test_the_desk_begins_with_a_queue_that_a_second_run_does_not_fill_again(filled: Filled) -> None:
    def waiting() -> list[str]:
        with filled.bench.store.reading("demo") as unit:
            return sorted(case.id for case in unit.cases.waiting())

    first = waiting()
    assert len(first) == WAITING
    filled.bench.services.casework.resolve_case(
        Principal("demo", "test", frozenset(KEY_ROLES)), first[0],
        resolved=True, agent_id="agent-07", reply=None, handling_seconds=None,
    )  # fmt: skip
    fill(filled.bench, "demo", SAMPLE, lambda *_: None)
    assert waiting() == first[1:]
