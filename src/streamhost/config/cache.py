"""What can be set of caches."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from streamhost.config.section import Section


class CacheSettings(Section, frozen=True):
    """What is kept so that it need not be worked out again."""

    entries: Annotated[
        int, Meta(ge=0, le=10_000_000, description="Answers that are kept in memory, at most; 0: none.")
    ] = 20_000
    memory: Annotated[
        int, Meta(ge=0, description="Bytes of memory that they may take, about; the longest unused go first.")
    ] = 64 * 1024**2
    store: Annotated[
        Literal["file", "valkey", "none"],
        Meta(
            description="Where answers are kept that outlive the process, sealed. file: the folder cache of the data "
            "directory; valkey: a Valkey or Redis server, which needs `pip install streamhost[valkey]`; none: nowhere."
        ),
    ] = "file"
    url: Annotated[
        str,
        Meta(
            pattern=r"^((valkey|valkeys|redis|rediss|unix)://\S+)?$",
            examples=["valkey://127.0.0.1:6379/0"],
            description="Address of the Valkey or Redis server; valkeys and rediss speak TLS, unix names a socket. A "
            "password may stand in it.",
            extra={"secret": True},
        ),
    ] = ""
    timeout_ms: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="Milliseconds that the store may take for an answer. After that, or a failure, it is left "
            "alone for some seconds, and answers are worked out anew.",
        ),
    ] = 100
