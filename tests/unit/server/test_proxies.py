"""Who is asking behind proxies: believed is only what a configured proxy wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.config import InvalidSettings, ServerSettings
from streamhost.server.door import Scope
from streamhost.server.proxies import Proxies

PROXY = "10.0.0.1"
CLIENT = "203.0.113.9"
TRUSTED = ("10.0.0.0/8", "fd00::/8")


def resolved(
    *fields: tuple[str, str],
    peer: str | None = PROXY,
    trusted: tuple[str, ...] = TRUSTED,
    header: str = "x-forwarded-for",
) -> tuple[str | None, str]:
    """Client and scheme of a request with these header fields."""
    settings = ServerSettings(trusted_proxies=trusted, proxy_header=header)  # type: ignore[arg-type]
    scope: Scope = {
        "type": "http",
        "scheme": "http",
        "client": (peer, 1234) if peer is not None else None,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in fields],
    }
    Proxies(settings).resolve(scope)
    client = scope["client"]
    return client[0] if client else None, scope["scheme"]


def test_a_stranger_is_not_believed() -> None:
    """Somebody who is no configured proxy stays who they are, whatever they write."""
    fields = (("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "https"), ("forwarded", "for=192.0.2.1"))
    assert resolved(*fields, peer=CLIENT) == (CLIENT, "http")
    assert resolved(*fields, trusted=()) == (PROXY, "http")
    assert resolved(*fields, peer=None) == (None, "http")


def test_the_proxy_is_believed() -> None:
    """The address and scheme that a configured proxy has written are taken."""
    assert resolved(("x-forwarded-for", CLIENT), ("x-forwarded-proto", "https")) == (CLIENT, "https")


def test_what_the_client_wrote_is_skipped() -> None:
    """Entries left of the first foreign address, seen from the right, are the client's own invention."""
    assert resolved(("x-forwarded-for", f"127.0.0.1, 192.0.2.1, {CLIENT}, 10.2.2.2"))[0] == CLIENT
    assert resolved(("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", CLIENT))[0] == CLIENT


def test_only_proxies() -> None:
    """A request that began at one of our own machines comes from there."""
    assert resolved(("x-forwarded-for", "10.3.3.3, 10.2.2.2"))[0] == "10.3.3.3"


@pytest.mark.parametrize(
    "nonsense", ["unknown", "_hidden", "", "203.0.113.999", "evil; drop", "☃".encode().decode("latin-1")]
)
def test_nonsense_ends_the_list(nonsense: str) -> None:
    """At an entry that is no address the last known proxy stands for the client; nothing behind it counts."""
    assert resolved(("x-forwarded-for", f"192.0.2.1, {nonsense}, 10.2.2.2"))[0] == "10.2.2.2"
    assert resolved(("x-forwarded-for", f"192.0.2.1, {nonsense}"))[0] == PROXY


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
    ],
)
def test_ports_and_brackets(entry: str, address: str) -> None:
    """Addresses are understood with and without port, IPv6 with and without brackets."""
    assert resolved(("x-forwarded-for", entry))[0] == address


def test_schemes() -> None:
    """The scheme is the nearest proxy's word, or the one that belongs to the client's entry; others are ignored."""
    assert resolved(("x-forwarded-proto", "https"))[1] == "https"
    assert resolved(("x-forwarded-for", CLIENT), ("x-forwarded-proto", "http, https"))[1] == "https"
    assert resolved(("x-forwarded-for", f"{CLIENT}, 10.2.2.2"), ("x-forwarded-proto", "https, http"))[1] == "https"
    assert resolved(("x-forwarded-for", CLIENT), ("x-forwarded-proto", "gopher"))[1] == "http"


def test_the_other_header_is_ignored() -> None:
    """A proxy that writes one header passes the other one on as the client sent it, so it must not count."""
    both = (("forwarded", "for=192.0.2.1;proto=https"), ("x-forwarded-for", CLIENT))
    assert resolved(*both) == (CLIENT, "http")
    assert resolved(*both, header="forwarded") == ("192.0.2.1", "https")


@pytest.mark.parametrize(
    ("field", "client", "scheme"),
    [
        ("for=203.0.113.9", CLIENT, "http"),
        ('For="[2001:db8::7]:4711";Proto=HTTPS;by=10.0.0.1', "2001:db8::7", "https"),
        ('for=192.0.2.1, for="203.0.113.9:80";proto=https, for=10.2.2.2;proto=http', CLIENT, "https"),
        ('for="a, for=192.0.2.1, \\" b", for=203.0.113.9', CLIENT, "http"),
        ("for=unknown;proto=https", PROXY, "https"),
        ('for="203.0.113.9', PROXY, "http"),
    ],
)
def test_forwarded(field: str, client: str, scheme: str) -> None:
    """`Forwarded` is read by its grammar: pairs, quotes with commas in them, any case (RFC 7239, 4)."""
    assert resolved(("forwarded", field), header="forwarded") == (client, scheme)


def test_a_unix_socket() -> None:
    """Whoever connects to the Unix socket has no address; `unix` says that it is the proxy."""
    assert resolved(("x-forwarded-for", CLIENT), peer=None, trusted=("unix",))[0] == CLIENT
    assert resolved(("x-forwarded-for", CLIENT), peer="", trusted=("unix",))[0] == CLIENT


def test_mapped_addresses() -> None:
    """A proxy seen through an IPv6 socket is the proxy that IPv4 knows."""
    assert resolved(("x-forwarded-for", CLIENT), peer="::ffff:10.0.0.1")[0] == CLIENT


@pytest.mark.parametrize("network", ["10.0.0.0/33", "1.2.3", "::/129", "12345"])
def test_a_network_that_is_none(network: str) -> None:
    """A mistyped network stops the start and is named."""
    with pytest.raises(InvalidSettings, match=r"server\.trusted_proxies"):
        Proxies(ServerSettings(trusted_proxies=(network,)))


@given(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=200), st.booleans())
def test_no_header_breaks_it(text: str, forwarded: bool) -> None:
    """Whatever is written into the header, the client is an address that was in it, or the proxy."""
    name = "forwarded" if forwarded else "x-forwarded-for"
    client, scheme = resolved((name, text), header=name)
    assert client is not None
    assert client == PROXY or client in text or ":" in client
    assert scheme in ("http", "https")


def test_a_long_list() -> None:
    """A list that is longer than any chain of proxies is read only at its end."""
    many = ", ".join(["192.0.2.1", *["10.9.9.9"] * 1000])
    assert resolved(("x-forwarded-for", many))[0] == "10.9.9.9"
