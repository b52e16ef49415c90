"""Bad files uploaded to a real server: each fails by a code, in words, with a hint; damaged ones say what they lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import broken, odd
from tests.support.server import Api, RunningServer, until

CODES = {
    "page.mp4": "not_media",
    "list.mp4": "not_media",
    "archive.mp4": "not_media",
    "no index.mp4": "damaged_source",
    "20000 square.mkv": "picture_too_large",
    "fragments far away.mp4": "too_long",
    "tags in tags.mkv": "not_media",
}


@pytest.fixture(scope="module")
def alice(site: RunningServer) -> Api:
    """Who uploads."""
    return site.client("alice@example.org")


def ended(alice: Api, video: str) -> dict[str, object]:
    """The video's document once nothing more is done for it."""
    until(lambda: alice.get(f"/api/v1/videos/{video}").json()["state"] in ("failed", "ready"))
    document = alice.get(f"/api/v1/videos/{video}").json()
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize("name", CODES)
def test_a_bad_file_fails_in_words(name: str, alice: Api, site: RunningServer, tmp_path: Path) -> None:
    """State failed, the error's code, a sentence without paths, a hint; and the server goes on answering."""
    source = odd.written(tmp_path / name, broken.CORPUS[name]())
    document = ended(alice, alice.upload(source))
    assert document["state"] == "failed"
    error = document["error"]
    assert isinstance(error, dict)
    assert error["code"] == CODES[name]
    assert error["detail"]
    assert error["hint"]
    assert "/" not in str(error["detail"]).replace("and/or", "")
    assert alice.get("/livez").status_code == 200
    until(lambda: alice.get("/readyz").status_code == 200)  # a disk that stalls for seconds is reported, too


def test_a_cut_file_plays_and_says_so(alice: Api, tmp_path: Path) -> None:
    """What is missing stands among the video's notes, for its owner."""
    document = ended(alice, alice.upload(odd.cut_off(tmp_path, ".mp4")))
    assert document["state"] == "ready"
    assert any("breaks off" in str(note) for note in document["notes"])  # type: ignore[attr-defined]
    assert abs(float(str(document["duration"])) - 3.7) < 0.5
