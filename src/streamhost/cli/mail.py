"""`streamhost mail`: whether mail leaves, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import click

from streamhost.cli.beside import in_folder, settings_of, with_host
from streamhost.cli.remote import Document, Remote, as_document, taken
from streamhost.cli.where import FOR_ADMINS, Where, somewhere
from streamhost.host import Host
from streamhost.model.audit import COMMAND_LINE
from streamhost.model.ids import MailId
from streamhost.model.mail import MailState
from streamhost.server.documents.mail import letter_document

ADDRESS = "/api/v1/admin/mail"


@click.group()
def mail() -> None:
    """Test mail, and look after what was not delivered; at a running server or on a data directory."""


@mail.command("test")
@click.argument("address")
@somewhere(FOR_ADMINS)
def send_test(address: str, where: Where, as_json: bool) -> None:
    """Send a test mail to ADDRESS. Exit code 0 only if the mail server has taken it.

    On a data directory the settings of this machine's environment count, and no server needs to have run yet.
    """

    def in_data(data: Path | None) -> None:
        with_host(settings_of(data), lambda host: host.mail.test(address))

    where.desk(lambda remote: taken(remote.document("POST", f"{ADDRESS}/test", {"to": address})), in_data)
    words = f"The mail server has taken a test mail to {address}."
    click.echo(json.dumps({"to": address, "taken": True}) if as_json else words)


@mail.command("list")
@click.option(
    "--state",
    "states",
    type=click.Choice([state.value for state in MailState]),
    multiple=True,
    default=(MailState.QUEUED.value, MailState.DEAD.value),
    show_default=True,
    help="Which letters; may be given several times.",
)
@somewhere(FOR_ADMINS)
def list_letters(states: Sequence[str], where: Where, as_json: bool) -> None:
    """List letters that wait or could not be delivered, newest first."""

    def at_server(remote: Remote) -> list[Document]:
        return [one for state in states for one in remote.document("GET", f"{ADDRESS}?state={state}")["items"]]

    async def look(host: Host) -> list[Document]:
        found = [letter for state in states for letter in await host.mail.letters(MailState(state))]
        return [as_document(letter_document(letter)) for letter in found]

    letters = where.desk(at_server, in_folder(look))
    if as_json:
        click.echo(json.dumps({"items": letters}, ensure_ascii=False, indent=2))
        return
    for letter in letters:
        since = letter["created_at"][:16].replace("T", " ")
        click.echo(f"{letter['id']}  {letter['state']:6}  {since}  {letter['kind']}  {letter['to']}")
        if error := letter["error"]:
            tries = "once" if letter["attempts"] == 1 else f"{letter['attempts']} times"
            click.echo(f"    tried {tries}: {error['detail']}")
    if not letters:
        click.echo("There are none.")


@mail.command()
@click.argument("ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every dead letter.")
@somewhere(FOR_ADMINS)
def retry(ids: Sequence[str], everything: bool, where: Where, as_json: bool) -> None:
    """Try dead letters again: those with these IDS, or all. The running server delivers them, or the next one."""
    if bool(ids) == everything:
        raise click.UsageError("Name the letters, or say --all.")

    def at_server(remote: Remote) -> int:
        if everything:
            return int(remote.document("POST", f"{ADDRESS}/retry")["retried"])
        for mail_id in ids:
            remote.document("POST", f"{_place(mail_id)}/retry")
        return len(ids)

    async def work(host: Host) -> int:
        if everything:
            return await host.mail.retry_all(COMMAND_LINE)
        for mail_id in ids:
            await host.mail.retry(MailId(mail_id), COMMAND_LINE)
        return len(ids)

    count = where.desk(at_server, in_folder(work))
    click.echo(json.dumps({"retried": count}) if as_json else f"Letters to be tried again: {count}.")


@mail.command()
@click.argument("ids", nargs=-1, required=True)
@somewhere(FOR_ADMINS)
def discard(ids: Sequence[str], where: Where, as_json: bool) -> None:
    """Throw dead letters away."""

    def at_server(remote: Remote) -> None:
        for mail_id in ids:
            remote.document("DELETE", _place(mail_id))

    async def work(host: Host) -> None:
        for mail_id in ids:
            await host.mail.discard(MailId(mail_id), COMMAND_LINE)

    where.desk(at_server, in_folder(work))
    click.echo(json.dumps({"discarded": list(ids)}) if as_json else f"Letters thrown away: {len(ids)}.")


def _place(mail_id: str) -> str:
    return f"{ADDRESS}/{quote(mail_id, safe='')}"
