"""The settings of plugins: read as the others are, once it is known which there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from streamhost.config.described import Field, fields_of
from streamhost.config.loading import PLUGINS, Given, InvalidSettings, converted, from_environment, from_table, perhaps
from streamhost.config.plugins import ForPlugins
from streamhost.config.section import Section


@dataclass(frozen=True, slots=True)
class Resolved:
    """The settings of one plugin, what they are, and where each value comes from (by key)."""

    section: Section
    fields: tuple[Field, ...]
    origins: Mapping[str, str]

    def value_of(self, field: Field) -> Any:
        """The value of one of them, as JSON knows it."""
        return msgspec.to_builtins(getattr(self.section, field.name))


def plugged(given: ForPlugins, kinds: Mapping[str, type[Section] | None], others: Iterable[str]) -> dict[str, Resolved]:
    """The settings of each plugin in `kinds` that has some (None: it has none).

    `others` are plugins that are there but left alone; what is said of them is passed over. Raises `InvalidSettings`
    that names everything that is wrong.
    """
    problems: list[str] = []
    found = {name: tuple(fields_of(_section(name), kind)) for name, kind in kinds.items() if kind is not None}
    known = {field.key: field for fields in found.values() for field in fields}
    alike = [name for name, times in Counter(field.variable for field in known.values()).items() if times > 1]
    problems += [f"{variable}: it is a setting of two plugins; disable one of them" for variable in alike]
    passed = {_variables(name) for name in others}
    all_names = [*kinds, *others]
    told: Given = {}
    for name, table in given.tables.items():
        if name in found:
            told |= from_table(_section(name), table, given.origin, known, problems)
        elif name in kinds:
            problems.append(f"{given.origin}: [{_section(name)}]: this plugin has no settings")
        elif name not in others:
            hint = perhaps(_section(name), map(_section, all_names))
            problems.append(f"{given.origin}: [{_section(name)}]: no such plugin is installed{hint}")
    mine = {text: value for text, value in given.variables.items() if not text.startswith(tuple(passed))}
    told |= from_environment(mine, known, problems)
    tables = converted(told, known, problems)
    sections: dict[str, Section] = {}
    for name, kind in kinds.items():
        if kind is not None:
            values = tables.get(_section(name), {})
            missing = [field for field in found[name] if field.required and field.name not in values]
            wrong = any(line.startswith(tuple(f"{field.key}:" for field in found[name])) for line in problems)
            problems += [
                f"{field.key}: it must be set, to {field.allowed} ({field.variable})" for field in missing if not wrong
            ]
            if not missing and not wrong:
                try:
                    sections[name] = kind(**values)
                except (ValueError, TypeError, msgspec.ValidationError) as error:
                    problems.append(f"{_section(name)}: {error}")
    if problems:
        raise InvalidSettings("\n".join(problems))
    origins = {key: told[key][0] if key in told else "default" for key in known}
    return {
        name: Resolved(section, found[name], {field.key: origins[field.key] for field in found[name]})
        for name, section in sections.items()
    }


def _section(plugin: str) -> str:
    return f"{PLUGINS}.{plugin}"


def _variables(plugin: str) -> str:
    """How the variables of a plugin begin."""
    return Field(_section(plugin), "", str, "", "").variable
