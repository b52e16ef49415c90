"""Addresses that let whoever has one read one object of a bucket for a while, signed by our key."""

from __future__ import annotations

from datetime import timedelta

import obstore

from streamhost.storage.keys import check_key
from streamhost.storage.s3_bucket import S3Bucket
from streamhost.storage.s3_errors import translated

LONGEST = timedelta(days=7)
"""The longest life that servers accept (Signature Version 4, X-Amz-Expires)."""


class S3SignsUrls:
    """The `SignsUrls` port on a bucket: presigned addresses (Signature Version 4) at its public endpoint."""

    def __init__(self, bucket: S3Bucket) -> None:
        self._bucket = bucket
        self._store = bucket.store(bucket.public_endpoint or None)

    async def sign_get(self, key: str, seconds: float) -> str:
        """An address for GET that works for so many seconds. Nobody is asked whether the object is there."""
        life = min(LONGEST, timedelta(seconds=max(1, round(seconds))))
        try:
            return await obstore.sign_async(self._store, "GET", check_key(key), life)
        except obstore.exceptions.BaseError as error:
            raise translated(error, self._bucket, "sign an address", key) from error
