from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from graph.entities import Gazetteer
from graph.exemplars import without_products
from graph.faults import SOME, fault_kinds, fault_shares
from graph.matching import ProblemMatcher
from graph.models import Entity, Match, Utterance
from ingest.embedding import Embedder
from ingest.language import identify, words
from tests.graph.utterances import say

AT = datetime(2026, 11, 1, tzinfo=UTC)
SHOP = Gazetteer(
    {
        "VTN-PB20": ("power bank", "充电宝"),
        "PLM-KT17": ("kettle", "电热水壶", "水壶"),
        "SLA-EB20": ("earbuds", "耳机"),
        "MST-HM6": ("humidifier", "加湿器"),
        "SLK-DV02": ("silk duvet", "蚕丝被"),
    }
)


@pytest.mark.parametrize(
    ("kind", "chinese", "english"),
    [
        ("burning", "插上电就冒烟", "there was smoke coming out of the plug"),
        ("shock", "外壳漏电", "the case gave me an electric shock"),
        ("leak", "底部一直漏水", "it leaks from the bottom"),
        ("hole", "袖子上破了个洞", "one sleeve has a hole in it"),
        ("cracked", "杯子碎了", "the cup arrived cracked"),
        ("missing", "少了一个配件", "a part is missing"),
        ("another's", "收到的是别人的包裹", "I got somebody else's parcel"),
        ("dead", "按钮点了没反应", "the button does nothing"),
        ("connection", "老是断连", "keeps disconnecting"),
        ("noise", "转起来有异响", "makes a rattling noise"),
        ("colour", "洗一次就掉色", "the colour faded after one wash"),
        ("smell", "打开有股霉味", "it smells of mould"),
        ("hurt", "用了过敏", "it gave me a rash"),
        ("shrunk", "洗完缩水了", "it shrank in the wash"),
        ("stolen", "账号被盗了", "my account was hacked"),
        (SOME, "收到是坏的，有瑕疵", "mine is faulty"),
    ],
)
def test_a_fault_is_told_in_both_languages(kind: str, chinese: str, english: str) -> None:
    assert kind in fault_kinds(chinese)
    assert kind in fault_kinds(english)


@pytest.mark.parametrize(
    "text",
    ["怎么充电", "能带上飞机吗", "how do I connect it to a laptop", "washing instructions", "怎么开发票"],
)
def test_a_question_of_use_reports_no_fault(text: str) -> None:
    assert fault_kinds(text) == frozenset()


def test_one_fault_agrees_and_another_or_none_does_not() -> None:
    leaks = {"leak": 4}
    assert fault_shares(frozenset({"leak"}), leaks, 4) == (0.8, 0.0)
    assert fault_shares(frozenset({"burning"}), leaks, 4) == (0.0, 1.0)
    assert fault_shares(frozenset(), leaks, 4) == (0.0, 0.8)
    assert fault_shares(frozenset({SOME}), leaks, 4) == (0.8, 0.0)
    assert fault_shares(frozenset({"leak"}), {}, 4) == (0.0, 1.0)
    assert fault_shares(frozenset(), {}, 4) == (0.0, 0.0)


def test_words_that_name_the_product_are_not_compared() -> None:
    text = "my power bank pb20 gets hot"
    kept = without_products(say(text), SHOP.entities(text, AT))
    assert kept.tokens == ("my", "gets", "hot")
    masked = "[ORDER] the pb20 gets hot"
    assert "pb20" not in without_products(say(masked), (Entity("sku", "VTN-PB20", 20, 24),)).tokens
    alone = say("pb20 power bank")
    assert without_products(alone, SHOP.entities(alone.text, AT)) == alone


