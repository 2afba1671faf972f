"""A digest as a mail: text and HTML that say the same, without anything to load."""

from __future__ import annotations

import hashlib
from datetime import UTC
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape

from kb_service.delivery.digest_content import Digest, Section
from kb_service.delivery.digest_words import COLON, FOOT, MORE, NOW, SECTIONS
from kb_service.delivery.formats import Language
from kb_service.store import StoredDigest

BODY = "font-family:sans-serif;font-size:14px;line-height:1.5;color:#1a1a1a;max-width:640px"
HEADING = "font-size:16px;margin:20px 0 6px"
FAINT = "color:#666666"


def mail(stored: StoredDigest, digest: Digest, workspace: str, sender: str) -> EmailMessage:
    """The mail of a stored digest. Its id is that of the workspace and the day: a repeat keeps it.

    Raises ValueError for an address or a sender that would start a header of its own.
    """
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = sender
    message["To"] = stored.address
    message["Subject"] = digest.subject
    message["Date"] = format_datetime(stored.created_at.astimezone(UTC))
    message["Message-ID"] = message_id(workspace, stored.day, sender)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_text(digest, stored.language))
    message.add_alternative(_html(digest, stored.language), subtype="html")
    return message


def message_id(workspace: str, day: str, sender: str) -> str:
    key = hashlib.blake2b(f"{workspace}\x1f{day}".encode(), digest_size=12).hexdigest()
    return f"<digest.{day}.{key}@{sender.rpartition('@')[2]}>"


def _text(digest: Digest, language: Language) -> str:
    lines = [digest.span, ""]
    for section in digest.sections:
        lines.append(_heading(section, language))
        lines += [
            f"- {entry.name}{COLON[language]}{entry.detail}" if entry.detail else f"- {entry.name}"
            for entry in section.entries
        ]
        if rest := _rest(section, language):
            lines.append(rest)
        lines.append("")
    lines.append(NOW[language])
    lines += [f"- {label}{COLON[language]}{count}" for label, count in digest.standing]
    return "\n".join([*lines, "", FOOT[language], ""])


def _html(digest: Digest, language: Language) -> str:
    parts = [f'<p style="{FAINT}">{escape(digest.span)}</p>']
    for section in digest.sections:
        parts.append(f'<h2 style="{HEADING}">{escape(_heading(section, language))}</h2><ul>')
        for entry in section.entries:
            detail = f'<br><span style="{FAINT}">{escape(entry.detail)}</span>' if entry.detail else ""
            parts.append(f"<li><strong>{escape(entry.name)}</strong>{detail}</li>")
        if rest := _rest(section, language):
            parts.append(f'<li style="{FAINT}">{escape(rest)}</li>')
        parts.append("</ul>")
    parts.append(f'<h2 style="{HEADING}">{escape(NOW[language])}</h2><ul>')
    parts += [f"<li>{escape(label)}{COLON[language]}{count}</li>" for label, count in digest.standing]
    parts.append(f'</ul><p style="{FAINT}">{escape(FOOT[language])}</p>')
    inside = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8">'
        f'<title>{escape(digest.subject)}</title></head>\n<body style="{BODY}">\n{inside}\n</body></html>\n'
    )


def _heading(section: Section, language: Language) -> str:
    return f"{SECTIONS[section.key][language]} ({section.count})"


def _rest(section: Section, language: Language) -> str:
    more = section.count - len(section.entries)
    return MORE[language].format(count=more) if more > 0 else ""
