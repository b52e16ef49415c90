"""Keys that are replaced now and then: the ones that sign grants, and the ones that wrap content keys.

The first key of each ring is derived from the instance's master secret; those that took its place stand in
`keyrings.json` (mode 0600) in the data directory, as 32 random bytes each. The newest signs or wraps. The ones before
it still verify, until their time is up, or unwrap. Replacing these keys touches neither sessions nor second factors.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from streamhost.instance import MAX_KEY_ID, PRIVATE_FILE, SECRET_BYTES, Instance, Purpose
from streamhost.model.clock import Timestamp
from streamhost.model.errors import StreamhostError
from streamhost.swapping import synced

RINGS_FILE = "keyrings.json"
LOCK_FILE = "keyrings.lock"
FIRST = 1
"""Id of the key that is derived from the master secret."""


class KeyringsUnreadable(StreamhostError):
    """The file with the keys that were replaced is damaged."""

    code = "keyrings_unreadable"
    hint = "Restore keyrings.json from a backup. Without it, videos whose keys it wraps must be protected anew."
    permanent = True


class Ring(StrEnum):
    """What the keys of a ring are for."""

    GRANTS = "grants"
    WRAPPING = "wrapping"


_PURPOSES: Mapping[Ring, Purpose] = {Ring.GRANTS: Purpose.GRANTS, Ring.WRAPPING: Purpose.WRAPPING}


@dataclass(frozen=True, slots=True)
class RingKey:
    """One key: since when it is the one in use, and until when it still counts (None: no end is known yet)."""

    id: int
    since: Timestamp
    until: Timestamp | None = None
    secret: bytes = field(repr=False, default=b"")

    def counts(self, now: Timestamp) -> bool:
        """Whether it still counts at `now`."""
        return self.until is None or now < self.until

    def ending(self, now: Timestamp, keep: float | None) -> RingKey:
        """The key, counting for `keep` seconds more at most."""
        ends = [at for at in (self.until, None if keep is None else now + keep) if at is not None]
        return replace(self, until=min(ends, default=None))


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of one ring, the oldest first. The last one is in use."""

    keys: tuple[RingKey, ...]

    @property
    def current(self) -> RingKey:
        """The key that signs or wraps."""
        return self.keys[-1]

    def secrets(self, now: Timestamp) -> dict[int, bytes]:
        """The keys that count at `now`, by id."""
        return {key.id: key.secret for key in self.keys if key.counts(now)}


class Keyrings:
    """The rings of one instance. Works beside a running server, which looks at `version` now and then."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._path = instance.data / RINGS_FILE

    def version(self) -> tuple[int, int] | None:
        """Changes whenever the file does; None while nothing was ever replaced."""
        try:
            facts = self._path.stat()
        except FileNotFoundError:
            return None
        return facts.st_ino, facts.st_mtime_ns

    def ring(self, ring: Ring) -> Keyring:
        """The keys of a ring. Raises `KeyringsUnreadable`."""
        first = RingKey(FIRST, 0.0, secret=self._instance.keys.derive_first(_PURPOSES[ring]))
        known = self._read().get(ring.value)
        if not known:
            return Keyring((first,))
        # The first key stands in the file without its secret.
        return Keyring(tuple(RingKey(k.id, k.since, k.until, k.secret or first.secret) for k in known))

    def replace(self, ring: Ring, now: Timestamp, keep: float | None = None) -> RingKey:
        """Make a new key the one in use; the others count for `keep` seconds more (None: until `forget`), and no longer
        than they did."""
        with self._locked():
            rings = self._read()
            known = rings.get(ring.value) or [RingKey(FIRST, 0.0)]
            fresh = RingKey(_free_id(known), now, None, secrets.token_bytes(SECRET_BYTES))
            rings[ring.value] = [*filter(lambda key: key.counts(now), (key.ending(now, keep) for key in known)), fresh]
            self._write(rings)
        return fresh

    def forget(self, ring: Ring, key_id: int) -> None:
        """Remove a key that nothing needs any more; the one in use stays."""
        with self._locked():
            rings = self._read()
            keys = rings.get(ring.value, [])
            rings[ring.value] = [key for key in keys if key.id != key_id or key is keys[-1]]
            self._write(rings)

    def _read(self) -> dict[str, list[RingKey]]:
        try:
            content: Any = json.loads(self._path.read_text("utf-8"))
            return {
                name: [RingKey(int(k["id"]), float(k["since"]), k["until"], bytes.fromhex(k["secret"])) for k in keys]
                for name, keys in content.items()
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise KeyringsUnreadable(f"{self._path}: {type(error).__name__}.") from error

    def _write(self, rings: Mapping[str, list[RingKey]]) -> None:
        """Whole or not at all, and on disk when this returns."""
        content = {name: [asdict(key) | {"secret": key.secret.hex()} for key in keys] for name, keys in rings.items()}
        temporary = self._path.with_name(f".{RINGS_FILE}.{os.getpid()}")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE_FILE)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
        synced(self._path.parent)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Two commands at once replace one after the other."""
        handle = os.open(self._path.with_name(LOCK_FILE), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _free_id(kept: list[RingKey]) -> int:
    """The next id; a key id is one byte in a grant, so the count begins anew after 255."""
    taken = {key.id for key in kept}
    newest = kept[-1].id if kept else FIRST
    following = [(newest + step - 1) % MAX_KEY_ID + 1 for step in range(1, MAX_KEY_ID)]
    return next(number for number in following if number not in taken and number != FIRST)
