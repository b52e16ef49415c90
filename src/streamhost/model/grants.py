"""Playback grants: signed permissions to play that stand in the URL path.

A grant says: this viewer's session may fetch the files of this packaged set of this video until then. It is part of
every URL below `/s/<grant>/<video>/`, so every relative URL in a manifest inherits it, and nobody has to look into a
database to check it.

Layout (big endian): version 1 byte, key id 1, flags 1, issued 6 (milliseconds since 1970), life 4 (seconds); then
video, package, session and user, each one byte of length and that many ASCII bytes, likewise the link if the flags say
`BY_LINK`, and the origin if they say `FOR_ORIGIN`; then the first 16 bytes of HMAC-SHA256 over all of that. The text
form is base64url without padding (RFC 4648, section 5).
"""

from __future__ import annotations

import hmac
import math
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from streamhost.model.clock import Clock, Timestamp
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import LinkId, PackageId, SessionId, UserId, VideoId, is_id

VERSION = 1
SIGNATURE_BYTES = 16
"""128 bits of HMAC-SHA256 (RFC 2104, section 5 allows half the hash): forging one takes 2^127 requests."""
POSTER_ONLY = 1
"""Flag of a grant that opens the poster picture and nothing else, for links in lists."""
BY_LINK = 2
"""Flag of a grant that was given for a share link, which stands in it: it ends with the link."""
FOR_ORIGIN = 4
"""Flag of a grant that names a web site: other sites' pages get nothing by it."""
ORIGIN_LENGTH = 100
LATE = 30.0
"""Seconds after which every process knows that something was taken back: a commit on a slow disk, and a look around."""
_HEAD = 13
_MAX_LENGTH = 512
"""No grant of ours is longer; longer text is refused before any work."""
_MAX_LIFE = 2**32 - 1


class InvalidGrant(StreamhostError):
    """This link does not permit playing this."""

    code = "invalid_grant"
    hint = "Ask for a new one: GET /api/v1/stream/{id}."
    permanent = True


class GrantExpired(StreamhostError):
    """This permission to play has run out."""

    code = "grant_expired"
    hint = "Ask for a new one: GET /api/v1/stream/{id}."
    permanent = True


class GrantRevoked(StreamhostError):
    """This permission to play was taken back."""

    code = "grant_revoked"
    hint = "Ask for a new one: GET /api/v1/stream/{id}."
    permanent = True


@dataclass(frozen=True, slots=True)
class Grant:
    """What a grant permits: one packaged set of one video, for one session, until `expires_at`.

    `session_id` is the sign-in session, or a fresh id for an anonymous viewer, so that no two viewers share a grant.
    """

    video_id: VideoId
    package_id: PackageId
    session_id: SessionId
    issued_at: Timestamp
    expires_at: Timestamp
    user_id: UserId | None = None
    flags: int = 0
    """`POSTER_ONLY` or 0; `encode` adds those for what stands in `link_id` and `origin`."""
    link_id: LinkId | None = None
    origin: str | None = None
    """The web site it is for, as browsers write it in `Origin`; None: any."""
    key_id: int = 0
    """Which key signed it; 0 while none has."""


def encode(grant: Grant, key_id: int, key: bytes) -> str:
    """Sign `grant`. The layout holds whole milliseconds of the issue and whole seconds of life."""
    issued = round(grant.issued_at * 1000)
    life = min(max(0, round(grant.expires_at - grant.issued_at)), _MAX_LIFE)
    flags = grant.flags & ~(BY_LINK | FOR_ORIGIN)
    names = [grant.video_id, grant.package_id, grant.session_id, grant.user_id or ""]
    if grant.link_id:
        flags |= BY_LINK
        names.append(grant.link_id)
    if grant.origin:
        flags |= FOR_ORIGIN
        names.append(grant.origin)
    body = b"".join(
        (
            bytes((VERSION, key_id, flags)),
            issued.to_bytes(6, "big"),
            life.to_bytes(4, "big"),
            *(_named(name) for name in names),
        )
    )
    return urlsafe_b64encode(body + hmac.digest(key, body, "sha256")[:SIGNATURE_BYTES]).rstrip(b"=").decode()


