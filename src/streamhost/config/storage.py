"""Settings of where media is kept, and how viewers get it from there."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from streamhost.config.section import Section

_MIB = 1024**2


class StorageSettings(Section, frozen=True):
    """Where media is kept, and how viewers get it from there."""

    backend: Annotated[
        str,
        Meta(
            pattern=r"^[a-z][a-z0-9_-]{0,39}$",
            examples=["s3"],
            description="Where new media goes: local: the folder media in the data directory; s3: a bucket; or the "
            "name of a plugin's storage. What was stored elsewhere before is still found there until "
            "`streamhost storage move` has brought it over.",
        ),
    ] = "local"
    delivery: Annotated[
        Literal["proxy", "redirect"],
        Meta(
            description="How viewers get segments that lie in a bucket, unless [cdn] sends them elsewhere: proxy: "
            "through this server; redirect: from the bucket by signed addresses, which browsers must be allowed to "
            "read (CORS). Manifests, licences and keys always come from this server."
        ),
    ] = "proxy"
    link_minutes: Annotated[
        float,
        Meta(
            ge=1,
            le=10080,
            description="Life of a signed address, in minutes. Whoever has one can read that segment for so long, "
            "even if the permission to play ends before.",
        ),
    ] = 15.0
    s3_bucket: Annotated[str, Meta(description="Name of the bucket.")] = ""
    s3_prefix: Annotated[
        str,
        Meta(
            pattern=r"^([A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)?$",
            examples=["sites/videos"],
            description="Folder in the bucket below which everything is kept; empty: the whole bucket.",
        ),
    ] = ""
    s3_endpoint: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^/\s]+(/[^\s]*)?)?$",
            examples=["https://s3.example.org"],
            description="Address of the server, without the bucket; empty: Amazon S3 in the region below.",
        ),
    ] = ""
    s3_public_endpoint: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^/\s]+(/[^\s]*)?)?$",
            examples=["https://media.example.org"],
            description="Address by which viewers reach the same server, for redirect; empty: the endpoint above.",
        ),
    ] = ""
    s3_region: Annotated[str, Meta(description="Region; servers of your own mostly take any.")] = "us-east-1"
    s3_addressing: Annotated[
        Literal["path", "virtual"],
        Meta(
            description="Where the bucket's name stands in addresses: path: https://s3.example.org/bucket/; virtual: "
            "https://bucket.s3.example.org/, as Amazon wants it."
        ),
    ] = "path"
    s3_access_key_id: Annotated[
        str,
        Meta(
            description="Access key; empty: the one in s3_credentials_file, else the role of the machine.",
            extra={"also": "AWS_ACCESS_KEY_ID"},
        ),
    ] = ""
    s3_secret_access_key: Annotated[
        str,
        Meta(description="Secret of the access key.", extra={"secret": True, "also": "AWS_SECRET_ACCESS_KEY"}),
    ] = ""
    s3_session_token: Annotated[
        str,
        Meta(
            description="Token of an access key that lives for a while only.",
            extra={"secret": True, "also": "AWS_SESSION_TOKEN"},
        ),
    ] = ""
    s3_credentials_file: Annotated[
        str,
        Meta(
            description="File with access keys as Amazon's tools keep it, such as ~/.aws/credentials.",
            extra={"machine": True},
        ),
    ] = ""
    s3_profile: Annotated[str, Meta(description="Which keys of that file.")] = "default"
    s3_ca_file: Annotated[
        str, Meta(description="File (PEM) of authorities to trust besides the system's; for a server of your own.")
    ] = ""
    s3_timeout_seconds: Annotated[
        float,
        Meta(ge=1, le=600, description="How long one request may take before it is tried again, in seconds."),
    ] = 30.0
    s3_part_bytes: Annotated[
        int,
        Meta(
            ge=5 * _MIB,
            le=512 * _MIB,
            description="Larger files are sent and fetched in parts of this size.",
        ),
    ] = 8 * _MIB
    s3_parallel: Annotated[
        int,
        Meta(
            ge=1,
            le=64,
            description="Parts of one file on their way at the same time; with the size of a part this bounds memory.",
        ),
    ] = 4
