"""Personal data: what must go, what must stay, and that offsets hold."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.personal_data import is_resident_id, passes_luhn
from ingest.redaction import MASKS, Redacted, mask_numbers, mask_order_numbers, redact, redact_value

MASKED = [
    ("我的手机是13800138000，请回电", "我的手机是[PHONE]，请回电"),
    ("13912345678", "[PHONE]"),
    ("电话138 0013 8000谢谢", "电话[PHONE]谢谢"),
    ("联系我 +86 138-0013-8000", "联系我 [PHONE]"),
    ("打8613800138000也行", "打[PHONE]也行"),
    ("手机号：１３８００１３８０００", "手机号：[PHONE]"),
    ("快递员打的是13800138000", "快递员打的是[PHONE]"),
    ("订单号202611110001234，电话13800138000", "订单号202611110001234，电话[PHONE]"),
    ("家里电话0571-87654321", "家里电话[PHONE]"),
    ("座机 (010) 87654321 转 123", "座机 [PHONE]"),
    ("my number is +1 415-555-2671 thanks", "my number is [PHONE] thanks"),
    ("call me at (212) 555-0199.", "call me at [PHONE]."),
    ("You can reach me at 212-555-0199", "You can reach me at [PHONE]"),
    ("phone: 2125550199", "phone: [PHONE]"),
    ("phone 555-0199 instead", "phone [PHONE] instead"),
    ("my resident ID is 980001190102030029", "my resident ID is [ID]"),
    (
        "send it to 742 Evergreen Street, Apt 5, Springfield, tel 555-0199",
        "send it to [ADDRESS], tel [PHONE]",
    ),
    ("UK mobile 07911 123456 please", "UK mobile [PHONE] please"),
    ("landline 020 7946 0958", "landline [PHONE]"),
    ("+44 20 7946 0958 is mine", "[PHONE] is mine"),
    ("香港電話：9123 4567", "香港電話：[PHONE]"),
    ("WhatsApp: +852 9123 4567", "WhatsApp: [PHONE]"),
    ("台灣手機 0912-345-678", "台灣手機 [PHONE]"),
    ("Meine Nummer: +49 30 901820", "Meine Nummer: [PHONE]"),
    ("邮箱zhang.san@example.com谢谢", "邮箱[EMAIL]谢谢"),
    ("Write to jane_doe+shop@mail.example.co.uk, please", "Write to [EMAIL], please"),
    ("ＡＢＣ＠example.com", "[EMAIL]"),
    ("卡号 4111 1111 1111 1111 过期 12/27", "卡号 [CARD] 过期 12/27"),
    ("I paid with 5555-5555-5555-4444", "I paid with [CARD]"),
    ("amex 3782 822463 10005 was charged", "amex [CARD] was charged"),
    ("银联6212345678901232扣了两次", "银联[CARD]扣了两次"),
    ("银行卡号：6222021234567890123", "银行卡号：[CARD]"),
    ("credit card number 4111111111111111", "credit card number [CARD]"),
    ("身份证11010519491231002X", "身份证[ID]"),
    ("证件 110105 19491231 002X 已上传", "证件 [ID] 已上传"),
    ("身份证号码是 440308199901014", "身份证号码是 [ID]"),
    ("passport number E12345678", "passport number [ID]"),
    ("My SSN is 123-45-6789", "My SSN is [ID]"),
    ("香港身份證 A123456(3)", "香港身份證 [ID]"),
    ("微信号：zhangsan_2020", "微信号：[ID]"),
    ("加我QQ：12345678", "加我QQ：[ID]"),
    ("收货地址：浙江省杭州市西湖区文三路100号3幢502室，尽快", "收货地址：[ADDRESS]，尽快"),
    ("地址改到上海市浦东新区世纪大道88号 电话13800138000", "地址改到[ADDRESS] 电话[PHONE]"),
    ("寄到广东省深圳市南山区科技园路1号", "寄到[ADDRESS]"),
    ("我在北京市朝阳区建国路88号院2号楼1503室", "我在[ADDRESS]"),
    ("我住在杭州市西湖区文三路100号3幢502室", "我住在[ADDRESS]"),
    ("My new address is 221B Baker Street, London. Thanks", "My new address is [ADDRESS]. Thanks"),
    ("Please ship it to 12 Oak Avenue, Springfield, IL 62704", "Please ship it to [ADDRESS]"),
    ("I live at 742 Evergreen Terrace, Springfield, OR 97403 now", "I live at [ADDRESS] now"),
    ("收货人：张三 13800138000", "收货人：[NAME] [PHONE]"),
    ("姓名:欧阳小明", "姓名:[NAME]"),
    ("我叫李雷，买的耳机坏了", "我叫[NAME]，买的耳机坏了"),
    ("联系人是王小明，谢谢", "联系人是[NAME]，谢谢"),
    ("收货人: John Smith", "收货人: [NAME]"),
    ("Hi, my name is Jane Doe and my parcel is late", "Hi, my name is [NAME] and my parcel is late"),
    ("Name: John Q. Public\nOrder 12345678", "Name: [NAME]\nOrder 12345678"),
    ("尊敬的张小姐好，尊敬的王建国先生", "尊敬的张小姐好，尊敬的[NAME]先生"),
]

KEPT = [
    "订单号13800138000怎么还没发货",
    "order number 13800138000 is late",
    "13800138000 is my order number",
    "订单202611110001234567什么时候到",
    "运单号：75123456789012",
    "SF1234567890123 到哪了",
    "快递单号 4111111111111111",
    "tracking number 1Z999AA10123456784",
    "tracking 9400 1000 0000 0000 0000 00",
    "JD0012345678901-1-1",
    "ORD-20261111-0001",
    "order #415-555-2671",
    "parcel 420-555-0199 is lost",
    "型号AUR-S2-BLK还有货吗",
    "iPhone 20261111001 is the order",
    "the phone 15 pro costs 7999",
    "K500和JT 2030哪个好",
    "SKU 12345678901",
    "序列号 13912345678",
    "IMEI 490154203237518",
    "价格是1,299.00元，优惠后¥1099",
    "It cost $1,234.56 and shipping was 12.50",
    "2026-03-01 10:00:00下的单",
    "2026年11月11日20:00开始",
    "from 2026/03/01 to 2026/05/31",
    "客服热线400-811-1111",
    "4008111111没人接",
    "拨打800-820-8820",
    "银行电话95588",
    "12315投诉，10086也打过",
    "call 1-800-555-0199 toll free",
    "customer service: 0571-88158198",
    "官方客服电话 010-12345678",
    "售后热线是+86 571 8815 8198",
    "Write to support@shop.example for returns",
    "4111 1111 1111 1112 不是有效卡号",
    "订单号 4111 1111 1111 1111",
    "收货地址怎么修改？",
    "收货地址写错小区了",
    "退货地址：浙江省杭州市余杭区仓前街道1号仓库",
    "收货人是谁填错了",
    "姓名写错了可以改吗",
    "我叫了快递来取",
    "我叫车送过去的",
    "my name is wrong on the invoice",
    "my address is wrong, how do I change it",
    "Product name: AirBuds Pro",
    "send it to the warehouse",
    "买了10件，每件99元，共990元",
    "尺码170/92A，腰围74cm",
    "版本 2.4.11 更新后闪退",
    "110105194912310021",
    "活动时间10:00-22:00",
    "满300减50，可叠加3张",
    "IP 192.168.1.100",
    "@小助手 在吗",
    "收到3个快递，少了1个",
    "发到北京要几天？",
    "微信支付失败了",
]


@pytest.mark.parametrize(("text", "expected"), MASKED)
def test_personal_data_is_masked(text: str, expected: str) -> None:
    redacted = redact(text)
    assert redacted.text == expected
    assert redacted.findings


@pytest.mark.parametrize("text", KEPT)
def test_what_is_no_personal_data_stays(text: str) -> None:
    assert redact(text) == Redacted(text, ())


@pytest.mark.parametrize(("text", "expected"), MASKED)
def test_findings_are_offsets_into_the_original(text: str, expected: str) -> None:
    redacted = redact(text)
    rebuilt, end = "", 0
    for finding in redacted.findings:
        assert end <= finding.start < finding.end <= len(text)
        rebuilt += text[end : finding.start] + MASKS[finding.type]
        end = finding.end
    assert rebuilt + text[end:] == redacted.text


@pytest.mark.parametrize(("text", "expected"), MASKED)
def test_masking_twice_changes_nothing(text: str, expected: str) -> None:
    once = redact(text).text
    assert redact(once).text == once


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "run",
    [
        "1",
        "1 ",
        "a@",
        "name:\n",
        "\n",
        "my address  ",
        "收货人：",
        "收货地址市区",
        "1,111,",
        "+1 ",
        "12 Main St, ",
    ],
)
def test_hostile_runs_take_linear_time(run: str) -> None:
    text = run * (200_000 // len(run))
    redact(text)
    mask_numbers(text)


PIECES = st.lists(
    st.sampled_from([text for text, _ in MASKED] + KEPT) | st.text(max_size=8), min_size=1, max_size=4
)


@settings(deadline=None)
@given(PIECES)
def test_any_text_is_redacted_without_losing_the_rest(pieces: list[str]) -> None:
    text = "\n".join(pieces)
    redacted = redact(text)
    end = 0
    for finding in redacted.findings:
        assert end <= finding.start < finding.end <= len(text)
        assert text[end : finding.start] in redacted.text
        end = finding.end
    assert redact(redacted.text).text == redacted.text


@settings(deadline=None)
@given(st.integers(3, 9), st.integers(0, 10**9 - 1), st.sampled_from(["", "-", " "]))
def test_every_mainland_mobile_number_is_found(second: int, rest: int, separator: str) -> None:
    digits = f"1{second}{rest:09d}"
    number = separator.join((digits[:3], digits[3:7], digits[7:]))
    assert redact(f"请打{number}找我").text == "请打[PHONE]找我"


@settings(deadline=None)
@given(st.integers(10**15, 10**16 - 1))
def test_luhn_refuses_a_changed_digit(number: int) -> None:
    digits = str(number)
    valid = next(digits[:-1] + str(check) for check in range(10) if passes_luhn(digits[:-1] + str(check)))
    assert not passes_luhn(valid[:-1] + str((int(valid[-1]) + 1) % 10))


def test_resident_ids_need_province_date_and_check() -> None:
    assert is_resident_id("11010519491231002X")
    assert is_resident_id("11010519491231002x")
    assert not is_resident_id("110105194912310021")
    assert not is_resident_id("99010519491231002X")
    assert not is_resident_id("11010519491331002X")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("订单202611110001234少了2件", "订单[ORDER]少了[NUMBER]件"),
        ("订单 202611119999999少了3件", "订单 [ORDER]少了[NUMBER]件"),
        ("SF1234567890123三天没动", "[ORDER]三天没动"),
        ("ORD-20261111-0001 is late", "[ORDER] is late"),
        ("付了¥1,299.00还扣我99元", "付了[PRICE]还扣我[PRICE]"),
        ("I paid $12.50 for 2 of them", "I paid [PRICE] for [NUMBER] of them"),
        ("2026-03-01 10:30下单，11月11日收到", "[DATE] [DATE]下单，[DATE]收到"),
        ("电话13800138000", "电话[PHONE]"),
        ("K500连不上AUR-S2-BLK", "K500连不上AUR-S2-BLK"),
        ("iPhone 15 等了7天", "iPhone [NUMBER] 等了[NUMBER]天"),
        ("没有数字", "没有数字"),
    ],
)
def test_numbers_are_masked_for_comparison(text: str, expected: str) -> None:
    assert mask_numbers(text) == expected
    assert mask_numbers(expected) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("订单SL20261111004821已退款129.00元", "订单[ORDER]已退款129.00元"),
        ("SF1234567890123 arrives in 3-5 days", "[ORDER] arrives in 3-5 days"),
        ("请在2026-12-01前拨打400-820-8820", "请在2026-12-01前拨打400-820-8820"),
        ("call 1-800-555-0199 within 30 days", "call 1-800-555-0199 within 30 days"),
        ("{order.id}，电话13800138000", "{order.id}，电话[PHONE]"),
    ],
)
def test_a_reply_loses_its_order_and_keeps_what_it_says(text: str, expected: str) -> None:
    assert mask_order_numbers(text) == expected
    assert mask_order_numbers(expected) == expected


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("我的卡号6222021234567890123", "我的卡号[CARD]"),
        ("card 6222021234567890123 was charged", "card [CARD] was charged"),
        ("微信号 lilei_88", "微信号 [ID]"),
        ("加我微信 lilei88", "加我微信 [ID]"),
        ("我是李雷，想退货", "我是[NAME]，想退货"),
        ("I'm Jane Doe, 221B Baker Street London NW1 6XE", "I'm [NAME], [ADDRESS]"),
    ],
)
def test_who_writes_was_left_unmasked(text: str, masked: str) -> None:
    assert redact(text).text == masked
    assert redact(masked).text == masked


@pytest.mark.parametrize(
    "text",
    [
        "我是白色的", "我是黄色", "我是金卡会员", "我是安卓手机", "我是江苏的", "我是张三的朋友", "我是高一学生",
        "我是常客",
        "礼品卡号 6222021234567890123", "微信iPhone14闪退", "微信支付失败", "I'm Very Angry", "I'm Still Waiting.",
        "I'm Prime Member, please help", "2 Red Dress XL Street Style 20 inch", "iPhone 15 Pro Max",
    ],
)  # fmt: skip
def test_what_only_looks_like_who_writes_stays(text: str) -> None:
    assert redact(text).text == text


@pytest.mark.parametrize(
    ("name", "value", "masked"),
    [
        ("name", "Li Lei", "[NAME]"),
        ("customer.name", "x", "[NAME]"),
        ("姓名", "李雷", "[NAME]"),
        ("order.shipping_address", "221B", "[ADDRESS]"),
        ("receiver.phone", "12345", "[PHONE]"),
        ("email_address", "q", "[EMAIL]"),
        ("product.name", "SP30", "SP30"),
        ("order.name", "#1001", "#1001"),
        ("filename", "a.png", "a.png"),
        ("order.status", "shipped", "shipped"),
        ("note", "call 13812345678", "call [PHONE]"),
    ],
)
def test_a_value_is_masked_by_its_key(name: str, value: str, masked: str) -> None:
    assert redact_value(name, value) == masked
