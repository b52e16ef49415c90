"""Where videos are managed: at a running server over HTTP, or in a data directory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

import click
import msgspec

from streamhost.cli.desks import settings_beside
from streamhost.cli.fetching import Fetched, fetch
from streamhost.cli.remote import Remote
from streamhost.features.transcoding import Coming
from streamhost.host import Host, assemble
from streamhost.instance import open_instance
from streamhost.model.accounts import Viewer
from streamhost.model.audit import COMMAND_LINE, Act
from streamhost.model.errors import Conflict, NotFound
from streamhost.model.ids import VideoId
from streamhost.model.videos import Video
from streamhost.server.videos import video_document

T = TypeVar("T")
Document = dict[str, Any]
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

    def trashed(self) -> list[Document]:
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
        items: list[Document] = []
        for page in self._pages("/api/v1/videos", owner="me"):
            items += [item for item in page if state in (None, item["state"])]
            if len(items) >= limit:
                break
        return items[:limit]

    def _pages(self, address: str, **said: str) -> Iterator[list[Document]]:
        cursor: str | None = ""
        while cursor is not None:
            query = urlencode({**said, "limit": PAGE, **({"cursor": cursor} if cursor else {})})
            page = self._ask("GET", f"{address}?{query}")
            yield page["items"]
            cursor = page["next_cursor"]

    def show(self, video_id: str) -> Document:
        """One video."""
        return self._ask("GET", f"/api/v1/videos/{video_id}")

    def edit(self, video_id: str, changes: Mapping[str, Any]) -> Document:
        """Change it."""
        return self._ask("PATCH", f"/api/v1/videos/{video_id}", changes)

    def delete(self, video_id: str) -> None:
        """Remove it."""
        self._ask("DELETE", f"/api/v1/videos/{video_id}")

    def trash(self, video_id: str) -> None:
        """Move it to the trash."""
        self._ask("DELETE", f"/api/v1/videos/{video_id}?permanently=false")

    def restore(self, video_id: str) -> Document:
        """Bring it back."""
        return self._ask("POST", f"/api/v1/videos/{video_id}/restore")

    def trashed(self) -> list[Document]:
        """One's own trash."""
        return [item for page in self._pages("/api/v1/me/trash") for item in page]

    def download(self, video_id: str, target: Path | None, rendition: str | None, source: bool, told: Told) -> Fetched:
        """Bring a file here; one that has to be made is waited for."""
        query = f"?{urlencode({'rendition': rendition})}" if rendition and not source else ""
        return fetch(
            self._remote, f"/api/v1/videos/{video_id}/{'source' if source else 'download'}{query}", target, told
        )

    def _ask(self, method: str, address: str, document: Mapping[str, Any] | None = None) -> Document:
        answer = self._remote.persistently(lambda: self._remote.ask(method, address, document))
        if not answer.fine:
            raise answer.refusal()
        return answer.document()


