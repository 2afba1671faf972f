"""What a page costs: how often it asks the store, and how many bytes it sends, in a small shop and in one five times
as large."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bench.console_shop import WORKSPACE, Size, fill
from bench.store_queries import CountedQueries, heard
from ingest.embedding import WordHashEmbedder
from kb_service.app import create_app
from kb_service.console.access import PAGES as ACCESS
from kb_service.models import KEY_ROLES
from kb_service.settings import Settings
from tests.browser.addresses import PAGES
from tests.conftest import FixedClock
from tests.kb_service.conftest import NOW, Api
from tests.kb_service.console.visitors import Browser, signed_in

FEW, MANY = 12, 60
MOST_BYTES = 100_000
SPARE = 3
"""How often more a page may ask the larger shop the same: for what the smaller one has none of. What a request keeps
for the next ones, as a session, may have run out before either visit, and is then asked once or twice."""
PLACEHOLDERS = re.compile(r"\(\?(?:, \?)*\)")
NAMED = re.compile(r"\{(\w+)\}")
LISTED = {"case": "/v1/cases?state=waiting", "edit": "/v1/reviews?kind=edit"}
"""Where the API lists what is not called after its noun alone."""


@dataclass
class Visit:
    size: int
    statements: list[str]


@dataclass
class Shop:
    """A filled shop and somebody of every role before its pages."""

    api: Api
    counted: CountedQueries
    visitor: Browser
    names: dict[str, str | None]

    def visit(self, address: str) -> Visit:
        response = self.visitor.get(address.format(**self.names))
        assert response.status_code == 200, response.text[:2000]
        return Visit(len(response.content), list(self.counted.latest.statements))


def served(folder: Path, rows: int) -> Iterator[Shop]:
    fill(folder, Size(rows, rows, 4 * rows, rows // 3, rows), now=NOW)
    counted = CountedQueries(
        create_app(Settings(data=folder), embedder=WordHashEmbedder(), clock=FixedClock(NOW))
    )
    with ExitStack() as stack:
        client = stack.enter_context(TestClient(counted))
        api = Api(counted._app, client, FixedClock(NOW))  # type: ignore[arg-type]
        with api.store.administration() as unit:
            for number in range(rows):
                key, _ = unit.keys.create(WORKSPACE, KEY_ROLES, f"key {number}")
            api.keys[WORKSPACE, "admin"] = key
        for number in range(rows):
            api.services.accounts.invite(WORKSPACE, f"Member {number}", ("agent",))
            body = {"name": f"Trial {number}", "treatment": {"assignment": "round_robin"}}
            assert api.put(f"/v1/experiments/trial-{number}", body).status_code in (200, 201)
            hook = {"url": f"https://example.org/{number}", "types": ["alert.opened"]}
            assert api.put(f"/v1/webhooks/hook-{number}", hook).status_code in (200, 201)
        quality = {"url": "https://example.org/quality", "types": ["alert.opened"]}
        assert api.put("/v1/webhooks/quality", quality).status_code == 201
        visitor = signed_in(api, *KEY_ROLES, workspace=WORKSPACE, agent_id="agent-01")
        for cookie in visitor.client.cookies.jar:
            client.cookies.jar.set_cookie(cookie)
        visitor.client = client
        yield Shop(api, counted, visitor, _names(api))


def _names(api: Api) -> dict[str, str | None]:
    """Something of the shop for each noun that addresses name; None where it has nothing of the kind."""
    nouns = {noun for address in PAGES for noun in NAMED.findall(address)}
    found: dict[str, str | None] = {}
    for noun in nouns:
        answer = api.get(LISTED.get(noun, f"/v1/{noun}s"))
        items = answer.json().get("items", []) if answer.status_code == 200 else []
        found[noun] = (items[0].get("external_id") or items[0]["id"]) if items else None
    return found


@pytest.fixture(scope="module", autouse=True)
def statements() -> Iterator[None]:
    with heard():
        yield


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    yield from served(tmp_path_factory.mktemp("few") / "data", FEW)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    yield from served(tmp_path_factory.mktemp("many") / "data", MANY)


@pytest.mark.parametrize("address", PAGES)
def test_a_page_of_more_rows_asks_the_store_no_more_often(few: Shop, many: Shop, address: str) -> None:
    missing = [noun for noun in NAMED.findall(address) if not (few.names[noun] and many.names[noun])]
    assert not missing, "the shop of the benchmark has none of these: fill them in there"
    small, large = few.visit(address), many.visit(address)
    more = _asked(large) - _asked(small)
    assert not {statement: times for statement, times in more.items() if times > SPARE}
    assert large.size <= MOST_BYTES


def _asked(visit: Visit) -> Counter[str]:
    """How often each statement was asked, whatever the number of its values."""
    return Counter(PLACEHOLDERS.sub("(?)", statement) for statement in visit.statements)


def test_a_question_for_each_row_is_seen_however_many_values_it_has() -> None:
    page = ["SELECT a FROM rows WHERE id IN (?, ?)", "SELECT b FROM rows"]
    each = [*page, *("SELECT c FROM rows WHERE id IN (" + ", ".join("?" * n) + ")" for n in range(1, 6))]
    more = _asked(Visit(0, each)) - _asked(Visit(0, page))
    assert more == Counter({"SELECT c FROM rows WHERE id IN (?)": 5})


def test_every_page_stands_among_the_addresses() -> None:
    """What the tests of every page do not open, they do not hold."""
    opened = {address.partition("?")[0] for address in PAGES}
    pages = {
        page.partition(" ")[2]
        for page, roles in ACCESS.items()
        if page.startswith("GET ") and roles is not None and page != "GET /console"
    }
    missing = {page for page in pages if not any(_fits(page, address) for address in opened)}
    assert missing - set(PARTS) == set()


def _fits(page: str, address: str) -> bool:
    """Whether an address with its nouns is one of a page's."""
    pattern = re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(page))
    return re.fullmatch(pattern, address) is not None


PARTS = (
    "/console/administration/backups/{name}",
    "/console/administration/index/state",
    "/console/administration/keys/{id}/revoke",
    "/console/administration/members/{id}",
    "/console/administration/rules/effect/{id}",
    "/console/backtest/runs/{id}",
    "/console/cases/{id}/news",
    "/console/desk/next",
    "/console/desk/rows",
    "/console/knowledge/upload/{id}",
    "/console/problems/graph.json",
)
"""What a page's script asks for, where a page leads on to, files, work that lasts, and what one member or
key is asked about, whose ids the API does not tell."""
