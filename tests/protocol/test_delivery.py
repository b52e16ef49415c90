"""The delivery path of a real server, asked over real sockets, by the HTTP server and by the port for media: who gets
bytes, which bytes, and with which words."""

from __future__ import annotations

import http.client
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from streamhost.config import load
from streamhost.instance import Instance, Purpose, open_instance
from streamhost.model.clock import system_clock
from streamhost.model.grants import POSTER_ONLY, Grants
from streamhost.model.ids import PackageId, SessionId, VideoId
from streamhost.model.videos import package_prefix, source_prefix
from tests.support.ports import free_port
from tests.support.server import RunningServer

VIDEO, PACKAGE = VideoId("deliveredvideo01"), PackageId("deliveredpack001")
OTHER_VIDEO, OTHER_PACKAGE = VideoId("deliveredvideo02"), PackageId("deliveredpack002")
SESSION = SessionId("somebodyssession")
SMALL, MIDDLE, LARGE = os.urandom(1000), os.urandom(300_000), os.urandom(3_000_000)
FILES = {
    "master.m3u8": b"#EXTM3U\n",
    "manifest.mpd": b"<MPD/>",
    "poster.jpg": b"\xff\xd8\xff\xd9",
    "v720/init.mp4": SMALL,
    "v720/0.m4s": MIDDLE,
    "v720/4000.m4s": LARGE,
    "captions/en.vtt": b"WEBVTT\n",
    "v720/notes.txt": b"not for anybody",
    "empty.m4s": b"",
}


@dataclass
class Place:
    """A server with files in its storage, and its keys."""

    server: RunningServer
    instance: Instance
    port: int

    def grant(self, video: VideoId = VIDEO, package: PackageId = PACKAGE, *, life: float = 600, flags: int = 0) -> str:
        """The text of a grant that this server believes."""
        return Grants(self.instance.keys.ring(Purpose.GRANTS), system_clock, life).issue(
            video, package, SESSION, flags=flags
        )[0]

    def url(self, name: str, grant: str | None = None, video: str = VIDEO) -> str:
        """The path of a file below a grant."""
        return f"/s/{grant or self.grant()}/{video}/{name}"

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Send the path exactly as it is written; no library tidies it up."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=150)
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        response = connection.getresponse()
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        connection.close()
        return answer


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


def store(data: Path, video: VideoId, package: PackageId) -> None:
    """Lay files where the local storage keeps them."""
    for name, content in FILES.items():
        path = data / "media" / package_prefix(video, package) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    media_port = str(free_port())
    data = tmp_path_factory.mktemp("delivery") / "data"
    server = RunningServer(data, STREAMHOST_SERVER_MEDIA_PORT=media_port).start()
    store(server.data, VIDEO, PACKAGE)
    store(server.data, OTHER_VIDEO, OTHER_PACKAGE)
    secret = server.data / "media" / source_prefix(VIDEO) / "source.mp4"
    secret.parent.mkdir(parents=True)
    secret.write_bytes(b"the uploaded file")
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module", params=["http", "media"])
def place(server: RunningServer, request: pytest.FixtureRequest) -> Place:
    instance = open_instance(server.data)
    media_port = load(server.data, server.environment).server.media_port
    return Place(server, instance, media_port if request.param == "media" else server.port)


