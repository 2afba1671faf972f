"""Which network addresses a webhook may reach: public ones, and those the operator names.

The check is made on the addresses that a name resolves to, and the connection then goes to that very address, so
that neither an odd notation nor a name that changes its address in between gets round it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias

from kb_service.errors import InvalidRequest

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network
Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
"""Host and port to the addresses behind them, as text."""

NAT64 = IPv6Network("64:ff9b::/96")
COMPATIBLE = IPv6Network("::/96")
TRANSLATED = IPv6Network("::ffff:0:0:0/96")
CLOSED: tuple[Network, ...] = (
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("fec0::/10"),
    IPv6Network("3fff::/20"),
    IPv6Network("5f00::/16"),
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("168.63.129.16/32"),
)
"""What the standard library may take for public and is not: translation, sites, documentation and routing within
one network (RFC 8215, 3879, 9637, 9602), addresses of protocols, at one of which a cloud serves metadata (RFC 6890),
relays of 6to4 (RFC 7526), and the address at which another cloud serves its machines."""
ISATAP = (0x00005EFE, 0x02005EFE)
"""The third quarter of an IPv6 address whose last is an IPv4 address (RFC 5214)."""


class ForbiddenAddress(Exception):
    """The name resolves to an address that webhooks may not reach, or to none."""


def parse_networks(text: str) -> tuple[Network, ...]:
    """The CIDRs of `KB_WEBHOOK_ALLOW`. Raises InvalidRequest for what is not one."""
    networks: list[Network] = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        try:
            networks.append(ip_network(part, strict=False))
        except ValueError:
            raise InvalidRequest.of(
                "KB_WEBHOOK_ALLOW", "{part} is not a CIDR, such as 10.0.0.0/8", part=part
            ) from None
    return tuple(networks)


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host by the system's resolver. Raises ForbiddenAddress when there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ForbiddenAddress(f"the name {host} cannot be resolved: {error}") from error
    return [str(entry[4][0]) for entry in found]


def reachable(host: str, port: int, allow: Sequence[Network], *, resolve: Resolve = resolve) -> Address:
    """The address to connect to. Raises ForbiddenAddress unless every address of the name may be reached."""
    addresses = [ip_address(text.partition("%")[0]) for text in resolve(host, port)]
    if not addresses:
        raise ForbiddenAddress(f"the name {host} has no address")
    for address in addresses:
        if not permitted(address, allow):
            raise ForbiddenAddress(
                f"the address {address} of {host} is not public; KB_WEBHOOK_ALLOW may name its network"
            )
    return addresses[0]


def permitted(address: Address, allow: Sequence[Network]) -> bool:
    """Whether `address`, or the IPv4 address wrapped in it, is public or in an allowed network."""
    if any(address in network for network in allow if network.version == address.version):
        return True
    inner = _unwrapped(address)
    if inner != address:
        return permitted(inner, allow)
    if any(address in network for network in CLOSED if network.version == address.version):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _unwrapped(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    wrapped = address in NAT64 or address in COMPATIBLE or address in TRANSLATED
    if wrapped or (int(address) >> 32 & 0xFFFFFFFF) in ISATAP:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
