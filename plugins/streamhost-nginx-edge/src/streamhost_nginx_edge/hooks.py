"""The hooks of the plugin: its settings, and the edge as a CDN of streamhost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

from streamhost.hookspecs import PluginHost, Section, hookimpl
from streamhost.model.cdn import Way
from streamhost.ports import Cdn
from streamhost_nginx_edge.cdn import NginxEdgeCdn


class EdgeSettings(Section, frozen=True):
    """An edge of your own: nginx with the configuration that `edge.py config` writes."""

    base_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^/\s?#]+)?$",
            examples=["https://cdn.example.org"],
            description="Address of the edge; empty: there is none.",
        ),
    ] = ""
    secret: Annotated[
        str,
        Meta(
            pattern=r"^([A-Za-z0-9_-]{20,200})?$",
            examples=["twenty-signs-or-more"],
            description="What signs links at the edge and requests to drop copies; the same as there.",
            extra={"secret": True},
        ),
    ] = ""
    way: Annotated[
        Literal["grant", "redirect"],
        Meta(
            description="grant: players go to the edge with their permission, which the edge asks about; redirect: "
            "they ask the site for each segment and are sent on by a signed link."
        ),
    ] = "grant"

    def __post_init__(self) -> None:
        if bool(self.base_url) != bool(self.secret):
            raise ValueError("base_url and secret go together")


@hookimpl
def register_settings() -> type[EdgeSettings]:
    """What can be set in `[plugins.nginx-edge]`."""
    return EdgeSettings


@hookimpl
def register_cdns(host: PluginHost[EdgeSettings]) -> Mapping[str, Cdn]:
    """The edge as `nginx-edge`, once it has an address and a secret."""
    settings = host.settings
    if not settings.base_url:
        return {}
    return {"nginx-edge": NginxEdgeCdn(settings.base_url, settings.secret, Way(settings.way))}
