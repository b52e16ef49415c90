"""Opens videos by password and by link: gives passes, and looks at them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from streamhost.buckets import Buckets, Policy
from streamhost.db import share_links as rows
from streamhost.db import videos as video_rows
from streamhost.db.core import Connection, Database
from streamhost.features.sharing.errors import LinkOver, PasswordRequired, TooManyGuesses, WrongVideoPassword
from streamhost.model.accounts import Viewer
from streamhost.model.clock import DAY, HOUR, MINUTE, Clock, Timestamp
from streamhost.model.errors import InvalidInput, NotFound
from streamhost.model.ids import LinkId, VideoId, is_id, new_id
from streamhost.model.sharing import (
    ANYBODY,
    BY_LINK,
    BY_PASSWORD,
    Admission,
    Pass,
    ShareLink,
    held_by,
    link_of,
    link_token,
    opened,
    password_mark,
    sealed,
)
from streamhost.model.videos import Video, Visibility, managed
from streamhost.model.words import printable

PASS_LIFE = 12 * HOUR
"""For how long a password opens a video before it must be given again: an evening, not a week."""
LONGEST_LINK = 5 * 365 * DAY
MOST_USES = 1_000_000
NOTE_LENGTH = 200
MOST_LINKS = 200
"""Links of one video that are kept."""
MOST_PASSES = 20
"""Passes of one request that are looked at."""
PASSWORD_LENGTH = 200
GUESSES = Policy("unlock", 10, 10 * MINUTE)
"""Wrong passwords tried on one video from one network; right ones are not held against a class behind one address."""
GUESSES_OF_ALL = Policy("unlock-all", 200, HOUR)
"""Wrong passwords tried on one video from everywhere: a thousand times slower than guessing a good one needs."""


class Hashing(Protocol):
    """Makes and checks password hashes; both may refuse when far too many wait."""

    async def hash(self, password: str) -> str:
        """A fresh salted hash."""
        ...

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password fits; for None the same work is done."""
        ...


