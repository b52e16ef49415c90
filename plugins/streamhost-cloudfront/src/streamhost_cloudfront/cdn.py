"""CloudFront as streamhost sees it: where viewers get segments, and how copies are dropped."""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from streamhost.cdn.asking import Asking
from streamhost.cdn.caching import CdnThatCaches
from streamhost.cdn.keys import check_object, check_prefix
from streamhost_cloudfront.signing import private_key, signed_headers, signed_query

API = "https://cloudfront.amazonaws.com"
VERSION = "2020-05-31"
"""Of the API (CreateInvalidation)."""
LONGEST_LIST = 15
"""Paths that end in a wildcard which CloudFront invalidates at the same time (quota of CloudFront)."""
REMEMBERED = 4096
"""Signatures kept: one a package and window of time; making one takes some milliseconds."""
PUSH_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Invalidating:
    """Whose copies are dropped, and by which AWS key (it needs `cloudfront:CreateInvalidation` alone)."""

    distribution_id: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    api: str = API


class CloudFrontCdn(CdnThatCaches):
    """One distribution. A signature opens all files of one package, so that one serves a whole film."""

    def __init__(
        self,
        base_url: str,
        key_pair_id: str,
        key: str,
        invalidating: Invalidating | None = None,
        asking: Asking | None = None,
    ) -> None:
        """`key`: PEM text of the RSA key whose public half CloudFront has. Raises `WrongKey`."""
        super().__init__(base_url, time.time, PUSH_SECONDS, asking or Asking(), None)
        self._key_pair_id = key_pair_id
        self._key = private_key(key)
        self._invalidating = invalidating
        self._queries: OrderedDict[tuple[str, int], str] = OrderedDict()

    def url(self, key: str, expires_at: float) -> str:
        """The object's address with the signature for its package."""
        package = "/".join(check_object(key).split("/", 3)[:3])
        return f"{self.base_url}/{key}?{self._query(package, int(expires_at))}"

    def _query(self, package: str, expires_at: int) -> str:
        known = self._queries.get((package, expires_at))
        if known is None:
            resource = f"{self.base_url}/{package}/*"
            known = signed_query(self._key, self._key_pair_id, resource, expires_at)
            self._queries[(package, expires_at)] = known
            if len(self._queries) > REMEMBERED:
                self._queries.popitem(last=False)
        return known

    async def purge(self, prefixes: Sequence[str]) -> None:
        """Create an invalidation, if there is a key for that: CloudFront has dropped the copies some minutes later."""
        paths = [f"/{check_prefix(prefix)}*" for prefix in prefixes]
        made = self._invalidating
        if made is None:
            return
        url = f"{made.api}/{VERSION}/distribution/{made.distribution_id}/invalidation"
        for start in range(0, len(paths), LONGEST_LIST):
            body = _batch(paths[start : start + LONGEST_LIST])
            headers = signed_headers(url, body, made.access_key_id, made.secret_access_key, datetime.now(UTC))
            await self._asking.ask("POST", url, headers, body)


def _batch(paths: Sequence[str]) -> bytes:
    """The document of an invalidation. Paths are made of plain signs alone, so nothing in them needs escaping."""
    items = "".join(f"<Path>{path}</Path>" for path in paths)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/{VERSION}/">'
        f"<Paths><Quantity>{len(paths)}</Quantity><Items>{items}</Items></Paths>"
        f"<CallerReference>{uuid.uuid4()}</CallerReference></InvalidationBatch>"
    ).encode()
