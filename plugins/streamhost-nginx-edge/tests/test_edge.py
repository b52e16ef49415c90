"""The edge at work: one copy for all viewers, nothing without a permission, and little left to do for the site."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import pytest

from edge_rig import PULL_SECRET, SECRET, Edge
from streamhost.cli.doctor import cdn, proof
from streamhost.model.grants import POSTER_ONLY
from streamhost_nginx_edge import edge as tool
from tests.support.clips import small_clip
from tests.support.command import run
from tests.support.installed import plugin_path
from tests.support.server import until, within

VIDEO, PACKAGE = "edgevideo0000001", "edgepackage00001"
PREFIX = f"videos/{VIDEO}/{PACKAGE}/"
SEGMENT = bytes(range(256)) * 12_000
REVOKED_WITHIN = 10.0
"""Seconds after which a permission that was taken back must be worth nothing at the edge."""


def path(grant: str, name: str = "v720/0.m4s", video: str = VIDEO) -> str:
    return f"/s/{grant}/{video}/{name}"


@pytest.fixture(scope="module")
def stocked(edge: Edge) -> Edge:
    """The edge, with a made-up video at the site."""
    edge.store(f"{PREFIX}v720/0.m4s", SEGMENT)
    edge.store(f"{PREFIX}v720/init.mp4", b"init")
    edge.store(f"{PREFIX}master.m3u8", b"#EXTM3U\n")
    edge.store(f"{PREFIX}poster.jpg", b"\xff\xd8\xff\xd9")
    return edge


def test_one_copy_serves_all(stocked: Edge) -> None:
    """Each viewer has a permission of their own, and all but the first get the same copy, with the site's words."""
    name = "v720/one.m4s"
    stocked.store(f"{PREFIX}{name}", SEGMENT)
    answers = [stocked.get(path(stocked.grant(VIDEO, PACKAGE, f"session{n:09}"), name)) for n in range(5)]
    assert [answer.headers["x-cache"] for answer in answers] == ["MISS", *["HIT"] * 4]
    assert all(answer.content == SEGMENT for answer in answers)
    headers = answers[-1].headers
    assert headers.get_list("access-control-allow-origin") == ["*"]
    assert headers.get_list("cache-control") == ["private, max-age=31536000, immutable"]
    assert headers["content-type"] == "video/iso.segment"
    assert stocked.fetched(name) == 3, "a slice each of 3 MB, once"


