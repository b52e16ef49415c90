"""Write the generated reference pages, or with `--check` tell which are stale.

Settings, commands and errors are described where they are made; these pages repeat nothing by hand.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

import streamhost
from prepare import ROOT
from streamhost import config, hookspecs
from streamhost.model import events as model_events
from streamhost.model.errors import StreamhostError, known_errors
from streamhost.plugins.finding import specifications
from streamhost.server import errors as door

PAGES = ROOT / "docs" / "reference"
NOTE = "<!-- Written by `make docs`; change the source it describes, not this page. -->"
UNIMPORTABLE = (
    "streamhost.__main__",
    "streamhost.testing",
    "streamhost.sandbox_child",
    "streamhost.sandbox_forker",
    "streamhost.ml.reading",
)


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def code(value: object) -> str:
    """A value as it is written in `streamhost.toml`."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str):
        return f'`"{value}"`'
    if isinstance(value, tuple):
        return f"`{list(value)}`"
    return f"`{value:_}`" if isinstance(value, int) and value >= 100_000 else f"`{value}`"


def settings() -> str:
    """The page of settings."""
    lines = [
        "# Settings",
        "",
        NOTE,
        "",
        "The command line beats the environment, which beats `streamhost.toml` in the data directory, which beats the",
        "default. Each variable also exists with `_FILE` at its end: it then names a file whose content is the value.",
        "`streamhost config show` prints what is in force and where it comes from, `streamhost config check` looks for",
        "mistakes without starting anything.",
        "",
        "```toml",
        "# streamhost.toml",
        "[server]",
        "port = 8080",
        'public_url = "https://video.example.org"',
        "```",
        "",
    ]
    described = list(config.fields())
    for section, kind in config.sections():
        lines += [f"## {section}", "", inspect.cleandoc(kind.__doc__ or ""), ""]
        for field in (item for item in described if item.section == section):
            lines += [
                f"### {field.key}",
                "",
                field.help,
                "",
                f"- default: {code(field.default)}",
                f"- allowed: {field.allowed}",
                f"- variable: `{field.variable}`" + (f", else `{field.also}`" if field.also else ""),
                "",
            ]
    lines += ["## Variables that are no settings", ""]
    lines += table(["variable", "what it is for"], [[f"`{k}`", v] for k, v in sorted(config.OTHER_VARIABLES.items())])
    return "\n".join(lines) + "\n"


def commands(context: click.Context) -> Iterator[click.Context]:
    """A command and everything below it, in the order of its help."""
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command and not command.hidden:
                yield from commands(click.Context(command, info_name=name, parent=context))


def usage(context: click.Context) -> list[str]:
    """One command: what it does, how it is called, its options."""
    command = context.command
    path = context.command_path
    pieces = " ".join([path, *command.collect_usage_pieces(context)])
    lines = [f"## {path}", "", inspect.cleandoc(command.help or ""), "", "```", pieces, "```", ""]
    rows = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and isinstance(parameter, click.Option) and "--help" not in parameter.opts:
            rows.append([f"`{record[0]}`", " ".join(record[1].split())])
    if rows:
        lines += [*table(["option", "meaning"], rows), ""]
    if command.epilog:
        lines += ["```sh", *(line.strip() for line in command.epilog.splitlines()[2:]), "```", ""]
    return lines


def cli() -> str:
    """The page of commands."""
    door = importlib.import_module("streamhost.cli")
    _, codes = inspect.cleandoc(door.__doc__ or "").split("\n\n", 1)
    lines = ["# Commands", "", NOTE, "", codes, ""]
    main = door.main
    for context in commands(click.Context(main, info_name="streamhost", terminal_width=10_000)):
        lines += usage(context)
    return "\n".join(lines).rstrip() + "\n"


def exit_codes() -> str:
    """The page of exit codes."""
    door = importlib.import_module("streamhost.cli")
    named = {number: [code for code, its in door.EXIT_CODES.items() if its == number] for number in door.MEANINGS}
    rows = [
        [str(number), words, ", ".join(f"`{code}`" for code in named[number])]
        for number, words in sorted(door.MEANINGS.items())
    ]
    lines = [
        "# Exit codes",
        "",
        NOTE,
        "",
        "Scripts can rely on these: 0 only when the thing asked for is true. Errors and warnings go to standard error,",
        "what was asked for to standard output; with `--json` that is one JSON document. Progress and colours are",
        "shown on terminals only, and colours never where `NO_COLOR` is set.",
        "",
        *table(["code", "meaning", "errors"], rows),
        "",
        "All other [errors](errors.md) end a command with 1.",
    ]
    return "\n".join(lines) + "\n"


def every_error() -> list[type[StreamhostError]]:
    """Every error class of the program by its code, after every module was loaded; not those that tests make up."""
    for module in pkgutil.walk_packages(streamhost.__path__, "streamhost."):
        if not module.name.startswith(UNIMPORTABLE):
            importlib.import_module(module.name)
    ours = {kind for kind in known_errors() if kind.__module__.startswith("streamhost.")}
    return sorted(ours, key=lambda kind: (kind.code, kind.__qualname__))


def ancestors(kind: type[StreamhostError]) -> list[type[StreamhostError]]:
    """An error's own kind and what it derives from, without the base of all."""
    return [base for base in kind.__mro__ if issubclass(base, StreamhostError) and base is not StreamhostError]


def status(kind: type[StreamhostError]) -> str:
    """The HTTP status of an error; empty for those that end a job or a start instead of a request."""
    named = any("code" in vars(base) and base.code in door.STATUS for base in ancestors(kind))
    return str(door.status_of(kind)) if named else ""


