"""What kind of fault a message reports (burning, a leak, a part missing), told by words of either language.

Vectors of short messages say above all what a message is about. That a shop's kettle sparks, that it came without its
base and how to clean it are near neighbours for them; by the kind of fault they are three matters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from graph.folding import fold

_CHINESE = {
    "burning": "[烧燒][焦化坏糊毁黑着穿]|焦[糊味臭]|糊味|冒[烟煙火]|火[花星]|打火|[起着]火|[融熔]化|"
    "[烧热烫]变形|爆炸|炸[了开]|鼓包|鼓起来|膨胀|过热|[发很太好特别]烫|烫手",
    "shock": "漏[电電]|触电|[电電](?:到|了)[我手人一]|[电電]人|[麻]手|静电",
    "leak": "[漏渗滴冒][了着]?(?:一地|很多)?[水油液气]|(?<!遗)(?<!缺)漏(?![电電发寄件送])|渗出",
    "hole": "破[了洞损的]|有个?(?:小|大)?洞|[个好多]+洞|[撕扯]裂|撕[破了开]|开[线缝胶]|脱[线胶]|起球|"
    "勾丝|跑[绒毛]|钻绒|漏绒|掉毛",
    "cracked": "[碎裂断]了|碎成|裂[开缝纹]|摔[碎坏]|压[坏扁碎]|[划刮]痕|凹[陷了]|变形|断[成掉裂]|"
    "掉[了下]来|脱落|松动",
    "missing": "[少缺](?:了|一|两|个|件|发|东西|配件|零件)|漏[发寄件]|没[有见]?(?:配|附|带|底座|充电|"
    "说明书|配件|零件|遥控)|里面没有|空(?:包裹|盒|箱)",
    "another's": "[别他旁]人的|人家的|其他(?:人|客户|顾客)的?|陌生人|不是我(?:的|买|订)|[发寄送][错成]|"
    "错发|张冠李戴|串(?:单|号)",
    "dead": "没[有]?反[应映]|不工作|打不开|开不[了机]|不[能]?(?:启动|通电|充电|转|亮|出|响)|"
    "[充冲]不(?:了|进|上)|失灵|死机|卡[死住顿]|[白黑蓝花]屏|闪退|崩溃|用不[了成]|"
    "点不[动了]|按不[动了]|无法|罢工|停[止]?(?:工作|转)|没声音|不动了|自动关机|报错|显示错误",
    "connection": "断连|断开|连不[上了]|连接(?:不|失败|断)|配对(?:不|失败)|断断续续|掉线|搜不到",
    "noise": "异响|噪[音声]|吵|嗡嗡|吱吱|咔[咔哒]|啸叫|杂音|[哨怪]声|[响叫]个不停|一直[在]?[响叫]",
    "colour": "[掉褪脱串染]色|色.{0,3}掉|变[色黄黑白]|泛黄|发黄|[染沾]到",
    "smell": "[异臭怪霉腥]味|味道(?:很|太|好|特别)?[大重臭怪刺]|刺鼻|发[霉臭馊]|有股|生锈|长[毛霉虫]|虫子",
    "hurt": "过敏|[起长]疹|发痒|红肿|[划割扎夹弄烫]伤|受伤|流血|[割划扎]到手",
    "shrunk": "缩水|洗.{0,3}小了|变小了|撑大了|洗.{0,3}变形",
    "stolen": "被[盗偷抢]|盗[号刷用]|冒用|偷[了走]",
}
_ENGLISH = {
    "burning": r"burn(?:s|t|ed|ing)?\b(?! out)|scorch\w*|smok(?:e|es|ed|ing)\b|spark(?:s|ed|ing)?\b|"
    r"melt\w*|on fire|caught fire|flames?\b|explod\w*|blew up|swell\w*|swollen|bulg\w*|"
    r"overheat\w*|(?:too|very|so|really|extremely|burning|boiling) hot|gets? hot",
    "shock": r"electric(?:al)? shock|shock(?:s|ed)\b|electrocut\w*|tingl\w*|zapp?(?:s|ed)\b",
    "leak": r"leak\w*|drip(?:s|ped|ping)\b|seep\w*|water (?:all over|comes? out)|puddle\w*",
    "hole": r"holes?\b|torn\b|tears?\b|rip(?:s|ped)\b|seams?\b|unravel\w*|frayed|threadbare|"
    r"feathers? (?:com\w+|leak\w+|everywhere)",
    "cracked": r"crack(?:s|ed)?\b|shatter\w*|broke (?:off|in)|snapp\w*|bent\b|dent(?:s|ed)?\b|scratch\w*|"
    "fell (?:off|apart)|came off|comes? off|chipp?ed|deformed|warped|squashed|crushed|"
    r"loose\b|wobbl\w*",
    "missing": r"missing|(?:came|arrived|comes|was|were|delivered|box) (?:\w+ ){0,2}without|"
    r"not (?:in the box|included)|(?:was|were|is) no \w+ in|empty (?:box|parcel|package)|"
    "incomplete|forgot to (?:send|include|pack)|short of",
    "another's": "(?:some|any)(?:one|body) else|another (?:customer|person|buyer|user|shopper|company|man|"
    r"woman)|other (?:people|customers?)\b|strangers?\b|not mine|wrong (?:item|product|name|"
    "person|customer|parcel|colou?r|size|one|model)|different (?:person|item|product)",
    "dead": r"(?:do|does|did|is|will|can|ca|wo|would|could)(?:n'?t|nt| not) (?:\w+ ){0,2}?(?:work|"
    "turn|start|switch|open|load|respond|react|boot|go|heat|cool|spin|move|play|charge|power|"
    r"display|do)\w*|not (?:working|responding|charging|loading)|does nothing|nothing happens|"
    r"no (?:sound|power|response|reaction|display)|stop(?:s|ped) (?:\w+ing)|dead\b|froze\w*|"
    r"crash\w*|(?:white|black|blank|blue) screen|is blank|unresponsive|stuck on|hangs\b|"
    r"shuts? (?:down|off)|dies\b|died\b|fails?\b|failed\b|broke down|error (?:message|code)",
    "connection": r"disconnect\w*|(?:drop|los)\w* (?:\w+ ){0,2}connection|connection (?:\w+ )?(?:drop|lost|"
    r"fail)\w*|(?:wo|ca|do|does|will|can)(?:n'?t| ?not) (?:\w+ )?(?:pair|connect)\w*|"
    "keeps? dropping|cuts? out",
    "noise": r"noise|noisy|rattl\w*|buzz\w*|whistl\w*|squeak\w*|hum(?:s|ming)\b|grinding|clicking|"
    r"hissing|loud\b",
    "colour": r"fad(?:es|ed|ing)\b|discolou?r\w*|bleed(?:s|ing)?\b|bled\b|dye\b|turned (?:yellow|grey|"
    r"gray|pink|black|white|brown)|yellow(?:ed|ing)\b|(?:colou?r|lost) (?:\w+ ){0,2}(?:ran|"
    "runs|came off|comes off|washed|lost|colou?r)",
    "smell": r"smell\w*|stink\w*|odou?r\w*|stench|mou?ld\w*|rust\w*|bugs?\b|insects?\b|worms?\b",
    "hurt": r"allerg\w*|rash\b|itch\w*|injur\w*|hurt\w*|cut my|bleeding|blister\w*",
    "shrunk": r"shr[aiu]nk\w*",
    "stolen": r"stolen|stole\b|hack(?:ed|er|ers)\b|fraud\w*|hijack\w*",
}
_SOME = re.compile(
    "坏[了的掉]|[弄搞摔用][坏]|损坏|破损|故障|瑕疵|次品|质量问题|有毛病|出问题|有缺陷|不正常|"
    r"残次|\b(?:broken?\b|broke\b|fault\w*|defect\w*|damag\w*|malfunction\w*|something wrong|"
    r"ruined|useless|flaw\w*)"
)
_PATTERNS = tuple(
    (kind, re.compile(_CHINESE[kind]), re.compile(rf"\b(?:{_ENGLISH[kind]})")) for kind in _CHINESE
)

KINDS = tuple(_CHINESE)
SOME = "some"
"""Something is wrong, and it is not said what."""


def fault_kinds(text: str) -> frozenset[str]:
    """The `KINDS` of fault that a message tells of, `SOME` where it names none of them, nothing where it tells of no
    fault. What is feared counts as what happened: "does it leak?" is about leaking too."""
    folded = fold(text).replace("\u2019", "'")
    found = frozenset(kind for kind, zh, en in _PATTERNS if zh.search(folded) or en.search(folded))
    return found or frozenset({SOME} if _SOME.search(folded) else ())


def fault_shares(kinds: frozenset[str], told: Mapping[str, int], messages: int) -> tuple[float, float]:
    """How far a problem's messages report what a message of such kinds reports, and how far another fault, or one of
    both none, 0 to 1 each.

    `told` counts the problem's `messages` by kind. One message that agrees weighs less than five; that something is
    wrong agrees with every fault, by half where it is the problem's messages that say no more.
    """
    most = max(told.values(), default=0)
    if not kinds:
        return 0.0, most / (messages + 1)
    some = SOME in kinds
    count = most if some else max(told.get(kind, 0) for kind in kinds) + 0.5 * told.get(SOME, 0)
    count = min(count, messages)
    return count / (messages + 1), 1.0 - count / max(messages, 1)
