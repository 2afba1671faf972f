"""Texts of the administration. The English text is the key; a key that is no English has its English in `EN`."""

from __future__ import annotations

from collections.abc import Mapping

ZH: Mapping[str, str] = {
    "Members": "成员",
    "Audit trail": "操作记录",
    "One-time link": "一次性链接",
    "Give it to the person by a way that others do not read. It works once, within a day, and is not shown again.": "请通过他人看不到的方式交给本人。链接一天内有效，仅能使用一次，且不再显示。",
    "role bot": "机器人",
    "role agent": "客服",
    "role product": "产品",
    "role editor": "编辑",
    "role admin": "管理员",
    "New link": "新链接",
    "End membership": "移除",
    "you": "您本人",
    "Invite somebody": "邀请成员",
    "Name": "姓名",
    "Roles": "角色",
    "The agent that they are": "对应的客服",
    "none": "无",
    "Make the link": "生成链接",
    "When": "时间",
    "Who": "操作人",
    "What": "操作",
    "Of what": "对象",
}
EN: Mapping[str, str] = {
    "role bot": "bot",
    "role agent": "agent",
    "role product": "product",
    "role editor": "editor",
    "role admin": "administrator",
}
