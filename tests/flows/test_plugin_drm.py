"""A provider of keys and licences as a plugin: from the upload to the licence, with a key system of its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from streamhost.features.protection import DerivedKeySource
from streamhost.model.protection import Scheme
from streamhost.plugins import Found
from streamhost.testing.clips import Clip
from streamhost.testing.house import House, hooks, open_house, plugin_of
from tests.support.clips import cached
from tests.support.sealed import SYSTEM, SYSTEM_ID, SealedLicenceProxy, SealedPlayer
from tests.support.waiting import until

pytestmark = pytest.mark.slow
FILM = Clip(seconds=2.0, width=160, height=90)


def vault() -> Found:
    """A plugin with a key source and a licence proxy."""
    return plugin_of(
        "vault",
        hooks(
            register_key_sources=lambda: {"vault": KEYS},
            register_licence_proxies=lambda: {"sealed": SealedLicenceProxy()},
        ),
    )


KEYS = DerivedKeySource(b"s" * 32)


async def until_ready(house: House, video: str, who: dict[str, str]) -> None:
    """Wait until the video is made."""
    document: dict[str, Any] = {}

    async def over() -> bool:
        document.update((await house.client.get(f"/api/v1/videos/{video}", headers=who)).json())
        return document["state"] in ("ready", "failed")

    await until(over)
    assert document["state"] == "ready", document


async def licence(house: House, stream: dict[str, Any], kids: list[str]) -> dict[str, str]:
    """What the player of the provider gets for some key ids."""
    player = SealedPlayer()
    answer = await house.client.post(stream["license"][SYSTEM], content=player.challenge(kids))
    assert answer.status_code == 200, answer.text
    return player.keys(answer.content)


async def test_a_provider_by_plugin(tmp_path: Path) -> None:
    """Its keys encrypt, its box stands in header and manifests, its licences open for whoever has a grant; a site that
    goes back to its own keys still plays what was made before."""
    async with open_house(tmp_path, plugins=[vault()], protection__key_source="vault", jobs__media_workers=1) as house:
        alice = await house.sign_in("alice")
        sent = {"file": ("film.mp4", cached(FILM, ".mp4").read_bytes())}
        taken = await house.client.post("/api/v1/upload", headers=alice, data={"protection": "cenc"}, files=sent)
        video = taken.json()["video"]["id"]
        await until_ready(house, video, alice)
        stream = (await house.client.get(f"/api/v1/stream/{video}", headers=alice)).json()
        assert set(stream["license"]) == {"org.w3.clearkey", SYSTEM}
        manifest = (await house.client.get(stream["dash"])).text
        kids = [UUID(text).hex for text in dict.fromkeys(re.findall(r'default_KID="([0-9a-f-]{36})"', manifest))]
        assert f'schemeIdUri="urn:uuid:{SYSTEM_ID}"' in manifest
        assert "<cenc:pssh>" in manifest
        assert f'KEYFORMAT="urn:uuid:{SYSTEM_ID}"' in (await house.client.get(stream["hls"])).text
        package = stream["package"]
        made = {key.kid: key.key for key in await KEYS.of(package)}
        assert set(kids) == set(made)
        assert await licence(house, stream, kids) == made
        prefix = f"videos/{video}/{package}/"
        headers = [one.key async for one in house.host.storage.list(prefix) if one.key.endswith("/init.mp4")]
        [box] = SealedLicenceProxy().boxes(Scheme.CENC, [])
        for key in headers:
            assert SYSTEM_ID.bytes in await house.content(key)
        assert headers and box[4:8] == b"pssh"
        no_grant = stream["license"][SYSTEM].replace("/s/", "/s/x", 1)
        assert (await house.client.post(no_grant, content=b"{}")).status_code == 403
        assert (await house.client.post(stream["license"][SYSTEM], content=b"rubbish")).status_code == 400
    async with open_house(tmp_path, plugins=[vault()]) as house:
        answer = await house.client.post(
            "/api/v1/auth/login", json={"email": "alice@example.org", "password": "correct horse battery"}
        )
        alice = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        stream = (await house.client.get(f"/api/v1/stream/{video}", headers=alice)).json()
        assert await licence(house, stream, kids) == made
