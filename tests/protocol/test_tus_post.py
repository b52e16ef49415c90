"""tus POST: making uploads (1.0.0, "Creation", "Creation With Upload")."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support.server import Api, RunningServer
from tests.support.tus import PATH, TYPE, VERSION, Line, append, begin, content, offset, status, words


@pytest.fixture(scope="module")
def alice(site: RunningServer) -> Api:
    return site.client("alice@example.org")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that takes files of up to 1,000 bytes and says that it is reached by another name."""
    settings = {"STREAMHOST_UPLOADS_MAX_SIZE": "1000", "STREAMHOST_SERVER_PUBLIC_URL": "https://video.example.org"}
    running = RunningServer(tmp_path_factory.mktemp("small") / "data", **settings).start()
    running.add_user("alice@example.org")
    yield running
    running.stop()


def test_an_upload_is_made_at_an_absolute_address(alice: Api, site: RunningServer) -> None:
    """201 with an absolute `Location` and the time until which it is kept."""
    answer = alice.post(PATH, headers=VERSION | {"Upload-Length": "5"})
    assert answer.status_code == 201
    assert answer.headers["location"].startswith(f"{site.url}{PATH}/")
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert answer.headers["upload-expires"].endswith(" GMT")
    assert "upload-offset" not in answer.headers
    assert offset(alice, answer.headers["location"]) == 0


def test_behind_a_proxy_the_address_is_the_one_people_use(alice: Api, small: RunningServer) -> None:
    """The setting decides; without it what the proxy says; nonsense gives a relative address, which clients resolve."""
    owner = small.client("alice@example.org")
    assert begin(owner, 5).startswith(f"https://video.example.org{PATH}/")
    proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "v.example:8443"}
    assert begin(alice, 5, **proxied).startswith(f"https://v.example:8443{PATH}/")
    assert begin(alice, 5, **{"X-Forwarded-Host": "evil/path?"}).startswith(f"{PATH}/")


