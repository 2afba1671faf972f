"""Files and folders to documents: what changed since they were read is read again, what is gone is removed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ingest.collections import SourceFile, Walk, walk
from ingest.documents import compose
from ingest.errors import IngestError
from ingest.models import Document
from ingest.readers.results import ReadResult
from ingest.sandbox import ParserPool
from kb_service.errors import InvalidRequest
from kb_service.models import DocumentStatus, FileProblem, IngestReport, Outcome, Progress, Refused
from kb_service.store import Store, Unit

AHEAD = 4
"""Files read while earlier ones are embedded."""
STRETCH = 30_000
"""Characters of several files' documents that are embedded and committed together."""
MOST_FILES = 64
WRITERS = 3
"""Stretches on their way into the store at once: two are embedded, so that no core waits for the end of the other's
last texts, and one is committed."""


class Commit(Protocol):
    """Writes checked documents; `finish` runs inside the last transaction. See `Knowledge.commit`."""

    def __call__(
        self,
        workspace: str,
        checked: Sequence[Document | Refused],
        *,
        actor: str,
        sources: Mapping[str, str] = ...,
        finish: Callable[[Unit, Sequence[Outcome]], None] | None = None,
    ) -> list[Outcome]: ...


@dataclass(slots=True)
class _Tally:
    """What has become of the files so far."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    passages: int = 0
    removed: int = 0
    problems: list[FileProblem] = field(default_factory=list)

    def count(self, file: SourceFile, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Refused):
                self.problems.append(_problem(file, outcome))
                continue
            setattr(self, outcome.status, getattr(self, outcome.status) + 1)
            if outcome.status != "unchanged":
                self.passages += outcome.passages


@dataclass(frozen=True, slots=True)
class _CheckedFile:
    """A file with its documents, each valid and of an id of its own, or with what is wrong with it."""

    file: SourceFile
    checked: list[Document | Refused] | Refused


class FileIngest:
    """Brings a workspace in line with files. A file's entry is written with the last of its documents."""

    def __init__(self, store: Store, parsers: ParserPool, commit: Commit) -> None:
        self._store = store
        self._parsers = parsers
        self._commit = commit

    def ingest(
        self, workspace: str, paths: Sequence[Path], *, progress: Progress | None = None
    ) -> IngestReport:
        """Read what changed, remove what is gone.

        Unchanged files are not read again; documents of files that are gone are removed; what cannot be
        read is reported and stops nothing.
        """
        found = walk(paths)
        tally = _Tally()
        tally.problems += [
            FileProblem(str(item.path), item.error.code, str(item.error)) for item in found.problems
        ]
        known = self._known(workspace, found.files)
        # Before anything is read: a new file must not take over the ids of an unchanged one.
        seen = {external_id: file.name for file in found.files for external_id in known.get(file.path, ())}
        tally.unchanged = sum(len(held) for held in known.values())
        changed = [file for file in found.files if file.path not in known]
        checked = (_checked(file, read, seen) for file, read in self._read_ahead(changed))
        for number, (file, outcomes) in enumerate(self._write_behind(workspace, checked, tally), len(known)):
            tally.count(file, outcomes)
            if progress is not None:
                progress(number, len(found.files), file.name)
        tally.removed += self._remove_gone(workspace, found)
        if progress is not None:
            progress(len(found.files), len(found.files), "")
        return IngestReport(
            created=tally.created,
            updated=tally.updated,
            unchanged=tally.unchanged,
            removed=tally.removed,
            files=len(found.files),
            files_unchanged=len(known),
            passages=tally.passages,
            problems=tuple(tally.problems),
        )

    def _known(self, workspace: str, files: Sequence[SourceFile]) -> dict[Path, tuple[str, ...]]:
        """The documents of the files whose content and options have not changed since they were read."""
        with self._store.reading(workspace) as unit:
            sources = {file.path: unit.sources.get(str(file.path)) for file in files}
        return {
            file.path: source.external_ids
            for file in files
            if (source := sources[file.path]) is not None and source.digest == file.digest
        }

    def _read_ahead(self, files: Sequence[SourceFile]) -> Iterator[tuple[SourceFile, ReadResult | Refused]]:
        """Each file with what its parser found; a few files are parsed while the caller embeds."""
        with ThreadPoolExecutor(1, thread_name_prefix="reading") as thread:
            waiting: deque[tuple[SourceFile, Future[ReadResult | Refused]]] = deque()
            try:
                for file in files:
                    waiting.append((file, thread.submit(self._read, file)))
                    if len(waiting) > AHEAD:
                        first, future = waiting.popleft()
                        yield first, future.result()
                while waiting:
                    first, future = waiting.popleft()
                    yield first, future.result()
            finally:
                for _, future in waiting:
                    future.cancel()

    def _read(self, file: SourceFile) -> ReadResult | Refused:
        try:
            return self._parsers.read(file.name, file.path.read_bytes(), options=file.options)
        except IngestError as error:
            return Refused(None, error)
        except OSError as error:
            fault = InvalidRequest.of(file.name, "cannot be read: {reason}", reason=error.strerror)
            return Refused(None, fault)

    def _write_behind(
        self, workspace: str, files: Iterator[_CheckedFile], tally: _Tally
    ) -> Iterator[tuple[SourceFile, Sequence[Outcome]]]:
        """Each file with what became of its documents; some are embedded while others wait for the disk."""
        with ThreadPoolExecutor(WRITERS, thread_name_prefix="writing") as threads:
            waiting: deque[Future[list[tuple[SourceFile, Sequence[Outcome]]]]] = deque()
            for stretch in _stretches(files):
                waiting.append(threads.submit(self._write, workspace, stretch, tally))
                if len(waiting) > WRITERS:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()

    def _write(
        self, workspace: str, stretch: Sequence[_CheckedFile], tally: _Tally
    ) -> list[tuple[SourceFile, Sequence[Outcome]]]:
        """Embed and commit the documents of some files together, and remember the files with them."""
        held = [(item.file, item.checked) for item in stretch if not isinstance(item.checked, Refused)]
        sources = {
            document.external_id: str(file.path)
            for file, checked in held
            for document in checked
            if isinstance(document, Document)
        }
        found: list[tuple[SourceFile, Sequence[Outcome]]] = [
            (item.file, [item.checked]) for item in stretch if isinstance(item.checked, Refused)
        ]

        def remember(unit: Unit, outcomes: Sequence[Outcome]) -> None:
            rest = iter(outcomes)
            for file, checked in held:
                own = [next(rest) for _ in checked]
                tally.removed += _remember(unit, file, own)
                found.append((file, own))

        together = [document for _, checked in held for document in checked]
        self._commit(workspace, together, actor="ingest", sources=sources, finish=remember)
        return found

    def _remove_gone(self, workspace: str, found: Walk) -> int:
        """Remove the documents of files that are gone; a file that cannot be read now is not gone."""
        removed = 0
        with self._store.writing(workspace) as unit:
            gone = [
                source
                for root in found.roots
                for source in unit.sources.under(str(root))
                if not found.holds(Path(source.path))
            ]
            for source in gone:
                removed += _remove_of(unit, source.path, source.external_ids)
                unit.sources.remove(source.path)
        return removed


