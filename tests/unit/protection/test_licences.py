"""Keys and licences over HTTP: the JSON of Clear Key, single keys, and everything that gets neither."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import httpx
import pytest

from streamhost.config import ProtectionSettings
from streamhost.features.protection import Protections
from streamhost.features.protection.clearkey import ClearKeyLicenceProxy
from streamhost.model.grants import POSTER_ONLY, Grant, Grants
from streamhost.model.ids import PackageId, SessionId, VideoId
from streamhost.model.licensing import Licence, LicenceRequest
from streamhost.model.protection import ContentKey, Scheme
from streamhost.model.videos import Protection
from streamhost.ports import LicenceProxy
from streamhost.server.delivery import Delivery
from streamhost.server.licences import LARGEST_CHALLENGE, Licences
from streamhost.storage.memory import MemoryStorage
from tests.support.media_port import media_port
from tests.unit.protection.conftest import NOW, ONE, TWO, VIDEO, Vault

SESSION = SessionId("session")
JSON = {"Content-Type": "application/json"}


class Provider:
    """A licence provider outside: remembers what it was asked, and answers in its own form."""

    system = "com.example.drm"

    def __init__(self) -> None:
        self.asked: list[LicenceRequest] = []

    async def answer(self, request: LicenceRequest) -> Licence:
        """A licence that only its own module reads."""
        self.asked.append(request)
        return Licence(b"sealed", "application/octet-stream")

    def boxes(self, _scheme: Scheme, _kids: Sequence[str]) -> Sequence[bytes]:
        """None."""
        return ()


@dataclass(slots=True)
class Counter:
    """Where licences are had, and the keys of two packages."""

    client: httpx.AsyncClient
    grants: Grants
    protections: Protections
    provider: Provider
    keys: tuple[ContentKey, ...]
    others: tuple[ContentKey, ...]

    def root(self, package: PackageId = ONE, flags: int = 0, origin: str | None = None) -> str:
        """An address below which a good grant opens one package."""
        return f"/s/{self.grants.issue(VIDEO, package, SESSION, flags=flags, origin=origin)[0]}/{VIDEO}"

    async def ask(self, root: str, *kids: str, **send: Any) -> httpx.Response:
        """A licence request as players send it."""
        body = json.dumps({"kids": [b64(kid) for kid in kids], "type": "temporary"})
        return await self.client.post(f"{root}/license/clearkey", content=body, **send)


def b64(digits: str) -> str:
    """16 bytes as the standard writes them."""
    return urlsafe_b64encode(bytes.fromhex(digits)).rstrip(b"=").decode()


@pytest.fixture(params=["asgi", "media port"])
async def counter(vault: Vault, request: pytest.FixtureRequest) -> AsyncIterator[Counter]:
    """Both packages have keys."""
    grants = Grants({1: b"k" * 32}, lambda: NOW, 600)
    provider = Provider()
    licences: dict[str, LicenceProxy] = {"clearkey": ClearKeyLicenceProxy(), "example": provider}
    protections = Protections(vault.source, vault.source, lambda: NOW, ProtectionSettings(), licences)
    delivery = Delivery(grants, MemoryStorage(), licences=Licences(grants, protections))
    keys, others = await vault.source.make(ONE, 2), await vault.source.make(TWO, 2)
    if request.param == "asgi":
        transport = httpx.ASGITransport(cast(Any, delivery))
        async with httpx.AsyncClient(transport=transport, base_url="http://site.test") as client:
            yield Counter(client, grants, protections, provider, keys, others)
        return
    async with media_port(delivery) as url, httpx.AsyncClient(base_url=url, timeout=150) as client:
        yield Counter(client, grants, protections, provider, keys, others)


@pytest.mark.parametrize("headers", [JSON, {}, {"Content-Type": "text/plain"}])
async def test_it_answers_as_the_standard_says(counter: Counter, headers: dict[str, str]) -> None:
    """Every key that was asked for, in base64url without padding, whatever the player calls its request."""
    answer = await counter.ask(counter.root(), *(key.kid for key in counter.keys), headers=headers)
    assert answer.status_code == 200
    assert answer.json() == {
        "keys": [{"kty": "oct", "k": b64(key.key), "kid": b64(key.kid)} for key in counter.keys],
        "type": "temporary",
    }
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_a_single_key_is_sixteen_bytes(counter: Counter) -> None:
    """As AES-128 in HLS wants it; HEAD tells the length alone, and a range changes nothing."""
    url = f"{counter.root()}/key/{counter.keys[0].kid}"
    for headers in ({}, {"Range": "bytes=0-3"}):
        answer = await counter.client.get(url, headers=headers)
        assert (answer.status_code, answer.content) == (200, bytes.fromhex(counter.keys[0].key))
    assert answer.headers["cache-control"] == "no-store"
    head = await counter.client.head(url)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "16", b"")


async def test_keys_of_another_package_are_not_given(counter: Counter) -> None:
    """A grant opens the keys of its own package; asking for one more than that gives none at all."""
    foreign = counter.others[0]
    for kids in ((foreign.kid,), (counter.keys[0].kid, foreign.kid), ("0" * 32,)):
        answer = await counter.ask(counter.root(), *kids)
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_key")
    single = await counter.client.get(f"{counter.root()}/key/{foreign.kid}")
    assert (single.status_code, single.json()["code"]) == (404, "no_such_key")


async def test_only_a_good_grant_counts(counter: Counter) -> None:
    """For posters, for another video, for another site, over, taken back, made up: no key and no licence."""
    kid = counter.keys[0].kid
    expired = Grants({1: b"k" * 32}, lambda: NOW - 601, 600).issue(VIDEO, ONE, SESSION)[0]
    other = counter.grants.issue(VideoId("other"), ONE, SESSION)[0]
    roots = {
        counter.root(flags=POSTER_ONLY): "invalid_grant",
        counter.root(origin="https://site.example"): "wrong_origin",
        f"/s/{expired}/{VIDEO}": "grant_expired",
        f"/s/{other}/{VIDEO}": "invalid_grant",
        f"/s/made-up/{VIDEO}": "invalid_grant",
    }
    for root, code in roots.items():
        for answer in (await counter.ask(root, kid), await counter.client.get(f"{root}/key/{kid}")):
            assert (answer.status_code, answer.json()["code"]) == (403, code)
            assert counter.keys[0].key not in answer.text


async def test_revocation_holds_for_keys_at_once(counter: Counter) -> None:
    """Also for a key that is in memory because it was just given."""
    root, kid = counter.root(), counter.keys[0].kid
    assert (await counter.client.get(f"{root}/key/{kid}")).status_code == 200
    counter.grants.revocations.revoke(SESSION)
    for answer in (await counter.ask(root, kid), await counter.client.get(f"{root}/key/{kid}")):
        assert (answer.status_code, answer.json()["code"]) == (403, "grant_revoked")


@pytest.mark.parametrize("asked", ["key", "licence"])
async def test_what_is_revoked_meanwhile_is_not_given(
    asked: str, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider, or a slow catalog, may think for a while: what it answers goes nowhere if the grant ended."""
    root, kid = counter.root(), counter.keys[0].kid
    answers = getattr(Protections, asked)

    async def thinks(protections: Protections, grant: Grant, *given: Any) -> Any:
        found = await answers(protections, grant, *given)
        counter.grants.revocations.revoke(VIDEO)
        return found

    monkeypatch.setattr(Protections, asked, thinks)
    get = counter.client.get(f"{root}/key/{kid}") if asked == "key" else counter.ask(root, kid)
    answer = await get
    assert (answer.status_code, answer.json()["code"]) == (403, "grant_revoked")
    assert counter.keys[0].key not in answer.text


