"""`streamhost videos`: list, show, edit, download and delete, at a server and on its data; and first steps."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from streamhost.cli.tables import length_text, print_table, size_text
from tests.support.clips import small_clip
from tests.support.command import document, run
from tests.support.ports import free_port
from tests.support.server import RunningServer
from tests.support.tree import at_rest


@pytest.fixture(scope="module")
def alice(site: RunningServer) -> dict[str, str]:
    """What Alice has in her environment."""
    api = site.client("alice@example.org")
    return {"STREAMHOST_URL": site.url, "STREAMHOST_TOKEN": api.headers["Authorization"].removeprefix("Bearer ")}


@pytest.fixture(scope="module")
def video(site: RunningServer) -> str:
    """Hers, ready."""
    api = site.client("alice@example.org")
    found = api.upload(small_clip(), title="A walk [bold]by the sea[/bold]", visibility="public")
    api.wait_until(found, "ready")
    at_rest(site.data)
    return found


def test_list_and_show(site: RunningServer, alice: dict[str, str], video: str) -> None:
    """The same video at the server and on the data directory; through a pipe plain lines, markup in titles is text."""
    [remote] = document(run("videos", "list", "--json", env=alice))["items"]
    [local] = document(run("videos", "list", "--json", "--data", str(site.data)))["items"]
    assert (remote["id"], local["id"], local["state"]) == (video, video, "ready")
    assert {**remote, "poster": None} == local
    told = run("videos", "list", env=alice).stdout.splitlines()
    assert told[0].split() == ["ID", "STATE", "VISIBILITY", "LENGTH", "SINCE", "OWNER", "TITLE"]
    assert "A walk [bold]by the sea[/bold]" in told[1] and "\x1b" not in told[1]
    assert document(run("videos", "list", "--state", "failed", "--json", env=alice))["items"] == []
    here = ["videos", "list", "--json", "--data", str(site.data)]
    assert document(run(*here, env=alice))["items"] == [local]
    assert document(run(*here, "--state", "failed"))["items"] == []
    [hers] = document(run(*here, "--state", "ready", "--owner", "alice@example.org", "--limit", "1"))["items"]
    assert hers == local
    assert run(*here, "--url", site.url, "--token", "any").exit_code == 2
    nobody = run("videos", "list", "--owner", "bob@example.org", "--data", str(site.data))
    assert nobody.stdout == "There are none.\n"
    assert document(run("videos", "show", video, "--json", "--data", str(site.data)))["duration"] > 10
    assert "plays" in run("videos", "show", video, env=alice).stdout
    assert run("videos", "show", "nothing", env=alice).exit_code == 1


def test_edit(site: RunningServer, alice: dict[str, str], video: str) -> None:
    """Only what is named changes. While a server runs its data directory is not edited behind its back."""
    changed = document(run("videos", "edit", video, "--title", "Sea", "--tag", "a", "--tag", "b", "--json", env=alice))
    assert (changed["title"], changed["tags"], changed["visibility"]) == ("Sea", ["a", "b"], "public")
    assert run("videos", "edit", video, env=alice).exit_code == 2
    refused = run("videos", "edit", video, "--title", "Other", "--data", str(site.data))
    assert refused.exit_code == 4
    assert run("videos", "edit", video, "--visibility", "public", "--title", "x" * 300, env=alice).exit_code == 1


def test_download(site: RunningServer, alice: dict[str, str], video: str, tmp_path: Path) -> None:
    """The uploaded file comes back byte for byte, from both; a rendition is made first; nothing is overwritten."""
    wanted = hashlib.sha256(small_clip().read_bytes()).digest()
    for number, where in enumerate((["--data", str(site.data)], [])):
        target = tmp_path / f"{number}.mp4"
        told = document(
            run("videos", "download", video, str(target), "--source", "--json", *where, env={} if where else alice)
        )
        assert told["bytes"] == target.stat().st_size
        assert hashlib.sha256(target.read_bytes()).digest() == wanted
    # Not made yet, and no worker here: said, and ordered from the server afterwards.
    one = tmp_path / "one.mp4"
    assert run("videos", "download", video, str(one), "--data", str(site.data)).exit_code == 1
    document(run("videos", "download", video, str(one), "--json", env=alice))
    assert one.read_bytes()[4:8] == b"ftyp"
    assert run("videos", "download", video, str(one), env=alice).exit_code == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.mp4", "1.mp4", "one.mp4"]


@pytest.mark.parametrize("named", [[], ["film.mp4"]], ids=["by its own name", "named"])
def test_download_where_nothing_answers(named: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that was never there is told in words, and as soon as by every other command."""
    monkeypatch.setattr("streamhost.cli.remote.FIRST_PATIENCE", 0.1)
    away = {"STREAMHOST_URL": f"http://127.0.0.1:{free_port()}", "STREAMHOST_TOKEN": "any"}
    ended = run("videos", "download", "film", *(str(tmp_path / name) for name in named), env=away)
    assert list(tmp_path.iterdir()) == []
    assert (ended.exit_code, type(ended.exception)) == (1, SystemExit)
    assert "could not be reached" in ended.output


