"""The hooks of the plugin: its settings, and the channel `ntfy`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from streamhost.hookspecs import PluginHost, Section, hookimpl
from streamhost.ports import Notifier
from streamhost_ntfy.notifier import NtfyNotifier, NtfyServer


class NtfySettings(Section, frozen=True):
    """Push messages by ntfy."""

    server: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^/\s?#]+/?$",
            examples=["https://ntfy.sh"],
            description="Address of the ntfy server.",
        ),
    ] = "https://ntfy.sh"
    token: Annotated[str, Meta(description="Access token for the server; empty: without.", extra={"secret": True})] = ""
    username: Annotated[str, Meta(description="Name to publish as, where there is no token; empty: without.")] = ""
    password: Annotated[str, Meta(description="Password of that name.", extra={"secret": True})] = ""
    timeout_seconds: Annotated[
        float, Meta(gt=0, le=50, description="How long the server may take for one message, in seconds.")
    ] = 15.0


@hookimpl
def register_settings() -> type[NtfySettings]:
    """What can be set in `[plugins.ntfy]`."""
    return NtfySettings


@hookimpl
def register_notifiers(host: PluginHost[NtfySettings]) -> Mapping[str, Notifier]:
    """The channel `ntfy`."""
    settings = host.settings
    server = NtfyServer(
        settings.server.rstrip("/") + "/",
        settings.token,
        settings.username,
        settings.password,
        settings.timeout_seconds,
    )
    return {"ntfy": NtfyNotifier(server)}
