"""The words that reveal a mood or a hurry: weight → words, in Chinese and English, folded.

Anger is aimed at the shop, distress is trouble had, pleasure is praise. Weights of a message add up; about 1
makes a mood clear. Chinese words are parted by spaces and found anywhere; English ones are parted by
semicolons and found as whole words, where a trailing * stands for the rest of a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Table: TypeAlias = Mapping[float, str]

ANGER_ZH: Table = {
    1.6: """
垃圾 骗子 骗人 坑人 坑爹 黑店 奸商 无良 混蛋 王八蛋 妈的 他妈 尼玛 特么 傻逼 傻b 去死 狗屎 放屁 恶心
无耻 不要脸 气死 火大 气炸 愤怒 气愤 霸王条款 投诉 举报 曝光 起诉 消协 差评 忍无可忍 岂有此理 什么玩意
什么态度 态度恶劣 当我傻 耍我 耍人 忽悠 欺负人 店大欺客 推卸责任 不负责任 卧槽 操你 脑残 有病吧 缺德
受够了 忍不了 最后一次机会 气人 我呸 滚蛋 妈蛋 妈逼 你妹 他娘 狗日 混账 不得好死 找抽 王八
""",
    1.0: """
太差 极差 很差 超差 差劲 烂透 太烂 很烂 真烂 破烂 烂货 坑死 太坑 很坑 被坑 坑了 生气 恼火 讨厌 可恶 过分
离谱 荒唐 扯淡 敷衍 推脱 推来推去 踢皮球 没人管 没人理 不理人 凭什么 无语 服了 不像话 糊弄 说话不算话
没诚信 不讲信用 再也不 再不 假货 欺骗 虚假 拖了 一拖再拖 三番五次 还要我等 蛮横 恶劣 搞什么 搞毛 催了
可恨 去你 鄙视 烦死 气得 发火 怒 火冒 骂 贱 屁 他丫 坏人 不要骗 骗我 骗了
""",
}

DISTRESS_ZH: Table = {
    1.0: """
失望 难过 伤心 郁闷 崩溃 心碎 委屈 糟糕 难受 心寒 无奈 后悔 好烦 很烦 太烦 心烦 着急 焦虑 担心 害怕 急死
头疼 绝望 想哭 哭了 大哭 痛苦 沮丧 倒霉 好惨 太惨 悲伤 悲剧 可怕 恐怖 心酸 心塞 不爽 遗憾 上当 受骗 浪费
白花 劣质 不满 失败
""",
    0.7: """
坏了 坏的 坏掉 破了 破损 裂了 裂开 碎了 碎屏 损坏 失灵 故障 用不了 不能用 没法用 打不开 开不了 死机 黑屏
漏水 漏液 发错 寄错 错发 少发 漏发 丢件 弄丢 不到账 不给退 拒绝 没动静 没人回 不回复 没回复 等到 等半天
太久 瑕疵 色差 掉色 起球 脱线 开线 异味 很臭 好臭 太脏 很脏 刮花 划痕 生锈 变形 不好 不行 不舒服 不值
急急急 不符 不一样 质量差 质量问题 难看 难吃 难用 难闻 卡顿 太薄 太硬 太慢 很慢 好慢 刺鼻 噪音 噪声 太吵 很吵
缩水 褪色 掉漆 松动 断了 粗糙 廉价 不实 不推荐 不建议 不喜欢 不如 不咋 不怎么 掉毛 二手 翻新 假的 有误
太小了 太大了 不理想 不满意 不好用 不新鲜 烂了 烂的 坏果 变质 发霉 没有用 没用 没效果 失效
""",
    0.45: """
还没 一直没 迟迟 没到账 没退 没发货 不发货 没收到 不更新 等了 好几天 超时 延误 少了 丢了 不合适 一般般
很一般 一般 太贵 偏贵 有点贵 可惜 毛病
""",
}

PLEASURE_ZH: Table = {
    1.3: """
超级满意 非常满意 很满意 十分满意 太棒 太好了 完美 惊喜 爱了 绝了 超赞 超好 很赞 好赞 五星 好评 强烈推荐
物超所值 爱死 开心 高兴 感动 幸福 太喜欢 喜欢极了 非常喜欢 很喜欢 点赞 给力 贴心 很棒 真棒 好棒 最棒
""",
    0.8: """
满意 喜欢 不错 挺好 很好 好看 漂亮 好用 好吃 好喝 舒服 舒适 实惠 划算 值得 推荐 精致 顺利 快乐 谢谢 感谢
热情 周到 耐心 不贵 便宜 正品 清晰 方便 新鲜 很快 快递快 速度快 发货快 物流快 干净 可爱 美丽 美好 温暖
期待 加油 厉害 优秀 靠谱 放心 哈哈 嘻嘻 祝福 致敬 还可以 蛮好 真好 很香 不掉 柔软 柔顺 回购 性价比 合身
合适 爱你 我爱 喜爱 好闻 好听 流畅 大方 愉快 平安 英雄 点个赞 棒棒 质量好 好多了
""",
}

URGENCY_ZH: Table = {
    0.55: """
马上 立刻 立即 赶紧 赶快 尽快 抓紧 火速 加急 急用 急需 紧急 十万火急 很急 急死 着急 好急 今天必须
今天之内 今天内 现在就 限你 最后期限 来不及 等不及 等着用 再不 否则 不然我 投诉 起诉 曝光 举报 12315
最后一次 刻不容缓 快点 快些 速回 速度处理
""",
    1.6: """
