"""How long segments take while 50 people sign in at once, against the same server when nobody does, in the same run.

    .venv/bin/python tests/benchmarks/bench_login.py [--rounds 7]

Viewers fetch segments of 1 MiB over keep-alive connections, at a steady pace: each request begins when its time has
come, and what it waits counts as delay. First nobody signs in, then 50 people do, each with a password hash of the
default cost; the fetching goes on until the last one is in. The ratio is the median over the rounds.

The people are one process on the same machine, which in life they are not: so it steps back as far as it can, has its
connections before it begins, and does not end before the measuring has.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from streamhost import log
from streamhost.config import load
from streamhost.host import assemble
from streamhost.instance import Purpose, open_instance
from streamhost.model.accounts import Role
from streamhost.model.audit import COMMAND_LINE
from streamhost.model.clock import HOUR, system_clock
from streamhost.model.grants import Grants
from streamhost.model.ids import PackageId, SessionId, VideoId
from streamhost.model.videos import package_prefix

VIDEO, PACKAGE, SESSION = VideoId("benchvideo000001"), PackageId("benchpackage0001"), SessionId("benchsession0001")
PEOPLE = 50
PASSWORD = "correct horse battery"
SEGMENT = 1024**2
SEGMENTS = 64
VIEWERS = 4
EVERY = 0.02
"""Seconds between two segments of one viewer. Together they fetch 200 MiB a second: some hundred people in full HD."""
LEAST_SECONDS = 5.0
"""A quiet round is as long as the last busy one, the first this long: about 1000 segments, of which 10 are slower than
the figure."""
AIM = "<= 2.0x"


def main() -> None:
    """Run and print: one JSON line for each figure, then words."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--sign-in", metavar="URL", help="be the people who sign in; for this program itself")
    arguments = options.parse_args()
    if arguments.sign_in:
        asyncio.run(_sign_in(arguments.sign_in))
        return
    with tempfile.TemporaryDirectory(prefix="bench-login-") as folder:
        data = Path(folder) / "data"
        asyncio.run(_add_people(data))
        media = data / "media" / package_prefix(VIDEO, PACKAGE)
        media.mkdir(parents=True)
        for number in range(SEGMENTS):
            (media / f"{number}.m4s").write_bytes(os.urandom(SEGMENT))
        grants = Grants(open_instance(data).keys.ring(Purpose.GRANTS), system_clock, HOUR)
        prefix = f"/s/{grants.issue(VIDEO, PACKAGE, SESSION)[0]}/{VIDEO}/"
        with _server(data) as url:
            _measure(url, prefix, arguments.rounds)


def _measure(url: str, prefix: str, rounds: int) -> None:
    _fetch(url, prefix, _for_seconds(1.0))
    quiet: list[float] = []
    busy: list[float] = []
    lasted: list[float] = []
    for _ in range(rounds):
        quiet.append(_p99(_fetch(url, prefix, _for_seconds(max([LEAST_SECONDS, *lasted[-1:]])))))
        with _people(url) as go:
            begin = time.perf_counter()
            everybody_in = go()
            busy.append(_p99(_fetch(url, prefix, _until(everybody_in))))
            lasted.append(time.perf_counter() - begin)
    ratios = [b / q for b, q in zip(busy, quiet, strict=True)]
    line = {"name": f"p99 of a segment while {PEOPLE} sign in, vs nobody", "ours": _ms(busy), "peer": _ms(quiet)}
    print(json.dumps({**line, "ratio": round(statistics.median(ratios), 2), "unit": "ms", "aim": AIM}))
    seconds = round(statistics.median(lasted), 1)
    print(json.dumps({"name": f"{PEOPLE} at once, until all are signed in", "ours": seconds, "unit": "s", "aim": None}))
    words = ", ".join(f"{q * 1000:.1f} -> {b * 1000:.1f} ms" for q, b in zip(quiet, busy, strict=True))
    print(f"99 of 100 segments within, without and with sign-ins: {words}")


def _ms(found: list[float]) -> float:
    return round(statistics.median(found) * 1000, 2)


def _p99(found: list[float]) -> float:
    return statistics.quantiles(found, n=100)[98]


