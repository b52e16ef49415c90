"""`streamhost jobs`: what is being worked on, how far it is, and the levers; at a server or on a data directory."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from streamhost.cli.bars import left_text, live_bars, speed_text, step_text, words
from streamhost.cli.desks import Desk, desk_of
from streamhost.cli.remote import Document, Refused, Remote
from streamhost.cli.where import Where, somewhere
from streamhost.features.work import State
from streamhost.late import late
from streamhost.model.errors import StreamhostError
from streamhost.model.words import blanked

if TYPE_CHECKING:
    from rich import progress
else:
    progress = late("rich.progress")

VIDEO = "video:"
"""Before the id of a video, where a job's id may stand too."""
LOOK_EVERY = 1.0
LINE_EVERY = 0.1
"""Share after which another line is printed where nobody watches bars."""
MOST = 1000
"""Jobs that are looked at when none is named."""
OPEN = ("queued", "paused", "running", "received", "processing")
"""States of jobs and of videos in which something is still to come."""
GOOD = ("done", "ready")


class NotDone(StreamhostError):
    """The work came to an end, but it is not done."""

    code = "not_done"
    permanent = True


def followed(remote: Remote, job_id: str, report: Callable[[float, str], None]) -> None:
    """Stay until a job at a server is over; `report` hears of news: how far it is, 0..1, and its step.

    Raises `Refused` with its error where it failed."""
    told: tuple[float, str] | None = None
    while (job := remote.document("GET", f"/api/v1/admin/jobs/{job_id}"))["state"] in OPEN:
        if (now := (job["progress"], job["step"] or job["state"])) != told:
            report(*now)
            told = now
        time.sleep(LOOK_EVERY)
    if error := job["error"]:
        raise Refused(f"{error['code']}: {error['detail']}")


_where = somewhere("Access token of an administrator.")


@click.group()
def jobs() -> None:
    """See and steer background work, at a running server or on a data directory.

    Where a job's id is wanted, video:ID stands for all work on that video; its owner's token is enough for that.
    """


@jobs.command("list")
@click.option(
    "--state",
    type=click.Choice([state.value for state in State]),
    help="Only jobs in this state; failed ones stay for two weeks.",
)
@click.option("--kind", help="Only jobs of this kind, such as make_part.")
@click.option("--video", help="Only the jobs of this video.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many.")
@_where
def list_jobs(
    state: str | None,
    kind: str | None,
    video: str | None,
    limit: int,
    where: Where,
    as_json: bool,
) -> None:
    """List jobs, newest first."""
    found = desk_of(where).jobs(state, kind, VIDEO + video if video else None, limit)
    if as_json:
        click.echo(json.dumps({"items": found}, ensure_ascii=False, indent=2))
    elif not found:
        click.echo("There are none.")
    else:
        for job in found:
            click.echo(f"{job['id']}  {job['state']:9}  {_about(job)}  {_standing(job)}".rstrip())
            if job["error"]:
                click.echo(f"    {blanked(_why(job).removeprefix(', '))}")


@jobs.command()
@click.argument("job_id", metavar="JOB")
@_where
def show(job_id: str, where: Where, as_json: bool) -> None:
    """Show all about one JOB, also what its process said before it failed.

    `streamhost jobs list` has the ids, with --video ID those of a video.
    """
    job = desk_of(where).job(job_id)
    if as_json:
        click.echo(json.dumps(job, ensure_ascii=False, indent=2))
        return
    click.echo(f"{job['id']}  {job['state']}  {_about(job)}  {_standing(job)}".rstrip())
    details = json.dumps(job["details"], ensure_ascii=False)
    tries = f"{job['attempts']} of {job['max_attempts']}"
    facts = {"asked": details, "attempts": tries, "priority": job["priority"], "added": job["created_at"]}
    for name, value in (facts | {"started": job["started_at"], "finished": job["finished_at"]}).items():
        if value is not None:
            click.echo(f"{name:9} {blanked(str(value))}")
    if job["error"]:
        click.echo(f"{'error':9} {blanked(_why(job).removeprefix(', '))}")
    if job["output"]:
        click.echo("What its process said:")
        for line in job["output"].splitlines():
            click.echo(f"    {blanked(line)}".rstrip())


@jobs.command()
@click.argument("targets", nargs=-1)
@_where
def watch(targets: Sequence[str], where: Where, as_json: bool) -> None:
    """Show live how far TARGETS (jobs, or video:ID) are, or everything; end when they are over.

    Exit code 0 only if all of them are done.
    """
    desk = desk_of(where)
    with _Bars() as bars:
        ended = _watch(desk, list(targets), bars)
    if as_json:
        click.echo(json.dumps({"items": list(ended.values())}, ensure_ascii=False))
    bad = [item for item in ended.values() if item["state"] not in GOOD]
    if bad:
        raise NotDone("\n".join(f"{_about(item)} {item['id']}: {item['state']}{_why(item)}" for item in bad))
    if not as_json:
        click.echo("Done." if ended else "There is nothing to do.")


