"""One instance: its data directory, the secrets in it, and the lock that lets only one server live there.

The master secret is 32 random bytes in `secrets.json` (mode 0600). Nothing uses it directly: every purpose has its own
key, derived with HKDF-Expand (RFC 5869, section 2.3; the extract step is for secrets that are not uniformly random).
The file keeps a list, so that a later rotation can add a new secret while what the old ones signed still verifies.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType

from streamhost import swapping
from streamhost.model.clock import Timestamp, iso
from streamhost.model.errors import StreamhostError

SECRETS_FILE = "secrets.json"
LOCK_FILE = "instance.lock"
SECRET_BYTES = 32
"""As long as the output of SHA-256, the hash of the derivation."""
PRIVATE_DIRECTORY = 0o700
PRIVATE_FILE = 0o600
MAX_KEY_ID = 255
"""A key id is one byte in a grant."""


class DataDirectoryUnusable(StreamhostError):
    """The data directory cannot be used."""

    code = "data_directory_unusable"
    hint = "Choose another one with --data or STREAMHOST_DATA, or make it writable for the user that runs streamhost."
    permanent = True


class SecretsUnreadable(StreamhostError):
    """The file with the instance's secrets is damaged."""

    code = "secrets_unreadable"
    hint = "Restore secrets.json from a backup. Deleting it makes a new one, which signs everybody out."
    permanent = True


class InstanceLocked(StreamhostError):
    """Another server is running on this data directory."""

    code = "instance_locked"
    hint = "Stop that server first, or give this one its own data directory with --data."


class Purpose(StrEnum):
    """What a derived key is for; a key for one purpose is worthless for every other."""

    ACCESS_TOKENS = "access-tokens"
    GRANTS = "grants"
    CSRF = "csrf"
    COOKIES = "cookies"
    SETUP = "setup"
    IDENTITY = "identity"
    LINKS = "links"
    SECOND_FACTORS = "second-factors"
    WRAPPING = "wrapping"
    SHARING = "sharing"
    CDN = "cdn"
    WEBHOOKS = "webhooks"
    UNSUBSCRIBING = "unsubscribing"
    REPORTERS = "reporters"
    CACHE = "cache"
    COUNTING = "counting"


@dataclass(frozen=True, slots=True)
class Keys:
    """The master secrets of an instance, by key id; the highest id is the one in use."""

    masters: Mapping[int, bytes] = field(repr=False)

    @property
    def current(self) -> int:
        """Id of the secret that signs; the others only verify."""
        return max(self.masters)

    def derive(self, purpose: Purpose) -> bytes:
        """The 32-byte key in use for `purpose`."""
        return _expand(self.masters[self.current], purpose)

    def derive_first(self, purpose: Purpose) -> bytes:
        """The 32-byte key for `purpose` from the secret that the instance was made with."""
        return _expand(self.masters[min(self.masters)], purpose)

    def ring(self, purpose: Purpose) -> dict[int, bytes]:
        """Every 32-byte key for `purpose` by key id: what verification accepts."""
        return {number: _expand(master, purpose) for number, master in self.masters.items()}


def _expand(master: bytes, purpose: Purpose) -> bytes:
    """HKDF-Expand for one block of output: HMAC(master, info || 0x01)."""
    return hmac.digest(master, b"streamhost/" + purpose.encode() + b"\x01", hashlib.sha256)


@dataclass(frozen=True, slots=True)
class Instance:
    """A data directory that exists, with its secrets. Having one does not mean holding the lock."""

    data: Path
    keys: Keys

    @property
    def id(self) -> str:
        """A public name of this instance, the same for its whole life: 16 hex digits."""
        return _expand(self.keys.masters[min(self.keys.masters)], Purpose.IDENTITY)[:8].hex()

    @property
    def address(self) -> str:
        """Where the server that holds the lock can be reached, as it has announced; empty if none has."""
        try:
            return str(json.loads((self.data / LOCK_FILE).read_bytes())["address"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def lock(self, address: str = "") -> InstanceLock:
        """Become the one server of this data directory; raises `InstanceLocked`, which says who holds it."""
        return InstanceLock(self.data / LOCK_FILE, address)


def open_instance(data: Path) -> Instance:
    """Open the data directory, made with its secrets if it is new. Works beside a running server.

    Raises `DataDirectoryUnusable` and `SecretsUnreadable`, and as `end_swap`.
    """
    end_swap(data)
    try:
        data.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        path = data / SECRETS_FILE
        if not path.exists():
            _create_secrets(path)
        text = path.read_text("utf-8")
    except OSError as error:
        raise DataDirectoryUnusable(f"{data}: {error.strerror}.") from error
    if not os.access(data, os.W_OK | os.X_OK):
        raise DataDirectoryUnusable(f"{data}: not writable.")
    return Instance(data, _parse(path, text))


def end_swap(data: Path) -> None:
    """Go on where a restoration was killed while it took the place of what is there, so that nobody finds half of each.

    Raises `DataDirectoryUnusable`, and `InstanceLocked` while one is at work."""
    if not swapping.is_begun(data):
        return
    with InstanceLock(data / LOCK_FILE):
        try:
            swapping.go_on(data)
        except (OSError, ValueError) as error:
            raise DataDirectoryUnusable(f"{data}: a restoration was begun and cannot be ended: {error}.") from error


def _parse(path: Path, text: str) -> Keys:
    try:
        masters = {int(number): bytes.fromhex(secret) for number, secret in json.loads(text)["masters"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SecretsUnreadable(f"{path}: {error}.") from error
    if not masters or any(len(m) != SECRET_BYTES or not 0 < n <= MAX_KEY_ID for n, m in masters.items()):
        raise SecretsUnreadable(f"{path}: not the secrets of an instance.")
    return Keys(masters)


def _create_secrets(path: Path) -> None:
    """Write a fresh master secret. If two programs start at once, the first to link its file wins."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    content = json.dumps({"masters": {"1": secrets.token_hex(SECRET_BYTES)}}) + "\n"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
    finally:
        temporary.unlink()
    swapping.synced(path.parent)


class InstanceLock:
    """The right to be the server of a data directory.

    An advisory lock of the kernel on `instance.lock`: it dies with the process that holds it, so a file left behind by
    a kill is no obstacle. The file's content (pid, address, start) only serves the message for the second server.
    """

    def __init__(self, path: Path, address: str = "") -> None:
        self._since: Timestamp = time.time()
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        except OSError as error:
            raise DataDirectoryUnusable(f"{path}: {error.strerror}.") from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = _holder(self._handle)
            os.close(self._handle)
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise DataDirectoryUnusable(f"{path}: cannot be locked: {error.strerror}.") from error
            raise InstanceLocked(f"{path.parent} is held by {holder}.") from error
        self.announce(address)

    def announce(self, address: str) -> None:
        """Say in the lock file where this server can be reached."""
        content = json.dumps({"pid": os.getpid(), "address": address, "since": self._since}) + "\n"
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, content.encode(), 0)

    def release(self) -> None:
        """Give the directory back. Safe to call twice."""
        if self._handle >= 0:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> InstanceLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _holder(handle: int) -> str:
    """The words for the one who holds the lock, from what the lock file says."""
    try:
        facts = json.loads(os.pread(handle, 4096, 0))
        words = f"process {int(facts['pid'])}"
        if facts["address"]:
            words += f" at {facts['address']}"
        return f"{words}, running since {iso(float(facts['since']))}"
    except (ValueError, KeyError, TypeError):
        return "another process that is just starting or stopping"
