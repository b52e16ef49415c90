"""What everybody must do who answers licence requests: the contract of `streamhost.ports.LicenceProxy` as a suite.

class TestMyLicenceProxy(LicenceProxyContract):
    @pytest.fixture
    def player(self) -> Player:
        ...
"""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import Sequence
from typing import Protocol

import pytest

from streamhost.model.errors import StreamhostError
from streamhost.model.grants import Grant
from streamhost.model.ids import PackageId, SessionId, VideoId
from streamhost.model.licensing import LicenceRequest
from streamhost.model.protection import ContentKey, Scheme
from streamhost.ports import LicenceProxy

NOW = 1_800_000_000.0
KEYS = tuple(ContentKey(*(f"{number:x}{part}" * 16 for part in "abc")) for number in range(1, 4))
"""Three keys; licences are asked for the first two."""
GRANT = Grant(VideoId("film"), PackageId("one"), SessionId("session"), NOW, NOW + 600)


class Player(Protocol):
    """A proxy under test, and the other end: what a browser's module would do."""

    @property
    def proxy(self) -> LicenceProxy:
        """What is under test."""
        ...

    def challenge(self, kids: Sequence[str]) -> bytes:
        """A licence request for these keys."""
        ...

    def keys(self, licence: bytes) -> dict[str, str]:
        """The keys in a licence, by key id, as hex."""
        ...


def request(challenge: bytes) -> LicenceRequest:
    """A request whose bearer may have the first two keys."""
    return LicenceRequest(challenge, "", KEYS[:2], GRANT)


class LicenceProxyContract:
    """The suite."""

    @pytest.fixture
    def player(self) -> Player:
        """A proxy and its player."""
        raise pytest.UsageError("override the fixture `player`")

    async def test_the_licence_has_the_keys(self, player: Player) -> None:
        """The keys that were asked for and that the bearer may have are in the licence."""
        licence = await player.proxy.answer(request(player.challenge([key.kid for key in KEYS[:2]])))
        found = player.keys(licence.body)
        assert {kid: found[kid] for kid in (KEYS[0].kid, KEYS[1].kid)} == {key.kid: key.key for key in KEYS[:2]}
        assert re.fullmatch(r"[a-z0-9.+-]+/[a-z0-9.+-]+", licence.media_type)

    async def test_no_licence_has_other_keys(self, player: Player) -> None:
        """A key that is not among those of the request is in no licence."""
        for kids in ([KEYS[2].kid], [KEYS[0].kid, KEYS[2].kid]):
            try:
                licence = await player.proxy.answer(request(player.challenge(kids)))
            except StreamhostError:
                continue
            assert KEYS[2].kid not in player.keys(licence.body)
            assert bytes.fromhex(KEYS[2].key) not in licence.body

    async def test_rubbish_is_refused(self, player: Player) -> None:
        """What is no request gets a `StreamhostError`, never another exception, and never a licence."""
        for challenge in (b"", b"\0" * 100, b"{}", b"[" * 5000, b"\xff\xfe"):
            with pytest.raises(StreamhostError):
                await player.proxy.answer(request(challenge))

    async def test_many_at_once(self, player: Player) -> None:
        """Requests at the same time are all answered."""
        challenges = [player.challenge([KEYS[0].kid]) for _ in range(8)]
        licences = await asyncio.gather(*(player.proxy.answer(request(challenge)) for challenge in challenges))
        assert all(player.keys(licence.body)[KEYS[0].kid] == KEYS[0].key for licence in licences)

    def test_the_system_has_a_name(self, player: Player) -> None:
        """As browsers write key systems: a domain, turned round."""
        assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", player.proxy.system)

    def test_boxes_are_whole(self, player: Player) -> None:
        """What goes into the header of a package is whole `pssh` boxes, without any key."""
        for scheme in (Scheme.CENC, Scheme.CBCS):
            for box in player.proxy.boxes(scheme, [key.kid for key in KEYS]):
                size, kind = struct.unpack_from(">I4s", box)
                assert (size, kind) == (len(box), b"pssh")
                assert not any(bytes.fromhex(key.key) in box for key in KEYS)
