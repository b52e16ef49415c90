"""Says hello: at `/-/hello/`, and in the log whenever a video is ready."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from litestar import get
from msgspec import Meta

from streamhost.hookspecs import PluginHost, Section, hookimpl
from streamhost.model.events import Event, VideoProcessed
from streamhost.server.auth import public


class HelloSettings(Section, frozen=True):
    """Whom to greet: `[plugins.hello]` in the settings file, or `STREAMHOST_PLUGINS_HELLO_NAME`."""

    name: Annotated[str, Meta(min_length=1, max_length=60, description="Who is greeted.")] = "world"


@hookimpl
def register_settings() -> type[Section]:
    """The section above."""
    return HelloSettings


@hookimpl
def register_routes(host: PluginHost[HelloSettings]) -> Sequence[Any]:
    """One route, for everybody."""

    @get("/", guards=[public])
    async def hello() -> dict[str, str]:
        """Say hello."""
        return {"hello": host.settings.name}

    return [hello]


@hookimpl
def on_event(event: Event, host: PluginHost[HelloSettings]) -> None:
    """Greet every video that is ready."""
    if isinstance(event, VideoProcessed):
        host.log.info("Hello, new video", action="hello", video=event.video_id, title=event.title)
