"""Settings that are fine one by one, and wrong together."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from streamhost.config.cdn import CdnSettings
from streamhost.config.serving import ServerSettings, is_behind_a_proxy, media_url
from streamhost.config.settings import Settings

ORIGIN, PULL, SECURE_LINK = "origin", "pull", "secure_link"
"""The kinds of CDN that need no plugin."""


def disagreements(settings: Settings) -> list[str]:
    """What does not fit together, a line each."""
    server = settings.server
    unusable = [f"server.{line}" for line in _addresses(server)]
    return [
        *(unusable or [f"server.{line}" for line in _media_port(server)]),
        *(f"cdn.{line}" for line in _cdn(settings.cdn)),
    ]


def _addresses(server: ServerSettings) -> Iterator[str]:
    """What has the form of an address, and leads nowhere."""
    for name, address in (("public_url", server.public_url), ("media_url", server.media_url)):
        if not address:
            continue
        try:
            parts = urlsplit(address)
            missing = not parts.hostname or parts.port == 0
        except ValueError as error:
            yield f"{name}: {address} is no address: {error}"
            continue
        if missing:
            yield f"{name}: {address} names no {'port' if parts.hostname else 'host'} that anybody could ask"


def _media_port(server: ServerSettings) -> Iterator[str]:
    if not server.media_port:
        if server.media_url:
            yield "media_url: there is no server.media_port that it could lead to"
        return
    if server.host.startswith("unix:"):
        yield "media_port: server.host is a Unix socket, which has no ports"
        return
    if server.media_port == server.port:
        yield "media_port: is server.port; it has to be another"
    url, proxied = media_url(server), is_behind_a_proxy(server)
    if server.public_url.startswith("https:") and not url.startswith("https:"):
        yield (
            f"media_url: pages of {server.public_url} load nothing that is not encrypted; say here the https address "
            "by which a proxy leads to server.media_port"
        )
    elif not url:
        yield f"media_url: players cannot be sent to {server.host}; say here, or in server.public_url, where they can"
    elif proxied and not server.media_url:
        yield "media_url: the server listens for this machine alone; say here where a proxy leads to server.media_port"
    elif not url.isascii():
        yield f"media_url: say {url} here as browsers write it (xn--…)"


def _cdn(cdn: CdnSettings) -> Iterator[str]:
    here = cdn.kind in (PULL, SECURE_LINK)
    if here and not cdn.base_url:
        yield f'base_url: cdn.kind = "{cdn.kind}" needs it'
    if cdn.base_url and not here:
        own = "without a CDN nobody goes there" if cdn.kind == ORIGIN else f"{cdn.kind} has settings of its own"
        yield f'base_url: cdn.kind is "{cdn.kind}", and {own}'
    if cdn.kind == SECURE_LINK and not cdn.link_secret:
        yield 'link_secret: cdn.kind = "secure_link" needs it'
    if cdn.link_secret and cdn.kind != SECURE_LINK:
        yield f'link_secret: cdn.kind is "{cdn.kind}", which does not sign with it'
    if cdn.push and cdn.kind == ORIGIN:
        yield 'push: cdn.kind is "origin", so there is nowhere to bring anything'
    if cdn.purge_url and not here:
        yield f'purge_url: cdn.kind is "{cdn.kind}", which does not use it'
    if cdn.purge_token and not cdn.purge_url:
        yield "purge_token: there is no cdn.purge_url that it goes to"
