"""Where videos are managed: at a running server over HTTP, or in a data directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

import click

from streamhost.cli.beside import Beside, all_of, known_video
from streamhost.cli.fetching import Fetched, fetch
from streamhost.cli.remote import Document, Remote, as_document
from streamhost.cli.where import Where
from streamhost.features.transcoding import Coming
from streamhost.host import Host
from streamhost.model.accounts import Viewer
from streamhost.model.audit import COMMAND_LINE, Act
from streamhost.model.errors import Conflict
from streamhost.model.ids import UserId, VideoId
from streamhost.model.videos import Video, VideoState
from streamhost.server.videos import video_document

Told = Callable[[int, int], None]
"""Hears how many bytes are here, and of how many."""
PAGE = 100


class NotMadeYet(Conflict):
    """That file has to be made first, and only a server does that."""

    code = "not_made_yet"
    hint = "Start the server and name it by --url; or take the uploaded file with --source."


class VideoDesk(Protocol):
    """Shows, changes and fetches videos. Answers are documents as the API has them."""

    def listed(self, state: str | None, owner: str | None, limit: int) -> list[Document]:
        """Videos, newest first."""
        ...

    def show(self, video_id: str) -> Document:
        """One video."""
        ...

    def edit(self, video_id: str, changes: Mapping[str, Any]) -> Document:
        """Change what is named."""
        ...

    def delete(self, video_id: str) -> None:
        """Remove a video."""
        ...

    def trash(self, video_id: str) -> None:
        """Move a video to the trash."""
        ...

    def restore(self, video_id: str) -> Document:
        """Bring a video back from the trash."""
        ...

    def trashed(self, everybody: bool) -> list[Document]:
        """What lies in the trash, the latest first."""
        ...

    def download(self, video_id: str, target: Path | None, rendition: str | None, source: bool, told: Told) -> Fetched:
        """Bring a file here: the uploaded one, or a rendition as one MP4. `target` None: by its own name."""
        ...


class ServerVideos:
    """At a running server, by somebody's token: everything that is theirs; an administrator's is good for all that
    others have, by its id."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def listed(self, state: str | None, owner: str | None, limit: int) -> list[Document]:
        """One's own videos in every state."""
        if owner is not None:
            raise click.UsageError("--owner is for a data directory; a server lists the videos of whose the token is.")
        found = self._remote.items("/api/v1/videos", {"owner": "me", "limit": PAGE})
        return list(islice((item for item in found if state in (None, item["state"])), limit))

    def show(self, video_id: str) -> Document:
        """One video."""
        return self._remote.document("GET", f"/api/v1/videos/{video_id}")

    def edit(self, video_id: str, changes: Mapping[str, Any]) -> Document:
        """Change it."""
        return self._remote.document("PATCH", f"/api/v1/videos/{video_id}", changes)

    def delete(self, video_id: str) -> None:
        """Remove it."""
        self._remote.document("DELETE", f"/api/v1/videos/{video_id}")

    def trash(self, video_id: str) -> None:
        """Move it to the trash."""
        self._remote.document("DELETE", f"/api/v1/videos/{video_id}?permanently=false")

    def restore(self, video_id: str) -> Document:
        """Bring it back."""
        return self._remote.document("POST", f"/api/v1/videos/{video_id}/restore")

    def trashed(self, everybody: bool) -> list[Document]:
        """One's own trash, or everybody's."""
        whose = "/api/v1/admin/trash" if everybody else "/api/v1/me/trash"
        return list(self._remote.items(whose, {"limit": PAGE}))

    def download(self, video_id: str, target: Path | None, rendition: str | None, source: bool, told: Told) -> Fetched:
        """Bring a file here; one that has to be made is waited for."""
        query = f"?{urlencode({'rendition': rendition})}" if rendition and not source else ""
        return fetch(
            self._remote, f"/api/v1/videos/{video_id}/{'source' if source else 'download'}{query}", target, told
        )


