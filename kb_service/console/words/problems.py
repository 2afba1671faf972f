"""Texts of the board of problems. The English text is the key; a key that is no English has its English in `EN`."""

from __future__ import annotations

from collections.abc import Mapping

ZH: Mapping[str, str] = {
    "Search": "搜索",
    "State": "状态",
    "No problem fits.": "没有符合条件的问题。",
    "{customers} customers, {events} messages": "{customers} 位顾客，{events} 条消息",
    "first {when}": "首次 {when}",
    "silent until {when}": "静默至 {when}",
    "for": "时长",
    "a day": "一天",
    "a week": "一周",
    "do acknowledge": "确认",
    "do silence": "静默",
    "do reopen": "重新打开",
    "Evidence": "依据",
    "Messages a day over {days} days, at most {most}": "{days} 天内每日消息数，最多 {most} 条",
    "What customers say": "顾客原话",
    "What answers it": "可用答复",
    "Nothing yet: a document is missing.": "暂无：缺少相应文档。",
    "Alerts": "预警",
}
EN: Mapping[str, str] = {
    "do acknowledge": "Acknowledge",
    "do silence": "Silence",
    "do reopen": "Reopen",
}
