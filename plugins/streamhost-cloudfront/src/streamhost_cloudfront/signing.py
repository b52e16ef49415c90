"""Signed URLs of CloudFront (custom policy, RSA), and signed requests to its API (Signature Version 4).

Sources: "Create a signed URL using a custom policy", Amazon CloudFront Developer Guide; "Create a signed AWS API
request", AWS General Reference.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from Crypto.Hash import SHA1
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15

LEAST_BITS = 2048
"""CloudFront takes no shorter keys."""
ALGORITHM = "AWS4-HMAC-SHA256"
REGION, SERVICE = "us-east-1", "cloudfront"
"""CloudFront is a global service, which signs as if it were there."""


class WrongKey(ValueError):
    """The private key cannot be used; the words hold nothing of it."""


def private_key(pem: str) -> RSA.RsaKey:
    """The key in a PEM text. Raises `WrongKey`."""
    try:
        key = RSA.import_key(pem)
    except (ValueError, IndexError, TypeError):
        raise WrongKey("The private key is no RSA key in PEM.") from None
    if not key.has_private() or key.size_in_bits() < LEAST_BITS:
        raise WrongKey(f"The private key must be the private one, of {LEAST_BITS} bits or more.")
    return key


def policy(resource: str, expires_at: int) -> str:
    """A custom policy that ends at a moment (seconds since 1970 UTC), without spaces as CloudFront wants it."""
    condition = {"DateLessThan": {"AWS:EpochTime": expires_at}}
    return json.dumps({"Statement": [{"Resource": resource, "Condition": condition}]}, separators=(",", ":"))


def signed_query(key: RSA.RsaKey, key_pair_id: str, resource: str, expires_at: int) -> str:
    """The query that opens every URL that `resource` means (`*` stands for any text); CloudFront checks SHA-1."""
    text = policy(resource, expires_at).encode()
    signature = pkcs1_15.new(key).sign(SHA1.new(text))
    return f"Policy={_safe(text)}&Signature={_safe(signature)}&Key-Pair-Id={key_pair_id}"


def _safe(data: bytes) -> str:
    """Base64 with CloudFront's own stand-ins for what a query cannot hold."""
    return b64encode(data).decode().translate(str.maketrans("+=/", "-_~"))


def signed_headers(
    url: str, body: bytes, access_key_id: str, secret_access_key: str, now: datetime
) -> Mapping[str, str]:
    """The headers that prove a POST of `body` to `url` (without a query)."""
    parts = urlsplit(url)
    moment, day = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ"), now.astimezone(UTC).strftime("%Y%m%d")
    digest = hashlib.sha256(body).hexdigest()
    signed = {"content-type": "text/xml", "host": parts.netloc, "x-amz-content-sha256": digest, "x-amz-date": moment}
    names = ";".join(signed)
    canonical = "\n".join(
        ("POST", parts.path, "", *(f"{name}:{value}" for name, value in signed.items()), "", names, digest)
    )
    scope = f"{day}/{REGION}/{SERVICE}/aws4_request"
    text = "\n".join((ALGORITHM, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    secret = f"AWS4{secret_access_key}".encode()
    for part in (day, REGION, SERVICE, "aws4_request"):
        secret = hmac.digest(secret, part.encode(), "sha256")
    signature = hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
    proof = f"{ALGORITHM} Credential={access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {name.title(): value for name, value in signed.items() if name != "host"} | {"Authorization": proof}
