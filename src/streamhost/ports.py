"""What may be replaced: small interfaces, declared for the ones who need them.

A docstring here is the contract: errors, idempotence, ordering. Each port has one contract suite in
`streamhost.testing`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from streamhost.model.cdn import Way
from streamhost.model.clock import Timestamp
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import PackageId
from streamhost.model.licensing import Licence, LicenceRequest
from streamhost.model.mail import Message
from streamhost.model.moderation import Aspect, Findings, Material
from streamhost.model.notices import AddressAsked, Notice
from streamhost.model.protection import ContentKey, Scheme

S_co = TypeVar("S_co", covariant=True)


class NotStored(StreamhostError):
    """The storage has nothing under that key."""

    code = "not_stored"
    permanent = True


class StorageUnavailable(StreamhostError):
    """The storage did not do what it was asked to."""

    code = "storage_unavailable"
    outage = True
    hint = "Look at free space, permissions and the health of the disk or server behind the storage."


class InvalidKey(StreamhostError):
    """That is not a storage key."""

    code = "invalid_key"
    permanent = True


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What is known of one stored object without reading it. `modified` is seconds since 1970 UTC."""

    key: str
    size: int
    etag: str
    modified: float


class Storage(Protocol):
    """Keeps immutable objects under keys such as `videos/<id>/<package>/v720/0.m4s`.

    Keys are relative POSIX paths of `[A-Za-z0-9._-]` parts, never starting with a dot: others raise `InvalidKey`.
    An object appears whole or not at all; writing the same key again replaces it at one moment; what a `put_*` has
    returned for survives a crash of the machine. Failures of the backend raise `StorageUnavailable`.
    """

    async def put_file(self, key: str, source: Path) -> StoredObject:
        """Take over the local file `source` (moved or uploaded, gone afterwards)."""
        ...

    async def put_bytes(self, key: str, data: bytes) -> StoredObject:
        """Store `data` under `key`."""
        ...

    async def put_tree(self, prefix: str, directory: Path) -> int:
        """Take over every file below `directory` as `prefix` + its relative path; returns how many.

        Each object appears whole; the tree as such does not appear at once. The directory is gone afterwards. Safe to
        repeat."""
        ...

    async def stat(self, key: str) -> StoredObject:
        """Size, ETag and age of an object; raises `NotStored`."""
        ...

    def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to (not including) `end`; raises `NotStored` at the first step."""
        ...

    async def fetch(self, key: str, directory: Path) -> Path:
        """A local file with the object's content: its own place if it is on local disk (do not write there!), else a
        copy made in `directory`. Raises `NotStored`."""
        ...

    def local_path(self, key: str) -> Path | None:
        """Where the object lies on local disk, without checking that it does; None if this storage is elsewhere."""
        ...

    async def delete(self, key: str) -> None:
        """Remove one object; one that is not there is no error."""
        ...

    async def delete_prefix(self, prefix: str) -> int:
        """Remove everything below `prefix` (which ends in `/`); returns how many objects went. Safe to repeat."""
        ...

    def list(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        """Every object below `prefix`, ordered by key."""
        ...

    async def free_bytes(self) -> int | None:
        """Room left for new objects, in bytes; None where the backend does not know."""
        ...


class SignsUrls(Protocol):
    """Gives out addresses under which whoever has one may read one object, without asking this program.

    An address is for GET (and its ranges) on one key, works from now on until it ends, and cannot be changed into one
    for another key, method or time. Nothing is asked of the backend, unless it must be known which one has the object:
    then one that is nowhere is `NotStored`. Failures raise `StorageUnavailable`.
    """

    async def sign_get(self, key: str, seconds: float) -> str:
        """An absolute http(s) address that works for about so many seconds. Raises `InvalidKey`."""
        ...


class CacheUnavailable(StreamhostError):
    """The shared cache did not do what it was asked to."""

    code = "cache_unavailable"
    hint = "Look at the settings of [cache], and whether the server behind them is up. Nothing is lost meanwhile."
    outage = True


class SharedCache(Protocol):
    """Keeps bytes under names for a while, for more than one life of the process.

    What was set may be gone at any moment, and is never there for longer than was asked for. A name is text of any
    signs, up to 500 of them. The last of two values that were set one after the other is the one that counts. Failures
    raise `CacheUnavailable`, and nothing else is raised; who calls does not wait for an answer that takes long.
    """

    async def get(self, name: str) -> bytes | None:
        """What was set; None if there is nothing, or it is over."""

    async def set(self, name: str, value: bytes, seconds: float) -> None:
        """Keep a value for so many seconds, at least one."""

    async def delete(self, name: str) -> None:
        """Forget a name; one that is not there is no error. Once this has returned, `get` finds nothing."""

    async def sweep(self) -> None:
        """Remove what is over, where that does not happen by itself."""

    async def close(self) -> None:
        """Let go of connections; nothing is asked afterwards."""


class MailUnavailable(StreamhostError):
    """The mail could not be handed over."""

    code = "mail_unavailable"
    hint = "Look at the settings of [mail], and whether the mail server is up; `streamhost mail test` tries them."


class MailRefused(StreamhostError):
    """The mail server will not take this mail."""

    code = "mail_refused"
    hint = "Check the address; what the mail server said tells more."
    permanent = True


class MailSender(Protocol):
    """Hands messages over to whoever carries them on.

    A `send` that returns has handed the message over; one that raises may have, when the connection broke at the very
    end: sent again, the message has the same `Message-ID`. `MailUnavailable`: worth trying again later, the message or
    its recipient is not at fault. `MailRefused`: it never will be taken. Nothing else is raised. Every step has a
    time-out. Messages may be sent at the same time, in no order.
    """

    async def send(self, message: Message) -> None:
        """Hand over one message to its one recipient."""
        ...


class NotifyUnavailable(StreamhostError):
    """The notice could not be handed over now."""

    code = "notify_unavailable"
    hint = "It is tried again later by itself."

    def __init__(self, detail: str = "", *, hint: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(detail, hint=hint)
        self.retry_after = retry_after
        """Seconds for which the other side has asked not to be tried again; None: it has not."""


class NotifyRefused(StreamhostError):
    """The notice will never be taken."""

    code = "notify_refused"
    hint = "Check the address that it is for; what the other side said tells more."
    permanent = True


class Notifier(Protocol):
    """Carries notices to people or programs, by one channel.

    A `send` that returns has handed the notice over; one that raises may have, when the connection broke at the very
    end: sent again, the notice has the same `id`. `NotifyUnavailable`: worth trying again later. `NotifyRefused`: this
    notice to this recipient never will be taken. Nothing else is raised. Every step has a time-out, and what the other
    side answers is never read without a bound. Notices may be sent at the same time, in no order.
    """

    @property
    def asks(self) -> AddressAsked | None:
        """What somebody must tell it before it can reach them; None: nothing."""
        ...

    async def send(self, notice: Notice) -> None:
        """Hand over one notice."""
        ...


class KeySource(Protocol):
    """Makes and keeps the content keys of packages.

    A package has the keys that the first `make` gave it, for ever, in the same order; two at once get the same ones.
    Key ids are unique in the whole house. Every key carries a random `iv`, used or not. A package that is gone has no
    keys any more. Failures of the backend raise `StreamhostError`s whose words hold no key.
    """

    async def make(self, package_id: PackageId, count: int) -> tuple[ContentKey, ...]:
        """The keys of the package; `count` new ones if it has none yet."""
        ...

    async def of(self, package_id: PackageId) -> tuple[ContentKey, ...]:
        """The keys of the package; none if it has none."""
        ...


class CdnUnavailable(StreamhostError):
    """The CDN did not do what it was asked to."""

    code = "cdn_unavailable"
    hint = "Look whether it can be reached and what its own pages say; the job tries again by itself."


class CdnRefused(StreamhostError):
    """The CDN refuses what it was asked to do."""

    code = "cdn_refused"
    hint = "Look at the address and the secrets in the settings of the CDN; `streamhost cdn status` shows the cause."
    permanent = True


class Cdn(Protocol):
    """Delivers copies of stored objects from places that are near to viewers, or many. It never has the only copy.

    Keys and prefixes are those of the storage; only objects below `videos/<id>/<package>/` ever go there. `url` does
    no input or output. `push` and `purge` raise `CdnUnavailable` (worth trying again later: not reached, time-out,
    5xx, 429) or `CdnRefused` (it never will), and nothing else; every step has a time-out; both may be repeated at any
    time and may run at the same time as others.
    """

    @property
    def way(self) -> Way:
        """How viewers come to it."""
        ...

    @property
    def base_url(self) -> str:
        """What its addresses begin with: scheme, host, perhaps a path; no slash at the end. Empty: this server's."""
        ...

    def url(self, key: str, expires_at: Timestamp) -> str:
        """Where anybody gets the object, and at most others of its package, until `expires_at`.

        The same for the same key and moment. Called for every segment that is asked for: what is dear to sign is to be
        remembered. Raises `CdnRefused` for what is no key."""
        ...

    async def push(self, keys: Sequence[str]) -> None:
        """Bring copies of the objects there ahead of viewers."""
        ...

    async def purge(self, prefixes: Sequence[str]) -> None:
        """Drop every copy of what lies below the prefixes (each ends in `/`)."""
        ...