BAD = [b"", b"[]", b"{}", b"null", b'{"kids": []}', b'{"kids": ["AAAA"]}', b'{"kids": [1]}', b"\xff\xfe", b"[" * 60_000]
BAD += [json.dumps({"kids": [b64("0" * 32)] * 65}).encode(), b'{"kids": ["%s"], "type": "forever"}' % (b"A" * 22)]


@pytest.mark.parametrize("body", BAD)
async def test_what_is_no_request_is_refused(counter: Counter, body: bytes) -> None:
    """With a sentence that says what is wanted."""
    answer = await counter.client.post(f"{counter.root()}/license/clearkey", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_licence_request")


async def test_too_large_requests_are_cut_off(counter: Counter) -> None:
    """At 64 KiB."""
    answer = await counter.client.post(f"{counter.root()}/license/clearkey", content=b"x" * (LARGEST_CHALLENGE + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "challenge_too_large")


async def test_methods_and_names(counter: Counter) -> None:
    """Licences are posted, keys are got; browsers of other sites are told so; other names are not there."""
    root, kid = counter.root(), counter.keys[0].kid
    wrong = [("GET", "license/clearkey"), ("PUT", "license/clearkey"), ("POST", f"key/{kid}"), ("DELETE", f"key/{kid}")]
    for method, name in wrong:
        answer = await counter.client.request(method, f"{root}/{name}")
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    preflight = await counter.client.options(f"{root}/license/clearkey")
    assert preflight.status_code == 204
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "Content-Type" in preflight.headers["access-control-allow-headers"]
    for name in (f"key/{kid.upper()[:-1]}G", f"key/{kid}.m4s", f"key/{kid}0", "key/..", "license/unknown"):
        answer = await counter.client.request("POST" if "license" in name else "GET", f"{root}/{name}", content=b"{}")
        assert answer.status_code in (403, 404), name


async def test_another_key_systems_provider_is_asked(counter: Counter) -> None:
    """It gets the challenge as it came, the keys of that package, and the grant; players learn where it is."""
    answer = await counter.client.post(f"{counter.root(TWO)}/license/example", content=b"\x08\x01challenge")
    assert (answer.status_code, answer.content) == (200, b"sealed")
    asked = counter.provider.asked[0]
    assert (asked.challenge, asked.keys, asked.grant.package_id) == (b"\x08\x01challenge", counter.others, TWO)
    systems = counter.protections.systems(Protection.CENC)
    assert systems == {"org.w3.clearkey": "clearkey", "com.example.drm": "example"}
    assert counter.protections.systems(Protection.AES_128) == counter.protections.systems(Protection.NONE) == {}
    assert counter.others[0].key not in repr(asked)
