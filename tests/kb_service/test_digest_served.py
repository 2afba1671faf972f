"""The daily digest of a whole application, to a mail server on loopback."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from kb_service.settings import Settings, origins
from tests.conftest import FixedClock
from tests.kb_service.conftest import running
from tests.kb_service.delivery.mailbox import Mailbox

TEAM = "team@shop.example"


def test_what_recurred_today_is_in_tomorrows_mail(tmp_path: Path, clock: FixedClock) -> None:
    with Mailbox() as box:
        mail = {"smtp_url": box.url, "mail_from": "kb@shop.example"}
        with running(tmp_path / "data", clock, **mail) as api:
            assert api.put("/v1/rules", {"digest_to": [TEAM], "digest_language": "en"}).status_code == 200
            assert api.recurring()["alerts"]
            clock.now = datetime(2026, 6, 19, 1, 5, tzinfo=UTC)  # five past nine in Shanghai
            assert api.services.digests.look("shop") == 1
            assert api.services.digests.look("shop") == 0
            assert api.services.digests.look("other") == 0
    (message,) = box.mails
    assert box.recipients == [[TEAM]]
    assert "1 recurring" in message["Subject"]
    body = message.get_body(("plain",))
    assert body is not None
    assert "Documents that need a look: 0" in body.get_content()


def test_without_a_mail_server_the_service_runs(tmp_path: Path, clock: FixedClock) -> None:
    with running(tmp_path / "data", clock) as api:
        api.put("/v1/rules", {"digest_to": [TEAM]})
        api.recurring()
        clock.advance(days=1)
        assert api.services.digests.look("shop") == 0


def test_the_password_of_the_mail_server_is_not_shown() -> None:
    shown = str(origins(Settings(smtp_url="smtp://user:s3cret@mail.example.com:587")))
    assert "mail.example.com" in shown
    assert "s3cret" not in shown
