"""Settings as the pages of the administration show them: tables with titles, and a fitting input for every type."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from streamhost.config import Field, sections
from streamhost.features.settings import DEFAULT, Setting, SettingsNow
from streamhost.server.pages.frame import Texts
from streamhost.server.pages.shapes import bytes_text

TITLES: Mapping[str, str] = {
    "server": "The site and its address",
    "accounts": "Accounts and signing in",
    "mail": "Mail",
    "limits": "Limits on requests",
    "uploads": "Uploads",
    "storage": "Storage",
    "imports": "Import folders",
    "trash": "Trash",
    "media": "How videos are made",
    "jobs": "Background work",
    "models": "Models",
    "moderation": "Moderation",
    "playback": "Playback",
    "protection": "Protection of videos",
    "analytics": "Figures",
    "metrics": "Metrics for monitoring",
    "cdn": "CDN",
    "cache": "Cache",
    "plugins": "Plugins",
    "reports": "Reports by viewers",
    "notifications": "Notifications",
    "webhooks": "Webhooks",
    "backup": "Backups",
    "recommendations": "Recommendations",
    "log": "Log",
}
"""What the tables of the settings file are about."""
_SPELT = {
    "url": "address",
    "smtp": "SMTP",
    "s3": "S3",
    "id": "ID",
    "ca": "CA",
    "crf": "CRF",
    "cpu": "CPU",
    "cdn": "CDN",
}
_BYTES = re.compile(r"\bbytes\b", re.IGNORECASE)
TRUE, FALSE = "true", "false"


@dataclass(frozen=True, slots=True)
class TableView:
    """One table of the settings file."""

    name: str
    title: str
    about: str
    changed: int
    waiting: int
    total: int


@dataclass(frozen=True, slots=True)
class InputView:
    """One setting as a field of a form. `kind`: `switch`, `choice`, `number`, `lines`, `secret`, `text`."""

    key: str
    label: str
    kind: str
    value: str
    options: Sequence[tuple[str, str]]
    least: str
    most: str
    step: str
    help: str
    allowed: str
    default: str
    said: str
    """What a large number means, such as `200 GB`."""
    origin: str
    variable: str
    locked: str
    machine: bool
    live: bool
    waits: bool
    changed: bool
    is_set: bool
    error: str


def tables(now: SettingsNow) -> list[TableView]:
    """Every table of the file, those of plugins at the end."""
    docs = {name: _sentence(kind.__doc__) for name, kind in sections()}
    names = dict.fromkeys([*(name for name, _ in sections() if now.of(name)), *(s.field.section for s in now.items)])
    return [
        TableView(
            name,
            title_of(name),
            docs.get(name, "Settings of this plugin."),
            sum(one.origin != DEFAULT for one in now.of(name)),
            sum(one.waits for one in now.of(name)),
            len(now.of(name)),
        )
        for name in names
    ]


def title_of(section: str) -> str:
    """What a table is about; a plugin's is called by its name."""
    return TITLES.get(section) or section.removeprefix("plugins.")


def label_of(field: Field) -> str:
    """The name of a setting in words."""
    said = " ".join(_SPELT.get(word, word) for word in field.name.split("_"))
    return said[:1].upper() + said[1:]


def inputs(
    settings: Sequence[Setting], typed: Texts | None = None, errors: Mapping[str, str] | None = None
) -> list[InputView]:
    """Fields of a form. `typed`: what somebody has typed and could not be taken; `errors` by key."""
    return [_input(one, typed, (errors or {}).get(one.field.key, "")) for one in settings]


def _input(one: Setting, typed: Texts | None, error: str) -> InputView:
    field = one.field
    kind = kind_of(field)
    bounds = field.bounds
    value = one.value
    shown = "" if kind == "secret" else _text(value)
    fixed = one.locked or field.machine  # a browser sends nothing of what it may not change
    if typed is not None and kind != "secret" and (field.key in typed or kind == "switch") and not fixed:
        shown = (TRUE if field.key in typed else FALSE) if kind == "switch" else typed[field.key]
    large = isinstance(value, int) and not isinstance(value, bool) and value >= 100_000 and _BYTES.search(field.help)
    return InputView(
        key=field.key,
        label=label_of(field),
        kind=kind,
        value=shown,
        options=[(str(option), str(option)) for option in get_args(field.base)] if kind == "choice" else (),
        least=_bound(bounds.ge),
        most=_bound(bounds.le if kind == "number" else bounds.max_length),
        step="1" if field.base is int else "any",
        help=field.help,
        allowed=field.allowed,
        default="" if field.required or field.secret else _text(field.default).replace("\n", ", "),
        said=bytes_text(value) if large else "",
        origin=one.origin,
        variable=field.variable,
        locked=one.locked,
        machine=field.machine,
        live=field.live,
        waits=one.waits,
        changed=one.in_file,
        is_set=one.is_set,
        error=error,
    )


def kind_of(field: Field) -> str:
    """Which input fits a setting's type."""
    base = field.base
    if field.secret:
        return "secret"
    if base is bool:
        return "switch"
    if get_origin(base) is Literal:
        return "choice"
    if get_origin(base) is tuple:
        return "lines"
    return "number" if base in (int, float) else "text"


def changes_of(settings: Sequence[Setting], form: Texts) -> dict[str, Any]:
    """What a form says of the settings that it may change: by key, None for one that goes back to its default."""
    changes: dict[str, Any] = {}
    for one in settings:
        field = one.field
        if one.locked or field.machine:
            continue
        kind, said = kind_of(field), form[field.key]
        if kind == "switch":
            changes[field.key] = TRUE if field.key in form else FALSE
        elif kind == "secret":
            if f"{field.key}.remove" in form:
                changes[field.key] = None
            elif said:
                changes[field.key] = said
        elif field.key in form:
            lines = [line.strip() for line in said.splitlines() if line.strip()]
            changes[field.key] = json.dumps(lines) if kind == "lines" else said.strip()
    return changes


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return TRUE if value else FALSE
    if isinstance(value, (list, tuple)):
        return "\n".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) and value == int(value) else str(value)


def _bound(limit: float | None) -> str:
    return "" if limit is None else f"{limit:g}" if isinstance(limit, float) else str(limit)


def _sentence(text: str | None) -> str:
    """The first sentence of a docstring."""
    first = (text or "").strip().partition("\n\n")[0].replace("\n    ", " ").partition(". ")[0]
    return first.rstrip(".").replace("`", "") + "."
