"""What customers write who want a person, or whose matter is sensitive, and what only looks like it."""

from __future__ import annotations

from collections.abc import Mapping


def lines(block: str) -> list[str]:
    return [line.strip() for line in block.strip().splitlines() if line.strip()]


ASKS_FOR_PERSON = """
转人工
人工
人工客服
我要找客服
找真人
让你们经理来
我要和真人说话
转接人工客服
叫你们主管出来
接人工服务谢谢
我不想跟机器人说话
轉人工
联系客服
怎么转人工
怎么联系人工客服啊
能不能给我换个真人
你们有人工客服吗
麻烦转一下人工，谢谢
机器人解决不了，给我转人工
别再自动回复了，叫个人来
有没有活人啊
我要投诉，叫你们店长来
帮我接一下售后专员
请客服给我回个电话
不要机器人，我要人工
不要再发链接了，转人工！
能让客服联系我吗
请给我安排一个人工
我想跟你们负责人谈谈
在线等人工客服
这个问题你处理不了，换人来
来个人处理一下行吗
你是机器人吧，让人来回我
人呢？我要人工服务
打电话给我，我要跟人说
我需要人工帮助
别智障回复了，找个活人
speak to a human
I want to talk to a real person
agent please
Can I speak with someone?
connect me to customer service
get me a manager
let me talk to your supervisor
human
I'd like to speak to a representative
can i talk to an agent
I need a human agent now
transfer me to a live agent
is there a real person here
put me through to an operator
I want to speak with customer support
how do I speak to a human
how can I reach a real person?
are you a bot? I want a person
this bot is useless, give me a human
stop sending me links and let me speak to somebody
could someone from your team call me
please have someone call me back
please escalate this to a manager
I don't want to talk to a bot
no more automated replies, I want an agent
Can a human look at this please
can you pass me on to a colleague who can decide
let me chat with an actual person
I'd rather deal with a person
someone real please
connect me with support staff
REPRESENTATIVE
I need to talk to someone about my refund
may I have a supervisor on the line
just get me customer care
"""
DOES_NOT_ASK = """
不要转人工
不用转人工，你告诉我就行
先别转人工
我不需要人工客服，自己能搞定
人工客服几点上班
人工客服的工作时间是几点到几点
客服电话是多少
周末有人工客服上班吗
晚上几点以后没有人工
人工客服一般多久回复
人工服务收费吗
客服态度很好
人工费多少钱
安装要人工费吗
我的订单在哪
手工制作吗
客服说三天到账
我让客服改了地址
昨天人工客服让我等三天
刚才转人工转了半天没反应，现在想问退款多久
人工智能音箱多少钱
这个机器人吸尘器多少钱
扫地机器人怎么连WiFi
这是人工钻石吗
人工皮革会掉皮吗
顾客要求转人工怎么办
顾客非要找经理，怎么回复
客户说要转人工，该怎么处理
用户要投诉找主管，话术是什么
经理签字的保修卡有用吗
店长推荐的那款还有货吗
老板娘同款有吗
专员上门安装要多久
可以让快递员送到门口吗
能让安装师傅周末来吗
我想换个大一点的
找个人帮我代收可以吗
一个人用多大的锅合适
I don't want to talk to a human
no need for an agent, just tell me the fee
you don't have to transfer me
Is it made for one person?
The agent said I would get a refund
I want someone to refund me
how many people does the tent fit
I need a gift for someone
Is the travel agent discount valid
a tent for one person
what are your support hours
when can I talk to an agent
what time does customer service open
is customer support open on weekends
how long does an agent take to reply
what is the phone number of customer service
do human agents cost extra
your agent was very helpful yesterday
I spoke to an agent last week and nothing happened
customer wants to speak to a manager, what do I do
the customer is asking for a supervisor, how should I answer
buyer demands a human agent, is there a template
how do I transfer a chat to another agent in this tool
can one person assemble the desk
is this robot vacuum good for pet hair
does the robot need an operator
do you have a cleaning agent for leather
what is the anti-caking agent in it
I am a sales representative, do you sell wholesale
can someone else pick up my parcel
can somebody sign for the parcel
will a person be home required for delivery
does the human hair wig shrink
the manager's special offer, is it still on
is the support bracket included
how do I contact the courier
I need someone to hold the other end when I mount it
is a real person in the product photo
"""

