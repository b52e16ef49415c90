"""Reads the settings of one instance from every place they may stand in."""

from __future__ import annotations

import json
import math
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import msgspec

from streamhost.config.agreement import disagreements
from streamhost.config.described import OTHER_VARIABLES, PREFIX, TRACE, Field, fields, sections
from streamhost.config.plugins import ForPlugins
from streamhost.config.settings import Settings
from streamhost.instance import end_swap
from streamhost.late import late
from streamhost.model.errors import StreamhostError

if TYPE_CHECKING:
    import difflib

    import platformdirs
else:
    difflib, platformdirs = late("difflib"), late("platformdirs")

FILE_NAME = "streamhost.toml"
PLUGINS = "plugins"
"""The section whose tables are those of plugins."""
PLUGIN_PREFIX = f"{PREFIX}{PLUGINS}_".upper()

Given = dict[str, tuple[str, Any]]
"""What one source says: by key, the name of the source and the value as it stands there."""


class InvalidSettings(StreamhostError):
    """A setting is wrong, so nothing was started."""

    code = "invalid_settings"
    hint = "Correct the settings named above; `streamhost config check` looks at them without starting anything."
    permanent = True


def default_data_directory() -> Path:
    """The platform's usual place for a program's data."""
    return Path(platformdirs.user_data_dir("streamhost", appauthor=False))


