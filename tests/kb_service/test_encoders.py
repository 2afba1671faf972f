"""Which encoder serves: settings, the shop's own lexicons, and a change of one for another under way."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest import embedding, lexicon
from ingest.embedding import Embedder, Treatment, WordHashEmbedder
from kb_service import encoders
from kb_service.app import wire
from kb_service.encoders import Lexicons, open_encoder
from kb_service.errors import NotFound, ServiceError
from kb_service.knowledge import NewDocument
from kb_service.models import KEY_ROLES, Principal, Scope
from kb_service.services import Services
from kb_service.settings import Settings
from tests.conftest import FixedClock
from tests.ingest.lexicon_samples import small
from tests.kb_service.command_line import CommandLine, command_line

SHOP = "shop"
CALLER = Principal(SHOP, "key", frozenset(KEY_ROLES))
NOW = datetime(2026, 6, 18, 4, 0, tzinfo=UTC)
WITHIN_SECONDS = 20.0


@pytest.fixture
def plain_english(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A packaged encoder of words for the real one, and a small lexicon for the shipped one."""
    small().save(tmp_path / "shipped.npz")
    monkeypatch.setattr(embedding, "_packaged", lambda _threads: WordHashEmbedder())
    monkeypatch.setattr(lexicon, "SHIPPED", tmp_path / "shipped.npz")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data")


class TestLexicons:
    def test_the_shipped_one_is_in_force_until_another_is_taken_up(self, tmp_path: Path) -> None:
        held = Lexicons(tmp_path)
        assert held.file() is None
        held.take(small(table_share=0.3), "built", NOW, {"words": 11})
        held.take(small(table_share=0.2), "adapted", NOW, {})
        file = held.file()
        assert file is not None
        assert lexicon.load(file).table_share == 0.2
        assert [item.origin for item in held.history()] == ["built", "adapted"]
        assert held.history()[0].figures == {"words": 11}

    def test_they_are_taken_back_one_by_one_down_to_the_shipped_one(self, tmp_path: Path) -> None:
        held = Lexicons(tmp_path)
        first = held.take(small(table_share=0.3), "built", NOW, {})
        held.take(small(table_share=0.2), "adapted", NOW, {})
        assert held.roll_back() == first
        assert held.roll_back() is None
        assert held.file() is None
        with pytest.raises(NotFound, match="The shipped lexicon is in force"):
            held.roll_back()

    def test_the_same_one_is_listed_once(self, tmp_path: Path) -> None:
        held = Lexicons(tmp_path)
        for _ in range(2):
            held.take(small(), "built", NOW, {})
        assert len(held.history()) == 1

    @pytest.mark.parametrize("content", ["", "[]", '{"taken": [{"name": 1}]}'])
    def test_a_damaged_list_is_named_with_the_remedy(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "encoder").mkdir()
        (tmp_path / "encoder" / "current.json").write_text(content)
        with pytest.raises(ServiceError, match=r"current\.json cannot be read: .*remove it to go back"):
            Lexicons(tmp_path).file()


class TestOpening:
    def test_the_packaged_one_reads_with_the_lexicon_in_force(
        self, settings: Settings, plain_english: None
    ) -> None:
        assert open_encoder(settings).model_id == f"word-hash-384+zh:{small().digest[:8]}"
        other = small(table_share=0.3)
        Lexicons(settings.data).take(other, "built", NOW, {})
        assert open_encoder(settings).model_id == f"word-hash-384+zh:{other.digest[:8]}"

    def test_the_settings_say_how_to_treat_another_model(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        asked: dict[str, Any] = {}
        monkeypatch.setattr(
            encoders, "load_embedder", lambda name, **options: asked.update(options, name=name)
        )
        for name, value in {
            "KB_EMBEDDING_MODEL": "intfloat/multilingual-e5-small",
            "KB_EMBEDDING_QUERY_PREFIX": "query: ",
            "KB_EMBEDDING_PASSAGE_PREFIX": "",
            "KB_EMBEDDING_POOLING": "CLS",
            "KB_EMBEDDING_LANGUAGES": "zh, en",
        }.items():
            monkeypatch.setenv(name, value)
        open_encoder(Settings(data=tmp_path))
        assert asked["name"] == "intfloat/multilingual-e5-small"
        assert asked["treatment"] == Treatment("query: ", "", "cls", frozenset({"zh", "en"}))
        assert asked["lexicon_file"] is None


# --- a change under way


@contextmanager
def serving(settings: Settings, embedder: Embedder, clock: FixedClock) -> Iterator[Services]:
    services = wire(settings, embedder=embedder, clock=clock, chance=random.Random(1))
    with services.store.administration() as unit:
        if unit.workspaces.get(SHOP) is None:
            unit.workspaces.create(SHOP)
    services.start()
    try:
        until(lambda: services.replicas.readiness()["status"] == "ready")
        yield services
    finally:
        services.stop()


def until(done: Callable[[], object]) -> None:
    deadline = time.monotonic() + WITHIN_SECONDS
    while not done():
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.02)


