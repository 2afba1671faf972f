"""Texts of pages that tell what went wrong. A key that begins with `advice` says what to do, by the answer's status."""

from __future__ import annotations

from collections.abc import Mapping

_ADVICE: Mapping[str, tuple[str, str]] = {
    "advice 400": ("Open the page again and try once more.", "请重新打开页面后再试。"),
    "advice 403": (
        "If you need this for your work, ask an administrator of your shop for the role.",
        "如果工作需要，请让店铺管理员为您分配相应角色。",
    ),
    "advice 404": (
        "It may have been removed or merged, or the address is not quite right.",
        "它可能已被删除或合并，或者地址有误。",
    ),
    "advice 405": ("Go back and use the buttons of the page.", "请返回并使用页面上的按钮。"),
    "advice 409": ("Open the page again: it shows how things stand now.", "请重新打开页面查看最新状态。"),
    "advice 413": (
        "Nothing was stored. Go back and send less: fewer or smaller files, or a shorter text.",
        "未保存任何内容。请返回并减少发送的内容：更少或更小的文件，或更短的文字。",
    ),
    "advice 422": (
        "Nothing was stored. Go back and mend that; your browser keeps what you typed.",
        "未保存任何内容。请返回修改；浏览器会保留您填写的内容。",
    ),
    "advice 429": ("Wait a few seconds, then try again.", "请等待几秒后再试。"),
    "advice 500": (
        "Try again. If it stays so, tell whoever runs this service.",
        "请再试一次。如果仍然如此，请告知负责运行本服务的人员。",
    ),
    "advice 503": (
        "Nothing was stored. Wait a few seconds, then try again.",
        "未保存任何内容。请等待几秒后再试。",
    ),
}
ZH: Mapping[str, str] = {
    "You may not do that": "您无权执行此操作",
    "What was sent is larger than {size} MB.": "发送的内容超过 {size} MB。",
    "The log has it under {id}.": "日志中的编号为 {id}。",
    "The service did not answer. Nothing was lost here: try again in a moment.": "服务没有响应。此处的内容没有丢失，请稍后再试。",
    **{key: chinese for key, (_, chinese) in _ADVICE.items()},
}
EN: Mapping[str, str] = {key: english for key, (english, _) in _ADVICE.items()}
