"""How fast a file comes in, and what memory that takes: tus and multipart on the real server.

The peer is the least that any receiver must do: a bare asyncio protocol in a process of its own that writes what the
socket gives to a file and syncs it once at the end, without HTTP, hashing, offsets or a catalog. Ours hashes, stores
offsets that survive a power cut on the way, and enters a video. Both get the same bytes from the same client, in turn.

    python tests/benchmarks/bench_upload.py [MiB of one file]
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.server import Api, RunningServer
from tests.support.tus import Line, begin

MIB = 1024**2
ROUNDS = 5
PIECE = bytes(range(256)) * 4096
FORM_HEAD = b'--bench\r\nContent-Disposition: form-data; name="file"; filename="bench.bin"\r\n\r\n'
FORM_TAIL = b"\r\n--bench--\r\n"


class Receiver(asyncio.Protocol):
    """Writes what comes to a file; answers one byte once it is on the disk."""

    def __init__(self, path: Path, size: int) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._left = size

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        os.write(self._file, data)
        self._left -= len(data)
        if self._left == 0:
            os.fdatasync(self._file)
            os.close(self._file)
            self._transport.write(b"!")


async def receive(path: Path, size: int) -> None:
    """The peer's process: says its port and receives until it is ended."""
    server = await asyncio.get_running_loop().create_server(lambda: Receiver(path, size), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def send(connection: socket.socket, size: int) -> None:
    """Send so many bytes."""
    for _ in range(size // len(PIECE)):
        connection.sendall(PIECE)


class Memory:
    """The most that a process had resident while a block ran, in MiB above what it had before."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)

    def __enter__(self) -> Memory:
        self._before = self._most = self._process.memory_info().rss
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()
        return self

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self._most = max(self._most, self._process.memory_info().rss)

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watcher.join()
        self.grown = (self._most - self._before) / MIB


def timed(work: Callable[[], None]) -> float:
    """Seconds that it takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def by_tus(api: Api, size: int) -> None:
    """One PATCH."""
    line = Line(api).patch(begin(api, size), 0, size)
    for _ in range(size // len(PIECE)):
        line.send(PIECE)
    assert line.status() == 204


def by_form(api: Api, size: int) -> None:
    """One multipart request."""
    length = str(size + len(FORM_HEAD) + len(FORM_TAIL))
    headers = {"Content-Type": "multipart/form-data; boundary=bench", "Content-Length": length}
    line = Line(api).head("POST", "/api/v1/upload", **headers).send(FORM_HEAD)
    for _ in range(size // len(PIECE)):
        line.send(PIECE)
    assert line.send(FORM_TAIL).status() == 202


def by_peer(port: int, size: int) -> None:
    """The same bytes to the bare receiver."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        send(connection, size)
        assert connection.recv(1) == b"!"


def clear(server: RunningServer) -> None:
    """Make room for the next round: what was stored is not needed any more."""
    for path in (server.data / "media" / "videos").glob("*/source/*"):
        path.unlink()


def figure(name: str, ours: float, peer: float | None, unit: str, aim: str) -> None:
    ratio = ours / peer if peer else None
    print(json.dumps({"name": name, "ours": ours, "peer": peer, "ratio": ratio, "unit": unit, "aim": aim}), flush=True)


def main(size: int) -> None:
    with tempfile.TemporaryDirectory(dir=os.environ.get("STREAMHOST_BENCH_DIR")) as folder:
        peer = subprocess.Popen(
            [sys.executable, __file__, "receive", f"{folder}/peer", str(size)], stdout=subprocess.PIPE, text=True
        )
        assert peer.stdout is not None
        port = int(peer.stdout.readline())
        # Media work would take the processor from the receiver in the middle of the measurement.
        server = RunningServer(Path(folder) / "data", STREAMHOST_JOBS_CHILD_NICE="19").start()
        try:
            server.add_user("alice@example.org")
            api = server.client("alice@example.org")
            by_tus(api, len(PIECE))
            times: dict[str, list[float]] = {"peer": [], "tus": [], "form": []}
            grown = 0.0
            for number in range(ROUNDS):
                times["peer"].append(timed(lambda: by_peer(port, size)))
                for name, work in (("tus", by_tus), ("form", by_form)):
                    with Memory(server.process.pid) as memory:
                        times[name].append(timed(lambda work=work: work(api, size)))  # type: ignore[misc]
                    grown = max(grown, memory.grown)
                    clear(server)
                rates = ", ".join(f"{name} {size / 1e6 / found[-1]:.0f} MB/s" for name, found in times.items())
                print(f"round {number + 1}: {rates}, memory +{memory.grown:.0f} MiB", flush=True)
            rate = {name: size / 1e6 / statistics.median(found) for name, found in times.items()}
            figure("upload by tus", rate["tus"], rate["peer"], "MB/s", ">= 300")
            figure("upload by one form", rate["form"], rate["peer"], "MB/s", ">= 300")
            figure(f"memory for a file of {size // MIB} MiB", grown, None, "MiB more", "<= 40")
        finally:
            server.stop()
            peer.kill()
            peer.wait()


if __name__ == "__main__":
    if sys.argv[1:2] == ["receive"]:
        asyncio.run(receive(Path(sys.argv[2]), int(sys.argv[3])))
    else:
        main(int(sys.argv[1]) * MIB if sys.argv[1:] else 1024 * MIB)
