"""From the settings to a storage: what is missing is named, and nothing that lies elsewhere is forgotten."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from streamhost.config import InvalidSettings, load, load_with_origins
from streamhost.features.storekeeping import MoveRuns, Places
from streamhost.features.storekeeping.moving import Mover
from streamhost.model.clock import system_clock
from streamhost.ports import StoredObject
from streamhost.storage.local import LocalStorage
from streamhost.storage.memory import MemoryStorage
from streamhost.storage.places import PlacesStorage
from streamhost.storage.s3 import S3Storage
from tests.support.house import a_house

BUCKET = {"STREAMHOST_STORAGE_BACKEND": "s3", "STREAMHOST_STORAGE_S3_BUCKET": "media"}


def places(folder: Path, environment: dict[str, str], **offered: MemoryStorage) -> Places:
    """The storages of these variables."""
    return Places(load(folder, environment).storage, folder / "media", offered)


def bucket_of(folder: Path, **environment: str) -> S3Storage:
    """The bucket of these variables."""
    storage = places(folder, BUCKET | environment).place("s3")
    assert isinstance(storage, S3Storage)
    return storage


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"STREAMHOST_STORAGE_BACKEND": "s3"}, "storage.s3_bucket"),
        (BUCKET | {"STREAMHOST_STORAGE_S3_ACCESS_KEY_ID": "me"}, "storage.s3_secret_access_key"),
        (BUCKET | {"STREAMHOST_STORAGE_S3_CA_FILE": "/nowhere.pem"}, "storage.s3_ca_file"),
        ({"STREAMHOST_STORAGE_BACKEND": "glacier"}, "storage.backend"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, environment: dict[str, str], named: str) -> None:
    """By the setting to correct, before anything is asked of a server."""
    settings = load(tmp_path, environment)
    with pytest.raises(InvalidSettings, match=named):
        Places(settings.storage, tmp_path).place(settings.storage.backend)


def test_the_extra_is_named_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its client the start ends with the line that installs it."""
    for name in [name for name in sys.modules if name.startswith(("obstore", "streamhost.storage.s3"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(InvalidSettings) as refusal:
        places(tmp_path, BUCKET).place("s3")
    assert "streamhost[s3]" in (refusal.value.hint or "")


def test_keys_by_variables_of_others(tmp_path: Path) -> None:
    """Amazon's variables count, all of them together, unless one of ours is set."""
    amazon = {"AWS_ACCESS_KEY_ID": "theirs", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}
    found = bucket_of(tmp_path, **amazon).bucket.credentials
    assert found is not None and (found.access_key_id, found.token) == ("theirs", "t")
    mine = {"STREAMHOST_STORAGE_S3_ACCESS_KEY_ID": "mine", "STREAMHOST_STORAGE_S3_SECRET_ACCESS_KEY": "x"}
    found = bucket_of(tmp_path, **amazon, **mine).bucket.credentials
    assert found is not None and (found.access_key_id, found.token) == ("mine", "")
    assert load_with_origins(tmp_path, BUCKET | amazon)[1]["storage.s3_access_key_id"] == "AWS_ACCESS_KEY_ID"
    assert bucket_of(tmp_path).bucket.credentials is None


async def test_objects_elsewhere_are_remembered(tmp_path: Path) -> None:
    """A site that changes to another storage finds there what is new, and what is old where it is; also one whose
    catalog has never noted where its objects are."""
    async with a_house(tmp_path) as house:
        assert isinstance(house.host.storage, LocalStorage)
        await house.host.storage.put_bytes("videos/a/source/a", b"old")
        async with house.host.db.write() as conn:
            await conn.execute("DELETE FROM storage_places")
        offered = {"elsewhere": MemoryStorage()}
        moved = places(tmp_path, {"STREAMHOST_STORAGE_BACKEND": "elsewhere"}, **offered)
        storage = await moved.open(house.host.db)
        assert isinstance(storage, PlacesStorage)
        assert (await storage.stat("videos/a/source/a")).size == 3
        assert moved.used == ("elsewhere", "local")


class Held(MemoryStorage):
    """Takes a file only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.let = asyncio.Event(), asyncio.Event()

    async def put_file(self, key: str, source: Path) -> StoredObject:
        """Wait, then take it."""
        self.reached.set()
        await self.let.wait()
        return await super().put_file(key, source)


async def test_one_move_at_a_time(tmp_path: Path) -> None:
    """Who moves while another moves is told so, and does no harm to what that one has on its way."""
    async with a_house(tmp_path) as house:
        await house.host.storage.put_bytes("videos/a/source/a", b"old")
        target = Held()
        moved = places(tmp_path, {"STREAMHOST_STORAGE_BACKEND": "elsewhere"}, elsewhere=target)
        await moved.open(house.host.db)
        movers = [Mover(house.host.db, moved, tmp_path, system_clock) for _ in range(2)]
        first = asyncio.create_task(movers[0].move("elsewhere", server_runs=False))
        await target.reached.wait()
        with pytest.raises(MoveRuns):
            await movers[1].move("elsewhere", server_runs=False)
        target.let.set()
        assert ((await first).objects, (await target.stat("videos/a/source/a")).size) == (1, 3)
        assert (await movers[1].move("elsewhere", server_runs=False)).objects == 0, "the next one may"
