"""`streamhost jobs`: looking and steering, at a running server and on its data directory."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from streamhost.db import job_outputs
from streamhost.db.core import Database
from streamhost.model.ids import JobId
from tests.support.clips import copied_clip
from tests.support.command import document, run
from tests.support.server import ROOT, Api, RunningServer
from tests.support.steered import hold, long_clip, until_quiet

PATIENCE = 240


def items(*arguments: str) -> list[dict[str, Any]]:
    """What a command with --json prints."""
    found: list[dict[str, Any]] = document(run("jobs", *arguments, "--json"))["items"]
    return found


def at(server: RunningServer, email: str) -> list[str]:
    """The options that reach a server as somebody."""
    token = server.client(email).headers["Authorization"].removeprefix("Bearer ")
    return ["--url", server.url, "--token", token]


@pytest.fixture
def alice(server: RunningServer) -> Api:
    """Somebody who uploads, on a server that root administers."""
    server.add_user(ROOT["email"], "admin")
    server.add_user("alice@example.org", "creator")
    return server.client("alice@example.org")


def test_watching_ends_well_only_when_the_work_is_done(server: RunningServer, alice: Api, tmp_path: Path) -> None:
    """A video that becomes ready: exit code 0 and lines of progress; one that fails: 1 and the reason."""
    good = alice.upload(copied_clip(), title="Good")
    watched = run("jobs", "watch", f"video:{good}", *at(server, "alice@example.org"))
    assert watched.exit_code == 0, watched.stderr
    assert "Good: ready" in watched.stderr
    assert alice.video(good)["state"] == "ready"
    text = tmp_path / "letter.mp4"
    text.write_bytes(b"Dear film," * 1000)
    bad = alice.upload(text, title="Bad")
    failed = run("jobs", "watch", f"video:{bad}", *at(server, "alice@example.org"))
    assert failed.exit_code == 1
    assert "failed" in failed.stderr
    assert alice.video(bad)["error"]["code"] in failed.stderr
    everything = run("jobs", "watch", *at(server, ROOT["email"]))
    assert everything.exit_code == 0, everything.stderr
    [job] = items("list", "--state", "failed", *at(server, ROOT["email"]))
    assert job["subject"] == f"video:{bad}"
    listed = run("jobs", "list", "--state", "failed", *at(server, ROOT["email"]))
    assert job["id"] in listed.stdout
    assert job["error"]["code"] in listed.stdout
    refused = run("jobs", "list", *at(server, "alice@example.org"))
    assert refused.exit_code == 1
    assert "403" in refused.stderr
    its_output_is_for_administrators(server, alice, job["id"])


def its_output_is_for_administrators(server: RunningServer, alice: Api, job_id: str) -> None:
    """What the process of a failed job said stands in the API, on the page and on terminals, harmless in each, and is
    nothing for the one whose video it was."""
    said = "Traceback: <b>no</b> \x1b[2Jpaper\nThe last words"
    asyncio.run(keep_output(server, job_id, said))
    root = server.client(ROOT["email"])
    assert root.get(f"/api/v1/admin/jobs/{job_id}").json()["output"] == said
    assert [one["output"] for one in root.get("/api/v1/admin/jobs?state=failed").json()["items"]] == [said]
    page = root.get("/admin/jobs?state=failed").text
    assert "What its process said" in page and "The last words" in page
    assert "Traceback: &lt;b&gt;no&lt;/b&gt;" in page and "<b>no" not in page
    for where in (at(server, ROOT["email"]), ["--data", str(server.data)]):
        shown = run("jobs", "show", job_id, *where)
        assert shown.exit_code == 0, shown.stderr
        assert "    Traceback: <b>no</b>  [2Jpaper\n    The last words\n" in shown.stdout
        assert document(run("jobs", "show", job_id, *where, "--json"))["output"] == said
    for path in (f"/api/v1/admin/jobs/{job_id}", "/admin/jobs?state=failed"):
        assert alice.get(path).status_code == 403
    assert run("jobs", "show", job_id, *at(server, "alice@example.org")).exit_code == 1
    assert run("jobs", "show", "nothing", "--data", str(server.data)).exit_code == 1
    assert "last words" not in alice.get("/api/v1/videos?owner=me").text + alice.get("/studio").text


async def keep_output(server: RunningServer, job_id: str, text: str) -> None:
    """As the worker does when a job fails."""
    db = await Database.open(server.data / "catalog.sqlite3")
    async with db.write() as conn:
        await job_outputs.keep(conn, JobId(job_id), text)
    await db.close()


def test_levers_on_the_data_directory_and_over_http(server: RunningServer, alice: Api) -> None:
    """Paused by the catalog alone, the server stops the work; listed, prioritised and resumed the same way, it goes on.
    A job that is cancelled takes its video along; the retry of the video makes it whole."""
    video_id = alice.upload(long_clip(8.0), title="Steered")
    hold(server, video_id)
    data = ["--data", str(server.data)]
    [paused] = items("pause", f"video:{video_id}", *data)
    assert paused["processing"]["paused"] is True
    until_quiet(server)
    deadline = time.monotonic() + PATIENCE
    while {job["state"] for job in items("list", "--video", video_id, "--kind", "make_part", *data)} - {"done"} != {
        "paused"
    }:
        assert time.monotonic() < deadline
    waiting = items("list", "--state", "paused", *data)
    assert all(job["waiting"]["cause"] == "It is paused." for job in waiting)
    [raised] = items("priority", "7", waiting[0]["id"], *data)
    assert raised["priority"] == 7
    assert run("jobs", "resume", f"video:{video_id}", *data).exit_code == 0
    hold(server, video_id)

    root = at(server, ROOT["email"])
    [running, *_] = items("list", "--state", "running", "--kind", "make_part", *root)
    assert run("jobs", "cancel", running["id"], *root).exit_code == 0
    gone = run("jobs", "watch", f"video:{video_id}", *root)
    assert gone.exit_code == 1
    assert "job_cancelled" in gone.stderr
    until_quiet(server)
    assert run("jobs", "retry", f"video:{video_id}", *at(server, "alice@example.org")).exit_code == 0
    watched = run("jobs", "watch", *data)
    assert watched.exit_code == 0, watched.stderr
    assert alice.video(video_id)["state"] == "ready"
    assert run("jobs", "cancel", f"video:{video_id}", *data).exit_code == 1
    assert run("jobs", "cancel", f"video:{video_id}", *root).exit_code == 1


def test_wrong_calls_are_told_apart(tmp_path: Path) -> None:
    """Exit code 2 for a wrong combination, 1 for what is not there."""
    assert run("jobs", "list", "--url", "http://127.0.0.1:9", "--data", str(tmp_path), "--token", "x").exit_code == 2
    assert run("jobs", "list", "--url", "http://127.0.0.1:9").exit_code == 2
    assert run("jobs", "pause", "nothing", "--data", str(tmp_path / "data")).exit_code == 1


def test_a_directory_without_a_catalog_is_no_idle_server(tmp_path: Path) -> None:
    """A mistyped path is an error, not "nothing to do"; and looking leaves nothing behind."""
    for action in (["list"], ["watch"], ["pause", "video:abc"]):
        done = run("jobs", *action, "--data", str(tmp_path / "mistyped"))
        assert done.exit_code == 1
        assert "There is no catalog" in done.stderr
    assert not (tmp_path / "mistyped").exists()
