"""A file by one multipart request, as forms and scripts send it; and what the server uses for it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.server import Api, RunningServer
from tests.support.tree import rows, sizes
from tests.support.tus import Line, begin, content

PATH = "/api/v1/upload"
MIB = 1024**2


@pytest.fixture(scope="module")
def alice(site: RunningServer) -> Api:
    return site.client("alice@example.org")


def stored(site: RunningServer, video_id: str) -> bytes:
    [row] = rows(site.data, "SELECT source_key, source_sha256 FROM videos WHERE id = ?", video_id)
    data = (site.data / "media" / str(row["source_key"])).read_bytes()
    assert row["source_sha256"] == hashlib.sha256(data).hexdigest()
    return data


def test_a_form_becomes_a_video(alice: Api, site: RunningServer) -> None:
    """202 with the upload and the video, which has the fields' words and the file's bytes."""
    data = content(2_000_000)
    fields = {"title": "By a form", "description": "Zwei\nZeilen", "visibility": "unlisted", "protection": "none"}
    answer = alice.post(PATH, files={"file": ("Ein Film.MP4", data, "video/mp4")}, data=fields)
    assert answer.status_code == 202, answer.text
    document = answer.json()
    video = document["video"]
    assert document["upload_id"]
    assert video["state"] in ("received", "processing", "failed")
    assert (video["title"], video["description"], video["visibility"]) == ("By a form", "Zwei\nZeilen", "unlisted")
    assert stored(site, video["id"]) == data
    [row] = rows(site.data, "SELECT source_name, source_key FROM videos WHERE id = ?", video["id"])
    assert row["source_name"] == "Ein Film.MP4"
    assert row["source_key"].endswith("/source.mp4")


def test_without_words_the_file_names_the_video(alice: Api) -> None:
    """The title is the file's name, made readable; the video is private."""
    answer = alice.post(PATH, files={"file": ("my_first-film.mov", b"abc")})
    assert answer.json()["video"]["title"] == "My first-film"
    assert answer.json()["video"]["visibility"] == "private"


@pytest.mark.parametrize(
    ("files", "fields", "wrong"),
    [
        ({"other": ("a.mp4", b"abc")}, {}, "file"),
        ({"file": ("a.mp4", b"abc")}, {"visibility": "everyone"}, "visibility"),
        ({"file": ("a.mp4", b"abc")}, {"title": "x" * 500, "protection": "strong"}, "protection"),
    ],
)
def test_wrong_forms_are_told_by_field(
    alice: Api, site: RunningServer, files: dict[str, tuple[str, bytes]], fields: dict[str, str], wrong: str
) -> None:
    """422 naming the field, and nothing stays."""
    before = sizes(site.data / "uploads").keys()
    answer = alice.post(PATH, files=files, data=fields)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert wrong in answer.json()["errors"]
    assert sizes(site.data / "uploads").keys() <= before


def test_what_is_no_form_is_refused(alice: Api) -> None:
    """415 for other types, 400 for a form that is none."""
    assert alice.post(PATH, content=b"abc", headers={"Content-Type": "video/mp4"}).status_code == 415
    malformed = {"Content-Type": "multipart/form-data; boundary=x"}
    assert alice.post(PATH, content=b"abc", headers=malformed).status_code == 400
    assert alice.post(PATH, content=b"", headers=malformed).status_code == 400


def test_only_creators_may_send_files(site: RunningServer) -> None:
    """401 for strangers, 403 for viewers, before any byte is taken."""
    files = {"file": ("a.mp4", b"abc")}
    assert httpx.post(site.url + PATH, files=files).status_code == 401
    assert site.client("bob@example.org").post(PATH, files=files).status_code == 403


def test_a_form_that_breaks_off_leaves_nothing(alice: Api, site: RunningServer) -> None:
    """Nobody could continue it, so neither file nor row nor video stays."""
    before = {row["id"] for row in rows(site.data, "SELECT id FROM uploads")}
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": "5000000"}
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    line = Line(alice).head("POST", PATH, **headers).send(head + content(3_000_000))
    deadline = time.monotonic() + 150
    while {row["id"] for row in rows(site.data, "SELECT id FROM uploads")} == before:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    line.cut()
    while {row["id"] for row in rows(site.data, "SELECT id FROM uploads")} != before:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def by_tus(api: Api, size: int) -> tuple[Line, bytes, int]:
    """Begin to send so many bytes as one piece of a resumable upload: what follows them, and what is answered then."""
    return Line(api).patch(begin(api, size), 0, size), b"", 204


def by_form(api: Api, size: int) -> tuple[Line, bytes, int]:
    """The same by one multipart request."""
    head, end = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n', b"\r\n--x--\r\n"
    sizes = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(len(head) + size + len(end))}
    return Line(api).head("POST", PATH, **sizes).send(head), end, 202


@pytest.mark.parametrize("way", [by_tus, by_form])
def test_memory_does_not_grow_with_the_file(
    alice: Api, site: RunningServer, way: Callable[[Api, int], tuple[Line, bytes, int]]
) -> None:
    """300 MiB go through while the server's memory grows by less than 40 MiB, whether pieces of them could be sent
    again or all of them are one request."""
    process = psutil.Process(site.process.pid)

    def send(count: int) -> int:
        """Send so many MiB, of which one at a time is held here; most bytes of memory that the server had meanwhile."""
        line, end, wanted = way(alice, count * MIB)
        most = 0
        for number in range(count):
            line.send(bytes([number % 251]) * MIB)
            most = max(most, process.memory_info().rss)
        assert line.send(end).status() == wanted
        return max(most, process.memory_info().rss)

    before = send(4)
    assert send(300) - before < 40 * MIB


def test_a_file_sent_by_the_helper_of_other_tests(alice: Api, site: RunningServer, tmp_path: Path) -> None:
    """`Api.upload` is one request too; two at once do not disturb each other."""
    for number in range(2):
        file = tmp_path / f"{number}.mp4"
        file.write_bytes(content(100_000, seed=number))
        assert stored(site, alice.upload(file)) == file.read_bytes()
