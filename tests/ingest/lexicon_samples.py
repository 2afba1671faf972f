"""A dictionary of a dozen words and sentences made of them, small enough to build a lexicon within a test."""

from __future__ import annotations

import itertools

import numpy as np

from ingest import lexicon
from ingest.lexicon import Lexicon

DICTIONARY = """\
# CC-CEDICT
退貨 退货 [tui4 huo4] /to return merchandise/to withdraw a product/
發票 发票 [fa1 piao4] /invoice/receipt or bill for purchase/
屏幕 屏幕 [ping2 mu4] /screen (TV, computer or movie)/
手機 手机 [shou3 ji1] /cell phone/mobile phone/
碎 碎 [sui4] /(transitive or intransitive verb) to break into pieces/broken/
怎麼 怎么 [zen3 me5] /variant of 怎麼|怎么[zen3me5]/how?/what?/
我 我 [wo3] /I/me/my/
的 的 [de5] /of/~'s (possessive particle)/
要 要 [yao4] /to want/to need/
藍色 蓝色 [lan2 se4] /blue (color)/
沙發 沙发 [sha1 fa1] /sofa (loanword)/CL:條|条[tiao2]/
波士頓 波士顿 [Bo1 shi4 dun4] /Boston, capital of Massachusetts/
""".splitlines()

PHRASES = [("退货", "return"), ("发票", "invoice"), ("屏幕", "screen"), ("手机", "phone"), ("沙发", "sofa")]
SIDES = [
    ("我要", "I want"),
    ("怎么", "how"),
    ("我的", "my"),
    ("蓝色", "blue"),
    ("碎", "broken"),
    ("要", "need"),
]
PAIRS = [
    (f"{start}{one}{other}", f"{opening} {first} {second}")
    for (start, opening), ((one, first), (other, second)) in itertools.product(
        SIDES, itertools.permutations(PHRASES, 2)
    )
]


def small(*, table_share: float = 0.4, dimension: int = 384, kept_whole: tuple[str, ...] = ()) -> Lexicon:
    """A lexicon with a random vector for each of its words."""
    glosses = {
        "退货": "return", "发票": "invoice", "屏幕": "screen", "手机": "phone", "碎": "broken", "的": "",
        "怎么": "how", "我": "I", "要": "want", "换": "exchange", "货": "goods", "换货": "exchange goods",
    }  # fmt: skip
    rows = np.random.default_rng(7).normal(size=(len(glosses), dimension)).astype(np.float32)
    about = {"encoder": "word-hash-384", "sources": ["a test"], "kept_whole": list(kept_whole)}
    return lexicon.made(list(glosses), list(glosses.values()), rows, table_share, about)
