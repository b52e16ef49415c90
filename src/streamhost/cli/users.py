"""`streamhost users`: people and their accounts, at a running server, or in a data directory before its first start and
beside its server."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import click

from streamhost.cli.people_desks import FolderPeople, PeopleDesk, ServerPeople
from streamhost.cli.remote import Document
from streamhost.cli.where import FOR_ADMINS, Where, somewhere
from streamhost.features.accounts import DEFAULT_DAYS
from streamhost.model.accounts import Role

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


def _desk(where: Where) -> PeopleDesk:
    return where.desk(ServerPeople, FolderPeople)


@click.group()
def users() -> None:
    """Add, list and change people's accounts."""


@users.command()
@click.argument("email")
@click.option("--name", help="What others see. [default: the address up to the @]")
@role_option
@click.option("--verified", is_flag=True, help="Take the address as verified; else they get a mail that asks for it.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it.")
@somewhere(FOR_ADMINS)
def add(
    email: str, name: str | None, role: str, verified: bool, password_stdin: bool, where: Where, as_json: bool
) -> None:
    """Add a user. Exit code 0 only if the account is there afterwards as asked; 1 if the address had one before."""
    desk = _desk(where)
    password = _piped_password() if password_stdin else _asked_password()
    shown = email.partition("@")[0] if name is None else name
    user = desk.add(email, password, shown, Role(role), verified=verified)
    if as_json:
        click.echo(json.dumps(user, ensure_ascii=False))
    else:
        click.echo(f"Added {user['name']} <{user['email']}> as {user['role']}.")
        if not verified:
            click.echo("They can sign in once they have followed the link in the mail that asks to verify the address.")


@users.command("list")
@somewhere(FOR_ADMINS)
def list_users(where: Where, as_json: bool) -> None:
    """List everybody, oldest account first."""
    people = _desk(where).all()
    if as_json:
        click.echo(json.dumps({"items": people}, ensure_ascii=False, indent=2))
    elif people:
        _table([("ADDRESS", "NAME", "ROLE", "SINCE", ""), *map(_line, people)])
    else:
        click.echo("Nobody has an account yet.")


@users.command()
@click.argument("email", required=False, default="")
@role_option
@click.option("--uses", type=int, default=1, show_default=True, help="How many may come in by the link.")
@click.option("--days", type=float, default=DEFAULT_DAYS, show_default=True, help="Days until it expires.")
@click.option("--note", default="", help="What it is for; only administrators see it.")
@somewhere(FOR_ADMINS)
def invite(email: str, role: str, uses: int, days: float, note: str, where: Where, as_json: bool) -> None:
    """Make a link by which somebody may register. With EMAIL it is sent there too, and works for that address alone."""
    made = _desk(where).invite({"role": role, "email": email, "note": note, "uses": uses, "days": days})
    if as_json:
        item = made["invitation"]
        document = {"id": item["id"], "link": made["link"], "role": item["role"], "email": item["email"]}
        click.echo(json.dumps(document | {"uses": item["most_uses"], "expires_at": item["expires_at"]}))
    else:
        click.echo(made["link"])


@users.command()
@click.argument("email")
@click.argument("role", type=click.Choice([role.value for role in Role]))
@somewhere(FOR_ADMINS)
def role(email: str, role: str, where: Where, as_json: bool) -> None:
    """Change what somebody may do. The last administrator stays one."""
    _changed(_desk(where).change(email, role=Role(role)), as_json)


@users.command()
@click.argument("email")
@somewhere(FOR_ADMINS)
def verify(email: str, where: Where, as_json: bool) -> None:
    """Take somebody's address as verified, so that they can sign in."""
    _changed(_desk(where).change(email, verified=True), as_json)


@users.command()
@click.argument("email")
@somewhere(FOR_ADMINS)
def disable(email: str, where: Where, as_json: bool) -> None:
    """Shut an account: its sessions and API tokens end, nobody can sign in. What it has stays."""
    _changed(_desk(where).change(email, disabled=True), as_json)


