from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ingest import encoder_files, transformers
from ingest.embedding import Embedder, Treatment, ensure_export, load_embedder
from ingest.errors import EncoderUnavailable
from ingest.transformers import TransformersEmbedder, family_of

# The libraries warn of their own coming changes while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "query",
    "passage",
    ":",
    "refund",
    "my",
    "phone",
    "退",
    "货",
]

SENTENCES = [
    "How do I return a jacket that does not fit?",
    "My phone's screen cracked on the second day",
    "Where is my parcel? It says delivered but I have nothing.",
    "Can I use two coupons on one order",
    "the invoice has the wrong company name",
    "Does the warranty cover water damage?",
    "I was charged twice for order 20261111-0042",
    "Is the kettle safe for 110 V?",
    "Please cancel my subscription at once!!!",
    "price dropped the day after I bought it, can I get the difference",
    "SKU EL-1023 does not pair with Bluetooth 5.3",
    "Refunds are paid to the original means of payment within five working days.",
    "Free returns within 30 days, unworn and with labels.",
    "What sizes does the linen shirt come in",
    "The chair wobbles and a screw is missing",
    "ship to Alaska?",
    "refund",
    "Where do you ship from, how long does it take, and what do I pay for customs if I live in Canada?",
    "Battery life: up to 30 hours. Charging case: USB-C.",
    "My account was locked after I changed my email address",
    "gift wrapping",
    "Do you price match with other shops",
    "the coat smells of smoke",
    "Can a person call me back",
    "a" * 300,
    "买的手机屏幕碎了,我要退货",
    "快递三天没动了怎么回事",
    "优惠券为什么用不了",
    "发票抬头写错了能重开吗",
    "保修期内进水算不算",
    "降价了可以退差价吗",
    "七天无理由退货的运费谁出",
    "你们的客服电话是多少",
    "订单号20261111还没发货",
    "羽绒服洗了以后跑毛",
    "蓝牙耳机连不上电脑",
    "沙发有异味,能换吗",
    "退款什么时候到账",
    "我要投诉",
    "转人工",
    "请问这款电饭煲可以预约多久",
    "預售商品什麼時候發貨",
    "双十一满减怎么算的",
    "尺码偏大还是偏小",
    "会员积分怎么兑换",
    "手机充电很慢而且发烫严重,昨天差点烫到手,你们这个质量也太差了吧",
    "ｆｕｌｌ　ｗｉｄｔｈ　ｔｅｘｔ",
    "mixed 中英文 message about the iPhone 保护壳",
    "🙂👍",
    "退货地址 " * 120,
]


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random BERT saved as sentence-transformers saves models."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizer

    folder = tmp_path_factory.mktemp("models")
    raw = folder / "raw"
    raw.mkdir()
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
    )
    BertModel(config).save_pretrained(raw)
    body = Transformer(str(raw), max_seq_length=32)
    model = SentenceTransformer(modules=[body, Pooling(16, "mean")], device="cpu")
    model.save(str(folder / "shop-model"))
    return folder / "shop-model"


@pytest.fixture
def copy(small_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_model, tmp_path / "copy"))


