from __future__ import annotations

import pytest

from graph.person_requests import asks_for_person, without_refusal
from tests.graph.requests import ASKS_FOR_PERSON, DOES_NOT_ASK, lines

ASKING, OTHERS = lines(ASKS_FOR_PERSON), lines(DOES_NOT_ASK)


def test_there_are_utterances_enough_in_both_languages() -> None:
    for utterances in (ASKING, OTHERS):
        assert len(utterances) == len(set(utterances)) >= 60
        english = sum(text.isascii() for text in utterances)
        assert 25 <= english <= len(utterances) - 25


def test_requests_for_a_person_are_heard_and_nothing_else_is_taken_for_one() -> None:
    missed = [text for text in ASKING if not asks_for_person(text, "zh")]
    false = [text for text in OTHERS if asks_for_person(text, "zh")]
    found = len(ASKING) - len(missed)
    assert found / len(ASKING) >= 0.97, missed
    assert found / (found + len(false)) >= 0.97, false


@pytest.mark.parametrize(
    "text",
    [
        "不要转人工",
        "人工客服几点上班",
        "价保要联系客服还是自己点",
        "顾客要求转人工怎么办",
        "what are your support hours",
        "when can I talk to an agent",
        "customer wants to speak to a manager, what do I do",
    ],
)
def test_a_refusal_a_question_about_support_and_a_report_are_no_request(text: str) -> None:
    assert not asks_for_person(text, "en")


def test_a_refusal_does_not_hide_a_request() -> None:
    assert asks_for_person("不要机器人，转人工", "zh")
    assert asks_for_person("I don't want a bot, give me a human", "en")


@pytest.mark.parametrize(
    "text",
    [
        "转接人工客服要等多久",
        "人工客服要排队多久",
        "how long do I have to wait for a human agent",
        "你是人工客服吗",
        "are you a real person?",
    ],
)
def test_a_question_about_waiting_or_who_answers_was_taken_for_a_request(text: str) -> None:
    assert not asks_for_person(text, "zh")


@pytest.mark.parametrize(
    "text",
    [
        "is there anyone real here??",
        "转人工要等多久啊，快点给我转人工",
        "are you a bot? I want a person",
    ],
)
def test_a_request_beside_such_a_question_is_heard(text: str) -> None:
    assert asks_for_person(text, "en")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("I don't need a human, just tell me the return window", "just tell me the return window"),
        ("不要转人工，告诉我退货时间", "告诉我退货时间"),
        ("不用人工了谢谢", "谢谢"),
        ("don't transfer me to an agent", ""),
        ("我要退货", "我要退货"),
        ("I don't want a bot, give me a human", "I don't want a bot, give me a human"),
        ("安装不要人工费吧", "安装不要人工费吧"),
    ],
)
def test_a_refused_person_hid_the_question_beside_it(text: str, left: str) -> None:
    assert without_refusal(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "找个能做主的人",
        "叫个说了算的来",
        "给我回个电话吧",
        "your bot is useless, connect me",
        "please call me back",
    ],
)
def test_who_decides_and_a_call_back_are_asked_of_people(text: str) -> None:
    assert asks_for_person(text, "zh")


@pytest.mark.parametrize(
    "text", ["我要人工安装升降桌", "快递员没给我回电话", "does the app connect me to the speaker"]
)
def test_work_done_by_hand_and_what_did_not_happen_are_no_requests(text: str) -> None:
    assert not asks_for_person(text, "zh")
