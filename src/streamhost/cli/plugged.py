"""Commands that plugins bring, called as `streamhost <plugin> <command>`; and plugins looked at one by one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import click
import msgspec

from streamhost.cli.beside import settings_beside, with_host
from streamhost.config import ForPlugins, Settings, load
from streamhost.plugins import Found, PluginBroken, Plugins, find
from streamhost.ports import PluginHost

T = TypeVar("T")


class PluginContext:
    """What a plugin's command finds in its click context: `@click.pass_obj`."""

    def __init__(self, name: str, data: Path | None, settings: Any) -> None:
        self.name = name
        self.data = data
        self.settings = settings
        """What is set for the plugin: the section that it registered, or None."""

    def run(self, work: Callable[[PluginHost[Any]], Coroutine[Any, Any, T]]) -> T:
        """Do something with the plugin's host on the data directory, beside a running server or without one.

        Raises `NoCatalog` where no server has ever run."""

        return with_host(settings_beside(self.data), lambda host: work(host.plugging.plugins.host(self.name)))


class PluginCommands(click.Group):
    """The commands of one plugin. It is loaded when they are looked for, with the settings of its data directory."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return sorted(self._commands(ctx))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One of them."""
        return self._commands(ctx).get(cmd_name)

    def _commands(self, ctx: click.Context) -> Mapping[str, click.Command]:
        name = cast(str, self.name)
        data = ctx.params.get("data")
        settings = load(data)
        if name in settings.plugins.disabled:
            raise PluginBroken(f"{name}: it is disabled.", hint="Take its name out of the setting plugins.disabled.")
        plugins = Plugins(settings)
        ctx.obj = PluginContext(name, data, plugins.host(name).settings)
        found = plugins.commands().get(name, ())
        wrong = [thing for thing in found if not isinstance(thing, click.Command) or not thing.name]
        if wrong:
            raise PluginBroken.of(name, f"register_commands: {wrong[0]!r} is no command with a name.")
        return {command.name: command for command in found}


def group(name: str) -> click.Group | None:
    """The commands of an installed plugin; None if there is none of that name."""
    found = next((one for one in find() if one.name == name), None)
    if found is None:
        return None
    option = click.Option(
        ["--data"], type=click.Path(path_type=Path, file_okay=False), help="Data directory whose settings count."
    )
    return PluginCommands(name, params=[option], help=f"Commands of the plugin {name}. {found.summary}".strip())


def alone(settings: Settings, found: Found) -> Plugins:
    """One plugin as if it were the only one, so that what is wrong with others does not hide it.

    Raises what is wrong with this one: `PluginBroken`, `InvalidSettings`."""
    given = settings.for_plugins
    others = tuple(one.name for one in find() if one.name != found.name)
    tables = {name: table for name, table in given.tables.items() if name == found.name}
    narrowed = msgspec.structs.replace(
        settings,
        plugins=msgspec.structs.replace(settings.plugins, disabled=others, lenient=()),
        for_plugins=ForPlugins(tables, given.variables, given.origin, given.trace),
    )
    return Plugins(narrowed, installed=[found])
