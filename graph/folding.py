"""One spelling for comparing, character by character, so that offsets into the result hold in the text."""

from __future__ import annotations

import functools
import unicodedata

_TRADITIONAL = (
    "這個們來時會說對開關門問題無電話機訊號單據發貨運費錢買賣貴賓頭經過現實際應該還沒樣點東車馬書長間見觀"
    "覺親愛學習國際動務員體驗點產質處理決處罰賠償險損壞傷燒觸騙盜帳賬戶號碼個資隱護權條約訴訟狀師檢舉報"
    "轉聯絡絡繫繼續線網頁圖顏色尺碼鬆緊舊換補償價優惠節雙禮盒裝裡裏邊內衛廳廚臥讓請謝歡憤惱氣極爛"
    "壓屏碎螢幕顯滅亂閃響聲聽視觸鍵盤滑鼠記憶擴樂隨錶錄攝鏡頭飛機遲滯達簽寄遞遠週歷曆兩萬億幾萬"
    "圓壹貳參肆陸柒捌玖拾採購訂閱聯絡終結餘額積點會員級別專線熱線總監"
    "媽爸爺嗎呢嚴重緊急馬趕擔嘗試測詢諮詢確認鎖絕異從眾認為僅僅連絡臺灣廣東雲貴陝寧龍滬蘇濟漢長慶"
    "樓層號區縣鄉鎮鐵銀鋼鋁塑膠紙棉麻絲綢毛氈鞋襪褲裙襯衫帽圍巾濕乾淨潔臟髒髮膚敏癢紅腫"
)
_SIMPLIFIED = (
    "这个们来时会说对开关门问题无电话机讯号单据发货运费钱买卖贵宾头经过现实际应该还没样点东车马书长间见观"
    "觉亲爱学习国际动务员体验点产质处理决处罚赔偿险损坏伤烧触骗盗帐账户号码个资隐护权条约诉讼状师检举报"
    "转联络络系继续线网页图颜色尺码松紧旧换补偿价优惠节双礼盒装里里边内卫厅厨卧让请谢欢愤恼气极烂"
    "压屏碎萤幕显灭乱闪响声听视触键盘滑鼠记忆扩乐随表录摄镜头飞机迟滞达签寄递远周历历两万亿几万"
    "圆壹贰参肆陆柒捌玖拾采购订阅联络终结余额积点会员级别专线热线总监"
    "妈爸爷吗呢严重紧急马赶担尝试测询咨询确认锁绝异从众认为仅仅连络台湾广东云贵陕宁龙沪苏济汉长庆"
    "楼层号区县乡镇铁银钢铝塑胶纸棉麻丝绸毛毡鞋袜裤裙衬衫帽围巾湿干净洁脏脏发肤敏痒红肿"
)
_OTHER = {"’": "'", "‘": "'", "“": '"', "”": '"', "　": " ", "\u00a0": " ", "–": "-", "‐": "-", "‑": "-"}


@functools.cache
def _table() -> dict[int, str]:
    table = dict(zip(map(ord, _TRADITIONAL), _SIMPLIFIED, strict=True))
    return table | {ord(character): plain for character, plain in _OTHER.items()}


@functools.lru_cache(maxsize=1 << 14)
def _character(character: str) -> str:
    character = _table().get(ord(character), character)
    for folded in (unicodedata.normalize("NFKC", character), character):
        lower = folded.casefold()
        if len(lower) == 1:
            return lower
    return character


def fold(text: str) -> str:
    """Half width, lower case, common traditional characters simplified; exactly as long as the text.

    For finding phrases and entities in a message as it was written. (Words arrive already folded by the
    caller's segmenter, which knows far more traditional words.)
    """
    return "".join(map(_character, text))


def is_latin(character: str) -> bool:
    """Whether a character is an ASCII letter or digit, which make words that need borders."""
    return character.isascii() and character.isalnum()
