"""A misspelt filter of a list is refused, never silently ignored."""

from __future__ import annotations

import pytest

from tests.kb_service.conftest import Api, faults
from tests.kb_service.conftest import problem as refused


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("/v1/problems", "state"),
        ("/v1/cases", "state"),
        ("/v1/alerts", "kind"),
        ("/v1/documents", "language"),
        ("/v1/intents", "cursor"),
        ("/v1/conflicts", "as_of"),
        ("/v1/audit", "limit"),
    ],
)
def test_an_unknown_parameter_is_refused_and_the_known_ones_are_named(
    shared_api: Api, path: str, known: str
) -> None:
    found = faults(shared_api.get(f"{path}?sate=open&limt=3"))
    assert set(found) == {"sate", "limt"}
    assert all(known in message for message in found.values())
    assert shared_api.get(path).status_code == 200


def test_where_there_are_no_parameters_none_is_taken(shared_api: Api) -> None:
    assert set(faults(shared_api.get("/v1/rules?verbose=1"))) == {"verbose"}
    chinese = shared_api.get("/v1/rules?verbose=1", headers={"Accept-Language": "zh"}).json()
    assert "查询参数" in chinese["errors"][0]["message"]


def test_who_may_not_read_learns_nothing_of_the_parameters(shared_api: Api) -> None:
    refused(shared_api.get("/v1/audit?limt=3", role="bot"), 403)
    refused(shared_api.get("/v1/audit?limt=3", role=None), 401)


def test_known_parameters_still_work_and_a_cursor_goes_on(shared_api: Api) -> None:
    assert shared_api.get("/v1/problems?state=open&limit=2").status_code == 200


def test_probes_may_carry_what_they_like(shared_api: Api) -> None:
    assert shared_api.get("/health/live?probe=1", role=None).status_code == 200
