"""`streamhost users`: add and list people, before the first start and beside a running server."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from streamhost import log
from streamhost.config import load
from streamhost.features.accounts import Accounts
from streamhost.host import assemble
from streamhost.instance import open_instance
from streamhost.model.accounts import Role, User
from streamhost.model.audit import COMMAND_LINE
from streamhost.model.clock import iso

_T = TypeVar("_T")

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory of the catalog. [default: STREAMHOST_DATA or the platform's usual place]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="For programs: JSON instead of words.")


@click.group()
def users() -> None:
    """Add and list people."""


@users.command()
@click.argument("email")
@click.option("--name", help="What others see. [default: the address up to the @]")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.VIEWER.value,
    show_default=True,
    help="What they may do; each role includes the ones before it.",
)
@click.option("--verified", is_flag=True, help="Take the address as verified.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it.")
@data_option
@json_option
def add(
    email: str, name: str | None, role: str, verified: bool, password_stdin: bool, data: Path | None, as_json: bool
) -> None:
    """Add a user. Exit code 0 only if the account is there afterwards as asked; 1 if the address had one before."""
    password = _piped_password() if password_stdin else _asked_password()
    shown = email.partition("@")[0] if name is None else name

    async def work(accounts: Accounts) -> User:
        return await accounts.people.add(email, password, shown, Role(role), verified=verified, by=COMMAND_LINE)

    user = _with_accounts(data, work)
    if as_json:
        click.echo(json.dumps(_document(user), ensure_ascii=False))
    else:
        click.echo(f"Added {user.name} <{user.email}> as {user.role.value}.")


@users.command("list")
@data_option
@json_option
def list_users(data: Path | None, as_json: bool) -> None:
    """List everybody, oldest account first."""
    people = _with_accounts(data, lambda accounts: accounts.people.all())
    if as_json:
        click.echo(json.dumps({"items": [_document(user) for user in people]}, ensure_ascii=False, indent=2))
    elif people:
        _table([("ADDRESS", "NAME", "ROLE", "SINCE", ""), *map(_line, people)])
    else:
        click.echo("Nobody has an account yet.")


def _with_accounts(data: Path | None, work: Callable[[Accounts], Awaitable[_T]]) -> _T:
    """Open the instance without becoming its server, and do `work`."""
    settings = load(data)
    log.configure("warning", settings.log.format)

    async def run() -> _T:
        host = await assemble(settings, open_instance(settings.data))
        try:
            return await work(host.accounts)
        finally:
            await host.close()

    return asyncio.run(run())


def _asked_password() -> str:
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _piped_password() -> str:
    """Everything on standard input, less one line ending."""
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise click.UsageError("The password on standard input is not UTF-8.") from error
    return text.removesuffix("\n").removesuffix("\r")


def _document(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": user.role.value,
        "email_verified": user.email_verified_at is not None,
        "disabled": not user.active,
        "created_at": iso(user.created_at),
    }


def _line(user: User) -> tuple[str, ...]:
    notes = [] if user.email_verified_at is not None else ["not verified"]
    notes += [] if user.active else ["disabled"]
    since = (iso(user.created_at) or "").partition("T")[0]
    return (user.email, user.name, user.role.value, since, ", ".join(notes))


def _table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
