"""Words that carry grammar or courtesy, in folded form; for comparing and naming, never for search."""

from __future__ import annotations

_ENGLISH = """
a about above after again all also am an and any are aren't as at be because been before being below
between both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during
each few for from further had hadn't has hasn't have haven't having he her here hers him his how i i'd
i'll i'm i've if in into is isn't it it's its itself just let's me more most my myself no nor not now of
off on once only or other our ours out over own please pls same she should shouldn't so some such than
that that's the their theirs them then there there's these they they're this those through to too under
until up us very was wasn't we we're were weren't what what's when where which while who whom why will
with won't would wouldn't you you'd you'll you're you've your yours yourself
"""
_CHINESE = """
的 了 和 是 就 都 而 及 与 或 在 我 你 您 他 她 它 我们 你们 他们 她们 它们 咱们 大家 这 那 这个 那个
这些 那些 这里 那里 这样 那样 这么 那么 哪 哪个 哪里 哪些 什么 怎么 怎样 怎么样 为什么 为何 如何 多少 几
谁 吗 呢 吧 啊 呀 哦 嗯 哈 啦 嘛 么 哎 唉 喂 一 一个 一下 一些 一直 有 有点 没 没有 不 不是 也 还 还是
还有 又 再 才 只 只是 很 太 非常 比较 更 最 挺 把 被 给 让 叫 对 对于 向 往 从 到 由 以 为 为了 因为
所以 因此 但 但是 可是 不过 然后 如果 要是 虽然 而且 并 并且 或者 以及 等 等等 着 过 地 得 之 其 此 该
各 每 某 上 下 中 里 内 外 来 去 说 请 请问 麻烦 谢谢 想 要 会 能 可以 应该 已 已经 正在 刚 刚刚 现在
时候 的话 亲 亲亲
"""

ENGLISH = frozenset(_ENGLISH.split())
CHINESE = frozenset(_CHINESE.split())
ALL = ENGLISH | CHINESE