def embedded(services: Services) -> int:
    """Passages that the present model has still to embed."""
    with services.store.reading(SHOP) as unit:
        return len(unit.documents.without_vectors(services.encoder.model_id, 1000))


class SlowToEmbed(WordHashEmbedder):
    """Encodes passages only when it is allowed to."""

    allowed = True

    def embed_passages(self, texts: Any) -> Any:
        while not self.allowed:
            time.sleep(0.01)
        return super().embed_passages(texts)


def test_another_lexicon_embeds_anew_while_the_vectors_before_serve(
    settings: Settings, clock: FixedClock
) -> None:
    from ingest.bilingual import BilingualEmbedder

    def search(services: Services, text: str) -> tuple[str, float, float]:
        (best, *_) = services.answering.search(SHOP, text, Scope(), 3)
        return best.external_id, best.dense, best.lexical

    before = BilingualEmbedder(WordHashEmbedder(), small())
    with serving(settings, before, clock) as served:
        documents = [
            NewDocument(f"faq-{n}", {"kind": "faq", "title": f"topic {n}", "text": f"手机 屏幕 number{n}"})
            for n in range(150)
        ]
        served.knowledge.put_many(CALLER, documents)
        assert search(served, "number17")[0] == "faq-17"
        assert embedded(served) == 0
    slow = SlowToEmbed()
    slow.allowed = False
    after = BilingualEmbedder(slow, small(table_share=0.2))
    assert after.model_id != before.model_id
    with serving(settings, after, clock) as served:
        assert embedded(served) == 150
        name, dense, lexical = search(served, "number17")
        assert name == "faq-17"
        assert dense > 0, "found by the vectors of the lexicon before while nothing is embedded"
        assert lexical > 0
        slow.allowed = True
        until(lambda: embedded(served) == 0)
        assert search(served, "number17")[0] == "faq-17"
    with serving(settings, before, clock) as served:
        assert embedded(served) == 0, "going back costs nothing"
        assert search(served, "number17")[1] > 0


def test_another_models_vectors_never_stand_in(settings: Settings, clock: FixedClock) -> None:
    from ingest.bilingual import BilingualEmbedder

    with serving(settings, WordHashEmbedder(), clock) as served:
        put = NewDocument("faq-1", {"kind": "faq", "title": "topic", "text": "手机 屏幕"})
        served.knowledge.put_many(CALLER, [put])
    slow = SlowToEmbed()
    slow.allowed = False
    with serving(settings, BilingualEmbedder(slow, small()), clock) as served:
        (best,) = served.answering.search(SHOP, "手机 屏幕", Scope(), 3)
        assert (best.external_id, best.dense) == ("faq-1", 0.0)
        assert best.lexical > 0, "found by words while nothing is embedded"
        slow.allowed = True
        until(lambda: embedded(served) == 0)
        until(lambda: served.answering.search(SHOP, "手机 屏幕", Scope(), 3)[0].dense > 0)


# --- the command line


@pytest.fixture
def kb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], plain_english: None
) -> Iterator[CommandLine]:
    with command_line(tmp_path, monkeypatch, capsys) as ready:
        monkeypatch.setenv("KB_EMBEDDING_MODEL", "packaged")
        yield ready


