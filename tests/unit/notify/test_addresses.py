"""Where a request may go whose target somebody has typed in."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import Any

import pytest

from streamhost.notify.addresses import AddressGuard, AddressRefused, is_public
from streamhost.notify.posting import target_of

INSIDE = (
    *("127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1"),
    *("169.254.169.254", "169.254.1.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1", "192.88.99.1"),
    *("192.0.2.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "3fff::1", "5f00::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::10.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:c0a8:101::1", "2001:0:1::1"),
    *("100::1",),
)
OUTSIDE = (
    *("1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"),
    *("::ffff:8.8.8.8", "64:ff9b::808:808"),
)


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_inside_is_refused(address: str) -> None:
    """Private networks, this machine, clouds' own services, and what leads to them in disguise."""
    assert not is_public(ip_address(address))
    assert not AddressGuard().admits(ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_is_public_is_let_through(address: str) -> None:
    """Servers of others."""
    assert AddressGuard().admits(ip_address(address))


def test_a_network_is_allowed_by_name() -> None:
    """What is allowed is, also in its IPv6 clothes, and nothing beside it."""
    guard = AddressGuard(["192.168.1.0/24", "fd12::/16"])
    admitted = [text for text in (*INSIDE, "fd12::7", "::ffff:192.168.1.9") if guard.admits(ip_address(text))]
    assert admitted == ["192.168.1.1", "fd12::7", "::ffff:192.168.1.9"]
    with pytest.raises(ValueError, match="home"):
        AddressGuard(["home"])


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let names resolve to these addresses, one answer after the other; which were asked for."""
    waiting, asked = list(answers), []

    async def getaddrinfo(host: str, port: int, **_options: Any) -> list[Any]:
        asked.append(host)
        return [(0, 1, 6, "", (address, port)) for address in waiting.pop(0)]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    return asked


async def test_a_name_is_checked_with_all_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """One address inside spoils the name: it is no honest mistake."""
    resolving(monkeypatch, ["8.8.8.8", "1.1.1.1"], ["8.8.8.8", "127.0.0.1"], ["fe80::1%eth0"], [])
    guard = AddressGuard()
    route = await guard.route("good.example", 443)
    assert [str(address) for address in route.addresses] == ["8.8.8.8", "1.1.1.1"]
    assert not route.trusted
    for name in ("mixed.example", "scoped.example", "empty.example"):
        with pytest.raises(AddressRefused):
            await guard.route(name, 443)


@pytest.mark.parametrize(
    "name", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "127.0.0.1.", "[::1]", "[::ffff:7f00:1]"]
)
async def test_odd_spellings_of_this_machine(name: str) -> None:
    """However this machine is spelt, the resolver's own answer is what is checked."""
    target = target_of(f"https://{name}/")
    with pytest.raises((AddressRefused, OSError)):
        await AddressGuard().route(target.host, target.port)


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://example.org/", "//example.org/", "example.org", "https://", "https:///x", "https://:443/", ""),
        *("https://user@example.org/", "https://user:word@example.org/", "https://example.org/#x", "https://e.org/#"),
        *("https://example.org/a b", "https://example.org/\r\nX: y", "https://example.org\\@inside/", "https://[::1"),
        *("https://example.org:99999/", "https://example.org:0/", "file:///etc/passwd", "https://example.org/ä"),
        "https://example.org/" + "x" * 2000,
    ],
)
def test_what_is_no_address_of_a_webhook(url: str) -> None:
    """Each is refused in a sentence."""
    with pytest.raises(ValueError, match=r"\.$"):
        target_of(url)


def test_the_parts_of_an_address() -> None:
    """Names of other scripts go to the resolver as the DNS knows them; a port that is usual is not said."""
    assert target_of("https://bücher.example/a?b=c").authority == "xn--bcher-kva.example"
    assert target_of("https://example.org:8443").resource == "/"
    assert target_of("http://[2606:4700::1111]:8080/x").authority == "[2606:4700::1111]:8080"