def test_trash_and_restore(site: RunningServer, alice: dict[str, str], video: str) -> None:
    """What is moved to the trash is listed there, at the server and on its data directory, and comes back."""
    assert run("videos", "trash", video, "--data", str(site.data)).exit_code == 4
    assert document(run("videos", "trash", video, "--json", env=alice)) == {"trashed": [video]}
    for where in ([], ["--data", str(site.data)]):
        found = document(run("videos", "trash", "--json", *where, env={} if where else alice))["items"]
        assert [one["id"] for one in found] == [video]
    assert run("videos", "trash", "--everybody", env=alice).exit_code != 0, "that is for administrators"
    assert site.client("alice@example.org").get(f"/api/v1/videos/{video}").status_code == 404
    restored = document(run("videos", "restore", video, "--json", env=alice))["items"]
    assert [(one["id"], one["deleted_at"]) for one in restored] == [(video, None)]
    assert run("videos", "restore", video, env=alice).exit_code == 1


def test_delete(site: RunningServer, alice: dict[str, str], video: str) -> None:
    """After a yes; the video is gone at once."""
    assert run("videos", "delete", video, env=alice, text="n\n").exit_code == 1
    assert run("videos", "delete", video, "--data", str(site.data), "--yes").exit_code == 4
    assert document(run("videos", "delete", video, "--yes", "--json", env=alice)) == {"deleted": [video]}
    assert site.client("alice@example.org").get(f"/api/v1/videos/{video}").status_code == 404


def test_first_steps(tmp_path: Path) -> None:
    """`setup` makes a site with settings, keys, an administrator and its profile, once; wrong settings make nothing."""
    data = tmp_path / "site"
    said = ["setup", "--admin", "root@example.org", "--password-stdin", "--data", str(data)]
    wrong = run(*said, "--public-url", "video", text="correct horse battery\n")
    assert (wrong.exit_code, data.exists()) == (3, False)
    more = ["--site-name", 'Our "films"', "--public-url", "https://video.example.org", "--registration", "invite"]
    more += ["--profile", "community"]
    made = document(run(*said, *more, "--json", text="correct horse battery\n"))
    assert (made["settings"], made["profile"]) == (str(data / "streamhost.toml"), "community")
    policy = document(run("moderation", "policy", "--json", "--data", str(data)))
    assert (policy["profile"], policy["fixed"]) == ("community", False)
    shown = document(run("config", "show", "--json", "--data", str(data)))
    assert shown["server.site_name"]["value"] == 'Our "films"'
    assert shown["accounts.registration"]["value"] == "invite"
    [user] = document(run("users", "list", "--json", "--data", str(data)))["items"]
    assert (user["email"], user["role"], user["email_verified"]) == ("root@example.org", "admin", True)
    assert run(*said, text="correct horse battery\n").exit_code == 1
    assert run(*said, "--site-name", "Other", text="x\n").exit_code == 2


def test_lists_on_terminals_and_through_pipes(capsys: pytest.CaptureFixture[str]) -> None:
    """Columns are wide enough for what is in them, control signs never reach a terminal."""
    print_table(("ID", "TITLE"), [("1", "short"), ("22", "two\nlines \x1b[31m")])
    assert capsys.readouterr().out == "ID  TITLE\n1   short\n22  two lines  [31m\n"
    print_table(("ID",), [], "Nothing.")
    assert capsys.readouterr().out == "Nothing.\n"
    assert [size_text(n) for n in (1, 2048, 3 * 1024**3, 5 * 1024**4)] == ["1 B", "2.0 KiB", "3.0 GiB", "5.0 TiB"]
    assert [length_text(n) for n in (None, 61.2, 3723)] == ["", "1:01", "1:02:03"]
