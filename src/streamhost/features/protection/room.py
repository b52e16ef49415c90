"""Which keys protect a package, and who gets them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from streamhost.config import ProtectionSettings
from streamhost.features.protection.clearkey import ClearKeyLicenceProxy
from streamhost.features.protection.errors import BadBox, NoLicences, NoSuchKey
from streamhost.features.protection.local import LocalKeySource
from streamhost.model.clock import Clock, Timestamp
from streamhost.model.grants import POSTER_ONLY, Grant, InvalidGrant
from streamhost.model.ids import PackageId
from streamhost.model.licensing import Licence, LicenceRequest
from streamhost.model.protection import ContentKey, Protecting, Scheme
from streamhost.model.videos import Protection
from streamhost.ports import KeySource, LicenceProxy

REMEMBERED = 512
"""Packages whose keys are kept in memory, about 1 kB each."""
REMEMBERED_SECONDS = 60.0
"""How long: whether somebody may have them is looked at every time, by the grant."""
ROTATED_KEYS = 16
"""Keys that follow each other where AES-128 rotates: then the first one's turn comes again."""
SMALLEST_BOX, LARGEST_BOX = 32, 64 * 1024
"""Bytes of a `pssh` box."""
LICENSED = (Protection.CENC, Protection.CBCS)
"""What needs licences; the keys of AES-128 are fetched one by one."""


class Protections:
    """Keys for the ones who package, and for the ones who play."""

    def __init__(
        self,
        source: KeySource,
        local: LocalKeySource,
        clock: Clock,
        settings: ProtectionSettings,
        licences: Mapping[str, LicenceProxy] | None = None,
    ) -> None:
        """`licences`: who answers licence requests, by the last part of the address; the built-in one is
        `clearkey`."""
        self._source = source
        self._clock = clock
        self._settings = settings
        self._licences: Mapping[str, LicenceProxy] = licences or {"clearkey": ClearKeyLicenceProxy()}
        self._keys: OrderedDict[PackageId, tuple[Timestamp, tuple[ContentKey, ...]]] = OrderedDict()
        self.local = local
        """The built-in key source, for whoever looks after its keys."""

    async def protecting(self, package_id: PackageId, protection: Protection) -> Protecting | None:
        """How to encrypt a package, with its keys (made now if it has none); None if it is not to be encrypted."""
        if protection is Protection.NONE:
            return None
        scheme = Scheme(protection.value)
        rotate = 0 if scheme.common else self._settings.rotate_segments
        count = 2 * (ROTATED_KEYS if rotate else 1)
        keys = [_for(scheme, key) for key in await self._source.make(package_id, count)]
        kids = [key.kid for key in keys]
        proxies = self._licences.values() if scheme.common else ()
        return Protecting(
            scheme,
            video=tuple(keys[0::2]),
            audio=tuple(keys[1::2]),
            rotate_every=rotate,
            clear_lead=self._settings.clear_lead_seconds if scheme.common else 0.0,
            pssh=tuple(whole_box(box) for proxy in proxies for box in proxy.boxes(scheme, kids)),
        )

    def systems(self, protection: Protection) -> dict[str, str]:
        """For what players ask licences of, the last part of the address, by key system."""
        if protection not in LICENSED:
            return {}
        return {proxy.system: name for name, proxy in self._licences.items()}

    async def key(self, grant: Grant, kid: str) -> bytes:
        """The 16 bytes of one key of the package that `grant` is for. Raises `InvalidGrant` and `NoSuchKey`."""
        for key in await self._of(grant):
            if key.kid == kid:
                return bytes.fromhex(key.key)
        raise NoSuchKey

    async def licence(self, grant: Grant, name: str, challenge: bytes, content_type: str) -> Licence:
        """What the key system that is asked at `license/<name>` answers. Raises also `NoLicences`."""
        proxy = self._licences.get(name)
        keys = await self._of(grant)
        if proxy is None or not keys:
            raise NoLicences
        return await proxy.answer(LicenceRequest(challenge, content_type, keys, grant))

    async def _of(self, grant: Grant) -> Sequence[ContentKey]:
        if grant.flags & POSTER_ONLY:
            raise InvalidGrant
        now = self._clock()
        known = self._keys.get(grant.package_id)
        if known is None or now - known[0] > REMEMBERED_SECONDS:
            known = (now, await self._source.of(grant.package_id))
            if known[1]:
                self._keys[grant.package_id] = known
                self._keys.move_to_end(grant.package_id)
                if len(self._keys) > REMEMBERED:
                    self._keys.popitem(last=False)
        return known[1]


def whole_box(box: bytes) -> str:
    """A `pssh` box as hex. Raises `BadBox` for anything else, before it is written into every file of a package."""
    if len(box) < SMALLEST_BOX or len(box) > LARGEST_BOX or box[:8] != len(box).to_bytes(4, "big") + b"pssh":
        raise BadBox(f"{len(box)} bytes that begin with {box[:8].hex()}")
    return box.hex()


def _for(scheme: Scheme, key: ContentKey) -> ContentKey:
    """Only cbcs has a vector that belongs to the key."""
    return key if scheme is Scheme.CBCS else replace(key, iv=None)
