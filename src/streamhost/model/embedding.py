"""Videos on the pages of other web sites: who may show one there, and what others may learn of it."""

from __future__ import annotations

from collections.abc import Sequence

from streamhost.model.details import ANY_ORIGIN
from streamhost.model.videos import Video, Visibility

OPEN = (Visibility.PUBLIC, Visibility.UNLISTED)
"""What whoever has the address may watch, and so may be told about."""


def framers(video: Video, site: Sequence[str]) -> tuple[str, ...]:
    """The web sites whose pages may show `video` in a frame, as browsers write them in `Origin`; `*` for all.

    A private video is shown nowhere else. For the others counts what their owner says, else what the `site` says."""
    if video.visibility is Visibility.PRIVATE:
        return ()
    return tuple(video.embed_origins or site)


def embeds_anywhere(video: Video, site: Sequence[str]) -> bool:
    """Whether any page may show `video`: only then is it offered to services that put players into other pages."""
    return video.visibility in OPEN and ANY_ORIGIN in framers(video, site)
