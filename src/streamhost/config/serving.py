"""Where the server listens, how it is reached, and how it looks."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from streamhost.config.section import Section

ANY = ("0.0.0.0", "0", "::", "[::]")  # noqa: S104  # only compared with


class ServerSettings(Section, frozen=True):
    """Where the server listens and how it is reached."""

    host: Annotated[
        str,
        Meta(
            description="Address to listen on; 0.0.0.0 for every network interface.",
            extra={"machine": True},
        ),
    ] = "127.0.0.1"
    port: Annotated[
        int,
        Meta(
            ge=0,
            le=65535,
            description="Port to listen on; 0 takes a free one and prints it.",
            extra={"machine": True},
        ),
    ] = 8000
    public_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^/\s]+)?$",
            examples=["https://video.example.org"],
            description="Address that people type; empty: the address it listens on.",
        ),
    ] = ""
    site_name: Annotated[
        str,
        Meta(min_length=1, max_length=60, description="Name of this site, shown on every page.", extra={"live": True}),
    ] = "streamhost"
    accent: Annotated[
        str,
        Meta(
            pattern=r"^(#[0-9a-fA-F]{6})?$",
            examples=["#0b6a57"],
            description="Colour of buttons and links. Its shades for light and dark pages are worked out so that words "
            "stay readable. Empty: streamhost's own.",
            extra={"live": True},
        ),
    ] = ""
    trusted_proxies: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^(unix|[0-9a-fA-F.:]+(/[0-9]{1,3})?)$", examples=["10.0.0.0/8"])], ...],
        Meta(
            description="Networks of the proxies in front, whose word counts on where a request comes from and "
            "whether it came by https; unix: whoever connects to the Unix socket.",
            extra={"machine": True},
        ),
    ] = ()
    proxy_header: Annotated[
        Literal["x-forwarded-for", "forwarded"],
        Meta(
            description="What trusted proxies write the client's address into: X-Forwarded-For (with "
            "X-Forwarded-Proto), or Forwarded (RFC 7239). The other one is the client's own claim and ignored."
        ),
    ] = "x-forwarded-for"
    offload: Annotated[
        Literal["none", "x-accel-redirect", "x-sendfile"],
        Meta(
            description="Hand the bytes of segments to a proxy in front: nginx knows x-accel-redirect (internal "
            "location /_streamhost/), Apache and Lighttpd x-sendfile."
        ),
    ] = "none"
    media_port: Annotated[
        int,
        Meta(
            ge=0,
            le=65535,
            description="A second port, for everything below /s/ alone (manifests, segments, pictures, keys), where "
            "the kernel itself sends the files: for half of the processor's time. Players are sent there. 0: none.",
            extra={"machine": True},
        ),
    ] = 0
    media_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[A-Za-z0-9.:\[\]_-]+)?$",
            examples=["https://media.example.org"],
            description="Where players reach server.media_port; empty: at the host of server.public_url, or where the "
            "server listens.",
        ),
    ] = ""
    indexing: Annotated[
        bool,
        Meta(
            description="Whether search engines may list the public videos of this site (robots.txt, site map, meta "
            "tags)."
        ),
    ] = True
    security_contact: Annotated[
        str,
        Meta(
            pattern=r"^((mailto:|https://|tel:)\S+)?$",
            examples=["mailto:security@example.org"],
            description="Where to report that something here is not safe; published as /.well-known/security.txt "
            "(RFC 9116). Empty: nothing is published.",
        ),
    ] = ""
    shutdown_seconds: Annotated[
        float, Meta(gt=0, le=3600, description="How long running requests may take to finish when the server stops.")
    ] = 10.0


def media_url(server: ServerSettings) -> str:
    """The address (scheme, host and port) of `server.media_port` for players; empty if there is none, or if nothing
    says which it is: the port itself speaks no TLS."""
    if not server.media_port or server.media_url:
        return server.media_url
    if not server.public_url:
        return "" if server.host in ANY else f"http://{_host(server.host)}:{server.media_port}"
    parts = urlsplit(server.public_url)
    return f"http://{_host(parts.hostname or '')}:{server.media_port}" if parts.scheme == "http" else ""


def is_behind_a_proxy(server: ServerSettings) -> bool:
    """Whether others reach the server only by way of another program on this machine."""
    named = urlsplit(server.public_url).hostname or ""
    return _is_loopback(server.host) and (bool(server.trusted_proxies) or not _is_loopback(named or server.host))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _host(text: str) -> str:
    return f"[{text}]" if ":" in text and not text.startswith("[") else text
