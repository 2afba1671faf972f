"""Texts of the page of backups. The English text is the key; a key that is no English has its English in `EN`."""

from __future__ import annotations

from collections.abc import Mapping

ZH: Mapping[str, str] = {
    "A backup holds every workspace of this installation: documents, cases, problems, rules, members. Search indexes are made anew from it.": "备份包含本安装的所有工作区：文档、会话、问题、规则和成员。检索索引会据此重建。",
    "Make a backup now": "立即备份",
    "A backup is being made.": "正在生成备份。",
    "This page shows it as soon as it is done.": "完成后会显示在本页。",
    "The last one failed": "上次备份失败",
    "Nightly backups": "夜间备份",
    "Each night one is written to {folder}; the latest {kept} stay.": "每晚写入 {folder}，保留最近 {kept} 份。",
    "None is made at night. Name a folder in KB_BACKUPS, best on another disk, and start the service again. Those made by hand lie in {folder}; the latest {kept} stay.": "目前没有夜间备份。请用 KB_BACKUPS 指定文件夹（最好在另一块磁盘上）并重启服务。手动备份存放在 {folder}，保留最近 {kept} 份。",
    "The newest backup is {age} old.": "最近一次备份是在 {age}前。",
    "made by night": "夜间",
    "made by hand": "手动",
    "{age} ago": "{age}前",
    "is sound": "完好",
    "is damaged": "已损坏",
    "is unchecked": "未校验",
    "read to its end {when}": "{when} 完整读取",
    "Check": "校验",
    "Check {name}": "校验 {name}",
    "Download": "下载",
    "Download {name}": "下载 {name}",
    "Checksum": "校验和",
    "The checksum file is missing.": "缺少校验和文件。",
    "by version {version}": "版本 {version}",
    "No backup so far.": "暂无备份。",
    "{name} is as it was written.": "{name} 与写入时一致。",
    "{name} is damaged: do not rely on it.": "{name} 已损坏，请勿使用。",
    "There is more than one workspace here, and a backup holds them all: only operators of this installation see, make and download them. On the server there is `kb backup`.": "本安装有多个工作区，备份包含全部内容：仅运维人员可以查看、生成和下载。在服务器上可使用 `kb backup`。",
    "Restoring": "恢复",
    "Done on the server, with the service stopped. What is there is kept aside.": "在服务器上停止服务后执行。原有数据会另行保留。",
}
EN: Mapping[str, str] = {
    "made by night": "nightly",
    "made by hand": "by hand",
    "is sound": "sound",
    "is damaged": "damaged",
    "is unchecked": "not checked yet",
}
