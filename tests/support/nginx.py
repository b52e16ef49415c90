"""A real nginx with a configuration of a test's own, on loopback."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.server import until

AROUND = """
daemon off; master_process off; pid {root}/nginx.pid; error_log {root}/nginx.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {root}/b; proxy_temp_path {root}/p; fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u;
  scgi_temp_path {root}/s;
  {inside}
}}
"""

LINK_SECRET = "the secret of the links"
SIGNED_LINKS = f"""
secure_link $arg_md5,$arg_expires;
secure_link_md5 "$secure_link_expires$uri {LINK_SECRET}";
if ($secure_link = "") {{ return 403; }}
if ($secure_link = "0") {{ return 410; }}
"""
"""For a location that checks signatures, as nginx's own manual shows."""


@dataclass(frozen=True, slots=True)
class Nginx:
    """One that runs, with its files below `root`."""

    root: Path
    process: subprocess.Popen[bytes]

    @property
    def errors(self) -> str:
        """What it has complained about."""
        return (self.root / "nginx.log").read_text("utf-8", "replace")

    def reopen(self) -> None:
        """Have it open its logs anew."""
        self.process.send_signal(signal.SIGUSR1)


@contextlib.contextmanager
def nginx(root: Path, inside: str, *ports: int) -> Iterator[Nginx]:
    """Run nginx with `inside` as the content of its `http` block, until it listens on `ports`."""
    config = root / "nginx.conf"
    config.write_text(AROUND.format(root=root, inside=inside))
    # Only until the processes of a test are gone: cache loader and manager are children of a master, if there is one.
    process = subprocess.Popen(["nginx", "-c", str(config), "-p", str(root), "-e", str(root / "nginx.log")])
    running = Nginx(root, process)
    try:
        until(lambda: all(map(_listens, ports)) or process.poll() is not None)
        assert process.poll() is None, running.errors
        yield running
    finally:
        process.terminate()
        process.wait(60)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    time.sleep(0.02)
    return False
