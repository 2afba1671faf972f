"""What a clause denies, permits, requires, limits or makes a condition, and whom it binds. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from ingest.language import fold

MARKERS: Mapping[str, re.Pattern[str]] = {
    "denies": re.compile(
        r"不(?!仅|但|过|同|锈|错|久|管|论|断)|没(?!收)|无(?!线|论|人机)|未|非(?!常)|勿|别(?!的|人)|禁止|拒|除外|除了?(?=[\u3400-\u9fff])|以外|例外"
        r"|\b(?:not|no|never|none|nor|neither|cannot|without|unless|except(?:ed|ions?|ing)?|exclud\w+|refus\w+|non)\b|n't\b"
    ),
    "only": re.compile(r"仅|只(?!需|要)|限(?!制|度)|\b(?:only|solely|just once|limited to)\b"),
    "condition": re.compile(
        r"如果|如(?!何|下)|若|须在|的话|凡|只要|前提|情况下|超过|逾期|满(?=\s?[¥￥\d])"
        r"|\b(?:if|unless|provided|as long as|when|once|until|in case|over|above|below|beyond|under)\b"
    ),
    "requires": re.compile(
        r"必须|须|需要|需|应(?:当|该)?(?!用)|要求"
        r"|\b(?:must|have to|has to|need(?:s|ed)? to|require\w*|should)\b"
    ),
    "permits": re.compile(
        r"可以?(?!能)|能(?!量|源|耗)|允许|支持|接受|\b(?:can|may|allowed|able|permitted|accepted)\b"
    ),
    "most": re.compile(
        r"最多|最高|最长|不超过|至多|上限|以内|之内|(?<=[天日时月年])内|以下"
        r"|\b(?:at most|up to|maximum|max|within|no more than)\b"
    ),
    "least": re.compile(
        r"最少|最低|至少|起(?!来|床|诉)|以上|不少于|\b(?:at least|minimum|min|from|or more|no less than)\b"
    ),
    "before": re.compile(r"之前|以前|前(?!往|提|面|台|后)|\b(?:before|until|by|prior)\b"),
    "after": re.compile(r"之后|以后|后(?!面|台|续)|\b(?:after|from|since|once|following)\b"),
}
"""Words of one meaning, Chinese and English. A clause that is reworded must keep each of these as it was."""
KEPT = ("denies", "only", "condition", "requires", "most", "least", "before", "after")
"""Markers that a reworded clause has exactly where its source has them."""
_SHOP = re.compile(r"拾岚|我们|我司|本店|商家|卖家|平台|客服|\b(?:we|us|our|ours|shop|store|seller)\b")
_CUSTOMER = re.compile(r"顾客|客户|买家|用户|您|你|自付|自理|\b(?:you|your|yours|customers?|buyers?)\b")


def markers(clause: str) -> Counter[str]:
    """How often a clause denies, limits, and so on; a double negation counts twice."""
    folded = fold(clause)
    return Counter({name: len(pattern.findall(folded)) for name, pattern in MARKERS.items()})


def parties(clause: str) -> frozenset[str]:
    """Whom a clause speaks of: the shop, the customer, both or none."""
    folded = fold(clause)
    named = {"shop": _SHOP, "customer": _CUSTOMER}
    return frozenset(party for party, pattern in named.items() if pattern.search(folded))
