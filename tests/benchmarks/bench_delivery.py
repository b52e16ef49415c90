"""Segments per second: this server with its grant check against nginx without one, one worker each, in the same run;
by its one port, and by its port for media (`server.media_port`).

    .venv/bin/python tests/benchmarks/bench_delivery.py [--seconds 3] [--rounds 5]

Needs `nginx` and `wrk`. Both servers deliver the same files in turn, all in the kernel's memory, to 16 keep-alive
connections on loopback. Rounds alternate between the three; the ratio is the median over the rounds.

With 64 files this server keeps them in its own memory too, as it does with segments that several people watch; with
512 files of 1 MiB there are more than it keeps, as when everybody watches something else.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from streamhost.instance import Purpose, open_instance
from streamhost.model.clock import HOUR, system_clock
from streamhost.model.grants import Grants
from streamhost.model.ids import PackageId, SessionId, VideoId
from streamhost.model.videos import package_prefix

VIDEO, PACKAGE, SESSION = VideoId("benchvideo000001"), PackageId("benchpackage0001"), SessionId("benchsession0001")
SETS = {
    "1 MiB": (1024**2, 64, ">= 0.9x"),
    "256 KiB": (256 * 1024, 64, ">= 0.75x"),
    "1 MiB, 512 files": (1024**2, 512, None),
}
"""Name, bytes of a file, files, aim."""
CONNECTIONS = 16
NGINX = """
daemon off; master_process off; worker_processes 1; pid {root}/nginx.pid; error_log {root}/nginx.log crit;
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; keepalive_timeout 300;
  types {{ video/iso.segment m4s; }}
  server {{ listen 127.0.0.1:{port}; root {media}; }}
}}
"""
LUA = """
local n = 0
request = function()
  n = (n + 1) % {files}
  return wrk.format("GET", "{prefix}" .. n .. ".m4s")
end
"""


def main() -> None:
    """Run and print: one JSON line for each size, then words."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--seconds", type=int, default=3)
    options.add_argument("--rounds", type=int, default=5)
    arguments = options.parse_args()
    missing = [tool for tool in ("nginx", "wrk") if shutil.which(tool) is None]
    if missing:
        sys.exit(f"bench_delivery needs {' and '.join(missing)}: apt-get install nginx-light wrk")
    with tempfile.TemporaryDirectory(prefix="bench-delivery-") as folder:
        root = Path(folder)
        data = root / "data"
        grants = Grants(open_instance(data).keys.ring(Purpose.GRANTS), system_clock, HOUR)
        media = data / "media"
        for size, files, _ in SETS.values():
            target = media / package_prefix(VIDEO, PACKAGE) / f"{size}x{files}"
            target.mkdir(parents=True)
            for number in range(files):
                (target / f"{number}.m4s").write_bytes(os.urandom(size))
        text, _ = grants.issue(VIDEO, PACKAGE, SESSION)
        with _ours(data) as ours, _nginx(root, media) as nginx:
            for name, (size, files, aim) in SETS.items():
                place = f"{size}x{files}/"
                asked = _script(root, f"/s/{text}/{VIDEO}/{place}", files)
                peer = _script(root, f"/{package_prefix(VIDEO, PACKAGE)}{place}", files)
                _measure(
                    name, aim, {"ours": (ours[0], asked), "media": (ours[1], asked), "peer": (nginx, peer)}, arguments
                )


def _measure(name: str, aim: str | None, sides: dict[str, tuple[str, Path]], arguments: argparse.Namespace) -> None:
    found: dict[str, list[float]] = {side: [] for side in sides}
    for url, script in sides.values():
        _wrk(url, script, 1)
    for _ in range(arguments.rounds):
        for side, (url, script) in sides.items():
            found[side].append(_wrk(url, script, arguments.seconds))
    for side, words in (("ours", ""), ("media", " by the port for media")):
        ratios = [a / b for a, b in zip(found[side], found["peer"], strict=True)]
        ours, peer = statistics.median(found[side]), statistics.median(found["peer"])
        line = {"name": f"delivery of {name} segments{words}, vs nginx", "ours": round(ours), "peer": round(peer)}
        print(json.dumps({**line, "ratio": round(statistics.median(ratios), 2), "unit": "segments/s", "aim": aim}))
        rounds = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"{name}{words}: {ours:,.0f} segments/s with grant check, nginx {peer:,.0f} without; rounds {rounds}")


def _wrk(url: str, script: Path, seconds: int) -> float:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), url]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        sys.exit(f"answers were not all good:\n{output}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if rate is None:
        sys.exit(f"wrk said:\n{output}")
    return float(rate.group(1))


def _script(root: Path, prefix: str, files: int) -> Path:
    handle, name = tempfile.mkstemp(suffix=".lua", dir=root)
    with os.fdopen(handle, "w") as file:
        file.write(LUA.format(files=files, prefix=prefix))
    return Path(name)


@contextlib.contextmanager
def _ours(data: Path) -> Iterator[tuple[str, str]]:
    """The addresses of its two ports."""
    port, media_port = _free_port(), _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "streamhost", "serve", "--data", str(data), "--port", str(port)]
    with _running(command, url + "/readyz", STREAMHOST_SERVER_MEDIA_PORT=str(media_port)):
        yield url, f"http://127.0.0.1:{media_port}"


@contextlib.contextmanager
def _nginx(root: Path, media: Path) -> Iterator[str]:
    port = _free_port()
    config = root / "nginx.conf"
    config.write_text(NGINX.format(root=root, port=port, media=media))
    probe = f"http://127.0.0.1:{port}/{package_prefix(VIDEO, PACKAGE)}{1024**2}x64/0.m4s"
    with _running(["nginx", "-c", str(config), "-p", str(root)], probe):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def _running(command: list[str], probe: str, **environment: str) -> Iterator[None]:
    nothing = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=nothing, stderr=nothing, env=os.environ | environment)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(probe, timeout=2).read()
                break
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
