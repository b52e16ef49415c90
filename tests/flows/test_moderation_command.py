"""`streamhost moderation` beside a server and at it: choosing a profile, what waits, decisions, looking again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.clips import small_clip
from tests.support.command import document, run
from tests.support.models import lend
from tests.support.server import RunningServer


@pytest.fixture
def site(tmp_path: Path) -> Iterator[RunningServer]:
    """A site without models, with a creator, a viewer, a moderator and an administrator."""
    running = RunningServer(tmp_path / "data").start()
    for who, role in (("alice", "creator"), ("bob", "viewer"), ("mia", "moderator"), ("root", "admin")):
        running.add_user(f"{who}@example.org", role)
    yield running
    running.stop()


def change_title(data: Path, video: str) -> None:
    """Other words, at which no model has looked yet."""
    with closing(sqlite3.connect(data / "catalog.sqlite3")) as conn, conn:
        conn.execute("UPDATE videos SET title = 'Other words' WHERE id = ?", (video,))


def moderation(*words: str, code: int = 0) -> Any:
    """What a command prints as JSON, or as words where it fails."""
    done = run("moderation", *words, "--json")
    assert done.exit_code == code, done.output
    return document(done) if code == 0 else done.output


def test_the_desk_on_the_command_line(site: RunningServer) -> None:
    """A stricter profile holds what nobody can look at; it is listed, shown, rejected at the server by a moderator's
    token, taken back and approved beside it; then somebody reports it, and a moderator claims it; once the models are
    installed, a dry run says what they would open, and only the true one opens it."""
    here = ("--data", str(site.data))
    assert moderation("policy", *here)["profile"] == "private-home"
    assert moderation("policy", "community", *here)["profile"] == "community"
    alice = site.client("alice@example.org")
    film, other = [alice.upload(small_clip(), title=title, visibility="public") for title in ("Film", "Other")]
    for name in (film, other):
        alice.wait_until(name, "review")
    assert {(one["id"], one["risk"], one["case"]["cause"]) for one in moderation("queue", *here)["items"]} == {
        (film, "unknown", "screening"),
        (other, "unknown", "screening"),
    }
    assert moderation("queue", "--risk", "high", *here)["items"] == []
    shown = moderation("show", film, *here)
    assert {one["state"] for one in shown["verdict"]["looked"] if one["aspect"] == "gore"} == {"not_installed"}
    mia = site.client("mia@example.org").headers["Authorization"].removeprefix("Bearer ")
    there = ("--url", site.url, "--token", mia)
    assert "Tell the owner why" in moderation("reject", film, *there, code=2)
    [rejected] = moderation("reject", film, "--template", "9", *there)["items"]
    assert (rejected["video"]["state"], rejected["history"][0]["reason"][:17]) == ("rejected", "It is advertising")
    assert alice.video(film)["state"] == "rejected"
    [back] = moderation("undo", film, *here)["items"]
    assert (back["video"]["state"], back["case"]["cause"]) == ("review", "undone")
    [approved] = moderation("approve", film, *there)["items"]
    assert (approved["video"]["state"], alice.video(film)["state"]) == ("ready", "ready")
    report = {"reason": "spam", "text": "Again and again.", "at": 1}
    assert site.client("bob@example.org").post(f"/api/v1/videos/{film}/report", json=report).status_code == 202
    [said] = moderation("show", film, *here)["reports"]
    assert (said["reason"], said["text"], said["at"]) == ("spam", "Again and again.", 1.0)
    assert moderation("show", film, *there)["reports"] == [said]
    assert moderation("claim", *there)["video_id"] == film, "the highest risk first"
    assert "has it" in moderation("approve", film, *here, code=1)
    assert "--url" in moderation("claim", film, *here, code=2)
    assert moderation("release", film, *there) == {"released": film}
    assert "nothing_to_undo" not in moderation("undo", other, *there, code=1)
    lend(site.data)
    looked = moderation("rescreen", "--dry-run", *here)
    assert [(one["video_id"], one["before"], one["after"]) for one in looked["changes"]] == [(other, "review", "open")]
    assert (looked["applied"], alice.video(other)["state"]) == (False, "review")
    root = site.client("root@example.org").headers["Authorization"].removeprefix("Bearer ")
    assert moderation("rescreen", "--url", site.url, "--token", root)["applied"] is True
    assert alice.video(other)["state"] == "ready"
    site.stop()
    change_title(site.data, film)
    refused = moderation("approve", film, *here, code=1)
    assert "changed after you opened it" in refused and "--seen" in refused
    assert moderation("approve", film, "--seen", shown["version"], *here, code=1), "that is not what it is now"
    now = moderation("show", film, *here)["version"]
    assert moderation("approve", film, "--seen", now, *here)["items"][0]["video"]["state"] == "ready"
    plain = run("moderation", "show", film, *here)
    assert plain.exit_code == 0 and "approve by mia@example.org" in plain.stdout
    assert 'spam, dismissed  "Again and again."' in plain.stdout