def errors() -> str:
    """The page of errors, by their code."""
    known = every_error()
    rows = [
        [f"`{name}`", str(status), f"{door.phrase_of(status)}: the request itself cannot be served."]
        for status, name in door.FRAMEWORK_CODES.items()
        if name not in {kind.code for kind in known}
    ]
    for kind in known:
        sentence = " ".join(filter(None, (kind.title(), kind.hint)))
        rows.append([f"`{kind.code}`", status(kind), sentence])
    lines = [
        "# Errors",
        "",
        NOTE,
        "",
        "Every refusal carries a stable `code`. The API answers `application/problem+json` (RFC 9457) with `type`,",
        "`title`, `status`, `detail`, `code`, and where there is something to do, `hint`; wrong fields are named in",
        "`errors`.",
        "A video that could not be processed carries the same code in its `error`. Errors without a status end a job,",
        "a command or a start instead of a request.",
        "",
        *table(["code", "status", "what it means, and what to do"], sorted(rows)),
    ]
    return "\n".join(lines) + "\n"


REFUSING = """`Refused("why")` refuses it: the answer is 403 with the code `refused_by_plugin` and these words. A plugin
that fails, or takes longer than [plugins.before_seconds](settings.md#pluginsbefore_seconds), lets nothing pass either
(503, `plugin_failed`), unless [plugins.lenient](settings.md#pluginslenient) names it. After three time-outs in a row it
is not asked for half a minute."""
SHAPING = """What is returned takes the place of the value; `None` leaves it. Each plugin is given what the one before
it made. What cannot be used, and failures, leave the value as it was and stand in the log."""


def hooks() -> str:
    """The page of hooks, by what they are for."""
    head, _, rest = inspect.cleandoc(hookspecs.__doc__ or "").partition("\n\n")
    lines = ["# Hooks", "", NOTE, "", head, "", *example(rest), ""]
    families = {
        "register_": ("Registered once, at the start", "What fails here stops the start, with the plugin's name."),
        "before_": (
            "Asked before something is done",
            REFUSING,
        ),
        "on_": ("Told after something was done", "From a job; see [events](events.md) for what there is."),
        "shape_": (
            "Asked for another value",
            SHAPING,
        ),
    }
    known = specifications()
    for prefix, (title, words) in families.items():
        lines += [f"## {title}", "", words, ""]
        for name, function in known.items():
            if name.startswith(prefix):
                lines += [f"### {name}", "", "```python", signature(name, function), "```", ""]
                lines += [inspect.cleandoc(function.__doc__ or ""), ""]
    lines += ["## What hooks are given", ""]
    for kind in (hookspecs.PluginHost, hookspecs.Offer, hookspecs.Work):
        lines += [f"### {kind.__name__}", "", inspect.cleandoc(kind.__doc__ or ""), ""]
        if kind is hookspecs.PluginHost:
            lines += [*members(kind), ""]
    return "\n".join(lines).rstrip() + "\n"


def example(text: str) -> list[str]:
    """Paragraphs in which what is indented is code."""
    lines = []
    for paragraph in re.split(r"\n\n(?=\S)", text):
        before, mark, code_of = paragraph.partition(":\n\n    ")
        lines += [before + (":" if mark else ""), ""]
        if mark:
            lines += ["```python", inspect.cleandoc("    " + code_of), "```", ""]
    return lines[:-1]


def signature(name: str, function: Callable[..., object]) -> str:
    """A hook as a plugin would write it."""
    return f"def {name}{inspect.signature(function)}".replace("'", "").replace("PluginHost[Any]", "PluginHost")


def members(kind: type) -> list[str]:
    """What a plugin's host can do, a line each."""
    lines = []
    for name, member in vars(kind).items():
        if not name.startswith("_"):
            function: Any = member.fget if isinstance(member, property) else member
            words = " ".join(inspect.cleandoc(function.__doc__ or "").split())
            spelled = name if isinstance(member, property) else f"await {name}{inspect.signature(function)}"
            lines.append(f"- `{spelled.replace('self, ', '').replace(chr(39), '')}`: {words}")
    return lines


def events() -> str:
    """The page of events."""
    lines = ["# Events", "", NOTE, "", inspect.cleandoc(model_events.__doc__ or ""), ""]
    lines += ["Every event has `kind`, `id` and `at` (seconds since 1970 UTC), and the fields named below.", ""]
    rows = []
    for name, kind in model_events.EVENTS.items():
        own = [f"`{item.name}`" for item in dataclasses.fields(kind) if item.name not in ("at", "id")]
        words = " ".join(inspect.cleandoc(kind.__doc__ or "").split())
        rows.append([f"`{name}`", f"`{kind.__name__}`", words, ", ".join(own)])
    lines += table(["kind", "class", "what has happened", "fields"], rows)
    return "\n".join(lines) + "\n"


MAKERS: dict[str, Callable[[], str]] = {
    "settings.md": settings,
    "cli.md": cli,
    "exit-codes.md": exit_codes,
    "errors.md": errors,
    "hooks.md": hooks,
    "events.md": events,
}


def stale() -> list[Path]:
    """The pages that do not say what the program says."""
    found = []
    for name, make in MAKERS.items():
        page = PAGES / name
        if not page.exists() or page.read_text("utf-8") != make():
            found.append(page)
    return found


def main(words: list[str]) -> int:
    """Write, or check."""
    if "--check" in words:
        for page in stale():
            print(f"{page.relative_to(ROOT)} is stale; run `make docs`", file=sys.stderr)
        return int(bool(stale()))
    PAGES.mkdir(parents=True, exist_ok=True)
    for name, make in MAKERS.items():
        (PAGES / name).write_text(make(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
