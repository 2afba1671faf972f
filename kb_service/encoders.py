"""Which encoder serves: the one that the settings name, and for the packaged one which lexicon it reads Chinese with.

A lexicon of the shop's own, built or adapted, lies in `KB_DATA/encoder/<digest>.npz`. `current.json` beside them lists
those that were taken up, the last of them in force; it is swapped as a whole, after the lexicon was written, so that a
start finds either the one before or the new one. Where it lists none the shipped lexicon is in force.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.embedding import Embedder, Treatment, load_embedder
from kb_service.errors import NotFound, ServiceError
from kb_service.settings import Settings

if TYPE_CHECKING:
    from ingest.lexicon import Lexicon

BILINGUAL = "packaged"
ENGLISH = "packaged-en"
FOLDER = "encoder"
CURRENT = "current.json"


@dataclass(frozen=True, slots=True)
class Taken:
    """A lexicon that was taken up: its digest, how it came about (`built`, `adapted`), when, and its figures."""

    digest: str
    origin: str
    at: str
    figures: Mapping[str, Any]


class Lexicons:
    """The lexicons of one data folder."""

    def __init__(self, data: Path) -> None:
        self._folder = data / FOLDER

    def history(self) -> tuple[Taken, ...]:
        """Those that were taken up and not taken back, the one in force last. Raises ServiceError when damaged."""
        file = self._folder / CURRENT
        try:
            return tuple(Taken(**item) for item in json.loads(file.read_text(encoding="utf-8"))["taken"])
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ServiceError(
                "{file} cannot be read: {reason}; remove it to go back to the shipped lexicon",
                file=str(file),
                reason=str(error),
            ) from error

    def file(self) -> Path | None:
        """The lexicon in force; None when it is the shipped one."""
        history = self.history()
        return self._path(history[-1]) if history else None

    def take(self, lexicon: Lexicon, origin: str, at: datetime, figures: Mapping[str, Any]) -> Taken:
        """Write a lexicon and bring it into force: the next start reads with it."""
        taken = Taken(lexicon.digest, origin, at.isoformat(timespec="seconds"), figures)
        self._folder.mkdir(parents=True, exist_ok=True)
        lexicon.save(self._path(taken))
        earlier = [held for held in self.history() if held.digest != taken.digest]
        self._put((*earlier, taken))
        return taken

    def roll_back(self) -> Taken | None:
        """Bring the lexicon before back into force; None when that is the shipped one. The file taken back stays.

        Raises NotFound when the shipped one is in force already.
        """
        history = self.history()
        if not history:
            raise NotFound("The shipped lexicon is in force; there is none before it.")
        self._put(history[:-1])
        return history[-2] if len(history) > 1 else None

    def _path(self, taken: Taken) -> Path:
        return self._folder / f"{taken.digest}.npz"

    def _put(self, history: tuple[Taken, ...]) -> None:
        temporary = self._folder / f".{CURRENT}.{os.getpid()}.tmp"
        with temporary.open("w", encoding="utf-8") as file:
            json.dump({"taken": [asdict(item) for item in history]}, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._folder / CURRENT)


def open_encoder(settings: Settings) -> Embedder:
    """The encoder that serves. Raises EncoderUnavailable with what to do."""
    named = settings.embedding_languages
    return load_embedder(
        settings.embedding_model,
        threads=settings.encoder_threads,
        lexicon_file=Lexicons(settings.data).file() if settings.embedding_model == BILINGUAL else None,
        treatment=Treatment(
            query_prefix=settings.embedding_query_prefix,
            passage_prefix=settings.embedding_passage_prefix,
            pooling=settings.embedding_pooling,
            reads=frozenset(code.strip() for code in named.split(",")) if named else None,
        ),
    )


def open_english(settings: Settings) -> Embedder:
    """The English encoder that lexicons are made for."""
    return load_embedder(ENGLISH, threads=settings.encoder_threads)
