"""`streamhost keys`: the keys that sign grants, and the ones that wrap the keys of protected videos."""

from __future__ import annotations

import json

import click

from streamhost.cli.beside import in_folder
from streamhost.cli.remote import Document, as_document
from streamhost.cli.where import FOR_ADMINS, Where, somewhere
from streamhost.host import Host
from streamhost.model.audit import COMMAND_LINE
from streamhost.server.documents.keeping import keys_document, replaced_document

ADDRESS = "/api/v1/admin/keys"


@click.group()
def keys() -> None:
    """List and replace the keys of grants and of protected videos. No secret is ever printed."""


@keys.command("list")
@somewhere(FOR_ADMINS)
def list_keys(where: Where, as_json: bool) -> None:
    """Show which keys sign, which still count, and what the others wrap."""

    async def look(host: Host) -> Document:
        return as_document(keys_document(await host.keys.state()))

    document = where.desk(lambda remote: remote.document("GET", ADDRESS), in_folder(look))
    if as_json:
        click.echo(json.dumps(document, indent=2))
        return
    click.echo("Grants are signed by:")
    for key in document["grants"]:
        since = f"since {key['since']}" if key["since"] else "since the instance was made"
        end = "signs" if key["signs"] else f"counts until {key['until']}" if key["counts"] else "is over"
        click.echo(f"  {key['id']:>3}  {end}, {since}")
    click.echo("Content keys are wrapped by:")
    for one in document["wrapping"]:
        word = " (in use)" if one["current"] else ""
        click.echo(f"  {one['id']:>3}  {one['keys']} keys of {one['packages']} packages{word}")


@keys.command()
@click.option("--at-once", is_flag=True, help="After a leak: grants that are out end now; players ask for new ones.")
@somewhere(FOR_ADMINS)
def rotate(at_once: bool, where: Where, as_json: bool) -> None:
    """Replace both kinds of keys. Works beside a running server, which takes the new ones up within seconds.

    Grants that are out go on until they run out. Content keys stay what they are and are wrapped anew, in one
    transaction. Sign-ins, links in mails and second factors hang on the master secret and are not touched.
    """

    async def replace(host: Host) -> Document:
        return as_document(replaced_document(await host.keys.replace(COMMAND_LINE, at_once=at_once)))

    wish = {"at_once": at_once}
    document = where.desk(lambda remote: remote.document("POST", f"{ADDRESS}/rotate", wish), in_folder(replace))
    if as_json:
        click.echo(json.dumps(document))
        return
    click.echo(f"Grants are signed by key {document['grants']} from now on.")
    click.echo(f"Key {document['wrapping']} wraps {document['wrapped']} content keys.")
