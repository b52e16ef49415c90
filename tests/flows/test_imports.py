"""Import folders of a real server: files put there play, survive kill -9, and are seen by command, API and page."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from streamhost.testing.clips import Clip
from tests.support.clips import cached
from tests.support.command import afar, document, run
from tests.support.server import Api, RunningServer, until
from tests.support.tree import stored

QUICK = {"STREAMHOST_IMPORTS_SETTLE_SECONDS": "0.2"}
SRT = "1\n00:00:00,100 --> 00:00:00,900\nHello\n"
PATIENCE = 240


@pytest.fixture(scope="module")
def clip() -> Path:
    """One second of film."""
    return cached(Clip(seconds=1.0, width=160, height=90, fps=Fraction(10), gop=10), ".mp4")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that watches its own folder and a library which stays where it is."""
    place = tmp_path_factory.mktemp("imports")
    (place / "library").mkdir()
    (place / "data").mkdir()
    folders = json.dumps(["import", f"link:{place / 'library'}"])
    (place / "data/streamhost.toml").write_text(f"[imports]\nfolders = {folders}\n")
    running = RunningServer(place / "data", **QUICK).start()
    running.add_user("root@example.org", "admin")
    running.add_user("alice@example.org")
    yield running
    running.stop()


def files(api: Api, state: str | None = None) -> list[dict[str, Any]]:
    """What the server says of files."""
    answer = api.get("/api/v1/admin/imports/files", params={"state": state} if state else {})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def ready(api: Api, title: str) -> dict[str, Any]:
    """The video of that title once it is ready."""

    def found() -> list[dict[str, Any]]:
        return [one for one in files(api) if one["video"] and one["video"]["title"] == title]

    until(found, PATIENCE)
    return api.wait_until(found()[0]["video"]["id"], "ready", seconds=PATIENCE)


def put(film: bytes, path: Path) -> None:
    """Let a film be there at one moment: half of one, left alone for a moment by a busy machine, counts as whole."""
    aside = path.with_name(f".{path.name}")
    aside.write_bytes(film)
    aside.replace(path)


def command(server: RunningServer, *words: str) -> Result:
    """Run `streamhost` beside the server."""
    return run(*words, "--data", str(server.data), env=QUICK)


def test_a_dropped_file_plays(house: RunningServer, clip: Path) -> None:
    """Put into the watched folder, a film plays a moment later, with its words; the folder is empty then."""
    api = house.client("root@example.org")
    folder = house.data / "import" / "alice@example.org" / "Sea"
    folder.mkdir(parents=True)
    (folder / "film.json").write_text('{"title": "The sea", "visibility": "public"}')
    (folder / "film.en.srt").write_text(SRT)
    shutil.copyfile(clip, folder / "film.mp4.part")
    (folder / "film.mp4.part").rename(folder / "film.mp4")
    video = ready(api, "The sea")
    assert (video["owner"]["name"], video["tags"], video["visibility"]) == ("Alice", ["sea"], "public")
    until(lambda: [one["language"] for one in api.stream(video["id"])["captions"]] == ["en"])
    until(lambda: not list(folder.iterdir()))
    # It is removed first, and written down as removed then.
    until(lambda: [one["path"] for one in files(api, "imported") if one["name"] == "film.mp4"] == [None])
    (file,) = [one for one in files(api, "imported") if one["name"] == "film.mp4"]
    assert file["policy"] == "move"
    assert api.post(f"/api/v1/admin/imports/files/{file['id']}/retry").status_code == 409, "it has its video"
    assert house.client("alice@example.org").get("/api/v1/admin/imports").status_code == 403