def test_the_doctor_goes_there(edge: Edge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It finds the edge by the plugin's settings, gets a segment by a link and by a permission and by nothing else, and
    sees that a copy goes; a wrong secret is told."""
    for place in reversed(plugin_path(tmp_path / "plugins", "streamhost-nginx-edge").split(os.pathsep)):
        monkeypatch.syspath_prepend(place)
    monkeypatch.setattr("streamhost.cli.doctor.asking.PATIENCE", 60.0)
    monkeypatch.setattr("streamhost.cli.doctor.MACHINE", ())
    monkeypatch.setattr("streamhost.cli.doctor.SITE", (cdn.copies, proof.private))

    def lines(secret: str, code: int) -> dict[str, str]:
        plugin = {"NGINX_EDGE_BASE_URL": edge.url, "NGINX_EDGE_SECRET": secret}
        given = {f"STREAMHOST_PLUGINS_{name}": value for name, value in plugin.items()}
        given |= {"STREAMHOST_CDN_KIND": "nginx-edge", "STREAMHOST_CDN_PULL_SECRET": PULL_SECRET}
        told = run("doctor", "--json", "--data", str(edge.server.data), env=given)
        assert told.exit_code == code, told.output
        # The purger prints what it drops, in this process too.
        document = json.loads(told.stdout[told.stdout.index("{\n") :])
        return {line["name"]: line["level"] for line in document["lines"]}

    well = dict.fromkeys(("cdn", "cdn delivery", "cdn purges", "privacy", "privacy by CDN"), "ok")
    assert lines(SECRET, 0) == well | {"privacy of the API": "skip", "privacy by CDN of the API": "skip"}
    wrong = lines("x" * 32, 1)
    assert (wrong["cdn delivery"], wrong["cdn purges"], wrong["privacy by CDN"]) == ("fail", "fail", "ok")


def test_parts_are_parts(stocked: Edge) -> None:
    """Ranges within and across slices, the end, HEAD, conditions: as from the site; a range that is not there: 416."""
    url = path(stocked.grant(VIDEO, PACKAGE))
    for first, last in ((0, 0), (10, 1_048_575), (1_048_570, 1_048_580), (3_000_000, len(SEGMENT) - 1)):
        answer = stocked.get(url, Range=f"bytes={first}-{last}")
        assert (answer.status_code, answer.content) == (206, SEGMENT[first : last + 1])
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(SEGMENT)}"
    head = stocked.get(url, "HEAD")
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(SEGMENT)))
    assert stocked.get(url, If_None_Match=head.headers["etag"]).status_code == 304
    assert stocked.get(url, Range=f"bytes={len(SEGMENT)}-").status_code == 416


def test_nothing_without_a_permission(stocked: Edge) -> None:
    """Wrong, over, for another video, for the poster alone: refused in the site's own words, though a copy is there."""
    assert stocked.get(path(stocked.grant(VIDEO, PACKAGE))).status_code == 200
    poster = stocked.grant(VIDEO, PACKAGE, flags=POSTER_ONLY)
    good = stocked.grant(VIDEO, PACKAGE)
    wrong = {
        path("AAAA"): "invalid_grant",
        path(good[:-1] + ("B" if good[-1] == "A" else "A")): "invalid_grant",
        path(stocked.grant(VIDEO, PACKAGE, life=0)): "grant_expired",
        path(stocked.grant("anothervideo0001", PACKAGE)): "invalid_grant",
        path(poster): "invalid_grant",
    }
    for url, code in wrong.items():
        answer = stocked.get(url)
        assert (answer.status_code, answer.json()["code"]) == (403, code)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers.get_list("access-control-allow-origin") == ["*"]
    assert stocked.get(path(poster, "poster.jpg")).content == b"\xff\xd8\xff\xd9"
    other_package = stocked.get(path(stocked.grant(VIDEO, "anotherpackage01")))
    assert other_package.status_code == 404, "the copy belongs to the package that the permission names"


@pytest.mark.parametrize(
    "way_round",
    [
        f"/o/{PREFIX}v720/0.m4s",
        f"/o/{PREFIX}v720/0.m4s?md5=AAAAAAAAAAAAAAAAAAAAAA&expires=9999999999",
        f"/o/grant/segment/x/{VIDEO}",
        "/-/grant",
        "/",
        "/api/v1/videos",
        f"/s/../o/{PREFIX}v720/0.m4s",
        f"/s/x/{VIDEO}/../../../o/{PREFIX}v720/0.m4s",
    ],
)
def test_no_way_round_the_permission(stocked: Edge, way_round: str) -> None:
    """Not by the paths between edge and site, and not by claiming to be the edge."""
    assert stocked.get(path(stocked.grant(VIDEO, PACKAGE))).status_code == 200
    for headers in ({}, {"Streamhost_Edge": PULL_SECRET}):
        answer = stocked.get(way_round, **headers)
        assert answer.status_code in (403, 404)
        assert SEGMENT[:1000] not in answer.content


def test_a_permission_for_one_site_is_for_its_pages(stocked: Edge) -> None:
    """The edge asks for each site anew: what one may is not believed of another."""
    grant = stocked.grant(VIDEO, PACKAGE, origin="https://friend.example")
    url = path(grant)
    for _ in range(2):
        assert stocked.get(url, Origin="https://friend.example").status_code == 200
        assert stocked.get(url, Referer="https://friend.example/page?x=1").status_code == 200
        refusal = stocked.get(url, Origin="https://stranger.example")
        assert (refusal.status_code, refusal.json()["code"]) == (403, "wrong_origin")
        assert stocked.get(url).status_code == 403


def test_manifests_are_kept_for_a_moment(stocked: Edge) -> None:
    """What grows while renditions are made is seen within seconds; browsers are told to ask each time."""
    url = path(stocked.grant(VIDEO, PACKAGE), "master.m3u8")
    assert stocked.get(url).headers["cache-control"] == "no-cache"
    assert stocked.get(url).headers["x-cache"] in ("HIT", "MISS", "EXPIRED", "UPDATING", "STALE", "REVALIDATED")
    stocked.store(f"{PREFIX}master.m3u8", b"#EXTM3U\n#grown\n")
    until(lambda: stocked.get(url).content.endswith(b"#grown\n"))


def test_a_real_video_by_the_edge(edge: Edge) -> None:
    """Manifests, segments and licences of a protected video come; nothing of keys and licences is ever kept. Closing it
    ends what viewers were given within ten seconds, while its owner still gets the same copies."""
    alice = edge.alice
    video = alice.upload(small_clip(), title="Bars", visibility="public", protection="cenc")
    alice.wait_until(video, "ready")
    stream = httpx.get(f"{edge.server.url}/api/v1/stream/{video}").json()
    master = edge.get(stream["hls"])
    assert master.text.startswith("#EXTM3U")
    folder = stream["hls"].rpartition("/")[0]
    playlist = next(line for line in master.text.splitlines() if line.endswith(".m3u8") and not line.startswith("#"))
    names = [line for line in edge.get(f"{folder}/{playlist}").text.splitlines() if line.endswith(".m4s")]
    segment = f"{folder}/{playlist.rpartition('/')[0]}/{names[0]}"
    assert [edge.get(segment).headers["x-cache"] for _ in range(2)] == ["MISS", "HIT"]
    before = len(edge.road)
    licence = stream["license"]["org.w3.clearkey"]
    for _ in range(2):
        answer = httpx.post(edge.url + licence, json={"kids": [], "type": "temporary"})
        assert answer.headers["cache-control"] == "no-store"
        assert "x-cache" not in answer.headers
    assert sum("/license/" in line for line in edge.road[before:]) == 2
    assert edge.road[-1].endswith(" 127.0.0.1"), "the site is told who asks"
    assert alice.patch(f"/api/v1/videos/{video}", json={"visibility": "private"}).status_code == 200
    within(REVOKED_WITHIN, lambda: edge.get(segment).status_code == 403)
    assert edge.get(segment).json()["code"] == "grant_revoked"
    own = alice.stream(video)["hls"].rpartition("/")[0]
    answer = edge.get(segment.replace(folder, own))
    assert (answer.status_code, answer.headers["x-cache"]) == (200, "HIT")


def test_the_site_has_little_left_to_do(stocked: Edge) -> None:
    """Twenty viewers of ten segments: the site sends each segment once, and is asked once about each viewer."""
    for number in range(10):
        stocked.store(f"{PREFIX}load/{number}.m4s", SEGMENT[: 100_000 + number])
    stocked.get("/")  # nginx does one thing after the other: what was asked before stands in its log now
    asked, answered = len(stocked.road), len(stocked.log)
    for viewer in range(20):
        grant = stocked.grant(VIDEO, PACKAGE, f"loadsession{viewer:05}")
        with httpx.Client(base_url=stocked.url) as client:
            for number in range(10):
                assert client.get(path(grant, f"load/{number}.m4s")).status_code == 200
    road = stocked.road[asked:]
    assert sum(line.startswith("GET /o/videos/") and "/load/" in line for line in road) == 10
    assert 20 <= sum("/o/grant/" in line for line in road) <= 60, "once a viewer, again after five seconds"
    until(lambda: tool.report(stocked.log[answered:])["requests"] >= 200)
    told = tool.report(stocked.log[answered:])
    assert told["requests"] == 200
    assert told["hit_rate"] == 0.95
    assert told["bytes_from_copies"] == 19 * told["bytes_fetched"]


def test_only_the_site_drops_copies(stocked: Edge) -> None:
    """Without its secret 401, with nonsense 400, and nothing is dropped."""
    assert stocked.get(path(stocked.grant(VIDEO, PACKAGE), "v720/init.mp4")).status_code == 200
    good = {"Authorization": f"Bearer {SECRET}"}
    for headers, body, status in (
        ({}, {"prefixes": [PREFIX]}, 401),
        ({"Authorization": "Bearer wrong"}, {"prefixes": [PREFIX]}, 401),
        (good, {"prefixes": ["videos/"]}, 400),
        (good, {"prefixes": ["../"]}, 400),
        (good, {"prefixes": PREFIX}, 400),
        (good, [], 400),
    ):
        assert httpx.post(f"{stocked.url}/-/purge", headers=headers, json=body).status_code == status
    assert stocked.get(path(stocked.grant(VIDEO, PACKAGE), "v720/init.mp4")).headers["x-cache"] == "HIT"


def raising(error: Exception) -> Callable[[Path, Sequence[str]], int]:
    """A `drop` that fails."""

    def drop(_cache: Path, _prefixes: Sequence[str]) -> int:
        raise error

    return drop


def test_a_large_cache_is_gone_through_once_for_all_who_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks hears in time that it goes on; what was asked for meanwhile is dropped in one go afterwards."""
    begun, go, walks = threading.Event(), threading.Event(), list[list[str]]()

    def slow(_cache: Path, prefixes: Sequence[str]) -> int:
        walks.append(list(prefixes))
        begun.set()
        go.wait()
        return 3

    monkeypatch.setattr(tool, "drop", slow)
    monkeypatch.setattr(tool, "PATIENCE_SECONDS", 0.05)
    dropping = tool.Dropping(tmp_path)
    assert dropping.order(["videos/a/"]) is None
    begun.wait()
    assert [dropping.order([prefix]) for prefix in ("videos/c/", "videos/b/", "videos/c/")] == [None] * 3
    monkeypatch.setattr(tool, "PATIENCE_SECONDS", 60.0)
    go.set()
    assert dropping.order(["videos/d/"]) == 3
    dropped = [prefix for walk in walks for prefix in walk]
    assert dropped == ["videos/a/", "videos/b/", "videos/c/", "videos/d/"]
    assert walks[0] == ["videos/a/"] and "videos/b/" in walks[1] and "videos/c/" in walks[1]
    for error in (PermissionError("no right to"), ValueError("odd")):
        monkeypatch.setattr(tool, "drop", raising(error))
        with pytest.raises(tool.Wrong, match=type(error).__name__):
            dropping.order(["videos/e/"])
    monkeypatch.setattr(tool, "drop", lambda _cache, _prefixes: 7)
    assert dropping.order(["videos/e/"]) == 7, "the next ones have their turn"


def test_without_the_site_nobody_gets_anything(stocked: Edge) -> None:
    """When it cannot be asked, permissions are believed for their five seconds and no longer. Afterwards it goes on."""
    url = path(stocked.grant(VIDEO, PACKAGE))
    assert stocked.get(url).status_code == 200
    stocked.server.stop()
    within(REVOKED_WITHIN, lambda: stocked.get(url).status_code in (502, 504))
    stocked.server.restart()
    until(lambda: stocked.get(url).status_code == 200)


def test_what_cannot_stand_in_a_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Short secrets, directives in names, a certificate without its key: said, and nothing is written."""
    secret = tmp_path / "secret"
    secret.write_text("s" * 32)
    short = tmp_path / "short"
    short.write_text("short")
    fine = ["config", "--site", "https://video.example.org", "--name", "cdn.example.org", "--listen", "80"]
    secrets = ["--secret-file", str(secret), "--pull-secret-file", str(secret)]
    assert tool.main([*fine, *secrets]) == 0
    written = capsys.readouterr().out
    assert "proxy_ssl_verify on;" in written
    assert not re.findall(r"@[a-z_]+@", written)
    for arguments in (
        [*fine, *secrets, "--name", "x; return 200"],
        [*fine, *secrets, "--listen", "443 ssl"],
        [*fine, *secrets, "--certificate", "/c.pem"],
        [*fine, *secrets, "--site", "video.example.org"],
        [*fine, "--secret-file", str(short), "--pull-secret-file", str(secret)],
        [*fine, "--secret-file", str(tmp_path / "none"), "--pull-secret-file", str(secret)],
    ):
        assert tool.main(arguments) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err


def test_a_report_bears_odd_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half a line, other lines, refusals: what can be counted is."""
    lines = ['{"cache":"HIT","status":200,"bytes":10}', '{"cache":"MISS","status":206,"bytes":5}', '{"cache":', "x"]
    lines.append('{"cache":"","status":403,"bytes":1}')
    log = tmp_path / "edge.log"
    log.write_text("\n".join(lines))
    assert tool.main(["report", str(log)]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "requests": 2,
        "hits": 1,
        "hit_rate": 0.5,
        "bytes_from_copies": 10,
        "bytes_fetched": 5,
        "refused": 1,
    }
