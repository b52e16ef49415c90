"""The running server, and what stands in front of it: health, headers, bodies, ranges, live events, certificates."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Any

from streamhost.cli.doctor.asking import Answer, Site
from streamhost.cli.doctor.lines import Case, Line, fail, ok, skip, warn
from streamhost.config import ServerSettings
from streamhost.model.ids import new_id

PROXY_PAGE = "docs/how-to/reverse-proxy.md has configurations that were tried."
TRIES = 4
LOOKS = 3
"""How often is looked before something is called wrong that a machine which is busy for a moment does as well."""
BIG = 100_000_000
"""Bytes of a body that proxies let through: clients send no larger requests (64 MiB chunks)."""
SENT = 1024
VISITOR = "203.0.113.77"
"""An address for documentation (RFC 5737): that of a visitor who comes through one more proxy."""
AS_VISITOR = {"X-Forwarded-For": VISITOR, "Forwarded": f"for={VISITOR}"}
MOST_LINES = 100
ENOUGH = 14
"""Days for which a certificate should still count."""


async def server(case: Case) -> AsyncIterator[Line]:
    """Whether one runs, and how it feels."""
    if not case.address:
        yield skip("server", "None runs on this data directory.", "`streamhost serve` starts one.")
        return
    if case.address.startswith("unix:"):
        yield skip("server", f"It listens at {case.address}; only the proxy in front is asked.")
        return
    for _ in range(LOOKS):
        try:
            answer = await asyncio.to_thread(Site.of(case.address, outside=True).ask, "/readyz")
            parts = json.loads(answer.body)["parts"]
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            yield fail("server", f"{case.address} gives no answer: {error}.", "Look at its log.")
            return
        wrong = {name: words for name, words in parts.items() if words != "ok"}
        if not wrong:
            break
    for name, words in wrong.items():
        yield fail(f"server {name}", str(words), "Look at its log.")
    if not wrong:
        yield ok("server", f"It answers at {case.address}; {', '.join(parts)} work.")


async def front(case: Case) -> AsyncIterator[Line]:
    """What the proxy in front does with requests and answers."""
    settings = case.settings.server
    if not settings.public_url:
        hint = "Behind a proxy set server.public_url and server.trusted_proxies."
        yield skip("proxy", "No public address is set, so nothing is looked for in front of the server.", hint)
        return
    if not case.address:
        yield skip("proxy", "The server does not run.")
        return
    for line in await asyncio.to_thread(_looked, settings, case.outside):
        yield line


def _looked(settings: ServerSettings, outside: bool) -> list[Line]:
    try:
        site = Site.of(settings.public_url, outside=outside)
        days = site.certificate_days()
        answer = site.ask("/livez", headers={"X-Request-Id": (mark := f"doctor-{new_id()}")})
    except ssl.SSLCertVerificationError as error:
        return [fail("proxy", f"{settings.public_url} does not prove who it is: {error.verify_message}.", PROXY_PAGE)]
    except (OSError, http.client.HTTPException) as error:
        words = f"{settings.public_url} cannot be reached from here: {error}."
        hint = "If the proxy is on another machine, ask it with --outside, or run this there."
        return [warn("proxy", words, hint)]
    if answer.status != http.client.OK or answer.headers.get("x-request-id") != mark:
        words = f"Something else than this site answers at {settings.public_url} ({answer.status})."
        return [fail("proxy", words, PROXY_PAGE)]
    lines = [ok("proxy", f"{settings.public_url} leads to this server.")]
    if days is not None:
        words = f"The certificate counts for {days:.0f} more days."
        lines.append(ok("certificate", words) if days > ENOUGH else warn("certificate", words, "Renew it."))
    for look in (_events, _bodies):
        try:
            lines += look(site, settings)
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            lines.append(fail("proxy", f"A request through {settings.public_url} failed: {error}.", PROXY_PAGE))
    return lines


def _events(site: Site, settings: ServerSettings) -> Iterator[Line]:
    """Live events come one by one, and the server hears who asks, by which name and how."""
    for _ in range(LOOKS):
        came = [
            (moment, json.loads(line.removeprefix("data:")))
            for moment, line in islice(site.lines("/probez", AS_VISITOR), MOST_LINES)
            if line.startswith("data:")
        ]
        if len(came) < 2:
            yield fail("events", "Server-sent events do not come through.", PROXY_PAGE)
            return
        one_by_one = came[-1][0] - came[0][0] >= 0.5 * float(came[-1][1]["after"])
        if one_by_one:
            break
    if not one_by_one:
        words = "The proxy keeps server-sent events back, so pages show no progress."
        yield fail("events", words, "Switch buffering off for text/event-stream (proxy_buffering off).")
    else:
        yield ok("events", "Live events come as they happen.")
    seen = came[0][1]
    host = settings.public_url.partition("//")[2]
    if seen["host"] != host:
        yield fail(
            "host",
            f"The server hears the name {seen['host']} instead of {host}.",
            "Pass Host on as it came ($http_host).",
        )
    wanted = settings.public_url.partition(":")[0]
    if seen["scheme"] != wanted:
        words = f"The server takes requests for {seen['scheme']}, and they are {wanted}."
        yield fail("scheme", words, "Let the proxy set X-Forwarded-Proto, and name it in server.trusted_proxies.")
    yield _visitors(seen, settings)


def _visitors(seen: dict[str, Any], settings: ServerSettings) -> Line:
    """Whether visitors are told apart, and cannot claim to be others."""
    hops = int(seen["hops"][settings.proxy_header])
    header = "Forwarded" if settings.proxy_header == "forwarded" else "X-Forwarded-For"
    if not settings.trusted_proxies:
        words = "Every visitor seems to be the proxy, so limits and the audit log cannot tell them apart."
        return warn("visitors", words, "Name the proxy in server.trusted_proxies.")
    if seen["address"] == VISITOR and hops < 2:
        words = f"Visitors can claim any address: the proxy hands on the {header} that they send."
        return fail("visitors", words, f"Let it add the address that it sees itself. {PROXY_PAGE}")
    if hops == 0:
        words = f"The proxy writes no {header}, so every visitor seems to be the proxy."
        return warn("visitors", words, PROXY_PAGE)
    return ok("visitors", "The server hears who asks, by which name, and whether by https.")


def _bodies(site: Site, _settings: ServerSettings) -> Iterator[Line]:
    """A large upload is let through, and as it comes. It is refused by us, for nobody is signed in."""
    answer: Answer | None = None
    for _ in range(TRIES):
        answer = site.begin("/api/v1/upload", BIG, bytes(SENT))
        # A proxy that is still sending when our refusal comes may take it for a broken connection.
        if answer is None or answer.status != http.client.BAD_GATEWAY:
            break
    if answer is None:
        words = "The proxy collects whole uploads before it hands them on: what breaks off is lost."
        yield warn("uploads", words, "Switch request buffering off (proxy_request_buffering off).")
    elif answer.status == http.client.REQUEST_ENTITY_TOO_LARGE:
        words = f"The proxy refuses requests of {BIG // 1_000_000} MB."
        yield fail("uploads", words, "Raise its limit (client_max_body_size 0; request_body max_size).")
    elif answer.status == http.client.UNAUTHORIZED and b"unauthenticated" in answer.body:
        yield ok("uploads", f"Requests of {BIG // 1_000_000} MB come through as they are sent.")
    else:
        yield warn("uploads", f"A large request was answered with {answer.status}.", PROXY_PAGE)
