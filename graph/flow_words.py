"""The words of the sensitive flows as they ship. A shop reads and edits them as its rules.

A trailing * stands for the rest of a word, … for some characters or words between; a leading - marks words that only
look like the flow's. Whom anger calls a swindler tells of no payment: only what was done to somebody does.
"""

from __future__ import annotations

from collections.abc import Mapping


def _words(block: str) -> tuple[str, ...]:
    return tuple(
        word for line in block.strip().splitlines() for part in line.split("|") if (word := part.strip())
    )


SAFETY = _words("""
起火|着火|失火|冒烟|烧焦|烧糊|糊味|焦味|火花|爆炸|炸了|炸开|炸伤|炸碎|自燃|漏电|触电|电到我|我电到|被电到|电击
鼓包|充电宝鼓|电池鼓|鼓胀|电池膨胀|烫伤|烧伤|割伤
划伤我|划伤了我|划破手|砸伤|夹伤|摔伤|骨折|受伤|流血|住院|中毒|过敏|窒息|呛到|误吞|误食|吞下|安全隐患
跳闸|短路|噼里啪啦|起水泡|起了水泡|烫出|烫手|烫得不敢|摔了一跤|摔下来|断了…摔|塌了…摔|砸到…孩子|砸到…宝宝|砸到我|砸到脚
差点砸|孩子…吞|宝宝…吞|小孩…吞|儿子…吞|女儿…吞|熏得头晕|头晕恶心|甲醛味|甲醛超标|咬得…包|起疹|皮疹|红疹|漏水…插座
got a shock|gave me a shock|a shock from|short circuit*|tripped the breaker|tripped the fuse|burn mark*|burning hot
too hot to touch|scalded|blister*|chair collapsed|bed collapsed|desk collapsed|sofa collapsed|collapsed under
collapsed while|collapsed when|fell on my|fell on me|hurt my|hurt his|hurt her|hurt myself
caught fire|catch fire|catches fire|catching fire|went on fire|set on fire|is on fire|was on fire|fire hazard
up in flames
smoke coming|smoke is coming|smoke came|smoke out of|started smoking|is smoking|was smoking|starts smoking
sparks|sparking
burning smell|smells like burning|burnt smell|burned my|burnt my|burned me|burnt me|burned his|burned her
got burned
got burnt|melted|exploded|explode|explodes|exploding|explosion|electric shock|electrocuted|shocked me|injur*
is bleeding|was bleeding|bleeding from|started bleeding
hospital*|poison*|allergic reaction|choked|choking|swallowed|safety hazard|dangerous|swollen battery
battery is swollen|power bank is swollen|battery is swelling|battery is starting to swell|power bank is bulging
battery swelled|battery is bulging|bulging battery|got a rash|cut my hand|cut my finger|cut my foot|cut his
cut her
-便宜炸了|-火花效果|-火花特效|-不会起火|-不会爆炸|-不会漏电|-会不会跳闸|-会跳闸吗|-会不会短路|-会短路吗|-防短路|-短路保护|-不烫手
-会不会烫手|-烫手吗|-过敏能穿|-过敏能用|-过敏可以|-过敏体质|-有没有甲醛味
-will it catch fire|-can it catch fire|-could it catch fire|-blister pack*|-hurt my feelings|-hurt my wallet
-爆炸盐|-要炸了|-我炸了|-就炸了|-甜炸了|-瞬间爆炸|-很受伤|-气炸了|-颜值炸了|-音质炸了|-心态炸了|-帅炸了|-美炸了
-好吃炸了|-卖到起火|-直播间起火|-人气起火
-起火了吗|-防烫伤
-防误吞|-防漏电|-漏电保护|-防触电|-电击棍|-电击棒|-防鼓包|-会不会鼓包|-会鼓包吗|-容易过敏|-会不会过敏|-会过敏吗
-抗过敏
-防过敏|-过敏包退|-过敏无忧|-低温烫伤要|-防割伤|-防受伤|-电脑中毒|-手机中毒|-防爆炸|-会不会起火|-会不会爆炸
-会不会漏电
-is it dangerous goods|-dangerous goods|-hospital bed*|-hospital grade|-choking hazard warning
-sales are exploding
-exploding sales|-price shocked me|-sparks joy|-explosion-proof|-explosion proof|-melted cheese|-injury-free
-bleeding colour|-bleeding color
""")

LEGAL = _words("""
律师|起诉|法院|打官司|法律途径|法律手段|法律程序|诉讼|仲裁|追究责任|法律责任|违法|犯法|告你们|告你|告上法|去告你
要告
退一赔三|假一赔十|假一赔三|赔三倍|赔我三倍|三倍赔偿|赔十倍|十倍赔偿|消费者权益保护法|消法
lawyer|lawyers|attorney|solicitor|sue you|sue your|sue the|sue this|sue them|sue for|will sue|to sue|i'll sue
gonna sue
could sue|suing|lawsuit|legal action|legal proceedings|legal advice|take you to court|taking you to court
small claims
see you in court|in court|to court|arbitration|litigation|legally liable
-抬头…律师事务所|-抬头…律所|-发票…律师事务所|-发票…律所|-法院快递|-法院专递
-我是律师|-律师袍|-律师服|-律师证|-律师徽|-法院版|-仲裁员|-广告你|-公告你|-报告你|-预告你|-转告你|-劝告你|-告诉
-告别|-告知
-警告你
-支持假一赔|-假一赔十是真|-假一赔三是真|-假一赔十吗|-假一赔三吗|-承诺假一赔|-不违法|-违法吗|-需要告你
-lawyer costume|-lawyers costume|-i am a lawyer|-i'm a lawyer|-court shoes|-court shoe|-to court shoes
""")

