"""`streamhost import`: files and folders of this machine become videos, beside a running server or without one."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from streamhost.cli.bars import live_bars
from streamhost.cli.beside import settings_beside
from streamhost.cli.options import data_option, json_option
from streamhost.features.imports import ImportNoOwner, Item
from streamhost.host import Host, assemble
from streamhost.instance import Instance, InstanceLocked, open_instance
from streamhost.late import late
from streamhost.model.errors import StreamhostError
from streamhost.model.ids import ImportId, UserId
from streamhost.model.imports import ImportFile, ImportState, Policy, Wishes, shown
from streamhost.model.videos import Failure, Visibility
from streamhost.server.documents.imports import import_document

if TYPE_CHECKING:
    from rich import progress
else:
    progress = late("rich.progress")

INTERRUPTED = 130
LOOK_EVERY = 0.5
WATCH_EVERY = 10.0
"""Seconds between two searches with --watch."""
GOOD = ("ready", "duplicate")
OPEN = ("settling", "waiting", "taking", "received", "processing")
"""States in which something is still to come."""
TOLD = ("waiting", "imported", "being made", "ready", "duplicate", "missing", "failed")
"""The lines of the summary, in order."""


class NotImported(StreamhostError):
    """Not everything was imported."""

    code = "not_imported"
    hint = "See the causes above; `streamhost imports list --state failed` shows them again."
    permanent = True


@dataclass(slots=True)
class Found:
    """What an import is about: known files by id, and problems with paths that are no files."""

    ids: list[ImportId] = field(default_factory=list)
    problems: list[tuple[str, Failure]] = field(default_factory=list)


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--policy",
    type=click.Choice([policy.value for policy in Policy]),
    help="What becomes of the files: move takes them away, keep copies them, link gives them a second name in the "
    "storage. [default: keep]",
)
@click.option("--owner", help="Address of the account whose videos they become. [default: as set in imports.owner]")
@click.option(
    "--visibility",
    type=click.Choice([Visibility.PRIVATE.value, Visibility.UNLISTED.value, Visibility.PUBLIC.value]),
    help="Who may watch, unless a file of details says otherwise. [default: as set in imports.visibility]",
)
@click.option("--tag", "tags", multiple=True, help="A tag for every video; may be given several times.")
@click.option("--dry-run", is_flag=True, help="Only say what would be imported.")
@click.option("--wait", is_flag=True, help="Wait until every video is ready, or has failed.")
@click.option("--watch", is_flag=True, help="Go on searching the folders until interrupted.")
@data_option
@json_option
@click.pass_context
def import_(
    ctx: click.Context,
    paths: Sequence[Path],
    policy: str | None,
    owner: str | None,
    visibility: str | None,
    tags: Sequence[str],
    dry_run: bool,
    wait: bool,
    watch: bool,
    data: Path | None,
    as_json: bool,
) -> None:
    """Make the files at PATHS, and what lies in folders and below, videos of a data directory on this machine.

    Only on a data directory: the files are read where they lie; `streamhost videos upload` sends them to a server
    elsewhere.

    Beside a running server that server takes them in, a few at a time, uploads first; the command ends once they are
    known to it. Without one the command takes them in itself, and they are made when a server runs. Asked again, it
    imports what is new or has changed. Exit code 0 only if every file is imported or on its way, with --wait only if
    every video is ready.
    """
    said = (policy, owner, visibility, tuple(tags))
    try:
        with _Bars(quiet=as_json) as bars:
            told = asyncio.run(_run(data, paths, said, dry_run, wait, watch, bars))
    except KeyboardInterrupt:
        click.echo("Interrupted. The same command goes on where this stopped.", err=True)
        ctx.exit(INTERRUPTED)
    if as_json:
        click.echo(json.dumps({"items": told.items, "counts": told.counts}, ensure_ascii=False))
    else:
        _print(told, dry_run)
    if told.bad:
        raise NotImported(f"{told.bad} of {len(told.items)} files.")


@dataclass(slots=True)
class _Told:
    """What came of an import."""

    items: list[dict[str, Any]]
    counts: dict[str, int]
    bad: int
    served: bool


async def _run(
    data: Path | None,
    paths: Sequence[Path],
    said: tuple[str | None, str | None, str | None, tuple[str, ...]],
    dry_run: bool,
    wait: bool,
    watch: bool,
    bars: _Bars,
) -> _Told:
    settings = settings_beside(data)
    instance = open_instance(settings.data)
    host = await assemble(settings, instance)
    try:
        wishes = await _wishes(host, said)
        if dry_run:
            return await _preview(host, paths)
        while True:
            found = await _search(host, paths, wishes, bars)
            served = await _take(host, instance, found, bars)
            if wait and served:
                await _follow(host, found, bars)
            if not watch:
                return await _result(host, found, served, wait)
            await asyncio.sleep(WATCH_EVERY)
    finally:
        await host.close()


async def _wishes(host: Host, said: tuple[str | None, str | None, str | None, tuple[str, ...]]) -> Wishes:
    policy, owner, visibility, tags = said
    owner_id: UserId | None = None
    if owner is not None:
        user = await host.accounts.people.by_email(owner)
        if user.disabled_at is not None:
            raise ImportNoOwner(f"The account {owner} is disabled.")
        owner_id = user.id
    return Wishes(
        # What somebody names on a command line is their own library: it stays unless they say otherwise.
        Policy(policy) if policy else Policy.KEEP,
        owner_id,
        Visibility(visibility) if visibility else None,
        tags,
    )


async def _search(host: Host, paths: Sequence[Path], wishes: Wishes, bars: _Bars) -> Found:
    found = Found()
    for path in paths:
        try:
            if path.is_dir():
                scan = await host.imports.scan(path, wishes, bars.met)
                found.ids += await host.imports.desk.below(scan.root)
                if scan.error is not None:
                    found.problems.append((shown(scan.root), scan.error))
            else:
                found.ids.append((await host.imports.add(path, wishes)).id)
        except StreamhostError as error:
            failure = Failure(error.code, str(error), error.hint)
            found.problems.append((shown(str(path)), failure))
    return found


async def _take(host: Host, instance: Instance, found: Found, bars: _Bars) -> bool:
    """Take the files in, or leave that to the server that runs; whether one does."""
    wanted = set(found.ids)
    try:
        lock = instance.lock()
    except InstanceLocked:
        await host.imports.fill()
        return True
    try:

        def told(file: ImportFile) -> None:
            bars.took(file.name)

        bars.expect(len(wanted))
        await host.imports.take_all(told, lambda file: file.id in wanted)
    finally:
        lock.release()
    return False


async def _follow(host: Host, found: Found, bars: _Bars) -> None:
    """Wait until every file is a video that is ready, or will not be one."""
    bars.expect(len(found.ids))
    while True:
        items = await host.imports.desk.items(found.ids)
        bars.done(sum(_state(item) not in OPEN for item in items))
        if all(_state(item) not in OPEN or _stuck(item) for item in items):
            return
        await asyncio.sleep(LOOK_EVERY)


def _stuck(item: Item) -> bool:
    """Whether it waits for something that waiting here does not bring, such as room."""
    return item.file.state is ImportState.WAITING and item.file.error is not None


def _state(item: Item) -> str:
    """Where a file is, and its video behind it."""
    if item.file.state is not ImportState.IMPORTED:
        return item.file.state.value
    return item.video.state if item.video is not None else "ready"


async def _result(host: Host, found: Found, served: bool, waited: bool) -> _Told:
    items = await host.imports.desk.items(found.ids)
    documents = [msgspec.to_builtins(import_document(item)) for item in items]
    counts = Counter(_word(item) for item in items)
    bad = counts["failed"] + counts["missing"] + len(found.problems)
    if waited and served:
        bad += sum(_state(item) in OPEN for item in items)
    for path, error in found.problems:
        problem = {"code": error.code, "detail": error.detail, "hint": error.hint}
        documents.append({"path": path, "name": path, "state": "failed", "error": problem})
    counts["failed"] += len(found.problems)
    return _Told(documents, {word: counts[word] for word in TOLD}, bad, served)


def _word(item: Item) -> str:
    """The line of the summary in which a file counts."""
    state = _state(item)
    if item.file.state in (ImportState.SETTLING, ImportState.WAITING, ImportState.TAKING):
        return "waiting"
    return {"received": "imported", "processing": "being made"}.get(state, state)


async def _preview(host: Host, paths: Sequence[Path]) -> _Told:
    items: list[dict[str, Any]] = []
    for path in paths:
        for entry, known in await host.imports.preview(path):
            name = shown(entry.path)
            news = "new" if known is None else "unchanged" if entry.mark.same(known.mark) else "changed"
            error = None
            if entry.error is not None:
                news, error = "failed", {"code": entry.error.code, "detail": entry.error.detail}
            beside = [shown(one.name) for one in entry.sidecars]
            items.append({"path": name, "state": news, "size": entry.mark.size, "beside": beside, "error": error})
    counts = Counter(item["state"] for item in items)
    return _Told(items, dict(counts), counts["failed"], served=False)


def _print(told: _Told, dry_run: bool) -> None:
    for item in told.items:
        if dry_run:
            beside = f"  with {', '.join(item['beside'])}" if item["beside"] else ""
            click.echo(f"{item['state']:9}  {item['path']}{beside}")
        elif item["state"] == "failed" or item.get("error"):
            error = item["error"] or {"code": "", "detail": ""}
            click.echo(f"{item['path'] or item['name']}: {error['detail']} ({error['code']})")
        for one in item.get("beside", []) if not dry_run else []:
            if one["error"]:
                click.echo(f"{one['name']}: {one['error']}")
    click.echo(", ".join(f"{number} {word}" for word, number in told.counts.items() if number) or "There is no film.")
    if not dry_run and not told.served and told.counts.get("imported"):
        click.echo("No server runs here: they are made when one does.")
    elif not dry_run and told.counts.get("waiting"):
        click.echo("The server takes them in, a few at a time; `streamhost imports status` tells how far it is.")


class _Bars:
    """Progress on standard error: a bar for people; nothing where nobody watches."""

    def __init__(self, quiet: bool) -> None:
        self._bars = live_bars(progress.MofNCompleteColumn(), quiet=quiet)
        self._bar = self._bars.add_task("Searching", total=None)

    def __enter__(self) -> _Bars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def met(self, files: int) -> None:
        """So many files were met."""
        self._bars.update(self._bar, completed=files)

    def expect(self, files: int) -> None:
        """So many files are to be done."""
        self._bars.reset(self._bar, total=files, description="Importing")

    def took(self, name: str) -> None:
        """One more is done."""
        self._bars.update(self._bar, advance=1, description=shown(name)[:40])

    def done(self, files: int) -> None:
        """So many are done."""
        self._bars.update(self._bar, completed=files)
