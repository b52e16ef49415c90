"""Settings: read once at the door, passed down, never looked up.

Order of precedence: `STREAMHOST_<SECTION>_<FIELD>` in the environment, the same with `_FILE` (a path whose content is the value),
`streamhost.toml`, the default. Every field carries its help text; `docs/reference/settings.md` is generated from it.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec
import platformdirs
from msgspec import Meta, Struct

from streamhost.model.errors import StreamhostError

PREFIX = "STREAMHOST_"
FILE_NAME = "streamhost.toml"
MIB = 1024**2
GIB = 1024**3


class InvalidSettings(StreamhostError):
    """A setting is wrong, so nothing was started."""

    code = "invalid_settings"
    hint = "Correct the settings named above; `streamhost config check` looks at them without starting anything."
    permanent = True


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """One table of `streamhost.toml`."""


class ServerSettings(Section, frozen=True):
    """Where the server listens and how it is reached."""

    host: Annotated[str, Meta(description="Address to listen on; 0.0.0.0 for every network interface.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on; 0 takes a free one and prints it.")] = (
        8000
    )
    public_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^/\s]+)?$",
            description="Address that people type, such as https://video.example.org; empty: the address it listens on.",
        ),
    ] = ""
    site_name: Annotated[
        str, Meta(min_length=1, max_length=60, description="Name of this site, shown on every page.")
    ] = "streamhost"
    offload: Annotated[
        Literal["none", "x-accel-redirect", "x-sendfile"],
        Meta(
            description="Hand the bytes of segments to a proxy in front: nginx knows x-accel-redirect (internal location "
            "/_streamhost/), Apache and Lighttpd x-sendfile."
        ),
    ] = "none"
    shutdown_seconds: Annotated[
        float, Meta(gt=0, description="How long running requests may take to finish when the server stops.")
    ] = 10.0


class AccountSettings(Section, frozen=True):
    """Who may have an account, and how long a sign-in lasts."""

    registration: Annotated[
        Literal["closed", "open"], Meta(description="Whether strangers may register; closed: admins add users.")
    ] = "closed"
    access_token_minutes: Annotated[float, Meta(gt=0, description="Life of an API access token, in minutes.")] = 15.0
    session_days: Annotated[float, Meta(gt=0, description="Days without use after which a session ends.")] = 30.0
    argon2_memory_kib: Annotated[int, Meta(ge=8192, description="Memory of one password hash (argon2id), in KiB.")] = (
        65536
    )
    argon2_rounds: Annotated[int, Meta(ge=1, description="Passes of one password hash (argon2id).")] = 3
    argon2_lanes: Annotated[int, Meta(ge=1, description="Lanes of one password hash (argon2id).")] = 1
    password_min_length: Annotated[int, Meta(ge=8, description="Shortest password that is accepted.")] = 10


class UploadSettings(Section, frozen=True):
    """What may come in."""

    max_size: Annotated[int, Meta(ge=1, description="Largest file, in bytes.")] = 200 * GIB
    keep_free: Annotated[
        int, Meta(ge=0, description="Bytes of disk that stay free; an upload that would use them is refused with 507.")
    ] = 2 * GIB
    expire_hours: Annotated[
        float, Meta(gt=0, description="Hours without a new byte after which an unfinished upload is dropped.")
    ] = 72.0


class MediaSettings(Section, frozen=True):
    """How videos are made."""

    heights: Annotated[
        tuple[Annotated[int, Meta(ge=64, le=4320)], ...],
        Meta(
            min_length=1, description="Rungs of the ladder by the picture's shorter side, never larger than the source."
        ),
    ] = (1080, 720, 480, 240)
    crf: Annotated[
        int, Meta(ge=0, le=51, description="Quality of x264 (constant rate factor): lower is better and larger.")
    ] = 23
    preset: Annotated[
        Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"],
        Meta(description="Speed of x264: slower makes smaller files."),
    ] = "veryfast"
    segment_seconds: Annotated[float, Meta(ge=1, le=10, description="Length of a segment, in seconds.")] = 4.0
    chunk_seconds: Annotated[
        float, Meta(ge=8, description="Length of the stretches that are encoded as one job, in seconds.")
    ] = 60.0
    audio_bitrate: Annotated[int, Meta(ge=32_000, le=512_000, description="Bits per second of stereo AAC.")] = 128_000
    copy_max_bitrate: Annotated[
        int,
        Meta(ge=100_000, description="A source with more bits per second than this is re-encoded instead of copied."),
    ] = 20_000_000
    keep_source: Annotated[bool, Meta(description="Keep the uploaded file after processing.")] = True


class JobSettings(Section, frozen=True):
    """Background work."""

    media_workers: Annotated[
        int, Meta(ge=0, description="Media jobs at the same time; 0: one for each processor core.")
    ] = 0
    light_workers: Annotated[int, Meta(ge=1, description="Light jobs (mail, clean-up) at the same time.")] = 4
    child_memory: Annotated[int, Meta(ge=256 * MIB, description="Address space of one media process, in bytes.")] = (
        4 * GIB
    )
    child_cpu_seconds: Annotated[int, Meta(ge=10, description="Processor seconds that one media process may use.")] = (
        4 * 3600
    )
    child_file_size: Annotated[int, Meta(ge=1, description="Largest file one media process may write, in bytes.")] = (
        64 * GIB
    )
    child_silence_seconds: Annotated[
        float, Meta(gt=0, description="A media process without progress for this many seconds is ended.")
    ] = 120.0
    child_nice: Annotated[
        int, Meta(ge=0, le=19, description="How far media processes step back for the server (nice value).")
    ] = 10


class PlaybackSettings(Section, frozen=True):
    """How videos are played."""

    grant_minutes: Annotated[
        float, Meta(gt=0, description="Life of a permission to play, in minutes; players renew it.")
    ] = 240.0


class LogSettings(Section, frozen=True):
    """What the server says about itself."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Least important message shown.")
    ] = "info"
    format: Annotated[
        Literal["auto", "console", "json"],
        Meta(description="console for people, json for machines; auto: by terminal."),
    ] = "auto"


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set, and where the data lies."""

    data: Annotated[Path, Meta(description="Directory of the catalog, secrets, uploads and media.")]
    server: ServerSettings = ServerSettings()
    accounts: AccountSettings = AccountSettings()
    uploads: UploadSettings = UploadSettings()
    media: MediaSettings = MediaSettings()
    jobs: JobSettings = JobSettings()
    playback: PlaybackSettings = PlaybackSettings()
    log: LogSettings = LogSettings()


@dataclass(frozen=True, slots=True)
class Field:
    """One setting, described."""

    section: str
    name: str
    type: Any
    default: Any
    help: str

    @property
    def key(self) -> str:
        """Its name in `streamhost.toml`, such as `server.port`."""
        return f"{self.section}.{self.name}" if self.section else self.name

    @property
    def variable(self) -> str:
        """Its environment variable, such as `STREAMHOST_SERVER_PORT`."""
        return PREFIX + "_".join(filter(None, (self.section, self.name))).upper()


def fields() -> Iterator[Field]:
    """Every setting in order of declaration, except `data` (which cannot come from the file that lies in it)."""
    for section in msgspec.structs.fields(Settings):
        if section.name == "data":
            continue
        kind = type(section.default)
        hints = get_type_hints(kind, include_extras=True)
        for item in msgspec.structs.fields(kind):
            meta = [a for a in get_args(hints[item.name])[1:] if isinstance(a, Meta)]
            yield Field(
                section.name, item.name, hints[item.name], item.default, (meta[0].description or "") if meta else ""
            )


def default_data_directory() -> Path:
    """The platform's usual place for a program's data."""
    return Path(platformdirs.user_data_dir("streamhost", appauthor=False))


def load(data: Path | None = None, environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read the settings of one instance.

    `data` (from the command line) beats `STREAMHOST_DATA` beats the platform's default. `overrides` are dotted names with `__` for the
    dot, such as `server__port=0`; None means not given. Raises `InvalidSettings` that names every wrong setting.
    """
    env = os.environ if environment is None else environment
    directory = (data or Path(env.get(PREFIX + "DATA") or default_data_directory())).expanduser().absolute()
    merged: dict[str, Any] = _from_file(Path(env.get(PREFIX + "CONFIG") or directory / FILE_NAME))
    known = {f.variable: f for f in fields()}
    problems: list[str] = []
    for variable, text in sorted(env.items()):
        if not variable.startswith(PREFIX) or variable in (PREFIX + "DATA", PREFIX + "CONFIG"):
            continue
        name, from_file = (
            (variable[:-5], True) if variable.endswith("_FILE") and variable not in known else (variable, False)
        )
        if name not in known:
            problems.append(f"{variable}: no such setting")
            continue
        item = known[name]
        try:
            value = Path(text).read_text("utf-8").strip() if from_file else text
        except OSError as error:
            problems.append(f"{variable}: cannot read {text}: {error.strerror}")
            continue
        merged.setdefault(item.section, {})[item.name] = _plain(item, value)
    for dotted, value in overrides.items():
        if value is not None:
            section, name = dotted.split("__")
            merged.setdefault(section, {})[name] = value
    settings: dict[str, Any] = {}
    for section in msgspec.structs.fields(Settings):
        if section.name == "data":
            continue
        table = merged.pop(section.name, {})
        settings[section.name] = _section(type(section.default), section.name, table, problems)
    problems += [f"{name}: no such section" for name in merged]
    if problems:
        raise InvalidSettings("\n".join(problems))
    return Settings(data=directory, **settings)


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidSettings(f"{path}: {error}") from error


def _plain(item: Field, text: str) -> Any:
    """A variable's text as TOML would have given it: numbers and booleans are converted, lists are JSON or comma-separated."""
    if isinstance(item.default, tuple):
        try:
            return json.loads(text) if text.startswith("[") else [int(part) for part in text.split(",")]
        except ValueError:
            return text
    return text


def _section(kind: type[Section], name: str, table: Any, problems: list[str]) -> Section:
    """One section, checked field by field so that every mistake is named at once."""
    if not isinstance(table, dict):
        problems.append(f"{name}: expected a table of settings")
        return kind()
    hints = get_type_hints(kind, include_extras=True)
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in hints:
            problems.append(f"{name}.{key}: no such setting; known here: {', '.join(hints)}")
            continue
        try:
            values[key] = msgspec.convert(value, hints[key], strict=not isinstance(value, str))
        except msgspec.ValidationError as error:
            problems.append(f"{name}.{key} = {value!r}: {error}")
    return kind(**values)
