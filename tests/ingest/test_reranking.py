from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ingest.errors import EncoderUnavailable
from ingest.reranking import Reranker, WordOverlapReranker, load_reranker

# The libraries warn of their own coming changes while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "refund", "my", "phone", "when", "退", "货"]
PASSAGES = ["refund my phone", "phone phone", "", "\ud800", "退货 " * 5_000]


def saved(folder: Path, *, labels: int = 1) -> Path:
    """A tiny random cross-encoder saved as sentence-transformers saves models."""
    import torch
    from sentence_transformers import CrossEncoder
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    raw = folder / "raw"
    raw.mkdir(parents=True)
    (raw / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    BertTokenizer(str(raw / "vocab.txt")).save_pretrained(raw)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        num_labels=labels,
        initializer_range=0.5,
    )
    BertForSequenceClassification(config).save_pretrained(raw)
    CrossEncoder(str(raw), device="cpu", max_length=32).save_pretrained(str(folder / "shop-reranker"))
    return folder / "shop-reranker"


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("rerankers"))


@pytest.fixture
def copy(small_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_model, tmp_path / "copy"))


def test_a_cross_encoder_gives_a_number_for_each_passage(small_model: Path) -> None:
    reranker = load_reranker(str(small_model))
    logits = reranker.score("when refund", PASSAGES)
    assert logits.shape == (len(PASSAGES),)
    assert np.isfinite(logits).all()
    assert reranker.score("when refund", []).shape == (0,)
    assert reranker.model_id.startswith("shop-reranker@ce:")
    backwards = reranker.score("when refund", PASSAGES[::-1])
    np.testing.assert_allclose(logits, backwards[::-1], atol=1e-5)


def test_what_it_says_is_the_model_s_own_before_any_function_after_it(small_model: Path) -> None:
    from sentence_transformers import CrossEncoder

    plain = load_reranker(str(small_model)).score("refund", ["phone"])[0]
    squeezed = float(CrossEncoder(str(small_model), device="cpu").predict([("refund", "phone")])[0])
    assert squeezed == pytest.approx(1 / (1 + np.exp(-plain)), abs=1e-5)


def test_the_id_follows_the_weights(small_model: Path, tmp_path: Path) -> None:
    other = saved(tmp_path)
    weights = other / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\x00\x00\x00\x00")
    assert load_reranker(str(other)).model_id != load_reranker(str(small_model)).model_id


def test_pickled_weights_are_never_read(copy: Path) -> None:
    (copy / "model.safetensors").unlink()
    (copy / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(EncoderUnavailable, match=r"reranker: .*safetensors"):
        load_reranker(str(copy))


def test_code_that_comes_with_a_model_never_runs(copy: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    (copy / "foreign.py").write_text(
        "from pathlib import Path\n"
        f"Path({str(ran)!r}).touch()\n"
        "from transformers import BertConfig, BertForSequenceClassification as Foreign\n",
        encoding="utf-8",
    )
    config = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    config["model_type"] = "foreign"
    config["auto_map"] = {
        "AutoConfig": "foreign.BertConfig",
        "AutoModelForSequenceClassification": "foreign.Foreign",
    }
    (copy / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(EncoderUnavailable, match="reranker"):
        load_reranker(str(copy))
    assert not ran.exists()


def test_a_model_with_several_outputs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnavailable, match="3 numbers"):
        load_reranker(str(saved(tmp_path, labels=3)))


@pytest.mark.parametrize("name", ["/no/such/folder", " "])
def test_a_model_that_is_not_there_is_told_by_the_setting(name: str) -> None:
    with pytest.raises(EncoderUnavailable, match="reranker"):
        load_reranker(name)


def test_the_fake_counts_the_question_s_words() -> None:
    reranker: Reranker = WordOverlapReranker()
    logits = reranker.score("refund my phone", ["my phone", "refund my phone now", "nothing", ""])
    assert logits[1] == 4
    assert logits[1] > logits[0] > logits[2] == logits[3] == -4


def test_the_fake_needs_no_torch() -> None:
    code = (
        "import sys; from ingest.reranking import load_reranker; load_reranker('word-overlap'); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