def _named(name: str) -> bytes:
    raw = name.encode("ascii")
    return bytes((len(raw),)) + raw


def decode(text: str, ring: Mapping[int, bytes]) -> Grant:
    """Check the signature and read the claims; raises `InvalidGrant`. Whether it has run out is not looked at here."""
    if len(text) > _MAX_LENGTH:
        raise InvalidGrant
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise InvalidGrant from error
    # One grant has one spelling: ignored characters and spare bits of base64 are refused.
    if len(raw) < _HEAD + SIGNATURE_BYTES or urlsafe_b64encode(raw).rstrip(b"=") != text.encode("utf-8"):
        raise InvalidGrant
    body, signature = raw[:-SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:]
    key = ring.get(body[1])
    if (
        key is None
        or body[0] != VERSION
        or not hmac.compare_digest(hmac.digest(key, body, "sha256")[:SIGNATURE_BYTES], signature)
    ):
        raise InvalidGrant
    names = []
    at = _HEAD
    flags = body[2]
    for _ in range(4 + bool(flags & BY_LINK) + bool(flags & FOR_ORIGIN)):
        end = at + 1 + body[at]
        names.append(body[at + 1 : end].decode("ascii"))
        at = end
    issued = int.from_bytes(body[3:9], "big") / 1000
    return Grant(
        VideoId(names[0]),
        PackageId(names[1]),
        SessionId(names[2]),
        issued,
        issued + int.from_bytes(body[9:13], "big"),
        UserId(names[3]) if names[3] else None,
        flags,
        LinkId(names[4]) if flags & BY_LINK else None,
        names[-1] if flags & FOR_ORIGIN else None,
        body[1],
    )


class Revocations:
    """Grants taken back before they run out: everything issued to a session or user, for a video or by a link, up to a
    moment; or what one session plays of one video (`of_stream`).

    Kept in memory and forgotten once every grant of that time has run out by itself.
    """

    def __init__(self, clock: Clock, longest_life: float) -> None:
        self._clock = clock
        self._longest_life = longest_life
        self._moments: dict[str, Timestamp] = {}

    def revoke(self, subject: str, moment: Timestamp | None = None) -> None:
        """Take back every grant issued until `moment` (None: now) that names `subject`. Ids are random: kinds never
        collide."""
        now = self._clock()
        self._moments = {s: at for s, at in self._moments.items() if now - at <= self._longest_life}
        self._moments[subject] = max(now if moment is None else moment, self._moments.get(subject, 0.0))

    def learn(self, subject: str, decided: Timestamp) -> None:
        """Take back what names `subject` because of what was decided at that moment, perhaps by another process or
        before this one began; unless it was taken back since.

        Between a decision and the time at which every process knows of it, grants may still be given out: so not only
        those of before it go, but all that are out now, and of a longer past all of its next `LATE` seconds."""
        now = self._clock()
        if decided > self.moment(subject) and now - decided <= self._longest_life + LATE:
            self.revoke(subject, min(now, decided + LATE))

    def since(self, moment: Timestamp, *subjects: str | None) -> bool:
        """Whether anything that names one of `subjects` was taken back after `moment`."""
        return any(self.moment(subject) > moment for subject in subjects if subject)

    def moment(self, subject: str) -> Timestamp:
        """Until when grants that name `subject` were taken back; 0 if none were, or none of them is left."""
        return self._moments.get(subject, 0.0)

    def covers(self, grant: Grant) -> bool:
        """Whether `grant` was taken back."""
        if not self._moments:
            return False
        moment, issued = self._moments.get, grant.issued_at
        return (
            issued <= moment(grant.session_id, -1.0)
            or issued <= moment(grant.video_id, -1.0)
            or (grant.user_id is not None and issued <= moment(grant.user_id, -1.0))
            or (grant.link_id is not None and issued <= moment(grant.link_id, -1.0))
            or issued <= moment(of_stream(grant.session_id, grant.video_id), -1.0)
        )


