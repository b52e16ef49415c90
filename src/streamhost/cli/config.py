"""`streamhost config`: what the settings are, where each comes from, and whether they are right."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from streamhost.cli.options import data_directory, json_option
from streamhost.config import fields, hidden, load_with_origins, value_of
from streamhost.media import choice, tasks
from streamhost.media.run import run_task
from streamhost.model.errors import StreamhostError
from streamhost.plugins import Plugins
from streamhost.sandbox import Limits

data_option = data_directory("Data directory whose streamhost.toml is read.")


@click.group()
def config() -> None:
    """Look at the settings."""


@config.command()
@data_option
@click.option("--json", "as_json", is_flag=True, help="For programs: {key: {value, origin}}.")
def show(data: Path | None, as_json: bool) -> None:
    """Show every setting with its value and where that comes from. Secrets are left out."""
    settings, origins = load_with_origins(data)
    shown: dict[str, Any] = {"data": str(settings.data)} | {
        field.key: hidden(field, value_of(settings, field)) for field in fields()
    }
    broken: StreamhostError | None = None
    try:
        for resolved in (plugin.resolved for plugin in Plugins(settings).all if plugin.resolved):
            origins |= resolved.origins
            shown |= {f.key: hidden(f, msgspec.to_builtins(getattr(resolved.section, f.name))) for f in resolved.fields}
    except StreamhostError as error:
        broken = error
    _print(shown, origins, as_json)
    if broken is not None:
        raise broken


def _print(shown: Mapping[str, Any], origins: Mapping[str, str], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({key: {"value": shown[key], "origin": origins[key]} for key in shown}, indent=2))
        return
    for key, content in shown.items():
        click.echo(f"{key} = {json.dumps(content, ensure_ascii=False)}  {click.style(f'({origins[key]})', dim=True)}")


@config.command()
@data_option
@json_option
def check(data: Path | None, as_json: bool) -> None:
    """Check the settings without starting anything; exit code 3 names what is wrong."""
    settings, origins = load_with_origins(data)
    for plugin in Plugins(settings).all:
        origins |= plugin.resolved.origins if plugin.resolved else {}
    changed = sum(origin != "default" for key, origin in origins.items() if key != "data")
    words = f"The settings for {settings.data} are fine: {changed} set, the others as they come."
    click.echo(json.dumps({"fine": True, "data": str(settings.data), "set": changed}) if as_json else words)


@config.command()
@data_option
@json_option
def encoders(data: Path | None, as_json: bool) -> None:
    """Try which video encoders work on this machine, and say which one the settings choose."""
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
