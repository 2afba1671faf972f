"""Messages without a matter: greeting, thanks, assent, praise, who writes, "I have a question", "no human, please"; in
Chinese and English."""

from __future__ import annotations

import re

from graph.folding import fold
from graph.introductions import without_introduction
from graph.person_requests import without_refusal

_ZH_TALK = re.compile(
    "(?>"
    "(?:你|您|大家|各位)们?好|hello|hi|hey|嗨|喂|哈[喽啰]|[早晚]安|[早中晚]上?好|[上中下]午好|早|"
    "(?:你|您|你们|客服|有人|还|人)?在(?:吗|么|不在|不|嘛|线吗)|有人(?:吗|么|在吗|在么|嘛)|"
    "(?:非常|十分|真的|真是|太|实在|好)?(?:谢谢|谢啦|谢了|感谢|多谢|感激)(?:你|您|你们|亲|"
    "客服)*(?:的|这么|那么|如此|一直)*(?:耐心|细心|热心)?"
    "(?:帮助|帮忙|解答|回复|支持|服务|关心|提醒)?|(?:你|您|你们)?(?:太|真是?)?(?:辛苦|麻烦)(?:你|您|你们)?了|"
    "好的|好吧|好滴|好嘞|好哒|好|嗯|恩|哦|噢|喔|ok|okay|行|可以|对|对的|是的|(?:我)?(?:知道|明白|了解|清楚|"
    "懂)了?|收到|"
    "再见|拜拜|拜|回见|没事|没关系|没(?:有)?(?:什么|其他|别的|啥)*(?:问题|事|需要)?了|没问题|暂时没有|"
    "(?:不用|不需要|不必)(?:客气|了?(?:谢谢|谢)?)|不客气|"
    "客气|那就这样|就这样|先这样|亲|客服|小姐姐|小哥哥|老板|请问|请教一下|么么哒|哈哈|"
    "祝(?:你|您|你们)*(?:生意兴隆|生活愉快|工作顺利|一切顺利|周末愉快|新年快乐|节日快乐)|(?:周末|节日|"
    "新年)(?:愉快|快乐)|"
    "了|啦|啊|呀|哈|吧|呢|哟|哒|呵"
    ")+"
)
_COURTESY_ZH = re.compile("[^了啦啊呀哈吧呢哟哒呵]")
_OPENING = """
hi hiya hello hey heya yo good greetings howdy thank thanks thankyou thx tks ty cheers ok okay k alright
great perfect fine cool awesome nice wonderful brilliant lovely excellent got understood noted yes yeah
yep no nope bye goodbye see ya welcome appreciate appreciated amazing super sure sorry
"""
_REST = """
there morning afternoon evening day night you u so very much many a lot for your the help time again all
everyone team anyone here it i ill later have weekend one thats that this was really please sir madam mam
dear and to of kind support assistance answer reply quick response worries problem in advance bot being patient patience
"""
_EN_OPENING = frozenset(_OPENING.split())
_EN_REST = _EN_OPENING | frozenset(_REST.split())
_EN_HELLO = re.compile(
    r"(?:(?:hi|hello|hey) )?(?:(?:is |are )?(?:anyone|anybody|somebody|someone|you) (?:still )?"
    r"(?:here|there|around|online|available)|"
    r"how are you(?: doing)?(?: today)?|have a (?:nice|good|great|lovely) (?:day|evening|weekend|one)|"
    r"i (?:really )?appreciate (?:it|your help|that)|you too|happy new year)"
)
_NOT_A_LETTER = re.compile(r"[\W_]+")
_HAN = re.compile("[\u3400-\u9fff]")
_HAS_QUESTION = re.compile("[吗么呢]|什么|怎么|多少|多久|几|哪|能不能|可以")
_WORD = re.compile(r"[a-z0-9']+")
_LONGEST_TALK = 60

