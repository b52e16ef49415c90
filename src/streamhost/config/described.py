"""The settings as data: for loading, for messages about mistakes, and for the reference page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from streamhost.config.section import Section
from streamhost.config.settings import Settings

PREFIX = "STREAMHOST_"
REDACTED = "[redacted]"
TRACE = f"{PREFIX}TRACE_PLUGINS"
OTHER_VARIABLES = {
    f"{PREFIX}DATA": "Directory of the catalog, secrets, uploads and media, where --data is not given.",
    f"{PREFIX}CONFIG": "Path of the settings file, where it is not `streamhost.toml` in the data directory.",
    f"{PREFIX}URL": "Address of the server that client commands such as `videos upload` speak to.",
    f"{PREFIX}TOKEN": "Access token that client commands sign in with.",
    TRACE: "Set to 1 to print every call of a plugin's hook.",
}
"""Variables that are no settings of the server, and what they are for."""


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
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        """Its environment variable, such as `STREAMHOST_SERVER_PORT`."""
        return re.sub(r"[.-]", "_", f"{PREFIX}{self.section}_{self.name}").upper()

    @property
    def allowed(self) -> str:
        """What it may be, in words, such as `a whole number from 0 to 65535`."""
        return _allowed(self.type)

    @property
    def required(self) -> bool:
        """Whether it has no default. Only plugins have such settings."""
        return self.default is msgspec.NODEFAULT

    @property
    def secret(self) -> bool:
        """Whether its value must never be shown: declared by `Meta(extra={"secret": True})`."""
        return any((meta.extra or {}).get("secret") for meta in _metas(self.type))

    @property
    def live(self) -> bool:
        """Whether a change counts at once, and not from the next start: `Meta(extra={"live": True})`."""
        return any((meta.extra or {}).get("live") for meta in _metas(self.type))

    @property
    def machine(self) -> bool:
        """Whether it decides about the machine itself (what is listened on, which folders are read), so that only
        somebody at the machine may change it and no page: `Meta(extra={"machine": True})`."""
        return any((meta.extra or {}).get("machine") for meta in _metas(self.type))

    @property
    def base(self) -> Any:
        """Its type without the limits, such as `int`, `Literal[...]` or `tuple[str, ...]`."""
        return get_args(self.type)[0] if get_origin(self.type) is Annotated else self.type

    @property
    def bounds(self) -> Meta:
        """Its limits; empty ones where it has none."""
        return next(iter(_metas(self.type)), Meta())

    @property
    def also(self) -> str:
        """A variable that other programs use for the same, empty if none: `Meta(extra={"also": "…"})`."""
        return next((meta.extra["also"] for meta in _metas(self.type) if meta.extra and "also" in meta.extra), "")


def hidden(field: Field, value: Any) -> Any:
    """A value as it may be shown."""
    return REDACTED if field.secret and value else value


def value_of(settings: Settings, field: Field) -> Any:
    """The value of a setting, as JSON knows it."""
    return msgspec.to_builtins(getattr(getattr(settings, field.section), field.name))


def fields() -> Iterator[Field]:
    """Every setting in order of declaration, except `data` (which cannot come from the file that lies in it)."""
    for section, kind in sections():
        yield from fields_of(section, kind)


def fields_of(section: str, kind: type[Section]) -> Iterator[Field]:
    """The settings of one table, such as `server` or `plugins.ntfy`."""
    hints = get_type_hints(kind, include_extras=True)
    for item in msgspec.structs.fields(kind):
        hint = hints[item.name]
        text = next((meta.description for meta in _metas(hint) if meta.description), "")
        default = item.default if item.default_factory is msgspec.NODEFAULT else item.default_factory()
        yield Field(section, item.name, hint, default, text)


def sections() -> Iterator[tuple[str, type[Section]]]:
    """The tables of `streamhost.toml`, by name, without those of plugins."""
    for section in msgspec.structs.fields(Settings):
        if isinstance(section.default, Section):
            yield section.name, type(section.default)


def _metas(hint: Any) -> list[Meta]:
    return [part for part in get_args(hint)[1:] if isinstance(part, Meta)] if get_origin(hint) is Annotated else []


def _allowed(hint: Any) -> str:
    """A type and its limits in words; raises TypeError for a type that settings do not have so far."""
    base = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    metas = _metas(hint)
    if get_origin(base) is Literal:
        return "one of " + ", ".join(map(str, get_args(base)))
    if get_origin(base) is tuple:
        return f"a list, of which each is {_allowed(get_args(base)[0])}"
    if base is bool:
        return "true or false"
    if base is str:
        return " ".join(["a text", *filter(None, map(_text_limits, metas))])
    if base in (int, float):
        return " ".join(["a whole number" if base is int else "a number", *filter(None, map(_number_limits, metas))])
    raise TypeError(f"no words for {hint}")


def _number_limits(meta: Meta) -> str:
    if meta.ge is not None and meta.le is not None:
        return f"from {_figure(meta.ge)} to {_figure(meta.le)}"
    named = (("of at least", meta.ge), ("of at most", meta.le), ("above", meta.gt), ("below", meta.lt))
    return " and ".join(f"{word} {_figure(limit)}" for word, limit in named if limit is not None)


def _figure(number: float) -> str:
    """A number as `streamhost.toml` may spell it, large ones with their thousands apart."""
    return f"{number:_}" if number >= 100_000 else f"{number}"


def _text_limits(meta: Meta) -> str:
    limits = []
    if meta.pattern is not None and meta.examples:
        limits.append(f"such as {meta.examples[0]}")
    if meta.max_length is not None:
        limits.append(f"of {meta.min_length or 0} to {meta.max_length} characters")
    return " ".join(limits)
