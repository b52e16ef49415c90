"""The `before_*` hooks: plugins that may refuse.

A gate that is broken is not open: where a plugin fails or takes too long, what it guards is refused for now, unless the
setting `plugins.lenient` names it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from streamhost.hookspecs import Offer, Refused
from streamhost.model.accounts import Viewer
from streamhost.model.errors import StreamhostError
from streamhost.model.videos import Video
from streamhost.model.words import one_line
from streamhost.plugins.asking import Asking
from streamhost.plugins.calling import PluginFailed

REASON = 500
"""Characters of a plugin's reason that people are shown."""


class Gates:
    """Asks every plugin before something is done; the first refusal counts."""

    def __init__(self, asking: Asking, patience: float, lenient: Collection[str]) -> None:
        self._asking = asking
        self._patience = patience
        self._lenient = frozenset(lenient)

    async def upload(self, offer: Offer) -> None:
        """May this file be brought? Raises `Refused`, `PluginFailed`."""
        await self._pass("before_upload", offer=offer)

    async def publish(self, video: Video) -> None:
        """May others watch this video? Raises `Refused`, `PluginFailed`."""
        await self._pass("before_publish", video=_bare(video))

    async def register(self, email: str, name: str) -> None:
        """May somebody have an account? Raises `Refused`, `PluginFailed`."""
        await self._pass("before_register", email=email, name=name)

    async def playback(self, video: Video, viewer: Viewer) -> None:
        """May somebody play a video that they may see? Raises `Refused`, `PluginFailed`."""
        await self._pass("before_playback", video=_bare(video), viewer=_known(viewer))

    async def _pass(self, hook: str, **given: Any) -> None:
        for impl in self._asking.who(hook):
            try:
                answer = await self._asking.ask(hook, impl, self._patience, **given)
            except Refused as refused:
                raise Refused(reason_of(refused), hint=None) from None
            except StreamhostError as error:
                self._asking.note(hook, impl.plugin_name, error)
                if impl.plugin_name not in self._lenient:
                    # Whose fault it is stands in the log; it is nobody else's business.
                    raise PluginFailed from None
            else:
                if answer is not None:
                    self._asking.note(hook, impl.plugin_name, "It returned something; to refuse, raise Refused.")


def reason_of(refused: Refused) -> str:
    """Why a plugin refuses, as one line of bounded length without odd characters."""
    return one_line(refused.detail)[:REASON]


def _known(viewer: Viewer) -> Viewer:
    """Somebody without what they prove who they are by."""
    return replace(viewer, user=viewer.user and replace(viewer.user, password_hash=""), passes=())


def _bare(video: Video) -> Video:
    """A video without what no plugin needs to know."""
    return replace(video, password_hash=None)