@users.command()
@click.argument("email")
@somewhere(FOR_ADMINS)
def enable(email: str, where: Where, as_json: bool) -> None:
    """Open an account again."""
    _changed(_desk(where).change(email, disabled=False), as_json)


@users.command("remove-second-factor")
@click.argument("email")
@somewhere(FOR_ADMINS)
def remove_second_factor(email: str, where: Where, as_json: bool) -> None:
    """For somebody who has lost both the app and the recovery codes: sign in by password alone again."""
    _changed(_desk(where).remove_second_factor(email), as_json)


@users.command("reset-password")
@click.argument("email")
@somewhere(FOR_ADMINS)
def reset_password(email: str, where: Where, as_json: bool) -> None:
    """Send somebody a link by which they set a new password, which works once; on a data directory print it, too."""
    link = _desk(where).reset_password(email)
    if as_json:
        click.echo(json.dumps({"link": link}))
    else:
        click.echo(link or f"The link is on its way to {email}.")


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
@somewhere(FOR_ADMINS)
def quota(email: str, max_bytes: int | None, max_videos: int | None, where: Where, as_json: bool) -> None:
    """Show what somebody uses and may use; with --bytes or --videos, change it. What is there already stays."""
    usage = _desk(where).quota(email, (max_bytes, max_videos))
    if as_json:
        click.echo(json.dumps(usage))
    else:
        click.echo(", ".join(f"{one['used']} of {_limit(one['limit'])} {name}" for name, one in usage.items()) + ".")


def _limit(limit: int | None) -> str:
    return "unlimited" if limit is None else str(limit)


@users.command()
@click.argument("email")
@click.option("--end", is_flag=True, help="Sign them out everywhere instead of listing.")
@somewhere(FOR_ADMINS)
def sessions(email: str, end: bool, where: Where, as_json: bool) -> None:
    """List where somebody is signed in, the latest used first."""
    desk = _desk(where)
    if end:
        ended = desk.end_sessions(email)
        click.echo(json.dumps({"ended": ended}) if as_json else f"Sessions ended: {ended}.")
        return
    found = desk.sessions(email)
    if as_json:
        click.echo(json.dumps({"items": found}, ensure_ascii=False, indent=2))
    elif found:
        lines = [
            (one["address"], _moment(one["created_at"]), _moment(one["last_used_at"]), one["device"][:DEVICE_WIDTH])
            for one in found
        ]
        _table([("ADDRESS", "SINCE", "LAST USED", "DEVICE"), *lines])
    else:
        click.echo("They are signed in nowhere.")


@users.command()
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
@somewhere(FOR_ADMINS)
def delete(email: str, yes: bool, where: Where, as_json: bool) -> None:
    """Delete an account with everything that is its own, its videos too. The last administrator stays."""
    desk = _desk(where)
    if not yes:
        click.confirm(f"Delete the account {email} with all its videos?", abort=True, err=True)
    user = desk.delete(email)
    if as_json:
        click.echo(json.dumps({"id": user["id"], "email": user["email"], "deleted": True}))
    else:
        click.echo(f"Deleted {user['name']} <{user['email']}>.")


def _changed(user: Document, as_json: bool) -> None:
    """Show how an account is after a change."""
    if as_json:
        click.echo(json.dumps(user, ensure_ascii=False))
    else:
        notes = _line(user)[-1]
        click.echo(f"{user['name']} <{user['email']}>: {user['role']}{', ' + notes if notes else ''}.")


def _asked_password() -> str:
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _piped_password() -> str:
    """Everything on standard input, less one line ending."""
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise click.UsageError("The password on standard input is not UTF-8.") from error
    return text.removesuffix("\n").removesuffix("\r")


def _moment(at: str) -> str:
    """To the minute, in UTC."""
    return at[:16].replace("T", " ")


def _line(user: Document) -> tuple[str, ...]:
    notes = [] if user["email_verified"] else ["not verified"]
    notes += ["disabled"] if user["disabled"] else []
    since = (user["created_at"] or "").partition("T")[0]
    return (user["email"], user["name"], user["role"], since, ", ".join(notes))


def _table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
