"""The settings, to look at and to change: where each comes from, who decides it, and from when on a change counts."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamhost import log
from streamhost.config import (
    Field,
    InvalidSettings,
    Section,
    Settings,
    SettingsChanged,
    Sheet,
    edited,
    fields,
    hidden,
    load_with_origins,
    plugged,
    read_sheet,
    settings_file,
    value_from,
    value_of,
    write_sheet,
)
from streamhost.db import audit as rows
from streamhost.db.core import Database
from streamhost.model.audit import Act, Actor, AuditEntry
from streamhost.model.branding import Brand
from streamhost.model.clock import Clock
from streamhost.model.errors import Conflict, Forbidden, InvalidInput, StreamhostError

DEFAULT = "default"
SHOWN_LENGTH = 200
"""How much of a value the audit log keeps."""


class SettingLocked(Conflict):
    """This setting is decided by the environment of the server."""

    code = "setting_locked"
    hint = "Change the variable, or take it away; it goes before the settings file."


class SettingNotHere(Forbidden):
    """This setting decides about the machine itself, so it is not changed from afar."""

    code = "setting_not_here"
    hint = "Change it on the machine: streamhost config set, or the settings file."


class RestartNotPossible(Conflict):
    """This server cannot start itself anew."""

    code = "restart_not_possible"
    hint = "Stop it and start it again where it runs."


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it will be at the next start. `value` is what may be shown of it; `origin` a path, a variable, or
    `default`. `locked`: the variable that decides it, so that the file does not. `waits`: it was changed since the
    start, and counts from the next one."""

    field: Field
    value: Any
    origin: str
    locked: str
    waits: bool

    @property
    def in_file(self) -> bool:
        """Whether the settings file says it."""
        return self.origin != DEFAULT and not self.locked

    @property
    def is_set(self) -> bool:
        """Whether a secret has a value."""
        return bool(self.value)


@dataclass(frozen=True, slots=True)
class SettingsNow:
    """All of them, the file they stand in, and the version of what it says."""

    path: Path
    version: str
    items: Sequence[Setting]
    restarts: bool
    """Whether the server can be told to start anew."""

    @property
    def waiting(self) -> Sequence[Setting]:
        """Those that count from the next start only."""
        return [one for one in self.items if one.waits]

    @property
    def by_key(self) -> Mapping[str, Setting]:
        """The same by key."""
        return {one.field.key: one for one in self.items}

    def of(self, section: str) -> Sequence[Setting]:
        """Those of one table."""
        return [one for one in self.items if one.field.section == section]


@dataclass(frozen=True, slots=True)
class _Read:
    """Settings with their origins, those of plugins among them, by key."""

    settings: Settings
    fields: Mapping[str, Field]
    values: Mapping[str, Any]
    origins: Mapping[str, str]


Rehearsal = Callable[[Settings], Awaitable[None]]
"""Does what a start does with these settings, short of serving; raises what would keep it from starting."""


async def no_rehearsal(_settings: Settings) -> None:
    """Where nothing would start: to read the settings is all there is to try."""


