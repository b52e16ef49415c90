"""`streamhost setup`: the first steps of a new site in one command, for people at a terminal and for scripts."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from streamhost import log
from streamhost.cli.case_desks import FolderCases
from streamhost.cli.options import USUAL, data_directory, json_option
from streamhost.config import FILE_NAME, PREFIX, Settings, load
from streamhost.host_people import people
from streamhost.instance import open_instance
from streamhost.model.accounts import Role, User
from streamhost.model.audit import COMMAND_LINE
from streamhost.model.errors import Conflict
from streamhost.model.verdicts import Profile

PROFILE_QUESTION = (
    "Who uploads here? private-home: people you trust, nothing is looked at; community: models look first; public: "
    "likewise, more carefully"
)


class SetUpAlready(Conflict):
    """This site has an administrator already."""

    code = "set_up_already"
    hint = "Change settings in streamhost.toml, and people by `streamhost users`."
    permanent = True


@click.command()
@click.option("--admin", help="Address of the first administrator. [default: asked for]")
@click.option("--name", help="What others see of them. [default: the address up to the @]")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it.")
@click.option("--site-name", help="Name of the site.")
@click.option("--public-url", help="Address that people will type, such as https://video.example.org.")
@click.option("--registration", type=click.Choice(["closed", "invite", "open"]), help="Who may register.")
@click.option(
    "--profile",
    type=click.Choice([one.value for one in Profile]),
    help="Who uploads here, and with that whether it is looked at first.",
)
@data_directory(f"Data directory to be. {USUAL}")
@json_option
def setup(
    admin: str | None,
    name: str | None,
    password_stdin: bool,
    site_name: str | None,
    public_url: str | None,
    registration: str | None,
    profile: str | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Make a new site: its data directory and keys, streamhost.toml with what is said here, and its administrator.

    At a terminal it asks for what is not given. A streamhost.toml that is there is left as it is, and then nothing may
    be said that belongs in it. The same can be done in a browser: `streamhost serve` prints a link for that.
    """
    asks = sys.stdin.isatty() and not password_stdin
    given = {"site_name": site_name, "public_url": public_url}
    path = Path(os.environ.get(f"{PREFIX}CONFIG") or load(data).data / FILE_NAME)
    if path.exists() and (any(given.values()) or registration):
        raise click.UsageError(f"{path} is there already; change it there.")
    if asks and not path.exists():
        given["site_name"] = site_name or click.prompt("Name of the site", default="streamhost")
        given["public_url"] = public_url or click.prompt("Address that people will type (empty: none yet)", default="")
    email = admin or (click.prompt("Address of the administrator") if asks else None)
    if email is None:
        raise click.UsageError("Say --admin, and pipe the password to --password-stdin.")
    overrides: dict[str, Any] = {f"server__{key}": value for key, value in given.items() if value}
    if registration:
        overrides["accounts__registration"] = registration
    # Wrong settings end it here, before anything is made.
    settings = load(data, **overrides)
    log.configure("warning", settings.log.format)
    if profile and settings.moderation.profile:
        raise click.UsageError("moderation.profile is among the settings, and fixes it.")
    if asks and not profile and not settings.moderation.profile:
        choices = click.Choice([one.value for one in Profile])
        profile = click.prompt(PROFILE_QUESTION, type=choices, default=Profile.PRIVATE_HOME.value)
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else _asked()
    user = asyncio.run(_made(settings, email, name or email.partition("@")[0], password))
    if overrides:
        path.write_text(_toml({key: value for key, value in given.items() if value}, registration), "utf-8")
        path.chmod(0o600)
    if profile:
        FolderCases(settings.data).policy(profile)
    if as_json:
        made = {"data": str(settings.data), "settings": str(path) if overrides else None}
        counts = settings.moderation.profile or profile or Profile.PRIVATE_HOME.value
        click.echo(json.dumps({**made, "profile": counts, "admin": {"id": user.id, "email": user.email}}))
        return
    click.echo(f"{settings.data} is a site with the administrator {user.email}.")
    if not settings.moderation.profile and not profile:
        choice = f"streamhost moderation policy community --data {settings.data}"
        click.echo(f"Whoever may upload is trusted, as at home. For more people than friends:  {choice}")
    click.echo(f"Start it:  streamhost serve --data {settings.data}")
    click.echo(f"Look whether all is well:  streamhost doctor --data {settings.data}")


async def _made(settings: Settings, email: str, name: str, password: str) -> User:
    async with people(settings, open_instance(settings.data)) as house:
        if any(user.role is Role.ADMIN for user in await house.accounts.people.all()):
            raise SetUpAlready(str(settings.data))
        return await house.accounts.people.add(email, password, name, Role.ADMIN, verified=True, by=COMMAND_LINE)


def _asked() -> str:
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _toml(server: dict[str, str], registration: str | None) -> str:
    """A settings file. Strings of JSON are strings of TOML."""
    lines = ["# Settings of this site; `streamhost config show` tells all there are.", "[server]"]
    lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in server.items()]
    if registration:
        lines += ["", "[accounts]", f'registration = "{registration}"']
    return "\n".join(lines) + "\n"