冒烟 鼓包 着火 起火 失火 漏电 触电 爆炸 受伤 烫伤 盗刷 被盗 报警 救命 急急急
""",
    0.3: """
催 还没 一直没 迟迟 等了 好几天 多久 超时 延误 好几次 多次 第三次 第二次 又坏 再次 今天 今晚 明天 后天
生日 婚礼 出差 要走了 过期 截止 碎了 坏了 没人回 没人管 没人理 不回复 没回复 没收到 用不了 被扣 扣了
差评 丢件 弄丢 气死
""",
    0.15: """
退货 退款 换货 退换 维修
""",
}

CALM_ZH: Table = {
    0.5: """
不着急 不急 不赶 不用急 没那么急 慢慢来 有空 有时间再 方便的时候 方便时 随便问问
""",
    0.15: """
问一下 问下 了解一下 咨询 想问 请问
""",
}

ANGER_EN: Table = {
    1.6: """
furious; outrag*; disgust*; pathetic; scam*; thieves; thief; crooks; liar; liars; bullshit; bs; wtf;
damn; fuck*; shit*; crap; idiot*; stupid; unacceptable; ridiculous; appalling; atrocious; disgrac*;
rip off; ripoff; ripped off; fed up; livid; infuriat*; angry; never again; worst; incompetent; useless;
lied to; lying; is a joke; complaint; complain; report you; sick of; tired of; had enough; last chance;
hate; trash; sue; lawyer; absurd; shame; shameful; stealing; robbery; what the hell; joke of
""",
    1.0: """
terrible; horrible; awful; rude; ignor*; no excuse; annoy*; irritat*; rubbish; garbage; runaround;
no one is answering; nobody is answering; no one is replying; nobody is replying; no one replies;
no one is responding; nobody is responding; no one responds; nobody responds; nobody cares; no one cares;
how dare; nobody answers; no one answers; nobody replies; misled; mislead*; cheat*; cheated; dishonest;
nonsense; enough is enough; do your job; demand; mad; insult*; avoid; beware; not good enough;
what kind of
""",
}

DISTRESS_EN: Table = {
    1.0: """
disappoint*; upset; frustrat*; worried; worry; worrying; concerned; concerning; anxious; sad; unhappy;
regret*; desperate; stress*; heartbroken; let down; dissatisf*; unsatisf*; miserable; crying; nightmare;
disaster; unfortunate*
""",
    0.7: """
broken; broke; cracked; crack; shatter*; smash*; damaged; defect*; faulty; dead; stuck; failed; fails;
leak*; torn; ripped; scratch*; dent*; stain*; smells; smelly; stopped working; not working;
doesn't work; does not work; doesnt work; isn't working; won't turn; won't charge; didn't work;
no response; no reply; no answer; overcharg*; charged twice; double charged; charged me twice; refus*;
poor; waste*; uncomfortable; unusable; still waiting; never arrived; never received; never came;
unhelpful; ruined; wrong item; wrong size; wrong colour; wrong color
""",
    0.45: """
still not; still no; still haven't; still hasn't; haven't received; have not received; not received;
hasn't arrived; not arrived; late; delay*; missing; lost; wrong; bad; slow; weeks; cheap; problem;
issue
""",
}

PLEASURE_EN: Table = {
    1.3: """
love; loved; loves; amazing; excellent; awesome; fantastic; perfect; perfectly; wonderful; brilliant;
superb; delighted; thrilled; outstanding; five stars; 5 stars; impressed; exceeded; best purchase;
the best
""",
    0.8: """
great; good; nice; happy; pleased; glad; satisfied; thanks; thank; thx; appreciate*; helpful; friendly;
quick; fast; comfortable; recommend*; beautiful; lovely; smooth; smoothly; enjoy*; kind; works well
""",
}

URGENCY_EN: Table = {
    1.6: """
swollen battery; battery is swollen; battery swelled; battery is bulging; bulging battery; burning smell;
caught fire; on fire; smoke; smoking; sparks; exploded; injur*; burned me; burnt me; burned my;
burnt my; electric shock; unauthori*; fraud*; stolen; police; emergency
""",
    0.55: """
no one is answering; nobody is answering; no one answers; nobody answers; no one is responding;
nobody is responding; no one responds; nobody responds; no one is replying; nobody is replying; no one replies;
nobody replies; urgent*; asap; immediately; right now; right away; at once; straight away; today; tonight;
as soon as possible; running out of time; deadline; or else; critical; time sensitive; quickly; hurry;
last chance; complaint; complain; lawyer; sue; chargeback; final notice; can't wait; cannot wait;
need it by; need it now; need this by; before friday
""",
    0.3: """
soon; tomorrow; still waiting; still not; still no; still haven't; third time; second time;
several times; times now; weeks; days; birthday; wedding; leaving; expires; expire; broken; shattered;
not working; stopped working; never arrived; no response; no reply; nobody; stuck; how long; scam*;
unacceptable; wrong item
""",
    0.15: """
refund; return; replacement; exchange
""",
}

CALM_EN: Table = {
    0.5: """
no rush; no hurry; not urgent; isn't urgent; whenever; when you have time; when you get a chance;
take your time; at your convenience
""",
    0.15: """
just wondering; just curious; just asking; wondering; quick question
""",
}