def of_stream(session_id: SessionId, video_id: VideoId) -> str:
    """The name of what one session plays of one video; no id has a dot in it."""
    return f"{session_id}.{video_id}"


class Grants:
    """Issues grants and checks them, with the keys of one instance.

    Checking a grant that was seen before costs a dictionary look-up; whether it has run out or was taken back is looked
    at every time.
    """

    def __init__(
        self,
        ring: Mapping[int, bytes],
        clock: Clock,
        life: float,
        revocations: Revocations | None = None,
        signs: int | None = None,
    ) -> None:
        """`signs`: the id of the key that signs, None for the highest; all in the `ring` verify."""
        self._ring = dict(ring)
        self._key_id = max(ring) if signs is None else signs
        self._clock = clock
        self._life = life
        self.revocations = revocations or Revocations(clock, life)
        self._seen: OrderedDict[str, Grant] = OrderedDict()

    def issue(
        self,
        video_id: VideoId,
        package_id: PackageId,
        session_id: SessionId,
        user_id: UserId | None = None,
        *,
        flags: int = 0,
        link_id: LinkId | None = None,
        origin: str | None = None,
        until: Timestamp | None = None,
    ) -> tuple[str, Grant]:
        """A new grant, as its text says it, and that text for the URL; it ends no later than `until`.

        Raises ValueError for what is not an id, or an origin that is too long.

        What was revoked in this very millisecond stays revoked; a grant issued after that counts from a later one.
        """
        for name in (video_id, package_id, session_id, *filter(None, (user_id, link_id))):
            if not is_id(name):
                raise ValueError(f"not an id: {name!r}")
        if origin is not None and not (origin.isascii() and 0 < len(origin) <= ORIGIN_LENGTH):
            raise ValueError("not an origin that fits")
        milliseconds = self._clock() * 1000
        now = int(milliseconds) / 1000
        life = self._life if until is None else max(0.0, min(self._life, math.floor(until - now)))
        named = bool(link_id) * BY_LINK | bool(origin) * FOR_ORIGIN
        signs = self._key_id
        grant = Grant(video_id, package_id, session_id, now, now + life, user_id, flags | named, link_id, origin, signs)
        if self.revocations.covers(grant):
            now = (math.ceil(milliseconds) + 1) / 1000
            grant = replace(grant, issued_at=now, expires_at=now + life)
        return encode(grant, signs, self._ring[signs]), grant

    def use(self, ring: Mapping[int, bytes], signs: int) -> None:
        """Sign with the key `signs` from now on and accept those in `ring`; grants of others are worth nothing."""
        self._ring = dict(ring)
        self._key_id = signs
        self._seen.clear()

    def check(self, text: str, video_id: str) -> Grant:
        """The grant that `text` is, if it permits playing `video_id` now.

        Raises `InvalidGrant`, `GrantExpired` or `GrantRevoked`.
        """
        grant = self._seen.get(text)
        if grant is None:
            grant = decode(text, self._ring)
            self._seen[text] = grant
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        if grant.video_id != video_id:
            raise InvalidGrant
        self.still_good(grant)
        return grant

    def still_good(self, grant: Grant) -> None:
        """Look again at a grant that was checked before. Raises `GrantExpired`, `GrantRevoked` or `InvalidGrant`."""
        if grant.key_id not in self._ring:
            raise InvalidGrant
        if self._clock() >= grant.expires_at:
            raise GrantExpired
        if self.revocations.covers(grant):
            raise GrantRevoked


_REMEMBERED = 4096
"""Verified grants kept (about 3 MB when full): one a viewer, more than one machine serves at a time."""
