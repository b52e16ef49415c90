"""An edge of your own, tried on one machine: a site, nginx as the edge before it, twenty viewers, and a video that is
closed while they watch. Everything lies in a temporary directory and is gone afterwards."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from streamhost.testing.clips import Clip, make

PLUGIN = Path(__file__).resolve().parents[2] / "plugins" / "streamhost-nginx-edge"
TOOL = PLUGIN / "src" / "streamhost_nginx_edge" / "edge.py"
VIEWERS = 20
EMAIL, PASSWORD = "alice@example.org", "correct horse battery"
PATIENCE = 120.0
# The second `server` stands where the network between edge and site would be, and writes down what passes.
NGINX = """
daemon off; master_process off; pid {root}/nginx.pid; error_log {root}/nginx.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {root}/b; proxy_temp_path {root}/p; fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u;
  scgi_temp_path {root}/s;
  {edge}
  log_format road '$request_uri';
  server {{
    listen 127.0.0.1:{road};
    access_log {root}/road.log road;
    location / {{ proxy_pass {site}; proxy_set_header Host $http_host; }}
  }}
}}
"""


def main() -> None:
    """Do it, step by step."""
    tool = _tool()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        root = Path(name)
        secret, pull_secret = secrets.token_hex(32), secrets.token_hex(32)
        site = stack.enter_context(_site(root, pull_secret))
        edge = stack.enter_context(_edge(root, tool, site, secret, pull_secret))
        token = _ask(f"{site}/api/v1/auth/login", {"email": EMAIL, "password": PASSWORD})["access_token"]
        video = _upload(root, site, token)
        print("A video plays at", edge)

        names = _files(edge, site, video)
        for _ in range(VIEWERS):
            folder = edge + _folder(site, video)
            for file in names:
                _get(f"{folder}/{file}")
        report = tool.report((root / "edge.log").read_text().splitlines())
        road = (root / "road.log").read_text().splitlines()
        fetched, asked = sum("/o/videos/" in line for line in road), sum("/o/grant/" in line for line in road)
        share = f"{report['hit_rate']:.1%}".replace("%", " %")
        print(f"{VIEWERS} viewers asked the edge {report['requests']} times; {share} were served from its copies.")
        print(f"The site sent {fetched} files and was asked {asked} times about permissions.")

        watched = f"{edge}{_folder(site, video)}/{names[-1]}"
        _get(watched)
        _ask(f"{site}/api/v1/videos/{video}", {"visibility": "private"}, token, "PATCH")
        begun = time.monotonic()
        _until(lambda: _status(watched) == 403)
        print(f"After the video was closed, the edge refused within {time.monotonic() - begun:.1f} seconds.")


@contextlib.contextmanager
def _site(root: Path, pull_secret: str) -> Iterator[str]:
    """A site with one user, on a free port; answers its address."""
    data, log = root / "data", root / "site.log"
    add = [sys.executable, "-m", "streamhost", "users", "add", EMAIL, "--name", "Alice", "--role", "creator"]
    settings = os.environ | {"STREAMHOST_CDN_PULL_SECRET": pull_secret}
    subprocess.run(
        [*add, "--verified", "--password-stdin", "--data", str(data)],
        input=PASSWORD.encode(),
        env=settings,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    serve = [sys.executable, "-m", "streamhost", "serve", "--data", str(data), "--port", "0"]
    with log.open("wb") as out, _running(serve, settings, out) as process:
        _until(lambda: process.poll() is not None or b"server is ready" in log.read_bytes())
        address = re.search(r"http://[\d.]+:\d+", log.read_text("utf-8", "replace"))
        if address is None:
            raise SystemExit(log.read_text("utf-8", "replace"))
        yield address.group()


@contextlib.contextmanager
def _edge(root: Path, tool: ModuleType, site: str, secret: str, pull_secret: str) -> Iterator[str]:
    """nginx as the edge, and its purger; answers its address."""
    port, road = _free_port(), _free_port()
    cache, purger_socket = root / "cache", str(root / "purger.sock")
    cache.mkdir()
    edge = tool.configuration(
        f"http://127.0.0.1:{road}",
        "127.0.0.1",
        secret,
        pull_secret,
        listen=f"127.0.0.1:{port}",
        cache=str(cache),
        log=str(root / "edge.log"),
        purger=purger_socket,
    )
    config = root / "nginx.conf"
    config.write_text(NGINX.format(root=root, edge=edge, road=road, site=site))
    config.chmod(0o600)
    command = ["nginx", "-c", str(config), "-p", str(root), "-e", str(root / "nginx.log")]
    with tool.Purger(purger_socket, cache, secret) as purger, _running(command, dict(os.environ), None):
        threading.Thread(target=purger.serve_forever, daemon=True).start()
        _until(lambda: _status(f"http://127.0.0.1:{port}/") == 404)
        yield f"http://127.0.0.1:{port}"
        purger.shutdown()


def _upload(root: Path, site: str, token: str) -> str:
    """Send a clip of twelve seconds; answers the video's id once it is ready."""
    clip = make(root / "clip.mp4", Clip(seconds=12.0, width=320, height=180))
    command = [sys.executable, "-m", "streamhost", "videos", "upload", str(clip), "--title", "Bars", "--url", site]
    settings = os.environ | {"STREAMHOST_TOKEN": token}
    done = subprocess.run([*command, "--wait", "--json"], env=settings, check=True, capture_output=True)
    video = str(json.loads(done.stdout)["id"])
    _ask(f"{site}/api/v1/videos/{video}", {"visibility": "public"}, token, "PATCH")
    return video


def _folder(site: str, video: str) -> str:
    """The path of the stream with a fresh permission, as a viewer gets it."""
    return str(json.loads(_get(f"{site}/api/v1/stream/{video}"))["hls"]).rpartition("/")[0]


def _files(edge: str, site: str, video: str) -> list[str]:
    """What a player of the best quality fetches."""
    folder = edge + _folder(site, video)
    master = _get(f"{folder}/master.m3u8").decode()
    playlists = [line for line in master.splitlines() if line and not line.startswith("#")]
    best = playlists[0]
    inside = _get(f"{folder}/{best}").decode()
    top = best.rpartition("/")[0]
    segments = [f"{top}/{line}" for line in inside.splitlines() if line.endswith(".m4s")]
    return ["master.m3u8", best, f"{top}/init.mp4", *segments]


def _ask(url: str, document: Any, token: str = "", method: str = "POST") -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    with urlopen(Request(url, json.dumps(document).encode(), headers, method=method), timeout=60) as answer:
        return json.load(answer)


def _get(url: str) -> bytes:
    with urlopen(url, timeout=60) as answer:
        return bytes(answer.read())


def _status(url: str) -> int:
    try:
        with urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code
    except (URLError, OSError):
        return 0


@contextlib.contextmanager
def _running(command: list[str], settings: dict[str, str], out: Any) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=settings, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _until(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            raise SystemExit("It did not come to that in time.")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _tool() -> ModuleType:
    """`edge.py` of the plugin, as it lies on an edge: a file."""
    spec = importlib.util.spec_from_file_location("edge", TOOL)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{TOOL} is not there.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
