"""Staleness: each reason with its evidence, and nothing said of a document that is well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from graph.staleness import DocumentInUse, StaleReason, stale_reasons

NOW = datetime(2026, 6, 18, tzinfo=UTC)
WELL = DocumentInUse(valid_to=None, updated_at=NOW - timedelta(days=10))


def only(standing: DocumentInUse) -> StaleReason:
    (reason,) = stale_reasons(standing, NOW)
    assert set(reason.text) == {"zh", "en"} and all(reason.text.values())
    return reason


def standing(**changes: object) -> DocumentInUse:
    known = {name: getattr(WELL, name) for name in WELL.__slots__}
    return DocumentInUse(**{**known, **changes})  # type: ignore[arg-type]


def test_a_document_that_is_well_has_no_reason() -> None:
    assert stale_reasons(WELL, NOW) == ()
    assert stale_reasons(standing(shown=1000, outcomes={"accepted": 50, "rejected": 3}), NOW) == ()


def test_an_end_without_a_successor_counts_while_customers_still_ask() -> None:
    over = NOW - timedelta(days=3)
    assert stale_reasons(standing(valid_to=over), NOW) == ()
    assert stale_reasons(standing(valid_to=over, asked=2, successors=("new",)), NOW) == ()
    reason = only(standing(valid_to=over, asked=2))
    assert reason.code == "ended_without_successor" and reason.evidence["asked"] == 2


def test_an_end_within_thirty_days_without_a_successor_is_told_before() -> None:
    soon = NOW + timedelta(days=8, hours=1)
    reason = only(standing(valid_to=soon))
    assert reason.code == "ends_soon" and reason.evidence["days"] == 8
    assert stale_reasons(standing(valid_to=soon, successors=("new",)), NOW) == ()
    assert stale_reasons(standing(valid_to=NOW + timedelta(days=31)), NOW) == ()


def test_the_last_day_is_told_by_the_clocks_of_the_place() -> None:
    ends = datetime(2026, 6, 20, tzinfo=UTC)
    east = timezone(timedelta(hours=8))
    (here,) = stale_reasons(standing(valid_to=ends), NOW)
    (there,) = stale_reasons(standing(valid_to=ends), NOW, east)
    assert "2026-06-19" in here.text["en"] and "2026-06-19" in here.text["zh"]
    assert "2026-06-20" in there.text["en"]


def test_a_superseded_document_should_have_ended() -> None:
    reason = only(standing(superseded_by=("new",)))
    assert reason.code == "superseded_but_open" and "new" in reason.text["zh"]
    assert stale_reasons(standing(superseded_by=("new",), valid_to=NOW - timedelta(days=1)), NOW) == ()


def test_an_old_document_counts_only_when_it_is_used() -> None:
    old = NOW - timedelta(days=400)
    assert stale_reasons(standing(updated_at=old, shown=4), NOW) == ()
    reason = only(standing(updated_at=old, shown=5))
    assert reason.code == "unchanged_though_used" and reason.evidence["shown"] == 5


def test_poor_feedback_needs_several_voices_and_a_share() -> None:
    assert stale_reasons(standing(outcomes={"rejected": 2}), NOW) == ()
    assert stale_reasons(standing(outcomes={"rejected": 3, "accepted": 5}), NOW) == ()
    reason = only(standing(outcomes={"rejected": 1, "edited": 1, "reopened": 1, "accepted": 4}))
    assert reason.code == "poor_feedback" and reason.evidence["outcomes"] == 7


def test_products_that_are_gone_are_named() -> None:
    assert only(standing(unknown_products=("K9",))).evidence["products"] == ("K9",)


def test_the_most_pressing_reason_comes_first() -> None:
    reasons = stale_reasons(
        standing(superseded_by=("new",), outcomes={"rejected": 9}, unknown_products=("K9",)), NOW
    )
    assert [reason.code for reason in reasons] == ["superseded_but_open", "poor_feedback", "unknown_product"]