OLD = {
    "plane": ["do airlines accept the 65 w power bank", "PB20能托运吗", "can I take the PB20 on a plane"],
    "base": ["the KT17 kettle came without its base", "收到的水壶少了底座", "no base in the box of the KT17"],
    "laptop": ["how do I connect the EB20 to a laptop", "eb20怎么连电脑", "pairing EB20 with windows"],
    "powder": ["加湿器里有白粉", "HM6加湿器喷出白色粉末", "white dust from the HM6 humidifier"],
    "wash": ["DV02 silk duvet washing instructions", "蚕丝被怎么洗", "can I wash the DV02"],
    "invoice": ["where do I request an invoice", "怎么开发票", "can I get an invoice for my company"],
}
NEW = {
    "plane": [
        "the PB20 power bank makes a burning smell",
        "PB20充电宝有股烧焦味",
        "my power bank PB20 smells burnt",
    ],
    "base": ["KT17水壶底座冒火花", "KT17 kettle base sparks when switched on", "sparks from the KT17 base"],
    "laptop": ["EB20 charging case melted", "EB20充电盒烧化了", "my EB20 case got so hot it melted"],
    "powder": [
        "HM6 humidifier leaks water all over the floor",
        "HM6加湿器漏水，地板都泡了",
        "my HM6 leaks from the bottom",
    ],
    "wash": [
        "DV02 silk duvet arrived with holes",
        "蚕丝被DV02收到有破洞",
        "there are holes in the DV02 duvet",
    ],
    "invoice": [
        "the invoice PDF shows another customer's name",
        "电子发票上是别人的名字",
        "my invoice has somebody else's name on it",
    ],
}


class Desk:
    """Messages grouped as they come, with the products that they name."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.matcher = ProblemMatcher(reads=embedder.reads)

    def read(self, text: str) -> tuple[Utterance, tuple[Entity, ...]]:
        vector = np.asarray(self._embedder.embed_queries([text])[0])
        utterance = Utterance(text, identify(text), tuple(words(text)), vector, self._embedder.model_id)
        return utterance, SHOP.entities(text, AT)

    def join(self, problem_id: str, text: str) -> None:
        self.matcher.join(problem_id, *self.read(text), AT)

    def match(self, text: str) -> Match:
        return self.matcher.match(*self.read(text), AT)


@pytest.mark.model
@pytest.mark.parametrize("old", sorted(OLD))
def test_a_new_fault_does_not_vanish_into_an_old_problem_of_its_product(
    packaged_embedder: Embedder, old: str
) -> None:
    desk = Desk(packaged_embedder)
    for name, texts in OLD.items():
        for text in texts:
            desk.join(name, text)
    first, *others = NEW[old]
    assert desk.match(first).reason == "new"
    desk.join("fault", first)
    for text in others:
        found = desk.match(text)
        assert (found.problem_id, found.reason) == ("fault", "joined"), (text, found)
        desk.join("fault", text)


ACROSS = [
    ("小程序里结算按钮点了没反应", "checkout button does nothing in the mini program"),
    ("收不到验证码", "I never receive the verification code"),
    ("重复扣款了", "I was charged twice"),
    ("上传不了图片", "cannot upload a picture"),
    ("包裹是空的", "the parcel was empty"),
    ("账号被盗了", "my account was hacked"),
    ("app一搜索就闪退", "the app crashes when I search"),
    ("洗完缩水了", "it shrank in the wash"),
    ("怎么取消订单", "how do I cancel my order"),
    ("优惠券显示已失效", "the coupon says it has expired"),
]


@pytest.mark.model
def test_one_matter_in_two_languages_is_one_problem(packaged_embedder: Embedder) -> None:
    """Each pair asked both ways among all the others: most join, none joins another."""
    right = 0
    for here, there in ((0, 1), (1, 0)):
        desk = Desk(packaged_embedder)
        for number, pair in enumerate(ACROSS):
            desk.join(f"p{number}", pair[here])
        for number, pair in enumerate(ACROSS):
            found = desk.match(pair[there])
            assert found.problem_id in (f"p{number}", None), (pair[there], found)
            right += found.reason == "joined"
    assert right >= 12


@pytest.mark.model
def test_a_dead_button_is_one_problem_in_two_languages(packaged_embedder: Embedder) -> None:
    for first, second in (ACROSS[0], ACROSS[0][::-1]):
        desk = Desk(packaged_embedder)
        desk.join("button", first)
        assert desk.match(second).reason == "joined"
