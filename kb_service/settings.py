"""Every setting of the service: `KB_*` variables over `kb.toml` over the defaults here."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from kb_service.errors import ServiceError

SECRETS = frozenset({"database_url", "rephrase_key", "smtp_url"})
"""Settings whose value is repeated in no message."""


def _lowered(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class Settings(BaseSettings):
    """Frozen once read; `kb settings` prints each with its origin."""

    model_config = SettingsConfigDict(
        env_prefix="KB_", toml_file="kb.toml", frozen=True, extra="forbid", validate_default=True
    )

    data: Path = Field(Path("kb-data"), description="The data folder: the SQLite store and derived indexes.")
    database_url: str | None = Field(
        None,
        description="The store, such as postgresql://user@host/kb; SQLite in the data folder when unset.",
    )
    embedding_model: str = Field(
        "packaged",
        min_length=1,
        description="`packaged`, `packaged-en`, the path of a sentence-transformers model, its hub name, or "
        "`word-hash`.",
    )
    embedding_query_prefix: str | None = Field(
        None,
        description="What a model by path or hub name wants before a question; its own choice when unset.",
    )
    embedding_passage_prefix: str | None = Field(
        None, description="What such a model wants before a passage; its own choice when unset."
    )
    embedding_pooling: Annotated[
        Literal["mean", "cls", "max", "lasttoken"] | None, BeforeValidator(_lowered)
    ] = Field(None, description="How such a model makes one vector of a text; its own way when unset.")
    embedding_languages: str | None = Field(
        None,
        pattern=r"^\s*[a-z]{2}\s*(,\s*[a-z]{2}\s*)*$",
        description="Languages that such a model reads well, such as zh,en; those it is known for when unset.",
    )
    encoder_threads: int = Field(0, ge=0, description="Threads of the encoder; 0 chooses by the cores.")
    reranker: str = Field(
        "",
        description="A cross-encoder that reads the first documents of a search beside the question: the path or hub "
        "name of a sentence-transformers model, or `word-overlap`; off when empty.",
    )
    reranker_documents: int = Field(20, ge=2, le=200, description="Documents that it reads of each search.")
    reranker_weight: float = Field(
        1.0, ge=0, le=10, description="What its log-odds weigh beside the evidence of the search."
    )
    graph_walk: bool = Field(
        False,
        description="Whether a question that names several products or may have several intents is also followed "
        "along the problem graph.",
    )
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8321, ge=0, le=65535, description="The port to listen on.")
    max_body_bytes: int = Field(16 * 1024 * 1024, ge=1024, description="Largest JSON body.")
    max_upload_bytes: int = Field(64 * 1024 * 1024, ge=1024, description="Largest uploaded file.")
    max_query_chars: int = Field(8000, ge=1, description="Longest question, in characters.")
    max_line_bytes: int = Field(1024 * 1024, ge=1024, description="Longest line of a batch.")
    max_concurrency: int = Field(64, ge=1, description="Requests worked on at once; more wait, then get 503.")
    worker_threads: int = Field(8, ge=1, description="Threads that do the work of requests.")
    parse_seconds: float = Field(30.0, gt=0, description="Longest time to read one file.")
    parse_memory_mb: int = Field(512, ge=64, description="Most memory for reading one file.")
    webhook_allow: str = Field(
        "", description="CIDRs of private networks that webhooks may reach, separated by commas."
    )
    smtp_url: str | None = Field(
        None,
        pattern=r"^smtps?://[^\s/]+/?(\?tls=(start|none))?$",
        description="The mail server for digests, such as smtp://user:password@mail.example.com:587, with STARTTLS; "
        "smtps:// for TLS from the start, ?tls=none for a relay without it; no mail when unset.",
    )
    mail_from: str | None = Field(
        None,
        pattern=r"^[^\s@<>\"]+@[A-Za-z0-9.-]+$",
        description="The sender of digests, such as kb@example.com.",
    )
    rephrase_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s]+$",
        description="An OpenAI-compatible server, such as http://127.0.0.1:11434/v1, that may reword answers; "
        "off when unset.",
    )
    rephrase_model: str | None = Field(
        None, min_length=1, description="The model that rewords answers; off when unset."
    )
    rephrase_key: SecretStr | None = Field(None, description="The key for that server, if it asks for one.")
    rephrase_seconds: float = Field(4.0, gt=0, le=60, description="Longest time that rewording may take.")
    rephrase_suggestions: bool = Field(False, description="Whether suggestions for agents are reworded too.")
    night_hour: int = Field(
        19, ge=0, le=23, description="The hour, in UTC, from which the night's work is done."
    )
    backups: Path | None = Field(
        None,
        description="The folder for a backup each night, best on another disk; none is made at night when unset.",
    )
    backups_kept: int = Field(
        7,
        ge=1,
        le=1000,
        description="Backups that stay in the folder, of those made at night and by hand each.",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lowered)] = Field(
        "info", description="debug, info, warning or error; commands other than `kb serve` keep to warnings."
    )
    log_format: Annotated[Literal["auto", "json", "console"], BeforeValidator(_lowered)] = Field(
        "auto", description="json, console, or auto: console on a terminal."
    )

    @property
    def store_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data / 'kb.sqlite3'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def prepare_data(settings: Settings) -> Path:
    """The data folder, made when it is not there. Raises ServiceError when it cannot be written."""
    folder = settings.data
    reason = "it is not writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    except OSError as error:
        reason = str(error.strerror)
    raise ServiceError(
        "KB_DATA: {folder} cannot be used ({reason}); mend its permissions or name another folder",
        folder=str(folder),
        reason=reason,
    )


def origins(settings: Settings) -> list[dict[str, str | None]]:
    """Each setting with its value, None when unset, and its origin: environment, `kb.toml` or default."""
    from_file = TomlConfigSettingsSource(Settings)()
    rows = []
    for name, field in Settings.model_fields.items():
        variable = f"KB_{name.upper()}"
        if variable in {key.upper() for key in os.environ}:
            origin = "environment"
        elif name in from_file:
            origin = "kb.toml"
        else:
            origin = "default"
        held = getattr(settings, name)
        value = None if held is None else _without_password(str(held))
        rows.append({"name": variable, "value": value, "origin": origin, "meaning": field.description or ""})
    return rows


def misspelt(environment: Mapping[str, str]) -> dict[str, str]:
    """`KB_*` variables that are no setting but nearly one, with the setting that was probably meant."""
    known = {f"KB_{name.upper()}" for name in Settings.model_fields}
    meant: dict[str, str] = {}
    for name in environment:
        if name.upper().startswith("KB_") and name.upper() not in known:
            close = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.8)
            meant.update(dict.fromkeys([name], close[0]) if close else {})
    return meant


def explain(problem: Mapping[str, Any]) -> tuple[str, str]:
    """One finding of pydantic as the setting's name and what is wrong with it; a secret is not repeated."""
    field = "_".join(str(part) for part in problem["loc"])
    name = f"KB_{field.upper()}"
    if problem["type"] == "extra_forbidden":
        close = difflib.get_close_matches(field, Settings.model_fields, n=1)
        meant = f"; did you mean {close[0]}?" if close else "; `kb settings` lists them all"
        return "kb.toml", f"{field} is not a setting{meant}"
    reason = str(problem["msg"]).partition(", unable")[0].removeprefix("Input ").replace("String", "the text")
    return name, f"{reason}; it is {problem['input']!r}" if field not in SECRETS else reason


def _without_password(value: str) -> str:
    return re.sub(r"(://[^:/@\s]+:)[^@\s]+@", r"\1***@", value)
