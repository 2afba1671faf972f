"""Texts for people in both languages. The English template is the key; `ZH` holds its translation.

A test collects every template that the code raises and fails when one has no translation here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

Language: TypeAlias = Literal["zh", "en"]

ZH: Mapping[str, str] = {}


def translate(template: str, language: Language, params: Mapping[str, Any]) -> str:
    """The text of `template` in `language`, filled with `params`."""
    if language == "zh":
        prefix = "{field}: "
        if template.startswith(prefix) and template not in ZH:
            template = "{field}:" + ZH.get(template.removeprefix(prefix), template.removeprefix(prefix))
        else:
            template = ZH.get(template, template)
    return template.format(**params) if params else template


def preferred_language(accept_language: str | None) -> Language:
    """Chinese or English by an `Accept-Language` header (RFC 9110 weights); English when neither is named."""
    weights: dict[str, float] = {}
    for part in (accept_language or "").split(","):
        tag, _, parameters = part.strip().partition(";")
        weight = 1.0
        if parameters.strip().startswith("q="):
            try:
                weight = float(parameters.strip()[2:])
            except ValueError:
                weight = 0.0
        primary = tag.strip().lower().partition("-")[0]
        if primary in ("zh", "en"):
            weights[primary] = max(weight, weights.get(primary, 0.0))
    return "zh" if weights.get("zh", 0.0) > weights.get("en", 0.0) else "en"
