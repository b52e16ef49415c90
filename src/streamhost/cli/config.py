"""`streamhost config`: what the settings are, where each comes from, and whether they are right."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from streamhost import log
from streamhost.cli.options import data_directory, json_option
from streamhost.cli.remote import Document, Remote
from streamhost.cli.where import FOR_ADMINS, Where, somewhere
from streamhost.config import REDACTED, fields, hidden, load_with_origins, value_of
from streamhost.host_settings import settings_beside
from streamhost.media import choice, tasks
from streamhost.media.run import run_task
from streamhost.model.audit import COMMAND_LINE
from streamhost.model.errors import StreamhostError
from streamhost.plugins import Plugins
from streamhost.sandbox import Limits

ADDRESS = "/api/v1/admin/settings"
data_option = data_directory("Data directory whose streamhost.toml is read.")


@click.group()
def config() -> None:
    """Look at the settings, and change them."""


@config.command()
@somewhere(FOR_ADMINS)
def show(where: Where, as_json: bool) -> None:
    """Show every setting with its value and where that comes from. Secrets are left out.

    JSON is {key: {value, origin}}. Without --url the variables of this shell go before the file, as they would for a
    server that it starts.
    """
    shown, broken = where.desk(_shown_there, _shown_here)
    if as_json:
        click.echo(json.dumps(shown, indent=2))
    else:
        for key, item in shown.items():
            click.echo(f"{key} = {json.dumps(item['value'], ensure_ascii=False)}  {_dim(item['origin'])}")
    if broken is not None:
        raise broken


def _shown_here(data: Path | None) -> tuple[dict[str, Document], StreamhostError | None]:
    """What is set, and why the settings of some plugin could not be read."""
    settings, origins = load_with_origins(data)
    shown: dict[str, Any] = {"data": str(settings.data)} | {
        field.key: hidden(field, value_of(settings, field)) for field in fields()
    }
    broken: StreamhostError | None = None
    try:
        for resolved in (plugin.resolved for plugin in Plugins(settings).all if plugin.resolved):
            origins |= resolved.origins
            shown |= {field.key: hidden(field, resolved.value_of(field)) for field in resolved.fields}
    except StreamhostError as error:
        broken = error
    return {key: {"value": shown[key], "origin": origins[key]} for key in shown}, broken


def _shown_there(remote: Remote) -> tuple[dict[str, Document], None]:
    items = remote.document("GET", ADDRESS)["items"]
    return {item["key"]: {"value": _value(item), "origin": item["origin"]} for item in items}, None


def _value(item: Document) -> Any:
    """What the API's list says of a setting; of a secret it tells only whether there is one."""
    if item["secret"]:
        return REDACTED if item["value"] else ""
    return item["value"]


@config.command()
@data_option
@json_option
def check(data: Path | None, as_json: bool) -> None:
    """Check the settings without starting anything; exit code 3 names what is wrong.

    Only on a data directory: a server that runs has passed this check.
    """
    settings, origins = load_with_origins(data)
    for plugin in Plugins(settings).all:
        origins |= plugin.resolved.origins if plugin.resolved else {}
    changed = sum(origin != "default" for key, origin in origins.items() if key != "data")
    words = f"The settings for {settings.data} are fine: {changed} set, the others as they come."
    click.echo(json.dumps({"fine": True, "data": str(settings.data), "set": changed}) if as_json else words)


@config.command("set")
@click.argument("key")
@click.argument("value", required=False)
@click.option("--stdin", is_flag=True, help="Read the value from standard input: for secrets.")
@somewhere(FOR_ADMINS)
def set_one(key: str, value: str | None, stdin: bool, where: Where, as_json: bool) -> None:
    """Write one setting into streamhost.toml, its comments kept: `server.site_name "Film club"`.

    Lists are written with commas, or as JSON. A value that is wrong is refused, and the file stays as it is. A running
    server takes it at its next start.
    """
    if stdin == (value is not None):
        raise click.UsageError("Say a VALUE, or pipe it to --stdin.")
    said = sys.stdin.readline().rstrip("\r\n") if stdin else value
    _change({key: said}, where, as_json)


@config.command()
@click.argument("keys", nargs=-1, required=True)
@somewhere(FOR_ADMINS)
def unset(keys: tuple[str, ...], where: Where, as_json: bool) -> None:
    """Take settings out of streamhost.toml, so that they go back to their defaults."""
    _change(dict.fromkeys(keys), where, as_json)


def _change(changes: Mapping[str, Any], where: Where, as_json: bool) -> None:
    items = where.desk(
        lambda remote: _changed_there(remote, changes), lambda data: asyncio.run(_changed_here(data, changes))
    )
    if as_json:
        click.echo(json.dumps(items, indent=2))
        return
    for key, item in items.items():
        click.echo(f"{key} = {json.dumps(item['value'], ensure_ascii=False)}  {_dim(item['origin'])}")
        if item["locked"]:
            click.echo(f"  {item['origin']} goes before the file.")
    click.echo("A running server takes it at its next start.")


def _dim(origin: str) -> str:
    return click.style(f"({origin})", dim=True)


async def _changed_here(data: Path | None, changes: Mapping[str, Any]) -> dict[str, Any]:
    log.configure("warning", "console")
    async with settings_beside(data) as desk:
        now = await desk.change(changes, COMMAND_LINE, from_afar=False)
    return {
        one.field.key: {"value": one.value, "origin": one.origin, "locked": bool(one.locked)}
        for one in now.items
        if one.field.key in changes
    }


def _changed_there(remote: Remote, changes: Mapping[str, Any]) -> dict[str, Any]:
    order = {
        "set": {key: value for key, value in changes.items() if value is not None},
        "unset": [key for key, value in changes.items() if value is None],
    }
    items = remote.document("PATCH", ADDRESS, order)["items"]
    return {
        item["key"]: {"value": _value(item), "origin": item["origin"], "locked": item["locked"]}
        for item in items
        if item["key"] in changes
    }


@config.command()
@data_option
@json_option
def encoders(data: Path | None, as_json: bool) -> None:
    """Try which video encoders work on this machine, and say which one the settings choose.

    Only on a data directory: it is this machine that is tried.
    """
    wanted = load_with_origins(data)[0].media.encoder
    tried = asyncio.run(run_task(tasks.TryEncoders(choice.ENCODERS), lambda _share, _step: None, None, Limits()))
    assert isinstance(tried, tasks.EncodersTried), "that is what this task answers"
    chosen = choice.choose(wanted, tried.working, tried.reasons)
    if as_json:
        found = {name: None if name in tried.working else tried.reasons[name] for name in choice.ENCODERS}
        click.echo(json.dumps({"setting": wanted, "chosen": chosen.name, "faults": found}, indent=2))
        return
    for name in choice.ENCODERS:
        works = click.style("works", fg="green")
        click.echo(f"{name:20} {works if name in tried.working else tried.reasons[name]}")
    click.echo(f'With media.encoder = "{wanted}" videos are encoded by {chosen.name}.')
