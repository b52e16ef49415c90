"""`streamhost users`: people and their accounts, before the first start and beside a running server."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from streamhost import log
from streamhost.cli.options import data_option, json_option
from streamhost.cli.tables import print_table
from streamhost.config import load
from streamhost.features.accounts import DEFAULT_DAYS, Accounts, NewInvitation
from streamhost.features.quota import Usage
from streamhost.host_people import People, people
from streamhost.instance import open_instance
from streamhost.model.accounts import Role, Session, User
from streamhost.model.audit import COMMAND_LINE
from streamhost.model.clock import iso

_T = TypeVar("_T")

role_option = click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.VIEWER.value,
    show_default=True,
    help="What they may do; each role includes the ones before it.",
)
ALLOWANCES = {"default": -1, "none": 0}
MOST_ALLOWED = 2**53 - 1
DEVICE_WIDTH = 60
"""Columns of a device's description in a table."""


@click.group()
def users() -> None:
    """Add, list and change people's accounts."""


@users.command()
@click.argument("email")
@click.option("--name", help="What others see. [default: the address up to the @]")
@role_option
@click.option("--verified", is_flag=True, help="Take the address as verified; else they get a mail that asks for it.")
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
        if not verified:
            click.echo("They can sign in once they have followed the link in the mail that asks to verify the address.")


@users.command("list")
@data_option
@json_option
def list_users(data: Path | None, as_json: bool) -> None:
    """List everybody, oldest account first."""
    people = _with_accounts(data, lambda accounts: accounts.people.all())
    if as_json:
        click.echo(json.dumps({"items": [_document(user) for user in people]}, ensure_ascii=False, indent=2))
    else:
        head = ("ADDRESS", "NAME", "ROLE", "SINCE", "")
        print_table(head, [_line(user) for user in people], "Nobody has an account yet.")


@users.command()
@click.argument("email", required=False, default="")
@role_option
@click.option("--uses", type=int, default=1, show_default=True, help="How many may come in by the link.")
@click.option("--days", type=float, default=DEFAULT_DAYS, show_default=True, help="Days until it expires.")
@click.option("--note", default="", help="What it is for; only administrators see it.")
@data_option
@json_option
def invite(email: str, role: str, uses: int, days: float, note: str, data: Path | None, as_json: bool) -> None:
    """Make a link by which somebody may register. With EMAIL it is sent there too, and works for that address alone."""

    async def work(accounts: Accounts) -> NewInvitation:
        return await accounts.invitations.create(
            COMMAND_LINE, role=Role(role), email=email, note=note, uses=uses, days=days
        )

    made = _with_accounts(data, work)
    if as_json:
        item = made.invitation
        document = {"id": item.id, "link": made.link, "role": item.role.value, "email": item.email}
        click.echo(json.dumps(document | {"uses": item.most_uses, "expires_at": iso(item.expires_at)}))
    else:
        click.echo(made.link)


@users.command()
@click.argument("email")
@click.argument("role", type=click.Choice([role.value for role in Role]))
@data_option
@json_option
def role(email: str, role: str, data: Path | None, as_json: bool) -> None:
    """Change what somebody may do. The last administrator stays one."""
    _change(data, email, as_json, lambda accounts, user: accounts.people.set_role(user.id, Role(role), COMMAND_LINE))


@users.command()
@click.argument("email")
@data_option
@json_option
def verify(email: str, data: Path | None, as_json: bool) -> None:
    """Take somebody's address as verified, so that they can sign in."""
    _change(data, email, as_json, lambda accounts, user: accounts.people.verify(user.id, COMMAND_LINE))


@users.command()
@click.argument("email")
@data_option
@json_option
def disable(email: str, data: Path | None, as_json: bool) -> None:
    """Shut an account: its sessions and API tokens end, nobody can sign in. What it has stays."""
    _change(data, email, as_json, lambda accounts, user: accounts.people.disable(user.id, COMMAND_LINE))


@users.command()
@click.argument("email")
@data_option
@json_option
def enable(email: str, data: Path | None, as_json: bool) -> None:
    """Open an account again."""
    _change(data, email, as_json, lambda accounts, user: accounts.people.enable(user.id, COMMAND_LINE))


@users.command("remove-second-factor")
@click.argument("email")
@data_option
@json_option
def remove_second_factor(email: str, data: Path | None, as_json: bool) -> None:
    """For somebody who has lost both the app and the recovery codes: sign in by password alone again."""
    _change(data, email, as_json, lambda accounts, user: accounts.second_factor.remove_for(user.id, COMMAND_LINE))


@users.command("reset-password")
@click.argument("email")
@data_option
@json_option
def reset_password(email: str, data: Path | None, as_json: bool) -> None:
    """Print a link by which somebody sets a new password, and send it to them. It works once."""

    async def work(accounts: Accounts) -> str:
        user = await accounts.people.by_email(email)
        return await accounts.people.send_reset(user.id, COMMAND_LINE)

    link = _with_accounts(data, work)
    click.echo(json.dumps({"link": link}) if as_json else link)


