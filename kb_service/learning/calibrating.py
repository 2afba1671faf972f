"""Judged questions and people's verdicts to a workspace's own calibration, stored, followed, and taken back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from typing import Literal

from kb_service.errors import Conflict, InvalidRequest, NotFound
from kb_service.judging.comparing import Loss, losses
from kb_service.judging.evaluation import Judged, JudgedQuestion, judge
from kb_service.judging.fitting import Taught, fitted
from kb_service.learning.recalibrating import Recalibrated, recalibrated
from kb_service.learning.verdicts import told
from kb_service.replicas.replicas import Replicas
from kb_service.search.calibration import Calibration, base_of, calibration_for, constants_of, in_force
from kb_service.store import Judgement, Precedent, Store, StoredCalibration, Unit, new_id
from kb_service.understanding.reading import Reader

MOST_VERDICTS = 5_000
"""Judged answers that are looked at, the latest: enough for any shop's confidence, and a second's work."""
LEAST_HELD_OUT = 30
"""Held-out questions below which nothing can be told, so that nothing is stored unless it is forced."""
COMMAND, NIGHTLY = "command", "nightly"
"""The actors in the audit: the command line, and the service by itself."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A calibration that questions gave, judged on others before and after; stored under `id`, or not (None)."""

    calibration: Calibration
    before: tuple[Judged, ...]
    after: tuple[Judged, ...]
    losses: tuple[Loss, ...]
    id: str | None


