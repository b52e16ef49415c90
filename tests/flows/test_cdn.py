"""The CDN through a video's life: brought there when it is ready, dropped when it goes, and told by API and command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import Result

from tests.support.clips import small_clip
from tests.support.command import afar, document, run
from tests.support.recording import Recording, recording
from tests.support.server import Api, RunningServer, until

SETTINGS = {
    "STREAMHOST_CDN_KIND": "secure_link",
    "STREAMHOST_CDN_LINK_SECRET": "the secret of the links",
    "STREAMHOST_CDN_PUSH": "true",
    "STREAMHOST_CDN_PURGE_TOKEN": "the token for purges",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A server that brings videos to a CDN, which writes down what it is asked."""

    server: RunningServer
    cdn: Recording
    alice: Api
    root: Api
    settings: dict[str, str]

    def copies(self, video: str) -> dict[str, Any]:
        """How far the copies of a video are."""
        answer = self.alice.get(f"/api/v1/videos/{video}/cdn")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def purged(self, prefix: str) -> bool:
        """Whether the CDN was told to drop what lies below a prefix."""
        return any(prefix in json.loads(one.body)["prefixes"] for one in self.cdn.of("POST"))

    def command(self, *arguments: str) -> Result:
        """`streamhost cdn …` beside the server."""
        return run("cdn", *arguments, "--data", str(self.server.data), env=self.settings)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with recording() as cdn:
        settings = SETTINGS | {
            "STREAMHOST_CDN_BASE_URL": f"{cdn.url}/media",
            "STREAMHOST_CDN_PURGE_URL": f"{cdn.url}/purge",
        }
        server = RunningServer(tmp_path_factory.mktemp("cdn") / "data", **settings).start()
        server.add_user("alice@example.org")
        server.add_user("root@example.org", "admin")
        yield Place(server, cdn, server.client("alice@example.org"), server.client("root@example.org"), settings)
        server.stop()


@pytest.fixture(scope="module")
def video(place: Place) -> str:
    """A public video that is ready, and at the CDN."""
    video = place.alice.upload(small_clip(), title="Bars", visibility="public")
    place.alice.wait_until(video, "ready")
    until(lambda: place.copies(video)["state"] == "synced")
    return video


def media(place: Place, video: str) -> set[str]:
    """The keys of everything that never changes under its name."""
    top = place.server.data / "media"
    return {
        path.relative_to(top).as_posix()
        for path in (top / "videos" / video).rglob("*")
        if path.suffix in (".m4s", ".mp4") and "source" not in path.parts
    }


def test_what_is_ready_is_brought_there(place: Place, video: str) -> None:
    """Every segment by the address that viewers get, nothing else of the video; API, command and overview say so."""
    keys = media(place, video)
    asked = [one.path for one in place.cdn.of("GET") if f"/{video}/" in one.path]
    assert {path.partition("?")[0].removeprefix("/media/") for path in asked} == keys
    assert all("md5=" in path and "expires=" in path for path in asked)
    assert place.copies(video)["objects"] == len(keys)
    seen = place.root.get("/api/v1/admin/cdn").json()
    assert (seen["kind"], seen["way"], seen["videos"]["synced"]) == ("secure_link", "redirect", 1)
    told = place.command("status", video, "--json")
    shown = document(told)
    assert shown == seen
    assert shown["copies"][0] | {"updated_at": None} == {
        "id": video,
        "state": "synced",
        "objects": len(keys),
        "cause": "",
        "updated_at": None,
    }
    assert "secret" not in told.stdout + place.command("status").stdout + json.dumps(seen)


def test_players_are_sent_there(place: Place, video: str) -> None:
    """302 for segments, for a minute and this player alone; manifests, posters and captions come from the site."""
    folder = place.alice.stream(video)["hls"].rpartition("/")[0]
    master = place.alice.get(f"{folder}/master.m3u8")
    assert master.status_code == 200
    playlist = next(line for line in master.text.splitlines() if line.endswith(".m3u8") and line[0] != "#")
    listed = place.alice.get(f"{folder}/{playlist}")
    assert listed.status_code == 200
    segment = next(line for line in listed.text.splitlines() if line.endswith(".m4s"))
    name = f"{playlist.rpartition('/')[0]}/{segment}"
    for method in ("GET", "HEAD"):
        answer = place.alice.request(method, f"{folder}/{name}", follow_redirects=False)
        assert answer.status_code == 302
        assert answer.headers["location"].startswith(f"{place.cdn.url}/media/videos/{video}/")
        assert answer.headers["cache-control"] == "private, max-age=60"
        assert answer.headers["access-control-allow-origin"] == "*"
    assert place.alice.get(f"/s/x/{video}/{name}", follow_redirects=False).status_code == 403
    assert place.alice.get(f"{folder}/poster.jpg", follow_redirects=False).status_code == 200
    policy = place.alice.get(f"/watch/{video}").headers["content-security-policy"]
    for directive in ("connect-src", "media-src", "img-src"):
        words = next(part for part in policy.split("; ") if part.startswith(directive)).split()
        assert place.cdn.url in words
    assert place.cdn.url not in next(part for part in policy.split("; ") if part.startswith("script-src"))


