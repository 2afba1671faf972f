"""Fills a workspace from the sample shop: documents, intents, agents and a month of events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from graph.models import Event
from graph.rules import Rules
from kb_service.commands.asking import QUESTIONS, ask
from kb_service.commands.workbench import Workbench
from kb_service.errors import Conflict, InvalidRequest
from kb_service.models import KEY_ROLES, IngestReport, Principal, Progress
from kb_service.settings import Settings
from kb_service.wire.events import EventIn
from kb_service.wire.expertise import ExpertisePinIn
from kb_service.wire.people import AgentIn, IntentLineIn
from kb_service.wire.rules import RulesShape

FOLDERS = ("products", "policies", "faq", "resolutions")
FILES = ("intents.jsonl", "agents.jsonl", "events.jsonl", QUESTIONS)
RULES = "rules.json"
EXPERTISE = "expertise.jsonl"
"""What the shop sets beside the product's defaults, and what its expertise is called; a folder may do without."""
KEY_LABEL = "demo"
KEPT_KEYS = 5
"""Keys of earlier runs that stay valid, so that a restart does not break what uses them."""
GROUP = 256
WAITING = 14
"""Customers who wait for a person when the desk is opened first."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a newcomer needs after `kb demo`: what is in the workspace, where it is, and a key."""

    workspace: str
    key: str
    documents: int
    passages: int
    problems: int
    alerts: int
    report: IngestReport

    def text(self, settings: Settings) -> str:
        base = f"http://{settings.host}:{settings.port}"
        return WELCOME.format(**{name: getattr(self, name) for name in self.__slots__}, base=base)


WELCOME = """
Workspace `{workspace}`: {documents} documents in {passages} passages, {problems} problems, {alerts} alerts.
工作区 `{workspace}` 已就绪:{documents} 篇文档、{passages} 个段落、{problems} 个问题、{alerts} 条预警。

Key (all roles; shown once) / 密钥(全部角色,仅显示一次):

  export KB_KEY={key}

Ask as a bot would / 像机器人一样提问:

  curl -s {base}/v1/answers -H "Authorization: Bearer $KB_KEY" -H "Content-Type: application/json" \\
    -d '{{"query": "退款多久到账?"}}'
  curl -s {base}/v1/answers -H "Authorization: Bearer $KB_KEY" -H "Content-Type: application/json" \\
    -d '{{"query": "Can I take the power bank on a plane?"}}'

What keeps going wrong / 反复出现的问题:

  curl -s "{base}/v1/alerts?limit=3" -H "Authorization: Bearer $KB_KEY" -H "Accept-Language: zh"

The API's reference / 接口文档: {base}/openapi.json (with the key). Stop with Ctrl-C.
"""


def fill(bench: Workbench, workspace: str, folder: Path, progress: Progress) -> Welcome:
    """Bring the workspace in line with the sample; a second run finds everything there and is quick."""
    ensure_workspace(bench, workspace)
    folders = [folder / name for name in FOLDERS]
    report = bench.services.knowledge.ingest(workspace, folders, progress=progress)
    caller = Principal(workspace, "sample", frozenset(KEY_ROLES))
    put_people(bench, caller, folder)
    put_names(bench, caller, folder / EXPERTISE)
    put_rules(bench, caller, folder / RULES)
    if record_events(bench, workspace, folder / "events.jsonl", progress):
        hand_over_the_last(bench, caller)
    ask(bench, workspace, folder, progress)
    key = new_key(bench, workspace)
    with bench.store.reading(workspace) as unit:
        problems = unit.problems.all(["open", "acknowledged", "regressed", "silenced"])
        return Welcome(
            workspace=workspace,
            key=key,
            documents=unit.documents.count(),
            passages=unit.documents.passage_count(),
            problems=len(problems),
            alerts=unit.alerts.count(),
            report=report,
        )


def missing(folder: Path) -> Path | None:
    """The first thing that a sample shop needs and this folder lacks."""
    if not folder.is_dir():
        return folder
    return next((folder / name for name in (*FOLDERS, *FILES) if not (folder / name).exists()), None)


def ensure_workspace(bench: Workbench, workspace: str) -> None:
    try:
        bench.create_workspace(workspace)
    except Conflict:
        return


