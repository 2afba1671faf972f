"""Mail by SMTP, over TLS unless the operator says that a relay has none."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from kb_service.delivery.formats.plain import one_line
from kb_service.errors import InvalidRequest
from kb_service.mail_addresses import possible

TIMEOUT_SECONDS = 15.0
LONGEST_ERROR = 300


class Mail(Protocol):
    """Where digests are handed over."""

    @property
    def sender(self) -> str: ...

    def deliver(self, mails: Sequence[EmailMessage]) -> list[str | None]:
        """Hands over each mail; why it was not taken, None where it was. Never raises for what a server does."""


class SmtpMail:
    """One connection for each call. The server is the operator's own choice, and may be a private one.

    `url` is `smtp://user:password@host:587` (with STARTTLS; a server that does not offer it is not used),
    `smtps://host:465`, or `smtp://host:25?tls=none`. Raises InvalidRequest for what is not one, for a sender that is no
    address, and for a user without TLS: the password would go in the clear.
    """

    def __init__(self, url: str, sender: str) -> None:
        parts, port = _parsed(url)
        if not possible(sender):
            raise InvalidRequest.of("KB_MAIL_FROM", "must be a mail address, such as team@example.com")
        self.sender = sender
        self._host = parts.hostname or ""
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._wrapped = parts.scheme == "smtps"
        self._plain = parse_qs(parts.query).get("tls") == ["none"] and not self._wrapped
        self._port = port or (465 if self._wrapped else 25 if self._plain else 587)
        if self._user and self._plain:
            raise InvalidRequest.of("KB_SMTP_URL", "must not name a user together with tls=none")

    def deliver(self, mails: Sequence[EmailMessage]) -> list[str | None]:
        try:
            server = self._connected()
        except (OSError, smtplib.SMTPException) as error:
            return [self._told(error)] * len(mails)
        try:
            return [self._handed_over(server, mail) for mail in mails]
        finally:
            _leave(server)

    def _connected(self) -> smtplib.SMTP:
        name = self.sender.rpartition("@")[2]
        context = ssl.create_default_context()
        if self._wrapped:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, local_hostname=name, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(self._host, self._port, local_hostname=name, timeout=TIMEOUT_SECONDS)
        try:
            if not self._wrapped and not self._plain:
                server.starttls(context=context)
            if self._user:
                server.login(self._user, self._password)
        except BaseException:
            server.close()
            raise
        return server

    def _handed_over(self, server: smtplib.SMTP, mail: EmailMessage) -> str | None:
        try:
            server.send_message(mail, from_addr=self.sender, to_addrs=[str(mail["To"])])
        except (OSError, smtplib.SMTPException) as error:
            return self._told(error)
        return None

    def _told(self, error: Exception) -> str:
        text = f"{type(error).__name__}: {error}"
        return one_line(text.replace(self._password, "***") if self._password else text, LONGEST_ERROR)


def _parsed(url: str) -> tuple[SplitResult, int | None]:
    """The parts of a server's URL, and its port. The URL is not repeated in what is raised: it holds a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise InvalidRequest.of(
            "KB_SMTP_URL", "must be a mail server, such as smtp://user:password@mail.example.com:587"
        )
    return parts, port


def _leave(server: smtplib.SMTP) -> None:
    """What was taken stays taken, however the parting goes."""
    try:
        server.quit()
    except (OSError, smtplib.SMTPException):
        server.close()
