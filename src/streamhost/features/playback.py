"""Playback: who may play what, and the signed links that let them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from streamhost.db import captions as caption_rows
from streamhost.db import interactions, packages, replacements, stills
from streamhost.db import videos as rows
from streamhost.db.core import Connection, Database
from streamhost.model.accounts import Role, Viewer
from streamhost.model.clock import Clock, Timestamp
from streamhost.model.details import ANY_ORIGIN
from streamhost.model.errors import Conflict, Forbidden, NotFound
from streamhost.model.grants import POSTER_ONLY, Grant, GrantRevoked, Grants
from streamhost.model.ids import LinkId, PackageId, SessionId, VideoId, is_id, new_id
from streamhost.model.sharing import Admission
from streamhost.model.stills import STORYBOARD_TRACK
from streamhost.model.streaming import CAPTIONS_FILE, MANIFEST, MASTER_PLAYLIST, POSTER
from streamhost.model.videos import (
    ChapterMark,
    Protection,
    Video,
    check_watchable,
    may_manage,
    may_view,
    may_watch,
    media_prefix,
)

STREAM_ROOT = "/s/"
"""Where the delivery path begins."""
BEGUN_SECONDS, OVER_SHARE = 10.0, 0.97
"""Nobody wants to be brought back to the first seconds, nor to the last of them."""
POSTER_LINKS = 4096
"""Poster links kept (about 2 MB when full), so that a browser finds the pictures of a list in its cache again."""


_PosterOf = tuple[VideoId, PackageId, SessionId | None, LinkId | None]
Admits = Callable[[Connection, Video, Viewer], Awaitable[Admission | None]]


async def admits_nobody(_conn: Connection, _video: Video, _viewer: Viewer) -> Admission | None:
    """For a house without passwords and links."""
    return None


Gate = Callable[[Video, Viewer], Awaitable[None]]


async def open_gate(_video: Video, _viewer: Viewer) -> None:
    """For a house in which nobody else is asked."""


class OriginNotAllowed(Forbidden):
    """This video may not be shown on that web site."""

    code = "origin_not_allowed"
    hint = "Its owner names the sites that may, in `embed_origins`."


class NotPlayable(Conflict):
    """This video cannot be played yet."""

    code = "not_playable"
    hint = "Its `state` and `progress` tell how far it is; look again when `playable` is true."


@dataclass(frozen=True, slots=True)
class Words:
    """One caption track of a stream, as a WebVTT file."""

    language: str
    label: str
    url: str
    default: bool
    forced: bool


@dataclass(frozen=True, slots=True)
class Stream:
    """Everything a player needs. Addresses are paths on this site, or whole ones at an edge; the grant in them ends at
    `grant_expires_at`."""

    grant_expires_at: Timestamp
    hls: str
    dash: str | None
    protection: str
    package: PackageId
    """Names the stored set that plays. When a later answer names another one, its manifests must be read anew."""
    poster: str | None
    license: dict[str, str] | None = None
    storyboard: str | None = None
    captions: tuple[Words, ...] = ()
    chapters: tuple[ChapterMark, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody stopped watching, in seconds from the beginning, and when that was."""

    position: float
    at: Timestamp