class FolderVideos:
    """In a data directory: everybody's videos. Changes only while no server runs there: one that does gives out
    permissions to play, and would not hear that they have ended."""

    def __init__(self, data: Path | None) -> None:
        self._beside = Beside(data)

    def listed(self, state: str | None, owner: str | None, limit: int) -> list[Document]:
        """Everybody's, or one owner's."""

        async def look(host: Host) -> list[Document]:
            people = host.accounts.people
            whose = (await people.by_email(owner)).id if owner else None
            wanted = VideoState(state) if state else None
            found = await all_of(lambda at: host.catalog.everything(whose, wanted, at, min(limit, PAGE)), limit)
            owners = await _owners(host)
            return [_document(host, video, owners[video.owner_id]) for video in found]

        return self._beside.do(look)

    def show(self, video_id: str) -> Document:
        """One video."""

        async def look(host: Host) -> Document:
            video = await known_video(host, video_id)
            return _document(host, video, await _owner(host, video))

        return self._beside.do(look)

    def edit(self, video_id: str, changes: Mapping[str, Any]) -> Document:
        """Change it, as its owner would."""

        async def edit(host: Host) -> Document:
            video = await known_video(host, video_id)
            owner = await _owner(host, video)
            edited = await host.catalog.edit(video.id, owner, changes)
            await host.audit.note(Act.VIDEO_EDITED, COMMAND_LINE, video=video.id, fields=" ".join(changes))
            return _document(host, edited, owner)

        return self._beside.do(edit, alone=True)

    def delete(self, video_id: str) -> None:
        """Remove it; its files follow when a server runs."""

        async def delete(host: Host) -> None:
            video = await known_video(host, video_id)
            await host.trash.delete(video.id, await _owner(host, video))
            await host.audit.note(Act.VIDEO_DELETED, COMMAND_LINE, video=video.id)

        self._beside.do(delete, alone=True)

    def trash(self, video_id: str) -> None:
        """Move it to its owner's trash."""

        async def put(host: Host) -> None:
            video = await known_video(host, video_id)
            await host.trash.put(video.id, await _owner(host, video))
            await host.audit.note(Act.VIDEO_TRASHED, COMMAND_LINE, video=video.id)

        self._beside.do(put, alone=True)

    def restore(self, video_id: str) -> Document:
        """Bring it back, whoever has put it there."""

        async def restore(host: Host) -> Document:
            video = await host.trash.restore(VideoId(video_id), None)
            await host.audit.note(Act.VIDEO_RESTORED, COMMAND_LINE, video=video.id)
            return _document(host, video, await _owner(host, video))

        return self._beside.do(restore, alone=True)

    def trashed(self, everybody: bool) -> list[Document]:
        """Everybody's, asked for or not."""

        async def look(host: Host) -> list[Document]:
            found = await all_of(lambda at: host.trash.listed(None, at, PAGE))
            owners = await _owners(host)
            return [_document(host, video, owners[video.owner_id]) for video in found]

        return self._beside.do(look)

    def download(self, video_id: str, target: Path | None, rendition: str | None, source: bool, told: Told) -> Fetched:
        """Copy a file out of the storage. Raises `NotMadeYet`."""

        async def copy(host: Host) -> Fetched:
            video = await known_video(host, video_id)
            viewer = await _owner(host, video)
            if source:
                whole = await host.downloads.source(video, viewer)
            else:
                found = await host.downloads.rendition(video, viewer, rendition)
                if isinstance(found, Coming):
                    raise NotMadeYet
                whole = found
            fetched = Fetched.begin(target or Path(Path(whole.name).name))
            with fetched.writing() as file:
                async for piece in host.downloads.read(whole, 0, whole.stored.size):
                    file.write(piece)
                    told(file.tell(), whole.stored.size)
            return fetched

        return self._beside.do(copy)


def desk_of(where: Where) -> VideoDesk:
    """The desk that the options of a command mean."""
    return where.desk(ServerVideos, FolderVideos)


async def _owner(host: Host, video: Video) -> Viewer:
    return Viewer(await host.accounts.people.get(video.owner_id))


async def _owners(host: Host) -> dict[UserId, Viewer]:
    return {user.id: Viewer(user) for user in await host.accounts.people.all()}


def _document(host: Host, video: Video, owner: Viewer) -> Document:
    # An address on a server, and there may be none.
    return as_document(video_document(video, owner, host.playback)) | {"poster": None}
