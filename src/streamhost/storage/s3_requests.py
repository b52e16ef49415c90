"""Requests to a bucket that its client does not know: unfinished uploads, the rules for other origins, the clock.

Signed by hand (AWS Signature Version 4, "Authenticating Requests: Using the Authorization Header"), since there are few
of them; each opens a connection of its own, in a thread.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import http.client
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

from streamhost.ports import StorageUnavailable
from streamhost.storage.s3_bucket import Credentials, S3Bucket
from streamhost.storage.s3_errors import meaning

LARGEST_ANSWER = 8 * 1024**2
"""A page of a thousand entries has about a tenth of that."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (names in lower case) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def xml(self) -> ElementTree.Element:
        """The document, its names without their name space. Raises `StorageUnavailable` for one that is none."""
        if b"<!DOCTYPE" in self.body or b"<!ENTITY" in self.body:
            raise StorageUnavailable("The storage server answered with a document that declares entities.")
        try:
            root = ElementTree.fromstring(self.body)  # noqa: S314  # no document with entities comes so far
        except ElementTree.ParseError as error:
            raise StorageUnavailable("The storage server answered with something that is no XML.") from error
        for node in root.iter():
            node.tag = node.tag.rpartition("}")[2]
        return root


class S3Requests:
    """Single requests to a bucket, by its credentials."""

    def __init__(self, bucket: S3Bucket, credentials: Credentials) -> None:
        self._bucket = bucket
        self._credentials = credentials

    async def send(
        self,
        method: str,
        key: str = "",
        query: Mapping[str, str] | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        sign: bool = True,
    ) -> Answer:
        """Send one; any status is an answer. `key` is the whole name in the bucket, empty for the bucket itself.

        Raises `StorageUnavailable` where none comes."""
        return await asyncio.to_thread(self._send, method, key, query or {}, body, headers or {}, sign)

    async def ask(
        self, method: str, doing: str, key: str = "", query: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """As `send`, but raises `StorageUnavailable` for every status but success; `doing` such as `list uploads`."""
        answer = await self.send(method, key, query, body)
        if answer.status >= http.HTTPStatus.MULTIPLE_CHOICES:
            reason, hint = meaning(f"status {answer.status} {answer.body[:4000].decode('utf-8', 'replace')}")
            raise StorageUnavailable(f"The server at {self._bucket.address} did not {doing}: {reason}.", hint=hint)
        return answer

    async def visit(self, url: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
        """Ask as a browser would: any address, no credentials. Raises `StorageUnavailable` where no answer comes."""
        parts = urlsplit(url)
        place = f"{parts.path}?{parts.query}" if parts.query else parts.path or "/"
        return await asyncio.to_thread(self._exchange, parts.scheme, parts.netloc, method, place, b"", headers or {})

    def _send(
        self, method: str, key: str, query: Mapping[str, str], body: bytes, extra: Mapping[str, str], sign: bool
    ) -> Answer:
        parts = urlsplit(self._bucket.base(self._bucket.address))
        path = quote(f"{parts.path}/{key}" if key else parts.path or "/", safe="/-_.~")
        line = "&".join(f"{_quoted(name)}={_quoted(text)}" for name, text in sorted(query.items()))
        headers = dict(extra)
        if body:
            headers["content-md5"] = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        if sign:
            headers |= signed_headers(
                method, parts.netloc, path, line, body, self._bucket.region, self._credentials, time.gmtime()
            )
        place = f"{path}?{line}" if line else path
        return self._exchange(parts.scheme, parts.netloc, method, place, body, headers)

    def _exchange(
        self, scheme: str, host: str, method: str, place: str, body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        connection = self._connection(scheme, host)
        try:
            connection.request(method, place, body or None, dict(headers))
            came = connection.getresponse()
            named = {name.lower(): text for name, text in came.getheaders()}
            return Answer(came.status, named, came.read(LARGEST_ANSWER))
        except (OSError, http.client.HTTPException) as error:
            reason, hint = meaning(f"{type(error).__name__} {error}")
            raise StorageUnavailable(f"The server at {scheme}://{host} did not answer: {reason}.", hint=hint) from error
        finally:
            connection.close()

    def _connection(self, scheme: str, host: str) -> http.client.HTTPConnection:
        if scheme == "http":
            return http.client.HTTPConnection(host, timeout=self._bucket.timeout)
        context = ssl.create_default_context()
        if self._bucket.ca:
            context.load_verify_locations(cadata=self._bucket.ca.decode("ascii"))
        return http.client.HTTPSConnection(host, timeout=self._bucket.timeout, context=context)


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")


def signed_headers(
    method: str,
    host: str,
    path: str,
    query: str,
    body: bytes,
    region: str,
    credentials: Credentials,
    now: time.struct_time,
) -> dict[str, str]:
    """The headers that sign a request: `path` and `query` as they are sent, the query's names in order."""
    moment, day = time.strftime("%Y%m%dT%H%M%SZ", now), time.strftime("%Y%m%d", now)
    payload = hashlib.sha256(body).hexdigest()
    signed = {"host": host, "x-amz-content-sha256": payload, "x-amz-date": moment}
    if credentials.token:
        signed["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    canonical = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{payload}"
    scope = f"{day}/{region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    signature = hmac.digest(key, text.encode(), hashlib.sha256).hex()
    signed.pop("host")
    words = f"Credential={credentials.access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return signed | {"authorization": f"AWS4-HMAC-SHA256 {words}"}