class ModelMissing(StreamhostError):
    """A model that is needed is not installed."""

    code = "model_missing"
    hint = "`streamhost models list` shows what is missing, `streamhost models install` gets it."
    permanent = True


class ModelBroken(StreamhostError):
    """A model does not work."""

    code = "model_broken"
    hint = "`streamhost models verify` tells more; install it anew with `streamhost models install`."
    permanent = True


class ClassifierUnavailable(StreamhostError):
    """What looks at pictures and words cannot be reached now."""

    code = "classifier_unavailable"
    hint = "It is tried again; look at free memory, or at the server behind the classifier."


class Classifier(Protocol):
    """Looks at pictures and words, and says how likely each shows or says something that a policy may not want.

    Scores are the same for the same material, models and machine. Screening may be repeated, and several screenings
    may run at once. What one model cannot do is a gap in the findings, with the others' scores beside it; only what
    concerns everything is raised: `ModelMissing` and `ModelBroken` will be so next time too, `ClassifierUnavailable`
    is worth trying again later. Nothing else is raised. Cancelling ends the work.
    """

    @property
    def aspects(self) -> frozenset[Aspect]:
        """What it looks for when all its models are there."""
        ...

    async def screen(self, material: Material, report: Callable[[float], None]) -> Findings:
        """Look at everything; `report` hears the share done, 0..1, at any pace.

        Each of `aspects` that the material concerns is scored on every frame (or every text), or stands in the gaps,
        or both where only some models did their part.
        """
        ...