@dataclass(frozen=True, slots=True)
class NewPass:
    """A pass that was just given."""

    video_id: VideoId
    text: str
    expires_at: Timestamp


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link with the text for its address, for whoever manages the video."""

    link: ShareLink
    token: str

    @property
    def path(self) -> str:
        """Its address on this site."""
        return f"/watch/{self.link.video_id}?link={self.token}"


class Sharing:
    """Who may watch a video that is not open to them otherwise."""

    def __init__(
        self, db: Database, clock: Clock, key: bytes, hashing: Hashing, ended: Callable[[LinkId, Timestamp], None]
    ) -> None:
        """`key`: 32 secret bytes. `ended` hears of each link that was taken back: its grants must end."""
        self._db = db
        self._clock = clock
        self._key = key
        self._hashing = hashing
        self._ended = ended
        self._guesses = Buckets(clock)

    async def start(self, look_back: float) -> None:
        """End again what was ended in the last `look_back` seconds: a restart must not bring it back."""
        async with self._db.read() as conn:
            for link_id, moment in await rows.revoked_since(conn, self._clock() - look_back):
                self._ended(link_id, moment)

    async def admits(self, conn: Connection, video: Video, viewer: Viewer) -> Admission | None:
        """Why `viewer` may watch a video that `may_view` closes to them; None if they may not.

        Raises `PasswordRequired` where a password would open it."""
        if video.deleted_at is not None or not video.shown:
            return None
        now = self._clock()
        mark = None
        if video.visibility is Visibility.PASSWORD and video.password_hash:
            mark = password_mark(self._key, video.password_hash)
        for text in viewer.passes[:MOST_PASSES]:
            claims = opened(self._key, text)
            if claims is None or claims.video_id != video.id or now >= claims.until:
                continue
            if not held_by(claims, viewer.session_id):
                continue
            if claims.kind == BY_PASSWORD and claims.reference == mark:
                return Admission(claims.until)
            link = await rows.get(conn, LinkId(claims.reference)) if claims.kind == BY_LINK else None
            if link is not None and link.video_id == video.id and link.stands(now):
                return Admission(min(claims.until, link.expires_at), link.id)
        if mark is not None:
            raise PasswordRequired
        return None

    async def unlock(self, video_id: VideoId, password: str, viewer: Viewer, network: str) -> NewPass:
        """Exchange the password for a pass. Raises `NotFound`, `WrongVideoPassword`, `TooManyGuesses`."""
        async with self._db.read() as conn:
            video = await video_rows.get(conn, video_id)
        if video is None or video.visibility is not Visibility.PASSWORD or not video.password_hash:
            raise NotFound
        counted = ((GUESSES, f"{video_id} {network}"), (GUESSES_OF_ALL, str(video_id)))
        for policy, key in counted:
            count = self._guesses.take(policy, key)
            if not count.granted:
                raise TooManyGuesses(count.wait)
        if not await self._hashing.verify(video.password_hash, password[:PASSWORD_LENGTH]):
            raise WrongVideoPassword(fields={"password": WrongVideoPassword.title()})
        for policy, key in counted:
            self._guesses.give_back(policy, key)
        mark = password_mark(self._key, video.password_hash)
        return self._pass(BY_PASSWORD, video.id, mark, viewer, self._clock() + PASS_LIFE)

    async def link(self, video_id: VideoId, token: str) -> ShareLink:
        """The link of that text, without using it. Raises `NotFound` for none of ours, `LinkOver` for one that is."""
        link_id = link_of(self._key, token)
        if link_id is None:
            raise NotFound
        async with self._db.read() as conn:
            link = await rows.get(conn, link_id)
        if link is None or link.video_id != video_id or not link.open(self._clock()):
            raise LinkOver
        return link

    async def open(self, video_id: VideoId, token: str, viewer: Viewer) -> NewPass:
        """Use a link: exchange it for a pass that is good as long as the link is. Raises `NotFound`, `LinkOver`."""
        link = await self.link(video_id, token)
        async with self._db.write() as conn:
            if not await rows.use(conn, link.id, self._clock()):
                raise LinkOver
        return self._pass(BY_LINK, video_id, link.id, viewer, link.expires_at)

    # For whoever manages the video

    async def links(self, video_id: VideoId, viewer: Viewer) -> list[LinkView]:
        """The links of a video, newest first. Raises `NotFound`, `Forbidden`."""
        async with self._db.read() as conn:
            managed(await video_rows.get(conn, video_id), viewer)
            return [LinkView(link, link_token(self._key, link.id)) for link in await rows.of_video(conn, video_id)]

    async def add_link(
        self, video_id: VideoId, viewer: Viewer, expires_at: Timestamp, most_uses: int | None = None, note: str = ""
    ) -> LinkView:
        """Make a link. Raises `NotFound`, `Forbidden`, `InvalidInput`."""
        now = self._clock()
        wrong = {}
        if not now < expires_at <= now + LONGEST_LINK:
            wrong["expires_at"] = "A moment in the next five years."
        if most_uses is not None and not 1 <= most_uses <= MOST_USES:
            wrong["max_uses"] = f"From 1 to {MOST_USES}, or none for any number."
        words = printable(note).strip()
        if len(words) > NOTE_LENGTH:
            wrong["note"] = f"At most {NOTE_LENGTH} characters."
        async with self._db.write() as conn:
            video = managed(await video_rows.get(conn, video_id), viewer)
            if len(await rows.of_video(conn, video.id)) >= MOST_LINKS:
                wrong["expires_at"] = f"There are {MOST_LINKS} links already: older ones go a while after they ended."
            if wrong:
                raise InvalidInput(fields=wrong)
            link = ShareLink(LinkId(new_id()), video.id, now, expires_at, words, most_uses, 0, viewer.id)
            await rows.insert(conn, link)
        return LinkView(link, link_token(self._key, link.id))

    async def revoke_link(self, video_id: VideoId, viewer: Viewer, link_id: LinkId) -> None:
        """Take a link back: who came by it stops watching. Raises `NotFound`, `Forbidden`."""
        async with self._db.write() as conn:
            managed(await video_rows.get(conn, video_id), viewer)
            link = await rows.get(conn, link_id) if is_id(link_id) else None
            if link is None or link.video_id != video_id:
                raise NotFound
            if await rows.revoke(conn, link.id, self._clock()):
                conn.after_commit(lambda: self._ended(link.id, self._clock()))

    def _pass(self, kind: str, video_id: VideoId, reference: str, viewer: Viewer, until: Timestamp) -> NewPass:
        claims = Pass(kind, video_id, reference, viewer.session_id or ANYBODY, int(until))
        return NewPass(video_id, sealed(self._key, claims), float(claims.until))
