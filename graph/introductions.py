"""Who writes and how to reach them: what a message may say of its writer before it says what it is about."""

from __future__ import annotations

import re

_SURNAME = (
    "(?:欧阳|司马|上官|诸葛|夏侯|皇甫|公孙|慕容|令狐|"
    "[王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹"
    "袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷"
    "钱汤尹黎易常武乔贺赖龚文張劉陳楊趙黃吳孫馬羅鄭謝韓馮許蔣賈葉閻鍾])"
)
_NO_GIVEN_NAME = (
    "的了吗嘛呢吧啊色个家客州西徽宁个们不没在要想买卖单款码级员卡金户号高一中只是有装卓装说必求知"
)
_GIVEN = rf"[^\W\d_a-zA-Z{_NO_GIVEN_NAME}]"
_ENDS = r"(?=$|[^\w]|电话|手机|联系|微信|邮箱|地址|收货|订单)"
_MASK = r"\[[A-Z]+\]"
_REACHED_BY = rf"(?:{_MASK}|\+?\d[\d\s()-]{{5,18}}\d|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
_HANDLE = rf"(?:{_REACHED_BY}|[A-Za-z][A-Za-z0-9_-]{{4,19}}(?!\w))"
_SAID = re.compile(
    rf"(?:我|本人)(?:的名字)?(?:叫|姓)(?:做)?\s*(?:{_MASK}|{_SURNAME}{_GIVEN}{{0,2}}|"
    rf"[小阿老]{_GIVEN}{{1,2}}){_ENDS}"
    rf"|(?:我|本人)(?:叫|是)\s*(?:{_MASK}|{_SURNAME}{_GIVEN}{{1,2}}|[A-Z][a-z]+(?: [A-Z][a-z]+)?(?=\W|"
    rf"$)){_ENDS}"
    rf"|(?:我的|我)?(?:微信|qq|QQ|wechat)(?:号码|号)?\s*(?:是|为|:|：)?\s*{_HANDLE}"
    r"|(?:我的|我)?(?:联系电话|联系方式|电话|手机|号码|邮箱|姓名|名字|收货地址|地址|收件人|收货人|"
    r"联系人)(?:号码|号)?"
    rf"\s*(?:是|为|:|：)?\s*{_REACHED_BY}"
    rf"|(?i:\bmy (?:full |first |last )?name(?:'s| is))\s+(?:{_MASK}|"
    rf"[A-Z][a-z'-]+(?: [A-Z][a-z'-]+){{0,2}})(?=\W|$)"
    rf"|(?i:\bi(?:'m| am)|\bthis is)\s+(?:{_MASK}|[A-Z][a-z'-]+ [A-Z][a-z'-]+)(?=\s*(?:$|[,.;!\n]|and\b))"
    r"|(?i:\b(?:and )?(?:(?:you can )?(?:reach|call|contact|text|phone) me (?:on|at|under)|my (?:mobile |"
    r"phone |cell |"
    r"contact |e-?mail |telephone )?(?:number|phone|mobile|cell|e-?mail|address|telephone|tel)(?: address|"
    r" number)?"
    rf"(?:'s| is|:)?|(?:phone|tel|mobile|e-?mail)\s*:?))\s*{_REACHED_BY}"
    rf"|{_MASK}",
)
"""Masks stand where personal data stood."""


def without_introduction(text: str) -> str:
    """A message without what only says who writes and how to reach them ("我叫王小明，电话138…", "my name is Jane")."""
    return _SAID.sub(" ", text)
