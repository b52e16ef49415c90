"""The contract of the licence port, run on every implementation."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

import pytest

from streamhost.features.protection import ClearKeyLicenceProxy
from streamhost.testing.licence_contract import LicenceProxyContract, Player
from tests.support.sealed import SealedLicenceProxy, SealedPlayer


class ClearKeyPlayer:
    """A browser's Clear Key module."""

    def __init__(self) -> None:
        self.proxy = ClearKeyLicenceProxy()

    def challenge(self, kids: Sequence[str]) -> bytes:
        """As W3C Encrypted Media Extensions, 9.1.3."""
        texts = [urlsafe_b64encode(bytes.fromhex(kid)).rstrip(b"=").decode() for kid in kids]
        return json.dumps({"kids": texts, "type": "temporary"}).encode()

    def keys(self, licence: bytes) -> dict[str, str]:
        """As 9.1.4."""
        return {
            urlsafe_b64decode(key["kid"] + "==").hex(): urlsafe_b64decode(key["k"] + "==").hex()
            for key in json.loads(licence)["keys"]
        }


class TestClearKeyLicenceProxy(LicenceProxyContract):
    """`ClearKeyLicenceProxy`."""

    @pytest.fixture
    def player(self) -> Player:
        """With the browser's module."""
        return ClearKeyPlayer()


class TestSealedLicenceProxy(LicenceProxyContract):
    """`SealedLicenceProxy`, as a plugin of a provider would be."""

    @pytest.fixture
    def player(self) -> Player:
        """With its own module."""
        player = SealedPlayer()
        assert isinstance(player.proxy, SealedLicenceProxy)
        return player
