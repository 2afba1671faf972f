"""What kinds of things a shop sells, from the names of its products: 智能音箱 and 音箱, smart speaker and speaker.

Names say brand and model first and the kind last, as in "声澜 SP30 智能音箱" and "Hearthnova KT17 Electric Kettle".
The whole of what stands after the model is a kind, and so is its head: in English its last word, in Chinese each of its
endings that is a word of the language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from graph.folding import fold

_HAN = re.compile("[\u3400-\u9fff]")
_HAN_RUN = re.compile("[\u3400-\u9fff]+")
_LATIN_WORD = re.compile(r"[a-z][a-z'-]*[a-z]")
_ENDS = frozenset({"with", "for", "and", "in", "of", "by", "plus", "from"})
"""English words before which the kind is over."""
_HEADS = """
set pack kit bundle pair bank box case piece edition series version accessory model size card gift help page guide care
套装 套件 件套 组合 礼盒 机器人 电器 系列 配件
"""
_NOT_ALONE = frozenset(_HEADS.split())
"""Heads that name a kind only together with what stands before them."""
_FOR_IT = re.compile(
    r"[ -](?:app|bag|box|brush|cable|call|case|charger|cover|cushion|filter|holder|lamp|lid|light|mat|mount|number"
    r"|organi[sz]er|pad|protector|rack|sheet|sleeve|stand|strap|table|tray)(?:e?s)?(?![a-z])|[壳套盖垫膜架罩袋盒号卡]"
)
"""What stands after a kind that only says what another thing is for: desk lamp, 沙发套, 手机号."""
_LONGEST = 8
"""Characters of a kind in Chinese; words of one in English are at most _WORDS."""
_WORDS = 3
_SHORTEST_HEAD = 4


def product_kinds(
    products: Mapping[str, Sequence[str]], usual: Callable[[str], int]
) -> dict[str, frozenset[str]]:
    """The kinds of a shop's products, folded, each with the SKUs of its products.

    `products` gives names by SKU; `usual` tells how usual a folded Chinese word is, 0 for what is none.
    """
    found: dict[str, set[str]] = {}
    for sku, names in products.items():
        models = _models(sku)
        for name in names:
            for kind in _of_name(fold(name), models, usual):
                found.setdefault(kind, set()).add(sku)
    return {kind: frozenset(skus) for kind, skus in found.items()}


def only_says_for_what(folded: str, end: int) -> bool:
    """Whether the kind that ends there names no product of it but what another thing is for: desk lamp, 沙发套."""
    return _FOR_IT.match(folded, end) is not None


def _models(sku: str) -> frozenset[str]:
    return frozenset(piece for piece in re.findall(r"[a-z0-9]+", fold(sku)) if not piece.isalpha())


def _of_name(name: str, models: frozenset[str], usual: Callable[[str], int]) -> Iterator[str]:
    pieces = name.split()
    place = next((number for number, piece in enumerate(pieces) if piece in models), None)
    after = pieces[place + 1 :] if place is not None else pieces
    if any(map(_HAN.search, after)):
        yield from _chinese(after, usual, whole=place is not None)
    else:
        yield from _english(after, whole=place is not None)


def _chinese(pieces: Iterable[str], usual: Callable[[str], int], *, whole: bool) -> Iterator[str]:
    """The first piece of at least two Chinese characters, whole and by its endings: what follows tells of the page."""
    runs = (run for piece in pieces for run in _HAN_RUN.findall(piece))
    kind = next((run for run in runs if len(run) > 1), "")
    if whole and len(kind) <= _LONGEST and kind not in _NOT_ALONE:
        yield kind
    for length in range(2, min(len(kind), 5)):
        ending = kind[-length:]
        if ending not in _NOT_ALONE and usual(ending):
            yield ending


def _english(pieces: Iterable[str], *, whole: bool) -> Iterator[str]:
    words: list[str] = []
    for piece in pieces:
        bare = piece.strip("(),:;")
        if _LATIN_WORD.fullmatch(bare) and bare not in _ENDS:
            words.append(bare)
        elif words:
            break
        if words and piece != bare:
            break
    if not words:
        return
    if whole and 1 < len(words) <= _WORDS:
        yield " ".join(words)
    if len(words) > _WORDS or (whole and len(words) == _WORDS):
        yield " ".join(words[-2:])
    head = words[-1].rsplit("-", 1)[-1]
    if head not in _NOT_ALONE and len(head) >= _SHORTEST_HEAD:
        yield head


def written(kind: str) -> tuple[str, ...]:
    """A kind as it may be written: in English also as one or as several."""
    if not kind.isascii():
        return (kind,)
    return (kind, kind[:-1] if kind.endswith("s") and not kind.endswith("ss") else f"{kind}s")
