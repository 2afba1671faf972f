"""A month of a shop's events in words: some 2,000 problems in two languages, as customers write and as people answer.

Each problem is one fault of one product, written about in a dozen ways with greetings, order numbers and haste around
them; a few are asked for every hour, most once a week. Everything is drawn from one seed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

START = datetime(2026, 9, 1, tzinfo=UTC)
RHYTHM = (1, 1, 1, 1, 1, 1, 2, 4, 7, 9, 11, 11, 9, 8, 9, 9, 8, 8, 9, 10, 11, 9, 5, 2)
"""Contacts by hour of the day, relative."""
PRODUCTS = (
    ("充电宝", "power bank"),
    ("蓝牙耳机", "earbuds"),
    ("空气炸锅", "air fryer"),
    ("羽绒服", "down jacket"),
    ("扫地机器人", "robot vacuum"),
    ("电动牙刷", "toothbrush"),
    ("咖啡机", "coffee machine"),
    ("加湿器", "humidifier"),
    ("台灯", "desk lamp"),
    ("行李箱", "suitcase"),
    ("跑鞋", "running shoes"),
    ("瑜伽垫", "yoga mat"),
    ("电饭煲", "rice cooker"),
    ("保温杯", "flask"),
    ("手表", "watch"),
    ("路由器", "router"),
    ("键盘", "keyboard"),
    ("鼠标", "mouse"),
    ("显示器", "monitor"),
    ("摄像头", "camera"),
    ("床垫", "mattress"),
    ("枕头", "pillow"),
    ("被子", "duvet"),
    ("窗帘", "curtain"),
    ("沙发", "sofa"),
    ("书桌", "desk"),
    ("椅子", "chair"),
    ("雨伞", "umbrella"),
    ("背包", "backpack"),
    ("钱包", "wallet"),
    ("面膜", "face mask"),
    ("洗发水", "shampoo"),
    ("口红", "lipstick"),
    ("香水", "perfume"),
    ("奶粉", "milk powder"),
    ("纸尿裤", "diapers"),
    ("婴儿车", "stroller"),
    ("积木", "building blocks"),
    ("猫粮", "cat food"),
    ("狗窝", "dog bed"),
    ("鱼缸", "fish tank"),
    ("电风扇", "fan"),
    ("取暖器", "heater"),
    ("吹风机", "hair dryer"),
    ("剃须刀", "shaver"),
    ("体重秤", "scale"),
    ("血压计", "blood pressure meter"),
    ("平板支架", "tablet stand"),
    ("手机壳", "phone case"),
    ("数据线", "cable"),
)
FAULTS = (
    ("开不了机", "does not turn on"),
    ("漏水", "is leaking"),
    ("有异味", "smells strange"),
    ("缺配件", "came without a part"),
    ("颜色发错了", "came in the wrong colour"),
    ("尺码偏小", "is too small"),
    ("充不进电", "does not charge"),
    ("噪音很大", "is very loud"),
    ("三天没物流更新", "has not moved for three days"),
    ("显示签收但没收到", "says delivered but never came"),
    ("外包装破损", "arrived in a broken box"),
    ("怎么退货", "how do I return it"),
    ("能换货吗", "can I exchange it"),
    ("保修多久", "how long is the warranty"),
    ("怎么清洗", "how do I clean it"),
    ("优惠券用不了", "the coupon does not work"),
    ("发票怎么开", "I need an invoice"),
    ("退款没到账", "the refund has not arrived"),
    ("少发了一件", "one item is missing"),
    ("什么时候补货", "when is it back in stock"),
    ("用了一周就坏了", "broke after one week"),
    ("屏幕不亮", "the display stays dark"),
    ("连不上手机", "does not connect to my phone"),
    ("发热烫手", "gets very hot"),
    ("掉色严重", "loses its colour"),
    ("拉链坏了", "the zipper is broken"),
    ("价格降了能补差价吗", "the price dropped, do I get the difference"),
    ("说明书是英文的", "the manual is in the wrong language"),
    ("赠品没收到", "the free gift is missing"),
    ("收到的是旧的", "looks used"),
    ("指示灯一直闪", "the light keeps blinking"),
    ("按键失灵", "a button is stuck"),
    ("电池不耐用", "the battery dies quickly"),
    ("地址填错了", "I gave the wrong address"),
    ("想取消订单", "I want to cancel the order"),
    ("要求改期配送", "please deliver it later"),
    ("过敏了", "gave me a rash"),
    ("味道变了", "is different from last time"),
    ("能开企业发票吗", "can you invoice my company"),
    ("运费怎么算", "how much is shipping"),
)
ZH = (
    "{p}{f}",
    "我的{p}{f}",
    "买的{p}{f}怎么办",
    "刚收到的{p}{f}",
    "请问{p}{f}",
    "你们家{p}{f}",
    "{p} {f} 急",
    "{p}{f}，帮我看看",
    "上周买的{p}{f}了",
    "为什么{p}{f}",
    "{p}又{f}",
    "这个{p}{f}，怎么处理",
)
EN = (
    "{p} {f}",
    "my {p} {f}",
    "the {p} I bought {f}",
    "hi, my new {p} {f}",
    "{p}: {f}?",
    "why is it that the {p} {f}",
    "the {p} {f}, please help",
    "again the {p} {f}",
    "I ordered a {p} and it {f}",
    "{p} {f} what now",
    "question about the {p}: {f}",
    "so the {p} {f}, what can I do",
)
BEFORE_ZH = ("", "", "", "你好，", "在吗，", "亲，", "客服您好，")
BEFORE_EN = ("", "", "", "Hello, ", "Hi there, ", "Good morning, ")
AFTER_ZH = ("", "", "", "，谢谢", "，急", "，订单号{n}", "，单号 {n}", "，都等了{d}天了", "，很着急")
AFTER_EN = (
    "",
    "",
    "",
    ", thanks",
    ", urgent",
    ", order {n}",
    ", order number {n}",
    ", waiting for {d} days",
    " please",
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is: `events` of all kinds over `days`, on `problems` problems of `customers` customers."""

    events: int = 250_000
    days: int = 30
    problems: int = 2_000
    customers: int = 60_000
    late: float = 0.01
    """Share of events that arrive up to two days after they happened."""


