"""The command line. Subcommands are imported only when they run, so that every one of them starts quickly.

Every command ends with one of few [exit codes](exit-codes.md).
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Any

import click

from streamhost import __version__
from streamhost.cli.examples import with_example
from streamhost.model.errors import StreamhostError

FAILED = 1
INTERRUPTED = 130
"""As shells have it: 128 and the number of SIGINT."""
GROUP = "streamhost"
"""Entry points of plugins; told again here, so that `--help` loads none of what plugins need."""
EXIT_CODES: Mapping[str, int] = {"invalid_settings": 3, "instance_locked": 4}
"""By error code; every other error is `FAILED`."""
MEANINGS: Mapping[int, str] = {
    0: "What was asked for is true.",
    FAILED: "It is not: it could not be done, something was found to be wrong, or what was waited for ended otherwise.",
    2: "The command was called wrongly; nothing was done.",
    3: "A setting is wrong; nothing was started. `streamhost config check` tells which.",
    4: "Another server holds the data directory.",
    INTERRUPTED: "Interrupted by Ctrl-C. What was begun can be gone on with.",
}
"""What the exit codes mean, for the reference."""

COMMANDS: Mapping[str, tuple[str, str]] = {
    "serve": ("streamhost.cli.serve:serve", "Run the server."),
    "setup": ("streamhost.cli.setup:setup", "Make a new site and its administrator."),
    "users": ("streamhost.cli.users:users", "Add, list and change people's accounts."),
    "videos": ("streamhost.cli.videos:videos", "Upload, list, change, fetch and delete videos."),
    "import": ("streamhost.cli.importing:import_", "Make files and folders on this machine videos."),
    "imports": ("streamhost.cli.imports:imports", "See what has become of imported files, and try them again."),
    "keys": ("streamhost.cli.keys:keys", "List and replace the keys of grants and of protected videos."),
    "transcode": (
        "streamhost.cli.transcode:transcode",
        "Make a local file into a stream in a folder, without a server.",
    ),
    "jobs": ("streamhost.cli.jobs:jobs", "See and steer background work."),
    "mail": ("streamhost.cli.mail:mail", "Test mail, and look after what was not delivered."),
    "cdn": ("streamhost.cli.cdn:cdn", "See and steer what the CDN holds."),
    "recommend": (
        "streamhost.cli.recommend:recommend",
        "Train, measure and reset what proposes videos.",
    ),
    "models": ("streamhost.cli.models:models", "List, install and check the models that screen videos."),
    "moderation": ("streamhost.cli.moderation:moderation", "Review videos, and say how the site decides."),
    "storage": ("streamhost.cli.storage:storage", "Try where media is kept, see what is there, and move it."),
    "plugins": ("streamhost.cli.plugins:plugins", "See which plugins are installed, and begin one of your own."),
    "webhooks": ("streamhost.cli.webhooks:webhooks", "Tell other programs of events."),
    "backup": ("streamhost.cli.backup:backup", "Make a backup of the whole site, beside a running server."),
    "restore": ("streamhost.cli.backup:restore", "Bring a backup back, or prove that it can be."),
    "config": ("streamhost.cli.config:config", "Look at the settings, and change them."),
    "doctor": ("streamhost.cli.doctor:doctor", "Look whether everything works, and say what to do."),
    "completion": ("streamhost.cli.completion:completion", "Let a shell complete commands and options."),
}
"""Where each subcommand lives, and its line in the help."""


class Commands(click.Group):
    """A group that imports a subcommand when it is called, and tells our errors as a sentence and a hint.

    What is none of the house's own commands may be a plugin, which then has commands of its own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the subcommand."""
        if cmd_name not in COMMANDS:
            plugged: Callable[[str], click.Group | None] = importlib.import_module("streamhost.cli.plugged").group
            return plugged(cmd_name)
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        if module not in sys.modules:
            # What is being loaded stays: looking for garbage in it takes a tenth of the time and finds none, neither
            # meanwhile nor afterwards.
            gc.disable()
            try:
                importlib.import_module(module)
            finally:
                gc.freeze()
                gc.enable()
        command = getattr(sys.modules[module], name)
        assert isinstance(command, click.Command)
        with_example(command, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in COMMANDS.items()])
        if installed := sorted(point.name for point in entry_points(group=GROUP) if point.name not in COMMANDS):
            with formatter.section("Plugins (their commands, where they have some)"):
                formatter.write_dl([(name, f"See `streamhost plugins info {name}`.") for name in installed])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What scripts can rely on."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(number), words) for number, words in MEANINGS.items()])

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Without colours where they are not wanted (https://no-color.org)."""
        if os.environ.get("NO_COLOR"):
            extra["color"] = False
        return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; an error of ours ends the program with its exit code."""
        try:
            return super().invoke(ctx)
        except StreamhostError as error:
            tell(error)
            ctx.exit(EXIT_CODES.get(error.code, FAILED))


def tell(error: StreamhostError) -> None:
    """Print an error for people: what happened, and what to do."""
    click.secho(f"Error: {error.title()}", fg="red", bold=True, err=True)
    for line in error.detail.splitlines():
        click.echo(f"  {line}", err=True)
    for field, words in error.fields.items():
        click.echo(f"  {field}: {words}", err=True)
    if error.hint:
        click.echo(f"Hint: {error.hint}", err=True)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="streamhost", message="%(prog)s %(version)s")
def main() -> None:
    """A self-hosted video platform in one process."""
