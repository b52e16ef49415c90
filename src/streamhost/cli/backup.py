"""`streamhost backup` and `streamhost restore`: a whole site put away, proven, and brought back."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from streamhost import log
from streamhost.cli.bars import live_bars, words
from streamhost.cli.beside import settings_beside
from streamhost.cli.options import USUAL, data_directory, json_option
from streamhost.cli.tables import size_text
from streamhost.config import Settings, load
from streamhost.features.backup import (
    NAME,
    Backup,
    BackupImpossible,
    Manifest,
    Progress,
    TarShelf,
    Verdict,
    Wishes,
    is_catalog,
    restore_snapshot,
)
from streamhost.host_backup import backups_of, proves, settle, shelf_of, source_of
from streamhost.instance import open_instance
from streamhost.late import late

if TYPE_CHECKING:
    from rich import progress
else:
    progress = late("rich.progress")

SAMPLE = 20
IN_CLEAR = (
    "This backup is not encrypted, and it holds the keys of the site, the hashes of passwords and the addresses of "
    "everybody. Keep it where only you can read, or set a passphrase (--passphrase-file)."
)

data_option = data_directory(f"Data directory. {USUAL}")
passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    help="File whose content is the passphrase, or - for standard input. [default: the setting backup.passphrase]",
)


@click.command()
@click.argument("dest", required=False)
@click.option("--media", is_flag=True, help="With all media, and uploads that are under way.")
@click.option(
    "--keep", type=click.IntRange(min=0), help="Then remove all of this site's backups there but so many. 0: none."
)
@passphrase_option
@data_option
@json_option
def backup(
    dest: str | None, media: bool, keep: int | None, passphrase_file: Path | None, data: Path | None, as_json: bool
) -> None:
    """Make a backup in DEST: a folder of backups, a file that ends in .tar, or s3://bucket/folder.

    Works beside a running server, and nobody waits: the catalog as it is at one moment, the keys that belong to it,
    settings, templates, and with --media everything that is stored. Before it counts as made, the copy of the catalog
    is read through and every key in it is opened. DEST is the setting backup.to unless it is given. In a folder, what
    has not changed since the backup before takes no room again.

    Only on a data directory: a backup holds the keys of the site, and no token opens those.
    """
    settings = settings_beside(data)
    place = dest or settings.backup.to
    if not place:
        raise click.UsageError("Name a place, or set backup.to.")
    passphrase = _passphrase(passphrase_file, settings)
    shelf = shelf_of(settings, place)
    if isinstance(shelf, TarShelf):
        if keep is not None:
            raise click.UsageError("--keep is for places with many backups; a .tar file is one.")
        if asyncio.run(shelf.names()):
            raise BackupImpossible(f"{place} is there already.", hint="Choose another name, or remove it.")
    kept = 0 if isinstance(shelf, TarShelf) else settings.backup.keep if keep is None and not dest else keep or 0
    instance = open_instance(settings.data)
    with _bars("Backing up") as told:
        room = backups_of(settings, instance, told=told)
        made, removed = asyncio.run(room.make(shelf, Wishes(media, passphrase, kept)))
    where = place if isinstance(shelf, TarShelf) else f"{place.rstrip('/')}/{made.name}"
    if as_json:
        click.echo(json.dumps({"backup": where, **_document(made), "removed": removed}, ensure_ascii=False))
        return
    click.echo(f"{where} holds {size_text(made.size)}:")
    for line in made.holds:
        click.echo(f"  {line}")
    click.echo("It leaves out:")
    for line in made.leaves_out:
        click.echo(f"  {line}")
    if removed:
        click.echo(f"Removed: {', '.join(removed)}.")
    if not passphrase:
        click.secho(IN_CLEAR, fg="yellow", err=True)


@click.command()
@click.argument("src", required=False)
@click.option("--verify", is_flag=True, help="Only prove that it can be restored; nothing is changed.")
@click.option(
    "--sample",
    type=click.IntRange(min=0),
    default=SAMPLE,
    show_default=True,
    help="With --verify: how many stored objects are read, by chance.",
)
@click.option("--all", "everything", is_flag=True, help="With --verify: read every stored object.")
@click.option("--list", "listing", is_flag=True, help="Only show which backups there are.")
@click.option("--force", is_flag=True, help="Into a data directory that holds something: what is replaced is kept.")
@click.option("--no-media", is_flag=True, help="Without the media in it; what is there stays.")
@passphrase_option
@data_option
@json_option
def restore(
    src: str | None,
    verify: bool,
    sample: int,
    everything: bool,
    listing: bool,
    force: bool,
    no_media: bool,
    passphrase_file: Path | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Bring a backup back: SRC is one backup, or a place with many, of which the newest is taken.

    Everything is checked before anything is touched. SRC may also be a copy of the catalog in the folder `snapshots`
    of the data directory, as it was before an upgrade: then only the catalog is put back. What was replaced lies in a
    folder before-restore-… in the data directory. No server may run there meanwhile.

    Only on a data directory, for that reason; with --verify a server may run.
    """
    settings = load(data)
    log.configure("warning", settings.log.format)
    place = src or settings.backup.to
    if not place:
        raise click.UsageError("Name a backup, or set backup.to.")
    if listing:
        _list(settings, place, as_json)
        return
    if is_catalog(Path(place)):
        _snapshot(settings, Path(place), verify=verify, force=force, as_json=as_json)
        return
    with _bars("Reading" if verify else "Restoring") as told:
        verdict = asyncio.run(
            _restored(settings, place, passphrase_file, told, verify, None if everything else sample, force, no_media)
        )
    _tell(verdict, settings, verify=verify, as_json=as_json)


