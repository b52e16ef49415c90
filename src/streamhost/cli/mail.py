"""`streamhost mail`: whether mail leaves, and what became of it; beside a running server too."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from streamhost.cli.beside import settings_of, with_host
from streamhost.cli.options import data_option, json_option
from streamhost.features.mail import Mail
from streamhost.model.audit import COMMAND_LINE
from streamhost.model.clock import iso
from streamhost.model.ids import MailId
from streamhost.model.mail import Letter, MailState

_T = TypeVar("_T")


@click.group()
def mail() -> None:
    """Test mail, and look after what was not delivered."""


@mail.command("test")
@click.argument("address")
@data_option
@json_option
def send_test(address: str, data: Path | None, as_json: bool) -> None:
    """Send a test mail to ADDRESS. Exit code 0 only if the mail server has taken it."""
    _with_mail(data, lambda room: room.test(address))
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
@data_option
@json_option
def list_letters(states: Sequence[str], data: Path | None, as_json: bool) -> None:
    """List letters that wait or could not be delivered, newest first."""

    async def work(room: Mail) -> list[Letter]:
        return [letter for state in states for letter in await room.letters(MailState(state))]

    letters = _with_mail(data, work)
    if as_json:
        click.echo(json.dumps({"items": [_document(letter) for letter in letters]}, ensure_ascii=False, indent=2))
    elif letters:
        for letter in letters:
            since = (iso(letter.created_at) or "")[:16].replace("T", " ")
            click.echo(f"{letter.id}  {letter.state.value:6}  {since}  {letter.kind.value}  {letter.recipient}")
            if letter.error_detail:
                tries = "once" if letter.attempts == 1 else f"{letter.attempts} times"
                click.echo(f"    tried {tries}: {letter.error_detail}")
    else:
        click.echo("There are none.")


@mail.command()
@click.argument("ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every dead letter.")
@data_option
@json_option
def retry(ids: Sequence[str], everything: bool, data: Path | None, as_json: bool) -> None:
    """Try dead letters again: those with these IDS, or all. The running server delivers them, or the next one."""
    if bool(ids) == everything:
        raise click.UsageError("Name the letters, or say --all.")

    async def work(room: Mail) -> int:
        if everything:
            return await room.retry_all(COMMAND_LINE)
        for mail_id in ids:
            await room.retry(MailId(mail_id), COMMAND_LINE)
        return len(ids)

    count = _with_mail(data, work)
    click.echo(json.dumps({"retried": count}) if as_json else f"Letters to be tried again: {count}.")


@mail.command()
@click.argument("ids", nargs=-1, required=True)
@data_option
@json_option
def discard(ids: Sequence[str], data: Path | None, as_json: bool) -> None:
    """Throw dead letters away."""

    async def work(room: Mail) -> None:
        for mail_id in ids:
            await room.discard(MailId(mail_id), COMMAND_LINE)

    _with_mail(data, work)
    click.echo(json.dumps({"discarded": list(ids)}) if as_json else f"Letters thrown away: {len(ids)}.")


def _with_mail(data: Path | None, work: Callable[[Mail], Awaitable[_T]]) -> _T:
    return with_host(settings_of(data), lambda host: work(host.mail))


def _document(letter: Letter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "kind": letter.kind.value,
        "to": letter.recipient,
        "state": letter.state.value,
        "attempts": letter.attempts,
        "created_at": iso(letter.created_at),
        "tried_at": iso(letter.tried_at),
        "ended_at": iso(letter.ended_at),
        "error": {"code": letter.error_code, "detail": letter.error_detail} if letter.error_code else None,
    }
