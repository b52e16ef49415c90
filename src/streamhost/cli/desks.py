"""Where the levers of background work are: at a running server over HTTP, or in a data directory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

import click
import msgspec

from streamhost import log
from streamhost.cli.remote import Remote
from streamhost.config import Settings, load
from streamhost.features.transcoding import Action
from streamhost.features.work import Act, State
from streamhost.host import Host, assemble
from streamhost.host_basis import CATALOG_FILE
from streamhost.instance import open_instance
from streamhost.model.errors import NotFound, StreamhostError
from streamhost.model.ids import JobId, VideoId
from streamhost.model.videos import Video
from streamhost.server.documents.work import job_document, processing_document

T = TypeVar("T")
Document = dict[str, Any]


class Desk(Protocol):
    """Shows and steers work. Answers are documents as the API has them."""

    def jobs(self, state: str | None, kind: str | None, subject: str | None, limit: int) -> list[Document]:
        """Jobs, newest first."""
        ...

    def job(self, job_id: str) -> Document:
        """One job."""
        ...

    def video(self, video_id: str) -> Document:
        """One video: at least `id`, `title`, `state`, `progress`, `processing`, `error`."""
        ...

    def steer_job(self, job_id: str, action: str, priority: int | None) -> Document:
        """Do something with a job."""
        ...

    def steer_video(self, video_id: str, action: str, priority: int | None) -> Document:
        """Do something with the making of a video."""
        ...


class ServerDesk:
    """At a running server, by somebody's token: an administrator's, or for videos their owner's."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def jobs(self, state: str | None, kind: str | None, subject: str | None, limit: int) -> list[Document]:
        """Jobs, newest first."""
        said = {"state": state, "kind": kind, "subject": subject, "limit": min(limit, 200)}
        items: list[Document] = []
        cursor = None
        while True:
            query = urlencode({key: value for key, value in {**said, "cursor": cursor}.items() if value is not None})
            page = self._ask("GET", f"/api/v1/admin/jobs?{query}")
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None or len(items) >= limit:
                return items[:limit]

    def job(self, job_id: str) -> Document:
        """One job."""
        return self._ask("GET", f"/api/v1/admin/jobs/{job_id}")

    def video(self, video_id: str) -> Document:
        """One video."""
        return self._ask("GET", f"/api/v1/videos/{video_id}")

    def steer_job(self, job_id: str, action: str, priority: int | None) -> Document:
        """Do something with a job."""
        return self._ask("POST", f"/api/v1/admin/jobs/{job_id}", {"action": action, "priority": priority})

    def steer_video(self, video_id: str, action: str, priority: int | None) -> Document:
        """Do something with the making of a video."""
        return self._ask("POST", f"/api/v1/videos/{video_id}/processing", {"action": action, "priority": priority})

    def _ask(self, method: str, address: str, document: Mapping[str, Any] | None = None) -> Document:
        answer = self._remote.persistently(lambda: self._remote.ask(method, address, document))
        if not answer.fine:
            raise answer.refusal()
        return answer.document()


class NoCatalog(StreamhostError):
    """There is no catalog in that data directory, so no work and no keys either."""

    code = "no_catalog"
    hint = "Name the directory that the server uses: --data, or STREAMHOST_DATA."
    permanent = True


def settings_beside(data: Path | None) -> Settings:
    """The settings of a data directory where a server has run, for a command that works beside it.

    Raises `NoCatalog` where none ever has: looking makes no instance, and finds nothing by mistake."""
    settings = load(data)
    log.configure("warning", settings.log.format)
    if not (settings.data / CATALOG_FILE).exists():
        raise NoCatalog(str(settings.data))
    return settings


class FolderDesk:
    """In a data directory, beside a running server or without one. A server notices within a few seconds.

    Raises `NoCatalog` where no server has ever run.
    """

    def __init__(self, data: Path | None) -> None:
        self._settings = settings_beside(data)

    def jobs(self, state: str | None, kind: str | None, subject: str | None, limit: int) -> list[Document]:
        """Jobs, newest first."""

        async def look(host: Host) -> list[Document]:
            items: list[Document] = []
            cursor = None
            while True:
                page = await host.work.listed(
                    State(state) if state else None, kind=kind, subject=subject, cursor=cursor, limit=min(limit, 200)
                )
                items += [_plain(job_document(item)) for item in page.items]
                cursor = page.next_cursor
                if cursor is None or len(items) >= limit:
                    return items[:limit]

        return self._with(look)

    def job(self, job_id: str) -> Document:
        """One job."""

        async def look(host: Host) -> Document:
            return _plain(job_document(await host.work.get(JobId(job_id))))

        return self._with(look)

    def video(self, video_id: str) -> Document:
        """One video."""

        async def look(host: Host) -> Document:
            video = await host.catalog.known(VideoId(video_id))
            if video is None:
                raise NotFound(f"There is no video {video_id}.")
            return _video(video)

        return self._with(look)

    def steer_job(self, job_id: str, action: str, priority: int | None) -> Document:
        """Do something with a job."""

        async def steer(host: Host) -> Document:
            return _plain(job_document(await host.work.act(JobId(job_id), Act(action), priority)))

        return self._with(steer)

    def steer_video(self, video_id: str, action: str, priority: int | None) -> Document:
        """Do something with the making of a video."""

        async def steer(host: Host) -> Document:
            return _video(await host.control.act(VideoId(video_id), None, Action(action), priority))

        return self._with(steer)

    def _with(self, work: Callable[[Host], Coroutine[Any, Any, T]]) -> T:
        async def run() -> T:
            host = await assemble(self._settings, open_instance(self._settings.data))
            try:
                return await work(host)
            finally:
                await host.close()

        return asyncio.run(run())


def desk_of(url: str | None, token: str | None, data: Path | None) -> Desk:
    """The desk that the options of a command mean: a server's if its address is given, else the data directory's."""
    if url is None:
        return FolderDesk(data)
    if data is not None:
        raise click.UsageError("Either --url or --data.")
    if token is None:
        raise click.UsageError("--url needs a --token.")
    return ServerDesk(Remote(url, token))


def _plain(document: object) -> Document:
    found = msgspec.to_builtins(document)
    assert isinstance(found, dict)
    return found


def _video(video: Video) -> Document:
    error = video.error
    processing = processing_document(video)
    return {
        "id": video.id,
        "title": video.title,
        "state": video.stage.value,
        "playable": video.playable,
        "progress": video.progress,
        "processing": _plain(processing) if processing else None,
        "error": {"code": error.code, "detail": error.detail, "hint": error.hint} if error else None,
    }