def test_a_library_is_followed(house: RunningServer, clip: Path) -> None:
    """By command, beside the server: linked, waited for, renamed under the server's eyes, listed when it fails."""
    api = house.client("root@example.org")
    library = house.data.parent / "library"
    staging = house.data.parent / "staging"
    staging.mkdir()
    (staging / "one.mp4").write_bytes(clip.read_bytes() + b"one")
    (staging / "two.mp4").write_bytes(b"This is no film." * 99)
    os.rename(staging, library / "films")
    done = command(house, "import", str(library), "--policy", "link", "--tag", "archive", "--wait", "--json")
    assert done.exit_code == 1, "one of them is no film"
    answer = json.loads(done.stdout)
    states = {item["name"]: item["state"] for item in answer["items"]}
    assert states == {"one.mp4": "imported", "two.mp4": "failed"}, done.stdout
    assert (answer["counts"]["ready"], answer["counts"]["failed"]) == (1, 1)
    video = ready(api, "One")
    assert (library / "films/one.mp4").stat().st_nlink == 2
    (library / "films/one.mp4").rename(library / "films/eins.mp4")
    until(lambda: "eins.mp4" in {one["name"] for one in files(api)})
    assert {one["video"]["id"] for one in files(api) if one["name"] == "eins.mp4"} == {video["id"]}
    (failed,) = files(api, "failed")
    assert failed["error"]["code"] == "not_media"
    put(clip.read_bytes() + b"two", library / "films/two.mp4")
    ready(api, "Two")
    status = json.loads(command(house, "imports", "status", "--json").stdout)
    assert [(one["watched"], one["error"]) for one in status["folders"]] == [(True, None), (True, None)]
    assert (status["counts"]["imported"], status["counts"]["failed"]) == (3, 0)
    listed = command(house, "imports", "list", "--state", "imported")
    assert "eins.mp4" in listed.stdout and "two.mp4" in listed.stdout
    far = afar(api)
    assert run("imports", "list", "--state", "imported", env=far).output == listed.stdout
    (eins,) = [one["id"] for one in files(api) if one["name"] == "eins.mp4"]
    in_vain = run("imports", "retry", eins, env=far)
    assert (in_vain.exit_code, "409" in in_vain.output) == (1, True), "it has its video"
    (moved,) = [one["id"] for one in files(api) if one["name"] == "film.mp4"]
    assert document(run("imports", "forget", moved, "--json", env=far)) == {"forgotten": 1}
    assert moved not in {one["id"] for one in files(api)}


def test_what_cannot_be_imported(house: RunningServer, tmp_path: Path) -> None:
    """Forbidden folders, unknown owners, unknown files: exit code 1 and a sentence; over HTTP the right status."""
    api = house.client("root@example.org")
    forbidden = command(house, "import", str(house.data / "uploads"), str(tmp_path))
    assert (forbidden.exit_code, "import folder" in forbidden.stdout) == (1, True)
    assert command(house, "import", str(tmp_path), "--owner", "nobody@example.org").exit_code == 1
    assert command(house, "imports", "retry", "nothing").exit_code == 1
    assert api.post("/api/v1/admin/imports/files/nothing/retry").status_code == 404
    assert api.get("/api/v1/admin/imports/files", params={"cursor": "nowhere"}).status_code == 422
    assert api.post("/api/v1/admin/imports/scan").json() == {"searching": True}


def test_killed_in_the_middle(tmp_path: Path, clip: Path) -> None:
    """kill -9 again and again while a folder is taken in: every film is there once in the end, none is lost."""
    server = RunningServer(tmp_path / "data", **QUICK, STREAMHOST_IMPORTS_AT_ONCE="100").start()
    try:
        server.add_user("root@example.org", "admin")
        api = server.client("root@example.org")
        folder = server.data / "import"
        for number in range(6):
            name = f"film {number}.mp4"
            put(clip.read_bytes() + bytes([number]) * 1000, folder / name)
            if number in (1, 4):
                until(lambda name=name: name in {one["name"] for one in files(api)}, PATIENCE)  # type: ignore[misc]
                server.kill()
                server.restart()
        until(lambda: len(files(api, "imported")) == 6, PATIENCE)
        until(lambda: not list(folder.iterdir()), PATIENCE)
        videos = [one["video"]["id"] for one in files(api)]
        assert len(set(videos)) == 6
        media = server.data / "media"
        taken = [media / name for name in stored(server.data) if name.endswith("/source.mp4")]
        assert [path.stat().st_size for path in taken] == [clip.stat().st_size + 1000] * 6
    finally:
        server.stop()


def test_without_a_server(tmp_path: Path, clip: Path) -> None:
    """The command takes files in by itself, and again imports nothing; what is only looked at is left alone."""
    server = RunningServer(tmp_path / "data", **QUICK).start()
    server.add_user("root@example.org", "admin")
    server.stop()
    shutil.copyfile(clip, tmp_path / "film.mp4")
    tried = json.loads(command(server, "import", str(tmp_path / "film.mp4"), "--dry-run", "--json").stdout)
    assert [item["state"] for item in tried["items"]] == ["new"]
    for _ in range(2):
        done = command(server, "import", str(tmp_path / "film.mp4"), "--json")
        assert done.exit_code == 0, done.stderr
        (item,) = json.loads(done.stdout)["items"]
        assert (item["state"], item["policy"]) == ("imported", "keep")
    assert (tmp_path / "film.mp4").exists()
    server.restart()
    try:
        api = server.client("root@example.org")
        assert ready(api, "Film")["state"] == "ready"
        assert len(files(api)) == 1
    finally:
        server.stop()
