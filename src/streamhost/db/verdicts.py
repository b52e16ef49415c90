"""Rows of `verdicts` and `screenings`: what models found of a video last, and every decision about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from streamhost.db.core import Connection
from streamhost.model.cases import NOTHING_SAID, By, Evidence, Verdict
from streamhost.model.clock import Timestamp
from streamhost.model.ids import PackageId, UserId, VerdictId, VideoId
from streamhost.model.moderation import Aspect, Findings, Gap, ModelUse
from streamhost.model.verdicts import Decision, Judgement, Policy
from streamhost.model.videos import Clearance


@dataclass(frozen=True, slots=True)
class Screening:
    """What models found of a video: in which content, with which models, and which aspects it has something for."""

    video_id: VideoId
    package_id: PackageId | None
    mark: str
    models: str
    concerned: frozenset[Aspect]
    findings: Findings
    screened_at: Timestamp


@dataclass(frozen=True, slots=True)
class _Grounds:
    """What a verdict rests on, as the column keeps it."""

    judgement: Judgement = NOTHING_SAID
    models: tuple[ModelUse, ...] = ()
    gaps: tuple[Gap, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    policy: Policy | None = None


async def save_screening(conn: Connection, found: Screening) -> None:
    """Keep what models found in a packaged set, in the place of what they found in it before. It goes with the set."""
    await conn.execute(
        "INSERT INTO screenings (video_id, package_id, mark, models, concerned, findings, screened_at) "
        "VALUES (:video, :package, :mark, :models, :concerned, :findings, :at) ON CONFLICT (package_id) DO UPDATE SET "
        "mark = :mark, models = :models, concerned = :concerned, findings = :findings, "
        "screened_at = :at",
        {
            "video": found.video_id,
            "package": found.package_id,
            "mark": found.mark,
            "models": found.models,
            "concerned": " ".join(sorted(found.concerned)),
            "findings": msgspec.json.encode(found.findings).decode(),
            "at": found.screened_at,
        },
    )


async def screening(conn: Connection, package_id: PackageId | None) -> Screening | None:
    """What models found last in a packaged set, and in what stood beside it; None if none has looked."""
    row = await conn.fetch_one("SELECT * FROM screenings WHERE package_id = :id", {"id": package_id})
    if row is None:
        return None
    return Screening(
        VideoId(row["video_id"]),
        row["package_id"],
        row["mark"],
        row["models"],
        frozenset(Aspect(name) for name in row["concerned"].split()),
        msgspec.json.decode(row["findings"], type=Findings),
        row["screened_at"],
    )


async def insert(conn: Connection, verdict: Verdict) -> None:
    """Add a verdict; its number is given by the catalog."""
    grounds = _Grounds(verdict.judgement, verdict.models, verdict.gaps, verdict.evidence, verdict.policy)
    await conn.execute(
        "INSERT INTO verdicts (id, video_id, at, made_by, person_id, person, decision, risk, clearance_before, "
        "clearance_after, reason, note, package_id, mark, grounds, undone_at, new_file) VALUES (:id, :video, :at, :by, "
        ":person_id, :person, :decision, :risk, :before, :after, :reason, :note, :package, :mark, :grounds, :undone, "
        ":new_file)",
        {
            "id": verdict.id,
            "video": verdict.video_id,
            "at": verdict.at,
            "by": verdict.by.value,
            "person_id": verdict.person_id,
            "person": verdict.person,
            "decision": verdict.decision.value,
            "risk": verdict.judgement.risk.value,
            "before": verdict.before.value,
            "after": verdict.after.value,
            "reason": verdict.reason,
            "note": verdict.note,
            "package": verdict.package_id,
            "mark": verdict.mark,
            "grounds": msgspec.json.encode(grounds).decode(),
            "undone": verdict.undone_at,
            "new_file": int(verdict.new_file),
        },
    )


async def get(conn: Connection, video_id: VideoId, verdict_id: VerdictId) -> Verdict | None:
    """One verdict about a video."""
    sql = "SELECT * FROM verdicts WHERE id = :id AND video_id = :video"
    row = await conn.fetch_one(sql, {"id": verdict_id, "video": video_id})
    return _verdict(row) if row else None


async def of_video(conn: Connection, video_id: VideoId, limit: int = 100) -> list[Verdict]:
    """The verdicts about a video, newest first."""
    sql = "SELECT * FROM verdicts WHERE video_id = :video ORDER BY number DESC LIMIT :limit"
    return [_verdict(row) for row in await conn.fetch_all(sql, {"video": video_id, "limit": limit})]


async def newest(conn: Connection, video_ids: Collection[VideoId], *, grounded: bool = False) -> dict[VideoId, Verdict]:
    """The newest verdict about each of some videos; `grounded`: that models have made, with evidence, also if it is
    about a new file."""
    names = {f"v{number}": video_id for number, video_id in enumerate(video_ids)}
    if not names:
        return {}
    marks = ", ".join(f":{name}" for name in names)
    only = "AND made_by = 'models'" if grounded else "AND new_file = 0"
    sql = (
        "SELECT verdicts.* FROM verdicts JOIN (SELECT video_id, MAX(number) AS last FROM verdicts "
        f"WHERE video_id IN ({marks}) {only} GROUP BY video_id) AS newest ON newest.last = verdicts.number"
    )
    return {VideoId(row["video_id"]): _verdict(row) for row in await conn.fetch_all(sql, names)}


async def looked_at(conn: Connection, video_ids: Collection[VideoId]) -> set[VideoId]:
    """Those of the videos about which models or people have ever said something: not only trust."""
    names = {f"v{number}": video_id for number, video_id in enumerate(video_ids)}
    if not names:
        return set()
    marks = ", ".join(f":{name}" for name in names)
    sql = f"SELECT DISTINCT video_id FROM verdicts WHERE video_id IN ({marks}) AND made_by <> 'trust'"
    return {VideoId(row["video_id"]) for row in await conn.fetch_all(sql, names)}


async def standing_by_person(conn: Connection, video_id: VideoId) -> Verdict | None:
    """The newest decision of a person about what plays that nobody has taken back; None if there is none."""
    sql = (
        "SELECT * FROM verdicts WHERE video_id = :video AND made_by = 'person' AND undone_at IS NULL "
        "AND new_file = 0 ORDER BY number DESC LIMIT 1"
    )
    row = await conn.fetch_one(sql, {"video": video_id})
    return _verdict(row) if row else None


async def of_new_file(conn: Connection, package_id: PackageId | None) -> Verdict | None:
    """The newest verdict about a file that has not taken another's place; None if there is none."""
    sql = "SELECT * FROM verdicts WHERE package_id = :package AND new_file = 1 ORDER BY number DESC LIMIT 1"
    row = await conn.fetch_one(sql, {"package": package_id})
    return _verdict(row) if row else None


