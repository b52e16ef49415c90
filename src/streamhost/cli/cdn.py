"""`streamhost cdn`: how the copies at the CDN stand, bringing videos there, and having copies dropped."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from streamhost.cli.beside import settings_beside, with_host
from streamhost.cli.options import data_option, json_option
from streamhost.features.cdn import Copies
from streamhost.host import Host
from streamhost.model.cdn import CdnSync, SyncState
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import VideoId
from streamhost.server.documents.cdn import copies_document

LOOK_EVERY = 1.0


class NotSynced(StreamhostError):
    """Not every video was brought to the CDN."""

    code = "not_synced"
    permanent = True


@click.group()
def cdn() -> None:
    """See and steer what the CDN holds. Works beside a running server, whose workers do what is asked for here."""


@cdn.command()
@click.argument("videos", nargs=-1)
@data_option
@json_option
def status(videos: Sequence[str], data: Path | None, as_json: bool) -> None:
    """Show the CDN and the copies of VIDEOS (ids), or of those that changed last."""

    async def look(host: Host) -> tuple[Any, list[CdnSync]]:
        found = [await host.copies.of_video(VideoId(one)) for one in videos] if videos else await host.copies.listed()
        return await host.copies.overview(), found

    seen, syncs = with_host(settings_beside(data), look)
    if as_json:
        document = msgspec.to_builtins(seen) | {"videos": [_document(sync) for sync in syncs]}
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    where = f" at {seen.base_url}" if seen.base_url else ""
    click.echo(
        f"CDN: {seen.kind}{where} ({seen.way.value}), {'with' if seen.push else 'without'} bringing videos there."
    )
    if seen.counts:
        click.echo(", ".join(f"{number} {state.value}" for state, number in seen.counts.items()))
    for sync in syncs:
        click.echo(f"{sync.video_id}  {sync.state.value:8} {_about(sync)}".rstrip())
    if seen.purges_waiting:
        click.echo(f"{seen.purges_waiting} purges wait or run.")
    for trouble in seen.purges_failed:
        click.secho(f"Not dropped: {trouble.prefix}", fg="red")
        click.echo(f"    {trouble.cause}")


@cdn.command()
@click.argument("videos", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every video that is ready and not there yet.")
@click.option("--wait", is_flag=True, help="Wait until it is done; exit code 0 only if all of it is.")
@data_option
@json_option
def sync(videos: Sequence[str], everything: bool, wait: bool, data: Path | None, as_json: bool) -> None:
    """Bring VIDEOS (ids) to the CDN, again if they are there."""
    if bool(videos) == everything:
        raise click.UsageError("Name videos, or say --all.")

    async def begin(host: Host) -> list[CdnSync]:
        if everything:
            await host.copies.sync_missing()
            pending = await host.copies.listed(SyncState.PENDING, limit=100_000)
        else:
            pending = [await host.copies.sync(VideoId(one)) for one in videos]
        return await _done(host.copies, pending) if wait else pending

    syncs = with_host(settings_beside(data), begin)
    if as_json:
        click.echo(json.dumps({"videos": [_document(one) for one in syncs]}, ensure_ascii=False, indent=2))
    elif not wait:
        click.echo(f"{len(syncs)} videos will be brought to the CDN; `streamhost cdn status` shows how far they are.")
    failed = [one for one in syncs if wait and one.state is not SyncState.SYNCED]
    if failed:
        raise NotSynced("\n".join(f"{one.video_id}: {one.state.value} {one.cause}".rstrip() for one in failed))
    if wait and not as_json:
        click.echo(f"{len(syncs)} videos are at the CDN.")


@cdn.command()
@click.argument("videos", nargs=-1, required=True)
@data_option
@json_option
def purge(videos: Sequence[str], data: Path | None, as_json: bool) -> None:
    """Have the copies of VIDEOS (ids) dropped; also of videos that are gone."""

    async def begin(host: Host) -> None:
        for one in videos:
            await host.copies.purge(VideoId(one))

    with_host(settings_beside(data), begin)
    words = "The CDN will be told to drop them; `streamhost cdn status` shows what it could not be told."
    click.echo(json.dumps({"purging": list(videos)}) if as_json else words)


async def _done(copies: Copies, pending: Sequence[CdnSync]) -> list[CdnSync]:
    while True:
        now = [await copies.of_video(one.video_id) for one in pending]
        if all(one.state is not SyncState.PENDING for one in now):
            return now
        await asyncio.sleep(LOOK_EVERY)


def _document(sync: CdnSync) -> dict[str, Any]:
    return {"id": sync.video_id, **msgspec.to_builtins(copies_document(sync))}


def _about(sync: CdnSync) -> str:
    if sync.state is SyncState.SYNCED:
        when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(sync.updated_at))
        return f"{sync.objects} files, {when} UTC"
    return sync.cause