class Playback:
    """Checks access once, when playing starts; from then on the grant in the address speaks for itself."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        grants: Grants,
        systems: Callable[[Protection], Mapping[str, str]] = lambda _protection: {},
        admits: Admits = admits_nobody,
        begins: Callable[[Grant], None] = lambda _grant: None,
        edge: str = "",
        gate: Gate = open_gate,
    ) -> None:
        """`systems`: where licences are had, as the last part of the address, by key system. `admits` says whether
        somebody may watch what is closed to them. `begins` hears of every grant to play, and may refuse it by raising;
        so may `gate`, which is asked before there is one. `edge`: the address of what honours grants elsewhere (a CDN,
        a port for media), to which players go; empty: they come here.
        """
        self._db = db
        self._clock = clock
        self._grants = grants
        self._systems = systems
        self._admits = admits
        self._begins = begins
        self._gate = gate
        self._edge = edge
        self._posters: OrderedDict[_PosterOf, tuple[str, Grant]] = OrderedDict()

    async def stream(
        self, video_id: VideoId, viewer: Viewer, origin: str | None = None, *, new_file: bool = False
    ) -> Stream:
        """A grant for `viewer` and the addresses below it; with an `origin`, for pages of that web site alone.
        `new_file`: of the file that is to take the place of the one that plays, for those who look at it first.

        Raises `NotFound` for a video that is not there or not for this viewer, `NotPlayable` while it is being made,
        `OriginNotAllowed`, `GrantRevoked` if what permits it is ended meanwhile, and what `admits`, `gate` and `begins`
        raise.
        """
        began = self._clock()
        video = None
        if is_id(video_id):
            async with self._db.read() as conn:
                video = await rows.get(conn, video_id)
                if video is not None and new_file:
                    video = await self._beside(conn, video, viewer)
                captions = await caption_rows.of_video(conn, video_id)
                package = await packages.get(conn, video.package_id) if video and video.package_id else None
                storyboard = package is not None and await stills.exist(conn, package.id)
                admission = None
                if video is not None and not may_view(video, viewer):
                    admission = await self._admits(conn, video, viewer)
                    video = video if admission else None
        if video is None:
            raise NotFound
        if origin is not None and origin not in video.embed_origins and ANY_ORIGIN not in video.embed_origins:
            raise OriginNotAllowed
        check_watchable(video, viewer)
        if not video.playable or video.package_id is None:
            raise NotPlayable(f"It is {video.stage.value}.")
        await self._gate(video, viewer)
        link_id = admission.link_id if admission else None
        if self._grants.revocations.since(began, video.id, viewer.session_id, viewer.id, link_id):
            # What was read of the catalog may be older than that, and a grant made now would count as newer.
            raise GrantRevoked
        protection = Protection(package.protection) if package else Protection.NONE
        text, grant = self._grants.issue(
            video.id,
            video.package_id,
            viewer.session_id or _passer_by(),
            viewer.id,
            link_id=link_id,
            until=admission.until if admission else None,
            origin=origin,
        )
        self._begins(grant)
        root = f"{self._edge}{STREAM_ROOT}{text}/{video.id}/"
        return Stream(
            grant_expires_at=grant.expires_at,
            hls=root + MASTER_PLAYLIST,
            dash=None if protection is Protection.AES_128 else root + MANIFEST,
            protection=protection.value,
            package=video.package_id,
            poster=self.poster(replace(video, admission=admission), viewer),
            storyboard=root + STORYBOARD_TRACK if storyboard else None,
            captions=tuple(
                Words(c.language, c.label, f"{root}{c.folder}/{CAPTIONS_FILE}", c.is_default, c.forced)
                for c in captions
                if c.package_id == video.package_id
            ),
            chapters=video.chapters,
            license={system: f"{root}license/{name}" for system, name in self._systems(protection).items()} or None,
        )

    async def _beside(self, conn: Connection, video: Video, viewer: Viewer) -> Video | None:
        """A video as it would be with its new file, for its owner and those who moderate; None if none waits."""
        new = await replacements.get(conn, video.id)
        may_look = may_manage(video, viewer) or (may_view(video, viewer) and viewer.is_at_least(Role.MODERATOR))
        return new.shown_in(video) if new is not None and new.made and may_look else None

    async def left_off(self, video: Video, viewer: Viewer) -> Place | None:
        """Where somebody who is signed in stopped watching; None at the beginning or the end, or if unknown."""
        if viewer.id is None or not video.duration:
            return None
        async with self._db.read() as conn:
            seen = await interactions.get(conn, interactions.of_user(viewer.id), video.id)
        if seen is None or seen.position is None or not BEGUN_SECONDS <= seen.position < OVER_SHARE * video.duration:
            return None
        return Place(seen.position, seen.last_at)

    def poster(self, video: Video, viewer: Viewer) -> str | None:
        """The address of the still picture of a video that `viewer` may see; None while there is none.

        The link opens nothing but the picture, and stays the same for half of its life.
        """
        package = _package_of(video.poster_key, video.id)
        admission = video.admission
        if package is None or not (admission or may_view(video, viewer)) or not may_watch(video, viewer):
            return None
        link_id = admission.link_id if admission else None
        key = (video.id, package, viewer.session_id, link_id)
        known = self._posters.get(key)
        if known and self._fresh(known[1]):
            return known[0]
        text, grant = self._grants.issue(
            video.id,
            package,
            viewer.session_id or _passer_by(),
            viewer.id,
            flags=POSTER_ONLY,
            link_id=link_id,
            until=admission.until if admission else None,
        )
        url = f"{STREAM_ROOT}{text}/{video.id}/{POSTER}"
        self._posters[key] = (url, grant)
        self._posters.move_to_end(key)
        if len(self._posters) > POSTER_LINKS:
            self._posters.popitem(last=False)
        return url

    def _fresh(self, grant: Grant) -> bool:
        """Whether a link has more than half of its life before it, and was not taken back."""
        half = (grant.issued_at + grant.expires_at) / 2
        return self._clock() < half and not self._grants.revocations.covers(grant)


def _passer_by() -> SessionId:
    """A name for the session of somebody who is not signed in."""
    return SessionId(new_id())


def _package_of(key: str | None, video_id: VideoId) -> PackageId | None:
    """The packaged set in which the object `key` lies: the part of the key after the video's own prefix."""
    if key is None or not key.startswith(media_prefix(video_id)):
        return None
    return PackageId(key.removeprefix(media_prefix(video_id)).partition("/")[0])