async def rejected(conn: Connection, video_id: VideoId, *, new_file: bool = False) -> bool:
    """Whether a video, or a `new_file` for it, was rejected, and no person has approved either since."""
    sql = (
        "SELECT 1 FROM verdicts WHERE video_id = :video AND decision = 'reject' AND undone_at IS NULL "
        "AND new_file = :new_file AND number > COALESCE((SELECT MAX(number) FROM verdicts WHERE video_id = :video "
        "AND made_by = 'person' AND decision = 'approve' AND undone_at IS NULL), 0) LIMIT 1"
    )
    return await conn.fetch_one(sql, {"video": video_id, "new_file": int(new_file)}) is not None


async def adopt(conn: Connection, video_id: VideoId, package_id: PackageId) -> None:
    """A new file has taken the old one's place: what was said of it is said of the video now."""
    sql = "UPDATE verdicts SET new_file = 0 WHERE video_id = :video AND package_id = :package AND new_file = 1"
    await conn.execute(sql, {"video": video_id, "package": package_id})


async def undo(conn: Connection, verdict_id: VerdictId, now: Timestamp) -> None:
    """Note that a verdict was taken back."""
    await conn.execute("UPDATE verdicts SET undone_at = :now WHERE id = :id", {"id": verdict_id, "now": now})


async def repackaged(conn: Connection, video_id: VideoId, old: PackageId, new: PackageId) -> None:
    """The same pictures and sound stand in another package now: what was said of them still counts."""
    values = {"video": video_id, "old": old, "new": new}
    for table in ("verdicts", "screenings"):
        sql = f"UPDATE {table} SET package_id = :new WHERE video_id = :video AND package_id = :old"
        await conn.execute(sql, values)


async def listed(
    conn: Connection, decision: Decision | None, by: By | None, below: int | None, limit: int
) -> list[Verdict]:
    """Verdicts about all videos, newest first; perhaps of one decision, or of one kind of judge."""
    sql = (
        "SELECT * FROM verdicts WHERE (:decision IS NULL OR decision = :decision) AND (:by IS NULL OR made_by = :by) "
        "AND (:below IS NULL OR number < :below) ORDER BY number DESC LIMIT :limit"
    )
    values = {"decision": decision, "by": by, "below": below, "limit": limit}
    return [_verdict(row) for row in await conn.fetch_all(sql, values)]