class TestLocalModels:
    def test_loads_by_path(self, small_model: Path) -> None:
        embedder = load_embedder(str(small_model))
        assert isinstance(embedder, Embedder)
        assert embedder.dimension == 16
        assert embedder.model_id.startswith("shop-model@st:")
        vectors = embedder.embed_queries(["refund my phone", "退货", "", "\ud800", "phone " * 50_000])
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
        assert embedder.embed_passages([]).shape == (0, 16)

    def test_it_is_treated_as_told(self, small_model: Path) -> None:
        treatment = Treatment("query: ", "", "cls", frozenset({"zh", "en"}))
        treated = load_embedder(str(small_model), treatment=treatment)
        same = TransformersEmbedder(
            str(small_model), query_prefix="query: ", passage_prefix="", pooling="cls"
        )
        assert treated.model_id == same.model_id
        assert treated.reads == {"zh", "en"}
        np.testing.assert_array_equal(treated.embed_queries(["refund"]), same.embed_queries(["refund"]))

    def test_prefixes_change_vectors_and_id(self, small_model: Path) -> None:
        plain = TransformersEmbedder(str(small_model))
        marked = TransformersEmbedder(str(small_model), query_prefix="query: ", passage_prefix="passage: ")
        assert plain.model_id != marked.model_id
        np.testing.assert_allclose(
            marked.embed_queries(["refund"]), plain.embed_queries(["query: refund"]), atol=1e-6
        )
        np.testing.assert_allclose(
            marked.embed_passages(["refund"]), plain.embed_passages(["passage: refund"]), atol=1e-6
        )

    def test_pooling_changes_vectors_and_id(self, small_model: Path) -> None:
        mean, first = (
            TransformersEmbedder(str(small_model)),
            TransformersEmbedder(str(small_model), pooling="cls"),
        )
        assert mean.model_id != first.model_id
        assert (
            float(mean.embed_queries(["refund my phone"])[0] @ first.embed_queries(["refund my phone"])[0])
            < 0.999
        )

    def test_the_models_own_prompts_hold(self, copy: Path) -> None:
        path = copy / "config_sentence_transformers.json"
        settings = json.loads(path.read_text())
        settings["prompts"] = {"query": "query: ", "document": "passage: "}
        path.write_text(json.dumps(settings))
        embedder = TransformersEmbedder(str(copy))
        assert (embedder.query_prefix, embedder.passage_prefix) == ("query: ", "passage: ")
        assert TransformersEmbedder(str(copy), query_prefix="").query_prefix == ""

    def test_languages_come_from_the_card_or_the_argument(self, copy: Path) -> None:
        assert TransformersEmbedder(str(copy), reads={"zh", "en"}).reads == {"zh", "en"}
        (copy / "README.md").write_text("---\nlanguage:\n- zh\n- ja\n---\n# Model\n")
        assert TransformersEmbedder(str(copy)).reads == {"zh", "ja"}
        (copy / "README.md").write_text("No front matter")
        assert TransformersEmbedder(str(copy)).reads == {"en"}

    def test_other_weights_have_another_id(self, small_model: Path, copy: Path) -> None:
        from safetensors.numpy import load_file, save_file

        weights = load_file(copy / "model.safetensors")
        name = sorted(weights)[0]
        save_file(weights | {name: weights[name] + 1}, copy / "model.safetensors", metadata={"format": "pt"})
        ids = [TransformersEmbedder(str(folder)).model_id.split(":")[1] for folder in (small_model, copy)]
        assert ids[0] != ids[1]


