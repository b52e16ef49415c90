"""What a backup says of itself: `manifest.json`, for people and for `streamhost restore`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from streamhost.features.backup.errors import BackupDamaged, BackupTooNew
from streamhost.features.backup.sealing import Seal

FORMAT = 1
FILE = "manifest.json"
CATALOG, SECRETS, KEYRINGS, SETTINGS = "catalog.sqlite3", "secrets.json", "keyrings.json", "streamhost.toml"
"""Parts, by the names that they have in a data directory."""
IN_FORCE = "settings-in-force.json"
"""What was set, wherever it came from, without secrets: to read, never restored."""
SITE = "site.tar"
"""The folders that a site fills by hand, such as its own templates of mails."""
MEDIA_LIST = "media.jsonl"
"""One line for each stored object, ordered by key."""
MEDIA, UPLOADS = "media/", "uploads/"
"""What the names of stored objects, and of unfinished uploads, begin with."""
NAME = re.compile(r"streamhost-(?P<instance>[0-9a-f]{8})-(?P<moment>[0-9]{8}T[0-9]{9}Z)")
"""The name of a backup: the beginning of the instance's id, and when it was made, so that names sort by age."""
LARGEST = 16 * 1024**2
"""Bytes of a manifest; ours have some thousand."""
_SAFE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a backup as it lies there. `etag` is what the storage said of a stored object."""

    name: str
    size: int
    sha256: str
    etag: str = ""

    def line(self) -> bytes:
        """The line of the list of media."""
        return json.dumps(asdict(self), separators=(",", ":")).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """The media in a backup: how many objects and bytes, and in which storage they lay."""

    objects: int
    size: int
    place: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything about a backup but the list of its media. `step` is the newest step of the catalog's schema."""

    name: str
    instance: str
    site: str
    made_at: str
    version: str
    step: str
    parts: tuple[Part, ...]
    holds: tuple[str, ...] = ()
    leaves_out: tuple[str, ...] = ()
    media: MediaFacts | None = None
    seal: Mapping[str, Any] | None = None
    unfinished: tuple[Part, ...] = field(default=())
    """Uploads that were on their way."""

    @property
    def size(self) -> int:
        """Bytes of all parts, media too."""
        return sum(part.size for part in (*self.parts, *self.unfinished)) + (self.media.size if self.media else 0)

    def part(self, name: str) -> Part | None:
        """The part of that name, if there is one."""
        return next((part for part in self.parts if part.name == name), None)

    def text(self, seal: Seal | None) -> bytes:
        """The file. Under a passphrase it carries a code, which only the passphrase can make."""
        document: dict[str, Any] = {"format": FORMAT, **asdict(self)}
        if seal is not None:
            document["code"] = seal.authenticate(_plain(document))
        return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


def _plain(document: Mapping[str, Any]) -> bytes:
    """One spelling of the manifest without its code."""
    kept = {name: value for name, value in document.items() if name != "code"}
    return json.dumps(kept, sort_keys=True, separators=(",", ":")).encode()


def parsed(text: bytes) -> tuple[Manifest, bytes, str]:
    """The manifest that a file holds, what is authenticated of it, and the code for that (empty: none).

    Raises `BackupDamaged`, `BackupTooNew`."""
    try:
        document = json.loads(text)
        if document["format"] > FORMAT:
            raise BackupTooNew(f"It has the format {int(document['format'])}, made by {document.get('version')}.")
        media = document["media"]
        manifest = Manifest(
            name=str(document["name"]),
            instance=str(document["instance"]),
            site=str(document["site"]),
            made_at=str(document["made_at"]),
            version=str(document["version"]),
            step=str(document["step"]),
            parts=tuple(_part(part) for part in document["parts"]),
            holds=tuple(map(str, document["holds"])),
            leaves_out=tuple(map(str, document["leaves_out"])),
            media=MediaFacts(int(media["objects"]), int(media["size"]), str(media["place"])) if media else None,
            seal=document["seal"],
            unfinished=tuple(_part(part) for part in document["unfinished"]),
        )
        return manifest, _plain(document), str(document.get("code", ""))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BackupDamaged("Its manifest cannot be read.") from error


def media_part(line: bytes) -> Part:
    """One line of the list of media. Raises `BackupDamaged`."""
    try:
        return _part(json.loads(line))
    except (KeyError, TypeError, ValueError) as error:
        raise BackupDamaged(f"{MEDIA_LIST} cannot be read.") from error


def _part(said: Mapping[str, Any]) -> Part:
    part = Part(str(said["name"]), int(said["size"]), str(said["sha256"]), str(said["etag"]))
    if not _SAFE.fullmatch(part.name):
        raise ValueError("a name that leads elsewhere")
    return part
