"""Neighbours change places in a share of exposures, with the chance of it kept, and never where that could harm."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import pytest

from kb_service.learning.swapping import FAR, Order, as_ranked, swapped
from kb_service.models import CandidateAnswer, Citation
from kb_service.search.models import Hit
from tests.kb_service.conftest import Api, faults
from tests.kb_service.learning.test_learning import desk, suggested

__all__ = ["desk"]


def answer(name: str) -> CandidateAnswer:
    cited = Citation(name, name, None, (), "", 0, 0, None, None)
    return CandidateAnswer(f"a-{name}", "exp", name, "faq", "en", 0.5, (), (cited,), ())


def hit(name: str, evidence: float, audience: Any = "public") -> Hit:
    return Hit(
        name, name, 1, name, "faq", "en", "prose", "", (), 0, 0, 0.5, 0.5, 1.0, 0.0, 0.5,
        audience=audience, evidence=evidence,
    )  # fmt: skip


ANSWERS = [answer(name) for name in "abc"]
HITS = {name: hit(name, 3.0 - place / 2) for place, name in enumerate("abc")}


def shown(id: str, share: float = 0.05, **more: Any) -> Order:
    given: dict[str, Any] = {"hits": HITS, "withheld": frozenset(), **more}
    return swapped(ANSWERS, id, share, **given)


def orders(share: float = 0.2, **more: Any) -> Counter[str]:
    return Counter(
        "".join(item.text for item in shown(f"exp_{number}", share, **more).answers) for number in range(5000)
    )


def test_so_many_are_swapped_each_pair_as_often_by_the_id_alone() -> None:
    found = orders(0.05)
    assert found.keys() == {"abc", "bac", "acb"}
    assert 0.04 < (found["bac"] + found["acb"]) / 5000 < 0.06
    assert 0.4 < found["bac"] / (found["bac"] + found["acb"]) < 0.6
    assert orders(0.05) == found
    assert orders(0.0) == {"abc": 5000}


def test_propensities_are_the_chances_of_the_places() -> None:
    plain = next(o for n in range(99) if (o := shown(f"exp_{n}", 0.2)).answers[0].text == "a")
    assert plain.propensities == pytest.approx((0.9, 0.8, 0.9))
    exchanged = next(o for n in range(99) if (o := shown(f"exp_{n}", 0.2)).answers[0].text == "b")
    assert exchanged.propensities == pytest.approx((0.1, 0.1, 0.9))
    assert as_ranked(ANSWERS).propensities == (1.0, 1.0, 1.0)
    assert swapped(ANSWERS[:1], "exp", 0.2, hits=HITS, withheld=frozenset()) == as_ranked(ANSWERS[:1])


def test_what_is_withheld_or_for_others_is_not_put_up() -> None:
    assert orders(withheld=frozenset("b")).keys() == {"abc", "acb"}
    assert orders(withheld=frozenset("bc")).keys() == {"abc"}
    assert orders(hits={**HITS, "b": hit("b", 2.5, "internal")}).keys() == {"abc"}
    assert orders(hits={name: HITS[name] for name in "ab"}).keys() == {"abc", "bac"}


def test_a_first_that_leads_far_stays_first() -> None:
    assert orders(hits={**HITS, "a": hit("a", 2.5 + FAR)}).keys() == {"abc", "acb"}


def test_an_exposure_keeps_place_chance_and_evidence(desk: Api, swaps: None) -> None:
    assert desk.put("/v1/rules", {"swap_share": 0.2}).status_code == 200
    exchanged = 0
    orders_seen: defaultdict[tuple[str, ...], set[bool]] = defaultdict(set)
    for number in range(60):
        reply = suggested(desk, f"u-{number}")
        desk.services.exposures.flush()
        with desk.store.reading("shop") as unit:
            stored = unit.exposures.get(reply["answers"][0]["exposure_id"])
        assert stored is not None
        assert [item.answer_id for item in stored.answers] == [item["id"] for item in reply["answers"]]
        assert [item.rank for item in stored.answers] == [1, 2, 3]
        assert None not in [item.evidence for item in stored.answers]
        moved = [item for item in stored.answers if item.propensity < 0.5]
        assert len(moved) in (0, 2)
        orders_seen[tuple(item.external_id for item in stored.answers)].add(bool(moved))
        assert reply["confidence"] == max(item["confidence"] for item in reply["answers"])
        exchanged += bool(moved)
    assert 0 < exchanged < 30
    assert sorted(map(list, orders_seen.values())) in ([[False], [True]], [[False], [True], [True]])


def test_the_share_is_a_rule_with_a_bound(api: Api) -> None:
    assert api.get("/v1/rules").json()["swap_share"] == 0.05
    assert faults(api.put("/v1/rules", {"swap_share": 0.5})).keys() == {"swap_share"}