_PRAISE_ZH = re.compile(
    "(?>"
    "(?:我|我们|真的?|很|太|超级?|非常|特别|好|都)*(?:喜欢|爱上?|中意)(?:了|死)*(?:这个|这款|这台|这双|"
    "这件|这种|这|你们家?的?|"
    "它)(?:(?![但坏不没可就退换想要多有是能会怎吗为再了])[\u3400-\u9fff]){0,6}[了啦啊呀哦哈]?|"
    "(?:(?:你|您|你们|您们|他们|她|他|这个|这位|这款|那位|小|我|家|店|的|客服|人员|服务|态度|速度|回复|物流|"
    "发货|快递|质量|品质|东西|产品|商品|包装|"
    "体验|做工|颜色|这次|购物|店家|卖家|掌柜|小姐姐|小哥哥|整体|收到|用着|宝贝|机器人|都|也|就|还|给|对)*"
    "(?:真的|真是|真|很|太|非常|特别|超级|超|挺|蛮|十分|相当|确实|实在|感觉)*"
    "(?:好评|五星(?:好评)?|点赞|赞|好用|好看|好快|好棒|好|棒|不错|满意|贴心|耐心|专业|周到|热情|负责|给力|靠谱|"
    "快|完美|喜欢|优秀|厉害|到位|细心|"
    "良心|一流|值得信赖|会(?:一直)?支持(?:你们)?(?:的)?|(?:会)?(?:再|下次还)来(?:买|光顾|的)|推荐给朋友)"
    "(?:了|啦|啊|呀|哦|哈|的|极了|得很|一个|一下|死了)*)"
    ")+"
)
_LOVED_EN = re.compile(
    r"(?:i |we )?(?:really |absolutely |just |totally |so )*(?:love|adore)(?: (?:this|these|my|the|your|"
    r"our|new)){1,2}"
    r"(?: \w+){1,2}(?: (?:so|very) much| a lot)?"
)
_PRAISING = """
great good excellent awesome amazing fantastic wonderful perfect brilliant lovely superb outstanding best helpful
friendly fast quick love loved like liked happy satisfied pleased impressed thrilled delighted recommend top nice
stars star patient professional polite efficient beautiful rock smooth
"""
_PRAISED = """
your you guys team service support staff customer the this that it is are was were so very really i i'm im am we we're
my with and a an am such really product products shop store quality delivery shipping order experience people
everyone all of five 5 out 10 what job work well done truly absolutely again just wanted to say for much lot be will
would definitely always highly from here keep up on in ever had have been bot agent thanks thank
"""
_OF_QUESTIONS = "is was are were how will would can could do does did which when where be like"
_OF_STATEMENTS = "was is are were so very really super thanks thank"
_OF_DOUBT = "not no never don't didn't isn't wasn't won't can't hardly but however unless would if"
_PRAISE_EN, _PRAISE_REST_EN = frozenset(_PRAISING.split()), frozenset(_PRAISED.split())
_ASKING_EN, _SAID_EN = frozenset(_OF_QUESTIONS.split()), frozenset(_OF_STATEMENTS.split())
_NOT_PRAISE_EN = frozenset(_OF_DOUBT.split())
_SPEED_EN = frozenset(("fast", "quick"))
"""A wish ("fast delivery please") is told from praise by what is said to be so."""


def praise(text: str) -> bool:
    """Whether a message is nothing but praise ("你们服务真好", "great service, love it"): it neither asks nor
    reports anything."""
    folded = fold(text)
    if "?" in folded or any(character.isdigit() for character in folded.replace("5", "").replace("10", "")):
        return False
    bare = _NOT_A_LETTER.sub(" ", folded.replace("'", "")).strip()
    if not bare or len(bare) > _LONGEST_TALK:
        return False
    if _HAN.search(bare):
        parts = [part for part in bare.split() if not _ZH_TALK.fullmatch(part)]
        return (
            bool(parts)
            and all(_PRAISE_ZH.fullmatch(part) for part in parts)
            and not _HAS_QUESTION.search(bare)
        )
    words = [word.strip("'") for word in _WORD.findall(folded)]
    if _LOVED_EN.fullmatch(bare) and not _NOT_PRAISE_EN.intersection(words):
        return True
    known = _PRAISE_EN | _PRAISE_REST_EN | _EN_OPENING
    if (
        not words
        or words[0] in _ASKING_EN
        or _NOT_PRAISE_EN.intersection(words)
        or not all(word in known for word in words)
    ):
        return False
    return bool(_PRAISE_EN.intersection(words) - _SPEED_EN) or bool(
        _SPEED_EN & {*words} and _SAID_EN & {*words}
    )


def small_talk(text: str, language: str) -> bool:
    """Whether a message brings no matter, in Chinese or English.

    It is nothing but greeting, thanks, assent or praise; says that it is solved now, who writes, or that there is a
    question, not which ("想问一下", "help"); asks whether a machine answers; or wants no person. An empty one brings
    none either.
    """
    if _courtesy(text) or praise(text):
        return True
    said = without_introduction(without_refusal(text))
    clauses = [clause for clause in _CLAUSE.findall(said) if _NOT_A_LETTER.sub("", clause)]
    return len(clauses) <= _MOST_CLAUSES and all(map(_brings_nothing, clauses))


