"""`streamhost imports`: what has become of the files of import folders, and the levers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from streamhost.cli.beside import all_of, as_document, settings_beside, with_host
from streamhost.cli.options import data_option, json_option
from streamhost.cli.remote import Document
from streamhost.features.imports import MAX_PAGE
from streamhost.host import Host
from streamhost.model.ids import ImportId
from streamhost.model.imports import ImportState
from streamhost.server.documents.imports import import_document, status_document


@click.group()
def imports() -> None:
    """See what has become of the files of import folders, and try them again. Works beside a running server."""


@imports.command()
@data_option
@json_option
def status(data: Path | None, as_json: bool) -> None:
    """Show each folder, and how many of its files stand where."""

    async def look(host: Host) -> Document:
        return as_document(status_document(await host.imports.desk.status()))

    found = with_host(settings_beside(data), look)
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
@data_option
@json_option
def list_files(state: str | None, limit: int, data: Path | None, as_json: bool) -> None:
    """List files, those first of which there is news, with the cause of each that failed or waits."""

    async def look(host: Host) -> list[Document]:
        wanted, size = ImportState(state) if state else None, min(limit, MAX_PAGE)
        found = await all_of(lambda at: host.imports.desk.listed(wanted, None, at, size), limit)
        return [as_document(import_document(item)) for item in found]

    found = with_host(settings_beside(data), look)
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
@data_option
@json_option
def retry(ids: Sequence[str], data: Path | None, as_json: bool) -> None:
    """Take files in again: those named, or all that failed or wait for something."""

    async def again(host: Host) -> int:
        if not ids:
            return await host.imports.desk.retry_all()
        for one in ids:
            await host.imports.desk.retry(ImportId(one))
        return len(ids)

    count = with_host(settings_beside(data), again)
    click.echo(json.dumps({"retried": count}) if as_json else f"{count} are tried again when the server comes to them.")


@imports.command()
@click.argument("ids", nargs=-1, required=True)
@data_option
@json_option
def forget(ids: Sequence[str], data: Path | None, as_json: bool) -> None:
    """Know no more of files. Their videos stay; what still lies in a watched folder is met as new."""

    async def drop(host: Host) -> int:
        for one in ids:
            await host.imports.desk.forget(ImportId(one))
        return len(ids)

    count = with_host(settings_beside(data), drop)
    click.echo(json.dumps({"forgotten": count}) if as_json else f"{count} forgotten.")


@imports.command()
@data_option
@json_option
def search(data: Path | None, as_json: bool) -> None:
    """Have the server search the folders of the settings now."""

    async def ask(host: Host) -> bool:
        return await host.imports.search()

    asked = with_host(settings_beside(data), ask)
    words = "The folders are searched by the server." if asked else "Watching is switched off: imports.enabled."
    click.echo(json.dumps({"searching": asked}) if as_json else words)
