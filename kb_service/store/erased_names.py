"""Names that were made of an erased customer's words, of problems and of clusters, wherever they were copied to."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sqlalchemy import and_, or_, select, update

from kb_service.store import tables
from kb_service.store.problems import Problems
from kb_service.store.quotes import Quotes, without
from kb_service.store.repository import Scope, chunks
from kb_service.store.rewriting import STREAM, Rewriter

_events = tables.events
_assignments = tables.assignments
_problems = tables.problems
_proposals = tables.proposals
_messages = tables.messages
_experiments = tables.experiments
_SURGE = "traffic.surge"
_PROPOSED = "proposal.created"
_ROUTING = ("set_expertise", "pin_problems")
"""What a proposal does that names a cluster."""
_QUOTED = re.compile(r"“([^”]+)”")
_MADE = re.compile(r"…| \(.+\)$|（.+）$")
"""What a name has that was made of a longer message or of several."""


class ErasedNames(Rewriter):
    """The names that go with a customer.

    To be used in this order: `learn` before anything is removed, `lose` for each problem that goes, and when the
    customer's messages are gone `blank`, `forget_told` and `forget_clusters`.
    """

    table = _problems

    def __init__(self, scope: Scope, quotes: Quotes, counts: Counter[str]) -> None:
        super().__init__(scope, counts)
        self._quotes = quotes
        self._standing: dict[str, str] = {}
        """Every id of the problems that the customer had a share in, to the one that stands for it."""
        self._kept: defaultdict[str, set[str]] = defaultdict(set)
        self._gone: defaultdict[str, set[str]] = defaultdict(set)
        """Names by the id that stands: those kept for an unmerge, and those that were the customer's."""
        self._proposed: dict[str, str] = {}
        self._removed: set[str] = set()

    @property
    def problem_ids(self) -> frozenset[str]:
        """Every id that the problems learnt of have or had."""
        return frozenset(self._standing)

    def learn(self, problem_ids: Iterable[str]) -> None:
        """Notes by which ids problems were told, what is proposed for them, and their names of before a merge."""
        problems = Problems(self._scope)
        for id in sorted(problem_ids):
            standing = problems.resolve_id(id) or id
            self._standing[id] = standing
            found = problems.get(standing)
            for name in (standing, *(found.aliases if found is not None else ())):
                self._standing[name] = standing
            for proposal_id in problems.proposals_of(standing):
                self._proposed[proposal_id] = standing
        table = tables.regroupings
        for some in chunks(sorted(self._standing)):
            theirs = or_(table.c.problem_id.in_(some), table.c.other_id.in_(some))
            for kept in self._read(select(table.c.kept).where(self._mine(table), theirs)).scalars():
                for problem in (kept.get("problem"), kept.get("survivor")):
                    if problem and not problem["named_by_person"] and problem["id"] in self._standing:
                        self._kept[self._standing[problem["id"]]].update(problem["names"].values())

    def lose(self, problem_id: str, names: Collection[str]) -> None:
        """A problem of nothing but the customer's messages goes: so do its names, those before a merge too."""
        self._removed.add(problem_id)
        self._gone[problem_id].update(names, self._kept.pop(problem_id, ()))

    def blank(self, problem_ids: set[str]) -> tuple[str, ...]:
        """Empties the names that quote the customer; their problems. Every one given has changed."""
        for problem_id in sorted(problem_ids):
            self._log("problem", problem_id)
        blanked = []
        for some in chunks(sorted(problem_ids)):
            statement = select(_problems.c.id, _problems.c.names).where(
                self._mine(), _problems.c.id.in_(some)
            )
            for row in self._read(statement).all():
                names = set(row.names.values())
                if self._theirs(row.id, names):
                    blanked.append(row.id)
                    self._gone[row.id] |= names
        for id in blanked:
            named = self._mine(), _problems.c.id == id
            self._write(update(_problems).where(*named).values(names={}, folded_names=""))
        for id, names in self._kept.items():
            self._gone[id] |= self._theirs(id, names)
        self._counts["problems"] += len(blanked)
        return tuple(sorted(blanked))

    def _theirs(self, problem_id: str, names: Collection[str]) -> set[str]:
        """Which names of a problem are the customer's words, and in nobody else's messages about it."""
        others = self._messages_of(problem_id) if names else []
        return {name for name in names if self._quotes.excerpt(name) or self._quotes.alone(name, others)}

    def _messages_of(self, problem_id: str) -> list[str]:
        """What others wrote about a problem, the customer's messages being gone already."""
        theirs = _events.join(
            _assignments,
            and_(_assignments.c.workspace == _events.c.workspace, _assignments.c.event_id == _events.c.id),
        )
        statement = (
            select(_events.c.text)
            .select_from(theirs)
            .where(self._mine(_events), _assignments.c.problem_id == problem_id, _events.c.text.is_not(None))
            .order_by(_events.c.at)
            .limit(STREAM)
        )
        return list(self._read(statement).scalars())

    # --- problems' names

    def forget_told(self) -> None:
        """Proposals, their trials and messages about a problem do not keep a name that was the customer's."""

        def proposed(row: Any) -> set[str]:
            ids = (row.problem_id, self._proposed.get(row.id), row.change)
            return self._names_of(ids, [row.title, row.evidence, row.draft])

        def cleaned(row: Any, name: str) -> Any:
            return without(getattr(row, name), proposed(row))

        about = ("problem_id", "change", "experiment_id", "title", "evidence", "draft")
        statement = select(_proposals.c.id, *(_proposals.c[name] for name in about))
        tried = {
            row.experiment_id: names
            for row in self._read(
                statement.where(self._mine(_proposals), _proposals.c.experiment_id.is_not(None))
            )
            if (names := proposed(row))
        }
        self._rewrite(_proposals, ("title", "evidence", "draft"), cleaned, beside=about)
        self._rewrite(
            _messages, ("data",), lambda row, _: without(row.data, self._names_of(row.data, row.data))
        )
        for some in chunks(sorted(tried)):
            self._rewrite(
                _experiments,
                ("name",),
                lambda row, _: without(row.name, tried[row.id]),
                "experiment",
                _experiments.c.id.in_(some),
            )

    def _names_of(self, about: Any, told: Any) -> set[str]:
        """The names that go from a text which tells of problems: those known, and earlier ones found in it."""
        standing = {self._standing[id] for id in _strings(about) if id in self._standing}
        if not standing:
            return set()
        earlier = {name for name in _called(told) if _MADE.search(name) and self._quotes.excerpt(name)}
        return earlier.union(*(self._gone[id] for id in standing))

    # --- clusters' names

    def forget_clusters(self) -> None:
        """Clusters lose problems that are no more and a name that was made of the customer's words, and so does what
        was decided of others, told of surges and proposed under that name."""
        names = self._rename_clusters()
        names |= {name for name in self._copied() if self._names_them(name)}
        if not names:
            return

        def cleaned(row: Any, name: str) -> Any:
            return without(getattr(row, name), names)

        self._rewrite(tables.decisions, ("features",), cleaned)
        routed = and_(_messages.c.type == _PROPOSED, _messages.c.data["kind"].as_string() == "routing")
        self._rewrite(_messages, ("data",), cleaned, condition=or_(_messages.c.type == _SURGE, routed))
        pinned = tables.audit.c.action == "expertise.pinned"
        self._rewrite(tables.audit, ("detail",), cleaned, condition=pinned)
        copies = ("title", "evidence", "draft", "change", "expected")
        routing = [row for row in self._routing_proposals() if any(_holds(value, names) for value in row)]
        for some in chunks(row.id for row in routing):
            self._rewrite(_proposals, copies, cleaned, condition=_proposals.c.id.in_(some))
        self._rewrite(_experiments, ("name",), cleaned, "experiment")

    def _rename_clusters(self) -> set[str]:
        """The names that clusters and pins lost."""
        forgotten: set[str] = set()
        for table in (tables.expertise, tables.expertise_pins):
            columns = (table.c.id, table.c.name, table.c.problem_ids)
            for row in self._read(select(*columns).where(self._mine(table))).all():
                problems = [id for id in row.problem_ids if id not in self._removed]
                quoting = row.name is not None and self._names_them(row.name)
                if quoting:
                    forgotten.add(row.name)
                if not quoting and problems == row.problem_ids:
                    continue
                name = row.name if not quoting else row.id if table is tables.expertise else None
                changed = update(table).where(self._mine(table), table.c.id == row.id)
                self._write(changed.values(name=name, problem_ids=problems))
                self._counts[table.name] += 1
                self._log("expertise", row.id)
        return forgotten

    def _names_them(self, name: str) -> bool:
        """Whether a cluster's name quotes the customer, or holds the name of a problem that did."""
        return self._quotes.excerpt(name) or any(
            part in name for names in self._gone.values() for part in names if part
        )

    def _copied(self) -> set[str]:
        """The names of clusters, present and earlier ones, in what was decided, told and proposed."""
        found: set[str] = set()
        decisions = select(tables.decisions.c.features).where(self._mine(tables.decisions))
        for features in self._read(decisions.execution_options(yield_per=STREAM)).scalars():
            found.update(_clusters_of(features))
        surges = select(_messages.c.data).where(self._mine(_messages), _messages.c.type == _SURGE)
        for data in self._read(surges.execution_options(yield_per=STREAM)).scalars():
            found.update(((data.get("expertise") or {}).get("name") or {}).values())
        proposed = {name for row in self._routing_proposals() for name in _called([row.title, row.draft])}
        if proposed:
            # They name a problem too, which may be another's and have its name from others.
            names = self._read(select(_problems.c.names).where(self._mine()))
            found |= proposed - {name for each in names.scalars() for name in each.values()}
        return found

    def _routing_proposals(self) -> list[Any]:
        columns = (_proposals.c[name] for name in ("id", "title", "evidence", "draft", "change", "expected"))
        action = _proposals.c.change["action"].as_string()
        statement = select(*columns).where(self._mine(_proposals), action.in_(_ROUTING))
        return list(self._read(statement))


def _clusters_of(features: dict[str, Any]) -> Iterator[str]:
    """The names of clusters in what a decision was made by."""
    if (name := (features.get("expertise") or {}).get("name")) is not None:
        yield name
    for candidate in features.get("candidates") or ():
        if (name := (candidate.get("estimate") or {}).get("of")) is not None:
            yield name


def _strings(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        yield from _strings(list(value.values()))


def _called(value: Any) -> Iterator[str]:
    """What may be names in a JSON value: those of its parts, and in texts what stands in quotation marks."""
    for text in _strings(value):
        yield from _QUOTED.findall(text)
    if isinstance(value, dict):
        yield from _strings(value.get("name"))
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if not isinstance(item, str):
            yield from _called(item)


def _holds(value: Any, names: Collection[str]) -> bool:
    return any(name in text for text in _strings(value) for name in names)
