"""Messages that need no answer: greeting, thanks, assent and praise, in Chinese and English."""

from __future__ import annotations

import re

from graph.folding import fold

_ZH_TALK = re.compile(
    "(?>"
    "(?:你|您|大家|各位)们?好|hello|hi|嗨|哈[喽啰]|[早晚]安|[早中晚]上?好|[上中下]午好|早|"
    "(?:你|您|你们|客服|有人|还|人)?在(?:吗|么|不在|不|嘛|线吗)|有人(?:吗|么|在吗|在么|嘛)|"
    "(?:非常|十分|真的|真是|太|实在|好)?(?:谢谢|谢啦|谢了|感谢|多谢|感激)(?:你|您|你们|亲|"
    "客服)*(?:的)?(?:耐心)?"
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
dear and to of kind support assistance answer reply quick response worries problem in advance bot
"""
_EN_OPENING = frozenset(_OPENING.split())
_EN_REST = _EN_OPENING | frozenset(_REST.split())
_EN_HELLO = re.compile(
    r"(?:(?:hi|hello|hey) )?(?:(?:is |are )?(?:anyone|anybody|somebody|someone|you) (?:here|there|around)|"
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
    """Whether a message is nothing but greeting, thanks, assent or praise, in Chinese or English; an empty one is
    too."""
    return _courtesy(text) or praise(text)


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
