"""The proof that a private segment is refused: one is put into the storage, with a private video in the catalog that it
belongs to, and everything that should not open it is tried on the running server: every way in which media is
delivered, and every list and page that could tell of it. What should open it is tried too, or the proof would prove
nothing.
"""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import quote

from streamhost.cli.doctor.asking import Site
from streamhost.cli.doctor.lines import Case, Line, fail, ok, skip
from streamhost.config import media_url
from streamhost.db import videos as rows
from streamhost.host import Host
from streamhost.keyrings import Ring
from streamhost.model.accounts import Role, Viewer
from streamhost.model.cdn import Way
from streamhost.model.clock import HOUR
from streamhost.model.errors import StreamhostError
from streamhost.model.grants import POSTER_ONLY, encode
from streamhost.model.ids import PackageId, SessionId, VideoId, new_id
from streamhost.model.videos import Video, VideoState, package_prefix

NAME = "v144/0.m4s"
CONTENT = b"what nobody may see without a permission\n" * 100
LETS_IN = (200, 206, 301, 302, 303, 307, 308)
REFUSES = (400, 401, 403, 404, 405, 409, 410, 416)
HINT = "Take the site off the network, and report this: nobody but its owner may see a private video."
BY_PORT = "privacy by port"
ABOUT = "Made for a moment by `streamhost doctor`, to try that nobody sees it. It may be deleted."
NOTHING: Mapping[str, str] = MappingProxyType({})
JSON: Mapping[str, str] = MappingProxyType({"Content-Type": "application/json"})
PARTS = ("", "/download", "/source", "/events", "/captions", "/posters", "/related", "/links", "/analytics", "/cdn")
"""What the API has about a video."""
LICENCE = b'{"kids":["AAAAAAAAAAAAAAAAAAAAAA"],"type":"temporary"}'


class Try(NamedTuple):
    """One attempt: what it is, the path that it asks for, and how."""

    what: str
    path: str
    method: str = "GET"
    headers: Mapping[str, str] = NOTHING
    body: bytes | None = None


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
            async with _known(case.host, video, package) as known:
                for name, site in _sites(case, case.host):
                    for line in await asyncio.to_thread(_tried, name, site, case.host, video, package, known):
                        yield line
        finally:
            await case.host.storage.delete(key)
    except StreamhostError as error:
        yield skip("privacy", f"Nothing could be stored to try it with: {error}", error.hint or "")


@asynccontextmanager
async def _known(host: Host, video_id: VideoId, package: PackageId) -> AsyncIterator[bool]:
    """The video is in the catalog, private to an administrator who could play it; False where there is none."""
    everybody = await host.accounts.people.all()
    owner = next((user for user in everybody if user.is_at_least(Role.ADMIN) and user.active), None)
    if owner is None:
        yield False
        return
    now = host.clock()
    video = Video(
        video_id,
        owner.id,
        _title(video_id),
        now,
        now,
        description=ABOUT,
        state=VideoState.READY,
        playable=True,
        duration=1.0,
        package_id=package,
        published_at=now,
    )
    async with host.db.write() as conn:
        await rows.insert(conn, video)
    try:
        await host.playback.stream(video_id, Viewer(owner))
        yield True
    finally:
        async with host.db.write() as conn:
            await rows.delete(conn, video_id)


def _title(video: VideoId) -> str:
    """A word that nothing else on the site holds."""
    return f"doctor{video.lower()}"


def _sites(case: Case, host: Host) -> Iterator[tuple[str, Site]]:
    yield "privacy", Site.of(case.address, outside=False)
    public = case.settings.server.public_url
    if public and public != case.address:
        with suppress(OSError):
            yield "privacy by proxy", Site.of(public, outside=case.outside)
    if media := media_url(case.settings.server):
        with suppress(OSError):
            yield BY_PORT, Site.of(media, outside=case.outside)
    if host.copies.cdn.way is Way.GRANT and host.copies.cdn.base_url not in ("", public):
        # Players go there with their permissions, and it asks the site about them.
        with suppress(OSError):
            edge = Site.of(host.copies.cdn.base_url, outside=case.outside)
            if edge.is_own or case.outside:
                yield "privacy by CDN", edge


