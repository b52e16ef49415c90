"""Changes `streamhost.toml` where it stands: comments, order and everything else in it stay as they are."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from streamhost.config.described import Field
from streamhost.config.loading import InvalidSettings, converted_value
from streamhost.late import late
from streamhost.model.errors import Conflict, InvalidInput, StreamhostError
from streamhost.swapping import synced

if TYPE_CHECKING:
    import tomlkit
else:
    tomlkit = late("tomlkit")

ABSENT = "none"
"""The version of a file that is not there."""
VERSION_LENGTH = 16
OWN_MODE = 0o600
"""Of a new file: secrets may stand in it."""
OTHERS = 0o007
FIRST_LINES = "# Settings of this site; `streamhost config show` tells all there are.\n"


class SettingsChanged(Conflict):
    """Somebody else has changed the settings meanwhile."""

    code = "settings_changed"
    hint = "Look at them anew, and make your change again if it still fits."


class SettingsNotWritable(StreamhostError):
    """The settings file cannot be written."""

    code = "settings_not_writable"
    hint = "Let the account that the server runs as write the file and its folder, or change it by hand."
    permanent = True


@dataclass(frozen=True, slots=True)
class Sheet:
    """The settings file as it was read. `version` changes with every word in it."""

    path: Path
    text: str
    version: str


def read_sheet(path: Path) -> Sheet:
    """The file; empty where there is none. Raises `InvalidSettings` for one that cannot be read."""
    try:
        content = path.read_bytes()
        return Sheet(path, content.decode("utf-8"), hashlib.sha256(content).hexdigest()[:VERSION_LENGTH])
    except FileNotFoundError:
        return Sheet(path, "", ABSENT)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{path}: {error}") from error


def value_from(field: Field, said: Any) -> Any:
    """What somebody said of a setting, as TOML has it. Raises `InvalidInput` in words that name the setting."""
    try:
        return msgspec.to_builtins(converted_value(field, said))
    except (ValueError, msgspec.ValidationError):
        raise InvalidInput(fields={field.key: f"It must be {field.allowed}."}) from None


def edited(sheet: Sheet, changes: Iterable[tuple[Field, Any]]) -> str:
    """The file's text with these settings changed; None takes one out of the file. Raises `InvalidSettings` for a file
    that is no TOML."""
    try:
        document = tomlkit.parse(sheet.text or FIRST_LINES)
    except tomlkit.exceptions.ParseError as error:
        raise InvalidSettings(f"{sheet.path}: {error}") from error
    for field, value in changes:
        table: Any = document
        for name in field.section.split("."):
            if name not in table:
                if value is None:
                    break
                if table is document and len(document.body) > 0:
                    document.add(tomlkit.nl())
                table.add(name, tomlkit.table())
            table = table[name]
        else:
            if value is not None:
                table[field.name] = value
            elif field.name in table:
                del table[field.name]
    return tomlkit.dumps(document)


def write_sheet(sheet: Sheet, text: str, *, secret: bool = False) -> Sheet:
    """Put `text` in the place of what was read, at once or not at all. `secret`: nobody but owner and group may read
    it from now on.

    Raises `SettingsChanged` where the file is not what was read any more, and `SettingsNotWritable`."""
    path = Path(os.path.realpath(sheet.path))
    try:
        with _alone(path.parent):
            if read_sheet(path).version != sheet.version:
                raise SettingsChanged
            _replace(path, text.encode(), secret=secret)
    except OSError as error:
        raise SettingsNotWritable(f"{path}: {error.strerror or error}") from error
    return read_sheet(sheet.path)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While this lasts no other writer of ours is at it: in this process or another, such as a command."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(path: Path, content: bytes, *, secret: bool) -> None:
    try:
        before = path.stat()
        mode = before.st_mode & 0o777
    except FileNotFoundError:
        before, mode = path.parent.stat(), OWN_MODE
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWN_MODE), "wb") as file:
            os.fchmod(file.fileno(), mode & ~OTHERS if secret else mode)
            # Somebody else's, where root changes it at the command line: the server must be able to read it.
            if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
                with contextlib.suppress(PermissionError):
                    os.fchown(file.fileno(), before.st_uid, before.st_gid)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    synced(path.parent)
