"""Texts of what needs care among documents: conflicts, and what is out of date. The English text is the key; a key that is no English has its English in `EN`."""

from __future__ import annotations

from collections.abc import Mapping

ZH: Mapping[str, str] = {
    "Look again": "再次查看",
    "Keep “{title}”": "保留《{title}》",
    "Keep the {count} others": "保留另外 {count} 篇",
    "The chosen others end now": "所选其他文档即刻失效",
    "This goes before the chosen others": "以此篇取代所选文档",
    "Keep {title}: the chosen others end now": "保留《{title}》，所选其他文档即刻失效",
    "Keep {title}: it goes before the chosen others": "保留《{title}》，以此篇取代所选文档",
    "“{title}” ends now": "《{title}》即刻失效",
    "{title} ends now": "《{title}》即刻失效",
    "“{title}” contradicts {count} documents": "《{title}》与 {count} 篇文档矛盾",
    "“{one}” and “{other}”": "《{one}》与《{other}》",
    "{count} contradictions": "{count} 处矛盾",
    "{count} more contradictions, settled by the same decision": "另有 {count} 处矛盾，由同一决定解决",
    "{count} contradictions in {decisions} groups, each settled by one decision.": "共 {count} 处矛盾，分为 {decisions} 组，每组一个决定即可解决。",
    "No longer valid: {other}. Kept: {keep}.": "已失效：{other}。保留：{keep}。",
    "As it was before: {documents}.": "已恢复原状：{documents}。",
    "Documents out of date": "需更新的文档",
    "stale open": "需要查看",
    "stale looked": "已查看",
    "Documents that somebody looked at and found right. Each comes back on its day, or earlier if it changes or something else speaks against it.": "有人查看过且内容仍然正确的文档。到期后会重新列出；若文档有改动或出现新的原因，会提前列出。",
    "Looked at {when}, to be looked at again on {day}.": "{when} 已查看，{day} 再次查看。",
    "The first {shown} of {all}.": "共 {all} 篇，显示前 {shown} 篇。",
    "Nobody marked a document as looked at.": "没有标记为已查看的文档。",
    "{title}: look again": "《{title}》何时再次查看",
    "after {days} days": "{days} 天后",
    "Still right": "仍然正确",
    "{title} is still right": "《{title}》仍然正确",
    "Look at {title} again": "重新查看《{title}》",
    "Needs a look after all": "还是需要查看",
    "Marked as looked at: {id} comes back on {when}, or earlier if it changes or something else speaks against it.": "已标记为查看过：{id} 将于 {when} 重新列出；若有改动或出现新的原因，会提前列出。",
    "{id} needs a look again.": "{id} 已重新列为需要查看。",
}
EN: Mapping[str, str] = {
    "stale open": "Need a look",
    "stale looked": "Looked at",
}
