"""`streamhost plugins`: which plugins are installed, what each brings, and how to begin one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from streamhost.cli.options import json_option
from streamhost.cli.plugged import alone
from streamhost.cli.remote import Remote
from streamhost.cli.scaffold import KINDS, write
from streamhost.cli.where import FOR_ADMINS, Where, somewhere
from streamhost.config import Settings, load
from streamhost.model.errors import NotFound, StreamhostError
from streamhost.plugins import Found, find
from streamhost.storage.memory import MemoryStorage

ADDRESS = "/api/v1/admin/plugins"


@click.group()
def plugins() -> None:
    """See which plugins are installed, and begin one of your own."""


@plugins.command("list")
@somewhere(FOR_ADMINS)
def list_(where: Where, as_json: bool) -> None:
    """List the installed plugins, with what is wrong where one cannot be used; at a server, those at work there."""
    rows = where.desk(_rows_at, _rows_here)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    elif not rows:
        click.echo("No plugin is installed. `streamhost plugins new` begins one.")
    for row in [] if as_json else rows:
        colour = {"ready": "green", "disabled": "yellow"}.get(row["state"], "red")
        state = click.style(row["state"], fg=colour)
        click.echo(f"{row['name']:20} {row['version']:10} {state:18} {row['error'] or row['summary']}")


def _rows_at(remote: Remote) -> list[dict[str, Any]]:
    found = remote.document("GET", ADDRESS)
    rows = [
        {"name": one["name"], "version": one["version"], "state": "ready", "summary": one["summary"], "error": None}
        for one in found["items"]
    ]
    resting = {"version": "", "state": "disabled", "summary": "", "error": None}
    return [*rows, *({"name": name, **resting} for name in found["disabled"])]


def _rows_here(data: Path | None) -> list[dict[str, Any]]:
    settings = load(data)
    return [_row(settings, found) for found in find()]


@plugins.command()
@click.argument("name")
@somewhere(FOR_ADMINS)
def info(name: str, where: Where, as_json: bool) -> None:
    """Show what a plugin brings, and what can be set for it. Exit code 1 if it cannot be used."""
    told = where.desk(lambda remote: _told_at(remote, name), lambda data: _told_here(data, name))
    if as_json:
        click.echo(json.dumps(told, indent=2))
        return
    click.secho(f"{told['name']} {told['version']}", bold=True)
    click.echo(f"{told['summary']}\n" if told["summary"] else "")
    for label, words in (("package", [told["package"]]), ("hooks", told["hooks"]), ("brings", told["brings"])):
        click.echo(f"{label + ':':10} {', '.join(words) or 'none'}")
    for one in told["settings"]:
        click.echo(f"\n{click.style(one['key'], bold=True)} = {json.dumps(one['value'])}  ({one['origin']})")
        click.echo(f"  {one['help']}\n  {one['allowed']}; {one['variable']}")
    for one in told.get("troubles", ()):
        click.secho(f"\n{one['at']}  {one['hook']}: {one['words']}", fg="red")


def _missing(name: str) -> NotFound:
    return NotFound(f"No plugin {name} is installed.", hint="`streamhost plugins list` shows which are.")


def _told_at(remote: Remote, name: str) -> dict[str, Any]:
    found = next((one for one in remote.document("GET", ADDRESS)["items"] if one["name"] == name), None)
    if found is None:
        raise _missing(name)
    settings = [{**one, "value": json.loads(one["value"])} for one in found["settings"]]
    return {**found, "state": "ready", "error": None, "settings": settings}


def _told_here(data: Path | None, name: str) -> dict[str, Any]:
    settings = load(data)
    found = next((one for one in find() if one.name == name), None)
    if found is None:
        raise _missing(name)
    house = alone(settings, found)
    house.storages()
    house.register(MemoryStorage(), _no_queue)
    house.commands()
    [plugin] = house.all
    return {
        **_row(settings, found),
        "package": found.package,
        "hooks": plugin.hooks,
        "brings": house.brings(name),
        "settings": [asdict(shown) for shown in plugin.shown()],
    }


@plugins.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(list(KINDS)), default="events", help="What it is to bring.")
@click.option(
    "--directory", type=click.Path(path_type=Path, file_okay=False), help="Where to write it; else a folder beside you."
)
@json_option
def new(name: str, kind: str, directory: Path | None, as_json: bool) -> None:
    """Write a package for a new plugin: it installs, it works, and its tests pass."""
    place = write(name, kind, directory)
    if as_json:
        click.echo(json.dumps({"name": name, "kind": kind, "directory": str(place)}))
        return
    click.echo(f"A plugin that works is in {place}. Install it beside streamhost, and look:")
    click.secho(f"  pip install -e {place}\n  streamhost plugins info {name}\n  pytest {place}", fg="green")


async def _no_queue(plugin: str, work: str, payload: Mapping[str, Any], *, delay: float, key: str | None) -> bool:
    """For looking at a plugin without a house: nothing is done."""
    del plugin, work, payload, delay, key
    return False


def _row(settings: Settings, found: Found) -> dict[str, Any]:
    state, error = "ready", None
    if found.name in settings.plugins.disabled:
        state = "disabled"
    else:
        try:
            alone(settings, found)
        except StreamhostError as wrong:
            state, error = "broken", wrong.detail
    return {
        "name": found.name,
        "version": found.version,
        "state": state,
        "summary": found.summary,
        "error": error,
    }
