"""A closer look at a backtest: a part of its span, one problem of it or all, the alerts that differ or all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from urllib.parse import urlencode

from graph.models import Problem
from kb_service.console.then_and_now import AlertRow, RowOutcome, rows_of
from kb_service.messages import Language
from kb_service.recurring.backtesting import Backtest

PAGE = 100
MOST_PROBLEMS = 100
"""Problems that one may choose among, those with the most alerts."""

Which: TypeAlias = Literal["all", "changed"]
Stretch: TypeAlias = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Closeup:
    """What is looked at of the outcome of a run. It knows the way to other closeups of the same."""

    address: str
    run: str
    found: Backtest
    begin: datetime
    end: datetime
    problem: Problem | None
    show: Which

    @classmethod
    def at(
        cls,
        address: str,
        run: str,
        found: Backtest,
        *,
        problem: str,
        begin: datetime | None,
        end: datetime | None,
        show: Which,
    ) -> Closeup:
        """What an address asks for; the whole span where it asks for a part that there is not."""
        first = max(found.begin, begin) if begin is not None and begin.tzinfo else found.begin
        last = min(found.end, end) if end is not None and end.tzinfo else found.end
        if not first < last:
            first, last = found.begin, found.end
        return cls(address, run, found, first, last, found.problems.get(problem), show)

    @property
    def zoomed(self) -> bool:
        return (self.begin, self.end) != (self.found.begin, self.found.end)

    @property
    def before(self) -> Stretch | None:
        """The part of the same length that ends where this one begins."""
        first = max(self.found.begin, self.begin - (self.end - self.begin))
        return (first, self.begin) if first < self.begin else None

    @property
    def after(self) -> Stretch | None:
        last = min(self.found.end, self.end + (self.end - self.begin))
        return (self.end, last) if self.end < last else None

    def link(self, anchor: str = "result", **other: object) -> str:
        """Where another one is: as this one but for what is named; an empty value leaves it out."""
        asked: dict[str, object] = {
            "run": self.run,
            "problem": self.problem.id if self.problem is not None else "",
            "begin": self.begin if self.zoomed else "",
            "end": self.end if self.zoomed else "",
            "show": self.show,
            **other,
        }
        told = {
            name: value.isoformat() if isinstance(value, datetime) else str(value)
            for name, value in asked.items()
        }
        return f"{self.address}?{urlencode({name: text for name, text in told.items() if text})}#{anchor}"


@dataclass(frozen=True, slots=True)
class AlertPage:
    """A page of the alerts in a closeup, `many` in all, and what becomes of all that there are, differing or not."""

    rows: tuple[AlertRow, ...]
    many: int
    number: int
    pages: int
    outcomes: Counter[RowOutcome]


def alerts_in(closeup: Closeup, number: int) -> AlertPage:
    """The page with a number, or the last one where there are fewer."""
    seen = [
        row
        for row in rows_of(closeup.found)
        if (closeup.problem is None or row.problem_id == closeup.problem.id)
        and row.within(closeup.begin, closeup.end)
    ]
    rows = [row for row in seen if row.outcome != "same"] if closeup.show == "changed" else seen
    pages = max(1, -(-len(rows) // PAGE))
    number = min(number, pages)
    shown = rows[(number - 1) * PAGE : number * PAGE]
    return AlertPage(tuple(shown), len(rows), number, pages, Counter(row.outcome for row in seen))


def problems_in(found: Backtest, language: Language) -> list[Problem]:
    """The problems with the most alerts, by name."""
    alerts = Counter(
        item.problem_id for some in (found.as_it_was, found.present, found.proposed) for item in some.alerts
    )
    known = [found.problems[id] for id, _ in alerts.most_common(MOST_PROBLEMS) if id in found.problems]
    return sorted(known, key=lambda item: (item.names.get(language) or item.id).casefold())
