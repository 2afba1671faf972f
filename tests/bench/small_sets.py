"""Evaluation sets of a few lines in the shape of the public ones, so that no test needs those."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

DICTIONARY = """# CC-CEDICT
防守 防守 [fang2 shou3] /to defend/defense/
球隊 球队 [qiu2 dui4] /sports team (basketball, football etc)/team/
多少 多少 [duo1 shao3] /number/how many?/
蒸汽機 蒸汽机 [zheng1 qi4 ji1] /steam engine/
熱 热 [re4] /heat/
"""


def write_set(
    folder: Path,
    name: str,
    corpus: Iterable[Mapping[str, str]],
    queries: Iterable[Mapping[str, str]],
    qrels: Iterable[tuple[str, str]],
) -> None:
    place = folder / name
    place.mkdir(parents=True)
    for file, items in (("corpus.jsonl", corpus), ("queries.jsonl", queries)):
        lines = (json.dumps(item, ensure_ascii=False) for item in items)
        (place / file).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    pairs = "".join(f"{question}\t{document}\t1\n" for question, document in qrels)
    (place / "qrels.tsv").write_text(pairs, "utf-8")


def write_faq(folder: Path, name: str = "covidfaq") -> None:
    """Six entries with a question each; every question shares words with its own entry alone."""
    things = ("kettle", "jacket", "lamp", "phone", "invoice", "parcel")
    write_set(
        folder,
        name,
        [
            {
                "id": f"d-{thing}",
                "title": f"What about my {thing}?",
                "text": f"Every {thing} is looked after.",
            }
            for thing in things
        ],
        [{"id": f"q-{thing}", "text": f"my {thing} please"} for thing in things],
        [(f"q-{thing}", f"d-{thing}") for thing in things],
    )


def write_parallel(folder: Path) -> None:
    """Two paragraphs with two questions each, in both languages, and a dictionary."""
    english = {"0_0": "The Panthers defense lost few points.", "0_1": "A steam engine needs heat."}
    chinese = {"0_0": "黑豹队的防守丢分很少。", "0_1": "蒸汽机需要热。"}
    asked = {
        "a": ("黑豹队的防守丢了多少分？", "How many points did the Panthers defense lose?", "0_0"),
        "b": ("哪支球队的防守好？", "Which team has a good defense?", "0_0"),
        "c": ("什么推动蒸汽机？", "What drives a steam engine?", "0_1"),
        "d": ("它是什么？", "What is it?", "0_1"),
    }
    judged = [(name, document) for name, (_, _, document) in asked.items()]
    for name, texts, place in (("xquad_zh2en", english, 0), ("xquad_en2zh", chinese, 1)):
        corpus = [{"id": id, "text": text} for id, text in texts.items()]
        write_set(
            folder,
            name,
            corpus,
            [{"id": id, "text": versions[place]} for id, versions in asked.items()],
            judged,
        )
    (folder / "parallel").mkdir()
    (folder / "parallel" / "cedict_ts.u8.gz").write_bytes(gzip.compress(DICTIONARY.encode()))
