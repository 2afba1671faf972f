"""The daily digest by mail: made once a day for each workspace, and sent at least once to each address."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.message import EmailMessage

from structlog.stdlib import get_logger

from graph.models import Rules
from kb_service.delivery.courier import JITTER, SCHEDULE
from kb_service.delivery.digest_content import gather, put_into_words
from kb_service.delivery.digest_mail import mail
from kb_service.delivery.smtp import Mail
from kb_service.rounds import WorkspaceRounds
from kb_service.store import Store, StoredDigest
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

Standing = Callable[[str], Mapping[str, int]]
"""Takes a workspace; how many documents contradict one another and need a look (`conflicts`, `stale`)."""


class Digests(WorkspaceRounds):
    """Looks each half minute whether a workspace's hour has come and whether a mail is to be sent, or sent again.

    Without `mail` it says so once in the log and does nothing.
    """

    def __init__(
        self,
        store: Store,
        mail: Mail | None,
        standing: Standing,
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
            since = unit.now - FIRST_SPAN if last is None else max(last, unit.now - LONGEST_SPAN)
            reach = since if last is None else since - OVERLAP
            earlier = {name for made in unit.digests.since(reach) for name in made.content["told"]}
            content = gather(unit, reach, unit.now, earlier, standing)
            if content is None:
                return False
            content["since"] = since.isoformat()
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


def _due(rules: Rules, last: datetime | None, now: datetime) -> bool:
    """Whether the hour of this day has come, by the shop's calendar, and nobody has looked today."""
    here = zone(rules.timezone)
    today = now.astimezone(here)
    return today.hour >= rules.digest_hour and (last is None or last.astimezone(here).date() < today.date())
