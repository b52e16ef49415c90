"""A real server that speaks Valkey's protocol: Debian's redis-server, on a Unix socket of its own."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from prepare import SYSTEM_PATH


class ValkeyServer:
    """Holds everything in memory. `stop` and `start` again is an outage after which it is empty."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "valkey.sock"
        self.url = f"unix://{self.socket}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> ValkeyServer:
        """Run it until it takes connections."""
        program = shutil.which("valkey-server", path=SYSTEM_PATH) or shutil.which("redis-server", path=SYSTEM_PATH)
        assert program, "no Valkey and no Redis server is installed; `make setup-test` installs one"
        options = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 150
        while not self._takes_connections():
            assert time.monotonic() < end and self._process.poll() is None, "the server did not start"
            time.sleep(0.02)
        return self

    def _takes_connections(self) -> bool:
        """The socket is there a moment before anybody listens to it."""
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    def hang(self) -> None:
        """Take connections but answer nothing any more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Go on after `hang`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it. Safe to call twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self.socket.unlink(missing_ok=True)
