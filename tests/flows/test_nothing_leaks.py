"""Everything that somebody without rights can fetch of a private, encrypted video: not one byte of it comes out.

The server is a real one and is asked over raw HTTP, so that no client tidies the paths up. What counts as a leak is
found in the data directory: a piece out of every stored file of the video, and its keys in every spelling.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from streamhost.config import load
from streamhost.features.protection import grants_of
from streamhost.host import assemble
from streamhost.instance import open_instance
from streamhost.keyrings import Keyrings
from streamhost.model.clock import HOUR
from streamhost.model.grants import POSTER_ONLY, Grants
from streamhost.model.ids import PackageId, SessionId, VideoId
from streamhost.model.protection import ContentKey
from streamhost.testing.clips import Clip
from tests.flows.access_table import TABLE
from tests.support.clips import cached
from tests.support.server import Api, RunningServer, until
from tests.support.tree import stored

CLIP = Clip(seconds=6, width=320, height=180, gop=50)
PIECE = 24
"""Bytes that tell one file from all others."""
SHORT = 4096
"""Shorter files, headers and playlists, are much alike: they are looked for as a whole."""
TITLE = "Nobody may know of this film"
SPOKEN = "Nobody may read these words either"
KINDS = ("source/", "init.mp4", ".m4s", "poster.jpg", "storyboard.vtt", "storyboard/", "captions")
"""Of all that is made of a video, something must be there: what is not made cannot leak, and proves nothing."""
ENDING = ("/logout", "/sessions/end")
"""Routes after which the one who asks is somebody else."""
ROUTE = re.compile(r"\{(\w+)\}")
HEADERS = {"Accept": "*/*", "Content-Type": "application/json"}


@dataclass(slots=True)
class Secret:
    """Alice's private video, as it lies on disk."""

    site: RunningServer
    id: str
    package: str
    grant: str
    names: list[str]
    needles: dict[str, bytes]
    keys: tuple[ContentKey, ...]
    session: dict[str, Any]
    other: str
    """A public video of hers, from the same file."""
    bob: Api

    def found_in(self, answer: bytes) -> list[str]:
        """What of the video stands in an answer."""
        return [name for name, needle in self.needles.items() if needle in answer]

    def grants(self, now: float) -> Grants:
        """The server's own grants, as if it were `now`: what somebody could have kept."""
        instance = open_instance(self.site.data)
        return grants_of(Keyrings(instance), lambda: now, HOUR)