def _for_seconds(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() < end


def _until(event: threading.Event) -> Callable[[], bool]:
    return lambda: not event.is_set()


def _fetch(url: str, prefix: str, going_on: Callable[[], bool]) -> list[float]:
    """Seconds that each segment took, from when it was due to its last byte."""
    found: list[float] = []
    broken: list[BaseException] = []

    def view(number: int) -> None:
        try:
            found.extend(_view(url, prefix, number, going_on))
        except BaseException as error:
            broken.append(error)
            raise

    viewers = [threading.Thread(target=view, args=(number,)) for number in range(VIEWERS)]
    for viewer in viewers:
        viewer.start()
    for viewer in viewers:
        viewer.join()
    if broken:
        sys.exit(f"a viewer was let down: {broken[0]!r}")
    return found


def _view(url: str, prefix: str, number: int, going_on: Callable[[], bool]) -> Iterator[float]:
    place = urlsplit(url)
    buffer = memoryview(bytearray(SEGMENT + 4096))
    due = time.perf_counter() + EVERY * number / VIEWERS
    with socket.create_connection((place.hostname, place.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while going_on():
            time.sleep(max(0.0, due - time.perf_counter()))
            number = (number + 1) % SEGMENTS
            connection.sendall(f"GET {prefix}{number}.m4s HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode())
            _receive(connection, buffer)
            yield time.perf_counter() - due
            due += EVERY


def _receive(connection: socket.socket, buffer: memoryview) -> None:
    """Read one answer of `SEGMENT` bytes."""
    held, whole = 0, 0
    while not whole or held < whole:
        part = connection.recv_into(buffer[held:])
        if not part:
            raise ConnectionError("the server hung up")
        held += part
        if not whole and (end := bytes(buffer[: min(held, 4096)]).find(b"\r\n\r\n")) >= 0:
            if not bytes(buffer[:12]) == b"HTTP/1.1 200":
                raise ConnectionError(bytes(buffer[:end]).decode())
            whole = end + 4 + SEGMENT


async def _add_people(data: Path) -> None:
    settings = load(data)
    log.configure("warning", settings.log.format)
    host = await assemble(settings, open_instance(settings.data))
    try:
        for number in range(PEOPLE):
            await host.accounts.people.add(
                _address(number), PASSWORD, "Viewer", Role.VIEWER, verified=True, by=COMMAND_LINE
            )
    finally:
        await host.close()


@contextlib.contextmanager
def _people(url: str) -> Iterator[Callable[[], threading.Event]]:
    """A process of its own that signs all in at once as soon as the yielded function is called, which returns what is
    set when all are in."""
    command = [sys.executable, __file__, "--sign-in", url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        stdin, stdout = process.stdin, process.stdout
        stdout.readline()
        time.sleep(1.0)
        everybody_in = threading.Event()

        def wait() -> None:
            stdout.readline()
            everybody_in.set()

        waiting = threading.Thread(target=wait)

        def go() -> threading.Event:
            waiting.start()
            stdin.write(b"go\n")
            stdin.flush()
            return everybody_in

        yield go
        waiting.join()
        stdin.close()
    if process.returncode != 0:
        sys.exit("not everybody could sign in")


async def _sign_in(url: str) -> None:
    os.nice(19)
    limits = httpx.Limits(max_connections=PEOPLE, max_keepalive_connections=PEOPLE)
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits) as client:
        await asyncio.gather(*(client.get("/livez") for _ in range(PEOPLE)))
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        people = ({"email": _address(number), "password": PASSWORD} for number in range(PEOPLE))
        answers = await asyncio.gather(*(client.post("/api/v1/auth/login", json=person) for person in people))
        refused = [answer for answer in answers if answer.status_code != httpx.codes.OK]
        print("done", flush=True)
        await asyncio.to_thread(sys.stdin.read)
    if refused:
        sys.exit(f"{len(refused)} were refused, one with {refused[0].text}")


def _address(number: int) -> str:
    return f"viewer{number}@example.org"


@contextlib.contextmanager
def _server(data: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamhost", "serve", "--data", str(data), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(url + "/readyz", timeout=2).read()
                break
            time.sleep(0.05)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


if __name__ == "__main__":
    main()
