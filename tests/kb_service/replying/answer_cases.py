"""Questions to the sample shop with what an answer from the right document must say, and what it must leave out.

Written from the documents, not from `sample_kb/questions.jsonl`. `model` marks those where words do not decide.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    question: str
    document: str
    says: tuple[str, ...]
    leaves: tuple[str, ...] = ()
    model: bool = False


def case(question: str, document: str, *says: str, leaves: tuple[str, ...] = (), model: bool = False) -> Case:
    return Case(question, document, says, leaves, model)


CASES = (
    # --- a product's field
    case("EB20 保修期多久", "product-SLA-EB20-zh", "声澜 EB20", "保修期是 12 个月", leaves=("¥399",)),
    case("声澜EB20耳机质保几个月呀", "product-SLA-EB20-zh", "保修期是 12 个月"),
    case("how long is the warranty on the EB20?", "product-SLA-EB20-en", "Sonlan EB20", "the warranty is 12 months"),
    case("how long is the warranty on the EB20?", "product-SLA-EB20-zh", "声澜 EB20", "the warranty is 12 个月"),
    case("EB20 保修多长时间", "product-SLA-EB20-en", "Sonlan EB20", "保修期是 12 months"),
    case("EB20 保修期多久", "page-SLA-EB20-zh", "保修是 12 个月", leaves=("¥399",)),
    case("what does the EB50 cost", "page-SLA-EB50-en", "the price is ¥799", leaves=("12 months",)),
    case("EB20 有多重", "product-SLA-EB20-zh", "重量是单耳 4.6 g，含盒 41 g"),
    case("How heavy are the EB20 earbuds?", "product-SLA-EB20-en", "the weight is 4.6 g each, 41 g with case"),
    case("EB20 有什么颜色", "product-SLA-EB20-zh", "颜色是云白 / 石墨黑 / 雾蓝"),
    case("what colours does the JK01 jacket come in", "product-YDF-JK01-en", "the colours are Maple red / Pine / Ink"),
    case("EB20 充一次电能听多久", "page-SLA-EB20-zh", "续航是单次 7 小时"),
    case("how long does the EB50 play with noise cancelling on", "page-SLA-EB50-en", "6.5 h (ANC on)"),
    case("EB20 充满电要多久", "page-SLA-EB20-zh", "盒子充满约 1.5 小时"),
    case("EB20 防水吗", "product-SLA-EB20-zh", "防水等级是 IPX5（充电盒不防水）"),
    case("is the WT2 watch waterproof", "product-ORN-WT2-en", "5 ATM: swimming yes, diving and sauna no"),
    case("SP30 功率多少", "page-SLA-SP30-zh", "功率是 20 W"),
    case("SP30 音箱尺寸是多少", "page-SLA-SP30-zh", "尺寸是Ø132×168 mm", leaves=("1.35 kg",)),
    case("DK05 升降桌承重多少", "page-MHE-DK05-zh", "承重是 120 kg（均匀放置）"),
    case("what's in the box of the RV8", "product-HNV-RV8-en", "in the box: Robot, self-empty base, 2 dust bags"),
    case("RV8 包装里有什么配件", "product-HNV-RV8-zh", "包装清单是主机、自集尘基站"),
    case("蚕丝被是什么材质的", "product-MHE-DV02-zh", "材质是面料 40 支全棉；填充 100% 桑蚕丝 1.5 kg"),
    case("where does the WT2 ship from", "product-ORN-WT2-en", "ships from Hangzhou"),
    case("冲锋衣从哪里发货", "product-YDF-JK01-zh", "发货地是苏州仓"),
    case("RV8 支持 5G 的 wifi 吗", "product-HNV-RV8-zh", "Wi-Fi 2.4 GHz（不支持 5 GHz）"),
    case("RV8 吸力多大", "page-HNV-RV8-zh", "吸力是 5200 Pa"),
    case("HM6 加湿器噪音大吗", "page-HNV-HM6-zh", "噪声是不高于 32 dB"),
    case("HM6 适合多大的房间", "page-HNV-HM6-zh", "适用面积是 20–40 m²"),
    case("WT2 屏幕多大", "page-ORN-WT2-zh", "屏幕是 1.43 英寸 AMOLED"),
    case("PB20 额定容量是多少", "page-VTN-PB20-zh", "额定容量是 11800 mAh"),
    # --- a table's row, or the table
    case("升降桌显示E05怎么办", "page-MHE-DK05-zh", "立柱连接异常", "拔下两根立柱线重新插紧", leaves=("E08",)),
    case("音箱灯环黄色慢闪是什么意思", "page-SLA-SP30-zh", "黄色慢闪", "网络断开", leaves=("红色常亮",)),
    case("how loud is the AP40 in sleep mode", "page-HNV-AP40-en", "Mode “Sleep”", "24 dB", leaves=("61 dB",)),
    case("175 身高 68kg 羽绒服穿什么码", "page-YDF-DJ02-zh", "175 cm、70 kg 选 L"),
    case("信用卡退款多久到账", "policy-refunds-zh", "信用卡（境内发卡）", "5–7 个工作日", leaves=("2 小时内",)),
    case("How long does a refund to my debit card take?", "policy-refunds-en", "Debit card", "3–5 working days"),
    case("退款多久到账", "policy-refunds-zh", "移动支付", "1–3 个工作日", "5–7 个工作日"),
    case("how long does a refund take", "policy-refunds-en", "1–3 working days", "5–7 working days"),
    case("金卡会员退货运费谁出", "policy-returns-zh", "金卡会员", "每年 6 次", leaves=("单笔最高 ¥12",)),
    case("聊天记录保留多长时间", "policy-privacy-zh", "在线聊天记录", "12 个月", leaves=("3 年",)),
    case("How much is shipping to Singapore", "policy-shipping-intl-en", "Singapore", "¥58", leaves=("¥138",)),
    case("毛巾拆封了还能无理由退吗", "policy-hygiene-zh", "不支持无理由退货", "毛巾 TW08", leaves=("袜子",)),
    case("双十一几号正式开卖", "policy-double11-2026-zh", "正式开卖", "11 月 10 日 20:00", leaves=("付定金",)),
    # --- a policy's sentence, with its conditions
    case("满多少包邮", "policy-shipping-cn-zh", "满 ¥99 包邮", "不足 ¥99 收取运费 ¥8", leaves=("31 个",)),
    case("How much is delivery?", "policy-shipping-cn-en", "free from ¥129", "Below that it costs ¥8"),
    case("几点前付款当天发货", "policy-shipping-cn-zh", "16:00 前付款，当天发出", leaves=("分包裹",)),
    case("发错地址了能改吗", "policy-shipping-cn-zh", "自行修改一次地址"),
    case("延迟发货怎么赔", "policy-shipping-cn-zh", "5% 赔付积分"),
    case("积分什么时候过期", "policy-membership-zh", "积分有效期到次年 12 月 31 日", leaves=("100 积分抵 ¥1",)),
    case("100积分能抵多少钱", "policy-membership-zh", "100 积分抵 ¥1", leaves=("12 月 31 日",)),
    case("生日券多久过期", "policy-membership-zh", "30 天有效"),
    case("礼品卡有效期多久", "policy-giftcard-zh", "36 个月有效"),
    case("一个订单可以用几张礼品卡", "policy-giftcard-zh", "一笔订单最多用 5 张", leaves=("不兑换现金",)),
    case("发票多久能开出来", "policy-invoice-zh", "24 小时内开出", leaves=("预付卡",)),
    case("签收后多少天内可以开发票", "policy-invoice-zh", "180 天内"),
    case("How long do I have to ask for an invoice?", "policy-invoice-en", "within 180 days"),
    case("When does a special VAT invoice come?", "policy-invoice-en", "takes 5 working days"),
    case("How many days do I have to return something?", "policy-returns-en", "15 days", "Platinum members have 30 days", leaves=("engraved",)),
    case("can opened earbuds be returned", "policy-returns-en", "even if the seal is broken", "cleaning fee of ¥40"),
    case("床垫试睡多少天内可以退", "policy-installation-zh", "第 10 晚到第 100 晚", leaves=("沙发",)),
    case("改约送货要收费吗", "policy-installation-zh", "24 小时前免费", "收 ¥50", leaves=("保管",)),
    case("铂金会员保修延长多久", "policy-gold-benefits-zh", "保修延长 6 个月"),
    case("How long does the extra platinum warranty last for SP30", "policy-platinum-care-en", "6 months added"),
    case("价保多少天", "policy-price-protection-zh", "30 天内"),
    case("以旧换新补贴最多多少", "policy-tradein-zh", "最高 ¥200"),
    case("注销账号冷静期几天", "policy-privacy-zh", "7 天冷静期"),
    case("我的数据多久能拿到", "policy-privacy-zh", "15 天内", model=True),
    case("Is VAT included for EU orders?", "policy-shipping-intl-en", "VAT is included at checkout for orders up to €150"),
    case("How long may I wait before I get my withdrawal done in Europe", "policy-returns-eu-en", "within 14 days", model=True),
    case("I was billed two times for one order", "policy-disputes-en", "reverse it within 3 working days", model=True),
    # --- ways and lists
    case("EB20 第一次怎么配对", "page-SLA-EB20-zh", "把两只耳机放进充电盒", "Sonlan EB20"),
    case("how do I reset the SP30 speaker", "page-SLA-SP30-en", "Hold Play and Volume + together for 8 seconds"),
    case("哪些商品不能价保", "policy-price-protection-zh", "限时秒杀", "礼品卡", "尾货清仓"),
    case("What can you not send abroad?", "policy-shipping-intl-en", "Power banks", "Large goods"),
    case("怎么退货", "policy-returns-zh", "申请售后", "上门取件", "验货"),
    # --- a sentence of a product's page
    case("蚕丝被能水洗吗", "page-MHE-DV02-zh", "不能水洗，也不能干洗", leaves=("观丝口",)),
    case("how often should I change the AP40 filter", "page-HNV-AP40-en", "every 12 months", leaves=("carbon smell",)),
    case("How much is a new filter for the AP40", "page-HNV-AP40-en", "A new filter costs ¥199"),
    case("PB20 能带上飞机吗", "page-VTN-PB20-zh", "74 Wh", "不能托运"),
    case("DJ02 零下能穿吗", "page-YDF-DJ02-zh", "0–10 ℃"),
    # --- replies are whole
    case("顺丰快递几天能到", "faq-zh-014", "疾羽速运，1–3 天", "4–8 天"),
    case("Which carriers do you use?", "faq-en-014", "Jiyu Express", "4–8 days"),
)  # fmt: skip