def history(seed: int, size: Size | None = None) -> Iterator[dict[str, Any]]:
    """Events as a shop sends them, in order of arrival: a customer writes, is answered, mostly resolved, some rated."""
    size = size or Size()
    random = np.random.default_rng(seed)
    cases = max(1, round(size.events / 3.4))
    hours = np.array(RHYTHM) / sum(RHYTHM)
    days = random.integers(0, size.days, cases)
    begins = np.sort(
        days * 86400.0 + random.choice(24, cases, p=hours) * 3600.0 + random.random(cases) * 3600
    )
    popular = 1 / np.arange(1, size.problems + 1) ** 0.8
    matters = random.permutation(len(PRODUCTS) * len(FAULTS))[: size.problems]
    drawn = random.choice(size.problems, cases, p=popular / popular.sum())
    arriving: list[tuple[float, int, dict[str, Any]]] = []
    for number, (begin, rank) in enumerate(zip(begins, drawn, strict=True)):
        product, fault = divmod(int(matters[rank]), len(FAULTS))
        for offset, event in _case(random, number, product, fault, size):
            at = float(begin) + offset
            event["at"] = (START + timedelta(seconds=round(at))).isoformat()
            waits = float(random.uniform(600, 2 * 86400)) if random.random() < size.late else 0.0
            arriving.append((at + waits, len(arriving), event))
    for _, _, event in sorted(arriving, key=lambda item: item[:2])[: size.events]:
        yield event


def _case(
    random: np.random.Generator, number: int, product: int, fault: int, size: Size
) -> Iterator[tuple[float, dict[str, Any]]]:
    chinese = random.random() < 0.7
    who = {"conversation_id": f"c{number}", "customer_id": f"u{int(random.integers(size.customers))}"}
    spoken = 1 + int(random.random() < 0.35)
    for turn in range(spoken):
        text = _written(random, product, fault, chinese)
        yield (
            turn * 90.0,
            {"id": f"m{number}-{turn}", "type": "message", "text": text, "channel": "app", **who},
        )
    said = "您好，马上为您处理" if chinese else "Thank you, we are looking into it"
    yield spoken * 90.0 + 60, {"id": f"a{number}", "type": "message", "role": "bot", "text": said, **who}
    if random.random() < 0.85:
        helper = {"agent_id": f"agent-{int(random.integers(20)):02}", "resolved": bool(random.random() < 0.9)}
        after = float(random.uniform(300, 7200))
        yield after, {"id": f"r{number}", "type": "resolution", "role": "agent", **helper, **who}
        if random.random() < 0.3:
            yield (
                after + 60,
                {"id": f"s{number}", "type": "rating", "rating": int(random.integers(1, 6)), **who},
            )


def _written(random: np.random.Generator, product: int, fault: int, chinese: bool) -> str:
    place = 0 if chinese else 1
    ways, before, after = (ZH, BEFORE_ZH, AFTER_ZH) if chinese else (EN, BEFORE_EN, AFTER_EN)
    way = min(int(random.exponential(3.0)), len(ways) - 1)
    body = ways[way].format(p=PRODUCTS[product][place], f=FAULTS[fault][place])
    end = after[int(random.integers(len(after)))]
    end = end.format(n=int(random.integers(10**9, 10**10)), d=int(random.integers(2, 9)))
    return f"{before[int(random.integers(len(before)))]}{body}{end}"


def written(path: Path, seed: int, size: Size | None = None) -> int:
    """A history in a file, one event a line; how many there are."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for event in history(seed, size):
            file.write(json.dumps(event, ensure_ascii=False) + "\n")
            count += 1
    return count