async def was_open(conn: Connection, verdict: Verdict) -> bool:
    """Whether the video was open to others before a verdict that opens it."""
    sql = (
        "SELECT 1 FROM verdicts WHERE video_id = :video AND id <> :id "
        "AND (clearance_after = 'open' OR clearance_before = 'open') LIMIT 1"
    )
    return await conn.fetch_one(sql, {"video": verdict.video_id, "id": verdict.id}) is not None


async def over(conn: Connection, before: Timestamp) -> list[VideoId]:
    """Videos that are gone whose verdicts may be forgotten: none of them was against it, or all are of before then."""
    sql = (
        "SELECT verdicts.video_id FROM verdicts LEFT JOIN videos ON videos.id = verdicts.video_id "
        "WHERE videos.id IS NULL GROUP BY verdicts.video_id "
        "HAVING MAX(verdicts.at) < :before OR SUM(verdicts.decision <> 'approve') = 0"
    )
    return [VideoId(row["video_id"]) for row in await conn.fetch_all(sql, {"before": before})]


async def outdated(conn: Connection, before: Timestamp) -> list[Verdict]:
    """Verdicts with evidence of before then about videos that are there, but for the newest of each."""
    sql = (
        "SELECT * FROM verdicts WHERE at < :before AND grounds LIKE '%\"size\":%' AND number NOT IN "
        "(SELECT MAX(number) FROM verdicts WHERE made_by = 'models' GROUP BY video_id) "
        "AND EXISTS (SELECT 1 FROM videos WHERE videos.id = verdicts.video_id) ORDER BY number LIMIT 1000"
    )
    found = [_verdict(row) for row in await conn.fetch_all(sql, {"before": before})]
    return [verdict for verdict in found if verdict.evidence]


async def drop_evidence(conn: Connection, verdict: Verdict) -> None:
    """Forget what a verdict rests on but for the judgement, the models and the policy."""
    grounds = _Grounds(verdict.judgement, verdict.models, verdict.gaps, (), verdict.policy)
    await conn.execute(
        "UPDATE verdicts SET grounds = :grounds WHERE id = :id",
        {"id": verdict.id, "grounds": msgspec.json.encode(grounds).decode()},
    )


async def prune(conn: Connection, before: Timestamp, kept: int, most: int) -> int:
    """Forget verdicts that people have not made: of a video all but the newest `kept` of before then, and all but the
    newest `most` of any time; how many. The newest of models stays, and the newest that opened or rejected a video."""
    sql = (
        "DELETE FROM verdicts WHERE number IN (SELECT number FROM (SELECT number, at, made_by, "
        "ROW_NUMBER() OVER (PARTITION BY video_id ORDER BY number DESC) AS place, "
        "MAX(CASE WHEN made_by = 'models' THEN number END) OVER (PARTITION BY video_id) AS last_of_models, "
        "MAX(CASE WHEN clearance_after = 'open' THEN number END) OVER (PARTITION BY video_id) AS last_open, "
        "MAX(CASE WHEN decision = 'reject' THEN number END) OVER (PARTITION BY video_id, new_file) AS last_rejection "
        "FROM verdicts) AS placed WHERE made_by IN ('models', 'trust') "
        "AND (place > :most OR (place > :kept AND at < :before)) "
        "AND number <> COALESCE(last_of_models, 0) AND number <> COALESCE(last_open, 0) "
        "AND number <> COALESCE(last_rejection, 0))"
    )
    return await conn.execute(sql, {"before": before, "kept": kept, "most": most})


async def forget(conn: Connection, video_id: VideoId) -> None:
    """Forget every verdict about a video."""
    await conn.execute("DELETE FROM verdicts WHERE video_id = :video", {"video": video_id})


def _verdict(row: Mapping[str, Any]) -> Verdict:
    grounds = msgspec.json.decode(row["grounds"], type=_Grounds)
    return Verdict(
        id=VerdictId(row["id"]),
        video_id=VideoId(row["video_id"]),
        at=row["at"],
        by=By(row["made_by"]),
        decision=Decision(row["decision"]),
        before=Clearance(row["clearance_before"]),
        after=Clearance(row["clearance_after"]),
        person_id=UserId(row["person_id"]) if row["person_id"] else None,
        person=row["person"],
        reason=row["reason"],
        note=row["note"],
        package_id=PackageId(row["package_id"]) if row["package_id"] else None,
        mark=row["mark"],
        judgement=grounds.judgement,
        models=grounds.models,
        gaps=grounds.gaps,
        evidence=grounds.evidence,
        policy=grounds.policy,
        undone_at=row["undone_at"],
        new_file=bool(row["new_file"]),
        number=row["number"],
    )
