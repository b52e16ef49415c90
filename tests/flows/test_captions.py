"""Captions and chapters over HTTP, on a real server: uploaded, taken out of a file, changed, removed, played."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.films import film as make_film
from tests.support.server import Api, RunningServer, until

SRT = b"1\n00:00:00,500 --> 00:00:01,500\n<i>Hello</i>\n"
LATIN = "1\n00:00:01,000 --> 00:00:02,000\nGr\u00fc\u00dfe\n".encode("cp1252")


@pytest.fixture(scope="module")
def alice(site: RunningServer) -> Api:
    return site.client("alice@example.org")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds with two languages of sound, subtitles in French and two chapters."""
    return make_film(tmp_path_factory.mktemp("film"))


@pytest.fixture(scope="module")
def video(alice: Api, film: Path) -> dict[str, Any]:
    """A public video that nobody changes, ready, with the captions that its file brought."""
    return made(alice, film)


@pytest.fixture
def fresh(alice: Api, film: Path) -> dict[str, Any]:
    """The same, for one test alone."""
    return made(alice, film)


def made(alice: Api, film: Path) -> dict[str, Any]:
    """Upload the film and wait for all that comes of it."""
    ready = alice.wait_until(alice.upload(film, title="Film", visibility="public"), "ready")
    until(lambda: len(shown(alice, ready["id"])) == 1)
    return ready


def shown(api: Api, video_id: str) -> list[dict[str, Any]]:
    """The captions of the stream."""
    return list(api.stream(video_id)["captions"])


def add(api: Api, video_id: str, file: bytes = SRT, **fields: str) -> httpx.Response:
    """Upload captions."""
    return api.post(
        f"/api/v1/videos/{video_id}/captions", data={"language": "en"} | fields, files={"file": ("a", file)}
    )


def test_subtitles_in_the_file_become_captions(alice: Api, video: dict[str, Any]) -> None:
    """They are listed and named in their language, stand in both manifests, and are WebVTT."""
    [listed] = alice.get(f"/api/v1/videos/{video['id']}/captions").json()["items"]
    assert (listed["language"], listed["label"], listed["origin"], listed["default"], listed["ready"]) == (
        "fr", "Fran\u00e7ais", "file", False, True,
    )  # fmt: skip
    stream = alice.stream(video["id"])
    [caption] = stream["captions"]
    assert (caption["language"], caption["label"]) == ("fr", "Fran\u00e7ais")
    answer = alice.get(caption["url"])
    assert answer.headers["content-type"] == "text/vtt; charset=utf-8"
    assert answer.text.endswith("Au milieu\n")
    assert 'TYPE=SUBTITLES,GROUP-ID="captions",LANGUAGE="fr"' in alice.get(stream["hls"]).text
    assert 'mimeType="text/vtt" lang="fr"' in alice.get(stream["dash"]).text


def test_chapters_of_the_file_can_be_changed(alice: Api, fresh: dict[str, Any]) -> None:
    """They come with the file, the owner writes others, and players get them with the stream."""
    assert fresh["chapters"] == [{"start": 0.0, "title": "One"}, {"start": 1.0, "title": "Two"}]
    new = [{"start": 2, "title": " The  end "}, {"start": 0, "title": "Start"}]
    edited = alice.patch(f"/api/v1/videos/{fresh['id']}", json={"chapters": new}).raise_for_status().json()
    assert edited["chapters"] == [{"start": 0.0, "title": "Start"}, {"start": 2.0, "title": "The end"}]
    assert alice.stream(fresh["id"])["chapters"] == edited["chapters"]


@pytest.mark.parametrize(
    "chapters",
    [
        "text",
        [{"start": -1, "title": "x"}],
        [{"start": True, "title": "x"}],
        [{"start": 0, "title": ""}],
        [{"start": 0, "title": "x" * 201}],
        [{"start": 1, "title": "a"}, {"start": 1, "title": "b"}],
        [{"title": "x"}],
        [{"start": n, "title": "x"} for n in range(501)],
        ["x"],
    ],
)
def test_wrong_chapters_are_refused(alice: Api, video: dict[str, Any], chapters: object) -> None:
    """A list of places with titles, in bounds, none twice: anything else is an error of that field."""
    answer = alice.patch(f"/api/v1/videos/{video['id']}", json={"chapters": chapters})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["chapters"])


def test_captions_come_and_go(alice: Api, fresh: dict[str, Any]) -> None:
    """Uploaded ones are named by their language unless given a label, take the default over, change, and go."""
    path = f"/api/v1/videos/{fresh['id']}/captions"
    english = add(alice, fresh["id"])
    assert english.status_code == 201
    assert (english.json()["language"], english.json()["label"]) == ("en", "English")
    german = add(alice, fresh["id"], LATIN, language="ger", label="Deutsch (SDH)", default="true").json()
    assert (german["language"], german["label"], german["default"]) == ("de", "Deutsch (SDH)", True)
    until(lambda: [c["language"] for c in shown(alice, fresh["id"])] == ["de", "en", "fr"])
    assert "Gr\u00fc\u00dfe" in alice.get(shown(alice, fresh["id"])[0]["url"]).text

    changed = alice.patch(f"{path}/{english.json()['id']}", json={"default": True, "language": "en-GB"})
    assert (changed.json()["language"], changed.json()["default"]) == ("en-GB", True)
    listed = alice.get(path).json()["items"]
    assert [(c["language"], c["default"]) for c in listed] == [("en-GB", True), ("de", False), ("fr", False)]
    until(lambda: 'LANGUAGE="en-GB",NAME="English",DEFAULT=YES' in alice.get(alice.stream(fresh["id"])["hls"]).text)

    before = alice.stream(fresh["id"])
    assert alice.delete(f"{path}/{german['id']}").status_code == 204
    assert alice.delete(f"{path}/{german['id']}").status_code == 404
    until(lambda: 'LANGUAGE="de",NAME="Deutsch (SDH)"' not in alice.get(before["hls"]).text)
    gone = next(c for c in before["captions"] if c["language"] == "de")
    assert alice.get(gone["url"]).status_code == 200, "who plays already still gets them for a while"


@pytest.mark.parametrize(
    ("file", "fields", "code"),
    [
        (b"hello", {}, "not_captions"),
        (SRT, {"language": ""}, "invalid_input"),
        (SRT, {"language": "English"}, "invalid_input"),
        (SRT, {"label": "x" * 101}, "invalid_input"),
        (SRT, {"default": "perhaps"}, "invalid_input"),
        (SRT, {"colour": "red"}, "invalid_input"),
        (b"x" * (2 * 1024**2 + 1), {}, "invalid_input"),
    ],
)
def test_what_is_no_captions_is_refused(
    alice: Api, video: dict[str, Any], file: bytes, fields: dict[str, str], code: str
) -> None:
    """Files that cannot be read, are too large, or of which nobody says the language."""
    answer = add(alice, video["id"], file, **fields)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_captions_are_the_owners(site: RunningServer, alice: Api, video: dict[str, Any], film: Path) -> None:
    """Everybody who may watch sees the list; only the owner changes it."""
    bob = site.client("bob@example.org")
    path = f"/api/v1/videos/{video['id']}/captions"
    [listed] = bob.get(path).json()["items"]
    assert add(bob, video["id"]).status_code == 403
    assert bob.patch(f"{path}/{listed['id']}", json={"label": "x"}).status_code == 403
    assert bob.delete(f"{path}/{listed['id']}").status_code == 403
    other = alice.upload(film, title="Other")
    assert alice.delete(f"/api/v1/videos/{other}/captions/{listed['id']}").status_code == 404
