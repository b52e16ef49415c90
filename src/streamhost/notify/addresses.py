"""Which addresses a request may go to whose target somebody has typed in: the public internet, and what is allowed.

A name is resolved once, and the connection goes to an address that was checked: a name that answers differently the
second time (DNS rebinding) gains nothing. Addresses inside of addresses count as what they lead to.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NEVER_PUBLIC: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "192.0.0.0/24",  # protocol assignments (RFC 6890); older Pythons take parts of it for public
        "192.88.99.0/24",  # relays of 6to4, which lead anywhere (RFC 7526)
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "168.63.129.16/32",  # a cloud's own services for its guests, at an address that looks public
        "64:ff9b:1::/48",  # translation inside a network (RFC 8215)
        "100::/64",  # discard (RFC 6666)
        "2001::/23",  # protocol assignments, Teredo among them (RFC 2928)
        "2002::/16",  # 6to4: an IPv4 address inside (RFC 3056)
        "3fff::/20",  # documentation (RFC 9637)
        "5f00::/16",  # segment routing (RFC 9602)
        "fec0::/10",  # site-local, deprecated (RFC 3879)
    )
)
_TRANSLATED = IPv6Network("64:ff9b::/96")
"""The last 32 bits are an IPv4 address (RFC 6052)."""


class AddressRefused(Exception):
    """None of a name's addresses may be connected to."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where to connect: checked addresses, in the resolver's order. `trusted`: every one of them is in a network that
    was allowed by name."""

    addresses: tuple[Address, ...]
    trusted: bool


class AddressGuard:
    """Lets requests out to public addresses and to `allowed` networks, to nothing else."""

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        """Raises `ValueError` for what is no network."""
        self._allowed: tuple[Network, ...] = tuple(ip_network(text, strict=False) for text in allowed)

    async def route(self, host: str, port: int) -> Route:
        """Resolve a host and check what comes of it. Raises `AddressRefused`, or `OSError` if it has no address.

        One address that may not be reached spoils the name: an honest host has no business pointing there."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = tuple(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))
        if not addresses or not all(map(self.admits, addresses)):
            raise AddressRefused
        return Route(addresses, all(map(self._is_allowed, addresses)))

    def admits(self, address: Address) -> bool:
        """Whether a request may go there."""
        return self._is_allowed(address) or is_public(address)

    def _is_allowed(self, address: Address) -> bool:
        plain = _plain(address)
        return any(plain.version == network.version and plain in network for network in self._allowed)


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, to one receiver there, and to nothing in between."""
    plain = _plain(address)
    if plain.is_multicast or plain.is_reserved or plain.is_unspecified or plain.is_link_local or plain.is_loopback:
        return False
    if any(plain.version == network.version and plain in network for network in _NEVER_PUBLIC):
        return False
    return plain.is_global


def _plain(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that only stands for it, else the address itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _TRANSLATED:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
        if int(address) >> 32 == 0 and int(address) > 1:
            # "IPv4-compatible" (RFC 4291, 2.5.5.1): deprecated, and still routed by some systems.
            return IPv4Address(int(address))
    return address