@pytest.mark.parametrize(
    ("name", "media_type", "cache"),
    [
        ("master.m3u8", "application/vnd.apple.mpegurl", "no-cache"),
        ("manifest.mpd", "application/dash+xml", "no-cache"),
        ("poster.jpg", "image/jpeg", "private, max-age=3600"),
        ("v720/init.mp4", "video/mp4", "private, max-age=31536000, immutable"),
        ("v720/0.m4s", "video/iso.segment", "private, max-age=31536000, immutable"),
        ("v720/4000.m4s", "video/iso.segment", "private, max-age=31536000, immutable"),
        ("captions/en.vtt", "text/vtt; charset=utf-8", "private, max-age=3600"),
        ("empty.m4s", "video/iso.segment", "private, max-age=31536000, immutable"),
    ],
)
def test_a_grant_opens_every_file_of_its_package(place: Place, name: str, media_type: str, cache: str) -> None:
    """The exact bytes, with type, length, validators, cache rule and CORS; HEAD says the same without the bytes."""
    answer = place.ask(place.url(name))
    assert answer.status == 200
    assert answer.body == FILES[name]
    headers = answer.headers
    assert headers["content-type"] == media_type
    assert headers["content-length"] == str(len(FILES[name]))
    assert headers["cache-control"] == cache
    assert headers["accept-ranges"] == "bytes"
    assert headers["access-control-allow-origin"] == "*"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["etag"].startswith('"')
    assert headers["last-modified"].endswith("GMT")
    head = place.ask(place.url(name), "HEAD")
    assert (head.status, head.body) == (200, b"")
    for name_ in ("content-type", "content-length", "etag", "last-modified", "cache-control", "accept-ranges"):
        assert head.headers[name_] == headers[name_]


def refused(answer: Answer, status: int, code: str) -> None:
    """A problem with CORS, so that players can read it, kept by no cache, and not one byte of a file."""
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-store"
    assert f'"code": "{code}"'.encode() in answer.body
    assert not any(content and content in answer.body for content in FILES.values())


def test_an_expired_grant_opens_nothing(place: Place) -> None:
    """403 with its own code, so that a player knows to renew it."""
    refused(place.ask(place.url("v720/0.m4s", place.grant(life=0))), 403, "grant_expired")


@pytest.mark.parametrize("name", ["v720/0.m4s", "no/such/file.m4s", "master.m3u8"])
def test_a_changed_grant_opens_nothing(place: Place, name: str) -> None:
    """One letter changed anywhere: 403, whether the file is there or not."""
    grant = place.grant()
    for at in range(0, len(grant), 7):
        other = "A" if grant[at] != "A" else "B"
        refused(place.ask(place.url(name, grant[:at] + other + grant[at + 1 :])), 403, "invalid_grant")


@pytest.mark.parametrize("spelling", ["{}=", "{}.x", "{}%00", "{}%C3%A9", "{}~", "=", "a" * 600, "%FF"])
def test_what_no_grant_looks_like_is_a_wrong_grant(place: Place, spelling: str) -> None:
    """Signs that no grant has, spare padding, endless text: 403 as for any other wrong grant."""
    refused(place.ask(place.url("v720/0.m4s", spelling.format(place.grant()))), 403, "invalid_grant")


def test_another_instances_grant_opens_nothing(place: Place, tmp_path: Path) -> None:
    """A grant signed with somebody else's key is no grant."""
    foreign = Grants(open_instance(tmp_path).keys.ring(Purpose.GRANTS), system_clock, 600)
    refused(place.ask(place.url("v720/0.m4s", foreign.issue(VIDEO, PACKAGE, SESSION)[0])), 403, "invalid_grant")


def test_another_videos_grant_opens_nothing(place: Place) -> None:
    """A grant is for one video: neither may its own address name another, nor another's address carry it."""
    refused(place.ask(place.url("v720/0.m4s", place.grant(OTHER_VIDEO, OTHER_PACKAGE))), 403, "invalid_grant")
    refused(place.ask(place.url("v720/0.m4s", video=OTHER_VIDEO)), 403, "invalid_grant")


def test_another_package_is_out_of_reach(place: Place) -> None:
    """The package stands in the grant, not in the address."""
    grant = place.grant(VIDEO, OTHER_PACKAGE)
    refused(place.ask(place.url("v720/0.m4s", grant)), 404, "not_found")
    refused(place.ask(place.url(f"{PACKAGE}/v720/0.m4s", grant)), 404, "not_found")


def test_a_poster_grant_opens_the_poster_only(place: Place) -> None:
    """A link in a list shows the picture and plays nothing."""
    grant = place.grant(flags=POSTER_ONLY)
    assert place.ask(place.url("poster.jpg", grant)).body == FILES["poster.jpg"]
    for name in ("v720/0.m4s", "master.m3u8", "v720/poster.jpg"):
        refused(place.ask(place.url(name, grant)), 403, "invalid_grant")


