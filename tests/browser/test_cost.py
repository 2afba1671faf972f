"""What opening a page asks of a browser and a network: few requests, and scripts that stay out of the way."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Request

from tests.browser.addresses import PAGES
from tests.browser.conftest import Shop
from tests.browser.test_console import filled as filled

MOST_REQUESTS = 8
"""The page, its icon, two style sheets, htmx, the keys, and two scripts of its own."""
MOST_BYTES = 260_000
"""All of them together on a first visit, as they travel."""


@pytest.mark.parametrize("path", PAGES)
def test_a_first_visit_takes_few_requests_and_bytes(
    context: BrowserContext, shop: Shop, filled: dict[str, str], path: str
) -> None:
    page = context.new_page()
    sent: list[Request] = []
    page.on("requestfinished", lambda request: sent.append(request))
    page.goto(shop.url + path.format(**filled), wait_until="networkidle")
    sizes = {request.url.partition("?")[0]: request.sizes() for request in sent}
    assert len(sent) <= MOST_REQUESTS, sorted(sizes)
    assert sum(size["responseBodySize"] for size in sizes.values()) <= MOST_BYTES
