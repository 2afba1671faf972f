"""Where settings come from, which wins, and what is said of wrong ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from kb_service.errors import ServiceError
from kb_service.settings import Settings, explain, misspelt, origins, prepare_data


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    from os import environ

    for name in [name for name in environ if name.upper().startswith("KB_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    yield


def test_defaults_are_safe() -> None:
    settings = Settings()
    assert settings.host == "127.0.0.1", "nobody else reaches it unless told"
    assert settings.webhook_allow == "", "no private network is reached"
    assert settings.store_url == "sqlite:///kb-data/kb.sqlite3"
    assert settings.embedding_model == "packaged"


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "kb.toml").write_text('port = 9000\nhost = "0.0.0.0"\n')
    monkeypatch.setenv("KB_PORT", "9001")
    settings = Settings()
    assert (settings.port, settings.host, settings.log_level) == (9001, "0.0.0.0", "info")
    told = {row["name"]: row["origin"] for row in origins(settings)}
    assert (told["KB_PORT"], told["KB_HOST"], told["KB_LOG_LEVEL"]) == ("environment", "kb.toml", "default")


def test_settings_do_not_change_once_read() -> None:
    with pytest.raises(ValidationError):
        setattr(Settings(), "port", 1)  # noqa: B010 - the type checker refuses it as well


def test_names_are_read_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_LOG_LEVEL", "WARNING")
    monkeypatch.setenv("kb_log_format", "JSON")
    assert (Settings().log_level, Settings().log_format) == ("warning", "json")


def test_every_setting_says_what_it_means() -> None:
    assert all(row["meaning"] and row["meaning"].endswith(".") for row in origins(Settings()))


def test_a_password_in_the_stores_url_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_DATABASE_URL", "postgresql://kb:s3cret@db.example/kb")
    (row,) = [row for row in origins(Settings()) if row["name"] == "KB_DATABASE_URL"]
    assert row["value"] == "postgresql://kb:***@db.example/kb"
    assert Settings().store_url == "postgresql://kb:s3cret@db.example/kb"


@pytest.mark.parametrize(
    ("name", "value"),
    [("KB_PORT", "-1"), ("KB_MAX_BODY_BYTES", "10"), ("KB_WORKER_THREADS", "0"), ("KB_EMBEDDING_MODEL", "")],
)
def test_a_wrong_value_is_explained_by_name_and_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    told, reason = explain(refused.value.errors()[0])
    assert told == name
    assert "should" in reason
    assert repr(value) in reason


def test_an_unknown_name_in_the_file_is_refused_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "kb.toml").write_text("embeding_model = 'packaged'\n")
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert explain(refused.value.errors()[0]) == (
        "kb.toml", "embeding_model is not a setting; did you mean embedding_model?",
    )  # fmt: skip


def test_misspelt_variables_are_noticed_and_foreign_ones_left_alone() -> None:
    environment = {"KB_PROT": "1", "KB_PORT": "2", "KB_KEY": "kb_x", "KB_TEST_CHROMIUM": "", "PATH": "/bin"}
    assert misspelt(environment) == {"KB_PROT": "KB_PORT"}


def test_the_data_folder_is_made(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "deep" / "data")
    assert prepare_data(settings) == tmp_path / "deep" / "data"
    assert settings.data.is_dir()
    assert prepare_data(settings) == settings.data


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServiceError, match=r"KB_DATA: .*another folder"):
        prepare_data(Settings(data=tmp_path / place))


def test_a_data_folder_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb_service.settings.os.access", lambda *_: False)
    with pytest.raises(ServiceError, match="not writable"):
        prepare_data(Settings(data=tmp_path))
