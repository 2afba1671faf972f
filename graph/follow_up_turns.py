"""Messages that only press or refer to what was said before ("any update?", "还是一样"): they carry no matter of their
own. In Chinese and English, by what people write while they wait."""

from __future__ import annotations

import re
from collections.abc import Sequence

from graph.folding import fold
from graph.small_talk import small_talk

_LONGEST = 120
_CLAUSE = re.compile(r"[^,，。.!！?？;；~～…\n]+[,，。.!！?？;；~～…\n]*")
_HAN = re.compile("[\u3400-\u9fff]")
_NUMBER = re.compile(r"\[[a-z]+\]|#?(?<![a-z0-9])[a-z]{0,4}-?\d{6,}")
_MARKS = re.compile(r"[\W_]+")
_ASIDE = re.compile(r"[(（][^()（）]{0,40}[)）]")

_TIME_ZH = (
    "(?:好?几|多|半|[一二两三四五六七八九十\\d]+)+(?:多)?个?(?:天|小时|钟头|分钟|周|星期|礼拜|次|遍|回|月)"
    "|很久|好久|太久|多久|半天|几天"
)
_PAST_ZH = (
    "昨天|前天|上次|上回|上周|之前|以前|刚才|刚刚|早上|上午|下午|前几天|早就|已经|都|就|我|"
    "第[一二三四五几\\d]+次|再次|又"
)
_ACT_ZH = "处理|解决|回复|答复|修复|弄|搞|办|修|回|跟进|核实"
_DONE_ZH = (
    "解决|处理|好|弄好|搞定|修好|修复|回复|答复|动静|反应|消息|回音|回应|结果|变化|进展|效果|下文|人回|"
    "人理|人管|人回复|人处理|人联系我?"
)
_ASK_ZH = "吗|么|嘛|没有|没|不|呢|了"
_PRESSING_ZH = (
    "(?:有|有没有|没有|没|没啥|没什么)(?:什么|啥|新的?)?(?:进展|消息|结果|回复|回音|下文|动静|更新|说法|"
    "答复|反馈)"
    f"(?:{_ASK_ZH})*",
    "(?:进展|处理得?|情况|结果|事情)?(?:怎么样|咋样|如何|怎样)了?",
    f"(?:什么|啥)时候(?:才)?(?:能|可以|会)?(?:给我)?(?:有结果|有消息|有答复|好|{_ACT_ZH})(?:我|好|完)?",
    "(?:能不能|可不可以|能|可以|请|快)?给(?:我|我们)?(?:个|一个|句|一句)?(?:准信|准话|说法|答复|交代|回复|"
    "回话|回音|结果|"
    "明确答复|准确时间|准时间)",
    "(?:能不能|能|可以|请|帮忙|帮我)?(?:尽快|快一?点|赶紧|赶快|马上|抓紧|催一下|催催|催|快快?)(?:给我|"
    f"帮我)?(?:{_ACT_ZH}|看|催|点)?"
    "(?:一下|下|好|我|点|催)*(?:行不行|行|可以)?",
    f"(?:还是|仍然|依然|依旧|仍旧|到现在|至今|一直|还)(?:都|也|还是|还|就)*(?:没有?(?:{_DONE_ZH})了?|不行|"
    "不能用|用不了|不好使|没用|"
    "坏的|一样|这样|那样|老样子|原样|老问题|(?:同样|一样|那个|这个)的?问题|连不上|不正常)",
    f"没有?(?:{_DONE_ZH})|不行|没用|不管用|老问题|老样子|一点(?:用|反应|变化)都?没有?",
    "(?:问题)?(?:又|怎么又|为什么又|咋又)(?:这样|来|出现|发生|一样|不行|坏|犯|出问题|是这样|开始)了?",
    "(?:问题|故障|毛病)(?:又|还|还是|依旧|依然|仍然|一直)(?:在|来|没有?解决|存在|出现|没好|一样)了?",
    "(?:同一个|同样的?|一样的?|还是那个|还是这个|还是之前的?|还是上次的?|之前的?那个|上次的?那个)(?:问题|"
    "情况|事情?)?",
    "(?:跟|和|同)(?:昨天|上次|之前|前天|刚才)(?:的)?一样(?:的问题|的情况)?",
    f"(?:{_PAST_ZH})*等(?:了|过)?(?:{_TIME_ZH})了?",
    f"(?:{_PAST_ZH})*(?:问|说|催|反馈|反映|联系|投诉|报修|来问|问起)(?:了|过)?(?:的)?(?:你们|客服|这个|"
    "那个|问题|情况|这事|一下)*"
    f"(?:{_TIME_ZH})?(?:了|的)?",
    f"(?:上次|之前|昨天|你们|客服|不是|当时|明明)+说(?:好|过|是|会|要|的)*(?:(?:{_TIME_ZH})?之?内?(?:会|就|"
    f"要|给)?(?:{_ACT_ZH})(?:好|我)?"
    "|不行|没用)?(?:了|的)?",
    f"说(?:好|是|会|的)*(?:{_TIME_ZH})之?内?(?:会|就|给)?(?:{_ACT_ZH})(?:好|我)?的?",
    "(?:怎么|为什么|咋|为啥)(?:还|都|一直)*(?:没有?人|不|没)(?:理|回|管|回复|说话|处理|解决|答复|吭声|"
    "搭理)(?:我|人|我们)?",
    "(?:有没有人|有人|没有?人|谁|有谁)(?:能|来|给|帮我|可以)*(?:理|回|管|回复|处理|解决|答复)(?:我|一下|下)*",
    "(?:你们|客服)?(?:倒是)?(?:说话|说句话|吭声|回句?话|回我|回复我?|回一下|理我一下|理理我|人呢)",
    "(?:这)?(?:到底)?(?:怎么|咋)(?:回事|搞的|弄的|办|整)|什么情况|啥情况|什么意思",
    f"(?:{_ACT_ZH}|问题解决)(?:好|完|到哪一?步|得)?了?(?:没有|没|吗|么)|好了(?:没有|没|吗|么)",
    "(?:还)?要(?:再)?等(?:多久|多长时间|几天|到什么时候|到哪天|多少天)|还要多久|(?:需要|得)等?多久",
    "(?:我)?(?:就)?(?:再|继续|先)等(?:等|着|一下|一天)*(?:你们?)?(?:的)?(?:消息|回复|通知)?|"
    "等(?:你们?)?(?:的)?(?:消息|回复|通知)",
    "(?:我|都|也|已经|全)*试(?:过|了)+(?:你们?说的)?|(?:按|照)(?:着)?(?:你们?|您)?说的(?:方法)?(?:做|弄|试|"
    "操作)(?:了|过)*",
    "(?:照片|图片|视频|截图|信息|资料|订单号)(?:已经|都|也)?(?:发|传|上传|提供)(?:给你们?|过去)?(?:了|"
    "过)?(?:给你们?|过去)?了?",
    "(?:你|您)?(?:看|查)(?:一下|下|看|到)(?:了)?(?:没有|没|吗)?",
    "(?:需要我|我需要|还需要|还要我?)提供(?:什么|啥|哪些)(?:信息|资料|东西)?",
    "(?:具体|大概|准确|确切)(?:的)?时间(?:能|可以|麻烦|请)*(?:告诉|给|说)(?:我)?(?:一下)?|(?:具体|"
    "大概)什么时候",
    "(?:能不能|能|可以|请)?(?:给我)?(?:打|回)(?:个|一个)?电话(?:给我)?",
    "再不(?:处理|解决|回复|给说法|理我|弄好|答复)(?:的话)?(?:我|我们)?(?:就)?(?:要|去|给)*(?:投诉|举报|"
    "差评|曝光|报警|12315|打12315)(?:你们)?",
    "(?:太|真|好|很|非常|实在|真的)+(?:慢|差劲|差|无语|失望|气人|烦|急|着急|服了|生气)(?:了|死了)?|无语|"
    "服了|气死(?:我|人)了|急死(?:我|人)?了",
    "(?:那|亲)?然后呢|还有多久|(?:我)?又来(?:了|问了)|不想等了|能不能先处理|(?:问题|事情|"
    "这事)?(?:还)?没有?解决|怎么操作|咋操作",
    "(?:你们?|客服)?(?:上次|之前|刚才|给)?(?:的|说的|给的)?(?:办法|方法)(?:都)?(?:没用|不行|不管用)",
    "(?:我)?(?:刚才|刚刚|昨天|上次|之前)?(?:问|说|发)?的?(?:那个|这个)?(?:问题)?(?:到底)?有人(?:看|管|处理|"
    "回)(?:了|没有|没|吗)*",
    "(?:上一个|上个|前天|昨天|那个|的|前面)*客服(?:说)(?:今天|明天|昨天)?(?:会|就)?(?:答复|回复|处理|解决|"
    "联系)(?:我)?的?",
    "急+|在线等|着急|十万火急|加急|速回|速度|搞快点|别拖|不要再?拖",
)
_FILLER_ZH = (
    "亲|老板|客服|小二|掌柜|您好|你好|在吗|在不在|哈喽|喂|hello|hi|hey|请问|麻烦|劳驾|拜托|求求?|打扰|谢谢|"
    "谢了|感谢|辛苦|"
    "不好意思|你们|您|你|我们|我|这个|那个|这|那|到底|究竟|现在|今天|目前|到现在|"
    "就是|就|都|也|又|再|还|能|可以|好的|好吧|好|行吧|行|嗯|哦|但是|但|可是|不过|所以|然后|"
    "了|啊|呀|吧|呢|吗|嘛|么|不|哈|诶|唉|哎|哟|啦|的|ok"
)
_IT_EN = (
    r"(?:it|this|that|these|everything|the (?:problem|issue|thing|error)|my (?:problem|issue|case|request)|"
    r"(?:the|my) matter)"
)
_BE_EN = r"(?:'?s| is|'?re| are| has been| was| seems| keeps)?"
_LENGTH_EN = (
    r"(?:(?:a|an|one|two|three|four|five|six|seven|several|many|some|a few|a couple of|\d+|for|since|over|"
    r"all|so|"
    r"too|this|the|last|more than|almost|nearly) ?)*"
    r"(?:days?|hours?|hrs|minutes|weeks?|months?|ages|forever|long|while|yesterday|morning|monday|tuesday|"
    r"wednesday|"
    r"thursday|friday|saturday|sunday|ever|already|times?|now|night)"
)
_NEWS_EN = (
    r"(?:news|updates?|progress|word|response|reply|answer|solution|luck|feedback|info|information|eta)"
)
_DO_EN = (
    r"(?:take care of|fix|solve|look into|look at|check|handle|sort|resolve|escalate|deal with|hurry|"
    r"answer|reply|"
    r"respond|get back|come back|update|call|help|do something|do|register|speed up|follow up|act|explain)"
)
_DOING_EN = (
    rf"{_DO_EN}(?: (?:it|this|that|me|us|up|out|on|about|to|with|for|back|again|my (?:problem|issue|case|"
    r"message|messages|"
    r"email|request)|the (?:problem|issue|matter)|today|now|asap|soon|quickly|immediately|right away|"
    r"please|finally|"
    r"faster|a bit|already|something|tomorrow))*"
)
_PRESSING_EN = (
    r"(?:(?:is|are) there |do (?:you|we) have |have you (?:got )?|got |has there been |there is |there's |"
    r"still )?(?:any|some|no|"
    rf"an) (?:new |further |more )?{_NEWS_EN}(?: (?:yet|for me|from you|please|now|today|so far|at all|"
    r"about (?:it|this|that)|on "
    r"(?:it|this|that|my (?:case|issue|request|ticket|problem|complaint|question)|the (?:case|issue|matter|"
    r"problem|ticket))))*",
    rf"(?:{_NEWS_EN}|status)(?: (?:please|pls|yet|now))*",
    rf"(?:{_IT_EN}{_BE_EN} |i'?m |i am |we are |we'?re |there is |"
    rf"there'?s )?still (?:{_IT_EN} )?(?:be )?(?:broken|"
    r"not (?:working|solved|fixed|resolved|there|done|ok|okay|good|better|helping|right|possible)|"
    r"doesn'?t work|does not work|"
    r"doesnt work|isn'?t working|won'?t work|(?:(?:exactly )?the same|same)(?: (?:problem|issue|thing|"
    r"error|as (?:before|yesterday)))*|"
    rf"(?:no|nothing)(?: {_NEWS_EN}| change| help| difference| better)*|waiting(?: {_LENGTH_EN}|"
    rf" for (?:an? |your |the )?{_NEWS_EN})*|"
    r"unsolved|unresolved|happening|happens|bad|an? (?:issue|problem)|having (?:the same|this|that|"
    r"an?) (?:problem|issue)|a mess|"
    r"failing|down|open|nobody|no one)(?: (?:now|today|here|for me|again|either|at all|yet))*",
    r"(?:it is |it'?s |still |again |with |have |i have |"
    r"having )*(?:exactly )?(?:the )?same (?:old )?(?:problem|issue|thing|story|error|again|"
    r"here)(?: (?:here|again|as (?:before|yesterday|last time|always)|today|now|still))*",
    rf"(?:{_IT_EN}{_BE_EN} )?(?:just )?(?:happened|happening|happens|did it|does it|doing it|broke|broken|"
    r"stopped working|failed|"
    rf"fails|back|started)(?: (?:again|once more|all over|today|now|{_LENGTH_EN}))+",
    rf"(?:{_IT_EN}{_BE_EN} )?(?:still )?(?:not|never) (?:solved|fixed|working|resolved|better|yet|helping|"
    r"done|helpful|helped)"
    r"(?: (?:yet|now|at all|again))*",
    rf"(?:{_IT_EN} |that |but )*(?:didn'?t|did not|doesn'?t|does not|won'?t|hasn'?t|didnt|doesnt) (?:work|"
    r"help|change anything|fix it|solve it|"
    r"change a thing|worked|helped)(?: (?:either|at all|for me|unfortunately|still|again))*",
    r"i(?:'?ve| have)? (?:already |just |also )?(?:tried|did|done|followed) (?:that|this|it|everything|"
    r"all (?:of )?(?:that|this|it)|the steps|"
    r"both|your steps|as you said|what you said)(?: (?:already|twice|again|now|before))*",
    r"(?:there is |there'?s |still )*(?:no|zero) (?:luck|change|success|effect|difference|one|help|"
    rf"{_NEWS_EN})(?: (?:yet|at all|so far|"
    r"either|again|from you))*",
    r"nothing (?:has |is |was )?(?:changed|happened|happens|works|worked|helps|helped|new|yet|done|"
    r"changes)(?: (?:yet|so far|again|"
    r"at all|since))*",
    r"(?:why )?(?:has |is |does |did )?(?:nobody|no one|no-one|noone|anyone|anybody|someone)(?: has| is|"
    r" ever)? (?:answer(?:s|ed|ing)?|repl(?:y|ies|ied)|"
    r"replying|respond(?:s|ed|ing)?|cares?|help(?:s|ed|ing)?|called|wrote|gets back|got back|"
    r"reading this)(?: (?:to|me|us|back|my|"
    r"messages?|yet|here|so far))*",
    r"(?:why )?(?:do|are|don'?t|won'?t|can'?t|did|didn'?t) you (?:not )?(?:even )?(?:answer(?:ing)?|"
    r"reply(?:ing)?|respond(?:ing)?|ignoring me|ignore me|"
    r"read(?:ing)?(?: this| my messages?)?|see my messages?|get my messages?)(?: (?:me|to me|at all|yet))*",
    r"(?:as )?i(?:'?ve| have)? (?:already )?(?:asked|wrote|written|told you|contacted you|called|reported|"
    r"said|explained|messaged|complained)"
    rf"(?: (?:this|that|it|you|to you|about (?:this|it)|already|before|twice|again|{_LENGTH_EN}))*",
    rf"(?:i )?wrote (?:before|already|{_LENGTH_EN})|(?:this is |that'?s )?(?:already )?(?:the |"
    r"my )?(?:second|third|fourth|2nd|3rd|4th|"
    r"fifth|last|\w+th) (?:time|message)(?: (?:i|i'?m|i am|we|now|today|asking|ask|writing|write|contact|"
    r"you|about|this|it|already|"
    r"contacting|have|asked|to))*",
    r"(?:when|by when) (?:will|can|are|do|is|would) (?:it|this|that|you|someone|somebody|i|we|they|"
    rf"{_IT_EN})(?: (?:be|finally|going to|get|expect|"
    rf"have|hear|an?|be able to))*(?: (?:fixed|solved|resolved|done|sorted|handled|back|ready|{_NEWS_EN}|"
    rf"{_DO_EN}|from you|it))*",
    r"how (?:much )?(?:long|longer|many days)(?: (?:will|does|do|is|should|must|am|would|until|till|more|"
    r"it|this|that|take|i|we|have|"
    r"need|to|wait|going|supposed|be|still|again|usually))*",
    r"(?:i'?m |i am |we are |we'?re |i have been |i'?ve been |been |i )?(?:still |just |"
    rf"already )*wait(?:ing|ed)?(?: (?:for|since|{_LENGTH_EN}|"
    rf"an?|your|the|{_NEWS_EN}|here|now|already|you))*",
    r"(?:can|could|will|would|please|pls)(?: (?:you|someone|anyone|somebody|anybody|u|i|we|"
    r"one))?(?: (?:please|pls|finally|just|get))* "
    rf"(?:{_DOING_EN}|an? (?:{_NEWS_EN}|call|call ?back))",
    rf"(?:please |pls |just )*{_DOING_EN}(?: (?:please|pls))*",
    r"i (?:really |just |still )?(?:need|want|demand|expect)(?: (?:this|it|that))?(?: to be)? (?:solved|"
    r"fixed|sorted|done|resolved|"
    rf"handled|(?:an? |your )?(?:real |proper |quick )?{_NEWS_EN})(?: (?:today|now|asap|quickly|please|"
    r"soon))*",
    r"(?:this is |that'?s |it'?s |it is |so |very |really |quite |how |simply |totally |getting |"
    r"truly )*(?:urgent|ridiculous|unacceptable|"
    r"annoying|annoyed|not acceptable|a joke|frustrating|frustrated|taking (?:too|so|very) long|"
    r"disappointing|disappointed|not happy|"
    r"unhappy|angry|fed up|slow|too slow|not funny|a shame|bad service)(?: now)?",
    r"i(?:'?m| am) (?:so |very |really |getting |quite |not )*(?:happy|upset|angry|annoyed|disappointed|"
    r"frustrated|fed up|unhappy|desperate)(?: now)?",
    r"asap|hurry(?: up)?|come on|what now|now what|so|and|well|again|anything|seriously|really|"
    r"hurry up please|as soon as possible",
    r"(?:what|how)(?:'?s| is| are|s)?(?: (?:the|going|on|happening|status|up|with|it|this|that|here|things|"
    r"taking|so|long|about|matter|"
    r"next|wrong|latest))+",
    r"(?:you|they|your colleague|the agent|he|she|your bot|someone) (?:said|promised|told me)(?: (?:that|"
    r"you|it|i|they|someone|would|will|be|"
    rf"should|me|within|in|an?|{_DO_EN}|{_LENGTH_EN}|fixed|solved|it'?s|was|hours|done))*",
    r"(?:i(?:'?ve| have)? |just |already )*(?:sent|uploaded|attached) (?:you )?(?:the |a |some |"
    r"my )?(?:photos?|pictures?|videos?|screenshots?|info|"
    r"details|it|email|message)(?: (?:already|now|before|yesterday|to you))*|(?:did|have) you (?:get|got|"
    r"see|seen|receive|received|read|"
    r"check|checked)(?: (?:it|my|the|photos?|pictures?|messages?|emails?|video|that|this))*",
    r"what (?:do|else do|should|can|shall|am) (?:you|i|we) (?:need|do|supposed to do|provide|"
    r"want)(?: (?:from me|now|then|next|to do|else))*",
    r"(?:so )?what happens (?:now|next)|once more(?: about (?:it|this|that|the same(?: thing| problem|"
    r" issue)?))?|"
    r"i'?m back|it is not|it isn'?t|(?:you said )?it (?:was|is) (?:sorted|fixed|solved|done|resolved)|"
    r"(?:still )?waiting for what you promised|since my last (?:message|mail|email)|since(?: then)?|"
    r"(?:your|the) (?:fix|solution|advice|steps|suggestion)s? (?:did|does|do) ?(?:not|n'?t) (?:work|help)|"
    r"(?:the|your) (?:earlier|last|previous) (?:answer|reply|advice) (?:was|is) (?:wrong|no use|useless)",
    r"is (?:it|this|that) (?:fixed|solved|resolved|done)(?: (?:yet|now))*",
)
_FILLER_EN = (
    r"hi|hello|hey|hiya|there|good (?:morning|afternoon|evening|day)|team|guys|all|everyone|please|pls|plz|"
    r"thanks|thank you|thx|"
    r"in advance|for me|sorry|excuse me|so|but|and|again|ok|okay|well|yes|yeah|no|nope|then|now|today|"
    r"anyone|anybody|sir|madam|"
    r"dear|dear \w+|um|oh|just|unfortunately|guess what|actually|help|at all|too|yet|here|btw|u|man|bro|"
    r"folks"
)
_FILLERS_EN = re.compile(rf"(?:(?:{_FILLER_EN})(?![\w'])\s*)+")

