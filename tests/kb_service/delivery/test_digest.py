"""The daily digest: what it tells, when, to whom; once a day, and at least once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from graph.models import Alert, Evidence, Problem, Proposal
from graph.rules import Rules
from kb_service.delivery.courier import SCHEDULE
from kb_service.delivery.digest_content import put_into_words
from kb_service.delivery.digest_mail import mail
from kb_service.delivery.digests import Digests
from kb_service.delivery.smtp import Mail, SmtpMail
from kb_service.errors import InvalidRequest
from kb_service.mail_addresses import possible
from kb_service.store import Store, StoredDigest, ToldGap, Webhook, WebhookSecret
from kb_service.timezones import zone
from tests.conftest import FixedClock
from tests.kb_service.delivery.mailbox import Mailbox

NINE = datetime(2026, 6, 18, 1, 0, tzinfo=UTC)
"""Nine in the morning in Shanghai."""
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SENDER = "kb@shop.example"
TEAM = "team@shop.example"
HOSTILE = '<img src=x> & "https://evil.example/x" \r\nBcc: all@example.com'


class Kept:
    """Takes every mail, or tells why not with the next of `errors`."""

    sender = SENDER

    def __init__(self, errors: list[str | None] | None = None) -> None:
        self.errors = errors if errors is not None else []
        self.mails: list[EmailMessage] = []

    def deliver(self, mails: list[EmailMessage]) -> list[str | None]:
        outcomes = [self.errors.pop(0) if self.errors else None for _ in mails]
        self.mails += [one for one, error in zip(mails, outcomes, strict=True) if error is None]
        return outcomes


@pytest.fixture
def at(clock: FixedClock) -> FixedClock:
    clock.now = NINE
    return clock


@pytest.fixture
def store(tmp_path: Path, at: FixedClock) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'kb.sqlite3'}", clock=at)
    store.migrate()
    with store.administration() as unit:
        unit.workspaces.create("shop")
    with store.writing("shop") as unit:
        unit.rules.put(Rules(digest_to=(TEAM,), digest_language="en"))
    yield store
    store.close()


def digests(store: Store, at: FixedClock, by: Any) -> Digests:
    counts = {"conflicts": 2, "stale": 5}
    return Digests(store, by, lambda workspace: counts, clock=at, chance=random.Random(3))


def a_problem(store: Store, id: str, at: datetime, **changes: Any) -> None:
    names = {"zh": f"问题 {id}", "en": f"Problem {id}"}
    problem = Problem(id, names, "open", at, at, at, customers=4)
    with store.writing("shop") as unit:
        unit.problems.put(replace(problem, **changes))


def an_alert(store: Store, id: str, at: datetime, kind: Any = "recurrence", **changes: Any) -> None:
    words = {"zh": f"{id} 的依据", "en": f"evidence of {id}"}
    alert = Alert(id, kind, "open", at, "p1", Evidence(3, 0.5, 60, 3, None, words))
    with store.writing("shop") as unit:
        unit.alerts.put(replace(alert, **changes), [])


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html_of(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def test_a_digest_tells_what_happened_and_how_things_stand(store: Store, at: FixedClock) -> None:
    a_problem(store, "p1", NINE - 30 * DAY)
    a_problem(store, "p2", NINE - 3 * HOUR)
    a_problem(store, "p3", NINE - 30 * DAY, state="resolved", resolved_at=NINE - 2 * HOUR)
    an_alert(store, "a1", NINE - HOUR)
    an_alert(store, "a2", NINE - HOUR, "regression")
    with store.writing("shop") as unit:
        title = {"zh": "补一篇文档", "en": "Write a document"}
        unit.proposals.put(Proposal("prop_1", "document", "open", NINE - HOUR, title, {}, "draft"))
        gap = ToldGap("gap_1", None, {"en": "The invoice"}, (), (), NINE - HOUR, (), None)
        unit.gaps.put(gap)
        unit.webhooks.put(Webhook("team", "https://x.example", (), (WebhookSecret("w"),), NINE))
    kept = Kept()
    assert digests(store, at, kept).look("shop") == 1
    (message,) = kept.mails
    assert message["Subject"] == (
        "[shop] Digest of 2026-06-18: 1 back, 1 recurring, 1 new, 1 resolved, 1 proposed, 1 gaps"
    )
    assert (message["To"], message["From"]) == (TEAM, SENDER)
    for shown in (text_of(message), html_of(message)):
        for words in ("Problem p1", "evidence of a1", "evidence of a2", "Problem p2", "Problem p3"):
            assert words in shown
        for words in ("Write a document", "The invoice", "Alerts still open: 2", "need a look: 5"):
            assert words in shown
    assert "2026-06-17 09:00 to 2026-06-18 09:00" in text_of(message), "in the shop's own time"


def test_a_preview_holds_what_the_next_digest_will_and_sends_nothing(store: Store, at: FixedClock) -> None:
    a_problem(store, "p1", NINE - 30 * DAY)
    an_alert(store, "a1", NINE - 2 * HOUR)
    kept = Kept()
    made = digests(store, at, kept)
    at.now = NINE - HOUR
    before = made.preview("shop", "en")
    assert (before.due_at, before.addresses, before.mailed) == (NINE, 1, True)
    assert before.digest is not None
    told = [(item.key, entry.name, entry.detail) for item in before.digest.sections for entry in item.entries]
    assert told == [("recurrence", "Problem p1", "evidence of a1")]
    assert "问题 p1" in str(made.preview("shop", "zh").digest)
    assert kept.mails == []
    at.now = NINE
    assert made.preview("shop", "en").due_at == NINE
    assert made.look("shop") == 1
    after = made.preview("shop", "en")
    assert (after.digest, after.due_at) == (None, NINE + DAY), "it was told, and the next is tomorrow's"
    assert not digests(store, at, None).preview("shop", "en").mailed


def test_it_is_written_in_the_shops_language(store: Store, at: FixedClock) -> None:
    with store.writing("shop") as unit:
        unit.rules.put(Rules(digest_to=(TEAM,)))
    a_problem(store, "p1", NINE - 30 * DAY)
    an_alert(store, "a1", NINE - HOUR)
    kept = Kept()
    digests(store, at, kept).look("shop")
    (message,) = kept.mails
    assert message["Subject"] == "[shop] 2026-06-18 日报：反复出现 1"
    assert "问题 p1：a1 的依据" in text_of(message)


def test_a_day_on_which_nothing_happened_brings_no_mail(store: Store, at: FixedClock) -> None:
    a_problem(store, "p1", NINE - 30 * DAY)
    an_alert(store, "a1", NINE - 3 * DAY)
    kept = Kept()
    for _ in range(3):
        assert digests(store, at, kept).look("shop") == 0
        at.now += DAY
    assert kept.mails == []


def test_it_comes_once_a_day_at_the_shops_hour(store: Store, at: FixedClock) -> None:
    a_problem(store, "p1", NINE - 30 * DAY)
    an_alert(store, "a1", NINE - 2 * HOUR)
    kept = Kept()
    at.now = NINE - timedelta(minutes=1)
    assert digests(store, at, kept).look("shop") == 0, "not yet"
    at.now = NINE
    assert digests(store, at, kept).look("shop") == 1
    an_alert(store, "a2", NINE + HOUR, "burst")
    at.now = NINE + 2 * HOUR
    assert digests(store, at, kept).look("shop") == 0, "another process, the same day"
    at.now = NINE + DAY
    assert digests(store, at, kept).look("shop") == 1
    assert "a2" in text_of(kept.mails[1])
    assert "a1" not in text_of(kept.mails[1]), "told the day before"


def test_what_was_recorded_late_is_told_in_the_next_one(store: Store, at: FixedClock) -> None:
    a_problem(store, "p1", NINE - 30 * DAY)
    an_alert(store, "a1", NINE - 2 * HOUR)
    kept = Kept()
    digests(store, at, kept).look("shop")
    an_alert(store, "late", NINE - HOUR)
    at.now = NINE + DAY
    assert digests(store, at, kept).look("shop") == 1
    assert "late" in text_of(kept.mails[1])


def test_a_webhook_that_was_disabled_is_told(store: Store, at: FixedClock) -> None:
    with store.writing("shop") as unit:
        unit.webhooks.put(Webhook("team", "https://x.example", (), (WebhookSecret("w"),), NINE))
        unit.outbox.add("alert.opened", {}, NINE, ["team"])
    worker = store.outbox_worker()
    (claim,) = worker.due(at.now)
    with store.writing("shop") as unit:
        unit.outbox.give_up(claim, 410, "answered 410")
        unit.webhooks.disable("team", "the endpoint answered 410 Gone")
    at.now += timedelta(minutes=1)
    kept = Kept()
    assert digests(store, at, kept).look("shop") == 1
    assert "1 webhooks disabled" in kept.mails[0]["Subject"]
    assert "answered 410 Gone" in text_of(kept.mails[0])


def test_without_a_mail_server_it_is_said_once_and_nothing_breaks(
    store: Store, at: FixedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    a_problem(store, "p1", NINE - 30 * DAY)
    an_alert(store, "a1", NINE - HOUR)
    quiet = digests(store, at, None)
    for _ in range(3):
        assert quiet.look("shop") == 0
    assert capsys.readouterr().out.count("digest_without_mail") == 1


# --- at least once


def test_a_retry_keeps_the_message_and_its_id(store: Store, at: FixedClock) -> None:
    a_problem(store, "p1", NINE - 30 * DAY)
    an_alert(store, "a1", NINE - HOUR)
    with Mailbox(["450 busy", "drop"]) as box:
        sending = digests(store, at, SmtpMail(box.url, SENDER))
        assert sending.look("shop") == 0, "refused"
        at.advance(seconds=7)
        assert sending.look("shop") == 0, "taken, but it was not heard"
        at.advance(minutes=7)
        assert sending.look("shop") == 1
        at.advance(days=0.5)
        assert sending.look("shop") == 0
    assert len(box.mails) == 2
    assert box.recipients == [[TEAM], [TEAM]]
    assert len({one["Message-ID"] for one in box.mails}) == 1
    assert len({one.as_string().partition("boundary")[0] for one in box.mails}) == 1
    with store.reading("shop") as unit:
        (done,) = unit.digests.page().items
    assert (done.state, done.attempt) == ("delivered", 3)


def test_an_end_after_sending_and_before_noting_it_sends_the_same_again(
    store: Store, at: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_problem(store, "p1", NINE - 30 * DAY)
    an_alert(store, "a1", NINE - HOUR)
    kept = Kept()
    sending = digests(store, at, kept)
    with monkeypatch.context() as ending, pytest.raises(RuntimeError):
        ending.setattr(sending, "_settle", lambda *_: (_ for _ in ()).throw(RuntimeError("the end")))
        sending.look("shop")
    assert sending.look("shop") == 0, "its lease lasts"
    at.advance(minutes=6)
    assert sending.look("shop") == 1
    assert len({one["Message-ID"] for one in kept.mails}) == 1
    assert len(kept.mails) == 2


def test_an_end_before_sending_loses_nothing(
    store: Store, at: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_problem(store, "p1", NINE - 30 * DAY)
    an_alert(store, "a1", NINE - HOUR)
    kept = Kept()
    for step in ("add", "claim"):
        with monkeypatch.context() as ending, pytest.raises(RuntimeError):
            ending.setattr(
                f"kb_service.store.digests.Digests.{step}",
                lambda *_: (_ for _ in ()).throw(RuntimeError("the end")),
            )
            digests(store, at, kept).look("shop")
    assert digests(store, at, kept).look("shop") == 1
    assert len(kept.mails) == 1


def test_one_address_that_is_refused_keeps_the_others_from_nothing(store: Store, at: FixedClock) -> None:
    with store.writing("shop") as unit:
        unit.rules.put(Rules(digest_to=("gone@shop.example", TEAM)))
    a_problem(store, "p1", NINE - 30 * DAY)
    an_alert(store, "a1", NINE - HOUR)
    with Mailbox(["550 no such user"]) as box:
        assert digests(store, at, SmtpMail(box.url, SENDER)).look("shop") == 1
    with store.reading("shop") as unit:
        states = {one.state: one.last_error for one in unit.digests.page().items}
    assert set(states) == {"pending", "delivered"}
    assert "550" in (states["pending"] or "")


def test_the_schedule_ends_and_that_is_in_the_audit_log(store: Store, at: FixedClock) -> None:
    a_problem(store, "p1", NINE - 30 * DAY)
    an_alert(store, "a1", NINE - HOUR)
    sending = digests(store, at, Kept(["no route"] * 99))
    for _ in SCHEDULE:
        sending.look("shop")
        at.advance(hours=1.2 * 24)
        with store.writing("shop") as unit:
            unit.jobs.claim("digest_mail", unit.now)
    with store.reading("shop") as unit:
        (lost,) = [one for one in unit.digests.page().items if one.state == "exhausted"]
        entries = [item for item in unit.audit.page().items if item.action == "digest.lost"]
    assert (lost.attempt, lost.last_error) == (len(SCHEDULE), "no route")
    assert [entry.object for entry in entries] == [lost.id]


def test_an_erased_name_is_not_sent_any_more(store: Store, at: FixedClock) -> None:
    a_problem(store, "p1", NINE - 30 * DAY)
    an_alert(store, "a1", NINE - HOUR)
    kept = Kept(["busy"])
    sending = digests(store, at, kept)
    sending.look("shop")
    a_problem(store, "p1", NINE - 30 * DAY, names={})
    at.advance(minutes=1)
    assert sending.look("shop") == 1
    assert "Problem p1" not in kept.mails[0].as_string()
    assert "(name erased)" in text_of(kept.mails[0])


# --- addresses, headers, texts


def test_texts_of_others_are_words_in_a_digest(store: Store, at: FixedClock) -> None:
    a_problem(store, "p1", NINE - 30 * DAY, names={"en": HOSTILE})
    an_alert(store, "a1", NINE - HOUR, evidence=Evidence(3, 0.5, 60, 3, None, {"en": HOSTILE}))
    kept = Kept()
    digests(store, at, kept).look("shop")
    (message,) = kept.mails
    assert message["Bcc"] is None
    shown = html_of(message)
    assert "<img" not in shown
    assert "&lt;img src=x&gt; &amp;" in shown
    for body in (shown, text_of(message)):
        assert "://" not in body
        assert "\nBcc" not in body
    for tag in ("<script", "<link", "<a ", "<img", "url(", 'src="', "href"):
        assert tag not in shown


@pytest.mark.parametrize(
    "address",
    [
        "a@b.c\r\nBcc: x@y.z",
        "a@b.c\nBcc: x@y.z",
        "a@b.c, d@e.f",
        "<a@b.c>",
        "Ann <a@b.c>",
        '"a b"@c.d',
        "a b@c.d",
        "a@b@c.d",
        "@b.c",
        "a@",
        "a",
        "",
        "a..b@c.d",
        ".a@c.d",
        "a@-b.c",
        "a@[127.0.0.1]",
        "名@例子.公司",
        "a@b.c ",
        "a\x00@b.c",
        "a@" + "b" * 64 + ".c",
        "a" * 65 + "@b.c",
    ],
)
def test_an_address_that_would_be_more_than_one_is_refused(address: str) -> None:
    assert not possible(address)


@pytest.mark.parametrize("address", ["a@b.c", "first.last+kb@mail.example.com", "x_1@sub-domain.example"])
def test_plain_addresses_are_taken(address: str) -> None:
    assert possible(address)


@pytest.mark.parametrize("field", ["address", "sender", "subject"])
def test_no_header_can_be_begun_by_another(store: Store, field: str) -> None:
    a_problem(store, "p1", NINE - 30 * DAY)
    content = {
        "since": NINE.isoformat(),
        "until": NINE.isoformat(),
        "sections": {},
        "standing": {},
        "told": [],
    }
    plain = StoredDigest("dig_1", "2026-06-18", TEAM, "en", content, "pending", 0, NINE, NINE, None, None)
    stored = replace(plain, address="a@b.c\r\nBcc: x@y.z") if field == "address" else plain
    sender = "kb@x.example\r\nBcc: x@y.z" if field == "sender" else SENDER
    with store.reading("shop") as unit:
        digest = put_into_words(unit, stored, zone("UTC"))
    if field == "subject":
        digest = replace(digest, subject="x\r\nBcc: x@y.z")
    with pytest.raises(ValueError, match=r"header|linefeed|carriage|newline|local-part|Invalid"):
        mail(stored, digest, "shop", sender)


# --- the way by SMTP


def a_mail() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = SENDER, TEAM
    message.set_content("hello")
    return message


def test_a_server_without_starttls_gets_nothing_unless_told(store: Store) -> None:
    with Mailbox() as box:
        (error,) = SmtpMail(f"smtp://user:s3cret@127.0.0.1:{box.port}", SENDER).deliver([a_mail()])
        assert "STARTTLS" in (error or "")
        assert "s3cret" not in (error or "")
        assert not [line for line in box.commands if line.upper().startswith("AUTH")]
        assert box.mails == []
        assert SmtpMail(box.url, SENDER).deliver([a_mail()]) == [None]


def test_a_password_never_goes_in_the_clear() -> None:
    with pytest.raises(InvalidRequest, match="KB_SMTP_URL"):
        SmtpMail("smtp://user:s3cret@mail.example.com?tls=none", SENDER)


@pytest.mark.parametrize(
    "url", ["smtp://", "http://mail.example.com", "smtp://user:s3cret@mail:99999", "smtp://[oops", "mail"]
)
def test_what_is_no_mail_server_is_told_without_its_password(url: str) -> None:
    with pytest.raises(InvalidRequest, match="KB_SMTP_URL") as refused:
        SmtpMail(url, SENDER)
    assert "s3cret" not in str(refused.value)


def test_a_sender_that_is_no_address_is_told() -> None:
    with pytest.raises(InvalidRequest, match="KB_MAIL_FROM"):
        SmtpMail("smtp://mail.example.com", "kb@x.example\r\nBcc: x@y.z")


def test_a_server_that_is_not_there_is_told_for_each_mail() -> None:
    by: Mail = SmtpMail("smtp://127.0.0.1:9?tls=none", SENDER)
    errors = by.deliver([a_mail(), a_mail()])
    assert len(errors) == 2
    assert all("Refused" in (error or "") for error in errors)
