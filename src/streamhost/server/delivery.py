"""The delivery path: segments, manifests and pictures under `/s/<grant>/<video>/…`, in front of the router.

The hot path of the whole house, so it is raw ASGI: check the grant, look at the file, hand it to the server. No thread
hop, no database, and no copy of a large file through Python.

- A file that was asked for before and is not too large is sent from memory (`hot.py`).
- Up to `READ_LIMIT` a file that the kernel has in memory is read in one call that never waits for a disk
  (`preadv` with `RWF_NOWAIT`) and sent as it is.
- Everything else goes by `http.response.pathsend`: the server's own threads read it.
- Ranges are read in pieces.

The port for media (`straight/`) takes the same answers and lets the kernel send the files.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from streamhost import log
from streamhost.host import Host
from streamhost.model.cdn import Onward
from streamhost.model.errors import NotFound, StreamhostError
from streamhost.model.grants import POSTER_ONLY, Grant, Grants, InvalidGrant
from streamhost.model.ids import VideoId
from streamhost.model.streaming import POSTER
from streamhost.model.videos import DOWNLOADS, package_prefix
from streamhost.ports import NotStored, Storage, StorageUnavailable
from streamhost.server.door import Headers, Receive, Scope, Send
from streamhost.server.granted import METHODS, OPEN_TO_PLAYERS, MethodNotAllowed, check_origin, refuse
from streamhost.server.hot import Content, Kind, KnownFile, KnownFiles
from streamhost.server.licences import PLACE, Licences
from streamhost.server.overhearing import Hears, hears
from streamhost.server.plan import plan
from streamhost.server.ranges import Range
from streamhost.server.remote import Redirects, redirects_of, stream
from streamhost.server.reply import FilePart, Later, Reply, read_now, send_reply

Offload = Literal["none", "x-accel-redirect", "x-sendfile"]

TARGETS = 8192
"""Paths whose meaning is remembered (about 8 MB when full); then all are forgotten, which costs each one look."""
INTERNAL_LOCATION = "/_streamhost/"
"""The location that nginx maps to `<data>/media/` for X-Accel-Redirect."""

FOREVER = b"private, max-age=31536000, immutable"
"""Segments never change under their name: a year, the longest that caches heed."""
ASK_AGAIN = b"no-cache"
"""Manifests grow while renditions are made: kept, but asked about (ETag) every time."""
FOR_AN_HOUR = b"private, max-age=3600"

SEGMENT: Kind = (b"video/iso.segment", FOREVER)
"""ISO/IEC 23009-1, annex C; the same for audio, players do not look."""
NO_PACKAGES = ("source", "captions")
"""What lies beside the packages of a video. No grant names these; if one did, nothing would come of it."""
KINDS: dict[str, Kind] = {
    "m3u8": (b"application/vnd.apple.mpegurl", ASK_AGAIN),  # RFC 8216, section 4
    "mpd": (b"application/dash+xml", ASK_AGAIN),  # ISO/IEC 23009-1, annex C
    "m4s": SEGMENT,
    "mp4": (b"video/mp4", FOREVER),
    "jpg": (b"image/jpeg", FOR_AN_HOUR),
    "vtt": (b"text/vtt; charset=utf-8", FOR_AN_HOUR),
}
"""Media type and cache rule by the end of the name. Nothing else is ever delivered."""

PREFLIGHT: Headers = [
    *OPEN_TO_PLAYERS,
    (b"access-control-allow-methods", METHODS),
    (
        b"access-control-allow-headers",
        b"Range, If-Range, If-None-Match, If-Modified-Since, CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status",
    ),
    (b"access-control-max-age", b"86400"),
]

_logger = log.get("delivery")

_PATH = re.compile(
    r"/s/([A-Za-z0-9_-]{1,512})/([A-Za-z0-9]{1,64})/((?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}/){0,4}"
    r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}\.([a-z0-9]{3,4}))"
)
"""Grant, video, name below the package, its ending: no part starts with a dot, and nothing is decoded twice."""
_GRANTED = re.compile(r"/s/([^/]+)/([^/]+)/")
"""Whatever stands in the places of grant and video: a wrong grant is refused as such, however it is spelt."""


@dataclass(frozen=True, slots=True)
class _Target:
    """What a path with a good grant stands for; `file` is None where the storage is not on local disk."""

    grant: Grant
    key: str
    kind: Kind
    file: KnownFile | None


class Delivery:
    """An ASGI application for everything below `/s/`."""

    def __init__(
        self,
        grants: Grants,
        storage: Storage,
        offload: Offload = "none",
        *,
        licences: Licences | None = None,
        used: Callable[[Grant], None] = lambda _grant: None,
        onward: Callable[[str], Onward | None] | None = None,
        redirects: Redirects | None = None,
        hears: Hears | None = None,
    ) -> None:
        """`used` hears of every request for a segment by a good grant, and may refuse it by raising. `onward`: where
        else what never changes under its name is had, by its key; None, or where it says None: here. `redirects`:
        where viewers get what is not on this machine's disk, if the former does not say; None: from here as well.
        `hears` is shown every request for a segment: players say in some how they are doing."""
        self._grants = grants
        self._storage = storage
        self._offload = offload
        self._licences = licences
        self._used = used
        self._onward = onward
        self._redirects = redirects
        self._hears = hears
        self._known = KnownFiles()
        self._targets: dict[str, _Target] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        method = scope["method"]
        try:
            reply = self.reply(scope)
            if isinstance(reply, Reply):
                await send_reply(scope, send, reply)
            else:
                await reply(receive, send)
        except StreamhostError as error:
            await refuse(send, method, error)
        except ConnectionAbortedError:
            raise
        except Exception as error:
            _logger.exception("delivery failed", action="delivery_failed", path=scope["path"])
            await refuse(send, method, error)

    def reply(self, scope: Scope, *, straight: bool = False) -> Reply | Later:
        """What to answer to one request. `straight`: whoever asks has the kernel send files, so none is read here.

        Raises `StreamhostError`: what is to be refused, with words."""
        method = scope["method"]
        target = self._targets.get(scope["path"])
        if target is None and self._licences is not None and PLACE.fullmatch(scope["path"]):
            return partial(self._licences, scope)
        if method == "OPTIONS":
            return Reply(204, PREFLIGHT)
        if method not in ("GET", "HEAD"):
            raise MethodNotAllowed
        if target is None:
            target = self._resolve(scope["path"])
        else:
            self._grants.still_good(target.grant)
        if target.grant.origin is not None:
            check_origin(scope, target.grant)
        if target.kind is SEGMENT:
            self._used(target.grant)
            if self._hears is not None and method == "GET":
                self._hears(scope, target.grant)
        lasting = target.kind[1] is FOREVER
        onward = self._onward(target.key) if self._onward is not None and lasting else None
        if onward is not None:
            return _sent_on(onward)
        if target.file is None:
            return partial(self._fetch, scope, target)
        return self._found(scope, target.key, target.file, straight)

    async def give(self, scope: Scope, receive: Receive, send: Send, key: str) -> None:
        """Send an object of a package that somebody else has found permitted. Raises `NotFound`."""
        kind = KINDS.get(key.rpartition(".")[2])
        if kind is None:
            raise NotFound
        file = self._file(key, kind)
        if file is None:
            await stream(scope, receive, send, self._storage, key, kind)
        else:
            await send_reply(scope, send, self._found(scope, key, file))

    async def _fetch(self, scope: Scope, target: _Target, receive: Receive, send: Send) -> None:
        """Send what is not on this machine's disk, or send the viewer to where it is."""
        if self._redirects is not None and target.kind[1] is FOREVER and scope["method"] == "GET":
            try:
                await self._redirects.answer(send, target.key, target.grant)
            except NotStored:
                pass  # it has no address there: from here
            else:
                return
        await stream(scope, receive, send, self._storage, target.key, target.kind)

    def _file(self, key: str, kind: Kind) -> KnownFile | None:
        known = self._known.get(key)
        if known is None and (local := self._storage.local_path(key)) is not None:
            known = self._known.add(key, KnownFile(str(local), kind, OPEN_TO_PLAYERS))
        return known

    def _resolve(self, path: str) -> _Target:
        """What a path stands for, if its grant permits it. Raises `NotFound` and what a bad grant raises."""
        found = _PATH.fullmatch(path)
        if found is None:
            if words := _GRANTED.match(path):
                self._grants.check(*words.groups())
            raise NotFound
        text, video_id, name, ending = found.groups()
        grant = self._grants.check(text, video_id)
        kind = KINDS.get(ending)
        if kind is None or grant.package_id in NO_PACKAGES or name.startswith(DOWNLOADS):
            # Files to take along have a route of their own, which asks whether the owner allows it.
            raise NotFound
        if grant.flags & POSTER_ONLY and name != POSTER:
            raise InvalidGrant
        key = package_prefix(VideoId(video_id), grant.package_id) + name
        target = _Target(grant, key, kind, self._file(key, kind))
        if len(self._targets) >= TARGETS:
            self._targets.clear()
        self._targets[path] = target
        return target

    def _found(self, scope: Scope, key: str, known: KnownFile, straight: bool = False) -> Reply:
        """A file on this disk, or what tells the proxy in front to send it, ranges and conditions included. No proxy
        that could stands in front of a port of its own."""
        if self._offload != "none" and not straight:
            return self._handed_over(key, known)
        try:
            if known.content is not None and not straight:
                known.look(os.stat(known.path))
                content = self._known.wanted(key, known)
                if content is not None:
                    return _of_content(scope, content, known)
            file = os.open(known.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                raise StorageUnavailable("Too many files are open.") from error
            self._known.forget(key)
            self._targets.pop(scope["path"], None)
            raise NotFound from error
        taken = False
        try:
            facts = os.fstat(file)
            known.look(facts)
            if not straight and self._known.worth_keeping(known):
                read = read_now(file, Range(0, facts.st_size))
                if read is not None:
                    return _of_content(scope, self._known.keep(key, known, read), known)
            wanted = plan(scope, known.headers or [], known.version[1], known.etag, known.modified)
            if wanted.part is None:
                return Reply(wanted.status, wanted.headers)
            taken = True
            return Reply(wanted.status, wanted.headers, (), FilePart(file, known.path, wanted.part, wanted.whole))
        finally:
            if not taken:
                os.close(file)

    def _handed_over(self, key: str, known: KnownFile) -> Reply:
        headers: Headers = [
            *OPEN_TO_PLAYERS,
            (b"content-type", known.kind[0]),
            (b"cache-control", known.kind[1]),
            (b"x-accel-redirect", (INTERNAL_LOCATION + key).encode())
            if self._offload == "x-accel-redirect"
            else (b"x-sendfile", known.path.encode()),
        ]
        return Reply(200, headers)


def _sent_on(onward: Onward) -> Reply:
    """Tell where it is. Remembered by this one player alone, whose permission was checked."""
    headers: Headers = [
        *OPEN_TO_PLAYERS,
        (b"location", onward.url.encode("ascii")),
        (b"cache-control", b"private, max-age=%d" % onward.max_age),
        (b"referrer-policy", b"no-referrer"),
        (b"content-length", b"0"),
    ]
    return Reply(302, headers)


def _of_content(scope: Scope, content: Content, known: KnownFile) -> Reply:
    wanted = plan(scope, known.headers or [], known.version[1], known.etag, known.modified)
    part = wanted.part
    if part is None:
        content = ()
    elif not wanted.whole:
        content = (b"".join(content)[part.start : part.end],)
    return Reply(wanted.status, wanted.headers, content)


def delivery_of(host: Host) -> Delivery:
    """The delivery path of a house."""
    licences = Licences(host.grants, host.protections)
    onward = host.addresses.onward if host.addresses.sends_on else None
    return Delivery(
        host.grants,
        host.storage,
        host.settings.server.offload,
        licences=licences,
        used=host.streams.used,
        onward=onward,
        redirects=redirects_of(host),
        hears=hears(host.analytics.listening.hear, host.clock) if host.analytics.enabled else None,
    )