class LicenceProxy(Protocol):
    """Answers the licence requests of one key system, by itself or by asking a provider of licences.

    Called only with a grant that holds, at any time and several at once. It must answer for no key that is not in the
    request's `keys`. Raises `StreamhostError`s; what a provider said in confidence must not stand in their words.
    """

    @property
    def system(self) -> str:
        """Name of the key system as browsers know it, such as `org.w3.clearkey`."""
        ...

    async def answer(self, request: LicenceRequest) -> Licence:
        """The licence."""
        ...

    def boxes(self, scheme: Scheme, kids: Sequence[str]) -> Sequence[bytes]:
        """Whole `pssh` boxes (ISO/IEC 23001-7, 8.1) for packages with these key ids; none if players need none."""
        ...


class PluginHost(Protocol[S_co]):
    """What a plugin is given of the house. It is offered to plugins, not replaced by them, and it is all they need.

    It belongs to one plugin and lives as long as the server. Its coroutines run in the server's event loop.
    """

    @property
    def name(self) -> str:
        """The plugin's own name."""
        ...

    @property
    def settings(self) -> S_co:
        """What is set in `[plugins.<name>]`: the section that `register_settings` returned, else None."""
        ...

    @property
    def storage(self) -> Storage:
        """The site's storage: everything may be read, and what is below `plugins/<name>/` be written and deleted.

        Others raise `NotYours`. Not there yet while `register_settings` and `register_storages` run: `HostNotReady`."""
        ...

    @property
    def log(self) -> Any:
        """A structlog logger that names the plugin: `host.log.warning("What happened", action="...")`."""
        ...

    async def enqueue(
        self, work: str, payload: Mapping[str, Any] | None = None, *, delay: float = 0.0, key: str | None = None
    ) -> bool:
        """Put work of the plugin's own into the queue, to be done in `delay` seconds or as soon as there is room.

        `work` is a name that `register_jobs` has a handler for, `payload` of JSON's own types. While work with the same
        `key` still waits nothing is added: False. Once this returns, the work survives a crash."""
        ...
