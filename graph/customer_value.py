"""What a customer is worth to a shop, measured by the shop's own customers, and the tier that it gave them."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from graph.folding import fold
from graph.models import Customer

PSEUDO_CUSTOMERS = 20.0
"""So many customers have to be known before what they show weighs as much as the product's own scales."""
_UPPER = 0.75
"""A figure that three in four customers do not reach gives three quarters of the whole."""

_LATIN: Mapping[str, str] = {
    "platinum": r"platin|diamond|diamant|s?vip|platina(?![a-z])|black card",
    "gold": r"gold|(?:oro|ouro)(?![a-z])",
    "silver": r"silver|silber|(?:argent|plata|prata)(?![a-z])",
    "bronze": r"bronze|bronce(?![a-z])",
}
_OTHER: Mapping[str, str] = {
    "platinum": "铂金|鉑金|白金|钻石|鑽石|黑金|黑卡|プラチナ|ダイヤモンド|플래티넘|다이아몬드|платин|бриллиант",
    "gold": "金卡|黄金|黃金|金牌|金级|ゴールド|골드|золот",
    "silver": "银卡|銀卡|白银|白銀|银牌|銀牌|银级|シルバー|실버|серебр",
    "bronze": "铜卡|銅卡|青铜|青銅|铜牌|ブロンズ|브론즈|бронз",
}
_TIERS = tuple(
    (tier, re.compile(f"(?<![a-z])(?:{_LATIN[tier]})|{_OTHER[tier]}"))
    for tier in ("platinum", "gold", "silver", "bronze")
)
"""The dearest first: 白金卡 and 铂金卡 hold 金卡 too."""

_SHOWN: Mapping[str, tuple[str, str]] = {
    "platinum": ("platinum", "铂金"),
    "diamond": ("diamond", "钻石"),
    "gold": ("gold", "金卡"),
    "silver": ("silver", "银卡"),
    "bronze": ("bronze", "铜卡"),
    "regular": ("regular", "普通"),
}
"""Names that have one in each language: English and Chinese."""
_MEMBER = re.compile(r"\s*(?:会员|會員|member|members|tier|customer)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ValueScales:
    """How many orders, how much money and how many days are a lot in a shop; each figure saturates at its scale.

    A share of 1 - 1/e (.63) is reached at `orders` orders and at `spend` in the shop's currency; of `recency_days`
    days since the last order 1/e is left.
    """

    orders: float = 4.0
    spend: float = 3000.0
    recency_days: float = 90.0

    @classmethod
    def of(cls, customers: Iterable[Customer]) -> ValueScales:
        """The scales at which the customer who outdoes three in four of the shop has three quarters of the whole.

        The classic segmentation by recency, frequency and money ranks customers within their shop; the upper
        quartile does the same without a currency and without jumps. Shrunk, on a log scale, to the product's own
        scales as if PSEUDO_CUSTOMERS customers had shown those. A figure that was never told leaves its scale.
        """
        known = tuple(customers)
        default = cls()
        often = [float(item.orders) for item in known if item.orders is not None]
        much = [item.spend for item in known if item.spend is not None]
        lately = [item.recency_days for item in known if item.recency_days is not None]
        more = -math.log(1 - _UPPER)
        return cls(
            orders=_shrunk(often, _UPPER, more, default.orders),
            spend=_shrunk(much, _UPPER, more, default.spend),
            recency_days=_shrunk(lately, 1 - _UPPER, -math.log(_UPPER), default.recency_days),
        )

    def share(self, customer: Customer) -> float:
        """The customer's value, 0 to 1: a third each for recency, frequency and money; what is unknown gives 0."""
        lately = 0.0
        if customer.recency_days is not None:
            lately = math.exp(-max(customer.recency_days, 0.0) / self.recency_days)
        often = -math.expm1(-max(customer.orders or 0, 0) / self.orders)
        much = -math.expm1(-max(customer.spend or 0.0, 0.0) / self.spend)
        return (lately + often + much) / 3


def _shrunk(figures: list[float], quantile: float, factor: float, default: float) -> float:
    """The scale that puts the quantile where it belongs; the default where there is none or it says nothing."""
    seen = float(np.quantile(figures, quantile)) / factor if figures else 0.0
    if seen <= 0:
        return default
    weight = len(figures) / (len(figures) + PSEUDO_CUSTOMERS)
    return math.exp(weight * math.log(seen) + (1 - weight) * math.log(default))


@functools.lru_cache(maxsize=1024)
def _known_tier(folded: str) -> str | None:
    if folded in ("or", "carte or"):  # French gold is an English word
        return "gold"
    return next((tier for tier, pattern in _TIERS if pattern.search(folded)), None)


def named_in(tier: str | None, declared: Mapping[str, float] | Mapping[str, int]) -> float:
    """What a shop declared for a customer's tier; 0 for one that it did not.

    The shop's own names come first, whatever their case; then the usual ones in any language: 金卡, "Gold-Kunde"
    and ゴールド are gold, "VIP" and 钻石 count as platinum.
    """
    if tier is None or not (folded := fold(tier).strip()):
        return 0.0
    for name, value in declared.items():
        if fold(name).strip() == folded:
            return float(value)
    return float(declared.get(_known_tier(folded) or "", 0.0))


def tier_words(tier: str, language: str) -> str:
    """A tier as a person calls it: 银卡会员, "silver tier"; a shop's own name stays as it is."""
    name = _MEMBER.sub("", tier.strip()) or tier.strip()
    folded = fold(name)
    english, chinese = next((pair for pair in _SHOWN.values() if folded in pair), (name, name))
    if language != "zh":
        return f"{english} tier"
    if chinese.endswith("会员"):
        return chinese
    return f"{chinese}{' ' if chinese[-1].isascii() else ''}会员"