def _allowance(_ctx: click.Context, _param: click.Parameter, typed: str | None) -> int | None:
    """Read a number, or one of the words that stand for none; `default` is -1 here."""
    if typed is None or typed in ALLOWANCES:
        return None if typed is None else ALLOWANCES[typed]
    if not (typed.isascii() and typed.isdigit() and int(typed) <= MOST_ALLOWED):
        raise click.BadParameter(f"{typed!r} is neither a whole number nor `default` nor `none`.")
    return int(typed)


@users.command()
@click.argument("email")
@click.option(
    "--bytes",
    "max_bytes",
    callback=_allowance,
    metavar="NUMBER|default|none",
    help="Bytes of uploaded files that they may keep.",
)
@click.option(
    "--videos", "max_videos", callback=_allowance, metavar="NUMBER|default|none", help="How many videos they may keep."
)
@data_option
@json_option
def quota(email: str, max_bytes: int | None, max_videos: int | None, data: Path | None, as_json: bool) -> None:
    """Show what somebody uses and may use; with --bytes or --videos, change it. What is there already stays."""

    async def work(house: People) -> Usage:
        user = await house.accounts.people.by_email(email)
        usage = await house.quotas.usage(user.id)
        if max_bytes is None and max_videos is None:
            return usage
        own = (_allowed(max_bytes, usage.own_bytes), _allowed(max_videos, usage.own_videos))
        return await house.quotas.allow(user.id, *own, COMMAND_LINE)

    usage = _with_people(data, work)
    if as_json:
        shares = {"bytes": (usage.bytes, usage.max_bytes), "videos": (usage.videos, usage.max_videos)}
        click.echo(json.dumps({name: {"used": used, "limit": limit} for name, (used, limit) in shares.items()}))
    else:
        click.echo(
            f"{usage.bytes} of {_limit(usage.max_bytes)} bytes, {usage.videos} of {_limit(usage.max_videos)} videos."
        )


def _allowed(typed: int | None, present: int | None) -> int | None:
    """What is to be set: None for the site's default, 0 for no limit."""
    return present if typed is None else None if typed < 0 else typed


def _limit(limit: int | None) -> str:
    return "unlimited" if limit is None else str(limit)


@users.command()
@click.argument("email")
@click.option("--end", is_flag=True, help="Sign them out everywhere instead of listing.")
@data_option
@json_option
def sessions(email: str, end: bool, data: Path | None, as_json: bool) -> None:
    """List where somebody is signed in, the latest used first."""

    async def work(accounts: Accounts) -> tuple[list[Session], int]:
        user = await accounts.people.by_email(email)
        if end:
            return [], await accounts.people.end_sessions(user.id, COMMAND_LINE)
        return await accounts.people.sessions(user.id), 0

    found, ended = _with_accounts(data, work)
    if end:
        click.echo(json.dumps({"ended": ended}) if as_json else f"Sessions ended: {ended}.")
    elif as_json:
        click.echo(json.dumps({"items": [_session(session) for session in found]}, ensure_ascii=False, indent=2))
    else:
        lines = [(s.address, _moment(s.created_at), _moment(s.last_used_at), s.device[:DEVICE_WIDTH]) for s in found]
        print_table(("ADDRESS", "SINCE", "LAST USED", "DEVICE"), lines, "They are signed in nowhere.")


@users.command()
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
@data_option
@json_option
def delete(email: str, yes: bool, data: Path | None, as_json: bool) -> None:
    """Delete an account with everything that is its own, its videos too. The last administrator stays."""
    if not yes:
        click.confirm(f"Delete the account {email} with all its videos?", abort=True, err=True)

    async def work(accounts: Accounts) -> User:
        user = await accounts.people.by_email(email)
        await accounts.people.delete(user.id, COMMAND_LINE)
        return user

    user = _with_accounts(data, work)
    if as_json:
        click.echo(json.dumps({"id": user.id, "email": user.email, "deleted": True}))
    else:
        click.echo(f"Deleted {user.name} <{user.email}>.")


def _change(
    data: Path | None, email: str, as_json: bool, change: Callable[[Accounts, User], Awaitable[object]]
) -> None:
    """Do something to one account, and show how it is afterwards."""

    async def work(accounts: Accounts) -> User:
        user = await accounts.people.by_email(email)
        await change(accounts, user)
        return await accounts.people.get(user.id)

    user = _with_accounts(data, work)
    if as_json:
        click.echo(json.dumps(_document(user), ensure_ascii=False))
    else:
        notes = _line(user)[-1]
        click.echo(f"{user.name} <{user.email}>: {user.role.value}{', ' + notes if notes else ''}.")


def _with_accounts(data: Path | None, work: Callable[[Accounts], Awaitable[_T]]) -> _T:
    return _with_people(data, lambda house: work(house.accounts))


def _with_people(data: Path | None, work: Callable[[People], Awaitable[_T]]) -> _T:
    """Open the instance without becoming its server, and do `work`."""
    settings = load(data)
    log.configure("warning", settings.log.format)

    async def run() -> _T:
        async with people(settings, open_instance(settings.data)) as house:
            return await work(house)

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


def _moment(moment: float) -> str:
    """To the minute, in UTC."""
    return (iso(moment) or "")[:16].replace("T", " ")


def _session(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "address": session.address,
        "device": session.device,
        "created_at": iso(session.created_at),
        "last_used_at": iso(session.last_used_at),
        "expires_at": iso(session.expires_at),
    }


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
