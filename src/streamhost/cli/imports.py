"""`streamhost imports`: what has become of the files of import folders, and the levers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from urllib.parse import quote

import click

from streamhost.cli.beside import all_of, in_folder
from streamhost.cli.remote import Document, Remote, as_document
from streamhost.cli.where import FOR_ADMINS, Where, somewhere
from streamhost.features.imports import MAX_PAGE
from streamhost.host import Host
from streamhost.model.ids import ImportId
from streamhost.model.imports import ImportState
from streamhost.server.documents.imports import import_document, status_document

ADDRESS = "/api/v1/admin/imports"
FILES = f"{ADDRESS}/files"


@click.group()
def imports() -> None:
    """See what has become of the files of import folders, and try them again; at a running server or on a data
    directory."""


@imports.command()
@somewhere(FOR_ADMINS)
def status(where: Where, as_json: bool) -> None:
    """Show each folder, and how many of its files stand where."""

    async def look(host: Host) -> Document:
        return as_document(status_document(await host.imports.desk.status()))

    found = where.desk(lambda remote: remote.document("GET", ADDRESS), in_folder(look))
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
@somewhere(FOR_ADMINS)
def list_files(state: str | None, limit: int, where: Where, as_json: bool) -> None:
    """List files, those first of which there is news, with the cause of each that failed or waits."""
    size = min(limit, MAX_PAGE)

    def at_server(remote: Remote) -> list[Document]:
        return list(islice(remote.items(FILES, {"state": state, "limit": size}), limit))

    async def look(host: Host) -> list[Document]:
        wanted = ImportState(state) if state else None
        found = await all_of(lambda at: host.imports.desk.listed(wanted, None, at, size), limit)
        return [as_document(import_document(item)) for item in found]

    found = where.desk(at_server, in_folder(look))
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
@somewhere(FOR_ADMINS)
def retry(ids: Sequence[str], where: Where, as_json: bool) -> None:
    """Take files in again: those named, or all that failed or wait for something."""

    def at_server(remote: Remote) -> int:
        if not ids:
            return int(remote.document("POST", f"{ADDRESS}/retry")["retried"])
        for one in ids:
            remote.document("POST", f"{_place(one)}/retry")
        return len(ids)

    async def again(host: Host) -> int:
        if not ids:
            return await host.imports.desk.retry_all()
        for one in ids:
            await host.imports.desk.retry(ImportId(one))
        return len(ids)

    count = where.desk(at_server, in_folder(again))
    click.echo(json.dumps({"retried": count}) if as_json else f"{count} are tried again when the server comes to them.")


@imports.command()
@click.argument("ids", nargs=-1, required=True)
@somewhere(FOR_ADMINS)
def forget(ids: Sequence[str], where: Where, as_json: bool) -> None:
    """Know no more of files. Their videos stay; what still lies in a watched folder is met as new."""

    def at_server(remote: Remote) -> None:
        for one in ids:
            remote.document("DELETE", _place(one))

    async def drop(host: Host) -> None:
        for one in ids:
            await host.imports.desk.forget(ImportId(one))

    where.desk(at_server, in_folder(drop))
    click.echo(json.dumps({"forgotten": len(ids)}) if as_json else f"{len(ids)} forgotten.")


@imports.command()
@somewhere(FOR_ADMINS)
def search(where: Where, as_json: bool) -> None:
    """Have the server search the folders of its settings now."""

    async def ask(host: Host) -> bool:
        return await host.imports.search()

    asked = where.desk(lambda remote: remote.document("POST", f"{ADDRESS}/scan")["searching"], in_folder(ask))
    words = "The folders are searched by the server." if asked else "Watching is switched off: imports.enabled."
    click.echo(json.dumps({"searching": asked}) if as_json else words)


def _place(import_id: str) -> str:
    return f"{FILES}/{quote(import_id, safe='')}"
