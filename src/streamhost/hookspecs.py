"""Every hook: what a plugin may implement. The docstring of a hook is its contract.

A plugin is a Python package with an entry point in the group `streamhost`, which names a module or an object whose
functions are marked by `hookimpl` and named as the hooks below:

    from streamhost.hookspecs import PluginHost, hookimpl


    @hookimpl
    async def on_event(event, host):
        host.log.info("Something happened", action=event.kind)

It may leave out arguments that it does not need. Functions that wait for the network are `async`, or plain and
then called in a thread of their own: neither may hold up the server. What a plugin gets wrong stops the start, with its
name: a hook that is not here, an argument that the hook does not have, something registered that lacks a method.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pluggy

from streamhost.config import Section
from streamhost.model.accounts import Viewer
from streamhost.model.errors import StreamhostError
from streamhost.model.events import Event
from streamhost.model.ids import UserId
from streamhost.model.mail import Message
from streamhost.model.streaming import MediaInfo, Rung
from streamhost.model.videos import Video
from streamhost.ports import Cdn, Classifier, KeySource, LicenceProxy, Notifier, PluginHost, Storage
from streamhost.ports_recommending import Recommender, WatchGraph

GROUP = "streamhost"
"""The group of entry points, and the project's name for pluggy."""

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)

__all__ = ["GROUP", "Offer", "PluginHost", "Refused", "Section", "Work", "hookimpl", "hookspec"]


class Refused(StreamhostError):
    """A plugin of this site refuses this."""

    code = "refused_by_plugin"
    permanent = True


@dataclass(frozen=True, slots=True)
class Offer:
    """A file that somebody wants to bring. `size` in bytes, None while it is not known; `details` as they were sent:
    `title`, `description`, `visibility`, `protection`."""

    owner_id: UserId
    filename: str
    size: int | None
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Work:
    """How work is done that a plugin puts into the queue.

    `do` gets the payload and the plugin's host; it must be safe to run again after dying anywhere. What it raises has
    it tried again later, `attempts` times in all. With `every`, it is also done every so many seconds by itself."""

    do: Callable[[Mapping[str, Any], PluginHost[Any]], Awaitable[None] | None]
    attempts: int = 5
    every: float | None = None


# Registered once, at the start. What fails here stops the start, with the plugin's name.


@hookspec
def register_settings() -> type[Section]:
    """What can be set for the plugin: a `Section` whose fields have help texts, limits and defaults.

    It becomes the table `[plugins.<name>]`, and variables, as `streamhost plugins info` lists them; `config check`
    looks at them. Mark secrets by `Meta(extra={"secret": True})`."""


@hookspec
def register_storages(host: PluginHost[Any]) -> Mapping[str, Storage]:
    """Places for media, by the name that chooses them in the setting `storage.backend`."""


@hookspec
def register_cdns(host: PluginHost[Any]) -> Mapping[str, Cdn]:
    """Networks that deliver segments, by the name that chooses them in the setting `cdn.kind`."""


@hookspec
def register_notifiers(host: PluginHost[Any]) -> Mapping[str, Notifier]:
    """Ways to tell people, by the name of the channel.

    One that `asks` for an address reaches whoever has named theirs among their preferences; one that asks for nothing,
    such as a chat room, is told of the events in the setting `notifications.site_kinds`."""


@hookspec
def register_classifiers(host: PluginHost[Any]) -> Mapping[str, Classifier]:
    """Models that look at pictures and words, by name."""


@hookspec
def register_recommenders(host: PluginHost[Any]) -> Mapping[str, Recommender]:
    """What proposes videos, by the names that the setting `recommendations.sources` chooses from.

    Each is asked beside the others and has as long as `recommendations.patience` says; one that fails, is slow or
    proposes nonsense is left out of that list."""


@hookspec
def register_watch_graphs(host: PluginHost[Any]) -> Mapping[str, WatchGraph]:
    """Stores for who watches the same, by the name that chooses one in the setting `recommendations.graph`."""


@hookspec
def register_key_sources(
    host: PluginHost[Any],
) -> Mapping[str, KeySource]:
    """Where content keys come from, by the name that chooses them in the setting `protection.key_source`."""


@hookspec
def register_licence_proxies(
    host: PluginHost[Any],
) -> Mapping[str, LicenceProxy]:
    """Who answers licence requests, by the last part of the address: lower-case letters, digits and hyphens."""


@hookspec
def register_routes(host: PluginHost[Any]) -> Sequence[Any]:
    """Litestar's route handlers, found below `/-/<plugin>/`. Each declares who may use it, by one of the guards of
    `streamhost.server.auth`; without that the server does not start."""


@hookspec
def register_commands() -> Sequence[Any]:
    """click's commands, called as `streamhost <plugin> <command>`. `streamhost.cli.plugins.PluginContext` is their
    context's `obj`: the plugin's settings, and a way to run something with its host."""


@hookspec
def register_jobs(host: PluginHost[Any]) -> Mapping[str, Work]:
    """What the plugin does in the background, by the name that `host.enqueue` is given."""


# Asked before something is done. `Refused("why")` refuses it; the words are shown to whoever asked.


@hookspec
def before_upload(offer: Offer, host: PluginHost[Any]) -> None:
    """Somebody wants to bring a file; nothing of it has been taken yet."""


@hookspec
def before_publish(video: Video, host: PluginHost[Any]) -> None:
    """A video is about to become something that others can watch."""


@hookspec
def before_register(email: str, name: str, host: PluginHost[Any]) -> None:
    """Somebody wants an account. Called before it is known whether the address has one; say nothing about that."""


@hookspec
def before_playback(video: Video, viewer: Viewer, host: PluginHost[Any]) -> None:
    """Somebody who may watch a video is about to get a permission to play, or to renew it."""


# Told after something was done.


@hookspec
def on_event(event: Event, host: PluginHost[Any]) -> None:
    """Something has happened; see the reference of events.

    Called from a job after the change is on disk, at least once, one event at a time. What it raises has it called
    again later, with growing waits for about half a day."""


# Asked for another value: what is returned takes the place of what was given; None leaves it.


@hookspec
def shape_ladder(rungs: tuple[Rung, ...], info: MediaInfo, host: PluginHost[Any]) -> tuple[Rung, ...] | None:
    """The renditions that a source becomes, best first. At least one; none larger than the source."""


@hookspec
def shape_mail(message: Message, host: PluginHost[Any]) -> Message | None:
    """A mail that is about to be sent. Its recipient and id cannot be changed."""
