"""The shop's intents, agents, expertise, and the assignment of waiting cases."""

from __future__ import annotations

from fastapi import APIRouter, Response

from kb_service.routes.context import Caller, Cursor, GuardedRoute, Lang, Limit, Wired, in_thread
from kb_service.wire.base import Id, Page
from kb_service.wire.expertise import ExpertiseDetailOut, ExpertisePinIn
from kb_service.wire.people import (
    AgentIn,
    AgentOut,
    AssignmentOut,
    AssignmentsIn,
    AssignmentsOut,
    ExpertiseOut,
    IntentIn,
    IntentOut,
    IntentsIn,
    IntentsOut,
    IntentStatusOut,
    ProfileOut,
)

router = APIRouter(prefix="/v1", tags=["people"], route_class=GuardedRoute)
NOW = AssignmentsIn()
"""The body that may be left out."""


@router.get("/intents", summary="The shop's intents")
async def intents(wired: Wired, caller: Caller, cursor: Cursor = None, limit: Limit = 50) -> Page[IntentOut]:
    page = await in_thread(wired, wired.taxonomy.intents, caller.workspace, cursor, limit)
    return Page[IntentOut].model_validate(page)


@router.post("/intents:batch", summary="Create or change many intents at once")
async def put_intents(wired: Wired, caller: Caller, body: IntentsIn) -> IntentsOut:
    values = [line.value(line.id) for line in body.intents]
    statuses = await in_thread(wired, wired.taxonomy.put_intents, caller, values)
    return IntentsOut(
        items=[
            IntentStatusOut(id=value.id, status=status)
            for value, status in zip(values, statuses, strict=True)
        ]
    )


@router.get("/intents/{id}", summary="One intent")
async def intent(wired: Wired, caller: Caller, id: Id) -> IntentOut:
    return IntentOut.model_validate(await in_thread(wired, wired.taxonomy.intent, caller.workspace, id))


@router.put(
    "/intents/{id}",
    summary="Create or change an intent; its examples count when this returns",
    responses={201: {"model": IntentOut, "description": "The intent is new."}},
)
async def put_intent(wired: Wired, caller: Caller, id: Id, body: IntentIn, response: Response) -> IntentOut:
    value = body.value(id)
    (status,) = await in_thread(wired, wired.taxonomy.put_intents, caller, [value])
    response.status_code = 201 if status == "created" else 200
    return IntentOut.model_validate(value)


@router.delete("/intents/{id}", summary="Remove an intent", status_code=204)
async def remove_intent(wired: Wired, caller: Caller, id: Id) -> None:
    await in_thread(wired, wired.taxonomy.remove_intent, caller, id)


@router.get("/agents", summary="The people who answer")
async def agents(wired: Wired, caller: Caller, cursor: Cursor = None, limit: Limit = 50) -> Page[AgentOut]:
    page = await in_thread(wired, wired.team.agents, caller.workspace, cursor, limit)
    return Page[AgentOut].model_validate(page)


@router.get("/agents/{id}", summary="One agent")
async def agent(wired: Wired, caller: Caller, id: Id) -> AgentOut:
    return AgentOut.model_validate(await in_thread(wired, wired.team.agent, caller.workspace, id))


@router.put(
    "/agents/{id}",
    summary="Create or change an agent",
    responses={201: {"model": AgentOut, "description": "The agent is new."}},
)
async def put_agent(wired: Wired, caller: Caller, id: Id, body: AgentIn, response: Response) -> AgentOut:
    created = await in_thread(wired, wired.team.put_agent, caller, body.value(id))
    response.status_code = 201 if created else 200
    return AgentOut.model_validate(await in_thread(wired, wired.team.agent, caller.workspace, id))


@router.delete("/agents/{id}", summary="Remove an agent", status_code=204)
async def remove_agent(wired: Wired, caller: Caller, id: Id) -> None:
    await in_thread(wired, wired.team.remove_agent, caller, id)


@router.get("/agents/{id}/profile", summary="What an agent is good at, with intervals, from twenty cases on")
async def profile(wired: Wired, caller: Caller, lang: Lang, id: Id) -> ProfileOut:
    return ProfileOut.of(await in_thread(wired, wired.team.profile, caller.workspace, id), lang)


@router.get("/expertise", summary="Clusters of problems with the agents who resolve them")
async def expertise(wired: Wired, caller: Caller) -> Page[ExpertiseOut]:
    found = await in_thread(wired, wired.clustering.all, caller.workspace)
    return Page[ExpertiseOut](items=[ExpertiseOut.model_validate(item) for item in found])


@router.get(
    "/expertise/{id}", summary="One cluster: its intents, problems and agents, and what leads to each"
)
async def one_expertise(wired: Wired, caller: Caller, lang: Lang, id: Id) -> ExpertiseDetailOut:
    found = await in_thread(wired, wired.clustering.one, caller.workspace, id)
    return ExpertiseDetailOut.of(found, lang)


@router.put(
    "/expertise/{id}",
    summary="Name a cluster and pin what belongs to it; what is left out stays, null or [] takes it back",
)
async def pin_expertise(
    wired: Wired, caller: Caller, lang: Lang, id: Id, body: ExpertisePinIn
) -> ExpertiseDetailOut:
    found = await in_thread(wired, wired.clustering.pin, caller, id, body.model_dump(exclude_unset=True))
    return ExpertiseDetailOut.of(found, lang)


@router.delete("/expertise/{id}", summary="Take back all that people decided of a cluster", status_code=204)
async def unpin_expertise(wired: Wired, caller: Caller, id: Id) -> None:
    await in_thread(wired, wired.clustering.unpin, caller, id)


@router.post("/assignments", summary="Assign the waiting cases to the available agents at one moment")
async def assignments(wired: Wired, caller: Caller, lang: Lang, body: AssignmentsIn = NOW) -> AssignmentsOut:
    made = await in_thread(wired, wired.assigning.assign_waiting, caller, body.at, language=lang)
    return AssignmentsOut(items=[AssignmentOut.of(item) for item in made])
