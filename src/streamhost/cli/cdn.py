"""`streamhost cdn`: how the copies at the CDN stand, bringing videos there, and having copies dropped."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import click

from streamhost.cli.beside import Beside
from streamhost.cli.remote import Document, Remote, as_document
from streamhost.cli.where import FOR_ADMINS, Where, somewhere
from streamhost.host import Host
from streamhost.model.cdn import SyncState
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import VideoId
from streamhost.server.documents.cdn import cdn_document, copies_document

ADDRESS = "/api/v1/admin/cdn"
LOOK_EVERY = 1.0


class NotSynced(StreamhostError):
    """Not every video was brought to the CDN."""

    code = "not_synced"
    permanent = True


class Desk(Protocol):
    """Where it happens. Answers are documents as the API has them."""

    def overview(self) -> Document:
        """The CDN, and the copies that changed last."""
        ...

    def of(self, video: str) -> Document:
        """The copies of one video."""
        ...

    def sync(self, video: str) -> Document:
        """Bring a video there."""
        ...

    def sync_missing(self) -> list[Document]:
        """Bring every video there that is not there; all that are on their way."""
        ...

    def purge(self, video: str) -> Document:
        """Have the copies of a video dropped."""
        ...


class ServerDesk:
    """At a running server, by an administrator's token."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def overview(self) -> Document:
        """See `Desk`."""
        return self._remote.document("GET", ADDRESS)

    def of(self, video: str) -> Document:
        """See `Desk`."""
        return self._remote.document("GET", self._place(video))

    def sync(self, video: str) -> Document:
        """See `Desk`."""
        return self._remote.document("POST", self._place(video), {"action": "sync"})

    def sync_missing(self) -> list[Document]:
        """See `Desk`."""
        return list(self._remote.document("POST", f"{ADDRESS}/sync")["items"])

    def purge(self, video: str) -> Document:
        """See `Desk`."""
        return self._remote.document("POST", self._place(video), {"action": "purge"})

    def _place(self, video: str) -> str:
        return f"/api/v1/videos/{quote(video, safe='')}/cdn"


class FolderDesk:
    """In a data directory, beside a running server or without one; whose workers do what is asked for.

    Raises `NoCatalog` where no server has ever run."""

    def __init__(self, data: Path | None) -> None:
        self._beside = Beside(data)

    def overview(self) -> Document:
        """See `Desk`."""

        async def look(host: Host) -> Document:
            return as_document(cdn_document(await host.copies.overview(), await host.copies.listed()))

        return self._beside.do(look)

    def of(self, video: str) -> Document:
        """See `Desk`."""

        async def look(host: Host) -> Document:
            return as_document(copies_document(await host.copies.of_video(VideoId(video))))

        return self._beside.do(look)

    def sync(self, video: str) -> Document:
        """See `Desk`."""

        async def begin(host: Host) -> Document:
            return as_document(copies_document(await host.copies.sync(VideoId(video))))

        return self._beside.do(begin)

    def sync_missing(self) -> list[Document]:
        """See `Desk`."""

        async def begin(host: Host) -> list[Document]:
            return [as_document(copies_document(one)) for one in await host.copies.sync_missing()]

        return self._beside.do(begin)

    def purge(self, video: str) -> Document:
        """See `Desk`."""

        async def begin(host: Host) -> Document:
            return as_document(copies_document(await host.copies.purge(VideoId(video))))

        return self._beside.do(begin)


def _desk(where: Where) -> Desk:
    return where.desk(ServerDesk, FolderDesk)


@click.group()
def cdn() -> None:
    """See and steer what the CDN holds, at a running server or on a data directory. Its workers do what is asked for
    here."""


@cdn.command()
@click.argument("videos", nargs=-1)
@somewhere(FOR_ADMINS)
def status(videos: Sequence[str], where: Where, as_json: bool) -> None:
    """Show the CDN and the copies of VIDEOS (ids), or of those that changed last."""
    desk = _desk(where)
    seen = desk.overview()
    if videos:
        seen["copies"] = [desk.of(one) for one in videos]
    if as_json:
        click.echo(json.dumps(seen, ensure_ascii=False, indent=2))
        return
    place = f" at {seen['base_url']}" if seen["base_url"] else ""
    click.echo(
        f"CDN: {seen['kind']}{place} ({seen['way']}), {'with' if seen['push'] else 'without'} bringing videos there."
    )
    if seen["videos"]:
        click.echo(", ".join(f"{number} {state}" for state, number in seen["videos"].items()))
    for one in seen["copies"]:
        click.echo(f"{one['id']}  {one['state']:8} {_about(one)}".rstrip())
    if seen["purges_waiting"]:
        click.echo(f"{seen['purges_waiting']} purges wait or run.")
    for trouble in seen["purges_failed"]:
        click.secho(f"Not dropped: {trouble['prefix']}", fg="red")
        click.echo(f"    {trouble['cause']}")


@cdn.command()
@click.argument("videos", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every video that is ready and not there yet.")
@click.option("--wait", is_flag=True, help="Wait until it is done; exit code 0 only if all of it is.")
@somewhere(FOR_ADMINS)
def sync(videos: Sequence[str], everything: bool, wait: bool, where: Where, as_json: bool) -> None:
    """Bring VIDEOS (ids) to the CDN, again if they are there."""
    if bool(videos) == everything:
        raise click.UsageError("Name videos, or say --all.")
    desk = _desk(where)
    copies = desk.sync_missing() if everything else [desk.sync(one) for one in videos]
    if wait:
        copies = [_ended(desk, one["id"]) for one in copies]
    if as_json:
        click.echo(json.dumps({"items": copies}, ensure_ascii=False, indent=2))
    elif not wait:
        click.echo(f"{len(copies)} videos will be brought to the CDN; `streamhost cdn status` shows how far they are.")
    failed = [one for one in copies if wait and one["state"] != SyncState.SYNCED]
    if failed:
        raise NotSynced("\n".join(f"{one['id']}: {one['state']} {one['cause']}".rstrip() for one in failed))
    if wait and not as_json:
        click.echo(f"{len(copies)} videos are at the CDN.")


@cdn.command()
@click.argument("videos", nargs=-1, required=True)
@somewhere(FOR_ADMINS)
def purge(videos: Sequence[str], where: Where, as_json: bool) -> None:
    """Have the copies of VIDEOS (ids) dropped; also of videos that are gone."""
    desk = _desk(where)
    for one in videos:
        desk.purge(one)
    words = "The CDN will be told to drop them; `streamhost cdn status` shows what it could not be told."
    click.echo(json.dumps({"purging": list(videos)}) if as_json else words)


def _ended(desk: Desk, video: str) -> Document:
    """The copies of a video once they are on their way no more."""
    while (copies := desk.of(video))["state"] == SyncState.PENDING:
        time.sleep(LOOK_EVERY)
    return copies


def _about(copies: Document) -> str:
    if copies["state"] == SyncState.SYNCED:
        return f"{copies['objects']} files, {copies['updated_at'][:16].replace('T', ' ')} UTC"
    return str(copies["cause"])
