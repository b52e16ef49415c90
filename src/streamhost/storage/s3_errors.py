"""What a bucket's server says when it does not do something, in words that help, and never with a key in them."""

from __future__ import annotations

import re

from obstore import exceptions

from streamhost import log
from streamhost.ports import NotStored, StorageUnavailable
from streamhost.storage.s3_bucket import S3Bucket

NOT_FOUND = (exceptions.NotFoundError, FileNotFoundError)

_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>")
_STATUS = re.compile(r"(?:status(?: code)?:?\s*|HTTP status (?:client|server) error \(|Client error with status |"
                     r"Server error with status |error with status )\"?(\d{3})\b", re.IGNORECASE)  # fmt: skip
_KEYS = "Check storage.s3_access_key_id and storage.s3_secret_access_key."
_RIGHTS = "The access key must be allowed to read, write, list and delete in this bucket; `streamhost storage check` "
_RIGHTS += "tells which it may not."
_ADDRESS = "Check storage.s3_endpoint, and whether the server behind it is up."
_ROOM = "Free some space at the storage server, or raise its quota."

_BY_CODE = {
    "AccessDenied": ("it denies access", _RIGHTS),
    "AllAccessDisabled": ("it denies access", _RIGHTS),
    "AuthorizationHeaderMalformed": ("it expects another region", "Check storage.s3_region."),
    "PermanentRedirect": ("the bucket is somewhere else", "Check storage.s3_region and storage.s3_endpoint."),
    "InvalidAccessKeyId": ("it does not know this access key", _KEYS),
    "SignatureDoesNotMatch": ("it does not accept the signature", _KEYS),
    "ExpiredToken": ("the session token has expired", "Renew storage.s3_session_token."),
    "InvalidToken": ("it does not accept the session token", "Check storage.s3_session_token."),
    "RequestTimeTooSkewed": ("the clocks differ too much", "Set the clock of this machine, best by NTP."),
    "NoSuchBucket": ("there is no such bucket", "Make the bucket, or correct storage.s3_bucket."),
    "SlowDown": ("it asks to slow down", "It is tried again later by itself."),
    "ServiceUnavailable": ("it is not available", "It is tried again later by itself."),
    "InternalError": ("it has an internal error", "Look at the storage server's log, and whether it has space left."),
    "QuotaExceeded": ("there is no space left", _ROOM),
    "InsufficientStorage": ("there is no space left", _ROOM),
    "XMinioStorageFull": ("there is no space left", _ROOM),
    "EntityTooLarge": ("the object is too large for it", "Raise storage.s3_part_bytes."),
}
_BY_STATUS = {
    301: _BY_CODE["PermanentRedirect"],
    401: _BY_CODE["InvalidAccessKeyId"],
    403: ("it denies access", f"{_KEYS} {_RIGHTS}"),
    429: _BY_CODE["SlowDown"],
    503: _BY_CODE["ServiceUnavailable"],
    507: _BY_CODE["QuotaExceeded"],
}
_BY_WORDS = (
    (("no space left", "disk is full", "quota"), _BY_CODE["QuotaExceeded"]),
    (("certificate", "UnknownIssuer"), ("its certificate is not trusted", "Set storage.s3_ca_file.")),
    (("dns error", "lookup address", "gaierror"), ("there is no such host", _ADDRESS)),
    (("timed out", "TimedOut"), ("it did not answer in time", _ADDRESS)),
    (("connect", "connection"), ("it cannot be reached", _ADDRESS)),
)

_logger = log.get("storage")


def translated(error: BaseException, bucket: S3Bucket, doing: str, key: str = "") -> StorageUnavailable | NotStored:
    """One of our errors for one of the client's, of the system or of a time-out; `doing` such as `write an object`.

    What the server said goes into the log at most, and without what signatures are made of."""
    if isinstance(error, NOT_FOUND) and "NoSuchBucket" not in str(error):
        return NotStored(key)
    text = str(error)
    reason, hint = meaning(text)
    _logger.debug("The storage server refused", action="s3_refused", doing=doing, key=key, reason=reason)
    return StorageUnavailable(f"The server at {bucket.address} did not {doing}: {reason}.", hint=hint)


def meaning(text: str) -> tuple[str, str]:
    """Why, in a few words, and what to do, by what the client says about an answer or a missing one."""
    for code in _CODE.findall(text):
        if code in _BY_CODE:
            return _BY_CODE[code]
    for status in _STATUS.findall(text):
        if int(status) in _BY_STATUS:
            return _BY_STATUS[int(status)]
    lower = text.lower()
    for words, answer in _BY_WORDS:
        if any(word.lower() in lower for word in words):
            return answer
    said = [f"HTTP {status}" for status in _STATUS.findall(text)[:1]] + _CODE.findall(text)[:1]
    return " ".join(said) or "something unexpected", "`streamhost storage check` tries every step and says more."
