"""Delivery where the bytes are not sent by this process from its own disk: another storage, or a proxy in front."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from streamhost.instance import Purpose, open_instance
from streamhost.model.clock import system_clock
from streamhost.model.grants import Grants
from streamhost.model.ids import PackageId, SessionId, VideoId
from streamhost.model.videos import package_prefix
from streamhost.ports import StorageUnavailable
from streamhost.server.delivery import Delivery
from streamhost.storage.memory import MemoryStorage
from tests.support.asgi import told
from tests.support.ports import free_port
from tests.support.server import RunningServer

VIDEO, PACKAGE, SESSION = VideoId("deliveredvideo01"), PackageId("deliveredpack001"), SessionId("somebodyssession")
CONTENT = bytes(range(256)) * 5000
NAME = "v720/0.m4s"

# nginx keeps type, cache rule and cookies of the answer that hands over, and no other header: hence `add_header`.
NGINX = """
daemon off; master_process off; pid {root}/nginx.pid; error_log {root}/nginx.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {root}/b; proxy_temp_path {root}/p; fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u;
  scgi_temp_path {root}/s;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass {upstream}; proxy_set_header Host $host; }}
    location /_streamhost/ {{
      internal;
      alias {media}/;
      add_header Access-Control-Allow-Origin *;
      add_header Access-Control-Expose-Headers *;
      add_header X-Content-Type-Options nosniff;
    }}
  }}
}}
"""


def a_grant(ring: dict[int, bytes]) -> str:
    """The text of a grant for the video of this module."""
    return Grants(ring, system_clock, 600).issue(VIDEO, PACKAGE, SESSION)[0]


class Remote:
    """A delivery on a storage that has no local paths, asked as a server would ask."""

    def __init__(self) -> None:
        self.storage = MemoryStorage()
        self.ring = {1: b"k" * 32}
        self.delivery = Delivery(Grants(self.ring, system_clock, 600), self.storage)

    async def ask(self, name: str = NAME, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""
        path = f"/s/{a_grant(self.ring)}/{VIDEO}/{name}"
        start, *rest = await told(self.delivery, path, method, **headers)
        found = {key.decode(): value.decode() for key, value in start["headers"]}
        return start["status"], found, b"".join(message["body"] for message in rest)


@pytest.fixture
async def remote() -> Remote:
    place = Remote()
    await place.storage.put_bytes(package_prefix(VIDEO, PACKAGE) + NAME, CONTENT)
    return place


async def test_another_storage_is_streamed(remote: Remote) -> None:
    """Whole, in part, by condition and by HEAD, just as from the local disk."""
    status, headers, body = await remote.ask()
    assert (status, body) == (200, CONTENT)
    assert headers["content-length"] == str(len(CONTENT))
    assert headers["content-type"] == "video/iso.segment"
    assert headers["etag"].startswith('"')
    assert await remote.ask(range="bytes=10-19") == (
        206,
        headers | {"content-length": "10", "content-range": f"bytes 10-19/{len(CONTENT)}"},
        CONTENT[10:20],
    )
    assert (await remote.ask(if_none_match=headers["etag"]))[::2] == (304, b"")
    assert (await remote.ask(method="HEAD"))[::2] == (200, b"")
    assert (await remote.ask("v720/1.m4s"))[0] == 404
    assert (await remote.ask(range=f"bytes={len(CONTENT)}-"))[0] == 416


async def test_a_storage_that_fails_is_503(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence for the player, nothing of the inside."""

    async def fail(key: str) -> None:
        raise StorageUnavailable(f"secret words about {key}")

    monkeypatch.setattr(remote.storage, "stat", fail)
    status, headers, body = await remote.ask()
    assert (status, headers["content-type"]) == (503, "application/problem+json")
    assert b"secret" not in body


async def test_a_storage_that_fails_on_the_way_breaks_the_answer(
    remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the first byte the only honest end is a broken connection, never a short file that looks whole."""

    async def broken(key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        yield CONTENT[:10]
        raise StorageUnavailable("gone")

    monkeypatch.setattr(remote.storage, "read", broken)
    with pytest.raises(ConnectionError):
        await remote.ask()


def test_nginx_sends_the_bytes(tmp_path: Path) -> None:
    """With `x-accel-redirect` this server checks the grant and nginx reads the file, ranges included."""
    assert shutil.which("nginx"), "apt-get install nginx-light"
    server = RunningServer(tmp_path / "data", STREAMHOST_SERVER_OFFLOAD="x-accel-redirect").start()
    file = server.data / "media" / package_prefix(VIDEO, PACKAGE) / NAME
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT)
    url = f"/s/{a_grant(open_instance(server.data).keys.ring(Purpose.GRANTS))}/{VIDEO}/{NAME}"
    direct = httpx.get(server.url + url)
    assert direct.content == b""
    assert direct.headers["x-accel-redirect"] == f"/_streamhost/{package_prefix(VIDEO, PACKAGE)}{NAME}"
    port = free_port()
    config = tmp_path / "nginx.conf"
    config.write_text(NGINX.format(root=tmp_path, port=port, upstream=server.url, media=server.data / "media"))
    proxy = subprocess.Popen(["nginx", "-c", str(config), "-p", str(tmp_path), "-e", str(tmp_path / "nginx.log")])
    try:
        front = f"http://127.0.0.1:{port}"
        wait_for(front)
        whole = httpx.get(front + url)
        assert (whole.status_code, whole.content) == (200, CONTENT)
        assert whole.headers["content-type"] == "video/iso.segment"
        assert whole.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert whole.headers["access-control-allow-origin"] == "*"
        part = httpx.get(front + url, headers={"range": "bytes=5-9"})
        assert (part.status_code, part.content) == (206, CONTENT[5:10])
        assert httpx.get(f"{front}/_streamhost/{package_prefix(VIDEO, PACKAGE)}{NAME}").status_code == 404
        assert httpx.get(front + url.replace("/s/", "/s/A")).status_code == 403
    finally:
        proxy.terminate()
        proxy.wait(60)
        server.stop()


def wait_for(url: str) -> None:
    """Until somebody answers there."""
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/livez")
            return
        except httpx.TransportError:
            time.sleep(0.05)
