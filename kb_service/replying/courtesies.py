"""Words that a rewording may add, since they promise nothing: greetings, courtesy, and what joins sentences."""

from __future__ import annotations

_ENGLISH = """
hi hello hey dear thanks thank you your yours please sorry apologies sure certainly course welcome glad happy help
kindly regards best wishes day nice good afternoon morning evening hope helps let know question questions ask asked
asking further else anything feel contact reach touch note simply here there this that these those which who it its
they them their we us our i is are was were be been being do does did have has had will would shall a an the and or so
also then of to in on at for by with as about into get gets take takes come comes go goes means regarding concerning
"""
_CHINESE = """
您好 你好 亲 亲亲 感谢 谢谢 多谢 咨询 请 请问 麻烦 抱歉 不好意思 希望 帮到 帮助 有帮助 祝您 愉快 生活 购物 您 你
我们 这边 这里 这个 关于 为您 跟您 告诉 告知 说明 一下 哦 哟 呢 呀 哈 的话 以及 并且 而且 另外 此外 同时 即 就是
是 为 有 会 其中 对于 问题 疑问 其他 随时 联系 回复 温馨 提示 提醒 了解 放心
"""
COURTESIES = frozenset(_ENGLISH.split()) | frozenset(_CHINESE.split()) - {"随时", "放心"}
"""Without words that could make a promise of a plain statement, such as always, at any time, free of worry."""