_EACH_ZH = tuple(map(re.compile, _PRESSING_ZH))
_EACH_EN = tuple(re.compile(rf"(?:{phrase})(?![\w'])") for phrase in _PRESSING_EN)
_FILLERS_ZH = re.compile(_FILLER_ZH)
_NUMBERED_ZH = (
    re.compile(
        "(?:我的?)?(?:订单号?码?|快递单号|运单号|单号|编号)(?:是|为|如下)?N"
        "|N(?:是)?(?:这个|我的)?(?:订单号?|单号|单|快递单号)?"
    ),
)
_NUMBERED_EN = (
    re.compile(
        r"(?:(?:my|the|here is|here's|this is|its|it's) )*(?:order|case|ticket|reference|"
        r"(?:tracking|parcel) (?=number|no|id|code))?(?: ?(?:number|no|id|nr|code|num))*(?: (?:is|"
        r"was))? ?N(?!\w)"
    ),
)
"""A number is given, not asked about: whoever says what to do with it has a matter."""


def follow_up_turn(text: str, language: str) -> bool:
    """Whether a message only presses for what was said before or refers to it, an order number included: what it is
    about was said elsewhere or not at all. Mere small talk is none; it does not even press."""
    clauses = [clause for clause in _CLAUSE.findall(_ASIDE.sub(_kept, text)) if _MARKS.sub("", clause)]
    if not clauses or sum(map(len, clauses)) > _LONGEST:
        return False
    pressed = False
    for clause in clauses:
        found = _presses(clause)
        if found is None and not small_talk(clause, language):
            return False
        pressed = pressed or bool(found)
    return pressed


def _kept(aside: re.Match[str]) -> str:
    """What stands in brackets as a clause of its own."""
    return f", {aside.group()[1:-1]},"


def _presses(clause: str) -> bool | None:
    """Whether a clause presses or gives a number; False where it only fills, None where it says more."""
    folded = _NUMBER.sub(" N ", fold(clause))
    if _HAN.search(folded):
        bare = _MARKS.sub("", folded)
        return _read(bare, _NUMBERED_ZH if "N" in bare else _EACH_ZH, _FILLERS_ZH)
    bare = " ".join(re.sub(r"[^\w']+", " ", folded).split())
    return _read(bare, _NUMBERED_EN if "N" in bare else _EACH_EN, _FILLERS_EN)


def _read(bare: str, phrases: Sequence[re.Pattern[str]], fillers: re.Pattern[str]) -> bool | None:
    """Read a clause from left to right, each time by the phrase that reaches furthest."""
    place, pressed = 0, False
    while place < len(bare):
        end = max((found.end() for phrase in phrases if (found := phrase.match(bare, place))), default=place)
        if end > place:
            pressed = True
        elif (filler := fillers.match(bare, place)) is not None:
            end = filler.end()
        else:
            return None
        place = end + (bare[end : end + 1] == " ")
    return pressed
