"""What the figures of a trial allow to say, in Chinese and in English."""

from __future__ import annotations

from collections.abc import Mapping

from graph.experiments import BETTER, SHARES, Experiment, Findings, Guarded, Metric, Side
from graph.sequential import Comparison

NAMES: Mapping[Metric, Mapping[str, str]] = {
    "resolution": {"en": "resolution in 72 h without reopening", "zh": "72 小时内解决且未重开的比例"},
    "unassisted": {"en": "cases that no person had to take", "zh": "无需人工的会话比例"},
    "acceptance": {"en": "suggestions that agents used", "zh": "客服采用建议的比例"},
    "rating": {"en": "rating", "zh": "评分"},
    "handling_seconds": {"en": "handling time", "zh": "处理时长"},
    "first_response_seconds": {"en": "time to the first response", "zh": "首次响应时间"},
}


def verdict_words(experiment: Experiment, found: Findings | None) -> dict[str, str]:
    """The verdict by language, "zh" and "en"; `found` is None before the start."""
    return {
        "en": _english(experiment, found),
        "zh": _chinese(experiment, found),
    }


def _english(experiment: Experiment, found: Findings | None) -> str:
    over = experiment.stopped_at is not None
    if found is None:
        return "Ended before it began." if over else "Not started."
    name = NAMES[experiment.metric]["en"]
    told = _towards(BETTER[experiment.metric], experiment.metric, found.primary, "en")
    arms = found.primary.control.units, found.primary.treatment.units
    least, units = min(arms), sum(arms)
    begin = "Ended before a verdict" if over else "Not yet"
    more = "" if over else f"; about {found.verdict.more_units} more units are expected"
    few = ", too few to tell" if over else more
    match found.verdict.reason:
        case "guard_broken":
            return f"Treatment does harm: {_broken(found, 'en')}. It is given to nobody any more."
        case "ratio_mismatch":
            return (
                f"No verdict: {found.seen['control']} units in control and {found.seen['treatment']} in treatment do "
                f"not fit a share of {experiment.share:g} (p = {found.ratio_p:.1g}). Something keeps units out of one "
                "arm; mend that and begin anew."
            )
        case "too_few":
            return f"{begin}: {least} of at least {experiment.minimum} units in the smaller arm{few}."
        case "better":
            return f"Treatment is better by {told} in {name}; it can be adopted."
        case "worse":
            return f"Treatment is worse: {told} in {name}; keep what is."
        case "no_difference":
            return f"No difference was shown over {units} units: {told} in {name}."
        case _:
            return f"{begin}: {told} in {name}{'' if over else ' so far'}{more}."


def _chinese(experiment: Experiment, found: Findings | None) -> str:
    over = experiment.stopped_at is not None
    if found is None:
        return "未开始即已结束。" if over else "尚未开始。"
    name = NAMES[experiment.metric]["zh"]
    told = _towards(BETTER[experiment.metric], experiment.metric, found.primary, "zh")
    arms = found.primary.control.units, found.primary.treatment.units
    least, units = min(arms), sum(arms)
    begin = "已结束，没有结论" if over else "暂无结论"
    more = "" if over else f"；预计还需约 {found.verdict.more_units} 个单位"
    few = "，数量太少，无法判断" if over else more
    match found.verdict.reason:
        case "guard_broken":
            return f"试验方案有损害：{_broken(found, 'zh')}。已停止对任何人使用。"
        case "ratio_mismatch":
            return (
                f"暂无结论：对照组 {found.seen['control']} 个单位、试验组 {found.seen['treatment']} 个单位，与比例 "
                f"{experiment.share:g} 不符（p = {found.ratio_p:.1g}）。有原因使某一组的单位缺失，请排除后重新开始。"
            )
        case "too_few":
            return f"{begin}：较小一组有 {least} 个单位，至少需要 {experiment.minimum} 个{few}。"
        case "better":
            return f"试验方案更好：{name}改善 {told}，可以采用。"
        case "worse":
            return f"试验方案更差：{name}的改善为 {told}，请保持现状。"
        case "no_difference":
            return f"{units} 个单位未显示差异：{name}的改善为 {told}。"
        case _:
            return f"{begin}：{'' if over else '目前'}{name}的改善为 {told}{more}。"


def _broken(found: Findings, language: str) -> str:
    return guard_words(next(item for item in found.guards if item.broken), language)


def guard_words(item: Guarded, language: str) -> str:
    """What a guard says, in "zh" or "en"."""
    metric = item.guard.metric
    name = NAMES[metric][language]
    worse = _towards(item.guard.worse, metric, item.found, language)
    margin = _amount(metric, item.guard.margin, language)
    if item.found.low is None:
        return f"{name}：数据不足，尚无法判断" if language == "zh" else f"{name}: too little is known yet"
    if language == "zh":
        return f"{name}变差 {worse}，{'已超过' if item.broken else '未证实超过'}允许的 {margin}"
    return f"{name} is worse by {worse}, {'' if item.broken else 'not shown to be '}more than the {margin} allowed"


def _towards(side: Side, metric: Metric, found: Comparison, language: str) -> str:
    """How far treatment lies to one side of control, with its interval: "3.1 points (0.4 to 5.8)"."""
    sign = 1.0 if side == "higher" else -1.0
    amount = _amount(metric, sign * found.difference, language)
    if found.low is None or found.high is None:
        return amount
    low, high = sorted((sign * found.low, sign * found.high))
    between = "至" if language == "zh" else " to "
    inside = f"{_number(metric, low)}{between}{_number(metric, high)}"
    return f"{amount}（{inside}）" if language == "zh" else f"{amount} ({inside})"


def _amount(metric: Metric, value: float, language: str) -> str:
    units = {"en": (" points", " s", ""), "zh": (" 个百分点", " 秒", " 分")}[language]
    unit = units[0] if metric in SHARES else units[2] if metric == "rating" else units[1]
    return f"{_number(metric, value)}{unit}"


def _number(metric: Metric, value: float) -> str:
    if metric in SHARES:
        return f"{100 * value:.1f}"
    return f"{value:.2f}" if metric == "rating" else f"{value:.0f}"
