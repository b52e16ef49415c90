"""Uploads in parts that were begun in a bucket and never finished: they cost room, and no listing of objects shows
them. Our own client removes its own when it fails; a process that was killed could not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from streamhost.model.clock import Timestamp
from streamhost.storage.s3_bucket import S3Bucket
from streamhost.storage.s3_requests import S3Requests


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An upload in parts: the whole name of its object, its id, and when it was begun."""

    name: str
    id: str
    begun_at: Timestamp


async def unfinished(bucket: S3Bucket, requests: S3Requests) -> AsyncIterator[Unfinished]:
    """Every unfinished upload below the bucket's prefix (ListMultipartUploads)."""
    query = {"uploads": "", "prefix": bucket.key("")}
    while True:
        page = (await requests.ask("GET", "list unfinished uploads", query=query)).xml()
        for node in page.iter("Upload"):
            name, upload_id = node.findtext("Key", ""), node.findtext("UploadId", "")
            begun = node.findtext("Initiated", "")
            if name.startswith(bucket.key("")) and upload_id and begun:
                yield Unfinished(name, upload_id, datetime.fromisoformat(begun).timestamp())
        following = page.findtext("NextKeyMarker", ""), page.findtext("NextUploadIdMarker", "")
        if page.findtext("IsTruncated") != "true" or not any(following):
            return
        query |= {"key-marker": following[0], "upload-id-marker": following[1]}


async def sweep(bucket: S3Bucket, requests: S3Requests, before: Timestamp) -> int:
    """End what was begun before a moment (AbortMultipartUpload); how many there were."""
    old = [one async for one in unfinished(bucket, requests) if one.begun_at < before]
    for one in old:
        await requests.ask("DELETE", "end an unfinished upload", one.name, {"uploadId": one.id})
    return len(old)
