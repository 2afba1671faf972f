"""A real Chromium before a real server on loopback. Left out, with a word why, where there is no Chromium."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = os.environ.get("KB_TEST_CHROMIUM", "")
REQUIRED = bool(os.environ.get("KB_TEST_REQUIRE_BROWSER"))
READY_SECONDS = 120
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@dataclass(frozen=True)
class Shop:
    """A served shop: where it is, and a way to ask its API as an administrator. `kb` runs a command beside it."""

    url: str
    link: str
    api: httpx.Client
    kb: Callable[..., str]

    def put(self, path: str, body: Any) -> None:
        self.api.put(path, json=body).raise_for_status()

    def post(self, path: str, body: Any = None) -> Any:
        return self.api.post(path, json=body).raise_for_status().json()

    def get(self, path: str) -> Any:
        return self.api.get(path).raise_for_status().json()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM:
        if REQUIRED:
            pytest.fail("KB_TEST_REQUIRE_BROWSER is set and KB_TEST_CHROMIUM names no browser")
        pytest.skip("no Chromium: set KB_TEST_CHROMIUM, or run `make test` where one is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory, chromium: Browser, request: pytest.FixtureRequest
) -> Iterator[Shop]:
    """`kb serve` in a process of its own, as people start it, with the module's own `SETTINGS` where it has some."""
    settings = {"KB_DATA": str(tmp_path_factory.mktemp("served") / "data"), "KB_EMBEDDING_MODEL": "word-hash"}
    settings |= getattr(request.module, "SETTINGS", {})
    _kb(settings, "workspaces", "create", "shop")
    key = _kb(settings, "keys", "create", "-w", "shop", "--role", "admin,editor,agent,product,bot", "--json")
    with _served(settings, json.loads(key)["key"]) as served:
        yield served


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Shop]:
    """The sample shop as `kb demo` fills it, with the real encoder."""
    settings = {"KB_DATA": str(tmp_path_factory.mktemp("demo") / "data")}
    _kb(settings, "demo", "--fill-only")
    key = _kb(settings, "keys", "create", "-w", "demo", "--role", "admin,editor,agent,product,bot", "--json")
    with _served(settings, json.loads(key)["key"]) as served:
        yield served


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("KB_")}
    return {**plain, **settings}


def _kb(settings: Mapping[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "kb_service.cli", *arguments]
    return subprocess.run(
        command, env=_environment(settings), check=True, capture_output=True, text=True
    ).stdout


@contextmanager
def _served(settings: Mapping[str, str], key: str) -> Iterator[Shop]:
    port = str(_free_port())
    server = subprocess.Popen(
        [sys.executable, "-m", "kb_service.cli", "serve"],
        env=_environment({**settings, "KB_PORT": port}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        link = server.stdout.readline().partition("first sign-in: ")[2].strip()
        headers = {"Authorization": f"Bearer {key}"}
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, headers=headers, timeout=30) as api:
            _wait_until_ready(api)
            yield Shop(url, link, api, partial(_kb, {**settings, "KB_PORT": port}))
    finally:
        server.terminate()
        server.communicate(timeout=30)


@pytest.fixture(scope="module")
def administrator(shop: Shop, chromium: Browser) -> Any:
    return first_sign_in(shop, chromium)


def first_sign_in(shop: Shop, chromium: Browser) -> Any:
    """The cookies of the first administrator, who signed in by the link that the server printed."""
    return _signed_in(chromium, shop.link, "Lin Xiao")


def invited(shop: Shop, chromium: Browser, name: str, *arguments: str) -> Any:
    """The cookies of a member who was invited by `kb members invite` and signed in."""
    link = re.search(r"http://\S+", shop.kb("members", "invite", name, *arguments))
    assert link
    return _signed_in(chromium, link[0])


def _signed_in(chromium: Browser, link: str, name: str = "") -> Any:
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(link)
    if name:
        page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile("/console/(desk|problems|knowledge)"))
    state = context.storage_state()
    context.close()
    return state


@contextmanager
def visiting(shop: Shop, chromium: Browser, cookies: Any, **options: Any) -> Iterator[BrowserContext]:
    """A browser of somebody's. It fails the test when a page asks another host or a script fails."""
    opened = chromium.new_context(
        storage_state=cookies, **{"locale": "en-GB", "viewport": WIDE, **options}
    )  # fmt: skip
    faults: list[str] = []
    opened.on("request", lambda sent: faults.append(sent.url) if not sent.url.startswith(shop.url) else None)
    opened.on("weberror", lambda error: faults.append(str(error.error)))
    # That a form was refused is told on the page; the browser says it once more.
    opened.on(
        "console",
        lambda said: (
            faults.append(said.text) if said.type == "error" and "status of 422" not in said.text else None
        ),
    )
    yield opened
    opened.close()
    assert faults == []


@pytest.fixture
def context(shop: Shop, chromium: Browser, administrator: Any) -> Iterator[BrowserContext]:
    with visiting(shop, chromium, administrator) as opened:
        yield opened


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def _free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_until_ready(api: httpx.Client) -> None:
    ends = time.monotonic() + READY_SECONDS
    while time.monotonic() < ends:
        try:
            answer = api.get("/health/ready")
            if answer.status_code == 200 and not answer.json()["workspaces"]["settling"]:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("the server is not ready")
