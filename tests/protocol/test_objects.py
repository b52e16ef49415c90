"""What a CDN may fetch and ask below `/o/`: nothing, unless a ticket or the secret opens it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from streamhost.instance import Instance, Purpose, open_instance
from streamhost.model.clock import system_clock
from streamhost.model.grants import POSTER_ONLY, Grants
from streamhost.model.ids import PackageId, SessionId, VideoId
from streamhost.model.tickets import Tickets
from tests.support.server import RunningServer

VIDEO, PACKAGE = "objectsvideo0001", "objectspackage01"
PREFIX = f"videos/{VIDEO}/{PACKAGE}/"
SEGMENT = bytes(range(256)) * 3000
PULL_SECRET = "the-secret-of-the-edge"
HIDDEN = {
    f"videos/{VIDEO}/source/source.mp4": b"the uploaded file",
    f"videos/{VIDEO}/captions/en/captions.vtt": b"captions as they came",
    f"{PREFIX}download/720.mp4": b"a file to take along",
    f"{PREFIX}v720/notes.txt": b"not for anybody",
    f"stills/{VIDEO}/{PACKAGE}/0.jpg": b"a frame for moderators",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A server with and without a secret for CDNs, with the same files, and its keys."""

    server: RunningServer
    instance: Instance

    def get(self, path: str, secret: str | None = None, method: str = "GET", **headers: str) -> httpx.Response:
        """Ask."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.request(
            method, self.server.url + path, headers=named | ({"Streamhost-Edge": secret} if secret is not None else {})
        )

    def ticket(self, key: str, life: float = 600) -> str:
        """The path by which anybody gets an object."""
        return Tickets(self.instance.keys.derive(Purpose.CDN), system_clock).path(key, time.time() + life)

    def grant(self, *, life: float = 600, flags: int = 0, origin: str | None = None, video: str = VIDEO) -> str:
        """A grant that the server believes."""
        grants = Grants(self.instance.keys.ring(Purpose.GRANTS), system_clock, life)
        who = SessionId("somebodyssession")
        return grants.issue(VideoId(video), PackageId(PACKAGE), who, flags=flags, origin=origin)[0]


def _start(tmp: pytest.TempPathFactory, **settings: str) -> Place:
    server = RunningServer(tmp.mktemp("objects") / "data", **settings).start()
    files = {f"{PREFIX}v720/0.m4s": SEGMENT, f"{PREFIX}master.m3u8": b"#EXTM3U\n", f"{PREFIX}poster.jpg": b"\xff\xd8"}
    for key, content in (files | HIDDEN).items():
        path = server.data / "media" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return Place(server, open_instance(server.data))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = _start(tmp_path_factory, STREAMHOST_CDN_PULL_SECRET=PULL_SECRET)
    yield made
    made.server.stop()


def refused(answer: httpx.Response, code: str) -> None:
    """A problem that no cache keeps, with not one byte of a file."""
    assert answer.json()["code"] == code, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert SEGMENT[:500] not in answer.content


def test_the_secret_opens_objects(place: Place) -> None:
    """Whole and in part; kept for ever what never changes, and by no cache for somebody without the secret."""
    answer = place.get(f"/o/{PREFIX}v720/0.m4s", PULL_SECRET)
    assert (answer.status_code, answer.content) == (200, SEGMENT)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["vary"] == "Streamhost-Edge"
    assert answer.headers["access-control-allow-origin"] == "*"
    part = place.get(f"/o/{PREFIX}v720/0.m4s", PULL_SECRET, Range="bytes=5-9")
    assert (part.status_code, part.content) == (206, SEGMENT[5:10])
    known = place.get(f"/o/{PREFIX}v720/0.m4s", PULL_SECRET, If_None_Match=answer.headers["etag"])
    assert known.status_code == 304
    assert place.get(f"/o/{PREFIX}master.m3u8", PULL_SECRET).headers["cache-control"] == "no-cache"
    assert place.get(f"/o/{PREFIX}poster.jpg", PULL_SECRET).headers["cache-control"] == "public, max-age=3600"


@pytest.mark.parametrize("secret", [None, "", "wrong", PULL_SECRET[:-1], PULL_SECRET + "x", PULL_SECRET.upper()])
def test_without_the_secret_nothing(place: Place, secret: str | None) -> None:
    """Neither objects, whether they are there or not, nor words about grants, good or bad."""
    for path in (
        f"/o/{PREFIX}v720/0.m4s",
        f"/o/{PREFIX}v720/1.m4s",
        f"/o/grant/segment/{place.grant()}/{VIDEO}",
        f"/o/grant/segment/x/{VIDEO}",
    ):
        answer = place.get(path, secret)
        assert answer.status_code == 403
        refused(answer, "not_an_edge")


def test_a_ticket_opens_its_object(place: Place) -> None:
    """To anybody, until it ends; caches are told when that is. Other objects, and later: refused."""
    answer = place.get(place.ticket(f"{PREFIX}v720/0.m4s"))
    assert answer.content == SEGMENT
    assert answer.headers["cache-control"] in {f"public, max-age={left}" for left in range(400, 601)}
    for path in (
        place.ticket(f"{PREFIX}v720/1.m4s").replace("1.m4s", "0.m4s"),
        place.ticket(f"{PREFIX}v720/0.m4s", -1),
        f"/o/{'0' * 8}-{'A' * 22}/{PREFIX}v720/0.m4s",
    ):
        refused(place.get(path), "invalid_ticket")
        refused(place.get(path, PULL_SECRET), "invalid_ticket")


@pytest.mark.parametrize("key", HIDDEN)
def test_only_packages_are_ever_sent(place: Place, key: str) -> None:
    """Not uploads, captions as they came, files to take along or stills: neither by the secret nor by a ticket."""
    for path, secret in ((f"/o/{key}", PULL_SECRET), (place.ticket(key), None)):
        answer = place.get(path, secret)
        assert answer.status_code == 404
        assert HIDDEN[key] not in answer.content


@pytest.mark.parametrize(
    "path",
    [
        "/o/",
        "/o/videos/",
        f"/o/{PREFIX}",
        f"/o/{PREFIX}v720/../../source/source.mp4",
        f"/o/{PREFIX}v720/..%2f..%2fsource/source.mp4",
        f"/o/{PREFIX}.hidden.mp4",
        "/o/grant/all/x/y",
        "/o/grant/segment/x/y/z",
    ],
)
def test_what_is_no_object_is_not_found(place: Place, path: str) -> None:
    """However it is spelt."""
    assert place.get(path, PULL_SECRET).status_code == 404


def test_an_edge_asks_about_grants(place: Place) -> None:
    """204 names the package; a poster's grant is good for that, one for a site for its pages; others are refused."""
    good = place.get(f"/o/grant/segment/{place.grant()}/{VIDEO}", PULL_SECRET)
    assert good.status_code == 204
    assert good.headers["streamhost-prefix"] == PREFIX
    assert good.headers["cache-control"] == "private, max-age=5"
    poster = place.grant(flags=POSTER_ONLY)
    assert place.get(f"/o/grant/poster/{poster}/{VIDEO}", PULL_SECRET).status_code == 204
    for_friend = f"/o/grant/file/{place.grant(origin='https://friend.example')}/{VIDEO}"
    assert place.get(for_friend, PULL_SECRET, Origin="https://friend.example").status_code == 204
    refusals = {
        f"/o/grant/segment/{poster}/{VIDEO}": "invalid_grant",
        f"/o/grant/file/{poster}/{VIDEO}": "invalid_grant",
        f"/o/grant/segment/{place.grant(life=0)}/{VIDEO}": "grant_expired",
        f"/o/grant/segment/{place.grant(video='anothervideo0001')}/{VIDEO}": "invalid_grant",
        f"/o/grant/segment/{place.grant()[:-1]}/{VIDEO}": "invalid_grant",
        for_friend: "wrong_origin",
    }
    for path, code in refusals.items():
        answer = place.get(path, PULL_SECRET)
        assert answer.status_code == 403
        refused(answer, code)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_objects_can_only_be_read(place: Place, method: str) -> None:
    """405 for everything else; browsers may ask beforehand."""
    assert place.get(f"/o/{PREFIX}v720/0.m4s", PULL_SECRET, method).status_code == 405
    assert place.get(f"/o/{PREFIX}v720/0.m4s", method="OPTIONS").status_code == 204


def test_without_a_cdn_no_secret_opens_anything(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A site that has set none answers nobody who claims to be its CDN, also not with an empty secret."""
    alone = _start(tmp_path_factory)
    try:
        for secret in (None, "", PULL_SECRET):
            refused(alone.get(f"/o/{PREFIX}v720/0.m4s", secret), "not_an_edge")
            refused(alone.get(f"/o/grant/segment/{alone.grant()}/{VIDEO}", secret), "not_an_edge")
    finally:
        alone.server.stop()
