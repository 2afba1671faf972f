"""What a question asks of a product, in both languages, and which labels hold it."""

from __future__ import annotations

import pytest

from kb_service.replying.attributes import asked_for, attribute_of, curated


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("EB20保修期多久", ["warranty"]),
        ("how long is the warranty on the HP70?", ["warranty"]),
        ("EB20 有多重", ["weight"]),
        ("How much does the SP10 weigh?", ["weight"]),
        ("HP70 多少钱", ["price"]),
        ("EB20 有什么颜色", ["colour"]),
        ("EB20 续航", ["battery"]),
        ("充满电要多久", ["charging"]),
        ("how long does the battery take to charge", ["charging"]),
        ("DK05 能承受多重", ["load"]),
        ("what's in the box of PB20", ["box"]),
        ("where is the chair shipped from", ["ships_from"]),
        ("JK01 怎么洗", ["care"]),
        ("is the watch waterproof", ["water"]),
        ("EB50 和 EB20 有什么区别", ["highlights"]),
        ("compare the battery life of EB20 and EB50", ["battery"]),
        ("EB20 的颜色和价格", ["colour", "price"]),
        ("which is lighter, the HP70 or the EB50", ["weight"]),
        ("RV8和AP40哪个重", ["weight"]),
        ("EB20和EB50哪个更贵", ["price"]),
        ("which is cheaper, BD5 or WT2", ["price"]),
        ("PB10 容量多大", ["capacity"]),
    ],
)
def test_what_is_asked_for(question: str, asked: list[str]) -> None:
    assert [attribute.id for attribute in asked_for(question)] == asked


@pytest.mark.parametrize(
    "question",
    [
        "earbuds die after an hour, why",
        "保修期内坏了怎么办",
        "滤芯多少钱",
        "how much is a new filter",
        "175 70kg 穿多大",
        "颜色发错了怎么换",
        "how much is delivery",
        "我要退货",
        "太贵了能便宜点吗",
        "这件事更重要",
        "I want to talk to somebody",
    ],
)
def test_a_complaint_a_part_or_a_service_asks_for_no_attribute(question: str) -> None:
    assert asked_for(question) == ()


@pytest.mark.parametrize(
    ("label", "attribute"),
    [
        ("保修期", "warranty"), ("Warranty", "warranty"), ("质保期", "warranty"), ("售价", "price"),
        ("Colors", "colour"), ("电池续航", "battery"), ("机身重量", "weight"), ("Net weight", "weight"),
        ("Size / weight", "weight"), ("防水等级", "water"), ("承重", "load"),
    ],
)  # fmt: skip
def test_labels_of_shops(label: str, attribute: str) -> None:
    assert any(known.id == attribute and known.labelled(label) for known in curated())


def test_a_label_that_merely_begins_alike_is_another() -> None:
    charging = next(attribute for attribute in curated() if attribute.id == "charging")
    assert not charging.labelled("充电盒重量")
    assert attribute_of("吉祥物") is None


def test_every_attribute_has_a_name_in_both_languages() -> None:
    assert len({attribute.id for attribute in curated()}) == len(curated()) >= 20
    assert all(attribute.zh and attribute.en for attribute in curated())


def test_a_feature_has_no_label_and_is_asked_for_before_what_has_one() -> None:
    """ "HP70支持LDAC吗" was answered by what it connects with."""
    assert [attribute.id for attribute in asked_for("HP70支持LDAC吗")] == ["codec"]
    assert [attribute.id for attribute in asked_for("HP70支持蓝牙吗")] == ["compatibility"]
    assert [attribute.id for attribute in curated() if attribute.is_feature] == [
        attribute.id for attribute in curated() if not attribute.labels
    ]


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("BX09一个箱子能装多重", "load"),
        ("CH06我180斤能坐吗", "load"),
        ("GC65带不带线啊", "box"),
        ("does the GC65 come with a cable", "box"),
        ("SF07沙发多长 我家客厅放得下不", "size"),
        ("EB50有黑色的吗", "colour"),
        ("does the EB50 come in white", "colour"),
        ("gc65, how many watts each", "power"),
        ("bd5 gps?", "gps"),
        ("eb20 with ps5", "console"),
        ("does the HP70 charge wirelessly", "wireless_charging"),
        ("DL1台灯有没有频闪 孩子写作业用", "flicker"),
        ("CB24那根线能接显示器投屏不", "video"),
        ("HP70能有线听歌不,没电那种情况", "wired"),
        ("SP30支持苹果隔空播放吗", "airplay"),
        ("地铁卡手机刷公交 WT2有nfc吗", "nfc"),
    ],
)
def test_what_customers_say_for_an_attribute(question: str, asked: str) -> None:
    assert asked_for(question)[0].id == asked


def test_a_complaint_that_names_a_feature_asks_for_none() -> None:
    assert asked_for("BD5 的 GPS 坏了，怎么申请维修") == ()