def put_people(bench: Workbench, caller: Principal, folder: Path) -> None:
    """Intents and agents, as the API would put them; those that are as they should be are left alone."""
    intents = [_parsed(IntentLineIn, item, name) for name, item in _lines(folder / "intents.jsonl")]
    with bench.store.reading(caller.workspace) as unit:
        known = {intent.id: intent for intent in unit.intents.all()}
        agents = {agent.id: agent for agent in unit.agents.all()}
    wanted = [intent.value(intent.id) for intent in intents]
    if changed := [intent for intent in wanted if known.get(intent.id) != intent]:
        bench.services.taxonomy.put_intents(caller, changed)
    for name, item in _lines(folder / "agents.jsonl"):
        agent_id = str(item.pop("id", ""))
        agent = _parsed(AgentIn, item, name).value(agent_id)
        if (present := agents.get(agent_id)) is not None:
            # Who is online, and with how many cases, the events have told since.
            agent = replace(agent, online=present.online, load=present.load)
        if agent != present:
            bench.services.team.put_agent(caller, agent)


def put_names(bench: Workbench, caller: Principal, path: Path) -> None:
    """What expertise is called, where nobody has decided anything of it yet."""
    if not path.exists():
        return
    with bench.store.reading(caller.workspace) as unit:
        decided = {pin.id for pin in unit.expertise.pins()}
    for name, item in _lines(path):
        cluster_id = str(item.pop("id", ""))
        if cluster_id not in decided:
            named = _parsed(ExpertisePinIn, item, name).model_dump(exclude_unset=True)
            bench.services.clustering.pin(caller, cluster_id, named)


def put_rules(bench: Workbench, caller: Principal, path: Path) -> None:
    """The shop's rules, where nobody has set any yet."""
    if path.exists() and bench.services.rulebook.rules(caller.workspace) == Rules():
        wanted = _parsed(RulesShape, _object(path.name, path.read_text("utf-8")), path.name).value()
        bench.services.rulebook.put(caller, wanted)


def record_events(bench: Workbench, workspace: str, path: Path, progress: Progress) -> int:
    """The month of events, in order of arrival; those recorded before are recognised. How many were new."""
    events = [_parsed(EventIn, item, name).value() for name, item in _lines(path)]
    with bench.store.reading(workspace) as unit:
        known = unit.events.existing([event.id for event in events])
    fresh: Sequence[Event] = [event for event in events if event.id not in known]
    for start in range(0, len(fresh), GROUP):
        progress(start, len(fresh), path.name)
        bench.services.casework.record(workspace, fresh[start : start + GROUP])
    progress(len(fresh), len(fresh), path.name)
    return len(fresh)


def hand_over_the_last(bench: Workbench, caller: Principal) -> None:
    """Whom the bot left without an answer at the end of the month waits for a person: the desk begins with a queue."""
    with bench.store.reading(caller.workspace) as unit:
        last = unit.cases.page(None, WAITING, state="bot").items
    for case in last:
        bench.services.casework.handover(caller, case.id, "还没有答案 / no answer yet")


def new_key(bench: Workbench, workspace: str) -> str:
    """A key with all roles; the oldest of many earlier ones are revoked."""
    earlier = [key for key in bench.keys(workspace) if key.label == KEY_LABEL and key.revoked_at is None]
    for key in sorted(earlier, key=lambda key: key.created_at)[: max(0, len(earlier) - KEPT_KEYS + 1)]:
        bench.revoke_key(key.id)
    secret, _ = bench.create_key(workspace, ",".join(KEY_ROLES), KEY_LABEL)
    return secret


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        if line.strip():
            yield f"{path.name}:{number}", _object(f"{path.name}:{number}", line)


def _object(name: str, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise InvalidRequest.of(name, "is not JSON: {reason}", reason=str(error)) from None
    if not isinstance(value, dict):
        raise InvalidRequest.of(name, "must be a JSON object")
    return value


def _parsed(shape: Any, item: dict[str, Any], name: str) -> Any:
    try:
        return shape.model_validate(item)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidRequest.of(name, "{where}: {reason}", where=where, reason=first["msg"]) from None
