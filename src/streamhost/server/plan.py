"""What to answer to a request for a stored file: all of it, a part, or that nothing has changed."""

from __future__ import annotations

from dataclasses import dataclass

from streamhost.server.door import Headers, Scope
from streamhost.server.ranges import Range, match, requested


@dataclass(frozen=True, slots=True)
class Plan:
    """What to answer: `part` of the object is sent, None for no body; `whole` if that is all of it."""

    status: int
    headers: Headers
    part: Range | None
    whole: bool = False


def plan(scope: Scope, headers: Headers, size: int, etag: bytes, modified: int) -> Plan:
    """Decide by the request's conditions and range (RFC 9110, sections 13.2.2 and 14)."""
    none_match = modified_since = wanted = if_range = None
    for name, value in scope["headers"]:
        if name == b"range":
            wanted = value
        elif name == b"if-none-match":
            none_match = value
        elif name == b"if-modified-since":
            modified_since = value
        elif name == b"if-range":
            if_range = value
    head_only = scope["method"] == "HEAD"
    if (none_match is not None or modified_since is not None) and match(none_match, modified_since, etag, modified):
        kept = [pair for pair in headers if pair[0] not in (b"content-length", b"content-type")]
        return Plan(304, kept, None)
    if wanted is not None and not head_only:
        part = requested(wanted, if_range, size, etag, modified)
        if part is not None:
            return Plan(206, _partial(headers, part, size), part)
    return Plan(200, headers, None if head_only else Range(0, size), whole=True)


def _partial(headers: Headers, part: Range, size: int) -> Headers:
    kept = [pair for pair in headers if pair[0] != b"content-length"]
    return [
        *kept,
        (b"content-length", b"%d" % (part.end - part.start)),
        (b"content-range", b"bytes %d-%d/%d" % (part.start, part.end - 1, size)),
    ]
