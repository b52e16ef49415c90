"""The proof that a private segment is refused: one is put into the storage, and everything that should not open it is
tried on the running server. What should, is tried too, or the proof would prove nothing.
"""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import NamedTuple

from streamhost.cli.doctor.asking import Site
from streamhost.cli.doctor.lines import Case, Line, fail, ok, skip
from streamhost.host import Host
from streamhost.keyrings import Ring
from streamhost.model.clock import HOUR
from streamhost.model.errors import StreamhostError
from streamhost.model.grants import POSTER_ONLY, encode
from streamhost.model.ids import PackageId, SessionId, VideoId, new_id
from streamhost.model.videos import package_prefix

NAME = "v144/0.m4s"
CONTENT = b"what nobody may see without a permission\n" * 100
LETS_IN = (200, 206, 301, 302, 303, 307, 308)
HINT = "Take the site off the network, and report this: nobody but its owner may see a private video."


class Try(NamedTuple):
    """One attempt: what it is, and the path that it asks for."""

    what: str
    path: str


async def private(case: Case) -> AsyncIterator[Line]:
    """Try everything, at the server itself and through the proxy in front of it."""
    if case.host is None or not case.address:
        yield skip("privacy", "No server runs here, so nothing could be proven.", "Start it, and ask again.")
        return
    video, package = VideoId(new_id()), PackageId(new_id())
    key = package_prefix(video, package) + NAME
    try:
        await case.host.storage.put_bytes(key, CONTENT)
        try:
            for name, site in _sites(case):
                for line in await asyncio.to_thread(_tried, name, site, case.host, video, package):
                    yield line
        finally:
            await case.host.storage.delete(key)
    except StreamhostError as error:
        yield skip("privacy", f"Nothing could be stored to try it with: {error}", error.hint or "")


def _sites(case: Case) -> Iterator[tuple[str, Site]]:
    yield "privacy", Site.of(case.address, outside=False)
    public = case.settings.server.public_url
    if public and public != case.address:
        try:
            yield "privacy by proxy", Site.of(public, outside=case.outside)
        except OSError:
            return


def _tried(name: str, site: Site, host: Host, video: VideoId, package: PackageId) -> list[Line]:
    good, bad = _attempts(host, video, package)
    try:
        answer = site.ask(good.path)
        if answer.status not in LETS_IN or (answer.status == http.client.OK and answer.body != CONTENT):
            detail = f"{good.what} is answered with {answer.status}, so the proof proves nothing."
            return [fail(name, detail, "Does this command run on the data directory of that very server?")]
        for one in bad:
            found = site.ask(one.path)
            if found.status in LETS_IN or CONTENT[:40] in found.body:
                return [fail(name, f"{one.what} is let in ({found.status}).", HINT)]
        lines = [ok(name, f"A segment opens with its permission, and with none of {len(bad)} other things.")]
        if answer.status == http.client.OK:
            part = site.ask(good.path, headers={"Range": "bytes=1000-1999"})
            if (part.status, part.body) != (http.client.PARTIAL_CONTENT, CONTENT[1000:2000]):
                words = f"A part of a segment was answered with {part.status} and {len(part.body)} bytes."
                lines.append(fail("ranges", words, "Let the proxy pass Range on, and change no answers."))
    except (OSError, http.client.HTTPException) as error:
        return [skip(name, f"{site.url} cannot be asked from here: {error}.")]
    return lines


def _attempts(host: Host, video: VideoId, package: PackageId) -> tuple[Try, list[Try]]:
    session = SessionId(new_id())
    text, grant = host.grants.issue(video, package, session)
    ring = host.keyrings.ring(Ring.GRANTS)
    now = host.clock()
    signs = ring.current

    def path(permission: str, of: str = video) -> str:
        return f"/s/{permission}/{of}/{NAME}"

    expired = encode(replace(grant, issued_at=now - 2 * HOUR, expires_at=now - HOUR), signs.id, signs.secret)
    forged = encode(grant, signs.id, bytes(32))
    other = host.grants.issue(VideoId(new_id()), package, session)[0]
    poster = host.grants.issue(video, package, session, flags=POSTER_ONLY)[0]
    changed = text[:-1] + ("A" if text[-1] != "A" else "B")
    key = package_prefix(video, package) + NAME
    return Try("The right permission", path(text)), [
        Try("Nobody in particular", path("none")),
        Try("An expired permission", path(expired)),
        Try("A forged permission", path(forged)),
        Try("A changed permission", path(changed)),
        Try("A permission for another video", path(other)),
        Try("A permission for another video under its own name", path(other, other)),
        Try("A permission for the poster", path(poster)),
        Try("A way around by dots", f"/s/{other}/{grant.video_id}/../{video}/{NAME}"),
        Try("The name of the object", f"/{key}"),
        Try("The folder of media", f"/media/{key}"),
        Try("The objects for CDNs", f"/o/{key}"),
        Try("The place that a proxy reads from", f"/_streamhost/{key}"),
        Try("The API for strangers", f"/api/v1/stream/{video}"),
    ]
