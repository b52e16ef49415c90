"""The command line as a whole: every command shows an example that is right, and speaks to programs too."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from importlib.metadata import entry_points

import click
import pytest

from streamhost.cli import COMMANDS, EXIT_CODES, GROUP, MEANINGS, main
from streamhost.cli.examples import EXAMPLES

SILENT = {"serve"}
"""Commands that print for people alone: what they are for goes on as long as they run."""


def walked(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """A command and everything below it; not those of plugins."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path[-1] if path else "streamhost")
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from walked(below, (*path, name))


ALL = {" ".join(path): command for path, command in walked(main) if path}


def test_the_table_is_what_there_is() -> None:
    """No example is left of a command that is gone, and no plugin of this machine is counted."""
    assert EXAMPLES.keys() - ALL.keys() == set()
    assert {name.split()[0] for name in ALL} == COMMANDS.keys()
    assert not {point.name for point in entry_points(group=GROUP)} & COMMANDS.keys()


@pytest.mark.parametrize("path", sorted(ALL))
def test_every_command_has_an_example(path: str) -> None:
    """It stands in its help, calls this command or one below it, and names only options that there are."""
    command = ALL[path]
    shown = command.get_help(click.Context(command, info_name=path, terminal_width=200))
    assert path in EXAMPLES, f"add one to src/streamhost/cli/examples.py: {path}"
    assert EXAMPLES[path] in shown
    words = shlex.split(EXAMPLES[path].partition(" > ")[0])[1:]
    assert words[: len(path.split())] == path.split()
    while isinstance(command, click.Group):
        below = command.get_command(click.Context(command), words[len(path.split())])
        assert below is not None
        command, path = below, f"{path} {words[len(path.split())]}"
    left = words[len(path.split()) :]
    given, rest, _ = command.make_parser(click.Context(command)).parse_args(left)
    assert rest == []
    arguments = [one for one in command.params if isinstance(one, click.Argument) and one.required]
    assert all(one.name in given for one in arguments)


@pytest.mark.parametrize("path", sorted(path for path, one in ALL.items() if not isinstance(one, click.Group)))
def test_every_command_speaks_to_programs(path: str) -> None:
    """`--json` is there, with its help; every option and argument has words of its own."""
    command = ALL[path]
    options = {name: one for one in command.params if isinstance(one, click.Option) for name in one.opts}
    assert ("--json" in options) is (path not in SILENT)
    assert [name for name, one in options.items() if not one.help] == []
    assert (command.help or "").strip()


def test_exit_codes_are_explained() -> None:
    """Each that an error has is on the page."""
    assert set(EXIT_CODES.values()) <= MEANINGS.keys()
