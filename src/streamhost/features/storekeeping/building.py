"""From the settings to the storage that everything else uses."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Protocol, cast

from streamhost.config import InvalidSettings, StorageSettings
from streamhost.db import storage_places as rows
from streamhost.db.core import Database
from streamhost.ports import SignsUrls, Storage, StoredObject
from streamhost.storage.local import LocalStorage
from streamhost.storage.places import PlacesSignsUrls, PlacesStorage

LOCAL, S3 = "local", "s3"
LOCAL_FOLDER = "media"
"""Where the local storage lies in the data directory."""


async def first_of(storage: Storage) -> AsyncIterator[StoredObject]:
    """The first object of a storage, if it has any."""
    async for stored in storage.list():
        yield stored
        return


class _Bucket(Protocol):
    public_origin: str


class Places:
    """The storages that can be used here, by name; each is built when it is first asked for."""

    def __init__(self, settings: StorageSettings, media: Path, offered: Mapping[str, Storage] | None = None) -> None:
        """`media`: the folder of the local storage. `offered`: storages of plugins."""
        self._settings = settings
        self._media = media
        self._built: dict[str, Storage] = dict(offered or {})
        self.used: tuple[str, ...] = (settings.backend,)
        """Storages in which objects may lie; `open` finds out."""

    @property
    def name(self) -> str:
        """The storage that takes what is new."""
        return self._settings.backend

    def place(self, name: str) -> Storage:
        """One storage. Raises `InvalidSettings` for one that is not there or not set up."""
        if name not in self._built:
            if name == LOCAL:
                self._built[name] = LocalStorage(self._media)
            elif name == S3:
                self._built[name] = _s3(self._settings)
            else:
                known = ", ".join(sorted({LOCAL, S3, *self._built}))
                raise InvalidSettings(f"storage.backend: there is no storage {name}; there are {known}.")
        return self._built[name]

    def whole(self, also: Iterable[str]) -> Storage:
        """The storage of the settings; where objects lie in others as well, all of them as one."""
        first = self.place(self._settings.backend)
        others = [self.place(name) for name in sorted(set(also) - {self._settings.backend})]
        return PlacesStorage(first, others) if others else first

    async def open(self, db: Database) -> Storage:
        """The storage of the settings, together with every other that the catalog knows to hold objects."""
        async with db.read() as conn:
            known = [place.name for place in await rows.all_of(conn)]
        if not known and self.name != LOCAL and [stored async for stored in first_of(self.place(LOCAL))]:
            # An instance from before this was noted.
            known = [LOCAL]
        self.used = tuple(sorted({*known, self.name}))
        return self.whole(known)

    def signs(self, storage: Storage) -> SignsUrls | None:
        """What signs addresses for objects of the whole storage; None where nothing can."""
        if isinstance(storage, PlacesStorage):
            signs = self.signs(storage.first)
            return PlacesSignsUrls(storage, signs) if signs else None
        return cast("SignsUrls", storage) if hasattr(storage, "sign_get") else None

    def origin(self) -> str:
        """Where signed addresses of the settings' bucket lead: scheme, host and port; empty if there is none."""
        storage = self.place(self._settings.backend)
        bucket = cast("_Bucket | None", getattr(storage, "bucket", None))
        return bucket.public_origin if bucket else ""


def _s3(settings: StorageSettings) -> Storage:
    if not settings.s3_bucket:
        raise InvalidSettings('storage.s3_bucket: storage.backend = "s3" needs it.')
    try:
        setting_up = importlib.import_module("streamhost.storage.s3_setting_up")
    except ModuleNotFoundError as error:
        detail = f'storage.backend = "s3" needs a part that is not installed: {error.name}.'
        raise InvalidSettings(detail, hint="pip install 'streamhost[s3]'") from error
    return cast(Storage, setting_up.storage_of(settings))
