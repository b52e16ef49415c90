"""Reads the settings of one instance from every place they may stand in."""

from __future__ import annotations

import difflib
import json
import math
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import platformdirs

from streamhost.config.agreement import disagreements
from streamhost.config.described import OTHER_VARIABLES, PREFIX, Field, fields, sections
from streamhost.config.settings import Settings
from streamhost.model.errors import StreamhostError

FILE_NAME = "streamhost.toml"

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


def load_with_origins(
    data: Path | None = None, environment: Mapping[str, str] | None = None, **overrides: Any
) -> tuple[Settings, dict[str, str]]:
    """As `load`, and where each value comes from: by key (`data`, `server.port`), a path, a variable or a few words."""
    env = os.environ if environment is None else environment
    named = env.get(PREFIX + "DATA")
    directory = (data or Path(named or default_data_directory())).expanduser().absolute()
    known = {field.key: field for field in fields()}
    problems: list[str] = []
    # Each source overwrites what the weaker ones before it said.
    given = _from_file(directory, env.get(PREFIX + "CONFIG"), known, problems)
    given |= _from_environment(env, known, problems)
    given = _from_others(env, known, given) | given
    given |= {
        key.replace("__", "."): ("the command line", value) for key, value in overrides.items() if value is not None
    }
    tables: dict[str, dict[str, Any]] = {section: {} for section, _ in sections()}
    for key, (origin, value) in given.items():
        field = known[key]
        try:
            tables[field.section][field.name] = _converted(field, value)
        except (ValueError, msgspec.ValidationError):
            shown = "what is given" if field.secret else repr(value)
            problems.append(f"{key}: {shown} is not {field.allowed} ({origin})")
    if problems:
        raise InvalidSettings("\n".join(problems))
    values: dict[str, Any] = {section: kind(**tables[section]) for section, kind in sections()}
    settings = Settings(data=directory, **values)
    if apart := disagreements(settings):
        raise InvalidSettings("\n".join(apart))
    origins = {key: given[key][0] if key in given else "default" for key in known}
    origins["data"] = "the command line" if data else f"{PREFIX}DATA" if named else "default"
    return settings, origins


def _from_file(directory: Path, named: str | None, known: Mapping[str, Field], problems: list[str]) -> Given:
    """What `streamhost.toml` says; it may be absent, unless it was named."""
    path = Path(named).expanduser() if named else directory / FILE_NAME
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if named:
            problems.append(f"{PREFIX}CONFIG: there is no file {path}")
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidSettings(f"{path}: {error}") from error
    given: Given = {}
    names = [section for section, _ in sections()]
    for section, table in content.items():
        if section == "data":
            problems.append(f"{path}: data: say it by --data or {PREFIX}DATA; this file is looked for in it")
        elif section not in names:
            problems.append(f"{path}: [{section}]: no such section{_perhaps(section, names)}")
        elif not isinstance(table, dict):
            problems.append(f"{path}: {section}: not a section; write [{section}] on a line of its own")
        else:
            for name, value in table.items():
                key = f"{section}.{name}"
                if key in known:
                    given[key] = (str(path), value)
                else:
                    problems.append(f"{path}: {key}: no such setting{_perhaps(key, known)}")
    return given


def _from_environment(env: Mapping[str, str], known: Mapping[str, Field], problems: list[str]) -> Given:
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
            problems.append(f"{variable}: no such setting{_perhaps(variable, variables)}")
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


def _perhaps(wrong: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(wrong, list(names), n=1)
    return f"; is {near[0]} meant?" if near else ""


def _converted(field: Field, value: Any) -> Any:
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
