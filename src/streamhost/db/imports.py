"""Rows of `import_files` and `import_scans`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from streamhost.db.core import Connection, Row
from streamhost.model.clock import Timestamp
from streamhost.model.ids import ImportId, UserId, VideoId
from streamhost.model.imports import (
    ImportFile,
    ImportFolder,
    ImportState,
    Mark,
    Policy,
    Sidecar,
    SidecarKind,
    Wishes,
)
from streamhost.model.videos import Failure, Visibility

_COLUMNS = (
    "id",
    "root",
    "folder",
    "path",
    "name",
    "identity",
    "size",
    "mtime_ns",
    "fingerprint",
    "sha256",
    "state",
    "error_code",
    "error_detail",
    "error_hint",
    "retry_at",
    "video_id",
    "staged_key",
    "imported_at",
    "policy",
    "sidecars",
    "owed",
    "wishes",
    "created_at",
    "updated_at",
)
_SELECT = f"SELECT {', '.join('import_files.' + name for name in _COLUMNS)} FROM import_files"
_PUT = (
    f"INSERT INTO import_files ({', '.join(_COLUMNS)}) VALUES ({', '.join(':' + name for name in _COLUMNS)}) "
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = :{name}' for name in _COLUMNS if name != 'id')}"
)
_AT_ONCE = 400
"""Values in one `IN (…)`: below what every database takes."""
UNFINISHED = "('received', 'processing')"


def _failure(row: Row) -> Failure | None:
    return Failure(row["error_code"], row["error_detail"] or "", row["error_hint"]) if row["error_code"] else None


def _file(row: Row) -> ImportFile:
    wishes = json.loads(row["wishes"])
    return ImportFile(
        id=row["id"],
        root=row["root"],
        folder=row["folder"],
        path=row["path"],
        name=row["name"],
        mark=Mark(row["identity"], row["size"], row["mtime_ns"]),
        state=ImportState(row["state"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        fingerprint=row["fingerprint"],
        sha256=row["sha256"],
        error=_failure(row),
        retry_at=row["retry_at"],
        video_id=row["video_id"],
        staged_key=row["staged_key"],
        imported_at=row["imported_at"],
        policy=Policy(row["policy"]) if row["policy"] else None,
        sidecars=tuple(Sidecar(**one | {"kind": SidecarKind(one["kind"])}) for one in json.loads(row["sidecars"])),
        wishes=Wishes(
            policy=Policy(wishes["policy"]) if wishes.get("policy") else None,
            owner_id=UserId(wishes["owner_id"]) if wishes.get("owner_id") else None,
            visibility=Visibility(wishes["visibility"]) if wishes.get("visibility") else None,
            tags=tuple(wishes.get("tags", ())),
        ),
    )


def _row(file: ImportFile) -> dict[str, Any]:
    error = file.error
    return {
        "id": file.id,
        "root": file.root,
        "folder": file.folder,
        "path": file.path,
        "name": file.name,
        "identity": file.mark.identity,
        "size": file.mark.size,
        "mtime_ns": file.mark.mtime_ns,
        "fingerprint": file.fingerprint,
        "sha256": file.sha256,
        "state": file.state.value,
        "error_code": error.code if error else None,
        "error_detail": error.detail if error else None,
        "error_hint": error.hint if error else None,
        "retry_at": file.retry_at,
        "video_id": file.video_id,
        "staged_key": file.staged_key,
        "imported_at": file.imported_at,
        "policy": file.policy.value if file.policy else None,
        "sidecars": json.dumps([asdict(one) for one in file.sidecars]),
        "owed": int(file.owed),
        "wishes": json.dumps({name: value for name, value in asdict(file.wishes).items() if value}),
        "created_at": file.created_at,
        "updated_at": file.updated_at,
    }


async def put(conn: Connection, file: ImportFile) -> None:
    """Add a file, or write down all that is now known of it."""
    await conn.execute(_PUT, _row(file))


async def delete(conn: Connection, file_id: ImportId) -> bool:
    """Forget a file; False if it was not known."""
    return await conn.execute("DELETE FROM import_files WHERE id = :id", {"id": file_id}) == 1


async def get(conn: Connection, file_id: ImportId) -> ImportFile | None:
    """One file."""
    row = await conn.fetch_one(f"{_SELECT} WHERE id = :id", {"id": file_id})
    return _file(row) if row else None


async def at(conn: Connection, path: bytes) -> ImportFile | None:
    """The file at a path."""
    row = await conn.fetch_one(f"{_SELECT} WHERE path = :path", {"path": path})
    return _file(row) if row else None


async def known_paths(conn: Connection, paths: Sequence[bytes]) -> set[bytes]:
    """Which of these paths have a row."""
    known: set[bytes] = set()
    for start in range(0, len(paths), _AT_ONCE):
        names = {f"p{number}": one for number, one in enumerate(paths[start : start + _AT_ONCE])}
        sql = f"SELECT path FROM import_files WHERE path IN ({', '.join(':' + name for name in names)})"
        known |= {row["path"] for row in await conn.fetch_all(sql, names)}
    return known


async def in_folder(conn: Connection, folder: bytes) -> list[ImportFile]:
    """The files that are known to lie in just this folder."""
    sql = f"{_SELECT} WHERE folder = :folder AND path IS NOT NULL ORDER BY path"
    return [_file(row) for row in await conn.fetch_all(sql, {"folder": folder})]


async def folders_below(conn: Connection, folder: bytes) -> set[bytes]:
    """The folders at and below one in which files are known."""
    # '0' follows '/' in every encoding of paths, so this range holds just what begins with the folder and a slash.
    sql = """SELECT DISTINCT folder FROM import_files
        WHERE path IS NOT NULL AND (folder = :folder OR (folder > :first AND folder < :last))"""
    values = {"folder": folder, "first": folder + b"/", "last": folder + b"0"}
    return {row["folder"] for row in await conn.fetch_all(sql, values)}


async def below(conn: Connection, folder: bytes) -> list[ImportId]:
    """The files that lie, or lay before they were moved away, in a folder or below it."""
    sql = """SELECT id FROM import_files WHERE folder = :folder OR (folder > :first AND folder < :last)
        ORDER BY folder, name"""
    values = {"folder": folder, "first": folder + b"/", "last": folder + b"0"}
    return [ImportId(row["id"]) for row in await conn.fetch_all(sql, values)]


async def by_identity(conn: Connection, identities: Sequence[str]) -> dict[str, list[ImportFile]]:
    """The files with one of these identities that still have a path."""
    found: dict[str, list[ImportFile]] = {}
    for start in range(0, len(identities), _AT_ONCE):
        names = {f"i{number}": one for number, one in enumerate(identities[start : start + _AT_ONCE])}
        marks = ", ".join(":" + name for name in names)
        sql = f"{_SELECT} WHERE path IS NOT NULL AND identity IN ({marks})"
        for row in await conn.fetch_all(sql, names):
            found.setdefault(row["identity"], []).append(_file(row))
    return found


async def like(conn: Connection, file: ImportFile, fingerprint: str) -> list[ImportFile]:
    """Other files with this fingerprint and size that have become videos, of which the video is still there."""
    sql = f"""{_SELECT} JOIN videos ON videos.id = import_files.video_id
        WHERE import_files.fingerprint = :fingerprint AND import_files.size = :size AND import_files.id <> :id
        AND import_files.imported_at IS NOT NULL ORDER BY import_files.created_at"""
    values = {"fingerprint": fingerprint, "size": file.mark.size, "id": file.id}
    return [_file(row) for row in await conn.fetch_all(sql, values)]


async def settling(conn: Connection, before: Timestamp, limit: int) -> list[ImportFile]:
    """Files that have not been looked at since a moment and may be whole, longest waiting first."""
    sql = f"{_SELECT} WHERE state = 'settling' AND updated_at <= :before ORDER BY updated_at, path LIMIT :limit"
    return [_file(row) for row in await conn.fetch_all(sql, {"before": before, "limit": limit})]


async def waiting(conn: Connection, now: Timestamp, limit: int) -> list[ImportFile]:
    """Files whose turn it is, in the order in which they were seen."""
    sql = f"""{_SELECT} WHERE state = 'waiting' AND (retry_at IS NULL OR retry_at <= :now)
        ORDER BY created_at, path LIMIT :limit"""
    return [_file(row) for row in await conn.fetch_all(sql, {"now": now, "limit": limit})]


async def owing(conn: Connection, now: Timestamp, limit: int) -> list[ImportFile]:
    """Imported files beside which something is still to be done."""
    sql = f"""{_SELECT} WHERE owed = 1 AND state = 'imported' AND (retry_at IS NULL OR retry_at <= :now)
        ORDER BY updated_at LIMIT :limit"""
    return [_file(row) for row in await conn.fetch_all(sql, {"now": now, "limit": limit})]


async def underway(conn: Connection) -> int:
    """How many files are being taken in, or are videos that are still being made."""
    sql = f"""SELECT
        (SELECT COUNT(*) FROM import_files WHERE state = 'taking') + (SELECT COUNT(*) FROM import_files
            JOIN videos ON videos.id = import_files.video_id
            WHERE import_files.state = 'imported' AND videos.state IN {UNFINISHED} AND videos.paused = 0) AS number"""
    row = await conn.fetch_one(sql)
    return int(row["number"]) if row else 0


async def busy(conn: Connection) -> bool:
    """Whether anything settles, waits or owes."""
    sql = "SELECT 1 FROM import_files WHERE state IN ('settling', 'waiting') OR owed = 1 LIMIT 1"
    return await conn.fetch_one(sql) is not None


async def missing_before(conn: Connection, root: bytes, moment: Timestamp) -> list[ImportFile]:
    """Files of a folder that have been missing since before a moment."""
    sql = f"{_SELECT} WHERE root = :root AND state = 'missing' AND updated_at <= :moment"
    return [_file(row) for row in await conn.fetch_all(sql, {"root": root, "moment": moment})]


async def counts(conn: Connection, root: bytes | None = None) -> dict[ImportState, int]:
    """How many files there are by state, of one folder or of all."""
    sql = """SELECT state, COUNT(*) AS number FROM import_files WHERE (:root IS NULL OR root = :root) GROUP BY state"""
    return {ImportState(row["state"]): row["number"] for row in await conn.fetch_all(sql, {"root": root})}


async def listed(
    conn: Connection,
    state: ImportState | None,
    root: bytes | None,
    before: tuple[Timestamp, ImportId] | None,
    limit: int,
) -> list[ImportFile]:
    """Files in a state, or all, newest change first; `before` is where the last page ended."""
    sql = f"""{_SELECT} WHERE (:state IS NULL OR state = :state) AND (:root IS NULL OR root = :root)
        AND (:moment IS NULL OR updated_at < :moment OR (updated_at = :moment AND id < :last))
        ORDER BY updated_at DESC, id DESC LIMIT :limit"""
    values = {
        "state": state.value if state else None,
        "root": root,
        "moment": before[0] if before else None,
        "last": before[1] if before else None,
        "limit": limit,
    }
    return [_file(row) for row in await conn.fetch_all(sql, values)]


async def of_state(conn: Connection, states: Iterable[ImportState]) -> list[ImportFile]:
    """Every file in one of these states."""
    names = {f"s{number}": state.value for number, state in enumerate(states)}
    sql = f"{_SELECT} WHERE state IN ({', '.join(':' + name for name in names)}) ORDER BY created_at, path"
    return [_file(row) for row in await conn.fetch_all(sql, names)]


class VideoFacts(NamedTuple):
    """What a list of imports tells of a video."""

    title: str
    state: str
    progress: float
    error: Failure | None


async def videos_of(conn: Connection, files: Sequence[ImportFile]) -> dict[VideoId, VideoFacts]:
    """The videos that are still there of those that these files have become."""
    ids = sorted({file.video_id for file in files if file.video_id})
    found: dict[VideoId, VideoFacts] = {}
    for start in range(0, len(ids), _AT_ONCE):
        names: Mapping[str, Any] = {f"v{number}": one for number, one in enumerate(ids[start : start + _AT_ONCE])}
        sql = f"""SELECT id, title, state, progress, error_code, error_detail, error_hint FROM videos
            WHERE id IN ({", ".join(":" + name for name in names)})"""
        for row in await conn.fetch_all(sql, names):
            found[VideoId(row["id"])] = VideoFacts(row["title"], row["state"], row["progress"], _failure(row))
    return found


async def put_scan(conn: Connection, scan: ImportFolder) -> None:
    """Write down how the search of a folder goes."""
    columns = ("root", "begun_at", "ended_at", "files", "news", "error_code", "error_detail", "error_hint")
    error = scan.error
    values = {
        "root": scan.root,
        "begun_at": scan.begun_at,
        "ended_at": scan.ended_at,
        "files": scan.files,
        "news": scan.news,
        "error_code": error.code if error else None,
        "error_detail": error.detail if error else None,
        "error_hint": error.hint if error else None,
    }
    await conn.execute(
        f"INSERT INTO import_scans ({', '.join(columns)}) VALUES ({', '.join(':' + name for name in columns)}) "
        f"ON CONFLICT (root) DO UPDATE SET {', '.join(f'{name} = :{name}' for name in columns[1:])}",
        values,
    )


async def scans(conn: Connection) -> list[ImportFolder]:
    """Every folder that was searched, by name."""
    names = ("root", "begun_at", "ended_at", "files", "news")
    rows = await conn.fetch_all("SELECT * FROM import_scans ORDER BY root")
    return [ImportFolder(**{name: row[name] for name in names}, error=_failure(row)) for row in rows]
