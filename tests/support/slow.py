"""A slow network: a TCP proxy that lets only so many bytes a second through to the server."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

PIECE = 64 * 1024


class SlowNetwork:
    """Listens on a free port of its own; each connection is passed on at `rate` bytes a second at most."""

    def __init__(self, port: int, rate: float) -> None:
        self._target = port
        self._rate = rate
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Accept no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            for source, target, pause in ((client, server, PIECE / self._rate), (server, client, 0.0)):
                threading.Thread(target=self._pass_on, args=(source, target, pause), daemon=True).start()

    @staticmethod
    def _pass_on(source: socket.socket, target: socket.socket, pause: float) -> None:
        due = time.monotonic()
        with contextlib.suppress(OSError):
            while data := source.recv(PIECE):
                target.sendall(data)
                due = max(due + pause * len(data) / PIECE, time.monotonic() - pause)
                time.sleep(max(0.0, due - time.monotonic()))
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            # What is only shut down goes on taking bytes, and whoever sends them waits for its own time-out.
            end.close()
