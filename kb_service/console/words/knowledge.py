"""Texts of the knowledge pages. The English text is the key; a key that is no English has its English in `EN`."""

from __future__ import annotations

from collections.abc import Mapping

ZH: Mapping[str, str] = {
    "valid from {when}": "自 {when} 起有效",
    "kind product": "商品",
    "kind policy": "政策",
    "kind resolution": "解决记录",
    "kind faq": "常见问题",
    "version {number}": "第 {number} 版",
    "Documents": "文档",
    "Gaps": "缺口",
    "Conflicts": "矛盾",
    "Out of date": "需更新",
    "No document fits.": "没有符合条件的文档。",
    "Questions without a good answer, those of most customers first.": "没有满意答复的问题，按顾客数排列。",
    "{customers} customers asked {questions} questions": "{customers} 位顾客提出 {questions} 个问题",
    "reason nothing_found": "没有找到任何内容",
    "reason unsure": "找到的内容多半不对",
    "reason rejected": "给出的答复被拒绝",
    "reason rewritten": "客服重写了给出的答复",
    "reason reopened": "答复之后顾客又来询问",
    "reason expired": "相关文档已失效或仍是草稿",
    "Nearest document": "最接近的文档",
    "Write the article": "撰写文章",
    "Question": "问题",
    "Answer": "答复",
    "From replies that customers accepted; check it before you publish.": "取自顾客接受的答复，发布前请核对。",
    "Publish": "发布",
    "Every question had a good answer.": "所有问题都有满意的答复。",
    "Valid documents that contradict one another. Questions about them go to a person.": "互相矛盾的有效文档；涉及它们的提问会转给人工。",
    "None was found.": "暂无。",
    "Documents that need a look, the most pressing first.": "需要查看的文档，最紧要的在前。",
}
EN: Mapping[str, str] = {
    "kind product": "product",
    "kind policy": "policy",
    "kind resolution": "resolution",
    "kind faq": "FAQ",
    "reason nothing_found": "nothing was found",
    "reason unsure": "what was found was probably wrong",
    "reason rejected": "the replies were refused",
    "reason rewritten": "agents wrote other replies",
    "reason reopened": "customers came back after the answer",
    "reason expired": "the only matching document is not in force",
}
