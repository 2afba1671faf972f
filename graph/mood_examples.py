"""Sentences that show a mood, in Chinese and English: what a head over the encoder's vectors is fitted on.

Written for this service. They show how moods are said without any word that names them; trouble that is merely told,
and praise or blame that is only asked about, stand among the neutral ones.
"""

from __future__ import annotations

from collections.abc import Mapping

from graph.models import EmotionLabel

MOOD_EXAMPLES: Mapping[EmotionLabel, str] = {
    "angry": """
你们太过分了，我要投诉|什么垃圾服务，气死我了|骗子，赶紧退钱|再不处理我就去12315|客服态度恶劣，根本不解决问题|
拖了这么久还不退款，耍我呢|我忍你们很久了|烂店，再也不买了|凭什么不给我退|说话不算数，坑人|
一群废物，没一个能办事的|你们是不是有病|真让人恼火|这是欺诈|别再敷衍我了|等了半个月还没发货，你们到底管不管|
每次都推来推去，没人负责|把我当傻子吗|这种人真是不要脸|烦死了，能不能闭嘴|他凭什么这样说话，真想骂人|太缺德了|火大|
买的手机屏幕碎了，再不给退我就投诉|你们就是黑店|忍无可忍，马上给我退款|我要曝光你们，等着|打了三次电话都没人管|什么玩意|
呵呵，你们的服务可真好啊|可真有你们的
This is outrageous, I demand my money back|I am sick of your excuses|You lied to me|Worst company ever, complete scam|
How dare you charge me twice|I will report you|your service is a joke|I'm furious that nobody replies|
stop wasting my time|unbelievable, you ruined my day and don't even care|I will sue you|this is totally unacceptable|
nobody answers, you people are useless|give me my money back right now or else
""",
    "upset": """
收到的东西是坏的，好失望|等了好久还没到，有点着急|质量不如预期，挺难过的|孩子生日要用，现在来不及了，好难受|
我很担心收不到货|用了两天就坏了，心疼钱|退款一直没到账，我很焦虑|没想到会这样，唉|不太满意这次购物|
衣服不合适，有些失望|屏幕碎了怎么办呀|丢件了，里面是很重要的东西|我害怕账号被盗了|感觉被忽视了|心情很差|
今天真倒霉|想哭|好孤独，没人理解我|一个人好害怕，睡不着|对不起，我真的很难过|生病了好难受|压力好大，快撑不住了|
很遗憾错过了|质量不好，不好用|手机突然用不了了，急死我了|等了两周还没收到|急死人了，快点呀|来不及了怎么办，求求你们
My order arrived broken and I am disappointed|I'm worried my parcel is lost|this is not what I expected, sad|
I am upset about the delay|it stopped working after two days|I feel let down|I'm anxious about my refund|
sadly it does not fit|I am scared someone used my card|what a pity|I'm not happy with the quality|
still waiting and nobody has replied
""",
    "pleased": """
东西很好，谢谢客服|快递真快，好评|质量超出预期，很喜欢|解决得很快，点赞|下次还会来买|孩子特别喜欢，开心|
包装很用心，感动|太棒了，爱了|服务热情周到|性价比很高，推荐|今天真开心|好幸福呀|生日快乐，祝你一切顺利|终于等到了，激动|
哈哈太好玩了|感谢大家的支持，加油|晚安，好梦|美好的一天开始了|你们辛苦了，致敬|我爱你们|好看又舒服|很满意，五星|
客服很耐心，问题解决了
Thank you so much, great service|I love it, works perfectly|Arrived early, very happy|excellent quality, will buy again|
you made my day|best purchase this year|the agent was so kind and helpful|so comfortable and beautiful|
we are delighted|thanks for solving it quickly|happy with everything
""",
    "neutral": """
请问怎么退货|什么时候发货|可以开发票吗|这款有黑色的吗|订单号是多少|帮我查一下物流|保修期多长|支持哪些支付方式|
尺码怎么选|能改地址吗|你们几点下班|满多少包邮|我想了解一下会员权益|电池容量是多少|今天下午三点开会|
根据规定，七天内可以申请|他昨天去了北京|转发微博|新品将于周五上市|这个怎么用|我在路上|据报道，会议将在下周举行|
吃饭了|不着急，有空帮我看下|这个耳机怎么样，好用吗|屏幕没有碎|没有不满意|坏了的话保修吗|退款几天到账|
投诉电话是多少|可以换货吗，怎么操作|差评可以修改吗|你好，在吗|好的|嗯，知道了|不用了|转人工|不需要转人工|我要退货|
给我唱首歌|明天下雨吗|一加一等于几|机器人一直提示清洁传感器|
讲个故事|来首诗|退我两百块|赔我运费|我要退款三百元|把钱退到原来的卡|充电的时候有点热|电池好像鼓了一点
where is my order|how do I return this|do you ship to Canada|what sizes do you have|can I pay by card|
is this compatible with my phone|what is the warranty period|I would like an invoice|please change my address|
when does the sale start|no rush, just wondering when it ships|is it any good|how long does a refund take|
what if it breaks after a year|where can I file a complaint|can I change the colour|hi, are you there|
okay|yes|no, that is all|let me talk to an agent|no need for a person|sing me a song|what is the weather tomorrow|
the app keeps asking me to update|
I want to return the shoes|refund me 50 dollars please|refund the order to my card|tell me a story|
cancel it and refund me|the battery looks a bit thick
""",
}
"""Sentences by mood, parted by bars and line ends."""


def mood_examples() -> list[tuple[str, EmotionLabel]]:
    """Every sentence with its mood, in order."""
    return [
        (sentence, label)
        for label, block in MOOD_EXAMPLES.items()
        for sentence in block.replace("|", "\n").splitlines()
        if sentence
    ]
