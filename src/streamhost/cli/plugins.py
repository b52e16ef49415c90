"""`streamhost plugins`: which plugins are installed, what each brings, and how to begin one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from streamhost.cli.options import data_directory, json_option
from streamhost.cli.plugged import alone
from streamhost.cli.scaffold import KINDS, write
from streamhost.config import Settings, load
from streamhost.model.errors import NotFound, StreamhostError
from streamhost.plugins import Found, find
from streamhost.storage.memory import MemoryStorage

data_option = data_directory("Data directory whose settings count.")


@click.group()
def plugins() -> None:
    """See which plugins are installed, and begin one of your own."""


@plugins.command("list")
@data_option
@json_option
def list_(data: Path | None, as_json: bool) -> None:
    """List the installed plugins, with what is wrong where one cannot be used."""
    settings = load(data)
    rows = [_row(settings, found) for found in find()]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    elif not rows:
        click.echo("No plugin is installed. `streamhost plugins new` begins one.")
    for row in [] if as_json else rows:
        colour = {"ready": "green", "disabled": "yellow"}.get(row["state"], "red")
        state = click.style(row["state"], fg=colour)
        click.echo(f"{row['name']:20} {row['version']:10} {state:18} {row['error'] or row['summary']}")


@plugins.command()
@click.argument("name")
@data_option
@json_option
def info(name: str, data: Path | None, as_json: bool) -> None:
    """Show what a plugin brings, and what can be set for it. Exit code 1 if it cannot be used."""
    settings = load(data)
    found = next((one for one in find() if one.name == name), None)
    if found is None:
        raise NotFound(f"No plugin {name} is installed.", hint="`streamhost plugins list` shows which are.")
    house = alone(settings, found)
    house.storages()
    house.register(MemoryStorage(), _no_queue)
    house.commands()
    [plugin] = house.all
    told = {
        **_row(settings, found),
        "package": found.package,
        "hooks": plugin.hooks,
        "brings": house.brings(name),
        "settings": [asdict(shown) for shown in plugin.shown()],
    }
    if as_json:
        click.echo(json.dumps(told, indent=2))
        return
    click.secho(f"{found.name} {found.version}", bold=True)
    click.echo(f"{found.summary}\n" if found.summary else "")
    for label, words in (("package", [found.package]), ("hooks", plugin.hooks), ("brings", house.brings(name))):
        click.echo(f"{label + ':':10} {', '.join(words) or 'none'}")
    for one in told["settings"]:
        click.echo(f"\n{click.style(one['key'], bold=True)} = {json.dumps(one['value'])}  ({one['origin']})")
        click.echo(f"  {one['help']}\n  {one['allowed']}; {one['variable']}")


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
