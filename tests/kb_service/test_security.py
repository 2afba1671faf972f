"""Who may do what: every route by every role, without a key, and with another shop's ids."""

from __future__ import annotations

import pytest

from kb_service.models import KEY_ROLES
from kb_service.routes.context import GuardedRoute
from kb_service.security import ACCESS, OPEN, REVOCATION_SECONDS, Gatekeeper
from tests.kb_service.conftest import RETURNS, Api, problem
from tests.kb_service.routes_seen import GUARDED, every_route, offered, request_of


def test_every_route_stands_in_the_table(shared_api: Api) -> None:
    assert offered(shared_api.app) == set(every_route())
    assert set(every_route()) == set(ACCESS) | OPEN


def test_every_route_asks_who_calls() -> None:
    from kb_service.routes.routers import ROUTERS

    assert all(isinstance(route, GuardedRoute) for router in ROUTERS for route in router.routes)


@pytest.mark.parametrize("route", GUARDED)
def test_without_a_valid_key_there_is_nothing(shared_api: Api, route: str) -> None:
    for authorization in (None, "Bearer kb_unknown", "Basic a2V5OmtleQ==", "Bearer ", "Bearer \xff"):
        headers = {} if authorization is None else {b"authorization": authorization.encode("latin-1")}
        response = shared_api.call(role=None, headers=headers, **request_of(route))
        problem(response, 401)
        assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("route", GUARDED)
@pytest.mark.parametrize("role", KEY_ROLES)
def test_roles_are_admitted_as_the_table_says(shared_api: Api, route: str, role: str) -> None:
    response = shared_api.call(role=role, workspace="other", **request_of(route))
    if role in ACCESS[route]:
        assert response.status_code not in (401, 403), response.text
        assert response.status_code < 500, response.text
    else:
        assert role in problem(response, 403)["detail"]


def test_nobody_reads_a_body_for_a_stranger(shared_api: Api) -> None:
    broken = {"content": b"{", "headers": {"content-type": "application/json"}}
    problem(shared_api.call("POST", "/v1/answers", role=None, **broken), 401)
    problem(shared_api.call("PUT", "/v1/rules", role="bot", **broken), 403)
    form = {"content": b"--", "headers": {"content-type": "multipart/form-data"}}
    problem(shared_api.call("POST", "/v1/documents:upload", role=None, **form), 401)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_is_open(shared_api: Api, path: str) -> None:
    assert shared_api.get(path, role=None).status_code == 200


def test_a_route_outside_the_table_refuses_every_key(shared_api: Api) -> None:
    from kb_service.errors import Forbidden
    from kb_service.models import Principal

    gatekeeper = shared_api.services.gatekeeper
    with pytest.raises(Forbidden):
        gatekeeper.authorise(Principal("shop", "k", frozenset(KEY_ROLES)), "GET", "/v1/forgotten")


def test_the_url_is_no_way_round(api: Api) -> None:
    for path in ("/v1//rules", "/V1/rules", "/v1/rules/", "/v1/rules;x", "/v1/../v1/rules", "/v1/%72ules"):
        response = api.call("PUT", path, role="bot", json={}, headers={"X-Original-URL": "/health/live"})
        assert response.status_code in (403, 404, 405), path


def test_a_revoked_key_is_dead_soon(api: Api) -> None:
    moment = [0.0]
    gatekeeper = Gatekeeper(api.store, monotonic=lambda: moment[0])
    with api.store.administration() as unit:
        secret, key = unit.keys.create("shop", ["bot"])
    assert gatekeeper.identify(f"Bearer {secret}").workspace == "shop"
    with api.store.administration() as unit:
        assert unit.keys.revoke(key.id)
    moment[0] += REVOCATION_SECONDS
    from kb_service.errors import Unauthenticated

    with pytest.raises(Unauthenticated):
        gatekeeper.identify(f"bearer {secret}")
    problem(api.get("/v1/rules", role=None, headers={"Authorization": f"Bearer {secret}"}), 401)


def test_the_store_holds_no_usable_key(api: Api) -> None:
    secrets = list(api.keys.values())
    for file in api.services.settings.data.glob("kb.sqlite3*"):
        content = file.read_bytes()
        assert not [secret for secret in secrets if secret.encode() in content]


def test_another_shop_sees_nothing(api: Api) -> None:
    """Every object of one shop, asked for, changed and removed with the highest key of the other."""
    api.put("/v1/agents/agent-1", {"name": "agent-1", "online": True})
    api.put("/v1/intents/late", {"label": "Late", "examples": ["where is my parcel"]})
    api.put("/v1/documents/returns", RETURNS)
    api.put("/v1/webhooks/team", {"url": "https://example.com/hook", "types": ["alert.opened"]})
    api.put("/v1/experiments/trial", {"name": "Trial", "treatment": {"clarification": False}})
    delivery = api.post("/v1/webhooks/team/test").json()["id"]
    raised = api.recurring()
    problem_id, alert_id = raised["problem"]["id"], raised["alerts"][0]
    case_id = raised["case_id"]
    proposal_id = api.get("/v1/proposals").json()["items"][0]["id"]
    asked = api.post("/v1/answers", {"query": "may unworn clothing be returned within 30 days"}).json()
    exposure_id = asked["answers"][0]["exposure_id"]
    ids = {
        "agents": "agent-1",
        "intents": "late",
        "documents": "returns",
        "webhooks": "team",
        "problems": problem_id,
        "alerts": alert_id,
        "cases": case_id,
        "proposals": proposal_id,
        "experiments": "trial",
        "events": "m0",
        "feedback": exposure_id,
    }
    asked_for = 0
    for route in GUARDED:
        kind = route.split("/")[2].partition(":")[0] if route.count("/") > 1 else ""
        about_one = "{" in route or kind == "feedback"
        # Putting creates an object of the caller's own; the expertise and the customer are looked at below.
        if not about_one or kind not in ids or route.startswith("PUT "):
            continue
        request = request_of(route, ids[kind])
        if "{delivery}" in route:
            request["path"] = f"/v1/webhooks/team/deliveries/{delivery}/replay"
        response = api.call(workspace="other", **request)
        assert response.status_code in (403, 404), f"{route}: {response.status_code} {response.text}"
        asked_for += 1
    assert asked_for > 25
    expertise = api.get("/v1/expertise").json()["items"]
    assert all(
        api.get(f"/v1/expertise/{item['id']}", workspace="other").status_code == 404 for item in expertise
    )
    assert api.delete("/v1/customers/u-m0", workspace="other").json()["erased"] == {}
    for path in ("agents", "intents", "documents", "webhooks", "problems", "alerts", "cases", "proposals"):
        assert api.get(f"/v1/{path}", workspace="other").json()["items"] == [], path
        assert api.get(f"/v1/{path}").json()["items"], path
    assert api.get("/v1/graph", workspace="other").json()["nodes"] == []
    assert api.post("/v1/search", {"query": "clothing returned"}, workspace="other").json()["hits"] == []
    assert api.get("/v1/events/m0").status_code == 200