@pytest.mark.parametrize(
    "name", ["v720/1.m4s", "v720/notes.txt", "v720", "v720/", "", "v720.m4s", "v720//0.m4s", "x" * 101 + ".m4s"]
)
def test_what_is_not_there_is_not_found(place: Place, name: str) -> None:
    """404 for names that no package has, and for kinds of files that are never delivered."""
    refused(place.ask(place.url(name)), 404, "not_found")


TRAVERSALS = [
    "../source/source.mp4",
    "v720/../../source/source.mp4",
    "%2e%2e/source/source.mp4",
    "%2E%2E%2Fsource%2Fsource.mp4",
    "..%2fsource%2fsource.mp4",
    "%252e%252e%252fsource/source.mp4",
    "..%5csource%5csource.mp4",
    "..\\source\\source.mp4",
    ".%2e/source/source.mp4",
    "..;/source/source.mp4",
    "..%c0%afsource/source.mp4",
    "%c0%ae%c0%ae/source/source.mp4",
    "%uff0e%uff0e/source/source.mp4",
    "v720/0.m4s/../../../source/source.mp4",
    "./v720/0.m4s",
    "v720/./0.m4s",
    "v720/%2e/0.m4s",
    "v720%2f..%2f..%2fsource%2fsource.mp4",
    "/etc/passwd.mp4",
    "//etc/passwd.mp4",
    "%2fetc%2fpasswd.mp4",
    ".hidden.mp4",
    "v720/.hidden.mp4",
    "v720/0.m4s%00.mp4",
    "v720/0%00.m4s",
    "v720/0.m4s%0a",
    "v720/0.m4s%20",
    "v720/0.m4s;a=b",
    "v720/0.m4s:stream.mp4",
    "v720/0.M4S",
    "~root/x.mp4",
]


@pytest.mark.parametrize("name", TRAVERSALS)
def test_no_name_leads_out_of_the_package(place: Place, name: str) -> None:
    """However a way out is spelt, it is not found (or not even a request)."""
    with socket.create_connection(("127.0.0.1", place.port), timeout=150) as raw:
        target = place.url(name).encode("latin-1", "replace")
        raw.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while piece := raw.recv(65536):
            answer += piece
    assert answer.split(b" ")[1] in (b"404", b"400"), answer[:200]
    assert b"the uploaded file" not in answer
    assert MIDDLE not in answer


@pytest.mark.parametrize("grant", ["", "x", ".", "..", "%2e%2e", "A" * 513, "A" * 100_000, "é", "%00"])
def test_no_grant_no_file(place: Place, grant: str) -> None:
    """Whatever stands in the place of the grant: refused."""
    answer = place.ask(f"/s/{grant.encode('ascii', 'replace').decode()}/{VIDEO}/v720/0.m4s")
    assert answer.status in (403, 404, 414, 431)
    assert MIDDLE not in answer.body


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_streams_can_only_be_read(place: Place, method: str) -> None:
    """405 with what is allowed, for every other method."""
    answer = place.ask(place.url("v720/0.m4s"), method, Content_Length="0")
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


def test_preflight_needs_no_grant(place: Place) -> None:
    """Browsers ask without credentials whether they may send a Range from another site: they may."""
    answer = place.ask(
        place.url("v720/0.m4s", "anything"),
        "OPTIONS",
        Origin="https://other.example",
        Access_Control_Request_Method="GET",
        Access_Control_Request_Headers="range",
    )
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
    assert "Range" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("name", ["v720/init.mp4", "v720/0.m4s", "v720/4000.m4s"])
@pytest.mark.parametrize(
    ("first", "last"), [(0, 0), (0, 99), (100, 999), (500, None), (None, 7), (10, 10**9), (0, None)]
)
def test_a_range_is_that_part(place: Place, name: str, first: int | None, last: int | None) -> None:
    """206 with exactly these bytes, for files of every size."""
    content = FILES[name]
    text = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    start = len(content) - (last or 0) if first is None else first
    end = len(content) if first is None or last is None else min(last + 1, len(content))
    answer = place.ask(place.url(name), Range=text)
    assert answer.status == 206
    assert answer.body == content[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(content)}"
    assert answer.headers["content-length"] == str(end - start)
    assert answer.headers["content-type"] == ("video/mp4" if name.endswith("mp4") else "video/iso.segment")


