"""A shop of a few files: what commands and ingest are tried on where the whole sample would take long."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

RETURNS = """# Returns

Unworn clothing may be returned within 30 days of delivery.

## Postage

We pay the postage when the goods arrived damaged.
"""
SHIPPING = """---
external_id: shipping-zh
title: 配送说明
language: zh
---

# 配送说明

普通包裹三天内送达,偏远地区七天内送达。
"""
FAQ_COLLECTION = """[defaults]
kind = "faq"

[files."faq.csv"]
records = true
language = "en"
id_template = "faq-{id}"
title = "{question}"
question = "{question}"
reply = "{answer}"
"""
FAQ = """id,question,answer
1,How do I get an invoice?,Open the order and choose Invoice.
2,Can I change my address?,Yes until the parcel has left our warehouse.
"""
PRODUCT = """---
external_id: product-K1
title: Kettle K1
language: en
products: [K1]
fields: {Capacity: 1.7 l, Warranty: 2 years}
---

# Kettle K1

The kettle boils 1.7 litres in four minutes and switches itself off.
"""
RESOLUTION = {
    "external_id": "resolution-1",
    "language": "en",
    "title": "Kettle leaks",
    "question": "My new kettle leaks at the bottom, call me on 13812345678",
    "reply": "Sorry about that. We send a new one today.",
}
INTENTS = [
    {"id": "return", "label": "Return", "examples": ["I want to send it back", "我要退货", "return this"]},
    {"id": "parcel", "label": "Parcel", "examples": ["where is my parcel", "包裹到哪了", "it has not come"]},
]
AGENTS = [
    {"id": "agent-01", "name": "agent-01", "languages": ["en", "zh"], "skills": ["Return"], "online": True}
]
EVENTS = [
    {
        "id": f"e-{number}",
        "type": "message",
        "at": f"2026-06-0{number}T09:00:00+08:00",
        "conversation_id": f"c-{number}",
        "customer_id": f"u-{number}",
        "channel": "app",
        "text": "the kettle leaks water at the bottom",
    }
    for number in (1, 2, 3)
] + [
    {
        "id": "e-9",
        "type": "agent_state",
        "at": "2026-06-04T09:00:00+08:00",
        "agent_id": "agent-01",
        "state": "offline",
    }
]
QUESTIONS = [
    {"id": "q1", "query": "returned within 30 days", "language": "en", "expected": ["policies:returns.md"]},
    {"id": "q2", "query": "偏远地区几天送达", "language": "zh", "expected": ["shipping-zh"]},
    {"id": "q3", "query": "lottery numbers for friday", "language": "en", "expected": []},
]
DOCUMENTS = 6


def write(folder: Path) -> Path:
    """The shop's files under `folder`, which is returned."""
    files = {
        "policies/returns.md": RETURNS,
        "policies/shipping.md": SHIPPING,
        "faq/collection.toml": FAQ_COLLECTION,
        "faq/faq.csv": FAQ,
        "products/kettle.md": PRODUCT,
        "resolutions/resolutions.jsonl": _lines([RESOLUTION]),
        "intents.jsonl": _lines(INTENTS),
        "agents.jsonl": _lines(AGENTS),
        "events.jsonl": _lines(EVENTS),
        "questions.jsonl": _lines([{**item, "split": "report"} for item in QUESTIONS]),
        "collection.toml": 'ignore = ["intents.jsonl", "agents.jsonl", "events.jsonl", "questions.jsonl"]\n',
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def _lines(items: Iterable[Mapping[str, object]]) -> str:
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)
