"""Other rules tried on the past for somebody at a page: begun once, and looked at while that goes and after."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

from graph.rules import Rules
from kb_service.accounts import Visitor
from kb_service.errors import NotFound
from kb_service.long_runs import Run, RunState
from kb_service.messages import Language
from kb_service.problem_details import details
from kb_service.recurring.backtesting import Backtest, Trial
from kb_service.recurring.rulebook import edition
from kb_service.routes.context import in_thread
from kb_service.services import Services

SeenState: TypeAlias = RunState | Literal["gone"]


@dataclass(frozen=True, slots=True)
class RunSeen:
    """A run as it stood when it was looked at: it may end while a page is made. `outcome` is there once it is done,
    `why` tells what is known of a failure, or what to do where the run is gone."""

    id: str
    state: SeenState
    share: float
    outcome: Backtest | None = None
    why: str = ""

    @classmethod
    def of(cls, run: Run[Backtest], language: Language) -> RunSeen:
        state = run.state
        outcome = run.outcome if state == "done" else None
        error = run.error if state == "failed" else None
        why = details(error, language)["detail"] if error is not None else ""
        return cls(run.id, state, run.share, outcome, why)


def begun(
    wired: Services, guest: Visitor, trial: Trial, present: Rules, asked: str, bearing: Iterable[str]
) -> Run[Backtest]:
    """A run of a trial, or the one that is going for the same: for what was `asked`, under the rules in force and those
    of the trial that are `bearing` on it, by name. Raises Conflict while another goes."""
    workspace = guest.principal.workspace
    values = asdict(trial.change(present))
    tried = json.dumps({name: values[name] for name in bearing}, sort_keys=True)
    return wired.backtest_runs.begin(
        workspace,
        guest.member.id,
        f"{asked} {edition(present)} {tried}",
        lambda heard: wired.backtesting.run(workspace, trial, heard),
        position=wired.backtesting.position(workspace),
    )


async def looked_at(wired: Services, guest: Visitor, id: str, language: Language) -> RunSeen:
    """A run by its id. Of one that is no longer kept it is told that it is gone: whoever asks each second stops."""
    try:
        run = await in_thread(wired, wired.backtest_runs.of, guest.principal.workspace, id)
    except NotFound as error:
        return RunSeen(id, "gone", 0.0, why=error.detail(language))
    return RunSeen.of(run, language)
