"""Where the levers of background work are: at a running server over HTTP, or in a data directory."""

from __future__ import annotations

from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol

from streamhost.cli.beside import Beside, all_of, known_video
from streamhost.cli.remote import Document, Remote, as_document
from streamhost.cli.where import Where
from streamhost.features.transcoding import Action
from streamhost.features.work import MAX_PAGE, Act, State
from streamhost.host import Host
from streamhost.model.ids import JobId, VideoId
from streamhost.model.videos import Video
from streamhost.server.documents.work import job_document, processing_document


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
        asked = {"state": state, "kind": kind, "subject": subject, "limit": min(limit, MAX_PAGE)}
        return list(islice(self._remote.items("/api/v1/admin/jobs", asked), limit))

    def job(self, job_id: str) -> Document:
        """One job."""
        return self._remote.document("GET", f"/api/v1/admin/jobs/{job_id}")

    def video(self, video_id: str) -> Document:
        """One video."""
        return self._remote.document("GET", f"/api/v1/videos/{video_id}")

    def steer_job(self, job_id: str, action: str, priority: int | None) -> Document:
        """Do something with a job."""
        return self._remote.document("POST", f"/api/v1/admin/jobs/{job_id}", {"action": action, "priority": priority})

    def steer_video(self, video_id: str, action: str, priority: int | None) -> Document:
        """Do something with the making of a video."""
        return self._remote.document(
            "POST", f"/api/v1/videos/{video_id}/processing", {"action": action, "priority": priority}
        )


class FolderDesk:
    """In a data directory, beside a running server or without one. A server notices within a few seconds.

    Raises `NoCatalog` where no server has ever run.
    """

    def __init__(self, data: Path | None) -> None:
        self._beside = Beside(data)

    def jobs(self, state: str | None, kind: str | None, subject: str | None, limit: int) -> list[Document]:
        """Jobs, newest first."""
        wanted = State(state) if state else None

        async def look(host: Host) -> list[Document]:
            listed = partial(host.work.listed, wanted, kind=kind, subject=subject, limit=min(limit, MAX_PAGE))
            found = await all_of(lambda at: listed(cursor=at), limit)
            return [as_document(job_document(item)) for item in found]

        return self._beside.do(look)

    def job(self, job_id: str) -> Document:
        """One job."""

        async def look(host: Host) -> Document:
            return as_document(job_document(await host.work.get(JobId(job_id))))

        return self._beside.do(look)

    def video(self, video_id: str) -> Document:
        """One video."""

        async def look(host: Host) -> Document:
            return _video(await known_video(host, video_id))

        return self._beside.do(look)

    def steer_job(self, job_id: str, action: str, priority: int | None) -> Document:
        """Do something with a job."""

        async def steer(host: Host) -> Document:
            return as_document(job_document(await host.work.act(JobId(job_id), Act(action), priority)))

        return self._beside.do(steer)

    def steer_video(self, video_id: str, action: str, priority: int | None) -> Document:
        """Do something with the making of a video."""

        async def steer(host: Host) -> Document:
            return _video(await host.control.act(VideoId(video_id), None, Action(action), priority))

        return self._beside.do(steer)


def desk_of(where: Where) -> Desk:
    """The desk that the options of a command mean."""
    return where.desk(ServerDesk, FolderDesk)


def _video(video: Video) -> Document:
    error = video.error
    processing = processing_document(video)
    return {
        "id": video.id,
        "title": video.title,
        "state": video.stage.value,
        "playable": video.playable,
        "progress": video.progress,
        "processing": as_document(processing) if processing else None,
        "error": {"code": error.code, "detail": error.detail, "hint": error.hint} if error else None,
    }