@pytest.fixture
def inputs(tmp_path: Path) -> list[object]:
    """Options of `kb encoder build` that name a dictionary, sentence pairs and settled words."""
    import gzip

    from tests.ingest.lexicon_samples import DICTIONARY, PAIRS

    with gzip.open(tmp_path / "dictionary.u8.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(DICTIONARY))
    (tmp_path / "pairs.tsv").write_text("\n".join("\t".join(pair) for pair in PAIRS), "utf-8")
    (tmp_path / "words.tsv").write_text("换货\texchange goods\n", "utf-8")
    files = {"--dictionary": "dictionary.u8.gz", "--pairs": "pairs.tsv", "--words": "words.tsv"}
    return [part for option, name in files.items() for part in (option, tmp_path / name)]


def test_build_writes_a_lexicon_and_says_what_it_is_worth(
    kb: CommandLine, inputs: list[object], tmp_path: Path
) -> None:
    out = tmp_path / "new" / "mine.npz"
    source = ["--source", "a dictionary, CC BY-SA 4.0"]
    told = kb.good("encoder", "build", *inputs, *source, "--out", out, "--json").json
    assert (told["entries"], told["pairs"], told["held_out"]) == (13, 108, 12)
    assert {"glosses", "table", "both"} == set(told["before"]) == set(told["after"])
    assert told["file"] == str(out)
    assert told["bytes"] == out.stat().st_size
    made = lexicon.load(out)
    assert made.digest == told["digest"]
    assert made.about["sources"] == ["a dictionary, CC BY-SA 4.0"]
    assert made.read("换货") == "exchange goods"
    assert Lexicons(kb.data).file() is None, "it was only written"


def test_build_without_a_file_brings_it_into_force_and_rollback_takes_it_back(
    kb: CommandLine, inputs: list[object]
) -> None:
    shipped = kb.good("encoder", "show", "--json").json
    assert shipped["lexicon"]["origin"] == "shipped"
    assert "translations found first among 12 held out" in kb.good("encoder", "build", *inputs).out
    shown = kb.good("encoder", "show", "--json").json
    assert shown["lexicon"]["origin"] == "built"
    assert shown["lexicon"]["before_it"] == ["shipped"]
    assert shown["model"] != shipped["model"]
    assert "reads en, zh" in kb.good("encoder", "show").out
    assert "the shipped lexicon" in kb.good("encoder", "rollback").out
    assert kb.good("encoder", "show", "--json").json == shipped
    refused = kb("encoder", "rollback")
    assert refused.status == 2
    assert "The shipped lexicon is in force" in refused.err


def test_build_names_what_is_wrong_with_its_inputs(
    kb: CommandLine, inputs: list[object], tmp_path: Path
) -> None:
    (tmp_path / "pairs.tsv").write_text("no tab here", "utf-8")
    refused = kb("encoder", "build", *inputs)
    assert refused.status == 2
    assert "pairs.tsv: line 1: no tab between" in refused.err
    (tmp_path / "dictionary.u8.gz").write_bytes(b"not packed")
    (tmp_path / "pairs.tsv").write_text("退货\treturn", "utf-8")
    damaged = kb("encoder", "build", *inputs)
    assert damaged.status == 1
    assert "gzip" in damaged.err


def pairs_file(folder: Path, labels: Callable[[int], int]) -> Path:
    from tests.ingest.test_adapting import shop_pairs

    file = folder / "pairs.jsonl"
    lines = [
        json.dumps({"a": pair.first, "b": pair.second, "label": labels(number)})
        for number, pair in enumerate(shop_pairs())
    ]
    file.write_text("\n".join(lines), "utf-8")
    return file


def test_adapt_comes_into_force_when_held_out_pairs_improve(
    kb: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingest import adapting

    monkeypatch.setattr(adapting, "shipped_control", lambda: (("我", "I"), ("手机", "phone")))
    monkeypatch.setattr(adapting.Tuning, "__init__", _quick(adapting.Tuning.__init__))
    file = pairs_file(tmp_path, lambda number: 1 - number % 2)
    ran = kb("encoder", "adapt", file, "--json")
    assert ran.status == 0, ran.out + ran.err
    told = ran.json
    assert told["refusal"] is None
    assert told["after"]["precision"] > told["before"]["precision"]
    shown = kb.good("encoder", "show", "--json").json["lexicon"]
    assert (shown["digest"], shown["origin"]) == (told["digest"], "adapted")
    assert told["from"] == small().digest


def _quick(made: Callable[..., None]) -> Callable[..., None]:
    def quick(self: object, **constants: Any) -> None:
        made(self, **{"epochs": 12, "batch": 32, "rate": 3e-2, "ridge": 0.0, **constants})

    return quick


def test_adapt_changes_nothing_and_says_why_when_they_do_not(kb: CommandLine, tmp_path: Path) -> None:
    chance = random.Random(3)
    ran = kb("encoder", "adapt", pairs_file(tmp_path, lambda _: chance.randrange(2)))
    assert ran.status == 1
    assert "not used: " in ran.out
    assert Lexicons(kb.data).file() is None


def test_adapt_is_for_the_packaged_encoder_and_enough_pairs(
    kb: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "few.jsonl"
    file.write_text('{"a": "怎么退货", "b": "如何退货", "label": 1}', "utf-8")
    few = kb("encoder", "adapt", file)
    assert few.status == 2
    assert "at least 100 are needed" in few.err
    monkeypatch.setenv("KB_EMBEDDING_MODEL", "word-hash")
    other = kb("encoder", "adapt", file)
    assert other.status == 2
    assert "only `packaged` can be adapted; it is word-hash" in other.err