def _checked(file: SourceFile, read: ReadResult | Refused, seen: dict[str, str]) -> _CheckedFile:
    if isinstance(read, Refused):
        return _CheckedFile(file, read)
    checked: list[Document | Refused] = [Refused(None, problem.error) for problem in read.problems]
    for extract in read.extracts:
        attributes = file.combine(extract)
        try:
            document = compose(extract, attributes, timezone=file.timezone)
        except IngestError as error:
            checked.append(Refused(str(attributes.get("external_id", "")) or None, error))
        else:
            checked.append(_unless_seen(document, seen, file.name))
    return _CheckedFile(file, checked)


def _stretches(files: Iterator[_CheckedFile]) -> Iterator[list[_CheckedFile]]:
    """Runs of files with enough text to embed in even batches, and few enough to lose little to a crash."""
    stretch: list[_CheckedFile] = []
    characters = 0
    for item in files:
        stretch.append(item)
        if isinstance(item.checked, list):
            characters += sum(len(part.text) for part in item.checked if isinstance(part, Document))
        if characters >= STRETCH or len(stretch) == MOST_FILES:
            yield stretch
            stretch, characters = [], 0
    if stretch:
        yield stretch


def _remember(unit: Unit, file: SourceFile, outcomes: Sequence[Outcome]) -> int:
    """Record the file as read, and remove documents that it held before and holds no more; how many those were."""
    held = tuple(item.external_id for item in outcomes if isinstance(item, DocumentStatus))
    failed = any(isinstance(item, Refused) for item in outcomes)
    before = unit.sources.get(str(file.path))
    gone = [name for name in (before.external_ids if before else ()) if name not in held]
    removed = 0 if failed else _remove_of(unit, str(file.path), gone)
    # A file with problems is read again next time, so that they are reported until they are mended;
    # what it held before stays its own until then.
    kept = (*held, *gone) if failed else held
    unit.sources.put(str(file.path), "" if failed else file.digest, kept)
    return removed


def _unless_seen(item: Document, seen: dict[str, str], name: str) -> Document | Refused:
    if item.external_id in seen:
        return Refused(
            item.external_id,
            InvalidRequest.of(
                "external_id",
                "{id} is already used by {other}; give each document an id of its own",
                id=item.external_id,
                other=seen[item.external_id],
            ),
        )
    seen[item.external_id] = name
    return item


def _remove_of(unit: Unit, path: str, external_ids: Sequence[str]) -> int:
    """Remove those documents that still come from this file; how many that were."""
    removed = 0
    for external_id in external_ids:
        head = unit.documents.head(external_id)
        if head is not None and head.source == path:
            unit.documents.remove(external_id)
            unit.audit.append("ingest", "document.removed", external_id, {})
            removed += 1
    return removed


def _problem(file: SourceFile, refused: Refused) -> FileProblem:
    where = f"{file.name} ({refused.external_id})" if refused.external_id else file.name
    return FileProblem(where, refused.error.code, str(refused.error))