SENSITIVE: Mapping[str, str] = {
    "safety": """
充电器起火了
手机充电时冒烟了
插座漏电了
耳机充电仓鼓包了，吓死人
电热水壶把我电到了
吹风机用着用着着火了
充电宝爆炸了
锅柄断了烫伤了我的手
孩子误吞了磁铁
吃了这个过敏住院了
电池自燃把桌子烧了
玻璃杯炸裂划伤了我的手
插上就有焦味和火花
老人用了以后中毒了
椅子突然塌了，我妈摔骨折了
The charger caught fire
I got injured by the blender
the power bank exploded in my bag
there is smoke coming out of the adapter
my kid swallowed a small magnet
I got an electric shock from the kettle
the battery is swollen and the case is splitting
it burned my hand when I picked it up
strong burning smell as soon as I plug it in
she had an allergic reaction and is in hospital
sparks flew out of the plug
the glass shattered and cut my hand
""",
    "legal": """
再不处理我就找律师
法院见，我要起诉你们
我会走法律途径
等着收律师函吧
我要告你们
你们这是违法的，我要追究法律责任
要求退一赔三，不然打官司
已经在咨询律师了
准备申请仲裁
去法院告你们
按消费者权益保护法赔我三倍
I will SUE you
my attorney will be in touch
I'm taking legal action
see you in court
my lawyer says you have to pay
I'll file a lawsuit
we will start legal proceedings against your company
I'll take you to small claims
this is going to arbitration
you will hear from my solicitor
""",
    "regulator": """
我要打12315投诉
我要去消协投诉
我已经向市场监管局举报了
黑猫投诉见
找媒体曝光你们
发小红书曝光你们这个黑店
我要去工商局举报
我要发微博让大家看看
打12345投诉你们
消费者协会会找你们的
已经向监管部门反映
I'll report you to trading standards
I am filing a complaint with the consumer council
I've contacted the ombudsman
going to report this to the FTC
I will post this all over social media
I'll go to the press with this
reported to the Better Business Bureau
a journalist is interested in my story
I'm reporting you to consumer protection
I will expose you on TikTok
""",
    "payment": """
卡被盗刷了
这笔钱不是我付的，不是我下的单
银行卡未经授权被扣款
我要向银行申请拒付
账号被盗了，有人下单
有人冒充客服骗我转账
你们擅自扣款
我的支付宝被盗刷三千
接到诈骗电话说是你们客服
重复扣款，我要申请争议
会员乱扣钱，没同意过自动续费
I'm going to do a chargeback
There's fraud on my account
I did not make this purchase
I'm disputing the charge with my bank
my card was stolen and used on your site
unauthorised payment on my card
someone hacked my account and ordered a phone
I never placed this order
someone pretending to be your support scammed me
I've opened a payment dispute with PayPal
""",
    "privacy": """
请删除我的个人信息
把我的账号和数据全部删除
我要注销账号
你们泄露了我的手机号
我的个人信息被泄露了
我要导出我的数据
根据个人信息保护法，请告诉我你们有我哪些数据
陌生人知道我的订单，信息泄露了吧
删掉我的所有资料
要求查阅我的个人数据
把我的地址卖给谁了，侵犯我的隐私
please delete  my data
This is a GDPR request
I want a copy of my data
close my account and erase everything
remove my personal information from your systems
what personal data do you hold about me
this is a subject access request
you leaked my address to a third party
I want to be forgotten under the law
was I affected by the data breach
""",
}
NEAR_SENSITIVE: Mapping[str, str] = {
    "safety": """
这款最近很火，起火了吗
店里这款爆款还有货吗
卖爆了还补货吗
颜值炸了
音质炸裂
发型炸毛了，这个护发素有用吗
烟熏妆眼影有吗
抽油烟机吸烟效果好吗
防烫伤手套有吗
儿童防误吞的锁扣怎么装
这个面霜容易过敏吗
敏感肌会不会过敏
支持漏电保护吗
有过充保护会不会鼓包
防火吗
低温烫伤要注意什么
爆炸盐怎么用
火爆辣条还有吗
电击棍能寄吗
是不是无烟锅
does the fire stick remote need batteries
do you ship the Amazon Fire tablet
fire pit cover size
is it fireproof
is this dress hot pink
smoke grey or black, which one is darker
this playlist is fire
sales are exploding, any restock
is the explosion-proof phone case thick
the colour is burnt orange right
does the hospital bed table fold
is it dangerous goods for shipping
does it have a choking hazard warning for toddlers
anti-shock watch strap
melted cheese pan
is the fabric hypoallergenic
""",
    "legal": """
法院版同款西装有吗
律师袍有卖吗
我是律师，想开公司抬头发票
买个法律书架
正版授权吗，合法吗
假一赔十是真的吗
你们支持假一赔三吗
告诉我怎么退
公告在哪里看
仲裁员胸牌能定制吗
广告你们还投吗
do you have court shoes in black
my name is Sue and I ordered a lamp
Sue Miller is the recipient
tennis court shoes
basketball court vinyl sticker
is this suede real
legal size paper
legal pad A4
I want to pursue an exchange
issue with my order
the tissue box is torn
lawyer costume for a party
""",
    "regulator": """
曝光补偿怎么调
相机曝光时间太长
长曝光滤镜有吗
发微博抽奖的奖品什么时候寄
发小红书返现怎么参加
晒单发抖音有红包吗
媒体音量怎么调
记者证卡套有吗
收纳黑猫图案的有吗
多媒体音箱怎么连
黑猫警长玩偶还有吗
voltage regulator for the aquarium
pressure regulator kit
camera exposure settings
double exposure print
social media ring light
can I post a photo of it on Instagram for a discount
french press coffee maker
reporter bag in brown
press the power button for how long
does the window regulator fit my car
""",
    "payment": """
支持信用卡付款吗
怎么防盗刷，卡包有屏蔽功能吗
防盗刷卡套还有吗
防盗门锁怎么装
盗版书吗
扣款成功了但是没显示订单
自动续费怎么关
花呗分期手续费多少
付款失败怎么办
争取今天发货吧
骗局小说有卖吗
这个游戏里的骗子牌怎么玩
拒付运费可以吗
怎么收费
被套尺寸
RFID wallet against card fraud
does the scanner pen work
scamper scooter size
how do I pay by card
charge the battery back to full
is there a charge for returns
why is my payment pending
what payments do you accept
how do I charge it back up
does the battery charge back quickly
""",
    "privacy": """
隐私保护膜有吗
防窥膜保护隐私吗
注册账号怎么弄
怎么修改个人信息
个人信息怎么填
删除订单记录怎么弄
购物车怎么删除商品
数据线多长
数据线断了
导出照片到电脑怎么弄
数据漫游卡有吗
收货地址怎么删
账号登录不上
隐私政策在哪里看
where is your privacy policy
privacy screen protector for iphone
data cable length
how do I delete an item from my cart
how do I delete an old address
can I change my account email
where do I close the lid
does the camera have a privacy shutter
account statement for last month
how much data does the tracker use
""",
}

REFUNDS_ABOVE_500 = """
我要退款，3000元
退我899块
赔偿我两千元损失
手机坏了，必须全额退款1299元
你们要赔我精神损失费5000块
这单¥1,680，给我退钱
退款金额不对，少退了800元
要求补偿600元
请把2599元退还到原账户
我花了一万块买的沙发，退款！
钱什么时候退我，一共1888元
I want a refund of $899
refund me the 1200 dollars I paid
I demand compensation of €750
give me my money back, it cost $1,499.00
you must reimburse me 640 euros
I expect to be refunded £520 today
pay me back the 900 USD
"""
NO_REFUND_ABOVE_500 = """
我要退款
我要退款，99元的
退我20块差价，订单是899元
退款多久到账，订单3000元
3000元的订单，退款进度在哪看
不要退款，给我换货，这台2000元呢
退款政策对1000元以上的商品一样吗
买了3000元的手机，怎么开发票
满3000元有优惠券吗
这个沙发5999元能便宜点吗
运费险赔付最高1000元吗
I want a refund
refund me $20 please
can I get a refund for the $35 case
how long does a refund take for an order of $900
what is your refund policy for items over $1000
I don't want a refund for the $800 phone, I want a repair
is the $1,200 desk in stock
where is my $950 order
"""
