"""The socket that the server listens on, bound before anything else starts, so that a taken port costs nothing."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from streamhost.config.serving import ANY
from streamhost.model.errors import StreamhostError

BACKLOG = 1024
"""Connections that may wait to be accepted; the kernel caps it at net.core.somaxconn."""
UNIX = "unix:"
SOCKET_MODE = 0o660
"""The owner and the group (of the proxy in front) may connect."""


FILES = 65_536
"""Open files that are asked for: each viewer may take two, a connection and a segment."""


def allow_files() -> None:
    """Have the system allow this process as many open files as it may; often that is a thousand at first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # some containers forbid it; the limit stays what it is
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class CannotListen(StreamhostError):
    """The server cannot listen at this address."""

    code = "cannot_listen"
    permanent = True


@dataclass(frozen=True, slots=True)
class Listener:
    """A bound socket. `url` is how a browser on this machine reaches it; a Unix socket is shown as `unix:PATH`."""

    socket: socket.socket
    url: str

    @property
    def is_unix(self) -> bool:
        """Whether it is a Unix domain socket."""
        return self.url.startswith(UNIX)

    @property
    def port(self) -> int:
        """The port, 0 for a Unix socket."""
        return 0 if self.is_unix else urlsplit(self.url).port or 0

    def remove(self) -> None:
        """Take the socket's file away, if it has one."""
        if self.is_unix:
            Path(self.url.removeprefix(UNIX)).unlink(missing_ok=True)


def listen(host: str, port: int, setting: str = "--port") -> Listener:
    """Bind and listen. `host` is an IPv4 or IPv6 address, a name, or `unix:PATH`; port 0 takes a free one. `setting`:
    what says which port.

    Raises `CannotListen`.
    """
    try:
        return _unix(Path(host.removeprefix(UNIX))) if host.startswith(UNIX) else _tcp(host.strip("[]"), port)
    except OSError as error:
        raise CannotListen(f"{host} port {port}: {_words(error)}.", hint=_hint(error, setting)) from error


def _tcp(host: str, port: int) -> Listener:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, protocol)
    try:
        # Without SO_REUSEPORT: a second server on the port must fail, not share it.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if host == "::" else 1)
        # Connections inherit it (Linux). Nagle's algorithm would keep the end of an answer back until all before it was
        # acknowledged, which clients put off: one segment in ten came 40 ms late (bench_login).
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return Listener(bound, _url(host, bound.getsockname()[1]))


def _url(host: str, port: int) -> str:
    shown = "127.0.0.1" if host in ANY else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"


def _unix(path: Path) -> Listener:
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
            _remove_dead(path)
        bound.bind(str(path))
        os.chmod(path, SOCKET_MODE)
        bound.listen(BACKLOG)
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return Listener(bound, f"{UNIX}{path}")


def _remove_dead(path: Path) -> None:
    """Remove a socket that nobody answers at; raises if somebody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _hint(error: OSError, setting: str) -> str:
    if error.errno == errno.EADDRINUSE:
        free = f", or {setting} 0 for a free one" if setting.startswith("--") else ""
        return f"Another program listens there. Choose another port with {setting}{free}."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"Ports below 1024 need a privilege; choose a higher one with {setting} and put a proxy in front."
    return "Use an address of this machine with --host, such as 127.0.0.1, or 0.0.0.0 for all of them."
