"""Ports for servers of tests: each belongs to one process of tests until that ends, also while nobody listens there."""

from __future__ import annotations

import secrets
import socket

FIRST, LAST = 18_000, 22_000
"""Below those that the system gives to whoever asks for any, and to every connection: a server that is stopped and
started again finds its port as it has left it."""

_kept: list[socket.socket] = []
"""Names that no other process can take meanwhile (unix(7), abstract sockets)."""


def free_port(apart: int = 0) -> int:
    """A port on which nobody listens; with `apart`, nobody listens on the one so far above it either."""
    while True:
        port = FIRST + secrets.randbelow(LAST - FIRST)
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0a port of tests: {port}")
            for one in {port, port + apart}:
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", one))
        except OSError:
            claim.close()
            continue
        _kept.append(claim)
        return port
