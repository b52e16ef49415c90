"""Whose videos the files of a folder become, and how."""

from __future__ import annotations

from dataclasses import dataclass

from streamhost.config import ImportSettings
from streamhost.db import users
from streamhost.db.core import Connection, Database
from streamhost.features.imports.details import tags_of
from streamhost.features.imports.errors import ImportNoOwner
from streamhost.features.imports.folders import Folders
from streamhost.model.accounts import Role, User
from streamhost.model.imports import ImportFile, Policy, shown
from streamhost.model.videos import Visibility


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one file once everything was heard."""

    owner: User
    policy: Policy
    visibility: Visibility
    tags: tuple[str, ...]


class Owners:
    """Reads what settings, wishes and the names of folders say."""

    def __init__(self, db: Database, settings: ImportSettings, folders: Folders) -> None:
        self._db = db
        self._settings = settings
        self._folders = folders

    async def terms(self, file: ImportFile) -> Terms:
        """What holds for a file. Raises `ImportNoOwner`."""
        folders = subfolders(file)
        async with self._db.read() as conn:
            named = await users.by_email(conn, folders[0]) if folders and "@" in folders[0] else None
            owner = named or await self._owner(conn, file)
        if owner.disabled_at is not None:
            raise ImportNoOwner(f"The account {owner.email} is disabled.")
        tags = folders[1:] if named else folders
        wished = file.wishes
        return Terms(
            owner=owner,
            policy=wished.policy or self._folders.policy(file.root),
            visibility=wished.visibility or Visibility(self._settings.visibility),
            tags=tuple(tags_of([*wished.tags, *(tags if self._settings.folder_tags else ())])),
        )

    async def _owner(self, conn: Connection, file: ImportFile) -> User:
        if file.wishes.owner_id is not None:
            owner = await users.get(conn, file.wishes.owner_id)
            if owner is None:
                raise ImportNoOwner("The account that it was imported for is gone.")
            return owner
        if self._settings.owner:
            owner = await users.by_email(conn, self._settings.owner)
            if owner is None:
                raise ImportNoOwner(f"There is no account {self._settings.owner}.")
            return owner
        everybody = await users.everybody(conn)
        admins = [user for user in everybody if user.role is Role.ADMIN and user.disabled_at is None]
        if not admins:
            raise ImportNoOwner
        return admins[0]


def subfolders(file: ImportFile) -> list[str]:
    """The names of the folders between the one that was searched and the file."""
    between = file.folder[len(file.root) :].strip(b"/")
    return [shown(part) for part in between.split(b"/")] if between else []
