"""What an upload's preview tells: files, their documents as they would be stored, and what of them is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from ingest.models import Document, Passage
from ingest.personal_data import PersonalData
from kb_service.models import Outcome
from kb_service.upload_tables import TableReading

Warning: TypeAlias = Literal["expired", "not_yet", "language", "twice", "personal", "masked"]


@dataclass(frozen=True, slots=True)
class NewFile:
    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """One document of a file. `key` names it among all of its upload; `standing` is what publishing it would do.

    `warnings` are what an editor should look at; `personal` counts what looks like personal data by kind: masked in
    a resolution, and as it stands in all else. `overtaken` says that another version stands than when the file was
    read, and `standing_text` what that one says; None where the document is gone.
    """

    key: str
    document: Document
    passages: tuple[Passage, ...]
    standing: Literal["new", "changed", "same"]
    version: int | None
    warnings: tuple[Warning, ...]
    personal: Mapping[PersonalData, int]
    overtaken: bool = False
    standing_text: str | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """A file, or one of its rows, that cannot be a document. `reason` is English, as the readers speak; `field` names
    the attribute at fault, where there is one."""

    external_id: str | None
    code: str
    field: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class FileView:
    """What became of one file: those of its documents that are on the page, and what of it could not be read.

    Of a table `columns` are those that may make the parts of a document for each row, and `reading` is how it is read.
    """

    number: int
    name: str
    size: int
    documents: tuple[FoundDocument, ...]
    refused: tuple[Unread, ...]
    columns: tuple[str, ...] = ()
    rows: int = 0
    reading: TableReading | None = None


@dataclass(frozen=True, slots=True)
class UploadPreview:
    id: str
    files: tuple[FileView, ...]
    ends_at: datetime
    count: int
    """Documents on all pages."""
    page: int
    pages: int
    edition: int
    """Rises whenever a table is read otherwise: what was looked at is what is published."""

    @property
    def documents(self) -> tuple[FoundDocument, ...]:
        return tuple(item for file in self.files for item in file.documents)


@dataclass(frozen=True, slots=True)
class PublishedUpload:
    """What became of the documents that were chosen; `overtaken` are those that somebody wrote since they were shown,
    of which nothing was written: they wait on."""

    outcomes: tuple[Outcome, ...]
    overtaken: tuple[str, ...]
