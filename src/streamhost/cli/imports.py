"""`streamhost imports`: what has become of the files of import folders, and the levers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from streamhost.cli.desks import settings_beside
from streamhost.features.imports import MAX_PAGE
from streamhost.host import Host, assemble
from streamhost.instance import open_instance
from streamhost.model.ids import ImportId
from streamhost.model.imports import ImportState
from streamhost.server.documents.imports import import_document, status_document

T = TypeVar("T")


def _common(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every command here."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="For programs: JSON instead of words."),
        click.option(
            "--data",
            type=click.Path(path_type=Path, file_okay=False),
            help="Directory of the catalog. [default: STREAMHOST_DATA or the usual place]",
        ),
    ):
        command = option(command)
    return command


@click.group()
def imports() -> None:
    """See what has become of the files of import folders, and try them again. Works beside a running server."""


@imports.command()
@_common
def status(data: Path | None, as_json: bool) -> None:
    """Show each folder, and how many of its files stand where."""

    async def look(host: Host) -> Any:
        return msgspec.to_builtins(status_document(await host.imports.desk.status()))

    found = _with(data, look)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    if not found["enabled"]:
        click.echo("Watching is switched off: imports.enabled.")
    for folder in found["folders"]:
        when = f"searched {folder['searched_at']}, {folder['files']} files" if folder["searched_at"] else "not searched"
        click.echo(f"{folder['folder']}  ({'watched' if folder['watched'] else 'by command'}, {when})")
        for state, number in folder["counts"].items():
            click.echo(f"  {number:>7}  {state}")
        if folder["error"]:
            click.echo(f"  {folder['error']['code']}: {folder['error']['detail']}")


@imports.command("list")
@click.option("--state", type=click.Choice([state.value for state in ImportState]), help="Only files in this state.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many.")
@_common
def list_files(state: str | None, limit: int, data: Path | None, as_json: bool) -> None:
    """List files, those first of which there is news, with the cause of each that failed or waits."""

    async def look(host: Host) -> list[Any]:
        items: list[Any] = []
        cursor = None
        while len(items) < limit:
            page = await host.imports.desk.listed(
                ImportState(state) if state else None, None, cursor, min(limit - len(items), MAX_PAGE)
            )
            items += [msgspec.to_builtins(import_document(item)) for item in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        return items

    found = _with(data, look)
    if as_json:
        click.echo(json.dumps({"items": found}, ensure_ascii=False, indent=2))
    elif not found:
        click.echo("There are none.")
    else:
        for file in found:
            video = f"  video:{file['video']['id']} {file['video']['state']}" if file["video"] else ""
            click.echo(f"{file['id']}  {file['state']:9}  {file['path'] or file['name']}{video}")
            if file["error"]:
                click.echo(f"    {file['error']['code']}: {file['error']['detail']}")
            elif file["waiting"]:
                click.echo(f"    {file['waiting']}")


@imports.command()
@click.argument("ids", nargs=-1)
@_common
def retry(ids: Sequence[str], data: Path | None, as_json: bool) -> None:
    """Take files in again: those named, or all that failed or wait for something."""

    async def again(host: Host) -> int:
        if not ids:
            return await host.imports.desk.retry_all()
        for one in ids:
            await host.imports.desk.retry(ImportId(one))
        return len(ids)

    count = _with(data, again)
    click.echo(json.dumps({"retried": count}) if as_json else f"{count} are tried again when the server comes to them.")


@imports.command()
@click.argument("ids", nargs=-1, required=True)
@_common
def forget(ids: Sequence[str], data: Path | None, as_json: bool) -> None:
    """Know no more of files. Their videos stay; what still lies in a watched folder is met as new."""

    async def drop(host: Host) -> int:
        for one in ids:
            await host.imports.desk.forget(ImportId(one))
        return len(ids)

    count = _with(data, drop)
    click.echo(json.dumps({"forgotten": count}) if as_json else f"{count} forgotten.")


@imports.command()
@_common
def search(data: Path | None, as_json: bool) -> None:
    """Have the server search the folders of the settings now."""

    async def ask(host: Host) -> bool:
        return await host.imports.search()

    asked = _with(data, ask)
    words = "The folders are searched by the server." if asked else "Watching is switched off: imports.enabled."
    click.echo(json.dumps({"searching": asked}) if as_json else words)


def _with(data: Path | None, work: Callable[[Host], Coroutine[Any, Any, T]]) -> T:
    settings = settings_beside(data)

    async def run() -> T:
        host = await assemble(settings, open_instance(settings.data))
        try:
            return await work(host)
        finally:
            await host.close()

    return asyncio.run(run())
