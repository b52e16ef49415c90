"""Settings of how plugins are treated, and what is said of their own settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct

from streamhost.config.section import Section


class PluginSettings(Section, frozen=True):
    """Plugins that are installed. Each has a table of its own, `[plugins.<name>]`, which `streamhost plugins info`
    explains."""

    disabled: Annotated[
        tuple[str, ...], Meta(description="Names of installed plugins that are left alone, as if they were not there.")
    ] = ()
    before_seconds: Annotated[
        float,
        Meta(gt=0, le=60, description="How long a plugin may think about whether something may be done, in seconds."),
    ] = 5.0
    lenient: Annotated[
        tuple[str, ...],
        Meta(
            description="Names of plugins without whose word things are done where they fail or take too long. Without "
            "the word of any other nothing is uploaded, published, registered or played."
        ),
    ] = ()
    workers: Annotated[
        int, Meta(ge=1, le=64, description="Jobs of plugins at the same time, beside those of the server.")
    ] = 4


class ForPlugins(Struct, frozen=True):
    """What is said of the settings of plugins, as it stands there: which are right is known once they are found."""

    tables: Mapping[str, Mapping[str, Any]] = {}
    """By name of the plugin, its table of `streamhost.toml`."""
    variables: Mapping[str, str] = {}
    """Variables that begin as those of plugins do."""
    origin: str = ""
    """Path of the settings file."""
    trace: bool = False
    """Whether every call of a hook is to be printed."""
