"""Texts of the traffic pages. The English text is the key; a key that is no English has its English in `EN`."""

from __future__ import annotations

from collections.abc import Mapping

ZH: Mapping[str, str] = {
    "The next 48 hours": "未来 48 小时",
    "Two days of messages are needed for a forecast.": "预测需要至少两天的消息。",
    "Cases an hour to expect, with the band that holds 80 of 100; at most {top}": "预计每小时会话数，色带为 80% 区间，最高 {top}",
    "As a table": "以表格显示",
    "Hour": "时间",
    "expected": "预计",
    "people needed": "所需人数",
    "Cases by hour of the week": "每周各时段会话数",
    "By": "维度",
    "by expertise": "领域",
    "by channel": "渠道",
    "by product": "商品",
    "Of": "对象",
    "day 1": "周一",
    "day 2": "周二",
    "day 3": "周三",
    "day 4": "周四",
    "day 5": "周五",
    "day 6": "周六",
    "day 7": "周日",
    "{cases} cases, {messages} messages, {customers} customers from {begin} to {end}": "{begin} 至 {end}：{cases} 个会话，{messages} 条消息，{customers} 位顾客",
    "Surges": "流量激增",
    "surge open": "进行中",
    "surge closed": "已结束",
    "Who could help": "可支援的人",
    "{needed} people are needed, {online} are there": "需要 {needed} 人，在岗 {online} 人",
    "Nobody is needed beyond those who are there.": "在岗人手已够。",
}
EN: Mapping[str, str] = {
    "by expertise": "expertise",
    "by channel": "channel",
    "by product": "product",
    "day 1": "Monday",
    "day 2": "Tuesday",
    "day 3": "Wednesday",
    "day 4": "Thursday",
    "day 5": "Friday",
    "day 6": "Saturday",
    "day 7": "Sunday",
    "surge open": "going on",
    "surge closed": "over",
}
