"""Where a bucket is, how to speak to its server, and as whom."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from obstore.store import S3Store

from streamhost.ports import StorageUnavailable

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config, S3Credential

MIB = 1024**2
CONNECT_SECONDS = 5.0
PROBE_SECONDS = 2.0
"""Patience of a health check, which has a few seconds in all."""
RETRIES = 6
"""Times that one request is tried again after 429, 5xx and broken connections, before its error counts."""
FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0
"""Seconds between tries; they grow in between, by chance, so that not all come back at once."""
REGION = "us-east-1"
"""What servers of one's own expect, and what Amazon takes for none."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key. `token` belongs to keys that live for a while only."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class S3Bucket:
    """A bucket, or what lies below `prefix` in it.

    `endpoint` is the address of the server (Amazon's in `region` if empty), `public_endpoint` the one by which viewers
    reach the same server. `virtual_hosted`: the bucket's name stands in front of the host instead of in the path.
    Without `credentials` those of the machine's role are asked for, as Amazon's machines have them.
    """

    name: str
    prefix: str = ""
    endpoint: str = ""
    public_endpoint: str = ""
    region: str = REGION
    virtual_hosted: bool = False
    credentials: Credentials | None = None
    ca: bytes = b""
    """Certificates (PEM) of authorities to trust besides the system's."""
    timeout: float = 30.0
    """Seconds that one request may take, its body included, before it is tried again."""
    part_bytes: int = 8 * MIB
    """Size of a part of a large object that is sent or fetched in one request."""
    at_once: int = 4
    """Parts of one object that are on their way at the same time."""

    @property
    def address(self) -> str:
        """The server's address, without the bucket."""
        return self.endpoint.rstrip("/") or f"https://s3.{self.region}.amazonaws.com"

    @property
    def public_origin(self) -> str:
        """Scheme, host and port of the addresses that viewers are given."""
        parts = urlsplit(self.base(self.public_endpoint or self.address))
        return f"{parts.scheme}://{parts.netloc}"

    def base(self, address: str) -> str:
        """The address of the bucket at a server's address, in the style that is set."""
        if not self.virtual_hosted:
            return f"{address.rstrip('/')}/{self.name}"
        parts = urlsplit(address)
        return f"{parts.scheme}://{self.name}.{parts.netloc}{parts.path.rstrip('/')}"

    def key(self, key: str) -> str:
        """The name of an object in the bucket, with the prefix."""
        return f"{self.prefix.strip('/')}/{key}" if self.prefix.strip("/") else key

    def store(self, address: str | None = None, *, patient: bool = True) -> S3Store:
        """A client of the bucket; `address` is another one of the same server. Not `patient`: one short try."""
        timeout = self.timeout if patient else min(PROBE_SECONDS, self.timeout)
        server = self.address if address is None else address.rstrip("/")
        config: S3Config = {
            "endpoint": self.base(server) if self.virtual_hosted else server,
            "region": self.region,
            "virtual_hosted_style_request": self.virtual_hosted,
        }
        options: ClientConfig = {
            "allow_http": server.startswith("http://"),
            "connect_timeout": timedelta(seconds=min(CONNECT_SECONDS, timeout)),
            "timeout": timedelta(seconds=timeout),
            "user_agent": "streamhost",
        }
        if self.ca:
            options["root_certificate"] = self.ca
        retries: RetryConfig = {
            "max_retries": RETRIES if patient else 0,
            "retry_timeout": timedelta(seconds=2 * timeout),
            "backoff": {
                "init_backoff": timedelta(seconds=FIRST_WAIT),
                "max_backoff": timedelta(seconds=LONGEST_WAIT),
                "base": 2,
            },
        }
        return S3Store(
            self.name,
            prefix=self.prefix.strip("/") or None,
            config=config,
            client_options=options,
            retry_config=retries,
            credential_provider=self._credentials if self.credentials else None,
        )

    def _credentials(self) -> S3Credential:
        """Ours alone: the variables that the client reads by itself may be somebody else's."""
        assert self.credentials is not None, "only asked for where there are some"
        mine = self.credentials
        return {
            "access_key_id": mine.access_key_id,
            "secret_access_key": mine.secret_access_key,
            "token": mine.token or None,
            "expires_at": None,
        }


def credentials_from(file: Path, profile: str) -> Credentials:
    """The keys of a profile in a file as Amazon's tools keep it. Raises `StorageUnavailable` with what is wrong."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(file.read_text("utf-8"))
        found: Mapping[str, str] = parser[profile]
        return Credentials(
            found["aws_access_key_id"], found["aws_secret_access_key"], found.get("aws_session_token", "")
        )
    except OSError as error:
        raise StorageUnavailable(f"{file}: {error.strerror}.", hint="Check storage.s3_credentials_file.") from error
    except (KeyError, UnicodeDecodeError, configparser.Error) as error:
        hint = "Check storage.s3_credentials_file and storage.s3_profile."
        raise StorageUnavailable(f"{file} has no keys of a profile [{profile}].", hint=hint) from error