def test_a_large_range_comes_in_pieces(place: Place) -> None:
    """More than is read at a time still arrives whole and in order."""
    answer = place.ask(place.url("v720/4000.m4s"), Range="bytes=1-2999998")
    assert answer.body == LARGE[1:2_999_999]


def test_there_is_no_such_range(place: Place) -> None:
    """416 names the size."""
    answer = place.ask(place.url("v720/init.mp4"), Range="bytes=1000-")
    refused(answer, 416, "range_not_satisfiable")
    assert answer.headers["content-range"] == "bytes */1000"


@pytest.mark.parametrize("text", ["bytes=0-1,4-5", "lines=1-2", "bytes=5-1", "nonsense"])
def test_other_ranges_are_answered_with_the_whole(place: Place, text: str) -> None:
    """Several ranges, or none that can be understood: 200 and everything."""
    answer = place.ask(place.url("v720/init.mp4"), Range=text)
    assert (answer.status, answer.body) == (200, SMALL)


def test_if_range_guards_against_mixing_versions(place: Place) -> None:
    """The part for the version that the client has, the whole for any other."""
    url = place.url("v720/init.mp4")
    etag = place.ask(url).headers["etag"]
    assert place.ask(url, Range="bytes=0-9", If_Range=etag).status == 206
    other = place.ask(url, Range="bytes=0-9", If_Range='"other"')
    assert (other.status, other.body) == (200, SMALL)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_the_client_has_is_not_sent_again(place: Place, method: str) -> None:
    """304 by tag or date, with the headers that a cache needs."""
    url = place.url("master.m3u8")
    first = place.ask(url)
    for name, value in (
        ("If-None-Match", first.headers["etag"]),
        ("If-Modified-Since", first.headers["last-modified"]),
    ):
        again = place.ask(url, method, **{name: value})
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["cache-control"] == "no-cache"
        assert again.headers["access-control-allow-origin"] == "*"
    assert place.ask(url, If_None_Match='"other"').status == 200


def test_a_manifest_that_grows_is_seen_at_once(place: Place) -> None:
    """Renditions are added while somebody watches: the next look has another tag and the new text."""
    path = place.server.data / "media" / package_prefix(VIDEO, PACKAGE) / "growing.m3u8"
    url = place.url("growing.m3u8")
    path.write_bytes(b"#EXTM3U\n")
    first = place.ask(url)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(b"#EXTM3U\n#more\n")
    fresh.replace(path)
    second = place.ask(url, If_None_Match=first.headers["etag"])
    assert (second.status, second.body) == (200, b"#EXTM3U\n#more\n")
    path.unlink()
    refused(place.ask(url), 404, "not_found")


def test_a_file_stays_right_when_it_is_asked_for_often(place: Place) -> None:
    """Whatever the server keeps of a file, it is this version of it, whole and in ranges."""
    path = place.server.data / "media" / package_prefix(VIDEO, PACKAGE) / "often.m4s"
    url = place.url("often.m4s")
    for content in (os.urandom(400_000), os.urandom(400_000), os.urandom(900_000), b"short"):
        fresh = path.with_suffix(".new")
        fresh.write_bytes(content)
        fresh.replace(path)
        for _ in range(5):
            assert place.ask(url).body == content
            assert place.ask(url, Range="bytes=1-3").body == content[1:4]
            assert place.ask(url, "HEAD").headers["content-length"] == str(len(content))
    path.unlink()
    refused(place.ask(url), 404, "not_found")


def test_one_connection_serves_many_requests(place: Place) -> None:
    """Keep-alive: every answer ends where it says it ends."""
    connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=150)
    for name in ["v720/4000.m4s", "master.m3u8", "v720/1.m4s", "v720/0.m4s", "empty.m4s"] * 3:
        connection.request("GET", place.url(name))
        body = connection.getresponse().read()
        assert name not in FILES or body == FILES[name]
    connection.close()
