"""From the settings to a bucket's storage. Nothing is asked of the server here."""

from __future__ import annotations

from pathlib import Path

from streamhost.config import InvalidSettings, StorageSettings
from streamhost.storage.s3 import S3Storage
from streamhost.storage.s3_bucket import Credentials, S3Bucket, credentials_from


def storage_of(settings: StorageSettings) -> S3Storage:
    """The storage that the settings describe. Raises `InvalidSettings`, and `StorageUnavailable` for a file of keys
    that has none."""
    return S3Storage(
        S3Bucket(
            settings.s3_bucket,
            settings.s3_prefix,
            settings.s3_endpoint,
            settings.s3_public_endpoint,
            settings.s3_region,
            settings.s3_addressing == "virtual",
            _credentials(settings),
            _authorities(settings.s3_ca_file),
            settings.s3_timeout_seconds,
            settings.s3_part_bytes,
            settings.s3_parallel,
        )
    )


def _credentials(settings: StorageSettings) -> Credentials | None:
    key_id, secret = settings.s3_access_key_id, settings.s3_secret_access_key
    if bool(key_id) != bool(secret):
        missing = "storage.s3_secret_access_key" if key_id else "storage.s3_access_key_id"
        raise InvalidSettings(f"{missing}: the other half of the access key is set, this one is not.")
    if key_id:
        return Credentials(key_id, secret, settings.s3_session_token)
    if settings.s3_credentials_file:
        return credentials_from(Path(settings.s3_credentials_file).expanduser(), settings.s3_profile)
    return None


def _authorities(file: str) -> bytes:
    if not file:
        return b""
    try:
        text = Path(file).read_bytes()
    except OSError as error:
        raise InvalidSettings(f"storage.s3_ca_file: {file}: {error.strerror}.") from error
    if b"-----BEGIN CERTIFICATE-----" not in text:
        raise InvalidSettings(f"storage.s3_ca_file: {file}: it holds no certificate (PEM).")
    return text
