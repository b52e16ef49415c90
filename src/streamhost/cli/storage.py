"""`streamhost storage`: where media is kept: does it work, what does it hold, and bring it somewhere else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from streamhost import log
from streamhost.cli.bars import byte_bars
from streamhost.cli.beside import settings_beside, with_host
from streamhost.cli.options import data_option, json_option
from streamhost.cli.remote import Document, Remote, as_document
from streamhost.cli.tables import size_text
from streamhost.cli.where import FOR_ADMINS, Where, somewhere
from streamhost.config import load
from streamhost.features.storekeeping import Moved
from streamhost.host import Host
from streamhost.instance import InstanceLocked
from streamhost.model.clock import iso
from streamhost.model.errors import StreamhostError
from streamhost.model.objects import Findings
from streamhost.server.documents.keeping import step_document, usage_document

ADDRESS = "/api/v1/admin/storage"
SHOWN = 20
"""Of long lists only so many lines are printed; JSON has all."""


class StorageFaulty(StreamhostError):
    """The storage does not do all that it must."""

    code = "storage_faulty"
    permanent = True


class StorageDiffers(StreamhostError):
    """What is stored is not what the catalog says."""

    code = "storage_differs"
    permanent = True


@click.group()
def storage() -> None:
    """Try where media is kept, see what is there, and move it. Works beside a running server."""


@storage.command("check")
@somewhere(FOR_ADMINS)
def check_storage(where: Where, as_json: bool) -> None:
    """Try everything that the storage of the settings must do, and say what to change.

    Objects are stored below check/ and removed again. Exit code 1 if something that is needed does not work.
    """
    found = where.desk(_checked_at, lambda data: _checked_in(data, told=None if as_json else _show))
    steps = found["steps"]
    failed = [one["name"] for one in steps if one["ok"] is False]
    if as_json:
        click.echo(json.dumps(found, indent=2))
    elif where.url is not None:
        for one in steps:
            _show(one)
    if failed:
        raise StorageFaulty(f"{len(failed)} of {len(steps)} steps failed: {', '.join(failed)}.")


def _checked_at(remote: Remote) -> Document:
    """It takes as long as the storage does, and there is nothing to be heard meanwhile."""
    return remote.document("POST", f"{ADDRESS}/check")


def _checked_in(data: Path | None, told: Callable[[Document], None] | None) -> Document:
    settings = load(data)
    log.configure("error", settings.log.format)

    async def look(host: Host) -> list[Document]:
        found = []
        async for one in host.storekeeping.tried(settings):
            found.append(as_document(step_document(one)))
            if told is not None:
                told(found[-1])
        return found

    return {"storage": settings.storage.backend, "steps": with_host(settings, look)}


def _show(one: Document) -> None:
    fails = click.style("fails", fg="red", bold=True) if one["ok"] is False else click.style("not needed", dim=True)
    click.echo(f"{one['name']:10} {click.style('works', fg='green') if one['ok'] else fails}  {one['detail']}")
    if one["hint"] and one["ok"] is not True:
        click.echo(f"{'':10} Hint: {one['hint']}")


@storage.command()
@click.option("--to", required=True, help="Where everything is to be: local, s3, or a plugin's storage.")
@data_option
@json_option
def move(to: str, data: Path | None, as_json: bool) -> None:
    """Bring everything that lies in other storages to this one. Videos play on meanwhile.

    First set storage.backend to the new one and restart the server, so that new media goes there. Every object is
    copied, read back and compared by its SHA-256 before the original is removed. Interrupted or killed, the same
    command goes on.

    Only on a data directory: the command itself reads and writes every byte, for hours on a large site.
    """
    settings = settings_beside(data)
    with byte_bars() as bars:
        bar = bars.add_task("Moving", total=None)

        def told(moved: Moved) -> None:
            bars.update(bar, completed=moved.size, total=max(moved.all_size, moved.size))

        moved = with_host(settings, lambda host: _moved(host, to, told))
    document = {"to": to, "objects": moved.objects, "bytes": moved.size}
    click.echo(
        json.dumps(document) if as_json else f"{moved.objects} objects ({size_text(moved.size)}) are in {to} now."
    )


async def _moved(host: Host, to: str, told: Callable[[Moved], None]) -> Moved:
    mover = host.storekeeping.mover
    try:
        lock = host.instance.lock()
    except InstanceLocked:
        return await mover.move(to, server_runs=True, told=told)
    with lock:
        return await mover.move(to, server_runs=False, told=told)


@storage.command()
@click.option("--repair", is_flag=True, help="Remove objects that no row names and that are older than a day.")
@data_option
@json_option
def fsck(repair: bool, data: Path | None, as_json: bool) -> None:
    """Compare what is stored with what the catalog says: objects that nobody names, and named ones that are missing.

    Exit code 1 if anything is missing, or if orphans are left.

    Only on a data directory: the command itself goes through every object. *Administration, Storage* tells how many
    there are of both, as the server has counted.
    """
    settings = settings_beside(data)
    found, removed = with_host(settings, lambda host: _looked(host, repair))
    left = len(found.orphans) - removed
    if as_json:
        click.echo(json.dumps({**asdict(found), "removed": removed}, indent=2))
    else:
        _tell_findings(found, removed)
    if found.losses or left:
        hint = None if found.losses or repair else "With --repair the orphans are removed."
        raise StorageDiffers(f"Missing or damaged: {len(found.losses)}. Orphans left: {left}.", hint=hint)


async def _looked(host: Host, repair: bool) -> tuple[Findings, int]:
    with byte_bars() as bars:
        bar = bars.add_task("Looking", total=None)
        found = await host.storekeeping.survey.fsck(lambda _objects, size: bars.update(bar, completed=size))
    removed = await host.storekeeping.survey.remove(found.orphans) if repair else 0
    return found, removed


def _tell_findings(found: Findings, removed: int) -> None:
    click.echo(f"{found.objects} objects, {size_text(found.size)}.")
    if found.strange:
        click.echo(f"{found.strange} of them are not this program's; they are left alone.")
    if found.recent:
        click.echo(f"{found.recent} are new and not named yet, such as a file that is just becoming a video.")
    for loss in found.losses[:SHOWN]:
        what = "is missing" if loss.found is None else f"has {loss.found} bytes instead of {loss.expected}"
        click.echo(f"lost    {loss.key} {what} (video {loss.video_id})")
    for orphan in found.orphans[:SHOWN]:
        click.echo(f"orphan  {orphan.key} ({size_text(orphan.size)}, {iso(orphan.modified)})")
    for number, name in ((len(found.losses), "losses"), (len(found.orphans), "orphans")):
        if number > SHOWN:
            click.echo(f"… {number - SHOWN} more {name}; --json has them all.")
    if removed:
        click.echo(f"{removed} orphans were removed.")
    if not found.losses and not found.orphans:
        click.echo("Everything that the catalog names is there, and nothing else.")


@storage.command()
@click.option("--by", type=click.Choice(["video", "owner"]), default="video", show_default=True, help="What adds up.")
@somewhere(FOR_ADMINS)
def usage(by: str, where: Where, as_json: bool) -> None:
    """Show what is stored of each video, or of each owner's videos, the most first."""
    videos = where.desk(lambda remote: remote.document("GET", ADDRESS)["items"], _usage_in)
    rows = videos if by == "video" else _owner_rows(videos)
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        name = f"{row['id']}  {row['title']}" if by == "video" else row["owner"]
        click.echo(f"{size_text(row['bytes']):>10}  {row['objects']:>7} objects  {name}")
    total = sum(row["bytes"] for row in rows)
    click.echo(f"{size_text(total):>10}  {sum(row['objects'] for row in rows):>7} objects  in all")


def _usage_in(data: Path | None) -> list[Document]:
    found = with_host(settings_beside(data), lambda host: host.storekeeping.survey.usage())
    return [as_document(usage_document(one)) for one in found]


def _owner_rows(videos: list[Document]) -> list[dict[str, Any]]:
    owners: dict[str, dict[str, Any]] = {}
    for one in videos:
        owner = one["owner"] or "(nobody's)"
        row = owners.setdefault(owner, {"owner": owner, "videos": 0, "objects": 0, "bytes": 0})
        row["videos"] += bool(one["id"])
        row["objects"] += one["objects"]
        row["bytes"] += one["bytes"]
    return sorted(owners.values(), key=lambda row: -int(row["bytes"]))