async def _restored(
    settings: Settings,
    place: str,
    passphrase_file: Path | None,
    told: Callable[[Progress], None],
    verify: bool,
    sample: int | None,
    force: bool,
    no_media: bool,
) -> Verdict:
    source = await source_of(settings, place)
    found = await Backup.open(source, _passphrase(passphrase_file, settings), sealed=passphrase_file is not None)
    if verify:
        return await found.verify(proves, sample, told)
    return await found.restore(settings.data, proves, settle, told, force=force, media=not no_media)


def _list(settings: Settings, place: str, as_json: bool) -> None:
    names = asyncio.run(shelf_of(settings, place).names())
    if as_json:
        click.echo(json.dumps({"items": names}))
        return
    for name in names:
        found = NAME.fullmatch(name)
        click.echo(f"{name}  {_moment(found['moment'])}" if found else name)
    if not names:
        click.echo("There are none.")


def _snapshot(settings: Settings, path: Path, *, verify: bool, force: bool, as_json: bool) -> None:
    if not verify and not force:
        raise click.UsageError("This replaces the catalog of the data directory: say --force.")
    if verify:
        raise click.UsageError("--verify is for backups; a copy of the catalog is checked when it is put back.")
    verdict = asyncio.run(restore_snapshot(path, settings.data, proves))
    _tell(verdict, settings, verify=False, as_json=as_json)


def _tell(verdict: Verdict, settings: Settings, *, verify: bool, as_json: bool) -> None:
    made, proof = verdict.manifest, verdict.proof
    if as_json:
        document = {
            **_document(made),
            "verified": True,
            "restored": not verify,
            "users": proof.users,
            "videos": proof.videos,
            "keys": proof.keys,
            "media_read": verdict.media_read,
            "aside": str(verdict.aside) if verdict.aside else None,
        }
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    facts = f"{proof.users} accounts, {proof.videos} videos, {proof.keys} keys of protected videos"
    if verify:
        click.echo(f"{made.name} can be restored: {facts}. Everything in it was read but media,")
        click.echo(f"of which {verdict.media_read} of {made.media.objects if made.media else 0} files were read.")
        return
    click.echo(f"{settings.data} is as it was at {made.made_at}: {facts}.")
    if made.parts:
        click.echo(f"Media: {verdict.media_read} files." if verdict.media_read else "Media was not restored.")
    if verdict.aside:
        click.echo(f"What was replaced is kept in {verdict.aside}.")
    click.echo(f"Start it: streamhost serve --data {settings.data}")


def _passphrase(file: Path | None, settings: Settings) -> str:
    """The passphrase, less one line ending; empty for none."""
    if file is None:
        return settings.backup.passphrase
    text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    if not text.strip():
        raise click.UsageError("The file of the passphrase is empty.")
    return text.removesuffix("\n").removesuffix("\r")


def _document(made: Manifest) -> dict[str, Any]:
    return {
        "name": made.name,
        "site": made.site,
        "instance": made.instance,
        "made_at": made.made_at,
        "version": made.version,
        "bytes": made.size,
        "encrypted": made.seal is not None,
        "media": {"objects": made.media.objects, "bytes": made.media.size} if made.media else None,
        "holds": list(made.holds),
        "leaves_out": list(made.leaves_out),
    }


def _moment(text: str) -> str:
    """The moment in a backup's name, for people."""
    return f"{text[:4]}-{text[4:6]}-{text[6:8]} {text[9:11]}:{text[11:13]} UTC"


@contextmanager
def _bars(doing: str) -> Any:
    """Shows how far it is, as the block is told."""
    columns = (progress.DownloadColumn(binary_units=True), progress.TransferSpeedColumn(), words("fields[about]"))
    with live_bars(*columns) as shown:
        bar = shown.add_task(doing, total=None, about="")
        yield lambda done: shown.update(bar, completed=done.size, about=f"{done.objects} files")