def raw(site: RunningServer, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    """Head and body of the answer to a request that is sent exactly so."""
    parts = urlsplit(site.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=150)
    try:
        connection.putrequest(method, path, skip_host=False, skip_accept_encoding=True)
        for name, value in {**HEADERS, **(headers or {}), "Content-Length": str(len(body))}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        # Event streams never end by themselves; what they begin with tells enough.
        content = answer.read1(65536) if "event-stream" in (answer.getheader("content-type") or "") else answer.read()
        return f"{answer.status} {answer.headers}".encode() + content
    finally:
        connection.close()


@pytest.fixture(scope="module")
def secret(site: RunningServer) -> Iterator[Secret]:
    """The video, ready, encrypted, with everything that the house makes of it."""
    alice = site.client()
    session = alice.sign_in("alice@example.org", "correct horse battery")
    video = alice.upload(cached(CLIP, ".mp4"), title=TITLE, visibility="private", protection="cenc")
    alice.wait_until(video, "ready")
    captions = f"1\n00:00:00,500 --> 00:00:01,500\n{SPOKEN}\n".encode()
    path, file = f"/api/v1/videos/{video}/captions", {"file": ("a.srt", captions)}
    assert alice.post(path, data={"language": "en"}, files=file).status_code == 201
    until(lambda: alice.stream(video)["captions"])
    stream = alice.stream(video)
    media, below = site.data / "media", f"videos/{video}/"
    names = sorted(name.removeprefix(below) for name in stored(site.data, below))
    for kind in KINDS:
        assert [name for name in names if kind in name], f"there is a {kind} to be looked for"
    keys = asyncio.run(_keys(site, PackageId(stream["package"])))
    needles = {name: _piece(media / below / name) for name in names}
    needles |= {"title": TITLE.encode(), "words": SPOKEN.encode()}
    stills = [name for name in stored(site.data, f"stills/{video}") if "/screening-" in name]
    needles |= {name: _piece(media / name) for name in stills}
    assert [name for name in needles if name.startswith("stills/")], "pictures that no viewer ever gets"
    for key in keys:
        secret_bytes = bytes.fromhex(key.key)
        needles |= {
            f"key {key.kid} hex": key.key.encode(),
            f"key {key.kid} bytes": secret_bytes,
            f"key {key.kid} base64url": urlsafe_b64encode(secret_bytes).rstrip(b"="),
            f"key {key.kid} base64": b64encode(secret_bytes).rstrip(b"="),
        }
    assert len(keys) == 2
    telling = [name for name in names if "captions" not in name]
    assert len({needles[name] for name in telling}) == len(telling), "each piece tells its file"
    grant = stream["hls"].split("/")[2]
    other = alice.upload(cached(CLIP, ".mp4"), title="Other", visibility="public")
    alice.wait_until(other, "ready")
    bob = site.client("bob@example.org")
    yield Secret(site, video, stream["package"], grant, names, needles, keys, session, other, bob)


async def _keys(site: RunningServer, package: PackageId) -> tuple[ContentKey, ...]:
    host = await assemble(load(site.data, {}), open_instance(site.data))
    try:
        return await host.protections.local.of(package)
    finally:
        await host.close()


def _piece(path: Path) -> bytes:
    data = path.read_bytes()
    return data if len(data) <= SHORT else data[len(data) // 2 : len(data) // 2 + PIECE]


def spellings(path: str) -> list[str]:
    """One path in the ways that have fooled servers."""
    head, _, tail = path.rpartition("/")
    return [
        path,
        path.replace("/s/", "//s//", 1),
        path.replace("/s/", "/S/", 1),
        path.replace("/s/", "/./s/", 1),
        path.replace("/s/", "/assets/../s/", 1),
        path.replace("/s/", "/%73/", 1),
        f"{head}/x/../{tail}",
        f"{head}/%2e%2e/{head.rpartition('/')[2]}/{tail}",
        f"{head}%2f{tail}",
        f"{head}//{tail}",
        f"{head}/{tail}/",
        f"{head}/{tail}%00.m4s",
        f"{head}/{quote(tail, safe='').replace('.', '%2e')}",
        f"{head}\\{tail}",
        f"{head}/{tail.upper()}",
        f"{path}?x=.m4s",
        f"{path};x=.m4s",
    ]


def doors(secret: Secret, grant: str, video: str, package: str) -> list[tuple[str, str, bytes]]:
    """Every way to the files and keys of the video with this grant: method, path, body."""
    root = f"/s/{grant}/{video}"
    asked: list[tuple[str, str, bytes]] = []
    for name in secret.names:
        inner = name.partition("/")[2]
        asked += [("GET", spelt, b"") for spelt in spellings(f"{root}/{inner}")]
        asked += [("GET", f"{root}/{name}", b""), ("GET", f"{root}/../{name}", b"")]
        asked += [("GET", f"{root}/../../{package}/{inner}", b"")]
    kids = json.dumps({"kids": [urlsafe_b64encode(bytes.fromhex(k.kid)).decode().rstrip("=") for k in secret.keys]})
    asked.append(("POST", f"{root}/license/clearkey", kids.encode()))
    for key in secret.keys:
        asked += [("GET", spelt, b"") for spelt in spellings(f"{root}/key/{key.kid}")]
    return asked


def elsewhere(secret: Secret) -> list[tuple[str, str, bytes]]:
    """Every route of the application with the ids of the video in it, and places where files might lie open."""
    values = {"video_id": secret.id, "anywhere": f"media/videos/{secret.id}/{secret.package}/poster.jpg"}
    asked = []
    for route in TABLE:
        method, _, template = route.partition(" ")
        if method == "DELETE" or template.endswith(ENDING):
            continue
        path = ROUTE.sub(lambda found: values.get(found[1], secret.id), template)
        body = json.dumps({"title": "x", "password": "guess", "link": "guess"}).encode() if method != "GET" else b""
        asked.append((method, path, body))
        asked.append((method, f"{path}?owner={secret.id}&q=Nobody&id={secret.id}&grant={secret.package}", body))
    for name in secret.needles:
        if name.startswith("stills/"):
            asked += [
                ("GET", f"{place}/{name}", b"") for place in ("", "/media", "/o", "/files", "/assets/../../media")
            ]
    for name in secret.names:
        for place in ("/media/videos", "/videos", "/_streamhost/videos", "/assets/../../media/videos", "/files", "/s"):
            asked.append(("GET", f"{place}/{secret.id}/{name}", b""))
    return asked


def leaks(secret: Secret, asked: list[tuple[str, str, bytes]], headers: dict[str, str]) -> list[str]:
    """What came out of all these requests."""
    out = []
    for method, path, body in asked:
        for found in secret.found_in(raw(secret.site, method, path, headers, body)):
            out.append(f"{method} {path}: {found}")
    return out


def test_the_net_would_catch_a_leak(secret: Secret) -> None:
    """With alice's grant the same requests bring out every delivered file and both keys: so the net is whole."""
    out = leaks(secret, doors(secret, secret.grant, secret.id, secret.package), {})
    delivered = {name for name in secret.names if name.startswith(secret.package)}
    caught = {line.rpartition(": ")[2] for line in out}
    assert delivered <= caught, "each file that players fetch came out"
    assert {f"key {key.kid} base64url" for key in secret.keys} <= caught
    assert {f"key {key.kid} bytes" for key in secret.keys} <= caught
    never = {name for name in caught if name.startswith(("source/", "stills/"))}
    assert not never, "the uploaded file and pictures that are not for viewers never go this way"


@pytest.mark.parametrize("who", ["nobody", "a stranger", "a signed-out owner", "a forged token"])
def test_no_route_tells_of_it(secret: Secret, who: str) -> None:
    """Nobody without rights gets anything by any route of the application, whatever they ask."""
    headers: dict[str, str] = {}
    if who == "a stranger":
        headers = {"Authorization": str(secret.bob.headers["Authorization"])}
        assert secret.bob.get("/api/v1/me").status_code == 200
    elif who == "a signed-out owner":
        gone = secret.site.client("alice@example.org")
        headers = {"Authorization": str(gone.headers["Authorization"])}
        assert gone.post("/api/v1/auth/logout").status_code == 204
    elif who == "a forged token":
        headers = {"Authorization": f"Bearer {secret.session['access_token'][:-4]}AAAA"}
    assert leaks(secret, elsewhere(secret), headers) == []
    if who == "a stranger":
        assert secret.bob.get("/api/v1/me").status_code == 200, "it was bob who asked, to the end"


def bad_grants(secret: Secret) -> dict[str, str]:
    """Grants that somebody might hold, by what is wrong with them."""
    now, video, package = time.time(), VideoId(secret.id), PackageId(secret.package)
    session = SessionId("somebody")
    live, past = secret.grants(now), secret.grants(now - 2 * HOUR)
    gone = secret.site.client("alice@example.org")
    revoked = gone.stream(secret.id)["hls"].split("/")[2]
    gone.post("/api/v1/auth/logout")
    return {
        "expired": past.issue(video, package, session)[0],
        "poster only": live.issue(video, package, session, flags=POSTER_ONLY)[0],
        "of another video": secret.bob.stream(secret.other)["hls"].split("/")[2],
        "of another package": live.issue(video, PackageId("elsewhere"), session)[0],
        "of the source": live.issue(video, PackageId("source"), session)[0],
        "for another site": live.issue(video, package, session, origin="https://friend.example")[0],
        "of a session that has ended": revoked,
        "made up": "A" * len(secret.grant),
        "changed": secret.grant[:-2] + ("AA" if secret.grant[-2:] != "AA" else "BB"),
        "empty": "",
        "the video's own id": secret.id,
    }


def test_no_bad_grant_opens_anything(secret: Secret) -> None:
    """Expired, narrower, somebody else's, taken back, made up: no file, no key and no licence comes out, however the
    path is spelt. The grant for posters gives the poster; nothing else."""
    out = {}
    for kind, grant in bad_grants(secret).items():
        found = leaks(secret, doors(secret, grant, secret.id, secret.package), {})
        if kind == "poster only":
            found = [line for line in found if not line.endswith("/poster.jpg")]
        if kind == "of the source":
            assert not any("source/" in line for line in found)
        out[kind] = found
    assert {kind: found for kind, found in out.items() if found} == {}


def test_another_video_s_grant_with_this_video_s_names(secret: Secret) -> None:
    """A good grant for a public video, in an address below that video, brings nothing of this one."""
    grant = httpx.get(f"{secret.site.url}/api/v1/stream/{secret.other}").json()["hls"].split("/")[2]
    mine = {name: needle for name, needle in secret.needles.items() if name.startswith("key")}
    asked = doors(secret, grant, secret.other, secret.package)
    out = [
        f"{method} {path}: {name}"
        for method, path, body in asked
        for answer in [raw(secret.site, method, path, {}, body)]
        for name, needle in mine.items()
        if needle in answer
    ]
    assert out == []


def test_after_revocation_nothing_comes_out(secret: Secret) -> None:
    """What alice's own grant opened a moment ago is closed once her session has ended: files, keys and licences."""
    alice = secret.site.client("alice@example.org")
    grant = alice.stream(secret.id)["hls"].split("/")[2]
    asked = doors(secret, grant, secret.id, secret.package)
    assert leaks(secret, asked, {}) != []
    assert alice.post("/api/v1/auth/logout").status_code == 204
    assert leaks(secret, asked, {}) == []


def test_guessed_ids_lead_nowhere(secret: Secret) -> None:
    """Ids that are near the true one, and the true ones in each other's places."""
    near = secret.id[:-1] + ("a" if secret.id[-1] != "a" else "b")
    out = []
    for video in (near, secret.id.swapcase(), secret.package, secret.id.lower(), "videos", ".."):
        out += leaks(secret, doors(secret, secret.grant, video, secret.package)[:60], {})
        for template in ("/api/v1/videos/{}", "/api/v1/stream/{}", "/watch/{}", "/embed/{}", "/studio/{}"):
            out += leaks(secret, [("GET", template.format(video), b"")], {})
    assert out == []
