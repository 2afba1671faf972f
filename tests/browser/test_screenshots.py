"""Every page of the sample shop, as people see it: what is broken at a glance, and the pictures of the documentation.

`make screenshots` keeps the pictures in docs/screenshots; otherwise they are taken and looked at by the tests alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.addresses import PAGES, name_of
from tests.browser.conftest import PHONE, WIDE, Shop, first_sign_in, visiting

pytestmark = pytest.mark.model
FOLDER = os.environ.get("KB_TEST_SCREENSHOTS", "")
KEPT = (("en", WIDE), ("zh", PHONE))
"""What the documentation shows: a screen in English, a phone in Chinese."""
MACHINE_WORD = re.compile(r"\b[a-z]+_[a-z_]+\b|\bNone\b|\bTrue\b|\bFalse\b|datetime|\{[a-z]+\}")
"""What programs say among themselves."""
LONGEST_SECONDS = 10


@pytest.fixture(scope="module")
def filled(demo: Shop) -> dict[str, str]:
    """What the addresses name, of the sample shop."""
    alert = demo.get("/v1/alerts?kind=burst")["items"][0]
    return {
        "case": demo.get("/v1/cases?state=waiting")["items"][0]["id"],
        "problem": alert["problem"]["id"],
        "alert": alert["id"],
        "gap": demo.get("/v1/gaps")["items"][0]["id"],
        "proposal": demo.get("/v1/proposals")["items"][0]["id"],
        "document": "policy-returns",
        "agent": "agent-07",
        "intent": demo.get("/v1/intents")["items"][0]["id"],
    }


@pytest.fixture(scope="module")
def cookies(demo: Shop, chromium: Browser) -> Any:
    return first_sign_in(demo, chromium)


@pytest.fixture(scope="module", params=["en", "zh"])
def reader(
    request: pytest.FixtureRequest, demo: Shop, chromium: Browser, cookies: Any
) -> Iterator[tuple[str, BrowserContext]]:
    with visiting(demo, chromium, cookies, locale={"en": "en-GB", "zh": "zh-CN"}[request.param]) as opened:
        yield request.param, opened


@pytest.mark.parametrize("address", PAGES, ids=name_of)
def test_a_page_shows_itself(
    demo: Shop, filled: dict[str, str], reader: tuple[str, BrowserContext], address: str
) -> None:
    language, context = reader
    page = context.new_page()
    opened = page.goto(demo.url + address.format(**filled))
    assert opened is not None
    assert opened.status == 200
    assert page.locator("html").get_attribute("lang") == language
    assert page.get_by_role("heading", level=1).count() == 1
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        picture = page.screenshot(type="jpeg", quality=60)
        if FOLDER and (language, size) in KEPT:
            (Path(FOLDER) / f"{name_of(address)}-{size['width']}.jpg").write_bytes(picture)
    page.close()