def _tried(name: str, site: Site, host: Host, video: VideoId, package: PackageId, known: bool) -> list[Line]:
    good, bad = _attempts(host, video, package)
    if known:
        bad += _as_strangers(video, site.url)
    try:
        answer = site.ask(good.path)
        if answer.status not in LETS_IN or (answer.status == http.client.OK and answer.body != CONTENT):
            detail = f"{good.what} is answered with {answer.status}, so the proof proves nothing."
            return [fail(name, detail, "Does this command run on the data directory of that very server?")]
        for one in bad:
            found = site.ask(one.path, one.method, one.headers, one.body)
            if found.status in LETS_IN or CONTENT[:40] in found.body:
                return [fail(name, f"{one.what} is let in ({found.status}).", HINT)]
            if found.status not in REFUSES:
                words = f"{one.what} is answered with {found.status}, which proves nothing."
                return [skip(name, words, "Ask again in a minute.")]
        for list_ in _lists(video) if known else ():
            if video.encode() in site.ask(list_).body:
                return [fail(name, f"{list_} tells strangers of a private video.", HINT)]
        lines = [ok(name, f"A segment opens with its permission, and with none of {len(bad)} other things.")]
        if not known:
            lines.append(skip(f"{name} of the API", "There is no administrator who could own a video to ask for."))
        if answer.status == http.client.OK:
            part = site.ask(good.path, headers={"Range": "bytes=1000-1999"})
            if (part.status, part.body) != (http.client.PARTIAL_CONTENT, CONTENT[1000:2000]):
                words = f"A part of a segment was answered with {part.status} and {len(part.body)} bytes."
                lines.append(fail("ranges", words, "Let the proxy pass Range on, and change no answers."))
    except (OSError, http.client.HTTPException) as error:
        words = f"{site.url} cannot be asked from here: {error}."
        if name == BY_PORT and site.is_own:
            return [fail(name, words, "Players are sent there: see server.media_port and server.media_url.")]
        return [skip(name, words)]
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
    ticket = host.tickets.path(key.replace(NAME, "init.mp4"), now + HOUR).removesuffix(key.replace(NAME, "init.mp4"))
    late = host.tickets.path(key, now - HOUR)
    edge = {"Streamhost-Edge": new_id()}
    licence = f"/{video}/license/clearkey"
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
        Try("A CDN that guesses the secret", f"/o/{key}", headers=edge),
        Try("A CDN that asks about a permission", f"/o/grant/segment/{text}/{video}", headers=edge),
        Try("A ticket for another object", f"{ticket}{key}"),
        Try("A ticket that has expired", late),
        Try("The place that a proxy reads from", f"/_streamhost/{key}"),
        Try("A part of it for nobody", path("none"), headers={"Range": "bytes=0-99"}),
        Try("A part of it by an expired permission", path(expired), headers={"Range": "bytes=0-99"}),
        Try("A look at it by an expired permission", path(expired), "HEAD"),
        Try("A licence by an expired permission", f"/s/{expired}{licence}", "POST", body=LICENCE),
        Try("A licence by a permission for another video", f"/s/{other}{licence}", "POST", body=LICENCE),
    ]


def _as_strangers(video: VideoId, site: str) -> list[Try]:
    """Whatever gives out permissions, files or words about a video, asked by nobody in particular."""
    api, watch = f"/api/v1/videos/{video}", f"/watch/{video}"
    address = quote(f"{site}{watch}", safe="")
    return [
        Try("The API for strangers", f"/api/v1/stream/{video}"),
        *(Try(f"{api}{part} for strangers", f"{api}{part}") for part in PARTS),
        Try("The page for strangers", watch),
        Try("The player for other sites", f"/embed/{video}"),
        Try("The download of the page", f"{watch}/download"),
        Try("The picture for search engines", f"{watch}/poster.jpg"),
        Try("The card for other sites", f"/oembed?url={address}"),
        Try("The password of another video", f"{api}/unlock", "POST", JSON, b'{"password": "guess"}'),
    ]


def _lists(video: VideoId) -> list[str]:
    """Where strangers could learn that the video is there."""
    word = _title(video)
    searches = (f"/search?q={word}", f"/api/v1/search?q={word}", f"/api/v1/search/suggest?q={word}")
    feeds = (f"/feeds/videos.{ending}" for ending in ("rss", "atom", "json"))
    return ["/", "/api/v1/videos", "/api/v1/recommendations", *searches, *feeds, "/sitemap.xml"]
