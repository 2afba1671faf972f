"""More than a hundred forged targets: no connection is opened to any of them, however they are written."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest

from kb_service.delivery.addresses import resolve
from kb_service.delivery.courier import Courier
from kb_service.observability import Metrics
from kb_service.store import Store, Webhook, WebhookSecret
from tests.conftest import FixedClock
from tests.kb_service.delivery.receivers import Receiver

LOCAL = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "0177.1",
    "0",
    "0.0.0.0",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "user:pass@127.0.0.1",
    "example.com@127.0.0.1",
    "①②⑦.⓪.⓪.①",
    "１２７.０.０.１",
    "127。0。0。1",
]
"""Ways to write this machine; the system's own resolver reads them."""
PRIVATE = [
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.0.23",
    "169.254.169.253",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[100::1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:0:10.0.0.1]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::a00:1]",
    "[2002:a00:1::1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:4136:e378:8000:63bf:f5ff:fffe]",
    "[2606:4700::5efe:10.0.0.1]",
    "[2606:4700::200:5efe:a9fe:a9fe]",
    "2852039166",
    "0xa9fea9fe",
    "0xa9.0xfe.0xa9.0xfe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "3232235521",
    "012.0.0.1",
]
NAMES: dict[str, list[str]] = {
    "metadata.google.internal": ["169.254.169.254"],
    "metadata": ["169.254.169.254"],
    "metadata.goog": ["fd20:ce::254"],
    "instance-data.ec2.internal": ["169.254.169.254"],
    "metadata.tencentyun.com": ["169.254.0.23"],
    "metadata.azure.internal": ["168.63.129.16"],
    "100-100-100-200.example": ["100.100.100.200"],
    "kubernetes.default.svc": ["10.96.0.1"],
    "host.docker.internal": ["192.168.65.2"],
    "db.internal": ["10.1.2.3"],
    "localtest.me": ["127.0.0.1"],
    "127.0.0.1.nip.io": ["127.0.0.1"],
    "169-254-169-254.sslip.io": ["169.254.169.254"],
    "mixed.example": ["93.184.216.34", "10.0.0.1"],
    "mixed-first.example": ["10.0.0.1", "93.184.216.34"],
    "mixed-six.example": ["93.184.216.34", "::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "translated.example": ["64:ff9b::7f00:1"],
    "scoped.example": ["fe80::1%eth0"],
    "empty.example": [],
    "nonsense.example": ["not an address"],
    "xn--e1afmkfd.example": ["172.20.0.5"],
    "a" * 63 + ".example": ["10.9.9.9"],
}
"""What a resolver that others control could answer."""
SCHEMES = ("http://{}/hook", "https://{}/hook")


def targets() -> list[str]:
    plain = [SCHEMES[place % 2].format(host) for place, host in enumerate([*LOCAL, *PRIVATE, *NAMES])]
    ports = [f"http://127.0.0.1:{port}/x" for port in (22, 25, 2375, 5432, 6379, 8321, 9200, 11211)]
    paths = [
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "http://metadata.google.internal/computeMetadata/v1/?recursive=true",
        "http://127.0.0.1/\\@example.com/",
        "http://127.0.0.1#@example.com/",
        "http://127.0.0.1?@example.com/",
    ]
    return [*plain, *ports, *paths]


class Connections:
    """Notes every connection that would be opened, and opens none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened: list[tuple[str, int]] = []

        async def connect(remote_host: Any = "", remote_port: int = 0, **_: Any) -> Any:
            self.opened.append((str(remote_host), remote_port))
            raise OSError("no way out of this test")

        monkeypatch.setattr(anyio, "connect_tcp", connect)


def by_names(asked: list[str]) -> Any:
    """A resolver that knows `NAMES` and asks the system only for what is written as a number or as this machine."""

    def answer(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return NAMES[host] if host in NAMES else resolve(host, port)

    return answer


def endpoints(store: Store, urls: Sequence[str]) -> None:
    """Straight into the store, past what is refused when a webhook is made."""
    with store.writing("shop") as unit:
        for place, url in enumerate(urls):
            secret = WebhookSecret("whsec_" + "c2VjcmV0" * 4, None)
            unit.webhooks.put(Webhook(f"w{place}", url, ("alert.opened",), (secret,), unit.now))
        unit.outbox.add("alert.opened", {}, unit.now, [f"w{place}" for place in range(len(urls))])


def courier(store: Store, at: FixedClock, resolve: Any) -> Courier:
    return Courier(store, Metrics(), allow=(), clock=at, chance=random.Random(1), resolve=resolve)


def test_no_connection_is_opened_to_any_of_them(
    store: Store, at: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = Connections(monkeypatch)
    urls = targets()
    assert len(urls) > 100
    endpoints(store, urls)
    asked: list[str] = []
    carrier = courier(store, at, by_names(asked))

    async def all_of_them() -> int:
        made = 0
        while carried := await carrier.deliver_due():
            made += carried
        return made

    assert asyncio.run(all_of_them()) == len(urls)
    assert connections.opened == []
    with store.reading("shop") as unit:
        for place, url in enumerate(urls):
            (delivery,) = unit.webhooks.deliveries(f"w{place}").items
            assert (delivery.state, delivery.attempt, delivery.last_status) == ("pending", 1, None), url
            assert delivery.last_error, url
    assert len(asked) > 100, "what was refused was refused after resolution"


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(
    store: Store, at: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name answers with a public address the first time, and with this machine ever after."""
    connections = Connections(monkeypatch)
    answers = iter([["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]])
    endpoints(store, ["https://rebinding.example/hook"])
    asyncio.run(courier(store, at, lambda host, port: next(answers)).deliver_due())
    assert connections.opened == [("93.184.216.34", 443)]
    assert next(answers) == ["127.0.0.1"], "asked once"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_any_of_them_is_not_followed(store: Store, at: FixedClock, status: int) -> None:
    with Receiver([200]) as inside, Receiver([status], location=inside.url) as outside:
        endpoints(store, ["http://outside.example/hook"])
        carrier = Courier(
            store,
            Metrics(),
            allow=(),
            clock=at,
            chance=random.Random(1),
            resolve=lambda host, port: ["93.184.216.34"],
        )
        reached = urlsplit(outside.url)
        original = anyio.connect_tcp

        async def connect(remote_host: Any, remote_port: int, **named: Any) -> Any:
            assert str(remote_host) == "93.184.216.34"
            return await original("127.0.0.1", reached.port or 0, **named)

        with pytest.MonkeyPatch.context() as patching:
            patching.setattr(anyio, "connect_tcp", connect)
            asyncio.run(carrier.deliver_due())
        assert (len(outside.received), inside.received) == (1, [])
    with store.reading("shop") as unit:
        (delivery,) = unit.webhooks.deliveries("w0").items
    assert (delivery.state, delivery.last_status) == ("pending", status)
