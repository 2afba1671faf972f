"""How quick the console is in a large shop: first paint and interactions of every page, in a real Chromium.

    make bench-console OPTIONS="--data build/console"

The shop is that of `bench.console_shop`; `--data` keeps it for the next run. The service runs in a process of its own
with its packaged settings, but for the word-hash encoder that filled the shop. While pages are opened, customers go on
writing: six messages a minute, so that what a page keeps is thrown away as it is in a shop.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as BrowserError

from bench.console_shop import WORKSPACE, Size, fill
from bench.server import Server, checked, kb, new_key
from bench.store_queries import HEADER
from tests.browser.addresses import PAGES

GOAL_PAINT, GOAL_INTERACTION = 1000.0, 100.0
WIDE = {"width": 1440, "height": 900}
FILLED = ".filled"
CALM_WITHIN = 120.0
ROLES = "admin,editor,agent,product,bot"
NAMED = re.compile(r"\{(\w+)\}")
EXPERIMENT = {"name": "In turn", "treatment": {"assignment": "round_robin"}}
WEBHOOK = {"url": "https://example.org/quality", "types": ["problem.resolved"]}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
AFTER_KEY = """() => new Promise((told) => addEventListener("keydown", (event) => requestAnimationFrame(() => {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => told(performance.now() - event.timeStamp);
  channel.port2.postMessage(0);
}), { once: true, capture: true }))"""
"""From the press of a key to the first moment after the frame that follows."""
CHANGING = "form[hx-get] select, select[hx-get]"
TYPING = "input[hx-get]"
AFTER_SWAP = """([selector, typed]) => new Promise((told) => {
  const field = document.querySelector(selector);
  const began = performance.now();
  document.body.addEventListener("htmx:afterSettle", () => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => told(performance.now() - began);
    channel.port2.postMessage(0);
  }), { once: true });
  if (typed) field.value = typed;
  else field.selectedIndex = (field.selectedIndex + 1) % field.options.length;
  field.dispatchEvent(new Event(typed ? "input" : "change", { bubbles: true }));
  setTimeout(() => told(null), 5000);
})"""
"""From a change of a filter to the first moment after the part that it fetched is painted."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One page: milliseconds (medians, None where there is nothing to press), and what one opening of it costs."""

    address: str
    first: float
    paint: float
    key: float | None
    part: float | None
    kilobytes: float
    requests: int
    queries: int | None

    @property
    def misses(self) -> bool:
        slow = [value for value in (self.key, self.part) if value is not None and value >= GOAL_INTERACTION]
        return self.paint >= GOAL_PAINT or bool(slow)


def main() -> None:
    given = _arguments()
    browser_path = given.browser or next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser_path is None:
        sys.exit(f"No Chromium was found among {', '.join(BROWSERS)}; name one with --browser.")
    os.environ["KB_EMBEDDING_MODEL"] = "word-hash"
    with ExitStack() as stack:
        data = given.data or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        _prepared(data, Size(given.documents, given.problems, given.events))
        key = new_key(data, WORKSPACE, ROLES)
        server = stack.enter_context(Server(data, (sys.executable, "-m", "bench.console_served", str(data))))
        api = stack.enter_context(server.client(key))
        api.timeout = httpx.Timeout(CALM_WITHIN)
        checked(api.put("/v1/experiments/in-turn", json=EXPERIMENT))
        checked(api.put("/v1/webhooks/quality", json=WEBHOOK))
        _wait_for_calm(server)
        addresses, left_out = _addresses(api, given.only)
        stack.enter_context(_customers(server, key))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        stack.callback(browser.close)
        context = _signed_in(browser, server, data)
        found = []
        for address in addresses:
            one = measured(context, server.url, address, given.times)
            if isinstance(one, str):
                left_out.append((address, one))
                continue
            found.append(one)
            print(_row(one), file=sys.stderr, flush=True)
    print(table(found, given))
    for address, reason in left_out:
        print(f"left out: {address} ({reason})")