@pytest.mark.parametrize(
    "headers", [{}, {"Upload-Length": "-1"}, {"Upload-Length": "many"}, {"Upload-Defer-Length": "2"}]
)
def test_a_length_or_its_absence_must_be_said(alice: Api, headers: dict[str, str]) -> None:
    """400 for a creation that says neither, or nonsense."""
    answer = alice.post(PATH, headers=VERSION | headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_upload")


def test_another_version_is_refused_with_ours(alice: Api) -> None:
    """412 with `Tus-Version` for a wrong or missing `Tus-Resumable`."""
    for headers in ({"Tus-Resumable": "2.0.0"}, {}):
        answer = alice.post(PATH, headers=headers | {"Upload-Length": "5"})
        assert (answer.status_code, answer.headers["tus-version"]) == (412, "1.0.0")


def test_only_creators_may_upload(site: RunningServer) -> None:
    """401 for strangers, 403 for viewers; both still speak tus."""
    stranger = httpx.post(site.url + PATH, headers=VERSION | {"Upload-Length": "5"})
    viewer = site.client("bob@example.org").post(PATH, headers=VERSION | {"Upload-Length": "5"})
    assert (stranger.status_code, viewer.status_code) == (401, 403)
    assert stranger.headers["tus-resumable"] == viewer.headers["tus-resumable"] == "1.0.0"


def test_too_large_a_file_is_refused_before_it_comes(small: RunningServer) -> None:
    """413 for a length over `Tus-Max-Size`."""
    answer = small.client("alice@example.org").post(PATH, headers=VERSION | {"Upload-Length": "1001"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_file_of_unknown_length_stops_at_the_limit(small: RunningServer) -> None:
    """413 as soon as more comes than any file may have; what fitted stays acknowledged."""
    owner = small.client("alice@example.org")
    address = begin(owner, None).replace("https://video.example.org", small.url)
    assert append(owner, address, 0, content(900)).status_code == 204
    assert append(owner, address, 900, content(200)).status_code == 413
    line = Line(owner).patch(address, 900, None).send(b"c8\r\n" + content(200) + b"\r\n0\r\n\r\n")
    assert line.status() == 413
    assert offset(owner, address) == 900


def test_the_first_bytes_may_come_along(alice: Api) -> None:
    """Creation with upload: 201 with `Upload-Offset`; the rest follows by PATCH."""
    data = content(3000)
    headers = VERSION | TYPE | {"Upload-Length": "3000"}
    answer = alice.post(PATH, headers=headers, content=data[:1000])
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "1000")
    answer = append(alice, answer.headers["location"], 1000, data[1000:])
    assert answer.headers["upload-offset"] == "3000"
    assert alice.video(answer.headers["streamhost-video"])["state"]


def test_all_bytes_may_come_along(alice: Api) -> None:
    """A small file needs one request, whose answer names the video."""
    answer = alice.post(
        PATH, headers=VERSION | TYPE | {"Upload-Length": "100"} | words(title="At once"), content=content(100)
    )
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "100")
    assert alice.video(answer.headers["streamhost-video"])["title"] == "At once"


def test_nothing_stays_of_a_creation_that_fails(alice: Api, site: RunningServer) -> None:
    """A client that got no address cannot continue, so no file and no reservation stay."""
    before = set((site.data / "uploads").iterdir())
    headers = VERSION | TYPE | {"Upload-Length": "10"}
    assert alice.post(PATH, headers=headers, content=content(11)).status_code == 413
    wrong = headers | {"Upload-Checksum": "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA="}
    assert alice.post(PATH, headers=wrong, content=content(10)).status_code == 460
    assert set((site.data / "uploads").iterdir()) == before


def test_bytes_of_another_type_are_refused(alice: Api) -> None:
    """415 for a creation whose body is not said to be bytes of an upload."""
    headers = VERSION | {"Upload-Length": "10", "Content-Type": "video/mp4"}
    assert alice.post(PATH, headers=headers, content=content(10)).status_code == 415


def test_an_empty_file_is_complete_at_once(alice: Api) -> None:
    """Zero bytes are a file too: it becomes a video, which processing then finds to be no media."""
    answer = alice.post(PATH, headers=VERSION | {"Upload-Length": "0"} | words(filename=""))
    assert answer.status_code == 201
    video = alice.video(answer.headers["streamhost-video"])
    assert video["title"] == "Untitled"
    assert status(alice, answer.headers["location"]).headers["upload-offset"] == "0"


def test_words_that_a_video_cannot_have_are_named(alice: Api) -> None:
    """422 with an error for each wrong key; keys of other programs are left alone."""
    headers = VERSION | {"Upload-Length": "5"}
    answer = alice.post(PATH, headers=headers | words(visibility="everyone", title="x" * 300, protection="none"))
    assert answer.status_code == 422
    assert set(answer.json()["errors"]) == {"visibility", "title"}
    assert alice.post(PATH, headers=headers | words(relativePath="null", type="video/mp4")).status_code == 201


def test_malformed_metadata_is_refused(alice: Api) -> None:
    """400 for values that are no Base64."""
    answer = alice.post(PATH, headers=VERSION | {"Upload-Length": "5", "Upload-Metadata": "title Not-Base64!"})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_upload")


def test_a_refused_client_gets_to_read_why(alice: Api) -> None:
    """Although it sends before it listens, the answer arrives: a short rest of the body is read away."""
    line = Line(alice).head("POST", PATH, **VERSION, **TYPE, **{"Content-Length": "2000000", "Upload-Length": "x"})
    assert line.send(content(2_000_000)).status() == 400


def test_who_asks_before_sending_is_refused_before_sending(alice: Api) -> None:
    """With `Expect: 100-continue` the refusal comes at once, without a single byte of the body."""
    headers = {"Content-Length": "5000000", "Upload-Length": "x", "Expect": "100-continue"}
    assert Line(alice).head("POST", PATH, **VERSION, **TYPE, **headers).status() == 400
