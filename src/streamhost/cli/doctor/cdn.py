"""The CDN as viewers come to it: an object is stored for a moment and asked for by the address that players are sent
to, and by others that must not open it; then the CDN is told to drop its copy."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import AsyncIterator
from typing import NamedTuple
from urllib.parse import urlsplit

from streamhost.cli.doctor.asking import Answer, Site
from streamhost.cli.doctor.lines import Case, Level, Line, fail, failed, ok, skip, warn
from streamhost.cli.doctor.proof import CONTENT, LETS_IN, NAME, REFUSES
from streamhost.config.agreement import ORIGIN, PULL, SECURE_LINK
from streamhost.host import Host
from streamhost.model.clock import HOUR, Timestamp
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import PackageId, VideoId, new_id
from streamhost.model.videos import package_prefix
from streamhost.ports import Cdn

PAGE = "docs/how-to/cdn.md tells what each kind needs."
PATIENCE = 60.0
"""Seconds for a CDN to take a request to drop copies."""


class Addresses(NamedTuple):
    """Where viewers get an object, and what must not open it: what it is, and the address."""

    right: str
    wrong: list[tuple[str, str]]


async def copies(case: Case) -> AsyncIterator[Line]:
    """How the copies at the CDN stand, and whether viewers get what they are sent there for, and nobody else."""
    if case.host is None:
        return
    seen = await case.host.copies.overview()
    if seen.kind == ORIGIN:
        yield ok("cdn", "None: this server sends everything itself.")
        return
    if seen.purges_failed:
        hint = "`streamhost cdn status` names them; `streamhost jobs retry` tries again."
        yield fail("cdn", f"{len(seen.purges_failed)} copies could not be dropped and may still be seen.", hint)
    else:
        about = ", ".join(f"{number} {state.value}" for state, number in seen.counts.items()) or "nothing brought there"
        yield ok("cdn", f"{seen.kind} at {seen.base_url or 'its own address'}: {about}.")
    if not case.address:
        yield skip("cdn delivery", "The server does not run, so a CDN finds nothing to fetch.", "Start it, ask again.")
        return
    prefix = package_prefix(VideoId(new_id()), PackageId(new_id()))
    try:
        addresses = _addresses(case.host.copies.cdn, prefix + NAME, case.host.clock())
        site = await asyncio.to_thread(_site, addresses.right, case.outside)
    except Exception as error:  # a plugin's, which may raise anything
        yield fail("cdn delivery", f"It has no address for a segment: {error}.", PAGE)
        return
    if site is None:
        yield skip("cdn delivery", f"{seen.base_url} is not on this machine.", "With --outside it is tried, too.")
        return
    async for line in _tried(case, case.host, site, addresses, prefix):
        yield line


async def _tried(case: Case, host: Host, site: Site, addresses: Addresses, prefix: str) -> AsyncIterator[Line]:
    origin = case.settings.server.public_url or case.address
    try:
        await host.storage.put_bytes(prefix + NAME, CONTENT)
        try:
            line = await asyncio.to_thread(_delivered, site, addresses, origin)
        finally:
            await host.storage.delete(prefix + NAME)
    except StreamhostError as error:
        yield skip("cdn delivery", f"Nothing could be stored to try it with: {error}", error.hint or "")
        return
    yield line
    settings = case.settings.cdn
    if settings.kind in (PULL, SECURE_LINK) and not settings.purge_url:
        words = f"cdn.purge_url is not set: what is closed is gone there after {2 * settings.url_minutes:g} minutes."
        yield skip("cdn purges", words)
        return
    try:
        async with asyncio.timeout(PATIENCE):
            await host.copies.cdn.purge([prefix])
    except StreamhostError as error:
        yield failed("cdn purges", error)
    except Exception as error:  # a plugin's, which may raise anything
        yield fail("cdn purges", f"It could not be told to drop a copy: {type(error).__name__} {error}.", PAGE)
    else:
        yield await asyncio.to_thread(_dropped, site, addresses.right, line.level is Level.OK)


def _addresses(cdn: Cdn, key: str, now: Timestamp) -> Addresses:
    other = package_prefix(VideoId(new_id()), PackageId(new_id())) + NAME
    right = cdn.url(key, now + HOUR)
    path, signature, _ = right.partition("?")
    wrong = [
        ("An address that has expired", cdn.url(key, now - HOUR)),
        ("An address for another video", cdn.url(other, now + HOUR).replace(other, key)),
        ("The name of the object", f"{cdn.base_url}/{key}"),
    ]
    return Addresses(right, [*wrong, ("An address without its signature", path)] if signature else wrong)


def _site(address: str, outside: bool) -> Site | None:
    """The CDN, None where it is another machine that is not to be asked."""
    parts = urlsplit(address)
    try:
        site = Site.of(f"{parts.scheme}://{parts.netloc}", outside=outside)
    except OSError:  # nobody knows the name: asking says so
        return Site(f"{parts.scheme}://{parts.netloc}", parts.hostname or "", is_own=False)
    return site if site.is_own or outside else None


def _ask(site: Site, address: str, origin: str = "") -> Answer:
    return site.ask(address.removeprefix(site.url), headers={"Origin": origin} if origin else None)


def _delivered(site: Site, addresses: Addresses, origin: str) -> Line:
    try:
        answer = _ask(site, addresses.right, origin)
        if answer.status != http.client.OK or answer.body != CONTENT:
            words = f"{site.url} answers {answer.status} where a segment should be."
            return fail("cdn delivery", words, f"Does it reach this site, and do both know the same secrets? {PAGE}")
        if answer.headers.get("access-control-allow-origin") not in ("*", origin):
            words = f"Browsers keep from players what {site.url} sends."
            return fail("cdn delivery", words, "Let it pass on the header Access-Control-Allow-Origin of the site.")
        for what, address in addresses.wrong:
            found = _ask(site, address)
            if found.status in LETS_IN or CONTENT[:40] in found.body:
                words = f"{what} opens a segment at {site.url} ({found.status})."
                return fail("cdn privacy", words, f"Let it check addresses, and keep copies by them. {PAGE}")
            if found.status not in REFUSES:
                words = f"{what} is answered with {found.status}, which proves nothing."
                return skip("cdn privacy", words, "Ask again in a minute.")
    except (OSError, http.client.HTTPException) as error:
        return fail("cdn delivery", f"{site.url} cannot be reached: {error}.", "Does it run? Is its address right?")
    words = f"{site.url} sends a segment to whoever was sent there, and by none of {len(addresses.wrong)} other ways."
    return ok("cdn delivery", words)


def _dropped(site: Site, address: str, was_there: bool) -> Line:
    """Whether a copy is gone once the CDN was told to drop it; the site does not have it any more."""
    try:
        still = was_there and CONTENT[:40] in _ask(site, address).body
    except (OSError, http.client.HTTPException) as error:
        return fail("cdn purges", f"{site.url} cannot be reached: {error}.")
    if still:
        words = "It was told to drop a copy, and sends it still: what is closed may be seen until addresses end."
        return warn("cdn purges", words, "Some take a minute; else look at what cdn.purge_url leads to.")
    return ok("cdn purges", "A copy goes when it is told to drop it." if was_there else "It takes requests for that.")