def load(data: Path | None = None, environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read the settings of one instance.

    `data` (from the command line) beats `STREAMHOST_DATA` beats the platform's default. `overrides` are dotted names
    with `__` for the dot, such as `server__port=0`; None means not given. Raises `InvalidSettings` that names every
    wrong setting and what it may be.
    """
    return load_with_origins(data, environment, **overrides)[0]


def settings_file(directory: Path, environment: Mapping[str, str] | None = None) -> Path:
    """Where the settings file of a data directory is, or would be."""
    named = (os.environ if environment is None else environment).get(PREFIX + "CONFIG")
    return Path(named).expanduser() if named else directory / FILE_NAME


def load_with_origins(
    data: Path | None = None,
    environment: Mapping[str, str] | None = None,
    text: str | None = None,
    **overrides: Any,
) -> tuple[Settings, dict[str, str]]:
    """As `load`, and where each value comes from: by key (`data`, `server.port`), a path, a variable or a few words.

    `text`: what the settings file is taken to say, instead of what it says."""
    env = os.environ if environment is None else environment
    named = env.get(PREFIX + "DATA")
    directory = (data or Path(named or default_data_directory())).expanduser().absolute()
    end_swap(directory)  # the settings may be among what is being restored
    known = {field.key: field for field in fields()}
    problems: list[str] = []
    path = settings_file(directory, env)
    content = _content(path, bool(env.get(PREFIX + "CONFIG")), problems, text)
    apart = _tables_of_plugins(content)
    for_plugins = ForPlugins(
        tables=apart,
        variables={name: text for name, text in env.items() if is_for_plugins(name, known.values())},
        origin=str(path) if apart else "",
        trace=env.get(TRACE, "") not in ("", "0"),
    )
    # Each source overwrites what the weaker ones before it said.
    given = _from_file(path, content, known, problems)
    given |= from_environment({k: v for k, v in env.items() if k not in for_plugins.variables}, known, problems)
    given = _from_others(env, known, given) | given
    given |= {
        key.replace("__", "."): ("the command line", value) for key, value in overrides.items() if value is not None
    }
    tables = converted(given, known, problems)
    if problems:
        raise InvalidSettings("\n".join(problems))
    values: dict[str, Any] = {section: kind(**tables.get(section, {})) for section, kind in sections()}
    settings = Settings(data=directory, for_plugins=for_plugins, file=path if path.is_file() else None, **values)
    if lines := disagreements(settings):
        raise InvalidSettings("\n".join(lines))
    origins = {key: given[key][0] if key in given else "default" for key in known}
    origins["data"] = "the command line" if data else f"{PREFIX}DATA" if named else "default"
    return settings, origins


def converted(given: Given, known: Mapping[str, Field], problems: list[str]) -> dict[str, dict[str, Any]]:
    """What was given, in the settings' types: by section, by name. Adds what cannot be to `problems`."""
    tables: dict[str, dict[str, Any]] = {}
    for key, (origin, value) in given.items():
        field = known[key]
        try:
            tables.setdefault(field.section, {})[field.name] = converted_value(field, value)
        except (ValueError, msgspec.ValidationError):
            shown = "what is given" if field.secret else repr(value)
            problems.append(f"{key}: {shown} is not {field.allowed} ({origin})")
    return tables


def is_for_plugins(variable: str, core: Iterable[Field]) -> bool:
    """Whether a variable is a setting of a plugin, if it is one at all."""
    mine = {field.variable for field in core}
    return variable.startswith(PLUGIN_PREFIX) and not {variable, variable.removesuffix("_FILE")} & mine


def _tables_of_plugins(content: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The tables `[plugins.<name>]` of a settings file."""
    section = content.get(PLUGINS)
    return {name: table for name, table in section.items() if isinstance(table, dict)} if is_table(section) else {}


def is_table(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether TOML has a table there."""
    return isinstance(value, dict)


def _content(path: Path, named: bool, problems: list[str], text: str | None) -> Mapping[str, Any]:
    """What stands in `streamhost.toml`, or in `text`; the file may be absent, unless it was named."""
    try:
        return tomllib.loads(path.read_text("utf-8") if text is None else text)
    except FileNotFoundError:
        if named:
            problems.append(f"{PREFIX}CONFIG: there is no file {path}")
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidSettings(f"{path}: {error}") from error


def _from_file(path: Path, content: Mapping[str, Any], known: Mapping[str, Field], problems: list[str]) -> Given:
    """What a settings file says, without the tables of plugins."""
    given: Given = {}
    names = [section for section, _ in sections()]
    for section, table in content.items():
        if section == "data":
            problems.append(f"{path}: data: say it by --data or {PREFIX}DATA; this file is looked for in it")
        elif section not in names:
            problems.append(f"{path}: [{section}]: no such section{perhaps(section, names)}")
        elif not isinstance(table, dict):
            problems.append(f"{path}: {section}: not a section; write [{section}] on a line of its own")
        else:
            given |= from_table(section, table, str(path), known, problems)
    return given


def from_table(
    section: str, table: Mapping[str, Any], origin: str, known: Mapping[str, Field], problems: list[str]
) -> Given:
    """What one table says; tables in it that belong to plugins are left out."""
    given: Given = {}
    for name, value in table.items():
        key = f"{section}.{name}"
        if key in known:
            given[key] = (origin, value)
        elif section != PLUGINS or not is_table(value):
            problems.append(f"{origin}: {key}: no such setting{perhaps(key, known)}")
    return given


def from_environment(env: Mapping[str, str], known: Mapping[str, Field], problems: list[str]) -> Given:
    """What the environment says, by value or by the path of a file that holds it."""
    variables = {field.variable: field for field in known.values()}
    given: Given = {}
    for variable, text in sorted(env.items()):
        if not variable.startswith(PREFIX) or variable in OTHER_VARIABLES:
            continue
        plain = variable.removesuffix("_FILE")
        if variable in variables:
            given[variables[variable].key] = (variable, text)
        elif plain not in variables:
            problems.append(f"{variable}: no such setting{perhaps(variable, variables)}")
        elif plain in env:
            problems.append(f"{plain}: given twice, the second time by {variable}; keep one")
        else:
            try:
                given[variables[plain].key] = (variable, Path(text).read_text("utf-8").strip())
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not text"
                problems.append(f"{variable}: cannot read {text}: {reason}")
    return given


def _from_others(env: Mapping[str, str], known: Mapping[str, Field], given: Given) -> Given:
    """What variables of other programs say. They belong together: where one of them is set by our own name, none of
    that section counts."""
    others = [field for field in known.values() if field.also]
    taken = {field.section for field in others if field.key in given}
    return {
        field.key: (field.also, env[field.also])
        for field in others
        if field.section not in taken and env.get(field.also)
    }


def perhaps(wrong: str, names: Iterable[str]) -> str:
    """What a wrong name was perhaps meant to be, as the end of a sentence."""
    near = difflib.get_close_matches(wrong, list(names), n=1)
    return f"; is {near[0]} meant?" if near else ""


def converted_value(field: Field, value: Any) -> Any:
    """The value in the setting's type; raises ValueError. Text stands for numbers, booleans, and lists with commas."""
    lenient = isinstance(value, str)
    if lenient and isinstance(field.default, tuple):
        value = json.loads(value) if value.startswith("[") else [part.strip() for part in value.split(",")]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("not finite")
    converted = msgspec.convert(value, field.type, strict=not lenient)
    if isinstance(converted, float) and not math.isfinite(converted):
        raise ValueError("not finite")
    return converted
