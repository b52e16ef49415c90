"""The command line as a whole: every command shows an example that is right, and speaks to programs too."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points

import click
import pytest

from streamhost.cli import COMMANDS, EXIT_CODES, GROUP, MEANINGS, main
from streamhost.cli.examples import EXAMPLES
from tests.house.test_docs import FENCE, PAGES
from tests.house.tree import ROOT, short

SILENT = {"serve"}
"""Commands that print for people alone: what they are for goes on as long as they run."""


WITHOUT_SITE = {"serve", "setup", "transcode", "plugins new", "completion"}
"""Commands that make a site or run it, or have nothing to do with one."""


def walked(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """A command and everything below it; not those of plugins."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path[-1] if path else "streamhost")
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from walked(below, (*path, name))


TYPED = re.compile(r"(?m)^\s*(?:[$#] |printf .*\| )?(?:sudo (?:-u \w+ )?)?(?:\S*/)?streamhost ((?:[^\n\\]|\\\n)+)")
"""A command in a block of what somebody types."""
REFERENCE = ROOT / "docs" / "reference" / "cli.md"
"""Made from the commands themselves, in the form `[OPTIONS] FILE`."""
SPOKEN = re.compile(r"`streamhost ([^`]+)`")
"""One in a sentence, perhaps without its arguments."""

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
    """`--json` is there, with its help; every option and argument has a name and words of its own."""
    command = ALL[path]
    names = [one.name for one in command.params]
    assert len(set(names)) == len(names)
    options = {name: one for one in command.params if isinstance(one, click.Option) for name in one.opts}
    assert ("--json" in options) is (path not in SILENT)
    assert [name for name, one in options.items() if not one.help] == []
    assert (command.help or "").strip()


@pytest.mark.parametrize("path", sorted(path for path, one in ALL.items() if not isinstance(one, click.Group)))
def test_every_command_works_at_a_server(path: str) -> None:
    """It takes an address and a token, or its help says that it does not, and why."""
    command = ALL[path]
    options = {name for one in command.params for name in one.opts}
    alone = "Only on a data directory" in (command.help or "") or path in WITHOUT_SITE
    assert {"--url", "--token"} <= options or alone
    assert not ("--token" in options and alone)


def test_exit_codes_are_explained() -> None:
    """Each that an error has is on the page, and in the help."""
    assert set(EXIT_CODES.values()) <= MEANINGS.keys()
    shown = main.get_help(click.Context(main, info_name="streamhost", terminal_width=200))
    assert [f"{number}  " in shown and words in shown for number, words in MEANINGS.items()] == [True] * len(MEANINGS)


def misspelt(words: Sequence[str], *, whole: bool) -> str | None:
    """What is wrong with a call; `whole`: its arguments are there. Commands of plugins are none of ours."""
    if not words or words[0].startswith("-") or words[0] not in COMMANDS:
        return None
    command: click.Command = main
    left = list(words)
    while isinstance(command, click.Group) and left and not left[0].startswith("-"):
        below = command.get_command(click.Context(command), left.pop(0))
        if below is None:
            return "there is no such command"
        command = below
    if isinstance(command, click.Group):
        return None
    try:
        given, rest, _ = command.make_parser(click.Context(command)).parse_args(left)
    except click.UsageError as error:
        # In a sentence an option may stand without its value.
        return error.format_message() if whole or not isinstance(error, click.BadOptionUsage) else None
    missing = [one.name for one in command.params if isinstance(one, click.Argument) and one.required]
    if rest or (whole and not all(given.get(str(name)) for name in missing)):
        return f"its arguments are {missing}"
    return None


def test_no_garbage_is_looked_for_in_what_is_loaded() -> None:
    """That would take a tenth of a second of each start: what a command imports is left out for good."""
    loaded = """
import gc
import click
from streamhost.cli import main
before = gc.get_freeze_count()
main.get_command(click.Context(main), "serve")
print(gc.isenabled(), gc.get_freeze_count() > before + 50_000, len(gc.get_objects()) < 50_000)
"""
    assert subprocess.check_output([sys.executable, "-c", loaded], text=True).split() == ["True"] * 3


def test_commands_that_are_spoken_of_exist() -> None:
    """Whatever a page of the documentation lets somebody type is a command with options that there are."""
    wrong, seen = [], 0
    for page in PAGES:
        if page == REFERENCE:
            continue
        text = page.read_text("utf-8")
        typed = [(one, True) for block in FENCE.findall(text) for one in TYPED.findall(block)]
        spoken = [(one, False) for one in SPOKEN.findall(FENCE.sub("", text))]
        for call, whole in (*typed, *spoken):
            line = re.split(r" (?:\||>|>>|2>|&&|&|;|#) ?", re.sub(r"\s*\\\n\s*", " ", call))[0]
            try:
                words = shlex.split(line)
            except ValueError:
                # A quotation that goes on: what stands before it is a command already.
                words = line.split()[:1]
            seen += 1
            if fault := misspelt(words, whole=whole):
                wrong.append((short(page), line, fault))
    assert wrong == []
    assert seen > 100, "they are found"