_CLAUSE = re.compile(r"[^,，。.!！?？;；~～…\n]+[,，。.!！?？;；~～…\n]*")
_MOST_CLAUSES = 6
_SOLVED_ZH = (
    "(?:我的?|这个|那个|问题|已经|已|都|现在|终于|刚刚?|自己|成功|又|重启(?:后|了)?|试了(?:一下)?|按(?:你|"
    "您)说的)*"
    "(?:解决|搞定|弄好|修好|处理好|恢复(?:正常)?|正常|好用|可以用|能用|可以正常使用|能连上|连上|找到|"
    "弄明白|搞懂|收到|好)了"
    "|(?:暂时|目前)?没(?:有)?(?:其他|别的|什么)*(?:问题|事|疑问|需要)了?"
)
_OPENER_ZH = (
    "(?:我|请|先|还|再|就|可以|能|有点事?儿?|有(?:个|件)?(?:事|问题))*(?:想要?|要|来)?(?:跟(?:你|您|你们))?"
    "(?:问一?下|问个|问问|咨询|请教|了解一?下|打听|请问)"
    "(?:一下|下|你们|您|你|个|一个|几个|些|点|件)*(?:问题|事情|事儿?|情况|东西)?(?:可以|行|方便)?(?:吗|么|"
    "嘛|呗)?"
    "|(?:我|还)?有(?:个|一个|几个|些|一些|个小|一个小)(?:问题|疑问|事情?)(?:想|要|需要)?(?:问|咨询|请教)?"
    "(?:一下|下|你们|你|您)*"
    "|(?:请|麻烦|谁|你|您|你们|有人)*(?:能不能|可不可以|能|可以|可否)?(?:帮帮我|帮我一下|帮一下我?|帮下我|"
    "帮个忙|帮忙|"
    "帮帮忙|帮助我?|帮我)(?:一下|下)?(?:吗|么|嘛)?|(?:我)?(?:需要|请求|求)(?:帮助|帮忙)|求助"
)
_IDENTITY_ZH = (
    "(?:你|您)们?(?:这|到底|究竟)*(?:是不是|是)(?:个|一个)?(?:机器人|机器|人工智能|智能客服|自动回复|ai|"
    "真人|活人|人工|人)"
    "(?:客服)?(?:还是(?:机器人|机器|ai|真人|活人|人工|人)(?:客服)?)?(?:在?回复)?(?:吗|么|嘛|吧|呢)?"
)
_LAUGHING = "[哈嘿嘻呵]{2,}|(?:ha|he|hi){2,}h?|h{3,}|l+o+l+|lmao|rofl|6{3,}|23{3,}"
_WITHOUT_ZH = re.compile(f"(?:{_SOLVED_ZH}|{_OPENER_ZH}|{_IDENTITY_ZH}|{_LAUGHING})[了啦啊呀哈呢哟哒的亲]*")
_IT = (
    r"(?:it|that|this|everything|all|the (?:problem|issue)|problem|issue|(?:the|"
    r"my) \w+(?: \w+)?(?= \w+(?: fine)? "
    r"(?:now|again)$))"
)
_NOW = r"(?: (?:now|again|perfectly|fine|well|great|for me|out|today))*"
_SOLVED_EN = (
    rf"(?:and |now |yes |ok |so |finally )*{_IT}?\s?(?:'?s|is|has been|'?s been|was|got|seems|just|finally|"
    rf"all|now| )*\s?"
    rf"(?:works?|worked|working|solved|fixed|resolved|sorted|helped|did the trick|back to normal){_NOW}"
    rf"|i(?:'ve| have)? (?:just |finally |already )?(?:(?:figured|sorted|worked) it out|(?:solved|fixed|"
    rf"found) it|got it "
    rf"(?:to work|working|sorted|fixed)){_NOW}|got it working{_NOW}|all (?:good|set|done){_NOW}|never ?mind|"
    r"(?:i have )?no (?:more|other|further) questions|that(?:'?s| is| will be| would be)? all(?: i needed|"
    r" for now| from me)?|"
    r"nothing else|it(?:'?s| is) (?:ok|okay|fine|all right|alright) now"
)
_MATTER = r"(?:questions?|query|queries|enquiry|inquiry|problem|issue|request)"
_OPENER_EN = (
    rf"(?:i|we)(?:'ve| have|'ve got| have got| got) (?:just |also )?(?:an?|another|one|some|a few|"
    rf"a couple of|two) "
    rf"(?:more |other )?(?:quick |small |simple |short |little )?{_MATTER}(?: (?:for you|please|to ask|"
    rf"to ask you|about "
    r"something))*"
    rf"|(?:an?|one|another)? ?(?:quick |small |more )?{_MATTER}(?: for you| please)"
    r"|(?:a |one )?(?:quick |another |small )?question"
    r"|(?:can|could|may|might|would|will) (?:i|you|someone|anyone|anybody|somebody) (?:please )?(?:ask|"
    r"help)(?: me| you| us)?"
    rf"(?: out)?(?: something| with something| (?:a|one|some) (?:quick )?{_MATTER})?(?: please)?"
    rf"|i(?:'d| would)? (?:like|want|need|have) to ask(?: you| you guys)?(?: something| about something|"
    rf" (?:a|some) "
    rf"(?:quick )?{_MATTER})?"
    r"|(?:i|we) (?:really )?need (?:some |your |a little |a bit of |a hand|assistance)*(?:help|"
    r"assistance)?(?: with something)?"
    r"|(?:please )?help(?: me| us)?(?: out)?(?: please| pls)?|need (?:some )?help|assistance(?: please)?|sos"
)
_IDENTITY_EN = (
    r"(?:so |wait |hey )*(?:(?:are|r) (?:you|u)|is this|am i (?:talking|speaking|chatting|writing) (?:to|"
    r"with)) "
    r"(?:really |just |actually )?(?:an? )?(?:chat ?bot|bot|robot|machine|ai|computer|real|real (?:human|"
    r"person)|human|"
    r"person|automated|auto ?reply)(?: being| assistant| person)?"
    r"(?: or (?:an? )?(?:chat ?bot|bot|robot|machine|ai|computer|real (?:human|person)|human|person|not))?"
)
_WITHOUT_EN = re.compile(rf"(?:{_SOLVED_EN}|{_OPENER_EN}|{_IDENTITY_EN}|{_LAUGHING})(?![\w'])")
_SOLVED = re.compile(f"(?:{_SOLVED_ZH}|{_SOLVED_EN})")
_BEFORE_EN = re.compile(
    r"(?:(?:hi|hello|hey|there|good|morning|afternoon|evening|please|sorry|excuse me|ok|okay|yes|yeah|"
    r"thanks|thank you|"
    r"great|perfect|awesome|well|um|actually|just|oh|and|guys|team|everyone|all|lol) )+"
)


