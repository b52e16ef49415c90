"""A bucket whose server is busy, broken, stopped, full or not who it should be: nothing torn, nothing claimed."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import trustme

from streamhost.model.ids import new_id
from streamhost.ports import NotStored, StorageUnavailable
from streamhost.storage import s3_bucket, s3_leftovers
from streamhost.storage.s3 import S3Storage
from streamhost.storage.s3_bucket import Credentials, S3Bucket, credentials_from
from streamhost.storage.s3_errors import meaning
from streamhost.storage.s3_requests import S3Requests
from streamhost.testing.storage_contract import FullStorageContract, content, keys, tree
from tests.support.faults import FOR_EVER, Faults, faults_before
from tests.support.ports import free_port
from tests.support.s3 import KEYS, S3Server, s3_server

PART = 5 * 1024**2
LARGE = os.urandom(2 * PART + 12_345)
"""Three parts."""


@pytest.fixture(scope="module")
def bucket_server() -> Iterator[S3Server]:
    """A real S3 server."""
    with s3_server() as server:
        yield server


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As often as ever, but soon, a request is tried again."""
    monkeypatch.setattr(s3_bucket, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(s3_bucket, "LONGEST_WAIT", 0.05)


@pytest.fixture
def faults(bucket_server: S3Server) -> Iterator[Faults]:
    """What goes wrong between here and the server."""
    with faults_before(bucket_server.url) as proxy:
        yield proxy


@pytest.fixture
def storage(bucket_server: S3Server, faults: Faults) -> S3Storage:
    """A fresh folder of the bucket behind the proxy."""
    return S3Storage(replace(bucket_server.bucket(new_id(), faults.url), part_bytes=PART))


def a_file(folder: Path, data: bytes = LARGE) -> Path:
    """A file with that content."""
    path = folder / "source"
    path.write_bytes(data)
    return path


async def test_a_busy_server_is_asked_again(storage: S3Storage, faults: Faults) -> None:
    """503 with SlowDown is waited out, for writing, reading and deleting."""
    faults.busy = 2
    await storage.put_bytes("a", b"content")
    faults.busy = 2
    assert await content(storage, "a") == b"content"
    faults.busy = 2
    await storage.delete("a")
    assert await keys(storage) == []


async def test_a_server_that_stays_busy(storage: S3Storage, faults: Faults, tmp_path: Path) -> None:
    """In the end it is an error that says so, and the file is where it was."""
    faults.busy = FOR_EVER
    source = a_file(tmp_path)
    with pytest.raises(StorageUnavailable, match="slow down") as refusal:
        await storage.put_file("a", source)
    assert "tried again" in (refusal.value.hint or "")
    faults.busy = 0
    assert source.read_bytes() == LARGE
    assert await keys(storage) == []


@pytest.mark.parametrize("size", [1000, len(LARGE)])
async def test_connections_that_break_while_sending(
    storage: S3Storage, faults: Faults, tmp_path: Path, size: int
) -> None:
    """One that breaks costs a second try; if all break there is no object, and the file is still there."""
    faults.cut_up = 1
    await storage.put_file("a", a_file(tmp_path, LARGE[:size]))
    assert await content(storage, "a") == LARGE[:size]
    faults.cut_up = FOR_EVER
    source = a_file(tmp_path, LARGE[:size])
    with pytest.raises(StorageUnavailable):
        await storage.put_file("b", source)
    faults.cut_up = 0
    assert source.stat().st_size == size
    assert await keys(storage) == ["a"]


async def test_connections_that_break_while_reading(storage: S3Storage, faults: Faults, tmp_path: Path) -> None:
    """What is read is exactly the object, or an error: never a shorter one. No half file stays."""
    await storage.put_bytes("a", LARGE)
    faults.cut_down = 2
    assert await content(storage, "a") == LARGE
    faults.cut_down = 2
    assert (await storage.fetch("a", tmp_path)).read_bytes() == LARGE
    faults.cut_down = FOR_EVER
    with pytest.raises(StorageUnavailable):
        await content(storage, "a")
    place = tmp_path / "fetched"
    place.mkdir()
    with pytest.raises(StorageUnavailable):
        await storage.fetch("a", place)
    assert list(place.iterdir()) == []


async def test_a_reader_who_leaves_ends_the_reading(storage: S3Storage, faults: Faults) -> None:
    """Whoever stops in the middle holds nothing at the server, and no more is asked for."""
    await storage.put_bytes("a", LARGE)
    before = faults.requests
    pieces = storage.read("a")
    assert await anext(pieces)
    await pieces.aclose()  # type: ignore[attr-defined]
    async with asyncio.timeout(150):
        while faults.open:  # noqa: ASYNC110  # another thread's counter
            await asyncio.sleep(0.02)
    assert faults.requests - before <= 2


async def test_an_object_that_is_replaced_while_it_is_read(storage: S3Storage) -> None:
    """The reader gets an error, not the beginning of one and the end of another."""
    await storage.put_bytes("a", LARGE)
    pieces = storage.read("a")
    await anext(pieces)
    await storage.put_bytes("a", LARGE[::-1])
    with pytest.raises(StorageUnavailable):
        async for _ in pieces:
            continue


async def test_put_new(storage: S3Storage, tmp_path: Path) -> None:
    """What is there stays as it is, small or large; the file stays too."""
    for key, data in (("small", b"first"), ("large", LARGE)):
        source = a_file(tmp_path, data)
        assert await storage.put_new(key, source)
        source.write_bytes(b"other")
        assert not await storage.put_new(key, source)
        assert await content(storage, key) == data
        assert source.exists()


async def test_no_room_for_a_copy(storage: S3Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy is not begun where the disk has no room for it."""
    await storage.put_bytes("a", LARGE)
    monkeypatch.setattr(shutil, "disk_usage", lambda _place: SimpleNamespace(free=1000))
    with pytest.raises(StorageUnavailable) as refusal:
        await storage.fetch("a", tmp_path)
    assert "space" in (refusal.value.hint or "")
    assert list(tmp_path.iterdir()) == []


async def test_unfinished_uploads_are_swept(storage: S3Storage, bucket_server: S3Server) -> None:
    """Uploads in parts that nobody will finish are found and ended once they are old; those of others are let be."""
    requests = S3Requests(bucket_server.bucket(), KEYS)
    for name in (storage.bucket.key("a"), "somebody/else"):
        await requests.ask("POST", "begin", name, {"uploads": ""})
    [one] = [one async for one in s3_leftovers.unfinished(storage.bucket, requests)]
    assert one.name == storage.bucket.key("a")
    assert await storage.sweep(one.begun_at - 60) == 0
    assert await storage.sweep(one.begun_at + 60) == 1
    assert await storage.sweep(one.begun_at + 60) == 0


async def test_a_wrong_key_is_said_in_words(storage: S3Storage) -> None:
    """The setting is named, and neither the key nor its secret is."""
    for wrong, word in ((Credentials("nobody", "x" * 16), "know"), (Credentials("streamhost", "x" * 16), "signature")):
        with pytest.raises(StorageUnavailable, match=word) as refusal:
            await S3Storage(replace(storage.bucket, credentials=wrong)).put_bytes("a", b"a")
        assert "storage.s3_secret_access_key" in (refusal.value.hint or "")
        assert "x" * 16 not in f"{refusal.value} {refusal.value.hint} {wrong}"


async def test_a_bucket_that_is_not_there(storage: S3Storage) -> None:
    """It is an error of the storage, not an object that is missing."""
    with pytest.raises(StorageUnavailable, match="no such bucket") as refusal:
        await S3Storage(replace(storage.bucket, name="nowhere")).probe()
    assert "storage.s3_bucket" in (refusal.value.hint or "")


async def test_a_server_that_is_stopped_or_hangs(tmp_path: Path) -> None:
    """Reading and writing fail within bounds and say what to look at; when it is back everything is as it was."""
    with s3_server() as server:
        storage = S3Storage(replace(server.bucket(), part_bytes=PART))
        impatient = S3Storage(replace(server.bucket(timeout=0.5), part_bytes=PART))
        await storage.put_bytes("a", b"content")
        server.freeze()
        async with asyncio.timeout(150):
            for work in (impatient.stat("a"), impatient.put_bytes("b", b"x"), impatient.probe()):
                with pytest.raises(StorageUnavailable) as refusal:
                    await work
                assert "storage.s3_endpoint" in (refusal.value.hint or "")
        server.thaw()
        assert await content(storage, "a") == b"content"
        server.stop()
        source = a_file(tmp_path)
        with pytest.raises(StorageUnavailable, match="cannot be reached"):
            await storage.put_file("c", source)
        server.start()
        assert source.read_bytes() == LARGE
        await storage.put_file("c", source)
        assert await content(storage, "c") == LARGE
        assert await content(storage, "a") == b"content"


async def test_a_server_that_is_full(tmp_path: Path) -> None:
    """A really full server: what was stored stays whole, what is refused is not there, and the hint speaks of space."""
    with s3_server("-volume.max=1", "-master.volumeSizeLimitMB=1") as server:
        storage = S3Storage(server.bucket())
        stored: list[str] = []
        with pytest.raises(StorageUnavailable) as refusal:
            for number in range(40):
                await storage.put_file(f"{number}", a_file(tmp_path, LARGE[:2_000_000]))
                stored.append(f"{number}")
        assert "space" in (refusal.value.hint or "")
        assert stored
        assert sorted(await keys(storage)) == sorted(stored)
        for key in stored:
            assert await content(storage, key) == LARGE[:2_000_000]
        assert (tmp_path / "source").stat().st_size == 2_000_000
        left = tree(tmp_path / "out", {"0.m4s": b"0" * 500_000, "1.m4s": b"1" * 500_000})
        with pytest.raises(StorageUnavailable):
            await storage.put_tree("p/", left)
        assert len(list(left.iterdir())) == 2


class TestFullQuota(FullStorageContract):
    """A bucket with a quota that large objects do not fit."""

    @pytest.fixture
    def full(self, storage: S3Storage, faults: Faults) -> S3Storage:
        """Room for 2 MB."""
        faults.largest = 2_000_000
        return storage


async def test_a_server_with_a_certificate_of_its_own(tmp_path: Path) -> None:
    """It is trusted by the authority in the settings, and without that the error names the setting."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    port = free_port()
    options = [
        f"-s3.port.https={port}",
        f"-s3.cert.file={tmp_path / 'cert.pem'}",
        f"-s3.key.file={tmp_path / 'key.pem'}",
    ]
    with s3_server(*options) as server:
        bucket = server.bucket(url=f"https://localhost:{port}")
        trusting = S3Storage(replace(bucket, ca=authority.cert_pem.bytes()))
        await trusting.put_bytes("a", b"content")
        assert await content(trusting, "a") == b"content"
        assert await trusting.sweep(0) == 0
        with pytest.raises(StorageUnavailable) as refusal:
            await S3Storage(bucket).put_bytes("b", b"content")
        assert "storage.s3_ca_file" in (refusal.value.hint or "")


async def test_another_address_for_viewers(storage: S3Storage, bucket_server: S3Server) -> None:
    """Signed addresses lead to the public endpoint, and work there."""
    await storage.put_bytes("a", b"content")
    public = S3Storage(replace(storage.bucket, public_endpoint=bucket_server.url))
    url = await public.sign_get("a", 60)
    assert url.startswith(bucket_server.url)
    assert httpx.get(url).content == b"content"
    assert public.bucket.public_origin == bucket_server.url


def test_addresses_of_both_styles() -> None:
    """The bucket stands in the path, or in front of the host; a prefix with or without slashes is the same."""
    plain = S3Bucket("media", "/sites/a/", endpoint="https://s3.example.org/", virtual_hosted=False)
    assert (plain.base(plain.address), plain.key("b")) == ("https://s3.example.org/media", "sites/a/b")
    virtual = replace(plain, virtual_hosted=True, public_endpoint="https://cdn.example.org:8443")
    assert virtual.base(virtual.address) == "https://media.s3.example.org"
    assert virtual.public_origin == "https://media.cdn.example.org:8443"
    assert S3Bucket("media", region="eu-west-1").address == "https://s3.eu-west-1.amazonaws.com"


async def test_virtual_hosts_are_signed_for() -> None:
    """An address in that style names the bucket in its host alone."""
    bucket = S3Bucket("media", "p", "https://s3.example.org", virtual_hosted=True, credentials=KEYS)
    url = httpx.URL(await S3Storage(bucket).sign_get("videos/a.m4s", 60))
    assert (url.host, url.path) == ("media.s3.example.org", "/p/videos/a.m4s")


def test_keys_from_a_file(tmp_path: Path) -> None:
    """A profile of the file that Amazon's tools keep; what is missing is said by the names of our settings."""
    file = tmp_path / "credentials"
    file.write_text("[other]\naws_access_key_id = me\naws_secret_access_key = s%cret\n")
    assert credentials_from(file, "other") == Credentials("me", "s%cret")
    for wrong in ((file, "default"), (tmp_path / "none", "other")):
        with pytest.raises(StorageUnavailable) as refusal:
            credentials_from(*wrong)
        assert "storage.s3_credentials_file" in (refusal.value.hint or "")


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("status code: 403 Forbidden: <Code>RequestTimeTooSkewed</Code>", "clock"),
        ("status code: 301 Moved", "region"),
        ("status code: 507 Insufficient Storage", "space"),
        ("error trying to connect: dns error", "s3_endpoint"),
        ("status code: 400: <Code>ExpiredToken</Code>", "s3_session_token"),
        ("something else entirely", "storage check"),
    ],
)
def test_what_servers_say_in_words(said: str, hint: str) -> None:
    """Each situation that people meet has something that they can do."""
    assert hint in meaning(said)[1]


async def test_missing_objects_of_a_listing(storage: S3Storage) -> None:
    """Deleting what somebody else deletes at the same time is no error."""
    for number in range(30):
        await storage.put_bytes(f"p/{number}", b"x")
    counts = await asyncio.gather(storage.delete_prefix("p/"), storage.delete_prefix("p/"))
    assert sum(counts) >= 30
    with pytest.raises(NotStored):
        await storage.stat("p/0")