class FolderVideos:
    """In a data directory: everybody's videos. Changes only while no server runs there: one that does gives out
    permissions to play, and would not hear that they have ended."""

    def __init__(self, data: Path | None) -> None:
        self._settings = settings_beside(data)

    def listed(self, state: str | None, owner: str | None, limit: int) -> list[Document]:
        """Everybody's, or one owner's."""

        async def look(host: Host) -> list[Document]:
            people = [await host.accounts.people.by_email(owner)] if owner else await host.accounts.people.all()
            found: list[Document] = []
            for user in people:
                async for video in _owned(host, user.id):
                    if state in (None, video.state.value):
                        found.append(await _document(host, video))
            return sorted(found, key=lambda one: (one["created_at"], one["id"]), reverse=True)[:limit]

        return self._with(look)

    def show(self, video_id: str) -> Document:
        """One video."""

        async def look(host: Host) -> Document:
            return await _document(host, await _known(host, video_id))

        return self._with(look)

    def edit(self, video_id: str, changes: Mapping[str, Any]) -> Document:
        """Change it, as its owner would."""

        async def edit(host: Host) -> Document:
            video = await _known(host, video_id)
            edited = await host.catalog.edit(video.id, await _owner(host, video), changes)
            await host.audit.note(Act.VIDEO_EDITED, COMMAND_LINE, video=video.id, fields=" ".join(changes))
            return await _document(host, edited)

        return self._with(edit, alone=True)

    def delete(self, video_id: str) -> None:
        """Remove it; its files follow when a server runs."""

        async def delete(host: Host) -> None:
            video = await _known(host, video_id)
            await host.trash.delete(video.id, await _owner(host, video))
            await host.audit.note(Act.VIDEO_DELETED, COMMAND_LINE, video=video.id)

        self._with(delete, alone=True)

    def trash(self, video_id: str) -> None:
        """Move it to its owner's trash."""

        async def put(host: Host) -> None:
            video = await _known(host, video_id)
            await host.trash.put(video.id, await _owner(host, video))
            await host.audit.note(Act.VIDEO_TRASHED, COMMAND_LINE, video=video.id)

        self._with(put, alone=True)

    def restore(self, video_id: str) -> Document:
        """Bring it back, whoever has put it there."""

        async def restore(host: Host) -> Document:
            video = await host.trash.restore(VideoId(video_id), None)
            await host.audit.note(Act.VIDEO_RESTORED, COMMAND_LINE, video=video.id)
            return await _document(host, video)

        return self._with(restore, alone=True)

    def trashed(self) -> list[Document]:
        """Everybody's."""

        async def look(host: Host) -> list[Document]:
            found: list[Document] = []
            cursor: str | None = ""
            while cursor is not None:
                page = await host.trash.listed(None, cursor, PAGE)
                found += [await _document(host, video) for video in page.items]
                cursor = page.next_cursor
            return found

        return self._with(look)

    def download(self, video_id: str, target: Path | None, rendition: str | None, source: bool, told: Told) -> Fetched:
        """Copy a file out of the storage. Raises `NotMadeYet`."""

        async def copy(host: Host) -> Fetched:
            video = await _known(host, video_id)
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

        return self._with(copy)

    def _with(self, work: Callable[[Host], Coroutine[Any, Any, T]], *, alone: bool = False) -> T:
        async def run() -> T:
            instance = open_instance(self._settings.data)
            with instance.lock() if alone else contextlib.nullcontext():
                host = await assemble(self._settings, instance)
                try:
                    return await work(host)
                finally:
                    await host.close()

        return asyncio.run(run())


def desk_of(url: str | None, token: str | None, data: Path | None) -> VideoDesk:
    """The desk that the options of a command mean: a server's if its address is given, else the data directory's."""
    if url is None:
        return FolderVideos(data)
    if data is not None:
        raise click.UsageError("Either --url or --data.")
    if token is None:
        raise click.UsageError("--url needs a --token.")
    return ServerVideos(Remote(url, token))


async def _owned(host: Host, owner: Any) -> AsyncIterator[Video]:
    cursor = None
    while True:
        page = await host.catalog.owned(owner, cursor, PAGE)
        for video in page.items:
            yield video
        cursor = page.next_cursor
        if cursor is None:
            return


async def _known(host: Host, video_id: str) -> Video:
    video = await host.catalog.known(VideoId(video_id))
    if video is None:
        raise NotFound(f"There is no video {video_id}.")
    return video


async def _owner(host: Host, video: Video) -> Viewer:
    return Viewer(await host.accounts.people.get(video.owner_id))


async def _document(host: Host, video: Video) -> Document:
    found = msgspec.to_builtins(video_document(video, await _owner(host, video), host.playback))
    assert isinstance(found, dict)
    # An address on a server, and there may be none.
    return found | {"poster": None}


def chosen(pairs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Those that were given."""
    return ((name, value) for name, value in pairs.items() if value is not None)