REGULATOR = _words("""
12315|打12345|12345投诉|12345举报|消协|消费者协会|工商局|工商投诉|市场监管|监管部门|监管局|黑猫投诉|质检局
曝光你|曝光这|曝光他|曝光黑|曝光出|网上曝光|媒体曝光|要曝光|去曝光|给你们曝光|找媒体|找记者|联系记者|挂网上
挂到网上
发微博曝|发微博让|发微博吐槽|要发微博|去发微博|我发微博|发小红书曝|发小红书避雷|发小红书吐槽|要发小红书
去发小红书
发抖音曝|发抖音让|要发抖音|去发抖音
trading standards|consumer protection|better business bureau|bbb|ombudsman|ftc|regulators|to the regulator
to a regulator
regulatory body|regulatory authority|consumer council|consumer affairs|go to the press|to the press
go to the media|to the media
news outlet|journalist|journalists|a reporter|reporters|post this on twitter|all over social media|expose you
expose your
-12315是什么|-a reporter bag
""")

PAYMENT = _words("""
盗刷|账号被盗|账户被盗|号被盗|卡被盗|钱被盗|被盗用|盗号|不是我下的单|不是我买的|不是我付的|不是我本人|不是本人
拒付|撤销付款
争议扣款|扣款争议|支付争议|交易争议|申请争议|发起争议|诈骗|被骗|骗钱|骗我钱|骗我转|欺诈|未经授权|没有授权
擅自扣|遇到骗子|碰到骗子|遇上骗子|骗子冒充|骗子打|骗子给我打|骗子把|骗子转走|骗子盗|是不是骗子|银行…争议
私自扣|乱扣
偷偷扣|银行投诉|冒充客服
chargeback|chargebacks|do a charge back|request a charge back|dispute the charge|disputing the charge
dispute this charge
disputing this charge|dispute a charge|dispute the payment|disputing the payment|payment dispute|paypal dispute
disputed charge
dispute … with my bank|dispute … with the bank|dispute … with my card|disputing … with my bank|dispute … with paypal
dispute … transaction|scam call*|scam text*|scam message*|scam email*|phishing|a scammer called|a scammer took
fraud*|unauthori*|scammed|stolen card|card was stolen|card got stolen
did not make this purchase
didn't make this purchase|did not place this order|didn't place this order|never placed this order
never made this purchase
did not authorize|didn't authorize|did not authorise|didn't authorise|account was hacked|account got hacked
hacked my account
identity theft|charged without my permission|charged without my consent
-防盗刷|-诈骗公司|-诈骗团伙|-骗局|-拒付运费|-拒付邮费|-against card fraud|-anti-fraud|-fraud protection
-fraud-proof|-防诈骗
""")

PRIVACY = _words("""
删除…个人信息|删掉…个人信息|清除…个人信息|抹掉…个人信息|销毁…个人信息|删除…个人资料|删掉…个人资料|清除…个人资料
删除…个人数据|删掉…个人数据|个人信息…都删|个人资料…都删|个人数据…都删|个人信息…全部删|个人资料…全部删
删除我的个人|删掉我的个人|删除我的数据|删掉我的数据|删除我的信息|删掉我的信息|删除我的资料
删掉我的资料
删除我的所有|删掉我的所有|清除我的数据|账号和数据|我的个人数据|个人数据|信息泄露|泄露我的|泄露了我|泄漏我的
泄漏了我
信息被泄|隐私泄露|隐私被泄|数据泄露|调取我的|导出我的信息|导出我的数据|查阅我的个人|查阅我的信息|有我哪些
哪些我的信息
收集了我哪些|侵犯隐私|侵犯我的隐私|侵犯了我的隐私|卖我的信息|我的信息卖|我的电话卖|我的地址卖|我的手机号卖
个人信息保护法
注销账号|注销我的账|注销账户|注销我的帐|注销帐号
delete … personal data|delete … personal information|delete … my data|erase … personal data
erase … personal information|erase … my data|remove … personal data|remove … personal information|wipe … my data
delete my data|delete my personal|erase my data|erase my personal|remove my data|remove my personal
delete all my data
delete my account|close my account|personal data|data request|subject access|gdpr|right to be forgotten
to be forgotten
data breach|leaked my|leaking my|sold my data|selling my data|copy of my data|data you hold|data you have on me
information you hold|information you have on me|privacy violation|violated my privacy|ccpa
-隐私膜|-防信息泄露|-personal data plan
""")

REFUND = _words("""
退款|退钱|退我|退还|返还|退全款|全额退|赔偿|赔我|赔付|赔钱|补偿
refund|refunds|refunded|money back|compensat*|reimburs*|pay me back|paid back
-退款多久|-退款几天|-退款什么时候|-退款啥时候|-退款政策|-退款规则|-退款流程|-退款进度|-退款到哪|-退款到账
-不要退款|-不用退款
-不想退款|-不退款|-无需退款|-不是退款|-退我货|-运费险赔付|-赔付规则|-退还商品|-怎么退款的
-refund policy|-refund policies|-how long do refunds|-how long does a refund|-how long does the refund
-how long will the refund
-how long will my refund|-when will my refund|-when will the refund|-when do refunds|-refund status|-refund take
-refund arrive
-don't want a refund|-do not want a refund|-instead of a refund|-rather than a refund|-not a refund
""")

FLOW_WORDS: Mapping[str, tuple[str, ...]] = {
    "safety": SAFETY,
    "legal": LEGAL,
    "regulator": REGULATOR,
    "payment": PAYMENT,
    "privacy": PRIVACY,
    "refund": REFUND,
}
