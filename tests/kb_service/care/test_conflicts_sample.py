"""The conflicts that were put into the sample shop, with the packaged encoder: those, and hardly anything else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.embedding import Embedder
from kb_service.care.conflict_watch import Conflict
from kb_service.commands.sample import FOLDERS
from kb_service.commands.workbench import Workbench, open_workbench
from kb_service.settings import Settings

pytestmark = pytest.mark.model

SAMPLE = Path(__file__).parents[3] / "sample_kb"
AT = datetime(2026, 11, 19, tzinfo=UTC)
PLANTED = {
    frozenset({"policy-shipping-cn-zh", "policy-shipping-cn-en"}): "quantity",
    frozenset({"policy-hygiene-zh", "policy-returns-en"}): "permission",
}
TRUE = {
    *PLANTED,
    # What the FAQ, a product page and agents said of the same two matters: 99 yuan, and no return once the seal
    # is broken.
    *(frozenset({name, "policy-shipping-cn-en"}) for name in ("faq-zh-012", "policy-membership-zh")),
    *(frozenset({f"resolution-{number:04}", "policy-shipping-cn-en"}) for number in (16, 17, 18, 106)),
    *(
        frozenset({name, "policy-returns-en"})
        for name in ("page-SLA-EB20-zh", "resolution-0007", "resolution-0096")
    ),
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, packaged_embedder: Embedder) -> Iterator[Workbench]:
    settings = Settings(data=tmp_path_factory.mktemp("conflicts") / "data")
    with open_workbench(settings, embedder=packaged_embedder) as opened:
        with opened.store.administration(writing=True) as unit:
            unit.workspaces.create("shop")
        opened.services.knowledge.ingest("shop", [SAMPLE / name for name in FOLDERS])
        opened.services.conflicts.settle("shop")
        yield opened


def listed(bench: Workbench, at: datetime = AT, *, upcoming: bool = False) -> tuple[Conflict, ...]:
    return bench.services.conflicts.page("shop", None, 200, as_of=at, upcoming=upcoming).items


def pair(conflict: Conflict) -> frozenset[str]:
    return frozenset(side.document_id for side in conflict.documents)


def test_both_planted_conflicts_are_found_across_languages(bench: Workbench) -> None:
    found = {pair(conflict): conflict for conflict in listed(bench)}
    for names, aspect in PLANTED.items():
        assert found[names].aspect == aspect
    shipping = found[frozenset({"policy-shipping-cn-zh", "policy-shipping-cn-en"})]
    assert "¥99" in shipping.difference["zh"] and "¥129" in shipping.difference["zh"]


def test_nothing_is_listed_that_is_no_conflict(bench: Workbench) -> None:
    assert [conflict.difference["en"] for conflict in listed(bench) if pair(conflict) not in TRUE] == []


def test_versions_other_regions_and_times_are_no_conflicts(bench: Workbench) -> None:
    names = set().union(*map(pair, listed(bench, upcoming=True)))
    assert not names & {"policy-returns-zh-2025", "policy-returns-en-2025", "policy-price-protection-zh-2025"}
    assert not names & {
        "policy-returns-eu-en",
        "policy-returns-hk-zh",
        "policy-us-en",
        "policy-shipping-intl-en",
    }
    assert not names & {"policy-platinum-care-en", "policy-gold-benefits-zh", "policy-douyin-live-zh"}
    assert frozenset({"policy-shipping-cn-zh", "policy-shipping-cn-zh-2027"}) not in map(
        pair, listed(bench, upcoming=True)
    )


def test_quotes_are_spans_of_their_documents(bench: Workbench) -> None:
    with bench.store.reading("shop") as unit:
        for conflict in listed(bench):
            for side in conflict.documents:
                stored = unit.documents.get(side.document_id)
                assert stored is not None
                assert stored.document.text[side.start : side.end] == side.quote
