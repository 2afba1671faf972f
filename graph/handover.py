"""When words alone decide: small talk, a request for a person, and flows that always go to a person."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping

from graph.folding import fold, is_latin
from graph.models import Rules

DEFAULT_SENSITIVE_FLOWS: Mapping[str, tuple[str, ...]] = {
    "safety": (
        "起火", "着火", "失火", "冒烟", "烧焦", "烧糊", "糊味", "焦味", "爆炸", "炸了", "自燃", "漏电",
        "触电", "电到我", "电击",
        "鼓包", "烫伤", "烧伤", "割伤", "划伤我", "受伤", "流血", "住院", "中毒", "过敏", "窒息", "呛到",
        "误吞", "误食", "安全隐患",
        "caught fire", "catch fire", "catching fire", "on fire", "fire hazard", "smoke coming",
        "started smoking",
        "is smoking", "was smoking", "starts smoking", "sparks", "sparking", "burning smell",
        "smells like burning",
        "burnt smell", "burned my", "burnt my", "burned me", "burnt me", "got burned", "got burnt", "melted",
        "exploded", "explode", "explodes", "explosion", "electric shock", "electrocuted", "shocked me",
        "injur*",
        "bleeding", "hospital", "poison*", "allergic reaction", "choked", "choking", "swallowed",
        "safety hazard",
        "dangerous", "swollen battery", "battery is swollen", "battery swelled", "battery is bulging",
        "bulging battery", "got a rash", "cut my hand", "cut my finger",
    ),
    "legal": (
        "律师", "起诉", "法院", "打官司", "法律途径", "法律手段", "诉讼", "仲裁", "追究责任", "法律责任",
        "告你们", "告上", "去告",
        "退一赔三", "假一赔十", "假一赔三", "赔三倍", "三倍赔偿",
        "lawyer", "lawyers", "attorney", "solicitor", "sue", "suing", "lawsuit", "legal action",
        "legal proceedings",
        "take you to court", "small claims", "see you in court", "in court", "arbitration", "litigation",
    ),
    "regulator": (
        "12315", "消协", "消费者协会", "工商局", "市场监管", "监管部门", "黑猫投诉", "曝光你们", "媒体曝光",
        "找媒体", "找记者",
        "发微博", "发小红书", "发抖音", "挂网上", "网上曝光", "曝光",
        "trading standards", "consumer protection", "better business bureau", "bbb", "ombudsman", "ftc",
        "regulator",
        "consumer council", "go to the press", "go to the media", "news outlet", "journalist", "reporter",
        "post this on twitter", "all over social media", "expose you",
    ),
    "payment": (
        "盗刷", "被盗", "不是我下的单", "不是我买的", "不是本人", "拒付", "撤销付款", "争议扣款", "扣款争议",
        "诈骗", "骗子", "被骗",
        "欺诈", "未经授权", "擅自扣款", "乱扣", "银行投诉", "冒充客服", "盗号",
        "chargeback", "charge back", "dispute the charge", "disputing the charge", "dispute this charge",
        "dispute a charge", "dispute the payment", "payment dispute", "disputed charge", "fraud*",
        "unauthori*",
        "scam*", "stolen card", "card was stolen", "did not make this purchase", "didn't make this purchase",
        "did not place this order", "didn't place this order", "never placed this order",
        "did not authorize", "didn't authorize", "did not authorise", "didn't authorise",
        "account was hacked",
        "hacked my account", "identity theft",
    ),
    "privacy": (
        "删除我的个人信息", "删除个人信息", "删除我的数据", "删除我的信息", "删掉我的信息", "我的个人数据",
        "个人数据", "信息泄露",
        "泄露我的", "泄露了我", "泄漏我的", "隐私泄露", "数据泄露", "调取我的", "导出我的信息",
        "导出我的数据", "侵犯隐私", "侵犯我的隐私",
        "注销账号", "注销我的账", "注销账户",
        "delete my data", "delete my personal", "erase my data", "remove my data", "delete all my data",
        "delete my account", "close my account", "personal data", "data request", "subject access", "gdpr",
        "right to be forgotten", "data breach", "leaked my", "copy of my data", "data you hold",
        "data you have on me",
        "privacy violation", "ccpa",
    ),
}  # fmt: skip
"""Words that always bring a person in, by flow; a trailing * stands for the rest of a word. A shop's own
`Rules.sensitive_flows` replace them. Naming a danger in vain costs a person's minute; missing one costs
more."""

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
_LONGEST_TALK = 60

_PERSON_ZH = re.compile(
    "转人工|人工客服|人工服务|真人客服|人工坐席|人工专员|转接人工|接人工|找人工|叫人工|要人工|人工呢|(?:^|"
    "\\W)人工(?:\\W|$)|"
    "(?:让|叫|请)你们(?:的|家|家的)?(?:经理|主管|负责人|领导|店长|老板)|(?:要|想|找|叫|转|换|接|给我|联系|"
    "需要|请)(?:个|一个|一下|一位|到|接|你们的?|你们家?的?|真正的|在线)*"
    "(?:客服|真人|活人|人工|专员|经理|主管|负责人|领导|店长|老板)|"
    "(?:和|跟|与)(?:个|一个|一位|你们的?|真正的)*(?:客服|真人|活人|人工|专员|经理|主管|负责人|领导|店长|"
    "人)(?:谈|聊|说|讲|沟通|对话)|"
    "不(?:想|要)(?:和|跟|再和|再跟)(?:一个)?(?:机器人|机器|智能客服|ai)|能不能(?:来)?(?:个|一个)(?:人|真人|"
    "活人)|别让机器人"
)
_PERSON_EN = re.compile(
    r"\b(?:speak|talk|chat|connect(?: me)?|transfer(?: me)?|put me through|escalate(?: this| me)?|"
    r"switch(?: me)?|get me|"
    r"give me|pass me|hand me over|need|want|like|reach|contact|call)\s+(?:\w+\s+){0,3}?"
    r"(?:an? |the |your |some |any |another )?(?:(?:real|live|actual|human|customer|support|service|"
    r"online)\s+)*"
    r"(?:human(?: being)?|person|agent|representative|rep|operator|advisor|adviser|manager|supervisor|"
    r"customer service|customer support|customer care|someone|somebody|people|support team|staff member)\b"
    r"|^\W*(?:an?\s+)?(?:(?:real|live|actual)\s+)?(?:human|agent|representative|operator|person|live chat|"
    r"customer service)"
    r"(?:\s+(?:please|pls|now))?\W*$"
    r"|\b(?:real|live|actual) (?:person|human|agent|representative)\b|\bhuman (?:agent|being|operator|"
    r"support)\b"
    r"|\bnot (?:a|to a|with a) (?:bot|robot|machine)\b|\b(?:is there|can i have|may i have) (?:an? )?"
    r"(?:(?:real|live|human)\s+)*(?:human|person|agent|someone)\b|\bstop (?:the|this) bot\b"
)
_NO_PERSON = re.compile(
    "(?:不要|不用|不需要|别|无需|不想|不必)(?:帮我|给我|再)?(?:转|找|接|叫)?(?:接)?(?:人工|客服|真人)"
    r"|\b(?:don'?t|do not|no|without|needn'?t|rather than|instead of) (?:\w+ ){0,5}?(?:human|person|agent|"
    r"representative)\b"
    r"|\b(?:for|as|about) (?:someone|somebody|people|an? person)\b"
    r"|\b(?:like|want|need) (?:someone|somebody|people|staff)\b(?! to (?:help|call|contact|talk|speak|"
    r"answer|assist))"
)


def small_talk(text: str, language: str) -> bool:
    """Whether a message is nothing but greeting, thanks or assent, in Chinese or English; an empty one is
    too."""
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


def asks_for_person(text: str, language: str) -> bool:
    """Whether a message asks for a person, not the machine: 转人工, "speak to a human", "agent please"."""
    folded = fold(text)
    plain = _NO_PERSON.sub(" ", folded)
    return bool(_PERSON_ZH.search(plain) or _PERSON_EN.search(plain))


def sensitive_flow(text: str, rules: Rules) -> str | None:
    """The first flow of the shop's rules (or of the defaults) whose words the message holds, else None.

    Chinese words are found anywhere, others as whole words; a trailing * stands for the rest of a word.
    """
    flows = rules.sensitive_flows or DEFAULT_SENSITIVE_FLOWS
    folded = re.sub(r"\s+", " ", fold(text))
    for name, pattern in _patterns(tuple((name, tuple(words)) for name, words in flows.items())):
        if pattern.search(folded):
            return name
    return None


@functools.lru_cache(maxsize=64)
def _patterns(flows: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((name, _any_of(words)) for name, words in flows if any(word.strip() for word in words))


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(_phrase(fold(word).strip()) for word in words if word.strip()))


def _phrase(word: str) -> str:
    open_ended = word.endswith("*")
    word = word.rstrip("*")
    before = r"(?<![a-z0-9])" if is_latin(word[:1] or " ") else ""
    after = r"(?![a-z0-9])" if is_latin(word[-1:] or " ") and not open_ended else ""
    return before + re.escape(re.sub(r"\s+", " ", word)) + after