def _watch(desk: Desk, targets: Sequence[str], bars: _Bars) -> dict[str, Document]:
    """Everything that was watched, by name, as it was at its end."""
    known: dict[str, Document] = {target: {} for target in targets}
    while True:
        if not targets:
            known |= {job["id"]: {} for job in _unfinished(desk) if job["id"] not in known}
        for name, before in known.items():
            if before.get("state") not in (None, *OPEN):
                continue
            known[name] = item = _look(desk, name)
            bars.show(name, item)
        if all(item["state"] not in OPEN for item in known.values()):
            return known
        time.sleep(LOOK_EVERY)


def _unfinished(desk: Desk) -> list[Document]:
    """What is being done or could be, without what was put off from the beginning: mail that comes together later, a
    second look after a deletion."""
    found = [job for state in ("running", "queued", "paused") for job in desk.jobs(state, None, None, MOST)]
    return [job for job in found if not _put_off(job)]


def _put_off(job: Document) -> bool:
    """Whether a job waits for a time that somebody has set, and not for another try."""
    waiting = job.get("waiting") or {}
    return job["state"] == "queued" and not job["attempts"] and waiting.get("until") is not None


def _look(desk: Desk, name: str) -> Document:
    return desk.video(name.removeprefix(VIDEO)) if name.startswith(VIDEO) else desk.job(name)


@jobs.command()
@click.argument("targets", nargs=-1, required=True)
@_where
def pause(targets: Sequence[str], where: Where, as_json: bool) -> None:
    """Let TARGETS (jobs, or video:ID) wait until they are resumed. What runs is stopped and put back."""
    _steer(desk_of(where), targets, "pause", as_json)


@jobs.command()
@click.argument("targets", nargs=-1, required=True)
@_where
def resume(targets: Sequence[str], where: Where, as_json: bool) -> None:
    """Let paused TARGETS (jobs, or video:ID) go on."""
    _steer(desk_of(where), targets, "resume", as_json)


@jobs.command()
@click.argument("targets", nargs=-1, required=True)
@_where
def cancel(targets: Sequence[str], where: Where, as_json: bool) -> None:
    """End TARGETS (jobs, or video:ID). A video without its job fails, unless it plays already."""
    _steer(desk_of(where), targets, "cancel", as_json)


@jobs.command()
@click.argument("targets", nargs=-1, required=True)
@_where
def retry(targets: Sequence[str], where: Where, as_json: bool) -> None:
    """Try failed or cancelled TARGETS (jobs, or video:ID) again, videos from where their parts stand."""
    _steer(desk_of(where), targets, "retry", as_json)


@jobs.command()
@click.argument("priority", type=int)
@click.argument("targets", nargs=-1, required=True)
@_where
def priority(priority: int, targets: Sequence[str], where: Where, as_json: bool) -> None:
    """Give TARGETS (jobs, or video:ID) another PRIORITY: higher ones go first, 0 is usual; -- before a negative one."""
    _steer(desk_of(where), targets, "priority", as_json, priority)


def _steer(desk: Desk, targets: Sequence[str], action: str, as_json: bool, priority: int | None = None) -> None:
    done: list[Document] = []
    for target in targets:
        if target.startswith(VIDEO):
            done.append(desk.steer_video(target.removeprefix(VIDEO), action, priority))
        else:
            done.append(desk.steer_job(target, action, priority))
        if not as_json:
            click.echo(f"{target}: {done[-1]['state']} {_standing(done[-1])}".rstrip())
    if as_json:
        click.echo(json.dumps({"items": done}, ensure_ascii=False))


def _about(item: Document) -> str:
    """What a job or a video is, in a few words."""
    if "kind" not in item:
        return blanked(item["title"])
    part = item["details"].get("part")
    return " ".join(filter(None, (item["kind"], part, item["subject"])))


def _standing(item: Document) -> str:
    """How far it is, how fast, and what it waits for."""
    pace: Document = item if "kind" in item else item.get("processing") or {}
    waiting: Any = pace.get("waiting")
    if item["state"] not in OPEN:
        return ""
    if waiting:
        return str(waiting["cause"] if isinstance(waiting, dict) else waiting)
    said = (step_text(pace.get("step", "")), speed_text(pace.get("speed")), left_text(pace.get("eta")))
    return ", ".join([f"{item['progress']:.0%}", *filter(None, said)])


def _why(item: Document) -> str:
    error = item.get("error")
    return f", {error['code']}: {error['detail']}" if error else ""


class _Bars:
    """A bar for each thing on a terminal; a line for each news elsewhere. On standard error."""

    def __init__(self) -> None:
        self._bars = live_bars(progress.TaskProgressColumn(), words("fields[about]"), stays=True)
        self._known: dict[str, progress.TaskID] = {}
        self._said: dict[str, tuple[str, float]] = {}

    def __enter__(self) -> _Bars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, name: str, item: Document) -> None:
        """The news of one thing."""
        about = _standing(item) or item["state"]
        share = 1.0 if item["state"] in GOOD else item["progress"]
        if not self._bars.disable:
            if name not in self._known:
                self._known[name] = self._bars.add_task(_about(item), total=1.0, about="")
            self._bars.update(self._known[name], completed=share, about=about)
            return
        state, due = self._said.get(name, ("", 0.0))
        if item["state"] != state or share >= due:
            self._said[name] = (item["state"], share + LINE_EVERY)
            self._bars.console.print(f"{_about(item)}: {item['state']}, {about}", highlight=False, markup=False)