class SettingsDesk:
    """Shows the settings of one instance and changes them in its file; a mistake never gets there."""

    def __init__(
        self,
        settings: Settings,
        brand: Brand,
        plugins: Mapping[str, type[Section] | None],
        db: Database | None,
        clock: Clock,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`settings`: what this process runs by. `plugins`: what kind of settings each has. `db`: None where there is
        no catalog yet, so no log either. `environment`: instead of the process's own."""
        self._data = settings.data
        self._brand = brand
        self._plugins = plugins
        self._disabled = settings.plugins.disabled
        self._db = db
        self._clock = clock
        self._environment = environment
        self._log = log.get("settings")
        self._begun: _Read | None = None
        self.rehearse: Rehearsal = no_rehearsal
        self.restart_asked: asyncio.Event | None = None
        """Set by whoever can start the server anew."""

    async def start(self) -> None:
        """Keep in mind what this process began with: a change from that waits for the next start."""
        with contextlib.suppress(InvalidSettings):
            self._begun = await asyncio.to_thread(self._read, None)

    async def now(self) -> SettingsNow:
        """Everything as it stands. Raises `InvalidSettings` where somebody wrote something wrong into the file."""
        return await asyncio.to_thread(self._now)

    async def change(
        self, changes: Mapping[str, Any], by: Actor, version: str | None = None, *, from_afar: bool = True
    ) -> SettingsNow:
        """Change settings by key, all or none; None goes back to the default. `version`: what the file said to whoever
        decided this; None does not care. `from_afar`: not by somebody at the machine.

        Raises `InvalidInput` by key, `SettingLocked`, `SettingNotHere`, `SettingsChanged`, `SettingsNotWritable`."""
        sheet, read = await asyncio.to_thread(self._open)
        if version is not None and version != sheet.version:
            raise SettingsChanged
        wanted = self._wanted(read, changes, from_afar=from_afar)
        if not wanted:
            return await self.now()
        text = edited(sheet, wanted)
        try:
            after = await asyncio.to_thread(self._read, text)
            await self.rehearse(after.settings)
        except StreamhostError as error:
            raise refusal(error, changes) from error
        secret = any(field.secret for field, _ in wanted)
        await asyncio.to_thread(write_sheet, sheet, text, secret=secret)
        await self._note(read, after, [field for field, _ in wanted], by)
        self._brand.name, self._brand.accent = after.settings.server.site_name, after.settings.server.accent
        return await self.now()

    async def tried(self, changes: Mapping[str, Any]) -> Settings:
        """The settings as they would be with these changes; nothing is written. Raises `InvalidInput`, `SettingLocked`,
        `SettingNotHere`."""
        sheet, read = await asyncio.to_thread(self._open)
        try:
            return self._read(edited(sheet, self._wanted(read, changes, from_afar=True))).settings
        except InvalidSettings as error:
            raise refusal(error, changes) from error

    async def restart(self, by: Actor) -> None:
        """Have the server start anew, once what is being answered is answered. Raises `RestartNotPossible`, and
        `InvalidInput` where it would not come back."""
        if self.restart_asked is None:
            raise RestartNotPossible
        try:
            await self.rehearse((await asyncio.to_thread(self._read, None)).settings)
        except StreamhostError as error:
            raise refusal(error, ()) from error
        await self._write_down([AuditEntry(self._clock(), Act.SERVER_RESTARTED, by)])
        self.restart_asked.set()

    def _wanted(self, read: _Read, changes: Mapping[str, Any], *, from_afar: bool) -> list[tuple[Field, Any]]:
        """What is to be written: field and value, without what is so already."""
        wanted: list[tuple[Field, Any]] = []
        for key, said in changes.items():
            field = read.fields.get(key)
            if field is None:
                raise InvalidInput(fields={key: "There is no such setting."})
            if from_afar and field.machine:
                raise SettingNotHere(key)
            origin = read.origins[key]
            if said is None:
                if origin != DEFAULT:
                    wanted.append((field, None))
                continue
            value = value_from(field, said)
            if value == read.values[key]:
                continue
            if self._locks(origin):
                raise SettingLocked(f"{key} is set by {origin}.")
            wanted.append((field, value))
        return wanted

    async def _note(self, before: _Read, after: _Read, changed: Iterable[Field], by: Actor) -> None:
        now = self._clock()
        entries = []
        for field in changed:
            shown = {"before": _shown(field, before.values[field.key]), "after": _shown(field, after.values[field.key])}
            entries.append(AuditEntry(now, Act.SETTING_CHANGED, by, details={"setting": field.key, **shown}))
            self._log.info("A setting was changed", action="setting_changed", setting=field.key)
        await self._write_down(entries)

    async def _write_down(self, entries: Iterable[AuditEntry]) -> None:
        if self._db is not None:
            async with self._db.write() as conn:
                for entry in entries:
                    await rows.insert(conn, entry)

    def _now(self) -> SettingsNow:
        sheet, read = self._open()
        begun = self._begun.values if self._begun else read.values
        items = [
            Setting(
                field,
                hidden(field, read.values[key]),
                read.origins[key],
                read.origins[key] if self._locks(read.origins[key]) else "",
                not field.live and read.values[key] != begun.get(key, read.values[key]),
            )
            for key, field in read.fields.items()
        ]
        return SettingsNow(sheet.path, sheet.version, items, self.restart_asked is not None)

    def _open(self) -> tuple[Sheet, _Read]:
        sheet = read_sheet(settings_file(self._data, self._environment))
        return sheet, self._read(sheet.text)

    def _read(self, text: str | None) -> _Read:
        settings, origins = load_with_origins(self._data, self._environment, text)
        known = {field.key: field for field in fields()}
        values = {key: value_of(settings, field) for key, field in known.items()}
        found = plugged(settings.for_plugins, self._plugins, self._disabled)
        for one in found.values():
            known |= {field.key: field for field in one.fields}
            values |= {field.key: one.value_of(field) for field in one.fields}
            origins |= one.origins
        return _Read(settings, known, values, origins)

    def _locks(self, origin: str) -> bool:
        """Whether something that goes before the file says it."""
        return origin != DEFAULT and origin != str(settings_file(self._data, self._environment))


def refusal(error: StreamhostError, keys: Iterable[str]) -> InvalidInput:
    """What is wrong with settings, as something that can be said beside each of those that were changed."""
    if not isinstance(error, InvalidSettings):
        return InvalidInput(f"The server would not start with this: {error}", hint=error.hint)
    told: dict[str, str] = {}
    others: list[str] = []
    asked = set(keys)
    for line in error.detail.splitlines():
        key, _, words = line.partition(": ")
        if key in asked and words:
            told[key] = f"{words[:1].upper()}{words[1:]}".rstrip(".") + "."
        else:
            others.append(line)
    return InvalidInput(" ".join(others), fields=told, hint=None if told else error.hint)


def _shown(field: Field, value: Any) -> str:
    text = json.dumps(hidden(field, value), ensure_ascii=False)
    return text if len(text) <= SHOWN_LENGTH else text[: SHOWN_LENGTH - 1] + "…"
