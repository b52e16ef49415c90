"""Where moderators' commands work: at a running server over HTTP, or in a data directory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

import click
import msgspec

from streamhost.cli.desks import settings_beside
from streamhost.cli.remote import Remote
from streamhost.features.moderation import CaseFile, Waiting, wanted_of
from streamhost.host import Host, assemble
from streamhost.instance import open_instance
from streamhost.model.audit import COMMAND_LINE
from streamhost.model.clock import system_clock
from streamhost.model.ids import RescreenId, VideoId
from streamhost.model.verdicts import Decision, Policy, Profile
from streamhost.model.videos import Video
from streamhost.server.documents.moderation import (
    case_document,
    change_document,
    policy_document,
    rescreen_document,
    verdict_document,
)

T = TypeVar("T")
Document = dict[str, Any]
PAGE = 100
API = "/api/v1/moderation"


class CaseDesk(Protocol):
    """Shows and decides. Answers are documents as the API has them; of a video `id`, `title`, `state`, `owner` at
    least."""

    def queue(self, asked: Mapping[str, str | None], limit: int) -> list[Document]:
        """What waits for a person. `asked`: `risk`, `category`, `cause`."""
        ...

    def show(self, video_id: str, *, new_file: bool = False) -> Document:
        """All about one video, or about the new file that waits beside it."""
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
        return self._all(f"{API}/queue", {**asked}, limit)

    def show(self, video_id: str, *, new_file: bool = False) -> Document:
        """All about one video, or about the new file that waits beside it."""
        return self._ask("GET", f"{API}/{video_id}?new_file={str(new_file).lower()}")

    def decide(self, video_id: str, decision: Mapping[str, Any]) -> Document:
        """Approve or reject."""
        return self._ask("POST", f"{API}/{video_id}", decision)

    def undo(self, video_id: str) -> Document:
        """Take the newest decision of a person back."""
        return self._ask("POST", f"{API}/{video_id}/undo")

    def policy(self, profile: str | None) -> Document:
        """The policy, after choosing a profile if one is given."""
        if profile is None:
            return self._ask("GET", f"{API}/policy")
        return self._ask("PUT", f"{API}/policy", {"profile": profile})

    def rescreen(self) -> Document:
        """Begin to find out what would change."""
        return self._ask("POST", f"{API}/rescreens")

    def run(self, run_id: str) -> Document:
        """How far a look at all videos is."""
        return self._ask("GET", f"{API}/rescreens/{run_id}")

    def changes(self, run_id: str) -> list[Document]:
        """What it found."""
        return self._all(f"{API}/rescreens/{run_id}/changes", {}, None)

    def apply(self, run_id: str) -> Document:
        """Make it so."""
        return self._ask("POST", f"{API}/rescreens/{run_id}/apply")

    def cancel(self, run_id: str) -> None:
        """End it."""
        self._ask("DELETE", f"{API}/rescreens/{run_id}")

    def _all(self, address: str, asked: Mapping[str, str | None], limit: int | None) -> list[Document]:
        items: list[Document] = []
        cursor: str | None = None
        while True:
            values = {**asked, "cursor": cursor, "limit": str(min(limit or PAGE, PAGE))}
            query = urlencode({name: value for name, value in values.items() if value})
            page = self._ask("GET", f"{address}?{query}")
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None or (limit is not None and len(items) >= limit):
                return items[:limit]

    def _ask(self, method: str, address: str, document: Mapping[str, Any] | None = None) -> Document:
        answer = self._remote.persistently(lambda: self._remote.ask(method, address, document))
        if not answer.fine:
            raise answer.refusal()
        return answer.document()


class FolderCases:
    """In a data directory, beside a running server or without one; whose workers look at videos.

    Raises `NoCatalog` where no server has ever run."""

    def __init__(self, data: Path | None) -> None:
        self._settings = settings_beside(data)

    def queue(self, asked: Mapping[str, str | None], limit: int) -> list[Document]:
        """What waits for a person."""
        risk = asked.get("risk")
        wanted = wanted_of(risk.split(",") if risk else (), asked.get("category"), asked.get("cause"))

        async def look(host: Host) -> list[Document]:
            found: list[Document] = []
            cursor = None
            while True:
                page = await host.moderation.desk.queue(wanted, cursor, min(limit, PAGE))
                found += [_waiting(one) for one in page.items]
                cursor = page.next_cursor
                if cursor is None or len(found) >= limit:
                    return found[:limit]

        return self._with(look)

    def show(self, video_id: str, *, new_file: bool = False) -> Document:
        """All about one video, or about the new file that waits beside it."""

        async def look(host: Host) -> Document:
            return _file(await host.moderation.desk.file(VideoId(video_id), new_file=new_file))

        return self._with(look)

    def decide(self, video_id: str, decision: Mapping[str, Any]) -> Document:
        """Approve or reject."""
        more = {name: decision[name] for name in ("note", "seen", "new_file")}

        async def work(host: Host) -> Document:
            chosen, reason = Decision(decision["decision"]), decision["reason"]
            return _file(await host.moderation.desk.decide(VideoId(video_id), chosen, reason, COMMAND_LINE, **more))

        return self._with(work)

    def undo(self, video_id: str) -> Document:
        """Take the newest decision of a person back."""

        async def work(host: Host) -> Document:
            return _file(await host.moderation.desk.undo(VideoId(video_id), COMMAND_LINE))

        return self._with(work)

    def policy(self, profile: str | None) -> Document:
        """The policy, after choosing a profile if one is given."""

        async def work(host: Host) -> Document:
            room = host.moderation.policies
            policy: Policy = await (room.choose(Profile(profile), COMMAND_LINE) if profile else room.get())
            return _plain(policy_document(policy, room.without_model(), fixed=room.fixed))

        return self._with(work)

    def rescreen(self) -> Document:
        """Begin to find out what would change."""

        async def work(host: Host) -> Document:
            return _plain(rescreen_document(await host.moderation.rescreening.begin(COMMAND_LINE)))

        return self._with(work)

    def run(self, run_id: str) -> Document:
        """How far a look at all videos is."""

        async def look(host: Host) -> Document:
            return _plain(rescreen_document(await host.moderation.rescreening.get(RescreenId(run_id))))

        return self._with(look)

    def changes(self, run_id: str) -> list[Document]:
        """What it found."""

        async def look(host: Host) -> list[Document]:
            found: list[Document] = []
            cursor = None
            while True:
                page = await host.moderation.rescreening.changes(RescreenId(run_id), cursor, PAGE)
                found += [_plain(change_document(one)) for one in page.items]
                cursor = page.next_cursor
                if cursor is None:
                    return found

        return self._with(look)

    def apply(self, run_id: str) -> Document:
        """Make it so."""

        async def work(host: Host) -> Document:
            return _plain(rescreen_document(await host.moderation.rescreening.apply(RescreenId(run_id), COMMAND_LINE)))

        return self._with(work)

    def cancel(self, run_id: str) -> None:
        """End it."""

        async def work(host: Host) -> None:
            await host.moderation.rescreening.cancel(RescreenId(run_id))

        self._with(work)

    def _with(self, work: Callable[[Host], Coroutine[Any, Any, T]]) -> T:
        async def run() -> T:
            host = await assemble(self._settings, open_instance(self._settings.data))
            try:
                return await work(host)
            finally:
                await host.close()

        return asyncio.run(run())


def cases_of(url: str | None, token: str | None, data: Path | None) -> CaseDesk:
    """The desk that the options of a command mean: a server's if its address is given, else the data directory's."""
    if url is None:
        return FolderCases(data)
    if data is not None:
        raise click.UsageError("Either --url or --data.")
    if token is None:
        raise click.UsageError("--url needs a --token.")
    return ServerCases(Remote(url, token))


def _plain(document: object) -> Document:
    found = msgspec.to_builtins(document)
    assert isinstance(found, dict)
    return found


def _video(video: Video) -> Document:
    owner = {"id": video.owner_id, "name": video.owner_name}
    return {"id": video.id, "title": video.title, "state": video.stage.value, "owner": owner}


def _waiting(one: Waiting) -> Document:
    verdict = _plain(verdict_document(one.verdict)) if one.verdict else None
    return {
        "id": one.video.id,
        "title": one.video.title,
        "video": _video(one.video),
        "case": _plain(case_document(one.case, system_clock())),
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
        "case": _plain(case_document(file.case, system_clock())) if file.case else None,
        "verdict": _plain(verdict_document(file.verdict)) if file.verdict else None,
        "history": [_plain(verdict_document(one)) for one in file.history],
        "changed": file.changed,
        "version": file.version,
        "new_file": file.new_file,
        "new_file_waits": file.new_file_waits,
    }
