"""Texts of the picture of the problem graph. The English text is the key; a key that is no English has its English in `EN`."""

from __future__ import annotations

from collections.abc import Mapping

ZH: Mapping[str, str] = {
    "Picture of the problems": "问题图谱",
    "Find and filter": "查找与筛选",
    "spoken of within": "最近提及",
    "any time": "不限时间",
    "{days} days": "{days} 天内",
    "drawn problem": "问题",
    "drawn product": "商品",
    "drawn policy": "政策",
    "drawn answer": "答复",
    "drawn expertise": "专长",
    "drawn kind": "图中类别",
    "no expertise": "未归入专长",
    "Larger: more customers": "越大表示顾客越多",
    "Zoom in": "放大",
    "Zoom out": "缩小",
    "Fit": "全图",
    "Show everything": "显示全图",
    "Links": "连线",
    "Show the links of every node": "显示所有节点的连线",
    "The problem graph: {problems} problems and what they are tied to. Arrow keys walk, Escape goes back, plus and minus zoom. The list beside it says the same.": "问题图谱：{problems} 个问题及其关联内容。方向键逐个查看，Esc 返回，加减号缩放。旁边的列表内容相同。",
    "{shown} of {all} shown": "显示 {shown} / {all}",
    "The {drawn} problems of most customers are drawn, of {all}.": "共 {all} 个问题，图中为顾客最多的 {drawn} 个。",
    "The largest": "最主要的节点",
    "Choose one to see what it is tied to.": "选择一项，查看与其关联的内容。",
    "Nothing fits. Widen the filters.": "没有符合条件的内容，请放宽筛选条件。",
    "There is nothing to draw yet: problems appear when customers write.": "暂无内容：顾客来信后会出现问题。",
    "{customers} customers of {problems} problems": "{problems} 个问题，{customers} 位顾客",
    "1 problem, {customers} customers": "1 个问题，{customers} 位顾客",
    "{customers} customers": "{customers} 位顾客",
    "Open the problem": "查看问题",
    "Open the document": "查看文档",
    "In the picture": "在图谱中查看",
    "Tied to": "关联内容",
    "It is tied to nothing that is drawn.": "图中没有与其关联的内容。",
    "and {more} more": "另有 {more} 项",
    "Back to all": "返回全部",
    "This is not in the picture: it is gone, or of too few customers to be drawn.": "图中没有此项：它已不存在，或顾客太少而未画出。",
}
EN: Mapping[str, str] = {
    "drawn problem": "problem",
    "drawn product": "product",
    "drawn policy": "policy",
    "drawn answer": "answer",
    "drawn expertise": "expertise",
    "drawn kind": "Drawn",
}