def test_trouble_is_told_and_mended(place: Place, video: str) -> None:
    """A CDN that refuses leaves the video `failed` with its words, the exit code tells, and it plays all the same. Once
    that is mended, `sync --all` brings what is missing."""
    place.cdn.status = 403
    told = place.command("sync", video, "--wait")
    assert told.exit_code == 1
    assert "answered 403" in told.stderr
    assert place.copies(video)["state"] == "failed"
    assert "answered 403" in place.copies(video)["cause"]
    assert "?" not in place.copies(video)["cause"], "no signature"
    assert place.alice.video(video)["playable"]
    place.cdn.status = 200
    assert place.command("sync", "--all", "--wait").exit_code == 0
    assert place.copies(video)["state"] == "synced"
    assert place.command("sync", "nosuchvideo").exit_code == 1
    assert place.command("sync").exit_code == 2


def test_from_afar(place: Place, video: str) -> None:
    """The same at the server, by an administrator's token: brought, waited for, told; others are refused."""
    far = afar(place.root)
    assert document(run("cdn", "sync", video, "--wait", "--json", env=far))["items"][0]["state"] == "synced"
    assert run("cdn", "sync", "--all", "--wait", env=far).output == "0 videos are at the CDN.\n"
    assert run("cdn", "status", video, env=far).output == place.command("status", video).stdout
    assert run("cdn", "sync", "nosuchvideo", env=far).exit_code == 1
    assert run("cdn", "status", env=afar(place.alice)).exit_code == 1
    gone = document(run("cdn", "purge", "Ab3dEf6hIj9kLm2n", "--json", env=far))
    assert gone == {"purging": ["Ab3dEf6hIj9kLm2n"]}
    until(lambda: place.purged("videos/Ab3dEf6hIj9kLm2n/"))


def test_copies_are_dropped_on_demand(place: Place, video: str) -> None:
    """By command and by API, with the token; afterwards nothing is said to be there."""
    before = len(place.cdn.of("POST"))
    assert place.command("purge", video).exit_code == 0
    until(lambda: len(place.cdn.of("POST")) == before + 1)
    asked = place.cdn.of("POST")[-1]
    assert (asked.path, asked.authorization) == ("/purge", "Bearer the token for purges")
    assert json.loads(asked.body) == {"prefixes": [f"videos/{video}/"]}
    assert place.copies(video)["state"] == "none"
    assert place.root.post(f"/api/v1/videos/{video}/cdn", json={"action": "sync"}).json()["state"] == "pending"
    until(lambda: place.copies(video)["state"] == "synced")
    assert place.root.post(f"/api/v1/videos/{video}/cdn", json={"action": "purge"}).status_code == 202
    until(lambda: len(place.cdn.of("POST")) == before + 2)


def test_what_is_closed_is_dropped(place: Place, video: str) -> None:
    """A video that becomes private leaves no copies behind; its owner is still sent there, and brings new ones."""
    before = len(place.cdn.of("POST"))
    assert place.alice.patch(f"/api/v1/videos/{video}", json={"visibility": "private"}).status_code == 200
    until(lambda: len(place.cdn.of("POST")) > before)
    assert json.loads(place.cdn.of("POST")[-1].body) == {"prefixes": [f"videos/{video}/"]}
    assert place.copies(video)["state"] == "none"


def test_what_is_deleted_is_dropped(place: Place) -> None:
    """Once the files are gone, and however long the CDN was away: it is told again until it has listened."""
    video = place.alice.upload(small_clip(), title="Short-lived", visibility="public")
    place.alice.wait_until(video, "ready")
    until(lambda: place.copies(video)["state"] == "synced")
    place.cdn.status = 503
    assert place.alice.delete(f"/api/v1/videos/{video}").status_code == 204
    until(lambda: place.purged(f"videos/{video}/"))
    assert not media(place, video)
    assert place.root.get("/api/v1/admin/cdn").json()["purges_waiting"] >= 1
    before = len(place.cdn.asked)
    place.cdn.status = 200
    until(lambda: any(f"videos/{video}/".encode() in one.body for one in place.cdn.asked[before:]))
    until(lambda: place.root.get("/api/v1/admin/cdn").json()["purges_waiting"] == 0)
