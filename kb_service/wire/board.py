"""The people board: one line a person, each figure beside the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from graph.board import POINTS, STEPS, WEIGHTS, BoardLine, Part, PartName, Unused
from graph.board_words import UNUSED
from kb_service.messages import Language
from kb_service.metrics.measuring import BoardReport
from kb_service.store import Page
from kb_service.wire.base import Moment, Response
from kb_service.wire.metrics import DIGITS, rounded


class PartOut(Response):
    """One figure of a person; null, with the `reason`, where it is not shown. `points` is what it adds to the value."""

    name: PartName
    value: float | None
    low: float | None
    high: float | None
    n: int
    shop: float | None
    points: float
    reason: str | None
    text: str

    @classmethod
    def of(cls, part: Part, language: Language) -> PartOut:
        return cls(
            name=part.name,
            value=rounded(part.value),
            low=rounded(part.low),
            high=rounded(part.high),
            n=part.n,
            shop=rounded(part.shop),
            points=round(part.points, 2),
            reason=part.reason,
            text=part.words[language],
        )


class MasteredOut(Response):
    """`rate` is the person's, `shop` what others resolve of the same cases, both at the case that showed it."""

    expertise_id: str
    name: str
    at: Moment
    n: int
    rate: float
    low: float
    shop: float


class BoardLineOut(Response):
    id: str
    name: str
    cases: int
    value: float | None
    low: float | None
    high: float | None
    standing: Literal["above", "around", "below"] | None
    reason: str | None
    parts: list[PartOut]
    fields_mastered: list[MasteredOut]
    complexity_total: float | None
    consultations: int
    passed_on: int
    load_share: float | None
    even_share: float | None
    utilisation: float | None
    utilisation_reason: Unused | None
    utilisation_text: Annotated[str | None, Field(description="The reason in words.")]

    @classmethod
    def of(cls, line: BoardLine, labels: Mapping[str, str], language: Language) -> BoardLineOut:
        return cls(
            id=line.person.id,
            name=line.person.name,
            cases=line.cases,
            value=rounded(line.value, 1),
            low=rounded(line.low, 1),
            high=rounded(line.high, 1),
            standing=line.standing,
            reason=line.reason,
            parts=[PartOut.of(part, language) for part in line.parts],
            fields_mastered=[
                MasteredOut(
                    expertise_id=won.expertise_id,
                    name=labels.get(won.expertise_id, won.expertise_id),
                    at=won.at,
                    n=won.n,
                    rate=round(won.rate, DIGITS),
                    low=round(won.low, DIGITS),
                    shop=round(won.shop, DIGITS),
                )
                for won in line.mastered
            ],
            complexity_total=rounded(line.complexity_total, 2),
            consultations=line.person.consultations,
            passed_on=line.person.passed_on,
            load_share=rounded(line.load_share),
            even_share=rounded(line.even_share),
            utilisation=rounded(line.utilisation),
            utilisation_reason=line.utilisation_reason,
            utilisation_text=UNUSED[line.utilisation_reason][language] if line.utilisation_reason else None,
        )


class BoardOut(Response):
    """`weights` is what each part weighs, `steps` how far from the average one step is, `points` what a step in every
    part would add; the value is 50 for the shop's average."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    begin: Moment = Field(alias="from")
    end: Moment = Field(alias="to")
    weights: dict[PartName, float]
    steps: dict[PartName, float]
    points: float
    items: list[BoardLineOut]
    next_cursor: str | None = None

    @classmethod
    def of(cls, report: BoardReport, page: Page[BoardLine], language: Language) -> BoardOut:
        return cls(
            begin=report.span.begin,
            end=report.span.end,
            weights=dict(WEIGHTS),
            steps={name: round(step, DIGITS) for name, step in STEPS.items()},
            points=POINTS,
            items=[BoardLineOut.of(line, report.labels, language) for line in page.items],
            next_cursor=page.next_cursor,
        )
