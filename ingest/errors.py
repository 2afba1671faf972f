"""What can go wrong between a file and its passages.

IngestError
├── UnreadableSource       the bytes cannot be turned into text
│   ├── UnsupportedFormat  no reader for this media type or extension
│   ├── CorruptSource      damaged, truncated, binary or wrongly encoded
│   ├── ProtectedSource    needs a password
│   ├── EmptySource        holds no text
│   └── SourceTooLarge     beyond a limit on size, expansion, memory or time
├── InvalidDocument        an attribute is missing, malformed or contradicts another
└── EncoderUnavailable     a model cannot be loaded
"""

from __future__ import annotations


class IngestError(Exception):
    """Base of this room's errors; the message names what was wrong and what would be right."""

    code = "ingest_error"


class UnreadableSource(IngestError):
    code = "unreadable_source"


class UnsupportedFormat(UnreadableSource):
    code = "unsupported_format"


class CorruptSource(UnreadableSource):
    code = "corrupt_source"


class ProtectedSource(UnreadableSource):
    code = "protected_source"


class EmptySource(UnreadableSource):
    code = "empty_source"


class SourceTooLarge(UnreadableSource):
    code = "source_too_large"


class InvalidDocument(IngestError):
    """`field` names the attribute at fault, as the wire spells it."""

    code = "invalid_document"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class EncoderUnavailable(IngestError):
    code = "encoder_unavailable"
