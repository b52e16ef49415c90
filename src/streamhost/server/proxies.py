"""Who is asking, where a proxy stands in front: what it says counts only if it comes from a configured network.

The list of addresses is read from the right, where the nearest proxy has written: the first that is not one of our own
proxies is the client. What stands further left is the client's own claim.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from streamhost import log
from streamhost.config import InvalidSettings, ServerSettings
from streamhost.server.door import Scope

UNIX = "unix"
HOPS = 32
"""More proxies than any request passes; what stands further left is not looked at."""
SCHEMES = ("http", "https")

_FOR, _PROTO, _FORWARDED = b"x-forwarded-for", b"x-forwarded-proto", b"forwarded"
_PAIR = re.compile(r'\s*([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^",;\s]+)\s*')
_WITH_PORT = re.compile(r"(?:\[([^\]]+)\]|([0-9.]+))(?::[0-9]{1,5})?")

_logger = log.get("server")


@dataclass(frozen=True, slots=True)
class Hop:
    """What one proxy says about whoever asked it: address and scheme as written, empty where it does not say."""

    address: str
    scheme: str = ""


class Proxies:
    """The proxies in front of this server. Raises `InvalidSettings` for a network that is none."""

    def __init__(self, settings: ServerSettings) -> None:
        self._unix = UNIX in settings.trusted_proxies
        self._networks = [_network(text) for text in settings.trusted_proxies if text != UNIX]
        self._header = _FORWARDED if settings.proxy_header == "forwarded" else _FOR
        self._warned = False

    def resolve(self, scope: Scope) -> None:
        """Put the client's address and the scheme it used where the proxy's were."""
        peer = scope.get("client")
        trusted = self._trusts(peer[0]) if peer and peer[0] else self._unix
        if not trusted:
            self._warn(scope, peer)
            return
        hops = list(self._hops(scope))
        client = None
        for hop in hops[-1 : -HOPS - 1 : -1]:
            address = _address(hop.address)
            if address is None:
                break
            client = Hop(address, hop.scheme)
            if not self._trusts(address):
                break
        if client is not None:
            scope["client"] = (client.address, 0)
        scheme = client.scheme if client and client.scheme else hops[-1].scheme if hops else _last(scope, _PROTO)
        if scheme.lower() in SCHEMES:
            scope["scheme"] = scheme.lower()

    def _hops(self, scope: Scope) -> Iterator[Hop]:
        if self._header == _FORWARDED:
            yield from _forwarded(_joined(scope, _FORWARDED))
            return
        addresses = _list(_joined(scope, _FOR))
        schemes = _list(_joined(scope, _PROTO))
        # A chain of proxies that each add to both lists, or one word of the nearest proxy.
        if len(schemes) != len(addresses):
            schemes = [schemes[-1] if schemes else ""] * len(addresses)
        for address, scheme in zip(addresses, schemes, strict=True):
            yield Hop(address, scheme)

    def _trusts(self, address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        return any(ip in network for network in self._networks)

    def _warn(self, scope: Scope, peer: Sequence[object] | None) -> None:
        """Say once that somebody who is not trusted speaks like a proxy: the setting may have been forgotten."""
        if not self._warned and any(name in (_FOR, _FORWARDED) for name, _ in scope["headers"]):
            self._warned = True
            _logger.warning(
                "What a proxy says about clients is not believed: it is not in server.trusted_proxies",
                action="proxy_not_trusted",
                peer=str(peer[0]) if peer else UNIX,
            )


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise InvalidSettings(f"server.trusted_proxies: {error}") from error


def _joined(scope: Scope, name: bytes) -> str:
    """All fields of one name as one list (RFC 9110, 5.3)."""
    return ",".join(value.decode("latin-1") for key, value in scope["headers"] if key == name)


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")] if text.strip() else []


def _last(scope: Scope, name: bytes) -> str:
    words = _list(_joined(scope, name))
    return words[-1] if words else ""


def _forwarded(text: str) -> Iterator[Hop]:
    """The elements of `Forwarded` (RFC 7239, 4); one that cannot be read says nothing about anybody."""
    for element in _elements(text):
        pairs = {name.lower(): value for name, value in _PAIR.findall(element)}
        yield Hop(_unquoted(pairs.get("for", "")), _unquoted(pairs.get("proto", "")))


def _elements(text: str) -> Iterator[str]:
    """The parts between commas that do not stand in quotes."""
    start, quoted, escaped = 0, False, False
    for place, char in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and char == "\\":
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char == "," and not quoted:
            yield text[start:place]
            start = place + 1
    if text.strip():
        yield text[start:]


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if len(text) > 1 and text[0] == text[-1] == '"' else text


def _address(text: str) -> str | None:
    """The IP address in one entry, without port and brackets; None for names, `unknown` and nonsense."""
    found = _WITH_PORT.fullmatch(text)
    bare = (found[1] or found[2]) if found else text
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return None
