"""`streamhost videos`: upload a file to a running server, here or anywhere; what else is done with videos."""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import platformdirs

from streamhost.cli.bars import byte_bars, live_bars, step_text, words
from streamhost.cli.remote import Remote, Transfer
from streamhost.cli.video_commands import COMMANDS
from streamhost.late import late
from streamhost.model.errors import StreamhostError
from streamhost.model.words import blanked

if TYPE_CHECKING:
    from rich import progress
else:
    progress = late("rich.progress")

LOOK_EVERY = 0.5
NOTES_KEPT = 200
"""Uploads of which the addresses are remembered on this computer."""


class NotReady(StreamhostError):
    """The file arrived, but it did not become a video that plays."""

    code = "not_ready"
    permanent = True


@click.group()
def videos() -> None:
    """Upload, list, change, fetch and delete videos, at a running server or on a data directory."""


for _command in COMMANDS:
    videos.add_command(_command)


@videos.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--url",
    envvar="STREAMHOST_URL",
    show_envvar=True,
    required=True,
    help="Address of the server, such as https://video.example.org.",
)
@click.option(
    "--token",
    envvar="STREAMHOST_TOKEN",
    show_envvar=True,
    required=True,
    help="Access token of somebody who may upload.",
)
@click.option("--title", help="Title of the video. [default: the file's name, made readable]")
@click.option("--description", help="What the video is about.")
@click.option("--visibility", help="Who may see it: public, unlisted or private. [default: private]")
@click.option("--wait", is_flag=True, help="Wait until the video is ready to play.")
@click.option("--json", "as_json", is_flag=True, help="For programs: print the video as JSON.")
def upload(
    file: Path,
    url: str,
    token: str,
    title: str | None,
    description: str | None,
    visibility: str | None,
    wait: bool,
    as_json: bool,
) -> None:
    """Upload FILE; run the same command again to go on where it was interrupted.

    Exit code 0 only if the server has the whole file as a video, with --wait only if that video is ready to play.
    """
    remote = Remote(url, token)
    said = {"filename": file.name, "title": title, "description": description, "visibility": visibility}
    told = {key: value for key, value in said.items() if value}
    with byte_bars(progress.TaskProgressColumn(), words("fields[about]")) as bars:
        video_id = _transfer(remote, file, told, bars)
    document = _wait(remote, video_id) if wait else _look(remote, video_id)
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        state = "ready to play" if wait else document["state"]
        click.echo(f"{document['title']}: {state}, {remote.base}/watch/{video_id}")


def _transfer(remote: Remote, file: Path, told: dict[str, str], bars: progress.Progress) -> str:
    bar = bars.add_task("Uploading", total=file.stat().st_size, about=blanked(file.name))
    transfer = Transfer(remote, file, told, lambda offset: bars.update(bar, completed=offset))
    notes = _Notes(remote, file, told)
    address = notes.address()
    if address is None or not transfer.known(address):
        address = transfer.create()
        notes.keep(address)
    video_id = transfer.run(address)
    notes.forget()
    bars.remove_task(bar)
    return video_id


def _look(remote: Remote, video_id: str) -> dict[str, Any]:
    """The video's document. It may appear a moment after its id was named, when a large file is still being moved."""
    deadline = time.monotonic() + 60
    while True:
        answer = remote.persistently(lambda: remote.call("GET", f"/api/v1/videos/{video_id}"))
        if answer.fine:
            return answer.document()
        if answer.status != 404 or time.monotonic() > deadline:
            raise answer.refusal()
        time.sleep(LOOK_EVERY)


def _wait(remote: Remote, video_id: str) -> dict[str, Any]:
    """The video's document once it is ready. Raises `NotReady` when it will not be."""
    with live_bars(progress.TaskProgressColumn(), words("fields[about]")) as bars:
        bar = bars.add_task("Processing", total=1.0, about="")
        while True:
            document = _look(remote, video_id)
            state = document.get("state")
            if state == "ready" and document.get("playable"):
                return document
            if state not in ("received", "processing"):
                error = document.get("error") or {}
                detail = " ".join(filter(None, (f"It is {state}.", error.get("detail"))))
                raise NotReady(detail, hint=error.get("hint"))
            bars.update(bar, completed=document.get("progress", 0), about=step_text(document.get("step") or ""))
            time.sleep(LOOK_EVERY)


class _Notes:
    """Where uploads from this computer were begun, so that the same command goes on with them."""

    def __init__(self, remote: Remote, file: Path, words: dict[str, str]) -> None:
        about = file.stat()
        facts = [remote.base, str(file.resolve()), about.st_size, about.st_mtime_ns, sorted(words.items())]
        self._key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
        self._path = platformdirs.user_state_path("streamhost", appauthor=False) / "uploads.json"

    def address(self) -> str | None:
        """Where this file was begun before, if it was."""
        return self._read().get(self._key)

    def keep(self, address: str) -> None:
        """Remember where this file was begun."""
        self._write({**self._read(), self._key: address})

    def forget(self) -> None:
        """Forget it: the file has arrived."""
        notes = self._read()
        if notes.pop(self._key, None):
            self._write(notes)

    def _read(self) -> dict[str, str]:
        try:
            found = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}

    def _write(self, notes: dict[str, str]) -> None:
        # Without notes an upload still works, it only cannot be continued by another run of the command.
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._path.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(dict(list(notes.items())[-NOTES_KEPT:])), "utf-8")
            temporary.replace(self._path)
