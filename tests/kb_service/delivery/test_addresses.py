"""Which addresses webhooks may reach; each refused case is a target that somebody could forge."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from kb_service.delivery.addresses import ForbiddenAddress, parse_networks, permitted, reachable
from kb_service.errors import InvalidRequest

FORBIDDEN = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2001:0:4136:e378:8000:63bf:f5ff:fffe",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
    "2001:db8::1",
]
PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert not permitted(ip_address(address), ())


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_reached(address: str) -> None:
    assert permitted(ip_address(address), ())


def test_a_network_that_the_operator_names_is_reached_and_no_other() -> None:
    allow = parse_networks("10.1.0.0/16, fd00::/8")
    assert permitted(ip_address("10.1.2.3"), allow)
    assert permitted(ip_address("::ffff:10.1.2.3"), allow)
    assert permitted(ip_address("fd00::7"), allow)
    assert not permitted(ip_address("10.2.0.1"), allow)


def test_a_malformed_network_names_the_setting_and_the_remedy() -> None:
    with pytest.raises(InvalidRequest, match=r"KB_WEBHOOK_ALLOW.*10\.0\.0\.0/8"):
        parse_networks("10.0.0/8x")


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "localhost"])
def test_odd_notations_of_loopback_are_refused_by_what_they_resolve_to(host: str) -> None:
    with pytest.raises(ForbiddenAddress):
        reachable(host, 80, ())


def test_a_name_with_one_private_address_among_public_ones_is_refused() -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        return ["93.184.216.34", "10.0.0.1"]

    with pytest.raises(ForbiddenAddress, match=r"10\.0\.0\.1"):
        reachable("rebinding.example", 443, (), resolve=resolve)


def test_the_checked_address_is_the_one_that_is_returned() -> None:
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])

    def resolve(host: str, port: int) -> Sequence[str]:
        return next(answers)

    assert str(reachable("rebinding.example", 443, (), resolve=resolve)) == "93.184.216.34"


def test_a_name_without_an_address_is_refused() -> None:
    with pytest.raises(ForbiddenAddress, match="no address"):
        reachable("empty.example", 443, (), resolve=lambda host, port: [])