class TestRefusals:
    def test_pickled_weights(self, copy: Path) -> None:
        (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
        with pytest.raises(
            EncoderUnavailable, match=r"no \*\.safetensors weights, and pickled ones are never read"
        ):
            TransformersEmbedder(str(copy))

    def test_pickled_weights_of_one_module(self, copy: Path) -> None:
        (copy / "2_Dense").mkdir()
        (copy / "2_Dense" / "pytorch_model.bin").write_bytes(b"")
        with pytest.raises(EncoderUnavailable, match=r"pytorch_model\.bin is pickled"):
            TransformersEmbedder(str(copy))

    def test_code_of_its_own(self, copy: Path) -> None:
        path = copy / "modules.json"
        modules = json.loads(path.read_text())
        modules[0]["type"] = "custom_st.Transformer"
        path.write_text(json.dumps(modules))
        with pytest.raises(EncoderUnavailable, match=r"code of its own \(custom_st\.Transformer\)"):
            TransformersEmbedder(str(copy))

    def test_a_damaged_model(self, copy: Path) -> None:
        (copy / "model.safetensors").write_bytes(b"damaged")
        with pytest.raises(EncoderUnavailable, match="cannot be loaded"):
            TransformersEmbedder(str(copy))

    def test_a_folder_that_is_not_there(self) -> None:
        with pytest.raises(EncoderUnavailable, match="there is no folder"):
            load_embedder("./models/none")

    def test_a_hub_that_does_not_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import huggingface_hub

        def unreachable(*_arguments: object, **_options: object) -> str:
            raise ConnectionError("no route to host")

        monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
        with pytest.raises(EncoderUnavailable, match=r"no route to host.*check the name and the network"):
            load_embedder("shop/model")

    def test_the_hub_is_asked_for_neither_code_nor_pickled_weights(
        self, small_model: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import huggingface_hub

        asked: list[str] = []

        def gives(name: str, *, allow_patterns: list[str]) -> str:
            asked.extend([name, *allow_patterns])
            return str(small_model)

        monkeypatch.setattr(huggingface_hub, "snapshot_download", gives)
        embedder = load_embedder("intfloat/multilingual-e5-small")
        assert embedder.model_id.startswith("multilingual-e5-small@st:")
        assert {"en", "zh"} <= embedder.reads
        assert not any(pattern.endswith((".py", ".bin", "*")) for pattern in asked)


@pytest.mark.parametrize(
    ("name", "query", "passage", "chinese"),
    [
        ("multilingual-e5-base", "query: ", "passage: ", True),
        ("multilingual-e5-large-instruct", "Instruct: ", "", True),
        ("e5-small-v2", "query: ", "passage: ", False),
        ("bge-m3", "", "", True),
        ("bge-small-zh-v1.5", "为这个句子生成表示", "", True),
        ("bge-base-en-v1.5", "Represent this sentence", "", False),
    ],
)
def test_known_families(name: str, query: str, passage: str, chinese: bool) -> None:
    family = family_of(name)
    assert family is not None
    assert family.query_prefix.startswith(query)
    assert bool(family.query_prefix) == bool(query)
    assert family.passage_prefix == passage
    assert ("zh" in family.reads) == chinese


def test_unknown_names_have_no_family() -> None:
    assert family_of("all-MiniLM-L6-v2") is None


@pytest.mark.model
class TestExport:
    def test_vectors_agree_with_sentence_transformers(self, english_embedder: Embedder) -> None:
        from sentence_transformers import SentenceTransformer

        assert len(SENTENCES) == 50
        model = SentenceTransformer(str(encoder_files.packaged_model()), device="cpu")
        expected = model.encode(SENTENCES, normalize_embeddings=True, show_progress_bar=False)
        cosines = (english_embedder.embed_passages(SENTENCES) * expected).sum(axis=1)
        assert cosines.min() >= 0.9999
        singly = np.concatenate([english_embedder.embed_queries([text]) for text in SENTENCES])
        assert (singly * expected).sum(axis=1).min() >= 0.9999

    def test_a_corrupt_export_is_made_again(self, tmp_path: Path) -> None:
        folder = tmp_path / "encoder" / "model"
        shutil.copytree(ensure_export(), folder)
        (folder / encoder_files.GRAPH).write_bytes(b"damaged")
        assert ensure_export(folder) == folder
        model_id = encoder_files.packaged_id()
        assert encoder_files.inspect(folder, model_id).state == "whole"
        assert [entry.name for entry in folder.parent.iterdir() if entry.is_dir()] == ["model"]


class TestCommand:
    def test_says_where_the_export_is_and_leaves_a_whole_one(self) -> None:
        begun = ensure_export()
        script = [sys.executable, "-m", "ingest.transformers", "export"]
        assert Path(subprocess.check_output(script, text=True).strip()) == begun

    def test_fails_with_the_reason(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "file").write_text("in the way")
        assert transformers.main(["export", "--folder", str(tmp_path / "file" / "export")]) == 1
        assert "cannot be written" in capsys.readouterr().err