def _brings_nothing(clause: str) -> bool:
    """Whether one clause, with the mark that ends it, brings no matter."""
    if _courtesy(clause) or praise(clause):
        return True
    folded = fold(clause)
    asked = "?" in folded
    if _HAN.search(folded):
        bare = _NOT_A_LETTER.sub("", folded)
        before = _ZH_TALK.match(bare)
        starts = [bare, bare[before.end() :]] if before else [bare]
        without, courteous = _WITHOUT_ZH, _courtesy
    else:
        bare = " ".join(re.sub(r"[^\w' ]+", " ", folded).split())
        before = _BEFORE_EN.match(bare)
        starts = [bare, bare[before.end() :]] if before else [bare]
        without, courteous = _WITHOUT_EN, _courtesy
    if len(bare) > _LONGEST_TALK:
        return False
    for start in starts:
        found = without.match(start)
        if found is None or (asked and _SOLVED.fullmatch(found.group())):
            continue
        rest = start[found.end() :].strip()
        if not rest or courteous(rest):
            return True
    return False


def _courtesy(text: str) -> bool:
    folded = fold(text)
    bare = _NOT_A_LETTER.sub(" ", folded.replace("'", "")).strip()
    if not bare:
        return True
    if len(bare) > _LONGEST_TALK or any(character.isdigit() for character in bare):
        return False
    if _HAN.search(bare):
        joined = bare.replace(" ", "")
        return bool(_ZH_TALK.fullmatch(joined)) and bool(_COURTESY_ZH.search(joined))
    if _EN_HELLO.fullmatch(bare):
        return True
    words = bare.split()
    return words[0] in _EN_OPENING and all(word in _EN_REST for word in words)
