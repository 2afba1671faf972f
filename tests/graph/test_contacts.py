from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from graph.contacts import Contact, Matter, Turn, contacts, earlier_contacts, same_matter

T = datetime(2026, 11, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def about(*, problem: str = "", intent: str = "", product: str = "", order: str = "") -> Matter:
    return Matter(*(frozenset([one] if one else []) for one in (problem, intent, product, order)))


def said(at: datetime, matter: Matter | None = None, case: str = "k1", chat: str | None = None) -> Turn:
    return Turn(case, chat or f"chat of {case}", at, spoken=True, matter=matter or Matter())


def resolved(at: datetime, case: str = "k1") -> Turn:
    return Turn(case, None, at, ends=True)


def earlier(known: tuple[Contact, ...], case: str | None, matter: Matter, at: datetime) -> int:
    return earlier_contacts(known, case, f"chat of {case}" if case else "a new chat", matter, at)


RETURN = about(intent="return", product="SP30")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (about(problem="p1"), about(problem="p1", intent="x"), True),
        (about(problem="p1"), about(problem="p2"), False),
        (about(intent="return"), about(intent="return"), True),
        (about(intent="return"), about(intent="invoice"), False),
        (about(intent="return", product="A"), about(intent="return", product="B"), False),
        (about(intent="return", product="A"), about(intent="return"), True),
        (about(intent="return", order="1"), about(intent="return", order="2"), False),
        (about(intent="where", order="1"), about(intent="return", order="1"), True),
        (about(intent="return", product="A"), about(product="A"), True),
        (about(intent="return", product="A"), about(intent="ask", product="A"), False),
        (about(intent="return"), Matter(), False),
        (Matter(), Matter(), False),
    ],
)
def test_what_is_the_same_matter(one: Matter, other: Matter, same: bool) -> None:
    assert same_matter(one, other) is same
    assert same_matter(other, one) is same


def test_a_contact_ends_with_a_resolution_and_further_turns_belong_to_it() -> None:
    found = contacts(
        [
            said(T, RETURN),
            said(T + HOUR, about(order="1")),
            resolved(T + 2 * HOUR),
            said(T + 3 * HOUR),
            said(T + 3 * HOUR, about(intent="invoice"), "k2"),
        ]
    )
    whole = RETURN | about(order="1")
    assert found == (
        Contact("k1", "chat of k1", T, T + HOUR, whole, T + 2 * HOUR),
        Contact("k1", "chat of k1", T + 3 * HOUR, T + 3 * HOUR, whole),
        Contact("k2", "chat of k2", T + 3 * HOUR, T + 3 * HOUR, about(intent="invoice")),
    )


def test_what_goes_on_is_no_earlier_contact() -> None:
    known = contacts([said(T, RETURN)])
    assert earlier(known, "k1", RETURN, T + HOUR) == 0
    assert earlier_contacts(known, "k1", None, RETURN, T + HOUR) == 0, (
        "no conversation is named: it is this one"
    )
    assert earlier(known, None, RETURN, T + HOUR) == 1, "asked elsewhere, it is a second contact"


def test_coming_back_after_an_answer_is_another_contact() -> None:
    known = contacts([said(T, RETURN), resolved(T + HOUR)])
    assert earlier(known, "k1", RETURN, T + 2 * HOUR) == 1
    assert earlier(known, "k1", Matter(), T + DAY) == 1, "any update? is about what the case was"
    again = contacts([said(T, RETURN), resolved(T + HOUR), said(T + DAY)])
    assert earlier(again, "k1", Matter(), T + DAY + HOUR) == 1


def test_coming_back_without_any_answer_is_another_contact_after_half_a_day() -> None:
    known = contacts([said(T, RETURN), said(T + 11 * HOUR)])
    assert len(known) == 1
    assert earlier(known, "k1", Matter(), T + 22 * HOUR) == 0
    assert earlier(known, "k1", Matter(), T + 24 * HOUR) == 1


def test_another_conversation_is_another_contact_in_the_same_case_too() -> None:
    known = contacts([said(T, RETURN), said(T + HOUR, RETURN, chat="mail")])
    assert len(known) == 2
    assert earlier_contacts(known, "k1", "phone", RETURN, T + 2 * HOUR) == 2
    assert earlier_contacts(known, "k1", "mail", RETURN, T + 2 * HOUR) == 1
    assert earlier_contacts(known, "k1", "phone", about(intent="invoice"), T + 2 * HOUR) == 0


def test_what_names_nothing_is_about_its_conversation_and_no_other() -> None:
    known = contacts([said(T, RETURN), resolved(T + HOUR), said(T + 2 * HOUR, chat="mail")])
    assert not known[1].matter.known
    assert earlier_contacts(known, "k1", "mail", Matter(), T + 3 * HOUR) == 0
    assert earlier_contacts(known, "k1", "phone", Matter(), T + 3 * HOUR) == 0
    assert earlier_contacts(known, "k1", "chat of k1", Matter(), T + 3 * HOUR) == 1


def test_another_matter_is_no_repeat() -> None:
    known = contacts([said(T, RETURN), resolved(T + HOUR)])
    assert earlier(known, "k2", about(intent="invoice"), T + DAY) == 0
    assert earlier(known, "k2", Matter(), T + DAY) == 0, "a word of greeting elsewhere says nothing"


def test_only_a_week_counts_and_never_what_comes_later() -> None:
    known = contacts([said(T, RETURN), resolved(T + HOUR), said(T + 9 * DAY, RETURN, "k3")])
    assert earlier(known, "k2", RETURN, T + 7 * DAY) == 1
    assert earlier(known, "k2", RETURN, T + 7 * DAY + HOUR) == 0
    assert earlier(known, "k2", RETURN, T) == 0


def test_other_cases_count_whether_or_not_they_were_resolved() -> None:
    known = contacts([said(T, RETURN), said(T + HOUR, RETURN, "k2"), said(T + 2 * HOUR, RETURN, "k3")])
    assert earlier(known, "k3", RETURN, T + 3 * HOUR) == 2


def test_a_contact_tells_what_was_known_of_it_when() -> None:
    (contact,) = contacts(
        [
            Turn("k1", "c1", T, spoken=True),
            Turn("k1", "c1", T + HOUR, spoken=True, matter=about(intent="invoice")),
            Turn("k1", "c1", T + 2 * HOUR, spoken=True),
            Turn("k1", "c1", T + 3 * HOUR, spoken=True, matter=about(intent="parcel")),
        ]
    )
    known = [contact.matter_at(T + hours * HOUR) for hours in (-1, 0, 1, 2, 3, 9)]
    nothing, invoice, both = Matter(), about(intent="invoice"), contact.matter
    assert known == [nothing, nothing, invoice, invoice, both, both]
    assert both == about(intent="invoice") | about(intent="parcel")
