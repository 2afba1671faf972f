"""Whether a message asks for a person rather than the machine, in Chinese and English."""

from __future__ import annotations

import re

from graph.folding import fold

_STAFF_ZH = "客服|真人|活人|人工|专员|经理|主管|负责人|领导|店长|老板"
_REQUEST_ZH = re.compile(
    r"转人工|人工客服|人工服务|真人客服|人工坐席|人工专员|人工帮助|人工呢|(?:转接|接|找|叫|要|等)人工(?!费|"
    r"智能|智|钻|皮|草|安装|上门|搬运|组装)|(?:^|\W)人工(?:\W|$)"
    rf"|(?:让|叫|请)你们(?:的|家|家的)?(?:{_STAFF_ZH})"
    rf"|(?:要|想|找|叫|转|换|接|给我|联系|需要|请|安排)(?:个|一个|一下|一位|到|接|你们的?|你们家?的?|真正的|"
    rf"在线|售后)*(?:{_STAFF_ZH})(?!安装|上门|搬运|组装)"
    rf"|(?:和|跟|与)(?:个|一个|一位|你们的?|真正的)*(?:{_STAFF_ZH}|人)(?:谈|聊|说|讲|沟通|对话)"
    r"|(?:让|请|叫)(?:你们)?的?(?:客服|专员|售后)(?:来|给我|联系我|回我|回电|打给我|打电话)|(?:让|叫|"
    r"喊)(?:个)?人(?:来|出来)?(?:回我|联系我|跟我)"
    r"|(?:叫|来|派|换)(?:个|一个)?人来?(?=处理|解决|回复|跟|说|$|\W)(?!\S{0,2}(?:安?装|上门|取件|搬))"
    r"|不(?:想|要)(?:和|跟|再和|再跟)(?:一个)?(?:机器人|机器|智能客服|ai)|不要机器人|别让机器人"
    r"|能不能(?:来)?(?:个|一个)(?:人|真人|活人)(?!\S)|(?:有|有没有)(?:真人|活人)"
    r"|(?:找|叫|换|要)(?:个|一个|一位)?(?:能做主|能作主|做得了主|说了算|管事)的"
    r"|(?<![没不未])给我回(?:个|一个)?电(?:话)?(?!了|过)"
)
_STAFF_EN = (
    r"human(?: being)?|person|agent|representative|rep|operator|advisor|adviser|manager|supervisor|colleague|"
    r"customer service|customer support|customer care|someone|somebody|people|support team|"
    r"(?:support )?staff(?: member)?"
)
_REQUEST_EN = re.compile(
    r"\b(?:speak|talk|chat|deal|connect(?: me| us)?|transfer (?:me|us|this|it)|put me through|"
    r"escalate(?: this| it| me)?|switch(?: me)?|get me|give me|pass (?:me|this|it)|hand me over|need|want|like|"
    r"reach|contact|call)"
    rf"\s+(?:\w+\s+){{0,3}}?(?:an? |the |your |some |any |another )?(?:(?:real|live|actual|human|customer|"
    rf"support|service|online)\s+)*"
    rf"(?:{_STAFF_EN})\b"
    r"|^\W*(?:an?\s+)?(?:(?:real|live|actual|human)\s+)?(?:human|agent|representative|operator|person|"
    r"live chat|customer service|"
    r"manager|supervisor)(?:\s+(?:please|pls|now))?\W*$"
    r"|\b(?:anyone|anybody|someone|somebody) (?:real|human|alive)\b"
    r"|\b(?:real|live|actual) (?:person|human|agent|representative)\b|\bsome(?:one|body) (?:real|human)\b"
    r"|\bhuman (?:agent|being|operator|support)\b"
    r"|\bconnect me\W*$|\bcall me back\b(?! (?:later|tomorrow))"
    r"|\bnot (?:a|to a|with a) (?:bot|robot|machine)\b|\b(?:don'?t|do not|not) want to (?:talk|speak|"
    r"chat) (?:to|with) (?:a|the|this) "
    r"(?:bot|robot|machine|computer)\b|\bstop (?:the|this) bot\b"
    r"|\b(?:is there|(?:can|may|could) (?:i|we) have) (?:an? )?(?:(?:real|live|human)\s+)*(?:human|person|"
    r"agent|someone|manager|supervisor)\b"
    r"|\b(?:can|could|would|will|have|let|please have) (?:an? )?(?:someone|somebody|human|person|manager|"
    r"supervisor|colleague)\b"
    r"(?: from \w+ \w+)?(?: please)? (?:call|contact|phone|ring|look at|reply|get back|talk to|speak to|email|"
    r"respond|answer)\b"
)
_REFUSAL = re.compile(
    r"(?:我|先|暂时|都|请|你|你们|就|真的|也|还|可以)*(?:不要|不用|不需要|别|无需|不想|不必|用不着)(?:再|"
    r"帮我|给我|先|你)*"
    r"(?:转接?|找|接|叫|换)?(?:到|给)?(?:人工|客服|真人)(?:客服|服务)?(?!费|智能|智|钻|皮|草|电话|号码|"
    r"热线)(?:了|啦|就行|就好|哈|吧|的)*"
    r"|\b(?:please )?(?:do not|don'?t|no need to|needn'?t|you don'?t (?:have|need) to) (?:transfer|connect|"
    r"pass|hand|put|switch|"
    r"redirect|send|refer|escalate)(?: (?:me|us|this|it))?(?: (?:to|with|through to|over to|on to))?"
    r"(?: (?:an?|any|the|your|some|another))?(?: (?:real|live|human|actual))*"
    r"(?: (?:human|person|agents?|representative|rep|operator|someone|somebody|people|staff|"
    r"customer service))?(?: being)?\b"
    r"|\b(?:please )?(?:i |we )?(?:really )?(?:do not|don'?t|won'?t|will not) (?:need|want|require)"
    r"(?: to (?:talk|speak|chat) (?:to|with))?(?: (?:an?|any|the|your|some|another))?(?: (?:real|live|"
    r"human|actual))* "
    r"(?:human|person|agents?|representative|rep|operator|customer service)(?: being)?\b(?! (?:to|who|that)\b)"
    r"|\bno need (?:for|of) (?:an?|any|the)?(?: (?:real|live|human))* ?(?:human|person|agents?|"
    r"representative|operator|transfer)\b"
    r"|\bno (?:humans?|agents?|persons?|transfer)(?= (?:please|thanks|thank|needed|required|necessary)\b|\W*$)"
    r"(?: (?:needed|required|necessary|please|thanks))?"
)
_AROUND = " \t\n,，。.;；!！、~～"
_NO_REQUEST = re.compile(
    # What is refused.
    r"(?:不要|不用|不需要|别|无需|不想|不必)(?:再|帮我|给我|先)*(?:转|找|接|叫)?(?:接)?(?:人工|客服|"
    r"真人)(?:客服|服务)?"
    r"|\b(?:don'?t|do not|no|without|needn'?t|rather than|instead of) (?:\w+ ){0,5}?(?:human|person|agent|"
    r"representative)\b"
    # Questions about support: how long one waits for it, its hours, number, cost or manner; and who answers now.
    r"|(?:转接?到?|接|找|等|排队等?)?(?:人工客服|人工服务|真人客服|人工|客服)(?:的话|那边|现在|大概|一般|"
    r"还|得|要|需要)*"
    r"(?:等|排队?|等待)?(?:几?个?)(?:多久|多长时间|多少时间|几分钟|几个小时|多少人|几个人)[^\s,，.。!！?？;；]*"
    r"|(?:你|您)们?(?:到底|究竟)*(?:是不是|是)(?:个)?(?:真人|活人|人工)(?:客服)?(?:还是\S{1,6})?(?:吗|么|"
    r"嘛|吧|呢|啊|$)"
    r"|\bhow long (?:is|are|does|do|will|would|must|until|till|before|to)\b[^.;!?]*"
    r"|\b(?:are (?:you|u)|is this|am i (?:talking|speaking|chatting) (?:to|with)) (?:an? )?(?:real |live |"
    r"actual )?(?:human|"
    r"person|agent)(?: being)?\b"
    r"|(?:人工客服|人工服务|客服|人工)(?:的|一般|是|都|在|周末|晚上|节假日|大概)*(?:几点|什么时候|啥时候|"
    r"工作时间|时间|上班|下班|在线时间|电话|热线|"
    r"号码|收费|多久|态度)\S*"
    r"|(?:要|需要|用|得|可以|是)(?:联系|找|问)(?:人工)?客服(?:还是|吗|么|嘛)\S*"
    r"|(?:周末|晚上|几点|凌晨|节假日|春节)\S{0,6}(?:有|没有|没|还有)人工\S*"
    r"|\b(?:when|what time|from when|until when) (?:can|could|will|do|may|should|does|is|are)\b[^.;!]*"
    # What was said of it, or happened before.
    r"|(?:刚才|刚刚|之前|昨天|前天|上次|前面|早上|已经)\S{0,3}(?:人工|客服)\S{0,8}"
    r"|(?:顾客|客户|买家|用户|对方|客人)\S{0,3}(?:要|想|说|让|坚持|吵着|投诉|找|叫)\S*"
    r"|\b(?:customer|client|buyer|shopper|user|guest|caller)s?(?: who)?(?: is| are| keeps?| has|"
    r" have)? (?:wants?|wanted|asks?|asking|asked|"
    r"demands?|demanding|insists?|insisting|requests?|requested|requesting|says?|said|needs?|would like)\b.*"
    # Other persons and agents.
    r"|\b(?:for|as|about) (?:someone|somebody|people|an? person)\b"
    r"|\b(?:like|want|need) (?:someone|somebody|people|staff)\b(?! to (?:help|call|contact|talk|speak|answer|"
    r"assist))"
    r"|\b(?:cleaning|caking|travel|bleaching|foaming|estate|sales|insurance|drying|binding|"
    r"shipping)[ -]agents?\b"
    r"|\btransfer (?:a|the|my|this) (?:chat|case|ticket|call|conversation)\b[^,.;?!]*"
    r"|\bshould (?:i|we) (?:contact|call|reach)\b[^.;!]*"
    r"|\b(?:does|do|did) (?:the|this|that|it|these)\b[^,.;?!]*"
    r"|\b(?:person|human|people) (?:in|on) the (?:\w+ )?(?:photo|picture|image|video|box)\b"
)


def asks_for_person(text: str, language: str) -> bool:
    """Whether a message asks for a person, not the machine: 转人工, "speak to a human", "agent please".

    What is refused ("不要转人工"), asked about ("人工客服几点上班", "when can I talk to an agent"), told of before or
    reported of somebody else ("the customer wants a manager") is no request. Both languages are read in every
    message, since customers mix them: `language` decides nothing.
    """
    plain = _NO_REQUEST.sub(" ", fold(text))
    return bool(_REQUEST_ZH.search(plain) or _REQUEST_EN.search(plain))


def without_refusal(text: str) -> str:
    """A message without the words that refuse a person: "不用人工了，谢谢", "I don't need a human, just tell me ...".

    As it stands where none do.
    """
    folded = fold(text)
    kept: list[str] = []
    end = 0
    for found in _REFUSAL.finditer(folded):
        kept.append(text[end : found.start()])
        end = found.end()
    if not kept:
        return text
    return " ".join(part for part in (part.strip(_AROUND) for part in [*kept, text[end:]]) if part)
