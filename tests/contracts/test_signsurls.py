"""The contract of signed addresses, run on every implementation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streamhost.model.ids import new_id
from streamhost.ports import NotStored, SignsUrls, Storage
from streamhost.storage.local import LocalStorage
from streamhost.storage.places import PlacesSignsUrls, PlacesStorage
from streamhost.storage.s3 import S3Storage
from streamhost.storage.s3_urls import S3SignsUrls
from streamhost.testing.signing_contract import KEY, SignsUrlsContract
from tests.support.s3 import S3Server, s3_server


@pytest.fixture(scope="module")
def bucket_server() -> Iterator[S3Server]:
    """A real S3 server."""
    with s3_server() as server:
        yield server


class TestS3(SignsUrlsContract):
    """`S3SignsUrls`, at the server's own address."""

    @pytest.fixture
    def storage(self, bucket_server: S3Server) -> Storage:
        """A folder of the bucket."""
        return S3Storage(bucket_server.bucket(new_id()))

    @pytest.fixture
    def signs(self, storage: S3Storage) -> SignsUrls:
        """The same bucket's."""
        assert isinstance(storage.urls, S3SignsUrls)
        return storage.urls


class TestPlaces(SignsUrlsContract):
    """`PlacesSignsUrls`, for what lies in the first of two places."""

    @pytest.fixture
    def storage(self, bucket_server: S3Server, tmp_path: Path) -> Storage:
        """New things go into the bucket."""
        return PlacesStorage(S3Storage(bucket_server.bucket(new_id())), [LocalStorage(tmp_path)])

    @pytest.fixture
    def signs(self, storage: PlacesStorage) -> SignsUrls:
        """The first place's."""
        assert isinstance(storage.first, S3Storage)
        return PlacesSignsUrls(storage, storage.first)

    async def test_what_lies_elsewhere_is_not_signed(self, storage: PlacesStorage, signs: SignsUrls) -> None:
        """An object of another place has no address, so that whoever asked takes another way to it."""
        await storage.others[0].put_bytes(KEY, b"old")
        with pytest.raises(NotStored):
            await signs.sign_get(KEY, 60)
