"""Why people decide what they decide of problems and proposals, as the audit keeps it."""

from __future__ import annotations

from kb_service.understanding.question_reading import masked_text


def noted(note: str | None) -> dict[str, str]:
    """A note as part of an audit entry's detail, with personal data masked; nothing where there is none."""
    return {"note": masked_text(note)} if note and note.strip() else {}
