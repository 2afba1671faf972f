"""The daily digest by mail: made once a day for each workspace, and sent at least once to each address."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

from structlog.stdlib import get_logger

from graph.rules import Rules
from kb_service.delivery.courier import JITTER, SCHEDULE
from kb_service.delivery.digest_content import Digest, gather, put_into_words
from kb_service.delivery.digest_mail import mail
from kb_service.delivery.formats import Language
from kb_service.delivery.smtp import Mail
from kb_service.rounds import WorkspaceRounds
from kb_service.store import Store, StoredDigest, Unit
from kb_service.timezones import zone

log = get_logger(__name__)

ROUND_SECONDS = 30.0
JOB = "digest_mail"
ACTOR = "digest"
FIRST_SPAN = timedelta(hours=24)
LONGEST_SPAN = timedelta(days=31)
"""After a longer pause a digest does not go further back."""
OVERLAP = timedelta(hours=24)
"""How much later than it happened something may have been recorded, to be told in the next digest all the same."""
TOGETHER = 10
"""Mails of a workspace in one round; the others follow in the next."""

LibraryCounts = Callable[[str], Mapping[str, int]]
"""Takes a workspace; how many documents contradict one another and need a look (`conflicts`, `stale`)."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What the next digest would hold as things are, None where nothing happened yet; when it is made, to how many
    addresses it goes, and whether there is a mail server at all."""

    digest: Digest | None
    due_at: datetime
    addresses: int
    mailed: bool


class Digests(WorkspaceRounds):
    """Looks each half minute whether a workspace's hour has come and whether a mail is to be sent, or sent again.

    Without `mail` it says so once in the log and does nothing.
    """

    def __init__(
        self,
        store: Store,
        mail: Mail | None,
        standing: LibraryCounts,
        *,
        clock: Callable[[], datetime],
        chance: random.Random,
    ) -> None:
        super().__init__("digests", store, seconds=ROUND_SECONDS)
        self._mail = mail
        self._standing = standing
        self._clock = clock
        self._chance = chance
        self._said = False

    def look(self, workspace: str) -> int:
        """Make the day's digest where it is due, and send what waits; how many mails were handed over."""
        with self._store.reading(workspace) as unit:
            rules, last, waiting = unit.rules.get(), unit.jobs.last(JOB), unit.digests.due()
        if self._mail is None:
            self._say_once(workspace, rules)
            return 0
        if rules.digest_to and _due(rules, last, self._clock()):
            waiting = self._make(workspace) or waiting
        return self._send(workspace, self._mail) if waiting else 0

    def preview(self, workspace: str, language: Language) -> Preview:
        """The next digest as it would be now, in a language; without the counts of documents, which take long."""
        now = self._clock()
        with self._store.reading(workspace) as unit:
            rules, last = unit.rules.get(), unit.jobs.last(JOB)
            here = zone(rules.timezone)
            content = _content(unit, last, now, {})
            day = now.astimezone(here).date().isoformat()
            made = StoredDigest("", day, "", language, content or {}, "pending", 0, now, None, None, None)
            digest = put_into_words(unit, made, here) if content is not None else None
        return Preview(digest, _next(rules, last, now), len(rules.digest_to), self._mail is not None)

    def _say_once(self, workspace: str, rules: Rules) -> None:
        if rules.digest_to and not self._said:
            self._said = True
            log.warning("digest_without_mail", workspace=workspace, remedy="set KB_SMTP_URL and KB_MAIL_FROM")

    def _make(self, workspace: str) -> bool:
        """Put the day's digest in line, unless another process was first or nothing happened; whether it was."""
        standing = self._counted(workspace)
        with self._store.writing(workspace) as unit:
            rules, last = unit.rules.get(), unit.jobs.last(JOB)
            here = unit.now.astimezone(zone(rules.timezone))
            if not unit.jobs.claim(JOB, here.replace(hour=0, minute=0, second=0, microsecond=0)):
                return False
            content = _content(unit, last, unit.now, standing)
            if content is None:
                return False
            unit.digests.add(here.date().isoformat(), rules.digest_to, rules.digest_language, content)
        log.info("digest_made", workspace=workspace, addresses=len(rules.digest_to))
        return True

    def _counted(self, workspace: str) -> Mapping[str, int]:
        """What stands open among the documents; nothing is said of it when that cannot be told now."""
        try:
            return self._standing(workspace)
        except Exception as error:
            log.error("digest_uncounted", workspace=workspace, exc_info=error)
            return {}

    def _send(self, workspace: str, by: Mail) -> int:
        with self._store.writing(workspace) as unit:
            claimed = unit.digests.claim(TOGETHER)
        if not claimed:
            return 0
        written: list[tuple[StoredDigest, EmailMessage]] = []
        for item in claimed:
            try:
                written.append((item, self._written(workspace, item, by.sender)))
            except ValueError as error:  # a header that it would not do to send
                self._settle(workspace, item, str(error))
        errors = by.deliver([message for _, message in written])
        for (item, _), refused in zip(written, errors, strict=True):
            self._settle(workspace, item, refused)
        return errors.count(None)

    def _written(self, workspace: str, item: StoredDigest, sender: str) -> EmailMessage:
        with self._store.reading(workspace) as unit:
            here = zone(unit.rules.get().timezone)
            return mail(item, put_into_words(unit, item, here), workspace, sender)

    def _settle(self, workspace: str, item: StoredDigest, error: str | None) -> None:
        attempt = item.attempt + 1
        with self._store.writing(workspace) as unit:
            if error is None:
                outcome, kept = "delivered", unit.digests.finish(item, "delivered")
            elif attempt >= len(SCHEDULE):
                outcome, kept = "exhausted", unit.digests.finish(item, "exhausted", error=error)
                if kept:
                    detail = {"day": item.day, "error": error, "attempts": attempt}
                    unit.audit.append(ACTOR, "digest.lost", item.id, detail)
            else:
                wait = SCHEDULE[attempt] * (1 + JITTER * self._chance.random())
                outcome = "failed"
                kept = unit.digests.finish(item, "pending", next_at=unit.now + wait, error=error)
        log.info(
            "digest",
            workspace=workspace,
            digest=item.id,
            outcome=outcome if kept else "lease_lost",
            attempt=attempt,
            error=error,
        )


def _content(
    unit: Unit, last: datetime | None, now: datetime, standing: Mapping[str, int]
) -> dict[str, Any] | None:
    """What a digest made now would tell; `last` is when one was made. None where nothing happened."""
    since = now - FIRST_SPAN if last is None else max(last, now - LONGEST_SPAN)
    reach = since if last is None else since - OVERLAP
    earlier = {name for made in unit.digests.since(reach) for name in made.content["told"]}
    content = gather(unit, reach, now, earlier, standing)
    return None if content is None else {**content, "since": since.isoformat()}


def _next(rules: Rules, last: datetime | None, now: datetime) -> datetime:
    """When the next digest is made: now where it is due."""
    if _due(rules, last, now):
        return now
    here = now.astimezone(zone(rules.timezone))
    ahead = timedelta(days=1 if here.hour >= rules.digest_hour else 0)
    day = here.replace(hour=rules.digest_hour, minute=0, second=0, microsecond=0, tzinfo=None) + ahead
    return day.replace(tzinfo=zone(rules.timezone))


def _due(rules: Rules, last: datetime | None, now: datetime) -> bool:
    """Whether the hour of this day has come, by the shop's calendar, and nobody has looked today."""
    here = zone(rules.timezone)
    today = now.astimezone(here)
    return today.hour >= rules.digest_hour and (last is None or last.astimezone(here).date() < today.date())
