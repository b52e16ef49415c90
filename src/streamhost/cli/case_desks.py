"""Where moderators' commands work: at a running server over HTTP, or in a data directory."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import click

from streamhost.cli.beside import Beside, all_of
from streamhost.cli.remote import Document, Remote, as_document
from streamhost.cli.where import Where
from streamhost.features.moderation import CaseFile, Waiting, wanted_of
from streamhost.host import Host
from streamhost.model.accounts import Viewer
from streamhost.model.audit import COMMAND_LINE
from streamhost.model.clock import system_clock
from streamhost.model.ids import RescreenId, VideoId
from streamhost.model.verdicts import Decision, Policy, Profile
from streamhost.model.videos import Video
from streamhost.server.documents.moderation import (
    case_document,
    change_document,
    policy_document,
    report_document,
    rescreen_document,
    verdict_document,
)

PAGE = 100
API = "/api/v1/moderation"
NOBODY = "A case is claimed by somebody: name a server by --url, and a moderator by --token."


class CaseDesk(Protocol):
    """Shows and decides. Answers are documents as the API has them; of a video `id`, `title`, `state`, `owner` at
    least."""

    def queue(self, asked: Mapping[str, str | None], limit: int) -> list[Document]:
        """What waits for a person. `asked`: `risk`, `category`, `cause`."""
        ...

    def show(self, video_id: str, *, new_file: bool = False) -> Document:
        """All about one video, or about the new file that waits beside it."""
        ...

    def reports(self, video_id: str) -> list[Document]:
        """What viewers say is wrong with it, open reports first."""
        ...

    def claim(self, video_id: str | None, *, over: bool) -> Document:
        """Take a case, or without a video the first that nobody has; `over`: from whoever has it. The case."""
        ...

    def release(self, video_id: str) -> None:
        """Let go of a case."""
        ...

    def decide(self, video_id: str, decision: Mapping[str, Any]) -> Document:
        """Approve or reject. `decision`: `decision`, `reason`, `note`, `seen`, `new_file` as the API has them."""
        ...

    def undo(self, video_id: str) -> Document:
        """Take the newest decision of a person back."""
        ...

    def policy(self, profile: str | None) -> Document:
        """The policy, after choosing a profile if one is given."""
        ...

    def rescreen(self) -> Document:
        """Begin to find out what would change."""
        ...

    def run(self, run_id: str) -> Document:
        """How far a look at all videos is."""
        ...

    def changes(self, run_id: str) -> list[Document]:
        """What it found."""
        ...

    def apply(self, run_id: str) -> Document:
        """Make it so."""
        ...

    def cancel(self, run_id: str) -> None:
        """End it."""
        ...


class ServerCases:
    """At a running server, by the token of a moderator; the policy and looking again need an administrator's."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def queue(self, asked: Mapping[str, str | None], limit: int) -> list[Document]:
        """What waits for a person."""
        return list(islice(self._remote.items(f"{API}/queue", {**asked, "limit": min(limit, PAGE)}), limit))

    def show(self, video_id: str, *, new_file: bool = False) -> Document:
        """All about one video, or about the new file that waits beside it."""
        return self._remote.document("GET", f"{API}/{video_id}?new_file={str(new_file).lower()}")

    def reports(self, video_id: str) -> list[Document]:
        """What viewers say is wrong with it."""
        return list(self._remote.items(f"{API}/{video_id}/reports", {}))

    def claim(self, video_id: str | None, *, over: bool) -> Document:
        """Take a case, or the first that nobody has."""
        if video_id is not None:
            return self._remote.document("POST", f"{API}/{video_id}/claim?over={str(over).lower()}")
        case: Document = self._remote.document("POST", f"{API}/claim")["case"]
        return case

    def release(self, video_id: str) -> None:
        """Let go of a case."""
        self._remote.document("DELETE", f"{API}/{video_id}/claim")

    def decide(self, video_id: str, decision: Mapping[str, Any]) -> Document:
        """Approve or reject."""
        return self._remote.document("POST", f"{API}/{video_id}", decision)

    def undo(self, video_id: str) -> Document:
        """Take the newest decision of a person back."""
        return self._remote.document("POST", f"{API}/{video_id}/undo")

    def policy(self, profile: str | None) -> Document:
        """The policy, after choosing a profile if one is given."""
        if profile is None:
            return self._remote.document("GET", f"{API}/policy")
        return self._remote.document("PUT", f"{API}/policy", {"profile": profile})

    def rescreen(self) -> Document:
        """Begin to find out what would change."""
        return self._remote.document("POST", f"{API}/rescreens")

    def run(self, run_id: str) -> Document:
        """How far a look at all videos is."""
        return self._remote.document("GET", f"{API}/rescreens/{run_id}")

    def changes(self, run_id: str) -> list[Document]:
        """What it found."""
        return list(self._remote.items(f"{API}/rescreens/{run_id}/changes", {"limit": PAGE}))

    def apply(self, run_id: str) -> Document:
        """Make it so."""
        return self._remote.document("POST", f"{API}/rescreens/{run_id}/apply")

    def cancel(self, run_id: str) -> None:
        """End it."""
        self._remote.document("DELETE", f"{API}/rescreens/{run_id}")