def _arguments() -> Any:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="a folder that keeps the filled shop for the next run")
    parser.add_argument("--times", type=int, default=20, help="how often each page is opened")
    parser.add_argument("--only", default="", help="pages whose address holds this")
    parser.add_argument("--browser", help="the Chromium to drive")
    for name, default in (("documents", 10_000), ("problems", 3_000), ("events", 50_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


def _wait_for_calm(server: Server) -> None:
    """Wait for the night's work that a shop begins with when it was never served before."""
    ends = time.monotonic() + CALM_WITHIN
    while time.monotonic() < ends:
        before = server.cpu_seconds()
        time.sleep(2)
        if server.cpu_seconds() - before < 0.2:
            return
    print("The service is still at work on its own; figures are of a busy one.", file=sys.stderr)


def _prepared(data: Path, size: Size) -> None:
    """Fill the folder unless it was filled with as much before."""
    marker = data / FILLED
    wanted = json.dumps([size.documents, size.problems, size.events])
    if marker.is_file() and marker.read_text() == wanted:
        return
    if any(data.iterdir()) if data.is_dir() else False:
        sys.exit(f"{data} holds something else; name an empty folder, or remove it.")
    print("Filling the shop ...", file=sys.stderr, flush=True)
    fill(data, size)
    marker.write_text(wanted)


# --- pages


def _addresses(api: httpx.Client, only: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Every page with what it names of the shop filled in, and those for which the shop has nothing."""
    found, left_out = [], []
    known: dict[str, str | None] = {}
    for address in PAGES:
        if only not in address:
            continue
        for name in NAMED.findall(address):
            if name not in known:
                known[name] = _one(api, name)
        missing = [name for name in NAMED.findall(address) if known[name] is None]
        if missing:
            left_out.append((address, f"the shop has no {', '.join(missing)}"))
        else:
            found.append(address.format(**known))
    return found, left_out


def _one(api: httpx.Client, noun: str) -> str | None:
    """The id of something that the shop has, by its noun; of a case, one that waits."""
    path = "/v1/cases?state=waiting" if noun == "case" else f"/v1/{noun}s"
    answer = api.get(path)
    items = answer.json().get("items", []) if answer.status_code == 200 else []
    return str(items[0].get("external_id") or items[0]["id"]) if items else None


def measured(context: BrowserContext, url: str, address: str, times: int) -> Figures | str:
    """The figures of a page; why there are none, where the shop has no such page."""
    paints, keys, parts = [], [], []
    requests: list[str] = []
    page = context.new_page()
    page.set_default_timeout(1000 * CALM_WITHIN)
    page.on("request", lambda sent: requests.append(sent.url))
    answer = page.goto(url + address, wait_until="load")
    if answer is None or answer.status != 200:
        page.close()
        return f"answered {answer.status if answer else 'nothing'}"
    first, size, asked = _paint(page), len(answer.body()), answer.headers.get(HEADER)
    cost = len(requests)
    for _ in range(times):
        page.goto(url + address, wait_until="load")
        paints.append(_paint(page))
        keys.append(_key(page))
        parts.append(_part(page))
    page.close()
    return Figures(
        address, first, median(paints), _median(keys), _median(parts), size / 1000, cost,
        int(asked) if asked is not None else None,
    )  # fmt: skip


def _paint(page: Page) -> float:
    """Milliseconds from the navigation's begin to its first contentful paint."""
    for _ in range(500):
        painted = page.evaluate(PAINTED)
        if painted is not None:
            return float(painted)
        time.sleep(0.01)
    raise RuntimeError(f"{page.url} painted nothing")


def _key(page: Page) -> float | None:
    """The key that walks through rows, or where there are none the one that walks through everything."""
    pressed = "j" if page.locator("[data-rows] a").count() else "Tab"
    page.evaluate("document.activeElement?.blur?.()")
    page.evaluate(f"() => {{ window.answered = ({AFTER_KEY})(); }}")
    page.keyboard.press(pressed)
    return float(page.evaluate("() => window.answered"))


def _part(page: Page) -> float | None:
    """A filter or search that a script answers with a part of the page; None where the page has none."""
    for selector, typed in ((CHANGING, ""), (TYPING, "parcel")):
        if page.locator(selector).count():
            found = page.evaluate(AFTER_SWAP, [selector, typed])
            return None if found is None else float(found)
    return None


def _median(values: Sequence[float | None]) -> float | None:
    told = [value for value in values if value is not None]
    return median(told) if told else None


# --- the shop goes on


@contextmanager
def _customers(server: Server, key: str) -> Iterator[None]:
    """A customer writes every ten seconds."""
    over = threading.Event()

    def write() -> None:
        with server.client(key) as api:
            for number in itertools.count():
                if over.wait(10):
                    return
                checked(api.post("/v1/events", json=_message(number)))

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


def _message(number: int) -> Mapping[str, object]:
    stamp = time.time_ns()
    return {
        "id": f"live-{stamp}",
        "type": "message",
        "at": datetime.now(UTC).isoformat(),
        "conversation_id": f"live-{stamp}",
        "customer_id": f"live-{number}",
        "channel": "web",
        "text": f"my parcel has not arrived since monday, order {number}",
    }


def _signed_in(browser: Browser, server: Server, data: Path) -> BrowserContext:
    link = kb(
        data, "members", "invite", "Lin", "--role", ROLES, "--agent", "agent-01", "-w", WORKSPACE
    ).strip()
    context = browser.new_context(viewport=WIDE, locale="en-GB")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(server.url + "/console/sign-in?" + link.partition("?")[2])
    page.locator("main button").first.click()
    try:
        page.wait_for_url("**/console/desk*", timeout=60_000)
    except BrowserError as error:
        raise RuntimeError(f"Signing in failed at {page.url}: {error}") from error
    page.close()
    return context


# --- the table


def table(found: Sequence[Figures], given: Any) -> str:
    slow = [item.address for item in found if item.misses]
    head = (
        f"{given.documents:,} documents, {given.problems:,} problems, {given.events:,} events; median of {given.times} "
        "openings, milliseconds. Goals: first paint < 1,000, interaction < 100.\n\n"
        "| page | first visit | first paint | a key | a filter | HTML kB | requests | queries |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
    told = "Every page keeps them." if not slow else f"Missed by: {', '.join(slow)}"
    return "\n".join([head, *map(_row, found), "", told])


def _row(item: Figures) -> str:
    def ms(value: float | None, goal: float) -> str:
        return "–" if value is None else f"{value:,.0f}{' !' if value >= goal else ''}"

    address = re.sub(r"(ev|case|p|doc|agent|al)[-_][\w-]+", "…", item.address.partition("&")[0])
    queries = "–" if item.queries is None else str(item.queries)
    return (
        f"| `{address}` | {item.first:,.0f} | {ms(item.paint, GOAL_PAINT)} | {ms(item.key, GOAL_INTERACTION)} | "
        f"{ms(item.part, GOAL_INTERACTION)} | {item.kilobytes:.0f} | {item.requests} | {queries} |"
    )


if __name__ == "__main__":
    main()
