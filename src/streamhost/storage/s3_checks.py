"""What a bucket must do besides storing objects, as steps that `streamhost storage check` tries."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import obstore
from obstore.store import S3Store

from streamhost.model.clock import MINUTE
from streamhost.ports import StorageUnavailable
from streamhost.storage import s3_leftovers
from streamhost.storage.abilities import Check
from streamhost.storage.s3_bucket import Credentials, S3Bucket
from streamhost.storage.s3_errors import translated
from streamhost.storage.s3_requests import Answer, S3Requests
from streamhost.storage.s3_urls import S3SignsUrls

PART = 5 * 1024**2
"""The smallest part that servers take unless it is the last."""
SKEW_ALLOWED = 15 * MINUTE
"""Servers refuse signatures by clocks that differ more."""
SKEW_NOTED = MINUTE
LIFE = 300.0
NULL_ORIGIN = "null"
"""What browsers say of themselves after a redirect that crosses sites twice, as for players on other sites."""
RULES = (
    "Allow GET and HEAD from AllowedOrigin * (addresses are signed, so an origin protects nothing) in the CORS rules "
)
RULES += "of the bucket; docs/how-to/s3.md has a file for that."


def steps(
    bucket: S3Bucket, store: S3Store, urls: S3SignsUrls, folder: str, origin: str, *, by_viewers: bool
) -> list[Check]:
    """The steps for a bucket; they may store things below `folder`, and leave them there."""
    requests = S3Requests(bucket, bucket.credentials or Credentials("", ""))
    key = f"{folder}signed.bin"
    content = bytes(range(200))

    async def clock() -> str:
        before = time.time()
        answer = await requests.send("HEAD", sign=False)
        said = answer.headers.get("date")
        if not said:
            return "The server does not tell its time; signatures are accepted."
        skew = parsedate_to_datetime(said).timestamp() - (before + time.time()) / 2
        if abs(skew) > SKEW_ALLOWED:
            detail = f"The clocks differ by {skew:.0f} seconds."
            raise StorageUnavailable(detail, hint="Set the clock of this machine, best by NTP.")
        return f"The clocks differ by {abs(skew):.0f} s{', which is much' if abs(skew) > SKEW_NOTED else ''}."

    async def multipart() -> str:
        try:
            await obstore.put_async(
                store, f"{folder}parts.bin", bytes(PART + 1000), use_multipart=True, chunk_size=PART
            )
            size = (await obstore.head_async(store, f"{folder}parts.bin"))["size"]
        except (obstore.exceptions.BaseError, OSError) as error:
            raise translated(error, bucket, "take an upload in parts", folder) from error
        if size != PART + 1000:
            raise StorageUnavailable(f"{size} of {PART + 1000} bytes are there after an upload in parts.")
        return "An upload in parts arrived whole."

    async def unfinished() -> str:
        if bucket.credentials is None:
            hint = "Give the bucket a lifecycle rule that ends unfinished uploads (AbortIncompleteMultipartUpload)."
            raise StorageUnavailable("Without keys in the settings this program cannot do that.", hint=hint)
        number = sum([1 async for _ in s3_leftovers.unfinished(bucket, requests)])
        return f"Unfinished uploads can be listed; there are {number}."

    async def signed() -> str:
        await obstore.put_async(store, key, content, use_multipart=False)
        url = await urls.sign_get(key, LIFE)
        whole = await requests.visit(url)
        part = await requests.visit(url, headers={"Range": "bytes=10-19"})
        if whole.status != 200 or whole.body != content:
            raise StorageUnavailable(
                f"A signed address was answered with {whole.status}.", hint="Check storage.s3_public_endpoint."
            )
        if part.status != 206 or part.body != content[10:20]:
            raise StorageUnavailable(f"A range of a signed address was answered with {part.status}.")
        if (await requests.visit(url.partition("?")[0])).status == 200:
            raise StorageUnavailable(
                "Without a signature the object is readable too.",
                hint="Take public access away from the bucket: everybody who guesses an address sees private videos.",
            )
        return f"Signed addresses at {bucket.public_origin} work, and nothing is readable without one."

    async def cors() -> str:
        url = await urls.sign_get(key, LIFE)
        for one in (origin, NULL_ORIGIN):
            answer = await requests.visit(url, headers={"Origin": one, "Range": "bytes=0-9"})
            if not allows(answer, one):
                said = answer.headers.get("access-control-allow-origin", "nothing")
                raise StorageUnavailable(f"Pages of {one} may not read: the bucket allows {said}.", hint=RULES)
        return f"Pages of {origin}, and players on other sites, may read."

    return [
        Check("clock", clock, needs_write=False),
        Check("multipart", multipart),
        Check("unfinished", unfinished, needed=False, needs_write=False),
        Check("signed", signed, needed=by_viewers),
        Check("cors", cors, needed=by_viewers),
    ]


def allows(answer: Answer, origin: str) -> bool:
    """Whether a browser lets a page of that origin read the answer."""
    return answer.status < 300 and answer.headers.get("access-control-allow-origin") in ("*", origin)
