"""A reply does not begin with Yes to what it goes on to deny."""

from __future__ import annotations

import pytest

from kb_service.replying.openings import wrong_yes
from tests.kb_service.conftest import Api

PLANE = "能，74 Wh，低于 100 Wh。只能随身带，不能托运，机上不要使用。"
WATCH = "Yes, it is rated 5 ATM: swim and shower with it. Not for diving, sauna or hot springs."


@pytest.mark.parametrize(
    ("reply", "query", "written_for", "left"),
    [
        (PLANE, "PB20能托运吗", "充电宝 PB20 能带上飞机吗", "74 Wh"),
        (PLANE, "充电宝能带上飞机吗", "充电宝 PB20 能带上飞机吗", "能，"),
        (PLANE, "PB20能坐高铁带吗", "充电宝 PB20 能带上飞机吗", "能，"),
        (WATCH, "can I wear the watch in the sauna", "Is the WT2 waterproof?", "it is rated"),
        (WATCH, "can I shower with the watch", "Is the WT2 waterproof?", "Yes, it"),
        ("不能，入耳式不能退。", "耳塞能退吗", "耳机能退吗", "不能，"),
        ("能力有限，不能托运。", "能托运吗", "能带吗", "能力"),
    ],
)
def test_yes_is_left_out_where_what_is_asked_is_denied(
    reply: str, query: str, written_for: str, left: str
) -> None:
    assert reply[wrong_yes(reply, query, written_for) :].startswith(left)


def test_what_is_left_of_a_reply_is_still_a_quote_of_its_source(api: Api) -> None:
    fields = {
        "question": "Can I take the power bank on a plane?",
        "reply": "Yes, in the cabin. Never in checked luggage.",
    }
    api.put("/v1/documents/plane", {"kind": "faq", "title": "Power bank", "language": "en", "fields": fields})
    query = {"query": "Can the power bank go in checked luggage on a plane?"}
    (answer, *_) = api.post("/v1/answers", query).json()["answers"]
    assert answer["text"] == "in the cabin. Never in checked luggage."
    (citation,) = answer["citations"]
    assert citation["quote"] == answer["text"]
    assert citation["end"] - citation["start"] == len(answer["text"])