class FolderCases:
    """In a data directory, beside a running server or without one; whose workers look at videos.

    Raises `NoCatalog` where no server has ever run."""

    def __init__(self, data: Path | None) -> None:
        self._beside = Beside(data)

    def queue(self, asked: Mapping[str, str | None], limit: int) -> list[Document]:
        """What waits for a person."""
        risk = asked.get("risk")
        wanted = wanted_of(risk.split(",") if risk else (), asked.get("category"), asked.get("cause"))

        async def look(host: Host) -> list[Document]:
            desk = host.moderation.desk
            return [_waiting(one) for one in await all_of(lambda at: desk.queue(wanted, at, min(limit, PAGE)), limit)]

        return self._beside.do(look)

    def show(self, video_id: str, *, new_file: bool = False) -> Document:
        """All about one video, or about the new file that waits beside it."""

        async def look(host: Host) -> Document:
            return _file(await host.moderation.desk.file(VideoId(video_id), new_file=new_file))

        return self._beside.do(look)

    def reports(self, video_id: str) -> list[Document]:
        """What viewers say is wrong with it."""

        async def look(host: Host) -> list[Document]:
            found = await host.reporting.of_video(VideoId(video_id), Viewer())
            return [as_document(report_document(one)) for one in found]

        return self._beside.do(look)

    def claim(self, video_id: str | None, *, over: bool) -> Document:
        """A case is somebody's, and nobody is signed in here."""
        raise click.UsageError(NOBODY)

    def release(self, video_id: str) -> None:
        """Likewise."""
        raise click.UsageError(NOBODY)

    def decide(self, video_id: str, decision: Mapping[str, Any]) -> Document:
        """Approve or reject."""
        more = {name: decision[name] for name in ("note", "seen", "new_file")}

        async def work(host: Host) -> Document:
            chosen, reason = Decision(decision["decision"]), decision["reason"]
            return _file(await host.moderation.desk.decide(VideoId(video_id), chosen, reason, COMMAND_LINE, **more))

        return self._beside.do(work)

    def undo(self, video_id: str) -> Document:
        """Take the newest decision of a person back."""

        async def work(host: Host) -> Document:
            return _file(await host.moderation.desk.undo(VideoId(video_id), COMMAND_LINE))

        return self._beside.do(work)

    def policy(self, profile: str | None) -> Document:
        """The policy, after choosing a profile if one is given."""

        async def work(host: Host) -> Document:
            room = host.moderation.policies
            policy: Policy = await (room.choose(Profile(profile), COMMAND_LINE) if profile else room.get())
            return as_document(policy_document(policy, room.without_model(), fixed=room.fixed))

        return self._beside.do(work)

    def rescreen(self) -> Document:
        """Begin to find out what would change."""

        async def work(host: Host) -> Document:
            return as_document(rescreen_document(await host.moderation.rescreening.begin(COMMAND_LINE)))

        return self._beside.do(work)

    def run(self, run_id: str) -> Document:
        """How far a look at all videos is."""

        async def look(host: Host) -> Document:
            return as_document(rescreen_document(await host.moderation.rescreening.get(RescreenId(run_id))))

        return self._beside.do(look)

    def changes(self, run_id: str) -> list[Document]:
        """What it found."""

        async def look(host: Host) -> list[Document]:
            room = host.moderation.rescreening
            found = await all_of(lambda at: room.changes(RescreenId(run_id), at, PAGE))
            return [as_document(change_document(one)) for one in found]

        return self._beside.do(look)

    def apply(self, run_id: str) -> Document:
        """Make it so."""

        async def work(host: Host) -> Document:
            return as_document(
                rescreen_document(await host.moderation.rescreening.apply(RescreenId(run_id), COMMAND_LINE))
            )

        return self._beside.do(work)

    def cancel(self, run_id: str) -> None:
        """End it."""

        async def work(host: Host) -> None:
            await host.moderation.rescreening.cancel(RescreenId(run_id), COMMAND_LINE)

        self._beside.do(work)


def cases_of(where: Where) -> CaseDesk:
    """The desk that the options of a command mean."""
    return where.desk(ServerCases, FolderCases)


def _video(video: Video) -> Document:
    owner = {"id": video.owner_id, "name": video.owner_name}
    return {"id": video.id, "title": video.title, "state": video.stage.value, "owner": owner}


def _waiting(one: Waiting) -> Document:
    verdict = as_document(verdict_document(one.verdict)) if one.verdict else None
    return {
        "id": one.video.id,
        "title": one.video.title,
        "video": _video(one.video),
        "case": as_document(case_document(one.case, system_clock())),
        "verdict": verdict,
        "risk": one.case.risk.value,
        "decision": verdict["decision"] if verdict else None,
        "scores": verdict["scores"] if verdict else {},
        "evidence": verdict["evidence"] if verdict else [],
        "models": verdict["models"] if verdict else [],
    }


def _file(file: CaseFile) -> Document:
    return {
        "video": _video(file.video),
        "case": as_document(case_document(file.case, system_clock())) if file.case else None,
        "verdict": as_document(verdict_document(file.verdict)) if file.verdict else None,
        "history": [as_document(verdict_document(one)) for one in file.history],
        "changed": file.changed,
        "version": file.version,
        "new_file": file.new_file,
        "new_file_waits": file.new_file_waits,
    }