class Calibrating:
    """The calibrations of every workspace."""

    def __init__(
        self, store: Store, replicas: Replicas, reader: Reader, *, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._replicas = replicas
        self._reader = reader
        self._clock = clock

    def history(self, workspace: str) -> tuple[StoredCalibration, ...]:
        """What was ever stored for the present model, the newest, which is in force, first."""
        with self._store.reading(workspace) as unit:
            return unit.calibrations.all(self._reader.model_id)

    def by_questions(
        self,
        workspace: str,
        teach: Sequence[JudgedQuestion],
        held_out: Sequence[JudgedQuestion],
        *,
        source: str,
        force: bool = False,
    ) -> Fitted:
        """Fit on some questions, judge on others, and store the result if nothing got worse beyond noise.

        What ships is what little data changes little, so that fitting twice on the same questions is fitting
        once. With `force` it is stored whatever the figures say.
        """
        replica = self._replicas.settled(workspace)
        start = calibration_for(replica.index.model_id)
        before = judge(replica, self._reader, held_out, now=self._clock)
        calibration = fitted(
            [Taught(replica, teach)], self._reader, now=self._clock, start=start, source=source
        )
        in_use = replica.index.calibration
        replica.index.calibration = calibration
        try:
            after = judge(replica, self._reader, held_out, now=self._clock)
        finally:
            replica.index.calibration = in_use
        lost = losses(before, after)
        stored = None
        if force or (not lost and len(held_out) >= LEAST_HELD_OUT):
            counts = {"questions": len(teach), "held_out": len(held_out)}
            stored = self._store_fitted(workspace, calibration, counts)
        return Fitted(calibration, tuple(before), tuple(after), lost, stored)

    def by_verdicts(self, workspace: str, *, actor: str = COMMAND) -> tuple[Recalibrated, str | None]:
        """Recalibrate on what people said of answers; the id it was stored under, None when it was not.

        Bounded: the latest verdicts only, one logistic of a few parameters, no search and no encoder.
        """
        replica = self._replicas.of(workspace)
        model_id = replica.index.model_id
        with self._store.reading(workspace) as unit:
            history = unit.calibrations.all(model_id)
            judgements = unit.judgements.latest(model_id, MOST_VERDICTS)
            now = self._clock()
            verdicts = told(
                judgements,
                now=now,
                reopened=reopened_cases(unit, judgements),
                source=cache(partial(document_text, unit)),
            )
        newest = history[0] if history else None
        found = recalibrated(
            in_force(newest, model_id),
            base := _base(history, model_id),
            verdicts,
            same_base={base.id, *(item.id for item in history if _stands_on(item, base))},
            since=newest.fitted_at if newest is not None and newest.kind == "rollback" else None,
        )
        if not found.changed:
            return found, None
        source = f"{found.counts['reviews']} reviews, {found.counts['feedback']} answers with feedback"
        calibration = replace(found.calibration, source=f"{base.source}; {source}")
        stored = _entry(calibration, "verdicts", found.counts, now)
        with self._store.writing(workspace) as unit:
            latest = unit.calibrations.newest(model_id)
            if latest != newest:
                return replace(found, changed=False), None  # another process, or a person, was faster
            _add(unit, stored, actor)
        self._replicas.follow(workspace)
        return found, stored.id

    def roll_back(self, workspace: str, to: str, *, actor: str = COMMAND) -> StoredCalibration:
        """Bring an earlier calibration of the present model back into force, or with `shipped` the shipped one.

        Raises NotFound for one that never was, Conflict for one that this version cannot use.
        """
        model_id = self._reader.model_id
        with self._store.writing(workspace) as unit:
            earlier = unit.calibrations.get(to) if to != "shipped" else None
            if to != "shipped" and (earlier is None or earlier.model_id != model_id):
                raise NotFound("There is no calibration {id} of the model {model}.", id=to, model=model_id)
            constants = earlier.constants if earlier is not None else None
            if constants is not None and in_force(earlier, model_id).id != to:
                raise Conflict("The calibration {id} was fitted by another version; fit it anew.", id=to)
            stored = StoredCalibration(
                id=new_id("cal_", unit.now),
                model_id=model_id,
                kind="rollback",
                source=f"back to {to}",
                fitted_at=unit.now,
                counts=dict(earlier.counts) if earlier is not None else {},
                constants=constants,
            )
            _add(unit, stored, actor)
        self._replicas.follow(workspace)
        return stored

    def _store_fitted(self, workspace: str, calibration: Calibration, counts: dict[str, int]) -> str:
        stored = _entry(calibration, "questions", counts, self._clock())
        with self._store.writing(workspace) as unit:
            _add(unit, stored, COMMAND, calibration.precedents.held)
        self._replicas.follow(workspace)
        return stored.id


def halves(
    questions: Sequence[JudgedQuestion], split: str
) -> tuple[list[JudgedQuestion], list[JudgedQuestion]]:
    """Questions to fit on, and questions to judge by: by the split, or where none is named, by a stable half.

    Raises InvalidRequest where splits are named but not this one, and where either part is empty.
    """
    named = {question.split for question in questions} - {""}
    if named and split not in named:
        raise InvalidRequest.of(
            "--calibrate", "the questions have no split {split}; their splits: {present}",
            split=split, present=", ".join(sorted(named)),
        )  # fmt: skip
    taught = [item for item in questions if (item.split == split if named else _taught_half(item.id))]
    rest = [item for item in questions if item not in taught]
    if not taught or not rest:
        raise InvalidRequest.of("--calibrate", "needs questions to fit on and others to judge by")
    return taught, rest


def _taught_half(question_id: str) -> bool:
    return hashlib.blake2b(f"half {question_id}".encode(), digest_size=1).digest()[0] % 2 == 0


def _base(history: Sequence[StoredCalibration], model_id: str) -> Calibration:
    """What judged questions gave last, before any verdict: the calibration in force without its adjustment."""
    present = in_force(history[0] if history else None, model_id)
    first = next((item for item in history if item.id == present.base), None)
    return in_force(first, model_id)


def _stands_on(item: StoredCalibration, base: Calibration) -> bool:
    return item.constants is not None and base_of(item) == base.base


def _entry(
    calibration: Calibration, kind: Literal["questions", "verdicts"], counts: Mapping[str, int], at: datetime
) -> StoredCalibration:
    id = new_id("cal_", at)
    if kind == "questions":
        calibration = replace(calibration, base=id)
    return StoredCalibration(
        id=id,
        model_id=calibration.model_id,
        kind=kind,
        source=calibration.source,
        fitted_at=at,
        counts=dict(counts),
        constants=constants_of(calibration),
    )


def _add(unit: Unit, stored: StoredCalibration, actor: str, precedents: Sequence[Precedent] = ()) -> None:
    unit.calibrations.add(stored, precedents)
    detail = {"kind": stored.kind, "source": stored.source, "counts": dict(stored.counts)}
    unit.audit.append(actor, "calibration.stored", stored.id, detail)


def reopened_cases(unit: Unit, judgements: Sequence[Judgement]) -> set[str]:
    """The cases behind these answers whose customer came back within 72 h of a resolution."""
    cases = {item.exposure.case_id for item in judgements} - {None}
    if not cases:
        return set()
    since = min(item.exposure.at for item in judgements)
    return {
        item.case_id
        for item in unit.events.outcomes(since)
        if item.reopened and item.case_id is not None and item.case_id in cases
    }


def document_text(unit: Unit, external_id: str) -> str | None:
    """What a document says now; None where it is gone."""
    stored = unit.documents.get(external_id)
    return stored.document.text if stored is not None else None
